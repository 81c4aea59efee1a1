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
	for j := from(f); j < featureCount; j++ {
		z += m.Weights[j] * (f[j] - m.Mean[j]) / m.Dev[j]
	}
	return z
}

// from is the first feature that says something about f: of what our own decoys
// saw neither rarity nor company do.
func from(f *Features) int {
	if f[fOwn] != 0 {
		return fPrior
	}
	return 0
}

// Probability returns the same as a probability.
func (m *Model) Probability(f *Features) float64 { return sigmoid(m.LogOdds(f)) }

// A Contribution is one readable part of a score, in log odds: 0.7 doubles the
// odds, -0.7 halves them. What the rules know (Signal.Points) and the
// contributions add up to the log odds of a signal.
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
	{"rule_history", "what verdicts say of this rule", func(j int) bool { return j >= fPrior && j < fOwn }},
	{"rarity_on_asset", "how seldom the rule fires on this machine", scopePart(atAsset, false)},
	{"rarity_at_site", "how seldom the rule fires anywhere", scopePart(atSite, false)},
	{"company_on_asset", "what else fired on this machine within the half hour before", scopePart(atAsset, true)},
	{"company_at_site", "what else fired anywhere within the half hour before", scopePart(atSite, true)},
}

// scopePart selects the features of one scope: those about other rules and
// repetition within the spans, or those about the rule in the long run.
func scopePart(scope int, near bool) func(int) bool {
	return func(j int) bool {
		return j/perScope == scope && j < fPrior && (j%perScope >= fSpans) == near
	}
}

// Calibration is the name of the contribution that corrects the rest: how far
// verdicts bear out what rules know by themselves, and how common true
// positives are at the site.
const Calibration = "calibration"

// Explain returns the contributions to f's score, the weightiest first.
// Contributions of nothing are left out.
func (m *Model) Explain(f *Features) []Contribution {
	out := make([]Contribution, 0, len(groups)+1)
	put := func(c Contribution) {
		if math.Abs(c.LogOdds) > 1e-12 {
			out = append(out, c)
		}
	}
	part := func(j int) float64 { return m.Weights[j] * (f[j] - m.Mean[j]) / m.Dev[j] }
	for _, g := range groups {
		c := Contribution{Name: g.name, Text: g.text}
		for j := from(f); j < featureCount; j++ {
			if g.of(j) {
				c.LogOdds += part(j)
			}
		}
		put(c)
	}
	put(Contribution{
		Name: Calibration, Text: "how far verdicts at this site bear out the rest",
		LogOdds: m.Bias + part(fOwn) + part(fPoints) - f[fPoints],
	})
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
