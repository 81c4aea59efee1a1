// Package rdap asks the registries who holds an address and where abuse of it is
// reported. Shapes: RFC 9083. The question goes to rdap.org, which leads to the
// right registry.
package rdap

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"slices"
	"strings"
	"time"

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

// Kind is the rdap kind.
var Kind = kind.Of("rdap", "Who holds an address and where abuse is reported, from the registries.", Config{Limits: enrich.Limits{PerMinute: 10, PerDay: 1000, Hit: 7 * 24 * time.Hour, Miss: 24 * time.Hour}}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "rdap", Limits: cfg.Limits, Types: []string{"ip"}, Read: read,
		Request: func(_, value string) fetcher.Request {
			return fetcher.Request{URL: "https://rdap.org/ip/" + url.PathEscape(value), Header: map[string]string{"Accept": "application/rdap+json"}}
		},
	}), nil
}

type entity struct {
	Roles    []string `json:"roles"`
	Card     []any    `json:"vcardArray"`
	Entities []entity `json:"entities"`
}

type answer struct {
	Class    string   `json:"objectClassName"`
	Handle   string   `json:"handle"`
	Name     string   `json:"name"`
	Country  string   `json:"country"`
	Start    string   `json:"startAddress"`
	End      string   `json:"endAddress"`
	Entities []entity `json:"entities"`
	Events   []struct {
		Action string `json:"eventAction"`
		Date   string `json:"eventDate"`
	} `json:"events"`
}

func read(x *honeyguide.Enrichment, body []byte) error {
	var a answer
	if err := json.Unmarshal(body, &a); err != nil {
		return err
	}
	if a.Class != "ip network" {
		return errors.New("no network in the answer")
	}
	x.Verdict = honeyguide.SaysInfo
	x.Match = enrich.Clip(a.Start+" - "+a.End, 100)
	x.Data = map[string]string{}
	for k, v := range map[string]string{"handle": a.Handle, "name": a.Name, "country": a.Country, "abuse": mail(a.Entities, "abuse", 0), "holder": full(a.Entities)} {
		if v != "" {
			x.Data[k] = enrich.Clip(v, 200)
		}
	}
	x.Text = enrich.Clip(strings.TrimSpace(a.Name+" "+x.Data["holder"]), 200)
	if m := x.Data["abuse"]; m != "" {
		x.Text += "; abuse: " + m
	}
	for _, e := range a.Events {
		if at, err := time.Parse(time.RFC3339, e.Date); err == nil && e.Action == "last changed" {
			x.AsOf = at.UTC()
		}
	}
	return nil
}

// mail returns the mail address of the first entity of a role, at whatever depth.
func mail(list []entity, role string, depth int) string {
	if depth > 4 {
		return ""
	}
	for _, e := range list[:min(len(list), 50)] {
		if slices.Contains(e.Roles, role) {
			if m := field(e.Card, "email"); m != "" {
				return m
			}
		}
		if m := mail(e.Entities, role, depth+1); m != "" {
			return m
		}
	}
	return ""
}

// full returns the name of the registrant.
func full(list []entity) string {
	for _, e := range list[:min(len(list), 50)] {
		if slices.Contains(e.Roles, "registrant") {
			return field(e.Card, "fn")
		}
	}
	return ""
}

// field returns a text of a jCard, RFC 7095: ["vcard", [[name, {}, type, value], ...]].
func field(card []any, name string) string {
	if len(card) < 2 {
		return ""
	}
	rows, _ := card[1].([]any)
	for _, r := range rows[:min(len(rows), 50)] {
		row, _ := r.([]any)
		if len(row) < 4 || row[0] != name {
			continue
		}
		if s, ok := row[3].(string); ok {
			return s
		}
	}
	return ""
}
