// Package rdns asks the name system for the names of an address. Who runs the
// name server of the address learns that it was asked.
package rdns

import (
	"context"
	"errors"
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

// Kind is the rdns kind.
var Kind = kind.Of("rdns", "The names of an address in the DNS.", Config{Limits: enrich.Usual(120, 20_000)}, open)

func open(_ context.Context, cfg Config, _ enrich.Deps) (enrich.Enricher, error) {
	return enrich.NewService(enrich.Spec{
		Name: "rdns", Limits: cfg.Limits, Types: []string{"ip"}, Read: read,
		Request: func(_, value string) fetcher.Request { return fetcher.Request{URL: "dns:" + value} },
	}), nil
}

func read(x *honeyguide.Enrichment, body []byte) error {
	names := strings.Fields(string(body))
	if len(names) == 0 {
		return enrich.ErrMiss
	}
	for i, n := range names {
		n = strings.ToLower(strings.TrimSuffix(n, "."))
		if n == "" || len(n) > 253 || strings.Trim(n, "abcdefghijklmnopqrstuvwxyz0123456789-_.") != "" {
			return errors.New("a name that is none")
		}
		names[i] = n
	}
	names = names[:min(len(names), 10)]
	x.Verdict, x.Text = honeyguide.SaysInfo, enrich.Clip(strings.Join(names, " "), 500)
	x.Data = map[string]string{"names": x.Text}
	return nil
}
