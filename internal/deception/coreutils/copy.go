package coreutils

import (
	"errors"
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func copyCommands(name string) Command {
	switch name {
	case "cp":
		return cp
	case "mv":
		return mv
	case "install":
		return install
	case "dd":
		return dd
	}
	return nil
}

type copier struct {
	p                                        *Proc
	recursive, force, noClobber, verbose     bool
	preserve, noDeref, update, link, symlink bool
	status                                   int
}

// target splits operands into sources and destination, complaining as cp and mv do.
func (p *Proc) target(args []string, dir string, noTarget bool) (sources []string, dest string, into, ok bool) {
	if dir != "" {
		if i, err := p.stat(dir); err != nil {
			p.errorf("target directory %s: %s", qa(dir), why(err))
			return nil, "", false, false
		} else if !i.IsDir() {
			p.errorf("target directory %s: Not a directory", qa(dir))
			return nil, "", false, false
		}
		if len(args) == 0 {
			p.errorf("missing file operand")
			p.try(0)
			return nil, "", false, false
		}
		return args, dir, true, true
	}
	switch len(args) {
	case 0:
		p.errorf("missing file operand")
		p.try(0)
		return nil, "", false, false
	case 1:
		p.errorf("missing destination file operand after %s", qa(args[0]))
		p.try(0)
		return nil, "", false, false
	}
	sources, dest = args[:len(args)-1], args[len(args)-1]
	i, err := p.stat(dest)
	into = err == nil && i.IsDir() && !noTarget
	if len(sources) > 1 && !into {
		if noTarget {
			p.errorf("extra operand %s", qa(args[2]))
			p.try(0)
			return nil, "", false, false
		}
		reason := "No such file or directory"
		if err == nil {
			reason = "Not a directory"
		}
		p.errorf("target %s: %s", qa(dest), reason)
		return nil, "", false, false
	}
	return sources, dest, into, true
}

func cp(p *Proc) int {
	opts, args, ok := p.getopt("abdfHilLnPprRsS:t:TuvxZ", "archive,a", "force,f", "interactive,i", "link,l", "dereference,L", "no-clobber,n", "no-dereference,P", "preserve?,p", "parents", "recursive,R", "symbolic-link,s", "target-directory=,t", "no-target-directory,T", "update,u", "verbose,v", "one-file-system,x", "attributes-only", "reflink?", "sparse=", "remove-destination", "strip-trailing-slashes", "backup?,b", "suffix=,S")
	if !ok {
		return 1
	}
	c := &copier{p: p}
	dir, noTarget := "", false
	for _, o := range opts {
		switch o.name {
		case "a":
			c.recursive, c.preserve, c.noDeref = true, true, true
		case "r", "R":
			c.recursive, c.noDeref = true, true
		case "f":
			c.force = true
		case "n":
			c.noClobber = true
		case "p":
			c.preserve = true
		case "d", "P":
			c.noDeref = true
		case "L", "H":
			c.noDeref = false
		case "l":
			c.link = true
		case "s":
			c.symlink = true
		case "t":
			dir = o.val
		case "T":
			noTarget = true
		case "u":
			c.update = true
		case "v":
			c.verbose = true
		}
	}
	sources, dest, into, ok := p.target(args, dir, noTarget)
	if !ok {
		return 1
	}
	for _, s := range sources {
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		c.copy(s, d, 0)
	}
	return c.status
}

func (c *copier) fail(format string, a ...any) {
	c.p.errorf(format, a...)
	c.status = 1
}

func (c *copier) copy(from, to string, depth int) {
	p := c.p
	p.step(3)
	get := p.stat
	if c.noDeref {
		get = p.lstat
	}
	i, err := get(from)
	if err != nil {
		c.fail("cannot stat %s: %s", qa(from), why(err))
		return
	}
	if i.IsDir() {
		c.tree(i, from, to, depth)
		return
	}
	d, derr := p.lstat(to)
	switch {
	case derr == nil && d.Ino == i.Ino && d.Dev == i.Dev:
		c.fail("%s and %s are the same file", qa(from), qa(to))
		return
	case derr == nil && d.IsDir():
		c.fail("cannot overwrite directory %s with non-directory", qa(to))
		return
	case derr == nil && (c.noClobber || c.update && !i.Mtime.After(d.Mtime)):
		return
	}
	if err := c.file(i, from, to); err != nil {
		return
	}
	if c.preserve {
		_ = p.FS.Chown(p.Cred, p.path(to), i.UID, i.GID, false)
		if !i.IsSymlink() {
			_ = p.FS.Chmod(p.Cred, p.path(to), i.Perm())
		}
		_ = p.FS.Chtimes(p.Cred, p.path(to), i.Atime, i.Mtime, false, false)
	}
	if c.verbose {
		p.printf("%s -> %s\n", qa(from), qa(to))
	}
}

// file copies what is no folder.
func (c *copier) file(i vfs.Info, from, to string) error {
	p := c.p
	var err error
	switch {
	case c.link:
		err = p.link(from, to, false, c.force)
	case c.symlink:
		err = p.link(from, to, true, c.force)
	case i.IsSymlink():
		err = p.link(i.Target, to, true, true)
	case i.Type() == vfs.Fifo || (i.Type() == vfs.Char || i.Type() == vfs.Block) && c.recursive:
		err = p.FS.Mknod(p.Cred, p.path(to), i.Mode, i.Rdev)
	default:
		return c.bytes(i, from, to)
	}
	if err != nil {
		c.fail("cannot create %s: %s", qa(to), why(err))
	}
	return err
}

func (c *copier) bytes(i vfs.Info, from, to string) error {
	p := c.p
	src, err := p.FS.Open(p.Cred, p.path(from), vfs.O_RDONLY, 0)
	if err != nil {
		c.fail("cannot open %s for reading: %s", qa(from), why(err))
		return err
	}
	defer src.Close()
	flags := vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
	dst, err := p.FS.Open(p.Cred, p.path(to), flags, i.Perm()&0o777&^p.Umask)
	if err != nil && c.force {
		_ = p.FS.Remove(p.Cred, p.path(to))
		dst, err = p.FS.Open(p.Cred, p.path(to), flags, i.Perm()&0o777&^p.Umask)
	}
	if err != nil {
		c.fail("cannot create regular file %s: %s", qa(to), why(err))
		return err
	}
	defer dst.Close()
	if dst.Clone(src) {
		return nil
	}
	var werr error
	err = p.each(src, func(b []byte) bool {
		_, werr = dst.Write(b)
		return werr == nil
	})
	if err != nil {
		c.fail("error reading %s: %s", qa(from), why(err))
	}
	if werr != nil {
		c.fail("error writing %s: %s", qa(to), why(werr))
	}
	return errors.Join(err, werr)
}

func (c *copier) tree(i vfs.Info, from, to string, depth int) {
	p := c.p
	if !c.recursive {
		c.fail("-r not specified; omitting directory %s", qa(from))
		return
	}
	if d, err := p.FS.Real(p.Cred, p.path(to)); err == nil && strings.HasPrefix(d+"/", strings.TrimSuffix(i.Path, "/")+"/") {
		c.fail("cannot copy a directory, %s, into itself, %s", qa(from), qa(to))
		return
	}
	made := false
	if d, err := p.stat(to); err != nil {
		if err := p.FS.Mkdir(p.Cred, p.path(to), i.Perm()&^p.Umask|0o700); err != nil {
			c.fail("cannot create directory %s: %s", qa(to), why(err))
			return
		}
		made = true
		if c.verbose {
			p.printf("%s -> %s\n", qa(from), qa(to))
		}
	} else if !d.IsDir() {
		c.fail("cannot overwrite non-directory %s with directory %s", qa(to), qa(from))
		return
	}
	list, err := p.FS.ReadDir(p.Cred, p.path(from))
	if err != nil {
		c.fail("cannot access %s: %s", qa(from), why(err))
		return
	}
	if depth < maxTree {
		for _, e := range list {
			c.copy(strings.TrimSuffix(from, "/")+"/"+e.Name, strings.TrimSuffix(to, "/")+"/"+e.Name, depth+1)
		}
	}
	if made {
		mode := i.Perm() &^ p.Umask
		if c.preserve {
			_ = p.FS.Chown(p.Cred, p.path(to), i.UID, i.GID, true)
			mode = i.Perm()
		}
		_ = p.FS.Chmod(p.Cred, p.path(to), mode)
		if c.preserve {
			_ = p.FS.Chtimes(p.Cred, p.path(to), i.Atime, i.Mtime, false, true)
		}
	}
}

func mv(p *Proc) int {
	opts, args, ok := p.getopt("bfinS:t:TuvZ", "force,f", "interactive,i", "no-clobber,n", "target-directory=,t", "no-target-directory,T", "update,u", "verbose,v", "backup?,b", "suffix=,S", "strip-trailing-slashes")
	if !ok {
		return 1
	}
	dir, noTarget, noClobber, update, verbose := "", false, false, false, false
	for _, o := range opts {
		switch o.name {
		case "t":
			dir = o.val
		case "T":
			noTarget = true
		case "n":
			noClobber = true
		case "u":
			update = true
		case "v":
			verbose = true
		}
	}
	sources, dest, into, ok := p.target(args, dir, noTarget)
	if !ok {
		return 1
	}
	status := 0
	for _, s := range sources {
		p.step(3)
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		i, err := p.lstat(s)
		if err != nil {
			p.errorf("cannot stat %s: %s", qa(s), why(err))
			status = 1
			continue
		}
		if o, err := p.lstat(d); err == nil {
			if noClobber || update && !i.Mtime.After(o.Mtime) {
				continue
			}
			if o.Ino == i.Ino && o.Dev == i.Dev {
				p.errorf("%s and %s are the same file", qa(s), qa(d))
				status = 1
				continue
			}
			if o.IsDir() && !i.IsDir() {
				p.errorf("cannot overwrite directory %s with non-directory %s", qa(d), qa(s))
				status = 1
				continue
			}
			if !o.IsDir() && i.IsDir() {
				p.errorf("cannot overwrite non-directory %s with directory %s", qa(d), qa(s))
				status = 1
				continue
			}
		}
		if !p.move(s, d, i) {
			status = 1
		} else if verbose {
			p.printf("renamed %s -> %s\n", qa(s), qa(d))
		}
	}
	return status
}

// move renames, or copies and removes between file systems.
func (p *Proc) move(from, to string, i vfs.Info) bool {
	err := p.FS.Rename(p.Cred, p.path(from), p.path(to))
	switch {
	case err == nil:
		return true
	case errors.Is(err, vfs.EXDEV):
		c := &copier{p: p, recursive: true, preserve: true, noDeref: true, force: true}
		c.copy(from, to, 0)
		if c.status != 0 {
			return false
		}
		r := &remover{p: p, recursive: true, force: true}
		r.remove(from, 0)
		return r.status == 0
	case errors.Is(err, vfs.EINVAL) && i.IsDir():
		p.errorf("cannot move %s to a subdirectory of itself, %s", qa(from), qa(to))
	default:
		p.errorf("cannot move %s to %s: %s", qa(from), qa(to), why(err))
	}
	return false
}

func install(p *Proc) int {
	opts, args, ok := p.getopt("bcCdDg:m:o:pst:Tv", "directory,d", "mode=,m", "owner=,o", "group=,g", "target-directory=,t", "verbose,v", "compare,C", "preserve-timestamps,p", "strip,s")
	if !ok {
		return 1
	}
	mode, dirs, lead, dir := uint32(0o755), false, false, ""
	for _, o := range opts {
		switch o.name {
		case "d":
			dirs = true
		case "D":
			lead = true
		case "t":
			dir = o.val
		case "m":
			m, good := parseMode(o.val, 0, false, 0)
			if !good {
				p.errorf("invalid mode %s", p.q(o.val))
				return 1
			}
			mode = m
		}
	}
	if dirs {
		status := 0
		for _, a := range args {
			if !p.mkdirAll(a, mode, false) {
				status = 1
			}
		}
		return status
	}
	if lead && len(args) == 2 {
		p.mkdirAll(parent(args[1]), 0o755, false)
	}
	sources, dest, into, ok := p.target(args, dir, false)
	if !ok {
		return 1
	}
	c := &copier{p: p, force: true}
	for _, s := range sources {
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		c.copy(s, d, 0)
		_ = p.FS.Chmod(p.Cred, p.path(d), mode)
	}
	return c.status
}

// dd copies blocks and tells what it did.
func dd(p *Proc) int {
	d := &ddJob{p: p, ibs: 512, obs: 512, count: -1}
	for _, a := range p.Args[1:] {
		if a == "--help" {
			p.help()
		}
		if a == "--version" {
			p.version()
		}
		k, v, ok := strings.Cut(a, "=")
		if !ok {
			p.errorf("unrecognized operand %s", p.q(a))
			return p.try(1)
		}
		if !d.set(k, v, a) {
			return p.try(1)
		}
	}
	return d.run()
}

type ddJob struct {
	p                            *Proc
	in, out, conv, status, oflag string
	ibs, obs, count, skip, seek  int64
	bytesIn                      int64
	full, part, wFull, wPart     int64
}

func (d *ddJob) set(k, v, whole string) bool {
	switch k {
	case "if":
		d.in = v
	case "of":
		d.out = v
	case "conv":
		d.conv = v
	case "status":
		d.status = v
	case "oflag", "iflag":
		d.oflag += "," + v
	case "bs", "ibs", "obs", "count", "skip", "seek", "cbs":
		n, ok := size(v)
		if !ok || n == 0 && strings.HasSuffix(k, "bs") {
			d.p.errorf("invalid number: %s", d.p.q(v))
			panic(stop{1})
		}
		switch k {
		case "bs":
			d.ibs, d.obs = n, n
		case "ibs":
			d.ibs = n
		case "obs":
			d.obs = n
		case "count":
			d.count = n
		case "skip", "iseek":
			d.skip = n
		case "seek", "oseek":
			d.seek = n
		}
	default:
		d.p.errorf("unrecognized operand %s", d.p.q(whole))
		return false
	}
	return true
}

// ddBlock bounds one block in memory.
const ddBlock = 64 << 20

func (d *ddJob) run() int {
	p := d.p
	var r io.Reader = p.Stdin
	if d.in != "" {
		f, err := p.open(d.in)
		if err != nil {
			p.errorf("failed to open %s: %s", qa(d.in), why(err))
			return 1
		}
		defer f.Close()
		r = f
	}
	var w io.Writer = p.out
	if d.out != "" {
		flags := vfs.O_WRONLY | vfs.O_CREATE
		if !strings.Contains(d.conv, "notrunc") && d.seek == 0 && !strings.Contains(d.oflag, "append") {
			flags |= vfs.O_TRUNC
		}
		if strings.Contains(d.oflag, "append") {
			flags |= vfs.O_APPEND
		}
		f, err := p.create(d.out, flags)
		if err != nil {
			p.errorf("failed to open %s: %s", qa(d.out), why(err))
			return 1
		}
		defer f.Close()
		if v, ok := f.(*vfs.File); ok && d.seek > 0 {
			_, _ = v.Seek(d.seek*d.obs, io.SeekStart)
		}
		w = f
	}
	if d.ibs > ddBlock {
		p.errorf("memory exhausted by input buffer of size %d bytes (%s)", d.ibs, human(float64(d.ibs), 1024))
		return 1
	}
	p.alloc(int(d.ibs))
	defer p.alloc(-int(d.ibs))
	start := p.Now()
	status := d.copy(r, w)
	p.flush()
	d.report(p.Now().Sub(start).Seconds())
	return status
}

func (d *ddJob) copy(r io.Reader, w io.Writer) int {
	p := d.p
	buf := make([]byte, d.ibs)
	for n := int64(0); n < d.skip; n++ {
		p.step(1)
		if _, err := io.ReadFull(r, buf); err != nil {
			break
		}
	}
	whole := strings.Contains(d.oflag, "fullblock")
	for d.count < 0 || d.full+d.part < d.count {
		p.step(1 + int(d.ibs/8192))
		var n int
		var err error
		if whole {
			n, err = io.ReadFull(r, buf)
		} else {
			n, err = r.Read(buf)
		}
		if n == 0 && err != nil {
			if errors.Is(err, io.EOF) {
				return 0
			}
			p.errorf("error reading %s: %s", qa(d.in), why(err))
			return 1
		}
		d.bytesIn += int64(n)
		if int64(n) == d.ibs {
			d.full++
		} else {
			d.part++
		}
		block := buf[:n]
		switch {
		case strings.Contains(d.conv, "ucase"):
			block = []byte(strings.ToUpper(string(block)))
		case strings.Contains(d.conv, "lcase"):
			block = []byte(strings.ToLower(string(block)))
		}
		if _, err := w.Write(block); err != nil {
			if d.out == "" {
				return p.writeFailed(err)
			}
			p.errorf("error writing %s: %s", qa(d.out), why(err))
			return 1
		}
		if int64(n) == d.obs {
			d.wFull++
		} else {
			d.wPart++
		}
	}
	return 0
}

func (d *ddJob) report(seconds float64) {
	p := d.p
	if d.status == "none" {
		return
	}
	if d.ibs != d.obs { // blocks are regrouped
		d.wFull, d.wPart = d.bytesIn/d.obs, 0
		if d.bytesIn%d.obs > 0 {
			d.wPart = 1
		}
	}
	p.complain(sprintf("%d+%d records in\n%d+%d records out\n", d.full, d.part, d.wFull, d.wPart))
	if d.status == "noxfer" {
		return
	}
	// A pretended disk writes about 600 MB/s; small copies take their time too.
	seconds = max(seconds, 0.00003+float64(d.bytesIn)/6e8+float64(p.PID%97)*1e-7)
	rate := human(float64(d.bytesIn)/seconds, 1000) + "/s"
	size := sprintf("%d bytes", d.bytesIn)
	if d.bytesIn == 1 {
		size = "1 byte"
	}
	if d.bytesIn >= 1000 {
		size += " (" + human(float64(d.bytesIn), 1000)
		if d.bytesIn >= 1024 {
			size += ", " + human(float64(d.bytesIn), 1024)
		}
		size += ")"
	}
	p.complain(sprintf("%s copied, %s s, %s\n", size, short(seconds), rate))
}

// short writes a number with six significant digits, as %g does.
func short(f float64) string { return sprintf("%.6g", f) }

// human writes a size as dd does: 1.0 kB, 10 MB, 1.0 KiB.
func human(n float64, base float64) string {
	units := []string{"B", "kB", "MB", "GB", "TB"}
	if base == 1024 {
		units = []string{"B", "KiB", "MiB", "GiB", "TiB"}
	}
	i := 0
	for n >= base-0.5 && i < len(units)-1 {
		n /= base
		i++
	}
	switch {
	case i == 0:
		return sprintf("%.0f %s", n, units[i])
	case n < 9.95:
		return sprintf("%.1f %s", n, units[i])
	}
	return sprintf("%.0f %s", n, units[i])
}
