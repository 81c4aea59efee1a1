package sigma

import (
	"bytes"
	"slices"
)

// A Reason says why a rule fired: a selection held because of a field's value.
type Reason struct {
	Selection string
	Field     string
	Wanted    string // as the rule has it
	Value     string // of the event; hostile
	// Offset is where in Value what was wanted begins, in bytes; -1 where that
	// says nothing.
	Offset int
}

// maxReasons bounds an explanation.
const maxReasons = 16

// Explain returns what made a rule fire on a record: for every selection that
// holds, the fields and values it held by. It is for showing, not for speed.
func (e *Engine) Explain(s *Scratch, r *Record, rule *Rule) []Reason {
	i := slices.IndexFunc(e.rules, func(c *compiled) bool { return c.rule == rule })
	if i < 0 {
		return nil
	}
	s.load(r)
	var out []Reason
	for _, name := range rule.names {
		if sel := e.rules[i].sels[name]; sel != nil && sel.holds(s) {
			out = e.reasons(s, name, sel, out)
		}
	}
	return out
}

func (e *Engine) reasons(s *Scratch, name string, x *expr, out []Reason) []Reason {
	if len(out) >= maxReasons || x.op == '!' {
		return out
	}
	if x.op == 'a' {
		if !s.ask(x.id) {
			return out
		}
		a := &e.atoms[x.id]
		r := Reason{Selection: name, Field: a.name, Wanted: a.text, Offset: -1}
		for v := range e.lookedAt(s, a) {
			if a.op == opNull || a.op == opExists || a.op == opKeyword || a.op == opKeywordRegexp || a.fits(s, v) {
				r.Value, r.Offset = v.text, a.offset(s, v)
				break
			}
		}
		return append(out, r)
	}
	for _, a := range x.args {
		out = e.reasons(s, name, a, out)
	}
	return out
}

// offset returns where in a value that fits an atom what it wants begins.
func (a *atom) offset(s *Scratch, v *value) int {
	switch a.op {
	case opRegexp, opKeywordRegexp:
		if at := a.re.FindStringIndex(v.text[:min(len(v.text), maxRegexp)]); at != nil {
			return at[0]
		}
	case opPattern, opKeyword:
		text := []byte(v.text)
		if !a.pat.cased {
			if text = s.folded(v); len(text) != len(v.text) {
				return -1 // letters changed their length
			}
		}
		if len(a.pat.parts) > 1 && a.pat.parts[0].wild == 0 {
			return 0
		}
		if len(a.pat.parts) == 2 && a.pat.parts[1].wild == 0 {
			return len(text) - len(a.pat.parts[1].text) // at the end
		}
		return bytes.Index(text, []byte(a.pat.longest()))
	}
	return -1
}

// lookedAt returns the values an atom is about.
func (e *Engine) lookedAt(s *Scratch, a *atom) func(func(*value) bool) {
	if a.field >= 0 {
		return s.values(a.field)
	}
	return func(yield func(*value) bool) {
		for i := range s.vals {
			v := &s.vals[i]
			if !v.null && (a.op == opKeyword && a.pat.match(s.folded(v)) || a.re != nil && a.re.MatchString(v.text)) && !yield(v) {
				return
			}
		}
	}
}
