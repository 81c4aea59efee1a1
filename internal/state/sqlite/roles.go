package sqlite

import (
	"context"
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// Save writes over the role of that name or inserts it.
func (t roles) Save(ctx context.Context, r *honeyguide.Role) (created bool, err error) {
	state.TidyRole(r)
	if r.Name == "" {
		return false, doing("save role", invalid("name: a role needs one"))
	}
	old, found, err := row[honeyguide.Role](ctx, t.tx, "SELECT doc FROM role WHERE name = $1", r.Name)
	switch {
	case err != nil:
	case found:
		r.CreatedAt, r.CreatedBy = old.CreatedAt, old.CreatedBy
	default:
		err = t.room(ctx, state.MaxRoles, "roles", "SELECT count(*) FROM role")
	}
	if err != nil {
		return false, doing("save role", err)
	}
	if r.CreatedAt.IsZero() {
		r.CreatedAt = state.Time(t.now())
	}
	doc, err := encode(r)
	if err != nil {
		return false, doing("save role", err)
	}
	_, err = t.exec(ctx, "INSERT INTO role (name, doc) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET doc = excluded.doc", r.Name, doc)
	return !found, doing("save role", err)
}

// Get finds by name.
func (t roles) Get(ctx context.Context, name string) (honeyguide.Role, error) {
	r, found, err := row[honeyguide.Role](ctx, t.tx, "SELECT doc FROM role WHERE name = $1", state.Key(name))
	if err == nil && !found {
		err = notFound("role", name)
	}
	return r, doing("get role", err)
}

// List reads all.
func (t roles) List(ctx context.Context) ([]honeyguide.Role, error) {
	out, err := rows[honeyguide.Role](ctx, t.tx, "SELECT doc FROM role ORDER BY name")
	return out, doing("list roles", err)
}

// Remove removes one.
func (t roles) Remove(ctx context.Context, name string) error {
	n, err := t.exec(ctx, "DELETE FROM role WHERE name = $1", state.Key(name))
	return gone(n, err, "role", name)
}

// Save writes over the key of that ID or inserts it.
func (t apiKeys) Save(ctx context.Context, k *honeyguide.APIKey) error {
	state.TidyAPIKey(k)
	if k.ID == "" || k.Sum == "" {
		return doing("save key", invalid("id: a key needs one, and a sum"))
	}
	k.From = slices.Clone(k.From)
	old, found, err := row[honeyguide.APIKey](ctx, t.tx, "SELECT doc FROM api_key WHERE id = $1", k.ID)
	switch {
	case err != nil:
	case found:
		k.Sum, k.Last4, k.CreatedAt = old.Sum, old.Last4, old.CreatedAt
	default:
		err = t.room(ctx, state.MaxAPIKeys, "keys", "SELECT count(*) FROM api_key")
	}
	if err != nil {
		return doing("save key", err)
	}
	if k.CreatedAt.IsZero() {
		k.CreatedAt = state.Time(t.now())
	}
	doc, err := encode(k)
	if err != nil {
		return doing("save key", err)
	}
	const q = `INSERT INTO api_key (id, sum, owner, created, doc) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (id) DO UPDATE SET owner = excluded.owner, doc = excluded.doc`
	_, err = t.exec(ctx, q, k.ID, k.Sum, k.Owner, micros(k.CreatedAt), doc)
	return doing("save key", err)
}

func (t apiKeys) get(ctx context.Context, q, arg string) (honeyguide.APIKey, error) {
	k, found, err := row[honeyguide.APIKey](ctx, t.tx, q, state.Key(arg))
	if err == nil && !found {
		err = notFound("key", "")
	}
	return k, doing("get key", err)
}

// Find finds by the hash of the key.
func (t apiKeys) Find(ctx context.Context, sum string) (honeyguide.APIKey, error) {
	return t.get(ctx, "SELECT doc FROM api_key WHERE sum = $1", sum)
}

// Get finds by ID.
func (t apiKeys) Get(ctx context.Context, id string) (honeyguide.APIKey, error) {
	return t.get(ctx, "SELECT doc FROM api_key WHERE id = $1", id)
}

// List reads all.
func (t apiKeys) List(ctx context.Context) ([]honeyguide.APIKey, error) {
	out, err := rows[honeyguide.APIKey](ctx, t.tx, "SELECT doc FROM api_key ORDER BY created, id")
	return out, doing("list keys", err)
}

// Remove removes one.
func (t apiKeys) Remove(ctx context.Context, id string) error {
	n, err := t.exec(ctx, "DELETE FROM api_key WHERE id = $1", state.Key(id))
	return gone(n, err, "key", id)
}
