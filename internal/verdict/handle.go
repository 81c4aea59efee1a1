package verdict

import (
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// UndoTime is for how long a change of status can be taken back.
const UndoTime = 10 * time.Minute

// Given are the statuses people give to alerts. Suppressions hide them, and
// nothing else does.
func Given() []honeyguide.AlertStatus {
	return []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated, honeyguide.AlertClosed}
}

// Why an alert stayed as it is.
const (
	FailedNotFound   = "not_found"
	FailedSuppressed = "suppressed" // a suppression hides it: lift that
	FailedConflict   = "conflict"   // another alert about the same is open, or somebody else was there since
)

// A Failed is one alert that stayed as it is.
type Failed struct {
	ID   string    `json:"id"`
	Code string    `json:"code" doc:"not_found, suppressed, conflict"`
	By   string    `json:"by,omitempty" doc:"who changed it since"`
	At   time.Time `json:"at,omitzero" doc:"and when"`
}

// A Handling is what a change of status did.
type Handling struct {
	Changed int      `json:"changed"`
	Failed  []Failed `json:"failed"`
	Undo    string   `json:"undo,omitempty" doc:"takes it back, within ten minutes"`
}

// Handle gives alerts a status. One that has it already stays as it is and counts
// neither as changed nor as failed. ids are ids or short forms.
func Handle(ctx context.Context, tx state.Tx, ids []string, status honeyguide.AlertStatus, h honeyguide.Handled) (Handling, error) {
	out := Handling{Failed: []Failed{}}
	if !slices.Contains(Given(), status) {
		return out, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "status: want new, acknowledged, escalated or closed"}
	}
	act := state.Act{At: h.At, By: h.By, Status: status}
	for _, id := range ids {
		a, err := tx.Alerts().Get(ctx, id)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
			out.Failed = append(out.Failed, Failed{ID: id, Code: FailedNotFound})
			continue
		case err != nil:
			return out, err
		case a.Status == honeyguide.AlertSuppressed:
			out.Failed = append(out.Failed, Failed{ID: id, Code: FailedSuppressed})
			continue
		case a.Status == status:
			continue
		}
		was := state.Was{Alert: a.ID, Status: a.Status, Handled: a.Handled}
		a.Status, a.Handled = status, h
		err = tx.Alerts().Put(ctx, &a)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeConflict:
			out.Failed = append(out.Failed, Failed{ID: id, Code: FailedConflict})
			continue
		case err != nil:
			return out, err
		}
		act.Was = append(act.Was, was)
	}
	if out.Changed = len(act.Was); out.Changed == 0 {
		return out, nil
	}
	if err := tx.Acts().Trim(ctx, h.At.Add(-UndoTime)); err != nil {
		return out, err
	}
	err := tx.Acts().Add(ctx, &act)
	out.Undo = act.ID
	return out, err
}

// Undo takes a change of status back, as far as nobody else has changed the
// alerts since. CodeNotFound once its time is over, CodeConflict when it was taken
// back before, or when somebody else was at every one of the alerts.
func Undo(ctx context.Context, tx state.Tx, id, by string, now time.Time) (Handling, error) {
	out := Handling{Failed: []Failed{}}
	act, err := tx.Acts().Get(ctx, id)
	switch {
	case err != nil:
		return out, err
	case now.Sub(act.At) > UndoTime:
		return out, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "this can not be taken back any more: ten minutes are over"}
	case !act.UndoneAt.IsZero():
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "this was taken back already, by " + act.UndoneBy}
	}
	for _, was := range act.Was {
		a, err := tx.Alerts().Get(ctx, was.Alert)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
			out.Failed = append(out.Failed, Failed{ID: was.Alert, Code: FailedNotFound})
			continue
		case err != nil:
			return out, err
		case a.Status != act.Status || a.Handled.By != act.By || !a.Handled.At.Equal(act.At):
			out.Failed = append(out.Failed, Failed{ID: was.Alert, Code: FailedConflict, By: a.Handled.By, At: a.Handled.At})
			continue
		}
		a.Status, a.Handled = was.Status, was.Handled
		err = tx.Alerts().Put(ctx, &a)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeConflict:
			out.Failed = append(out.Failed, Failed{ID: was.Alert, Code: FailedConflict})
		case err != nil:
			return out, err
		default:
			out.Changed++
		}
	}
	if out.Changed == 0 {
		return out, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "nothing can be taken back: " + others(out.Failed)}
	}
	act.UndoneAt, act.UndoneBy = now, by
	return out, tx.Acts().Put(ctx, &act)
}

// others names who was there since.
func others(list []Failed) string {
	for _, f := range list {
		if f.By != "" {
			return f.By + " has changed it since, at " + f.At.UTC().Format(time.RFC3339)
		}
	}
	return "the alerts are gone, or others about the same are open"
}
