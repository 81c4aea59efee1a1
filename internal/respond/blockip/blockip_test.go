package blockip_test

import (
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, cfg respond.Config) respond.Action {
	t.Helper()
	g, err := respond.NewGuard(cfg, func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	a, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{Guard: g})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func request(target string, params map[string]string) respond.Request {
	return respond.Request{
		Incident: &honeyguide.Incident{ID: "i1", CreatedAt: noon}, Playbook: "contain", Step: "block", Target: target,
		Params: params, Mode: "dry_run", Reason: "test", Now: noon.Add(time.Minute),
	}
}

func TestPlan(t *testing.T) {
	a := open(t, respond.Defaults())
	p, err := a.Plan(t.Context(), request("::ffff:203.0.113.7", nil))
	if err != nil {
		t.Fatal(err)
	}
	if p.Target != "203.0.113.7" || p.State != honeyguide.PlanPlanned || !p.ExpiresAt.Equal(noon.Add(24*time.Hour+time.Minute)) ||
		p.Params["command"] != "nft add element inet honeyguide blk4 { 203.0.113.7 timeout 86400s }" || !strings.Contains(p.Effect, "203.0.113.7") {
		t.Errorf("got %+v", p)
	}
	again, _ := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ttl": "9000h"}))
	if again.ExpiresAt.Sub(noon.Add(time.Minute)) != respond.MaxTTL {
		t.Errorf("got %+v", again)
	}
	six, _ := a.Plan(t.Context(), request("2001:db8::7", nil))
	if !strings.Contains(six.Params["command"], "blk6 { 2001:db8::7 ") {
		t.Errorf("got %+v", six)
	}
}

func TestGuardRefuses(t *testing.T) {
	p, err := open(t, respond.Defaults()).Plan(t.Context(), request("127.0.0.1", nil))
	if err != nil || p.State != honeyguide.PlanRefused || !strings.Contains(p.Reason, "loopback") || !p.ExpiresAt.IsZero() {
		t.Errorf("got %+v, %v", p, err)
	}
	p, err = open(t, respond.Config{BlockPrivate: true}).Plan(t.Context(), request("127.0.0.1", nil))
	if err != nil || p.State != honeyguide.PlanPlanned {
		t.Errorf("trial: got %+v, %v", p, err)
	}
}

func TestNonsenseIsAnError(t *testing.T) {
	a := open(t, respond.Defaults())
	if _, err := a.Plan(t.Context(), request("evil.example", nil)); err == nil {
		t.Error("a name was planned")
	}
	if _, err := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ttl": "soon"})); err == nil {
		t.Error("a ttl was made up")
	}
	if _, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{}); err == nil {
		t.Error("opens without a guard")
	}
	if err := (&blockip.Config{}).Validate(); err == nil {
		t.Error("a block without an end")
	}
}
