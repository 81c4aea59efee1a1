package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/builtin"
	"honeyguide/internal/runs"
	"honeyguide/internal/state"
)

// ActionRestore is the act whose entry begins the audit log's new branch after a
// restore.
const ActionRestore = "restore"

// RestoreHooks are what a restore needs of the rooms: how far a folder has come,
// and what has to be done to it before it works again.
func RestoreHooks(r *backup.Restore) {
	r.Probe = ProbeData
	r.Settle = func(ctx context.Context, dir string, what *backup.Restored) error {
		if err := settleState(ctx, dir, what); err != nil {
			return err
		}
		return settleAudit(ctx, dir, what)
	}
}

// settleState sees to it that what the state had in hand does not happen twice:
// nobody knows what of it happened after the backup.
func settleState(ctx context.Context, dir string, what *backup.Restored) (err error) {
	k, err := builtin.Stores().Lookup("sqlite")
	if err != nil {
		return err
	}
	store, err := k.Open(ctx, nil, state.Deps{Dir: dir, Memory: 16 << 20})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, store.Close()) }()
	now := time.Now().UTC()
	var s runs.Settled
	err = store.Update(ctx, func(tx state.Tx) (err error) {
		why := "restored from backup " + what.Manifest.ID + ": what happened of it after the backup is not known"
		if s, err = runs.Settle(ctx, tx, why, now); err != nil {
			return err
		}
		// Nobody is logged in: a session may have been ended since.
		_, err = tx.LoginSessions().Trim(ctx, now.AddDate(100, 0, 0), now)
		return err
	})
	if err != nil {
		return err
	}
	note := func(format string, args ...any) { what.Notes = append(what.Notes, fmt.Sprintf(format, args...)) }
	note("everybody has to log in anew")
	if s.Runs+s.Notices > 0 {
		note("%d runs, %d acts and %d messages that were under way at the time of the backup are ended and not repeated; look at them with honeyguide runs list and honeyguide notices list", s.Runs, s.Plans, s.Notices)
	}
	note("users, keys, roles and approvals are those of %s: take back again what was taken back since", what.Manifest.Began.Format(time.RFC3339))
	return nil
}

// settleAudit writes down the restore: the log goes on from the backup, beside
// what it may have become after it. A witness that saw more calls that a log
// that was put back, and this entry says why.
func settleAudit(ctx context.Context, dir string, what *backup.Restored) (err error) {
	log, err := audit.Open(ctx, audit.Options{Dir: AuditDir(dir), Keys: filepath.Join(dir, "keys")})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	after, err := json.Marshal(map[string]any{
		"backup": what.Manifest.ID, "audit": what.Manifest.Figures.Audit, "audit_root": what.Manifest.Figures.AuditRoot, "events": what.Manifest.Figures.Events, "replaced": what.Before,
	})
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	return log.Record(ctx, honeyguide.AuditEntry{
		Actor: "local", Kind: "local", Action: ActionRestore, Object: "backup:" + what.Manifest.ID, Outcome: honeyguide.AuditAsked, After: after,
		Reason: fmt.Sprintf("the log goes on from entry %d on %s; entries made after the backup of %s are not in it", what.Manifest.Figures.Audit, host, what.Manifest.Began.Format(time.RFC3339)),
	})
}

// restoredAt is when the state was put back from a backup; zero when never.
func (a *App) restoredAt(ctx context.Context) (at time.Time, err error) {
	err = a.state.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, runs.MetaRestored)
		if err != nil || text == "" {
			return err
		}
		at, err = time.Parse(time.RFC3339, text)
		return err
	})
	return at, err
}
