package triage

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"
)

// Judged is one alert that a verdict was passed on, as a model saw it.
type Judged struct {
	Rule     string
	Seen     Features
	Positive bool // it needed a human
	At       time.Time
}

// folds is how many parts verdicts are cut into: what verdicts say of a rule is
// learnt for each part from the others.
const folds = 5

// Learn fits a model to verdicts in the order they were passed. With few of them
// it stays near base, with many it goes where they point. A verdict counts half
// after 90 days. At least two verdicts of each kind are needed. The same verdicts
// at the same time give the same model.
//
// People judge what looks worth it, so true positives are more common among
// judged alerts than among all. That biases how common they are and nothing else
// (as in a case-control study); o.Population corrects it by counting alerts
// nobody judged as ones that did not need anybody. They teach nothing else.
func Learn(judged []Judged, base *Model, o TrainOptions) (*Model, error) {
	if o.Penalty <= 0 {
		o.Penalty = 3
	}
	kinds := map[bool]int{}
	alike := map[string]float64{}
	for _, x := range judged {
		kinds[x.Positive]++
		alike[x.Rule]++
	}
	if kinds[true] < 2 || kinds[false] < 2 {
		return nil, errors.New("learn triage model: two verdicts of each kind are needed")
	}
	weight := func(x *Judged) float64 { return Decay(o.Now.Sub(x.At)) }
	part := func(i int) int { return i * folds / len(judged) }
	priors := make([]*Priors, folds)
	for i := range priors {
		priors[i] = NewPriors()
	}
	for i := range judged {
		priors[part(i)].add(judged[i].Rule, judged[i].Positive, weight(&judged[i]))
	}
	m := &Model{Name: o.Name, TrainedAt: o.Now.UTC(), Samples: len(judged), Positives: kinds[true], Data: hashJudged(judged)}
	others := make([]*Priors, folds)
	for i := range others {
		others[i] = NewPriors()
		for j, p := range priors {
			if j != i {
				others[i].merge(p)
			}
		}
		others[i].close()
	}
	m.Priors = NewPriors()
	for _, p := range priors {
		m.Priors.merge(p)
	}
	m.Priors.close()
	var t table
	for i := range judged {
		x := &judged[i]
		f := x.Seen
		others[part(i)].Describe(x.Rule, &f)
		t.rows, t.positive = append(t.rows, f), append(t.positive, x.Positive)
		t.weight = append(t.weight, weight(x)*min(1, enough/alike[x.Rule]))
	}
	if err := m.learn(&t, base, o.Penalty); err != nil {
		return nil, err
	}
	m.Bias -= math.Log(max(float64(o.Population-int64(kinds[true]))/float64(kinds[false]), 1))
	return m, nil
}

// Judge returns what m makes of alerts that were judged, in log odds.
func (m *Model) Judge(judged []Judged) []float64 {
	out := make([]float64, len(judged))
	for i := range judged {
		f := judged[i].Seen
		m.Priors.Describe(judged[i].Rule, &f)
		out[i] = m.LogOdds(&f)
	}
	return out
}

func hashJudged(judged []Judged) string {
	h := sha256.New()
	var b []byte
	for i := range judged {
		x := &judged[i]
		b = binary.AppendVarint(b[:0], x.At.UnixMicro())
		b = fmt.Appendf(b, "%q%t%s", x.Rule, x.Positive, x.Seen.Pack())
		h.Write(b)
	}
	return hex.EncodeToString(h.Sum(nil))
}

// A Weight is what one feature counts in a model: the log odds that one
// deviation of it from the mean adds.
type Weight struct {
	Feature string  `json:"feature"`
	Weight  float64 `json:"weight"`
}

// Weightiest returns the features of m that count, the weightiest first.
func (m *Model) Weightiest() []Weight {
	out := []Weight{}
	for j, name := range FeatureNames() {
		if m.Weights[j] != 0 {
			out = append(out, Weight{name, m.Weights[j]})
		}
	}
	slices.SortStableFunc(out, func(a, b Weight) int { return cmp.Compare(math.Abs(b.Weight), math.Abs(a.Weight)) })
	return out
}
