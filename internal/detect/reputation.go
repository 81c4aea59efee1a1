package detect

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// Points the word of one service is worth when it is quite sure.
var reputationPoints = map[string]float64{
	honeyguide.SaysMalicious: 15, honeyguide.SaysSuspicious: 7, honeyguide.SaysBenign: -10,
}

// Bounds of what all services together add to a score.
const (
	mostReputation  = 20
	leastReputation = -10
)

// Reputation weighs what services know about the source of an alert into its
// score, as reasons of their own, and reports whether that changed anything. It
// may be called again when more is known. A good name lowers a score a little; it
// closes nothing, and what our own bait or cage says it does not touch.
func Reputation(a *honeyguide.Alert, known []honeyguide.Enrichment) bool {
	var rest, said []honeyguide.Reason
	sum, was := 0.0, 0
	for _, r := range a.Reasons {
		if strings.HasPrefix(r.Feature, state.ReputationFeature) {
			was++
			continue
		}
		rest = append(rest, r)
		sum += r.Weight
	}
	total := 0.0
	for i := range known {
		x := &known[i]
		points := reputationWorth(x)
		if points < 0 && certain(a) {
			points = 0
		}
		if points = min(max(points, leastReputation-total), mostReputation-total); points == 0 {
			continue
		}
		total += points
		said = append(said, honeyguide.Reason{Feature: state.ReputationFeature + x.Provider, Weight: points, Text: reputationText(x)})
	}
	if len(said) == 0 && was == 0 {
		return false
	}
	before := slices.Clone(a.Reasons)
	a.Reasons = append(rest, said...)
	a.Score = min(max(sum+total, 0), 100)
	return !slices.Equal(before, a.Reasons)
}

// reputationWorth is what one word is worth in points; who does not say how sure
// they are counts half.
func reputationWorth(x *honeyguide.Enrichment) float64 {
	sure := float64(x.Confidence) / 100
	if x.Confidence == 0 {
		sure = 0.5
	}
	return math.Round(reputationPoints[x.Verdict]*sure*10) / 10
}

// certain reports whether an alert is beyond a good name: our own bait and cage
// say it.
func certain(a *honeyguide.Alert) bool {
	return a.Severity >= honeyguide.SeverityCritical || a.Detector == "token" || a.Detector == "violation"
}

// reputationText is the sentence an analyst can check.
func reputationText(x *honeyguide.Enrichment) string {
	at := x.AsOf
	if at.IsZero() {
		at = x.At
	}
	s := fmt.Sprintf("%s calls the source %s", x.Provider, x.Verdict)
	if x.Confidence > 0 {
		s += fmt.Sprintf(", %d %% sure", x.Confidence)
	}
	return s + " (" + at.UTC().Format("2006-01-02") + ")."
}
