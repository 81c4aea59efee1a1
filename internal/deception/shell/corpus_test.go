package shell

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
)

var testNow = time.Date(2026, 5, 4, 10, 20, 30, 0, time.UTC)

// testHost is made once: a fresh Debian named as the machine of the corpus.
var testHost = sync.OnceValues(func() (*persona.Host, error) {
	return persona.New([]byte("a test seed of some length here!"), "debian-12-fresh", persona.Options{Now: testNow, Hostname: "srv01"})
})

func hostFor(t testing.TB) *persona.Host {
	t.Helper()
	h, err := testHost()
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func newTestShell(t testing.TB, b Budget) *Shell {
	h := hostFor(t)
	c := &fastClock{at: testNow}
	s := New(Options{
		Host: h, FS: h.Image.NewFS(vfs.Quota{}, c.now), User: "root", Env: []string{"LC_ALL=C.UTF-8"},
		Now: c.now, Seed: 7, Budget: b,
	})
	s.hooks.now, s.hooks.after = c.now, c.after
	return s
}

// A fastClock jumps to the end of every wait.
type fastClock struct {
	mu sync.Mutex
	at time.Time
}

func (c *fastClock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.at
}

func (c *fastClock) after(d time.Duration) (<-chan time.Time, func() bool) {
	c.mu.Lock()
	c.at = c.at.Add(d)
	c.mu.Unlock()
	fire := make(chan time.Time, 1)
	fire <- c.at
	return fire, func() bool { return true }
}

// corpusDir finds the recorded corpus next to the repository.
func corpusDir(t *testing.T) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		up := filepath.Dir(dir)
		if up == dir {
			t.Skip("no repository above the test")
		}
		dir = up
	}
	for _, rel := range []string{"../shared", "../../shared"} {
		c := filepath.Join(dir, rel, "corpus", "fidelity")
		if _, err := os.Stat(filepath.Join(c, "language.json")); err == nil {
			return c
		}
	}
	t.Skip("the recorded corpus is not next to the repository")
	return ""
}

type corpusCase struct {
	ID, In, Stdout, Stderr string
	RC                     int
	Tags                   []string
}

func loadCases(t *testing.T, path string) []corpusCase {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Cases []corpusCase }
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	return f.Cases
}

// exec runs one case as an exec request on a fresh machine.
func execCase(t testing.TB, in string) (stdout, stderr string, rc int) {
	var out, errw bytes.Buffer
	ctx := t.Context()
	rc = newTestShell(t, Budget{}).Exec(ctx, in, strings.NewReader(""), &out, &errw)
	return out.String(), errw.String(), rc
}

func (c corpusCase) matches(stdout, stderr string, rc int) bool {
	if slices.Contains(c.Tags, "unordered") {
		a, b := strings.Split(stdout, "\n"), strings.Split(c.Stdout, "\n")
		slices.Sort(a)
		slices.Sort(b)
		return slices.Equal(a, b) && stderr == c.Stderr && rc == c.RC
	}
	return stdout == c.Stdout && stderr == c.Stderr && rc == c.RC
}

func TestCorpus(t *testing.T) {
	for _, tt := range []struct {
		file  string
		floor float64
	}{{"language.json", 0.98}, {"recon.json", 0.97}} {
		t.Run(tt.file, func(t *testing.T) {
			good, all := 0, 0
			for _, c := range loadCases(t, filepath.Join(corpusDir(t), tt.file)) {
				if slices.Contains(c.Tags, "booted") {
					continue
				}
				all++
				stdout, stderr, rc := execCase(t, c.In)
				if c.matches(stdout, stderr, rc) {
					good++
					continue
				}
				if testing.Verbose() {
					t.Logf("%s %q\n  got  %q %q %d\n  want %q %q %d", c.ID, c.In, short(stdout), short(stderr), rc, short(c.Stdout), short(c.Stderr), c.RC)
				}
			}
			share := float64(good) / float64(all)
			t.Logf("%s: %d of %d exact, %.1f %%", tt.file, good, all, 100*share)
			if share < tt.floor {
				t.Errorf("%.1f %% is under the floor of %.1f %%", 100*share, 100*tt.floor)
			}
		})
	}
}

// TestShellChecks runs the fixed lines detectors send, with no locale set.
func TestShellChecks(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(corpusDir(t), "checks", "expected", "bash-5.2-debian12.json"))
	if err != nil {
		t.Skip(err)
	}
	var want map[string]struct {
		RC       int
		Out, Err string
	}
	if err := json.Unmarshal(raw, &want); err != nil {
		t.Fatal(err)
	}
	good := 0
	for in, w := range want {
		s := newTestShell(t, Budget{})
		s.opt.Env = []string{"LANG=C"}
		var out, errw bytes.Buffer
		rc := s.Exec(t.Context(), in, strings.NewReader(""), &out, &errw)
		if out.String() == w.Out && errw.String() == w.Err && rc == w.RC {
			good++
		} else if testing.Verbose() {
			t.Logf("%q\n  got  %q %q %d\n  want %q %q %d", in, short(out.String()), short(errw.String()), rc, short(w.Out), short(w.Err), w.RC)
		}
	}
	t.Logf("%d of %d fixed lines exact", good, len(want))
	if good*100 < len(want)*97 {
		t.Error("fewer than 97 % are right")
	}
}

func short(s string) string { return s[:min(len(s), 300)] }
