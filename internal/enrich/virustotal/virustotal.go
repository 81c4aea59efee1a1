// Package virustotal asks VirusTotal what scanners say about an address or a
// file. Shapes: API v3, ip_addresses and files. Only hashes are sent, never what
// they are of.
package virustotal

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
)

// Config is what a user may set.
type Config struct {
	enrich.Keyed
	enrich.Limits
}

// Validate checks the settings.
func (c *Config) Validate() error { return errors.Join(c.Want(), c.Check()) }

// Kind is the virustotal kind. The public plan has 4 questions a minute, 500 a day.
var Kind = kind.Of("virustotal", "What scanners say about an address or a file's hash, from VirusTotal.", Config{Limits: enrich.Usual(4, 450)}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "virustotal", Limits: cfg.Limits, Types: []string{"ip", "hash"}, Read: read,
		Request: func(kind, value string) fetcher.Request {
			path := map[string]string{"ip": "ip_addresses", "hash": "files"}[kind]
			return fetcher.Request{
				URL:    "https://www.virustotal.com/api/v3/" + path + "/" + url.PathEscape(value),
				Header: map[string]string{"x-apikey": cfg.Key.Reveal(), "Accept": "application/json"},
			}
		},
		Takes: func(kind, value string) bool { return kind != "hash" || len(value) <= 64 },
	}), nil
}

type answer struct {
	Data *struct {
		Attributes *struct {
			Stats *struct {
				Malicious  int `json:"malicious"`
				Suspicious int `json:"suspicious"`
				Undetected int `json:"undetected"`
				Harmless   int `json:"harmless"`
			} `json:"last_analysis_stats"`
			Date       int64  `json:"last_analysis_date"`
			Reputation int    `json:"reputation"`
			Owner      string `json:"as_owner"`
			Country    string `json:"country"`
			Threat     struct {
				Label string `json:"suggested_threat_label"`
			} `json:"popular_threat_classification"`
		} `json:"attributes"`
	} `json:"data"`
}

// many scanners that agree make a verdict; one or two are often wrong.
const many = 3

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.Data == nil || a.Data.Attributes == nil || a.Data.Attributes.Stats == nil {
		return errors.New("no statistics in the answer")
	}
	d, s := a.Data.Attributes, a.Data.Attributes.Stats
	all := s.Malicious + s.Suspicious + s.Undetected + s.Harmless
	if s.Malicious < 0 || s.Suspicious < 0 || all < s.Malicious {
		return errors.New("counts that make no sense")
	}
	if all == 0 {
		return enrich.ErrMiss
	}
	switch {
	case s.Malicious >= many:
		x.Verdict, x.Confidence = honeyguide.SaysMalicious, min(50+5*s.Malicious, 95)
	case s.Malicious+s.Suspicious > 0:
		x.Verdict, x.Confidence = honeyguide.SaysSuspicious, 40
	default:
		x.Verdict = honeyguide.SaysInfo
	}
	if d.Date > 0 && d.Date < 1<<33 {
		x.AsOf = time.Unix(d.Date, 0).UTC()
	}
	x.Text = fmt.Sprintf("%d of %d scanners call it malicious", s.Malicious, all)
	if d.Threat.Label != "" {
		x.Text += ": " + enrich.Clip(d.Threat.Label, 80)
	}
	x.Data = map[string]string{
		"malicious": strconv.Itoa(s.Malicious), "suspicious": strconv.Itoa(s.Suspicious), "scanners": strconv.Itoa(all), "reputation": strconv.Itoa(d.Reputation),
	}
	for k, v := range map[string]string{"as_owner": d.Owner, "country": d.Country, "threat": d.Threat.Label} {
		if v != "" {
			x.Data[k] = enrich.Clip(v, 120)
		}
	}
	return nil
}
