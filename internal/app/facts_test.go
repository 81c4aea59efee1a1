package app

import (
	"log/slog"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/comply"
	"honeyguide/internal/state"
)

// Facts are measured: each has a value with where it comes from, or says why not;
// and what is done to the installation moves them, and what stands on them.
func TestFactsMove(t *testing.T) {
	s := defaults()
	s.Node.Data, s.Sensors, s.Respond.Firewall = t.TempDir(), nil, "off"
	ctx := t.Context()
	a, err := New(ctx, s, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	defer a.Close()
	measure := func() *comply.Facts {
		f, err := a.Compliance(ctx, a.now().AddDate(0, 0, -90))
		if err != nil {
			t.Fatal(err)
		}
		return f
	}
	f := measure()
	if bad := f.Unknown(); len(bad) > 0 {
		t.Errorf("set, and in no catalogue: %v", bad)
	}
	missing := 0
	for _, x := range f.List() {
		switch {
		case x.Known && x.From == "", !x.Known && x.Why == "":
			t.Errorf("%+v", x)
		case !x.Known:
			missing++
			// The console's own answers come from the API.
			if strings.HasPrefix(x.Why, "nothing in this installation") && !strings.HasPrefix(x.ID, "guards.") && x.ID != "privacy.veil" && x.ID != "node.ready" {
				t.Errorf("nobody measures %s", x.ID)
			}
		}
	}
	if missing > 40 {
		t.Errorf("%d facts are not measured", missing)
	}
	status := func(f *comply.Facts, check string) comply.Status {
		fw, err := comply.Lookup("iso27001")
		if err != nil {
			t.Fatal(err)
		}
		r, err := comply.Assess(fw, f, "test")
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Rows {
			for _, x := range r.Rows[i].Answers {
				if x.Check == check {
					return x.Status
				}
			}
		}
		t.Fatalf("no check %s", check)
		return ""
	}
	for check, want := range map[string]comply.Status{"holds": comply.NotMeasured, "bundles": comply.NotMeasured, "erasure": comply.NotMeasured, "findings": comply.Met, "retention": comply.Met, "custody": comply.Met} {
		if got := status(f, check); got != want {
			t.Errorf("%s of a fresh installation: %s, want %s", check, got, want)
		}
	}
	now := a.now().UTC()
	if err := a.state.Update(ctx, func(tx state.Tx) error {
		in := honeyguide.Incident{ID: "i1", Key: "attacker:203.0.113.7", Title: "x", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, CreatedAt: now.Add(-time.Hour), UpdatedAt: now, FirstAt: now}
		if _, err := tx.Incidents().Save(ctx, &in); err != nil {
			return err
		}
		for _, name := range []string{"I-99", in.Short} { // one of them nobody knows
			if err := tx.Holds().Save(ctx, &honeyguide.Hold{ID: "h" + name, Object: "incident:" + name, Reason: "r", By: "ada", At: now}); err != nil {
				return err
			}
		}
		if err := tx.Custody().Add(ctx, &honeyguide.CustodyStep{Incident: in.Short, At: now, Act: honeyguide.CustodyHeld, By: "ada", Kind: "user"}); err != nil {
			return err
		}
		return tx.Bundles().Save(ctx, &honeyguide.Bundle{ID: "b1", Incident: in.Short, State: honeyguide.BundleFailed, At: now, By: "ada"})
	}); err != nil {
		t.Fatal(err)
	}
	f = measure()
	for id, want := range map[string]float64{
		"holds.active": 2, "holds.lost": 1, "evidence.chains": 2, "evidence.broken": 0, "evidence.serious": 1, "evidence.sealed": 0, "evidence.failed": 1, "evidence.bundles": 0,
	} {
		if x := f.Get(id); !x.Known || x.Number != want {
			t.Errorf("%s is %s (%s), want %v", id, x.Shown, x.Why, want)
		}
	}
	for check, want := range map[string]comply.Status{"holds": comply.Gap, "bundles": comply.Gap} {
		if got := status(f, check); got != want {
			t.Errorf("%s: %s, want %s", check, got, want)
		}
	}
}
