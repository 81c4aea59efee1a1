package rulebook_test

import (
	"io/fs"
	"os"
	"path"
	"strings"
	"testing"

	"honeyguide/internal/attack"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

// shippedDir is where the shipped rules and their examples stand.
const shippedDir = "../../rules/sigma"

// TestShippedRules tries every shipped rule on its examples: it fires on all it
// must, and on none of the near misses.
func TestShippedRules(t *testing.T) {
	dir := os.DirFS(shippedDir)
	n := 0
	err := fs.WalkDir(dir, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !rulebook.IsRule(name) {
			return err
		}
		n++
		t.Run(name, func(t *testing.T) { tryShipped(t, dir, name) })
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d files of rules", n)
}

func tryShipped(t *testing.T, dir fs.FS, name string) {
	text, err := fs.ReadFile(dir, name)
	if err != nil {
		t.Fatal(err)
	}
	set := &sigma.Ruleset{}
	set.Add(name, text, nil)
	for _, f := range set.Faults {
		t.Errorf("%s:%d: %s: %s", f.File, f.Line, f.Field, f.Why)
	}
	if len(set.Correlations) > 0 && len(set.Rules) == 0 {
		describe(t, &set.Correlations[0].Meta)
		return // tried by sequences of events, in package sigma of the detectors
	}
	if len(set.Rules) != 1 {
		t.Fatalf("%d rules; one to a file", len(set.Rules))
	}
	r := set.Rules[0]
	describe(t, &r.Meta)
	beside := strings.TrimSuffix(name, path.Ext(name)) + ".test.yaml"
	if text, err = fs.ReadFile(dir, beside); err != nil {
		t.Fatal(err)
	}
	x, err := rulebook.ReadExamples(beside, text)
	if err != nil {
		t.Fatal(err)
	}
	if len(x.Match) == 0 || len(x.Miss) == 0 {
		t.Error("a rule needs an example that matches and a near miss")
	}
	bench := rulebook.NewBench(set)
	for i := range x.Match {
		if why := bench.Try(r, &x.Match[i], true); why != "" {
			t.Error(why)
		}
	}
	for i := range x.Miss {
		if why := bench.Try(r, &x.Miss[i], false); why != "" {
			t.Error(why)
		}
	}
}

// describe holds a rule's words against what the product promises of its own.
func describe(t *testing.T, m *sigma.Meta) {
	t.Helper()
	if m.ID == "" || m.Name == "" || m.Description == "" || m.Author != "Honeyguide" || m.Status == "" {
		t.Errorf("id %q, name %q, author %q, status %q and a description are needed", m.ID, m.Name, m.Author, m.Status)
	}
	techniques := 0
	for _, tag := range m.Tags {
		word, ok := strings.CutPrefix(tag, "attack.")
		if !ok {
			continue
		}
		if strings.HasPrefix(word, "t") && len(word) > 4 && word[1] >= '0' && word[1] <= '9' {
			techniques++
			if _, ok := attack.Lookup(strings.ToUpper(word)); !ok {
				t.Errorf("tag %s: the table of techniques does not have it", tag)
			}
		} else if attack.TacticID(word) == "" {
			t.Errorf("tag %s is no tactic", tag)
		}
	}
	if techniques == 0 {
		t.Error("no technique among the tags")
	}
}
