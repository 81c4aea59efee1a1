package attack_test

import (
	"regexp"
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
