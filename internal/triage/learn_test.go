package triage

import (
	"fmt"
	"math"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// verdicts is what an analyst says of n alerts of a stream: every positive that
// is seen and some of the rest.
func verdicts(seed uint64, n int) []Judged {
	g := stream(seed, 40*n)
	var out []Judged
	for i, f := range features(g, nil) {
		if len(out) < n && (g[i].Positive || i%37 == 0) {
			out = append(out, Judged{Rule: g[i].Rule, Seen: f, Positive: g[i].Positive, At: g[i].Time})
		}
	}
	return out
}

func TestLearning(t *testing.T) {
	all := verdicts(1, 600)
	now := all[len(all)-1].At
	train, held := all[:400], all[400:]
	o := TrainOptions{Name: "site", Now: now, Population: 16_000}
	m, err := Learn(train, Cold(), o)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Learn(train, Cold(), o)
	if d := cmp.Diff(m, again, cmp.AllowUnexported(Priors{}, tally{})); d != "" || err != nil {
		t.Errorf("the same verdicts give another model: %v\n%s", err, d)
	}
	var positive []bool
	for _, x := range held {
		positive = append(positive, x.Positive)
	}
	before, after := Cold().Judge(held), m.Judge(held)
	if a, b := ShiftedLogLoss(after, positive), ShiftedLogLoss(before, positive); a > .6*b || AveragePrecision(after, positive) < .98 {
		t.Errorf("on verdicts it has not seen: log loss %.3f after %.3f, average precision %.3f after %.3f",
			a, b, AveragePrecision(after, positive), AveragePrecision(before, positive))
	}
	// The rate is right among all alerts, not among those that were chosen.
	g := stream(1, 16_000)
	var all16k []float64
	var truth []bool
	for i, f := range features(g, m.Priors) {
		all16k, truth = append(all16k, m.LogOdds(&f)), append(truth, g[i].Positive)
	}
	if e := CalibrationError(Reliability(all16k, truth)); e > .02 {
		t.Errorf("calibration error among all alerts %.4f", e)
	}
}

// A handful of verdicts moves the score of their rules and little else.
func TestFewVerdictsStayNearTheBase(t *testing.T) {
	all := verdicts(2, 400)
	few, rest := all[:24], all[24:]
	m, err := Learn(few, Cold(), TrainOptions{Now: few[23].At, Population: 900})
	if err != nil {
		t.Fatal(err)
	}
	if w, b := m.Weights[atSite*perScope+fRare]/m.Dev[atSite*perScope+fRare], .4; w < b-.4 || w > b+.4 {
		t.Errorf("rarity weighs %.3f, before %.3f", w, b)
	}
	far, mean := 0.0, 0.0
	before, after := Cold().Judge(rest), m.Judge(rest)
	for i := range rest {
		far = max(far, math.Abs(after[i]-before[i]))
		mean += (after[i] - before[i]) / float64(len(rest))
	}
	if far > 8 || math.Abs(mean) > 3 {
		t.Errorf("after 24 verdicts scores moved by %.1f in the mean and %.1f at most, in log odds", mean, far)
	}
}

func TestVerdictsOfOneKindTeachNothing(t *testing.T) {
	for _, positive := range []bool{true, false} {
		list := make([]Judged, 30)
		for i := range list {
			list[i] = Judged{Rule: fmt.Sprint(i), Positive: positive, At: noon}
		}
		if m, err := Learn(list, Cold(), TrainOptions{Now: noon}); err == nil {
			t.Errorf("positive %v: %v", positive, m)
		}
	}
	if _, err := Learn(nil, Cold(), TrainOptions{}); err == nil {
		t.Error("no verdicts are enough")
	}
}

// What was decided long ago counts less than what was decided lately.
func TestOldVerdictsFade(t *testing.T) {
	judged := []Judged{}
	for i := range 60 {
		at := noon.Add(time.Duration(i) * time.Hour)
		judged = append(judged, Judged{Rule: "changed", Positive: i < 30, At: at}, Judged{Rule: "other", Positive: i%2 == 0, At: at})
	}
	for i := range judged {
		if judged[i].Rule == "changed" && judged[i].Positive {
			judged[i].At = judged[i].At.Add(-360 * 24 * time.Hour)
		}
	}
	m, err := Learn(judged, Cold(), TrainOptions{Now: noon.Add(60 * time.Hour)})
	if err != nil {
		t.Fatal(err)
	}
	if p, _ := m.Priors.LogOdds("changed"); p > -1.5 {
		t.Errorf("a rule that was right a year ago and wrong since has log odds %.2f", p)
	}
}

func BenchmarkLearn(b *testing.B) {
	judged := verdicts(3, 10_000)
	for b.Loop() {
		if _, err := Learn(judged, Cold(), TrainOptions{Now: noon}); err != nil {
			b.Fatal(err)
		}
	}
}
