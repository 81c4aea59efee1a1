// Package eventlogtest says what every event log must do. A kind's test calls
// Run, and Durable when it outlives its process.
package eventlogtest

import (
	"context"
	"errors"
	"fmt"
	"math"
	"reflect"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/eventlog"
)

// Env is where and when a log under test lives.
type Env struct {
	Dir string
	Now func() time.Time
}

// Open opens a log over env. The suite closes it.
type Open func(t testing.TB, env Env) eventlog.Store

// Start is when the suite's clock begins.
var start = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// clock is a clock that is set by hand.
type clock struct{ ns atomic.Int64 }

func newClock(at time.Time) *clock {
	c := &clock{}
	c.set(at)
	return c
}

func (c *clock) set(at time.Time) { c.ns.Store(at.UnixNano()) }
func (c *clock) now() time.Time   { return time.Unix(0, c.ns.Load()).UTC() }

// Run checks the contract on logs of one process.
func Run(t *testing.T, open Open) {
	fresh := func(t *testing.T) eventlog.Store {
		t.Helper()
		s := open(t, Env{Dir: t.TempDir(), Now: newClock(start).now})
		t.Cleanup(func() { closeLog(t, s) })
		return s
	}
	for name, test := range map[string]func(*testing.T, eventlog.Store){
		"numbers are dense":            testDense,
		"a number is stored once":      testOnce,
		"a gap is refused":             testGap,
		"one bad event refuses all":    testBad,
		"cancelled appends":            testCancel,
		"many producers":               testMany,
		"reading from anywhere":        testSuffix,
		"reading waits at the end":     testWait,
		"events come back exactly":     testExact,
		"the input stays as it is":     testInput,
		"finding equals asking all":    testFind,
		"queries that make no sense":   testQueryErrors,
		"a closed log says so":         testClosed,
		"checking finds nothing amiss": testCheck,
	} {
		t.Run(name, func(t *testing.T) { test(t, fresh(t)) })
	}
	t.Run("retention takes whole days", func(t *testing.T) { testRetention(t, open) })
	t.Run("clocks jump", func(t *testing.T) { testClock(t, open) })
}

func closeLog(t testing.TB, s eventlog.Store) {
	t.Helper()
	if err := s.Close(); err != nil {
		t.Errorf("close: %v", err)
	}
}

func mustAppend(t testing.TB, s eventlog.Log, b eventlog.Batch) eventlog.Receipt {
	t.Helper()
	r, err := s.Append(t.Context(), b)
	if err != nil {
		t.Fatalf("append %d events: %v", len(b.Events), err)
	}
	return r
}

// All reads every record there is, from the first on.
func All(t testing.TB, s eventlog.Log) []eventlog.Record {
	t.Helper()
	first, _, err := s.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return after(t, s, first-1)
}

// after reads to the present end.
func after(t testing.TB, s eventlog.Log, pos eventlog.Seq) []eventlog.Record {
	t.Helper()
	_, last, err := s.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var all []eventlog.Record
	for pos < last {
		recs, err := s.Read(t.Context(), pos, 700)
		if err != nil {
			t.Fatalf("read after %d: %v", pos, err)
		}
		all = append(all, recs...)
		pos = recs[len(recs)-1].Seq
	}
	return all
}

// diff compares lists of what may hold NaN and says where they differ first.
func diff[T any](want, got []T) string {
	if len(want) != len(got) {
		return fmt.Sprintf("%d elements, want %d", len(got), len(want))
	}
	for i := range want {
		if reflect.DeepEqual(want[i], got[i]) { // much cheaper than finding out where
			continue
		}
		if d := cmp.Diff(want[i], got[i], cmpopts.EquateNaNs(), cmpopts.EquateComparable(honeyguide.Endpoint{})); d != "" {
			return fmt.Sprintf("element %d:\n%s", i, d)
		}
	}
	return ""
}

func testDense(t *testing.T, s eventlog.Store) {
	gen := NewGen(1, start, time.Second)
	var want eventlog.Seq
	for _, n := range []int{1, 3, 0, 1024, 2, 700, 1025, 1, 2500} {
		r := mustAppend(t, s, eventlog.Batch{Events: gen.Some(n), Urgent: true})
		if n > 0 && r.Lo != want+1 || r.Stored != n {
			t.Fatalf("receipt %+v, want %d events from %d on", r, n, want+1)
		}
		want += eventlog.Seq(n)
		if _, last, err := s.Ends(t.Context()); err != nil || last != want {
			t.Fatalf("last = %d, %v, want %d", last, err, want)
		}
		if next, err := s.Next(t.Context(), ""); err != nil || next != int64(want)+1 {
			t.Fatalf("own outbox wants %d, %v, want %d", next, err, want+1)
		}
	}
	for i, r := range All(t, s) {
		if r.Seq != eventlog.Seq(i+1) {
			t.Fatalf("record %d has number %d", i, r.Seq)
		}
	}
}

func testOnce(t *testing.T, s eventlog.Store) {
	events := NewGen(2, start, time.Second).Some(30)
	box := func(first, n int) eventlog.Batch {
		return eventlog.Batch{Outbox: "box", First: int64(first), Events: events[first-1 : first-1+n], Urgent: true}
	}
	for _, c := range []struct {
		first, n int
		want     eventlog.Receipt
	}{
		{1, 10, eventlog.Receipt{Lo: 1, Stored: 10, Next: 11}},
		{1, 10, eventlog.Receipt{Duplicate: 10, Next: 11}},
		{3, 2, eventlog.Receipt{Duplicate: 2, Next: 11}},
		{6, 10, eventlog.Receipt{Lo: 11, Stored: 5, Duplicate: 5, Next: 16}},
		{16, 1, eventlog.Receipt{Lo: 16, Stored: 1, Next: 17}},
		{1, 30, eventlog.Receipt{Lo: 17, Stored: 14, Duplicate: 16, Next: 31}},
	} {
		if got := mustAppend(t, s, box(c.first, c.n)); got != c.want {
			t.Errorf("append %d+%d: got %+v, want %+v", c.first, c.n, got, c.want)
		}
	}
	for i, r := range All(t, s) {
		if want := eventlog.EventID("box", int64(i+1), &events[i]); r.Event.ID != want {
			t.Fatalf("event %d has id %q, want %q", i, r.Event.ID, want)
		}
	}
}

func testGap(t *testing.T, s eventlog.Store) {
	gen := NewGen(3, start, time.Second)
	mustAppend(t, s, eventlog.Batch{Outbox: "a", First: 1, Events: gen.Some(4), Urgent: true})
	for outbox, want := range map[string]int64{"a": 5, "b": 1} {
		_, err := s.Append(t.Context(), eventlog.Batch{Outbox: outbox, First: 6, Events: gen.Some(2)})
		var gap *eventlog.GapError
		if !errors.Is(err, eventlog.ErrGap) || !errors.As(err, &gap) || gap.Wanted != want {
			t.Errorf("outbox %s: got %v, want a gap that wants %d", outbox, err, want)
		}
		if next, err := s.Next(t.Context(), outbox); err != nil || next != want {
			t.Errorf("outbox %s wants %d, %v", outbox, next, err)
		}
	}
	if n := len(All(t, s)); n != 4 {
		t.Errorf("%d records, want 4", n)
	}
}

func testBad(t *testing.T, s eventlog.Store) {
	for name, bad := range map[string]honeyguide.Event{
		"severity":  {Severity: 6},
		"year":      {Time: time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC)},
		"attribute": {Attrs: map[string]any{"f": func() {}}},
		"size":      {Raw: make([]byte, eventlog.MaxEvent)},
		"nested":    {Attrs: map[string]any{"l": []any{math.NaN()}}},
	} {
		events := NewGen(4, start, time.Second).Some(5)
		events[3] = bad
		_, err := s.Append(t.Context(), eventlog.Batch{Events: events})
		var refused *eventlog.EventError
		if !errors.As(err, &refused) || refused.Index != 3 || !errors.Is(err, eventlog.ErrBadEvent) {
			t.Errorf("%s: got %v, want a refusal of event 3", name, err)
		}
		if name == "size" && !errors.Is(err, eventlog.ErrTooLarge) {
			t.Errorf("%s: got %v, want ErrTooLarge", name, err)
		}
	}
	_, err := s.Append(t.Context(), eventlog.Batch{Events: make([]honeyguide.Event, eventlog.MaxBatchEvents+1)})
	if !errors.Is(err, eventlog.ErrTooLarge) {
		t.Errorf("huge batch: got %v", err)
	}
	for _, b := range []eventlog.Batch{{First: 3}, {Outbox: "a b", First: 1}, {Outbox: "x"}} {
		b.Events = []honeyguide.Event{{}}
		if _, err := s.Append(t.Context(), b); err == nil {
			t.Errorf("batch of outbox %q number %d was taken", b.Outbox, b.First)
		}
	}
	if _, last, _ := s.Ends(t.Context()); last != 0 {
		t.Errorf("%d records of refused batches", last)
	}
}

// testCancel gives up at odd moments and sends the same numbers again.
func testCancel(t *testing.T, s eventlog.Store) {
	const batches, size = 60, 7
	var wg sync.WaitGroup
	for p := range 4 {
		wg.Go(func() {
			outbox := fmt.Sprintf("box-%d", p)
			gen := NewGen(uint64(p), start, time.Second)
			for i := range batches {
				b := eventlog.Batch{Outbox: outbox, First: int64(i*size + 1), Events: gen.Some(size)}
				for try := 0; ; try++ {
					ctx, cancel := context.WithTimeout(t.Context(), time.Duration(try*i%7)*time.Millisecond+time.Duration(i*17)*time.Microsecond)
					if try > 5 {
						ctx = t.Context()
					}
					_, err := s.Append(ctx, b)
					cancel()
					if err == nil {
						break
					}
					if !errors.Is(err, context.DeadlineExceeded) {
						t.Errorf("append: %v", err)
						return
					}
				}
			}
		})
	}
	wg.Wait()
	ids := map[string]bool{}
	for _, r := range All(t, s) {
		ids[r.Event.ID] = true
	}
	if _, last, _ := s.Ends(t.Context()); len(ids) != 4*batches*size || int(last) != len(ids) {
		t.Errorf("%d distinct events in %d records, want %d", len(ids), last, 4*batches*size)
	}
}

func testMany(t *testing.T, s eventlog.Store) {
	const producers, batches, size = 1000, 3, 2
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := range batches {
				events := make([]honeyguide.Event, size)
				for j := range events {
					events[j] = honeyguide.Event{Time: start, Session: fmt.Sprint(p), Attrs: map[string]any{"n": int64(i*size + j)}}
				}
				r, err := s.Append(t.Context(), eventlog.Batch{Events: events})
				if err != nil || r.Stored != size {
					t.Errorf("append: %+v, %v", r, err)
				}
			}
		})
	}
	wg.Wait()
	next := map[string]int64{}
	recs := All(t, s)
	for i, r := range recs {
		if r.Seq != eventlog.Seq(i+1) || r.Event.Int("n") != next[r.Event.Session] {
			t.Fatalf("record %d of producer %s: number %d, want %d", r.Seq, r.Event.Session, r.Event.Int("n"), next[r.Event.Session])
		}
		if n := r.Event.Int("n"); n%size != 0 && recs[i-1].Event.Session != r.Event.Session {
			t.Fatalf("batch of producer %s is torn at %d", r.Event.Session, r.Seq)
		}
		next[r.Event.Session]++
	}
	if len(recs) != producers*batches*size {
		t.Errorf("%d records, want %d", len(recs), producers*batches*size)
	}
}

func testSuffix(t *testing.T, s eventlog.Store) {
	gen := NewGen(5, start, time.Second)
	for range 9 {
		mustAppend(t, s, eventlog.Batch{Events: gen.Some(333), Urgent: true})
	}
	all := All(t, s)
	for pos := 0; pos < len(all); pos += 97 {
		got := after(t, s, eventlog.Seq(pos))
		if len(got) != len(all)-pos || diff(all[pos:], got) != "" {
			t.Fatalf("read after %d is no suffix", pos)
		}
	}
	one, err := s.Read(t.Context(), 1500, 1)
	if err != nil || len(one) != 1 || one[0].Seq != 1501 {
		t.Errorf("read one after 1500: %d records, %v", len(one), err)
	}
}

func testWait(t *testing.T, s eventlog.Store) {
	type result struct {
		recs []eventlog.Record
		err  error
	}
	got := make(chan result, 1)
	go func() {
		recs, err := s.Read(t.Context(), 0, 10)
		got <- result{recs, err}
	}()
	mustAppend(t, s, eventlog.Batch{Events: NewGen(6, start, time.Second).Some(4)})
	if r := <-got; r.err != nil || len(r.recs) != 4 {
		t.Errorf("waiting reader got %d records, %v; want the batch whole", len(r.recs), r.err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Millisecond)
	defer cancel()
	if recs, err := s.Read(ctx, 4, 10); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("read at the end: %d records, %v", len(recs), err)
	}
}

// want returns events as they must come back.
func want(outbox string, first int64, events []honeyguide.Event) []honeyguide.Event {
	out := slices.Clone(events)
	for i := range out {
		if out[i].ID == "" {
			out[i].ID = eventlog.EventID(outbox, first+int64(i), &out[i])
		}
	}
	return out
}

func events(recs []eventlog.Record) []honeyguide.Event {
	out := make([]honeyguide.Event, len(recs))
	for i := range recs {
		out[i] = recs[i].Event
	}
	return out
}

func testExact(t *testing.T, s eventlog.Store) {
	odd := Odd()
	odd = append(odd, NewGen(7, start, time.Second).Some(50)...)
	mustAppend(t, s, eventlog.Batch{Outbox: "odd", First: 1, Events: odd})
	if d := diff(want("odd", 1, odd), events(All(t, s))); d != "" {
		t.Errorf("what came back differs (-want +got):\n%s", d)
	}
}

func testInput(t *testing.T, s eventlog.Store) {
	local := time.Date(2026, 3, 14, 13, 0, 0, 1234567, time.FixedZone("x", 3600))
	e := honeyguide.Event{Time: local, Attrs: map[string]any{"n": 7, "none": nil, "l": []string{"a"}, "u": uint64(1 << 63)}, Raw: []byte{}, Observables: []honeyguide.Observable{}}
	in := []honeyguide.Event{e}
	mustAppend(t, s, eventlog.Batch{Outbox: "in", First: 1, Events: in})
	if in[0].Attrs["n"] != 7 || len(in[0].Attrs) != 4 || in[0].Time != local || in[0].ID != "" {
		t.Errorf("the caller's event was changed: %+v", in[0])
	}
	stored := honeyguide.Event{Time: local.UTC().Truncate(time.Microsecond), Attrs: map[string]any{"n": int64(7), "l": []any{"a"}, "u": float64(1 << 63)}}
	if d := diff(want("in", 1, []honeyguide.Event{stored}), events(All(t, s))); d != "" {
		t.Errorf("stored form differs (-want +got):\n%s", d)
	}
}

func testClosed(t *testing.T, s eventlog.Store) {
	done := make(chan error, 1)
	go func() {
		_, err := s.Read(context.Background(), 0, 1)
		done <- err
	}()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("waiting reader: %v", err)
	}
	if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{{}}}); !errors.Is(err, eventlog.ErrClosed) {
		t.Errorf("append: %v", err)
	}
	for _, err := range s.Find(t.Context(), eventlog.Query{}) {
		if !errors.Is(err, eventlog.ErrClosed) {
			t.Errorf("find: %v", err)
		}
	}
}

func testCheck(t *testing.T, s eventlog.Store) {
	mustAppend(t, s, eventlog.Batch{Events: NewGen(8, start, time.Second).Some(1500), Urgent: true})
	if err := s.Check(t.Context(), func(f eventlog.Fault) { t.Errorf("fault: %+v", f) }); err != nil {
		t.Error(err)
	}
}
