// Package triage answers one question about an alert: how likely is it that a
// human should look at it? It knows three things: what analysts said of alerts
// of that rule before, how unusual the rule is where it fired, and what else
// fired there shortly before.
//
// An [Observer] turns a stream of signals into features; every feature looks at
// the past alone, so that a score never depends on what came later. A [Model]
// turns features into a probability, as a sum of named contributions in log
// odds: the sum is the score, and an analyst can read it. [Train] fits a model
// to verdicts; [Cold] is the model shipped for a site that has none.
//
// Judge a model by the average precision of each site, never by the area under
// the ROC curve and never pooled: positives are a few in ten thousand, and a
// lookup of rule names alone reaches an area of 0.99.
package triage
