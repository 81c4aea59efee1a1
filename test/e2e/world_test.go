package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// from runs the OpenSSH client from an address of this machine. args beginning
// with "-tt" ask for a terminal.
func from(t *testing.T, source, addr, user, password string, args ...string) (stdout string, status int) {
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
		"-w", "ssh", "-b", source, "-p", port, "-l", user, "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR",
		"-o", "NumberOfPasswordPrompts=1", "-o", "PubkeyAuthentication=no", "-o", "ConnectTimeout=60",
	}
	if len(args) > 0 && args[0] == "-tt" {
		opts, args = append(opts, "-tt"), args[1:]
	}
	cmd := exec.Command("setsid", append(append(opts, host), args...)...)
	cmd.Env = append(os.Environ(), "SSH_ASKPASS="+ask, "SSH_ASKPASS_REQUIRE=force", "DISPLAY=:0", "HG_PASSWORD="+password, "HOME="+t.TempDir())
	out, err := cmd.Output()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	return string(out), cmd.ProcessState.ExitCode()
}

// worldsKept reads how many worlds were handed to the core.
func worldsKept(t *testing.T, core *rig.Core) int {
	t.Helper()
	var metrics string
	if err := core.Get("/metrics", &metrics); err != nil {
		t.Fatal(err)
	}
	m := regexp.MustCompile(`honeyguide_warden_worlds_total\{[^}]*\} (\d+)`).FindStringSubmatch(metrics)
	if m == nil {
		return 0
	}
	n, _ := strconv.Atoi(m[1])
	return n
}

// TestWorldOutlivesEverything: what an attacker changed is there after the
// sensor process was killed, after the core was killed, and for nobody else.
func TestWorldOutlivesEverything(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data, mine, other := t.TempDir(), "127.0.0.1", "127.0.0.2"
	sets := append([]string{"sensors.ssh.accept=after-1"}, fast...)
	core, err := rig.TryStart(t, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { core.Stop() })
	addr := core.Sensor("ssh")
	if out, status := from(t, mine, addr, "root", "first", "-tt", "who"); status != 0 || !strings.Contains(out, "pts/0") {
		t.Fatalf("first login: %q, %d", out, status)
	}
	script := strings.Join([]string{
		"echo mine > /root/mine; chmod 600 /root/mine; ln /root/mine /tmp/other-name", "rm -rf /var/mail",
		"cp /bin/echo /tmp/.s; mkdir -p /opt/x/y; touch -d '2020-02-02 02:02:02' /opt/x/y",
		"echo '* * * * * /tmp/.s' | crontab -", "echo root:second | chpasswd",
	}, "; ")
	if out, status := from(t, mine, addr, "root", "first", script); status != 0 {
		t.Fatalf("changes: %q, %d", out, status)
	}
	look := "cat /root/mine; crontab -l | tail -1; stat -c '%a %h %n' /root/mine /tmp/other-name; stat -c '%y' /opt/x/y; ls -d /var/mail 2>&1; cmp /bin/echo /tmp/.s && echo same; ls -i /root/mine; last -F | grep " + mine
	before, _ := from(t, mine, addr, "root", "second", look)
	if !strings.Contains(before, "* * * * * /tmp/.s") || !strings.Contains(before, "600 2 /root/mine") || !strings.Contains(before, "same") || !strings.Contains(before, "pts/0") {
		t.Fatalf("before: %s", before)
	}
	check := func(when string) {
		t.Helper()
		after, status := from(t, mine, addr, "root", "second", look)
		if status != 0 || after != before {
			t.Errorf("%s (%d):\n%s\nbefore:\n%s", when, status, after, before)
		}
		if out, status := from(t, mine, addr, "root", "first", "true"); status != 255 {
			t.Errorf("%s: the old password opens: %q, %d", when, out, status)
		}
		if out, _ := from(t, other, addr, "root", "x", "ls /root/mine /var/mail; crontab -l; last | grep -c "+mine); strings.Contains(out, "/root/mine") || !strings.Contains(out, "/var/mail") || strings.Contains(out, ".s") || !strings.HasSuffix(out, "0\n") {
			t.Errorf("%s: another source sees: %q", when, out)
		}
	}
	check("at once")
	kept := worldsKept(t, core)
	rig.Eventually(t, 20*time.Second, "worlds handed over", func() bool { return worldsKept(t, core) > 0 })
	time.Sleep(time.Second) // the last one, after its session ended
	t.Logf("%d worlds handed over, then %d", kept, worldsKept(t, core))

	for _, pid := range children(core.PID) {
		if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
	}
	rig.Eventually(t, 30*time.Second, "a login after the sensor was killed", func() bool {
		out, _ := from(t, mine, addr, "root", "second", "echo up")
		return out == "up\n"
	})
	check("after kill -9 of the sensor")

	for n := range 2 {
		time.Sleep(time.Second)
		core.Kill()
		if core, err = rig.TryStart(t, data, sets...); err != nil {
			t.Fatal(err)
		}
		addr = core.Sensor("ssh")
		check(fmt.Sprintf("after kill -9 of the core, %d", n+1))
	}
}

// TestInsideIsOutside compares what the shell says of ports and host keys with
// what a scan of the decoy finds.
func TestInsideIsOutside(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	rig.Need(t, "ssh-keyscan")
	core := rig.Start(t, t.TempDir(), append([]string{"sensors.ssh.accept=after-1", "sensors.http.published=80"}, fast...)...)
	addr := core.Sensor("ssh")
	_, sshPort, _ := net.SplitHostPort(addr)
	_, telnetPort, _ := net.SplitHostPort(core.Sensor("telnet"))
	ports := []int{80}
	for _, p := range []string{sshPort, telnetPort} {
		n, _ := strconv.Atoi(p)
		ports = append(ports, n)
	}
	slices.Sort(ports)
	out, _ := from(t, "127.0.0.1", addr, "root", "x", "ss -Htln4 | awk '$4 ~ /^0.0.0.0/{print $4}' | sed 's/.*://' | sort -n | xargs; echo $SSH_CONNECTION | cut -d' ' -f4")
	if want := strings.Trim(fmt.Sprint(ports), "[]") + "\n" + sshPort + "\n"; out != want {
		t.Errorf("inside: %q, outside: %q", out, want)
	}
	for _, k := range []string{"rsa", "ecdsa", "ed25519"} {
		scanned, err := exec.Command("ssh-keyscan", "-t", k, "-p", sshPort, "127.0.0.1").Output()
		if err != nil {
			t.Fatal(err)
		}
		inside, _ := from(t, "127.0.0.1", addr, "root", "x", "cut -d' ' -f1,2 /etc/ssh/ssh_host_"+k+"_key.pub")
		if inside = strings.TrimSpace(inside); inside == "" || !strings.Contains(string(scanned), " "+inside+"\n") {
			t.Errorf("%s: inside %q, scanned %q", k, inside, scanned)
		}
	}
}
