package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
)

// magic is how every database file begins (https://www.sqlite.org/fileformat.html, 1.3).
const magic = "SQLite format 3\x00"

// Kinds of file as [Look] tells them apart.
const (
	NoDatabase = iota // another kind of file
	Plain             // a database of which all is in the one file, while nobody writes it
	Logged            // a database with a write-ahead log beside it
)

// headLen is how much of a file [Look] wants to see.
const headLen = 20

// Look says by its first bytes what kind of file this is. Bytes 18 and 19 of a
// database are 2 as long as it has a write-ahead log, 1 otherwise.
func Look(head []byte) int {
	switch {
	case len(head) < headLen || string(head[:len(magic)]) != magic:
		return NoDatabase
	case head[18] == 2 || head[19] == 2:
		return Logged
	}
	return Plain
}

// Snapshot writes the database to w as one plain file, as it is at this moment,
// while others go on writing it. It is one read transaction that hands out the
// pages in their order: nothing is put on the disk in between, memory is a page,
// and pages that did not change are the same bytes in the next snapshot. The
// write-ahead log cannot be emptied until it is over. It returns the bytes
// written.
func Snapshot(ctx context.Context, db *sql.DB, w io.Writer) (n int64, err error) {
	rows, err := db.QueryContext(ctx, "SELECT pgno, data FROM sqlite_dbpage")
	if err != nil {
		return 0, fmt.Errorf("read the pages of the database: %w", err)
	}
	defer func() { err = errors.Join(err, rows.Close()) }()
	want, size := int64(1), 0
	for rows.Next() {
		var no int64
		var page sql.RawBytes
		if err := rows.Scan(&no, &page); err != nil {
			return n, fmt.Errorf("read page %d of the database: %w", want, err)
		}
		if no != want || len(page) == 0 || size != 0 && len(page) != size {
			return n, fmt.Errorf("read page %d of the database: got page %d of %d bytes", want, no, len(page))
		}
		want, size = want+1, len(page)
		if no == 1 {
			page = append([]byte(nil), page...)
			if len(page) > headLen && string(page[:len(magic)]) == magic {
				page[18], page[19] = 1, 1 // what is written here has no log beside it
			}
		}
		k, err := w.Write(page)
		if n += int64(k); err != nil {
			return n, err
		}
	}
	return n, rows.Err()
}
