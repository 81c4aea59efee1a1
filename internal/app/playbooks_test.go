package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/config"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/rules"
)

// TestShippedPlaybooksFitTheActions asks the real actions, as they are without
// any configuration, for the plans of every shipped playbook.
func TestShippedPlaybooksFitTheActions(t *testing.T) {
	tree, err := config.Load(config.Options{Schema: Schema(), Sets: []string{"node.data=" + t.TempDir()}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		t.Fatal(err)
	}
	actions := KnownActions(t.Context(), s)
	c, err := playbook.OpenCatalog(t.Context(), playbook.Options{Shipped: rules.Playbooks, Actions: actions})
	if err != nil {
		t.Fatal(err)
	}
	if v := c.View(); len(v.Faults) > 0 || len(v.Entries) != 8 {
		t.Fatalf("%d playbooks, faults: %v", len(v.Entries), v.Faults)
	}
	noon := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := &playbook.Facts{
		Incident: &honeyguide.Incident{
			ID: "i", Short: "I-1", Title: "x", Severity: honeyguide.SeverityCritical, CreatedAt: noon, LastAt: noon,
			Attackers: []string{"203.0.113.7"}, Proven: []string{"203.0.113.7"},
		},
		Alerts: []honeyguide.Alert{{ID: "a", RuleID: "token_used", Sensor: "ssh", Severity: honeyguide.SeverityCritical}}, Now: noon,
	}
	for _, e := range c.View().Entries {
		run := e.Start(f)
		for i := range run.Steps {
			step := &run.Steps[i]
			step.When = ""
			due, err := playbook.Resolve(step, f)
			if err != nil || due.Skip != "" {
				t.Errorf("%s, %s: %q, %v", e.ID, step.Name, due.Skip, err)
			}
			for _, target := range due.Targets {
				r := respond.Request{
					Incident: f.Incident, Alerts: f.Alerts, Run: "r", Playbook: e.ID, Step: step.Name, Target: target, Params: due.Params,
					Mode: honeyguide.ModeDryRun, Reason: run.Reason, Now: noon,
				}
				if p, err := actions[step.Action].Plan(t.Context(), r); err != nil || p.State != honeyguide.PlanPlanned {
					t.Errorf("%s, %s: %s %s, %v", e.ID, step.Name, p.State, p.Reason, err)
				}
			}
		}
	}
	if got := checkPlaybooks(t.Context(), s); got.Status != StatusWarn || !strings.Contains(got.Text, "8 playbooks plan") {
		t.Errorf("%+v", got)
	}
	s.Respond.Playbooks = t.TempDir()
	if err := os.WriteFile(filepath.Join(s.Respond.Playbooks, "x.yaml"), []byte("id: x\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if got := checkPlaybooks(t.Context(), s); got.Status != StatusFail {
		t.Errorf("%+v", got)
	}
}
