package coreutils

import (
	"io"
	"strconv"
	"strings"
)

// shown is what l prints: every byte that is no plain ASCII escaped, broken
// into pieces that fit wide columns; 1 and 0 break nothing.
func shown(b []byte, wide int) string {
	var out strings.Builder
	col := 0
	for _, c := range b {
		s := string(rune(c))
		switch i := strings.IndexByte("\\\a\b\f\n\r\t\v", c); {
		case i >= 0:
			s = `\` + `\abfnrtv`[i:i+1]
		case c < 0x20 || c >= 0x7f:
			s = octal(c)
		}
		if wide > 1 && col+len(s) > wide-1 {
			out.WriteString("\\\n")
			col = 0
		}
		out.WriteString(s)
		col += len(s)
	}
	return out.String() + "$\n"
}

// shell runs a line for e and s///e and returns what it printed.
func (s *sedJob) shell(line string) []byte {
	kept := capture{p: s.p}
	s.p.flush()
	s.p.spawn([]string{"sh", "-c", line}, func(c *Proc) { c.Stdout, c.TTY = &kept, false })
	s.p.alloc(-len(kept.b))
	return kept.b
}

// lineOf returns the next line of a file read by R, "" at its end.
func (s *sedJob) lineOf(name string) string {
	if s.reads == nil {
		s.reads = map[string]*lineReader{}
	}
	r, ok := s.reads[name]
	if !ok {
		f, err := s.p.openFile(name)
		if err != nil {
			f = io.NopCloser(strings.NewReader(""))
		}
		r = &lineReader{p: s.p, r: f, end: '\n'}
		s.reads[name] = r
		s.opened = append(s.opened, f)
	}
	l, _, more := r.next()
	if !more {
		return ""
	}
	return string(l) + "\n"
}

// lineWidth is the column at which l breaks lines.
func (s *sedJob) lineWidth(c *sedCmd) int {
	if n, _ := strconv.Atoi(c.text); n > 0 {
		return n
	}
	if s.width > 0 {
		return s.width
	}
	return 70
}
