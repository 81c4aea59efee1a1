package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/app"
	"honeyguide/internal/backup"
	"honeyguide/test/rig"
)

// TestBackupKilled kills the core in the middle of backups, and restores in the middle
// of their work, at moments spread over how long they take: one of each, or as many as
// HONEYGUIDE_TRUST_BACKUP_KILLS says. What is left is whole, or nobody takes it for a
// backup; a data folder is what it was, or what was restored.
func TestBackupKilled(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	kills := rig.Size(t, "backup-kills", 1)
	dir := t.TempDir()
	data, store, pass := filepath.Join(dir, "data"), filepath.Join(dir, "store"), filepath.Join(dir, "passphrase")
	if err := os.WriteFile(pass, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ledger := rig.NewLedger(t)
	core := rig.Start(t, data, ledger.Sets()...)
	backUp := func() (id string, took time.Duration) {
		t.Helper()
		began := time.Now()
		out, errs, status := rig.CLI(t, data, nil, "backup", "--to", store, "--passphrase-file", pass, "-o", "json")
		var p backup.Progress
		if err := json.Unmarshal([]byte(out), &p); err != nil || status != 0 {
			t.Fatalf("backup: %d %s %s %v", status, out, errs, err)
		}
		return p.ID, time.Since(began)
	}
	sound := func(what string) []backup.Listed {
		t.Helper()
		if out, errs, status := rig.CLI(t, data, nil, "backup", "verify", store, "--passphrase-file", pass); status != 0 {
			t.Fatalf("%s: verify: %d %s %s", what, status, out, errs)
		}
		out, errs, status := rig.CLI(t, data, nil, "backup", "list", store, "-o", "json")
		var list struct{ Items []backup.Listed }
		if err := json.Unmarshal([]byte(out), &list); err != nil || status != 0 {
			t.Fatalf("%s: list: %d %s %s %v", what, status, out, errs, err)
		}
		for _, l := range list.Items {
			if l.Problem != "" {
				t.Errorf("%s: %s: %s", what, l.ID, l.Problem)
			}
		}
		return list.Items
	}
	first, took := backUp()
	for i := range kills {
		stop := ledger.Under(core, rig.Load{Round: i, Writers: 4, Pause: 20 * time.Millisecond})
		time.Sleep(200 * time.Millisecond)
		done := make(chan struct{})
		cmd := rig.Command(t, data, "backup", "--to", store, "--passphrase-file", pass)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		go func() { _ = cmd.Wait(); close(done) }()
		time.Sleep(took * time.Duration(2*i+1) / time.Duration(2*kills))
		core.Kill()
		stop()
		<-done
		sound("killed core")
		core = rig.Start(t, data, ledger.Sets()...)
	}
	last, _ := backUp()
	core.Stop()
	made := sound("at the end")
	if made[0].ID != last || made[len(made)-1].ID != first {
		t.Errorf("backups: %+v", made)
	}
	old, fresh := killRestores(t, kills, data, store, pass, first)
	t.Logf("killed %d times in a backup: %d backups stand in the list; %d times in a restore: %d times what was there is there, %d times what was restored", kills, len(made), kills, old, fresh)
}

// killRestores restores the first backup over copies of a data folder that has come
// further, and kills each.
func killRestores(t *testing.T, kills int, data, store, pass, id string) (old, fresh int) {
	t.Helper()
	was, err := app.ProbeData(t.Context(), data)
	if err != nil {
		t.Fatal(err)
	}
	restore := func(to string) *exec.Cmd {
		return rig.Command(t, to, "restore", store, "--at", id, "--passphrase-file", pass, "--replace", "--even-if-newer")
	}
	whole := filepath.Join(t.TempDir(), "data")
	began := time.Now()
	if out, err := restore(whole).CombinedOutput(); err != nil {
		t.Fatalf("restore: %v %s", err, out)
	}
	took := time.Since(began)
	is, err := app.ProbeData(t.Context(), whole)
	if err != nil || is.Events >= was.Events {
		t.Fatalf("%+v is to be older than %+v: %v", is, was, err)
	}
	for i := range kills {
		to := filepath.Join(t.TempDir(), "data")
		if err := os.CopyFS(to, os.DirFS(data)); err != nil {
			t.Fatal(err)
		}
		cmd := restore(to)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(took * time.Duration(6*(2*i+1)) / time.Duration(5*2*kills)) // up to a little more than it took once
		_ = cmd.Process.Signal(syscall.SIGKILL)
		_ = cmd.Wait()
		if err := backup.Recover(to); err != nil { // as every start does
			t.Fatal(err)
		}
		got, err := app.ProbeData(t.Context(), to)
		if err != nil {
			t.Fatal(err)
		}
		switch got.Events {
		case was.Events:
			old++
		case is.Events:
			fresh++
		default:
			t.Fatalf("killed after %d of %d: %+v is neither %+v nor %+v", 2*i+1, 2*kills, got, was, is)
		}
		if out, errs, status := rig.CLI(t, to, nil, "audit", "verify"); status != 0 {
			t.Errorf("audit verify: %d %s %s", status, out, errs)
		}
		if out, err := restore(to).CombinedOutput(); err != nil {
			t.Errorf("restored once more: %v %s", err, out)
		}
	}
	return old, fresh
}
