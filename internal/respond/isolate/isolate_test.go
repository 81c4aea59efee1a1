package isolate_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/isolate"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// decoys remember what was asked of them; they take a moment to stop.
type decoys struct {
	held  map[string]time.Time
	looks int
}

func (d *decoys) Hold(_ context.Context, sensor string, until time.Time, _ string) error {
	if sensor != "ssh" {
		return respond.Permanent(errors.New("there is no sensor of this name"))
	}
	d.held[sensor] = until
	return nil
}

func (d *decoys) Release(_ context.Context, sensor string) error { delete(d.held, sensor); return nil }

func (d *decoys) Held(_ context.Context, sensor string) (bool, error) {
	d.looks++
	_, ok := d.held[sensor]
	return ok && d.looks > 2, nil
}

func TestIsolate(t *testing.T) {
	d := &decoys{held: map[string]time.Time{}}
	a, err := isolate.Kind.Open(t.Context(), nil, respond.Deps{Decoys: d})
	if err != nil {
		t.Fatal(err)
	}
	r := respond.Request{Alerts: []honeyguide.Alert{{Sensor: "telnet"}, {Sensor: "ssh"}}, Params: map[string]string{"ttl": "30m"}, Now: noon}
	p, err := a.Plan(t.Context(), r)
	if err != nil || p.Target != "ssh" || !p.ExpiresAt.Equal(noon.Add(30*time.Minute)) || !strings.Contains(p.Effect, "ssh") || len(d.held) > 0 {
		t.Fatalf("plan: %+v, %v", p, err)
	}
	for range 2 { // twice is once
		if _, err := a.Apply(t.Context(), p); err != nil || len(d.held) != 1 || !d.held["ssh"].Equal(p.ExpiresAt) {
			t.Fatal(d.held, err)
		}
	}
	if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := a.(respond.Reverter).Revert(t.Context(), p); err != nil || len(d.held) > 0 {
			t.Error(d.held, err)
		}
	}
	short, end := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer end()
	if err := a.(respond.Verifier).Verify(short, p); err == nil {
		t.Error("what runs counts as isolated")
	}
	p.Target = "nobody"
	if _, err := a.Apply(t.Context(), p); !respond.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}

func TestNonsense(t *testing.T) {
	a, err := isolate.Kind.Open(t.Context(), nil, respond.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := a.Plan(t.Context(), respond.Request{Now: noon}); err == nil {
		t.Error("a plan without a decoy")
	}
	if _, err := a.Plan(t.Context(), respond.Request{Target: "ssh", Params: map[string]string{"ttl": "soon"}, Now: noon}); err == nil {
		t.Error("a ttl was made up")
	}
	if _, err := a.Apply(t.Context(), honeyguide.Plan{Target: "ssh"}); !respond.IsPermanent(err) {
		t.Errorf("without decoys: %v", err)
	}
	if err := (&isolate.Config{}).Validate(); err == nil {
		t.Error("an isolation without an end")
	}
}
