package app

import (
	"context"
	"errors"
	"log/slog"
	"strings"

	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
	"honeyguide/internal/pipeline"
)

// detectorCommon is what all detectors are told: nothing.
type detectorCommon struct{}

// detectorSection describes the detectors: each kind that is linked, at work
// unless it is switched off.
func detectorSection() config.Section {
	kinds, on := map[string]any{}, map[string]config.Preset{}
	for _, k := range builtin.Detectors() {
		kinds[k.Name] = k.Defaults
		on[k.Name] = config.Preset{Kind: k.Name, Common: detectorCommon{}}
	}
	return config.Section{
		Key: "detectors", Summary: "what looks at events, by name; enabled: false switches one off",
		Instances: &config.Instances{Common: detectorCommon{}, Kinds: kinds, Preset: on},
	}
}

// decodeDetectors reads and checks the settings of the detectors.
func decodeDetectors(t *config.Tree) ([]config.Instance, error) {
	instances, err := t.Instances("detectors")
	errs := []error{err}
	for _, in := range instances {
		k, err := builtin.Detectors().Lookup(in.Kind)
		if err == nil {
			err = k.Check(kind.Decode(in.Decode))
		}
		if err != nil && !strings.Contains(err.Error(), "detectors.") {
			err = invalid("detectors.%s: %v", in.Name, err)
		}
		errs = append(errs, err)
	}
	return instances, errors.Join(errs...)
}

// detectors opens the detectors that are not switched off.
func (a *App) detectors(ctx context.Context) ([]pipeline.Detector, error) {
	var out []pipeline.Detector
	for _, in := range a.settings.Detectors {
		if !in.Enabled {
			continue
		}
		k, err := builtin.Detectors().Lookup(in.Kind)
		if err != nil {
			return nil, err
		}
		d, err := k.Open(ctx, kind.Decode(in.Decode), detect.Deps{Log: a.log.With(slog.String("detector", in.Name)), Rules: a.rules})
		if err != nil {
			return nil, err
		}
		out = append(out, pipeline.Detector{Name: in.Name, Detector: d})
	}
	return out, nil
}
