package state

import "context"

// A Rewriter goes through everything a store holds, whatever table it is in: for
// requests of people to know what is kept about them, and to have it erased.
type Rewriter interface {
	// Walk calls fn for every row of every table.
	Walk(ctx context.Context, fn func(Row) error) error
	// Rewrite hands every text of every row to change and stores what comes back
	// when it counts more than 0. Words people search by, and free pages and
	// journals of the file, are made anew; nothing else is changed. It works in
	// small transactions, with others between them; it may be called again after any
	// failure. It returns how many rows of each table changed. What stands where no
	// text can be replaced is dropped with its row.
	Rewrite(ctx context.Context, change func(table, column, value string) (string, int)) (map[string]int64, error)
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
