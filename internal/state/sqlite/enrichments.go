package sqlite

import (
	"context"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Put stores an answer.
func (t enrichments) Put(ctx context.Context, x *honeyguide.Enrichment) error {
	state.TidyEnrichment(x)
	if x.Provider == "" || x.Type == "" || x.Value == "" {
		return doing("save enrichment", invalid("provider, type, value: an enrichment needs all three"))
	}
	doc, err := encode(x)
	if err != nil {
		return doing("save enrichment", err)
	}
	value := state.Key(x.Value)
	const q = `INSERT INTO enrichment (id, type, value, provider, verdict, at, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (type, value, provider) DO UPDATE SET verdict = excluded.verdict, at = excluded.at, doc = excluded.doc`
	_, err = t.exec(ctx, q, state.Key(x.Provider+"|"+x.Type+"|"+value), x.Type, value, x.Provider, x.Verdict, micros(x.At), doc)
	return doing("save enrichment", err)
}

// Of reads all answers about a value.
func (t enrichments) Of(ctx context.Context, kind, value string) ([]honeyguide.Enrichment, error) {
	out := []honeyguide.Enrichment{}
	const q = "SELECT doc FROM enrichment WHERE type = $1 AND value = $2 ORDER BY provider"
	err := t.each(ctx, q, []any{state.Key(kind), state.Key(value)}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var x honeyguide.Enrichment
		err := decode(doc, &x)
		out = append(out, x)
		return err
	})
	return out, doing("read enrichments", err)
}

// List reads a page.
func (t enrichments) List(ctx context.Context, q state.EnrichmentQuery) ([]honeyguide.Enrichment, string, error) {
	var w where
	w.is("provider", q.Provider)
	w.is("type", q.Type)
	w.is("value", q.Value)
	w.is("verdict", q.Verdict)
	w.between("at", q.From, q.To)
	l := list{name: state.ListEnrichments, table: "enrichment", at: "at", id: "id"}
	out, next, err := page[honeyguide.Enrichment](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list enrichments", err)
}

// newestOf is true for the newest alert of its attacker: one look into the index
// by attacker for each alert that is passed.
const newestOfAttacker = `attacker <> '' AND NOT EXISTS (SELECT 1 FROM alert AS later
	WHERE later.attacker <> '' AND later.attacker = alert.attacker AND (later.created, later.id) > (alert.created, alert.id))`

// List reads a page.
func (t attackers) List(ctx context.Context, q state.AttackerQuery) ([]honeyguide.Attacker, string, error) {
	var w where
	w.add(newestOfAttacker)
	w.between("created", q.From, q.To)
	l := list{name: state.ListAttackers, table: "alert", at: "created", id: "id", rest: bulkDoc}
	newest, next, err := pageBy(ctx, t.tx, l, w, q.Page, decodeAlert)
	if err != nil {
		return nil, "", doing("list attackers", err)
	}
	out := make([]honeyguide.Attacker, 0, len(newest))
	for i := range newest {
		a, err := t.of(ctx, &newest[i])
		if err != nil {
			return nil, "", doing("list attackers", err)
		}
		out = append(out, a)
	}
	return out, next, nil
}

// Get finds by key or address.
func (t attackers) Get(ctx context.Context, key string) (honeyguide.Attacker, error) {
	for _, k := range []string{key, "attacker:" + key} {
		newest, _, err := alerts(t).List(ctx, state.AlertQuery{Page: state.Page{Limit: 1}, Attacker: k})
		if err != nil {
			return honeyguide.Attacker{}, doing("get attacker", err)
		}
		if len(newest) > 0 {
			a, err := t.of(ctx, &newest[0])
			return a, doing("get attacker", err)
		}
	}
	return honeyguide.Attacker{}, doing("get attacker", notFound("attacker", key))
}

// of sums up the attacker of its newest alert.
func (t attackers) of(ctx context.Context, newest *honeyguide.Alert) (honeyguide.Attacker, error) {
	a := honeyguide.Attacker{Key: newest.Attacker, Src: newest.Src, LastTitle: newest.Title}
	var last int64
	var doc string
	const q = `SELECT count(*), max(severity), max(last),
		(SELECT doc FROM alert WHERE attacker <> '' AND attacker = $1 ORDER BY created, id LIMIT 1) FROM alert WHERE attacker <> '' AND attacker = $1`
	if _, err := t.one(ctx, q, []any{newest.Attacker}, &a.Alerts, &a.Severity, &last, &doc); err != nil {
		return a, err
	}
	var first struct {
		Time time.Time `json:"time"`
	}
	if err := decode(doc, &first); err != nil {
		return a, err
	}
	a.FirstAt, a.LastAt = first.Time, moment(last)
	a.Enrichments = []honeyguide.Enrichment{}
	address := strings.TrimPrefix(newest.Attacker, "attacker:")
	for _, x := range newest.Enrichments {
		if x.Value == address {
			a.Enrichments = honeyguide.AddEnrichment(a.Enrichments, x)
		}
	}
	learnt, err := enrichments(t).Of(ctx, "ip", address)
	for _, x := range learnt {
		a.Enrichments = honeyguide.AddEnrichment(a.Enrichments, x)
	}
	return a, err
}
