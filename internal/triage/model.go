package triage

import (
	"fmt"
	"math"
	"slices"
	"time"
)

// A Model weighs features. It is read-only once made; any number of goroutines
// may score with it.
type Model struct {
	Name      string
	TrainedAt time.Time
	Data      string // SHA-256 of what it was trained on; "" for the shipped one
	Samples   int
	Positives int
	Priors    *Priors // nil: no verdicts
	Mean, Dev Features
	Weights   Features
	Bias      float64
}

// LogOdds returns the log odds that the signal behind f needs a human.
func (m *Model) LogOdds(f *Features) float64 {
	z := m.Bias
	for j, v := range f {
		z += m.Weights[j] * (v - m.Mean[j]) / m.Dev[j]
	}
	return z
}

// Probability returns the same as a probability.
func (m *Model) Probability(f *Features) float64 { return sigmoid(m.LogOdds(f)) }

// A Contribution is one readable part of a score, in log odds: 0.7 doubles the
// odds, -0.7 halves them. The contributions of a score and the model's bias add
// up to it.
type Contribution struct {
	Name    string
	LogOdds float64
	Text    string
}

// groups are the features an analyst reads as one.
var groups = []struct {
	name string
	text string
	of   func(feature int) bool
}{
	{"rule_history", "what verdicts say of this rule", func(j int) bool { return j >= fPrior }},
	{"rarity_on_asset", "how seldom the rule fires on this machine", scopePart(atAsset, false)},
	{"rarity_at_site", "how seldom the rule fires anywhere", scopePart(atSite, false)},
	{"company_on_asset", "what else fired on this machine within half an hour before", scopePart(atAsset, true)},
	{"company_at_site", "what else fired anywhere within half an hour before", scopePart(atSite, true)},
}

// scopePart selects the features of one scope: those about other rules and
// repetition within the spans, or those about the rule in the long run.
func scopePart(scope int, near bool) func(int) bool {
	return func(j int) bool {
		return j/perScope == scope && j < fPrior && (j%perScope >= fSpans) == near
	}
}

// Explain returns the contributions to f's score, the weightiest first.
func (m *Model) Explain(f *Features) []Contribution {
	out := make([]Contribution, 0, len(groups))
	for _, g := range groups {
		c := Contribution{Name: g.name, Text: g.text}
		for j, v := range f {
			if g.of(j) {
				c.LogOdds += m.Weights[j] * (v - m.Mean[j]) / m.Dev[j]
			}
		}
		out = append(out, c)
	}
	slices.SortStableFunc(out, func(a, b Contribution) int {
		return cmpAbs(b.LogOdds, a.LogOdds)
	})
	return out
}

func cmpAbs(a, b float64) int {
	switch a, b = math.Abs(a), math.Abs(b); {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// String names the model in one line.
func (m *Model) String() string {
	if m.Data == "" {
		return m.Name
	}
	return fmt.Sprintf("%s, trained %s on %d alerts, %d of them true", m.Name, m.TrainedAt.Format(time.DateOnly), m.Samples, m.Positives)
}
