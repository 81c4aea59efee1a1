package runs_test

import (
	"testing"
	"time"

	"honeyguide"
)

const year = 365 * 24 * time.Hour

// TestClockJumps blocks while the clock is a year off, with the core going on and
// with one started anew: a block holds for its time and no longer.
func TestClockJumps(t *testing.T) {
	for name, restart := range map[string]bool{"going on": false, "started anew": true} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, blockBook)
			look := func() {
				t.Helper()
				if err := w.engine.Look(t.Context()); err != nil {
					t.Fatal(err)
				}
				w.work()
			}
			look()
			w.clock.step(year)
			w.attack("a", "192.0.2.1")
			w.work()
			look()
			w.want("R-1", "done verified applied", "block_ip 192.0.2.1", "tell ")
			w.clock.step(-year)
			if restart {
				w.open()
			}
			w.work()
			look()
			w.want("R-1", "done verified applied", "block_ip 192.0.2.1", "tell ")
			p := w.plans("R-1")[0]
			if left := p.ExpiresAt.Sub(w.clock.now()); left <= 0 || left > time.Hour {
				t.Errorf("it holds for %v more", left)
			}
			look() // once is enough
			if again := w.plans("R-1")[0]; !again.ExpiresAt.Equal(p.ExpiresAt) || again.Reason != p.Reason {
				t.Errorf("shortened twice: %+v", again)
			}
			w.clock.step(time.Hour)
			look()
			w.want("R-1", "done expired applied", "tell ")
			w.clock.step(year)
			look() // the job of then finds nothing to do
			w.want("R-1", "done expired applied", "tell ")
		})
	}
	t.Run("a year back", func(t *testing.T) {
		w := newWorld(t, blockBook)
		w.clock.step(-year)
		w.attack("a", "192.0.2.1")
		w.work()
		w.clock.step(year)
		w.work()
		if p := w.plans("R-1")[0]; p.State != honeyguide.PlanExpired {
			t.Errorf("a year later it still holds: %s", p.State)
		}
	})
}
