package detect_test

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/detect"
)

// What feeds list weighs, the worst word most; a good name does not excuse bait.
func TestListedWeighs(t *testing.T) {
	entry := func(says string, sure int) honeyguide.Enrichment {
		return honeyguide.Enrichment{Provider: "feed:x", Type: "ip", Value: "203.0.113.7", Verdict: says, Confidence: sure}
	}
	for name, c := range map[string]struct {
		detector string
		known    []honeyguide.Enrichment
		want     float64
	}{
		"nothing":          {"behaviour", nil, 0},
		"a fact":           {"behaviour", []honeyguide.Enrichment{entry(honeyguide.SaysInfo, 100)}, 0},
		"malicious":        {"behaviour", []honeyguide.Enrichment{entry(honeyguide.SaysMalicious, 100)}, 15},
		"the worst counts": {"behaviour", []honeyguide.Enrichment{entry(honeyguide.SaysBenign, 100), entry(honeyguide.SaysSuspicious, 100), entry(honeyguide.SaysMalicious, 80)}, 12},
		"unsure":           {"behaviour", []honeyguide.Enrichment{entry(honeyguide.SaysSuspicious, 0)}, 3.5},
		"a good name":      {"behaviour", []honeyguide.Enrichment{entry(honeyguide.SaysBenign, 100)}, -10},
		"good, with bait":  {"token", []honeyguide.Enrichment{entry(honeyguide.SaysBenign, 100)}, 0},
	} {
		a := honeyguide.Alert{RuleID: "some_rule", Detector: c.detector, Attacker: "attacker:203.0.113.7", Severity: honeyguide.SeverityMedium, Enrichments: c.known}
		detect.NewTriage(detect.TriageConfig{}).Score(&a, nil, -1)
		got, sum := 0.0, 0.0
		for _, r := range a.Reasons {
			sum += r.Weight
			if r.Feature == "listed" {
				got = r.Weight
			}
		}
		if got != c.want || sum < a.Score-0.01 || sum > a.Score+0.01 {
			t.Errorf("%s: listed weighs %v, want %v; score %v is the sum %v", name, got, c.want, a.Score, sum)
		}
	}
}
