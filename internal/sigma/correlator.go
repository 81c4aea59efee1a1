package sigma

import (
	"container/list"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Correlator counts hits of rules for correlations. It knows event time only:
// the same hits in the same order give the same findings, however they are cut
// into batches. It is not safe for concurrent use.
type Correlator struct {
	rules  []*watch
	of     map[string][]feed // by key of the rule or correlation that hit
	hidden map[string]bool
	now    time.Time // the newest event time: the watermark
	lost   Lost
}

// Lost counts what a Correlator's bounds made it forget.
type Lost struct {
	Groups  int64 // forgotten while their span was open
	Entries int64 // hits beyond the bound of one group
	Late    int64 // hits older than the allowed lateness
}

// Bounds of one correlation.
const (
	maxGroups  = 100_000
	maxEntries = 1_000
	maxChain   = 8 // correlations of correlations
	maxNamed   = 100
)

// A Finding is a correlation that fired.
type Finding struct {
	Rule   *Correlation
	Group  []Field // the values of group-by
	First  time.Time
	Last   time.Time
	Events []string // the first hundred
	Count  int
	Value  float64 // what was compared with the condition
	Why    string
}

// A feed is a correlation that watches a rule, and the rule's place in it.
type feed struct {
	w  *watch
	at int
}

// A watch is one correlation at work.
type watch struct {
	c      *Correlation
	depth  int
	groups map[string]*list.Element // of *group
	recent list.List                // most recently hit first
	feeds  []feed                   // correlations that watch this one
	atEnd  bool
}

// A group is what a correlation knows of one combination of values.
type group struct {
	key     string
	values  []Field
	entries []entry // by time
	fired   time.Time
}

type entry struct {
	at    time.Time
	id    string
	value string
	rule  int32
}

// NewCorrelator returns a correlator of a set's correlations. Rules and
// correlations that are named but not there, and cycles, are faults; those
// correlations are left out.
func NewCorrelator(set *Ruleset) (*Correlator, []Fault) {
	k := &Correlator{of: map[string][]feed{}, hidden: map[string]bool{}}
	known := map[string]string{} // id or name to key
	for _, r := range set.Rules {
		name(known, &r.Meta)
	}
	byKey := map[string]*Correlation{}
	for _, c := range set.Correlations {
		name(known, &c.Meta)
		byKey[c.Key()] = c
	}
	var faults []Fault
	fault := func(c *Correlation, format string, args ...any) {
		faults = append(faults, Fault{File: c.File, Line: c.Line, Rule: c.Key(), Kind: FaultError, Field: "correlation.rules", Why: fmt.Sprintf(format, args...)})
	}
	for _, c := range set.Correlations {
		depth, err := depthOf(c, known, byKey, nil)
		if err != nil {
			fault(c, "%s", err)
			continue
		}
		w := &watch{c: c, depth: depth, groups: map[string]*list.Element{}, atEnd: slices.ContainsFunc(c.Bounds, Bound.atEnd)}
		k.rules = append(k.rules, w)
		for i, r := range c.Rules {
			k.of[known[r]] = append(k.of[known[r]], feed{w, i})
			if !c.Generate {
				k.hidden[known[r]] = true
			}
		}
	}
	slices.SortStableFunc(k.rules, func(a, b *watch) int { return a.depth - b.depth })
	return k, faults
}

func name(known map[string]string, m *Meta) {
	for _, n := range []string{m.ID, m.Name} {
		if n != "" {
			known[n] = m.Key()
		}
	}
}

// depthOf returns how many correlations stand on one another below c.
func depthOf(c *Correlation, known map[string]string, by map[string]*Correlation, path []string) (int, error) {
	if slices.Contains(path, c.Key()) {
		return 0, fmt.Errorf("correlations refer to each other in a circle: %s", strings.Join(append(path, c.Key()), " -> "))
	}
	if len(path) >= maxChain {
		return 0, fmt.Errorf("correlations stand on one another more than %d deep", maxChain)
	}
	deepest := 0
	for _, r := range c.Rules {
		key, ok := known[r]
		if !ok {
			return 0, fmt.Errorf("there is no rule %q", r)
		}
		if next := by[key]; next != nil {
			d, err := depthOf(next, known, by, append(path, c.Key()))
			if err != nil {
				return 0, err
			}
			deepest = max(deepest, d+1)
		}
	}
	return deepest, nil
}

// Hidden reports whether a rule only feeds correlations: its hits alone raise
// no alert.
func (k *Correlator) Hidden(r *Rule) bool { return k.hidden[r.Key()] }

// Lost returns what was forgotten so far.
func (k *Correlator) Lost() Lost { return k.lost }

// Groups returns how many groups are remembered.
func (k *Correlator) Groups() int {
	n := 0
	for _, w := range k.rules {
		n += len(w.groups)
	}
	return n
}

// Hit counts a hit of a rule on a record and returns the correlations that fire
// by it. Spans that end before the record's time are closed first.
func (k *Correlator) Hit(r *Rule, rec *Record) []Finding {
	out := k.Advance(rec.Time)
	return k.hit(r.Key(), rec, rec.Time, rec.ID, out)
}

func (k *Correlator) hit(key string, rec *Record, at time.Time, id string, out []Finding) []Finding {
	for _, f := range k.of[key] {
		for _, x := range k.count(f, key, rec, at, id) {
			out = append(out, x)
			out = k.hit(f.w.c.Key(), groupRecord(&x), x.Last, x.Events[len(x.Events)-1], out)
		}
	}
	return out
}

// groupRecord is a finding as the correlations above it see it.
func groupRecord(x *Finding) *Record {
	return &Record{Time: x.Last, Fields: x.Group}
}

// Advance tells the time: spans that are over are judged where their condition
// can only be judged then.
func (k *Correlator) Advance(now time.Time) []Finding {
	if !now.After(k.now) {
		return nil
	}
	k.now = now
	var out []Finding
	for _, w := range k.rules {
		for el := w.recent.Back(); el != nil; {
			g, prev := el.Value.(*group), el.Prev()
			newest := g.entries[len(g.entries)-1].at
			if w.atEnd {
				if now.Sub(g.entries[0].at) <= w.c.Timespan {
					el = prev
					continue
				}
				if x, ok := w.judge(g, g.entries); ok {
					out = append(out, x)
					out = k.hit(w.c.Key(), groupRecord(&x), x.Last, x.Events[len(x.Events)-1], out)
				}
				w.forget(el)
			} else if now.Sub(newest) > w.c.Timespan+w.lateness() {
				w.forget(el)
			} else {
				break // the rest was hit more recently
			}
			el = prev
		}
	}
	return out
}

// lateness is how late a hit may come.
func (w *watch) lateness() time.Duration { return min(2*w.c.Timespan, time.Hour) }

func (w *watch) forget(el *list.Element) {
	delete(w.groups, el.Value.(*group).key)
	w.recent.Remove(el)
}

// count puts a hit into its group and judges the group.
func (k *Correlator) count(f feed, rule string, rec *Record, at time.Time, id string) []Finding {
	w := f.w
	if k.now.Sub(at) > w.c.Timespan+w.lateness() {
		k.lost.Late++
		return nil
	}
	values := make([]Field, len(w.c.GroupBy))
	var key strings.Builder
	for i, by := range w.c.GroupBy {
		v, _ := fieldOf(rec, w.c.resolve(by, w.c.Rules[f.at], rule))
		values[i] = Field{Name: by, Text: v}
		fmt.Fprintf(&key, "%d:%s", len(v), v)
	}
	value, ok := w.value(rec, f, rule)
	if !ok {
		return nil // nothing to count
	}
	g := k.group(w, key.String(), values)
	e := entry{at: at, id: id, value: value, rule: int32(f.at)}
	i, _ := slices.BinarySearchFunc(g.entries, e, func(a, b entry) int {
		if a.at.After(b.at) {
			return 1
		}
		return -1 // behind those of its own time
	})
	g.entries = slices.Insert(g.entries, i, e)
	if len(g.entries) > maxEntries {
		g.entries = g.entries[1:]
		k.lost.Entries++
	}
	if w.atEnd {
		return nil
	}
	g.trim(w.c.Timespan + w.lateness())
	return w.windows(g, at)
}

// group returns the group of a key and makes it the most recently hit.
func (k *Correlator) group(w *watch, key string, values []Field) *group {
	if el, ok := w.groups[key]; ok {
		w.recent.MoveToFront(el)
		return el.Value.(*group)
	}
	if len(w.groups) >= maxGroups {
		w.forget(w.recent.Back())
		k.lost.Groups++
	}
	g := &group{key: key, values: values}
	w.groups[key] = w.recent.PushFront(g)
	return g
}

// trim drops what is older than span before the newest.
func (g *group) trim(span time.Duration) {
	from := g.entries[len(g.entries)-1].at.Add(-span)
	n := 0
	for n < len(g.entries) && g.entries[n].at.Before(from) {
		n++
	}
	g.entries = g.entries[n:]
}

// windows judges every window that holds the hit at at: one ends at it, and a
// late one stands in the windows of those that came before.
func (w *watch) windows(g *group, at time.Time) []Finding {
	for end := range g.entries {
		last := g.entries[end].at
		if last.Before(at) || last.Sub(at) > w.c.Timespan {
			continue
		}
		from := 0
		for g.entries[from].at.Before(last.Add(-w.c.Timespan)) {
			from++
		}
		if !g.fired.IsZero() && last.Sub(g.fired) <= w.c.Timespan {
			continue // told of within the span
		}
		if x, ok := w.judge(g, g.entries[from:end+1]); ok {
			g.fired = last
			g.entries = g.entries[end+1:]
			if len(g.entries) == 0 {
				g.entries = append(g.entries[:0:0], entry{at: last, rule: -1}) // keeps its time
			}
			return []Finding{x}
		}
	}
	return nil
}

// resolve returns the field a name stands for in a rule.
func (c *Correlation) resolve(name, as, key string) string {
	if of, ok := c.Aliases[name]; ok {
		for _, r := range []string{as, key} {
			if f, ok := of[r]; ok {
				return f
			}
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

// value returns what of the record is counted.
func (w *watch) value(rec *Record, f feed, rule string) (string, bool) {
	if len(w.c.Fields) == 0 {
		return "", true
	}
	var parts []string
	for _, name := range w.c.Fields {
		v, ok := fieldOf(rec, w.c.resolve(name, w.c.Rules[f.at], rule))
		if !ok {
			return "", false
		}
		parts = append(parts, v)
	}
	return strings.Join(parts, "\x00"), true
}
