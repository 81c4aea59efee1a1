package runs

import (
	"context"
	"log/slog"
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

// lastKey is where the state keeps when a schedule was looked at last, so that
// none is missed while nothing runs and none comes twice.
func lastKey(playbook string) string { return "schedule:" + playbook }

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
	var last time.Time
	if err := e.dep.State.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, lastKey(b.ID))
		if err == nil && text != "" {
			last, err = time.Parse(time.RFC3339, text)
		}
		return err
	}); err != nil {
		return err
	}
	due := !last.IsZero() && !b.Schedule.Next(last).After(now)
	if !due && !last.IsZero() && !last.After(now) {
		return nil
	}
	f := &playbook.Facts{Trigger: playbook.TriggerSchedule, Now: now, Node: e.cfg.Node}
	if due && e.dep.Summary != nil {
		var err error
		if f.Summary, err = e.dep.Summary(ctx, last, now); err != nil {
			return err
		}
	}
	var w *work
	err := e.dep.State.Update(ctx, func(tx state.Tx) error {
		w = nil
		// Also when the clock was put back: it is looked at from here on.
		if err := tx.Meta().Put(ctx, lastKey(b.ID), now.Format(time.RFC3339)); err != nil || !due {
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
		r.Vars = map[string]string{varFrom: last.Format(time.RFC3339)}
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
