package sqlite

import (
	"context"
	"time"

	"honeyguide"
)

// fresh returns id when no row of table has it, else a new one: what is new must
// not fail because its maker was not careful.
func (t *tx) fresh(ctx context.Context, table, id, salt string, at time.Time) (string, error) {
	if id == "" {
		return honeyguide.DerivedID(at, table, salt), nil
	}
	var n int
	found, err := t.one(ctx, "SELECT 1 FROM "+table+" WHERE id = $1", []any{id}, &n)
	if err != nil || !found {
		return id, err
	}
	return honeyguide.DerivedID(at, table, salt, id), nil
}

// index writes the words of a row.
func (t *tx) index(ctx context.Context, table string, num int64, replace bool, title, body string) error {
	if replace {
		if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE rowid = $1", num); err != nil {
			return err
		}
	}
	_, err := t.exec(ctx, "INSERT INTO "+table+" (rowid, title, body) VALUES ($1, $2, $3)", num, title, body)
	return err
}
