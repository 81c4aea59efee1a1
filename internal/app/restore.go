package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"honeyguide"
	"honeyguide/internal/backup"
	"honeyguide/internal/privacy"
	"honeyguide/internal/runs"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
)

// ActionRestore is the act whose entry begins the audit log's new branch after a
// restore.
const ActionRestore = "restore"

// RestoreHooks are what a restore needs of the rooms: how far a folder has come,
// and what has to be done to it before it works again.
func RestoreHooks(r *backup.Restore, s Settings, version string) {
	r.Probe = ProbeData
	data := s.Node.Data
	r.Settle = func(ctx context.Context, dir string, what *backup.Restored) (err error) {
		s.Node.Data, s.Sensors, s.Sources = dir, nil, nil
		if s.Detect.Rules == filepath.Join(data, "rules") {
			s.Detect.Rules = filepath.Join(dir, "rules")
		}
		if err := missingMaster(s, what.Manifest); err != nil {
			return err
		}
		a, err := New(ctx, s, slog.New(slog.DiscardHandler), version)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, a.Close()) }()
		if err := a.settleState(ctx, what); err != nil {
			return err
		}
		if err := a.settleErasures(ctx, data, what); err != nil {
			return err
		}
		return a.settleAudit(ctx, what)
	}
}

// missingMaster says in time that what is restored would not open.
func missingMaster(s Settings, m *backup.Manifest) error {
	if m.MasterKey != "left out" && m.MasterKey != "elsewhere" || isFile(filepath.Join(s.Node.Data, "keys", "master.key")) {
		return nil
	}
	if o := vaultOptions(s); o.Master != (Secrets{}).master() {
		return nil // the vault says whether it is the right one
	}
	return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "this backup does not hold the master key its keys are sealed under; give it with --set secrets.key_file=FILE (keys/master.key of the node), or SOC_ENCRYPTION_KEY_FILE"}
}

// settleState sees to it that what the state had in hand does not happen twice:
// nobody knows what of it happened after the backup.
func (a *App) settleState(ctx context.Context, what *backup.Restored) error {
	now := a.now().UTC()
	var s runs.Settled
	if err := a.state.Update(ctx, func(tx state.Tx) (err error) {
		why := "restored from backup " + what.Manifest.ID + ": what happened of it after the backup is not known"
		if s, err = runs.Settle(ctx, tx, why, now); err != nil {
			return err
		}
		// Nobody is logged in: a session may have been ended since.
		_, err = tx.LoginSessions().Trim(ctx, now.AddDate(100, 0, 0), now)
		return err
	}); err != nil {
		return err
	}
	note := func(format string, args ...any) { what.Notes = append(what.Notes, fmt.Sprintf(format, args...)) }
	note("everybody has to log in anew")
	if s.Runs+s.Notices > 0 {
		note("%d runs, %d acts and %d messages that were under way at the time of the backup are ended and not repeated; look at them with honeyguide runs list and honeyguide notices list", s.Runs, s.Plans, s.Notices)
	}
	note("users, keys and roles are those of %s: take back again what was taken back since", what.Manifest.Began.Format(time.RFC3339))
	return nil
}

// settleErasures erases once more what was erased after the backup, as far as
// the ledger of the data that is replaced and the list in the store say.
func (a *App) settleErasures(ctx context.Context, data string, what *backup.Restored) error {
	note := func(format string, args ...any) { what.Notes = append(what.Notes, fmt.Sprintf(format, args...)) }
	const again = "ask for those erasures again (honeyguide privacy erase)"
	var list []privacy.Erasure
	told := false // by the data that is replaced, which knows all of them
	if what.Before != nil && what.Before.Same {
		var err error
		if list, err = erasedIn(ctx, data); err != nil {
			note("what was erased for people since the backup cannot be read from the data that is replaced: %v", err)
		}
		told = err == nil
	}
	var kept []privacy.Erasure
	if what.Erased != nil {
		if err := json.Unmarshal(what.Erased, &kept); err != nil {
			return fmt.Errorf("read the list of erasures that was kept with the backups: %w", err)
		}
	}
	missing, err := a.notErased(ctx, append(list, kept...))
	if err != nil {
		return err
	}
	if err := a.privacy.Apply(ctx, missing); err != nil {
		return fmt.Errorf("erase what was erased after the backup: %w", err)
	}
	if len(missing) > 0 {
		note("%d erasures made after the backup were carried out again", len(missing))
	}
	switch {
	case told:
	case what.Erased != nil:
		note("the list of erasures kept with the backups is of %s; what was erased for people after that is back: %s", what.ErasedAt.Format(time.RFC3339), again)
	default:
		note("what was erased for people since the backup is back, and the list of it is not here: %s", again)
	}
	return nil
}

// notErased returns those erasures, each once, that this state did not carry out.
func (a *App) notErased(ctx context.Context, list []privacy.Erasure) (out []privacy.Erasure, err error) {
	have, err := a.privacy.Erasures(ctx)
	known := map[string]bool{}
	for _, e := range have {
		known[e.ID] = e.State == privacy.Done
	}
	for _, e := range list {
		if !known[e.ID] {
			known[e.ID] = true
			out = append(out, e)
		}
	}
	return out, err
}

// erasedIn reads the ledger of erasures in a data folder nobody has open, whatever
// the schema of its state is.
func erasedIn(ctx context.Context, data string) (out []privacy.Erasure, err error) {
	db, err := sqldb.Open(ctx, sqldb.Options{Path: filepath.Join(data, "state.db"), ReadOnly: true, MaxConns: 1})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	var text string
	switch err := db.QueryRowContext(ctx, "SELECT value FROM meta WHERE name = $1", privacy.LedgerKey).Scan(&text); {
	case errors.Is(err, sql.ErrNoRows):
		return []privacy.Erasure{}, nil
	case err != nil:
		return nil, err
	}
	return out, json.Unmarshal([]byte(text), &out)
}

// settleAudit writes down the restore: the log goes on from the backup, beside
// what it may have become after it. A witness that saw more calls that a log
// that was put back, and this entry says why.
func (a *App) settleAudit(ctx context.Context, what *backup.Restored) error {
	m := what.Manifest
	after, err := json.Marshal(map[string]any{
		"backup": m.ID, "audit": m.Figures.Audit, "audit_root": m.Figures.AuditRoot, "events": m.Figures.Events, "replaced": what.Before,
	})
	if err != nil {
		return err
	}
	host, _ := os.Hostname()
	return a.audit.Record(ctx, honeyguide.AuditEntry{
		Actor: "local", Kind: "local", Action: ActionRestore, Object: "backup:" + m.ID, Outcome: honeyguide.AuditAsked, After: after,
		Reason: fmt.Sprintf("the log goes on from entry %d on %s; entries made after the backup of %s are not in it", m.Figures.Audit, host, m.Began.Format(time.RFC3339)),
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
