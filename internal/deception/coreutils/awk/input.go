package awk

import (
	"bytes"
	"io"
	"slices"
	"strings"
)

// reader reads records.
type reader struct {
	r      io.Reader
	c      io.Closer
	buf    []byte
	eof    bool
	status int
}

func (r *reader) close() {
	if r.c != nil {
		_ = r.c.Close()
		r.c = nil
	}
}

// fill reads more; it reports false at the end.
func (r *reader) fill(in *interp) bool {
	if r.eof {
		return false
	}
	b := make([]byte, 8192)
	n, err := r.r.Read(b)
	in.h.step(2)
	r.buf = append(r.buf, b[:n]...)
	if err != nil {
		r.eof = true
		return n > 0
	}
	return true
}

// record reads one record as RS says.
func (r *reader) record(in *interp) (string, bool) {
	sep := []byte(in.rs)
	if in.rs == "" {
		for {
			r.buf = bytes.TrimLeft(r.buf, "\n")
			if len(r.buf) > 0 || !r.fill(in) {
				break
			}
		}
		sep = []byte("\n\n")
	}
	for at := 0; ; {
		i, n := -1, len(sep)
		switch {
		case len(in.rs) > 1:
			if m := in.pattern(in.rs).Find(r.buf); m != nil && m[1] > m[0] && (m[1] < len(r.buf) || r.eof) {
				i, n = m[0], m[1]-m[0]
			}
		default:
			if j := bytes.Index(r.buf[at:], sep); j >= 0 {
				i = at + j
			}
		}
		if i >= 0 {
			s := string(r.buf[:i])
			r.buf = r.buf[i+n:]
			return s, true
		}
		if len(r.buf) > maxText {
			in.fail("program limit exceeded: maximum record size")
		}
		at = max(0, len(r.buf)-len(sep))
		if !r.fill(in) && r.eof {
			break
		}
	}
	if len(r.buf) == 0 {
		return "", false
	}
	s := string(r.buf)
	if in.rs == "" {
		s = strings.TrimRight(s, "\n")
	}
	r.buf = nil
	return s, true
}

// mainLine reads the next record of the program's input.
func (in *interp) mainLine() (string, bool) {
	for {
		if in.in == nil && !in.nextFile() {
			return "", false
		}
		if s, ok := in.in.record(in); ok {
			in.global("NR").v = num(in.global("NR").v.float() + 1)
			in.global("FNR").v = num(in.global("FNR").v.float() + 1)
			return s, true
		}
		in.in.close()
		in.in = nil
	}
}

// nextFile opens the next operand; assignments among them are made.
func (in *interp) nextFile() bool {
	argv := in.global("ARGV").a
	for {
		in.argi++
		if float64(in.argi) >= in.global("ARGC").v.float() {
			break
		}
		v, ok := argv[num(float64(in.argi)).text(in.conv)]
		name := v.text(in.conv)
		if !ok || name == "" {
			continue
		}
		if k, val, ok := strings.Cut(name, "="); ok && isName(k) {
			in.set(k, input(unescape(val)))
			continue
		}
		in.began = true
		if name == "-" {
			in.in = &reader{r: in.h.Stdin}
			in.global("FNR").v = num(0)
			return true
		}
		f, err := in.h.Open(name)
		if err != nil {
			if strings.HasSuffix(err.Error(), "Is a directory") { // found out by reading
				in.fail("read error (Is a directory)")
			}
			in.fail("cannot open %s (%s)", name, err)
		}
		in.global("FILENAME").v = input(name)
		in.global("FNR").v = num(0)
		in.in = &reader{r: f, c: f}
		return true
	}
	if in.began {
		return false
	}
	in.began = true
	in.in = &reader{r: in.h.Stdin}
	return true
}

func isName(s string) bool {
	if s == "" || !letter(s[0]) {
		return false
	}
	return !slices.ContainsFunc([]byte(s), func(c byte) bool { return !letter(c) && (c < '0' || c > '9') })
}

// getline is getline, getline var, and both with < file.
func (in *interp) getline(e *expr) value {
	target, from := e.args[0], e.args[1]
	if from == nil {
		s, ok := in.mainLine()
		if !ok {
			return num(0)
		}
		if target != nil {
			in.assign(target, input(s))
		} else {
			in.setLine(s)
		}
		return num(1)
	}
	name := in.eval(from).text(in.conv)
	r, ok := in.readers[name]
	if !ok {
		if len(in.readers) > 100 {
			return num(-1)
		}
		if name == "-" {
			r = &reader{r: in.h.Stdin}
		} else {
			f, err := in.h.Open(name)
			if err != nil {
				return num(-1)
			}
			r = &reader{r: f, c: f}
		}
		in.readers[name] = r
	}
	return in.take(r, target, false)
}

// commandLine is command | getline: the command runs to its end at first use.
func (in *interp) commandLine(e *expr) value {
	cmd := in.eval(e.args[0]).text(in.conv)
	r, ok := in.readers[cmd]
	if !ok {
		if len(in.readers) > 100 {
			return num(-1)
		}
		in.flush()
		out := &sink{in: in}
		status := in.h.Command(cmd, strings.NewReader(""), out)
		r = &reader{r: bytes.NewReader(out.b), status: status}
		in.readers[cmd] = r
	}
	return in.take(r, e.args[1], true)
}

func (in *interp) take(r *reader, target *expr, counts bool) value {
	s, ok := r.record(in)
	if !ok {
		return num(0)
	}
	if counts {
		in.global("NR").v = num(in.global("NR").v.float() + 1)
	}
	if target != nil {
		in.assign(target, input(s))
	} else {
		in.setLine(s)
	}
	return num(1)
}
