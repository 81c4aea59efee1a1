package sqlite

import (
	"context"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// Sight counts one time a sample was brought.
func (t samples) Sight(ctx context.Context, s honeyguide.Sample, at honeyguide.Sighting) error {
	at.Sample = s.ID
	state.TidySample(&s)
	state.TidySighting(&at)
	if s.ID == "" || at.EventID == "" {
		return doing("note sample", invalid("id: a sample and its event need one"))
	}
	var seen int
	known, err := t.one(ctx, "SELECT 1 FROM sighting WHERE sample = $1 AND event = $2", []any{s.ID, at.EventID}, &seen)
	if err != nil || known {
		return doing("note sample", err)
	}
	old, err := t.get(ctx, s.ID)
	if err != nil {
		return doing("note sample", err)
	}
	merged := state.MergeSample(old, s, at)
	state.TidySample(&merged)
	if err := t.put(ctx, &merged); err != nil {
		return doing("note sample", err)
	}
	doc, err := encode(&at)
	if err != nil {
		return doing("note sample", err)
	}
	const q = "INSERT INTO sighting (sample, event, n, at, session, doc) VALUES ($1, $2, $3, $4, $5, $6)"
	if _, err := t.exec(ctx, q, s.ID, at.EventID, merged.Count, micros(at.Time), at.Session, doc); err != nil {
		return doing("note sample", err)
	}
	_, err = t.exec(ctx, "DELETE FROM sighting WHERE sample = $1 AND n <= $2", s.ID, merged.Count-state.KeptSightings)
	return doing("note sample", err)
}

// get reads a sample; one that is not there is the zero value.
func (t samples) get(ctx context.Context, id string) (s honeyguide.Sample, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM sample WHERE id = $1", []any{id}, &doc)
	if err != nil || !found {
		return s, err
	}
	return s, decode(doc, &s)
}

func (t samples) put(ctx context.Context, s *honeyguide.Sample) error {
	doc, err := encode(s)
	if err != nil {
		return err
	}
	kind, _, _ := strings.Cut(s.Type, " ")
	const q = `INSERT INTO sample (id, first, last, seen, type, doc) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (id) DO UPDATE SET first = excluded.first, last = excluded.last, seen = excluded.seen, type = excluded.type, doc = excluded.doc`
	_, err = t.exec(ctx, q, s.ID, micros(s.FirstAt), micros(s.LastAt), s.Count, kind, doc)
	return err
}

// Ran counts a run. It is noted among the sightings, so that it counts once.
func (t samples) Ran(ctx context.Context, id, eventID string) error {
	id, eventID = state.Key(id), state.Key(eventID)
	s, err := t.get(ctx, id)
	if err != nil || s.ID == "" {
		return doing("note run", err)
	}
	var seen int
	if known, err := t.one(ctx, "SELECT 1 FROM sighting WHERE sample = $1 AND event = $2", []any{id, eventID}, &seen); err != nil || known {
		return doing("note run", err)
	}
	s.Executed++
	if err := t.put(ctx, &s); err != nil {
		return doing("note run", err)
	}
	_, err = t.exec(ctx, "INSERT INTO sighting (sample, event, n, at, session, doc) VALUES ($1, $2, $3, $4, '', '')", id, eventID, s.Count, micros(s.LastAt))
	return doing("note run", err)
}

// leastPrefix is how many digits of an id are enough to ask by.
const leastPrefix = 8

// Get finds by ID or by its beginning.
func (t samples) Get(ctx context.Context, id string) (honeyguide.Sample, error) {
	id = state.Key(strings.ToLower(strings.TrimSpace(id)))
	s, err := t.get(ctx, id)
	if err != nil {
		return s, doing("get sample", err)
	}
	if s.ID == "" && len(id) >= leastPrefix && strings.Trim(id, "0123456789abcdef") == "" {
		var docs []string
		err := t.each(ctx, "SELECT doc FROM sample WHERE id >= $1 AND id < $2 ORDER BY id LIMIT 2", []any{id, id + "g"}, func(scan func(...any) error) error {
			var doc string
			err := scan(&doc)
			docs = append(docs, doc)
			return err
		})
		if err != nil {
			return s, doing("get sample", err)
		}
		if len(docs) == 1 {
			return s, doing("get sample", decode(docs[0], &s))
		}
	}
	if s.ID == "" {
		return s, doing("get sample", notFound("sample", id))
	}
	return s, nil
}

// List reads a page.
func (t samples) List(ctx context.Context, q state.SampleQuery) ([]honeyguide.Sample, string, error) {
	var w where
	w.is("type", q.Type)
	if q.Session != "" {
		w.add("id IN (SELECT sample FROM sighting WHERE session <> '' AND session = " + w.arg(state.Key(q.Session)) + ")")
	}
	l := list{name: state.ListSamples, table: "sample", at: "first", id: "id"}
	out, next, err := page[honeyguide.Sample](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list samples", err)
}

// Sightings reads the newest ones.
func (t samples) Sightings(ctx context.Context, id string) ([]honeyguide.Sighting, error) {
	out := []honeyguide.Sighting{}
	const q = "SELECT doc FROM sighting WHERE sample = $1 AND doc <> '' ORDER BY at DESC, event DESC LIMIT $2"
	err := t.each(ctx, q, []any{state.Key(id), state.ListedSightings}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var s honeyguide.Sighting
		err := decode(doc, &s)
		out = append(out, s)
		return err
	})
	return out, doing("list sightings", err)
}
