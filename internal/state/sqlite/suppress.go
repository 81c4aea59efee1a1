package sqlite

import (
	"context"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type suppressions struct{ *tx }

func (t *tx) Suppressions() state.Suppressions { return suppressions{t} }

// Save stores the full value by ID, else as new.
func (t suppressions) Save(ctx context.Context, s *honeyguide.Suppression) error {
	state.TidySuppression(s)
	if s.ID != "" {
		num, old, found, err := t.by(ctx, "id = $1", s.ID)
		if err != nil {
			return doing("save suppression", err)
		}
		if found {
			s.ID, s.Short, s.CreatedAt, s.Alerts, s.Events, s.LastAt = old.ID, old.Short, old.CreatedAt, old.Alerts, old.Events, old.LastAt
			return doing("save suppression", t.replace(ctx, num, s))
		}
	}
	return doing("save suppression", t.insert(ctx, s))
}

func (t suppressions) insert(ctx context.Context, s *honeyguide.Suppression) error {
	num, err := t.number(ctx, "suppression")
	if err != nil {
		return err
	}
	s.Short = "SUP-" + strconv.FormatInt(num, 10)
	if s.CreatedAt.IsZero() {
		s.CreatedAt = state.Time(t.now())
	}
	if s.ID == "" {
		s.ID = honeyguide.DerivedID(s.CreatedAt, "suppression", s.Short)
	}
	doc, err := encode(s)
	if err != nil {
		return err
	}
	const q = "INSERT INTO suppression (num, id, created, expires, lifted, doc, changed) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, q, num, s.ID, micros(s.CreatedAt), micros(s.ExpiresAt), micros(s.LiftedAt), doc, at)
	return err
}

func (t suppressions) replace(ctx context.Context, num int64, s *honeyguide.Suppression) error {
	doc, err := encode(s)
	if err != nil {
		return err
	}
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "UPDATE suppression SET expires = $2, lifted = $3, doc = $4, changed = $5 WHERE num = $1", num, micros(s.ExpiresAt), micros(s.LiftedAt), doc, at)
	return err
}

func (t suppressions) by(ctx context.Context, cond string, arg any) (num int64, s honeyguide.Suppression, found bool, err error) {
	var doc string
	found, err = t.one(ctx, "SELECT num, doc FROM suppression WHERE "+cond, []any{arg}, &num, &doc)
	if err != nil || !found {
		return 0, s, false, err
	}
	return num, s, true, decode(doc, &s)
}

func (t suppressions) find(ctx context.Context, id string) (int64, honeyguide.Suppression, error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("SUP-", id); ok {
		cond, arg = "num = $1", n
	}
	num, s, found, err := t.by(ctx, cond, arg)
	if err == nil && !found {
		err = notFound("suppression", id)
	}
	return num, s, err
}

// Get finds by ID or Short.
func (t suppressions) Get(ctx context.Context, id string) (honeyguide.Suppression, error) {
	_, s, err := t.find(ctx, id)
	return s, doing("get suppression", err)
}

// List reads a page.
func (t suppressions) List(ctx context.Context, q state.SuppressionQuery) ([]honeyguide.Suppression, string, error) {
	var w where
	if !q.HoldsAt.IsZero() {
		w.add("lifted = 0 AND expires > " + w.arg(micros(state.Time(q.HoldsAt))))
	}
	l := list{name: state.ListSuppressions, table: "suppression", at: "created", id: "id"}
	out, next, err := page[honeyguide.Suppression](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list suppressions", err)
}

// Holding reads those that hold.
func (t suppressions) Holding(ctx context.Context, now time.Time) ([]honeyguide.Suppression, error) {
	var out []honeyguide.Suppression
	const q = "SELECT doc FROM suppression WHERE lifted = 0 AND expires > $1 ORDER BY num LIMIT $2"
	err := t.each(ctx, q, []any{micros(state.Time(now)), state.MaxHolding}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var s honeyguide.Suppression
		err := decode(doc, &s)
		out = append(out, s)
		return err
	})
	return out, doing("list suppressions that hold", err)
}

// Hit counts what was hidden.
func (t suppressions) Hit(ctx context.Context, id string, alerts, events int64, at time.Time) error {
	num, s, err := t.find(ctx, id)
	if err != nil {
		return doing("count suppressed alerts", err)
	}
	s.Alerts, s.Events, s.LastAt = s.Alerts+alerts, s.Events+events, state.Time(at)
	return doing("count suppressed alerts", t.replace(ctx, num, &s))
}

// suppressed returns the number of the alert that gathers what a hides.
func (t alerts) suppressed(ctx context.Context, a *honeyguide.Alert) (num int64, found bool, err error) {
	if a.DedupeKey == "" || a.Suppression == "" {
		return 0, false, nil
	}
	const q = "SELECT num FROM alert WHERE suppression <> '' AND suppression = $1 AND dedupe = $2 AND status = 'suppressed' ORDER BY num DESC LIMIT 1"
	found, err = t.one(ctx, q, []any{a.Suppression, a.DedupeKey}, &num)
	return num, found, err
}

// home returns the number of the stored alert that a merges into.
func (t alerts) home(ctx context.Context, a *honeyguide.Alert) (num int64, found bool, err error) {
	if a.Status == honeyguide.AlertSuppressed {
		return t.suppressed(ctx, a)
	}
	return t.open(ctx, a.DedupeKey)
}
