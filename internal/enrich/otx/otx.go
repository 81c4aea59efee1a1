// Package otx asks AlienVault OTX which reports ("pulses") name an address or a
// hash. Shapes: indicators/{type}/{value}/general, v1.
package otx

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

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

// Kind is the otx kind.
var Kind = kind.Of("otx", "Which reports name an address or a hash, from AlienVault OTX.", Config{Limits: enrich.Usual(60, 10_000)}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "otx", Limits: cfg.Limits, Types: []string{"ip", "hash"}, Read: read,
		Request: func(kind, value string) fetcher.Request {
			section := "file"
			if kind == "ip" {
				section = "IPv4"
				if a, err := netip.ParseAddr(value); err == nil && a.Is6() {
					section = "IPv6"
				}
			}
			return fetcher.Request{
				URL:    "https://otx.alienvault.com/api/v1/indicators/" + section + "/" + url.PathEscape(value) + "/general",
				Header: map[string]string{"X-OTX-API-KEY": cfg.Key.Reveal(), "Accept": "application/json"},
			}
		},
	}), nil
}

type answer struct {
	Info *struct {
		Count  int `json:"count"`
		Pulses []struct {
			Name string   `json:"name"`
			Tags []string `json:"tags"`
		} `json:"pulses"`
	} `json:"pulse_info"`
}

// many reports by different people are a verdict of a kind; one is a hint.
const many = 5

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.Info == nil || a.Info.Count < 0 {
		return errors.New("no pulse_info in the answer")
	}
	if a.Info.Count == 0 {
		return enrich.ErrMiss
	}
	x.Verdict, x.Confidence = honeyguide.SaysSuspicious, 30
	if a.Info.Count >= many {
		x.Confidence = 50
	}
	var names []string
	for _, p := range a.Info.Pulses[:min(len(a.Info.Pulses), 3)] {
		names = append(names, enrich.Clip(p.Name, 80))
	}
	x.Text = fmt.Sprintf("named in %d reports", a.Info.Count)
	if len(names) > 0 {
		x.Text += ": " + strings.Join(names, "; ")
	}
	x.Data = map[string]string{"pulses": strconv.Itoa(a.Info.Count)}
	return nil
}
