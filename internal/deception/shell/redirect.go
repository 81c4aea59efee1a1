package shell

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/vfs"
)

// redirFailed reports a failed redirection: the command does not run.
func (e *env) redirFailed(err error) int {
	if a, ok := err.(*abort); ok {
		if a.exit {
			return e.fail(err)
		}
		if !a.said {
			e.errorf("%s", a.msg)
		}
	} else {
		e.errorf("%s", err)
	}
	if e.dialect == dash {
		return 2
	}
	return 1
}

// redirect applies redirections in order. undo puts the descriptors back; it is
// never nil and must be called even after an error.
func (e *env) redirect(rs []*syntax.Redirect) (undo func(), err error) {
	undo, _, err = e.redirectOr(rs)
	return undo, err
}

// redirectOr is redirect for who may want to keep what it did.
func (e *env) redirectOr(rs []*syntax.Redirect) (undo, keep func(), err error) {
	if len(rs) == 0 {
		return func() {}, func() {}, nil
	}
	type old struct {
		fd int
		o  *ofile
	}
	saved := make([]old, 0, len(rs))
	undo = func() {
		for i := len(saved) - 1; i >= 0; i-- {
			e.fds.set(saved[i].fd, saved[i].o)
		}
		saved = nil
	}
	keep = func() {
		for _, s := range saved {
			s.o.drop()
		}
		saved = nil
	}
	for _, r := range rs {
		err := e.redirectOne(r, func(fd int, o *ofile) {
			saved = append(saved, old{fd, e.fds.swap(fd, o)})
		})
		if err != nil {
			return undo, keep, err
		}
	}
	return undo, keep, nil
}

// redirectOne opens what r names and hands it to put.
func (e *env) redirectOne(r *syntax.Redirect, put func(fd int, o *ofile)) error {
	fd := 1
	switch r.Op {
	case syntax.RdrIn, syntax.RdrInOut, syntax.DplIn, syntax.Hdoc, syntax.DashHdoc, syntax.WordHdoc:
		fd = 0
	}
	if r.N != nil {
		n, err := e.descriptor(r)
		if err != nil {
			return err
		}
		fd = n
	}
	switch r.Op {
	case syntax.Hdoc, syntax.DashHdoc:
		s, err := e.document(r)
		if err != nil {
			return err
		}
		put(fd, &ofile{refs: 1, file: &memFile{s: s}, path: "pipe:"})
		return nil
	case syntax.WordHdoc:
		s, err := e.str(r.Word)
		if err != nil {
			return err
		}
		put(fd, &ofile{refs: 1, file: &memFile{s: s + "\n"}, path: "pipe:"})
		return nil
	}
	name, err := e.redirWord(r)
	if err != nil {
		return err
	}
	switch r.Op {
	case syntax.DplIn, syntax.DplOut:
		return e.duplicate(r, fd, name, put)
	case syntax.RdrAll, syntax.AppAll:
		o, err := e.openRedir(name, r.Op == syntax.AppAll, false)
		if err != nil {
			return err
		}
		put(1, o)
		put(2, o.hold())
		return nil
	}
	o, err := e.openFor(r.Op, name)
	if err != nil {
		return err
	}
	put(fd, o)
	return nil
}

// descriptor returns the number in front of a redirection, or a fresh one for
// {name}.
func (e *env) descriptor(r *syntax.Redirect) (int, error) {
	s := r.N.Value
	if strings.HasPrefix(s, "{") {
		name := strings.Trim(s, "{}")
		if w, ok := plainWord(r.Word); ok && w == "-" {
			v, _ := e.get(name)
			n, err := strconv.Atoi(v)
			if err != nil {
				return 0, failf(v + ": Bad file descriptor")
			}
			return n, nil
		}
		n := e.fds.free(10, false)
		return n, e.set(name, strconv.Itoa(n))
	}
	n, err := strconv.Atoi(s)
	if err != nil || n >= maxFD {
		return 0, failf(s + ": Bad file descriptor")
	}
	return n, nil
}

// redirWord expands the word behind a redirection to one name.
func (e *env) redirWord(r *syntax.Redirect) (string, error) {
	if s, ok := plainWord(r.Word); ok {
		return s, nil
	}
	fields, err := e.wordFields(nil, r.Word)
	if err != nil {
		return "", err
	}
	if len(fields) != 1 {
		return "", failf(e.unit.slice(r.Word.Pos(), r.Word.End()) + ": ambiguous redirect")
	}
	return fields[0], nil
}

// document returns the body of a here-document.
func (e *env) document(r *syntax.Redirect) (string, error) {
	if r.Hdoc == nil {
		return "", nil
	}
	for _, p := range r.Word.Parts {
		l, ok := p.(*syntax.Lit)
		if !ok || strings.IndexByte(l.Value, '\\') >= 0 {
			return e.rawDocument(r), nil
		}
	}
	x := expander{e: e, purpose: forString}
	for _, p := range r.Hdoc.Parts {
		l, ok := p.(*syntax.Lit)
		if !ok {
			if err := x.part(p, true, false); err != nil {
				return "", err
			}
			continue
		}
		if err := x.add(unescapeDocument(tabs(l.Value, r.Op)), true); err != nil {
			return "", err
		}
	}
	return string(x.cur.text), nil
}

func (e *env) rawDocument(r *syntax.Redirect) string {
	var b strings.Builder
	for _, p := range r.Hdoc.Parts {
		if l, ok := p.(*syntax.Lit); ok {
			b.WriteString(tabs(l.Value, r.Op))
		}
	}
	return b.String()
}

// tabs removes leading tabs for <<-.
func tabs(s string, op syntax.RedirOperator) string {
	if op != syntax.DashHdoc || strings.IndexByte(s, '\t') < 0 {
		return s
	}
	lines := strings.Split(s, "\n")
	for i := range lines {
		lines[i] = strings.TrimLeft(lines[i], "\t")
	}
	return strings.Join(lines, "\n")
}

// unescapeDocument removes the backslashes that quote in a here-document.
func unescapeDocument(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] == '\\' && i+1 < len(s) && strings.IndexByte("$`\\\n", s[i+1]) >= 0 {
			i++
			if s[i] == '\n' {
				continue
			}
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// duplicate is >&word and <&word.
func (e *env) duplicate(r *syntax.Redirect, fd int, name string, put func(int, *ofile)) error {
	if name == "-" {
		put(fd, nil)
		return nil
	}
	move := strings.HasSuffix(name, "-")
	n, err := strconv.Atoi(strings.TrimSuffix(name, "-"))
	if err != nil {
		if r.Op == syntax.DplOut && r.N == nil {
			o, err := e.openRedir(name, false, false)
			if err != nil {
				return err
			}
			put(1, o)
			put(2, o.hold())
			return nil
		}
		return failf(name + ": ambiguous redirect")
	}
	o := e.fds.get(n)
	if o == nil {
		if shown := e.unit.slice(r.Word.Pos(), r.Word.End()); e.dialect == bash && strings.HasPrefix(shown, "$") {
			name = shown // bash names what was written
		}
		return failf(strings.TrimSuffix(name, "-") + ": Bad file descriptor")
	}
	put(fd, o.hold())
	if move {
		put(n, nil)
	}
	return nil
}

func (e *env) openFor(op syntax.RedirOperator, name string) (*ofile, error) {
	switch op {
	case syntax.RdrIn:
		return e.openFile(name, vfs.O_RDONLY)
	case syntax.RdrInOut:
		return e.openFile(name, vfs.O_RDWR|vfs.O_CREATE)
	case syntax.AppOut:
		return e.openRedir(name, true, false)
	}
	return e.openRedir(name, false, op == syntax.RdrClob)
}

// openRedir opens a file for output.
func (e *env) openRedir(name string, add, force bool) (*ofile, error) {
	flags := vfs.O_WRONLY | vfs.O_CREATE
	if add {
		return e.openFile(name, flags|vfs.O_APPEND)
	}
	if e.opts&optNoClobber != 0 && !force {
		if i, err := e.fs.Stat(e.cred, e.abs(name)); err == nil && i.IsRegular() {
			return nil, failf(name + ": cannot overwrite existing file")
		}
	}
	return e.openFile(name, flags|vfs.O_TRUNC)
}

// openFile opens a name for a redirection.
func (e *env) openFile(name string, flags int) (*ofile, error) {
	if rest, ok := strings.CutPrefix(name, "/dev/"); ok && e.dialect == bash {
		if o, err, ok := e.openSpecial(rest, name); ok {
			return o, err
		}
	}
	o, err := e.openPath(e.abs(name), flags)
	if err != nil {
		verb := ""
		if e.dialect != bash {
			verb = "cannot open "
			if flags&vfs.O_CREATE != 0 {
				verb = "cannot create "
			}
			msg := errText(err)
			if msg == vfs.ENOENT.Error() {
				msg = "No such file"
				if flags&vfs.O_CREATE != 0 {
					msg = "Directory nonexistent"
				}
			}
			return nil, failf(verb + name + ": " + msg)
		}
		return nil, failf(name + ": " + errText(err))
	}
	return o, nil
}

// openPath opens a file of the pretended system, a terminal or a descriptor.
func (e *env) openPath(path string, flags int) (*ofile, error) {
	if o, ok := e.device(path); ok {
		if o == nil {
			return nil, vfs.ENXIO
		}
		return o.hold(), nil
	}
	if e.fs == nil {
		return nil, vfs.ENOENT
	}
	f, err := e.fs.As(e.pid).Open(e.cred, path, flags, 0o666&^e.umask)
	if err != nil {
		return nil, err
	}
	return &ofile{refs: 1, file: &diskFile{k: e.k, f: f}, path: path}, nil
}

// device returns what a path under /dev or /proc/self/fd means to this process.
func (e *env) device(path string) (*ofile, bool) {
	switch path {
	case "/dev/tty":
		if e.k.tty == nil {
			return nil, true
		}
		return e.k.tty.file, true
	case "/dev/stdin":
		return e.fds.get(0), true
	case "/dev/stdout":
		return e.fds.get(1), true
	case "/dev/stderr":
		return e.fds.get(2), true
	}
	for _, dir := range []string{"/dev/fd/", "/proc/self/fd/"} {
		if rest, ok := strings.CutPrefix(path, dir); ok {
			if n, err := strconv.Atoi(rest); err == nil {
				if o := e.fds.get(n); o != nil {
					return o, true
				}
			}
		}
	}
	return nil, false
}

// openSpecial handles /dev/tcp and /dev/udp, which bash itself connects. The
// attempt is recorded and refused.
func (e *env) openSpecial(rest, name string) (*ofile, error, bool) {
	proto, addr, ok := strings.Cut(rest, "/")
	if !ok || proto != "tcp" && proto != "udp" {
		return nil, nil, false
	}
	host, port, ok := strings.Cut(addr, "/")
	if !ok || host == "" || port == "" {
		return nil, failf(name + ": No such file or directory"), true
	}
	e.k.sh.opt.Watch.Download(proto+"://"+host+":"+port, "bash", name)
	if n, err := strconv.Atoi(port); (err != nil || n < 0 || n > 65535) && !e.isService(port) {
		e.errorf("%s: Servname not supported for ai_socktype", port)
		return nil, failf(name + ": Invalid argument"), true
	}
	if !e.resolves(host) {
		e.errorf("%s: Temporary failure in name resolution", host)
		return nil, failf(name + ": Invalid argument"), true
	}
	if proto == "udp" {
		return &ofile{refs: 1, file: nullFile{}, path: "socket:"}, nil, true
	}
	e.errorfBare("connect: Connection refused")
	return nil, failf(name + ": Connection refused"), true
}

// resolves reports a host /dev/tcp finds an address for: one that is written as
// numbers, or stands in /etc/hosts. There is no name server.
func (e *env) resolves(host string) bool {
	if _, err := netip.ParseAddr(host); err == nil {
		return true
	}
	return slices.Contains(e.hostNames(), host)
}

// isService reports a name of /etc/services.
func (e *env) isService(name string) bool {
	return slices.Contains(firstFields(e.readSmall("/etc/services"), "\t "), name)
}

// abs makes a name absolute.
func (e *env) abs(name string) string { return vfs.Join(e.cwd, name) }

// errText is libc's text of an error.
func errText(err error) string {
	if ve, ok := err.(*vfs.Error); ok {
		return ve.Errno.Error()
	}
	return err.Error()
}

// readSmall returns a file of at most 64 KiB, "" when it cannot be read.
func (e *env) readSmall(path string) string {
	if e.fs == nil {
		return ""
	}
	f, err := e.fs.Handle().Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		return ""
	}
	defer f.Close()
	buf := make([]byte, 0, 2048)
	for len(buf) < 64<<10 {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}
		n, err := f.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]
		if err != nil || n == 0 {
			break
		}
	}
	return string(buf)
}
