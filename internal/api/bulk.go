package api

import (
	"context"
	"errors"
	"fmt"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// maxBulk is how many rows one request may change.
const maxBulk = verdict.MaxAlerts

// bulk registers what people do to many alerts at once.
func (s *server) bulk() {
	orderAnew(s, post("/alerts/status", "change-alerts", "Acknowledge, escalate, close or reopen alerts: those named, or all a filter finds"), auth.PermWork, s.changeAlerts)
	write(s, s.acts(s.guarded(patch("/alerts/{id}", "change-alert", "Give one alert a status"))), auth.PermWork, s.changeAlert)
	orderAnew(s, post("/alerts/incident", "gather-alerts", "Put alerts into an incident that is open, or into a new one"), auth.PermWork, s.gatherAlerts)
	orderAnew(s, post("/incidents/tasks", "add-tasks", "Ask for the same to be done in several incidents"), auth.PermWork, s.addTasks)
	orderAnew(s, post("/alerts/undo", "undo-alerts", "Take a change of status back, within ten minutes and as far as nobody else was there since"), auth.PermWork, s.undoAlerts)
}

func (s *server) changeAlerts(ctx context.Context, in *client.StatusRequest) (out verdict.Handling, err error) {
	h := honeyguide.Handled{By: whoAsks(ctx), At: state.Time(s.dep.Now()), Note: in.Note}
	names, err := s.chosen(ctx, &in.AlertSelection)
	if err != nil {
		return out, err
	}
	out, err = verdict.HandleAll(ctx, s.dep.State, names, in.Status, h)
	if err != nil && out.Changed > 0 { // who asked learns what is done and what takes it back
		s.dep.Log.ErrorContext(ctx, "alerts handled in part", "status", string(in.Status), "changed", out.Changed, "by", h.By, "request_id", requestID(ctx), "error", err)
		return out, nil
	}
	if err == nil {
		s.dep.Log.InfoContext(ctx, "alerts handled", "status", string(in.Status), "changed", out.Changed, "failed", len(out.Failed), "by", h.By, "request_id", requestID(ctx))
	}
	return out, err
}

// changeAlert changes one alert, decided upon as its asker saw it.
func (s *server) changeAlert(ctx context.Context, id string, in *client.AlertPatch) (a honeyguide.Alert, err error) {
	h := honeyguide.Handled{By: whoAsks(ctx), At: state.Time(s.dep.Now()), Note: in.Note}
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		if a, err = tx.Alerts().Get(ctx, id); err != nil {
			return err
		}
		by, at := a.Handled.By, a.Handled.At
		if a.Verdict.At.After(at) {
			by, at = a.Verdict.By, a.Verdict.At
		}
		if err := unchanged(ctx, etag(a), by, at); err != nil {
			return err
		}
		out, err := verdict.Handle(ctx, tx, a.ID, in.Status, h)
		if err != nil {
			return err
		}
		for _, f := range out.Failed {
			return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: whyFailed[f.Code]}
		}
		a, err = tx.Alerts().Get(ctx, id)
		return err
	})
	return a, err
}

func (s *server) gatherAlerts(ctx context.Context, in *client.GatherRequest) (out client.Gathered, err error) {
	if in.Incident != "" && in.Title != "" {
		return out, invalid("title: is for a new incident")
	}
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		names, err := selected(ctx, tx, &in.AlertSelection)
		if err != nil {
			return err
		}
		if len(names) == 0 {
			return invalid("filter: finds no alerts")
		}
		ids := idsOf(names)
		out.Incident, out.Changes, out.Changed, err = pipeline.Gather(ctx, tx, in.Incident, in.Title, ids, whoAsks(ctx), in.Reason, state.Time(s.dep.Now()))
		if out.Changes == nil {
			out.Changes = []honeyguide.IncidentChange{}
		}
		return errors.Join(err, withPlans(ctx, tx, &out.Incident))
	})
	return out, err
}

// addTasks asks for something to be done in several incidents, one after the other.
func (s *server) addTasks(ctx context.Context, in *client.TasksRequest) (out client.TasksResult, err error) {
	out.Failed = []client.FailedItem{}
	for _, id := range in.IDs {
		_, _, err := s.dep.Desk.AddTask(ctx, id, honeyguide.Task{Title: in.Title, Owner: in.Owner, DueAt: in.DueAt, By: whoAsks(ctx)})
		switch {
		case err == nil:
			out.Changed++
		case statuses[honeyguide.ErrorCode(err)] == 0:
			return out, err
		default:
			out.Failed = append(out.Failed, client.FailedItem{ID: id, Code: string(honeyguide.ErrorCode(err))})
		}
	}
	return out, nil
}

// whyFailed says why an alert stays as it is.
var whyFailed = map[string]string{
	verdict.FailedSuppressed: "a suppression hides this alert: lift that",
	verdict.FailedConflict:   "another alert about the same is open",
	verdict.FailedNotFound:   "there is no alert with this id",
}

func (s *server) undoAlerts(ctx context.Context, in *client.UndoRequest) (out verdict.Handling, err error) {
	out, err = verdict.Undo(ctx, s.dep.State, in.Undo, whoAsks(ctx), state.Time(s.dep.Now()))
	if err == nil {
		s.dep.Log.InfoContext(ctx, "change of alerts taken back", "changed", out.Changed, "failed", len(out.Failed), "by", whoAsks(ctx), "request_id", requestID(ctx))
	}
	return out, err
}

// chosen is selected outside of a transaction that writes: nobody waits for it.
func (s *server) chosen(ctx context.Context, sel *client.AlertSelection) (names []state.AlertName, err error) {
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		names, err = selected(ctx, tx, sel)
		return err
	})
	return names, err
}

// selected returns the alerts that are meant. Those a filter finds come with the
// status they were found with.
func selected(ctx context.Context, tx state.Tx, sel *client.AlertSelection) ([]state.AlertName, error) {
	switch {
	case sel.Filter == nil && len(sel.IDs) == 0, sel.Filter != nil && len(sel.IDs) > 0:
		return nil, invalid("ids, filter: want one of them")
	case sel.Filter == nil:
		names := make([]state.AlertName, len(sel.IDs))
		for i, id := range sel.IDs {
			names[i].ID = id
		}
		return names, nil
	case sel.Expected == nil:
		return nil, invalid("expected_count: want how many alerts the filter finds, so that it cannot mean more than you saw")
	}
	q, err := filterQuery(ctx, tx, sel.Filter)
	if err != nil {
		return nil, err
	}
	counts, err := tx.Alerts().Counts(ctx, q)
	if err != nil {
		return nil, err
	}
	var n int64
	for _, c := range counts {
		n += c
	}
	switch {
	case n != *sel.Expected:
		return nil, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf("expected_count: the filter finds %d alerts by now", n)}
	case n > maxBulk:
		return nil, invalid(fmt.Sprintf("filter: finds %d alerts; want at most %d at a time", n, maxBulk))
	}
	return tx.Alerts().Names(ctx, q, maxBulk)
}

func idsOf(names []state.AlertName) []string {
	ids := make([]string, len(names))
	for i := range names {
		ids[i] = names[i].ID
	}
	return ids
}

// filterQuery reads a filter as the list reads its query.
func filterQuery(ctx context.Context, tx state.Tx, f *client.AlertFilter) (state.AlertQuery, error) {
	in := alertsIn{
		Span: Span{From: f.From, To: f.To}, Least: Least{Severity: f.Severity}, Status: f.Status, Src: f.Src, Technique: f.Technique, Rule: f.Rule,
		Detector: f.Detector, Incident: f.Incident, Session: f.Session, Attacker: f.Attacker, Verdict: f.Verdict, Q: f.Q,
	}
	return in.query(ctx, tx)
}
