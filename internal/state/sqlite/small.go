package sqlite

import (
	"context"
	"strconv"

	"honeyguide"
	"honeyguide/internal/state"
)

// Add stores what nobody understood.
func (t deadLetters) Add(ctx context.Context, letters ...honeyguide.DeadLetter) error {
	for _, d := range letters {
		state.TidyDeadLetter(&d)
		if d.Time.IsZero() {
			d.Time = state.Time(t.now())
		}
		if d.ID == "" {
			d.ID = honeyguide.NewID(d.Time)
		}
		doc, err := encode(&d)
		if err != nil {
			return doing("add dead letter", err)
		}
		const q = "INSERT INTO dead_letter (id, at, source, doc) VALUES ($1, $2, $3, $4) ON CONFLICT (id) DO NOTHING"
		if _, err := t.exec(ctx, q, d.ID, micros(d.Time), d.Source, doc); err != nil {
			return doing("add dead letter", err)
		}
	}
	return nil
}

// List reads a page.
func (t deadLetters) List(ctx context.Context, q state.DeadLetterQuery) ([]honeyguide.DeadLetter, string, error) {
	var w where
	w.is("source", q.Source)
	l := list{name: state.ListDeadLetters, table: "dead_letter", at: "at", id: "id"}
	out, next, err := page[honeyguide.DeadLetter](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list dead letters", err)
}

// Count counts them.
func (t deadLetters) Count(ctx context.Context) (n int64, err error) {
	_, err = t.one(ctx, "SELECT count(*) FROM dead_letter", nil, &n)
	return n, doing("count dead letters", err)
}

// Cursor reads a position.
func (t cursors) Cursor(ctx context.Context, consumer string) (seq int64, err error) {
	_, err = t.one(ctx, "SELECT seq FROM cursor WHERE consumer = $1", []any{state.Key(consumer)}, &seq)
	return seq, doing("read cursor", err)
}

// Move moves a position.
func (t cursors) Move(ctx context.Context, consumer string, from, to int64) error {
	consumer = state.Key(consumer)
	if from < 0 || to < 0 {
		return doing("move cursor", invalid("cursor: a position is 0 or more"))
	}
	now := micros(state.Time(t.now()))
	n, err := t.exec(ctx, "UPDATE cursor SET seq = $3, at = $4 WHERE consumer = $1 AND seq = $2", consumer, from, to, now)
	if err == nil && n == 0 && from == 0 {
		n, err = t.exec(ctx, "INSERT INTO cursor (consumer, seq, at) VALUES ($1, $2, $3) ON CONFLICT (consumer) DO NOTHING", consumer, to, now)
	}
	if err == nil && n == 0 {
		err = conflict("cursor " + strconv.Quote(consumer) + " is not at " + strconv.FormatInt(from, 10) + ": two readers have one name")
	}
	return doing("move cursor", err)
}

// Get reads a value.
func (t meta) Get(ctx context.Context, key string) (value string, err error) {
	_, err = t.one(ctx, "SELECT value FROM meta WHERE name = $1", []any{state.Key(key)}, &value)
	return value, doing("read meta", err)
}

// Put writes a value.
func (t meta) Put(ctx context.Context, key, value string) error {
	const q = "INSERT INTO meta (name, value) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET value = excluded.value"
	_, err := t.exec(ctx, q, state.Key(key), state.Column(value))
	return doing("write meta", err)
}
