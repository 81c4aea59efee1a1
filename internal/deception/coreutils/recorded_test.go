package coreutils_test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"

	"honeyguide/internal/deception/vfs"
)

// A recorded case is what a real program of Debian 12 answered to an input of
// our own, run as root in the folder /w of a fresh root, in the C.UTF-8 locale.
type recorded struct {
	Argv         []string
	Files        map[string]string
	In, Out, Err string
	RC           int
}

func loadRecorded(t *testing.T, name string) []recorded {
	t.Helper()
	raw, err := os.ReadFile("testdata/" + name)
	if err != nil {
		t.Fatal(err)
	}
	var cases []recorded
	if err := json.Unmarshal(raw, &cases); err != nil {
		t.Fatal(err)
	}
	return cases
}

// replay runs the recorded cases and holds the share that is equal.
func replay(t *testing.T, name string, floor float64) {
	t.Helper()
	b := newBench(t, "debian-12-fresh")
	good := 0
	cases := loadRecorded(t, name)
	for _, c := range cases {
		b.reset()
		b.now = moment
		if err := b.fs.Mkdir(vfs.Cred{}, "/w", 0o755); err != nil {
			t.Fatal(err)
		}
		b.cwd = "/w"
		for n, text := range c.Files {
			b.write("/w/"+n, text, 0o644)
		}
		out, err, rc := b.run(c.In, c.Argv...)
		if out == c.Out && err == c.Err && rc == c.RC {
			good++
			continue
		}
		t.Logf("%q %q\n got %q %q %d\nwant %q %q %d %s", c.Argv, c.Files, out, err, rc, c.Out, c.Err, c.RC, strings.Join(b.seen, ","))
	}
	share := float64(good) / float64(len(cases))
	t.Logf("%s: %d of %d equal, %.1f %%", name, good, len(cases), 100*share)
	if share < floor {
		t.Errorf("%.1f %% of the recorded answers, want %.1f %%", 100*share, 100*floor)
	}
}

// TestPlainPrograms checks that a program of which only the table knows answers
// simple calls and names the others.
func TestPlainPrograms(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	out, errs, rc := b.run("", "ssh-add", "--nosuchopt")
	if rc == 0 || out+errs == "" {
		t.Errorf("ssh-add --nosuchopt: %q %q %d", out, errs, rc)
	}
	b.seen = nil
	if b.run("", "badblocks", "--version"); len(b.seen) > 0 {
		t.Errorf("seen %q", b.seen)
	}
	b.run("", "badblocks", "/dev/sda")
	if len(b.seen) != 1 || b.seen[0] != "no badblocks /dev/sda" {
		t.Errorf("seen %q", b.seen)
	}
}
