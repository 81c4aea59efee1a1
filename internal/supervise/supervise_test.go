package supervise_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"honeyguide/internal/supervise"
)

func TestGoReportsErrorsAndPanics(t *testing.T) {
	for name, fn := range map[string]func(context.Context) error{
		"error": func(context.Context) error { return errors.New("boom") },
		"panic": func(context.Context) error { panic("boom") },
	} {
		g := supervise.New(nil)
		g.Go(t.Context(), name, fn)
		if err := g.Wait(); err == nil || !strings.Contains(err.Error(), "boom") {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

func TestGoTakesTheEndOfItsContextForAnEnd(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	g := supervise.New(nil)
	g.Go(ctx, "waits", func(ctx context.Context) error { <-ctx.Done(); return ctx.Err() })
	cancel()
	if err := g.Wait(); err != nil {
		t.Errorf("got %v", err)
	}
}

func TestKeepRestartsWithGrowingPauses(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		began := time.Now()
		var starts []time.Duration
		g := supervise.New(nil)
		g.Keep(ctx, "falls", func(context.Context) error {
			starts = append(starts, time.Since(began))
			if len(starts) == 4 {
				cancel()
			}
			panic("again")
		})
		if err := g.Wait(); err != nil {
			t.Fatal(err)
		}
		want := []time.Duration{0, 100 * time.Millisecond, 300 * time.Millisecond, 700 * time.Millisecond}
		for i := range want {
			if i >= len(starts) || starts[i] != want[i] {
				t.Fatalf("starts at %v, want %v", starts, want)
			}
		}
	})
}

// TestNudge ends the pauses there are, once: what was in the way is gone.
func TestNudge(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		began := time.Now()
		var starts []time.Duration
		g := supervise.New(nil)
		g.Keep(ctx, "falls", func(context.Context) error {
			starts = append(starts, time.Since(began))
			return errors.New("no room")
		})
		time.Sleep(time.Minute + time.Second) // pauses are half a minute by now
		before := len(starts)
		g.Nudge()
		synctest.Wait()
		if len(starts) != before+1 || starts[before] != time.Minute+time.Second {
			t.Fatalf("starts at %v: %d before, nudged at %v", starts, before, time.Since(began))
		}
		time.Sleep(150 * time.Millisecond) // it begins with the first pause again
		if len(starts) != before+2 {
			t.Errorf("starts at %v: the pause after it is another", starts)
		}
		cancel()
		if err := g.Wait(); err != nil {
			t.Error(err)
		}
	})
}
