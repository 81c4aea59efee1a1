package sigma

import (
	"container/list"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A watch is one correlation at work.
type watch struct {
	c      *Correlation
	depth  int // correlations below it
	number int
	groups map[string]*group
	recent list.List // of *group, the one used last first

	span, late stamp // of the correlation, as differences
	atEnd      bool  // judged when the span is over
	zero       bool  // fires on a span without a hit
	counted    bool  // by value
	numeric    bool  // values are numbers

	seen []bool // scratch of sequence
}

func newWatch(c *Correlation, depth, number int) *watch {
	w := &watch{c: c, depth: depth, number: number, groups: map[string]*group{}, span: stamp(c.Timespan / time.Microsecond)}
	w.atEnd = slices.ContainsFunc(c.Bounds, Bound.atEnd)
	w.late = stamp(w.lateness() / time.Microsecond)
	w.counted = c.Type == "value_count" || c.Type == "value_percentile"
	w.numeric = c.Type == "value_sum" || c.Type == "value_avg"
	w.zero = w.atEnd && (c.Type == "event_count" || c.Type == "value_count") && w.holds(0)
	w.seen = make([]bool, len(c.Rules))
	return w
}

// lateness is how late a hit may come.
func (w *watch) lateness() time.Duration { return min(2*w.c.Timespan, time.Hour) }

// holds reports whether every bound holds.
func (w *watch) holds(v float64) bool {
	for _, b := range w.c.Bounds {
		if !b.holds(v) {
			return false
		}
	}
	return true
}

// resolve returns the field a name stands for in a rule.
func (c *Correlation) resolve(name, as, key string) string {
	if of, ok := c.Aliases[name]; ok {
		if f, ok := of[as]; ok {
			return f
		}
		if f, ok := of[key]; ok {
			return f
		}
	}
	return name
}

func fieldOf(rec *Record, name string) (string, bool) {
	for i := range rec.Fields {
		if f := &rec.Fields[i]; f.Name == name && !f.Null {
			return f.Text, true
		}
	}
	return "", false
}

// value returns what of a record is counted; false when it lacks it.
func (w *watch) value(rec *Record, f feed, key string) (string, bool) {
	var tuple []byte
	for i, name := range w.c.Fields {
		v, ok := fieldOf(rec, w.c.resolve(name, w.c.Rules[f.at], key))
		if !ok {
			return "", false
		}
		if w.numeric {
			_, ok = number(v)
		}
		if len(w.c.Fields) == 1 {
			return v, ok
		}
		if i == 0 {
			tuple = make([]byte, 0, 64)
		}
		tuple = appendText(tuple, v)
	}
	return string(tuple), true
}

// appendText appends a text so that several stay apart.
func appendText(b []byte, s string) []byte {
	b = strconv.AppendInt(b, int64(len(s)), 10)
	b = append(b, ':')
	return append(b, s...)
}

// windows judges every window that holds the hit at at: one ends at it, and a
// late one stands in the windows of those that came after it, too.
func (w *watch) windows(g *group, at stamp) (Finding, bool) {
	from := 0
	for end := g.search(at); end < len(g.entries); end++ {
		last := g.entries[end].at
		if last-at > w.span {
			break
		}
		if end == len(g.entries)-1 {
			from = g.from
		}
		for g.entries[from].at < last-w.span {
			from++
		}
		if g.hasFired && last-g.fired <= w.span {
			continue // told of within the span
		}
		if end < len(g.entries)-1 && g.entries[end+1].at == last {
			continue // the same window
		}
		if x, ok := w.judge(g, from, end); ok {
			g.hasFired, g.fired = true, last
			g.entries = slices.Clone(g.entries[end+1:])
			g.settle()
			return x, true
		}
	}
	return Finding{}, false
}

// order says how a temporal correlation wants its rules.
func (w *watch) order() string {
	if w.c.Type == "temporal_ordered" {
		return "in order"
	}
	return "in any order"
}

func (w *watch) fields() string { return strings.Join(w.c.Fields, ", ") }
