package app

import (
	"context"
	"time"

	"honeyguide/internal/live"
)

// openLive makes the hub of the live stream, which from here on hears of every
// change of the state.
func (a *App) openLive(ctx context.Context) error {
	first, err := live.Reserve(ctx, a.state, a.now())
	if err != nil {
		return err
	}
	a.live = live.NewHub(live.Options{First: first, Health: a.standing, Metrics: a.metrics, Now: a.now})
	a.rows = a.state
	a.state = live.Watch(a.state, a.live)
	return nil
}

// A standing is how the core stands, as the live stream tells it.
type standing struct {
	At       time.Time `json:"at"`
	Status   string    `json:"status"` // ready or not_ready
	Reasons  []string  `json:"reasons"`
	Position int64     `json:"position"` // number of the last event the detectors have seen
	Lag      int64     `json:"lag"`      // events they have not seen
}

// standing says how the core stands.
func (a *App) standing(ctx context.Context) any {
	s := standing{At: a.now().UTC(), Status: "ready", Reasons: []string{}}
	if a.troubles != nil {
		s.Reasons = append(s.Reasons, a.troubles(ctx)...)
	}
	if len(s.Reasons) > 0 {
		s.Status = "not_ready"
	}
	s.Position = int64(a.consumer.Position())
	if _, last, err := a.events.Ends(ctx); err == nil {
		s.Lag = max(0, int64(last)-s.Position)
	}
	return s
}
