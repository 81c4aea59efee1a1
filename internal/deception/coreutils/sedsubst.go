package coreutils

import (
	"bytes"
	"errors"
	"strconv"
	"strings"
)

func (s *sedJob) substitute(c *sedCmd) {
	re := s.pick(c.re)
	most := -1
	if !c.global {
		most = max(1, c.nth)
	}
	ms := re.all(s.p, s.pattern, most)
	if c.nth > 0 {
		if len(ms) < c.nth {
			return
		}
		ms = ms[c.nth-1:]
		if !c.global {
			ms = ms[:1]
		}
	}
	if len(ms) == 0 {
		return
	}
	var out []byte
	at := 0
	for _, m := range ms {
		out = append(out, s.pattern[at:m[0]]...)
		out = s.bounded(expandReplacement(out, c.repl, s.pattern, m))
		at = m[1]
	}
	s.pattern = append(out, s.pattern[at:]...)
	s.tested = true
	if c.eval {
		s.pattern = bytes.TrimSuffix(s.shell(string(s.pattern)), []byte("\n"))
	}
	if c.print {
		s.emit(s.pattern, false)
	}
	if c.file != "" {
		s.write(s.file(c.file), string(s.pattern)+"\n")
	}
}

// expandReplacement appends a replacement, honouring &, \1, \n, \U \L \u \l \E.
func expandReplacement(out []byte, repl string, src []byte, m []int) []byte {
	mode, once := byte(0), byte(0)
	put := func(b []byte) {
		for _, c := range b {
			switch {
			case once == 'u' || once == 0 && mode == 'U':
				if c >= 'a' && c <= 'z' {
					c -= 32
				}
			case once == 'l' || once == 0 && mode == 'L':
				if c >= 'A' && c <= 'Z' {
					c += 32
				}
			}
			once = 0
			out = append(out, c)
		}
	}
	group := func(n int) {
		if 2*n+1 < len(m) && m[2*n] >= 0 {
			put(src[m[2*n]:m[2*n+1]])
		}
	}
	for i := 0; i < len(repl); i++ {
		switch c := repl[i]; {
		case c == '&':
			group(0)
		case c == '\\' && i+1 < len(repl):
			i++
			switch d := repl[i]; {
			case d >= '0' && d <= '9':
				group(int(d - '0'))
			case d == 'n':
				put([]byte{'\n'})
			case d == 't':
				put([]byte{'\t'})
			case d == 'r':
				put([]byte{'\r'})
			case d == 'x':
				n, used := digits(repl[i+1:], 16, 2)
				put([]byte{byte(n)})
				i += used
			case d == 'U' || d == 'L':
				mode = d
			case d == 'E':
				mode = 0
			case d == 'u' || d == 'l':
				once = d
			default:
				put([]byte{d})
			}
		default:
			put([]byte{c})
		}
	}
	return out
}

func (q *sedParser) substitution(c *sedCmd) error {
	delim := q.peek()
	if delim == 0 || delim == '\n' || delim == '\\' {
		return errors.New("unterminated `s' command")
	}
	q.i++
	pattern, ok := q.until(delim, true)
	if !ok {
		return errors.New("unterminated `s' command")
	}
	repl, ok := q.until(delim, false)
	if !ok {
		return errors.New("unterminated `s' command")
	}
	c.repl = repl
	o := reOptions{extended: q.s.extended}
	for {
		switch f := q.peek(); {
		case f == 'g' && c.global, f == 'p' && c.print:
			q.i++
			return errors.New("multiple `" + string(f) + "' options to `s' command")
		case f == 'g':
			c.global = true
		case f == 'p':
			c.print = true
		case f == 'i' || f == 'I':
			o.fold = true
		case f == 'm' || f == 'M':
		case f == 'e':
			c.eval = true
		case f >= '0' && f <= '9':
			if c.nth = q.number(); c.nth == 0 {
				return errors.New("number option to `s' command may not be zero")
			}
			continue
		case f == 'w':
			q.i++
			q.skip(" \t")
			c.file = q.restOfLine()
			continue
		case f == 0 || f == '\n' || f == ';' || f == '}' || f == '#' || f == ' ' || f == '\t':
			re, err := q.compile(pattern, o)
			if err != nil {
				return err
			}
			c.re = re
			if re != nil {
				groups := 0
				if re.re != nil {
					groups = re.re.NumSubexp()
				} else {
					groups = re.back.groups
				}
				for n := 9; n > groups; n-- {
					if strings.Contains(strings.ReplaceAll(repl, `\\`, ""), `\`+strconv.Itoa(n)) {
						return errors.New("invalid reference \\" + strconv.Itoa(n) + " on `s' command's RHS")
					}
				}
			}
			return q.end()
		default:
			q.i++
			return errors.New("unknown option to `s'")
		}
		q.i++
	}
}

func (q *sedParser) transliteration(c *sedCmd) error {
	delim := q.peek()
	q.i++
	from, ok1 := q.until(delim, false)
	to, ok2 := q.until(delim, false)
	if !ok1 || !ok2 {
		return errors.New("unterminated `y' command")
	}
	from, _ = unescape(from, false)
	to, _ = unescape(to, false)
	if len(from) != len(to) {
		return errors.New("strings for `y' command are different lengths")
	}
	for i := range 256 {
		c.table[i] = byte(i)
	}
	for i := range len(from) {
		c.table[from[i]] = to[i]
	}
	return q.end()
}
