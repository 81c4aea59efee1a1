package report_test

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/report"
	"honeyguide/internal/state"
)

func brief(t *testing.T, s store, span string) (report.Window, []report.Figure) {
	t.Helper()
	w, err := report.WindowOf(span, noon)
	if err != nil {
		t.Fatal(err)
	}
	var list []report.Figure
	if err := s.View(t.Context(), func(tx state.Tx) (err error) {
		list, err = report.Brief(t.Context(), tx, w)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return w, list
}

// Without data there is no figure, and no 0 or 100 % either.
func TestBriefNoData(t *testing.T) {
	for _, span := range report.Spans() {
		w, list := brief(t, open(t), span)
		for _, f := range list {
			switch {
			case f.Unit == "count" && (*f.Value != 0 || f.Result != report.Met),
				f.Unit != "count" && (f.N != 0 || f.Value != nil || f.P50 != nil || f.Low != nil || f.Result != report.NoData):
				t.Errorf("%s: %+v", span, f)
			case f.About == "" || f.Better == "" || len(f.Trend) == 0 || !f.Trend[0].At.Equal(w.Since):
				t.Errorf("%s: %s says too little: %+v", span, f.Name, f)
			}
		}
	}
	if _, err := report.WindowOf("1y", noon); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Error(err)
	}
}

// The brief figures are those of the whole report: what is counted to the last
// one, and medians as near as is promised.
func TestBriefIsTheReport(t *testing.T) {
	s := open(t)
	r := rand.New(rand.NewPCG(5, 6))
	s.put(func(ctx context.Context, tx state.Tx) error {
		for n := range 2000 {
			at := noon.Add(-time.Duration(r.IntN(40*24)) * time.Hour).Add(-time.Duration(r.IntN(3600)) * time.Second)
			a := alertAt(n, at, time.Duration(200*math.Exp(r.Float64()*9))*time.Millisecond)
			if n%400 == 0 {
				a.Detector = "violation"
			}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
			if n%5 == 0 {
				v := honeyguide.Verdict{As: honeyguide.VerdictWords()[n/5%3], By: "eve", At: a.CreatedAt.Add(time.Hour)}
				if v.At.After(noon) {
					continue
				}
				if _, _, err := tx.Verdicts().Pass(ctx, a.ID, v); err != nil {
					return err
				}
			}
		}
		for n := range 100 {
			i := honeyguide.Incident{Key: fmt.Sprint("attacker:", n), Title: "x", Severity: honeyguide.SeverityHigh, CreatedAt: noon.Add(-time.Duration(r.IntN(700)) * time.Hour)}
			if n%3 > 0 {
				i.Clock.ContainedAt = i.CreatedAt.Add(time.Duration(r.IntN(7200)) * time.Second)
			}
			if _, err := tx.Incidents().Save(ctx, &i); err != nil {
				return err
			}
		}
		return nil
	})
	for _, span := range report.Spans() {
		w, list := brief(t, s, span)
		k := s.kpi(w.Since, w.Until)
		for _, name := range []string{"time_to_detect_ms", "time_to_respond_ms"} {
			f, d := find(t, list, func(f report.Figure) bool { return f.Name == name }), took(t, k, name)
			near := func(what string, got, want *float64, off float64) {
				if got == nil || want == nil || math.Abs(*got-*want) > off**want+1 {
					t.Errorf("%s %s %s: got %v, want %v", span, name, what, *got, *want)
				}
			}
			if d.N == 0 {
				continue
			}
			near("mean", f.Value, d.MeanMS, .03) // an alert at the edge of the span may be on the other side
			if math.Abs(float64(f.N-d.N)) > .02*float64(d.N)+1 {
				t.Errorf("%s %s: n %d, want %d", span, name, f.N, d.N)
			}
			if d.N > 500 {
				near("median", f.P50, d.MedianMS, .05)
				near("p95", f.P95, d.P95MS, .05)
			}
			sum := int64(0)
			for _, p := range f.Trend {
				sum += p.N
			}
			if sum != f.N {
				t.Errorf("%s %s: the trend has %d of %d", span, name, sum, f.N)
			}
		}
		f, p := find(t, list, func(f report.Figure) bool { return f.Name == "false_positive_rate" }), part(t, k, "false_positive_rate")
		if f.N != p.N || f.Hits != p.Hits || *f.Value != *p.Value || *f.Low != *p.Low || f.Result != p.Result {
			t.Errorf("%s: false positives %+v, want %+v", span, f, p)
		}
		e, c := find(t, list, func(f report.Figure) bool { return f.Name == "escapes" }), k.Counts[0]
		if e.N != c.N || e.Result != c.Result {
			t.Errorf("%s: escapes %+v, want %+v", span, e, c)
		}
	}
}

// Ranks and the course of alerts agree with each other.
func TestRanks(t *testing.T) {
	s := open(t)
	s.put(func(ctx context.Context, tx state.Tx) error {
		for n := range 300 {
			a := alertAt(n, noon.Add(-time.Duration(n+1)*time.Hour), time.Second)
			a.RuleID = fmt.Sprint("rule", n%7)
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	for _, span := range report.Spans() {
		w, err := report.WindowOf(span, noon)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.View(t.Context(), func(tx state.Tx) error {
			list, err := report.Rank(t.Context(), tx, w, state.TallyRule)
			if err != nil {
				return err
			}
			over, err := report.Over(t.Context(), tx, w)
			ranked, all := int64(0), int64(0)
			for i := range list {
				ranked += list[i].By.Total()
				if i > 0 && list[i].By.Total() > list[i-1].By.Total() {
					t.Errorf("%s: out of order: %+v", span, list)
				}
			}
			for _, x := range over {
				all += x.Total()
			}
			if len(list) != 7 || ranked != all || len(over) != w.Points() || len(over) > 120 {
				t.Errorf("%s: %d rules with %d alerts, %d alerts in %d points", span, len(list), ranked, all, len(over))
			}
			return err
		}); err != nil {
			t.Fatal(err)
		}
	}
}
