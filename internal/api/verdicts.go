package api

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// Said is what a verdict says.
type Said struct {
	Verdict honeyguide.VerdictWord `json:"verdict" enum:"true_positive,false_positive,benign,duplicate,none" doc:"none takes it back"`
	Reason  string                 `json:"reason,omitempty" maxLength:"1000" doc:"why, in a phrase by which verdicts can be compared"`
	Comment string                 `json:"comment,omitempty" maxLength:"4000"`
}

// SaidOfMany is what a verdict says of several alerts.
type SaidOfMany struct {
	client.AlertSelection
	Said
}

// SaidOfIncident is what a verdict says of an incident.
type SaidOfIncident struct {
	Said
	Overwrite bool `json:"overwrite,omitempty" doc:"also alerts with a verdict of their own"`
}

// incidentVerdict is an incident after a verdict, and what became of its alerts.
type incidentVerdict struct {
	Incident honeyguide.Incident `json:"incident"`
	Alerts   verdict.Outcome     `json:"alerts"`
}

// said makes a verdict of the one who asks, now.
func (s *server) said(ctx context.Context, x Said) honeyguide.Verdict {
	return honeyguide.Verdict{As: x.Verdict, Reason: x.Reason, Comment: x.Comment, By: whoAsks(ctx), At: s.dep.Now()}
}

// pass runs a passing of verdicts in one transaction and leaves a trace of it.
func (s *server) pass(ctx context.Context, v honeyguide.Verdict, f func(state.Tx) (changed int, err error)) error {
	changed := 0
	err := s.dep.State.Update(ctx, func(tx state.Tx) (err error) {
		changed, err = f(tx)
		return err
	})
	if err == nil {
		s.passed(ctx, v, changed)
	}
	return err
}

// passed leaves a trace of verdicts that were passed.
func (s *server) passed(ctx context.Context, v honeyguide.Verdict, changed int) {
	if changed == 0 {
		return
	}
	s.dep.Log.InfoContext(ctx, "verdict passed", "verdict", string(v.As), "alerts", changed, "by", v.By, "request_id", requestID(ctx))
	if s.dep.Judged != nil {
		s.dep.Judged()
	}
}

func (s *server) verdicts() {
	write(s, post("/alerts/{id}/verdict", "pass-verdict", "Say what an alert was"), auth.PermWork, func(ctx context.Context, id string, in *Said) (a honeyguide.Alert, err error) {
		v := s.said(ctx, *in)
		err = s.pass(ctx, v, func(tx state.Tx) (n int, err error) {
			var changed bool
			if a, changed, err = tx.Verdicts().Pass(ctx, id, v); changed {
				n = 1
			}
			return n, err
		})
		return a, err
	})
	writeAnew(s, post("/alerts/verdict", "pass-verdicts", "Say what several alerts were"), auth.PermWork, func(ctx context.Context, in *SaidOfMany) (out verdict.Outcome, err error) {
		v := s.said(ctx, in.Said)
		names, err := s.chosen(ctx, &in.AlertSelection)
		if err == nil {
			out, err = verdict.Pass(ctx, s.dep.State, idsOf(names), v)
			s.passed(ctx, v, out.Changed)
		}
		return out, err
	})
	write(s, post("/incidents/{id}/verdict", "pass-incident-verdict", "Say what an incident was, and its alerts with it"), auth.PermWork, func(ctx context.Context, id string, in *SaidOfIncident) (out incidentVerdict, err error) {
		v := s.said(ctx, in.Said)
		err = s.pass(ctx, v, func(tx state.Tx) (int, error) {
			if out.Incident, out.Alerts, err = verdict.PassIncident(ctx, tx, id, v, in.Overwrite); err != nil {
				return 0, err
			}
			return out.Alerts.Changed, withPlans(ctx, tx, &out.Incident)
		})
		return out, err
	})
	list(s, op("/verdicts", "list-verdicts", "Verdicts, newest first"), func(ctx context.Context, tx state.Tx, in *listVerdictsIn) ([]honeyguide.Judgement, string, error) {
		q := state.VerdictQuery{Page: in.page(), Rule: in.Rule, Source: in.Source, Word: in.Verdict, Standing: in.Standing, From: in.From, To: in.To}
		if in.Alert != "" {
			a, err := tx.Alerts().Get(ctx, in.Alert)
			if err != nil {
				return nil, "", err
			}
			q.Alert = a.ID
		}
		return tx.Verdicts().List(ctx, q)
	})
	one(s, op("/alerts/{id}/alike", "list-alike-verdicts", "What was decided of other alerts of the same rule"), verdict.Alike)
	read(s, op("/rules/quality", "measure-rules", "How often each rule and source was right, by the verdicts on its alerts"), func(ctx context.Context, in *qualityIn) (out verdict.QualityReport, err error) {
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			out, err = verdict.Measure(ctx, tx, in.Since)
			return err
		})
		return out, err
	})
}

type listVerdictsIn struct {
	Paging
	Span
	Alert    string                 `query:"alert" maxLength:"128" doc:"id or short form"`
	Rule     string                 `query:"rule" maxLength:"256"`
	Source   string                 `query:"source" maxLength:"256" doc:"detector, or product"`
	Verdict  honeyguide.VerdictWord `query:"verdict" enum:"true_positive,false_positive,benign,duplicate,none"`
	Standing bool                   `query:"standing" doc:"only what nothing was said after"`
}

type qualityIn struct {
	Since time.Time `query:"since" doc:"leave out verdicts passed before"`
}
