// Package correlate detects what several claims mean together: an attack that
// goes through stages, a host that touches decoys and is reported elsewhere, one
// indicator in the mouth of several products, and more alerts than usual. It
// never joins anything itself; its claims carry the attacker they are about, and
// incidents follow from that.
//
// Its questions are about spans of event time and do not depend on the order in
// which events come, as long as none is later than [detect.Lateness]. Memory is
// bounded: the key seen longest ago goes first.
package correlate

import (
	"context"
	"errors"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
)

// Kind is the correlating detector.
var Kind = kind.Of("correlate", "Stages of an attack, hosts that touch decoys and are reported elsewhere, shared indicators, unusual numbers of alerts.", Config{
	Stages: 4, StagesHigh: 6, AssetStages: 3, Window: 24 * time.Hour,
	RateBucket: 10 * time.Minute, RateHistory: 144, RateLearn: 36, RateDeviations: 6, RateLeast: 30,
	MaxKeys: 10_000,
}, open)

// Config says what is unusual. Windows are event time.
type Config struct {
	Stages         int           `yaml:"stages" doc:"ATT&CK tactics of one attacker that make an attack in stages"`
	StagesHigh     int           `yaml:"stages_high" doc:"that make it severe"`
	AssetStages    int           `yaml:"asset_stages" doc:"tactics against one asset of yours, by all attackers together"`
	Window         time.Duration `yaml:"window" doc:"within which claims belong together"`
	RateBucket     time.Duration `yaml:"rate_bucket" doc:"alerts are counted by this stretch of time"`
	RateHistory    int           `yaml:"rate_history" doc:"stretches the usual number is taken from"`
	RateLearn      int           `yaml:"rate_learn" doc:"stretches that have to be known before anything is unusual"`
	RateDeviations float64       `yaml:"rate_deviations" doc:"deviations (1.48 MAD) above the median that are unusual"`
	RateLeast      int           `yaml:"rate_least" doc:"events in a stretch that may be unusual at all"`
	MaxKeys        int           `yaml:"max_keys" doc:"attackers, assets and indicators remembered at a time, each"`
}

// Validate refuses what can never or always be reached.
func (c *Config) Validate() error {
	switch {
	case c.Stages < 2 || c.StagesHigh < c.Stages || c.StagesHigh > 14 || c.AssetStages < 2 || c.AssetStages > 14:
		return errors.New("stages, stages_high, asset_stages: want 2 to 14, and stages_high no less than stages")
	case c.Window < time.Minute || c.Window > 7*24*time.Hour:
		return errors.New("window: want 1m to 168h")
	case c.RateBucket < 2*detect.Lateness || c.RateBucket > 24*time.Hour:
		return errors.New("rate_bucket: want 10m to 24h; events may be 5m late")
	case c.RateHistory < 12 || c.RateHistory > 1008 || c.RateLearn < 6 || c.RateLearn > c.RateHistory:
		return errors.New("rate_history, rate_learn: want 12 to 1008 and 6 to rate_history")
	case c.RateDeviations < 1 || c.RateLeast < 1:
		return errors.New("rate_deviations, rate_least: want 1 or more")
	case c.MaxKeys < 1:
		return errors.New("max_keys: want 1 or more")
	}
	return nil
}

// A detector is the correlating detector. Not safe for concurrent use.
type detector struct {
	cfg        Config
	attackers  *detect.Memory[detect.Window] // word: tactic
	assets     *detect.Memory[detect.Window] // word: tactic
	hosts      *detect.Memory[detect.Window] // by address; word: who tells of it
	indicators *detect.Memory[detect.Window] // by type and value; word: who tells of it
	rates      *detect.Memory[series]
	began      int64 // stretch of the first claim
	out        []honeyguide.Alert
}

var _ detect.Observer = (*detector)(nil)

func open(_ context.Context, cfg Config, _ detect.Deps) (detect.Detector, error) {
	windows := func() *detect.Memory[detect.Window] {
		return detect.NewMemory(cfg.MaxKeys, func() detect.Window { return detect.Window{} })
	}
	return &detector{
		cfg: cfg, attackers: windows(), assets: windows(), hosts: windows(), indicators: windows(),
		rates: detect.NewMemory(cfg.MaxKeys, func() series { return series{} }), began: never,
	}, nil
}

// Detect claims nothing: a correlator looks at claims.
func (d *detector) Detect(context.Context, []honeyguide.Event) ([]honeyguide.Alert, error) {
	return nil, nil
}

// about is an event and what every question asks of it.
type about struct {
	*honeyguide.Event
	at    time.Time
	who   string // reporter
	asset string
}

// Observe claims what the claims about an event mean beside earlier ones.
func (d *detector) Observe(_ context.Context, e *honeyguide.Event, claims []honeyguide.Alert) ([]honeyguide.Alert, error) {
	d.out = nil
	x := about{Event: e, at: detect.When(e), who: reporter(e), asset: asset(e)}
	for i := range claims {
		a := &claims[i]
		if a.Detector == "correlate" {
			continue
		}
		d.stages(&x, a)
		d.host(&x, a)
		d.shared(&x, a)
		d.rate(&x, a)
	}
	return d.out, nil
}

// claim adds a claim whose key is what, whatever its source, and returns it.
func (d *detector) claim(r *detect.Rule, e *about, what, attacker string) *honeyguide.Alert {
	a := detect.Claim("correlate", r, e.Event, "", "")
	a.DedupeKey, a.Attacker = r.ID+"|"+what, attacker
	a.ID = honeyguide.DerivedID(e.Time, "alert", "correlate", a.DedupeKey, e.ID)
	d.out = append(d.out, a)
	return &d.out[len(d.out)-1]
}

// asset names what of the operator's own an event is about, "" for decoys and
// the unknown.
func asset(e *honeyguide.Event) string {
	if !detect.External(e) {
		return ""
	}
	if name := e.Str(honeyguide.AttrDevice); name != "" {
		return name
	}
	if e.Dst.Hostname != "" {
		return e.Dst.Hostname
	}
	if to := e.Dst.Addr.Addr().Unmap(); to.IsPrivate() {
		return to.String()
	}
	return ""
}

// reporter names who tells of an event. All decoys speak with one voice: that two
// of them see the same is no second opinion.
func reporter(e *honeyguide.Event) string {
	if !detect.External(e) {
		return decoys
	}
	if p := e.Str(honeyguide.AttrProduct); p != "" {
		return p
	}
	return e.Sensor
}

const decoys = "decoys"

// Rules returns every rule this detector can claim.
func Rules() []detect.Rule {
	return slices.Clone([]detect.Rule{
		rules.stages, rules.stagesHigh, rules.assetStages, rules.insider, rules.known, rules.shared, rules.inside, rules.rateRule, rules.rateAsset, rules.rateSource,
	})
}

func rule(id, title string, sev honeyguide.Severity, category, why string, techniques ...string) detect.Rule {
	return detect.Rule{ID: id, Title: title, Severity: sev, Category: category, Why: why, Techniques: techniques}
}

// rules are what is claimed.
var rules = struct {
	stages, stagesHigh, assetStages, insider, known, shared, inside, rateRule, rateAsset, rateSource detect.Rule
}{
	stages:      rule("multi_stage", "Attack goes through several stages", honeyguide.SeverityMedium, honeyguide.CategoryIntrusion, ""),
	stagesHigh:  rule("multi_stage", "Attack goes through most stages", honeyguide.SeverityHigh, honeyguide.CategoryIntrusion, ""),
	assetStages: rule("asset_multi_stage", "One asset attacked in several stages", honeyguide.SeverityHigh, honeyguide.CategoryIntrusion, ""),
	insider:     rule("decoy_and_alert", "Own host touches decoys and is reported elsewhere", honeyguide.SeverityHigh, honeyguide.CategoryLateral, "an own host looks for others", "T1046"),
	known:       rule("decoy_and_alert", "Visitor of the decoys is reported elsewhere", honeyguide.SeverityLow, honeyguide.CategoryIntrusion, "goes from address to address", "T1595.001"),
	shared:      rule("shared_indicator", "Several products report one indicator", honeyguide.SeverityLow, honeyguide.CategoryExternal, ""),
	inside:      rule("decoy_indicator_inside", "What attackers brought to the decoys is reported elsewhere", honeyguide.SeverityHigh, honeyguide.CategoryMalware, "the same tool or address", "T1105"),
	rateRule:    rule("alert_rate_rule", "A rule alerts more than usual", honeyguide.SeverityMedium, honeyguide.CategoryExternal, ""),
	rateAsset:   rule("alert_rate_asset", "An asset is alerted about more than usual", honeyguide.SeverityMedium, honeyguide.CategoryExternal, ""),
	rateSource:  rule("alert_rate_source", "A source raises more alerts than usual", honeyguide.SeverityLow, honeyguide.CategoryExternal, ""),
}
