package sqlite

import (
	"context"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

type (
	custody struct{ *tx }
	bundles struct{ *tx }
)

func (t *tx) Custody() state.Custody { return custody{t} }
func (t *tx) Bundles() state.Bundles { return bundles{t} }

// Add appends a step.
func (t custody) Add(ctx context.Context, s *honeyguide.CustodyStep) error {
	state.TidyStep(s)
	if s.Incident == "" || s.Act == "" {
		return doing("add a step of custody", invalid("incident, act: a step of custody needs both"))
	}
	if s.At.IsZero() {
		s.At = state.Time(t.now())
	}
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM custody WHERE incident = $1 ORDER BY n DESC LIMIT 1", []any{s.Incident}, &doc)
	if err != nil {
		return doing("add a step of custody", err)
	}
	s.N, s.Prev = 1, ""
	if found {
		var last honeyguide.CustodyStep
		if err := decode(doc, &last); err != nil {
			return doing("add a step of custody", err)
		}
		s.N, s.Prev = last.N+1, last.Hash
	}
	if _, err := encode(s); err != nil { // which leaves in it what will be read
		return doing("add a step of custody", err)
	}
	s.Hash = s.Sum()
	if doc, err = encode(s); err != nil {
		return doing("add a step of custody", err)
	}
	_, err = t.exec(ctx, "INSERT INTO custody (incident, n, at, doc) VALUES ($1, $2, $3, $4)", s.Incident, s.N, micros(s.At), doc)
	return doing("add a step of custody", err)
}

// List reads a chain.
func (t custody) List(ctx context.Context, incident string, after int64) ([]honeyguide.CustodyStep, error) {
	out := []honeyguide.CustodyStep{}
	const q = "SELECT doc FROM custody WHERE incident = $1 AND n > $2 ORDER BY n LIMIT $3"
	err := t.each(ctx, q, []any{state.Key(incident), after, state.MaxLimit}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var s honeyguide.CustodyStep
		err := decode(doc, &s)
		out = append(out, s)
		return err
	})
	return out, doing("list custody", err)
}

// Save stores the full value.
func (t bundles) Save(ctx context.Context, b *honeyguide.Bundle) error {
	state.TidyBundle(b)
	if b.ID == "" {
		return doing("save bundle", invalid("id: a bundle needs one"))
	}
	num, old, found, err := t.by(ctx, "id = $1", b.ID)
	if err != nil {
		return doing("save bundle", err)
	}
	if found {
		b.Short, b.At = old.Short, old.At
	} else {
		if num, err = t.number(ctx, "bundle"); err != nil {
			return doing("save bundle", err)
		}
		b.Short = "E-" + strconv.FormatInt(num, 10)
		if b.At.IsZero() {
			b.At = state.Time(t.now())
		}
	}
	doc, err := encode(b)
	if err != nil {
		return doing("save bundle", err)
	}
	var other string
	if b.Manifest != "" {
		if _, err := t.one(ctx, "SELECT id FROM bundle WHERE manifest = $1 AND num <> $2", []any{b.Manifest, num}, &other); err != nil {
			return doing("save bundle", err)
		}
	}
	if other != "" {
		return doing("save bundle", conflict("this evidence is here already"))
	}
	const q = `INSERT INTO bundle (num, id, at, incident, manifest, imported, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (num) DO UPDATE SET incident = excluded.incident, manifest = excluded.manifest, imported = excluded.imported, doc = excluded.doc`
	_, err = t.exec(ctx, q, num, b.ID, micros(b.At), b.Incident, b.Manifest, bit(b.Imported), doc)
	return doing("save bundle", err)
}

func (t bundles) by(ctx context.Context, cond string, args ...any) (num int64, b honeyguide.Bundle, found bool, err error) {
	var doc string
	found, err = t.one(ctx, "SELECT num, doc FROM bundle WHERE "+cond, args, &num, &doc)
	if err != nil || !found {
		return 0, b, false, err
	}
	return num, b, true, decode(doc, &b)
}

// Get finds by ID, Short, or the beginning of its manifest.
func (t bundles) Get(ctx context.Context, id string) (honeyguide.Bundle, error) {
	cond, args := "id = $1", []any{state.Key(id)}
	if n, ok := short("E-", id); ok {
		cond, args = "num = $1", []any{n}
	} else if low := strings.ToLower(id); len(low) >= leastPrefix && len(low) <= 64 && strings.Trim(low, "0123456789abcdef") == "" {
		cond, args = "num = (SELECT min(num) FROM bundle WHERE manifest >= $1 AND manifest < $2 HAVING count(*) = 1)", []any{low, low + "g"}
	}
	_, b, found, err := t.by(ctx, cond, args...)
	if err == nil && !found {
		err = notFound("bundle", id)
	}
	return b, doing("get bundle", err)
}

// List reads a page.
func (t bundles) List(ctx context.Context, q state.BundleQuery) ([]honeyguide.Bundle, string, error) {
	var w where
	w.is("incident", q.Incident)
	if q.Imported {
		w.add("imported = 1")
	}
	l := list{name: state.ListBundles, table: "bundle", at: "at", id: "id"}
	out, next, err := page[honeyguide.Bundle](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list bundles", err)
}
