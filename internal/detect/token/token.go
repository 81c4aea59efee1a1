// Package token turns the exposure and the use of honeytokens into alerts. Any
// use is critical and names who read the bait before, when and how.
package token

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
)

// Kind is the honeytoken detector.
var Kind = kind.Of("token", "Honeytokens read (medium) and used (critical).", Config{Window: 10 * time.Minute, MaxTokens: 10_000}, open)

// Config configures the honeytoken detector.
type Config struct {
	Window    time.Duration `yaml:"window"`     // uses of one token by one source within it are one alert
	MaxTokens int           `yaml:"max_tokens"` // remembered at a time
}

var (
	exposed = detect.Rule{
		ID: "token_exposed", Title: "Honeytoken read", Severity: honeyguide.SeverityMedium, Category: honeyguide.CategoryToken,
		Techniques: []string{"T1552.001"}, Why: "read a file with planted credentials",
	}
	used = detect.Rule{
		ID: "token_used", Title: "Honeytoken used", Severity: honeyguide.SeverityCritical, Category: honeyguide.CategoryToken,
		Techniques: []string{"T1078", "T1552.001"}, Why: "tried a credential that exists nowhere but in our bait",
	}
)

// Rules returns the rules this detector can claim.
func Rules() []detect.Rule { return []detect.Rule{exposed, used} }

// maxReads bounds the readings remembered of one token.
const maxReads = 20

// A reading is one exposure as the detector saw it.
type reading struct {
	src, session, by string
	at               time.Time
}

type memory struct {
	reads []reading
}

type detector struct {
	cfg    Config
	tokens *detect.Memory[memory]
	bursts *detect.Memory[time.Time] // by token and source: begin of the present run of uses
}

var _ detect.Detector = (*detector)(nil)

func open(_ context.Context, cfg Config, _ detect.Deps) (detect.Detector, error) {
	if cfg.MaxTokens < 1 {
		cfg.MaxTokens = 1
	}
	return &detector{
		cfg: cfg, tokens: detect.NewMemory(cfg.MaxTokens, func() memory { return memory{} }),
		bursts: detect.NewMemory(cfg.MaxTokens, func() time.Time { return time.Time{} }),
	}, nil
}

// Detect claims what the events show.
func (d *detector) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	var out []honeyguide.Alert
	for i := range batch {
		e := &batch[i]
		id := e.Str(honeyguide.AttrToken)
		if id == "" {
			continue
		}
		switch e.Activity {
		case honeyguide.ActivityTokenExposed:
			out = append(out, d.exposed(e, id))
		case honeyguide.ActivityTokenUsed:
			out = append(out, d.used(e, id))
		}
	}
	return out, nil
}

func observed(a *honeyguide.Alert, id string) {
	a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: honeyguide.AttrToken, Type: "token", Value: id})
}

func (d *detector) exposed(e *honeyguide.Event, id string) honeyguide.Alert {
	r := reading{src: detect.Source(e), session: e.Session, by: by(e), at: e.Time}
	m := d.tokens.At(id)
	if m.reads = append(m.reads, r); len(m.reads) > maxReads {
		m.reads = append([]reading(nil), m.reads[1:]...)
	}
	a := detect.Claim("token", &exposed, e, id, kindOf(e)+" "+short(id)+" read by "+r.by)
	observed(&a, id)
	return a
}

// by says how a token was read: the command, the path or the request.
func by(e *honeyguide.Event) string {
	for _, name := range []string{honeyguide.AttrCommand, honeyguide.AttrPath, honeyguide.AttrURL, honeyguide.AttrDetail} {
		if s := e.Str(name); s != "" {
			return s
		}
	}
	return e.Service + " output"
}

func kindOf(e *honeyguide.Event) string {
	if k := e.Str(honeyguide.AttrTokenKind); k != "" {
		return k
	}
	return "token"
}

func short(id string) string {
	if len(id) > 8 {
		return id[:8]
	}
	return id
}

// reader returns who read the token: as the event says, which the intake knew
// from the state, or from memory.
func (d *detector) reader(e *honeyguide.Event, id string) (reading, bool) {
	if src := e.Str(honeyguide.AttrReader); src != "" {
		at, _ := time.Parse(time.RFC3339Nano, e.Str(honeyguide.AttrReadAt))
		return reading{src: src, by: e.Str(honeyguide.AttrReadBy), at: at}, true
	}
	m, ok := d.tokens.Peek(id)
	if !ok {
		return reading{}, false
	}
	// Another source's reading tells more than the user's own.
	var own reading
	for i := len(m.reads) - 1; i >= 0; i-- {
		switch r := m.reads[i]; {
		case r.at.After(e.Time):
		case r.src != detect.Source(e):
			return r, true
		case own.src == "":
			own = r
		}
	}
	return own, own.src != ""
}

func (d *detector) used(e *honeyguide.Event, id string) honeyguide.Alert {
	src := detect.Source(e)
	begin := d.bursts.At(id + "|" + src)
	if begin.IsZero() || e.Time.Sub(*begin) > d.cfg.Window || e.Time.Before(*begin) {
		*begin = e.Time
	}
	text := kindOf(e) + " " + short(id) + " used by " + src + where(e)
	r, known := d.reader(e, id)
	if known {
		text += ", read by " + r.src
		if r.by != "" {
			text += " with " + r.by
		}
		if dwell := e.Time.Sub(r.at); !r.at.IsZero() && dwell >= 0 {
			text += ", " + dwell.Round(time.Second).String() + " before"
		}
	} else {
		text += "; no reading of it is known"
	}
	a := detect.Claim("token", &used, e, id+"|"+begin.UTC().Format("20060102T150405.000000"), text)
	observed(&a, id)
	if known {
		a.Observed = detect.Observe(a.Observed, honeyguide.Observable{Name: honeyguide.AttrReader, Type: "ip", Value: r.src})
		if r.src != src {
			a.Title = "Honeytoken used by another source than its reader"
		}
	}
	return a
}

func where(e *honeyguide.Event) string {
	out := ""
	if w := e.Str(honeyguide.AttrWhere); w != "" {
		out = " as " + w
	}
	if e.Service != "" {
		out += " on " + e.Service
	}
	return out
}
