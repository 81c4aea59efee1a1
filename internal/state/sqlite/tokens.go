package sqlite

import (
	"context"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// tokenRow is a token as it is stored: counts and times move without touching the document.
type tokenRow struct {
	num, exposures, uses, exposed, used int64
	doc                                 string
}

const tokenColumns = "num, exposures, uses, exposed, used, doc"

func (r *tokenRow) into() []any {
	return []any{&r.num, &r.exposures, &r.uses, &r.exposed, &r.used, &r.doc}
}

func (r *tokenRow) token() (h honeyguide.Honeytoken, err error) {
	err = decode(r.doc, &h)
	h.Exposures, h.Uses, h.ExposedAt, h.UsedAt = r.exposures, r.uses, moment(r.exposed), moment(r.used)
	return h, err
}

// Save writes over the token of that ID or inserts it.
func (t tokens) Save(ctx context.Context, h *honeyguide.Honeytoken) error {
	state.TidyToken(h)
	if h.ID == "" {
		return doing("save honeytoken", invalid("id: a honeytoken needs one"))
	}
	var r tokenRow
	found, err := t.one(ctx, "SELECT "+tokenColumns+" FROM token WHERE id = $1", []any{h.ID}, r.into()...)
	if err != nil {
		return doing("save honeytoken", err)
	}
	if found {
		old, err := r.token()
		if err != nil {
			return doing("save honeytoken", err)
		}
		h.CreatedAt = old.CreatedAt
	} else if r.num, err = t.number(ctx, "token"); err != nil {
		return doing("save honeytoken", err)
	}
	h.Short = "HT-" + strconv.FormatInt(r.num, 10)
	h.Exposures, h.Uses, h.ExposedAt, h.UsedAt = r.exposures, r.uses, moment(r.exposed), moment(r.used)
	if h.CreatedAt.IsZero() {
		h.CreatedAt = state.Time(t.now())
	}
	doc, err := encode(h)
	if err != nil {
		return doing("save honeytoken", err)
	}
	const q = `INSERT INTO token (num, id, doc) VALUES ($1, $2, $3) ON CONFLICT (num) DO UPDATE SET doc = excluded.doc`
	_, err = t.exec(ctx, q, r.num, h.ID, doc)
	return doing("save honeytoken", err)
}

// Get finds by ID or Short.
func (t tokens) Get(ctx context.Context, id string) (h honeyguide.Honeytoken, err error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("HT-", id); ok {
		cond, arg = "num = $1", n
	}
	var r tokenRow
	found, err := t.one(ctx, "SELECT "+tokenColumns+" FROM token WHERE "+cond, []any{arg}, r.into()...)
	switch {
	case err != nil:
		return h, doing("get honeytoken", err)
	case !found:
		return h, doing("get honeytoken", notFound("honeytoken", id))
	}
	return r.token()
}

// List reads a page.
func (t tokens) List(ctx context.Context, p state.Page) ([]honeyguide.Honeytoken, string, error) {
	q, args := "SELECT "+tokenColumns+" FROM token", []any{p.Rows() + 1}
	if p.After != "" {
		num, _, err := state.ParseCursor(state.ListTokens, p.After)
		if err != nil {
			return nil, "", doing("list honeytokens", err)
		}
		q, args = q+" WHERE num < $2", append(args, num)
	}
	out, more, last := []honeyguide.Honeytoken{}, false, int64(0)
	err := t.each(ctx, q+" ORDER BY num DESC LIMIT $1", args, func(scan func(...any) error) error {
		var r tokenRow
		if err := scan(r.into()...); err != nil {
			return err
		}
		if len(out) == p.Rows() {
			more = true
			return nil
		}
		h, err := r.token()
		out, last = append(out, h), r.num
		return err
	})
	if err != nil || !more {
		return out, "", doing("list honeytokens", err)
	}
	return out, state.Cursor(state.ListTokens, last, ""), nil
}

// count raises a counter of a token and returns it. The caller has seen that the
// event is new.
func (t tokens) count(ctx context.Context, counter, when, token string, at int64) (n int64, err error) {
	q := "UPDATE token SET " + counter + " = " + counter + " + 1, " +
		when + " = CASE WHEN " + when + " < $2 THEN $2 ELSE " + when + " END WHERE id = $1 RETURNING " + counter
	_, err = t.one(ctx, q, []any{token, at}, &n)
	return n, err
}

// known reports whether the token has noted the event before. CodeNotFound when
// there is no such token.
func (t tokens) known(ctx context.Context, table, token, event string) (bool, error) {
	if event == "" {
		return false, invalid("event_id: what happened to a honeytoken needs one")
	}
	var one int
	if found, err := t.one(ctx, "SELECT 1 FROM token WHERE id = $1", []any{token}, &one); err != nil {
		return false, err
	} else if !found {
		return false, notFound("honeytoken", token)
	}
	return t.one(ctx, "SELECT 1 FROM "+table+" WHERE token = $1 AND event = $2", []any{token, event}, &one)
}

// Expose notes who read the token.
func (t tokens) Expose(ctx context.Context, e honeyguide.Exposure) error {
	state.TidyExposure(&e)
	if known, err := t.known(ctx, "exposure", e.Token, e.EventID); err != nil || known {
		return doing("expose honeytoken", err)
	}
	n, err := t.count(ctx, "exposures", "exposed", e.Token, micros(e.Time))
	if err != nil {
		return doing("expose honeytoken", err)
	}
	doc, err := encode(&e)
	if err != nil {
		return doing("expose honeytoken", err)
	}
	const q = "INSERT INTO exposure (token, event, n, at, doc) VALUES ($1, $2, $3, $4, $5)"
	if _, err := t.exec(ctx, q, e.Token, e.EventID, n, micros(e.Time), doc); err != nil {
		return doing("expose honeytoken", err)
	}
	_, err = t.exec(ctx, "DELETE FROM exposure WHERE token = $1 AND n <= $2", e.Token, n-state.KeptExposures)
	return doing("expose honeytoken", err)
}

// Exposures reads the newest ones.
func (t tokens) Exposures(ctx context.Context, token string) ([]honeyguide.Exposure, error) {
	cond, arg := "$1", any(state.Key(token))
	if n, ok := short("HT-", token); ok {
		cond, arg = "(SELECT id FROM token WHERE num = $1)", n
	}
	out := []honeyguide.Exposure{}
	q := "SELECT doc FROM exposure WHERE token = " + cond + " ORDER BY at DESC, event DESC LIMIT $2"
	err := t.each(ctx, q, []any{arg, state.ListedExposures}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var e honeyguide.Exposure
		err := decode(doc, &e)
		out = append(out, e)
		return err
	})
	return out, doing("list exposures", err)
}

// Use notes that the token came back.
func (t tokens) Use(ctx context.Context, token, eventID string, at time.Time) error {
	token, eventID, at = state.Key(token), state.Key(eventID), state.Time(at)
	if known, err := t.known(ctx, "token_use", token, eventID); err != nil || known {
		return doing("use honeytoken", err)
	}
	n, err := t.count(ctx, "uses", "used", token, micros(at))
	if err != nil {
		return doing("use honeytoken", err)
	}
	const q = "INSERT INTO token_use (token, event, n, at) VALUES ($1, $2, $3, $4)"
	if _, err := t.exec(ctx, q, token, eventID, n, micros(at)); err != nil {
		return doing("use honeytoken", err)
	}
	_, err = t.exec(ctx, "DELETE FROM token_use WHERE token = $1 AND n <= $2", token, n-state.KeptExposures)
	return doing("use honeytoken", err)
}

// Uses reads when the token came back.
func (t tokens) Uses(ctx context.Context, token string, since time.Time) ([]state.TokenUse, error) {
	out := []state.TokenUse{}
	const q = "SELECT event, at FROM token_use WHERE token = $1 AND at >= $2 ORDER BY at DESC, event DESC"
	err := t.each(ctx, q, []any{state.Key(token), micros(state.Time(since))}, func(scan func(...any) error) error {
		u := state.TokenUse{Token: state.Key(token)}
		var at int64
		err := scan(&u.EventID, &at)
		u.At = moment(at)
		out = append(out, u)
		return err
	})
	return out, doing("list token uses", err)
}
