package triage

import "math"

// Evens is the score of even odds, and five points double the odds: 0 is one in
// eight thousand, 100 is a hundred and twenty-eight to one.
const Evens = 65

const pointsOfOdds = 5 / math.Ln2 // points of one unit of log odds

// Points turns log odds into points of a score, without its bounds of 0 and 100.
func Points(logOdds float64) float64 { return Evens + Scale(logOdds) }

// Scale turns a part of log odds into a part of a score.
func Scale(logOdds float64) float64 { return logOdds * pointsOfOdds }

// LogOdds turns points of a score into log odds.
func LogOdds(points float64) float64 { return (points - Evens) / pointsOfOdds }

// Probability is what a score between 0 and 100 says: how likely the alert needs
// a human. At 0 and 100 it is a bound, not a figure.
func Probability(score float64) float64 { return sigmoid(LogOdds(score)) }

// Cold returns the model of a site without verdicts. Nothing in it was fitted:
//
//   - What rules know by themselves counts as it is (points: 1).
//   - Rarity counts 0.4 of its log on the machine and 0.4 at the site: of a rule
//     twice as rare in both places the odds are 1.7 times as high. Less than 0.5
//     each, because the two say much the same. It counts from what is usual: a
//     rule with one twentieth of the signals is neither rare nor common.
//   - Company counts 0.4 in each span and place. The spans hold one another, so
//     what happened within half a minute counts three times: one rule nobody
//     has seen before beside this one is worth some 14 points on its machine and
//     as many at the site.
//   - The gap, the rate and the repetition say what rarity says again, and
//     without verdicts there is nothing to say about rules and their company.
func Cold() *Model {
	m := &Model{Name: "cold start"}
	for j := range m.Dev {
		m.Dev[j] = 1
	}
	m.Weights[fPoints] = 1
	for s := range scopeCount {
		m.Weights[s*perScope+fRare] = 0.4
		m.Mean[s*perScope+fRare] = usualRarity
		for k := range spans {
			m.Weights[s*perScope+fSpans+k*perSpan+fCompany] = 0.4
		}
	}
	return m
}

const usualRarity = 3 // -log of one twentieth
