package sigma

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
)

// judge asks the condition of the entries from to end, both included, of a
// group.
func (w *watch) judge(g *group, from, end int) (Finding, bool) {
	v := w.measure(g, from, end)
	if w.temporal() && len(w.c.Bounds) == 0 {
		if int(v) < len(w.c.Rules) {
			return Finding{}, false
		}
	} else if !w.holds(v) {
		return Finding{}, false
	}
	return w.finding(g, g.entries[from:end+1], v), true
}

func (w *watch) temporal() bool { return w.c.Type == "temporal" || w.c.Type == "temporal_ordered" }

// measure returns what the condition is about.
func (w *watch) measure(g *group, from, end int) float64 {
	hits := g.entries[from : end+1]
	switch w.c.Type {
	case "event_count":
		return float64(len(hits))
	case "value_count":
		return float64(len(g.valuesOf(from, end)))
	case "value_sum":
		return sum(hits)
	case "value_avg":
		return sum(hits) / float64(len(hits))
	case "value_percentile":
		// The specification leaves open whose percentile is meant; taken is
		// the share of the hits that carry the newest hit's value.
		return 100 * float64(g.valuesOf(from, end)[hits[len(hits)-1].value]) / float64(len(hits))
	}
	return float64(w.sequence(hits))
}

// valuesOf returns how often a window has each value.
func (g *group) valuesOf(from, end int) map[string]int32 {
	if from == g.from && end == len(g.entries)-1 {
		return g.counts
	}
	m := make(map[string]int32, end-from+1)
	for i := from; i <= end; i++ {
		m[g.entries[i].value]++
	}
	return m
}

func sum(hits []entry) float64 {
	s := 0.0
	for i := range hits {
		n, _ := number(hits[i].value)
		s += n
	}
	return s
}

// sequence returns how many of the rules hit, in any order or in the order they
// are listed. Hits of one time may be in any order.
func (w *watch) sequence(hits []entry) int {
	seen := w.seen
	clear(seen)
	got := 0
	if w.c.Type == "temporal" {
		for i := range hits {
			if r := hits[i].rule; !seen[r] {
				seen[r] = true
				got++
			}
		}
		return got
	}
	for i := 0; i < len(hits); {
		next := i + 1
		for next < len(hits) && hits[next].at == hits[i].at {
			next++
		}
		for again := true; again && got < len(seen); {
			again = false
			for j := i; j < next; j++ {
				if int(hits[j].rule) == got {
					got++
					again = true
					break
				}
			}
		}
		i = next
	}
	return got
}

// finding tells of hits that fulfil the condition by a value v.
func (w *watch) finding(g *group, hits []entry, v float64) Finding {
	x := Finding{
		Rule: w.c, Group: g.values, First: hits[0].at.time(), Last: hits[len(hits)-1].at.time(), Count: len(hits),
		Value: v, Why: w.why(v),
	}
	for i := range hits[:min(len(hits), maxNamed)] {
		x.Events = append(x.Events, hits[i].id)
	}
	x.ID = findingID(w.c, g, hits[0].at, hits[0].id)
	return x
}

// silence tells of a span without a hit, in a group that had hits before.
func (w *watch) silence(g *group) Finding {
	return Finding{
		ID: findingID(w.c, g, g.start, ""), Rule: w.c, Group: g.values, First: g.start.time(), Last: g.due.time(),
		Why: w.why(0),
	}
}

// findingID is a digest of what a finding is about.
func findingID(c *Correlation, g *group, first stamp, id string) string {
	b := appendText(nil, c.Key())
	b = appendText(b, g.key)
	b = strconv.AppendInt(b, int64(first), 10)
	b = appendText(b, id)
	h := sha256.Sum256(b)
	return hex.EncodeToString(h[:16])
}

// why says in words what was compared.
func (w *watch) why(v float64) string {
	n := strconv.FormatFloat(v, 'f', -1, 64)
	what := ""
	switch w.c.Type {
	case "event_count":
		what = n + " hits"
	case "value_count":
		what = n + " different values of " + w.fields()
	case "value_sum":
		what = n + " is the sum of " + w.fields()
	case "value_avg":
		what = n + " is the average of " + w.fields()
	case "value_percentile":
		what = n + " percent of the hits carry the value of " + w.fields()
	default:
		what = fmt.Sprintf("%s of %d rules hit %s", n, len(w.c.Rules), w.order())
	}
	return what + " within " + w.c.Timespan.String()
}
