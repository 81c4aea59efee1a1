package sqlite

import (
	"context"
	"fmt"

	"honeyguide/internal/state"
)

// List reads the checkpoints of a source.
func (t checkpoints) List(ctx context.Context, source string) ([]state.Checkpoint, error) {
	out := []state.Checkpoint{}
	const q = "SELECT name, value, seq, at FROM checkpoint WHERE source = $1 ORDER BY name"
	err := t.each(ctx, q, []any{state.Key(source)}, func(scan func(...any) error) error {
		c := state.Checkpoint{Source: source}
		var at int64
		err := scan(&c.Key, &c.Value, &c.Seq, &at)
		c.At = moment(at)
		out = append(out, c)
		return err
	})
	return out, doing("list checkpoints", err)
}

// Put writes checkpoints.
func (t checkpoints) Put(ctx context.Context, list ...state.Checkpoint) error {
	const q = `INSERT INTO checkpoint (source, name, value, seq, at) VALUES ($1, $2, $3, $4, $5)
		ON CONFLICT (source, name) DO UPDATE SET value = excluded.value, seq = excluded.seq, at = excluded.at`
	for _, c := range list {
		if c.Source == "" || len(c.Value) > state.MaxCheckpoint {
			return doing("write checkpoint", invalid(fmt.Sprintf("checkpoint: want a source and at most %d bytes", state.MaxCheckpoint)))
		}
		if c.At.IsZero() {
			c.At = t.now()
		}
		if c.Value == nil {
			c.Value = []byte{}
		}
		if _, err := t.exec(ctx, q, state.Key(c.Source), state.Key(c.Key), c.Value, c.Seq, micros(state.Time(c.At))); err != nil {
			return doing("write checkpoint", err)
		}
	}
	return nil
}

// Delete forgets checkpoints.
func (t checkpoints) Delete(ctx context.Context, source string, keys ...string) error {
	for _, key := range keys {
		if _, err := t.exec(ctx, "DELETE FROM checkpoint WHERE source = $1 AND name = $2", state.Key(source), state.Key(key)); err != nil {
			return doing("forget checkpoint", err)
		}
	}
	return nil
}
