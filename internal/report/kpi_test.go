package report_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/report"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

type store struct {
	*testing.T
	state.Store
}

func open(t *testing.T) store {
	t.Helper()
	s, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return store{t, s}
}

func (s store) put(f func(ctx context.Context, tx state.Tx) error) {
	s.Helper()
	if err := s.Update(s.Context(), func(tx state.Tx) error { return f(s.Context(), tx) }); err != nil {
		s.Fatal(err)
	}
}

func (s store) kpi(since, until time.Time) (k report.KPI) {
	s.Helper()
	if err := s.View(s.Context(), func(tx state.Tx) (err error) {
		k, err = report.Compute(s.Context(), tx, since, until)
		return err
	}); err != nil {
		s.Fatal(err)
	}
	return k
}

func find[T any](t *testing.T, list []T, is func(T) bool) T {
	t.Helper()
	for _, x := range list {
		if is(x) {
			return x
		}
	}
	t.Fatalf("not in %+v", list)
	panic("unreachable")
}

func took(t *testing.T, k report.KPI, name string) report.Duration {
	t.Helper()
	return find(t, k.Times, func(d report.Duration) bool { return d.Name == name })
}

func part(t *testing.T, k report.KPI, name string) report.Share {
	t.Helper()
	return find(t, k.Shares, func(s report.Share) bool { return s.Name == name })
}

// Nothing counted gives no figures, and says so.
func TestNoData(t *testing.T) {
	k := open(t).kpi(time.Time{}, noon)
	for _, d := range k.Times {
		if d.N != 0 || d.MeanMS != nil || d.MedianMS != nil || d.P95MS != nil || d.TargetMS > 0 && d.Result != report.NoData || d.TargetMS == 0 && d.Result != report.Open {
			t.Errorf("%+v", d)
		}
	}
	for _, s := range k.Shares {
		if s.N != 0 || s.Value != nil || s.Low != nil || (s.Below > 0 || s.Above > 0) != (s.Result == report.NoData) {
			t.Errorf("%+v", s)
		}
	}
	for _, c := range k.Counts {
		if c.N != 0 || c.Result != report.Met {
			t.Errorf("%+v", c)
		}
	}
	if len(k.Categories) < 10 || len(k.Severities) != 5 {
		t.Errorf("%d categories, %d severities", len(k.Categories), len(k.Severities))
	}
	doc, err := json.Marshal(k)
	if err != nil || strings.Contains(string(doc), "null") || strings.Contains(string(doc), `"mean_ms"`) {
		t.Errorf("%v: %s", err, doc)
	}
}

// alertAt makes an alert that was raised some time after its event.
func alertAt(n int, at time.Time, after time.Duration) honeyguide.Alert {
	return honeyguide.Alert{
		ID: fmt.Sprintf("alert%03d", n), Time: at, LastAt: at, CreatedAt: at.Add(after), DedupeKey: fmt.Sprint("k", n), RuleID: "r", Detector: "behaviour", Session: "s",
		Category: honeyguide.CategoryIntrusion, Severity: honeyguide.SeverityHigh, Count: 2, Title: "x",
	}
}

func TestTimes(t *testing.T) {
	s := open(t)
	var clocks []honeyguide.Incident
	at := func(d time.Duration) time.Time { return noon.Add(d) }
	s.put(func(ctx context.Context, tx state.Tx) error {
		var errs []error
		for n := range 20 { // 1 ms to 20 ms, and a microsecond
			a := alertAt(n, noon.Add(time.Duration(n)*time.Minute), time.Duration(n+1)*time.Millisecond+time.Microsecond)
			_, err := tx.Alerts().Save(ctx, &a)
			errs = append(errs, err)
		}
		old := alertAt(99, noon.Add(-48*time.Hour), 50*time.Hour) // of a log that was read in later
		_, err := tx.Alerts().Save(ctx, &old)
		hidden := alertAt(98, noon, time.Hour)
		hidden.Status = honeyguide.AlertSuppressed
		_, err2 := tx.Alerts().Save(ctx, &hidden)
		clocks = []honeyguide.Incident{
			{Status: honeyguide.IncidentInProgress, Clock: honeyguide.Clock{AcknowledgedAt: at(time.Minute), TriagedAt: at(2 * time.Minute), ContainedAt: at(4 * time.Minute), QualifiedAt: at(9 * time.Minute)}},
			{Status: honeyguide.IncidentClosed, Clock: honeyguide.Clock{AcknowledgedAt: at(2 * time.Minute), QualifiedAt: at(8*time.Minute + 3*time.Microsecond), ClosedAt: at(30 * time.Minute), HeldMS: 600_000, Reopened: 2}},
			{Status: honeyguide.IncidentNew},
			{Status: honeyguide.IncidentOnHold},
			{Status: honeyguide.IncidentClosed, Joined: "another", Clock: honeyguide.Clock{ContainedAt: at(time.Hour)}},
			{Status: honeyguide.IncidentInProgress, Clock: honeyguide.Clock{AcknowledgedAt: at(-time.Minute), ContainedAt: at(70 * time.Minute)}}, // split off
		}
		for n := range clocks {
			in := &clocks[n]
			in.Key, in.Severity, in.CreatedAt, in.DueAt = fmt.Sprint("k", n), honeyguide.SeverityHigh, noon, noon.Add(time.Hour)
			_, err := tx.Incidents().Save(ctx, in)
			errs = append(errs, err)
		}
		return errors.Join(append(errs, err, err2)...)
	})
	k := s.kpi(noon.Add(-time.Hour), noon.Add(5*time.Hour))
	detect := took(t, k, "time_to_detect_ms")
	if detect.N != 20 || math.Abs(*detect.MeanMS-10.501) > 1e-9 || math.Abs(*detect.MedianMS-10.501) > 1e-9 || *detect.P95MS != 19.001 || detect.Result != report.Met {
		t.Errorf("detect %+v mean %v median %v p95 %v", detect, *detect.MeanMS, *detect.MedianMS, *detect.P95MS)
	}
	for name, want := range map[string][]float64{ // in ms
		"time_to_respond_ms": {240_000, 480_000.003, 4_200_000}, "time_to_acknowledge_ms": {60_000, 120_000}, "time_to_triage_ms": {120_000}, "time_to_qualify_ms": {540_000, 480_000.003},
		"time_to_contain_ms": {240_000, 4_200_000}, "time_to_resolve_ms": {1_800_000}, "handling_ms": {1_800_000 - 120_000 - 600_000},
	} {
		sum := 0.0
		for _, x := range want {
			sum += x
		}
		if d := took(t, k, name); d.N != int64(len(want)) || math.Abs(*d.MeanMS-sum/float64(len(want))) > 1e-6 {
			t.Errorf("%s: %d, mean %v; want %v", name, d.N, *d.MeanMS, want)
		}
	}
	if d := took(t, k, "time_to_respond_ms"); d.Result != report.Missed || d.TargetMS != 900_000 {
		t.Errorf("respond %+v", d)
	}
	// The one that is open and overdue counts as late, the one on hold does not count.
	if x := part(t, k, "answered_in_time"); x.Hits != 2 || x.N != 4 || *x.Value != .5 {
		t.Errorf("in time %+v", x)
	}
	if k.Incidents != (report.Incidents{Opened: 5, Open: 4, Closed: 1, Reopened: 2, Unanswered: 2}) {
		t.Errorf("incidents %+v", k.Incidents)
	}
	if x := find(t, k.Categories, func(c report.Category) bool { return c.Name == honeyguide.CategoryIntrusion }); x.Alerts != 21 || x.Events != 42 || x.BySeverity["high"] != 21 {
		t.Errorf("category %+v", x)
	}
	if x := find(t, k.Severities, func(s report.Severity) bool { return s.Name == "high" }); x.Alerts != 21 || x.Incidents != 5 {
		t.Errorf("severity %+v", x)
	}
	// Outside of the span there is nothing.
	if d := took(t, s.kpi(noon.Add(6*time.Hour), noon.Add(7*time.Hour)), "time_to_detect_ms"); d.N != 0 {
		t.Errorf("later %+v", d)
	}
}

func TestFalsePositivesAndWhatMustNotHappen(t *testing.T) {
	s := open(t)
	s.put(func(ctx context.Context, tx state.Tx) error {
		var errs []error
		save := func(n int, edit func(*honeyguide.Alert), as honeyguide.VerdictWord) {
			a := alertAt(n, noon, time.Second)
			edit(&a)
			_, err := tx.Alerts().Save(ctx, &a)
			errs = append(errs, err)
			if as != "" {
				_, _, err = tx.Verdicts().Pass(ctx, a.ID, honeyguide.Verdict{As: as, By: "anna", At: noon.Add(time.Minute)})
				errs = append(errs, err)
			}
		}
		for n := range 10 {
			as := honeyguide.VerdictTruePositive
			if n == 0 {
				as = honeyguide.VerdictFalsePositive
			}
			save(n, func(*honeyguide.Alert) {}, as)
		}
		save(10, func(*honeyguide.Alert) {}, honeyguide.VerdictDuplicate)
		violation := func(a *honeyguide.Alert) { a.Detector, a.Category = "violation", honeyguide.CategoryContainer }
		save(20, violation, "")
		save(21, violation, honeyguide.VerdictFalsePositive)
		save(30, func(a *honeyguide.Alert) { a.Category, a.Session = honeyguide.CategoryExfiltration, "" }, "")
		save(31, func(a *honeyguide.Alert) { a.Category = honeyguide.CategoryExfiltration }, "") // in a decoy
		return errors.Join(errs...)
	})
	k := s.kpi(noon.Add(-time.Hour), noon.Add(time.Hour))
	if x := part(t, k, "false_positive_rate"); x.Hits != 2 || x.N != 11 || x.Result != report.Missed || *x.Low > 2.0/11 || *x.High < 2.0/11 {
		t.Errorf("false positives %+v", x)
	}
	for _, name := range []string{"escapes", "exfiltrations"} {
		if c := find(t, k.Counts, func(c report.Count) bool { return c.Name == name }); c.N != 1 || c.Result != report.Missed || len(c.Alerts) != 1 {
			t.Errorf("%+v", c)
		}
	}
}

func TestHoneytokenEffectiveness(t *testing.T) {
	const thief, other = "203.0.113.7", "203.0.113.8"
	for name, c := range map[string]struct {
		edit   func(*honeyguide.Alert)
		worked int64
	}{
		"told, and who":       {func(*honeyguide.Alert) {}, 1},
		"too late":            {func(a *honeyguide.Alert) { a.CreatedAt = a.Time.Add(61 * time.Second) }, 0},
		"just in time":        {func(a *honeyguide.Alert) { a.CreatedAt = a.Time.Add(60 * time.Second) }, 1},
		"not critical":        {func(a *honeyguide.Alert) { a.Severity = honeyguide.SeverityHigh }, 0},
		"nobody named":        {func(a *honeyguide.Alert) { a.Observed = a.Observed[:1] }, 0},
		"somebody else named": {func(a *honeyguide.Alert) { a.Observed[1].Value = other }, 0},
		"about another use":   {func(a *honeyguide.Alert) { a.EventIDs = []string{"e7"} }, 0},
		"about another token": {func(a *honeyguide.Alert) { a.Observed[0].Value = "tok2" }, 0},
		"said to be wrong": {func(a *honeyguide.Alert) {
			a.Verdict = honeyguide.Verdict{As: honeyguide.VerdictFalsePositive, By: "anna", At: noon}
		}, 0},
		"not told": {func(a *honeyguide.Alert) { a.RuleID = "brute_force" }, 0},
		"one of a long series": {func(a *honeyguide.Alert) {
			a.EventIDs = many()
			a.Time, a.LastAt = noon.Add(-time.Hour), noon.Add(time.Hour)
			a.CreatedAt = noon
		}, 1},
	} {
		s := open(t)
		s.put(func(ctx context.Context, tx state.Tx) error {
			src := honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(thief), 4000)}
			a := alertAt(1, noon, 5*time.Second)
			a.RuleID, a.Detector, a.Severity, a.EventIDs = "token_used", "token", honeyguide.SeverityCritical, []string{"e1"}
			a.Observed = []honeyguide.Observable{{Type: "token", Value: "tok"}, {Name: honeyguide.AttrReader, Type: "ip", Value: thief}}
			c.edit(&a)
			verdict := a.Verdict
			_, err := tx.Alerts().Save(ctx, &a)
			if err == nil && verdict.As != "" {
				a.Verdict = verdict
				err = tx.Alerts().Put(ctx, &a)
			}
			return errors.Join(err, tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: "tok", Kind: "aws_key"}),
				tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok", EventID: "x", Time: noon.Add(-time.Hour), Src: src}),
				tx.Tokens().Use(ctx, "tok", "e1", noon))
		})
		if x := part(t, s.kpi(noon.Add(-2*time.Hour), noon.Add(2*time.Hour)), "honeytoken_effectiveness"); x.Hits != c.worked || x.N != 1 || x.Above != .9 || (x.Result == report.Met) != (c.worked == 1) {
			t.Errorf("%s: %+v", name, x)
		}
	}
}

func many() (ids []string) {
	for n := range honeyguide.MaxEvidence {
		ids = append(ids, fmt.Sprint("burst", n))
	}
	return ids
}
