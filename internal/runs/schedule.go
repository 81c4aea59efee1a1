package runs

import (
	"context"
	"encoding/json"
	"log/slog"
	"maps"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/state"
)

// scheduleEvery is how often the clock is compared with schedules: a change of
// the clock, or of the playbooks, is noticed within that time.
const scheduleEvery = 20 * time.Second

// varFrom is where a scheduled run keeps the beginning of the time it tells of.
const varFrom = "summary_from"

// A seen is how far a schedule has come: when it was looked at last, so that none
// is missed while nothing runs, and the last of its times a run was made for, so
// that none comes twice when the clock is put back.
type seen struct {
	Looked time.Time `json:"looked"`
	Made   time.Time `json:"made,omitzero"`
}

func seenKey(playbook string) string { return "schedule:" + playbook }

func (e *Engine) seen(ctx context.Context, playbook string) (x seen, err error) {
	err = e.dep.State.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, seenKey(playbook))
		if err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &x)
	})
	return x, err
}

// schedule begins runs at their times of day until ctx ends.
func (e *Engine) schedule(ctx context.Context) error {
	for {
		for _, b := range e.dep.Shelf.List() {
			if b.Schedule == nil || b.Disabled {
				continue
			}
			if err := e.tick(ctx, b); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				e.log.LogAttrs(ctx, slog.LevelError, "schedule not looked at", slog.String("playbook", b.ID), slog.Any("error", err))
			}
		}
		timer := time.NewTimer(scheduleEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// tick begins a run of b when its time has come since it was looked at last. Of
// several times that were missed one run is made.
func (e *Engine) tick(ctx context.Context, b *playbook.Playbook) error {
	now := e.now().UTC()
	x, err := e.seen(ctx, b.ID)
	if err != nil {
		return err
	}
	last := x.Looked
	slot := b.Schedule.Next(later(last, x.Made))
	due := !last.IsZero() && !slot.After(now)
	if !due && !last.IsZero() && !last.After(now) {
		return nil
	}
	if x.Looked = now; due {
		x.Made = slot
		for next := b.Schedule.Next(slot); !next.After(now); next = b.Schedule.Next(next) {
			x.Made = next // missed: one run tells of all
		}
	}
	text, err := json.Marshal(x)
	if err != nil {
		return err
	}
	f := &playbook.Facts{Trigger: playbook.TriggerSchedule, Now: now, Node: e.cfg.Node}
	if due && e.dep.Summary != nil {
		if f.Summary, err = e.dep.Summary(ctx, last, now); err != nil {
			return err
		}
	}
	var w *work
	err = e.dep.State.Update(ctx, func(tx state.Tx) error {
		w = nil
		if err := tx.Meta().Put(ctx, seenKey(b.ID), string(text)); err != nil || !due {
			return err
		}
		if ok, err := b.Matches(f); err != nil || !ok {
			return err
		}
		r := b.Start(f)
		if r.Mode == "" {
			r.Mode = e.cfg.Mode
		}
		r.ID, r.By, r.CreatedAt = honeyguide.DerivedID(now, "run", b.ID, now.Format(time.RFC3339)), "playbook:"+b.ID, now
		r.Vars = maps.Clone(r.Vars)
		if r.Vars == nil {
			r.Vars = map[string]string{}
		}
		r.Vars[varFrom] = last.Format(time.RFC3339)
		if r.Mode == honeyguide.ModeDryRun {
			p := &planner{e: e, run: &r, f: f}
			plans, err := p.all(ctx, tx)
			if err != nil {
				return err
			}
			r.State, r.EndedAt = honeyguide.RunPlanned, now
			return e.saveDry(ctx, tx, &r, plans)
		}
		var err error
		w, err = e.start(ctx, tx, &r, b, f)
		return err
	})
	if err == nil && w != nil {
		e.push(w)
	}
	return err
}
