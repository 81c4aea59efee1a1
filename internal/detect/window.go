package detect

import (
	"slices"
	"strings"
	"time"

	"honeyguide"
)

// Lateness is how much later than younger events an event may come and still
// count as if it had come in order. It is event time: logs are written, shipped
// and read in bursts, and those of two machines overtake each other.
const Lateness = 5 * time.Minute

// When returns the time an event counts for: when it happened, but not later
// than it was seen. A clock that runs ahead at its source would make everything
// else look late.
func When(e *honeyguide.Event) time.Time {
	if !e.Observed.IsZero() && e.Time.After(e.Observed.Add(Lateness)) {
		return e.Observed
	}
	return e.Time
}

// A Mark is one event a window remembers.
type Mark struct {
	At    time.Time
	Event string    // id
	Word  string    // what is counted distinct, e.g. a user name
	Tag   string    // what else is known of it, see Tags
	Text  string    // line of evidence
	Told  bool      // already claimed
	Shown time.Time // the time of the evidence; zero means At
}

// maxMarks bounds a window; no threshold may be above it.
const maxMarks = honeyguide.MaxEvidence

// A Window remembers marks in the order of their times, whatever order they come
// in. What it is asked, it is asked about the spans of time that hold the mark
// added last: so an event that comes late within [Lateness] leads to the same
// answers, and to the same marks told, as if it had come in time. The zero Window
// is ready.
type Window struct {
	marks  []Mark
	span   time.Duration
	last   int    // index of the mark added last
	lo, hi int    // marks of the spans that reached what was asked for
	prefix string // and with words that begin so
}

// Add puts m in and forgets what is too old for any span an event may still come
// for, and the oldest beyond 50.
func (w *Window) Add(m Mark, span time.Duration) {
	m.Text = clip(m.Text, maxText)
	w.span = span
	at := len(w.marks)
	for at > 0 && before(&m, &w.marks[at-1]) {
		at--
	}
	w.marks = slices.Insert(w.marks, at, m)
	from := w.marks[len(w.marks)-1].At.Add(-span - min(span, Lateness))
	old := max(0, len(w.marks)-maxMarks)
	for old < len(w.marks) && !w.marks[old].At.After(from) {
		old++
	}
	if old > 0 {
		clear(w.marks[:old]) // nothing is moved: the list walks through its array
		w.marks = w.marks[old:]
	}
	w.last = at - old // below 0: the mark came too late for anything
	w.lo, w.hi = 0, 0
}

// AddOnce is Add for what matters once in a while only: m stands for all marks of
// its word in its stretch of time, and is added when it is the first. It reports
// whether it was.
func (w *Window) AddOnce(m Mark, stretch, span time.Duration) bool {
	m.Shown, m.At = m.At, m.At.Truncate(stretch)
	for i := len(w.marks) - 1; i >= 0; i-- { // mostly the newest
		if w.marks[i].Word == m.Word && w.marks[i].At.Equal(m.At) {
			return false
		}
	}
	w.Add(m, span)
	return true
}

// Words returns the different words of the marks the last question found, in the
// order of their times.
func (w *Window) Words() []string {
	var out []string
	for i := w.lo; i < w.hi; i++ {
		if !slices.Contains(out, w.marks[i].Word) {
			out = append(out, w.marks[i].Word)
		}
	}
	return out
}

// Tags returns the different tags of the marks the last question found, in the
// order of their times.
func (w *Window) Tags() []string {
	var out []string
	for i := w.lo; i < w.hi; i++ {
		if tag := w.marks[i].Tag; tag != "" && !slices.Contains(out, tag) {
			out = append(out, tag)
		}
	}
	return out
}

// Both reports whether a span that holds the mark added last has words with
// either prefix.
func (w *Window) Both(one, other string) bool {
	return w.reach("", func(part []Mark) bool { return distinct(part, one, 1) && distinct(part, other, 1) })
}

// before orders marks by time, and those of one time by their event.
func before(a, b *Mark) bool {
	if c := a.At.Compare(b.At); c != 0 {
		return c < 0
	}
	return a.Event < b.Event
}

// Reaches reports whether a span that holds the mark added last has n marks or
// more.
func (w *Window) Reaches(n int) bool {
	return w.reach("", func(part []Mark) bool { return len(part) >= n })
}

// Distinct reports whether a span that holds the mark added last has at least n
// different words that begin with prefix.
func (w *Window) Distinct(prefix string, n int) bool {
	return w.reach(prefix, func(part []Mark) bool { return distinct(part, prefix, n) })
}

// reach looks for spans that hold the mark added last and are enough, and
// remembers what lies in them.
func (w *Window) reach(prefix string, enough func([]Mark) bool) bool {
	w.lo, w.hi, w.prefix = 0, 0, prefix
	if w.last < 0 || w.last >= len(w.marks) {
		return false
	}
	m := &w.marks[w.last]
	if w.last == len(w.marks)-1 { // in order, as nearly always: one span holds all others
		lo := w.since(m.At)
		if enough(w.marks[lo:]) {
			w.lo, w.hi = lo, len(w.marks)
		}
		return w.hi > 0
	}
	for end := w.last; end < len(w.marks) && w.marks[end].At.Before(m.At.Add(w.span)); end++ {
		lo := w.since(w.marks[end].At)
		if !enough(w.marks[lo : end+1]) {
			continue
		}
		if w.hi == 0 {
			w.lo = lo
		}
		w.lo, w.hi = min(w.lo, lo), end+1
	}
	return w.hi > 0
}

// since returns the index of the first mark of the span that ends at a time.
func (w *Window) since(end time.Time) int {
	from := end.Add(-w.span)
	i := 0
	for i < len(w.marks) && !w.marks[i].At.After(from) {
		i++
	}
	return i
}

func distinct(part []Mark, prefix string, n int) bool {
	var buf [8]string
	seen := buf[:0]
	for i := range part {
		word := part[i].Word
		if strings.HasPrefix(word, prefix) && !slices.Contains(seen, word) {
			if seen = append(seen, word); len(seen) >= n {
				return true
			}
		}
	}
	return false
}

// Len returns how many marks are remembered.
func (w *Window) Len() int { return len(w.marks) }

// Within returns how many marks lie within span up to a time.
func (w *Window) Within(end time.Time, span time.Duration) int {
	n := 0
	for i := range w.marks {
		if at := w.marks[i].At; at.After(end.Add(-span)) && !at.After(end) {
			n++
		}
	}
	return n
}

// Tell makes a the claim of the marks that lie in the spans found by the last
// question and that no alert told of yet: their ids, times and texts. An alert
// about a mark it already told of counts it no more.
func (w *Window) Tell(a *honeyguide.Alert) {
	a.EventIDs, a.Evidence, a.Count = nil, nil, 0
	for i := w.lo; i < w.hi; i++ {
		m := &w.marks[i]
		if m.Told || !strings.HasPrefix(m.Word, w.prefix) {
			continue
		}
		m.Told = true
		a.Count++
		at := m.At
		if !m.Shown.IsZero() {
			at = m.Shown
		}
		a.Time = earliest(a.Time, at)
		if at.After(a.LastAt) {
			a.LastAt = at
		}
		a.EventIDs = append(a.EventIDs, m.Event)
		a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: m.Event, Time: at, Text: m.Text})
	}
}
