package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/enrich"
	"honeyguide/internal/state"
)

type attackersIn struct {
	Paging
	Span
}

func (s *server) attackers() {
	list(s, op("/attackers", "list-attackers", "Sources that alerts are about, the one with the newest alert first"), func(ctx context.Context, tx state.Tx, in *attackersIn) ([]honeyguide.Attacker, string, error) {
		return tx.Attackers().List(ctx, state.AttackerQuery{Page: in.page(), From: in.From, To: in.To})
	})
	one(s, op("/attackers/{id}", "get-attacker", "One attacker, by key or address, with what is known about it"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Attacker, error) {
		return tx.Attackers().Get(ctx, id)
	})
}

type enrichmentsIn struct {
	Paging
	Span
	Provider string `query:"provider" maxLength:"128"`
	Type     string `query:"type" maxLength:"32" doc:"of the value: ip, domain, url, hash"`
	Value    string `query:"value" maxLength:"2048"`
	Verdict  string `query:"verdict" enum:"malicious,suspicious,benign,info,unknown"`
}

func (s *server) enrichments() {
	list(s, op("/enrichments", "list-enrichments", "What services said about values, newest first"), func(ctx context.Context, tx state.Tx, in *enrichmentsIn) ([]honeyguide.Enrichment, string, error) {
		return tx.Enrichments().List(ctx, state.EnrichmentQuery{
			Page: in.page(), Provider: in.Provider, Type: in.Type, Value: in.Value, Verdict: in.Verdict, From: in.From, To: in.To,
		})
	})
	read(s, op("/enrichers", "list-enrichers", "How every source of enrichment stands: databases, tables, feeds, services"), func(ctx context.Context, _ *struct{ Paging }) (client.Page[enrich.Status], error) {
		p := client.Page[enrich.Status]{Items: []enrich.Status{}}
		if s.dep.Enrich != nil {
			p.Items = append(p.Items, s.dep.Enrich(ctx)...)
		}
		return p, nil
	})
}
