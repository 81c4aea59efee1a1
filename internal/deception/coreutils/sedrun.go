package coreutils

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// cycles is sed's main loop.
func (s *sedJob) cycles() {
	p := s.p
	var last bool
	restart := false
	for {
		if !restart {
			l, isLast, ok := s.next()
			if !ok {
				return
			}
			s.pattern, last = l, isLast
			s.tested = false
		}
		restart = false
		action := s.script(&last)
		if action != 'd' && action != 'D' && !s.quiet && action != 'Q' {
			s.emit(s.pattern, last)
		}
		s.flushQueue()
		p.step(2)
		switch {
		case action == 'q' || action == 'Q':
			return
		case action == 'D':
			if i := slices.Index(s.pattern, '\n'); i >= 0 {
				s.pattern = s.pattern[i+1:]
				restart = true
			}
		}
	}
}

func (s *sedJob) write(w io.Writer, text string) {
	if _, err := io.WriteString(w, text); err != nil {
		panic(stop{s.p.writeFailed(err)})
	}
}

func (s *sedJob) emit(b []byte, last bool) {
	end := "\n"
	if s.null {
		end = "\x00"
	}
	if last && s.noEnd && len(s.queue) == 0 {
		end = ""
	}
	s.write(s.out, string(b)+end)
}

func (s *sedJob) flushQueue() {
	for _, t := range s.queue {
		s.write(s.out, t)
	}
	s.queue = nil
}

func (s *sedJob) selects(c *sedCmd, last bool) bool {
	match := func(a *address) bool {
		switch a.kind {
		case 'n':
			return s.line == a.n
		case '$':
			return last
		case '/':
			return s.pick(a.re).find(s.p, s.pattern) != nil
		case '~':
			if a.step <= 0 {
				return s.line == a.n
			}
			return s.line >= a.n && (s.line-a.n)%a.step == 0
		}
		return false
	}
	if c.a == nil {
		return true
	}
	if c.b == nil {
		return match(c.a)
	}
	if c.active {
		switch c.b.kind {
		case 'n', '+':
			if s.line >= c.until {
				c.active = false
			}
			return s.line <= c.until
		}
		if match(c.b) {
			c.active = false
		}
		return true
	}
	if c.a.kind == '0' && s.line == 1 || c.a.kind != '0' && match(c.a) {
		c.active = true
		switch {
		case c.b.kind == 'n':
			c.until = c.b.n
			c.active = s.line < c.b.n
		case c.b.kind == '+':
			c.until = s.line + c.b.n
			c.active = c.b.n > 0
		case c.b.kind == '~':
			c.until = (s.line + c.b.n - 1) / max(1, c.b.n) * max(1, c.b.n)
			c.active = s.line < c.until
			c.b = &address{kind: 'n', n: c.until}
		case c.b.kind == '$':
			c.active = !last
		case c.a.kind == '0':
			c.active = !match(c.b)
		}
		return true
	}
	return false
}

// pick returns the last pattern used when one is empty.
func (s *sedJob) pick(re *regex) *regex {
	if re == nil {
		re = s.last
	}
	if re == nil {
		s.p.errorf("no previous regular expression")
		panic(stop{1})
	}
	s.last = re
	return re
}

// maxSpace bounds pattern and hold space.
const maxSpace = 4 << 20

func (s *sedJob) bounded(b []byte) []byte {
	if len(b) > maxSpace {
		s.p.errorf("couldn't allocate memory")
		panic(stop{4})
	}
	return b
}

// script runs the commands over one line and says how it ended.
func (s *sedJob) script(last *bool) byte {
	for pc := 0; pc < len(s.cmds); pc++ {
		c := s.cmds[pc]
		s.p.step(1)
		if c.name == ':' || c.name == '}' {
			continue
		}
		if s.selects(c, *last) == c.not {
			if c.name == '{' {
				pc = c.jump
			}
			continue
		}
		switch c.name {
		case '{':
		case '=':
			s.write(s.out, strconv.Itoa(s.line)+"\n")
		case 'a':
			s.queue = append(s.queue, c.text+"\n")
		case 'i':
			s.write(s.out, c.text+"\n")
		case 'c':
			if c.b == nil || !c.active || c.not {
				s.write(s.out, c.text+"\n")
			}
			return 'd'
		case 'd':
			return 'd'
		case 'D':
			if slices.Index(s.pattern, '\n') < 0 {
				return 'd'
			}
			return 'D'
		case 'p':
			s.emit(s.pattern, false)
		case 'P':
			i := slices.Index(s.pattern, '\n')
			if i < 0 {
				i = len(s.pattern)
			}
			s.emit(s.pattern[:i], false)
		case 'g':
			s.pattern = slices.Clone(s.hold)
		case 'G':
			s.pattern = s.bounded(append(append(s.pattern, '\n'), s.hold...))
		case 'h':
			s.hold = slices.Clone(s.pattern)
		case 'H':
			s.hold = s.bounded(append(append(s.hold, '\n'), s.pattern...))
		case 'x':
			s.pattern, s.hold = s.hold, s.pattern
		case 'n', 'N':
			if *last {
				if c.name == 'n' && !s.quiet {
					s.emit(s.pattern, true)
				}
				if c.name == 'N' && !s.quiet {
					s.emit(s.pattern, true)
				}
				s.flushQueue()
				return 'Q'
			}
			if c.name == 'n' && !s.quiet {
				s.emit(s.pattern, false)
			}
			s.flushQueue()
			l, isLast, _ := s.next()
			*last = isLast
			if c.name == 'n' {
				s.pattern = l
			} else {
				s.pattern = s.bounded(append(append(s.pattern, '\n'), l...))
			}
		case 'q', 'Q':
			s.quit, _ = strconv.Atoi(c.text)
			return c.name
		case 's':
			s.substitute(c)
		case 'y':
			for i, b := range s.pattern {
				s.pattern[i] = c.table[b]
			}
		case 'l':
			s.write(s.out, shown(s.pattern, s.lineWidth(c)))
		case 'F':
			s.write(s.out, s.name+"\n")
		case 'z':
			s.pattern = nil
		case 'R':
			if l := s.lineOf(c.file); l != "" {
				s.queue = append(s.queue, l)
			}
		case 'W':
			l, _, _ := strings.Cut(string(s.pattern), "\n")
			s.write(s.file(c.file), l+"\n")
		case 'r':
			if f, err := s.p.openFile(c.file); err == nil {
				b, _ := s.p.all(f)
				_ = f.Close()
				s.queue = append(s.queue, string(b))
				s.p.alloc(-len(b))
			}
		case 'w':
			s.write(s.file(c.file), string(s.pattern)+"\n")
		case 'b':
			pc = c.jump
		case 't', 'T':
			if s.tested == (c.name == 't') {
				s.tested = false
				pc = c.jump
			} else {
				s.tested = false
			}
		case 'e':
			if c.text == "" {
				s.pattern = bytes.TrimSuffix(s.shell(string(s.pattern)), []byte("\n"))
			} else {
				s.write(s.out, string(s.shell(c.text)))
			}
		}
	}
	return 0
}

func (s *sedJob) file(name string) io.Writer {
	if name == "/dev/stdout" {
		return s.out
	}
	if f, ok := s.files[name]; ok {
		return f
	}
	f, err := s.p.create(name, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
	if err != nil {
		s.p.errorf("couldn't open file %s: %s", name, why(err))
		panic(stop{4})
	}
	s.files[name] = f
	return f
}
