package coreutils

import (
	"bufio"
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// open opens an operand for reading; "-" and the names of standard input are
// the command's input.
func (p *Proc) open(arg string) (io.ReadCloser, error) {
	switch arg {
	case "-", "/dev/stdin", "/proc/self/fd/0", "/dev/fd/0":
		return io.NopCloser(p.Stdin), nil
	case "/dev/tty":
		return io.NopCloser(p.Stdin), nil
	}
	f, err := p.FS.Open(p.Cred, p.path(arg), vfs.O_RDONLY, 0)
	if err != nil {
		return nil, err
	}
	return f, nil
}

// openFile is open for programs that refuse folders at once.
func (p *Proc) openFile(arg string) (io.ReadCloser, error) {
	f, err := p.open(arg)
	if err != nil {
		return nil, err
	}
	if v, ok := f.(*vfs.File); ok && v.Stat().IsDir() {
		_ = v.Close()
		return nil, vfs.EISDIR
	}
	return f, nil
}

// create opens an operand for writing.
func (p *Proc) create(arg string, flags int) (io.WriteCloser, error) {
	switch arg {
	case "/dev/stdout", "/dev/fd/1", "/proc/self/fd/1", "/dev/tty":
		return nopWriter{p.out}, nil
	case "/dev/stderr", "/dev/fd/2":
		return nopWriter{p.Stderr}, nil
	}
	f, err := p.FS.Open(p.Cred, p.path(arg), flags, 0o666&^p.Umask)
	if err != nil {
		return nil, err
	}
	return f, nil
}

type nopWriter struct{ io.Writer }

func (nopWriter) Close() error { return nil }

// chunk is how much is read at a time, firstChunk how much at first: most input
// is short.
const (
	chunk      = 32 << 10
	firstChunk = 2 << 10
)

// each reads r to its end and hands out what comes, charging the work. The
// bytes are valid during the call only. fn returns false to end early.
func (p *Proc) each(r io.Reader, fn func(b []byte) bool) error {
	buf := make([]byte, firstChunk)
	for {
		n, err := r.Read(buf)
		p.step(1 + n/1024)
		if n > 0 && !fn(buf[:n]) {
			return nil
		}
		if n == len(buf) && n < chunk {
			buf = make([]byte, chunk)
		}
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// pass writes out what r holds. What cannot be read ends it without a word.
func (p *Proc) pass(r io.Reader) {
	_ = p.each(r, func(b []byte) bool { p.write(b); return true })
}

// maxLine bounds one line of text input; longer ones come in pieces.
const maxLine = 1 << 20

// lines reads r line by line. The line has no newline; full says whether one
// stood there. fn returns false to end early.
func (p *Proc) lines(r io.Reader, fn func(line []byte, full bool) bool) error {
	return p.records(r, '\n', fn)
}

// records is lines with another end of line.
func (p *Proc) records(r io.Reader, end byte, fn func(line []byte, full bool) bool) error {
	br := bufio.NewReaderSize(p.watched(r), 4096)
	var long []byte
	for {
		b, err := br.ReadSlice(end)
		p.step(1 + len(b)/1024)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			if len(long)+len(b) > maxLine {
				if !fn(append(long, b...), false) {
					return nil
				}
				long = nil
				continue
			}
			p.alloc(len(b))
			long = append(long, b...)
			continue
		case errors.Is(err, io.EOF):
			if len(long)+len(b) > 0 {
				fn(append(long, b...), false)
			}
			p.alloc(-len(long))
			return nil
		case err != nil:
			return err
		}
		line := b[:len(b)-1]
		if long != nil {
			line = append(long, line...)
		}
		more := fn(line, true)
		if long != nil {
			p.alloc(-len(long))
			long = nil
		}
		if !more {
			return nil
		}
	}
}

// all reads r into memory, charging it.
func (p *Proc) all(r io.Reader) ([]byte, error) {
	var out []byte
	err := p.each(r, func(b []byte) bool {
		p.alloc(len(b))
		out = append(out, b...)
		return true
	})
	return out, err
}

// orStdin is the operands, or standard input's name when there are none.
func orStdin(args []string) []string {
	if len(args) == 0 {
		return []string{"-"}
	}
	return args
}

// inputs calls fn for each operand, or for standard input when there is none,
// and reports those that cannot be read in the manner of message, where %q
// stands for the name in quotes and %s for the name. It returns 1 if any failed.
func (p *Proc) inputs(args []string, message string, fn func(name string, r io.Reader) error) int {
	args = orStdin(args)
	status := 0
	for _, a := range args {
		r, err := p.open(a)
		if err == nil {
			err = fn(a, r)
			_ = r.Close()
			if err != nil {
				if !errors.Is(err, errQuiet) {
					p.errorf("%s: %s", quotef(a), why(err))
				}
				status = 1
			}
			continue
		}
		p.errorf("%s: %s", strings.NewReplacer("%q", qa(a), "%s", quotef(a)).Replace(message), why(err))
		status = 1
	}
	return status
}

// stat follows links, lstat does not.
func (p *Proc) stat(arg string) (vfs.Info, error)  { return p.FS.Stat(p.Cred, p.path(arg)) }
func (p *Proc) lstat(arg string) (vfs.Info, error) { return p.FS.Lstat(p.Cred, p.path(arg)) }

// slurp reads a small file for a command's own use, without hooks' harm.
func (p *Proc) slurp(path string) string {
	f, err := p.FS.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	b, _ := io.ReadAll(io.LimitReader(f, 1<<20))
	return string(b)
}

// passwd looks an account up in the attacker's own /etc/passwd, so that users
// made a moment ago exist.
func (p *Proc) passwd(match func(f []string) bool) (fields []string, ok bool) {
	for line := range strings.Lines(p.slurp("/etc/passwd")) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) == 7 && match(f) {
			return f, true
		}
	}
	return nil, false
}

func (p *Proc) userName(uid uint32) string {
	if uid == 0 {
		return "root"
	}
	id := strconv.FormatUint(uint64(uid), 10)
	if p.FS != nil {
		if f, ok := p.passwd(func(f []string) bool { return f[2] == id }); ok {
			return f[0]
		}
	}
	return id
}

func (p *Proc) groupName(gid uint32) string {
	if gid == 0 {
		return "root"
	}
	id := strconv.FormatUint(uint64(gid), 10)
	for line := range strings.Lines(p.slurp("/etc/group")) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[2] == id {
			return f[0]
		}
	}
	return id
}

// account finds a user by name.
func (p *Proc) account(name string) (uid, gid uint32, home, shell string, ok bool) {
	f, ok := p.passwd(func(f []string) bool { return f[0] == name })
	if !ok {
		return 0, 0, "", "", false
	}
	u, _ := strconv.ParseUint(f[2], 10, 32)
	g, _ := strconv.ParseUint(f[3], 10, 32)
	return uint32(u), uint32(g), f[5], f[6], true
}

// groupID finds a group by name or number.
func (p *Proc) groupID(name string) (uint32, bool) {
	for line := range strings.Lines(p.slurp("/etc/group")) {
		if f := strings.Split(line, ":"); len(f) > 3 && f[0] == name {
			g, err := strconv.ParseUint(f[2], 10, 32)
			return uint32(g), err == nil
		}
	}
	g, err := strconv.ParseUint(name, 10, 32)
	return uint32(g), err == nil
}

// groupsOf returns the group ids of a user: the main one, then the others.
func (p *Proc) groupsOf(name string, main uint32) []uint32 {
	out := []uint32{main}
	for line := range strings.Lines(p.slurp("/etc/group")) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) != 4 {
			continue
		}
		for m := range strings.SplitSeq(f[3], ",") {
			if g, err := strconv.ParseUint(f[2], 10, 32); m == name && err == nil && uint32(g) != main {
				out = append(out, uint32(g))
			}
		}
	}
	return out
}

// writeText replaces a file's content for a command such as passwd.
func (p *Proc) writeText(path, text string) error {
	f, err := p.FS.Open(p.Cred, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}
