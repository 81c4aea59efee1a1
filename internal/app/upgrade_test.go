package app

import (
	"archive/tar"
	"compress/gzip"
	"context"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/backup"
	"honeyguide/internal/config"
	"honeyguide/internal/personal"
)

// olderData is a data folder that a real older program made, with one event in
// it: its schema lacks what came since.
func olderData(t *testing.T) Settings {
	t.Helper()
	f, err := os.Open("testdata/schema-before.tgz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o700)
		} else {
			var raw []byte
			if raw, err = io.ReadAll(r); err == nil {
				err = os.WriteFile(to, raw, 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tree, err := config.Load(config.Options{Schema: Schema(), Sets: []string{"node.data=" + filepath.Join(dir, "data"), "respond.firewall=off"}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		t.Fatal(err)
	}
	s.Sensors = nil
	return s
}

// TestUpgradeAndBack opens the data of an older program, finds the copy it kept
// first, and takes the upgrade back.
func TestUpgradeAndBack(t *testing.T) {
	s := olderData(t)
	ctx := t.Context()
	plan, err := PlanUpgrade(ctx, s)
	if err != nil || !plan.Needed || plan.Have >= plan.Want || plan.Bytes == 0 || plan.Free == 0 {
		t.Fatalf("%+v, %v", plan, err)
	}
	was, err := ProbeData(ctx, s.Node.Data)
	if err != nil || was.Events == 0 {
		t.Fatalf("%+v, %v", was, err)
	}
	keys, err := os.ReadFile(filepath.Join(s.Node.Data, "keys", "deployment.key"))
	if err != nil {
		t.Fatal(err)
	}
	a, err := New(ctx, s, slog.New(slog.DiscardHandler), "9.9/test")
	if err != nil {
		t.Fatal(err)
	}
	if err := a.audit.Record(ctx, honeyguide.AuditEntry{Actor: "zoe", Kind: "user", Action: "act", Outcome: honeyguide.AuditAsked}); err != nil {
		t.Fatal(err)
	}
	if _, err := RollBack(ctx, s, false); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("rolled back under a running core: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	copies, err := backup.Upgrades(s.Node.Data)
	if err != nil || len(copies) != 1 || copies[0].From != plan.Have || copies[0].Folder != "before-upgrade-9.9-test" || copies[0].Events != was.Events {
		t.Fatalf("%+v, %v", copies, err)
	}
	_, err = RollBack(ctx, s, false)
	if honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "0 events and 1 audit entries") {
		t.Fatalf("what happened since was passed over: %v", err)
	}
	out, err := RollBack(ctx, s, true)
	if err != nil || out.Lost.Audit != 1 {
		t.Fatalf("%+v, %v", out, err)
	}
	if back, err := PlanUpgrade(ctx, s); err != nil || back.Have != plan.Have || len(back.Copies) != 0 {
		t.Errorf("after the way back: %+v, %v", back, err)
	}
	if is, err := ProbeData(ctx, s.Node.Data); err != nil || is != was {
		t.Errorf("after the way back: %+v, was %+v (%v)", is, was, err)
	}
	if is, err := os.ReadFile(filepath.Join(s.Node.Data, "keys", "deployment.key")); err != nil || string(is) != string(keys) {
		t.Errorf("the older program cannot read its key: %v", err)
	}
	if st, err := os.Stat(filepath.Join(out.Aside, "state.db")); err != nil || st.Size() == 0 {
		t.Errorf("what the newer program made is gone: %v", err)
	}
}

// TestBackupRestoresANode backs up an opened node and restores it elsewhere.
func TestBackupRestoresANode(t *testing.T) {
	s := olderData(t)
	ctx := t.Context()
	a, err := New(ctx, s, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	job := a.backups.Job()
	job.To, job.Passphrase = filepath.Join(t.TempDir(), "b"), "correct horse battery"
	if _, err := a.backups.Start(ctx, job); err != nil {
		t.Fatal(err)
	}
	if _, err := a.backups.Start(ctx, job); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("two at a time: %v", err)
	}
	st := a.backups.Status(ctx, 1<<40)
	if st.Running || st.Error != "" || st.ID == "" || st.Last.ID != st.ID {
		t.Fatalf("%+v", st)
	}
	if row, err := a.nodeStanding(ctx); err != nil || row.Backup == nil || !row.Backup.At.Equal(st.Last.At) || row.Backup.Failing || row.Backup.Overdue {
		t.Errorf("standing: %+v, %v", row.Backup, err)
	}
	store, err := backup.Open(job.To)
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	r := backup.Restore{From: store, Data: filepath.Join(t.TempDir(), "r")}
	if r.Key, err = store.Unlock(job.Passphrase); err != nil {
		t.Fatal(err)
	}
	to := s
	to.Node.Data = r.Data
	RestoreHooks(&r, to, "test")
	out, err := r.Run(ctx)
	if err != nil {
		t.Fatal(err)
	}
	b, err := New(ctx, to, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer b.Close()
	if at, err := b.restoredAt(ctx); err != nil || at.IsZero() {
		t.Errorf("the state does not know that it was restored: %v, %v", at, err)
	}
	list := 0
	if err := (trail{b.audit}).Find(ctx, func(e honeyguide.AuditEntry) bool {
		if e.Action == ActionRestore {
			list++
		}
		return true
	}); err != nil || list != 1 {
		t.Errorf("%d entries tell of the restore (%v)", list, err)
	}
	if b.audit.Checkpoint().Size != out.Manifest.Figures.Audit+1 {
		t.Errorf("%d audit entries, backed up were %d", b.audit.Checkpoint().Size, out.Manifest.Figures.Audit)
	}
	if string(a.secret) != string(b.secret) {
		t.Error("the restored node is another deployment")
	}
	findings := checkBackup(s, a.now())
	if len(findings) != 2 || findings[0].Status == StatusFail {
		t.Errorf("%+v", findings)
	}
}

// TestErasedAfterTheBackup: what somebody had erased after a backup is erased again
// when that is restored, on a machine where nothing else is left of the node, and
// over data that still knows it.
func TestErasedAfterTheBackup(t *testing.T) {
	s := olderData(t)
	ctx := t.Context()
	s.Backup.To, s.Backup.Passphrase = filepath.Join(t.TempDir(), "b"), "correct horse battery"
	a, err := New(ctx, s, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	who, err := personal.Parse("address:203.0.113.77")
	if err != nil {
		t.Fatal(err)
	}
	at := a.now()
	e := honeyguide.Event{
		Time: at, Observed: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: honeyguide.SeverityLow, Sensor: "x", Service: "x",
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.77:4711")},
	}
	e.ID = honeyguide.DerivedID(at, "test", "erased")
	if _, err := a.intake.Store(ctx, []honeyguide.Event{e}); err != nil {
		t.Fatal(err)
	}
	if _, err := a.backups.Start(ctx, a.backups.Job()); err != nil {
		t.Fatal(err)
	}
	if st := a.backups.Status(ctx, time.Minute); st.Error != "" || st.ID == "" {
		t.Fatalf("%+v", st)
	}
	// What an upgrade keeps goes with it; what somebody put aside is named.
	for _, dir := range []string{"before-upgrade-1", "before-restore-1"} {
		if err := os.MkdirAll(filepath.Join(s.Node.Data, dir), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(s.Node.Data, dir, "upgrade.json"), []byte(`{"version":"1"}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	asked, err := a.privacy.Erase(ctx, who, "asked")
	if err != nil {
		t.Fatal(err)
	}
	if left, err := a.privacy.Finish(ctx); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if done, err := a.privacy.Erasure(ctx, asked.ID); err != nil || len(done.Left) != 1 || !strings.HasPrefix(done.Left[0], "before-restore-1 ") || done.Counts["events"] != 1 {
		t.Errorf("%+v, %v", done, err)
	}
	if copies, err := backup.Upgrades(s.Node.Data); err != nil || len(copies) != 0 {
		t.Errorf("copies from before an upgrade are left: %+v, %v", copies, err)
	}
	// As the runner does within seconds.
	run, stop := context.WithCancel(ctx)
	ended := make(chan error, 1)
	go func() { ended <- a.backups.Run(run) }()
	for end := time.Now().Add(time.Minute); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(filepath.Join(s.Backup.To, "erasures.json")); err != nil {
			t.Fatal(err) // the backup itself wrote the first
		}
		if known(t, s).ErasedAt.After(asked.At) {
			break
		}
		if time.Now().After(end) {
			t.Fatal("the folder of backups was never told")
		}
	}
	stop()
	if err := errors.Join(<-ended, a.Close()); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(s.Backup.To, "erasures.json")
	for _, x := range []struct {
		name string
		data string
		do   func()
		note string
	}{
		{"on a new machine", filepath.Join(t.TempDir(), "r"), func() {}, "1 erasures made after the backup were carried out again"},
		{"over the data", s.Node.Data, func() { _ = os.Remove(list) }, "1 erasures made after the backup were carried out again"},
		{"where nobody knows", filepath.Join(t.TempDir(), "r"), func() {}, "ask for those erasures again"},
	} {
		x.do()
		to := s
		to.Node.Data = x.data
		r := restoring(t, s)
		r.Data, r.Replace, r.EvenIfNewer = x.data, true, true
		RestoreHooks(&r, to, "test")
		out, err := r.Run(ctx)
		if err != nil {
			t.Fatalf("%s: %v", x.name, err)
		}
		b, err := New(ctx, to, slog.New(slog.DiscardHandler), "test")
		if err != nil {
			t.Fatal(err)
		}
		found, err := b.privacy.Find(ctx, who)
		again, err2 := b.privacy.Erasures(ctx)
		if err := errors.Join(err, err2, b.Close()); err != nil {
			t.Fatal(err)
		}
		lost := strings.HasPrefix(x.note, "ask")
		if (len(found) > 0) != lost || (len(again) == 0) != lost {
			t.Errorf("%s: found %+v, the ledger has %+v", x.name, found, again)
		}
		if notes := strings.Join(out.Notes, "\n"); !strings.Contains(notes, x.note) {
			t.Errorf("%s: %s", x.name, notes)
		}
	}
}

// restoring opens the newest backup of a node.
func restoring(t *testing.T, s Settings) backup.Restore {
	t.Helper()
	store, err := backup.Open(s.Backup.To)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	r := backup.Restore{From: store}
	if r.Key, err = store.Unlock(s.Backup.Passphrase); err != nil {
		t.Fatal(err)
	}
	return r
}

// known is what the folder of backups of a node says was erased.
func known(t *testing.T, s Settings) (out backup.Restored) {
	t.Helper()
	r := restoring(t, s)
	m, err := r.From.Manifest("", "")
	if err != nil {
		t.Fatal(err)
	}
	if out.Erased, out.ErasedAt, err = r.From.Erased(m, r.Key); err != nil {
		t.Fatal(err)
	}
	return out
}
