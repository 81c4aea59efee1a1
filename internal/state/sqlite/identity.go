package sqlite

import (
	"context"
	"fmt"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

type (
	users         struct{ *tx }
	credentials   struct{ *tx }
	loginSessions struct{ *tx }
	loginTries    struct{ *tx }
	roles         struct{ *tx }
	apiKeys       struct{ *tx }
)

func (t *tx) Users() state.Users                 { return users{t} }
func (t *tx) Credentials() state.Credentials     { return credentials{t} }
func (t *tx) LoginSessions() state.LoginSessions { return loginSessions{t} }
func (t *tx) LoginTries() state.LoginTries       { return loginTries{t} }
func (t *tx) Roles() state.Roles                 { return roles{t} }
func (t *tx) APIKeys() state.APIKeys             { return apiKeys{t} }

// row reads the only document of a question; found is false when there is none.
func row[T any](ctx context.Context, t *tx, q string, args ...any) (v T, found bool, err error) {
	var doc string
	found, err = t.one(ctx, q, args, &doc)
	if err != nil || !found {
		return v, false, err
	}
	return v, true, decode(doc, &v)
}

// rows reads all documents of a question.
func rows[T any](ctx context.Context, t *tx, q string, args ...any) ([]T, error) {
	out := []T{}
	err := t.each(ctx, q, args, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var v T
		err := decode(doc, &v)
		out = append(out, v)
		return err
	})
	return out, err
}

// room refuses a row more than a table may have.
func (t *tx) room(ctx context.Context, most int64, what, q string, args ...any) error {
	var n int64
	if _, err := t.one(ctx, q, args, &n); err != nil {
		return err
	}
	if n >= most {
		return conflict(fmt.Sprintf("there are %d %s, which is all there may be: remove some", n, what))
	}
	return nil
}

// gone reports a removal that removed nothing.
func gone(n int64, err error, what, id string) error {
	if err == nil && n == 0 {
		err = notFound(what, id)
	}
	return doing("remove "+what, err)
}

func folded(name string) string { return strings.ToLower(state.Key(name)) }

// Save writes over the account of that ID or inserts it.
func (t users) Save(ctx context.Context, u *honeyguide.User) (created bool, err error) {
	state.TidyUser(u)
	if u.Name == "" {
		return false, doing("save user", invalid("name: a user needs one"))
	}
	if u.ID != "" {
		old, found, err := row[honeyguide.User](ctx, t.tx, "SELECT doc FROM account WHERE id = $1", u.ID)
		if err != nil {
			return false, doing("save user", err)
		}
		if found {
			u.Name, u.CreatedAt, u.CreatedBy = old.Name, old.CreatedAt, old.CreatedBy
			doc, err := encode(u)
			if err != nil {
				return false, doing("save user", err)
			}
			_, err = t.exec(ctx, "UPDATE account SET kind = $2, role = $3, disabled = $4, doc = $5 WHERE id = $1",
				u.ID, string(u.Kind), u.Role, bit(u.Disabled), doc)
			return false, doing("save user", err)
		}
	}
	return true, doing("save user", t.insert(ctx, u))
}

func (t users) insert(ctx context.Context, u *honeyguide.User) error {
	if _, taken, err := row[honeyguide.User](ctx, t.tx, "SELECT doc FROM account WHERE name = $1", folded(u.Name)); err != nil {
		return err
	} else if taken {
		return conflict("name: somebody has it already; choose another")
	}
	if err := t.room(ctx, state.MaxUsers, "users", "SELECT count(*) FROM account"); err != nil {
		return err
	}
	if u.CreatedAt.IsZero() {
		u.CreatedAt = state.Time(t.now())
	}
	if u.ID == "" {
		u.ID = honeyguide.NewID(u.CreatedAt)
	}
	doc, err := encode(u)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "INSERT INTO account (id, name, kind, role, disabled, created, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)",
		u.ID, folded(u.Name), string(u.Kind), u.Role, bit(u.Disabled), micros(u.CreatedAt), doc)
	return err
}

// Get finds by ID or name.
func (t users) Get(ctx context.Context, id string) (honeyguide.User, error) {
	u, found, err := row[honeyguide.User](ctx, t.tx, "SELECT doc FROM account WHERE id = $1", state.Key(id))
	if err != nil || found {
		return u, doing("get user", err)
	}
	return t.Named(ctx, id)
}

// Named finds by name.
func (t users) Named(ctx context.Context, name string) (honeyguide.User, error) {
	u, found, err := row[honeyguide.User](ctx, t.tx, "SELECT doc FROM account WHERE name = $1", folded(name))
	if err == nil && !found {
		err = notFound("user", name)
	}
	return u, doing("get user", err)
}

func userWhere(q state.UserQuery) (w where) {
	w.is("role", q.Role)
	w.is("kind", string(q.Kind))
	if q.Enabled {
		w.add("disabled = 0")
	}
	return w
}

// List reads a page.
func (t users) List(ctx context.Context, q state.UserQuery) ([]honeyguide.User, string, error) {
	l := list{name: state.ListUsers, table: "account", at: "created", id: "id"}
	out, next, err := page[honeyguide.User](ctx, t.tx, l, userWhere(q), q.Page)
	return out, next, doing("list users", err)
}

// Count counts.
func (t users) Count(ctx context.Context, q state.UserQuery) (n int64, err error) {
	w := userWhere(q)
	_, err = t.one(ctx, "SELECT count(*) FROM account"+w.String(), w.args, &n)
	return n, doing("count users", err)
}

// Remove removes an account and all that is its.
func (t users) Remove(ctx context.Context, id string) error {
	id = state.Key(id)
	n, err := t.exec(ctx, "DELETE FROM account WHERE id = $1", id)
	for _, q := range []string{
		"DELETE FROM credential WHERE account = $1", "DELETE FROM login_session WHERE account = $1",
		"DELETE FROM login_try WHERE account = $1", "DELETE FROM api_key WHERE owner <> '' AND owner = $1",
	} {
		if err == nil {
			_, err = t.exec(ctx, q, id)
		}
	}
	return gone(n, err, "user", id)
}

// Save writes over the credential of that ID or inserts it.
func (t credentials) Save(ctx context.Context, c *honeyguide.Credential) error {
	state.TidyCredential(c)
	if c.ID != "" {
		old, found, err := row[honeyguide.Credential](ctx, t.tx, "SELECT doc FROM credential WHERE id = $1", c.ID)
		if err != nil {
			return doing("save credential", err)
		}
		if found {
			c.User, c.Kind, c.CreatedAt = old.User, old.Kind, old.CreatedAt
		}
	}
	if c.Lookup != "" {
		other, found, err := row[honeyguide.Credential](ctx, t.tx, "SELECT doc FROM credential WHERE lookup <> '' AND kind = $1 AND lookup = $2", string(c.Kind), c.Lookup)
		if err != nil {
			return doing("save credential", err)
		}
		if found && other.ID != c.ID {
			return doing("save credential", conflict("this credential is known already"))
		}
	}
	if c.CreatedAt.IsZero() {
		if err := t.room(ctx, state.MaxCredentials, "credentials of this user", "SELECT count(*) FROM credential WHERE account = $1", c.User); err != nil {
			return doing("save credential", err)
		}
		c.CreatedAt = state.Time(t.now())
	}
	if c.ID == "" {
		c.ID = honeyguide.NewID(c.CreatedAt)
	}
	doc, err := encode(c)
	if err != nil {
		return doing("save credential", err)
	}
	const q = `INSERT INTO credential (id, account, kind, lookup, created, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET lookup = excluded.lookup, doc = excluded.doc`
	_, err = t.exec(ctx, q, c.ID, c.User, string(c.Kind), c.Lookup, micros(c.CreatedAt), doc)
	return doing("save credential", err)
}

// Of reads those of an account.
func (t credentials) Of(ctx context.Context, user string, kind honeyguide.CredentialKind) ([]honeyguide.Credential, error) {
	out, err := rows[honeyguide.Credential](ctx, t.tx,
		"SELECT doc FROM credential WHERE account = $1 AND ($2 = '' OR kind = $2) ORDER BY created, id", state.Key(user), string(kind))
	return out, doing("read credentials", err)
}

// Find finds by Lookup.
func (t credentials) Find(ctx context.Context, kind honeyguide.CredentialKind, lookup string) (honeyguide.Credential, error) {
	c, found, err := row[honeyguide.Credential](ctx, t.tx, "SELECT doc FROM credential WHERE lookup <> '' AND kind = $1 AND lookup = $2", string(kind), lookup)
	if err == nil && !found {
		err = notFound("credential", "")
	}
	return c, doing("find credential", err)
}

// Get finds by ID.
func (t credentials) Get(ctx context.Context, id string) (honeyguide.Credential, error) {
	c, found, err := row[honeyguide.Credential](ctx, t.tx, "SELECT doc FROM credential WHERE id = $1", state.Key(id))
	if err == nil && !found {
		err = notFound("credential", id)
	}
	return c, doing("get credential", err)
}

// Remove removes one.
func (t credentials) Remove(ctx context.Context, id string) error {
	n, err := t.exec(ctx, "DELETE FROM credential WHERE id = $1", state.Key(id))
	return gone(n, err, "credential", id)
}

// RemoveOf removes those of an account.
func (t credentials) RemoveOf(ctx context.Context, user string, kind honeyguide.CredentialKind) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM credential WHERE account = $1 AND ($2 = '' OR kind = $2)", state.Key(user), string(kind))
	return n, doing("remove credentials", err)
}
