package sqlite

import (
	"context"
	"maps"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// later is what a transaction writes in one go at its end, or before it is asked
// for. FTS5 writes out its whole buffer whenever another statement sets a
// savepoint; with its rows in between the others, inserting took half as long again.
type later struct {
	numbers map[string]int64          // counters that have moved
	words   map[string]map[int64]word // by table and number
	tallies map[counted]*amount
}

// word is one row of a words table.
type word struct {
	replace     bool // there is an older one
	title, body string
}

// number gives out the next number of a name, 1 first.
func (t *tx) number(ctx context.Context, name string) (n int64, err error) {
	n, ok := t.later.numbers[name]
	if !ok {
		if _, err := t.one(ctx, "SELECT n FROM counter WHERE name = $1", []any{name}, &n); err != nil {
			return 0, err
		}
		if t.later.numbers == nil {
			t.later.numbers = make(map[string]int64)
		}
	}
	t.later.numbers[name] = n + 1
	return n + 1, nil
}

// stamp returns the place of this transaction's rows in the order of changes: about
// its time in microseconds, and always behind every transaction before it.
// Transactions that write run one at a time, so whoever reads up to a stamp has
// seen everything up to it.
func (t *tx) stamp(ctx context.Context) (int64, error) {
	if t.at == 0 {
		last, err := t.number(ctx, "stamp") // one more than the last
		if err != nil {
			return 0, err
		}
		t.at = max(last, micros(state.Time(t.now())))
		t.later.numbers["stamp"] = t.at
	}
	return t.at, nil
}

// index notes the words of a row. replace says that the row had others before.
func (t *tx) index(table string, num int64, replace bool, title, body string) {
	if t.later.words == nil {
		t.later.words = make(map[string]map[int64]word)
	}
	rows := t.later.words[table]
	if rows == nil {
		rows = make(map[int64]word)
		t.later.words[table] = rows
	}
	if before, ok := rows[num]; ok {
		replace = before.replace
	}
	rows[num] = word{replace, title, body}
}

// flush writes what was put off, in a fixed order.
func (t *tx) flush(ctx context.Context) error {
	for _, name := range slices.Sorted(maps.Keys(t.later.numbers)) {
		const q = "INSERT INTO counter (name, n) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET n = excluded.n"
		if _, err := t.exec(ctx, q, name, t.later.numbers[name]); err != nil {
			return doing("write counter", err)
		}
	}
	for _, table := range slices.Sorted(maps.Keys(t.later.words)) {
		rows := t.later.words[table]
		nums := slices.Sorted(maps.Keys(rows))
		for _, num := range nums {
			if rows[num].replace {
				if _, err := t.exec(ctx, "DELETE FROM "+table+" WHERE rowid = $1", num); err != nil {
					return doing("index words", err)
				}
			}
		}
		for _, num := range nums {
			q, args := "INSERT INTO "+table+" (rowid, title, body) VALUES ($1, $2, $3)", []any{num, rows[num].title, rows[num].body}
			if _, err := t.exec(ctx, q, args...); err != nil {
				return doing("index words", err)
			}
		}
	}
	if err := t.flushTallies(ctx); err != nil {
		return err
	}
	t.later = later{}
	return nil
}

// links brings the rows (name, num) of a table from have to want. table names its
// columns; row says which row to delete, by name and number.
func (t *tx) links(ctx context.Context, table, row string, num int64, have, want []string) error {
	for _, v := range want {
		if !slices.Contains(have, v) {
			if _, err := t.exec(ctx, "INSERT INTO "+table+" VALUES ($1, $2)", v, num); err != nil {
				return err
			}
		}
	}
	for _, v := range have {
		if !slices.Contains(want, v) {
			name, _, _ := strings.Cut(table, " ")
			if _, err := t.exec(ctx, "DELETE FROM "+name+" WHERE "+row, v, num); err != nil {
				return err
			}
		}
	}
	return nil
}

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
