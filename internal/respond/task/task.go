// Package task writes something for a person to do into an incident.
package task

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// Kind is the task action.
var Kind = kind.Of("task", "Write a task for a person into the incident.", Config{}, open)

// Config configures the task action.
type Config struct {
	Owner string `yaml:"owner" doc:"who gets tasks of steps that name nobody; empty = nobody yet"`
}

// The parameters of a step.
const (
	paramTitle = "title"
	paramOwner = "owner"
	paramDue   = "due"
)

const maxTitle = 200 // bytes

type action struct {
	cfg   Config
	state state.Store
	now   func() time.Time
}

var (
	_ respond.Verifier  = (*action)(nil)
	_ respond.Describer = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	a := &action{cfg, dep.State, dep.Now}
	if a.now == nil {
		a.now = time.Now
	}
	return a, nil
}

// Params says what steps may give.
func (*action) Params() []respond.Param {
	return []respond.Param{
		{Name: paramTitle, Doc: "what is to be done, in one line", Required: true},
		{Name: paramOwner, Doc: "who is to do it"},
		{Name: paramDue, Doc: "within how long, such as 4h"},
	}
}

// Plan says which task would be written.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	title := strings.Join(strings.Fields(r.Params[paramTitle]), " ")
	switch {
	case r.Incident == nil:
		return honeyguide.Plan{}, errors.New("task: a run about no incident has nowhere to write one")
	case title == "":
		return honeyguide.Plan{}, errors.New("task: title: say what is to be done")
	}
	p := honeyguide.Plan{State: honeyguide.PlanPlanned, Params: maps.Clone(r.Params), Irreversible: true}
	p.Params[paramTitle] = state.Clip(title, maxTitle)
	if p.Params[paramOwner] == "" {
		p.Params[paramOwner] = a.cfg.Owner
	}
	if due := r.Params[paramDue]; due != "" {
		if d, err := time.ParseDuration(due); err != nil || d <= 0 {
			return honeyguide.Plan{}, fmt.Errorf("task: due: %.20q is no duration; want one such as 4h", due)
		}
	}
	p.Target = r.Incident.Short
	p.Effect = "A task would be written: " + safetext.TermN(p.Params[paramTitle], maxTitle)
	return p, nil
}

// entry is the ID of the timeline entry that says the task was written: by it a
// second attempt recognises the first.
func entry(p *honeyguide.Plan) string { return honeyguide.DerivedID(p.CreatedAt, "task", p.ID) }

// written returns the task a plan led to, "" when it has not.
func written(ctx context.Context, tx state.Tx, p *honeyguide.Plan) (string, error) {
	q := state.TimelineQuery{Incident: p.Incident, Kind: honeyguide.EntryTask, Page: state.Page{Limit: state.MaxLimit}}
	list, _, err := tx.Timeline().List(ctx, q)
	if err != nil {
		return "", err
	}
	if i := slices.IndexFunc(list, func(e honeyguide.TimelineEntry) bool { return e.ID == entry(p) }); i >= 0 {
		return list[i].Ref, nil
	}
	return "", nil
}

// Apply writes the task, once.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (out respond.Receipt, err error) {
	if a.state == nil {
		return out, respond.Permanent(errors.New("task: there is no state to write to"))
	}
	err = a.state.Update(ctx, func(tx state.Tx) error {
		if out.Ref, err = written(ctx, tx, &p); err != nil || out.Ref != "" {
			return err
		}
		in, err := tx.Incidents().Get(ctx, p.Incident)
		if err != nil {
			return err
		}
		if len(in.Tasks) >= honeyguide.MaxTasks {
			return respond.Permanent(fmt.Errorf("task: %s has %d tasks, which is all it may have", in.Short, honeyguide.MaxTasks))
		}
		now := a.now().UTC()
		t := honeyguide.Task{ID: next(in.Tasks), Title: p.Params[paramTitle], Owner: p.Params[paramOwner], By: p.By, CreatedAt: now}
		if d, err := time.ParseDuration(p.Params[paramDue]); err == nil {
			t.DueAt = now.Add(d)
		}
		in.Tasks, in.UpdatedAt, out.Ref = append(in.Tasks, t), now, t.ID
		if _, err := tx.Incidents().Save(ctx, &in); err != nil {
			return err
		}
		return tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{
			ID: entry(&p), Incident: in.ID, At: now, Kind: honeyguide.EntryTask, By: p.By, Ref: t.ID, Text: t.ID + " asked for: " + t.Title,
		})
	})
	return out, err
}

// next is the ID after the highest there is.
func next(list []honeyguide.Task) string {
	last := 0
	for i := range list {
		n, err := strconv.Atoi(strings.TrimPrefix(list[i].ID, "T-"))
		if err == nil {
			last = max(last, n)
		}
	}
	return "T-" + strconv.Itoa(last+1)
}

// Verify looks whether it was written.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if a.state == nil {
		return errors.New("there is no state to look at")
	}
	return a.state.View(ctx, func(tx state.Tx) error {
		ref, err := written(ctx, tx, &p)
		if err == nil && ref == "" {
			err = errors.New("the task is not in the incident")
		}
		return err
	})
}
