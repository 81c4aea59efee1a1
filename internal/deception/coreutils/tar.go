package coreutils

import (
	"archive/tar"
	"bufio"
	"cmp"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

type tarJob struct {
	absolute bool // -P
	p        *Proc
	op       byte
	file     string
	gz, bz   bool
	verbose  bool
	dir      string
	toStdout bool
	strip    int
	exclude  []string
	status   int
}

func tarCmd(p *Proc) int {
	args := p.Args[1:]
	if len(args) > 0 && args[0] != "" && args[0][0] != '-' { // old style: letters first, their arguments after
		var out, tail []string
		rest := args[1:]
		for _, c := range args[0] {
			out = append(out, "-"+string(c))
			if strings.ContainsRune("fCTXbHgKLNV", c) {
				if len(rest) == 0 {
					p.errorf("Old option '%c' requires an argument.", c)
					p.complain("Try 'tar --help' or 'tar --usage' for more information.\n")
					return 2
				}
				out = append(out, rest[0])
				rest = rest[1:]
			}
		}
		p.Args = append(append([]string{p.Args[0]}, out...), append(rest, tail...)...)
	}
	opts, args, ok := p.getopt("AcdrtuxC:f:GhI:JjkKlmMnoOpPsST:vwWX:zZaBb:", "create,c", "extract,x", "get,x", "list,t", "append,r", "update,u", "file=,f", "gzip,z", "gunzip,z", "bzip2,j", "xz,J", "verbose,v", "directory=,C", "to-stdout,O", "exclude=", "strip-components=", "preserve-permissions,p", "same-permissions,p", "overwrite", "no-same-owner,o", "absolute-names,P", "dereference,h", "auto-compress,a", "files-from=,T", "exclude-from=,X", "usage", "delete", "test-label", "wildcards", "numeric-owner", "owner=", "group=", "mode=", "zstd", "totals", "warning=", "ignore-failed-read", "one-file-system", "remove-files", "keep-old-files,k", "skip-old-files", "touch,m", "transform=", "no-recursion", "use-compress-program=,I")
	if !ok {
		return 64
	}
	j := &tarJob{p: p, file: "-"}
	for _, o := range opts {
		switch o.name {
		case "c", "x", "t", "r", "u":
			if j.op != 0 && j.op != o.name[0] {
				p.errorf("You may not specify more than one '-Acdtrux', '--delete' or  '--test-label' option")
				p.complain("Try 'tar --help' or 'tar --usage' for more information.\n")
				return 2
			}
			j.op = o.name[0]
		case "f":
			j.file = o.val
		case "z":
			j.gz = true
		case "j", "J":
			j.bz = true
		case "v":
			j.verbose = true
		case "C":
			j.dir = o.val
		case "O":
			j.toStdout = true
		case "P":
			j.absolute = true
		case "exclude":
			j.exclude = append(j.exclude, o.val)
		case "strip-components":
			if n, good := size(o.val); good {
				j.strip = int(min(n, 100))
			}
		}
	}
	if j.op == 0 {
		p.errorf("You must specify one of the '-Acdtrux', '--delete' or '--test-label' options")
		p.complain("Try 'tar --help' or 'tar --usage' for more information.\n")
		return 2
	}
	archive := p.path(j.file)
	if j.dir != "" {
		i, err := p.stat(j.dir)
		if err == nil && !i.IsDir() {
			err = vfs.ENOTDIR
		}
		if err != nil {
			p.errorf("%s: Cannot open: %s", j.dir, why(err))
			p.errorf("Error is not recoverable: exiting now")
			return 2
		}
		p.Cwd = vfs.Clean(p.Cwd, j.dir)
	}
	if j.op == 'c' || j.op == 'r' || j.op == 'u' {
		return j.create(archive, args)
	}
	return j.read(archive, args)
}

func (j *tarJob) fatal(format string, a ...any) int {
	j.p.errorf(format, a...)
	j.p.errorf("Error is not recoverable: exiting now")
	return 2
}

func (j *tarJob) create(archive string, args []string) int {
	p := j.p
	if len(args) == 0 {
		p.errorf("Cowardly refusing to create an empty archive")
		p.complain("Try 'tar --help' or 'tar --usage' for more information.\n")
		return 2
	}
	var out io.Writer = p.out
	if j.file != "-" {
		f, err := p.FS.Open(p.Cred, archive, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o666&^p.Umask)
		if err != nil {
			return j.fatal("%s: Cannot open: %s", j.file, why(err))
		}
		defer f.Close()
		out = f
	} else if p.TTY {
		return j.fatal("Refusing to write archive contents to terminal (missing -f option?)")
	}
	if j.gz {
		z := gzip.NewWriter(out)
		defer z.Close()
		out = z
	}
	blocks := &recordWriter{w: out}
	defer blocks.pad()
	out = blocks
	w := tar.NewWriter(out)
	warned := false
	for _, a := range args {
		if strings.HasPrefix(a, "/") && !warned && !j.absolute {
			p.errorf("Removing leading `/' from member names")
			warned = true
		}
		j.add(w, a, archive, 0)
	}
	if err := w.Close(); err != nil {
		return j.fatal("%s: Wrote only 0 of 10240 bytes", j.file)
	}
	if j.status != 0 {
		p.errorf("Exiting with failure status due to previous errors")
	}
	return j.status
}

// stored is the name of a file in the archive.
func (j *tarJob) stored(name string) string {
	if j.absolute {
		return name
	}
	return strings.TrimLeft(name, "/")
}

// A recordWriter fills an archive up to whole records of 10240 bytes.
type recordWriter struct {
	w io.Writer
	n int
}

func (r *recordWriter) Write(b []byte) (int, error) {
	n, err := r.w.Write(b)
	r.n += n
	return n, err
}

func (r *recordWriter) pad() {
	if rest := r.n % 10240; rest > 0 {
		_, _ = r.w.Write(make([]byte, 10240-rest))
	}
}

func (j *tarJob) add(w *tar.Writer, name, archive string, depth int) {
	p := j.p
	p.step(5)
	for _, x := range j.exclude {
		if glob(x, name) || glob(x, base(name)) {
			return
		}
	}
	i, err := p.lstat(name)
	if err != nil {
		p.errorf("%s: Cannot stat: %s", name, why(err))
		j.status = 2
		return
	}
	if i.Path == archive {
		p.errorf("%s: file is the archive; not dumped", name)
		return
	}
	h := &tar.Header{Name: j.stored(name), Mode: int64(i.Perm()), Uid: int(i.UID), Gid: int(i.GID), ModTime: i.Mtime, Uname: p.userName(i.UID), Gname: p.groupName(i.GID), Format: tar.FormatGNU}
	switch i.Type() {
	case vfs.Dir:
		h.Typeflag = tar.TypeDir
		h.Name = strings.TrimSuffix(h.Name, "/") + "/"
	case vfs.Symlink:
		h.Typeflag, h.Linkname = tar.TypeSymlink, i.Target
	case vfs.Regular:
		h.Typeflag, h.Size = tar.TypeReg, i.Size
	case vfs.Socket:
		p.errorf("%s: socket ignored", name)
		return
	default:
		h.Typeflag = tar.TypeFifo
	}
	var f *vfs.File
	if i.IsRegular() {
		if f, err = p.FS.Open(p.Cred, p.path(name), vfs.O_RDONLY, 0); err != nil {
			p.errorf("%s: Cannot open: %s", name, why(err))
			j.status = 2
			return
		}
		defer f.Close()
	}
	if j.verbose {
		if j.file == "-" {
			p.complain(name + "\n")
		} else {
			p.print(name + map[bool]string{true: "/"}[i.IsDir() && !strings.HasSuffix(name, "/")] + "\n")
		}
	}
	if err := w.WriteHeader(h); err != nil {
		return
	}
	if f != nil {
		buf := make([]byte, chunk)
		for {
			n, err := f.Read(buf)
			p.step(1 + n/2048)
			if _, werr := w.Write(buf[:n]); werr != nil || err != nil {
				break
			}
		}
	}
	if i.IsDir() && depth < maxTree {
		list, err := p.FS.ReadDir(p.Cred, p.path(name))
		if err != nil {
			p.errorf("%s: Cannot open: %s", name, why(err))
			j.status = 2
		}
		for _, e := range list {
			j.add(w, strings.TrimSuffix(name, "/")+"/"+e.Name, archive, depth+1)
		}
	}
}

func (j *tarJob) read(archive string, members []string) int {
	p := j.p
	var in io.Reader = p.Stdin
	if j.file != "-" {
		f, err := p.FS.Open(p.Cred, archive, vfs.O_RDONLY, 0)
		if err != nil && (j.gz || j.bz) { // the unpacker's process is the one that opens it
			p.complain("tar (child): " + j.file + ": Cannot open: " + why(err) + "\ntar (child): Error is not recoverable: exiting now\n")
			p.errorf("Child returned status 2")
			p.errorf("Error is not recoverable: exiting now")
			return 2
		}
		if err != nil {
			return j.fatal("%s: Cannot open: %s", j.file, why(err))
		}
		defer f.Close()
		in = f
	} else if p.StdinTTY {
		return j.fatal("Refusing to read archive contents from terminal (missing -f option?)")
	}
	br := bufio.NewReader(in)
	head, _ := br.Peek(3)
	in = br
	switch {
	case len(head) > 1 && head[0] == 0x1f && head[1] == 0x8b:
		z, err := gzip.NewReader(br)
		if err != nil {
			p.complain("\ngzip: stdin: unexpected end of file\n")
			return j.fatal("Child returned status 1")
		}
		in = z
	case string(head) == "BZh":
		in = bzip2.NewReader(br)
	case j.gz:
		p.complain("\ngzip: stdin: not in gzip format\n")
		p.errorf("Child returned status 1")
		p.errorf("Error is not recoverable: exiting now")
		return 2
	}
	r := tar.NewReader(&metered{p: p, r: in})
	hits := make([]bool, len(members))
	count := 0
	for {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			if count == 0 {
				p.errorf("This does not look like a tar archive")
				p.errorf("Exiting with failure status due to previous errors")
				return 2
			}
			p.errorf("Unexpected EOF in archive")
			return j.fatal("rmtlseek not stopped at a record boundary")
		}
		count++
		p.step(5)
		want := len(members) == 0
		for i, m := range members {
			if strings.TrimSuffix(h.Name, "/") == strings.TrimSuffix(m, "/") || strings.HasPrefix(h.Name, strings.TrimSuffix(m, "/")+"/") || glob(m, h.Name) {
				want, hits[i] = true, true
			}
		}
		if want {
			j.member(h, r)
		}
	}
	for i, m := range members {
		if !hits[i] {
			p.errorf("%s: Not found in archive", m)
			j.status = 2
		}
	}
	if j.status != 0 {
		p.errorf("Exiting with failure status due to previous errors")
	}
	return j.status
}

// metered charges for what is unpacked, so that a small archive of a large file
// costs what it is.
type metered struct {
	p *Proc
	r io.Reader
}

func (m *metered) Read(b []byte) (int, error) {
	n, err := m.r.Read(b)
	m.p.step(1 + n/1024)
	return n, err
}

func (j *tarJob) member(h *tar.Header, r io.Reader) {
	p := j.p
	if j.op == 't' {
		if !j.verbose {
			p.print(h.Name + "\n")
			return
		}
		kind := map[byte]uint32{tar.TypeDir: vfs.Dir, tar.TypeSymlink: vfs.Symlink, tar.TypeFifo: vfs.Fifo}[h.Typeflag]
		if kind == 0 {
			kind = vfs.Regular
		}
		link := ""
		if h.Linkname != "" {
			link = " -> " + h.Linkname
		}
		p.printf("%s %s/%s %*d %s %s\n", modeString(kind|uint32(h.Mode)), cmp.Or(h.Uname, sprintf("%d", h.Uid)), cmp.Or(h.Gname, sprintf("%d", h.Gid)), max(1, 17-len(h.Uname)-len(h.Gname)), h.Size, h.ModTime.UTC().Format("2006-01-02 15:04"), h.Name+link)
		return
	}
	name := h.Name
	for range j.strip {
		_, rest, ok := strings.Cut(name, "/")
		if !ok {
			return
		}
		name = rest
	}
	if name = strings.TrimLeft(name, "/"); name == "" {
		return
	}
	if strings.HasPrefix(name, "../") || strings.Contains(name, "/../") {
		p.errorf("%s: Member name contains '..'", h.Name)
		j.status = 2
		return
	}
	if j.verbose {
		p.print(h.Name + "\n")
	}
	if j.toStdout {
		p.pass(r)
		return
	}
	if up := parent(name); up != "." {
		p.mkdirAll(up, 0o777&^p.Umask, false)
	}
	if err := j.extract(h, name, r); err != nil {
		p.errorf("%s: Cannot open: %s", h.Name, why(err))
		j.status = 2
	}
}

func (j *tarJob) extract(h *tar.Header, name string, r io.Reader) error {
	p := j.p
	path := p.path(name)
	mode := uint32(h.Mode) & 0o7777
	if p.Cred.UID != 0 {
		mode &^= p.Umask
	}
	switch h.Typeflag {
	case tar.TypeDir:
		if err := p.FS.Mkdir(p.Cred, strings.TrimSuffix(path, "/"), mode|0o700); err != nil && !errors.Is(err, vfs.EEXIST) {
			return err
		}
	case tar.TypeSymlink:
		_ = p.FS.Remove(p.Cred, path)
		return p.FS.Symlink(p.Cred, h.Linkname, path)
	case tar.TypeLink:
		_ = p.FS.Remove(p.Cred, path)
		return p.FS.Link(p.Cred, p.path(strings.TrimLeft(h.Linkname, "/")), path)
	case tar.TypeFifo:
		return p.FS.Mknod(p.Cred, path, vfs.Fifo|mode, 0)
	default:
		_ = p.FS.Remove(p.Cred, path)
		f, err := p.FS.Open(p.Cred, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, mode)
		if err != nil {
			return err
		}
		var werr error
		err = p.each(r, func(b []byte) bool { _, werr = f.Write(b); return werr == nil })
		if err := errors.Join(err, werr, f.Close()); err != nil {
			return err
		}
	}
	if p.Cred.UID == 0 {
		_ = p.FS.Chown(p.Cred, path, uint32(h.Uid), uint32(h.Gid), false)
		_ = p.FS.Chmod(p.Cred, path, mode)
	}
	return p.FS.Chtimes(p.Cred, path, h.ModTime, h.ModTime, false, false)
}
