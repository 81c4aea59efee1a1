package shell

import (
	"strings"
	"unicode"

	"mvdan.cc/sh/v3/syntax"
)

// The operators ${x~} and ${x~~}, which the parser does not know.
const (
	toggleFirst syntax.ParExpOperator = 1<<31 + iota
	toggleAll
)

// toggling reads ${name~pattern} and ${name~~pattern} out of a text the parser
// refused.
func (e *env) toggling(text string) (*syntax.ParamExp, *unit, bool) {
	inner, ok := strings.CutPrefix(text, "${")
	name, pat, cut := strings.Cut(inner, "~")
	base := name
	if i := strings.IndexByte(name, '['); i > 0 && strings.HasSuffix(name, "]") {
		base = name[:i]
	}
	if !ok || !cut || !isName(base) && !isSpecial(base) {
		return nil, nil, false
	}
	op := toggleFirst
	if rest, all := strings.CutPrefix(pat, "~"); all {
		pat, op = rest, toggleAll
	}
	text = "${" + name + "^" + pat
	w, err := e.textWord(text, true)
	if err != nil || len(w.Parts) != 1 {
		return nil, nil, false
	}
	p, ok := w.Parts[0].(*syntax.ParamExp)
	if !ok || p.Exp == nil {
		return nil, nil, false
	}
	toggled := *p
	exp := *p.Exp
	exp.Op = op
	toggled.Exp = &exp
	return &toggled, &unit{src: e.unit.src, text: text, line: e.unit.line}, true
}

// toggle changes small letters to capitals and capitals to small ones.
func toggle(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsUpper(r) {
			return unicode.ToLower(r)
		}
		return unicode.ToUpper(r)
	}, s)
}
