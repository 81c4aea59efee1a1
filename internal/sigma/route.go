package sigma

import "encoding/binary"

// A route is the rules for events of certain log sources, with the index that
// picks candidates among them.
type route struct {
	rules  []int32   // engine's numbers, ascending
	always []uint64  // bits of rules without a literal
	fields []scanner // by field
	whole  *scanner  // of keywords: every value
	exact  []exacts  // by field
}

// exacts are the rules of which one value must equal a text.
type exacts struct {
	field int
	rules map[string][]int32 // positions in the route
}

// route returns the rules for the sources, made on first need.
func (e *Engine) route(sources []Source) *route {
	var buf [256]byte
	key := buf[:0]
	for _, s := range sources {
		for _, t := range []string{s.Product, s.Category, s.Service} {
			key = binary.AppendUvarint(key, uint64(len(t)))
			key = append(key, t...)
		}
	}
	e.mu.RLock()
	rt := e.routes[string(key)]
	e.mu.RUnlock()
	if rt != nil {
		return rt
	}
	rt = e.newRoute(sources)
	e.mu.Lock()
	if len(e.routes) >= maxRoutes {
		clear(e.routes) // only strange input gets here
	}
	e.routes[string(key)] = rt
	e.mu.Unlock()
	return rt
}

func (e *Engine) newRoute(sources []Source) *route {
	rt := &route{}
	for i, c := range e.rules {
		if routed(c.rule.Logsource, sources) {
			rt.rules = append(rt.rules, int32(i))
		}
	}
	rt.always = make([]uint64, (len(rt.rules)+63)/64)
	scan := map[int]map[string][]int32{}
	exact := map[int]map[string][]int32{}
	put := func(m map[int]map[string][]int32, field int, text string, rule int32) {
		if m[field] == nil {
			m[field] = map[string][]int32{}
		}
		m[field][text] = append(m[field][text], rule)
	}
	for i, n := range rt.rules {
		c := e.rules[n]
		if c.lits == nil {
			rt.always[i/64] |= 1 << (i % 64)
		}
		for _, l := range c.lits {
			if l.whole {
				put(exact, l.field, l.text, int32(i))
			} else {
				put(scan, l.field, l.text, int32(i))
			}
		}
	}
	for f, m := range scan {
		if f < 0 {
			rt.whole = newScanner(f, m)
		} else {
			rt.fields = append(rt.fields, *newScanner(f, m))
		}
	}
	for f, m := range exact {
		rt.exact = append(rt.exact, exacts{f, m})
	}
	return rt
}

// candidates sets the bits of the route's rules that can fire at all.
func (s *Scratch) candidates(rt *route) {
	s.cand = append(s.cand[:0], rt.always...)
	for i := range rt.exact {
		x := &rt.exact[i]
		for v := range s.values(x.field) {
			if !v.null {
				s.mark(x.rules[string(s.folded(v))])
			}
		}
	}
	for i := range rt.fields {
		f := &rt.fields[i]
		for v := range s.values(f.field) {
			if !v.null {
				f.scan(s, s.folded(v))
			}
		}
	}
	if rt.whole != nil {
		for i := range s.vals {
			if !s.vals[i].null {
				rt.whole.scan(s, s.folded(&s.vals[i]))
			}
		}
	}
}

func (s *Scratch) mark(rules []int32) {
	for _, r := range rules {
		s.cand[r/64] |= 1 << (r % 64)
	}
}
