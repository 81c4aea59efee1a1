// Package sqldb opens SQLite files the one way this product opens them: with the
// pragmas every pooled connection needs, in the order the engine needs them, and
// with durability on. It is the only package that knows the driver.
//
// What a caller may rely on:
//
//   - A transaction whose Commit returned nil survives power loss
//     (journal_mode=WAL with synchronous=FULL unless asked otherwise).
//   - Every connection of a pool has the same settings. A PRAGMA run through
//     db.Exec holds for one pooled connection only; say it in [Options] instead.
//   - A connection string is made of numbers and fixed words. The path is the only
//     text in it and is percent-encoded, so no configuration value can become SQL.
//   - The schema is moved forward by [Migrate] and a newer one is refused.
//
// Traps the rooms above have to mind: QueryRow without Scan and Rows without Close
// keep their connection, and on a pool of one the next call then waits for ever.
// Times are bound as int64 microseconds, never as time.Time. Two files must never
// take part in one transaction: ATTACH is not atomic in WAL mode.
package sqldb

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"modernc.org/sqlite"
)

// Synchronous says what a commit waits for.
type Synchronous string

// Synchronous settings. The empty value means SyncFull.
const (
	SyncFull Synchronous = "FULL" // the commit is on the disk
	// SyncNormal loses acknowledged transactions at power loss, without any
	// corruption to warn of it. It is for data that can be made again.
	SyncNormal Synchronous = "NORMAL"
	SyncOff    Synchronous = "OFF" // for files that are synced and renamed afterwards
)

// Journal is the way a file keeps its transactions apart.
type Journal string

// Journal modes. The empty value means JournalWAL.
const (
	JournalWAL    Journal = "WAL"
	JournalDelete Journal = "DELETE" // one plain file, no -wal and -shm beside it
)

// Options say how a file is opened. The zero value of every field but Path is
// the setting of a durable, single-connection writer.
type Options struct {
	Path           string        // file to open; created (mode 0600) unless ReadOnly or Immutable
	ReadOnly       bool          // no statement may change the file, which must exist
	Immutable      bool          // the file never changes again: no locks, no -wal, no -shm. Wrong answers when it does change
	MaxConns       int           // open connections of the pool; 0 = 1 for a writer, 4 for a reader
	MaxIdle        time.Duration // idle connections are closed after this; 0 = never
	PageSize       int           // bytes, a power of two 512..65536; counts when the file is made; 0 = 4096
	CacheKiB       int           // page cache of each connection; 0 = 2048
	Busy           time.Duration // how long a statement waits for another connection's lock; 0 = 5 s
	TxImmediate    bool          // BEGIN takes the write lock at once instead of failing half-way
	ForeignKeys    bool          // enforce REFERENCES
	Synchronous    Synchronous   // "" = SyncFull
	Journal        Journal       // "" = JournalWAL
	AutoCheckpoint int           // pages of WAL before it is copied back; 0 = 1000
}

// Open opens the file and proves that a connection works. The caller closes the
// pool. A file that is missing under ReadOnly or Immutable gives an error for
// which errors.Is(err, fs.ErrNotExist) holds.
func Open(ctx context.Context, o Options) (*sql.DB, error) {
	o = o.withDefaults()
	dsn, err := o.dsn()
	if err != nil {
		return nil, err
	}
	if err := o.prepareFile(); err != nil {
		return nil, fmt.Errorf("open database: %w", err)
	}
	connector, err := sqlite.NewConnector(dsn)
	if err != nil {
		return nil, fmt.Errorf("open database %s: %w", o.Path, err)
	}
	db := sql.OpenDB(connector)
	db.SetMaxOpenConns(o.MaxConns)
	db.SetMaxIdleConns(o.MaxConns)
	db.SetConnMaxIdleTime(o.MaxIdle)
	// The first statement that reads a page is what tells a database from another file.
	var n int
	if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&n); err != nil {
		return nil, errors.Join(fmt.Errorf("open database %s: %w", o.Path, err), db.Close())
	}
	return db, nil
}

// OpenImmutable opens a file that will never change again with a small cache,
// two connections and no files beside it.
func OpenImmutable(ctx context.Context, path string) (*sql.DB, error) {
	return Open(ctx, Options{Path: path, Immutable: true, MaxConns: 2, CacheKiB: 2048})
}

func (o Options) withDefaults() Options {
	if o.Immutable {
		o.ReadOnly = true
	}
	if o.MaxConns <= 0 {
		o.MaxConns = 1
		if o.ReadOnly {
			o.MaxConns = 4
		}
	}
	if o.CacheKiB <= 0 {
		o.CacheKiB = 2048
	}
	if o.Busy <= 0 {
		o.Busy = 5 * time.Second
	}
	if o.Synchronous == "" {
		o.Synchronous = SyncFull
	}
	if o.Journal == "" {
		o.Journal = JournalWAL
	}
	if o.AutoCheckpoint <= 0 {
		o.AutoCheckpoint = 1000
	}
	return o
}

// dsn writes the connection string. page_size works only before journal_mode=WAL
// has written the first page, but the driver (v1.60.1) runs _pragma values in
// alphabetical order, "journal_mode" before "page_size". So what has to come last
// is said with the driver's own keys, which it applies after all _pragma values;
// its _busy_timeout comes before them, so that the others can wait.
func (o Options) dsn() (string, error) {
	switch {
	case o.Path == "" || strings.ContainsRune(o.Path, 0):
		return "", fmt.Errorf("open database: unusable path %q", o.Path)
	case o.PageSize != 0 && (o.PageSize < 512 || o.PageSize > 65536 || o.PageSize&(o.PageSize-1) != 0):
		return "", fmt.Errorf("open database: page size %d is no power of two in 512..65536", o.PageSize)
	case o.Synchronous != SyncFull && o.Synchronous != SyncNormal && o.Synchronous != SyncOff:
		return "", fmt.Errorf("open database: unknown synchronous setting %q", string(o.Synchronous))
	case o.Journal != JournalWAL && o.Journal != JournalDelete:
		return "", fmt.Errorf("open database: unknown journal mode %q", string(o.Journal))
	}
	abs, err := filepath.Abs(o.Path)
	if err != nil {
		return "", fmt.Errorf("open database: %w", err)
	}
	// SQLite's own keys (mode, immutable) count only after the file: prefix.
	q := []string{
		"_busy_timeout=" + strconv.FormatInt(o.Busy.Milliseconds(), 10),
		"_defensive=1", "_dqs=0", "_error_rc=1",
	}
	pragma := func(name, value string) { q = append(q, "_pragma="+name+"("+value+")") }
	switch {
	case o.Immutable:
		q = append(q, "mode=ro", "immutable=1")
	case o.ReadOnly:
		q = append(q, "mode=ro")
	default:
		if o.PageSize != 0 {
			pragma("page_size", strconv.Itoa(o.PageSize))
		}
		q = append(q, "_journal_mode="+string(o.Journal), "_synchronous="+string(o.Synchronous))
		pragma("wal_autocheckpoint", strconv.Itoa(o.AutoCheckpoint))
		if o.TxImmediate {
			q = append(q, "_txlock=immediate")
		}
	}
	pragma("cache_size", "-"+strconv.Itoa(o.CacheKiB))
	pragma("mmap_size", "0") // an I/O error under mmap is a signal, not an error
	pragma("temp_store", "2")
	pragma("trusted_schema", "0")
	if o.ForeignKeys {
		pragma("foreign_keys", "1")
	}
	if o.ReadOnly {
		q = append(q, "_query_only=1")
	}
	return "file:" + (&url.URL{Path: abs}).EscapedPath() + "?" + strings.Join(q, "&"), nil
}

// prepareFile makes a missing file readable by its owner alone (SQLite would use
// 0644; -wal and -shm inherit the mode) and names a missing one clearly (SQLite
// says "unable to open database file").
func (o Options) prepareFile() error {
	if o.ReadOnly {
		_, err := os.Stat(o.Path)
		return err
	}
	// O_EXCL: closing a second descriptor of a file that is open as a database would
	// drop the POSIX locks of this process.
	f, err := os.OpenFile(o.Path, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	return f.Close()
}
