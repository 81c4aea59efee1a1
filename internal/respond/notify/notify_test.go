package notify_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/notify"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// box is an outbox that keeps what is posted.
type box struct {
	store state.Store
	fail  error
}

func (b *box) Post(ctx context.Context, n honeyguide.Notice) error {
	if b.fail != nil {
		return b.fail
	}
	n.State = honeyguide.NoticeQueued
	return b.store.Update(ctx, func(tx state.Tx) error { return tx.Notices().Save(ctx, &n) })
}

func (b *box) Route(to string) (string, error) {
	if to == "nobody" {
		return "", errors.New(`there is no channel and no chain "nobody"`)
	}
	return "chat", nil
}

func open(t *testing.T) (respond.Action, *box) {
	t.Helper()
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	b := &box{store: store}
	a, err := notify.Kind.Open(t.Context(), nil, respond.Deps{Notices: b, State: store})
	if err != nil {
		t.Fatal(err)
	}
	return a, b
}

func request(params map[string]string) respond.Request {
	return respond.Request{
		Incident: &honeyguide.Incident{ID: "i1", Title: "Brute force", Severity: honeyguide.SeverityHigh}, Run: "r1", Playbook: "contain", Step: "tell",
		Params: params, Mode: honeyguide.ModeApply, Reason: "test", Now: time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC),
	}
}

func TestPlan(t *testing.T) {
	a, _ := open(t)
	given := map[string]string{"text": "more"}
	p, err := a.Plan(t.Context(), request(given))
	if err != nil {
		t.Fatal(err)
	}
	if p.Effect != "Would tell chat: Brute force" || p.Params["urgency"] != "high" || p.Params["key"] != "i1 contain/tell" || p.Params["text"] != "more" || p.State != honeyguide.PlanPlanned || p.Target != "default" {
		t.Errorf("%+v", p)
	}
	if len(given) != 1 {
		t.Error("the request was changed")
	}
	p, err = a.Plan(t.Context(), request(map[string]string{"to": "nobody", "title": "evil\nEffect: \x1b[31m", "urgency": "critical", "key": "k"}))
	if err != nil || p.Effect != `Would tell chat, because there is no channel and no chain "nobody": evil\nEffect: \x1b[31m` || p.Params["key"] != "k" || p.Target != "nobody" {
		t.Errorf("%+v, %v", p, err)
	}
	for want, params := range map[string]map[string]string{
		"urgency": {"urgency": "very"},
		"title":   {"title": " "},
	} {
		r := request(params)
		r.Incident.Title = params["title"]
		if _, err := a.Plan(t.Context(), r); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v", params, err)
		}
	}
	r := request(map[string]string{"title": "The week"})
	r.Incident = nil
	if p, err := a.Plan(t.Context(), r); err != nil || p.Params["urgency"] != "informational" || p.Params["key"] != "r1 contain/tell" {
		t.Errorf("about no incident: %+v, %v", p, err)
	}
}

func TestApplyAndVerify(t *testing.T) {
	a, b := open(t)
	p, err := a.Plan(t.Context(), request(nil))
	if err != nil {
		t.Fatal(err)
	}
	p.ID, p.Incident = "plan1", "i1"
	v := a.(respond.Verifier)
	if err := v.Verify(t.Context(), p); err == nil {
		t.Error("verified before it was applied")
	}
	for range 2 {
		got, err := a.Apply(t.Context(), p)
		if err != nil || got.Ref != "plan1" {
			t.Fatalf("%+v, %v", got, err)
		}
	}
	if err := v.Verify(t.Context(), p); err != nil {
		t.Error(err)
	}
	b.fail = errors.New("the disk is full")
	if _, err := a.Apply(t.Context(), p); !errors.Is(err, b.fail) || respond.IsPermanent(err) {
		t.Errorf("%v", err)
	}
	err = b.store.Update(t.Context(), func(tx state.Tx) error {
		return tx.Notices().Save(t.Context(), &honeyguide.Notice{ID: "plan1", State: honeyguide.NoticeDead, Error: "wrong key"})
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := v.Verify(t.Context(), p); err == nil || !strings.Contains(err.Error(), "wrong key") {
		t.Errorf("dead: %v", err)
	}
	lost, err := notify.Kind.Open(t.Context(), nil, respond.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := lost.Apply(t.Context(), p); !respond.IsPermanent(err) {
		t.Errorf("without an outbox: %v", err)
	}
}
