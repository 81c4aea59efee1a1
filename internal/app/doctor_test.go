package app

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/comply"
)

var testNow = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// TestChecklist: every finding the checklist names is there, even when nothing runs, ids are
// unique, and the documentation has the same table.
func TestChecklist(t *testing.T) {
	s := defaults()
	s.Node.Data = filepath.Join(t.TempDir(), "none")
	var ids []string
	// Those that start processes or open what is not there are named only.
	others := []Finding{{Name: "isolation"}, {Name: "sources"}, {Name: "notices"}, {Name: "master key"}}
	for _, f := range slices.Concat(checkSettings(s, testNow), unknownLines("x", "y"), checkBackup(s, testNow), checkSecrets(s, testNow), others) {
		id := lineID(f.Name)
		if slices.Contains(ids, id) {
			t.Errorf("%s is there twice", id)
		}
		ids = append(ids, id)
	}
	doc, err := os.ReadFile("../../docs/operations/production-checklist.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for _, d := range checklist {
		if seen[d.id] || d.text == "" || len(d.by) == 0 {
			t.Errorf("%s: %+v", d.id, d)
		}
		seen[d.id] = true
		for _, id := range d.by {
			if !slices.Contains(ids, id) {
				t.Errorf("%s is answered by %s, which is no finding", d.id, id)
			}
		}
		if row := fmt.Sprintf("| %s | %s | `%s` |", d.id, d.text, strings.Join(d.by, "`, `")); !strings.Contains(string(doc), row) {
			t.Errorf("docs/operations/production-checklist.md lacks %s", row)
		}
	}
}

// Each line of a running core stands on a check that its framework has.
func TestLiveLines(t *testing.T) {
	fw, err := comply.Lookup(liveFramework)
	if err != nil {
		t.Fatal(err)
	}
	r, err := comply.Assess(fw, comply.NewFacts(testNow, testNow), "test")
	if err != nil {
		t.Fatal(err)
	}
	has := map[string]bool{}
	for i := range r.Rows {
		for _, a := range r.Rows[i].Answers {
			has[a.Check] = true
		}
	}
	for _, l := range liveLines {
		if !has[l.check] {
			t.Errorf("%s: %s has no check %s", l.name, liveFramework, l.check)
		}
	}
	for _, x := range []struct {
		a    comply.CheckAnswer
		fail bool
		want string
	}{
		{comply.CheckAnswer{}, true, StatusWarn},
		{comply.CheckAnswer{Check: "x", Status: comply.Met}, true, StatusOK},
		{comply.CheckAnswer{Check: "x", Status: comply.Gap, Mend: "m"}, true, StatusFail},
		{comply.CheckAnswer{Check: "x", Status: comply.Gap, Mend: "m"}, false, StatusWarn},
		{comply.CheckAnswer{Check: "x", Status: comply.Partly, Mend: "m"}, true, StatusWarn},
		{comply.CheckAnswer{Check: "x", Status: comply.NotMeasured, Mend: "m"}, true, StatusWarn},
		{comply.CheckAnswer{Check: "x", Status: comply.NotMeasured, Says: "nothing to judge"}, true, StatusOK},
	} {
		if f := lineOf("x", x.fail, x.a); f.Status != x.want {
			t.Errorf("%+v: %+v", x, f)
		}
	}
}

// What others may read is found, and --fix takes it from them and touches nothing
// else: what a link leads to stays as it is.
func TestFix(t *testing.T) {
	dir := t.TempDir()
	s := defaults()
	s.Node.Data = filepath.Join(dir, "data")
	keys := filepath.Join(s.Node.Data, "keys")
	config, elsewhere := filepath.Join(dir, "honeyguide.yaml"), filepath.Join(dir, "elsewhere")
	if err := os.MkdirAll(keys, 0o755); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{config, elsewhere, filepath.Join(keys, "a.key")} {
		if err := os.WriteFile(name, []byte("x"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chmod(name, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(elsewhere, filepath.Join(keys, "link.key")); err != nil {
		t.Fatal(err)
	}
	s.Files = []string{config}
	if checkConfigFiles(s).Status != StatusWarn || checkFolder(s.Node.Data).Status != StatusFail {
		t.Fatal("what others may read is not found")
	}
	did, err := Fix(s)
	if err != nil || len(did) != 4 { // data, keys, a.key, the configuration
		t.Fatalf("%v %v", did, err)
	}
	for name, want := range map[string]os.FileMode{config: 0o600, s.Node.Data: 0o700, keys: 0o700, filepath.Join(keys, "a.key"): 0o600, elsewhere: 0o644} {
		if st, err := os.Stat(name); err != nil || st.Mode().Perm() != want {
			t.Errorf("%s: %v %v, want %v", name, st.Mode().Perm(), err, want)
		}
	}
	if did, err = Fix(s); err != nil || len(did) != 0 {
		t.Errorf("again: %v %v", did, err)
	}
	s.Node.Data = filepath.Join(dir, "not there")
	if _, err := Fix(s); err != nil {
		t.Error(err)
	}
	s.Node.Data = elsewhere
	if _, err := Fix(s); err == nil {
		t.Error("a file is no data folder")
	}
}

// A core that does not run is no reason to say that all is well.
func TestLiveLinesOfNothing(t *testing.T) {
	s := defaults()
	s.Node.Data = t.TempDir()
	for _, f := range checkLive(context.Background(), s) {
		if f.Status != StatusWarn || f.Mend == "" {
			t.Errorf("%+v", f)
		}
	}
}
