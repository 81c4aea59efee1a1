package awk

import (
	"io"
	"strings"
)

type output struct {
	w    io.Writer
	c    io.Closer
	cmd  string
	body *strings.Builder
}

func (in *interp) print(s *stmt) {
	var text string
	switch {
	case s.op == "printf":
		if len(s.list) == 0 {
			in.fail("run time error: no arguments in call to printf")
		}
		args := make([]value, len(s.list)-1)
		format := in.eval(s.list[0]).text(in.conv)
		for i, e := range s.list[1:] {
			args[i] = in.eval(e)
		}
		text = sprintf(format, args, in.conv, func() { in.short("printf", format) })
	case len(s.list) == 0:
		text = in.record() + in.ors
	default:
		var b strings.Builder
		for i, e := range s.list {
			if i > 0 {
				b.WriteString(in.ofs)
			}
			b.WriteString(in.eval(e).text(in.ofmt))
		}
		b.WriteString(in.ors)
		text = b.String()
	}
	in.limit(len(text))
	w := in.h.Stdout
	if s.redirect != "" {
		w = in.writer(s.redirect, in.eval(s.dest).text(in.conv))
	}
	in.write(w, text)
}

func (in *interp) short(name, format string) {
	in.fail("run time error: not enough arguments passed to %s(\"%s\")\n\tFILENAME=\"%s\" FNR=%s NR=%s", name, format,
		in.global("FILENAME").v.text(in.conv), in.global("FNR").v.text(in.conv), in.global("NR").v.text(in.conv))
}

// limit bounds one string.
func (in *interp) limit(n int) {
	if n > maxText {
		in.fail("program limit exceeded: maximum string size")
	}
	in.h.step(1 + n/512)
}

func (in *interp) write(w io.Writer, s string) {
	if _, err := io.WriteString(w, s); err != nil {
		in.fail("write failure")
	}
}

func (in *interp) writer(how, name string) io.Writer {
	if o, ok := in.writers[name]; ok {
		return o.w
	}
	if len(in.writers) > 100 {
		in.fail("cannot open \"%s\" for output", name)
	}
	if how == "|" {
		b := &strings.Builder{}
		o := &output{w: b, cmd: name, body: b}
		in.writers[name] = o
		return b
	}
	switch name {
	case "/dev/stdout", "-":
		return in.h.Stdout
	}
	f, err := in.h.Create(name, how == ">>")
	if err != nil {
		in.fail("cannot open \"%s\" for output", name)
	}
	in.writers[name] = &output{w: f, c: f}
	return f
}

func (in *interp) closeOutput(name string) (int, bool) {
	o, ok := in.writers[name]
	if !ok {
		return 0, false
	}
	delete(in.writers, name)
	if o.cmd != "" {
		in.flush()
		return in.h.Command(o.cmd, strings.NewReader(o.body.String()), in.h.Stdout), true
	}
	if o.c != nil {
		_ = o.c.Close()
	}
	return 0, true
}

func (in *interp) flush() {
	if in.h.Flush != nil {
		in.h.Flush()
	}
}

func (in *interp) closeAll() {
	for name := range in.writers {
		in.closeOutput(name)
	}
	for name, r := range in.readers {
		r.close()
		delete(in.readers, name)
	}
}
