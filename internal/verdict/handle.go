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

// chunk is how many alerts are changed in one transaction. There is one writer:
// what arrives meanwhile waits for one chunk and not for all ten thousand.
const chunk = 500

// Given are the statuses people give to alerts. Suppressions hide them, and
// nothing else does.
func Given() []honeyguide.AlertStatus {
	return []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated, honeyguide.AlertClosed}
}

// Why an alert stayed as it is.
const (
	FailedNotFound    = "not_found"
	FailedSuppressed  = "suppressed"  // a suppression hides it: lift that
	FailedConflict    = "conflict"    // another alert about the same is open, or somebody else was there since
	FailedUnavailable = "unavailable" // the state could not be written any more; those before it are changed
)

// A Failed is one alert that stayed as it is.
type Failed struct {
	ID   string    `json:"id"`
	Code string    `json:"code" doc:"not_found, suppressed, conflict, unavailable"`
	By   string    `json:"by,omitempty" doc:"who changed it since"`
	At   time.Time `json:"at,omitzero" doc:"and when"`
}

// A Handling is what a change of status did.
type Handling struct {
	Changed int      `json:"changed"`
	Failed  []Failed `json:"failed"`
	Undo    string   `json:"undo,omitempty" doc:"takes it back, within ten minutes"`
}

// HandleAll gives alerts a status, some hundred in each transaction. One that has
// it already stays as it is and counts neither as changed nor as failed. The
// names are ids or short forms; where a status is given, an alert that has got
// another one since is left to whoever gave it. Once the first are changed the
// rest follows even when ctx ends, and when the state fails then the others are
// told as failed, with the error beside what was done.
func HandleAll(ctx context.Context, store state.Store, names []state.AlertName, status honeyguide.AlertStatus, h honeyguide.Handled) (Handling, error) {
	out := Handling{Failed: []Failed{}}
	for part := range slices.Chunk(names, chunk) {
		var done Handling
		err := store.Update(ctx, func(tx state.Tx) (err error) {
			done, err = handle(ctx, tx, part, status, h, out.Undo)
			return err
		})
		if err != nil && out.Changed == 0 {
			return out, err
		}
		if err != nil {
			at := slices.IndexFunc(names, func(n state.AlertName) bool { return n.ID == part[0].ID })
			for _, n := range names[at:] {
				out.Failed = append(out.Failed, Failed{ID: n.ID, Code: FailedUnavailable})
			}
			return out, err
		}
		out.Changed, out.Failed = out.Changed+done.Changed, append(out.Failed, done.Failed...)
		if done.Undo != "" {
			out.Undo, ctx = done.Undo, context.WithoutCancel(ctx)
		}
	}
	return out, nil
}

// Handle gives one alert a status, within a transaction.
func Handle(ctx context.Context, tx state.Tx, id string, status honeyguide.AlertStatus, h honeyguide.Handled) (Handling, error) {
	return handle(ctx, tx, []state.AlertName{{ID: id}}, status, h, "")
}

// handle gives some alerts a status. before is the part of the change that was
// made before.
func handle(ctx context.Context, tx state.Tx, names []state.AlertName, status honeyguide.AlertStatus, h honeyguide.Handled, before string) (Handling, error) {
	out := Handling{Failed: []Failed{}}
	if !slices.Contains(Given(), status) {
		return out, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "status: want new, acknowledged, escalated or closed"}
	}
	act := state.Act{At: h.At, By: h.By, Status: status, Before: before}
	for _, name := range names {
		a, err := tx.Alerts().Get(ctx, name.ID)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
			out.Failed = append(out.Failed, Failed{ID: name.ID, Code: FailedNotFound})
			continue
		case err != nil:
			return out, err
		case a.Status == honeyguide.AlertSuppressed:
			out.Failed = append(out.Failed, Failed{ID: name.ID, Code: FailedSuppressed})
			continue
		case a.Status == status:
			continue
		case name.Status != "" && a.Status != name.Status:
			out.Failed = append(out.Failed, Failed{ID: name.ID, Code: FailedConflict, By: a.Handled.By, At: a.Handled.At})
			continue
		}
		was := state.Was{Alert: a.ID, Status: a.Status, Handled: a.Handled}
		a.Status, a.Handled = status, h
		err = tx.Alerts().Put(ctx, &a)
		switch {
		case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeConflict:
			out.Failed = append(out.Failed, Failed{ID: name.ID, Code: FailedConflict})
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

// Undo takes a change of status back, part by part, as far as nobody else has
// changed the alerts since. CodeNotFound once its time is over, CodeConflict when
// it was taken back before, or when somebody else was at every one of the alerts.
func Undo(ctx context.Context, store state.Store, id, by string, now time.Time) (Handling, error) {
	out := Handling{Failed: []Failed{}}
	parts, err := partsOf(ctx, store, id, now)
	if err != nil {
		return out, err
	}
	for i, part := range slices.Backward(parts) { // the one that was named last: until it is marked, the rest can be tried again
		last, before := i == 0, out
		err := store.Update(ctx, func(tx state.Tx) (err error) {
			out = Handling{before.Changed, slices.Clone(before.Failed), ""}
			return takeBack(ctx, tx, part, by, now, last, &out)
		})
		if err != nil {
			return out, err
		}
		if out.Changed > 0 {
			ctx = context.WithoutCancel(ctx)
		}
	}
	return out, nil
}

// partsOf returns the ids of the parts of a change, the last one first.
func partsOf(ctx context.Context, store state.Store, id string, now time.Time) (parts []string, err error) {
	err = store.View(ctx, func(tx state.Tx) error {
		act, err := tx.Acts().Get(ctx, id)
		switch {
		case err != nil:
			return err
		case now.Sub(act.At) > UndoTime:
			return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "this can not be taken back any more: ten minutes are over"}
		}
		for parts = []string{id}; act.Before != "" && len(parts) < MaxAlerts; parts = append(parts, act.ID) {
			act, err = tx.Acts().Get(ctx, act.Before)
			if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				return nil // forgotten: there were too many acts since
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
	return parts, err
}

// takeBack takes one part of a change back and adds what became of it to out.
func takeBack(ctx context.Context, tx state.Tx, id, by string, now time.Time, last bool, out *Handling) error {
	act, err := tx.Acts().Get(ctx, id)
	switch {
	case err != nil && !last && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return nil
	case err != nil:
		return err
	case !act.UndoneAt.IsZero() && last:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "this was taken back already, by " + act.UndoneBy}
	case !act.UndoneAt.IsZero():
		return nil
	}
	n := 0
	for i := range act.Was {
		code, who, at, err := restore(ctx, tx, &act, &act.Was[i])
		switch {
		case err != nil:
			return err
		case code != "":
			out.Failed = append(out.Failed, Failed{ID: act.Was[i].Alert, Code: code, By: who, At: at})
		default:
			n++
		}
	}
	out.Changed += n
	switch {
	case last && out.Changed == 0:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "nothing can be taken back: " + others(out.Failed)}
	case n == 0 && !last:
		return nil
	}
	act.UndoneAt, act.UndoneBy = now, by
	return tx.Acts().Put(ctx, &act)
}

// restore gives one alert what it had. code says why it could not be.
func restore(ctx context.Context, tx state.Tx, act *state.Act, was *state.Was) (code, by string, at time.Time, err error) {
	a, err := tx.Alerts().Get(ctx, was.Alert)
	switch {
	case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return FailedNotFound, "", at, nil
	case err != nil:
		return "", "", at, err
	case a.Status != act.Status || a.Handled.By != act.By || !a.Handled.At.Equal(act.At):
		return FailedConflict, a.Handled.By, a.Handled.At, nil
	}
	a.Status, a.Handled = was.Status, was.Handled
	err = tx.Alerts().Put(ctx, &a)
	if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
		return FailedConflict, "", at, nil
	}
	return "", "", at, err
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
