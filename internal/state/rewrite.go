package state

import (
	"context"
	"time"
)

// A Rewriter goes through everything a store holds, whatever table it is in: for
// requests of people to know what is kept about them, and to have it erased.
type Rewriter interface {
	// Walk calls fn for every row of every table.
	Walk(ctx context.Context, fn func(Row) error) error
	// Rewrite hands every text of the rows r names to r.Change and stores what comes
	// back when it counts more than 0. Words people search by, and free pages and
	// journals of the file, are made anew; nothing else is changed. It works in
	// small transactions, with others between them; it may be called again after any
	// failure. It returns how many rows of each table changed. What stands where no
	// text can be replaced is dropped with its row.
	Rewrite(ctx context.Context, r Rewrite) (map[string]int64, error)
	// Scour makes words, free pages and journals anew, so that nothing of what was
	// removed is left in any file. Others wait meanwhile.
	Scour(ctx context.Context) error
}

// Rewrite says what changes.
type Rewrite struct {
	Change func(table, column, value string) (string, int)
	// Before names the rows that are older, that nobody works with any more and that
	// no hold keeps; tables whose rows do not grow old are left out. Zero: all rows.
	Before time.Time
}

// A Row is one row of a table, as it is stored.
type Row struct {
	Table string
	Cells []Cell
}

// A Cell is one text of a row; numbers say nothing about anybody by themselves.
type Cell struct {
	Column string
	Text   string
}
