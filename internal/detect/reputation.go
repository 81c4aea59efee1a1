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
	certain := a.Severity >= honeyguide.SeverityCritical || a.Detector == "token" || a.Detector == "violation"
	total := 0.0
	for i := range known {
		x := &known[i]
		sure := float64(x.Confidence) / 100
		if x.Confidence == 0 {
			sure = 0.5
		}
		points := math.Round(reputationPoints[x.Verdict]*sure*10) / 10
		if points < 0 && certain {
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
