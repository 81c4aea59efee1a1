package sqlite

import (
	"context"
	"crypto/rand"
	"time"

	"honeyguide/internal/state"
)

type acts struct{ *tx }

func (t *tx) Acts() state.Acts { return acts{t} }

// Add keeps an act.
func (t acts) Add(ctx context.Context, a *state.Act) error {
	a.ID, a.At, a.By = rand.Text(), state.Time(a.At), state.Key(a.By)
	doc, err := encode(a)
	if err != nil {
		return doing("keep act", err)
	}
	_, err = t.exec(ctx, "INSERT INTO act (id, at, doc) VALUES ($1, $2, $3)", a.ID, micros(a.At), doc)
	return doing("keep act", err)
}

// Get finds by ID.
func (t acts) Get(ctx context.Context, id string) (a state.Act, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM act WHERE id = $1", []any{state.Key(id)}, &doc)
	switch {
	case err != nil:
		return a, doing("get act", err)
	case !found:
		return a, doing("get act", notFound("act", id))
	}
	return a, decode(doc, &a)
}

// Put replaces.
func (t acts) Put(ctx context.Context, a *state.Act) error {
	doc, err := encode(a)
	if err != nil {
		return doing("keep act", err)
	}
	n, err := t.exec(ctx, "UPDATE act SET doc = $2 WHERE id = $1", a.ID, doc)
	if err == nil && n == 0 {
		err = notFound("act", a.ID)
	}
	return doing("keep act", err)
}

// Trim forgets.
func (t acts) Trim(ctx context.Context, before time.Time) error {
	if _, err := t.exec(ctx, "DELETE FROM act WHERE at < $1", micros(state.Time(before))); err != nil {
		return doing("forget acts", err)
	}
	_, err := t.exec(ctx, "DELETE FROM act WHERE id IN (SELECT id FROM act ORDER BY at DESC, id LIMIT -1 OFFSET $1)", state.KeptActs)
	return doing("forget acts", err)
}
