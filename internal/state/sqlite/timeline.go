package sqlite

import (
	"context"

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
	l := list{name: state.ListTimeline, table: "timeline", at: "at", id: "id", rest: "json_object('incident', incident)"}
	next, err := keyset(ctx, t.tx, l, w, q.Page, func(doc string, _ key) error {
		var e honeyguide.TimelineEntry
		err := decode(doc, &e)
		out = append(out, e)
		return err
	})
	return out, next, doing("list timeline", err)
}

// Move gives entries to another incident. The column says whose they are; the
// document keeps whose they were.
func (t timeline) Move(ctx context.Context, from, to string) error {
	_, err := t.exec(ctx, "UPDATE timeline SET incident = $2 WHERE incident = $1", state.Key(from), state.Key(to))
	return doing("move timeline", err)
}
