package sqlite

import (
	"context"
	"slices"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type changes struct{ *tx }

func (t *tx) IncidentChanges() state.IncidentChanges { return changes{t} }

// Add stores a change.
func (t changes) Add(ctx context.Context, c *honeyguide.IncidentChange, moved []string) error {
	state.TidyChange(c)
	moved = slices.Compact(slices.Sorted(slices.Values(moved)))
	num, err := t.number(ctx, "incident_change")
	if err != nil {
		return doing("add incident change", err)
	}
	c.Short, c.Alerts = "IC-"+strconv.FormatInt(num, 10), int64(len(moved))
	if c.At.IsZero() {
		c.At = state.Time(t.now())
	}
	c.ID = honeyguide.DerivedID(c.At, "incident change", c.Short)
	doc, err := encode(c)
	if err != nil {
		return doing("add incident change", err)
	}
	const q = "INSERT INTO incident_change (num, id, at, giver, taker, doc) VALUES ($1, $2, $3, $4, $5, $6)"
	if _, err := t.exec(ctx, q, num, c.ID, micros(c.At), c.From, c.Into, doc); err != nil {
		return doing("add incident change", err)
	}
	for _, id := range moved {
		const q = "INSERT INTO incident_change_alert (change, alert) VALUES ($1, $2)"
		if _, err := t.exec(ctx, q, num, state.Key(id)); err != nil {
			return doing("add incident change", err)
		}
	}
	return nil
}

// Undone marks a change.
func (t changes) Undone(ctx context.Context, id, by string, at time.Time) error {
	num, c, err := t.find(ctx, id)
	switch {
	case err != nil:
		return doing("undo incident change", err)
	case !c.UndoneAt.IsZero():
		return conflict(c.Short + " was undone already")
	}
	c.UndoneAt, c.UndoneBy = at, by
	state.TidyChange(&c)
	doc, err := encode(&c)
	if err != nil {
		return doing("undo incident change", err)
	}
	_, err = t.exec(ctx, "UPDATE incident_change SET doc = $2 WHERE num = $1", num, doc)
	return doing("undo incident change", err)
}

func (t changes) find(ctx context.Context, id string) (num int64, c honeyguide.IncidentChange, err error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("IC-", id); ok {
		cond, arg = "num = $1", n
	}
	var doc string
	found, err := t.one(ctx, "SELECT num, doc FROM incident_change WHERE "+cond, []any{arg}, &num, &doc)
	if err == nil && !found {
		err = notFound("incident change", id)
	}
	if err != nil {
		return 0, c, err
	}
	return num, c, decode(doc, &c)
}

// Get finds by ID or Short.
func (t changes) Get(ctx context.Context, id string) (honeyguide.IncidentChange, error) {
	_, c, err := t.find(ctx, id)
	return c, doing("get incident change", err)
}

// Moved reads the ids of what was moved.
func (t changes) Moved(ctx context.Context, id string) ([]string, error) {
	out := []string{}
	const q = "SELECT alert FROM incident_change_alert WHERE change = (SELECT num FROM incident_change WHERE id = $1) ORDER BY alert"
	err := t.each(ctx, q, []any{state.Key(id)}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out = append(out, id)
		return err
	})
	return out, doing("list moved alerts", err)
}

// Carry keeps what else was moved.
func (t changes) Carry(ctx context.Context, id string, c state.Carried) error {
	doc, err := encode(&c)
	if err != nil {
		return doing("keep what was carried", err)
	}
	n, err := t.exec(ctx, "UPDATE incident_change SET carried = $2 WHERE id = $1", state.Key(id), doc)
	if err == nil && n == 0 {
		err = notFound("incident change", id)
	}
	return doing("keep what was carried", err)
}

// Carried reads it.
func (t changes) Carried(ctx context.Context, id string) (c state.Carried, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT carried FROM incident_change WHERE id = $1", []any{state.Key(id)}, &doc)
	if err == nil && !found {
		err = notFound("incident change", id)
	}
	if err == nil && doc != "" {
		err = decode(doc, &c)
	}
	return c, doing("read what was carried", err)
}

// List reads a page.
func (t changes) List(ctx context.Context, q state.ChangeQuery) ([]honeyguide.IncidentChange, string, error) {
	var w where
	if q.Incident != "" {
		id := w.arg(state.Key(q.Incident))
		w.add("(giver = " + id + " OR taker = " + id + ")")
	}
	l := list{name: state.ListChanges, table: "incident_change", at: "at", id: "id"}
	out, next, err := page[honeyguide.IncidentChange](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list incident changes", err)
}
