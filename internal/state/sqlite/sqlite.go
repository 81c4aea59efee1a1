// Package sqlite keeps the state in one SQLite file, state.db: write-ahead log,
// every commit on the disk before Update returns, one writer beside four readers
// that never wait for it.
//
// The SQL is written by hand and portable but for the full-text tables. Each
// value is stored whole as JSON; what is filtered or sorted by has a column.
package sqlite

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
)

// FileName is the name of the file in the data folder.
const FileName = "state.db"

// appID marks the file as ours ("HGST").
const appID = 0x48475354

// Kind is the embedded store: the default, nothing to install.
var Kind = kind.Of("sqlite", "One SQLite file in the data folder.", defaults, open)

// Config is what a user may set.
type Config struct {
	CacheKiB int `yaml:"cache_kib" doc:"page cache of the writer, and again of all readers together"`
	Readers  int `yaml:"readers" doc:"questions answered at the same time"`
}

var defaults = Config{CacheKiB: 64 << 10, Readers: 4}

// leastCache is the smallest page cache, in KiB.
const leastCache = 256

// Validate checks the bounds.
func (c *Config) Validate() error {
	if c.CacheKiB < leastCache || c.CacheKiB > 1<<20 {
		return fmt.Errorf("cache_kib: %d is not in 256..1048576", c.CacheKiB)
	}
	if c.Readers < 1 || c.Readers > 16 {
		return fmt.Errorf("readers: %d is not in 1..16", c.Readers)
	}
	return nil
}

//go:embed schema/*.sql
var schema embed.FS

// Store is state.db, open.
type Store struct {
	writer  *pool // nil when opened for reading
	readers *pool
	path    string
	now     func() time.Time
	once    sync.Once
	closed  error // what Close returned
}

var _ state.Store = (*Store)(nil)

// Open opens the file in dep.Dir, makes it when it is missing and brings its
// schema up to date; a copy of an older one is kept beside it. With dep.ReadOnly
// it opens what is there, which must have this program's schema. A zero Config
// means the defaults.
func Open(ctx context.Context, cfg Config, dep state.Deps) (*Store, error) {
	if cfg == (Config{}) {
		cfg = defaults
	}
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	s := &Store{now: dep.Now}
	warm := int64(maxWarm)
	if dep.Memory > 0 { // half for what is remembered, a quarter each for writer and readers
		warm, cfg.CacheKiB = min(warm, dep.Memory/2), int(max(min(int64(cfg.CacheKiB), dep.Memory/4>>10), leastCache))
	}
	if err := s.open(ctx, cfg, dep, warm); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

func open(ctx context.Context, cfg Config, dep state.Deps) (state.Store, error) {
	s, err := Open(ctx, cfg, dep)
	if err != nil {
		return nil, err // a nil *Store is no nil Store
	}
	return s, nil
}

func (s *Store) open(ctx context.Context, cfg Config, dep state.Deps, warm int64) error {
	path := filepath.Join(dep.Dir, FileName)
	s.path = path
	if !dep.ReadOnly {
		crashed := unclean(path)
		db, err := sqldb.Open(ctx, sqldb.Options{
			Path: path, PageSize: 8192, CacheKiB: cfg.CacheKiB, ForeignKeys: true, TxImmediate: true, MaxConns: 1,
		})
		if err != nil {
			return fault(fmt.Errorf("open state: %w", err))
		}
		if crashed {
			if err := sqldb.Check(ctx, db, true); err != nil {
				return errors.Join(fault(err), db.Close())
			}
		}
		s.writer = newPool(db, 1, "BEGIN IMMEDIATE", warm)
		if err := migrate(ctx, db, dep); err != nil {
			return err
		}
		if err := recall(ctx, db, s.now()); err != nil {
			return fault(err)
		}
	}
	db, err := sqldb.Open(ctx, sqldb.Options{
		Path: path, ReadOnly: true, CacheKiB: max(256, cfg.CacheKiB/cfg.Readers), MaxConns: cfg.Readers,
	})
	if errors.Is(err, fs.ErrNotExist) {
		return &honeyguide.Error{
			Code:    honeyguide.CodeNotFound,
			Message: fmt.Sprintf("there is no %s in %s; start honeyguide once or name the right folder (node.data)", FileName, dep.Dir),
			Err:     err,
		}
	}
	if err != nil {
		return fmt.Errorf("open state for reading: %w", err)
	}
	s.readers = newPool(db, cfg.Readers, "BEGIN", 0)
	if dep.ReadOnly {
		return current(ctx, db, dep)
	}
	return nil
}

func migration(dep state.Deps) (fs.FS, sqldb.MigrateOptions, error) {
	files, err := fs.Sub(schema, "schema")
	return files, sqldb.MigrateOptions{
		Name: "state database " + FileName, AppID: appID, Now: dep.Now,
	}, err
}

func migrate(ctx context.Context, db *sql.DB, dep state.Deps) error {
	files, o, err := migration(dep)
	if err != nil {
		return err
	}
	version, err := sqldb.Migrate(ctx, db, files, o)
	if err != nil {
		return err
	}
	dep.Log.Info("state is open", "schema", version)
	return nil
}

// current refuses a file this program's questions do not fit.
func current(ctx context.Context, db *sql.DB, dep state.Deps) error {
	files, o, err := migration(dep)
	if err != nil {
		return err
	}
	have, want, err := sqldb.Schema(ctx, db, files, o)
	if err != nil {
		return err
	}
	if dep.Schema != nil {
		dep.Schema(have, want)
	}
	if have != want {
		return &honeyguide.Error{
			Code:    honeyguide.CodeConflict,
			Message: fmt.Sprintf("%s has schema %d, this program reads %d; start honeyguide once to bring it up to date", FileName, have, want),
		}
	}
	return nil
}

// Close waits for what runs and closes the file. What is asked of the store after
// that gets an error.
func (s *Store) Close() error {
	s.once.Do(func() {
		var errs []error
		// The writer last: who closes last copies the log back and removes it.
		for _, p := range []*pool{s.readers, s.writer} {
			if p != nil {
				errs = append(errs, p.close())
			}
		}
		s.closed = errors.Join(errs...)
	})
	return s.closed
}

// View runs fn on a snapshot.
func (s *Store) View(ctx context.Context, fn func(state.Tx) error) error {
	return fault(s.readers.run(ctx, s.now, fn))
}

// Update runs fn in the one writing transaction.
func (s *Store) Update(ctx context.Context, fn func(state.Tx) error) error {
	if s.writer == nil {
		return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "the state is open for reading only"}
	}
	err := s.writer.run(ctx, s.now, fn)
	if sqldb.IsBusy(err) && ctx.Err() == nil { // another program has the file: a second wait is all we grant
		err = s.writer.run(ctx, s.now, fn)
	}
	return fault(err)
}

// Backup writes a consistent copy of the file to path while the store is in use.
func (s *Store) Backup(ctx context.Context, path string) error {
	// VACUUM INTO is not granted to a connection for reading, though it only reads.
	return s.aside(ctx, sqldb.Options{}, func(db *sql.DB) error { return sqldb.Backup(ctx, db, path) })
}

// Check looks for damage in the file.
func (s *Store) Check(ctx context.Context) error {
	return s.aside(ctx, sqldb.Options{ReadOnly: true}, func(db *sql.DB) error { return sqldb.Check(ctx, db, false) })
}

// aside lends a connection of its own: those of the pools are all taken.
func (s *Store) aside(ctx context.Context, o sqldb.Options, fn func(*sql.DB) error) error {
	o.Path, o.MaxConns = s.path, 1
	db, err := sqldb.Open(ctx, o)
	if err != nil {
		return fault(err)
	}
	return fault(errors.Join(fn(db), db.Close()))
}

// checkBelow is the size up to which a file that was not closed is read whole at
// start, so that damage shows before anything is built on it.
const checkBelow = 256 << 20

// longestLease is more than anybody keeps a job for.
const longestLease = 48 * time.Hour

// recall ends leases that were given while the clock was far ahead: whoever had
// them ended with the process, and nobody else would get the jobs until then.
func recall(ctx context.Context, db *sql.DB, now time.Time) error {
	const q = "UPDATE job SET lease = $1 WHERE dead = 0 AND lease > $2"
	if _, err := db.ExecContext(ctx, q, micros(state.Time(now)), micros(state.Time(now.Add(longestLease)))); err != nil {
		return fmt.Errorf("end leases of a wrong clock: %w", err)
	}
	return nil
}

// unclean reports whether the process that had the file open last did not close
// it, and the file is small enough to be looked through.
func unclean(path string) bool {
	wal, err := os.Stat(path + "-wal")
	if err != nil || wal.Size() == 0 {
		return false
	}
	file, err := os.Stat(path)
	return err == nil && file.Size() <= checkBelow
}

// damagedText says what to do.
const damagedText = FileName + " is damaged: stop the core, move the file away and put one of a backup in its place (honeyguide restore); the events are in files of their own and are judged again from where the backup ends"

// fault gives the failures a user can mend their words.
func fault(err error) error {
	e := &honeyguide.Error{Code: honeyguide.CodeUnavailable, Err: err}
	switch {
	case err == nil:
		return nil
	case sqldb.IsFull(err):
		e.Message = "the disk that holds " + FileName + " is full; make room"
	case sqldb.IsBusy(err):
		e.Message = FileName + " is locked by another program; stop it"
	case sqldb.IsCorrupt(err):
		e.Message = damagedText
	case sqldb.IsReadOnly(err):
		e.Code, e.Message = honeyguide.CodeForbidden, "the state is open for reading only"
	default:
		return err
	}
	return e
}
