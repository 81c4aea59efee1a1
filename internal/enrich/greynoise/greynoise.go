// Package greynoise asks GreyNoise whether an address scans everybody, or belongs
// to a service everybody uses. Shapes: the community endpoint, v3.
package greynoise

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
)

// Config is what a user may set. The key may be empty: the community is then
// answered less often.
type Config struct {
	enrich.Keyed
	enrich.Limits
}

// Validate checks the settings.
func (c *Config) Validate() error { return c.Check() }

// Kind is the greynoise kind.
var Kind = kind.Of("greynoise", "Whether an address scans everybody or is a service everybody uses, from GreyNoise.", Config{Limits: enrich.Usual(10, 50)}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "greynoise", Limits: cfg.Limits, Types: []string{"ip"}, Read: read,
		Request: func(_, value string) fetcher.Request {
			r := fetcher.Request{URL: "https://api.greynoise.io/v3/community/" + url.PathEscape(value), Header: map[string]string{"Accept": "application/json"}}
			if cfg.Key != "" {
				r.Header["key"] = cfg.Key.Reveal()
			}
			return r
		},
	}), nil
}

type answer struct {
	IP    string `json:"ip"`
	Noise bool   `json:"noise"`
	RIOT  bool   `json:"riot"`
	Class string `json:"classification"`
	Name  string `json:"name"`
	Last  string `json:"last_seen"`
}

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.IP == "" {
		return errors.New("no address in the answer")
	}
	switch {
	case a.RIOT, a.Class == "benign":
		x.Verdict, x.Confidence = honeyguide.SaysBenign, 80
	case a.Class == "malicious":
		x.Verdict, x.Confidence = honeyguide.SaysMalicious, 80
	case a.Noise:
		x.Verdict = honeyguide.SaysInfo
	default:
		return enrich.ErrMiss
	}
	if at, err := time.Parse(time.DateOnly, a.Last); err == nil {
		x.AsOf = at
	}
	switch {
	case a.RIOT:
		x.Text = "a service everybody uses: " + enrich.Clip(a.Name, 120)
	case a.Noise:
		x.Text = "scans the Internet: " + enrich.Clip(a.Name, 120)
	default:
		x.Text = enrich.Clip(a.Name, 120)
	}
	x.Data = map[string]string{"noise": strconv.FormatBool(a.Noise), "riot": strconv.FormatBool(a.RIOT), "classification": enrich.Clip(a.Class, 40), "name": enrich.Clip(a.Name, 120)}
	return nil
}
