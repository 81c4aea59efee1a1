package embedded

import (
	"context"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

// Names in the folder.
const (
	suffix     = ".db"
	newPrefix  = ".new-"
	dropSuffix = ".drop"
	badSuffix  = ".bad"
)

// maxDay is more than a day can hold of events: what counts more is spoilt.
const maxDay = 1 << 40

// idleClose is how long an unused connection to a day file stays open.
const idleClose = time.Minute

var (
	errStale = errors.New("block was merged meanwhile") // look again in a newer view
	errGone  = errors.New("day was dropped meanwhile")
)

// A dayFile is one file and the connections readers share.
type dayFile struct {
	name string // 2006-01-02
	path string

	// mu is held for reading while the pool is used, for writing to change or
	// close it.
	mu     sync.RWMutex
	db     *sql.DB // nil: closed
	sealed bool    // never changes again: opened immutable
	gone   bool

	filters struct {
		sync.Mutex
		seed    uint64
		byLo    map[eventlog.Seq][]byte // nil: not in memory
		bytes   int64
		packed  bool // 64 filters in a row of the table
		packing bool // the rows are being changed
	}
}

// use calls fn with an open pool.
func (s *Store) use(ctx context.Context, f *dayFile, fn func(*sql.DB) error) error {
	for {
		f.mu.RLock()
		switch {
		case f.gone:
			f.mu.RUnlock()
			return errGone
		case f.db != nil:
			defer f.mu.RUnlock()
			return fn(f.db)
		}
		f.mu.RUnlock()
		if err := s.reopen(ctx, f); err != nil {
			return err
		}
	}
}

// reopen opens the pool of f and closes those used longest ago.
func (s *Store) reopen(ctx context.Context, f *dayFile) error {
	f.mu.Lock()
	if f.db == nil && !f.gone {
		o := sqldb.Options{Path: f.path, ReadOnly: true, MaxConns: 4, CacheKiB: 8192, MaxIdle: idleClose}
		if f.sealed {
			o.Immutable, o.MaxConns, o.CacheKiB = true, 2, 2048
		}
		db, err := sqldb.Open(ctx, o)
		if sqldb.IsReadOnly(err) {
			db, err = rollBack(ctx, o)
		}
		if err != nil {
			f.mu.Unlock()
			return fmt.Errorf("open day %s: %w", f.name, err)
		}
		f.db = db
	}
	f.mu.Unlock()
	for _, old := range s.touch(f) {
		old.mu.Lock()
		if old.db != nil && old.sealed {
			_ = old.db.Close() // read only: nothing can be lost
			old.db = nil
		}
		old.mu.Unlock()
	}
	return nil
}

// rollBack opens a file whose process died while it changed the journal mode:
// someone who may write has to undo that first.
func rollBack(ctx context.Context, o sqldb.Options) (*sql.DB, error) {
	db, err := sqldb.Open(ctx, sqldb.Options{Path: o.Path, Journal: sqldb.JournalDelete})
	if err != nil {
		return nil, err
	}
	if err := db.Close(); err != nil {
		return nil, err
	}
	return sqldb.Open(ctx, o)
}

// touch makes f the newest of the open files and returns those to close.
func (s *Store) touch(f *dayFile) []*dayFile {
	s.openMu.Lock()
	defer s.openMu.Unlock()
	s.open = append(slices.DeleteFunc(s.open, func(o *dayFile) bool { return o == f }), f)
	if n := len(s.open) - s.cfg.OpenFiles; n > 0 {
		old := slices.Clone(s.open[:n])
		s.open = slices.Delete(s.open, 0, n)
		return old
	}
	return nil
}

// shut closes the pool for good.
func (f *dayFile) shut(gone bool) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.gone = f.gone || gone
	if f.db == nil {
		return nil
	}
	err := f.db.Close()
	f.db = nil
	return err
}

// load reads what a start needs to know of a day.
func (s *Store) load(ctx context.Context, f *dayFile) (*day, head, bool, error) {
	d := &day{file: f}
	h := head{marks: map[string]int64{}, bad: map[eventlog.Seq]int{}}
	sealed := false
	err := s.use(ctx, f, func(db *sql.DB) (err error) {
		if err := identify(ctx, db); err != nil {
			return err
		}
		if sealed, err = h.readMeta(ctx, db); err != nil {
			return err
		}
		if err := each(ctx, db, "SELECT outbox, next FROM source", func(r *sql.Rows) error {
			var outbox string
			var next int64
			err := r.Scan(&outbox, &next)
			h.marks[outbox] = next
			return err
		}); err != nil {
			return err
		}
		// As a float: a count that was spoilt must not overflow the sum.
		var counted float64
		if err := db.QueryRowContext(ctx, "SELECT total(c) FROM minute").Scan(&counted); err != nil {
			return err
		}
		if counted >= 0 && counted < maxDay {
			d.counted = eventlog.Seq(counted)
		}
		return each(ctx, db, "SELECT lo, n, ts0, ts1, sev, flags FROM blk ORDER BY lo", func(r *sql.Rows) error {
			var b block
			err := r.Scan(&b.lo, &b.n, &b.ts0, &b.ts1, &b.sev, &b.flags)
			d.full = append(d.full, b)
			return err
		})
	})
	if err != nil {
		return nil, h, false, fmt.Errorf("day %s: %w", f.name, err)
	}
	d.first = h.first
	f.filters.Lock()
	f.filters.seed, f.filters.packed = h.seed, sealed
	f.filters.Unlock()
	return d, h, sealed, d.check()
}

// check finds a block list no writer of ours can have made.
func (d *day) check() error {
	next := d.first
	for i := range d.full {
		b := &d.full[i]
		if b.lo != next || b.n < 1 || b.n > colblock.MaxRows {
			return fmt.Errorf("day %s: block at %d, want %d: %w", d.file.name, b.lo, next, colblock.ErrCorrupt)
		}
		next = b.hi() + 1
	}
	return nil
}

func (h *head) readMeta(ctx context.Context, db *sql.DB) (sealed bool, err error) {
	err = each(ctx, db, "SELECT k, v FROM meta", func(r *sql.Rows) error {
		var k string
		var v []byte
		if err := r.Scan(&k, &v); err != nil {
			return err
		}
		var err error
		switch {
		case k == metaFirst:
			var n int64
			n, err = strconv.ParseInt(string(v), 10, 64)
			h.first = eventlog.Seq(n)
		case k == metaOutbox:
			h.outbox = string(v)
		case k == metaSeed:
			h.seed, err = strconv.ParseUint(string(v), 16, 64)
		case k == metaSealed:
			sealed = true
		case strings.HasPrefix(k, metaBad):
			var lo int64
			lo, err = strconv.ParseInt(k[len(metaBad):], 10, 64)
			h.bad[eventlog.Seq(lo)], _ = strconv.Atoi(string(v))
		}
		return err
	})
	if err == nil && (h.first < 1 || h.outbox == "") {
		err = fmt.Errorf("no first number or no outbox: %w", colblock.ErrCorrupt)
	}
	return sealed, err
}

// each runs a query and calls fn for every row.
func each(ctx context.Context, db *sql.DB, query string, fn func(*sql.Rows) error, args ...any) error {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := fn(rows); err != nil {
			return err
		}
	}
	return rows.Err()
}

// blobs reads groups of a block. errStale: the block is not there any more as b
// knows it.
func (s *Store) blobs(ctx context.Context, f *dayFile, b *block, hot, cold bool) (out colblock.Block, err error) {
	args := []any{int64(b.lo)}
	query := "SELECT b.n, h.d, NULL, NULL FROM blk b JOIN hot h ON h.lo = b.lo WHERE b.lo = $1"
	if cold {
		args = append(args, hot)
		query = "SELECT b.n, CASE WHEN $2 THEN (SELECT d FROM hot WHERE lo = b.lo) END, c.d, (SELECT d FROM raw WHERE lo = b.lo) FROM blk b JOIN cold c ON c.lo = b.lo WHERE b.lo = $1"
	}
	err = s.use(ctx, f, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, query, args...).Scan(&out.N, &out.Hot, &out.Cold, &out.Raw)
	})
	switch {
	case errors.Is(err, sql.ErrNoRows) || err == nil && out.N != int(b.n):
		return out, s.stale(ctx, f, b)
	case err != nil:
		return out, fmt.Errorf("read block %d of day %s: %w", b.lo, f.name, err)
	}
	return out, nil
}

// stale tells a merged block from one that lost its parts.
func (s *Store) stale(ctx context.Context, f *dayFile, b *block) error {
	var n int32
	err := s.use(ctx, f, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT n FROM blk WHERE lo = $1", int64(b.lo)).Scan(&n)
	})
	if err == nil && n == b.n {
		return fmt.Errorf("block %d of day %s has lost a part: %w", b.lo, f.name, colblock.ErrCorrupt)
	}
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return err
	}
	return errStale
}

// isCorrupt reports whether an error says that the disk spoilt something, as
// opposed to a disk or a lock that may answer next time.
func isCorrupt(err error) bool {
	return errors.Is(err, colblock.ErrCorrupt) || sqldb.IsCorrupt(err)
}

// spoilt reports whether an error says that a block is damaged for good. While
// the disk refuses to write, what the engine calls malformed may be whole: it
// reads files whose newest half is in a kernel that no longer gives it out. A
// checksum is believed at any time.
func (s *Store) spoilt(err error) bool {
	return errors.Is(err, colblock.ErrCorrupt) || sqldb.IsCorrupt(err) && !s.troubled.Load()
}

// filter returns the Bloom filter of a block, nil when there is none to ask.
func (s *Store) filter(ctx context.Context, f *dayFile, b *block) []byte {
	f.filters.Lock()
	loaded, packed := f.filters.byLo != nil, f.filters.packed || f.filters.packing
	bloom := f.filters.byLo[b.lo]
	f.filters.Unlock()
	if loaded || packed { // packed filters are read all at once or not at all
		return bloom
	}
	var one []byte
	if err := s.use(ctx, f, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "SELECT d FROM bloom WHERE lo = $1", int64(b.lo)).Scan(&one)
	}); err != nil {
		return nil // a filter only saves time
	}
	return one
}

// loadFilters brings the filters of a day into memory, unless the newest days
// have taken the room there is.
func (s *Store) loadFilters(ctx context.Context, f *dayFile) {
	f.filters.Lock()
	defer f.filters.Unlock()
	if f.filters.byLo != nil || f.filters.packing {
		return
	}
	byLo, size := map[eventlog.Seq][]byte{}, int64(0)
	err := s.use(ctx, f, func(db *sql.DB) error {
		return each(ctx, db, "SELECT lo, d FROM bloom", func(r *sql.Rows) error {
			var lo eventlog.Seq
			var d []byte
			if err := r.Scan(&lo, &d); err != nil {
				return err
			}
			size += int64(len(d))
			if f.filters.packed {
				return unpackFilters(d, byLo)
			}
			byLo[lo] = d
			return nil
		})
	})
	if err != nil { // a filter only saves time
		s.log.Warn("bloom filters cannot be read", "day", f.name, "error", err)
		return
	}
	f.filters.byLo, f.filters.bytes = byLo, size
	s.filterBytes.Add(size)
}

// trimFilters forgets the filters of the oldest days when there are too many.
func (s *Store) trimFilters(v *view, keep *dayFile) {
	for _, d := range v.days {
		if s.filterBytes.Load() <= int64(s.cfg.FilterMiB)<<20 {
			return
		}
		if f := d.file; f != keep {
			f.dropFilters(s)
		}
	}
}

// seed is where the hash of the file's Bloom filters starts.
func (f *dayFile) seed() uint64 {
	f.filters.Lock()
	defer f.filters.Unlock()
	return f.filters.seed
}

// newDayFile is a file that was just created: no filters yet, all of them known.
func newDayFile(name, path string, seed uint64) *dayFile {
	f := &dayFile{name: name, path: path}
	f.filters.seed = seed
	return f
}

func (f *dayFile) dropFilters(s *Store) {
	f.filters.Lock()
	defer f.filters.Unlock()
	s.filterBytes.Add(-f.filters.bytes)
	f.filters.byLo, f.filters.bytes = nil, 0
}

// setFilter keeps the filter of a block that was just written.
func (f *dayFile) setFilter(s *Store, lo eventlog.Seq, bloom []byte) {
	f.filters.Lock()
	defer f.filters.Unlock()
	if f.filters.byLo == nil {
		return
	}
	n := int64(len(bloom) - len(f.filters.byLo[lo]))
	f.filters.byLo[lo] = bloom
	f.filters.bytes += n
	s.filterBytes.Add(n)
}

// unsetFilter forgets the filter of a block that was merged away.
func (f *dayFile) unsetFilter(s *Store, lo eventlog.Seq) {
	f.filters.Lock()
	defer f.filters.Unlock()
	n := int64(len(f.filters.byLo[lo]))
	delete(f.filters.byLo, lo)
	f.filters.bytes -= n
	s.filterBytes.Add(-n)
}

// packFilters appends one filter to a row of packed ones.
func packFilter(row []byte, lo eventlog.Seq, bloom []byte) []byte {
	row = binary.AppendUvarint(row, uint64(lo))
	row = binary.AppendUvarint(row, uint64(len(bloom)))
	return append(row, bloom...)
}

func unpackFilters(row []byte, into map[eventlog.Seq][]byte) error {
	for len(row) > 0 {
		lo, n := binary.Uvarint(row)
		if n <= 0 {
			return colblock.ErrCorrupt
		}
		row = row[n:]
		size, n := binary.Uvarint(row)
		if n <= 0 || size > uint64(len(row)-n) {
			return colblock.ErrCorrupt
		}
		into[eventlog.Seq(lo)] = row[n : n+int(size)]
		row = row[n+int(size):]
	}
	return nil
}

// exists reports whether there is a file.
func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
