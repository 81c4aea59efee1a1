package attack_test

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/attack"
)

func TestTable(t *testing.T) {
	shape, seen := regexp.MustCompile(`^T\d{4}(\.\d{3})?$`), map[string]bool{}
	for _, row := range attack.Techniques() {
		if !shape.MatchString(row.ID) || row.Name == "" || seen[row.ID] || len(row.Tactics) == 0 {
			t.Errorf("bad row %+v", row)
		}
		seen[row.ID] = true
		for _, id := range row.Tactics {
			if attack.TacticName(id) == "" {
				t.Errorf("%s: no tactic %s", row.ID, id)
			}
		}
	}
	if len(seen) < 60 {
		t.Errorf("%d techniques", len(seen))
	}
}

func TestLookups(t *testing.T) {
	if got := attack.Title("T1059.004"); got != "Command and Scripting Interpreter: Unix Shell" {
		t.Errorf("Title: %q", got)
	}
	if got := attack.Of("t1105", "why"); got.Tactic != "TA0011" {
		t.Errorf("Of: %+v", got)
	}
	if got := attack.Of("T9999", ""); got.Tactic != "" || attack.Title("T9999") != "T9999" {
		t.Errorf("unknown: %+v", got)
	}
	for _, w := range []string{"Command and Control", "command-and-control", "TA0011", "ta0011"} {
		if attack.TacticID(w) != "TA0011" {
			t.Errorf("TacticID(%q) = %q", w, attack.TacticID(w))
		}
	}
}

// Every technique that a shipped rule, detector or mapper names is in the table:
// what is not has no name and no tactic where an analyst reads it.
func TestNamedTechniques(t *testing.T) {
	named := regexp.MustCompile(`"(T\d{4}(?:\.\d{3})?)"|attack\.([tT]\d{4}(?:\.\d{3})?)`)
	found := 0
	for _, root := range []string{"../../rules", "../detect", "../ingest", "../pipeline", "../sensor"} {
		err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			raw, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			for _, m := range named.FindAllStringSubmatch(string(raw), -1) {
				id := strings.ToUpper(m[1] + m[2])
				found++
				if _, ok := attack.Lookup(id); !ok {
					t.Errorf("%s names %s, which is not in the table", path, id)
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found < 50 {
		t.Errorf("only %d names were found", found)
	}
}
