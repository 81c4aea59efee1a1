package sigma

import "time"

// MatchTimed is [Engine.Match] that tells how long each rule took that was asked
// at all, for finding those that cost much. The first rule to ask an atom pays
// for all that share it.
func (e *Engine) MatchTimed(s *Scratch, r *Record, dst []*Rule, now func() time.Time, spent func(*Rule, time.Duration)) []*Rule {
	rt := e.route(r.Sources)
	if len(rt.rules) == 0 {
		return dst
	}
	s.load(r)
	s.candidates(rt)
	for i, word := range s.cand {
		for b := 0; word != 0; b, word = b+1, word>>1 {
			if word&1 == 0 {
				continue
			}
			c := e.rules[rt.rules[i*64+b]]
			began := now()
			if c.cond.holds(s) {
				dst = append(dst, c.rule)
			}
			spent(c.rule, now().Sub(began))
		}
	}
	return dst
}
