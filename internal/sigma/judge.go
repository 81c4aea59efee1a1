package sigma

import (
	"fmt"
	"strings"
	"time"
)

// judge asks the condition of the hits in one window.
func (w *watch) judge(g *group, hits []entry) (Finding, bool) {
	live := hits[:0:0]
	for _, h := range hits {
		if h.rule >= 0 {
			live = append(live, h)
		}
	}
	if len(live) == 0 {
		return Finding{}, false
	}
	x := Finding{Rule: w.c, Group: g.values, First: live[0].at, Last: live[len(live)-1].at, Count: len(live)}
	for _, h := range live {
		if len(x.Events) < maxNamed {
			x.Events = append(x.Events, h.id)
		}
	}
	switch w.c.Type {
	case "event_count":
		x.Value, x.Why = float64(len(live)), "hits"
	case "value_count":
		x.Value, x.Why = distinct(live), "different values of "+strings.Join(w.c.Fields, ", ")
	case "value_sum":
		x.Value, x.Why = sum(live), "is the sum of "+w.c.Fields[0]
	case "value_avg":
		x.Value, x.Why = sum(live)/float64(len(live)), "is the average of "+w.c.Fields[0]
	case "value_percentile":
		// The specification leaves open whose percentile is meant; taken is
		// the share of the hits that carry the newest hit's value.
		x.Value, x.Why = share(live), "percent of the hits carry the value of "+w.c.Fields[0]
	default:
		return w.sequence(x, live)
	}
	for _, b := range w.c.Bounds {
		if !b.holds(x.Value) {
			return Finding{}, false
		}
	}
	x.Why = fmt.Sprintf("%g %s within %s", x.Value, x.Why, w.c.Timespan)
	return x, true
}

func distinct(hits []entry) float64 {
	seen := make(map[string]struct{}, len(hits))
	for i := range hits {
		seen[hits[i].value] = struct{}{}
	}
	return float64(len(seen))
}

func sum(hits []entry) float64 {
	s := 0.0
	for i := range hits {
		n, _ := number(hits[i].value)
		s += n
	}
	return s
}

func share(hits []entry) float64 {
	n := 0
	for i := range hits {
		if hits[i].value == hits[len(hits)-1].value {
			n++
		}
	}
	return 100 * float64(n) / float64(len(hits))
}

// sequence judges temporal correlations: how many of the rules hit, in any
// order or in the order listed.
func (w *watch) sequence(x Finding, hits []entry) (Finding, bool) {
	n := len(w.c.Rules)
	seen := make([]bool, n)
	begun := make([]time.Time, n) // of the longest ordered run that ends with this rule
	got := 0
	for _, h := range hits {
		r := int(h.rule)
		if w.c.Type == "temporal" {
			if !seen[r] {
				seen[r] = true
				got++
			}
			continue
		}
		switch {
		case r == 0:
			begun[0] = h.at
			got = max(got, 1)
		case !begun[r-1].IsZero() && h.at.Sub(begun[r-1]) <= w.c.Timespan:
			begun[r] = begun[r-1]
			got = max(got, r+1)
		}
	}
	x.Value = float64(got)
	if len(w.c.Bounds) == 0 && got < n {
		return Finding{}, false
	}
	for _, b := range w.c.Bounds {
		if !b.holds(x.Value) {
			return Finding{}, false
		}
	}
	order := "in any order"
	if w.c.Type == "temporal_ordered" {
		order = "in order"
	}
	x.Why = fmt.Sprintf("%d of %d rules hit %s within %s", got, n, order, w.c.Timespan)
	return x, true
}
