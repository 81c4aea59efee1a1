package sqlite

import (
	"context"
	"slices"
	"strconv"

	"honeyguide"
	"honeyguide/internal/state"
)

type timeline struct{ *tx }

func (t *tx) Timeline() state.Timeline { return timeline{t} }

// Add stores entries.
func (t timeline) Add(ctx context.Context, entries ...*honeyguide.TimelineEntry) error {
	for _, e := range entries {
		state.TidyEntry(e)
		if e.SeenAt.IsZero() {
			e.SeenAt = state.Time(t.now())
		}
		if e.At.IsZero() {
			e.At = e.SeenAt
		}
		if e.ID == "" {
			e.ID = honeyguide.NewID(e.SeenAt)
		}
		if e.Incident == "" || e.Kind == "" {
			return doing("add timeline entry", invalid("incident, kind: a timeline entry needs both"))
		}
		doc, err := encode(e)
		if err != nil {
			return doing("add timeline entry", err)
		}
		const q = "INSERT INTO timeline (id, incident, at, kind, doc) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (id) DO NOTHING"
		if _, err := t.exec(ctx, q, e.ID, e.Incident, micros(e.At), e.Kind, doc); err != nil {
			return doing("add timeline entry", err)
		}
	}
	return nil
}

// List reads a page.
func (t timeline) List(ctx context.Context, q state.TimelineQuery) ([]honeyguide.TimelineEntry, string, error) {
	var w where
	w.is("incident", q.Incident)
	w.is("kind", q.Kind)
	w.between("at", q.From, q.To)
	out := []honeyguide.TimelineEntry{}
	l := list{name: state.ListTimeline, table: "timeline", at: "at", id: "id", rest: ofIncident}
	next, err := keyset(ctx, t.tx, l, w, q.Page, func(doc, rest string, _ key) error {
		var e honeyguide.TimelineEntry
		err := decode(joined(doc, rest), &e)
		out = append(out, e)
		return err
	})
	return out, next, doing("list timeline", err)
}

// Move gives entries to another incident.
func (t timeline) Move(ctx context.Context, from, to string, only []string) ([]string, error) {
	ids, err := t.move(ctx, "timeline", from, to, only)
	return ids, doing("move timeline", err)
}

// ofIncident is the rest of a document whose incident may have changed since it
// was written: the column says whose it is, the document keeps whose it was.
const ofIncident = "json_object('incident', incident)"

// move gives rows of a table to another incident: all, or only some.
func (t *tx) move(ctx context.Context, table, from, to string, only []string) ([]string, error) {
	from, to = state.Key(from), state.Key(to)
	var has []string
	err := t.each(ctx, "SELECT id FROM "+table+" WHERE incident = $1 ORDER BY id", []any{from}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		has = append(has, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	if only != nil {
		meant := make(map[string]bool, len(only))
		for _, id := range only {
			meant[state.Key(id)] = true
		}
		has = slices.DeleteFunc(has, func(id string) bool { return !meant[id] })
	}
	set := " SET incident = $2"
	if table != "timeline" { // which only grows
		at, err := t.stamp(ctx)
		if err != nil {
			return nil, err
		}
		set += ", changed = " + strconv.FormatInt(at, 10)
	}
	for _, id := range has {
		if _, err := t.exec(ctx, "UPDATE "+table+set+" WHERE id = $1", id, to); err != nil {
			return nil, err
		}
	}
	return has, nil
}
