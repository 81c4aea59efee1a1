package triage

import (
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// stream makes n signals of a site: chatty rules on a few machines, and every so
// often a burst of seldom rules on one machine, which is what needs a human.
func stream(seed uint64, n int) Group {
	r := rand.New(rand.NewPCG(seed, 7))
	var g Group
	at := noon
	put := func(rule string, asset int, positive bool) {
		g = append(g, Labelled{Signal: Signal{Time: at, Rule: rule, Asset: fmt.Sprint("host", asset), Points: LogOdds(10)}, Positive: positive, Weight: 1})
	}
	for len(g) < n {
		at = at.Add(time.Duration(r.IntN(20_000)) * time.Millisecond)
		put(fmt.Sprint("chatty", r.IntN(8)), r.IntN(5), false)
		if r.IntN(300) == 0 {
			host := r.IntN(5)
			for k := range 4 {
				at = at.Add(time.Duration(r.IntN(9000)) * time.Millisecond)
				put(fmt.Sprint("seldom", k), host, true)
			}
		}
		if r.IntN(200) == 0 {
			put(fmt.Sprint("seldom", r.IntN(4)), r.IntN(5), false) // alone it is nothing
		}
	}
	return g[:n]
}

func features(g Group, priors *Priors) []Features {
	o := NewObserver()
	out := make([]Features, len(g))
	for i := range g {
		out[i] = o.Observe(g[i].Signal, priors)
	}
	return out
}

// What comes later changes nothing: not when it is another future, not when
// there is none.
func TestFeaturesLookAtThePastOnly(t *testing.T) {
	g := stream(1, 3000)
	want := features(g, nil)
	const now = 2000
	other := slices.Clone(g)
	future := other[now:]
	r := rand.New(rand.NewPCG(3, 3))
	r.Shuffle(len(future), func(i, j int) { future[i], future[j] = future[j], future[i] })
	for i := range future {
		future[i].Rule = fmt.Sprint("other", i%3)
	}
	if d := cmp.Diff(want[:now], features(other, nil)[:now]); d != "" {
		t.Errorf("another future changes the past:\n%s", d)
	}
	if d := cmp.Diff(want[:now], features(g[:now], nil)); d != "" {
		t.Errorf("no future changes the past:\n%s", d)
	}
	if cmp.Equal(want[now:], features(other, nil)[now:]) {
		t.Error("another stream has the same features: the test sees nothing")
	}
}

// A verdict says nothing about the alert it was passed on before it was passed:
// features come from rules of other signals and from priors alone.
func TestFeaturesDoNotSeeTheLabel(t *testing.T) {
	g := stream(2, 500)
	flipped := slices.Clone(g)
	for i := range flipped {
		flipped[i].Positive = !flipped[i].Positive
	}
	if d := cmp.Diff(features(g, nil), features(flipped, nil)); d != "" {
		t.Error(d)
	}
}

func TestEqualTimesKeepTheirOrder(t *testing.T) {
	before := Labelled{Signal: Signal{Time: noon.Add(-24 * time.Hour), Rule: "c", Asset: "h"}} // what is unusual is known by now
	two := Group{{Signal: Signal{Time: noon, Rule: "a", Asset: "h"}}, {Signal: Signal{Time: noon, Rule: "b", Asset: "h"}}}
	f := features(append(Group{before}, two...), nil)[1:]
	company := atAsset*perScope + fSpans + fCompany
	if f[0][company] != 0 || f[1][company] <= 0 {
		t.Errorf("the first has company %v, the second %v", f[0][company], f[1][company])
	}
	slices.Reverse(two)
	back := features(append(Group{before}, two...), nil)[1:]
	if d := cmp.Diff(f, back); d != "" { // only the names changed places
		t.Errorf("the order given is not what counts:\n%s", d)
	}
}

func TestOddClocks(t *testing.T) {
	o := NewObserver()
	late := noon
	for i, at := range []time.Time{noon, {}, time.Unix(1<<40, 0), noon.Add(-time.Hour), noon.Add(time.Minute), noon.Add(2 * time.Minute)} {
		f := o.Observe(Signal{Time: at, Rule: fmt.Sprint("r", i%2), Asset: "h"}, nil)
		for j, v := range f {
			if math.IsNaN(v) || math.IsInf(v, 0) || math.Abs(v) > 40 {
				t.Errorf("signal %d at %v: %s is %v", i, at, FeatureNames()[j], v)
			}
		}
		late = at
	}
	// The clock of the year 36812 has not stopped the gap for good.
	f := o.Observe(Signal{Time: late.Add(10 * time.Minute), Rule: "r1", Asset: "h"}, nil)
	if gap := f[atAsset*perScope+fGap]; gap < 6 || gap > 7 {
		t.Errorf("ten minutes are %v, want log of 601", gap)
	}
}

func TestObserverIsBounded(t *testing.T) {
	o := NewObserver()
	for i := range maxSeen + 30_000 {
		o.Observe(Signal{Time: noon.Add(time.Duration(i) * time.Millisecond), Rule: fmt.Sprint("r", i%3000), Asset: fmt.Sprint("a", i/40)}, nil)
		if len(o.assets) > maxAssets || o.seen > maxSeen || len(o.site.rules) > maxRules {
			t.Fatalf("after %d signals: %d assets, %d rules on them, %d at the site", i, len(o.assets), o.seen, len(o.site.rules))
		}
	}
	n := 0
	for a := o.head; a != nil; a = a.next {
		n += len(a.rules)
	}
	if n != o.seen || len(o.assets) < 4000 {
		t.Errorf("%d rules are counted as %d on %d assets", n, o.seen, len(o.assets))
	}
	f := o.Observe(Signal{Time: noon, Rule: string(make([]byte, 1<<20)), Asset: "a1"}, nil)
	if f[fOwn] != 0 || len(o.site.head.rule) != maxName {
		t.Errorf("a name of %d bytes is kept", len(o.site.head.rule))
	}
}

// An observer that is written and read again goes on as if nothing had been.
func TestMemoryComesBack(t *testing.T) {
	g := stream(4, 3000)
	priors := NewPriors()
	priors.Add("seldom1", true, 1)
	a := NewObserver()
	for _, l := range g[:2000] {
		a.Observe(l.Signal, priors)
	}
	raw := a.Encode()
	b, err := ReadObserver(raw)
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(raw, b.Encode()) {
		t.Error("the same memory is written differently")
	}
	for i, l := range g[2000:] {
		x, y := a.Observe(l.Signal, priors), b.Observe(l.Signal, priors)
		if x != y {
			t.Fatalf("signal %d: %s", i, cmp.Diff(x, y))
		}
	}
	for _, bad := range [][]byte{nil, {9}, raw[:len(raw)-1], append(slices.Clone(raw), 0)} {
		if _, err := ReadObserver(bad); err == nil {
			t.Errorf("%d bytes of %d are taken", len(bad), len(raw))
		}
	}
}

func FuzzReadObserver(f *testing.F) {
	o := NewObserver()
	for _, l := range stream(5, 60) {
		o.Observe(l.Signal, nil)
	}
	f.Add(o.Encode())
	f.Add(NewObserver().Encode())
	f.Add([]byte{1, 255, 255, 3})
	f.Fuzz(func(t *testing.T, raw []byte) {
		o, err := ReadObserver(raw)
		if err != nil {
			return
		}
		again, err := ReadObserver(o.Encode())
		if err != nil {
			t.Fatalf("what was read cannot be written and read: %v", err)
		}
		for i := range 20 {
			s := Signal{Time: noon.Add(time.Duration(i) * time.Second), Rule: fmt.Sprint("r", i%3), Asset: "host1"}
			x, y := o.Observe(s, nil), again.Observe(s, nil)
			for j, v := range x {
				if math.IsNaN(v) || v != y[j] {
					t.Fatalf("%s: %v and %v", FeatureNames()[j], v, y[j])
				}
			}
		}
	})
}

func train(t testing.TB, seed uint64) *Model {
	t.Helper()
	m, err := Train([]Group{stream(seed, 4000), stream(seed+1, 4000), stream(seed+2, 4000)}, TrainOptions{Name: "test", Now: noon})
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestTrainingIsDeterministicAndLearns(t *testing.T) {
	m := train(t, 10)
	if d := cmp.Diff(m, train(t, 10), cmp.AllowUnexported(Priors{}, tally{})); d != "" {
		t.Errorf("the same verdicts give another model:\n%s", d)
	}
	if m.Data == train(t, 20).Data {
		t.Error("other data has the same hash")
	}
	g := stream(99, 6000)
	var trained, cold, prior []float64
	var positive []bool
	for i, f := range features(g, m.Priors) {
		trained, prior, positive = append(trained, m.LogOdds(&f)), append(prior, f[fPrior]), append(positive, g[i].Positive)
	}
	for _, f := range features(g, nil) {
		cold = append(cold, Cold().LogOdds(&f))
	}
	ap, byName, byRarity := AveragePrecision(trained, positive), AveragePrecision(prior, positive), AveragePrecision(cold, positive)
	if ap < .8 || ap < byName+.1 {
		t.Errorf("average precision %.3f; the name alone %.3f, the cold model %.3f", ap, byName, byRarity)
	}
	if e := CalibrationError(Reliability(trained, positive)); e > .02 {
		t.Errorf("calibration error %.4f", e)
	}
}

// The weights found are where the slope of the likelihood is nothing, and no
// step from there is better.
func TestFitConverges(t *testing.T) {
	var tab table
	tab.add(stream(30, 3000), NewPriors())
	m := &Model{}
	m.standardise(&tab)
	q := &problem{rows: tab.rows, positive: tab.positive, weight: tab.weight}
	for j := range featureCount {
		q.penalty[j] = 3
	}
	beta, err := q.fit()
	if err != nil {
		t.Fatal(err)
	}
	g, _ := q.slope(&beta)
	for j, v := range g {
		if math.Abs(v) > .05 {
			t.Errorf("slope %d is %v", j, v)
		}
	}
	least := q.loss(&beta)
	for j := range beta {
		next := beta
		next[j] += .1
		if q.loss(&next) < least {
			t.Errorf("a step along %d is better", j)
		}
	}
	q.positive = make([]bool, len(q.rows))
	if _, err := q.fit(); err == nil {
		t.Error("verdicts of one kind are enough")
	}
}

// What the rules know and the contributions are the score, to the last digit
// that matters, for any model and any signal.
func TestExplanationSumsToTheScore(t *testing.T) {
	m := train(t, 40)
	g := stream(50, 1000)
	for i := range g {
		g[i].Own, g[i].Points = i%3 == 0, LogOdds(float64(i%100))
	}
	for name, x := range map[string]*Model{"trained": m, "cold": Cold()} {
		named := map[string]bool{}
		for i, f := range features(g, x.Priors) {
			sum := f[fPoints]
			list := x.Explain(&f)
			for k, c := range list {
				sum += c.LogOdds
				named[c.Name] = true
				if c.Text == "" || k > 0 && math.Abs(c.LogOdds) > math.Abs(list[k-1].LogOdds) {
					t.Fatalf("%s, signal %d: %+v", name, i, list)
				}
			}
			if z := x.LogOdds(&f); math.Abs(z-sum) > 1e-9 {
				t.Fatalf("%s, signal %d: %v is explained by %v", name, i, z, sum)
			}
			if p := x.Probability(&f); p < 0 || p > 1 || math.IsNaN(p) {
				t.Fatalf("probability %v", p)
			}
			if g[i].Own && name == "cold" && len(list) != 0 {
				t.Fatalf("the cold model says of our own decoys: %+v", list)
			}
		}
		want := []string{"rarity_on_asset", "rarity_at_site", "company_on_asset", "company_at_site"}
		if name == "trained" {
			want = append(want, "rule_history", Calibration)
		}
		for _, w := range want {
			if !named[w] {
				t.Errorf("the %s model never speaks of %s", name, w)
			}
		}
	}
}

func TestPointsAndOdds(t *testing.T) {
	for _, p := range []float64{0, 10, 65, 99} {
		if got := Points(LogOdds(p)); math.Abs(got-p) > 1e-9 {
			t.Errorf("%v points become %v", p, got)
		}
	}
	if Probability(Evens) != .5 || math.Abs(Probability(70)-2./3) > 1e-9 || math.Abs(Probability(0)-1./8193) > 1e-9 {
		t.Errorf("65: %v, 70: %v, 0: %v", Probability(Evens), Probability(70), Probability(0))
	}
}

func TestMeasures(t *testing.T) {
	yes := []bool{true, false, true, false}
	for _, tc := range []struct {
		scores []float64
		want   float64
	}{{[]float64{4, 3, 2, 1}, (1 + 2./3) / 2}, {[]float64{1, 1, 1, 1}, .5}, {[]float64{2, 1, 2, 1}, 1}} {
		if got := AveragePrecision(tc.scores, yes); math.Abs(got-tc.want) > 1e-12 {
			t.Errorf("%v: %v, want %v", tc.scores, got, tc.want)
		}
	}
	zero := make([]float64, 4)
	if LogLoss(zero, yes) != math.Ln2 || Brier(zero, yes) != .25 || LogLoss(nil, nil) != 0 || Brier(nil, nil) != 0 {
		t.Errorf("tossed coins: %v %v", LogLoss(zero, yes), Brier(zero, yes))
	}
	if l := LogLoss([]float64{1000, -1000, 1000, -1000}, yes); l != 0 {
		t.Errorf("certain and right: %v", l)
	}
	if l := LogLoss([]float64{-1000}, yes); l != 1000 {
		t.Errorf("certain and wrong: %v", l)
	}
	bins := Reliability([]float64{-20, 20, 0, 0}, yes)
	if bins[0].N != 1 || bins[len(bins)-1].N != 1 || bins[6].N != 2 || bins[6].Positive != 1 || bins[6].Expected != 1 {
		t.Errorf("%+v", bins)
	}
	low, high := Wilson(8, 10)
	if math.Abs(low-.4901) > 5e-4 || math.Abs(high-.9433) > 5e-4 {
		t.Errorf("8 of 10: %v to %v", low, high)
	}
	if low, high := Wilson(0, 0); low != 0 || high != 1 {
		t.Errorf("nothing counted: %v to %v", low, high)
	}
	if low, high := Wilson(0, 20); low != 0 || high < .1 || high > .2 {
		t.Errorf("0 of 20: %v to %v", low, high)
	}
}

func TestPack(t *testing.T) {
	for _, f := range features(stream(60, 50), nil) {
		got, ok := Unpack(f.Pack())
		if !ok {
			t.Fatal("not read")
		}
		for j := range f {
			if math.Abs(got[j]-f[j]) > 1./1024 {
				t.Fatalf("%s: %v becomes %v", FeatureNames()[j], f[j], got[j])
			}
		}
	}
	wide := Features{1e9, -1e9, math.NaN()}
	if got, ok := Unpack(wide.Pack()); !ok || got[0] < 31 || got[1] > -31 {
		t.Errorf("%v", got[:3])
	}
	for _, bad := range []string{"", "AAAA", "!", empty() + "A"} {
		if _, ok := Unpack(bad); ok {
			t.Errorf("%q is taken", bad)
		}
	}
}

func empty() string { var f Features; return f.Pack() }
