package bundle

import (
	"context"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Doer is who places or releases a hold, and the entry of the audit log that says so.
type Doer struct {
	Name  string
	Kind  string // user, key, local
	Entry int64  // -1: it is not known
}

// Place places a hold, checked against what there is, and notes it in the custody
// chain of its incident.
func Place(ctx context.Context, store state.Store, h honeyguide.Hold, who Doer, now time.Time) (honeyguide.Hold, error) {
	object, err := honeyguide.HoldObject(h.Object)
	if err != nil {
		return h, err
	}
	h.Object, h.At, h.By = object, now, who.Name
	switch {
	case strings.TrimSpace(h.Reason) == "":
		return h, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "reason: say why it must be kept; an order's reference will do"}
	case !h.Until.IsZero() && !h.Until.After(now):
		return h, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "until: this time is over; leave it out to hold until somebody releases it"}
	}
	err = store.Update(ctx, func(tx state.Tx) error {
		made := h
		if err := known(ctx, tx, &made); err != nil {
			return err
		}
		if err := tx.Holds().Save(ctx, &made); err != nil {
			return err
		}
		h = made
		return custodyOfHold(ctx, tx, made, honeyguide.CustodyHeld, who, made.Reason, now)
	})
	return h, err
}

// known checks that what a hold is about is there. Attackers may be held before
// they come.
func known(ctx context.Context, tx state.Tx, h *honeyguide.Hold) error {
	kind, name := h.Held()
	switch kind {
	case honeyguide.HoldIncident:
		in, err := tx.Incidents().Get(ctx, name)
		if err != nil {
			return err
		}
		h.Object = honeyguide.HoldIncident + ":" + in.Short
	case honeyguide.HoldSession:
		_, err := tx.Sessions().Get(ctx, name)
		return err
	}
	return nil
}

// Release ends a hold. CodeConflict when it has ended.
func Release(ctx context.Context, store state.Store, id, why string, who Doer, now time.Time) (h honeyguide.Hold, err error) {
	if strings.TrimSpace(why) == "" {
		return h, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "reason: say why it need not be kept any more"}
	}
	err = store.Update(ctx, func(tx state.Tx) error {
		if h, err = tx.Holds().Get(ctx, id); err != nil {
			return err
		}
		if !h.Released.IsZero() {
			return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "hold " + h.Short + " was released by " + h.ReleasedBy + " at " + h.Released.Format(time.RFC3339)}
		}
		h.Released, h.ReleasedBy, h.ReleaseWhy = now, who.Name, why
		if err := tx.Holds().Save(ctx, &h); err != nil {
			return err
		}
		return custodyOfHold(ctx, tx, h, honeyguide.CustodyReleased, who, why, now)
	})
	return h, err
}

func custodyOfHold(ctx context.Context, tx state.Tx, h honeyguide.Hold, act string, who Doer, why string, now time.Time) error {
	of, name := h.Held()
	if of != honeyguide.HoldIncident {
		return nil // chains are those of incidents
	}
	return tx.Custody().Add(ctx, &honeyguide.CustodyStep{Incident: name, At: now, Act: act, By: who.Name, Kind: who.Kind, Reason: why, Detail: h.Short, Audit: who.Entry})
}
