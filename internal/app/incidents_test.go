package app

import (
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/notice"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
)

func TestSLASettings(t *testing.T) {
	if err := defaultSLA().check(); err != nil {
		t.Error(err)
	}
	for name, edit := range map[string]func(*SLA){"critical": func(s *SLA) { s.Critical = 0 }, "low": func(s *SLA) { s.Low = 3000 * time.Hour }} {
		s := defaultSLA()
		edit(&s)
		if err := s.check(); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%s: %v", name, err)
		}
	}
	if got := (SLA{Critical: time.Minute}).times().Within(honeyguide.SeverityCritical); got != time.Minute {
		t.Errorf("critical within %v", got)
	}
}

// An incident nobody answers leaves one notice for each level.
func TestEscalationPostsNotices(t *testing.T) {
	now := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	a := &App{now: func() time.Time { return now }, metrics: telemetry.NewRegistry()}
	var err error
	if a.state, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: a.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.state.Close() })
	a.settings.Notify = notice.Defaults()
	if err := a.newNotices(); err != nil {
		t.Fatal(err)
	}
	if err := a.openIncidents(t.Context()); err != nil {
		t.Fatal(err)
	}
	in := honeyguide.Incident{Key: "k", Title: "Broke in", Severity: honeyguide.SeverityCritical, CreatedAt: now, DueAt: now.Add(15 * time.Minute)}
	if err := a.state.Update(t.Context(), func(tx state.Tx) error { _, err := tx.Incidents().Save(t.Context(), &in); return err }); err != nil {
		t.Fatal(err)
	}
	for _, after := range []time.Duration{11 * time.Minute, 12 * time.Minute, 13 * time.Minute, 15 * time.Minute, time.Hour} {
		now = in.CreatedAt.Add(after)
		if _, err := a.incidents.Look(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	var titles []string
	err = a.state.View(t.Context(), func(tx state.Tx) error {
		list, _, err := tx.Notices().List(t.Context(), state.NoticeQuery{Incident: in.ID})
		for _, n := range list {
			titles = append(titles, n.Title)
			if n.Severity != honeyguide.SeverityCritical || n.Text != "Broke in" {
				t.Errorf("notice %+v", n)
			}
		}
		return err
	})
	if err != nil || len(titles) != 2 || titles[0] != "I-1 was not answered in time" || titles[1] != "I-1 waits for an answer until 12:15 UTC" {
		t.Errorf("%v: notices %q", err, titles)
	}
}
