package coreutils

import (
	"bytes"
	"regexp/syntax"
	"unicode"
	"unicode/utf8"
)

// backReference is the private character that stands for \0 in a translated
// pattern; \n is n after it.
const backReference = '\ue000'

// A backtracker matches patterns with back references. Each step is charged, so
// that a pattern that explodes spends the session's budget and not the machine.
type backtracker struct {
	re     *syntax.Regexp
	groups int
}

func newBacktracker(pattern string) (*backtracker, error) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return nil, err
	}
	if programSize(re, maxProgram) > maxProgram {
		return nil, errPatternSize
	}
	return &backtracker{re: re, groups: re.MaxCap()}, nil
}

// search is one attempt: the text, the groups so far, the work done.
type search struct {
	p     *Proc
	b     []byte
	caps  []int
	steps int
	depth int
}

// maxDepth bounds recursion in one attempt.
const maxDepth = 20000

func (s *search) charge() bool {
	if s.steps++; s.steps&1023 == 0 {
		s.p.step(100)
	}
	return s.depth < maxDepth
}

func (m *backtracker) find(p *Proc, b []byte, from int) []int {
	for i := from; i <= len(b); i++ {
		s := &search{p: p, b: b, caps: make([]int, 2*(m.groups+1))}
		for k := range s.caps {
			s.caps[k] = -1
		}
		if s.match(m.re, i, func(end int) bool { s.caps[0], s.caps[1] = i, end; return true }) {
			return s.caps
		}
		p.step(1)
	}
	return nil
}

func (m *backtracker) all(p *Proc, b []byte, most int) [][]int {
	var out [][]int
	for from := 0; from <= len(b) && (most < 0 || len(out) < most); {
		c := m.find(p, b, from)
		if c == nil {
			break
		}
		if c[1] > c[0] || len(out) == 0 || out[len(out)-1][1] != c[0] {
			out = append(out, c)
		}
		from = c[1]
		if c[1] == c[0] {
			from++
		}
	}
	return out
}

// match tries re at position i and calls next with the end of each way to match.
func (s *search) match(re *syntax.Regexp, i int, next func(int) bool) bool {
	if !s.charge() {
		return false
	}
	s.depth++
	defer func() { s.depth-- }()
	switch re.Op {
	case syntax.OpEmptyMatch:
		return next(i)
	case syntax.OpLiteral:
		return s.literal(re, i, next)
	case syntax.OpCharClass, syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		r, n := utf8.DecodeRune(s.b[i:])
		if n == 0 || !inClass(re, r) {
			return false
		}
		return next(i + n)
	case syntax.OpBeginLine, syntax.OpBeginText:
		return i == 0 && next(i)
	case syntax.OpEndLine, syntax.OpEndText:
		return i == len(s.b) && next(i)
	case syntax.OpWordBoundary, syntax.OpNoWordBoundary:
		at := (i > 0 && wordByte(s.b[i-1])) != (i < len(s.b) && wordByte(s.b[i]))
		return at == (re.Op == syntax.OpWordBoundary) && next(i)
	case syntax.OpCapture:
		old0, old1 := s.caps[2*re.Cap], s.caps[2*re.Cap+1]
		if s.match(re.Sub[0], i, func(end int) bool {
			was0, was1 := s.caps[2*re.Cap], s.caps[2*re.Cap+1]
			s.caps[2*re.Cap], s.caps[2*re.Cap+1] = i, end
			if next(end) {
				return true
			}
			s.caps[2*re.Cap], s.caps[2*re.Cap+1] = was0, was1
			return false
		}) {
			return true
		}
		s.caps[2*re.Cap], s.caps[2*re.Cap+1] = old0, old1
		return false
	case syntax.OpConcat:
		return s.concat(re.Sub, i, next)
	case syntax.OpAlternate:
		for _, sub := range re.Sub {
			if s.match(sub, i, next) {
				return true
			}
		}
		return false
	case syntax.OpStar:
		return s.repeat(re.Sub[0], 0, -1, i, next)
	case syntax.OpPlus:
		return s.repeat(re.Sub[0], 1, -1, i, next)
	case syntax.OpQuest:
		return s.repeat(re.Sub[0], 0, 1, i, next)
	case syntax.OpRepeat:
		return s.repeat(re.Sub[0], re.Min, re.Max, i, next)
	}
	return false
}

func (s *search) concat(subs []*syntax.Regexp, i int, next func(int) bool) bool {
	if len(subs) == 0 {
		return next(i)
	}
	return s.match(subs[0], i, func(end int) bool { return s.concat(subs[1:], end, next) })
}

func (s *search) repeat(sub *syntax.Regexp, least, most, i int, next func(int) bool) bool {
	if most != 0 && s.match(sub, i, func(end int) bool {
		if end == i {
			return false
		}
		return s.repeat(sub, max(0, least-1), max(-1, most-1), end, next)
	}) {
		return true
	}
	return least == 0 && next(i)
}

func (s *search) literal(re *syntax.Regexp, i int, next func(int) bool) bool {
	for _, want := range re.Rune {
		if want > backReference && want <= backReference+9 {
			g := int(want - backReference)
			if 2*g+1 >= len(s.caps) || s.caps[2*g] < 0 {
				return false
			}
			t := s.b[s.caps[2*g]:s.caps[2*g+1]]
			if !bytes.HasPrefix(s.b[i:], t) {
				return false
			}
			i += len(t)
			continue
		}
		r, n := utf8.DecodeRune(s.b[i:])
		if n == 0 || r != want && (re.Flags&syntax.FoldCase == 0 || unicode.ToLower(r) != unicode.ToLower(want)) {
			return false
		}
		i += n
	}
	return next(i)
}

func inClass(re *syntax.Regexp, r rune) bool {
	switch re.Op {
	case syntax.OpAnyChar:
		return true
	case syntax.OpAnyCharNotNL:
		return r != '\n'
	}
	for k := 0; k+1 < len(re.Rune); k += 2 {
		if r >= re.Rune[k] && r <= re.Rune[k+1] {
			return true
		}
	}
	return false
}
