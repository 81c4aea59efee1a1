package playbook_test

import (
	"testing"

	"honeyguide/internal/playbook"
	"honeyguide/rules"
)

func shipped(t testing.TB) map[string]*playbook.Playbook {
	t.Helper()
	list, err := playbook.Load(rules.Playbooks, "playbooks")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]*playbook.Playbook{}
	for _, b := range list {
		out[b.ID] = b
	}
	return out
}

func TestShipped(t *testing.T) {
	books := shipped(t)
	for _, id := range []string{"honeytoken-used", "brute-force", "malware-drop", "privilege-escalation", "exfiltration", "sensor-violation", "noisy-scanner", "weekly-digest"} {
		b := books[id]
		if b == nil {
			t.Errorf("%s is not shipped", id)
			continue
		}
		if b.Mode != "" || b.Disabled || b.Description == "" || b.File != "playbooks/"+id+".yaml" {
			t.Errorf("%s: %+v", id, b)
		}
		if bad := playbook.CheckActions(b, actions(t)); len(bad) > 0 {
			t.Errorf("%v", bad)
		}
	}
	if len(books) != 8 {
		t.Errorf("%d are shipped", len(books))
	}
}
