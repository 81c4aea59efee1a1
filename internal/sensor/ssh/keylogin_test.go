package ssh_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

// program finds a real program or skips.
func program(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("no %s on this machine, and nothing is skipped with CI=true", name)
		}
		t.Skipf("no %s on this machine; `make setup` installs it", name)
	}
	return path
}

// TestKeyLeftInTheShell leaves keys behind as people do, in the real shell of
// the decoy: with ssh-copy-id, with echo, with options and with modes sshd does
// not like. The next login of the same source is made with the key.
func TestKeyLeftInTheShell(t *testing.T) {
	r := sensortest.Start(t, ssh.Kind, sensortest.Options{Config: always, World: sensortest.NewWorld(t)})
	key := filepath.Join(t.TempDir(), "id_ed25519")
	if out, err := exec.CommandContext(t.Context(), program(t, "ssh-keygen"), "-q", "-t", "ed25519", "-N", "", "-f", key).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	byKey := func(command string) (string, string, error) {
		return openssh(t, r, "", "-v", "-i", key, "-o", "IdentitiesOnly=yes", "-o", "PubkeyAuthentication=yes", "-o", "PasswordAuthentication=no", command)
	}
	if out, _, err := byKey("id -u"); err == nil {
		t.Fatalf("in without a key: %q", out)
	}
	copyID(t, r, key)
	out, errs, err := byKey("id -u; wc -l < .ssh/authorized_keys")
	if err != nil || !strings.HasPrefix(out, "0\n") || !strings.Contains(errs, "key options: agent-forwarding port-forwarding pty user-rc x11-forwarding") {
		t.Fatalf("after ssh-copy-id: %q, %v\n%s", out, err, errs)
	}
	in := r.Sink.Events(honeyguide.ActivityLoginSuccess)
	if e := in[len(in)-1]; e.Str(honeyguide.AttrAuthMethod) != "publickey" || !strings.HasPrefix(e.Str("auth.key_file"), "/root/.ssh/authorized_keys:") {
		t.Errorf("event: %+v", e)
	}
	if _, errs, err = byKey("chmod 666 .ssh/authorized_keys"); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	if out, _, err := byKey("id -u"); err == nil {
		t.Fatalf("a file that all may write lets in: %q", out)
	}
	failed := r.Sink.Events(honeyguide.ActivityLoginFailed)
	if e := failed[len(failed)-1]; e.Str("auth.key_refused") != "bad ownership or modes for file /root/.ssh/authorized_keys" {
		t.Errorf("event: %+v", e)
	}
	public, err := os.ReadFile(key + ".pub")
	if err != nil {
		t.Fatal(err)
	}
	line := `cd ~ && rm -rf .ssh && mkdir .ssh && echo 'no-agent-forwarding,command="sh -c \"x\"" ` + strings.TrimSpace(string(public)) + `' >> .ssh/authorized_keys && chmod -R go= ~/.ssh`
	if _, errs, err := openssh(t, r, "", line); err != nil {
		t.Fatalf("%v\n%s", err, errs)
	}
	out, errs, err = byKey("echo in")
	if err != nil || out != "in\n" || !strings.Contains(errs, "authorized_keys:1: key options: command port-forwarding") {
		t.Errorf("with options: %q, %v\n%s", out, err, errs)
	}
}

// copyID runs the real ssh-copy-id against the decoy.
func copyID(t *testing.T, r *sensortest.Rig, key string) {
	t.Helper()
	home := t.TempDir()
	ask := filepath.Join(home, "ask")
	if err := os.Mkdir(filepath.Join(home, ".ssh"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho "+password+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	host, port, _ := strings.Cut(r.Addr, ":")
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	cmd := exec.CommandContext(ctx, program(t, "ssh-copy-id"), "-i", key+".pub", "-p", port,
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "root@"+host)
	cmd.Env = append(os.Environ(), "HOME="+home, "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=none")
	out, err := cmd.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "Number of key(s) added: 1") {
		t.Fatalf("ssh-copy-id: %v\n%s", err, out)
	}
}
