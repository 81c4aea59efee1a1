package coreutils

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
