package bundle

import (
	"context"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Reader is a state that can be looked at. [state.Store] is one.
type Reader interface {
	View(ctx context.Context, fn func(state.Tx) error) error
}

// A Keeper says to those who make room what they must leave. It asks the state
// each time, so that a hold counts from the moment it is placed.
type Keeper struct{ State Reader }

// patience bounds the wait for the state of one who makes room.
const patience = 10 * time.Second

// HeldSessions returns which sessions' recordings must stay. It looks once for all
// of them: somebody waits to record.
func (k Keeper) HeldSessions(ids []string) map[string]bool { return k.held(state.HeldSession, ids) }

// HoldsSession reports whether a session's recording must stay.
func (k Keeper) HoldsSession(id string) bool { return k.held(state.HeldSession, []string{id})[id] }

// HoldsSample reports whether a sample's content must stay.
func (k Keeper) HoldsSample(id string) bool { return k.held(state.HeldSample, []string{id})[id] }

// held takes what it cannot learn for held: what is lost does not come back.
func (k Keeper) held(kind state.HeldKind, names []string) map[string]bool {
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	out := map[string]bool{}
	err := k.State.View(ctx, func(tx state.Tx) error {
		clear(out)
		for _, name := range names {
			_, held, err := tx.Holds().On(ctx, kind, name)
			if err != nil {
				return err
			}
			if held {
				out[name] = true
			}
		}
		return nil
	})
	if err != nil {
		for _, name := range names {
			out[name] = true
		}
	}
	return out
}

// Days returns the days whose events are held.
func (k Keeper) Days(ctx context.Context) (days map[string]honeyguide.Hold, err error) {
	err = k.State.View(ctx, func(tx state.Tx) (err error) {
		days, err = tx.Holds().Days(ctx)
		return err
	})
	return days, err
}

// Sources returns the addresses of attackers who are held, whatever came of what they
// did.
func (k Keeper) Sources(ctx context.Context) (map[netip.Addr]honeyguide.Hold, error) {
	out := map[netip.Addr]honeyguide.Hold{}
	err := k.State.View(ctx, func(tx state.Tx) error {
		all, err := tx.Holds().List(ctx, true)
		for _, h := range all {
			if kind, name := h.Held(); kind == honeyguide.HoldAttacker {
				if at, err := netip.ParseAddr(name); err == nil {
					out[at] = h
				}
			}
		}
		return err
	})
	return out, err
}
