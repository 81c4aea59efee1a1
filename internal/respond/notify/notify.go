// Package notify tells people: it posts a notice to the outbox, which sends it
// when and where the operator wants it.
package notify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// Kind is the notify action.
var Kind = kind.Of("notify", "Tell people, on the channels and along the chains of notify.", Config{}, open)

// Config configures the notify action.
type Config struct {
	To string `yaml:"to" doc:"channel or chain of a step that names none; empty = notify.default"`
}

type action struct {
	cfg Config
	dep respond.Deps
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	return &action{cfg, dep}, nil
}

// The parameters of a step.
const (
	paramTo      = "to"      // channel, chain, or several channels between commas
	paramTitle   = "title"   // one line; the incident's title when there is none
	paramText    = "text"    // more
	paramUrgency = "urgency" // a severity; the incident's when there is none
	paramKey     = "key"     // what it is about; the same again is counted, not sent
)

// router says in words where a notice would go; the outbox does.
type router interface {
	Route(to string) (string, error)
}

// Plan says who would be told what.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p := honeyguide.Plan{
		Action: "notify", Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason, Irreversible: true,
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	severity := honeyguide.SeverityInformational
	if r.Incident != nil {
		severity = r.Incident.Severity
		p.Params[paramTitle] = cmp.Or(p.Params[paramTitle], r.Incident.Title)
	}
	if word := p.Params[paramUrgency]; word != "" {
		var err error
		if severity, err = honeyguide.ParseSeverity(word); err != nil {
			return honeyguide.Plan{}, fmt.Errorf("plan notify: urgency: %w", err)
		}
	}
	if strings.TrimSpace(p.Params[paramTitle]) == "" {
		return honeyguide.Plan{}, errors.New("plan notify: title: missing; say in one line what people are told")
	}
	to := cmp.Or(p.Params[paramTo], r.Target, a.cfg.To)
	p.Params[paramTo], p.Params[paramUrgency] = to, severity.String()
	p.Params[paramKey] = cmp.Or(p.Params[paramKey], key(&r))
	p.Target = cmp.Or(to, "default")
	p.Effect = fmt.Sprintf("Would tell %s: %s", a.whom(to), safetext.TermN(p.Params[paramTitle], 200))
	return p, nil
}

// key is what a step's notices are about: the incident, as this step sees it, so
// that another step's notice about it is not taken for the same.
func key(r *respond.Request) string {
	about := r.Run
	if r.Incident != nil {
		about = r.Incident.ID
	}
	return about + " " + r.Playbook + "/" + r.Step
}

func (a *action) whom(to string) string {
	route, ok := a.dep.Notices.(router)
	if !ok {
		return cmp.Or(safetext.TermN(to, 100), "people")
	}
	words, err := route.Route(to)
	if err == nil {
		return words
	}
	if words, err2 := route.Route(""); err2 == nil {
		return fmt.Sprintf("%s, because %s", words, safetext.TermN(err.Error(), 200))
	}
	return safetext.TermN(err.Error(), 200)
}

// Apply posts the notice under the plan's ID, so that twice is once.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	if a.dep.Notices == nil {
		return respond.Receipt{}, respond.Permanent(errors.New("notify: there is no outbox"))
	}
	severity, err := honeyguide.ParseSeverity(p.Params[paramUrgency])
	if err != nil {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("notify: urgency: %w", err))
	}
	n := honeyguide.Notice{
		ID: p.ID, Channel: p.Params[paramTo], Key: p.Params[paramKey], Incident: p.Incident, Plan: p.ID,
		Severity: severity, Title: p.Params[paramTitle], Text: p.Params[paramText],
	}
	if err := a.dep.Notices.Post(ctx, n); err != nil {
		return respond.Receipt{}, fmt.Errorf("notify: %w", err)
	}
	return respond.Receipt{Ref: p.ID, Detail: "The notice is in the outbox; honeyguide notices show " + p.ID + " says whether it was sent."}, nil
}

// Verify reads the notice back: it waits, was sent, or became part of another.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if a.dep.State == nil {
		return nil
	}
	return a.dep.State.View(ctx, func(tx state.Tx) error {
		n, err := tx.Notices().Get(ctx, p.ID)
		switch {
		case err != nil:
			return fmt.Errorf("notify: read the notice: %w", err)
		case n.State == honeyguide.NoticeDead:
			return fmt.Errorf("notify: the notice was given up: %s", n.Error)
		}
		return nil
	})
}
