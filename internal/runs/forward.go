package runs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/jobs"
	"honeyguide/internal/playbook"
	"honeyguide/internal/state"
)

// On what a step does when it was given up.
const (
	failStop     = "stop"
	failContinue = "continue"
	failRollback = "rollback"
)

// facts reads what conditions and templates of a run are about.
func (e *Engine) facts(ctx context.Context, tx state.Tx, r *honeyguide.Run) (*playbook.Facts, []honeyguide.Plan, error) {
	f := &playbook.Facts{Trigger: r.Trigger, Now: e.now().UTC(), Vars: r.Vars, Steps: r.Steps[:min(r.Step, len(r.Steps))], Node: e.cfg.Node}
	if r.Incident == "" {
		from, err := time.Parse(time.RFC3339, r.Vars[varFrom])
		if err == nil && e.dep.Summary != nil {
			f.Summary, err = e.dep.Summary(ctx, from, r.CreatedAt)
			return f, nil, err
		}
		return f, nil, nil
	}
	in, err := tx.Incidents().Get(ctx, r.Incident)
	if err != nil {
		return nil, nil, err
	}
	f.Incident = &in
	for _, id := range r.Alerts {
		a, err := tx.Alerts().Get(ctx, id)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
			continue // retention took it
		}
		if err != nil {
			return nil, nil, err
		}
		f.Alerts = append(f.Alerts, a)
	}
	have, err := tx.Plans().ByIncident(ctx, r.Incident)
	f.Plans = slices.DeleteFunc(slices.Clone(have), func(p honeyguide.Plan) bool { return p.Run == r.ID }) // its own do not stop it
	return f, have, err
}

// forward takes a run to its next act, or to its end. It returns the plans of
// the step at hand, saved in state applying; none when there is nothing to do
// now: the run is over, or waits for an approval.
func (e *Engine) forward(ctx context.Context, tx state.Tx, r *honeyguide.Run, f *playbook.Facts) ([]honeyguide.Plan, error) {
	var have []honeyguide.Plan
	if f == nil {
		var err error
		if f, have, err = e.facts(ctx, tx, r); err != nil {
			return nil, err
		}
	} else if !f.Opened && r.Incident != "" {
		var err error
		if have, err = tx.Plans().ByIncident(ctx, r.Incident); err != nil {
			return nil, err
		}
	}
	for r.Step < len(r.Steps) {
		s := &r.Steps[r.Step]
		f.Steps = r.Steps[:r.Step]
		var plans []honeyguide.Plan
		var err error
		switch s.State {
		case "", honeyguide.StepPending:
			plans, err = e.enter(ctx, tx, r, s, f, have)
		case honeyguide.StepWaiting:
			if !agreed(s) {
				r.State = honeyguide.RunWaiting
				return nil, nil
			}
			plans, err = e.take(ctx, tx, r, s, honeyguide.PlanWaiting)
		case honeyguide.StepRunning:
			plans, err = e.take(ctx, tx, r, s, honeyguide.PlanApplying)
		case honeyguide.StepFailed:
			if stop, err := e.give(ctx, tx, r, s); stop || err != nil {
				return nil, err
			}
			r.Step++
			continue
		default:
			r.Step++
			continue
		}
		switch {
		case err != nil:
			return nil, err
		case s.State == honeyguide.StepWaiting || len(plans) > 0:
			return plans, nil
		}
	}
	e.finish(r, honeyguide.RunDone)
	return nil, nil
}

// finish ends a run.
func (e *Engine) finish(r *honeyguide.Run, as honeyguide.RunState) {
	r.State, r.EndedAt, r.DeadlineAt = as, e.now().UTC(), time.Time{}
	e.m.runs.With(string(as)).Add(1)
}

// enter makes the plans of a step that is reached. It leaves the step skipped or
// failed when there is nothing to do, waiting when somebody must agree first, and
// else running, with its plans saved as applying.
func (e *Engine) enter(ctx context.Context, tx state.Tx, r *honeyguide.Run, s *honeyguide.RunStep, f *playbook.Facts, have []honeyguide.Plan) ([]honeyguide.Plan, error) {
	p := &planner{e: e, run: r, f: f, have: have}
	list, skip, err := p.step(ctx, tx, r.Step)
	if err != nil {
		return nil, err
	}
	var acts []honeyguide.Plan
	var why, faults []string
	for i := range list {
		plan := &list[i]
		s.Plans = append(s.Plans, plan.ID)
		switch plan.State {
		case honeyguide.PlanRefused:
			why = append(why, plan.Reason)
			plan.EndedAt = f.Now
		case honeyguide.PlanFailed:
			faults = append(faults, plan.Error)
		default:
			acts = append(acts, *plan)
			continue
		}
		if err := tx.Plans().Save(ctx, plan); err != nil {
			return nil, err
		}
	}
	now := e.now().UTC()
	switch {
	case len(acts) == 0 && len(faults) > 0:
		s.State, s.Error, s.EndedAt = honeyguide.StepFailed, strings.Join(faults, "; "), now
		return nil, nil
	case len(acts) == 0:
		s.State, s.Error, s.EndedAt = honeyguide.StepSkipped, strings.Join(append(why, skip), " "), now
		s.Error = strings.TrimSpace(s.Error)
		return nil, nil
	case s.Approval != nil && !agreed(s):
		return nil, e.ask(ctx, tx, r, s, acts, now)
	}
	return acts, e.begin(ctx, tx, r, s, acts, now)
}

// begin saves plans as applying.
func (e *Engine) begin(ctx context.Context, tx state.Tx, r *honeyguide.Run, s *honeyguide.RunStep, acts []honeyguide.Plan, now time.Time) error {
	for i := range acts {
		acts[i].State = honeyguide.PlanApplying
		if err := tx.Plans().Save(ctx, &acts[i]); err != nil {
			return err
		}
	}
	r.State, r.Error = honeyguide.RunRunning, ""
	s.State = honeyguide.StepRunning
	if s.StartedAt.IsZero() {
		s.StartedAt = now
	}
	r.DeadlineAt, r.StuckAt = now.Add(patience(s, len(acts))), time.Time{}
	return nil
}

// patience is how long a step may take with all its attempts.
func patience(s *honeyguide.RunStep, n int) time.Duration {
	d := timeout(s) * time.Duration(max(n, 1)) * time.Duration(s.Retries+1)
	for i := 1; i <= s.Retries; i++ {
		d += jobs.Backoff(i)
	}
	return d + lease
}

func timeout(s *honeyguide.RunStep) time.Duration {
	if s.TimeoutMS > 0 {
		return time.Duration(s.TimeoutMS) * time.Millisecond
	}
	return stepTimeout
}

// ask saves plans as waiting, so that an approver sees what would be done, and
// sets the time after which nobody needs to answer any more.
func (e *Engine) ask(ctx context.Context, tx state.Tx, r *honeyguide.Run, s *honeyguide.RunStep, acts []honeyguide.Plan, now time.Time) error {
	for i := range acts {
		acts[i].State = honeyguide.PlanWaiting
		if err := tx.Plans().Save(ctx, &acts[i]); err != nil {
			return err
		}
	}
	within := time.Duration(s.Approval.WithinMS) * time.Millisecond
	if within <= 0 {
		within = time.Hour
	}
	s.State, s.AskedAt, r.State = honeyguide.StepWaiting, now, honeyguide.RunWaiting
	r.DeadlineAt = now.Add(within + lease)
	return tx.Jobs().Add(ctx, &state.Job{Kind: jobLapse, Key: lapseKey(r), Arg: []byte(r.ID), RunAt: now.Add(within), MaxAttempts: attempts})
}

func lapseKey(r *honeyguide.Run) string { return fmt.Sprintf("%s/%d", r.ID, r.Step) }

// take reads the plans of a step that are in a state and brings them to
// applying. What is over meanwhile stays so.
func (e *Engine) take(ctx context.Context, tx state.Tx, r *honeyguide.Run, s *honeyguide.RunStep, in honeyguide.PlanState) ([]honeyguide.Plan, error) {
	var acts []honeyguide.Plan
	for _, id := range s.Plans {
		p, err := tx.Plans().Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if p.State == in {
			if in == honeyguide.PlanWaiting { // its time begins now
				if ttl := p.ExpiresAt.Sub(p.CreatedAt); !p.ExpiresAt.IsZero() {
					p.ExpiresAt = e.now().UTC().Add(ttl)
				}
			}
			acts = append(acts, p)
		}
	}
	if len(acts) == 0 {
		s.State, s.EndedAt = honeyguide.StepDone, e.now().UTC()
		return nil, nil
	}
	return acts, e.begin(ctx, tx, r, s, acts, e.now().UTC())
}

// give ends or goes on with a run whose step was given up.
func (e *Engine) give(ctx context.Context, tx state.Tx, r *honeyguide.Run, s *honeyguide.RunStep) (stop bool, err error) {
	switch s.OnFail {
	case failContinue:
		return false, nil
	case failRollback:
		if err := e.undo(ctx, tx, r, "rollback", "step "+s.Name+" failed"); err != nil {
			return true, err
		}
	}
	r.Error = "step " + s.Name + ": " + s.Error
	e.finish(r, honeyguide.RunFailed)
	return true, nil
}

// undo asks for the end of everything a run did that holds.
func (e *Engine) undo(ctx context.Context, tx state.Tx, r *honeyguide.Run, by, why string) error {
	r.Reverting = true
	for _, s := range slices.Backward(r.Steps) {
		for _, id := range slices.Backward(s.Plans) {
			p, err := tx.Plans().Get(ctx, id)
			if err != nil {
				return err
			}
			if err := e.revoke(ctx, tx, &p, by, why); err != nil {
				return err
			}
		}
	}
	return nil
}

// revoke asks for the end of one plan. What has not begun is cancelled at once.
func (e *Engine) revoke(ctx context.Context, tx state.Tx, p *honeyguide.Plan, by, why string) error {
	now := e.now().UTC()
	switch {
	case p.State == honeyguide.PlanPlanned && p.Mode == honeyguide.ModeApply, p.State == honeyguide.PlanWaiting:
		p.State, p.EndedAt, p.EndedBy, p.Error = honeyguide.PlanCancelled, now, by, why
		return tx.Plans().Save(ctx, p)
	case !p.State.InForce() || p.Irreversible:
		return nil
	}
	p.State, p.EndedBy, p.Error = honeyguide.PlanReverting, by, why
	if err := tx.Plans().Save(ctx, p); err != nil {
		return err
	}
	return e.soon(ctx, tx, p.ID)
}

// soon adds the job that ends a plan. One that waits for the plan's time is
// woken by the key of its own.
func (e *Engine) soon(ctx context.Context, tx state.Tx, plan string) error {
	return tx.Jobs().Add(ctx, &state.Job{Kind: jobEnd, Key: "now/" + plan, Arg: []byte(plan), RunAt: e.now(), MaxAttempts: attempts})
}

// agreed reports whether enough people approved a step.
func agreed(s *honeyguide.RunStep) bool { return s.Needed() == 0 }
