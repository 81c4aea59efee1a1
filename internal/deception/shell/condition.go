package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/shell/pattern"
)

// testClause is [[ ]].
func (e *env) testClause(c *syntax.TestClause) int {
	if e.opts&optXTrace != 0 {
		e.traceLine("[[ " + strings.TrimSpace(e.unit.slice(c.X.Pos(), c.X.End())) + " ]]")
	}
	e.cmdAt, e.cmdUnit = e.at, e.unit
	if e.traps["DEBUG"] != "" {
		e.debugFor("[[ " + strings.TrimSpace(e.unit.slice(c.X.Pos(), c.X.End())) + " ]]")
	}
	ok, err := e.holds(c.X)
	if err != nil {
		if a, is := err.(*abort); is && !a.exit {
			if a.said {
				return a.status
			}
			e.errorf("[[: %s", a.msg)
			return 1
		}
		return e.fail(err)
	}
	return b2i(!ok)
}

func (e *env) holds(x syntax.TestExpr) (bool, error) {
	e.k.step(1)
	switch x := x.(type) {
	case *syntax.ParenTest:
		return e.holds(x.X)
	case *syntax.Word:
		s, err := e.str(x)
		return s != "", err
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			ok, err := e.holds(x.X)
			return !ok, err
		}
		w, ok := x.X.(*syntax.Word)
		if !ok {
			return false, nil
		}
		s, err := e.str(w)
		if err != nil {
			return false, err
		}
		return e.unaryTest(x.Op.String()[1], s), nil
	case *syntax.BinaryTest:
		return e.condBinary(x)
	}
	return false, nil
}

func (e *env) condBinary(x *syntax.BinaryTest) (bool, error) {
	if x.Op == syntax.AndTest || x.Op == syntax.OrTest {
		ok, err := e.holds(x.X)
		if err != nil || ok == (x.Op == syntax.OrTest) {
			return ok, err
		}
		return e.holds(x.Y)
	}
	lw, ok1 := x.X.(*syntax.Word)
	rw, ok2 := x.Y.(*syntax.Word)
	if !ok1 || !ok2 {
		return false, nil
	}
	l, err := e.str(lw)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsMatchShort, syntax.TsMatch, syntax.TsNoMatch:
		pat, err := e.pattern(rw)
		if err != nil {
			return false, err
		}
		e.k.step(1 + len(l)/64)
		return e.match(pat, l, e.matchFlags()|pattern.Ext) == (x.Op != syntax.TsNoMatch), nil
	case syntax.TsReMatch:
		return e.regexMatch(l, rw)
	}
	r, err := e.str(rw)
	if err != nil {
		return false, err
	}
	switch op := x.Op.String(); op {
	case "<":
		return l < r, nil
	case ">":
		return l > r, nil
	case "-nt", "-ot", "-ef":
		return coreutils.CompareFiles(e.stat, l, op, r), nil
	default:
		a, err := e.arith(l)
		if err != nil {
			return false, err
		}
		b, err := e.arith(r)
		return coreutils.CompareNumbers(a, op, b), err
	}
}

// maxRegex bounds the text and the pattern of =~.
const maxRegex = 1 << 16

// regexMatch is =~; the groups go to BASH_REMATCH.
func (e *env) regexMatch(s string, w *syntax.Word) (bool, error) {
	pat, err := e.expandTo(w, forRegex, false)
	if err != nil {
		return false, err
	}
	e.k.step(10 + (len(pat)+len(s))/16)
	if len(pat) > 4096 || len(s) > maxRegex {
		return false, nil
	}
	if e.shopts&shNoCaseMatch != 0 {
		pat = "(?i)" + pat
	}
	re, size, err := coreutils.CompileBounded(posixRegex(pat))
	if err == nil {
		e.k.step(len(s) * size / 64) // some 15 ns each, at worst
	}
	if err != nil {
		e.status = 2
		return false, &abort{status: 2, said: true}
	}
	re.Longest()
	m := re.FindStringSubmatchIndex(s)
	v := &variable{arr: newArray(e.mine, false)}
	for i := 0; m != nil && i+1 < len(m); i += 2 {
		g := ""
		if m[i] >= 0 {
			g = s[m[i]:m[i+1]]
		}
		v.arr.set(int64(i/2), g)
	}
	if err := e.store("BASH_REMATCH", v); err != nil {
		return false, err
	}
	return m != nil, nil
}

// posixRegex rewrites what differs between POSIX and Go: in brackets a
// backslash is a letter, and \< \> are word ends.
func posixRegex(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			i++
			if p[i] == '<' || p[i] == '>' {
				b.WriteString(`\b`)
			} else if isLetter(p[i]) && !strings.ContainsRune("wWsSbB", rune(p[i])) || p[i] >= 0x80 {
				b.WriteByte(p[i])
			} else {
				b.WriteString(p[i-1 : i+1])
			}
		case p[i] == '[':
			end := bracketEnd(p, i)
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(p[i:end], `\`, `\\`), "[^]", `[^\]`))
			i = end - 1
		default:
			b.WriteByte(p[i])
		}
	}
	return b.String()
}

func bracketEnd(p string, i int) int {
	j := i + 1
	if j < len(p) && p[j] == '^' {
		j++
	}
	if j < len(p) && p[j] == ']' {
		j++
	}
	for j < len(p) && p[j] != ']' {
		if strings.HasPrefix(p[j:], "[:") {
			if k := strings.Index(p[j:], ":]"); k > 0 {
				j += k + 1
			}
		}
		j++
	}
	return min(j+1, len(p))
}
