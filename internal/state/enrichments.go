package state

import (
	"context"
	"time"

	"honeyguide"
)

// Enrichments are what services said about values after the events came in.
type Enrichments interface {
	// Put stores the answer x over the one of the same Provider, Type and Value.
	// These three must not be empty.
	Put(ctx context.Context, x *honeyguide.Enrichment) error
	// Of returns what all providers said about a value, by provider.
	Of(ctx context.Context, kind, value string) ([]honeyguide.Enrichment, error)
	// List returns a page by At, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q EnrichmentQuery) ([]honeyguide.Enrichment, string, error)
}

// EnrichmentQuery selects enrichments; an empty field selects all.
type EnrichmentQuery struct {
	Page
	Provider string
	Type     string // of the value: ip, domain, url, hash
	Value    string
	Verdict  string
	From, To time.Time // At, from <= t < to
}

// Attackers are the sources alerts are about. They are not stored by
// themselves: they follow from the alerts.
type Attackers interface {
	// Get takes a key or the address in it. CodeNotFound when there is no alert about it.
	Get(ctx context.Context, key string) (honeyguide.Attacker, error)
	// List returns a page by the newest alert of each, newest first, and the next
	// cursor, "" at the end.
	List(ctx context.Context, q AttackerQuery) ([]honeyguide.Attacker, string, error)
}

// AttackerQuery selects attackers.
type AttackerQuery struct {
	Page
	From, To time.Time // CreatedAt of the newest alert, from <= t < to
}
