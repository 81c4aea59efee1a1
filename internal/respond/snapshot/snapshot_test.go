package snapshot_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/respondtest"
	"honeyguide/internal/respond/snapshot"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// world is a store with an incident of many hostile alerts.
func world(t *testing.T, settings map[string]any) (respond.Action, respond.Deps, honeyguide.Plan) {
	t.Helper()
	store, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	i := honeyguide.Incident{Key: "attacker:198.51.100.7", Title: "t\x1b[2J\u202e", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, Phase: honeyguide.PhaseNew, CreatedAt: noon, FirstAt: noon, LastAt: noon, Sessions: []string{"s1", "s2", "gone"}}
	err = store.Update(t.Context(), func(tx state.Tx) error {
		if _, err := tx.Incidents().Save(t.Context(), &i); err != nil {
			return err
		}
		for _, text := range respondtest.Hostile() {
			a := honeyguide.Alert{Incident: i.ID, Title: text, Time: noon, LastAt: noon, Severity: honeyguide.SeverityHigh, Detector: "behaviour", RuleID: "r", Category: honeyguide.CategoryRecon}
			if _, err := tx.Alerts().Save(t.Context(), &a); err != nil {
				return err
			}
		}
		for _, id := range []string{"s1", "s2"} {
			if err := tx.Sessions().Save(t.Context(), &honeyguide.Session{ID: id, Sensor: "ssh", Service: "ssh", StartedAt: noon, LastAt: noon}); err != nil {
				return err
			}
		}
		return tx.Plans().Save(t.Context(), &honeyguide.Plan{ID: "p0", Incident: i.ID, Action: "block_ip", Target: "198.51.100.7", State: honeyguide.PlanApplied, Mode: honeyguide.ModeApply, CreatedAt: noon})
	})
	if err != nil {
		t.Fatal(err)
	}
	dep := respondtest.Deps(t, "snapshot", nil)
	dep.State = store
	a, err := snapshot.Kind.Open(t.Context(), respondtest.Decode(settings), dep)
	if err != nil {
		t.Fatal(err)
	}
	r := respondtest.Request("", nil)
	r.Incident = &i
	p, err := respondtest.Plan(t.Context(), a, r, "plan-1")
	if err != nil {
		t.Fatal(err)
	}
	return a, dep, p
}

func TestSnapshot(t *testing.T) {
	a, dep, p := world(t, nil)
	r, err := a.Apply(t.Context(), p)
	if err != nil {
		t.Fatal(err)
	}
	p.Ref = r.Ref
	dir := filepath.Join(dep.Data, "evidence", "snapshots", p.Incident+"-plan-1")
	for name, want := range map[string]int{"incident.json": 1, "alerts.json": len(respondtest.Hostile()), "sessions.json": 2, "plans.json": 1, "runs.json": 0, "timeline.json": 0} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		var list []map[string]any
		if err == nil {
			err = json.Unmarshal(raw, &list)
		}
		if err != nil || len(list) != want {
			t.Errorf("%s: %d entries, want %d, %v", name, len(list), want, err)
		}
		if safetext.Hostile(strings.ReplaceAll(string(raw), "\n", "")) {
			t.Errorf("%s steers terminals", name)
		}
		if info, err := os.Stat(filepath.Join(dir, name)); err != nil || info.Mode() != 0o600 {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	again, err := a.Apply(t.Context(), p)
	if err != nil || again.Ref != r.Ref {
		t.Errorf("again: %+v, %v", again, err)
	}
	list, _ := os.ReadDir(filepath.Dir(dir))
	if len(list) != 1 {
		t.Errorf("%d snapshots of one plan", len(list))
	}
}

// Whatever is done to a snapshot shows, and a second attempt does not paint it over.
func TestTampered(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"changed": func(dir string) error {
			return os.WriteFile(filepath.Join(dir, "alerts.json"), []byte("[\n]\n"), 0o600)
		},
		"longer": func(dir string) error {
			f, err := os.OpenFile(filepath.Join(dir, "alerts.json"), os.O_APPEND|os.O_WRONLY, 0)
			if err == nil {
				_, err = f.WriteString(" ")
				f.Close()
			}
			return err
		},
		"gone":  func(dir string) error { return os.Remove(filepath.Join(dir, "sessions.json")) },
		"added": func(dir string) error { return os.WriteFile(filepath.Join(dir, "more.json"), nil, 0o600) },
		"empty": func(dir string) error { return os.Truncate(filepath.Join(dir, "manifest.json"), 0) },
		"elsewhere": func(dir string) error {
			if err := os.Remove(filepath.Join(dir, "plans.json")); err != nil {
				return err
			}
			return os.Symlink("/etc/passwd", filepath.Join(dir, "plans.json"))
		},
	} {
		t.Run(name, func(t *testing.T) {
			a, dep, p := world(t, nil)
			r, err := a.Apply(t.Context(), p)
			if err != nil {
				t.Fatal(err)
			}
			p.Ref = r.Ref
			if err := harm(filepath.Join(dep.Data, "evidence", "snapshots", p.Incident+"-plan-1")); err != nil {
				t.Fatal(err)
			}
			if err := a.(respond.Verifier).Verify(t.Context(), p); err == nil {
				t.Error("verified")
			}
			if _, err := a.Apply(t.Context(), p); !respond.IsPermanent(err) {
				t.Errorf("applied again: %v", err)
			}
		})
	}
	// A manifest that was written anew, with files to match, is not the plan's.
	a, _, p := world(t, nil)
	if _, err := a.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	p.Ref = strings.Repeat("0", 64)
	if err := a.(respond.Verifier).Verify(t.Context(), p); err == nil {
		t.Error("another manifest passes")
	}
}

func TestBounds(t *testing.T) {
	a, dep, p := world(t, map[string]any{"max_alerts": 7, "max_sessions": 1})
	draft := filepath.Join(dep.Data, "evidence", "snapshots", ".new-"+p.Incident+"-plan-1") // a crash left it
	if err := os.MkdirAll(draft, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(draft, "half.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := a.Apply(t.Context(), p); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(filepath.Join(dep.Data, "evidence", "snapshots", p.Incident+"-plan-1", "manifest.json"))
	if err != nil {
		t.Fatal(err)
	}
	var m struct {
		Cut   []string
		Files []struct {
			Name    string
			Entries int
		}
	}
	if err := json.Unmarshal(raw, &m); err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(m.Cut, []string{"alerts.json", "sessions.json"}) || m.Files[1].Entries != 7 || m.Files[2].Entries != 1 {
		t.Errorf("got %+v", m)
	}
}

func TestNonsense(t *testing.T) {
	a, _, p := world(t, nil)
	for name, change := range map[string]func(*honeyguide.Plan){
		"another incident": func(p *honeyguide.Plan) { p.Incident = "nobody" }, "no incident": func(p *honeyguide.Plan) { p.Incident = "" }, "a path": func(p *honeyguide.Plan) { p.Incident = "../../x" },
	} {
		q := p
		change(&q)
		if _, err := a.Apply(t.Context(), q); !respond.IsPermanent(err) {
			t.Errorf("%s: %v", name, err)
		}
		if err := a.(respond.Verifier).Verify(t.Context(), q); err == nil {
			t.Errorf("%s: verified", name)
		}
	}
	r := respondtest.Request("", nil)
	r.Incident = nil
	if _, err := a.Plan(t.Context(), r); err == nil {
		t.Error("a snapshot of nothing")
	}
}
