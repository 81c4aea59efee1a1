package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

const (
	appID       = 0x48474556 // "HGEV", so that no other program's file is taken for ours
	fileVersion = 1          // selects the reader; day files are never migrated
	pageSize    = 8192
)

// schema is a day file. Groups have tables of their own, so that walking blk
// touches no page of a blob.
const schema = `
CREATE TABLE meta   (k TEXT PRIMARY KEY, v BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE blk    (lo INTEGER PRIMARY KEY, n INTEGER NOT NULL CHECK (n > 0), ts0 INTEGER NOT NULL, ts1 INTEGER NOT NULL,
                     sev INTEGER NOT NULL, flags INTEGER NOT NULL, codec INTEGER NOT NULL) STRICT;
CREATE TABLE hot    (lo INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
CREATE TABLE cold   (lo INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
CREATE TABLE raw    (lo INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
CREATE TABLE bloom  (lo INTEGER PRIMARY KEY, d BLOB NOT NULL) STRICT;
CREATE TABLE minute (m INTEGER NOT NULL, sev INTEGER NOT NULL, c INTEGER NOT NULL, PRIMARY KEY (m, sev)) STRICT, WITHOUT ROWID;
CREATE TABLE source (outbox TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;
`

// Keys of meta. Values are text but for the seed.
const (
	metaFirst  = "first"  // number of the file's first event
	metaOutbox = "outbox" // the log's own outbox
	metaSeed   = "seed"   // 8 bytes, start of the Bloom filters' hash
	metaSealed = "sealed" // present when the day is over; Bloom filters are packed then
	metaBad    = "bad/"   // + number: a block that was given up, with its count
)

// head is what a new day file takes over from the one before.
type head struct {
	first  eventlog.Seq
	outbox string
	seed   uint64
	marks  map[string]int64
	bad    map[eventlog.Seq]int
}

// create builds a day file under another name and renames it when it is whole and
// on the disk: a file with a final name is a complete one, whenever the power goes.
func create(ctx context.Context, path string, h head) error {
	part := filepath.Join(filepath.Dir(path), newPrefix+filepath.Base(path))
	if err := errors.Join(removeDB(part), build(ctx, part, h)); err != nil {
		return fmt.Errorf("create day file: %w", err)
	}
	if _, err := os.Stat(path); err == nil {
		return fmt.Errorf("create day file: %s exists", path)
	}
	if err := sqldb.Sync(part); err != nil {
		return fmt.Errorf("create day file: %w", err)
	}
	if err := os.Rename(part, path); err != nil {
		return fmt.Errorf("create day file: %w", err)
	}
	return sqldb.Sync(filepath.Dir(path))
}

func build(ctx context.Context, path string, h head) (err error) {
	db, err := sqldb.Open(ctx, sqldb.Options{Path: path, PageSize: pageSize, Journal: sqldb.JournalDelete, Synchronous: sqldb.SyncOff})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	for _, stmt := range []string{fmt.Sprintf("PRAGMA application_id = %d", appID), fmt.Sprintf("PRAGMA user_version = %d", fileVersion), schema} {
		if _, err := db.ExecContext(ctx, stmt); err != nil {
			return err
		}
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	if err := h.write(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (h *head) write(ctx context.Context, tx *sql.Tx) error {
	meta := map[string][]byte{
		metaFirst: []byte(strconv.FormatInt(int64(h.first), 10)), metaOutbox: []byte(h.outbox),
		metaSeed: []byte(strconv.FormatUint(h.seed, 16)),
	}
	for lo, n := range h.bad {
		meta[metaBad+strconv.FormatInt(int64(lo), 10)] = []byte(strconv.Itoa(n))
	}
	for k, v := range meta {
		if _, err := tx.ExecContext(ctx, "INSERT INTO meta (k, v) VALUES ($1, $2)", k, v); err != nil {
			return err
		}
	}
	for outbox, next := range h.marks {
		if _, err := tx.ExecContext(ctx, "INSERT INTO source (outbox, next) VALUES ($1, $2)", outbox, next); err != nil {
			return err
		}
	}
	return nil
}

// removeDB removes a database and what lies beside it.
func removeDB(path string) error {
	var errs []error
	for _, suffix := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Remove(path + suffix); err != nil && !errors.Is(err, os.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// identify refuses a file that is no day file of ours.
func identify(ctx context.Context, db *sql.DB) error {
	var app, version int64
	if err := db.QueryRowContext(ctx, "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version)").Scan(&app, &version); err != nil {
		return err
	}
	if app != appID {
		return errNotOurs
	}
	if version != fileVersion {
		return fmt.Errorf("format %d is unknown to this program, which knows %d; use a newer one", version, fileVersion)
	}
	return nil
}

var errNotOurs = errors.New("no event file of this product")
