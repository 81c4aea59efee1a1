package sigma

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Correlator counts hits of rules for correlations. It knows event time only:
// the same hits in the same order give the same findings with the same ids,
// however they are cut into batches, and also when it was rebuilt from a
// [Correlator.Snapshot] in between. It is not safe for concurrent use.
//
// The newest time it was told is its clock, so a time from the far future would
// make all later hits late: a record's Time is the time the event was received
// at where the event's own is ahead of it.
type Correlator struct {
	watches []*watch
	of      map[string][]feed // by key of the rule or correlation that hit
	hidden  map[string]bool
	now     stamp // the newest event time: the watermark
	due     deadlines
	touches uint64 // counts uses of groups: which was used last
	bytes   int64
	lost    Lost
	key     []byte // scratch

	maxGroups int   // a correlation
	maxBytes  int64 // in all
}

// Lost counts what a Correlator did not count.
type Lost struct {
	Groups    int64 // forgotten for want of space while their span was open
	Entries   int64 // hits beyond the bound of one group
	Late      int64 // hits older than the allowed lateness
	Ungrouped int64 // hits without a field of group-by
}

// Bounds of one correlation, but for maxBytes, which is for all.
const (
	maxGroups  = 100_000
	maxEntries = 1_000 // of one group
	maxBytes   = 256 << 20
	maxChain   = 8   // correlations of correlations
	maxNamed   = 100 // events a finding names
)

// A Finding is a correlation that fired.
type Finding struct {
	// ID is made of what the finding is about: the correlation, the group and
	// the first hit. The same hits give the same id.
	ID     string
	Rule   *Correlation
	Group  []Field // the values of group-by; hostile
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

// A hit is one of a rule or correlation, as those that watch it see it.
type hit struct {
	key string // of the rule
	rec *Record
	at  stamp
	id  string
}

// NewCorrelator returns a correlator of a set's correlations. Rules and
// correlations that are named but not there, and circles, are faults; those
// correlations are left out, and with them those that stand on them.
func NewCorrelator(set *Ruleset) (*Correlator, []Fault) {
	k := &Correlator{of: map[string][]feed{}, hidden: map[string]bool{}, maxGroups: maxGroups, maxBytes: maxBytes}
	l := newLinks(set)
	var faults []Fault
	for _, c := range set.Correlations {
		depth, err := l.depth(c, nil)
		if err != nil {
			faults = append(faults, Fault{File: c.File, Line: c.Line, Rule: c.Key(), Kind: FaultError, Field: "correlation.rules", Why: err.Error()})
			continue
		}
		w := newWatch(c, depth, len(k.watches))
		k.watches = append(k.watches, w)
		for i, r := range c.Rules {
			k.of[l.keys[r]] = append(k.of[l.keys[r]], feed{w, i})
			if !c.Generate {
				k.hidden[l.keys[r]] = true
			}
		}
	}
	return k, faults
}

// links are the rules and correlations of a set by what others call them.
type links struct {
	keys map[string]string // id or name to key
	by   map[string]*Correlation
}

func newLinks(set *Ruleset) *links {
	l := &links{keys: map[string]string{}, by: map[string]*Correlation{}}
	for _, r := range set.Rules {
		l.name(&r.Meta)
	}
	for _, c := range set.Correlations {
		l.name(&c.Meta)
		l.by[c.Key()] = c
	}
	return l
}

func (l *links) name(m *Meta) {
	for _, n := range []string{m.ID, m.Name} {
		if n != "" {
			l.keys[n] = m.Key()
		}
	}
}

// depth returns how many correlations stand on one another below c.
func (l *links) depth(c *Correlation, path []string) (int, error) {
	if slices.Contains(path, c.Key()) {
		return 0, fmt.Errorf("correlations refer to each other in a circle: %s", strings.Join(append(path, c.Key()), " -> "))
	}
	if len(path) >= maxChain {
		return 0, fmt.Errorf("correlations stand on one another more than %d deep", maxChain)
	}
	path = append(slices.Clone(path), c.Key())
	deepest := 0
	for _, r := range c.Rules {
		key, ok := l.keys[r]
		if !ok {
			return 0, fmt.Errorf("there is no rule %q: rules are referred to by id or name", r)
		}
		if next := l.by[key]; next != nil {
			d, err := l.depth(next, path)
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

// Watches reports whether any correlation counts hits of the rule.
func (k *Correlator) Watches(r *Rule) bool { return len(k.of[r.Key()]) > 0 }

// Len returns the number of correlations at work.
func (k *Correlator) Len() int { return len(k.watches) }

// Lost returns what was not counted so far.
func (k *Correlator) Lost() Lost { return k.lost }

// Groups returns how many groups are remembered.
func (k *Correlator) Groups() int {
	n := 0
	for _, w := range k.watches {
		n += len(w.groups)
	}
	return n
}

// Bytes returns about how much memory the groups take.
func (k *Correlator) Bytes() int64 { return k.bytes }

// Reach returns how far back hits are remembered at most: a correlator that saw
// all events of this span is as good as one that always ran, but for groups
// that fired just before it.
func (k *Correlator) Reach() time.Duration {
	var reach time.Duration
	for _, w := range k.watches {
		reach = max(reach, w.c.Timespan+w.lateness())
	}
	return reach
}

// Hit counts a hit of a rule on a record and returns the correlations that fire
// by it. Spans that end before the record's time are closed first.
func (k *Correlator) Hit(r *Rule, rec *Record) []Finding {
	out := k.Advance(rec.Time)
	return k.feed(hit{r.Key(), rec, stampOf(rec.Time), rec.ID}, out)
}

// feed gives a hit to the correlations that watch its rule, and what they find
// to those that watch them.
func (k *Correlator) feed(h hit, out []Finding) []Finding {
	for _, f := range k.of[h.key] {
		if x, ok := k.count(f, &h); ok {
			out = k.found(&x, stampOf(x.Last), out)
		}
	}
	return out
}

// found reports a finding unless it only feeds others, and feeds them.
func (k *Correlator) found(x *Finding, at stamp, out []Finding) []Finding {
	key := x.Rule.Key()
	if !k.hidden[key] {
		out = append(out, *x)
	}
	id := x.ID
	if len(x.Events) > 0 {
		id = x.Events[len(x.Events)-1]
	}
	return k.feed(hit{key, &Record{Fields: x.Group}, at, id}, out)
}

// Advance tells the time: spans that are over are judged where their condition
// can only be judged then, in the order they end. Tell it the times of all
// events, also of those that hit nothing, or an end is noticed late.
func (k *Correlator) Advance(now time.Time) []Finding {
	to := stampOf(now)
	if to <= k.now {
		return nil
	}
	var out []Finding
	for len(k.due) > 0 && k.due[0].due < to {
		g := k.due[0]
		k.now = max(k.now, g.due)
		out = k.end(g, out)
	}
	k.now = to
	for _, w := range k.watches {
		k.expire(w)
	}
	return out
}

// expire forgets groups that can say nothing any more.
func (k *Correlator) expire(w *watch) {
	if w.atEnd {
		return // they end by themselves
	}
	for el := w.recent.Back(); el != nil; el = w.recent.Back() {
		g := el.Value.(*group)
		if k.now-g.newest <= w.span+w.late {
			return // the rest was hit more recently
		}
		k.forget(g)
	}
}

// end judges a group whose span is over.
func (k *Correlator) end(g *group, out []Finding) []Finding {
	w, at := g.w, g.due
	var x Finding
	ok := false
	if len(g.entries) > 0 {
		x, ok = w.judge(g, 0, len(g.entries)-1)
	} else {
		x, ok = w.silence(g), true
	}
	if !ok && w.zero {
		// Nothing at all would fire: the next span is watched for that.
		k.bytes -= g.size()
		g.entries, g.counts, g.from = nil, nil, 0
		g.start, g.due = g.due, g.due+w.span
		k.bytes += g.size()
		k.due.fix(g)
		return out
	}
	k.forget(g)
	if ok {
		out = k.found(&x, at, out)
	}
	return out
}

// count puts a hit into its group and judges the group.
func (k *Correlator) count(f feed, h *hit) (Finding, bool) {
	w := f.w
	if k.now-h.at > w.late {
		k.lost.Late++
		return Finding{}, false
	}
	key := k.key[:0]
	for _, by := range w.c.GroupBy {
		v, ok := fieldOf(h.rec, w.c.resolve(by, w.c.Rules[f.at], h.key))
		if !ok {
			k.lost.Ungrouped++
			return Finding{}, false
		}
		key = appendText(key, v)
	}
	k.key = key
	value, ok := w.value(h.rec, f, h.key)
	if !ok {
		return Finding{}, false // nothing to count
	}
	g := k.group(f, h)
	before := g.size()
	if !g.add(entry{at: h.at, id: h.id, value: value, rule: int32(f.at)}) {
		return Finding{}, false
	}
	if len(g.entries) > maxEntries {
		i := g.least()
		if i >= g.from {
			k.lost.Entries++
		}
		g.drop(i)
	}
	var x Finding
	fires := false
	if !w.atEnd {
		g.trim()
		x, fires = w.windows(g, h.at)
	}
	k.bytes += g.size() - before
	k.makeRoom(g)
	return x, fires
}

// group returns the group of the key at hand and makes it the one used last.
func (k *Correlator) group(f feed, h *hit) *group {
	w := f.w
	k.touches++
	if g, ok := w.groups[string(k.key)]; ok {
		g.touched = k.touches
		w.recent.MoveToFront(g.el)
		return g
	}
	if len(w.groups) >= k.maxGroups {
		k.expire(w)
	}
	if len(w.groups) >= k.maxGroups {
		k.lost.Groups++
		k.forget(w.recent.Back().Value.(*group))
	}
	g := &group{w: w, key: string(k.key), newest: h.at, start: h.at, due: h.at + w.span, touched: k.touches}
	for _, by := range w.c.GroupBy {
		v, _ := fieldOf(h.rec, w.c.resolve(by, w.c.Rules[f.at], h.key))
		g.values = append(g.values, Field{Name: by, Text: strings.Clone(v)})
	}
	k.remember(g)
	return g
}

func (k *Correlator) remember(g *group) {
	g.w.groups[g.key] = g
	g.el = g.w.recent.PushFront(g)
	if g.w.atEnd {
		k.due.push(g)
	}
	k.bytes += g.size()
}

func (k *Correlator) forget(g *group) {
	delete(g.w.groups, g.key)
	g.w.recent.Remove(g.el)
	if g.w.atEnd {
		k.due.remove(g)
	}
	k.bytes -= g.size()
}

// makeRoom forgets the groups used longest ago, whichever correlation they are
// of, until all fit; never keep.
func (k *Correlator) makeRoom(keep *group) {
	if k.bytes <= k.maxBytes {
		return
	}
	for _, w := range k.watches {
		k.expire(w)
	}
	for k.bytes > k.maxBytes {
		var oldest *group
		for _, w := range k.watches {
			if el := w.recent.Back(); el != nil {
				if g := el.Value.(*group); g != keep && (oldest == nil || g.touched < oldest.touched) {
					oldest = g
				}
			}
		}
		if oldest == nil {
			return
		}
		k.lost.Groups++
		k.forget(oldest)
	}
}
