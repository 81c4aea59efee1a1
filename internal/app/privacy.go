package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"net/netip"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
	"honeyguide/internal/state"
)

// openPrivacy opens the desk that answers requests of people about their data.
func (a *App) openPrivacy(ctx context.Context) error {
	rows, ok := a.rows.(state.Rewriter)
	if !ok {
		return fmt.Errorf("the state %T cannot be gone through", a.rows)
	}
	events, ok := a.events.(privacy.Events)
	if !ok {
		return fmt.Errorf("the event log %T cannot be rewritten", a.events)
	}
	// The ledger outlives every key that can be changed.
	key := hmac.New(sha256.New, a.secret)
	key.Write([]byte("honeyguide privacy: erased subjects"))
	a.retain = a.openRetention()
	a.privacy = privacy.NewDesk(privacy.Deps{
		Retention: a.retain,
		State:     a.rows, Rows: rows, Events: events, Recordings: a.recordings, Worlds: a.eraseWorlds, Trail: trail{a.audit}, Copies: a.dropCopies,
		Held: a.heldSubject, Busy: a.busySubject, Still: a.consumer.Pause, Forget: a.forget,
		Box: a.vault.Box(), Key: key.Sum(nil), Metrics: a.metrics, Log: a.log, Now: a.now,
	})
	// What was asked for and cut off comes before anything is shown or judged.
	if _, err := a.privacy.Finish(ctx); err != nil {
		a.log.WarnContext(ctx, "an erasure is not finished; it is tried again", "error", err)
	}
	return nil
}

func (a *App) eraseWorlds(ctx context.Context, s personal.Subject, has func([]byte) bool, look bool) (int, error) {
	var source netip.Addr
	if s.Kind == personal.Address {
		source, _ = netip.ParseAddr(s.Value) // a subject's address is one
	}
	return a.worlds.Erase(ctx, a.host.Name, source, has, look)
}

// dropCopies removes what was kept from before upgrades: it holds what is to be
// gone, and taking the upgrade back would bring it back. What a restore or the way
// back from an upgrade has moved aside is somebody's to remove; it is named.
func (a *App) dropCopies() ([]string, error) {
	data := a.settings.Node.Data
	if _, err := backup.ForgetUpgrades(data, a.now().AddDate(100, 0, 0)); err != nil {
		return nil, err
	}
	return backup.Aside(data)
}

// forget lets go of what is remembered in memory and may name somebody.
func (a *App) forget(ctx context.Context) error {
	a.live.Forget()
	return a.intake.Reload(ctx)
}

// busySubject says why a value is still needed.
func (a *App) busySubject(ctx context.Context, s personal.Subject) (why string, err error) {
	err = a.state.View(ctx, func(tx state.Tx) error {
		switch s.Kind {
		case personal.Address:
			return tx.Plans().InForce(ctx, state.ActionBlockIP, "", func(p *honeyguide.Plan) error {
				if target, err := personal.New(personal.Address, p.Target); p.Target == s.Value || err == nil && target == s {
					why = "it is blocked now by plan " + p.ID + ": lift the block first, or let it run out"
				}
				return nil
			})
		case personal.User:
			u, err := a.identity.User(ctx, s.Value)
			if err == nil && !u.Disabled {
				why = "it is the name of an account that may log in: remove the user first"
			}
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				return nil
			}
			return err
		}
		return nil
	})
	return why, err
}

// heldSubject names the legal hold that keeps a subject's data. Whoever is held by
// name or mail is named by what is held, not by a hold: only addresses can be.
func (a *App) heldSubject(ctx context.Context, s personal.Subject) (name string, err error) {
	if s.Kind != personal.Address {
		return a.heldAny(ctx, s)
	}
	err = a.state.View(ctx, func(tx state.Tx) error {
		h, held, err := tx.Holds().On(ctx, state.HeldAddress, s.Value)
		if held {
			name = h.Short
		}
		return err
	})
	if err != nil || name != "" {
		return name, err
	}
	return a.heldAny(ctx, s)
}

// heldAny looks for the subject in sessions, alerts and incidents that are held.
func (a *App) heldAny(ctx context.Context, s personal.Subject) (name string, err error) {
	err = a.state.View(ctx, func(tx state.Tx) error {
		holds, err := tx.Holds().List(ctx, true)
		if err != nil || len(holds) == 0 {
			return err
		}
		has := personal.Erase(s, personal.NewMark())
		check := func(kind state.HeldKind, id string, v any) error {
			text, err := json.Marshal(v)
			if _, n := has.JSON(text); err != nil || n == 0 || name != "" {
				return err
			}
			h, held, err := tx.Holds().On(ctx, kind, id)
			if held {
				name = h.Short
			}
			return err
		}
		for q := (state.AlertQuery{Page: state.Page{Limit: state.MaxLimit}}); name == ""; {
			list, next, err := tx.Alerts().List(ctx, q)
			if err != nil {
				return err
			}
			for i := range list {
				if err := check(state.HeldAlert, list[i].ID, &list[i]); err != nil {
					return err
				}
			}
			if q.After = next; next == "" {
				break
			}
		}
		for q := (state.SessionQuery{Page: state.Page{Limit: state.MaxLimit}}); name == ""; {
			list, next, err := tx.Sessions().List(ctx, q)
			if err != nil {
				return err
			}
			for i := range list {
				if err := check(state.HeldSession, list[i].ID, &list[i]); err != nil {
					return err
				}
			}
			if q.After = next; next == "" {
				break
			}
		}
		return nil
	})
	return name, err
}

// A trail is the audit log as the desk needs it.
type trail struct{ log *audit.Log }

// Find goes through the entries, newest first.
func (t trail) Find(ctx context.Context, fn func(honeyguide.AuditEntry) bool) error {
	for q := (audit.Query{Limit: 1000}); ; {
		list, next, err := t.log.List(ctx, q)
		if err != nil {
			return err
		}
		for _, e := range list {
			if !fn(e) {
				return nil
			}
		}
		if q.Before = next; next == 0 {
			return nil
		}
	}
}

// Erase takes personal parts away.
func (t trail) Erase(ctx context.Context, match func(string) bool, why string) (int, error) {
	return t.log.ErasePersonal(ctx, match, honeyguide.AuditEntry{Actor: "privacy", Kind: "system", Object: why, Reason: "somebody's data is erased"})
}
