package backup

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"honeyguide/internal/sqldb"
)

type writer = io.Writer

// Kinds of files, by the way they are read.
const (
	other  = sqldb.NoDatabase
	plain  = sqldb.Plain
	logged = sqldb.Logged
)

// errChanged says that a file changed while it was read.
var errChanged = errors.New("it changes all the time")

// settled is the age at which a database without a log beside it is taken for
// one that is no longer written.
const settled = time.Hour

// kindOf says how a file is to be read. A database that this process may have
// open is never opened as a plain file: closing it again would drop the locks of
// the process on it, and another program could then take its log away.
func kindOf(full string, s seen, running bool, now time.Time) (int, error) {
	if running && strings.HasSuffix(full, ".db") {
		if _, err := os.Lstat(full + "-wal"); !errors.Is(err, fs.ErrNotExist) || now.Sub(s.Mtime) < settled {
			return logged, nil
		}
	}
	f, err := os.Open(full)
	if err != nil {
		return other, err
	}
	var head [64]byte
	n, err := io.ReadFull(f, head[:])
	if err == io.EOF || errors.Is(err, io.ErrUnexpectedEOF) {
		err = nil
	}
	return sqldb.Look(head[:n]), errors.Join(err, f.Close())
}

// source returns what writes the content of a file. A database that is written
// to is read in one transaction. A file that never changes is read as it is, and
// once more when it changed all the same.
func source(ctx context.Context, kind int, full string, s seen, running bool) content {
	switch kind {
	case logged:
		return func(w io.Writer) (err error) {
			// Where no core runs a crashed one may have left a log to be brought in.
			db, err := sqldb.Open(ctx, sqldb.Options{Path: full, ReadOnly: running, MaxConns: 1})
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, db.Close()) }()
			_, err = sqldb.Snapshot(ctx, db, w)
			return err
		}
	case plain:
		return func(w io.Writer) error {
			if err := start(full, -1)(w); err != nil {
				return err
			}
			if _, err := os.Stat(full + "-journal"); !errors.Is(err, fs.ErrNotExist) {
				return errChanged
			}
			st, err := os.Stat(full)
			if err != nil {
				return err
			}
			if now := look(s.Path, st); !now.same(s) {
				return errChanged
			}
			return nil
		}
	}
	return start(full, -1)
}

// start writes the first so many bytes of a file; -1 = as many as it has now.
func start(full string, size int64) content {
	return func(w io.Writer) (err error) {
		f, err := os.Open(full)
		if err != nil {
			return err
		}
		defer func() { err = errors.Join(err, f.Close()) }()
		most := size
		if most < 0 {
			st, err := f.Stat()
			if err != nil {
				return err
			}
			most = st.Size()
		}
		n, err := io.CopyBuffer(struct{ io.Writer }{w}, io.LimitReader(f, most), make([]byte, 256<<10))
		if err == nil && n < size {
			err = fmt.Errorf("it ends after %d of %d bytes", n, size)
		}
		return err
	}
}
