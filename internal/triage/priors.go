package triage

import (
	"maps"
	"math"
	"slices"
)

// Priors say what verdicts were given on alerts of each rule: the strongest
// single thing there is to know. Old verdicts count less, see Decay.
type Priors struct {
	rules          map[string]tally
	positive, all  float64
	commonLogOdds  float64
	unknownLogOdds float64
}

// A tally counts verdicts; decayed counts are no whole numbers.
type tally struct{ Positive, All, logOdds float64 }

// Smoothing of a rule's share of true positives: as if every rule had been seen
// a little, mostly as noise. A rule with one verdict must not be certain.
const (
	smoothPositive = 0.05
	smoothAll      = 0.6
)

// unknownAbove is how much likelier than the average alert one of a rule is that
// nobody has judged yet: new things deserve a look.
const unknownAbove = 3.0

// NewPriors returns priors without verdicts.
func NewPriors() *Priors { return &Priors{rules: map[string]tally{}} }

// Add counts a verdict of weight w.
func (p *Priors) Add(rule string, positive bool, w float64) {
	p.add(rule, positive, w)
	p.close()
}

func (p *Priors) add(rule string, positive bool, w float64) {
	t := p.rules[rule]
	t.All += w
	p.all += w
	if positive {
		t.Positive += w
		p.positive += w
	}
	p.rules[rule] = t
}

// merge counts all verdicts of other.
func (p *Priors) merge(other *Priors) {
	for rule, o := range other.rules {
		t := p.rules[rule]
		p.rules[rule] = tally{Positive: t.Positive + o.Positive, All: t.All + o.All}
	}
	p.positive += other.positive
	p.all += other.all
}

// close works out what LogOdds says; it follows every change.
func (p *Priors) close() {
	for rule, t := range p.rules {
		share := (t.Positive + smoothPositive) / (t.All + smoothAll)
		t.logOdds = math.Log(share / (1 - share))
		p.rules[rule] = t
	}
	p.commonLogOdds = math.Log((p.positive + smoothPositive) / (p.all + smoothAll))
	p.unknownLogOdds = p.commonLogOdds + unknownAbove
}

// Len returns how many rules have verdicts.
func (p *Priors) Len() int { return len(p.rules) }

// LogOdds returns the log odds that an alert of the rule is a true positive,
// and whether there was any verdict on the rule.
func (p *Priors) LogOdds(rule string) (float64, bool) {
	t, ok := p.rules[rule]
	if !ok {
		return p.unknownLogOdds, false
	}
	return t.logOdds, true
}

// Describe writes what verdicts say of a rule into f. Without priors the
// features stay as they are.
func (p *Priors) Describe(rule string, f *Features) {
	if p == nil {
		return
	}
	odds, known := p.LogOdds(rule)
	f[fPrior], f[fKnownBad], f[fUnknown] = odds, max(0, odds+6), 0
	if !known {
		f[fUnknown] = 1
	}
}

// recount brings the sums up to date with the rules, in a fixed order of
// addition, because floating point has one.
func (p *Priors) recount() {
	p.positive, p.all = 0, 0
	for _, rule := range slices.Sorted(maps.Keys(p.rules)) {
		p.positive += p.rules[rule].Positive
		p.all += p.rules[rule].All
	}
}
