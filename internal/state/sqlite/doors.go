package sqlite

import (
	"context"
	"fmt"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type (
	allowlist struct{ *tx }
	replies   struct{ *tx }
)

func (t *tx) Allowlist() state.Allowlist { return allowlist{t} }
func (t *tx) Replies() state.Replies     { return replies{t} }

// Save writes over the entry of that address or inserts it.
func (t allowlist) Save(ctx context.Context, a *honeyguide.Allowed) error {
	state.TidyAllowed(a)
	if a.Address == "" {
		return doing("save allowlist entry", invalid("address: an entry needs one"))
	}
	var old string
	found, err := t.one(ctx, "SELECT doc FROM allowed WHERE address = $1", []any{a.Address}, &old)
	switch {
	case err != nil:
		return doing("save allowlist entry", err)
	case found:
		var was honeyguide.Allowed
		if err := decode(old, &was); err != nil {
			return doing("save allowlist entry", err)
		}
		a.CreatedAt, a.CreatedBy = was.CreatedAt, was.CreatedBy
	default:
		var n int64
		if _, err := t.one(ctx, "SELECT count(*) FROM allowed", nil, &n); err != nil {
			return doing("save allowlist entry", err)
		}
		if n >= state.MaxAllowed {
			return conflict(fmt.Sprintf("the allowlist has %d entries, which is all it may have: remove some, or write a prefix", n))
		}
	}
	if a.CreatedAt.IsZero() {
		a.CreatedAt = state.Time(t.now())
	}
	doc, err := encode(a)
	if err != nil {
		return doing("save allowlist entry", err)
	}
	const q = `INSERT INTO allowed (address, created, expires, doc) VALUES ($1, $2, $3, $4)
		ON CONFLICT (address) DO UPDATE SET expires = excluded.expires, doc = excluded.doc`
	_, err = t.exec(ctx, q, a.Address, micros(a.CreatedAt), micros(a.ExpiresAt), doc)
	return doing("save allowlist entry", err)
}

// Get finds by address.
func (t allowlist) Get(ctx context.Context, address string) (a honeyguide.Allowed, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM allowed WHERE address = $1", []any{state.Key(address)}, &doc)
	switch {
	case err != nil:
		return a, doing("get allowlist entry", err)
	case !found:
		return a, doing("get allowlist entry", notFound("allowlist entry", address))
	}
	return a, decode(doc, &a)
}

// Remove takes an entry away.
func (t allowlist) Remove(ctx context.Context, address string) error {
	n, err := t.exec(ctx, "DELETE FROM allowed WHERE address = $1", state.Key(address))
	if err == nil && n == 0 {
		err = notFound("allowlist entry", address)
	}
	return doing("remove allowlist entry", err)
}

// All reads the whole list.
func (t allowlist) All(ctx context.Context) ([]honeyguide.Allowed, error) {
	out := []honeyguide.Allowed{}
	err := t.each(ctx, "SELECT doc FROM allowed ORDER BY created, address", nil, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var a honeyguide.Allowed
		err := decode(doc, &a)
		out = append(out, a)
		return err
	})
	return out, doing("list the allowlist", err)
}

// Begin inserts, or reads what is there.
func (t replies) Begin(ctx context.Context, r *state.Reply) (bool, error) {
	if r.ID == "" {
		return false, doing("begin reply", invalid("id: a reply needs one"))
	}
	var old string
	found, err := t.one(ctx, "SELECT doc FROM reply WHERE id = $1", []any{r.ID}, &old)
	if err != nil {
		return false, doing("begin reply", err)
	}
	if found {
		*r = state.Reply{}
		return false, decode(old, r)
	}
	if r.At.IsZero() {
		r.At = t.now()
	}
	r.At, r.Status, r.Body = state.Time(r.At), 0, nil
	doc, err := encode(r)
	if err != nil {
		return false, doing("begin reply", err)
	}
	_, err = t.exec(ctx, "INSERT INTO reply (id, at, doc) VALUES ($1, $2, $3)", r.ID, micros(r.At), doc)
	return err == nil, doing("begin reply", err)
}

// Finish writes the answer.
func (t replies) Finish(ctx context.Context, r *state.Reply) error {
	doc, err := encode(r)
	if err != nil {
		return doing("finish reply", err)
	}
	n, err := t.exec(ctx, "UPDATE reply SET doc = $2 WHERE id = $1", r.ID, doc)
	if err == nil && n == 0 {
		err = notFound("reply", r.ID)
	}
	return doing("finish reply", err)
}

// Remove forgets one.
func (t replies) Remove(ctx context.Context, id string) error {
	_, err := t.exec(ctx, "DELETE FROM reply WHERE id = $1", id)
	return doing("remove reply", err)
}

// Trim forgets the old and the many.
func (t replies) Trim(ctx context.Context, before time.Time, keep int) error {
	if _, err := t.exec(ctx, "DELETE FROM reply WHERE at < $1", micros(state.Time(before))); err != nil {
		return doing("trim replies", err)
	}
	const q = "DELETE FROM reply WHERE id IN (SELECT id FROM reply ORDER BY at DESC, id DESC LIMIT -1 OFFSET $1)"
	_, err := t.exec(ctx, q, keep)
	return doing("trim replies", err)
}
