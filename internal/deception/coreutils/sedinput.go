package coreutils

import (
	"io"
	"slices"
)

// stream runs the script over the lines of some files as one.
func (s *sedJob) stream(args []string) {
	p := s.p
	lines := make([][]byte, 0, 2)
	var readers []io.ReadCloser
	var names []string
	for _, a := range args {
		if f, err := p.openFile(a); err == nil {
			readers, names = append(readers, f), append(names, a)
		}
	}
	defer func() {
		for _, r := range readers {
			_ = r.Close()
		}
	}()
	cur := 0
	var lr *lineReader
	end := byte('\n')
	if s.null {
		end = 0
	}
	fill := func() {
		for len(lines) < 2 && cur < len(readers) {
			if lr == nil {
				lr = &lineReader{p: p, r: readers[cur], end: end}
				s.name = names[cur]
			}
			l, full, ok := lr.next()
			if !ok {
				lr = nil
				cur++
				continue
			}
			s.noEnd = !full
			lines = append(lines, l)
		}
	}
	s.next = func() ([]byte, bool, bool) {
		fill()
		if len(lines) == 0 {
			return nil, true, false
		}
		l := lines[0]
		lines = lines[1:]
		fill()
		s.line++
		return l, len(lines) == 0, true
	}
	s.cycles()
}

// lineReader hands out lines one by one.
type lineReader struct {
	p   *Proc
	r   io.Reader
	end byte
	buf []byte
	eof bool
}

func (l *lineReader) next() (line []byte, full, ok bool) {
	for {
		if i := slices.Index(l.buf, l.end); i >= 0 {
			line = slices.Clone(l.buf[:i])
			l.buf = l.buf[i+1:]
			l.p.step(1 + len(line)/512)
			return line, true, true
		}
		if l.eof || len(l.buf) > maxLine {
			line, l.buf = l.buf, nil
			return line, false, len(line) > 0
		}
		b := make([]byte, 8192)
		n, err := l.r.Read(b)
		l.p.step(1)
		l.buf = append(l.buf, b[:n]...)
		l.eof = err != nil
	}
}
