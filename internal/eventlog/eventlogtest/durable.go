package eventlogtest

import (
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
)

// Durable checks what must hold across a restart.
func Durable(t *testing.T, open Open) {
	t.Run("a restart changes nothing", func(t *testing.T) { testRestart(t, open) })
	t.Run("days pass between restarts", func(t *testing.T) { testRestartDays(t, open) })
}

func testRestart(t *testing.T, open Open) {
	env := Env{Dir: t.TempDir(), Now: newClock(start).now}
	var all []honeyguide.Event
	gen := NewGen(20, start, time.Second)
	odd := Odd()
	for i, n := range []int{3, 1000, 1, 60, 60, 960, 5, 2048, 7} {
		s := open(t, env)
		if next, err := s.Next(t.Context(), "box"); err != nil || next != int64(len(all)+1) {
			t.Fatalf("start %d: outbox wants %d, %v, want %d", i, next, err, len(all)+1)
		}
		more := gen.Some(n)
		more[0] = odd[i]
		r := mustAppend(t, s, eventlog.Batch{Outbox: "box", First: int64(len(all) + 1), Events: more, Urgent: true})
		if r.Lo != eventlog.Seq(len(all)+1) {
			t.Fatalf("start %d: number %d, want %d", i, r.Lo, len(all)+1)
		}
		all = append(all, more...)
		closeLog(t, s)
	}
	s := open(t, env)
	defer closeLog(t, s)
	if d := diff(want("box", 1, all), events(All(t, s))); d != "" {
		t.Errorf("after restarts (-want +got):\n%s", d)
	}
	if err := s.Check(t.Context(), func(f eventlog.Fault) { t.Errorf("fault: %+v", f) }); err != nil {
		t.Error(err)
	}
}

func testRestartDays(t *testing.T, open Open) {
	c := newClock(start)
	env := Env{Dir: t.TempDir(), Now: c.now}
	var before []eventlog.Record
	for day := range 4 {
		c.set(start.AddDate(0, 0, day))
		s := open(t, env)
		if d := diff(before, All(t, s)); d != "" {
			t.Fatalf("day %d: the log changed: %s", day, d)
		}
		gen := NewGen(uint64(day), c.now().Add(-time.Hour), 4*time.Second)
		for _, n := range []int{300, 1, 40, 700} {
			mustAppend(t, s, eventlog.Batch{Events: gen.Some(n), Urgent: true})
		}
		CheckFind(t, s, uint64(day), 25)
		before = slices.Clone(All(t, s))
		closeLog(t, s)
	}
}
