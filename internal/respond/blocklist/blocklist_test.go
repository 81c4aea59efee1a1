package blocklist_test

import (
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blocklist"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

func open(t *testing.T, cfg respond.Config) (respond.Action, state.Store) {
	t.Helper()
	g, err := respond.NewGuard(cfg, func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	a, err := blocklist.Kind.Open(t.Context(), nil, respond.Deps{Guard: g, State: store})
	if err != nil {
		t.Fatal(err)
	}
	return a, store
}

func request(target string, params map[string]string) respond.Request {
	return respond.Request{Playbook: "contain", Step: "publish", Target: target, Params: params, Mode: honeyguide.ModeApply, Reason: "test", Now: noon}
}

func TestLife(t *testing.T) {
	a, store := open(t, respond.Defaults())
	p, err := a.Plan(t.Context(), request("::ffff:203.0.113.7", nil))
	if err != nil || p.Target != "203.0.113.7" || p.State != honeyguide.PlanPlanned || !p.ExpiresAt.Equal(noon.Add(24*time.Hour)) ||
		p.Action != "blocklist" || !strings.Contains(p.Effect, "203.0.113.7") || p.Params["ttl"] != "24h0m0s" {
		t.Fatalf("got %+v, %v", p, err)
	}
	if _, err := a.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	v, r := a.(respond.Verifier), a.(respond.Reverter)
	if err := v.Verify(t.Context(), p); err == nil {
		t.Error("a plan nobody keeps is on the list")
	}
	p.ID, p.Mode, p.State = "p1", honeyguide.ModeApply, honeyguide.PlanApplied
	keep := func() {
		t.Helper()
		if err := store.Update(t.Context(), func(tx state.Tx) error { return tx.Plans().Save(t.Context(), &p) }); err != nil {
			t.Fatal(err)
		}
	}
	keep()
	if err := v.Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	if err := r.Revert(t.Context(), p); err != nil {
		t.Error(err)
	}
	p.State = honeyguide.PlanReverted
	keep()
	if err := v.Verify(t.Context(), p); err == nil || !strings.Contains(err.Error(), "203.0.113.7") {
		t.Errorf("reverted: %v", err)
	}
	long, _ := a.Plan(t.Context(), request("203.0.113.0/24", map[string]string{"ttl": "9000h"}))
	if long.ExpiresAt.Sub(noon) != respond.MaxTTL {
		t.Errorf("got %+v", long)
	}
}

func TestGuardRefuses(t *testing.T) {
	a, _ := open(t, respond.Defaults())
	for _, target := range []string{"127.0.0.1", "10.0.0.0/8", "192.168.1.1", "0.0.0.0/0"} {
		p, err := a.Plan(t.Context(), request(target, nil))
		if err != nil || p.State != honeyguide.PlanRefused || !p.ExpiresAt.IsZero() {
			t.Errorf("%s: %+v, %v", target, p, err)
		}
		if _, err := a.Apply(t.Context(), honeyguide.Plan{Target: target}); !respond.IsPermanent(err) {
			t.Errorf("%s is applied: %v", target, err)
		}
	}
}

func TestNonsenseIsAnError(t *testing.T) {
	a, _ := open(t, respond.Defaults())
	if _, err := a.Plan(t.Context(), request("evil.example", nil)); err == nil {
		t.Error("a name was planned")
	}
	if _, err := a.Plan(t.Context(), request("203.0.113.7", map[string]string{"ttl": "soon"})); err == nil {
		t.Error("a ttl was made up")
	}
	if _, err := a.Apply(t.Context(), honeyguide.Plan{Target: "evil.example"}); !respond.IsPermanent(err) {
		t.Errorf("applied: %v", err)
	}
	if _, err := blocklist.Kind.Open(t.Context(), nil, respond.Deps{}); err == nil {
		t.Error("opens without a guard")
	}
	if err := (&blocklist.Config{}).Validate(); err == nil {
		t.Error("a block without an end")
	}
}
