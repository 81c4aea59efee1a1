package app

import (
	"context"
	"errors"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/warden"
)

// decoys lets responses reach the sensor process, which starts after they were
// opened, or never.
type decoys struct {
	mu sync.Mutex
	w  *warden.Warden
}

var _ respond.Decoys = (*decoys)(nil)

func (d *decoys) set(w *warden.Warden) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.w = w
}

var errNoDecoys = respond.Permanent(errors.New("no sensor runs in this process"))

func (d *decoys) warden() (*warden.Warden, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.w == nil {
		return nil, errNoDecoys
	}
	return d.w, nil
}

func (d *decoys) has(w *warden.Warden, sensor string) error {
	for _, s := range w.Sensors() {
		if s.Name == sensor {
			return nil
		}
	}
	return respond.Permanent(errors.New("there is no sensor of this name"))
}

// Hold stops the process that sensor lives in.
func (d *decoys) Hold(_ context.Context, sensor string, until time.Time, why string) error {
	w, err := d.warden()
	if err == nil {
		err = d.has(w, sensor)
	}
	if err != nil {
		return err
	}
	w.Hold(until, why)
	return nil
}

// Release starts it again.
func (d *decoys) Release(context.Context, string) error {
	w, err := d.warden()
	if err != nil {
		return nil // it is not there, so it is not held
	}
	w.Release()
	return nil
}

// Held reports whether it is stopped.
func (d *decoys) Held(context.Context, string) (bool, error) {
	w, err := d.warden()
	if err != nil {
		return false, err
	}
	return w.Held(), nil
}

// holdAgain holds what was held when the process before this one ended: it was
// isolated for a reason, and until a time.
func (a *App) holdAgain(ctx context.Context) error {
	return a.state.View(ctx, func(tx state.Tx) error {
		for _, in := range a.settings.Actions {
			if in.Kind != "isolate" {
				continue
			}
			if err := tx.Plans().InForce(ctx, in.Name, "", func(p *honeyguide.Plan) error {
				if p.State == honeyguide.PlanReverting {
					return nil
				}
				return a.decoys.Hold(ctx, p.Target, p.ExpiresAt, p.Reason)
			}); err != nil {
				return err
			}
		}
		return nil
	})
}
