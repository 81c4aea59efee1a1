package app

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/seal"
	"honeyguide/internal/sqldb"
)

// Backup configures the copies of the data folder.
type Backup struct {
	To         string            `yaml:"to" doc:"folder backups are written to, best on another disk or a mounted share; empty = none are made unless somebody asks"`
	Every      time.Duration     `yaml:"every" doc:"time between two backups, for example 24h; 0 = only when somebody asks"`
	Keep       int               `yaml:"keep" doc:"backups kept in the folder; older ones are removed with what only they hold; 0 = all"`
	Recipient  string            `yaml:"recipient" doc:"public key (age1...) backups are encrypted to; its other half belongs to another place than this machine"`
	Passphrase honeyguide.Secret `yaml:"passphrase" doc:"passphrase instead of a recipient, 12 characters or more; not taken from --set"`
	Plain      bool              `yaml:"plain" doc:"do not encrypt: whoever can read the folder then has every secret of this node but the master key"`
	Rate       int64             `yaml:"rate_mib" doc:"MiB a second a backup reads at most while the core runs; 0 = any"`
}

func defaultBackup() Backup { return Backup{Keep: 14, Rate: 64} }

func (b Backup) validate() error {
	switch n := len(b.Passphrase.Reveal()); {
	case b.Every < 0 || b.Every > 0 && b.Every < time.Minute:
		return invalid("backup.every: %v; want 1m or more, or 0", b.Every)
	case b.Keep < 0:
		return invalid("backup.keep: %d; want 0 or more", b.Keep)
	case b.Rate < 0:
		return invalid("backup.rate_mib: %d; want 0 or more", b.Rate)
	case b.Every > 0 && b.To == "":
		return invalid("backup.every is set, and backup.to says no folder")
	case b.Every > 0 && b.Recipient == "" && b.Passphrase == "" && !b.Plain:
		return invalid("backup.every is set: whom are the backups encrypted to? set backup.recipient or backup.passphrase (HONEYGUIDE_BACKUP_PASSPHRASE_FILE), or backup.plain: true")
	case n > 0 && n < backup.LeastPassphrase:
		return invalid("backup.passphrase: %d characters; want at least %d", n, backup.LeastPassphrase)
	case b.Recipient != "" && b.Passphrase != "" || b.Plain && (b.Recipient != "" || b.Passphrase != ""):
		return invalid("backup: want one of recipient, passphrase and plain")
	}
	if b.Recipient != "" {
		if _, err := backup.LockTo(b.Recipient); err != nil {
			return invalid("backup.recipient: %v", err)
		}
	}
	return nil
}

// job is what all backups of a node have in common.
func (s Settings) backupJob(version string) backup.Job {
	master := "none" // until it is found in the data folder
	if s.Secrets.Encryption && s.Secrets.master() != (seal.Master{}) {
		master = "elsewhere"
	}
	secret := s.secretFiles()
	for _, file := range []string{s.Secrets.KeyFile, s.Secrets.PassphraseFile} {
		if file != "" {
			secret = append(secret, file)
		}
	}
	return backup.Job{
		Data: s.Node.Data, To: s.Backup.To, Config: s.Files, Secret: secret, Recipient: s.Backup.Recipient, Passphrase: s.Backup.Passphrase, Plain: s.Backup.Plain,
		Node: s.Node.Name, Version: version, MasterKey: master, Rate: s.Backup.Rate << 20, Actor: "schedule", Kind: "system",
	}
}

// secretFiles are the configuration files in which a secret stands.
func (s Settings) secretFiles() []string {
	return slices.DeleteFunc(slices.Clone(s.Files), func(file string) bool {
		return !slices.ContainsFunc(s.Shown, func(v config.Value) bool {
			hides := v.Secret || strings.Contains(v.Value, honeyguide.Secret("x").String()) || strings.Contains(v.Value, "://***@")
			return v.Set && hides && strings.HasPrefix(v.Origin, file+":")
		})
	})
}

// openBackup makes what backs up the running core.
func (a *App) openBackup(context.Context) error {
	job := a.settings.backupJob(a.version)
	job.Audit, job.Now, job.Running = a.audit, a.now, true
	job.Last = func(ctx context.Context) (int64, error) {
		_, last, err := a.events.Ends(ctx)
		return int64(last), err
	}
	job.Erased = func(ctx context.Context) ([]byte, error) {
		list, err := a.privacy.Since(ctx, time.Time{})
		if err != nil {
			return nil, err
		}
		return json.Marshal(list)
	}
	a.backups = backup.NewRunner(backup.Options{
		Base: job, Every: a.settings.Backup.Every, Keep: a.settings.Backup.Keep, Metrics: a.metrics, Log: a.log, Failed: a.backupFailed,
	})
	a.closers = append(a.closers, func() error { a.backups.Stop(); return nil })
	return nil
}

// backupFailed tells people.
func (a *App) backupFailed(ctx context.Context, overdue bool, why string) {
	n := honeyguide.Notice{Event: "trigger", Key: "backup-failed", Severity: honeyguide.SeverityHigh, Title: "No backup of " + a.settings.Node.Name + " was made"}
	if overdue {
		n.Key, n.Title = "backup-overdue", "The backup of "+a.settings.Node.Name+" is overdue"
	}
	n.Text = why + "\n\nhoneyguide backup status says when the last good one was made; honeyguide doctor says how to mend it."
	if err := a.notices.Post(ctx, n); err != nil {
		a.log.LogAttrs(ctx, slog.LevelWarn, "nobody was told about the backup", slog.Any("error", err))
	}
}

// BackUp makes a backup of a data folder no core works on. change says what is
// other than the configuration says.
func BackUp(ctx context.Context, s Settings, version string, change func(*backup.Job)) (m *backup.Manifest, err error) {
	data := s.Node.Data
	if _, err := os.Stat(filepath.Join(data, "keys")); err != nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no data of a honeyguide in %s; name the folder with --data", data), Err: err}
	}
	lock, err := sqldb.Lock(data)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, lock.Close()) }()
	if err := backup.Recover(data); err != nil {
		return nil, err
	}
	o := vaultOptions(s)
	o.ReadOnly = true
	vault, err := seal.OpenVault(o)
	if err != nil {
		return nil, err
	}
	log, err := audit.Open(ctx, audit.Options{Dir: AuditDir(data), Keys: vault.Dir(), Vault: vault, Rotate: s.Audit.Rotate << 20})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, log.Close()) }()
	job := s.backupJob(version)
	job.Audit, job.Rate, job.Actor, job.Kind = log, 0, "local", "local"
	job.Last = func(ctx context.Context) (int64, error) {
		p, err := ProbeData(ctx, data)
		return p.Events, err
	}
	job.Erased = func(ctx context.Context) ([]byte, error) {
		list, err := erasedIn(ctx, data)
		if err != nil {
			return nil, err
		}
		return json.Marshal(list)
	}
	change(&job)
	own := s.Backup.To == "" || job.To == s.Backup.To
	m, err = backup.Make(ctx, job)
	switch {
	case !own:
	case err != nil:
		err = errors.Join(err, backup.ChangePast(data, func(p *backup.Track) { p.Error, p.FailedAt = err.Error(), time.Now().UTC() }))
	default:
		err = backup.Made(data, job.To, m)
	}
	return m, err
}

// ProbeData says how far a data folder has come that nobody has open.
func ProbeData(ctx context.Context, data string) (p backup.Probe, err error) {
	if p.Cursor, err = readCursor(ctx, filepath.Join(data, "state.db")); err != nil {
		return p, fmt.Errorf("read the state: %w", err)
	}
	k, err := builtin.Logs().Lookup("embedded")
	if err != nil {
		return p, err
	}
	dir := filepath.Join(data, "events")
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		return p, nil
	}
	log, err := k.Open(ctx, config.Strict("store", nil), eventlog.Deps{Dir: dir, ReadOnly: true})
	if err != nil {
		return p, fmt.Errorf("read the event log: %w", err)
	}
	_, last, err := log.Ends(ctx)
	p.Events = int64(last)
	return p, errors.Join(err, log.Close())
}

// readCursor reads up to where the detectors have come, whatever the schema is.
func readCursor(ctx context.Context, file string) (seq int64, err error) {
	db, err := sqldb.Open(ctx, sqldb.Options{Path: file, ReadOnly: true, MaxConns: 1})
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	err = db.QueryRowContext(ctx, "SELECT seq FROM cursor WHERE consumer = $1", consumerName).Scan(&seq)
	if errors.Is(err, sql.ErrNoRows) || err != nil && strings.Contains(err.Error(), "no such table") {
		return 0, nil
	}
	return seq, err
}

// BackupTested notes that a backup was unpacked and checked.
func BackupTested(data string, m *backup.Manifest) error {
	return backup.ChangePast(data, func(p *backup.Track) { p.Tested, p.TestedAt = m.ID, time.Now().UTC() })
}
