package coreutils

import (
	"bufio"
	"compress/bzip2"
	"compress/gzip"
	"errors"
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func archiveCommands(name string) Command {
	switch name {
	case "tar":
		return tarCmd
	case "gzip", "gunzip", "zcat":
		return gzipCmd
	case "bzip2", "bunzip2", "bzcat", "xz", "unxz", "xzcat", "zip", "unzip", "7z":
		return otherArchive
	}
	return nil
}

func gzipCmd(p *Proc) int {
	opts, args, ok := p.getopt("acdfhklLnNqrS:tvV123456789", "stdout,c", "to-stdout,c", "decompress,d", "uncompress,d", "force,f", "keep,k", "list,l", "quiet,q", "recursive,r", "test,t", "verbose,v", "best,9", "fast,1", "no-name,n", "name,N", "suffix=,S", "rsyncable", "synchronous")
	if !ok {
		return 1
	}
	f := letters(opts)
	decompress := f["d"] || f["t"] || p.name != "gzip"
	stdout := f["c"] || p.name == "zcat"
	args = orStdin(args)
	status := 0
	for _, a := range args {
		switch err := p.gzipOne(a, decompress, stdout || a == "-", f); {
		case errors.Is(err, errIgnored):
			status = max(status, 2)
		case err != nil:
			status = 1
		}
	}
	return status
}

// errIgnored marks what gzip leaves alone with a warning.
var errIgnored = errors.New("ignored")

func (p *Proc) gzipOne(a string, decompress, stdout bool, f map[string]bool) error {
	fail := func(msg string) error {
		p.complain("gzip: " + msg + "\n")
		return errQuiet
	}
	if decompress && a != "-" && !strings.HasSuffix(a, ".gz") && !strings.HasSuffix(a, ".tgz") {
		if _, err := p.stat(a); err != nil {
			if _, err := p.stat(a + ".gz"); err == nil {
				a += ".gz"
			} else {
				return fail(a + ".gz: No such file or directory")
			}
		} else if !stdout {
			_ = fail(a + ": unknown suffix -- ignored")
			return errIgnored
		}
	}
	r, err := p.open(a)
	if err != nil {
		return fail(a + ": " + why(err))
	}
	defer r.Close()
	v, isFile := r.(*vfs.File)
	if isFile && v.Stat().IsDir() {
		_ = fail(a + " is a directory -- ignored")
		return errIgnored
	}
	var in io.Reader = &metered{p: p, r: r}
	if decompress {
		b, is := zipped(in)
		empty := b.Buffered() == 0
		z, err := gzip.NewReader(b)
		if !is && !empty {
			err = gzip.ErrHeader
		}
		if err != nil {
			name := a
			if a == "-" {
				name = "stdin"
			}
			if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
				return fail(name + ": unexpected end of file")
			}
			p.complain("\ngzip: " + name + ": not in gzip format\n")
			return errQuiet
		}
		in = &metered{p: p, r: z}
	}
	dest := a + ".gz"
	if decompress {
		dest = strings.TrimSuffix(strings.TrimSuffix(a, ".gz"), ".tgz")
		if strings.HasSuffix(a, ".tgz") {
			dest += ".tar"
		}
	}
	var out io.Writer = p.out
	var file *vfs.File
	if !stdout && !f["t"] {
		if _, err := p.stat(dest); err == nil && !f["f"] {
			return fail(dest + " already exists;\tnot overwritten")
		}
		if file, err = p.FS.Open(p.Cred, p.path(dest), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, v.Stat().Perm()); err != nil {
			return fail(dest + ": " + why(err))
		}
		defer file.Close()
		out = file
	} else if !decompress && !f["t"] && p.TTY && !f["f"] {
		p.complain("gzip: compressed data not written to a terminal. Use -f to force compression.\nFor help, type: gzip -h\n")
		return errQuiet
	}
	if !decompress {
		z := gzip.NewWriter(out)
		z.OS = 3 // Unix
		defer z.Close()
		out = z
	}
	if f["t"] {
		out = io.Discard
	}
	var werr error
	err = p.each(in, func(b []byte) bool { _, werr = out.Write(b); return werr == nil })
	if err != nil {
		p.complain("\ngzip: " + a + ": invalid compressed data--format violated\n")
		return errQuiet
	}
	if werr != nil {
		return fail(dest + ": " + why(werr))
	}
	if !stdout && !f["k"] && !f["t"] {
		_ = p.FS.Remove(p.Cred, p.path(a))
	}
	return nil
}

// otherArchive refuses formats this host cannot unpack, in gzip's manner.
func otherArchive(p *Proc) int {
	p.Watch.Unsupported(p.name)
	for _, a := range p.Args[1:] {
		if strings.HasPrefix(a, "-") {
			continue
		}
		if _, err := p.stat(a); err != nil {
			switch p.name {
			case "unzip":
				p.complain("unzip:  cannot find or open " + a + ", " + a + ".zip or " + a + ".ZIP.\n")
				return 9
			default:
				p.errorf("%s: %s", a, why(err))
			}
			return 1
		}
		if p.name == "bzcat" || p.name == "bunzip2" {
			if f, err := p.open(a); err == nil {
				p.pass(bzip2.NewReader(&metered{p: p, r: f}))
				_ = f.Close()
				return 0
			}
		}
		p.errorf("%s: File format not recognized", a)
		return 1
	}
	return 1
}

// zipped reports whether r begins as gzip does; what was looked at is still read.
func zipped(r io.Reader) (*bufio.Reader, bool) {
	b := bufio.NewReader(r)
	magic, _ := b.Peek(2)
	return b, string(magic) == "\x1f\x8b"
}

// unzipped reads through gzip when there is gzip.
func (p *Proc) unzipped(r io.ReadCloser) (io.ReadCloser, error) {
	b, ok := zipped(&metered{p: p, r: r})
	if !ok {
		return io.NopCloser(b), nil
	}
	z, err := gzip.NewReader(b)
	if err != nil {
		return nil, err
	}
	return io.NopCloser(&metered{p: p, r: z}), nil
}
