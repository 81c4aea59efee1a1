package runs_test

import (
	"context"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

const digestBook = `
id: digest
title: The day in one message
trigger: {schedule: "daily 08:00", timezone: UTC}
steps:
  - {name: say, action: tell}
`

// A schedule comes once, also when nothing ran at its time or the clock was put
// back, and never for the time before it was first looked at.
func TestSchedule(t *testing.T) {
	w := newWorld(t, digestBook)
	count := func() (n int) {
		t.Helper()
		if err := w.store.View(t.Context(), func(tx state.Tx) error {
			list, _, err := tx.Runs().List(t.Context(), state.RunQuery{})
			n = len(list)
			return err
		}); err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, c := range []struct {
		step time.Duration // start is at noon
		want int
	}{
		{0, 0}, {19 * time.Hour, 0}, {time.Hour, 1}, {time.Second, 1}, // 08:00:00
		{-2 * time.Hour, 1},  // put back
		{23 * time.Hour, 1},  // 05:00 on the next day; the 08:00 in between was told of
		{72 * time.Hour, 2},  // three were missed: one run
		{24 * time.Hour, 3},  // and it goes on
		{-48 * time.Hour, 3}, // put back by days
		{24 * time.Hour, 3},  // nothing comes twice
		{48 * time.Hour, 4},  // beyond what was told of
	} {
		w.clock.step(c.step)
		if err := w.engine.Tick(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.work()
		if n := count(); n != c.want {
			t.Errorf("after %v, at %v: %d runs, want %d", c.step, w.clock.now(), n, c.want)
		}
	}
	w.want("R-1", "done applied", "tell ", "tell ", "tell ", "tell ")
}

// Workers beside each other carry out what comes from all sides.
func TestWorkers(t *testing.T) {
	w := newWorld(t, blockBook)
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- w.engine.Run(ctx) }()
	for _, key := range []string{"a", "b", "c", "d", "e", "f"} {
		w.attack(key, "192.0.2.1", "198.51.100."+key[:0]+"7")
	}
	deadline := time.Now().Add(20 * time.Second)
	for _, r := range []string{"R-1", "R-2", "R-3", "R-4", "R-5", "R-6"} {
		for w.run(r).State != honeyguide.RunDone {
			if time.Now().After(deadline) {
				t.Fatalf("%s: %s", r, w.states(r))
			}
			time.Sleep(5 * time.Millisecond)
		}
	}
	if _, err := w.engine.Revert(t.Context(), "R-3", "anna", ""); err != nil {
		t.Fatal(err)
	}
	for w.run("R-3").State != honeyguide.RunReverted {
		if time.Now().After(deadline) {
			t.Fatalf("R-3: %s", w.states("R-3"))
		}
		time.Sleep(5 * time.Millisecond)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
}
