package runs

import (
	"context"
	"log/slog"
	"maps"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// tolerance is how far a clock may go back without anything being made of it.
const tolerance = 10 * time.Minute

// clockBack looks for acts that were done while the clock was ahead: they would
// hold until then. It looks at the start, and when the clock has gone back.
func (e *Engine) clockBack(ctx context.Context) error {
	now := e.now().UTC().Round(0)
	was := e.looked
	if e.looked = now; !was.IsZero() && !now.Before(was.Add(-tolerance)) {
		return nil
	}
	for _, action := range slices.Sorted(maps.Keys(e.dep.Actions)) {
		if err := e.dep.State.Update(ctx, func(tx state.Tx) error { return e.shorten(ctx, tx, action, now) }); err != nil {
			e.looked = was // again the next time
			return err
		}
	}
	return nil
}

// shorten gives acts of the future the rest of their time, counted from now.
func (e *Engine) shorten(ctx context.Context, tx state.Tx, action string, now time.Time) error {
	var ahead []honeyguide.Plan
	if err := tx.Plans().InForce(ctx, action, "", func(p *honeyguide.Plan) error {
		if p.AppliedAt.Sub(now) > tolerance && !p.ExpiresAt.IsZero() {
			ahead = append(ahead, *p)
		}
		return nil
	}); err != nil {
		return err
	}
	for i := range ahead {
		p := &ahead[i]
		by := p.AppliedAt.Sub(now)
		p.AppliedAt, p.ExpiresAt = now, p.ExpiresAt.Add(-by)
		if until, err := time.Parse(time.RFC3339Nano, p.Params[paramUntil]); err == nil {
			p.Params[paramUntil] = until.Add(-by).Format(time.RFC3339Nano)
		}
		p.Reason += " The clock was ahead when it was done; its time counts from when that was noticed."
		if err := tx.Plans().Save(ctx, p); err != nil {
			return err
		}
		if err := tx.Jobs().Add(ctx, &state.Job{Kind: jobEnd, Key: "clock/" + p.ID, Arg: []byte(p.ID), RunAt: p.ExpiresAt, MaxAttempts: attempts}); err != nil {
			return err
		}
	}
	if len(ahead) > 0 {
		e.log.LogAttrs(ctx, slog.LevelWarn, "the clock went back: acts of the future end in their time, counted from now", slog.String("action", action), slog.Int("plans", len(ahead)))
	}
	return nil
}
