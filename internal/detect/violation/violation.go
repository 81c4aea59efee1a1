// Package violation turns a sensor process that broke its cage into a critical
// alert: the decoy may have been escaped from.
package violation

import (
	"context"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
)

// Kind is the sandbox violation detector.
var Kind = kind.Of("violation", "A sensor process broke its sandbox rules (critical).", Config{}, open)

// Config has no settings: a violation is always critical.
type Config struct{}

var escaped = detect.Rule{
	ID: "sandbox_violation", Title: "Sensor broke its sandbox", Severity: honeyguide.SeverityCritical, Category: honeyguide.CategoryContainer,
	Techniques: []string{"T1611"}, Why: "did what its cage forbids",
}

// Rules returns the rule this detector can claim.
func Rules() []detect.Rule { return []detect.Rule{escaped} }

type detector struct{}

var _ detect.Detector = detector{}

func open(context.Context, Config, detect.Deps) (detect.Detector, error) { return detector{}, nil }

// Detect claims every violation; those of one sensor are one alert.
func (detector) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	var out []honeyguide.Alert
	for i := range batch {
		e := &batch[i]
		if e.Activity != honeyguide.ActivityViolation {
			continue
		}
		a := detect.Claim("violation", &escaped, e, e.Sensor, e.Str(honeyguide.AttrDetail))
		out = append(out, a)
	}
	return out, nil
}
