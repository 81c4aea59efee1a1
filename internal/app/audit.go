package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/audit"
)

// Audit configures the audit log.
type Audit struct {
	RetentionDays int           `yaml:"retention_days" doc:"days the text of entries is kept; older entries keep their hashes, so everything can still be verified; 0 = for ever"`
	Rotate        int64         `yaml:"rotate_mib" doc:"size after which a file of entries is sealed, in MiB; at the end of each day it is in any case"`
	Witness       []string      `yaml:"witness" doc:"who keeps copies of checkpoints where this machine's administrator cannot change them: file:/path, s3 (see s3 below), or the name of an action that carries messages (mail, syslog, chat); without one, putting all files back to an older state is not noticed"`
	MessageEvery  time.Duration `yaml:"message_every" doc:"how often witnesses that get messages are told, when there is news; files are told every minute, objects every ten"`
	S3            audit.S3      `yaml:"s3" doc:"a store of objects that keeps checkpoints, for the witness s3"`
	Export        []string      `yaml:"export" doc:"systems that get every entry as it is written, from the first one on: jsonl:/path, or the name of an action; a syslog action gets CEF, others (webhook) a message for each entry. Each entry comes at least once, in order"`
}

func defaultAudit() Audit {
	return Audit{Rotate: 64, MessageEvery: 24 * time.Hour, S3: audit.S3{Region: "us-east-1", Prefix: "honeyguide/"}}
}

func (a Audit) validate() error {
	switch {
	case a.RetentionDays < 0:
		return invalid("audit.retention_days: %d; want 0 or more", a.RetentionDays)
	case a.Rotate < 1 || a.Rotate > 4096:
		return invalid("audit.rotate_mib: %d; want 1 to 4096", a.Rotate)
	case a.MessageEvery < time.Minute:
		return invalid("audit.message_every: %v; want 1m or more", a.MessageEvery)
	}
	for _, w := range a.Witness {
		if path, ok := strings.CutPrefix(w, "file:"); ok && !filepath.IsAbs(path) {
			return invalid("audit.witness: %.200q; want file: and a path that begins with /", w)
		}
	}
	for i, name := range a.Export {
		if path, ok := strings.CutPrefix(name, "jsonl:"); ok && !filepath.IsAbs(path) {
			return invalid("audit.export: %.200q; want jsonl: and a path that begins with /", name)
		}
		if slices.Contains(a.Export[:i], name) {
			return invalid("audit.export: %.200q is there twice", name)
		}
	}
	if slices.Contains(a.Witness, witnessS3) {
		return a.S3.Validate()
	}
	return nil
}

// AuditDir is the folder of the audit log in the data folder.
func AuditDir(data string) string { return filepath.Join(data, "audit") }

// openAudit opens the audit log before anything that acts.
func (a *App) openAudit(ctx context.Context) (err error) {
	s := a.settings.Audit
	if a.audit, err = audit.Open(ctx, audit.Options{
		Dir: AuditDir(a.settings.Node.Data), Keys: a.vault.Dir(), Vault: a.vault, Rotate: s.Rotate << 20,
		Keep: time.Duration(s.RetentionDays) * 24 * time.Hour, Metrics: a.metrics, Log: a.log, Now: a.now,
	}); err != nil {
		return err
	}
	a.closers = append(a.closers, a.audit.Close)
	return nil
}

// checkAudit says whether what people do leaves traces that hold.
func checkAudit(s Settings) Finding {
	dir := AuditDir(s.Node.Data)
	if _, err := os.Stat(filepath.Join(dir, "checkpoint")); err != nil {
		if _, err := os.Stat(filepath.Join(s.Node.Data, "keys", "audit.key")); err == nil {
			return Finding{"audit log", StatusFail, dir + " has no checkpoint, and there was a log", "restore the folder from a backup; until then nothing can be changed"}
		}
		return Finding{"audit log", StatusWarn, "there is none yet", "it is made at the first start"}
	}
	key, err := os.ReadFile(filepath.Join(s.Node.Data, "keys", "audit.pub"))
	if err != nil {
		return Finding{"audit log", StatusFail, fmt.Sprint(err), "restore the key from a backup"}
	}
	msg, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return Finding{"audit log", StatusFail, fmt.Sprint(err), "restore the folder from a backup"}
	}
	c, err := audit.OpenCheckpoint(msg, string(key))
	if err != nil {
		return Finding{"audit log", StatusFail, fmt.Sprint(err), "run honeyguide audit verify; restore the folder from a backup"}
	}
	if len(s.Audit.Witness) == 0 {
		return Finding{"audit log", StatusWarn, fmt.Sprintf("%d entries; nobody outside keeps checkpoints, so a log that is put back whole is not noticed", c.Size), "set audit.witness; see docs/how-to/verify-the-audit-log.md"}
	}
	return ok("audit log", "%d entries; checkpoints are kept by %s", c.Size, strings.Join(slices.Sorted(slices.Values(s.Audit.Witness)), ", "))
}
