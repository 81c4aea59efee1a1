// Package memory is an event log that forgets: for tests and for trying things
// out. It keeps the whole contract but durability.
package memory

import (
	"cmp"
	"context"
	"fmt"
	"iter"
	"slices"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/kind"
)

// Kind describes this event log.
var Kind = kind.Of("memory", "Keeps events in memory and forgets them at the end; for trials.", Config{}, open)

// Config has nothing to set yet.
type Config struct{}

func open(_ context.Context, _ Config, dep eventlog.Deps) (eventlog.Store, error) {
	return Open(dep), nil
}

// local is the outbox of batches that name none.
const local = "memory"

// Store is the log.
type Store struct {
	now func() time.Time

	mu     sync.Mutex
	base   eventlog.Seq // number before the first record
	recs   []eventlog.Record
	days   []string // arrival day of each record
	next   map[string]int64
	wake   chan struct{} // closed and replaced at each append
	closed bool
}

var _ eventlog.Store = (*Store)(nil)

// Open returns an empty log. Its numbers begin above dep.AtLeast.
func Open(dep eventlog.Deps) *Store {
	now := dep.Now
	if now == nil {
		now = time.Now
	}
	return &Store{now: now, base: dep.AtLeast, next: map[string]int64{}, wake: make(chan struct{})}
}

// Append stores a batch.
func (s *Store) Append(ctx context.Context, b eventlog.Batch) (eventlog.Receipt, error) {
	if err := ctx.Err(); err != nil {
		return eventlog.Receipt{}, err
	}
	events, _, err := eventlog.Admit(b)
	if err != nil {
		return eventlog.Receipt{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return eventlog.Receipt{}, eventlog.ErrClosed
	}
	outbox, first := b.Outbox, b.First
	if outbox == "" {
		outbox, first = local, s.wanted(local)
	}
	want := s.wanted(outbox)
	if first > want {
		return eventlog.Receipt{}, &eventlog.GapError{Outbox: outbox, Wanted: want, Got: first}
	}
	r := eventlog.Receipt{Duplicate: int(min(want-first, int64(len(events)))), Next: want}
	events = events[r.Duplicate:]
	if len(events) == 0 {
		return r, nil
	}
	r.Lo, r.Stored = s.last()+1, len(events)
	day := s.now().UTC().Format(time.DateOnly)
	for i := range events {
		if events[i].ID == "" {
			events[i].ID = eventlog.EventID(outbox, r.Next+int64(i), &events[i])
		}
		s.recs = append(s.recs, eventlog.Record{Seq: r.Lo + eventlog.Seq(i), Event: events[i]})
		s.days = append(s.days, day)
	}
	r.Next += int64(len(events))
	s.next[outbox] = r.Next
	close(s.wake)
	s.wake = make(chan struct{})
	return r, nil
}

func (s *Store) last() eventlog.Seq { return s.base + eventlog.Seq(len(s.recs)) }

func (s *Store) wanted(outbox string) int64 { return max(s.next[outbox], 1) }

// Read returns records after pos and waits at the end.
func (s *Store) Read(ctx context.Context, pos eventlog.Seq, n int) ([]eventlog.Record, error) {
	if n <= 0 {
		n = 1000
	}
	for {
		s.mu.Lock()
		recs, base, wake, closed := s.recs, s.base, s.wake, s.closed
		s.mu.Unlock()
		switch {
		case closed:
			return nil, eventlog.ErrClosed
		case pos < base:
			return nil, fmt.Errorf("%w: %d is below the first, %d", eventlog.ErrTrimmed, pos+1, base+1)
		}
		if at := int(pos - base); at < len(recs) {
			return slices.Clone(recs[at:min(at+n, len(recs))]), nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
}

// Ends returns the first and last number.
func (s *Store) Ends(context.Context) (first, last eventlog.Seq, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, 0, eventlog.ErrClosed
	}
	return s.base + 1, s.last(), nil
}

// Next returns the number wanted next from an outbox.
func (s *Store) Next(_ context.Context, outbox string) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return 0, eventlog.ErrClosed
	}
	return s.wanted(cmp.Or(outbox, local)), nil
}

// Find asks every record.
func (s *Store) Find(ctx context.Context, q eventlog.Query) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		if err := q.Validate(); err != nil {
			yield(eventlog.Record{}, err)
			return
		}
		s.mu.Lock()
		recs, closed := s.recs, s.closed
		s.mu.Unlock()
		if closed {
			yield(eventlog.Record{}, eventlog.ErrClosed)
			return
		}
		found := 0
		for i := len(recs) - 1; i >= 0; i-- {
			if err := ctx.Err(); err != nil {
				yield(eventlog.Record{}, err)
				return
			}
			if !q.Match(&recs[i]) {
				continue
			}
			if found++; !yield(recs[i], nil) || found == q.Limit {
				return
			}
		}
	}
}

// Histogram counts by time.
func (s *Store) Histogram(ctx context.Context, q eventlog.Query, step time.Duration) ([]eventlog.Bucket, error) {
	h, err := eventlog.NewHisto(step)
	if err != nil {
		return nil, err
	}
	for r, err := range s.Find(ctx, q) {
		if err != nil {
			return nil, err
		}
		if err := h.Add(r.Event.Time.UnixMicro(), r.Event.Severity, 1); err != nil {
			return nil, err
		}
	}
	return h.Buckets(), nil
}

// Top counts by the values of a dimension.
func (s *Store) Top(ctx context.Context, q eventlog.Query, dim eventlog.Dim, k int) ([]eventlog.Count, error) {
	var t eventlog.Tally
	for r, err := range s.Find(ctx, q) {
		if err != nil {
			return nil, err
		}
		dim.Values(&r.Event, func(v string) { t.Add(v, 1) })
	}
	return t.Top(k), nil
}

// Drop forgets the days of arrival that ended before a time.
func (s *Store) Drop(_ context.Context, before time.Time) ([]string, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var dropped []string
	for len(s.recs) > 0 && s.days[0] != s.days[len(s.days)-1] {
		n := firstDay(s.days)
		if day, err := time.Parse(time.DateOnly, s.days[0]); err != nil || day.AddDate(0, 0, 1).After(before) || newest(s.recs[:n]).After(before) {
			break
		}
		dropped = append(dropped, s.days[0])
		s.base += eventlog.Seq(n)
		s.recs, s.days = slices.Clone(s.recs[n:]), slices.Clone(s.days[n:])
	}
	return dropped, nil
}

// firstDay counts the records of the first day.
func firstDay(days []string) int {
	if n := slices.IndexFunc(days, func(d string) bool { return d != days[0] }); n >= 0 {
		return n
	}
	return len(days)
}

func newest(recs []eventlog.Record) time.Time {
	return slices.MaxFunc(recs, func(a, b eventlog.Record) int { return a.Event.Time.Compare(b.Event.Time) }).Event.Time
}

// Check finds nothing: memory has no faults worth a report.
func (s *Store) Check(context.Context, func(eventlog.Fault)) error { return nil }

// Events returns all events there are, oldest first: for tests.
func (s *Store) Events() []honeyguide.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]honeyguide.Event, len(s.recs))
	for i := range s.recs {
		out[i] = s.recs[i].Event
	}
	return out
}

// Close ends the log; waiting readers get ErrClosed.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.closed {
		s.closed = true
		close(s.wake)
	}
	return nil
}
