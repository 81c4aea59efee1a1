package runs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// paramUntil is where a plan that must be confirmed keeps its full time.
const paramUntil = "confirmed_until"

// confirmable makes a plan end early unless somebody confirms it. The effect
// itself carries the early end, so that it ends even if nobody is left to undo it.
func confirmable(p *honeyguide.Plan, within string) error {
	if within == "" || p.State != honeyguide.PlanPlanned {
		return nil
	}
	d, err := time.ParseDuration(within)
	if err != nil || d < time.Second {
		return fmt.Errorf("confirm_within: %.40q; want a time such as 5m", within)
	}
	early := p.CreatedAt.Add(d)
	switch {
	case p.ExpiresAt.IsZero():
		return errors.New("confirm_within: this action has no end that could come early")
	case !early.Before(p.ExpiresAt):
		return nil
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	p.Params[paramUntil] = p.ExpiresAt.Format(time.RFC3339Nano)
	p.ExpiresAt = early
	p.Effect += " Unless somebody confirms it within " + d.String() + ", it ends then."
	return nil
}

// Confirm lets what a run did hold until its full time.
func (e *Engine) Confirm(ctx context.Context, run, by string) (honeyguide.Run, error) {
	return e.change(ctx, run, func(tx state.Tx, r *honeyguide.Run) error {
		n := 0
		for _, s := range r.Steps {
			for _, id := range s.Plans {
				p, err := tx.Plans().Get(ctx, id)
				if err != nil {
					return err
				}
				until, err := time.Parse(time.RFC3339Nano, p.Params[paramUntil])
				if err != nil || !p.State.InForce() || p.State == honeyguide.PlanReverting {
					continue
				}
				n++
				delete(p.Params, paramUntil)
				p.ExpiresAt = until
				p.Reason += " Confirmed by " + by + "."
				if err := tx.Plans().Save(ctx, &p); err != nil {
					return err
				}
				if err := tx.Jobs().Add(ctx, &state.Job{Kind: jobRenew, Key: p.ID, Arg: []byte(p.ID), RunAt: e.now(), MaxAttempts: attempts}); err != nil {
					return err
				}
			}
		}
		if n == 0 {
			return conflict("%s has nothing that waits to be confirmed", r.Short)
		}
		return nil
	})
}

// renew applies a plan that holds already once more, with its later end.
func (e *Engine) renew(ctx context.Context, w *work) error {
	unlock := e.lock([]honeyguide.Plan{{ID: w.job.Key}})
	defer unlock()
	var p honeyguide.Plan
	err := e.dep.State.View(ctx, func(tx state.Tx) (err error) {
		p, err = tx.Plans().Get(ctx, w.job.Key)
		return err
	})
	if err != nil {
		return err
	}
	if p.State == honeyguide.PlanApplied || p.State == honeyguide.PlanVerified {
		limited, cancel := context.WithTimeout(ctx, stepTimeout)
		defer cancel()
		if err := supervise.Call(limited, "renew "+p.Action, func(ctx context.Context) error {
			a := e.dep.Actions[p.Action]
			if a == nil {
				return fmt.Errorf("there is no action %q any more", p.Action)
			}
			if _, err := a.Apply(ctx, p); err != nil {
				return err
			}
			if v, ok := a.(respond.Verifier); ok {
				return v.Verify(ctx, p)
			}
			return nil
		}); err != nil {
			return err
		}
	}
	return e.dep.State.Update(ctx, func(tx state.Tx) error { return e.queue.Done(ctx, tx, w.job) })
}
