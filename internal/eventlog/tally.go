package eventlog

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"honeyguide"
)

// A Histo gathers a histogram. Make it with NewHisto.
type Histo struct {
	step    int64 // microseconds
	buckets map[int64]*Bucket
}

// NewHisto returns an empty histogram with buckets of a step of at least one
// second; less is ErrQuery.
func NewHisto(step time.Duration) (*Histo, error) {
	if step < time.Second {
		return nil, fmt.Errorf("%w: step: want a second or more", ErrQuery)
	}
	return &Histo{step: step.Microseconds(), buckets: map[int64]*Bucket{}}, nil
}

// Add counts n events of a severity at a time in microseconds since 1970.
// ErrQuery: the histogram got more than MaxBuckets.
func (h *Histo) Add(us int64, sev honeyguide.Severity, n int64) error {
	at := us - ((us%h.step)+h.step)%h.step
	b := h.buckets[at]
	if b == nil {
		if len(h.buckets) == MaxBuckets {
			return fmt.Errorf("%w: step: would give over %d buckets; ask for a shorter time or a longer step", ErrQuery, MaxBuckets)
		}
		b = &Bucket{At: time.UnixMicro(at).UTC()}
		h.buckets[at] = b
	}
	b.Counts[min(int(sev), len(b.Counts)-1)] += n
	return nil
}

// Buckets returns what was gathered, oldest first.
func (h *Histo) Buckets() []Bucket {
	out := make([]Bucket, 0, len(h.buckets))
	for _, b := range h.buckets {
		out = append(out, *b)
	}
	slices.SortFunc(out, func(a, b Bucket) int { return a.At.Compare(b.At) })
	return out
}

// maxValues bounds what a tally remembers. Attackers choose values.
const maxValues = 1 << 18

// A Tally counts values within bounded memory. Beyond a quarter of a million
// distinct ones the rarest are forgotten, so that only a frequent value is sure
// to be counted whole. The zero Tally is ready.
type Tally struct{ n map[string]int64 }

// Add counts a value n times more.
func (t *Tally) Add(value string, n int64) {
	if t.n == nil {
		t.n = map[string]int64{}
	}
	for floor := int64(1); len(t.n) >= maxValues; floor *= 2 {
		for v, c := range t.n {
			if c <= floor {
				delete(t.n, v)
			}
		}
	}
	t.n[value] += n
}

// Top returns the k most frequent values, ties in the order of values.
func (t *Tally) Top(k int) []Count {
	out := make([]Count, 0, len(t.n))
	for v, n := range t.n {
		out = append(out, Count{v, n})
	}
	slices.SortFunc(out, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.N, a.N), cmp.Compare(a.Value, b.Value))
	})
	return out[:min(max(k, 0), len(out))]
}
