// Package worlds keeps what attackers left behind in the decoys, so that who
// comes back finds it: after a logout, after the death of the sensor process,
// after a restart of the machine.
//
// A world is bytes that a sensor process made and will get back; nothing here
// looks into them, because a sensor is not trusted. They are kept per persona
// and source, compressed and sealed with a key of the deployment, under a keyed
// hash of the source: the file alone tells neither who was there nor what was
// left. Room is bounded in bytes and in sources; who was not seen longest goes
// first.
package worlds

import (
	"context"
	"database/sql"
	"embed"
	"encoding/binary"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"maps"
	"net/netip"
	"sync"
	"time"

	"honeyguide/internal/sqldb"
)

//go:embed schema/*.sql
var schema embed.FS

// Options bound a [Store]. Zero fields mean the defaults in brackets.
type Options struct {
	Secret  []byte           // of the deployment; what was sealed with another is not found
	Bytes   int64            // of all worlds on disk [512 MiB]
	Sources int              // whose worlds are kept [200000]
	Keep    time.Duration    // since the last change [30 days]
	Now     func() time.Time // [time.Now]
	Log     *slog.Logger     // [discards]
}

func (o Options) orDefault() Options {
	if o.Bytes <= 0 {
		o.Bytes = 512 << 20
	}
	if o.Sources <= 0 {
		o.Sources = 200_000
	}
	if o.Keep <= 0 {
		o.Keep = 30 * 24 * time.Hour
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// maxPending bounds the bytes that wait to be written; Save waits beyond it.
const maxPending = 64 << 20

// An id names a row.
type id [16]byte

// short is an id cut to what a set of many is kept by. Two ids that share it
// cost one needless look into the file.
func (i id) short() uint64 { return binary.BigEndian.Uint64(i[:8]) }

// A Store is one file of worlds. Its methods may be called from any goroutine;
// [Store.Run] does the writing.
type Store struct {
	db   *sql.DB
	opts Options
	seal sealer

	mu      sync.Mutex
	known   map[uint64]struct{}
	pending map[id][]byte // not written yet
	writing map[id][]byte // on the way
	waiting int64         // bytes of pending
	bytes   int64         // on disk
	count   int           // rows
	wake    chan struct{} // one token: there is something to write
	room    chan struct{} // closed and replaced when pending was taken

	flushing sync.Mutex // one at a time: Load looks at what is on its way
}

// Open opens the file at path, making it if need be.
func Open(ctx context.Context, path string, o Options) (*Store, error) {
	o = o.orDefault()
	seal, err := newSealer(o.Secret)
	if err != nil {
		return nil, fmt.Errorf("open worlds: %w", err)
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: path, MaxConns: 2, TxImmediate: true, CacheKiB: 1024})
	if err != nil {
		return nil, fmt.Errorf("open worlds: %w", err)
	}
	s := &Store{
		db: db, opts: o, seal: seal, known: map[uint64]struct{}{}, pending: map[id][]byte{},
		wake: make(chan struct{}, 1), room: make(chan struct{}),
	}
	files, err := fs.Sub(schema, "schema")
	if err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if _, err := sqldb.Migrate(ctx, db, files, sqldb.MigrateOptions{Name: "file of worlds", AppID: 0x48475744, Now: o.Now}); err != nil {
		return nil, errors.Join(err, db.Close())
	}
	if err := s.load(ctx); err != nil {
		return nil, errors.Join(fmt.Errorf("open worlds: %w", err), db.Close())
	}
	return s, nil
}

// load learns which worlds there are, so that asking for one there is not costs
// nothing.
func (s *Store) load(ctx context.Context) error {
	rows, err := s.db.QueryContext(ctx, "SELECT id, size FROM world")
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		var raw []byte
		var size int64
		if err := rows.Scan(&raw, &size); err != nil {
			return err
		}
		if len(raw) == len(id{}) {
			s.known[id(raw).short()] = struct{}{}
		}
		s.bytes += size
		s.count++
	}
	return rows.Err()
}

// Load returns the world of a source on the host called persona, nil when none
// is kept. The caller must not change it.
func (s *Store) Load(ctx context.Context, persona string, source netip.Addr) ([]byte, error) {
	key := s.seal.id(persona, source)
	s.mu.Lock()
	world, ok := s.pending[key]
	if !ok {
		world, ok = s.writing[key]
	}
	_, maybe := s.known[key.short()]
	s.mu.Unlock()
	if ok || !maybe {
		return world, nil
	}
	var body []byte
	err := s.db.QueryRowContext(ctx, "SELECT body FROM world WHERE id = ?", key[:]).Scan(&body)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, nil
	}
	if err == nil {
		world, err = s.seal.open(key, body)
	}
	if err != nil {
		return nil, fmt.Errorf("load world: %w", err)
	}
	return world, nil
}

// Save keeps a world in place of an earlier one of the source; an empty one
// forgets it. It waits only while much is on its way to the disk. The store
// keeps world, which must not change any more.
func (s *Store) Save(ctx context.Context, persona string, source netip.Addr, world []byte) error {
	key := s.seal.id(persona, source)
	for {
		s.mu.Lock()
		if s.waiting == 0 || s.waiting+int64(len(world)) <= maxPending {
			s.waiting += int64(len(world) - len(s.pending[key]))
			s.pending[key] = world
			s.mu.Unlock()
			select {
			case s.wake <- struct{}{}:
			default:
			}
			return nil
		}
		room := s.room
		s.mu.Unlock()
		select {
		case <-room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// expireEvery is how often worlds nobody came back for are dropped.
const expireEvery = time.Hour

// Run writes what is saved until ctx ends, and then what is left.
func (s *Store) Run(ctx context.Context) error {
	tick := time.NewTicker(expireEvery)
	defer tick.Stop()
	if err := s.expire(ctx); err != nil {
		s.opts.Log.LogAttrs(ctx, slog.LevelWarn, "old worlds stay", slog.Any("error", err))
	}
	for {
		select {
		case <-ctx.Done():
			return s.Flush(context.WithoutCancel(ctx))
		case <-tick.C:
			if err := s.expire(ctx); err != nil {
				s.opts.Log.LogAttrs(ctx, slog.LevelWarn, "old worlds stay", slog.Any("error", err))
			}
		case <-s.wake:
			// Also when the end has come meanwhile: what was saved before it counts.
			if err := s.Flush(context.WithoutCancel(ctx)); err != nil {
				// They are a lesser good than events: no second try, for a full disk
				// must not make the core grow.
				s.opts.Log.LogAttrs(ctx, slog.LevelWarn, "worlds are not kept", slog.Any("error", err))
			}
		}
	}
}

// Flush makes everything saved so far durable.
func (s *Store) Flush(ctx context.Context) error {
	s.flushing.Lock()
	defer s.flushing.Unlock()
	s.mu.Lock()
	batch := s.pending
	s.pending, s.writing, s.waiting = map[id][]byte{}, batch, 0
	close(s.room)
	s.room = make(chan struct{})
	s.mu.Unlock()
	if len(batch) == 0 {
		return nil
	}
	err := s.write(ctx, batch)
	s.mu.Lock()
	s.writing = nil
	s.mu.Unlock()
	return err
}

func (s *Store) write(ctx context.Context, batch map[id][]byte) error {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return fmt.Errorf("write worlds: %w", err)
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
	change, err := s.rows(ctx, tx, batch)
	if err == nil {
		err = s.evict(ctx, tx, &change)
	}
	if err == nil {
		err = tx.Commit()
	}
	if err != nil {
		return fmt.Errorf("write worlds: %w", err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += change.bytes
	s.count += change.count
	maps.Copy(s.known, change.known)
	for _, k := range change.gone {
		delete(s.known, k)
	}
	return nil
}

// delta is what a transaction does to the totals.
type delta struct {
	bytes int64
	count int
	known map[uint64]struct{}
	gone  []uint64
}

func (s *Store) rows(ctx context.Context, tx *sql.Tx, batch map[id][]byte) (delta, error) {
	d := delta{known: map[uint64]struct{}{}}
	now := s.opts.Now().UnixMicro()
	var pack packer
	for key, world := range batch {
		var had int64
		err := tx.QueryRowContext(ctx, "SELECT size FROM world WHERE id = ?", key[:]).Scan(&had)
		switch {
		case err == nil:
			d.count--
		case !errors.Is(err, sql.ErrNoRows):
			return d, err
		}
		d.bytes -= had
		if len(world) == 0 {
			if _, err := tx.ExecContext(ctx, "DELETE FROM world WHERE id = ?", key[:]); err != nil {
				return d, err
			}
			continue
		}
		body, err := s.seal.close(key, world, &pack)
		if err != nil {
			return d, err
		}
		if _, err := tx.ExecContext(ctx,
			"INSERT INTO world (id, seen, size, body) VALUES (?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET seen = excluded.seen, size = excluded.size, body = excluded.body",
			key[:], now, len(body), body); err != nil {
			return d, err
		}
		d.bytes += int64(len(body))
		d.count++
		d.known[key.short()] = struct{}{}
	}
	return d, nil
}

// evict drops who was not seen longest until the rest fits.
func (s *Store) evict(ctx context.Context, tx *sql.Tx, d *delta) error {
	for s.bytes+d.bytes > s.opts.Bytes || s.count+d.count > s.opts.Sources {
		var raw []byte
		var size int64
		err := tx.QueryRowContext(ctx, "SELECT id, size FROM world ORDER BY seen, id LIMIT 1").Scan(&raw, &size)
		if errors.Is(err, sql.ErrNoRows) {
			return nil
		}
		if err == nil {
			err = s.drop(ctx, tx, raw, size, d)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) drop(ctx context.Context, tx *sql.Tx, raw []byte, size int64, d *delta) error {
	if _, err := tx.ExecContext(ctx, "DELETE FROM world WHERE id = ?", raw); err != nil {
		return err
	}
	d.bytes -= size
	d.count--
	if len(raw) == len(id{}) {
		d.gone = append(d.gone, id(raw).short())
		delete(d.known, id(raw).short())
	}
	return nil
}

// expireBatch is how many worlds one transaction drops.
const expireBatch = 500

// expire drops the worlds nobody came back for.
func (s *Store) expire(ctx context.Context) error {
	before := s.opts.Now().Add(-s.opts.Keep).UnixMicro()
	for {
		n, err := s.expireSome(ctx, before)
		if err != nil || n < expireBatch {
			return err
		}
	}
}

func (s *Store) expireSome(ctx context.Context, before int64) (int, error) {
	tx, err := s.db.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
	type row struct {
		id   []byte
		size int64
	}
	var old []row
	rows, err := tx.QueryContext(ctx, "SELECT id, size FROM world WHERE seen < ? LIMIT ?", before, expireBatch)
	if err != nil {
		return 0, err
	}
	for rows.Next() {
		var r row
		if err := rows.Scan(&r.id, &r.size); err != nil {
			return 0, errors.Join(err, rows.Close())
		}
		old = append(old, r)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil {
		return 0, err
	}
	var d delta
	for _, r := range old {
		if err := s.drop(ctx, tx, r.id, r.size, &d); err != nil {
			return 0, err
		}
	}
	if err := tx.Commit(); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.bytes += d.bytes
	s.count += d.count
	for _, k := range d.gone {
		delete(s.known, k)
	}
	return len(old), nil
}

// Size returns how many worlds are kept and the bytes they take on disk.
func (s *Store) Size() (count int, bytes int64) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.count, s.bytes
}

// Close closes the file. What is not flushed is lost.
func (s *Store) Close() error { return s.db.Close() }
