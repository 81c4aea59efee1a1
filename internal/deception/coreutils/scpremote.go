package coreutils

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// scpRemote is scp as the other side of an old client's copy: `scp -t` takes
// files in, `scp -f` gives them out. The protocol is that of rcp: control lines
// answered by one byte, 0, or 1 and a line that says what was wrong.
func scpRemote(p *Proc, opts []opt, args []string) int {
	flags := letters(opts)
	s := &scp{
		p: p, in: bufio.NewReaderSize(p.Stdin, 4096), recursive: flags["r"], keep: flags["p"], verbose: flags["v"], folder: flags["d"],
	}
	if flags["f"] {
		s.response()
		for _, a := range args {
			s.source(a)
		}
	} else {
		s.sinkAll(args)
	}
	p.flush()
	if s.errs > 0 {
		return 1
	}
	return 0
}

// isScpRemote reports options only an scp client gives.
func isScpRemote(opts []opt) bool {
	flags := letters(opts)
	return flags["t"] || flags["f"]
}

// scpOptions is scp's getopt string, with what only clients give.
const scpOptions = "12346ABCTdfOpqRrstvD:F:J:M:P:S:c:i:l:o:X:"

// scp is one side of a copy.
type scp struct {
	p                                *Proc
	in                               *bufio.Reader
	recursive, keep, verbose, folder bool
	errs                             int
	depth                            int
}

// maxScpDepth bounds folders within folders.
const maxScpDepth = 64

// fail tells the client what went wrong with one file.
func (s *scp) fail(text string) {
	s.errs++
	s.p.print("\x01scp: " + text + "\n")
	s.p.flush()
}

// die tells the client and ends scp.
func (s *scp) die(text string) {
	s.fail(text)
	panic(stop{1})
}

func (s *scp) screwup(why string) { s.die("protocol error: " + why) }

func (s *scp) ack() {
	s.p.write([]byte{0})
	s.p.flush()
}

// response reads the client's answer and reports whether it was good.
func (s *scp) response() bool {
	b, err := s.in.ReadByte()
	if err != nil {
		panic(stop{1}) // lost connection
	}
	if b == 0 {
		return true
	}
	s.errs++
	for { // the line that says what was wrong
		c, err := s.in.ReadByte()
		if err != nil || c == '\n' {
			break
		}
	}
	if b != 1 {
		panic(stop{1})
	}
	return false
}

// stamps are the times of a T line.
type stamps struct {
	set          bool
	mtime, atime int64
}

func (s *scp) sinkAll(args []string) {
	if len(args) != 1 {
		s.die("ambiguous target")
	}
	if s.folder {
		switch i, err := s.p.stat(args[0]); {
		case err != nil:
			s.die(args[0] + ": " + why(err))
		case !i.IsDir():
			s.die(args[0] + ": " + vfs.ENOTDIR.Error())
		}
	}
	s.sink(args[0])
}

// sink takes files into target until the client is done with it.
func (s *scp) sink(target string) {
	s.ack()
	i, err := s.p.stat(target)
	into := err == nil && i.IsDir()
	var t stamps
	for first := true; ; first = false {
		line, ok := s.line()
		if !ok {
			return
		}
		s.p.step(10)
		if s.verbose {
			s.p.complain("Sink: " + line + "\n")
		}
		switch {
		case line == "":
			s.screwup("unexpected <newline>")
		case line[0] == 1:
			s.errs++
		case line[0] == 2:
			panic(stop{1})
		case line[0] == 'E':
			s.ack()
			return
		case line[0] == 'T':
			t = s.times(line[1:])
			s.ack()
		case line[0] == 'C' || line[0] == 'D':
			s.entry(target, into, line, &t)
		case first:
			s.die(line)
		default:
			s.screwup("expected control record")
		}
	}
}

// maxScpLine is scp's own buffer, less a byte.
const maxScpLine = 16383

// line reads a control line; ok is false at the end of input.
func (s *scp) line() (line string, ok bool) {
	var b []byte
	for len(b) < maxScpLine {
		c, err := s.in.ReadByte()
		switch {
		case err != nil && len(b) == 0:
			return "", false
		case err != nil:
			s.screwup("lost connection")
		case c == '\n':
			return string(b), true
		}
		b = append(b, c)
	}
	return string(b), true
}

// times reads "mtime usec atime usec".
func (s *scp) times(text string) stamps {
	var out [4]int64
	names := [4]string{"mtime.sec", "mtime.usec", "atime.sec", "atime.usec"}
	for n := range out {
		v, rest, digits := scpNumber(text)
		if !digits && n%2 == 0 {
			s.screwup(names[n] + " not present")
		}
		last := n == 3
		if last && rest != "" || !last && !strings.HasPrefix(rest, " ") || n%2 == 1 && v > 999999 {
			s.screwup(names[n] + " not delimited")
		}
		out[n] = v
		text = strings.TrimPrefix(rest, " ")
	}
	return stamps{true, out[0], out[2]}
}

// scpNumber reads digits.
func scpNumber(s string) (n int64, rest string, ok bool) {
	at := 0
	for at < len(s) && s[at] >= '0' && s[at] <= '9' {
		if n < 1<<59 {
			n = n*10 + int64(s[at]-'0')
		}
		at++
	}
	return n, s[at:], at > 0
}

// header reads "C0644 size name".
func (s *scp) header(line string) (mode uint32, size int64, name string) {
	text := line[1:]
	for n := range 4 {
		if n >= len(text) || text[n] < '0' || text[n] > '7' {
			s.screwup("bad mode")
		}
		mode = mode<<3 | uint32(text[n]-'0')
	}
	if !s.keep {
		mode &^= s.p.Umask
	}
	text, ok := strings.CutPrefix(text[4:], " ")
	if !ok {
		s.screwup("mode not delimited")
	}
	size, text, ok = scpNumber(text)
	if !ok {
		s.screwup("size not present")
	}
	if text, ok = strings.CutPrefix(text, " "); !ok {
		s.screwup("size not delimited")
	}
	if text == "" || strings.Contains(text, "/") || text == "." || text == ".." {
		s.die("error: unexpected filename: " + text)
	}
	return mode, size, text
}

// entry takes one file or folder in.
func (s *scp) entry(target string, into bool, line string, t *stamps) {
	mode, size, name := s.header(line)
	path := target
	if into {
		path = strings.TrimSuffix(target, "/") + "/" + name
	}
	i, err := s.p.stat(path)
	exists := err == nil
	if line[0] == 'D' {
		s.directory(path, mode, exists, i, t)
		return
	}
	f, err := s.p.FS.Open(s.p.Cred, s.p.path(path), vfs.O_WRONLY|vfs.O_CREATE, (mode|0o200)&^s.umask())
	if err != nil {
		s.fail(path + ": " + why(err))
		return
	}
	s.ack()
	said := s.content(f, path, size, !exists || i.IsRegular())
	if s.keep && (exists || mode&0o200 == 0) || !s.keep && !exists && mode&0o200 == 0 {
		if err := s.p.FS.Chmod(s.p.Cred, s.p.path(path), mode); err != nil && said == "" && s.keep {
			said = path + ": set mode: " + why(err)
		}
	}
	_ = f.Close()
	s.response()
	if t.set && said == "" {
		if err := s.stamp(path, *t); err != nil {
			said = path + ": set times: " + why(err)
		}
	}
	t.set = false
	if said != "" {
		s.fail(said)
		return
	}
	s.ack()
}

// umask is the mask open applies: with -p there is none.
func (s *scp) umask() uint32 {
	if s.keep {
		return 0
	}
	return s.p.Umask
}

// content copies what the client sends into a file and says what went wrong.
func (s *scp) content(f *vfs.File, path string, size int64, cut bool) (said string) {
	var buf [4096]byte
	for left := size; left > 0; {
		n, err := s.in.Read(buf[:min(left, int64(len(buf)))])
		left -= int64(n)
		s.p.step(1)
		if n > 0 && said == "" {
			if _, werr := f.Write(buf[:n]); werr != nil {
				said = path + ": " + why(werr)
			}
		}
		if err != nil && left > 0 {
			_ = f.Close()
			s.die("dropped connection")
		}
	}
	if said == "" && cut {
		if err := f.Truncate(size); err != nil {
			said = path + ": truncate: " + why(err)
		}
	}
	return said
}

func (s *scp) stamp(path string, t stamps) error {
	return s.p.FS.Chtimes(s.p.Cred, s.p.path(path), time.Unix(t.atime, 0), time.Unix(t.mtime, 0), false, true)
}

// directory takes a folder in.
func (s *scp) directory(path string, mode uint32, exists bool, i vfs.Info, t *stamps) {
	if !s.recursive {
		s.screwup("received directory without -r")
	}
	fixMode := s.keep
	switch {
	case exists && !i.IsDir():
		s.fail(path + ": " + vfs.ENOTDIR.Error())
		return
	case exists && s.keep:
		_ = s.p.FS.Chmod(s.p.Cred, s.p.path(path), mode)
	case !exists:
		fixMode = true
		if err := s.p.FS.Mkdir(s.p.Cred, s.p.path(path), (mode|0o700)&^s.umask()); err != nil {
			s.fail(path + ": " + why(err))
			return
		}
	}
	if s.depth++; s.depth > maxScpDepth {
		s.die(path + ": " + vfs.ENAMETOOLONG.Error())
	}
	at := *t
	t.set = false
	s.sink(path)
	s.depth--
	if at.set {
		if err := s.stamp(path, at); err != nil {
			s.fail(path + ": set times: " + why(err))
		}
	}
	if fixMode {
		_ = s.p.FS.Chmod(s.p.Cred, s.p.path(path), mode)
	}
}

// source gives one operand out.
func (s *scp) source(name string) {
	for len(name) > 1 && strings.HasSuffix(name, "/") {
		name = name[:len(name)-1]
	}
	s.p.step(10)
	f, err := s.p.FS.Open(s.p.Cred, s.p.path(name), vfs.O_RDONLY, 0)
	if err != nil {
		s.fail(name + ": " + why(err))
		return
	}
	defer f.Close()
	i := f.Stat()
	last := name[strings.LastIndexByte(name, '/')+1:]
	switch {
	case i.IsDir() && s.recursive:
		s.sourceFolder(name, last, i)
		return
	case !i.IsRegular():
		s.fail(name + ": not a regular file")
		return
	}
	if s.keep && !s.sendTimes(i) {
		return
	}
	size := i.Size
	s.control(sprintf("C%04o %d %s\n", i.Mode&0o7777, size, last))
	if !s.response() {
		return
	}
	if err := s.give(f, size); err != nil {
		s.fail(name + ": " + why(err))
	} else {
		s.ack()
	}
	s.response()
}

// control sends a control line; -v says so to the client's user.
func (s *scp) control(line string) {
	if s.verbose && line[0] == 'C' {
		s.p.complain("Sending file modes: " + line)
	}
	s.p.print(line)
	s.p.flush()
}

// give sends size bytes, zeros where the file has become shorter, as scp does.
func (s *scp) give(f *vfs.File, size int64) (failed error) {
	var buf [4096]byte
	for left := size; left > 0; {
		chunk := buf[:min(left, int64(len(buf)))]
		n := 0
		if failed == nil {
			var err error
			if n, err = io.ReadFull(f, chunk); err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
				failed = err
			} else if n < len(chunk) {
				failed = vfs.EIO
			}
		}
		clear(chunk[n:])
		s.p.step(1)
		s.p.write(chunk)
		left -= int64(len(chunk))
	}
	s.p.flush()
	return failed
}

func (s *scp) sendTimes(i vfs.Info) bool {
	line := sprintf("T%d 0 %d 0\n", max(0, i.Mtime.Unix()), max(0, i.Atime.Unix()))
	if s.verbose {
		s.p.complain(sprintf("File mtime %d atime %d\n", i.Mtime.Unix(), i.Atime.Unix()) + "Sending file timestamps: " + line)
	}
	s.control(line)
	return s.response()
}

// sourceFolder gives a folder out.
func (s *scp) sourceFolder(name, last string, i vfs.Info) {
	list, err := s.p.FS.ReadDir(s.p.Cred, s.p.path(name))
	if err != nil {
		s.fail(name + ": " + why(err))
		return
	}
	if s.keep && !s.sendTimes(i) {
		return
	}
	line := sprintf("D%04o %d %s\n", i.Mode&0o7777, 0, last)
	if s.verbose {
		s.p.complain("Entering directory: " + line)
	}
	s.control(line)
	if !s.response() {
		return
	}
	if s.depth++; s.depth <= maxScpDepth {
		for _, e := range list {
			s.source(strings.TrimSuffix(name, "/") + "/" + e.Name)
		}
	}
	s.depth--
	s.control("E\n")
	s.response()
}
