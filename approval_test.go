package honeyguide

import (
	"strings"
	"testing"
	"time"
)

func TestObjection(t *testing.T) {
	at := time.Date(2026, 11, 22, 6, 0, 0, 0, time.UTC)
	run := func(edit func(*Run)) *Run {
		r := &Run{By: "alice", Trigger: TriggerManual, Steps: []RunStep{{State: StepWaiting, AskedAt: at, Approval: &ApprovalRule{Roles: []string{"responder", "admin"}, People: 2, WithinMS: 60_000}}}}
		edit(r)
		return r
	}
	said := func(by string, yes bool) func(*Run) {
		return func(r *Run) { r.Steps[0].Decisions = append(r.Steps[0].Decisions, Decision{By: by, Approved: yes}) }
	}
	for name, c := range map[string]struct {
		run      *Run
		step     int
		by, role string
		after    time.Duration
		want     string // part of the objection
		needed   int
	}{
		"somebody else":          {run(func(*Run) {}), 0, "bob", "responder", 0, "", 2},
		"another role":           {run(func(*Run) {}), 0, "bob", "analyst", 0, "responder or admin", 2},
		"no role":                {run(func(*Run) {}), 0, "bob", "", 0, "responder or admin", 2},
		"who began it":           {run(func(*Run) {}), 0, "alice", "admin", 0, "began", 2},
		"the same, written else": {run(func(*Run) {}), 0, " Alice", "admin", 0, "began", 2},
		"an administrator":       {run(func(r *Run) { r.Steps[0].Approval.Roles = []string{"responder"} }), 0, "bob", "admin", 0, "", 2},
		"named like a playbook":  {run(func(r *Run) { r.Trigger = "incident" }), 0, "alice", "admin", 0, "", 2},
		"too late":               {run(func(*Run) {}), 0, "bob", "admin", time.Minute, "over", 2},
		"just in time":           {run(func(*Run) {}), 0, "bob", "admin", time.Minute - 1, "", 2},
		"twice":                  {run(said("bob", true)), 0, "bob", "admin", 0, "already", 1},
		"twice, another key":     {run(said("bob", true)), 0, "BOB", "admin", 0, "already", 1},
		"after a denial":         {run(said("bob", false)), 0, "bob", "admin", 0, "already", 2},
		"the second":             {run(said("bob", true)), 0, "carol", "admin", 0, "", 1},
		"no such step":           {run(func(*Run) {}), 1, "bob", "admin", 0, "no such step", -1},
		"before the first":       {run(func(*Run) {}), -1, "bob", "admin", 0, "no such step", -1},
		"not waiting":            {run(func(r *Run) { r.Steps[0].State = StepRunning }), 0, "bob", "admin", 0, "not wait", 2},
		"nothing to approve":     {run(func(r *Run) { r.Steps[0].Approval = nil }), 0, "bob", "admin", 0, "not wait", 0},
		"one asked, none said":   {run(func(r *Run) { r.Steps[0].Approval.People = 0 }), 0, "bob", "admin", 0, "", 1},
	} {
		got := c.run.Objection(c.step, c.by, c.role, at.Add(c.after))
		if !strings.Contains(got, c.want) || (got == "") != (c.want == "") {
			t.Errorf("%s: objection %q, want %q", name, got, c.want)
		}
		if c.needed >= 0 && c.run.Steps[0].Needed() != c.needed {
			t.Errorf("%s: needs %d, want %d", name, c.run.Steps[0].Needed(), c.needed)
		}
	}
	// One person counts once, however often the store says that they agreed.
	r := run(said("bob", true))
	said("Bob", true)(r)
	if r.Steps[0].Needed() != 1 {
		t.Error("one name counted as two people")
	}
	if !(&RunStep{Approval: &ApprovalRule{}, AskedAt: at}).Lapse().IsZero() {
		t.Error("an approval without a time lapses")
	}
}
