package playbook

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
)

// An Engine plans the steps of playbooks in dry run.
type Engine struct {
	shelf   *Shelf
	actions map[string]respond.Action
}

// NewEngine returns an engine. A step whose action is not among actions is an
// error.
func NewEngine(books []*Playbook, actions map[string]respond.Action) (*Engine, error) {
	for _, b := range books {
		if err := faulty(Unknown(b, slices.Collect(maps.Keys(actions)))); err != nil {
			return nil, err
		}
	}
	return &Engine{NewShelf(books), actions}, nil
}

// Unknown returns the faults of steps whose action is not among names.
func Unknown(b *Playbook, names []string) []Fault {
	var out []Fault
	for i := range b.Steps {
		if s := &b.Steps[i]; !slices.Contains(names, s.Action) {
			out = append(out, Fault{File: b.File, Line: s.Line, Text: fmt.Sprintf("step %s: no action %q; %s", s.Name, clip(s.Action), thereAre(names))})
		}
	}
	return out
}

func thereAre(names []string) string {
	return "there are: " + strings.Join(slices.Sorted(slices.Values(names)), ", ")
}

// Playbooks returns what the engine runs.
func (e *Engine) Playbooks() []*Playbook { return e.shelf.List() }

// Plan returns the plans of all playbooks whose condition holds for an
// incident; of several that would do the same the strongest. alerts are those that changed it now; opened says that it is new.
// A step that fails does not stop the others; the errors are joined.
func (e *Engine) Plan(ctx context.Context, in *honeyguide.Incident, alerts []honeyguide.Alert, opened bool, now time.Time) ([]honeyguide.Plan, error) {
	var out []honeyguide.Plan
	var errs []error
	f := &Facts{Incident: in, Alerts: alerts, Opened: opened, Trigger: TriggerIncident, Now: now}
	for _, b := range e.shelf.List() {
		ok, err := b.Matches(f)
		if err != nil {
			errs = append(errs, fmt.Errorf("playbook %s: %w", b.ID, err))
		}
		if !ok {
			continue
		}
		run := b.Start(f)
		for i := range run.Steps {
			list, err := e.step(ctx, &run, &run.Steps[i], f)
			if err != nil {
				errs = append(errs, fmt.Errorf("playbook %s: %w", b.ID, err))
			}
			out = merge(out, list)
		}
	}
	return out, errors.Join(errs...)
}

// step plans one step for each of its targets.
func (e *Engine) step(ctx context.Context, run *honeyguide.Run, s *honeyguide.RunStep, f *Facts) ([]honeyguide.Plan, error) {
	due, err := Resolve(s, f)
	if err != nil || due.Skip != "" {
		return nil, err
	}
	var out []honeyguide.Plan
	var errs []error
	for _, target := range due.Targets {
		p, err := e.actions[s.Action].Plan(ctx, respond.Request{
			Incident: f.Incident, Alerts: f.Alerts, Playbook: run.Playbook, Step: s.Name, Target: target, Params: due.Params,
			Mode: honeyguide.ModeDryRun, Reason: run.Reason, Now: f.Now,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("step %s: %w", s.Name, err))
			continue
		}
		p.ID = honeyguide.DerivedID(f.Incident.CreatedAt, "plan", f.Incident.ID, p.Action, p.Target)
		p.Incident, p.Playbook, p.Step, p.Mode, p.CreatedAt = f.Incident.ID, run.Playbook, s.Name, honeyguide.ModeDryRun, f.Now.UTC()
		out = append(out, p)
	}
	return out, errors.Join(errs...)
}

// merge adds plans to a list; of two that would do the same the stronger stays.
func merge(out, list []honeyguide.Plan) []honeyguide.Plan {
	for i := range list {
		p := &list[i]
		if n := slices.IndexFunc(out, func(o honeyguide.Plan) bool { return o.ID == p.ID }); n < 0 {
			out = append(out, *p)
		} else if Stronger(p, &out[n]) {
			out[n] = *p
		}
	}
	return out
}

// Stronger reports whether plan a should stand instead of b, a plan of the same
// id: it acts where b was refused, or its effect lasts longer.
func Stronger(a, b *honeyguide.Plan) bool {
	if a.State != b.State {
		return a.State == honeyguide.PlanPlanned
	}
	return a.ExpiresAt.Sub(a.CreatedAt) > b.ExpiresAt.Sub(b.CreatedAt)
}
