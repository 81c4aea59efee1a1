package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

func conflict(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

func forbidden(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: fmt.Sprintf(format, args...)}
}

// change runs fn in a transaction on one run and returns the run as it is then.
func (e *Engine) change(ctx context.Context, id string, fn func(tx state.Tx, r *honeyguide.Run) error) (out honeyguide.Run, err error) {
	err = e.dep.State.Update(ctx, func(tx state.Tx) error {
		r, err := tx.Runs().Get(ctx, id)
		if err != nil {
			return err
		}
		if err := fn(tx, &r); err != nil {
			return err
		}
		out = r
		return nil
	})
	e.wake()
	return out, err
}

// Start begins a run of a playbook by hand.
func (e *Engine) Start(ctx context.Context, q honeyguide.StartRequest) (honeyguide.Run, error) {
	b, ok := e.dep.Shelf.Get(q.Playbook)
	if !ok {
		return honeyguide.Run{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no playbook %.80q", q.Playbook)}
	}
	vars, err := b.Fill(q.Vars)
	if err != nil {
		return honeyguide.Run{}, err
	}
	q.Vars = vars
	return e.manual(ctx, q, b.Start, b)
}

// manual writes a run that a person asked for.
func (e *Engine) manual(ctx context.Context, q honeyguide.StartRequest, draft func(*playbook.Facts) honeyguide.Run, b *playbook.Playbook) (out honeyguide.Run, err error) {
	if q.By == "" {
		return out, invalid("by: who asks for it?")
	}
	var w *work
	err = e.dep.State.Update(ctx, func(tx state.Tx) error {
		f := &playbook.Facts{Trigger: playbook.TriggerManual, Now: e.now().UTC(), Vars: q.Vars, Node: e.cfg.Node}
		if q.Incident != "" {
			in, err := tx.Incidents().Get(ctx, q.Incident)
			if err != nil {
				return err
			}
			f.Incident = &in
			if f.Alerts, _, err = tx.Alerts().List(ctx, state.AlertQuery{Incident: in.ID, Page: state.Page{Limit: honeyguide.MaxEvidence}}); err != nil {
				return err
			}
		}
		r := draft(f)
		r.Trigger, r.By, r.Vars, r.CreatedAt = playbook.TriggerManual, q.By, q.Vars, f.Now
		if q.Mode != "" {
			r.Mode = q.Mode
		}
		if r.Mode == "" {
			r.Mode = e.cfg.Mode
		}
		if q.Reason != "" {
			r.Reason = q.Reason
		}
		if f.Incident != nil {
			r.Incident = f.Incident.ID
		}
		for i := range f.Alerts {
			r.Alerts = append(r.Alerts, f.Alerts[i].ID)
		}
		r.ID = honeyguide.NewID(f.Now)
		w = nil
		var err error
		if r.Mode == honeyguide.ModeDryRun {
			p := &planner{e: e, run: &r, f: f}
			plans, err := p.all(ctx, tx)
			if err != nil {
				return err
			}
			r.State, r.EndedAt = honeyguide.RunPlanned, f.Now
			err = e.saveDry(ctx, tx, &r, plans)
			out = r
			return err
		}
		w, err = e.start(ctx, tx, &r, b, f)
		out = r
		return err
	})
	if err == nil && w != nil {
		e.push(w)
	}
	return out, err
}

// Decide notes what one person says about the step a run waits at.
func (e *Engine) Decide(ctx context.Context, run string, step int, d honeyguide.Decision) (honeyguide.Run, error) {
	return e.change(ctx, run, func(tx state.Tx, r *honeyguide.Run) error {
		if r.State != honeyguide.RunWaiting || r.Step != step || step < 0 || step >= len(r.Steps) || r.Steps[step].State != honeyguide.StepWaiting {
			return conflict("%s does not wait for an approval of step %d; it is %s", r.Short, step, r.State)
		}
		s := &r.Steps[step]
		rule := s.Approval
		switch {
		case d.By == "":
			return invalid("by: who decides?")
		case !rule.Takes(d.Role):
			return forbidden("step %s is for %s to decide", s.Name, strings.Join(rule.Roles, " or "))
		case d.Approved && r.Trigger == playbook.TriggerManual && honeyguide.SamePerson(d.By, r.By):
			return forbidden("who began a run does not approve it; somebody else does")
		case slices.ContainsFunc(s.Decisions, func(x honeyguide.Decision) bool { return honeyguide.SamePerson(x.By, d.By) }):
			return conflict("%s decided about this step before", d.By)
		}
		now := e.now().UTC()
		if rule.WithinMS > 0 && now.After(s.AskedAt.Add(time.Duration(rule.WithinMS)*time.Millisecond)) {
			return conflict("the time to approve step %s is over", s.Name)
		}
		d.At = now
		s.Decisions = append(s.Decisions, d)
		if !d.Approved {
			s.State, s.EndedAt, s.Error = honeyguide.StepDenied, now, "denied by "+d.By
			return e.stop(ctx, tx, r, d.By, s.Error)
		}
		if err := tx.Runs().Save(ctx, r); err != nil || !agreed(s) {
			return err
		}
		return tx.Jobs().Add(ctx, &state.Job{Kind: jobRun, Key: r.ID, RunAt: now, MaxAttempts: attempts})
	})
}

// Cancel ends a run before its next step. What it did stays; see Revert.
func (e *Engine) Cancel(ctx context.Context, run, by, why string) (honeyguide.Run, error) {
	return e.change(ctx, run, func(tx state.Tx, r *honeyguide.Run) error {
		if r.State.Over() {
			return conflict("%s is over: %s", r.Short, r.State)
		}
		if s := &r.Steps[min(r.Step, len(r.Steps)-1)]; s.State == honeyguide.StepWaiting {
			s.State, s.EndedAt = honeyguide.StepDenied, e.now().UTC()
		}
		return e.stop(ctx, tx, r, by, "cancelled by "+by+reason(why))
	})
}

func reason(why string) string {
	if why == "" {
		return ""
	}
	return ": " + why
}

// Retry goes on with a run from the step that failed.
func (e *Engine) Retry(ctx context.Context, run, by string) (honeyguide.Run, error) {
	return e.change(ctx, run, func(tx state.Tx, r *honeyguide.Run) error {
		if r.State != honeyguide.RunFailed || r.Reverting || r.Step >= len(r.Steps) {
			return conflict("%s cannot be tried again: it is %s", r.Short, r.State)
		}
		s := &r.Steps[r.Step]
		now := e.now().UTC()
		s.State, s.Error, s.Attempts, s.EndedAt = honeyguide.StepRunning, "", 0, time.Time{}
		for _, id := range s.Plans {
			p, err := tx.Plans().Get(ctx, id)
			if err != nil {
				return err
			}
			if p.State != honeyguide.PlanFailed {
				continue
			}
			p.State, p.EndedAt = honeyguide.PlanApplying, time.Time{}
			if err := tx.Plans().Save(ctx, &p); err != nil {
				return err
			}
		}
		r.State, r.Error, r.EndedAt = honeyguide.RunRunning, "", time.Time{}
		r.Reason += " Tried again by " + by + "."
		if err := tx.Runs().Save(ctx, r); err != nil {
			return err
		}
		return tx.Jobs().Add(ctx, &state.Job{Kind: jobRun, Key: r.ID, RunAt: now, MaxAttempts: attempts})
	})
}

// Revert undoes all a run did that can be undone, and ends it.
func (e *Engine) Revert(ctx context.Context, run, by, why string) (honeyguide.Run, error) {
	return e.change(ctx, run, func(tx state.Tx, r *honeyguide.Run) error {
		if r.Mode != honeyguide.ModeApply {
			return conflict("%s was a dry run: there is nothing to undo", r.Short)
		}
		if err := e.undo(ctx, tx, r, by, strings.TrimPrefix(reason(why), ": ")); err != nil {
			return err
		}
		if !r.State.Over() {
			return e.stop(ctx, tx, r, by, "undone by "+by+reason(why))
		}
		return tx.Runs().Save(ctx, r)
	})
}

// RevertPlan undoes one act.
func (e *Engine) RevertPlan(ctx context.Context, plan, by, why string) (p honeyguide.Plan, err error) {
	err = e.dep.State.Update(ctx, func(tx state.Tx) error {
		if p, err = tx.Plans().Get(ctx, plan); err != nil {
			return err
		}
		switch {
		case p.Irreversible:
			return conflict("what %s did cannot be undone", p.Action)
		case p.Mode != honeyguide.ModeApply || !p.State.InForce() && p.State != honeyguide.PlanWaiting:
			return conflict("there is nothing to undo: the plan is %s", p.State)
		}
		return e.revoke(ctx, tx, &p, by, why)
	})
	e.wake()
	return p, err
}

// manualBlock is the playbook of blocks made by hand.
const manualBlock = "manual-block"

// Block blocks an address by hand.
func (e *Engine) Block(ctx context.Context, q honeyguide.BlockRequest) (honeyguide.Run, error) {
	p, err := respond.ParseTarget(q.Target)
	switch {
	case err != nil:
		return honeyguide.Run{}, invalid("address: %.80q is no address or prefix; write 203.0.113.7 or 203.0.113.0/24", q.Target)
	case q.Reason == "":
		return honeyguide.Run{}, invalid("reason: say why, for whoever finds the block later")
	case q.ConfirmWithin < 0 || q.TTL < 0:
		return honeyguide.Run{}, invalid("ttl, confirm_within: want a positive time")
	}
	step := honeyguide.RunStep{
		Name: "block", Action: state.ActionBlockIP, Target: respond.Canonical(p), Params: map[string]string{}, Retries: 3, OnFail: failStop,
	}
	if q.TTL > 0 {
		step.Params["ttl"] = q.TTL.String()
	}
	if q.ConfirmWithin > 0 {
		step.Params["confirm_within"] = q.ConfirmWithin.String()
	}
	if !p.IsSingleIP() { // many would suffer: somebody else must agree
		step.Approval = &honeyguide.ApprovalRule{Roles: []string{"responder", "admin"}, People: 1, WithinMS: (30 * time.Minute).Milliseconds()}
	}
	return e.manual(ctx, honeyguide.StartRequest{Playbook: manualBlock, Incident: q.Incident, By: q.By, Role: q.Role, Reason: q.Reason, Mode: honeyguide.ModeApply},
		func(*playbook.Facts) honeyguide.Run {
			return honeyguide.Run{Playbook: manualBlock, Title: "Block by hand", Version: "built-in", Steps: []honeyguide.RunStep{step}}
		}, nil)
}
