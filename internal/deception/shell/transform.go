package shell

import (
	"strings"
	"unicode/utf8"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/pattern"
)

// transform applies the operator that changes values.
func (e *env) transform(p *syntax.ParamExp, v *param) error {
	switch {
	case p.Slice != nil:
		return e.slice(p, v)
	case p.Repl != nil:
		return e.replace(p.Repl, v)
	case p.Exp == nil || defaulting(p.Exp.Op):
		return nil
	case p.Exp.Op == syntax.OtherParamOps:
		return e.attribute(p, v)
	}
	pat, err := e.pattern(p.Exp.Word)
	if err != nil {
		return err
	}
	return e.each(v, func(s string) string { return e.operate(p.Exp.Op, s, pat) })
}

// each replaces every value by what f makes of it.
func (e *env) each(v *param, f func(string) string) error {
	out := make([]string, len(v.vals))
	for i, s := range v.vals {
		e.k.step(1 + len(s)/256)
		out[i] = f(s)
		if err := e.hold(len(out[i])); err != nil {
			return err
		}
	}
	v.vals = out
	return nil
}

// matching runs a match and charges what it took.
func matching[T any](e *env, f pattern.Flags, run func(m *pattern.Matcher) T) T {
	m := &pattern.Matcher{Flags: f}
	out := run(m)
	e.k.step(m.Steps / patternSteps)
	return out
}

// patternSteps is how many of a matcher's steps the budget counts as one.
const patternSteps = 64

// match reports whether s matches pat.
func (e *env) match(pat, s string, f pattern.Flags) bool {
	return matching(e, f, func(m *pattern.Matcher) bool { return m.Match(pat, s) })
}

// matchPrefix is the length of the prefix of s that matches pat, or -1.
func (e *env) matchPrefix(pat, s string, longest bool, f pattern.Flags) int {
	return matching(e, f, func(m *pattern.Matcher) int { return m.Prefix(pat, s, longest) })
}

// matchSuffix is the offset of the suffix of s that matches pat, or -1.
func (e *env) matchSuffix(pat, s string, longest bool, f pattern.Flags) int {
	return matching(e, f, func(m *pattern.Matcher) int { return m.Suffix(pat, s, longest) })
}

func (e *env) patFlags() pattern.Flags {
	if e.shopts&shExtGlob != 0 {
		return pattern.Ext
	}
	return 0
}

// operate removes a prefix or suffix or changes the case.
func (e *env) operate(op syntax.ParExpOperator, s, pat string) string {
	f := e.patFlags()
	switch op {
	case syntax.RemSmallPrefix, syntax.RemLargePrefix:
		if n := e.matchPrefix(pat, s, op == syntax.RemLargePrefix, f); n > 0 {
			return s[n:]
		}
	case syntax.RemSmallSuffix, syntax.RemLargeSuffix:
		if n := e.matchSuffix(pat, s, op == syntax.RemLargeSuffix, f); n >= 0 {
			return s[:n]
		}
	case syntax.UpperFirst:
		return e.mapCase(s, pat, f, true, strings.ToUpper)
	case syntax.UpperAll:
		return e.mapCase(s, pat, f, false, strings.ToUpper)
	case syntax.LowerFirst:
		return e.mapCase(s, pat, f, true, strings.ToLower)
	case toggleFirst:
		return e.mapCase(s, pat, f, true, toggle)
	case toggleAll:
		return e.mapCase(s, pat, f, false, toggle)
	case syntax.LowerAll:
		return e.mapCase(s, pat, f, false, strings.ToLower)
	}
	return s
}

func (e *env) mapCase(s, pat string, f pattern.Flags, first bool, to func(string) string) string {
	if s == "" {
		return s
	}
	e.k.step(len(s) / 64)
	var b strings.Builder
	for i, r := range s {
		_, n := utf8.DecodeRuneInString(s[i:])
		c := s[i : i+n]
		if (i == 0 || !first) && (pat == "" || e.match(pat, string(r), f)) {
			c = to(c)
		}
		b.WriteString(c)
	}
	return b.String()
}

// slice is ${x:offset:length}.
func (e *env) slice(p *syntax.ParamExp, v *param) error {
	off, err := e.arithNode(p.Slice.Offset, e.unit.slice(p.Slice.Offset.Pos(), p.Slice.Offset.End()))
	if err != nil {
		return err
	}
	n, hasLen := int64(0), p.Slice.Length != nil
	if hasLen {
		if n, err = e.arithNode(p.Slice.Length, e.unit.slice(p.Slice.Length.Pos(), p.Slice.Length.End())); err != nil {
			return err
		}
	}
	if v.list {
		return e.sliceList(p, v, off, n, hasLen)
	}
	rs := []rune(v.one())
	from, to, ok := span(int64(len(rs)), off, n, hasLen)
	if !ok {
		if n < 0 && hasLen && from >= 0 {
			return failf(itoa(n) + ": substring expression < 0")
		}
		v.vals = []string{""}
		return nil
	}
	v.vals = []string{string(rs[from:to])}
	return nil
}

// span turns bash's offset and length into a range.
func span(size, off, n int64, hasLen bool) (from, to int64, ok bool) {
	if off < 0 {
		off += size
	}
	if off < 0 || off > size {
		return -1, 0, false
	}
	to = size
	if hasLen && n < 0 {
		to = size + n
		if to < off {
			return off, 0, false
		}
	} else if hasLen {
		to = min(size, off+n)
	}
	return off, to, true
}

func (e *env) sliceList(p *syntax.ParamExp, v *param, off, n int64, hasLen bool) error {
	vals := v.vals
	if name := p.Param.Value; name == "@" || name == "*" {
		vals = append([]string{e.name}, vals...)
		if off < 0 && -off > int64(len(vals)) {
			v.vals = nil
			return nil
		}
		if off == 0 && hasLen && n == 0 {
			v.vals = nil
			return nil
		}
	}
	if hasLen && n < 0 {
		return failf(itoa(n) + ": substring expression < 0")
	}
	from, to, ok := span(int64(len(vals)), off, n, hasLen)
	if !ok {
		v.vals = nil
		return nil
	}
	v.vals = vals[from:to]
	return nil
}

// replace is ${x/pattern/text}.
func (e *env) replace(r *syntax.Replace, v *param) error {
	pat, err := e.pattern(r.Orig)
	if err != nil {
		return err
	}
	with, err := e.replacement(r.With)
	if err != nil {
		return err
	}
	anchor := byte(0)
	if !r.All && pat != "" && (pat[0] == '#' || pat[0] == '%') {
		anchor, pat = pat[0], pat[1:]
	}
	if pat == "" && anchor == 0 {
		return nil
	}
	f := e.patFlags()
	return e.each(v, func(s string) string {
		switch anchor {
		case '#':
			if n := e.matchPrefix(pat, s, true, f); n >= 0 {
				return with.of(s[:n]) + s[n:]
			}
			return s
		case '%':
			if n := e.matchSuffix(pat, s, true, f); n >= 0 {
				return s[:n] + with.of(s[n:])
			}
			return s
		}
		return e.replaceAll(s, pat, with, r.All, f)
	})
}

func (e *env) replaceAll(s, pat string, with template, all bool, f pattern.Flags) string {
	var b strings.Builder
	for s != "" || b.Len() == 0 {
		m := pattern.Matcher{Flags: f}
		from, to := m.Find(pat, s)
		e.k.step(1 + m.Steps/patternSteps)
		if from < 0 {
			break
		}
		b.WriteString(s[:from])
		b.WriteString(with.of(s[from:to]))
		if int64(b.Len()) > e.k.bud.Bytes {
			e.noMemory()
		}
		if from == to {
			if to == len(s) {
				s = ""
				break
			}
			b.WriteByte(s[to])
			to++
		}
		s = s[to:]
		if !all {
			break
		}
	}
	return b.String() + s
}

// A template is a replacement in which an unquoted & stands for the match.
type template []string

func (t template) of(match string) string { return strings.Join(t, match) }

// replacement expands the text of ${x/pattern/text}.
func (e *env) replacement(w *syntax.Word) (template, error) {
	if w == nil {
		return template{""}, nil
	}
	x := expander{e: e, purpose: forReplacement}
	if err := x.parts(w.Parts, false); err != nil {
		return nil, err
	}
	if !strings.Contains(string(x.cur.pat), "&") {
		return template{string(x.cur.text)}, nil
	}
	var out template
	var b strings.Builder
	s := string(x.cur.pat)
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == '&':
			out = append(out, b.String())
			b.Reset()
		default:
			b.WriteByte(s[i])
		}
	}
	return append(out, b.String()), nil
}
