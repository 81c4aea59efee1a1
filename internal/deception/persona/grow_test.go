package persona_test

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

// logRig is one attacker's view of a server whose clock the test turns.
type logRig struct {
	now time.Time
	img *vfs.Image
	fs  *vfs.FS
}

func newLogRig(t *testing.T, now time.Time) *logRig {
	t.Helper()
	h, err := persona.New([]byte("a secret of logs"), "debian-12", persona.Options{Now: now.AddDate(0, 0, -40)})
	if err != nil {
		t.Fatal(err)
	}
	r := &logRig{now: now, img: h.Image}
	r.fs = h.Image.NewFS(vfs.Quota{}, func() time.Time { return r.now })
	return r
}

func (r *logRig) read(t *testing.T, path string) string {
	t.Helper()
	f, err := r.fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	if err != nil {
		t.Fatal(err)
	}
	i, err := r.fs.Stat(vfs.Cred{}, path)
	if err != nil || i.Size != int64(len(b)) {
		t.Errorf("%s: %d bytes, stat says %d, %v", path, len(b), i.Size, err)
	}
	if i.Mtime.After(r.now) || i.Mtime.Before(r.now.AddDate(0, 0, -40)) {
		t.Errorf("%s: last written %v", path, i.Mtime)
	}
	return string(b)
}

func (r *logRig) write(t *testing.T, path, text string, flags int) {
	t.Helper()
	f, err := r.fs.Open(vfs.Cred{}, path, vfs.O_WRONLY|flags, 0)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := f.Write([]byte(text)); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}

// inOrder checks that a log's lines are in the order of their times and within
// bounds.
func inOrder(t *testing.T, what, log string, from, to time.Time) {
	t.Helper()
	last := from
	for line := range strings.Lines(log) {
		at, err := time.Parse("2006-01-02T15:04:05.000000-07:00", strings.Fields(line)[0])
		if err != nil {
			t.Fatalf("%s: %q: %v", what, line, err)
		}
		if at.Before(last) || at.After(to) {
			t.Fatalf("%s: %v after %v, to %v", what, at, last, to)
		}
		last = at
	}
}

// tuesday is a moment between two rotations.
var tuesday = time.Date(2026, 11, 3, 14, 25, 37, 481_516_000, time.UTC)

func TestLogsGrow(t *testing.T) {
	r := newLogRig(t, tuesday)
	sunday := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for _, path := range []string{"/var/log/auth.log", "/var/log/syslog", "/var/log/cron.log"} {
		r.now = tuesday
		before := r.read(t, path)
		inOrder(t, path, before, sunday, r.now)
		if len(before) < 1000 || before != r.read(t, path) {
			t.Errorf("%s: %d bytes, or not the same twice", path, len(before))
		}
		r.now = r.now.Add(93 * time.Minute)
		after := r.read(t, path)
		if !strings.HasPrefix(after, before) || len(after) == len(before) {
			t.Errorf("%s: %d bytes, 93 minutes before %d", path, len(after), len(before))
		}
		inOrder(t, path, after, sunday, r.now)
	}
	if access := r.read(t, "/var/log/nginx/access.log"); !strings.Contains(access, "03/Nov/2026") || strings.Contains(access, "02/Nov/2026") {
		t.Errorf("access.log: %.200q", access)
	}
}

func TestLogsRotate(t *testing.T) {
	r := newLogRig(t, time.Date(2026, 11, 7, 23, 59, 59, 999_999_999, time.UTC))
	for _, path := range []string{"/var/log/auth.log", "/var/log/syslog", "/var/log/nginx/access.log"} {
		r.now = time.Date(2026, 11, 7, 23, 59, 59, 999_999_999, time.UTC)
		last, old := r.read(t, path), r.read(t, path+".1")
		r.now = r.now.Add(20 * time.Minute)
		if first := r.read(t, path); strings.HasPrefix(first, last) || len(first) > len(last)/2 {
			t.Errorf("%s: not rotated", path)
		}
		if got := r.read(t, path+".1"); got != last {
			t.Errorf("%s.1: %d bytes, it was %d", path, len(got), len(last))
		}
		z, err := gzip.NewReader(bytes.NewReader([]byte(r.read(t, path+".2.gz"))))
		if err != nil {
			t.Fatal(err)
		}
		b, err := io.ReadAll(z)
		if err != nil || string(b) != old {
			t.Errorf("%s.2.gz: %d bytes, %v; it was %d", path, len(b), err, len(old))
		}
	}
}

func TestOwnLinesAreInTheLog(t *testing.T) {
	r := newLogRig(t, tuesday)
	peer := netip.MustParseAddrPort("198.51.100.77:51022")
	table := machine.TableOf(r.fs)
	s := table.OpenSSH("root", 0, 0, true, netip.AddrPort{}, peer)
	table.Fail(machine.Failure{User: "admin", Peer: peer, At: r.now.Add(-time.Minute), Server: "sshd"})
	r.now = r.now.Add(10 * time.Minute)
	s.Close()
	r.now = r.now.Add(10 * time.Minute)
	log := r.read(t, "/var/log/auth.log")
	inOrder(t, "auth.log", log, time.Time{}, r.now)
	for _, want := range []string{"Accepted password for root from 198.51.100.77 port 51022 ssh2", "Failed password for admin from 198.51.100.77", "Disconnected from user root 198.51.100.77 port 51022", "New session"} {
		if strings.Count(log, want) < 1 || want[0] != 'N' && strings.Count(log, want) != 1 {
			t.Errorf("%q is there %d times", want, strings.Count(log, want))
		}
	}
}

// TestEditedLogGoesOn: who empties a log finds it empty but for what is written
// later, also after a restart.
func TestEditedLogGoesOn(t *testing.T) {
	r := newLogRig(t, tuesday)
	r.write(t, "/var/log/auth.log", "mine\n", vfs.O_TRUNC)
	whole := r.read(t, "/var/log/syslog")
	r.write(t, "/var/log/syslog", "added\n", vfs.O_APPEND)
	if got := r.read(t, "/var/log/auth.log"); got != "mine\n" {
		t.Errorf("at once: %.100q", got)
	}
	blob, _ := r.fs.Export(1 << 20)
	check := func(when string) {
		t.Helper()
		got := r.read(t, "/var/log/auth.log")
		rest, ok := strings.CutPrefix(got, "mine\n")
		if !ok || rest == "" {
			t.Fatalf("%s: %.100q", when, got)
		}
		inOrder(t, when, rest, tuesday, r.now)
		rest, ok = strings.CutPrefix(r.read(t, "/var/log/syslog"), whole+"added\n")
		if !ok || rest == "" {
			t.Errorf("%s: syslog lost lines", when)
		}
		inOrder(t, when, rest, tuesday, r.now)
	}
	r.now = r.now.Add(2 * time.Hour)
	check("two hours later")
	g, _, err := r.img.Restore(blob, vfs.Quota{}, func() time.Time { return r.now })
	if err != nil {
		t.Fatal(err)
	}
	r.fs, r.now = g, r.now.Add(time.Hour)
	check("after a restart")
}

func BenchmarkReadLog(b *testing.B) {
	h, err := persona.New([]byte("a secret of logs"), "debian-12", persona.Options{Now: tuesday.AddDate(0, 0, -40)})
	if err != nil {
		b.Fatal(err)
	}
	fs := h.Image.NewFS(vfs.Quota{}, func() time.Time { return tuesday })
	for b.Loop() {
		if _, err := fs.Stat(vfs.Cred{}, "/var/log/auth.log"); err != nil {
			b.Fatal(err)
		}
	}
}
