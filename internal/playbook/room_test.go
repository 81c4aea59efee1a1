package playbook_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/playbook"
)

func book(t testing.TB, text string) *playbook.Playbook {
	t.Helper()
	b, err := playbook.Parse("test.yaml", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestTriggers(t *testing.T) {
	body := "id: a\ntitle: A\nwhen: severity >= high\nsteps: [{action: block_ip}]\n"
	low := incident()
	low.Severity = honeyguide.SeverityLow
	for _, c := range []struct {
		trigger string
		facts   playbook.Facts
		want    bool
	}{
		{"incident", playbook.Facts{Incident: incident()}, true},
		{"incident", playbook.Facts{Incident: low}, false},
		{"incident", playbook.Facts{Incident: incident(), Trigger: playbook.TriggerSchedule}, false},
		{"incident_opened", playbook.Facts{Incident: incident()}, false},
		{"incident_opened", playbook.Facts{Incident: incident(), Opened: true}, true},
		{"manual", playbook.Facts{Incident: incident(), Opened: true}, false},
		{"manual", playbook.Facts{Incident: low, Trigger: playbook.TriggerManual}, true},
		{"incident", playbook.Facts{Incident: low, Trigger: playbook.TriggerManual}, true},
		{"{schedule: daily 08:00}", playbook.Facts{Incident: incident()}, false},
		{"{schedule: daily 08:00}", playbook.Facts{Trigger: playbook.TriggerSchedule}, false},
	} {
		got, err := book(t, body+"trigger: "+c.trigger+"\n").Matches(&c.facts)
		if err != nil || got != c.want {
			t.Errorf("%s, asked by %q: %v, %v", c.trigger, c.facts.Trigger, got, err)
		}
	}
	if ok, err := book(t, body+"disabled: true\n").Matches(&playbook.Facts{Incident: incident(), Trigger: playbook.TriggerManual}); ok || err != nil {
		t.Errorf("a disabled playbook applies: %v", err)
	}
}

func TestStartFreezes(t *testing.T) {
	b := book(t, `id: a
title: A
mode: apply
when: severity >= high
limits: {concurrency: 2, per_hour: 20}
steps:
  - {name: one, action: block_ip, each: proven, when: score > 10, ttl: 2h, confirm_within: 10m, retries: 0, timeout: 5s, on_fail: rollback, approval: {roles: [admin], people: 2, within: 30m}}
  - {action: notify, target: ops, params: {title: hello}}
`)
	in := incident()
	r := b.Start(&playbook.Facts{Incident: in, Alerts: []honeyguide.Alert{{ID: "x"}}, Now: noon})
	s := r.Steps[0]
	if r.Playbook != "a" || r.Version != b.Version || len(r.Version) != 12 || r.Mode != honeyguide.ModeApply || r.Incident != "i1" || r.Reason != "A: severity >= high." || r.Trigger != "incident" || r.ID != "" || r.State != "" {
		t.Errorf("got %+v", r)
	}
	if b.Concurrency != 2 || b.PerHour != 20 {
		t.Errorf("got %+v", b)
	}
	if s.Each != "proven" || s.When != "score > 10" || s.Params["ttl"] != "2h" || s.Params["confirm_within"] != "10m" || s.Retries != 0 || s.TimeoutMS != 5000 || s.OnFail != "rollback" || s.State != honeyguide.StepPending {
		t.Errorf("got %+v", s)
	}
	if a := s.Approval; a == nil || a.People != 2 || a.WithinMS != 30*60*1000 || !slices.Equal(a.Roles, []string{"admin"}) {
		t.Errorf("got %+v", a)
	}
	if r.Steps[1].Name != "notify" || r.Steps[1].Retries != 2 || r.Steps[1].OnFail != "stop" || r.Steps[1].Approval != nil {
		t.Errorf("got %+v", r.Steps[1])
	}
	r.Steps[0].Params["ttl"], r.Steps[0].Approval.Roles[0] = "1m", "nobody"
	if again := b.Start(&playbook.Facts{Incident: in}).Steps[0]; again.Params["ttl"] != "2h" || again.Approval.Roles[0] != "admin" {
		t.Error("a run changes its playbook")
	}
}

func TestResolve(t *testing.T) {
	in := incident()
	in.Proven = []string{"203.0.113.7"}
	f := &playbook.Facts{Incident: in, Now: noon}
	for _, c := range []struct {
		step    honeyguide.RunStep
		targets []string
		skip    bool
	}{
		{honeyguide.RunStep{Each: "attackers"}, []string{"203.0.113.7", "10.0.0.9"}, false},
		{honeyguide.RunStep{Each: "proven"}, []string{"203.0.113.7"}, false},
		{honeyguide.RunStep{Target: "ops"}, []string{"ops"}, false},
		{honeyguide.RunStep{}, []string{""}, false},
		{honeyguide.RunStep{When: "severity < low"}, nil, true},
	} {
		d, err := playbook.Resolve(&c.step, f)
		if err != nil || !slices.Equal(d.Targets, c.targets) || (d.Skip != "") != c.skip {
			t.Errorf("%+v: %+v, %v", c.step, d, err)
		}
	}
	in.Proven = nil
	if d, err := playbook.Resolve(&honeyguide.RunStep{Each: "proven"}, f); err != nil || d.Skip == "" {
		t.Errorf("nobody is proven: %+v, %v", d, err)
	}
}

func TestShelf(t *testing.T) {
	a := book(t, "id: a\ntitle: A\nsteps: [{action: block_ip}]\n")
	s := playbook.NewShelf(nil)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			s.Replace([]*playbook.Playbook{a})
			s.List()
			s.Get("a")
		})
	}
	wg.Wait()
	if b, ok := s.Get("a"); !ok || b != a || len(s.List()) != 1 {
		t.Error("not there")
	}
	if _, ok := s.Get("b"); ok {
		t.Error("there is no b")
	}
}

func TestFill(t *testing.T) {
	b := book(t, `id: a
title: A
trigger: manual
inputs:
  - {name: who, type: address, required: true}
  - {name: long, type: duration, default: 1h}
  - {name: how, type: choice, choices: [hard, soft]}
  - {name: n, type: number}
steps: [{action: block_ip}]
`)
	got, err := b.Fill(map[string]string{"who": "203.0.113.7"})
	if err != nil || got["long"] != "1h" || got["who"] != "203.0.113.7" || len(got) != 4 {
		t.Errorf("%v, %v", got, err)
	}
	for _, bad := range []map[string]string{
		nil, {"who": "x"}, {"who": "::1", "long": "-1h"}, {"who": "::1", "how": "else"}, {"who": "::1", "n": "two"}, {"who": "::1", "whom": "x"},
	} {
		if _, err := b.Fill(bad); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%v: %v", bad, err)
		}
	}
}

func TestSchedules(t *testing.T) {
	sunday := time.Date(2026, 3, 29, 0, 30, 0, 0, time.UTC) // clocks in Berlin go forward at 01:00 UTC
	for _, c := range []struct {
		text, zone string
		after      time.Time
		want       string
	}{
		{"weekly mon 08:00", "", noon, "2026-03-02T08:00:00Z"},
		{"weekly sun 12:00", "", noon, "2026-03-08T12:00:00Z"},
		{"Weekly Monday 08:00", "Europe/Berlin", sunday, "2026-03-30T06:00:00Z"},
		{"daily 02:30", "Europe/Berlin", sunday, "2026-03-29T01:30:00Z"},
		{"daily 12:01", "", noon, "2026-03-01T12:01:00Z"},
		{"hourly :15", "", noon, "2026-03-01T12:15:00Z"},
		{"hourly :00", "Asia/Kathmandu", noon, "2026-03-01T12:15:00Z"},
		{"monthly 31 00:00", "", noon, "2026-03-31T00:00:00Z"},
		{"monthly 31 00:00", "", time.Date(2026, 3, 31, 0, 0, 0, 0, time.UTC), "2026-04-30T00:00:00Z"},
	} {
		s, err := playbook.ParseSchedule(c.text, c.zone)
		if err != nil {
			t.Errorf("%s: %v", c.text, err)
			continue
		}
		if got := s.Next(c.after).Format(time.RFC3339); got != c.want {
			t.Errorf("%s after %s: %s, want %s", s, c.after, got, c.want)
		}
	}
	for _, text := range []string{"", "weekly", "weekly 08:00", "weekly may 08:00", "daily 24:00", "daily 8", "daily :15", "hourly 8:15", "monthly 0 08:00", "monthly 32 08:00", "yearly 08:00", "daily 08:00 now", "daily 08:000"} {
		if _, err := playbook.ParseSchedule(text, ""); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
	if _, err := playbook.ParseSchedule("daily 08:00", "Mars/Crater"); err == nil {
		t.Error("there is no such zone")
	}
}
