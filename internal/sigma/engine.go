package sigma

import (
	"fmt"
	"slices"
	"sync"

	"honeyguide"
)

// An Engine holds rules ready to run. It does not change; any number of
// goroutines may use it, each with its own [Scratch].
type Engine struct {
	rules      []*compiled
	atoms      []atom
	atomOf     map[string]int32
	fieldNames []string
	fieldOf    map[string]int
	services   map[string]bool // service names any rule knows

	mu     sync.RWMutex
	routes map[string]*route
}

// maxRoutes bounds the combinations of log sources that are kept ready.
const maxRoutes = 4096

// compiled is a rule over the engine's atoms.
type compiled struct {
	rule *Rule
	cond *expr
	sels map[string]*expr
	lits []literal // one of them occurs if the rule can fire; nil: always asked
	cost int
}

// NewEngine makes an engine of rules; filters are applied to the rules they
// name. What cannot be used is returned as faults.
func NewEngine(set *Ruleset) (*Engine, []Fault) {
	e := &Engine{
		atomOf: map[string]int32{}, fieldOf: map[string]int{}, services: map[string]bool{},
		routes: map[string]*route{},
	}
	faults := set.applyFilters()
	for _, r := range set.Rules {
		c := &compiled{rule: r, sels: make(map[string]*expr, len(r.sels))}
		for name, s := range r.sels {
			c.sels[name] = e.compile(s)
		}
		cond := r.cond
		for _, n := range r.nots {
			cond = all([]*expr{cond, not(n)})
		}
		c.cond = e.compile(cond)
		c.cost = e.order(c.cond)
		c.lits = e.anchors(c.cond).lits
		e.rules = append(e.rules, c)
		if s := r.Logsource.Service; s != "" {
			e.services[s] = true
		}
	}
	return e, faults
}

// Len returns the number of rules.
func (e *Engine) Len() int { return len(e.rules) }

// Rules returns the rules in the order they were given.
func (e *Engine) Rules() []*Rule {
	out := make([]*Rule, len(e.rules))
	for i, c := range e.rules {
		out[i] = c.rule
	}
	return out
}

// KnowsService reports whether any rule names the service: events need not be
// routed by others.
func (e *Engine) KnowsService(name string) bool { return e.services[name] }

// KnowsField reports whether any rule names the field.
func (e *Engine) KnowsField(name string) bool { _, ok := e.fieldOf[name]; return ok }

// applyFilters gives every filter to the rules it names.
func (s *Ruleset) applyFilters() (faults []Fault) {
	by := map[string][]*Rule{}
	for _, r := range s.Rules {
		r.nots = nil
		for _, k := range []string{r.ID, r.Name} {
			if k != "" {
				by[k] = append(by[k], r)
			}
		}
	}
	for _, f := range s.Filters {
		rules := s.Rules
		if f.Rules != nil {
			rules = nil
			for _, k := range f.Rules {
				if len(by[k]) == 0 {
					faults = append(faults, Fault{File: f.File, Line: f.Line, Rule: f.Key(), Kind: FaultWarning, Field: "rules", Why: fmt.Sprintf("the filter names a rule %q that is not there", k)})
				}
				rules = append(rules, by[k]...)
			}
		}
		for _, r := range rules {
			if covers(f.Logsource, r.Logsource) {
				r.nots = append(r.nots, f.cond)
			}
		}
	}
	return faults
}

// covers reports whether everything a names is the same in b.
func covers(a, b Source) bool {
	return (a.Product == "" || a.Product == b.Product) && (a.Category == "" || a.Category == b.Category) && (a.Service == "" || a.Service == b.Service)
}

// compile takes an expression over to the engine's atoms.
func (e *Engine) compile(x *expr) *expr {
	y := &expr{op: x.op, n: x.n}
	if x.op == 'a' {
		y.id = e.intern(x.atom)
		return y
	}
	for _, a := range x.args {
		a = e.compile(a)
		if a.op == x.op && (x.op == '&' || x.op == '|') {
			y.args = append(y.args, a.args...)
		} else {
			y.args = append(y.args, a)
		}
	}
	return y
}

// intern returns the number of an atom, shared by all that ask the same.
func (e *Engine) intern(a *atom) int32 {
	b := *a
	if b.op == opField {
		b.other = e.field(b.text)
	}
	b.field = -1
	if b.op != opKeyword && b.op != opKeywordRegexp {
		b.field = e.field(b.name)
	}
	key := b.key()
	if id, ok := e.atomOf[key]; ok {
		return id
	}
	id := int32(len(e.atoms))
	e.atoms = append(e.atoms, b)
	e.atomOf[key] = id
	return id
}

func (e *Engine) field(name string) int {
	n, ok := e.fieldOf[name]
	if !ok {
		n = len(e.fieldNames)
		e.fieldOf[name] = n
		e.fieldNames = append(e.fieldNames, name)
	}
	return n
}

// order sorts what an expression asks by cost, cheapest first, and returns the
// cost of its first question.
func (e *Engine) order(x *expr) int {
	switch x.op {
	case 'a':
		return e.atoms[x.id].cost
	case '!':
		return e.order(x.args[0])
	}
	costs := make(map[*expr]int, len(x.args))
	sum := 0
	for _, a := range x.args {
		costs[a] = e.order(a)
		sum += costs[a]
	}
	slices.SortStableFunc(x.args, func(a, b *expr) int { return costs[a] - costs[b] })
	return sum
}

// holds evaluates an expression.
func (x *expr) holds(s *Scratch) bool {
	switch x.op {
	case 'a':
		return s.ask(x.id)
	case '!':
		return !x.args[0].holds(s)
	case '&':
		for _, a := range x.args {
			if !a.holds(s) {
				return false
			}
		}
		return true
	case '|':
		for _, a := range x.args {
			if a.holds(s) {
				return true
			}
		}
		return false
	}
	n := 0
	for _, a := range x.args {
		if a.holds(s) {
			if n++; n >= x.n {
				return true
			}
		}
	}
	return false
}

// Match returns the rules that fire on r, in the order they were given. The
// slice is valid until the next call with the same scratch; dst is reused.
func (e *Engine) Match(s *Scratch, r *Record, dst []*Rule) []*Rule {
	rt := e.route(r.Sources)
	if len(rt.rules) == 0 {
		return dst
	}
	s.load(r)
	s.candidates(rt)
	for i, word := range s.cand {
		for b := 0; word != 0; b, word = b+1, word>>1 {
			if word&1 == 1 {
				if c := e.rules[rt.rules[i*64+b]]; c.cond.holds(s) {
					dst = append(dst, c.rule)
				}
			}
		}
	}
	return dst
}

// MatchAll is Match without candidate selection and routing by literals: the
// slow way that the fast one must agree with.
func (e *Engine) MatchAll(s *Scratch, r *Record, dst []*Rule) []*Rule {
	s.load(r)
	for _, c := range e.rules {
		if routed(c.rule.Logsource, r.Sources) && c.cond.holds(s) {
			dst = append(dst, c.rule)
		}
	}
	return dst
}

// routed reports whether a rule is about events of one of the sources.
func routed(rule Source, of []Source) bool {
	return slices.ContainsFunc(of, func(s Source) bool { return covers(rule, s) })
}

// Severity returns the level of a rule as a severity.
func (r *Rule) Severity() honeyguide.Severity { return r.Level }
