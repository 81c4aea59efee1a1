package sigma

import "slices"

// A Reason says why a rule fired: a selection held because of a field's value.
type Reason struct {
	Selection string
	Field     string
	Wanted    string // as the rule has it
	Value     string // of the event; hostile
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
		r := Reason{Selection: name, Field: a.name, Wanted: a.text}
		for v := range e.lookedAt(s, a) {
			if a.op == opNull || a.op == opExists || a.op == opKeyword || a.op == opKeywordRegexp || a.fits(s, v) {
				r.Value = v.text
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
