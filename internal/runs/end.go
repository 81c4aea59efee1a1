package runs

import (
	"context"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/jobs"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// revertTimeout is how long one attempt to undo an act may take.
const revertTimeout = 30 * time.Second

// end ends the effect of a plan: its time is over, or somebody wants it undone.
func (e *Engine) end(ctx context.Context, w *work) error {
	id := string(w.job.Arg)
	unlock := e.lock([]honeyguide.Plan{{ID: id}})
	defer unlock()
	var p honeyguide.Plan
	err := e.dep.State.View(ctx, func(tx state.Tx) (err error) {
		p, err = tx.Plans().Get(ctx, id)
		return err
	})
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
		return e.settle(ctx, w, nil)
	}
	if err != nil {
		return err
	}
	now := e.now().UTC()
	unseen := p.State == honeyguide.PlanFailed && !p.AppliedAt.IsZero()
	switch {
	case unseen:
	case !p.State.InForce():
		return e.settle(ctx, w, nil)
	case p.State != honeyguide.PlanReverting && now.Before(p.ExpiresAt): // it was given more time
		return e.postpone(ctx, w, nil, p.ExpiresAt)
	}
	if a, ok := e.dep.Actions[p.Action].(respond.Reverter); ok {
		if err := e.trace(ctx, actRevert, p); err != nil {
			e.log.LogAttrs(ctx, slog.LevelError, "act not undone: it cannot be written down, trying again", slog.String("plan", p.ID), slog.Any("error", err))
			return e.postpone(ctx, w, nil, now.Add(jobs.Backoff(min(w.job.Attempt, 6))))
		}
		limited, cancel := context.WithTimeout(ctx, revertTimeout)
		defer cancel()
		if err := supervise.Call(limited, "revert "+p.Action, func(ctx context.Context) error { return a.Revert(ctx, p) }); err != nil {
			if ctx.Err() != nil {
				return ctx.Err()
			}
			p.Error = "undo: " + err.Error()
			e.traceFailed(ctx, actRevert, &p, err.Error())
			e.log.LogAttrs(ctx, slog.LevelError, "act not undone, trying again", slog.String("action", p.Action), slog.String("plan", p.ID), slog.Any("error", err))
			return e.postpone(ctx, w, &p, now.Add(jobs.Backoff(min(w.job.Attempt, 8))))
		}
	}
	switch {
	case unseen:
	case p.State == honeyguide.PlanReverting:
		p.State = honeyguide.PlanReverted
	default:
		p.State, p.EndedBy = honeyguide.PlanExpired, "expiry"
	}
	if p.EndedAt = e.now().UTC(); p.State != honeyguide.PlanFailed {
		p.Error = ""
	}
	e.m.plans.With(p.Action, string(p.State)).Add(1)
	return e.settle(ctx, w, &p)
}

// postpone lets the job run again at a time.
func (e *Engine) postpone(ctx context.Context, w *work, p *honeyguide.Plan, at time.Time) error {
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		if p != nil {
			if err := tx.Plans().Save(ctx, p); err != nil {
				return err
			}
		}
		held, err := tx.Jobs().Fail(ctx, w.job.ID, w.job.Attempt, "", at)
		if err == nil && !held {
			err = jobs.ErrLost
		}
		return err
	})
}

// settle writes the end of a plan, and of its run's undoing.
func (e *Engine) settle(ctx context.Context, w *work, p *honeyguide.Plan) error {
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		if err := e.queue.Done(ctx, tx, w.job); err != nil || p == nil {
			return err
		}
		if err := tx.Plans().Save(ctx, p); err != nil || p.Run == "" {
			return err
		}
		r, err := tx.Runs().Get(ctx, p.Run)
		if err != nil || !r.Reverting || !r.State.Over() || r.State == honeyguide.RunReverted {
			return err
		}
		for _, s := range r.Steps {
			for _, id := range s.Plans {
				q, err := tx.Plans().Get(ctx, id)
				if err != nil {
					return err
				}
				if q.State.InForce() && !q.Irreversible {
					return nil // not all of it yet
				}
			}
		}
		e.finish(&r, honeyguide.RunReverted)
		return tx.Runs().Save(ctx, &r)
	})
}

// lapse ends a step nobody approved in time.
func (e *Engine) lapse(ctx context.Context, w *work) error {
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		if err := e.queue.Done(ctx, tx, w.job); err != nil {
			return err
		}
		r, err := tx.Runs().Get(ctx, string(w.job.Arg))
		if err != nil || r.State != honeyguide.RunWaiting || lapseKey(&r) != w.job.Key {
			return err
		}
		s := &r.Steps[r.Step]
		if agreed(s) {
			return nil
		}
		s.State, s.EndedAt, s.Error = honeyguide.StepLapsed, e.now().UTC(), "nobody who may approved in time"
		return e.stop(ctx, tx, &r, "lapse", s.Error)
	})
}

// stop cancels a run and what it has not begun. What it did stays.
func (e *Engine) stop(ctx context.Context, tx state.Tx, r *honeyguide.Run, by, why string) error {
	for i := range r.Steps {
		for _, id := range r.Steps[i].Plans {
			p, err := tx.Plans().Get(ctx, id)
			if err != nil {
				return err
			}
			if p.State == honeyguide.PlanWaiting || p.State == honeyguide.PlanPlanned {
				if err := e.revoke(ctx, tx, &p, by, why); err != nil {
					return err
				}
			}
		}
	}
	r.Error = why
	e.finish(r, honeyguide.RunCancelled)
	return tx.Runs().Save(ctx, r)
}
