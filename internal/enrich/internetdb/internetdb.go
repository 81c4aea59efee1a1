// Package internetdb asks Shodan's InternetDB which ports an address has open and
// what is known to be wrong with it. It wants no key, knows IPv4 only, and its data
// are up to a week old.
package internetdb

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strings"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
)

// Config is what a user may set.
type Config struct {
	enrich.Limits
}

// Validate checks the settings.
func (c *Config) Validate() error { return c.Check() }

// Kind is the internetdb kind.
var Kind = kind.Of("internetdb", "Open ports and weaknesses of an address, from Shodan's InternetDB.", Config{Limits: enrich.Usual(60, 5000)}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "internetdb", Limits: cfg.Limits, Types: []string{"ip"}, Read: read,
		Takes: func(_, value string) bool {
			a, err := netip.ParseAddr(value)
			return err == nil && a.Is4()
		},
		Request: func(_, value string) fetcher.Request {
			return fetcher.Request{URL: "https://internetdb.shodan.io/" + url.PathEscape(value), Header: map[string]string{"Accept": "application/json"}}
		},
	}), nil
}

type answer struct {
	IP        string   `json:"ip"`
	Ports     []uint16 `json:"ports"`
	Hostnames []string `json:"hostnames"`
	Tags      []string `json:"tags"`
	Vulns     []string `json:"vulns"`
}

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.IP == "" {
		return errors.New("no address in the answer")
	}
	ports := make([]string, 0, 32)
	for _, p := range a.Ports[:min(len(a.Ports), 32)] {
		ports = append(ports, fmt.Sprint(p))
	}
	x.Verdict = honeyguide.SaysInfo
	x.Text = "open ports: " + strings.Join(ports, " ")
	if len(a.Vulns) > 0 {
		x.Text += fmt.Sprintf("; %d known weaknesses", len(a.Vulns))
	}
	x.Data = map[string]string{"ports": strings.Join(ports, " ")}
	for k, list := range map[string][]string{"hostnames": a.Hostnames, "tags": a.Tags, "vulns": a.Vulns} {
		if len(list) > 0 {
			x.Data[k] = enrich.Clip(strings.Join(list[:min(len(list), 10)], " "), 500)
		}
	}
	return nil
}
