package triage

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"time"
)

// A Labelled signal is one an analyst, or labelled data, passed a verdict on.
type Labelled struct {
	Signal
	Positive bool    // it needed a human
	Weight   float64 // 1 for a fresh verdict; see Decay
}

// Decay is the weight of a verdict of that age: half after 90 days, so that a
// site that changes is not judged by what it was.
func Decay(age time.Duration) float64 {
	return math.Exp2(-max(age.Hours(), 0) / (90 * 24))
}

// A Group is what happened at one site, or in one stretch of time, in order.
// What verdicts say of a rule is learnt for each group from the other groups:
// otherwise a model trusts the lookup more than it deserves.
type Group []Labelled

// TrainOptions vary training. The zero value is fine.
type TrainOptions struct {
	Name    string    // of the model
	Now     time.Time // noted in the model
	Penalty float64   // of the weights; 0 means 3
	// Population is how many alerts the judged ones were chosen from; see Learn.
	Population int64
}

// Alerts that are what all of their rule are, beyond doubt, are many and alike:
// one of thinning is weighed for all.
const (
	dullLogOdds = 8
	thinning    = 20
	// enough positives of one rule in one group weigh like this many at most: a
	// scan that raises one rule fifty thousand times is still one thing.
	enough = 200
)

// Train fits a model to verdicts. At least two groups, and verdicts of both
// kinds, are needed. The same groups give the same model.
func Train(groups []Group, o TrainOptions) (*Model, error) {
	if len(groups) < 2 {
		return nil, errors.New("train triage model: at least two groups of verdicts are needed")
	}
	if o.Penalty <= 0 {
		o.Penalty = 3
	}
	priors := make([]*Priors, len(groups))
	for i, g := range groups {
		priors[i] = NewPriors()
		for _, l := range g {
			priors[i].add(l.Rule, l.Positive, l.Weight)
		}
	}
	var t table
	for i, g := range groups {
		others := NewPriors()
		for j, p := range priors {
			if j != i {
				others.merge(p)
			}
		}
		others.close()
		t.add(g, others)
	}
	m := &Model{Name: o.Name, TrainedAt: o.Now.UTC(), Priors: NewPriors(), Samples: t.seen, Positives: t.positives, Data: hash(groups)}
	for _, p := range priors {
		m.Priors.merge(p)
	}
	m.Priors.close()
	return m, m.learn(&t, nil, o.Penalty)
}

// learn fits the weights. What base says is believed until the table says
// otherwise; without a base nothing is.
func (m *Model) learn(t *table, base *Model, penalty float64) error {
	m.standardise(t)
	q := &problem{rows: t.rows, positive: t.positive, weight: t.weight}
	for j := range featureCount {
		q.penalty[j] = penalty
	}
	if base != nil {
		q.believed[featureCount] = base.Bias
		for j := range featureCount {
			slope := base.Weights[j] / base.Dev[j]
			q.believed[j] = slope * m.Dev[j]
			q.believed[featureCount] += slope * (m.Mean[j] - base.Mean[j])
		}
	}
	beta, err := q.fit()
	if err != nil {
		return err
	}
	copy(m.Weights[:], beta[:])
	m.Bias = beta[featureCount]
	return nil
}

// A table is what a model is fitted to.
type table struct {
	rows            []Features
	positive        []bool
	weight          []float64
	seen, positives int
}

func (t *table) add(g Group, priors *Priors) {
	o := NewObserver()
	alike := map[string]float64{} // positives of each rule
	for _, l := range g {
		if l.Positive {
			alike[l.Rule]++
		}
	}
	for _, l := range g {
		f := o.Observe(l.Signal, priors)
		t.seen++
		w := l.Weight
		if l.Positive {
			t.positives++
			w *= min(1, enough/alike[l.Rule])
		}
		if p := f[fPrior]; p > dullLogOdds && l.Positive || p < -dullLogOdds && !l.Positive {
			if t.seen%thinning != 0 {
				continue
			}
			w *= thinning
		}
		t.rows, t.positive, t.weight = append(t.rows, f), append(t.positive, l.Positive), append(t.weight, w)
	}
}

// standardise brings every feature to mean 0 and deviation 1, in place, and
// notes how. What says nothing about a row (see from) counts as the mean.
func (m *Model) standardise(t *table) {
	var sum Features
	for i := range t.rows {
		for j := from(&t.rows[i]); j < featureCount; j++ {
			sum[j] += t.weight[i]
			m.Mean[j] += t.weight[i] * t.rows[i][j]
		}
	}
	for j := range m.Mean {
		if sum[j] > 0 {
			m.Mean[j] /= sum[j]
		}
	}
	for i := range t.rows {
		for j := from(&t.rows[i]); j < featureCount; j++ {
			d := t.rows[i][j] - m.Mean[j]
			m.Dev[j] += t.weight[i] * d * d
		}
	}
	for j := range m.Dev {
		if m.Dev[j] = math.Sqrt(m.Dev[j] / max(sum[j], 1e-9)); m.Dev[j] < 1e-9 {
			m.Dev[j] = 1 // a feature that never varied says nothing
		}
	}
	for i := range t.rows {
		r := &t.rows[i]
		first := from(r)
		clear(r[:first])
		for j := first; j < featureCount; j++ {
			r[j] = (r[j] - m.Mean[j]) / m.Dev[j]
		}
	}
}

// hash names the data a model was trained on.
func hash(groups []Group) string {
	h := sha256.New()
	var b []byte
	for _, g := range groups {
		for _, l := range g {
			b = binary.AppendVarint(b[:0], l.Time.UnixMicro())
			b = fmt.Appendf(b, "%q%q%t%g", l.Rule, l.Asset, l.Positive, l.Weight)
			h.Write(b)
		}
		h.Write([]byte{0})
	}
	return hex.EncodeToString(h.Sum(nil))
}
