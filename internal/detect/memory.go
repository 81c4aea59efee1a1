package detect

import (
	"container/list"
	"slices"
	"strings"
	"time"

	"honeyguide"
)

// A Memory keeps one value for each of a bounded number of keys; the least
// recently used is forgotten first. It is not safe for concurrent use.
type Memory[V any] struct {
	limit int
	fresh func() V
	by    map[string]*list.Element
	order *list.List // front: used last
}

type remembered[V any] struct {
	key   string
	value V
}

// NewMemory returns a memory of up to limit keys; fresh makes the value of a
// new one.
func NewMemory[V any](limit int, fresh func() V) *Memory[V] {
	return &Memory[V]{limit: limit, fresh: fresh, by: map[string]*list.Element{}, order: list.New()}
}

// At returns the value of key, made when it is new.
func (m *Memory[V]) At(key string) *V {
	if el, ok := m.by[key]; ok {
		m.order.MoveToFront(el)
		return &el.Value.(*remembered[V]).value
	}
	if len(m.by) >= m.limit {
		oldest := m.order.Back()
		delete(m.by, oldest.Value.(*remembered[V]).key)
		m.order.Remove(oldest)
	}
	r := &remembered[V]{key: key, value: m.fresh()}
	m.by[key] = m.order.PushFront(r)
	return &r.value
}

// Peek returns the value of key without making or refreshing it.
func (m *Memory[V]) Peek(key string) (*V, bool) {
	el, ok := m.by[key]
	if !ok {
		return nil, false
	}
	return &el.Value.(*remembered[V]).value, true
}

// Len returns how many keys are remembered.
func (m *Memory[V]) Len() int { return len(m.by) }

// A Mark is one event a window remembers.
type Mark struct {
	At    time.Time
	Event string // id
	Word  string // what is counted distinct, e.g. a user name
	Text  string // line of evidence
	Told  bool   // already claimed
}

// maxMarks bounds a window; no threshold may be above it.
const maxMarks = honeyguide.MaxEvidence

// A Window remembers the last marks within a span of event time. The zero
// Window is ready.
type Window struct{ marks []Mark }

// Add puts m in and forgets what is older than span before it, and the oldest
// beyond 50.
func (w *Window) Add(m Mark, span time.Duration) {
	from := m.At.Add(-span)
	old := func(x Mark) bool { return !x.At.After(from) }
	if slices.ContainsFunc(w.marks, old) { // rarely: marks are moved only then
		w.marks = slices.DeleteFunc(w.marks, old)
	}
	if len(w.marks) >= maxMarks {
		w.marks = w.marks[1:]
	}
	m.Text = clip(m.Text, maxText)
	w.marks = append(w.marks, m)
}

// Len returns how many marks there are.
func (w *Window) Len() int { return len(w.marks) }

// Since returns how many marks are younger than span before now.
func (w *Window) Since(now time.Time, span time.Duration) int {
	n := 0
	for _, m := range w.marks {
		if m.At.After(now.Add(-span)) {
			n++
		}
	}
	return n
}

// Distinct reports whether the marks whose words begin with prefix have at
// least n different words.
func (w *Window) Distinct(prefix string, n int) bool {
	var buf [8]string
	seen := buf[:0]
	for i := range w.marks {
		word := w.marks[i].Word
		if strings.HasPrefix(word, prefix) && !slices.Contains(seen, word) {
			if seen = append(seen, word); len(seen) >= n {
				return true
			}
		}
	}
	return false
}

// Tell makes a the claim of all marks no alert told of yet: their ids, times
// and texts. An alert about a mark it already told of counts it no more.
func (w *Window) Tell(a *honeyguide.Alert) {
	a.EventIDs, a.Evidence, a.Count = nil, nil, 0
	for i := range w.marks {
		m := &w.marks[i]
		if m.Told {
			continue
		}
		m.Told = true
		a.Count++
		a.Time = earliest(a.Time, m.At)
		a.EventIDs = append(a.EventIDs, m.Event)
		a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: m.Event, Time: m.At, Text: m.Text})
	}
}
