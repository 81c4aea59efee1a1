package app

import (
	"strings"
	"testing"

	"honeyguide/internal/config"
)

// The detectors are configured and switched off as decoys are.
func TestDetectorsAreConfigured(t *testing.T) {
	load := func(sets ...string) (Settings, error) {
		tree, err := config.Load(config.Options{Schema: Schema(), Sets: sets})
		if err != nil {
			t.Fatal(err)
		}
		return Decode(tree)
	}
	s, err := load("detectors.token.enabled=false", "detectors.correlate.stages=5")
	if err != nil {
		t.Fatal(err)
	}
	on := map[string]bool{}
	for _, in := range s.Detectors {
		on[in.Name] = in.Enabled
	}
	if on["token"] || !on["behaviour"] || !on["correlate"] || !on["violation"] {
		t.Errorf("at work: %v", on)
	}
	for set, want := range map[string]string{
		"detectors.behaviour.beacon_count=99": "detectors.behaviour: beacon_count",
		"detectors.behaviour.beacn_count=9":   "did you mean",
		"detectors.nobody.x=1":                "unknown kind",
	} {
		if _, err := load(set); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", set, err)
		}
	}
}
