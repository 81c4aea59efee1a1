package app

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"os"
	"path/filepath"
	"slices"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/bundle"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
	"honeyguide/internal/reserve"
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
	a.retain.Scouring(func(ctx context.Context) error {
		if err := a.roomToScour(); err != nil {
			return err
		}
		return rows.Scour(ctx)
	})
	masks, keeps := &pseudonyms{vault: a.vault}, bundle.Keeper{State: a.rows}
	a.privacy = privacy.NewDesk(privacy.Deps{
		Retention: a.retain,
		State:     a.rows, Rows: rows, Events: events, Recordings: a.recordings, Worlds: a.eraseWorlds, Trail: trail{a.audit}, Copies: a.dropCopies,
		Held: a.heldSubject, Busy: a.busySubject, Still: a.consumer.Pause, Forget: a.forget,
		Pseudonyms: masks.get, ForgetKey: masks.forget, Days: keeps.Days, Sources: keeps.Sources, HeldSession: keeps.HoldsSession,
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

// roomBeside is what is left to others meanwhile.
const roomBeside = 64 << 20

// roomToScour refuses to make the state's file anew where there is no room for it:
// it is written twice, beside the old one and into the journal.
func (a *App) roomToScour() error {
	st, err := os.Stat(filepath.Join(a.settings.Node.Data, "state.db"))
	if err != nil {
		return err
	}
	space, err := reserve.Stat(a.settings.Node.Data)
	if err != nil {
		return err
	}
	if need := 2*st.Size() + roomBeside; space.Free < need {
		return fmt.Errorf("it takes %d MiB, and %d MiB are free", need>>20, space.Free>>20)
	}
	return nil
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
	switch s.Kind {
	case personal.Address:
		err = a.state.View(ctx, func(tx state.Tx) error {
			return tx.Plans().InForce(ctx, state.ActionBlockIP, "", func(p *honeyguide.Plan) error {
				if target, err := personal.New(personal.Address, p.Target); p.Target == s.Value || err == nil && target == s {
					why = "it is blocked now by plan " + p.ID + ": lift the block first, or let it run out"
				}
				return nil
			})
		})
	case personal.User:
		u, failed := a.identity.User(ctx, s.Value)
		switch {
		case failed == nil && !u.Disabled:
			why = "it is the name of an account that may log in: remove the user first"
		case failed != nil && honeyguide.ErrorCode(failed) != honeyguide.CodeNotFound:
			err = failed
		}
	}
	return why, err
}

// heldSubject names the legal hold that keeps a subject's data. Whoever is held by
// name or mail is named by what is held, not by a hold: only addresses can be.
func (a *App) heldSubject(ctx context.Context, s personal.Subject) (name string, err error) {
	some := false
	err = a.state.View(ctx, func(tx state.Tx) error {
		holds, err := tx.Holds().List(ctx, true)
		if some = len(holds) > 0; err != nil || !some || s.Kind != personal.Address {
			return err
		}
		h, held, err := tx.Holds().On(ctx, state.HeldAddress, s.Value)
		if held {
			name = h.Short
		}
		return err
	})
	if err != nil || name != "" || !some {
		return name, err
	}
	sessions, err := a.sessionsWith(ctx, s)
	if err != nil {
		return "", err
	}
	err = a.state.View(ctx, func(tx state.Tx) error {
		l := heldLook{tx: tx, has: personal.Erase(s, personal.NewMark())}
		for _, id := range sessions {
			l.on(ctx, state.HeldSession, id)
		}
		l.alerts(ctx)
		l.sessions(ctx)
		l.incidents(ctx)
		name = l.name
		return l.err
	})
	return name, err
}

// sessionsWith returns the sessions in whose events a subject stands: what somebody
// typed is in no row of the state.
func (a *App) sessionsWith(ctx context.Context, s personal.Subject) ([]string, error) {
	has, seen := personal.Erase(s, personal.NewMark()), map[string]bool{}
	for rec, err := range a.events.Find(ctx, eventlog.Query{}) {
		if err != nil {
			return nil, fmt.Errorf("look through the events: %w", err)
		}
		if id := rec.Event.Session; id != "" && !seen[id] {
			if _, n := has.Event(rec.Event); n > 0 {
				seen[id] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(seen)), nil
}

// A heldLook looks for a subject in what holds keep, until it finds one.
type heldLook struct {
	tx   state.Tx
	has  *personal.Rewriter
	name string // of the hold
	err  error
}

func (l *heldLook) over() bool { return l.err != nil || l.name != "" }

// on notes the hold that keeps an object.
func (l *heldLook) on(ctx context.Context, kind state.HeldKind, id string) bool {
	if l.over() {
		return false
	}
	h, held, err := l.tx.Holds().On(ctx, kind, id)
	if l.err = err; held {
		l.name = h.Short
	}
	return held
}

// in reports whether the subject stands in a value.
func (l *heldLook) in(v any) bool {
	text, err := json.Marshal(v)
	if err != nil {
		l.err = err
		return false
	}
	_, n := l.has.JSON(text)
	return n > 0
}

func (l *heldLook) alerts(ctx context.Context) {
	for q := (state.AlertQuery{Page: state.Page{Limit: state.MaxLimit}}); !l.over(); {
		list, next, err := l.tx.Alerts().List(ctx, q)
		for i := range list {
			if l.in(&list[i]) {
				l.on(ctx, state.HeldAlert, list[i].ID)
			}
		}
		if q.After = next; err != nil || next == "" {
			l.err = errors.Join(l.err, err)
			return
		}
	}
}

func (l *heldLook) sessions(ctx context.Context) {
	for q := (state.SessionQuery{Page: state.Page{Limit: state.MaxLimit}}); !l.over(); {
		list, next, err := l.tx.Sessions().List(ctx, q)
		for i := range list {
			if l.in(&list[i]) {
				l.on(ctx, state.HeldSession, list[i].ID)
			}
		}
		if q.After = next; err != nil || next == "" {
			l.err = errors.Join(l.err, err)
			return
		}
	}
}

// incidents looks into incidents that are held, and what people wrote there.
func (l *heldLook) incidents(ctx context.Context) {
	for q := (state.IncidentQuery{Page: state.Page{Limit: state.MaxLimit}}); !l.over(); {
		list, next, err := l.tx.Incidents().List(ctx, q)
		for i := range list {
			h, held, err := l.tx.Holds().On(ctx, state.HeldIncident, list[i].ID)
			if err != nil {
				l.err = err
				return
			}
			if held && (l.in(&list[i]) || l.told(ctx, list[i].ID)) {
				l.name = h.Short
				return
			}
		}
		if q.After = next; err != nil || next == "" {
			l.err = errors.Join(l.err, err)
			return
		}
	}
}

// told reports whether the subject stands in the timeline of an incident.
func (l *heldLook) told(ctx context.Context, incident string) bool {
	for q := (state.TimelineQuery{Incident: incident, Page: state.Page{Limit: state.MaxLimit}}); !l.over(); {
		list, next, err := l.tx.Timeline().List(ctx, q)
		if l.in(list) {
			return true
		}
		if q.After = next; err != nil || next == "" {
			l.err = errors.Join(l.err, err)
			return false
		}
	}
	return false
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

// Erase takes personal parts away. Entries of the older form hold their texts in
// what is proven: they can only go whole, with their file, and that is the owner's
// to decide.
func (t trail) Erase(ctx context.Context, match func(string) bool, why string) (n int, left []string, err error) {
	n, err = t.log.ErasePersonal(ctx, match, honeyguide.AuditEntry{Actor: "privacy", Kind: "system", Object: why, Reason: "somebody's data is erased"})
	if honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
		return n, []string{err.Error() + ": set it, and their texts go with their file when they are older; what is left of the log still verifies"}, nil
	}
	return n, nil, err
}
