package sigma

import (
	"regexp/syntax"
	"slices"
)

// A literal is a text that must occur in a field for an atom to hold.
type literal struct {
	field int // -1: in any value
	text  string
	whole bool // is the whole value
}

// An anchor is a set of literals of which one must occur for an expression to
// hold; known is false when there is no such set.
type anchor struct {
	lits  []literal
	known bool
}

// enough is the length from which a longer literal is no better.
const enough = 6

// worth orders anchors: the shortest literal counts, then how many there are.
func (a anchor) worth() (shortest, number int) {
	shortest = enough
	for _, l := range a.lits {
		shortest = min(shortest, len(l.text))
	}
	return shortest, len(a.lits)
}

func (a anchor) better(b anchor) bool {
	switch {
	case !a.known || !b.known:
		return a.known
	}
	s, n := a.worth()
	t, m := b.worth()
	return s > t || s == t && n < m
}

// maxLiterals bounds the literals of one rule: beyond, asking it always is
// cheaper than finding out.
const maxLiterals = 8192

// anchors returns the best anchor of an expression.
func (e *Engine) anchors(x *expr) anchor {
	switch x.op {
	case 'a':
		return e.atomAnchor(&e.atoms[x.id])
	case '&':
		var best anchor
		for _, a := range x.args {
			if b := e.anchors(a); b.better(best) {
				best = b
			}
		}
		return best
	case '|', '1':
		u := anchor{known: true}
		for _, a := range x.args {
			b := e.anchors(a)
			if !b.known || len(u.lits)+len(b.lits) > maxLiterals {
				return anchor{}
			}
			u.lits = append(u.lits, b.lits...)
		}
		return u
	}
	return anchor{}
}

func (e *Engine) atomAnchor(a *atom) anchor {
	one := func(text string, whole bool) anchor {
		// Encoded bytes may fall together with their neighbours into other
		// characters, which fold otherwise than alone.
		if text == "" || a.pat.cased && slices.ContainsFunc([]byte(text), func(b byte) bool { return b > 127 }) {
			return anchor{}
		}
		// Candidates are looked for in folded text.
		return anchor{lits: []literal{{a.field, folded(text), whole}}, known: true}
	}
	switch a.op {
	case opPattern:
		if t, ok := a.pat.literal(); ok {
			return one(t, true)
		}
		return one(a.pat.longest(), false)
	case opKeyword:
		return one(a.pat.longest(), false)
	case opRegexp, opKeywordRegexp:
		return regexpAnchor(a)
	}
	return anchor{}
}

// regexpAnchor takes literals out of a regular expression: every path through
// it must have one of three bytes or more. Only what lies in ASCII is taken, as
// folding may otherwise differ from the pattern's own idea of letter case.
func regexpAnchor(a *atom) anchor {
	re, err := syntax.Parse(a.re.String(), syntax.Perl)
	if err != nil {
		return anchor{}
	}
	set, ok := literalsOf(re.Simplify(), 0)
	if !ok {
		return anchor{}
	}
	out := anchor{known: true}
	for _, t := range set {
		out.lits = append(out.lits, literal{a.field, folded(t), false})
	}
	return out
}

func literalsOf(re *syntax.Regexp, depth int) ([]string, bool) {
	if depth > maxDepth {
		return nil, false
	}
	switch re.Op {
	case syntax.OpLiteral:
		t := string(re.Rune)
		if len(t) < 3 || slices.ContainsFunc(re.Rune, func(r rune) bool { return r > 127 }) {
			return nil, false
		}
		return []string{t}, true
	case syntax.OpCapture, syntax.OpPlus:
		return literalsOf(re.Sub[0], depth+1)
	case syntax.OpRepeat:
		if re.Min < 1 {
			return nil, false
		}
		return literalsOf(re.Sub[0], depth+1)
	case syntax.OpConcat:
		var best []string
		for _, s := range re.Sub {
			if set, ok := literalsOf(s, depth+1); ok && (best == nil || shortest(set) > shortest(best)) {
				best = set
			}
		}
		return best, best != nil
	case syntax.OpAlternate:
		var union []string
		for _, s := range re.Sub {
			set, ok := literalsOf(s, depth+1)
			if !ok || len(union) > 256 {
				return nil, false
			}
			union = append(union, set...)
		}
		return union, true
	}
	return nil, false
}

func shortest(set []string) int {
	n := 1 << 20
	for _, s := range set {
		n = min(n, len(s))
	}
	return n
}
