package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/backup"
	"honeyguide/test/rig"
)

// TestBackupUnderLoad makes a full and then an incremental backup while about a
// thousand records a second come in, restores both elsewhere, and looks there for
// all that was acknowledged before each of them began. The load comes for a second
// before the first and between the two; HONEYGUIDE_TRUST_BACKUP_LOST says how many.
func TestBackupUnderLoad(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	span := time.Duration(rig.Size(t, "backup-lost", 1)) * time.Second
	dir := t.TempDir()
	store, pass := filepath.Join(dir, "store"), filepath.Join(dir, "passphrase")
	if err := os.WriteFile(pass, []byte("correct horse battery staple\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ledger := rig.NewLedger(t)
	core := rig.Start(t, filepath.Join(dir, "data"), ledger.Sets()...)
	stop := ledger.Under(core, rig.Load{Writers: 12, Pause: 60 * time.Millisecond})
	rates := &rates{t: t, ledger: ledger}
	rates.during("before", func() { time.Sleep(span) })
	type copied struct {
		id     string
		before *rig.Ledger
	}
	var made []copied
	for _, what := range []string{"the full backup", "the second backup"} {
		before := ledger.Fork() // acknowledged before it begins
		var p backup.Progress
		took := rates.during(what, func() {
			out, errs, status := rig.CLI(t, core.Data, nil, "backup", "--to", store, "--passphrase-file", pass, "-o", "json")
			if status != 0 {
				t.Fatalf("%s: %d %s %s", what, status, out, errs)
			}
			if err := json.Unmarshal([]byte(out), &p); err != nil {
				t.Fatalf("%s: %v: %s", what, err, out)
			}
		})
		t.Logf("%s: %.1f MiB, %.1f MiB of them new, in %v", what, float64(p.Bytes)/(1<<20), float64(p.New)/(1<<20), took.Round(time.Millisecond))
		made = append(made, copied{p.ID, before})
		rates.during("after "+what, func() { time.Sleep(span) })
	}
	stop()
	rates.print()
	core.Stop()
	lost, acknowledged := 0, 0
	for i, m := range made {
		if out, errs, status := rig.CLI(t, filepath.Join(dir, "none"), nil, "backup", "verify", store, "--at", m.id, "--passphrase-file", pass); status != 0 {
			t.Errorf("verify %s: %d %s %s", m.id, status, out, errs)
		}
		data := filepath.Join(dir, fmt.Sprint("restored", i))
		if out, errs, status := rig.CLI(t, data, nil, "restore", store, "--at", m.id, "--passphrase-file", pass); status != 0 {
			t.Fatalf("restore %s: %d %s %s", m.id, status, out, errs)
		}
		again := rig.Start(t, data, ledger.Sets()...)
		x := m.before.Compare(t, again)
		t.Logf("%s: %v", m.id, x)
		lost, acknowledged = lost+x.Sum(), acknowledged+x.Acked.Records
		again.Stop()
		if out := again.Output(); strings.Contains(out, "panic") {
			t.Errorf("something panicked: %s", out)
		}
		if out, errs, status := rig.CLI(t, data, nil, "audit", "verify"); status != 0 {
			t.Errorf("audit verify: %d %s %s", status, out, errs)
		}
	}
	t.Logf("TRUST name=backup-lost figure=%d unit=lost target=<=0 of=%d", lost, acknowledged)
	if lost > 0 || acknowledged == 0 {
		t.Errorf("%d lost of %d acknowledged", lost, acknowledged)
	}
}

// rates are how many records a second were acknowledged, part by part.
type rates struct {
	t      *testing.T
	ledger *rig.Ledger
	lines  []string
}

func (r *rates) during(what string, do func()) time.Duration {
	began, was := time.Now(), r.ledger.Stored()
	do()
	took := time.Since(began)
	r.lines = append(r.lines, fmt.Sprintf("%s %.0f/s", what, float64(r.ledger.Stored()-was)/took.Seconds()))
	return took
}

func (r *rates) print() {
	r.t.Logf("records acknowledged: %s", strings.Join(r.lines, ", "))
}
