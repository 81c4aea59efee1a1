package runs

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Bounds of what is under way.
const (
	maxTargets    = 64     // of one step
	maxOpen       = 10_000 // runs that are not over, of all playbooks
	limitOpen     = 100    // runs of one playbook at a time unless it says otherwise
	limitHour     = 1000   // runs of one playbook an hour unless it says otherwise
	failedFor     = 10 * time.Minute
	stepTimeout   = 30 * time.Second
	ladderHistory = 365 * 24 * time.Hour
)

var _ pipeline.Responder = (*Engine)(nil)

// Respond writes the runs of all playbooks that apply to an incident.
func (e *Engine) Respond(ctx context.Context, tx state.Tx, in *honeyguide.Incident, alerts []honeyguide.Alert, opened bool, now time.Time) (pipeline.Response, error) {
	var out pipeline.Response
	f := &playbook.Facts{Incident: in, Alerts: alerts, Opened: opened, Trigger: playbook.TriggerIncident, Now: now, Node: e.cfg.Node}
	var have []honeyguide.Plan
	var begun []*work
	asked := false
	for _, b := range e.dep.Shelf.List() {
		ok, err := b.Matches(f)
		if err != nil {
			e.log.LogAttrs(ctx, slog.LevelWarn, "playbook condition failed", slog.String("playbook", b.ID), slog.String("incident", in.ID), slog.Any("error", err))
		}
		if !ok {
			continue
		}
		if !asked && !opened {
			if have, err = tx.Plans().ByIncident(ctx, in.ID); err != nil {
				return out, err
			}
			f.Plans = slices.Clone(have)
		}
		asked = true
		w, plans, err := e.decide(ctx, tx, b, f, have)
		if err != nil {
			return out, err
		}
		out.Plans, f.Plans = append(out.Plans, plans...), append(f.Plans, plans...)
		if w != nil {
			begun = append(begun, w)
		}
	}
	if len(begun) > 0 {
		out.Work = begun
	}
	return out, nil
}

// Begin starts what was committed.
func (e *Engine) Begin(list []pipeline.Response) {
	for _, r := range list {
		if w, ok := r.Work.([]*work); ok {
			e.push(w...)
		}
	}
}

// decide writes the run of one playbook, if there is anything new to do.
func (e *Engine) decide(ctx context.Context, tx state.Tx, b *playbook.Playbook, f *playbook.Facts, have []honeyguide.Plan) (*work, []honeyguide.Plan, error) {
	r := b.Start(f)
	if r.Mode == "" {
		r.Mode = e.cfg.Mode
	}
	r.Incident, r.By, r.CreatedAt = f.Incident.ID, "playbook:"+b.ID, f.Now
	for i := range f.Alerts[:min(len(f.Alerts), honeyguide.MaxEvidence)] {
		r.Alerts = append(r.Alerts, f.Alerts[i].ID)
	}
	if old := f.Now.Sub(f.Incident.LastAt); r.Mode == honeyguide.ModeApply && old > e.cfg.Fresh {
		r.Mode = honeyguide.ModeDryRun
		r.Reason += fmt.Sprintf(" Planned only: its newest event is %s old.", old.Truncate(time.Minute))
	}
	if r.Mode == honeyguide.ModeApply && !e.cfg.Since.IsZero() && !f.Incident.LastAt.After(e.cfg.Since) {
		r.Mode = honeyguide.ModeDryRun
		r.Reason += " Planned only: it happened before this node was restored from a backup, and was acted on then."
	}
	p := &planner{e: e, run: &r, f: f, have: have}
	all, err := p.all(ctx, tx)
	if err != nil || len(all) == 0 {
		return nil, nil, err // nothing that was not decided before
	}
	if r.Mode == honeyguide.ModeDryRun {
		r.State, r.EndedAt = honeyguide.RunPlanned, f.Now
		return nil, all, e.saveDry(ctx, tx, &r, all)
	}
	w, err := e.start(ctx, tx, &r, b, f)
	return w, all, err
}

// saveDry writes a run that is over with its plans.
func (e *Engine) saveDry(ctx context.Context, tx state.Tx, r *honeyguide.Run, plans []honeyguide.Plan) error {
	if err := tx.Runs().Save(ctx, r); err != nil {
		return err
	}
	for i := range plans {
		p := &plans[i]
		p.Run = r.ID
		for n := range r.Steps {
			if r.Steps[n].Name == p.Step {
				r.Steps[n].Plans = append(r.Steps[n].Plans, p.ID)
			}
		}
		if err := tx.Plans().Save(ctx, p); err != nil {
			return err
		}
	}
	e.m.runs.With(string(r.State)).Add(1)
	return tx.Runs().Save(ctx, r)
}

// start writes a run that acts, as far as it comes without acting, and its job.
func (e *Engine) start(ctx context.Context, tx state.Tx, r *honeyguide.Run, b *playbook.Playbook, f *playbook.Facts) (*work, error) {
	open, err := tx.Runs().Count(ctx, "")
	if err != nil {
		return nil, err
	}
	if open >= maxOpen {
		e.m.skipped.Add(1)
		e.log.LogAttrs(ctx, slog.LevelError, "run not begun: too many are under way", slog.String("playbook", r.Playbook), slog.Int64("open", open))
		return nil, nil
	}
	wait, why, err := e.held(ctx, tx, r, b, f.Now)
	if err != nil {
		return nil, err
	}
	r.State = honeyguide.RunRunning
	if err := tx.Runs().Save(ctx, r); err != nil { // it gets its ID
		return nil, err
	}
	j := &state.Job{Kind: jobRun, Key: r.ID, RunAt: f.Now.Add(wait), MaxAttempts: attempts}
	w := &work{run: r, at: f.Now}
	if why != "" {
		r.State, r.Error = honeyguide.RunHalted, why
	} else {
		j.Lease = f.Now.Add(lease)
		if w.plans, err = e.forward(ctx, tx, r, f); err != nil {
			return nil, err
		}
	}
	if err := tx.Runs().Save(ctx, r); err != nil {
		return nil, err
	}
	if r.State == honeyguide.RunWaiting || r.State.Over() {
		return nil, nil // the approval, or nobody, goes on
	}
	if e.halt().On {
		return nil, nil // resuming makes the job
	}
	if err := tx.Jobs().Add(ctx, j); err != nil {
		return nil, err
	}
	if j.Lease.IsZero() {
		return nil, nil
	}
	w.job = *j
	return w, nil
}

// held says why a run may not begin yet, and when to look again.
func (e *Engine) held(ctx context.Context, tx state.Tx, r *honeyguide.Run, b *playbook.Playbook, now time.Time) (time.Duration, string, error) {
	if h := e.halt(); h.On {
		return 0, "the stop switch is on: " + h.Why, nil
	}
	atOnce, hour := int64(limitOpen), int64(limitHour)
	if b != nil && b.Concurrency > 0 {
		atOnce = int64(b.Concurrency)
	}
	if b != nil && b.PerHour > 0 {
		hour = int64(b.PerHour)
	}
	open, err := tx.Runs().Count(ctx, r.Playbook)
	if err != nil {
		return 0, "", err
	}
	if r.ID != "" {
		open-- // it counts itself
	}
	if open >= atOnce {
		return 5 * time.Second, fmt.Sprintf("%d runs of this playbook are under way, which is its limit", open), nil
	}
	n, err := tx.Runs().Since(ctx, r.Playbook, now.Add(-time.Hour))
	if err != nil {
		return 0, "", err
	}
	if r.ID != "" {
		n-- // it counts itself
	}
	if n >= hour {
		return time.Minute, fmt.Sprintf("this playbook began %d times in an hour, which is its limit", n), nil
	}
	return 0, "", nil
}

// A planner makes the plans of one run that are new.
type planner struct {
	e    *Engine
	run  *honeyguide.Run
	f    *playbook.Facts
	have []honeyguide.Plan // of the incident
}

// all makes the plans of all steps, as far as they can be known before.
func (p *planner) all(ctx context.Context, tx state.Tx) ([]honeyguide.Plan, error) {
	var out []honeyguide.Plan
	for i := range p.run.Steps {
		list, _, err := p.step(ctx, tx, i)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

// step makes the plans of one step. skip says why there are none.
func (p *planner) step(ctx context.Context, tx state.Tx, i int) (plans []honeyguide.Plan, skip string, err error) {
	s := &p.run.Steps[i]
	due, err := playbook.Resolve(s, p.f)
	if err != nil {
		if plan, fresh := p.failed(s, "", err); fresh {
			return []honeyguide.Plan{plan}, "", nil
		}
		return nil, "it failed a short while ago: " + err.Error(), nil
	}
	if due.Skip != "" {
		return nil, due.Skip, nil
	}
	if len(due.Targets) == 0 {
		return nil, "there is no target", nil
	}
	skip = "all of it was decided before"
	for _, target := range due.Targets[:min(len(due.Targets), maxTargets)] {
		plan, fresh, err := p.one(ctx, tx, s, target, due.Params)
		if err != nil {
			return nil, "", err
		}
		if fresh {
			plans, skip = append(plans, plan), ""
		}
	}
	return plans, skip, nil
}

// one makes the plan of a step for one target, unless it was made before and
// that decision stands.
func (p *planner) one(ctx context.Context, tx state.Tx, s *honeyguide.RunStep, target string, params map[string]string) (honeyguide.Plan, bool, error) {
	r := p.run
	req := respond.Request{
		Incident: p.f.Incident, Alerts: p.f.Alerts, Run: r.ID, Playbook: r.Playbook, Step: s.Name, Target: target, Params: params,
		Mode: r.Mode, Reason: r.Reason, By: r.By, Now: p.f.Now,
	}
	if params["ladder"] != "" {
		n, err := tx.Plans().Count(ctx, state.PlanCount{Action: s.Action, Target: target, Since: p.f.Now.Add(-ladderHistory)})
		if err != nil {
			return honeyguide.Plan{}, false, err
		}
		req.Before = n
	}
	a := p.e.dep.Actions[s.Action]
	if a == nil {
		plan, fresh := p.failed(s, target, fmt.Errorf("there is no action %q", s.Action))
		return plan, fresh, nil
	}
	plan, err := a.Plan(ctx, req)
	if err != nil {
		plan, fresh := p.failed(s, target, err)
		return plan, fresh, nil
	}
	p.stamp(&plan, s)
	if err := confirmable(&plan, params["confirm_within"]); err != nil {
		plan, fresh := p.failed(s, target, err)
		return plan, fresh, nil
	}
	return plan, p.identify(&plan), nil
}

// failed is the plan of a step that makes no sense.
func (p *planner) failed(s *honeyguide.RunStep, target string, err error) (plan honeyguide.Plan, fresh bool) {
	plan = honeyguide.Plan{Target: target, State: honeyguide.PlanFailed, Error: err.Error(), Effect: "Nothing would change.", EndedAt: p.f.Now}
	p.stamp(&plan, s)
	return plan, p.identify(&plan)
}

// stamp says whose a plan is.
func (p *planner) stamp(plan *honeyguide.Plan, s *honeyguide.RunStep) {
	r := p.run
	plan.Run, plan.Incident, plan.Playbook, plan.Step, plan.Mode, plan.By = r.ID, r.Incident, r.Playbook, s.Name, r.Mode, r.By
	plan.Action = s.Action // the instance, so that it is found again to be undone
	plan.CreatedAt, plan.Evidence = p.f.Now.UTC(), slices.Clone(r.Alerts)
	if plan.Reason == "" {
		plan.Reason = r.Reason
	}
}

// identify gives a plan its ID: what a playbook's step does to a target for an
// incident is one act, however often the incident grows. It is another act when
// the one before is over: its time was up, it failed some time ago, or the guard
// that refused it does not any more. What a person undid stays undone.
func (p *planner) identify(plan *honeyguide.Plan) (fresh bool) {
	if plan.Incident == "" || p.run.Trigger == playbook.TriggerManual {
		plan.ID = honeyguide.DerivedID(p.run.CreatedAt, "plan", p.run.ID, plan.Step, plan.Action, plan.Target)
		return true
	}
	n := 0
	var last *honeyguide.Plan
	for i := range p.have {
		h := &p.have[i]
		if h.Playbook != plan.Playbook || h.Step != plan.Step || h.Action != plan.Action || h.Target != plan.Target || h.Mode != plan.Mode {
			continue
		}
		n++
		if last == nil || h.CreatedAt.After(last.CreatedAt) {
			last = h
		}
	}
	plan.ID = honeyguide.DerivedID(p.f.Incident.CreatedAt, "plan", plan.Incident, plan.Playbook, plan.Step, plan.Action, plan.Target, string(plan.Mode), fmt.Sprint(n))
	if last == nil {
		return true
	}
	switch last.State {
	case honeyguide.PlanExpired:
		return true
	case honeyguide.PlanFailed:
		return p.f.Now.Sub(last.CreatedAt) > failedFor
	case honeyguide.PlanRefused:
		return plan.State == honeyguide.PlanPlanned
	case honeyguide.PlanPlanned: // of a dry run: a longer block is news
		return last.Mode == honeyguide.ModeDryRun && plan.ExpiresAt.Sub(plan.CreatedAt) > last.ExpiresAt.Sub(last.CreatedAt)
	}
	return false
}
