package task_test

import (
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/task"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func clock() time.Time { return noon }

func TestTaskIsWrittenOnce(t *testing.T) {
	ctx := t.Context()
	st, err := sqlite.Open(ctx, sqlite.Config{}, state.Deps{Dir: t.TempDir(), Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	defer st.Close()
	in := honeyguide.Incident{Key: "attacker:203.0.113.7", Tasks: []honeyguide.Task{{ID: "T-4", Title: "older", By: "anna"}}}
	if err := st.Update(ctx, func(tx state.Tx) error { _, err := tx.Incidents().Save(ctx, &in); return err }); err != nil {
		t.Fatal(err)
	}
	a, err := task.Kind.Open(ctx, nil, respond.Deps{State: st, Now: clock})
	if err != nil {
		t.Fatal(err)
	}
	p, err := a.Plan(ctx, respond.Request{Incident: &in, Params: map[string]string{"title": "Look\nat \x1b[31mit", "owner": "ben", "due": "4h"}, Now: noon})
	if err != nil || p.State != honeyguide.PlanPlanned || p.Target != in.Short || strings.Contains(p.Effect, "\x1b") || strings.Contains(p.Params["title"], "\n") {
		t.Fatalf("%+v, %v", p, err)
	}
	p.ID, p.Incident, p.CreatedAt, p.By = "plan", in.ID, noon, "playbook:x"
	if err := a.(respond.Verifier).Verify(ctx, p); err == nil {
		t.Error("verified before it was done")
	}
	for range 2 {
		if r, err := a.Apply(ctx, p); err != nil || r.Ref != "T-5" {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	if err := a.(respond.Verifier).Verify(ctx, p); err != nil {
		t.Error(err)
	}
	if err := st.View(ctx, func(tx state.Tx) error {
		got, err := tx.Incidents().Get(ctx, in.ID)
		if len(got.Tasks) != 2 || got.Tasks[1].Owner != "ben" || got.Tasks[1].By != "playbook:x" || !got.Tasks[1].DueAt.Equal(noon.Add(4*time.Hour)) {
			t.Errorf("%+v", got.Tasks)
		}
		return err
	}); err != nil {
		t.Fatal(err)
	}
}

func TestPlanRefusesNonsense(t *testing.T) {
	a, err := task.Kind.Open(t.Context(), nil, respond.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range []respond.Request{
		{Params: map[string]string{"title": "x"}},
		{Incident: &honeyguide.Incident{}, Params: map[string]string{"title": " \n"}},
		{Incident: &honeyguide.Incident{}, Params: map[string]string{"title": "x", "due": "soon"}},
	} {
		if _, err := a.Plan(t.Context(), r); err == nil {
			t.Errorf("%+v was taken", r)
		}
	}
	if _, err := a.Apply(t.Context(), honeyguide.Plan{}); !respond.IsPermanent(err) {
		t.Errorf("got %v", err)
	}
}
