package coreutils_test

import (
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/coreutils"
	"honeyguide/internal/deception/vfs"
)

// TestScpProtocol holds the bytes of scp's far side: what it answers to each line
// of a client of OpenSSH 8 (source and sink of scp.c describe the protocol).
func TestScpProtocol(t *testing.T) {
	b := newBench(t, "debian-12")
	for _, tc := range []struct {
		args, in, out string
		status        int
	}{
		{"-t /tmp", "C0644 3 f\nabc\x00", "\x00\x00\x00", 0},
		{"-t /tmp", "", "\x00", 0},
		{"-t /tmp/new", "C0600 0 f\n\x00", "\x00\x00\x00", 0},
		{"-p -t /tmp", "T1000000000 0 1000000001 0\nC0755 1 f\nx\x00", "\x00\x00\x00\x00", 0},
		{"-r -t /tmp", "D0755 0 d\nC0644 1 f\nx\x00E\n", "\x00\x00\x00\x00\x00", 0},
		{"-t /tmp", "D0755 0 d\n", "\x00\x01scp: protocol error: received directory without -r\n", 1},
		{"-t /tmp", "nonsense\n", "\x00\x01scp: nonsense\n", 1},
		{"-t /tmp", "C0644 1 f\nx\x00nonsense\n", "\x00\x00\x00\x01scp: protocol error: expected control record\n", 1},
		{"-t /tmp", "\n", "\x00\x01scp: protocol error: unexpected <newline>\n", 1},
		{"-t /tmp", "C0644", "\x00\x01scp: protocol error: lost connection\n", 1},
		{"-t /tmp", "C06x4 1 f\n", "\x00\x01scp: protocol error: bad mode\n", 1},
		{"-t /tmp", "C0644_1 f\n", "\x00\x01scp: protocol error: mode not delimited\n", 1},
		{"-t /tmp", "C0644 x f\n", "\x00\x01scp: protocol error: size not present\n", 1},
		{"-t /tmp", "C0644 1\n", "\x00\x01scp: protocol error: size not delimited\n", 1},
		{"-t /tmp", "C0644 1 ../f\n", "\x00\x01scp: error: unexpected filename: ../f\n", 1},
		{"-t /tmp", "Tx\n", "\x00\x01scp: protocol error: mtime.sec not present\n", 1},
		{"-t /tmp", "T1 0\n", "\x00\x01scp: protocol error: mtime.usec not delimited\n", 1},
		{"-t /tmp", "C0644 9 f\nabc", "\x00\x00\x01scp: dropped connection\n", 1},
		{"-t /nope/f", "C0644 1 f\n", "\x00\x01scp: /nope/f: No such file or directory\n", 1},
		{"-d -t /nope", "", "\x01scp: /nope: No such file or directory\n", 1},
		{"-d -t /etc/passwd", "", "\x01scp: /etc/passwd: Not a directory\n", 1},
		{"-t /tmp /var/tmp", "", "\x01scp: ambiguous target\n", 1},
		{"-t /tmp", "\x01said the client\n", "\x00", 1},
		{"-f /etc/hostname", "\x00\x00\x00", "C0644 6 hostname\nsrv01\n\x00", 0},
		{"-f /nope", "\x00", "\x01scp: /nope: No such file or directory\n", 1},
		{"-f /etc", "\x00", "\x01scp: /etc: not a regular file\n", 1},
		{"-f /etc/hostname", "\x00\x01no room\n", "C0644 6 hostname\n", 1},
		{"-f /etc/hostname", "", "", 1},
	} {
		b.reset()
		out, _, status := b.run(tc.in, append([]string{"scp"}, strings.Fields(tc.args)...)...)
		if status != tc.status || out != tc.out {
			t.Errorf("scp %s < %q: %q, %d; want %q, %d", tc.args, tc.in, out, status, tc.out, tc.status)
		}
	}
}

// FuzzScpSink: whatever a client sends, scp ends, within the attacker's quota.
func FuzzScpSink(f *testing.F) {
	for _, s := range []string{"C0644 3 f\nabc\x00", "D0755 0 d\nD0755 0 e\nE\nE\n", "T1 0 1 0\nC0644 0 f\n\x00", "C0644 99999999999999 f\nx"} {
		f.Add(s)
	}
	image := vfs.NewImage(1, time.Now())
	f.Fuzz(func(t *testing.T, in string) {
		fs := image.NewFS(vfs.Quota{Bytes: 1 << 20, Inodes: 100}, time.Now)
		_ = fs.Mkdir(vfs.Cred{}, "/tmp", 0o777)
		scp, _ := coreutils.Lookup("scp")
		scp(&coreutils.Proc{Args: []string{"scp", "-rp", "-t", "/tmp"}, FS: fs, Now: time.Now, Stdin: strings.NewReader(in)})
		if used, _ := fs.Used(); used > 1<<20 {
			t.Errorf("%d bytes kept", used)
		}
	})
}
