package runs

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/jobs"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// errOver says that a plan is not to be applied any more.
var errOver = errors.New("the plan is over")

// carry takes a run as far as it goes now. Its first acts are known when it was
// handed over by the transaction that decided.
func (e *Engine) carry(ctx context.Context, w *work) error {
	if w.run == nil {
		if err := e.resume(ctx, w); err != nil || len(w.plans) == 0 {
			return err
		}
	}
	for len(w.plans) > 0 {
		if h := e.halt(); h.On {
			return e.stay(ctx, w, h)
		}
		if err := e.step(ctx, w); err != nil {
			return err
		}
	}
	return nil
}

// stay halts a run that was about to act. Its plans stay as they are: whoever
// lifts the halt lets them be applied.
func (e *Engine) stay(ctx context.Context, w *work, h honeyguide.HaltState) error {
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		r, err := tx.Runs().Get(ctx, w.run.ID)
		if err != nil {
			return err
		}
		if w.run = &r; r.State.Over() {
			return e.queue.Done(ctx, tx, w.job)
		}
		return e.rest(ctx, tx, w, "the stop switch is on: "+h.Why, 0)
	})
}

// resume reads a run and finds its next act.
func (e *Engine) resume(ctx context.Context, w *work) error {
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		w.plans = nil
		r, err := tx.Runs().Get(ctx, w.job.Key)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
			return e.queue.Done(ctx, tx, w.job)
		}
		if err != nil {
			return err
		}
		w.run, w.at = &r, e.now()
		if r.State.Over() {
			if err := e.abandon(ctx, tx, &r); err != nil {
				return err
			}
		}
		switch {
		case r.State.Over() || r.State == honeyguide.RunWaiting && !agreed(&r.Steps[r.Step]):
			return e.queue.Done(ctx, tx, w.job)
		case e.halt().On:
			return e.rest(ctx, tx, w, "the stop switch is on: "+e.halt().Why, 0)
		case r.State == honeyguide.RunHalted:
			b, _ := e.dep.Shelf.Get(r.Playbook)
			wait, why, err := e.held(ctx, tx, &r, b, e.now())
			if err != nil {
				return err
			}
			if why != "" {
				return e.rest(ctx, tx, w, why, wait)
			}
			r.State, r.Error = honeyguide.RunRunning, ""
		}
		return e.on(ctx, tx, w)
	})
}

// abandon ends the plans that were under way when their run was ended and this
// process's predecessor died: whether they were done nobody knows. What can be
// undone is; the rest says so.
func (e *Engine) abandon(ctx context.Context, tx state.Tx, r *honeyguide.Run) error {
	for _, s := range r.Steps {
		for _, id := range s.Plans {
			p, err := tx.Plans().Get(ctx, id)
			if err != nil {
				return err
			}
			if p.State != honeyguide.PlanApplying {
				continue
			}
			const why = "its run was ended while it was under way; whether it was done is not known"
			if !p.Irreversible {
				if err := e.revoke(ctx, tx, &p, "cancel", why); err != nil {
					return err
				}
				continue
			}
			p.State, p.EndedAt, p.EndedBy, p.Error = honeyguide.PlanCancelled, e.now().UTC(), "cancel", why
			if err := tx.Plans().Save(ctx, &p); err != nil {
				return err
			}
		}
	}
	return nil
}

// rest halts a run. With a wait it is looked at again by itself; without one
// whoever lifts the halt starts it.
func (e *Engine) rest(ctx context.Context, tx state.Tx, w *work, why string, wait time.Duration) error {
	w.run.State, w.run.Error, w.run.DeadlineAt = honeyguide.RunHalted, why, time.Time{}
	if err := tx.Runs().Save(ctx, w.run); err != nil {
		return err
	}
	if err := e.queue.Done(ctx, tx, w.job); err != nil || wait == 0 {
		return err
	}
	return e.again(ctx, tx, w, wait)
}

// again adds the job of a run anew.
func (e *Engine) again(ctx context.Context, tx state.Tx, w *work, wait time.Duration) error {
	return tx.Jobs().Add(ctx, &state.Job{Kind: jobRun, Key: w.run.ID, RunAt: e.now().Add(wait), MaxAttempts: attempts})
}

// on goes on to the next act. The job stays with its holder when there is one,
// and is done when there is none.
func (e *Engine) on(ctx context.Context, tx state.Tx, w *work) error {
	plans, err := e.forward(ctx, tx, w.run, nil)
	if err != nil {
		return err
	}
	if err := tx.Runs().Save(ctx, w.run); err != nil {
		return err
	}
	w.plans = plans
	if len(plans) == 0 {
		return e.queue.Done(ctx, tx, w.job)
	}
	held, err := tx.Jobs().Extend(ctx, w.job.ID, w.job.Attempt, e.now().Add(lease+patience(&w.run.Steps[w.run.Step], len(plans))))
	if err == nil && !held {
		err = jobs.ErrLost
	}
	return err
}

// step does the acts at hand and writes down what came of them.
func (e *Engine) step(ctx context.Context, w *work) error {
	s := &w.run.Steps[w.run.Step]
	unlock := e.lock(w.plans)
	defer unlock()
	if err := e.trace(ctx, actApply, w.plans...); err != nil {
		return err
	}
	var wait time.Duration // what the other side asked for
	again := false
	for i := range w.plans {
		p := &w.plans[i]
		if e.halt().On { // in the middle of many: the rest stays for later
			again = again || p.State == honeyguide.PlanApplying
			continue
		}
		err := e.apply(ctx, p, s)
		if ctx.Err() != nil {
			return ctx.Err() // whoever starts next applies it again
		}
		if err != nil {
			e.traceFailed(ctx, actApply, p, err.Error())
		}
		var later *respond.Wait
		switch {
		case err == nil, errors.Is(err, errOver):
		case respond.IsPermanent(err) || s.Attempts >= s.Retries:
			p.State, p.EndedAt = honeyguide.PlanFailed, e.now().UTC()
		default:
			again = true
			if errors.As(err, &later) {
				wait = max(wait, later.For)
			}
		}
		e.m.plans.With(p.Action, string(p.State)).Add(1)
		if p.State == honeyguide.PlanVerified {
			e.m.delay.With(p.Action).Observe(p.VerifiedAt.Sub(w.at).Seconds())
		}
	}
	return e.record(ctx, w, again, wait)
}

// apply does one act and reads it back.
func (e *Engine) apply(ctx context.Context, p *honeyguide.Plan, s *honeyguide.RunStep) error {
	err := e.dep.State.View(ctx, func(tx state.Tx) error {
		now, err := tx.Plans().Get(ctx, p.ID)
		if err == nil && now.State != honeyguide.PlanApplying {
			*p = now
			return errOver
		}
		return err
	})
	if err != nil {
		return err
	}
	a := e.dep.Actions[p.Action]
	switch {
	case a == nil:
		err = respond.Permanent(fmt.Errorf("there is no action %q any more", p.Action))
		p.Error = err.Error()
		return err
	case !p.ExpiresAt.IsZero() && !e.now().Before(p.ExpiresAt):
		p.State, p.EndedAt, p.EndedBy = honeyguide.PlanExpired, e.now().UTC(), "expiry"
		return errOver
	}
	limited, cancel := context.WithTimeout(ctx, timeout(s))
	defer cancel()
	p.Attempts++
	err = supervise.Call(limited, "action "+p.Action, func(ctx context.Context) error {
		got, err := a.Apply(ctx, *p)
		if err != nil {
			return err
		}
		p.Ref, p.Undo = got.Ref, got.Undo
		if p.AppliedAt.IsZero() {
			p.AppliedAt = e.now().UTC()
		}
		v, ok := a.(respond.Verifier)
		if !ok {
			p.State = honeyguide.PlanApplied
			return nil
		}
		if err := v.Verify(ctx, *p); err != nil {
			return fmt.Errorf("done, but not to be seen: %w", err)
		}
		p.State, p.VerifiedAt = honeyguide.PlanVerified, e.now().UTC()
		return nil
	})
	p.Error = ""
	if err != nil {
		p.Error = err.Error()
		e.log.LogAttrs(ctx, slog.LevelWarn, "act failed", slog.String("action", p.Action), slog.String("plan", p.ID), slog.Int("attempt", p.Attempts), slog.Any("error", err))
	}
	return err
}

// record writes what came of a step's acts, and goes on.
func (e *Engine) record(ctx context.Context, w *work, again bool, wait time.Duration) error {
	acted := w.plans
	return e.dep.State.Update(ctx, func(tx state.Tx) error {
		r, err := tx.Runs().Get(ctx, w.run.ID)
		if err != nil {
			return err
		}
		w.run, w.plans = &r, nil
		s := &r.Steps[r.Step]
		s.Attempts++
		s.Error = ""
		for i := range acted {
			p := acted[i]
			if err := e.keep(ctx, tx, &p); err != nil {
				return err
			}
			if p.State == honeyguide.PlanFailed || p.State == honeyguide.PlanApplying {
				s.Error = p.Error
			}
		}
		failed, err := failure(ctx, tx, s)
		if err != nil {
			return err
		}
		now := e.now().UTC()
		switch {
		case r.State.Over(): // cancelled meanwhile: what was done stays until somebody undoes it
			if err := tx.Runs().Save(ctx, &r); err != nil {
				return err
			}
			return e.queue.Done(ctx, tx, w.job)
		case again:
			pause := max(wait, jobs.Backoff(s.Attempts))
			r.DeadlineAt = later(r.DeadlineAt, now.Add(pause+patience(s, len(acted))))
			if err := tx.Runs().Save(ctx, &r); err != nil {
				return err
			}
			if err := e.queue.Done(ctx, tx, w.job); err != nil {
				return err
			}
			return e.again(ctx, tx, w, pause)
		case failed:
			s.State, s.EndedAt = honeyguide.StepFailed, now
		default:
			s.State, s.EndedAt = honeyguide.StepDone, now
		}
		if h := e.halt(); h.On && r.Step+1 < len(r.Steps) {
			return e.rest(ctx, tx, w, "the stop switch is on: "+h.Why, 0)
		}
		return e.on(ctx, tx, w)
	})
}

// failure reports whether one of a step's plans failed for good, in this attempt
// or in an earlier one, and lets the step say why.
func failure(ctx context.Context, tx state.Tx, s *honeyguide.RunStep) (bool, error) {
	failed := false
	for _, id := range s.Plans {
		p, err := tx.Plans().Get(ctx, id)
		if err != nil {
			return false, err
		}
		if p.State != honeyguide.PlanFailed {
			continue
		}
		if failed = true; s.Error == "" {
			s.Error = p.Error
		}
	}
	return failed, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// keep writes one plan that was acted on, and what follows from it.
func (e *Engine) keep(ctx context.Context, tx state.Tx, p *honeyguide.Plan) error {
	stored, err := tx.Plans().Get(ctx, p.ID)
	if err != nil {
		return err
	}
	if stored.State == honeyguide.PlanReverting && p.State.InForce() {
		// Somebody wants it undone: that stands, and needs to know what was done.
		stored.AppliedAt, stored.Undo, stored.Ref = p.AppliedAt, p.Undo, p.Ref
		*p = stored
	}
	if err := tx.Plans().Save(ctx, p); err != nil {
		return err
	}
	if p.State == honeyguide.PlanFailed && !p.AppliedAt.IsZero() {
		// It was done and could not be seen: it may hold all the same.
		if err := e.soon(ctx, tx, p.ID); err != nil {
			return err
		}
	}
	if p.State != honeyguide.PlanApplied && p.State != honeyguide.PlanVerified {
		return nil
	}
	if !p.ExpiresAt.IsZero() {
		if err := tx.Jobs().Add(ctx, &state.Job{Kind: jobEnd, Key: p.ID, Arg: []byte(p.ID), RunAt: p.ExpiresAt, MaxAttempts: attempts}); err != nil {
			return err
		}
	}
	if c, ok := e.dep.Actions[p.Action].(interface{ Contains() bool }); ok && c.Contains() && p.State == honeyguide.PlanVerified && p.Incident != "" && e.dep.Contained != nil {
		return e.dep.Contained(ctx, tx, p.Incident, p.VerifiedAt, p.By)
	}
	return nil
}
