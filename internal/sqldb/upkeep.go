package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// Backup writes a consistent copy of the database to path while it is in use.
// The copy appears under its name only when it is complete and on the disk; an
// older file of that name is replaced.
func Backup(ctx context.Context, db *sql.DB, path string) error {
	part := path + ".part"
	if err := os.Remove(part); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("back up database: %w", err)
	}
	if _, err := db.ExecContext(ctx, "VACUUM INTO $1", part); err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if err := os.Chmod(part, 0o600); err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if err := Sync(part); err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("back up database: %w", err)
	}
	return Sync(filepath.Dir(path))
}

// Sync puts a file's content, or a folder's list of names, on the disk. Never use
// it on a database that is open: closing the descriptor drops its locks.
func Sync(path string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}

// Checkpoint copies the write-ahead log back into the file and empties it. It
// waits for readers as long as Options.Busy allows and then gives an error.
func Checkpoint(ctx context.Context, db *sql.DB) error {
	var busy, pages, moved int
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &pages, &moved); err != nil {
		return fmt.Errorf("checkpoint database: %w", err)
	}
	if busy != 0 {
		return errors.New("checkpoint database: readers are in the way")
	}
	return nil
}

// errDamage is what a check found, as opposed to one that could not be made.
var errDamage = errors.New("the file is damaged")

// Check looks for damage and returns an error with the first lines found, for which
// [IsCorrupt] is true. Of any other error nothing follows about the file. quick
// leaves out the comparison of indexes with their tables, which takes as long as
// reading everything twice.
func Check(ctx context.Context, db *sql.DB, quick bool) error {
	pragma := "PRAGMA integrity_check(10)"
	if quick {
		pragma = "PRAGMA quick_check(10)"
	}
	rows, err := db.QueryContext(ctx, pragma)
	if err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	defer rows.Close()
	var faults []string
	for rows.Next() {
		var line string
		if err := rows.Scan(&line); err != nil {
			return fmt.Errorf("check database: %w", err)
		}
		if line != "ok" {
			faults = append(faults, line)
		}
	}
	if err := rows.Err(); err != nil {
		return fmt.Errorf("check database: %w", err)
	}
	if len(faults) > 0 {
		return fmt.Errorf("check database: %w: %s", errDamage, strings.Join(faults, "; "))
	}
	return nil
}

// PutAside renames a damaged file, and what lies beside it, so that a new one can
// be made in its place, and returns its new name. Nobody may have it open.
func PutAside(path string) (string, error) {
	to := path + ".bad"
	for i := 1; ; i++ {
		if _, err := os.Stat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s.bad%d", path, i)
	}
	for _, beside := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Rename(path+beside, to+beside); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("put a damaged file aside: %w", err)
		}
	}
	return to, Sync(filepath.Dir(path))
}
