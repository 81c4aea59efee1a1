package api

import (
	"context"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

// What people ask of the engine. The words live in the root, because the engine
// stands below this room.
type (
	StartRequest = honeyguide.StartRequest
	BlockRequest = honeyguide.BlockRequest
	HaltState    = honeyguide.HaltState
)

// A Responder carries out playbooks. The door in front of it asks who may knock
// at all; which of them may decide about a step is the Responder's own matter:
// it knows the step's rule, who began the run and who has decided before.
//
// IDs may be short forms. Errors a person should see are [honeyguide.Error]s.
type Responder interface {
	// Start begins a run by hand.
	Start(ctx context.Context, r StartRequest) (honeyguide.Run, error)
	// Decide notes what d.By, of role d.Role, says about a step that waits. It
	// enforces the role, different people, that who began the run is none of them,
	// and the time within which to decide.
	Decide(ctx context.Context, run string, step int, d honeyguide.Decision) (honeyguide.Run, error)
	// Cancel ends a run; what it did stays.
	Cancel(ctx context.Context, run, by, why string) (honeyguide.Run, error)
	// Retry goes on from the step that failed.
	Retry(ctx context.Context, run, by string) (honeyguide.Run, error)
	// Revert undoes all of a run that can be undone.
	Revert(ctx context.Context, run, by, why string) (honeyguide.Run, error)
	// RevertPlan undoes one act, such as one block.
	RevertPlan(ctx context.Context, plan, by, why string) (honeyguide.Plan, error)
	// Block blocks by hand.
	Block(ctx context.Context, r BlockRequest) (honeyguide.Run, error)
	// Confirm stops the timer that would undo a block nobody confirms.
	Confirm(ctx context.Context, run, by string) (honeyguide.Run, error)
	// Halt turns the stop switch on, Resume off; Halted tells how it stands.
	Halt(ctx context.Context, by, why string) (HaltState, error)
	Resume(ctx context.Context, by, why string) (HaltState, error)
	Halted(ctx context.Context) (HaltState, error)
}

// responder returns the engine, or why there is none.
func (s *server) responder() (Responder, error) {
	if s.dep.Responder == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this core carries out no playbooks"}
	}
	return s.dep.Responder, nil
}

type runsIn struct {
	Following
	Span
	Playbook string                `query:"playbook" maxLength:"128" doc:"id of the playbook"`
	State    []honeyguide.RunState `query:"state" enum:"planned,running,waiting,halted,done,failed,cancelled,reverted" doc:"one of, comma-separated"`
	Incident string                `query:"incident" maxLength:"128" doc:"id or short form of the incident"`
	Open     bool                  `query:"open" doc:"only those that are not over"`
}

// runs registers what playbooks do, and what people do about it.
func (s *server) runs() {
	list(s, op("/runs", "list-runs", "What playbooks did and do, newest first"), func(ctx context.Context, tx state.Tx, in *runsIn) ([]honeyguide.Run, string, error) {
		incident, err := incidentID(ctx, tx, in.Incident)
		if err != nil {
			return nil, "", err
		}
		return tx.Runs().List(ctx, state.RunQuery{
			Page: in.page(), Playbook: in.Playbook, State: in.State, Incident: incident, Open: in.Open, From: in.From, To: in.To,
		})
	})
	one(s, op("/runs/{id}", "get-run", "One run with its steps, decisions and plans"), runDetail)
	orderAnew(s, post("/runs", "start-run", "Start a playbook by hand"), auth.PermRespond, s.startRun)
	order(s, post("/runs/{id}/decide", "decide-run", "Approve or deny the step a run waits at"), auth.PermApprove, s.decideRun)
	s.runOrder("cancel", "End a run; what it did stays", Responder.Cancel)
	s.runOrder("revert", "Undo all of a run that can be undone", Responder.Revert)
	s.runOrder("retry", "Go on from the step that failed", func(r Responder, ctx context.Context, run, by, _ string) (honeyguide.Run, error) {
		return r.Retry(ctx, run, by)
	})
	s.runOrder("confirm", "Keep what would be undone unless it is confirmed", func(r Responder, ctx context.Context, run, by, _ string) (honeyguide.Run, error) {
		return r.Confirm(ctx, run, by)
	})
	s.approvals()
}

// runDetail reads a run with its plans.
func runDetail(ctx context.Context, tx state.Tx, id string) (client.RunDetail, error) {
	r, err := tx.Runs().Get(ctx, id)
	if err != nil {
		return client.RunDetail{}, err
	}
	plans, err := plansOf(ctx, tx, r.ID)
	return client.RunDetail{Run: r, Plans: plans}, err
}

// plansOf returns the plans of a run, oldest first: the first thousand or so,
// which is more than a person reads.
func plansOf(ctx context.Context, tx state.Tx, run string) ([]honeyguide.Plan, error) {
	list, _, err := tx.Plans().List(ctx, state.PlanQuery{Run: run, Page: state.Page{Limit: state.MaxLimit}})
	out := make([]honeyguide.Plan, 0, len(list))
	for i := len(list) - 1; i >= 0; i-- {
		out = append(out, list[i])
	}
	return out, err
}

// detailed completes what the engine answered by the plans it has stored.
func (s *server) detailed(ctx context.Context, r honeyguide.Run, err error) (client.RunDetail, error) {
	out := client.RunDetail{Run: r, Plans: []honeyguide.Plan{}}
	if err != nil {
		return out, err
	}
	err = s.dep.State.View(ctx, func(tx state.Tx) (err error) {
		out.Plans, err = plansOf(ctx, tx, r.ID)
		return err
	})
	return out, err
}

func (s *server) startRun(ctx context.Context, in *client.RunStart) (out client.RunDetail, err error) {
	for name, v := range in.Vars {
		if len(in.Vars) > 32 || name == "" || len(name) > 64 || len(v) > 1024 {
			return out, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "vars: at most 32, with names of 64 and values of 1024 bytes"}
		}
	}
	r, err := s.responder()
	if err != nil {
		return out, err
	}
	run, err := r.Start(ctx, StartRequest{
		Playbook: in.Playbook, Incident: in.Incident, Vars: in.Vars, Mode: in.Mode, By: whoAsks(ctx), Role: roleAsks(ctx), Reason: in.Reason,
	})
	return s.detailed(ctx, run, err)
}

func (s *server) decideRun(ctx context.Context, id string, in *client.RunDecision) (out client.RunDetail, err error) {
	r, err := s.responder()
	if err != nil {
		return out, err
	}
	step, err := s.mayDecide(ctx, id, in.Step)
	if err != nil {
		return out, err
	}
	run, err := r.Decide(ctx, id, step, honeyguide.Decision{
		By: whoAsks(ctx), Role: roleAsks(ctx), Approved: in.Approve, Note: in.Note, At: s.dep.Now().UTC(),
	})
	return s.detailed(ctx, run, err)
}

// mayDecide returns the index of the step meant, the one the run is at when none
// is named. A playbook says which roles decide, and the gate lets in every role
// some playbook may name; so the role is looked at here already. All else is the
// engine's to judge, in the transaction that notes the decision.
func (s *server) mayDecide(ctx context.Context, id string, named *int) (step int, err error) {
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		run, err := tx.Runs().Get(ctx, id)
		if err != nil {
			return err
		}
		if step = run.Step; named != nil {
			step = *named
		}
		if step < 0 || step >= len(run.Steps) || run.Steps[step].Approval == nil {
			return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "step: waits for no approval"}
		}
		if rule := run.Steps[step].Approval; !rule.Takes(roleAsks(ctx)) {
			return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this step takes " + strings.Join(rule.Roles, " or ")}
		}
		return nil
	})
	return step, err
}

// runOrder registers a verb about a run that takes a reason.
func (s *server) runOrder(verb, summary string, do func(r Responder, ctx context.Context, run, by, why string) (honeyguide.Run, error)) {
	order(s, post("/runs/{id}/"+verb, verb+"-run", summary), auth.PermRespond, func(ctx context.Context, id string, in *client.Why) (out client.RunDetail, err error) {
		r, err := s.responder()
		if err != nil {
			return out, err
		}
		run, err := do(r, ctx, id, whoAsks(ctx), in.Reason)
		return s.detailed(ctx, run, err)
	})
}

type approvalsIn struct {
	Paging
	All bool `query:"all" doc:"also those the holder of this key may not approve, with the reason"`
}

// approvals registers what waits for people: those who ask see what waits for
// them, and nothing they could only look at.
func (s *server) approvals() {
	list(s, op("/approvals", "list-approvals", "Steps that wait for an approval by the holder of this key, newest run first"), func(ctx context.Context, tx state.Tx, in *approvalsIn) ([]client.Approval, string, error) {
		list, next, err := tx.Runs().List(ctx, state.RunQuery{Page: in.page(), Open: true, State: []honeyguide.RunState{honeyguide.RunWaiting}})
		if err != nil {
			return nil, "", err
		}
		out := []client.Approval{}
		now := s.dep.Now()
		for i := range list {
			if out, err = s.waiting(ctx, tx, out, &list[i], in.All, now); err != nil {
				return nil, "", err
			}
		}
		return out, next, nil
	})
}

// waiting appends the steps of a run that wait.
func (s *server) waiting(ctx context.Context, tx state.Tx, out []client.Approval, r *honeyguide.Run, all bool, now time.Time) ([]client.Approval, error) {
	who, _ := ctx.Value(principalKey).(auth.Principal)
	for n := range r.Steps {
		step := &r.Steps[n]
		if step.State != honeyguide.StepWaiting || step.Approval == nil {
			continue
		}
		a := client.Approval{
			Run: r.ID, Short: r.Short, Playbook: r.Playbook, Title: r.Title, Incident: r.Incident, By: r.By, Reason: r.Reason, Mode: r.Mode,
			Step: n, Name: step.Name, Action: step.Action, Plans: []honeyguide.Plan{}, Roles: append([]string{}, step.Approval.Roles...),
			People: max(1, step.Approval.People), Needed: step.Needed(), Decisions: append([]honeyguide.Decision{}, step.Decisions...),
			AskedAt: step.AskedAt, LapsesAt: step.Lapse(), WhyNot: r.Objection(n, who.Name, string(who.Scope), now),
		}
		if !who.May(auth.PermApprove) {
			a.WhyNot = "this key is not good for approving"
		}
		if a.May = a.WhyNot == ""; !a.May && !all {
			continue
		}
		for _, id := range step.Plans {
			p, err := tx.Plans().Get(ctx, id)
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
				continue // forgotten with its incident
			}
			if err != nil {
				return nil, err
			}
			a.Plans = append(a.Plans, p)
		}
		out = append(out, a)
	}
	return out, nil
}

// roleAsks is the role of the holder of the key.
func roleAsks(ctx context.Context) string {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return string(p.Scope)
}
