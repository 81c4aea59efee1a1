package pipeline_test

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// scan makes n findings of a network scanner, a minute apart.
func scan(n, first int) []honeyguide.Event {
	var out []honeyguide.Event
	for i := range n {
		e := honeyguide.Event{
			ID: fmt.Sprint("scan", first+i), Time: noon.Add(time.Duration(first+i) * time.Minute), Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding,
			Severity: honeyguide.SeverityMedium, Sensor: "ids", Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("10.1.2.3:0")},
		}
		e.Set(honeyguide.AttrProduct, "Suricata")
		e.Set(honeyguide.AttrRuleID, "2019401")
		e.Set(honeyguide.AttrRule, "ET SCAN Nmap")
		out = append(out, e)
	}
	return out
}

func suppression() honeyguide.Suppression {
	return honeyguide.Suppression{
		Match: honeyguide.Match{Rule: "suricata:2019401", Src: "10.1.0.0/16"}, Reason: "our own scanner", Owner: "ops", CreatedBy: "admin",
		ExpiresAt: clock().Add(24 * time.Hour),
	}
}

// tx runs f in an update.
func (w *world) tx(f func(ctx context.Context, tx state.Tx) error) {
	w.t.Helper()
	if err := w.state.Update(w.t.Context(), func(tx state.Tx) error { return f(w.t.Context(), tx) }); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) suppress(s *honeyguide.Suppression, existing bool) (hidden int64) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		hidden, err = pipeline.Suppress(ctx, tx, s, existing, clock())
		return err
	})
	return hidden
}

func (w *world) metric(line string) bool {
	w.t.Helper()
	var text strings.Builder
	if _, err := w.metrics.WriteTo(&text); err != nil {
		w.t.Fatal(err)
	}
	return strings.Contains(text.String(), line+"\n")
}

// What is suppressed is counted in one alert, in no incident and in no threat
// metric; everything else goes on.
func TestSuppressedAlertsStayQuiet(t *testing.T) {
	w := newWorld(t)
	s := suppression()
	w.suppress(&s, false)
	w.add(scan(5, 0)...)
	w.run()
	w.add(scan(3, 5)...)
	w.add((&script{src: reader, service: "ssh", session: "a", at: noon}).command("history -c").out...)
	w.run()
	f := w.found()
	a := f.alert("suricata:2019401")
	if a.Status != honeyguide.AlertSuppressed || a.Suppression != s.ID || a.Incident != "" || a.Count != 8 || len(a.Reasons) == 0 {
		t.Errorf("alert %+v", a)
	}
	if len(f.incidents) != 1 || f.incidents[0].Key != "attacker:"+reader {
		t.Errorf("incidents %+v", f.incidents)
	}
	for _, b := range f.blocks {
		if b.Address == "10.1.2.3" {
			t.Error("something is planned about noise")
		}
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Suppressions().Get(ctx, s.ID)
		if got.Alerts != 1 || got.Events != 8 || got.LastAt.IsZero() {
			t.Errorf("counts %+v", got)
		}
		return err
	})
	for _, line := range []string{"honeyguide_suppressed_alerts_total 1", "honeyguide_suppressed_events_total 8", "threat_events_total 1"} {
		if !w.metric(line) {
			t.Errorf("metrics lack %q", line)
		}
	}
}

// An expired, a lifted and a narrower suppression hide nothing.
func TestSuppressionsThatDoNotHold(t *testing.T) {
	w := newWorld(t)
	expired, lifted, other := suppression(), suppression(), suppression()
	other.Match.Src = "10.2.0.0/16"
	w.suppress(&lifted, false)
	w.suppress(&other, false)
	w.tx(func(ctx context.Context, tx state.Tx) error {
		expired.ExpiresAt = clock()
		if err := tx.Suppressions().Save(ctx, &expired); err != nil {
			return err
		}
		_, _, err := pipeline.Lift(ctx, tx, lifted.Short, "admin", false, clock())
		return err
	})
	w.add(scan(2, 0)...)
	w.run()
	if f := w.found(); f.alert("suricata:2019401").Status != honeyguide.AlertNew || len(f.incidents) != 1 {
		t.Errorf("%+v", f.alerts)
	}
}

// Existing alerts are hidden and come back.
func TestSuppressExistingAndReopen(t *testing.T) {
	w := newWorld(t)
	w.add(scan(4, 0)...)
	w.run()
	before := w.found()
	s := suppression()
	if n := w.suppress(&s, true); n != 1 || s.Alerts != 1 || s.Events != 4 {
		t.Errorf("hidden %d: %+v", n, s)
	}
	w.add(scan(2, 10)...)
	w.run()
	if a := w.found().alert("suricata:2019401"); a.Status != honeyguide.AlertSuppressed || a.Count != 6 || len(w.found().alerts) != len(before.alerts) {
		t.Errorf("hidden: %+v", a)
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		got, n, err := pipeline.Lift(ctx, tx, s.ID, "admin", true, clock())
		if n != 1 || got.Holds(clock()) {
			t.Errorf("reopened %d: %+v", n, got)
		}
		return err
	})
	a := w.found().alert("suricata:2019401")
	if a.Status != honeyguide.AlertNew || a.Suppression != "" || a.Incident != before.incidents[0].ID {
		t.Errorf("reopened: %+v", a)
	}
	w.add(scan(1, 20)...)
	w.run()
	if a := w.found().alert("suricata:2019401"); a.Count != 7 || a.Status != honeyguide.AlertNew {
		t.Errorf("after lifting: %+v", a)
	}
}

func TestPreview(t *testing.T) {
	w := newWorld(t)
	w.add(scan(4, 0)...)
	w.add((&script{src: reader, service: "ssh", session: "a", at: noon}).command("history -c").command("iptables -F").out...)
	w.run()
	look := func(m honeyguide.Match, from time.Time) (p client.SuppressionPreview) {
		w.tx(func(ctx context.Context, tx state.Tx) (err error) {
			p, err = pipeline.Preview(ctx, tx, m, from, clock().Add(time.Second))
			return err
		})
		return p
	}
	p := look(suppression().Match, clock().Add(-time.Hour))
	if p.Alerts != 1 || p.Events != 4 || p.Sources != 1 || !p.Complete || p.BySeverity["medium"] != 1 || p.IncidentsTouched != 1 || p.IncidentsGone != 1 ||
		!slices.Equal(p.Days, []client.DayCount{{Day: "2026-03-01", Alerts: 1, Events: 4}}) || len(p.Examples) != 1 || p.Rules[0].Rule != "suricata:2019401" {
		t.Errorf("preview %+v", p)
	}
	if p := look(suppression().Match, clock().Add(time.Millisecond)); p.Alerts != 0 || p.IncidentsTouched != 0 {
		t.Errorf("of nothing: %+v", p)
	}
	// One of an incident's alerts: the incident stays.
	if p := look(honeyguide.Match{Rule: "log_*"}, clock().Add(-time.Hour)); p.Alerts != 1 || p.IncidentsTouched != 1 || p.IncidentsGone != 0 {
		t.Errorf("of a part: %+v", p)
	}
	if before := w.found(); before.alert("suricata:2019401").Status != honeyguide.AlertNew {
		t.Error("looking hides")
	}
}

func TestSuppressRefuses(t *testing.T) {
	w := newWorld(t)
	for field, change := range map[string]func(*honeyguide.Suppression){
		"reason":     func(s *honeyguide.Suppression) { s.Reason = " " },
		"owner":      func(s *honeyguide.Suppression) { s.Owner = "" },
		"expires_at": func(s *honeyguide.Suppression) { s.ExpiresAt = clock() },
		"match":      func(s *honeyguide.Suppression) { s.Match = honeyguide.Match{} },
	} {
		s := suppression()
		change(&s)
		err := w.state.Update(t.Context(), func(tx state.Tx) error {
			_, err := pipeline.Suppress(t.Context(), tx, &s, false, clock())
			return err
		})
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%s: %v", field, err)
		}
	}
	forever := suppression()
	forever.ExpiresAt = clock().Add(2 * 366 * 24 * time.Hour)
	err := w.state.Update(t.Context(), func(tx state.Tx) error {
		_, err := pipeline.Suppress(t.Context(), tx, &forever, false, clock())
		return err
	})
	if err == nil {
		t.Error("a suppression without an end is taken")
	}
}
