package coreutils_test

import (
	"strings"
	"testing"
)

// TestUnitOfTheAttacker writes a unit, starts, stops, enables and masks it. The
// texts about links are systemd 252's.
func TestUnitOfTheAttacker(t *testing.T) {
	b := newBench(t, "debian-12")
	b.write("/tmp/miner", "\x7fELF", 0o755)
	b.write("/etc/systemd/system/evil.service", "[Unit]\nDescription=System helper\n[Service]\nExecStart=/tmp/miner -o pool\n[Install]\nWantedBy=multi-user.target\n", 0o644)
	b.write("/etc/systemd/system/bare.service", "[Service]\nExecStart=/nosuch\n", 0o644)
	const link = "/etc/systemd/system/multi-user.target.wants/evil.service"
	for _, tc := range []struct {
		line, out string
		status    int
	}{
		{"is-enabled evil", "disabled\n", 1},
		{"is-active evil", "inactive\n", 3},
		{"daemon-reload", "", 0},
		{"enable evil", "Created symlink " + link + " → /etc/systemd/system/evil.service.\n", 0},
		{"enable evil", "", 0},
		{"is-enabled evil.service", "enabled\n", 0},
		{"start evil", "", 0},
		{"is-active evil", "active\n", 0},
		{"stop evil", "", 0},
		{"is-active evil", "inactive\n", 3},
		{"disable evil", "Removed \"" + link + "\".\n", 0},
		{"mask evil", "Failed to mask unit, file \"/etc/systemd/system/evil.service\" already exists.\n", 1},
		{"is-enabled bare", "static\n", 0},
		{"start bare", "Job for bare.service failed because the control process exited with error code.\nSee \"systemctl status bare.service\" and \"journalctl -xeu bare.service\" for details.\n", 1},
		{"mask cron", "Created symlink /etc/systemd/system/cron.service → /dev/null.\n", 0},
		{"is-enabled cron", "masked\n", 1},
		{"unmask cron", "Removed \"/etc/systemd/system/cron.service\".\n", 0},
		{"start nosuch", "Failed to start nosuch.service: Unit nosuch.service not found.\n", 5},
		{"enable nosuch", "Failed to enable unit: Unit file nosuch.service does not exist.\n", 1},
		{"cat nosuch", "No files found for nosuch.service.\n", 1},
	} {
		out, errs, status := b.run("", append([]string{"systemctl"}, strings.Fields(tc.line)...)...)
		if out+errs != tc.out || status != tc.status {
			t.Errorf("%s: %q, %d; want %q, %d", tc.line, out+errs, status, tc.out, tc.status)
		}
	}
	_, _, _ = b.run("", "systemctl", "start", "evil")
	if out, _, _ := b.run("", "ps", "-ef"); !strings.Contains(out, "/tmp/miner -o pool") {
		t.Errorf("ps does not show it:\n%s", out)
	}
	if out, _, _ := b.run("", "systemctl", "status", "evil"); !strings.Contains(out, "evil.service - System helper\n     Loaded: loaded (/etc/systemd/system/evil.service; disabled;") || !strings.Contains(out, "active (running)") {
		t.Errorf("status: %s", out)
	}
}

// TestDaemonComesBack stops a daemon of the host and starts it again.
func TestDaemonComesBack(t *testing.T) {
	b := newBench(t, "debian-12")
	for _, tc := range []struct{ verb, want string }{{"stop", "inactive\n"}, {"start", "active\n"}} {
		if _, errs, status := b.run("", "systemctl", tc.verb, "cron"); status != 0 || errs != "" {
			t.Fatalf("%s: %q, %d", tc.verb, errs, status)
		}
		if out, _, _ := b.run("", "systemctl", "is-active", "cron"); out != tc.want {
			t.Errorf("after %s: %q", tc.verb, out)
		}
	}
}

// TestCrontabLines is recorded from Debian's cron 3.0.
func TestCrontabLines(t *testing.T) {
	b := newBench(t, "debian-12")
	for line, want := range map[string]string{
		"bad line\n": ":0: bad minute", "60 * * * * x\n": ":0: bad minute", "* 24 * * * x\n": ":0: bad hour", "* * 32 * * x\n": ":0: bad day-of-month",
		"* * * 13 * x\n": ":0: bad month", "* * * * 8 x\n": ":0: bad day-of-week", "@foo x\n": ":0: bad time specifier", "1-70 * * * * x\n": ":0: bad minute", "x\n": ":1: bad minute",
		"* * * * *\n": "", "A=b\n": "", "@reboot x\n": "", "*/5 * * * * root x\n": "", "* * * jan mon x\n": "", "# x\n\n* * * * * y\n": "",
	} {
		b.write("/root/c", line, 0o644)
		if want != "" {
			want = "\"c\"" + want + "\nerrors in crontab file, can't install.\n"
		}
		if _, errs, status := b.run("", "crontab", "c"); errs != want || status != min(len(want), 1) {
			t.Errorf("%q: %q, %d; want %q", line, errs, status, want)
		}
	}
	b.write("/root/c", "* * * * * x", 0o644)
	if _, errs, status := b.run("", "crontab", "c"); errs != "new crontab file is missing newline before EOF, can't install.\n" || status != 1 {
		t.Errorf("%q, %d", errs, status)
	}
}

func FuzzKeyFiles(f *testing.F) {
	f.Add("-----BEGIN OPENSSH PRIVATE KEY-----\nb3BlbnNzaC1rZXktdjEA\n-----END OPENSSH PRIVATE KEY-----\n")
	f.Add("ssh-rsa AAAA x\n")
	f.Add("* * * * * x\n1/ , - *\n")
	f.Fuzz(func(t *testing.T, text string) {
		b := newBench(t, "debian-12")
		b.write("/root/x", text, 0o600)
		for _, args := range []string{"ssh-keygen -l -f x", "ssh-keygen -y -P p -f x", "ssh-keygen -F a -f x", "crontab x"} {
			if _, _, status := b.run("", strings.Fields(args)...); status > 255 {
				t.Errorf("%s: %d", args, status)
			}
		}
	})
}
