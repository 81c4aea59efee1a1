package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Save writes over the session of that ID or inserts it.
func (t loginSessions) Save(ctx context.Context, s *honeyguide.LoginSession) error {
	state.TidyLoginSession(s)
	if s.ID == "" || s.Sum == "" {
		return doing("save login", invalid("id: a login needs one, and a sum"))
	}
	doc, err := encode(s)
	if err != nil {
		return doing("save login", err)
	}
	const q = `INSERT INTO login_session (id, account, sum, since, seen, until, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (id) DO UPDATE SET sum = excluded.sum, seen = excluded.seen, until = excluded.until, doc = excluded.doc`
	_, err = t.exec(ctx, q, s.ID, s.User, s.Sum, micros(s.Since), micros(s.SeenAt), micros(s.Until), doc)
	return doing("save login", err)
}

func (t loginSessions) get(ctx context.Context, q, arg string) (honeyguide.LoginSession, error) {
	s, found, err := row[honeyguide.LoginSession](ctx, t.tx, q, state.Key(arg))
	if err == nil && !found {
		err = notFound("login", "")
	}
	return s, doing("get login", err)
}

// Get finds by ID.
func (t loginSessions) Get(ctx context.Context, id string) (honeyguide.LoginSession, error) {
	return t.get(ctx, "SELECT doc FROM login_session WHERE id = $1", id)
}

// Find finds by the hash of the cookie.
func (t loginSessions) Find(ctx context.Context, sum string) (honeyguide.LoginSession, error) {
	return t.get(ctx, "SELECT doc FROM login_session WHERE sum = $1", sum)
}

// Of reads those of an account.
func (t loginSessions) Of(ctx context.Context, user string) ([]honeyguide.LoginSession, error) {
	out, err := rows[honeyguide.LoginSession](ctx, t.tx, "SELECT doc FROM login_session WHERE account = $1 ORDER BY since DESC, id DESC", state.Key(user))
	return out, doing("list logins", err)
}

// Seen notes the times.
func (t loginSessions) Seen(ctx context.Context, at map[string]time.Time) error {
	for id, when := range at {
		s, found, err := row[honeyguide.LoginSession](ctx, t.tx, "SELECT doc FROM login_session WHERE id = $1", state.Key(id))
		if err == nil && found && when.After(s.SeenAt) {
			s.SeenAt = when
			err = t.Save(ctx, &s)
		}
		if err != nil {
			return doing("note logins in use", err)
		}
	}
	return nil
}

// Remove ends one.
func (t loginSessions) Remove(ctx context.Context, id string) error {
	_, err := t.exec(ctx, "DELETE FROM login_session WHERE id = $1", state.Key(id))
	return doing("end login", err)
}

// RemoveOf ends those of an account.
func (t loginSessions) RemoveOf(ctx context.Context, user, but string) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM login_session WHERE account = $1 AND id <> $2", state.Key(user), state.Key(but))
	return n, doing("end logins", err)
}

// Trim forgets those that are over.
func (t loginSessions) Trim(ctx context.Context, idle, now time.Time) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM login_session WHERE seen < $1 OR until <= $2", micros(state.Time(idle)), micros(state.Time(now)))
	return n, doing("forget logins that are over", err)
}

// Add inserts, and forgets the oldest.
func (t loginTries) Add(ctx context.Context, l honeyguide.LoginTry) error {
	l.User, l.At = state.Key(l.User), state.Time(l.At)
	doc, err := encode(&l)
	if err != nil {
		return doing("note login", err)
	}
	if _, err := t.exec(ctx, "INSERT INTO login_try (id, account, at, good, network, doc) VALUES ($1, $2, $3, $4, $5, $6)",
		honeyguide.NewID(l.At), l.User, micros(l.At), bit(l.Right), l.Network.String(), doc); err != nil {
		return doing("note login", err)
	}
	_, err = t.exec(ctx, `DELETE FROM login_try WHERE account = $1 AND id IN
		(SELECT id FROM login_try WHERE account = $1 ORDER BY at DESC, id DESC LIMIT -1 OFFSET $2)`, l.User, state.KeptTries)
	return doing("note login", err)
}

// Known looks for a login from there.
func (t loginTries) Known(ctx context.Context, user, network string, since time.Time) (bool, error) {
	var n int
	_, err := t.one(ctx, "SELECT count(*) FROM login_try WHERE account = $1 AND at >= $2 AND good = 1 AND network = $3",
		[]any{state.Key(user), micros(state.Time(since)), network}, &n)
	return n > 0, doing("look for logins", err)
}

// Of reads those of an account.
func (t loginTries) Of(ctx context.Context, user string) ([]honeyguide.LoginTry, error) {
	out, err := rows[honeyguide.LoginTry](ctx, t.tx, "SELECT doc FROM login_try WHERE account = $1 ORDER BY at DESC, id DESC", state.Key(user))
	return out, doing("list login tries", err)
}

// Trim forgets the old.
func (t loginTries) Trim(ctx context.Context, before time.Time) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM login_try WHERE at < $1", micros(state.Time(before)))
	return n, doing("forget login tries", err)
}
