package api

import (
	"context"
	"os"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/backup"
)

// BackupOrder asks for a backup. Where it goes and whom it is encrypted to is
// for the configuration to say; only who is on this machine may say otherwise:
// the core writes with its own rights.
type BackupOrder struct {
	To         string            `json:"to,omitempty" maxLength:"4096" doc:"folder, or file that ends in .hgb, on the core's machine; over the local socket only"`
	Recipient  string            `json:"recipient,omitempty" maxLength:"200" doc:"encrypt to this public key (age1...); over the local socket only"`
	Passphrase honeyguide.Secret `json:"passphrase,omitempty" maxLength:"1024" doc:"encrypt under this; over the local socket only"`
	Plain      bool              `json:"plain,omitempty" doc:"do not encrypt; over the local socket only"`
	Full       bool              `json:"full,omitempty" doc:"copy everything anew, also what did not change"`
}

// local reports whether an order says what only this machine may say.
func (o *BackupOrder) local() bool {
	return o.To != "" || o.Recipient != "" || o.Passphrase != "" || o.Plain
}

type backupWait struct {
	WaitMS int64 `query:"wait_ms" minimum:"0" maximum:"10000" doc:"how long to wait for the end of the backup under way before it is answered"`
}

// backups registers what makes copies of the data folder.
func (s *server) backups() {
	writeAnew(s, post("/backups", "back-up", "Begin a backup of the data folder; ask /backups/status how it goes"), auth.PermBackup, func(ctx context.Context, in *BackupOrder) (backup.Progress, error) {
		r := s.dep.Backups
		if r == nil {
			return backup.Progress{}, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this core makes no backups"}
		}
		who, _ := ctx.Value(principalKey).(auth.Principal)
		if in.local() && who.ID != "local" {
			return backup.Progress{}, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "where backups go, and whom they are encrypted to, is said in the configuration of the core, or on its own machine"}
		}
		job := r.Job()
		job.Actor, job.Kind, job.Full = who.Name, kindOf(who), in.Full
		if in.To != "" {
			job.To = in.To
		}
		if in.Recipient != "" || in.Passphrase != "" || in.Plain {
			job.Recipient, job.Passphrase, job.Plain = in.Recipient, in.Passphrase, in.Plain
		}
		return r.Start(ctx, job)
	})
	act(s, op("/backups/status", "get-backup-status", "How the backup under way stands, and how the last ones went"), auth.PermBackup, func(ctx context.Context, in *backupWait) (backup.Progress, error) {
		if s.dep.Backups == nil {
			return backup.Progress{}, nil
		}
		return s.dep.Backups.Status(ctx, time.Duration(in.WaitMS)*time.Millisecond), nil
	})
	act(s, op("/backups", "list-backups", "The backups in the folder of the configuration, newest first"), auth.PermBackup, func(context.Context, *struct{}) (BackupList, error) {
		out := BackupList{Items: []backup.Listed{}}
		if s.dep.Backups == nil {
			return out, nil
		}
		if out.To = s.dep.Backups.Job().To; out.To == "" {
			return out, nil
		}
		if _, err := os.Stat(out.To); err != nil {
			return out, nil //nolint:nilerr // none was made yet
		}
		store, err := backup.Open(out.To)
		if err != nil {
			return out, err
		}
		defer store.Close()
		out.Items, err = backup.List(store, "")
		return out, err
	})
}

// BackupList are the backups there are.
type BackupList struct {
	To    string          `json:"to" doc:"folder of the configuration; empty when it names none"`
	Items []backup.Listed `json:"items"`
}
