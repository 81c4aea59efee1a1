package playbook

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// A Trial replays the stored incidents through playbooks, as if they had been in
// force, and tells what they would have done. The same questions are asked as of
// a real run, of the same actions and the same guard; nothing is written.
type Trial struct {
	Books    []*Playbook
	Actions  map[string]respond.Action
	Node     string
	From, To time.Time // incidents opened from <= t < to
	Most     int       // incidents looked at; 0 = 10,000
	// Enough is asked between incidents whether to stop; nil: never.
	Enough func() bool
}

const (
	trialIncidents = 10_000
	trialAlerts    = state.MaxLimit // of one incident
	trialExamples  = 20             // of one playbook
	trialReasons   = 20
)

// An TrialResult is what would have happened.
type TrialResult struct {
	From      time.Time   `json:"from" doc:"begin of what was looked at"`
	To        time.Time   `json:"to"`
	Incidents int         `json:"incidents" doc:"looked at"`
	Alerts    int         `json:"alerts" doc:"of them"`
	Cut       bool        `json:"cut" doc:"there are older incidents in the span; from says how far it got"`
	Playbooks []TrialBook `json:"playbooks"`
}

// A TrialBook is what one playbook would have done.
type TrialBook struct {
	Playbook  string         `json:"playbook"`
	Version   string         `json:"version"`
	Mode      string         `json:"mode" doc:"of the playbook; empty: what respond.mode says"`
	Runs      int            `json:"runs"`
	PerDay    float64        `json:"per_day" doc:"runs a day"`
	Incidents int            `json:"incidents" doc:"it would have run for"`
	Steps     []TrialStep    `json:"steps"`
	Faults    map[string]int `json:"faults,omitempty" doc:"conditions that failed, with how often"`
	Examples  []TrialExample `json:"examples" doc:"the newest"`
	Note      string         `json:"note,omitempty" doc:"why it could not have run at all"`
}

// A TrialStep counts the acts of one step.
type TrialStep struct {
	Step     string         `json:"step"`
	Action   string         `json:"action"`
	Acts     int            `json:"acts" doc:"would have been done"`
	Targets  int            `json:"targets" doc:"different ones"`
	Refused  int            `json:"refused" doc:"by the guard"`
	Failed   int            `json:"failed"`
	Skipped  int            `json:"skipped" doc:"its condition did not hold, or there was no target"`
	Approval string         `json:"approval,omitempty" doc:"who would have been asked"`
	Reasons  map[string]int `json:"reasons,omitempty" doc:"why it was refused, failed or skipped, with how often"`
}

// An TrialExample is one act that would have been.
type TrialExample struct {
	Incident string    `json:"incident"`
	At       time.Time `json:"at"`
	Step     string    `json:"step"`
	Target   string    `json:"target"`
	State    string    `json:"state" doc:"planned, waiting, refused or failed"`
	Effect   string    `json:"effect"`
	Reason   string    `json:"reason,omitempty" doc:"why it was refused or failed"`
}

// A rehearsal is a trial under way.
type rehearsal struct {
	*Trial
	out    TrialResult
	books  []*bookTrial
	counts map[string]int64  // acts on a target so far, for ladders
	plans  []honeyguide.Plan // of the incident at hand
}

type bookTrial struct {
	TrialBook
	book      *Playbook
	targets   []map[string]bool // by step
	done      map[string]bool   // of the incident at hand: step, target
	incidents map[string]bool
}

// Run looks at the state, newest incidents first. The store is only read.
func (t *Trial) Run(ctx context.Context, store state.Store) (TrialResult, error) {
	r := &rehearsal{Trial: t, out: TrialResult{From: t.From, To: t.To, Playbooks: []TrialBook{}}, counts: map[string]int64{}}
	for _, b := range t.Books {
		r.books = append(r.books, newBookTrial(b))
	}
	if err := store.View(ctx, func(tx state.Tx) error { return r.incidents(ctx, tx) }); err != nil {
		return TrialResult{}, fmt.Errorf("replay incidents: %w", err)
	}
	for _, b := range r.books {
		r.schedule(ctx, b)
		r.out.Playbooks = append(r.out.Playbooks, b.close(r.out.To.Sub(r.out.From)))
	}
	return r.out, nil
}

func newBookTrial(b *Playbook) *bookTrial {
	x := &bookTrial{book: b, incidents: map[string]bool{}, TrialBook: TrialBook{
		Playbook: b.ID, Version: b.Version, Mode: string(b.Mode), Faults: map[string]int{}, Examples: []TrialExample{}, Steps: []TrialStep{},
	}}
	for i := range b.Steps {
		s := &b.Steps[i]
		x.Steps = append(x.Steps, TrialStep{Step: s.Name, Action: s.Action, Approval: approver(s.Approval), Reasons: map[string]int{}})
		x.targets = append(x.targets, map[string]bool{})
	}
	switch {
	case b.Disabled:
		x.Note = "it is disabled"
	case b.Trigger == TriggerManual:
		x.Note = "it runs only when a person asks for it"
	}
	return x
}

// approver says who would have been asked.
func approver(a *honeyguide.ApprovalRule) string {
	if a == nil {
		return ""
	}
	who := "one " + strings.Join(a.Roles, " or ")
	if a.People > 1 {
		who = fmt.Sprintf("%d different people (%s)", a.People, strings.Join(a.Roles, " or "))
	}
	return who + " within " + short(time.Duration(a.WithinMS)*time.Millisecond)
}

// close finishes the figures.
func (b *bookTrial) close(span time.Duration) TrialBook {
	b.Incidents = len(b.incidents)
	if days := span.Hours() / 24; days > 0 {
		b.PerDay = float64(b.Runs) / days
	}
	for i := range b.Steps {
		b.Steps[i].Targets = len(b.targets[i])
	}
	return b.TrialBook
}

// incidents replays all that were opened in the span.
func (r *rehearsal) incidents(ctx context.Context, tx state.Tx) error {
	most := r.Most
	if most <= 0 {
		most = trialIncidents
	}
	q := state.IncidentQuery{Page: state.Page{Limit: 200}, From: r.From, To: r.To}
	for {
		list, next, err := tx.Incidents().List(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			if r.out.Incidents >= most || r.Enough != nil && r.out.Incidents > 0 && r.Enough() {
				r.out.Cut, r.out.From = true, list[i].CreatedAt
				return nil
			}
			if err := r.incident(ctx, tx, &list[i]); err != nil {
				return err
			}
		}
		if next == "" {
			return nil
		}
		q.After = next
	}
}

// incident replays how one grew: its alerts came in groups that were stored
// together, and after each the playbooks were asked.
func (r *rehearsal) incident(ctx context.Context, tx state.Tx, in *honeyguide.Incident) error {
	r.out.Incidents++
	alerts, _, err := tx.Alerts().List(ctx, state.AlertQuery{Incident: in.ID, Page: state.Page{Limit: trialAlerts}})
	if err != nil {
		return err
	}
	slices.Reverse(alerts) // oldest first
	r.out.Alerts += len(alerts)
	r.plans = []honeyguide.Plan{}
	for _, b := range r.books {
		b.done = map[string]bool{}
	}
	if len(alerts) == 0 { // retention took them
		r.ask(ctx, &Facts{Incident: in, Opened: true, Trigger: TriggerIncident, Now: in.CreatedAt, Node: r.Node})
		return nil
	}
	for begin := 0; begin < len(alerts); {
		end := begin + 1
		for end < len(alerts) && alerts[end].CreatedAt.Equal(alerts[begin].CreatedAt) {
			end++
		}
		r.ask(ctx, &Facts{
			Incident: grown(in, alerts[:end], end == len(alerts)), Alerts: alerts[begin:end], Opened: begin == 0, Trigger: TriggerIncident,
			Now: alerts[begin].CreatedAt, Node: r.Node,
		})
		begin = end
	}
	return nil
}

// grown is what an incident was when it had those alerts: what is stored is only
// what became of it in the end.
func grown(in *honeyguide.Incident, alerts []honeyguide.Alert, whole bool) *honeyguide.Incident {
	c := *in
	c.Plans = nil // what really happened is no part of it
	if whole {
		return &c
	}
	c.Severity, c.Score, c.AlertCount, c.EventCount = 0, 0, int64(len(alerts)), 0
	c.Attackers, c.Sessions, c.Attacks, c.Proven = nil, nil, nil, nil
	for i := range alerts {
		a := &alerts[i]
		c.Severity, c.Score = max(c.Severity, a.Severity), max(c.Score, a.Score)
		c.EventCount += a.Count
		c.Attackers = add(c.Attackers, a.Attacker, len(c.Attackers) < state.MaxMembers)
		c.Sessions = add(c.Sessions, a.Session, len(c.Sessions) < state.MaxMembers)
		address := strings.TrimPrefix(a.Attacker, "attacker:")
		c.Proven = add(c.Proven, address, slices.Contains(in.Proven, address))
		for _, t := range a.Attacks {
			if !slices.Contains(c.Attacks, t) {
				c.Attacks = append(c.Attacks, t)
			}
		}
		c.LastAt = a.LastAt
	}
	return &c
}

func add(list []string, s string, may bool) []string {
	if s == "" || !may || slices.Contains(list, s) {
		return list
	}
	return append(list, s)
}

// ask puts the facts to all playbooks.
func (r *rehearsal) ask(ctx context.Context, f *Facts) {
	for _, b := range r.books {
		if b.Note != "" {
			continue
		}
		facts := *f
		facts.Plans = r.plans
		ok, err := b.book.Matches(&facts)
		if err != nil {
			count(b.Faults, err.Error())
		}
		if ok {
			r.run(ctx, b, &facts)
		}
	}
}

// schedule fires a playbook at its times.
func (r *rehearsal) schedule(ctx context.Context, b *bookTrial) {
	if b.book.Schedule == nil || b.Note != "" || r.out.From.IsZero() {
		return
	}
	for at, n := b.book.Schedule.Next(r.out.From), 0; at.Before(r.out.To) && n < 10_000; at, n = b.book.Schedule.Next(at), n+1 {
		b.done = map[string]bool{}
		f := &Facts{Trigger: TriggerSchedule, Now: at, Node: r.Node}
		if ok, err := b.book.Matches(f); err == nil && ok {
			r.run(ctx, b, f)
		}
	}
}

// run takes one run of a playbook through all of its steps. It counts when there
// is anything new to do.
func (r *rehearsal) run(ctx context.Context, b *bookTrial, f *Facts) {
	run := b.book.Start(f)
	fresh := false
	for i := range run.Steps {
		fresh = r.step(ctx, b, &run, i, f) || fresh
	}
	if !fresh {
		return
	}
	b.Runs++
	if f.Incident != nil {
		b.incidents[f.Incident.ID] = true
	}
}

func (r *rehearsal) step(ctx context.Context, b *bookTrial, run *honeyguide.Run, i int, f *Facts) (fresh bool) {
	s, out := &run.Steps[i], &b.Steps[i]
	due, err := Resolve(s, f)
	switch {
	case err != nil:
		return r.note(b, i, f, "", honeyguide.Plan{State: honeyguide.PlanFailed, Error: err.Error()})
	case due.Skip != "":
		if key := s.Name + "\x00skip"; !b.done[key] {
			b.done[key] = true
			out.Skipped++
			count(out.Reasons, due.Skip)
		}
		return false
	}
	for _, target := range due.Targets {
		if r.note(b, i, f, target, r.plan(ctx, run, s, f, target, due.Params)) {
			fresh = true
		}
	}
	return fresh
}

// plan asks the action, and behind it the guard.
func (r *rehearsal) plan(ctx context.Context, run *honeyguide.Run, s *honeyguide.RunStep, f *Facts, target string, params map[string]string) honeyguide.Plan {
	failed := func(err error) honeyguide.Plan {
		return honeyguide.Plan{State: honeyguide.PlanFailed, Error: err.Error()}
	}
	a := r.Actions[s.Action]
	if a == nil {
		return failed(errors.New("there is no action " + s.Action))
	}
	p, err := a.Plan(ctx, respond.Request{
		Incident: f.Incident, Alerts: f.Alerts, Run: "trial", Playbook: run.Playbook, Step: s.Name, Target: target, Params: params,
		Mode: honeyguide.ModeDryRun, Reason: run.Reason, By: "playbook:" + run.Playbook, Before: r.counts[s.Action+" "+target], Now: f.Now,
	})
	if err != nil {
		return failed(err)
	}
	return p
}

// note counts a plan unless the incident had it before.
func (r *rehearsal) note(b *bookTrial, i int, f *Facts, target string, p honeyguide.Plan) bool {
	out := &b.Steps[i]
	if p.Target != "" {
		target = p.Target
	}
	if key := out.Step + "\x00" + target; b.done[key] {
		return false
	} else {
		b.done[key] = true
	}
	state, why := string(p.State), ""
	switch p.State {
	case honeyguide.PlanRefused:
		out.Refused++
		why = p.Reason
	case honeyguide.PlanFailed:
		out.Failed++
		why = p.Error
	default:
		out.Acts++
		b.targets[i][target] = true
		r.plans = append(r.plans, honeyguide.Plan{Action: out.Action, Target: target, State: honeyguide.PlanPlanned})
		r.counts[out.Action+" "+target]++
		if out.Approval != "" {
			state = string(honeyguide.PlanWaiting)
		}
	}
	if why != "" {
		count(out.Reasons, why)
	}
	if len(b.Examples) < trialExamples {
		e := TrialExample{At: f.Now, Step: out.Step, Target: target, State: state, Effect: p.Effect, Reason: why}
		if f.Incident != nil {
			e.Incident = f.Incident.Short
		}
		b.Examples = append(b.Examples, e)
	}
	return true
}

// count counts a text, up to a number of different ones.
func count(list map[string]int, text string) {
	if _, ok := list[text]; !ok && len(list) >= trialReasons {
		text = "others"
	}
	list[text]++
}
