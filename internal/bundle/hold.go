package bundle

import (
	"context"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Reader is a state that can be looked at. [state.Store] is one.
type Reader interface {
	View(ctx context.Context, fn func(state.Tx) error) error
}

// Kept answers what legal holds keep. Inside a transaction ask
// [state.Holds.On], which this is made of.
type Kept struct {
	r    Reader
	days map[string]honeyguide.Hold
	any  bool
}

// Held looks at the holds in force.
func Held(ctx context.Context, r Reader) (Kept, error) {
	k := Kept{r: r}
	err := r.View(ctx, func(tx state.Tx) (err error) {
		all, err := tx.Holds().List(ctx, true)
		if err != nil || len(all) == 0 {
			return err
		}
		k.any = true
		k.days, err = tx.Holds().Days(ctx)
		return err
	})
	if err != nil {
		return k, fmt.Errorf("look at the holds: %w", err)
	}
	return k, nil
}

// Any reports whether there is a hold at all.
func (k Kept) Any() bool { return k.any }

// Day returns the hold that keeps the events of a day (UTC).
func (k Kept) Day(day time.Time) (honeyguide.Hold, bool) {
	h, ok := k.days[day.UTC().Format(time.DateOnly)]
	return h, ok
}

// Session returns the hold that keeps a session (ID) and its recording.
func (k Kept) Session(ctx context.Context, id string) (honeyguide.Hold, bool, error) {
	return k.on(ctx, state.HeldSession, id)
}

// Sample returns the hold that keeps a sample (SHA-256).
func (k Kept) Sample(ctx context.Context, id string) (honeyguide.Hold, bool, error) {
	return k.on(ctx, state.HeldSample, id)
}

// Incident returns the hold that keeps an incident (ID).
func (k Kept) Incident(ctx context.Context, id string) (honeyguide.Hold, bool, error) {
	return k.on(ctx, state.HeldIncident, id)
}

// Alert returns the hold that keeps an alert (ID).
func (k Kept) Alert(ctx context.Context, id string) (honeyguide.Hold, bool, error) {
	return k.on(ctx, state.HeldAlert, id)
}

// Address returns the hold that keeps what an attacker's address did.
func (k Kept) Address(ctx context.Context, address string) (honeyguide.Hold, bool, error) {
	return k.on(ctx, state.HeldAddress, address)
}

func (k Kept) on(ctx context.Context, kind state.HeldKind, name string) (h honeyguide.Hold, held bool, err error) {
	if !k.any {
		return h, false, nil
	}
	err = k.r.View(ctx, func(tx state.Tx) error {
		h, held, err = tx.Holds().On(ctx, kind, name)
		return err
	})
	return h, held, err
}

// A Keeper says to those who make room what they must leave. It asks the state
// each time, so that a hold counts from the moment it is placed.
type Keeper struct{ State Reader }

// patience bounds the wait for the state of one who makes room.
const patience = 10 * time.Second

// HoldsSession reports whether a session's recording must stay.
func (k Keeper) HoldsSession(id string) bool { return k.holds(state.HeldSession, id) }

// HoldsSample reports whether a sample's content must stay.
func (k Keeper) HoldsSample(id string) bool { return k.holds(state.HeldSample, id) }

// holds takes what it cannot learn for held: what is lost does not come back.
func (k Keeper) holds(kind state.HeldKind, name string) (held bool) {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	err := k.State.View(ctx, func(tx state.Tx) (err error) {
		_, held, err = tx.Holds().On(ctx, kind, name)
		return err
	})
	return held || err != nil
}

// Days returns the days whose events are held.
func (k Keeper) Days(ctx context.Context) (days map[string]honeyguide.Hold, err error) {
	err = k.State.View(ctx, func(tx state.Tx) (err error) {
		days, err = tx.Holds().Days(ctx)
		return err
	})
	return days, err
}
