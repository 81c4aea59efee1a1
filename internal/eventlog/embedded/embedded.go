// Package embedded is the event log that needs nothing installed: one SQLite file
// per day of arrival, holding events as compressed column blocks.
//
// # Writing
//
// Append hands a batch to the one writer and waits. The writer gathers what comes
// within the linger (or until a block is full, or something urgent comes), gives
// out numbers, packs blocks outside the transaction, stores blocks, counts per
// minute and outbox marks in one transaction, and acknowledges after its fsync.
// Small blocks at the end are merged: when the tail and the new events reach a
// full block, the same transaction deletes the small ones and inserts the full.
// Each event is packed at most twice.
//
// # Files
//
// events are in DAY.db (today's with -wal and -shm beside it). A file is built as
// .new-DAY.db and renamed, so a final name means a complete file. A finished day
// is sealed: its Bloom filters packed, its journal gone, opened as immutable from
// then on; retention renames it to DAY.db.drop and unlinks it. What cannot be read
// is renamed to DAY.db.bad and kept. A day never goes back: when the clock does,
// the newest file is written on.
//
// # Reading
//
// The list of all blocks (number, times, severities) is in memory and immutable:
// readers take the view of the moment and never wait for the writer. When a block
// was merged since, they look again. The newest events are kept unpacked for
// consumers that keep up.
package embedded

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/kind"
	"honeyguide/internal/sqldb"
)

// Kind describes this event log.
var Kind = kind.Of("embedded", "Keeps events in compressed day files on this machine; nothing to install.", defaults, open)

// Store is the log.
type Store struct {
	dir      string
	cfg      Config
	log      *slog.Logger
	now      func() time.Time
	readOnly bool
	onSeal   func(day, sum string)
	full     func() bool
	holder   eventlog.Holder // nil: nobody holds anything
	met      metrics
	dec      *colblock.Decoder
	lock     io.Closer

	view  atomic.Pointer[view]
	pubMu sync.Mutex // who replaces the view

	openMu sync.Mutex
	open   []*dayFile // files with a pool, used longest ago first

	filterBytes atomic.Int64
	unpacked    unpackedCache
	bad         badBlocks
	troubled    atomic.Bool // the last commit failed, and not for want of room
	refreshMu   sync.Mutex  // read only: one look at the folder at a time
	keepMu      sync.Mutex  // one Drop at a time

	queue  queue
	writer writer
	marks  sync.Map // outbox -> int64 wanted next, as committed
	outbox string   // the log's own
	seals  chan *dayFile

	writing, sealing sync.WaitGroup
}

var _ eventlog.Store = (*Store)(nil)

// Open opens the log in dep.Dir and makes it when there is none. A second process
// that would write is refused with honeyguide.CodeConflict; with dep.ReadOnly any
// number may look.
func Open(ctx context.Context, cfg Config, dep eventlog.Deps) (*Store, error) {
	cfg = cfg.withDefaults()
	if err := cfg.Validate(); err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	s := &Store{
		dir: dep.Dir, cfg: cfg, log: dep.Log, now: dep.Now, readOnly: dep.ReadOnly, onSeal: dep.Sealed, holder: dep.Holder, full: dep.Full,
		met: newMetrics(dep.Metrics), seals: make(chan *dayFile, 1024),
	}
	if s.log == nil {
		s.log = slog.New(slog.DiscardHandler)
	}
	if s.now == nil {
		s.now = time.Now
	}
	if s.full == nil {
		s.full = func() bool { return false }
	}
	s.unpacked.max = cfg.ReadBlocks
	s.queue.init(int64(cfg.QueueMiB) << 20)
	var err error
	if s.dec, err = colblock.NewDecoder(); err != nil {
		return nil, fmt.Errorf("event log: %w", err)
	}
	if err := s.start(ctx, dep.AtLeast); err != nil {
		return nil, errors.Join(fmt.Errorf("open event log: %w", err), s.release())
	}
	return s, nil
}

func (s *Store) start(ctx context.Context, atLeast eventlog.Seq) error {
	if s.readOnly {
		return s.refresh(ctx)
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	var err error
	if s.lock, err = sqldb.Lock(s.dir); err != nil {
		return err
	}
	if err := s.recover(ctx, atLeast); err != nil {
		return err
	}
	s.writing.Go(s.write)
	s.sealing.Go(s.seal)
	return nil
}

// Close stores what was handed over, ends waiting readers with ErrClosed and
// closes the files.
func (s *Store) Close() error {
	if !s.queue.close() {
		return nil
	}
	s.writing.Wait()
	close(s.seals)
	s.sealing.Wait()
	s.pubMu.Lock()
	v := *s.view.Load()
	v.closed = true
	s.publish(&v)
	s.pubMu.Unlock()
	var errs []error
	for _, d := range v.days {
		errs = append(errs, d.file.shut(false))
	}
	// The last connection brings the journal in, and readers cannot.
	errs = append(errs, s.writer.close())
	return errors.Join(append(errs, s.release())...)
}

func (s *Store) release() error {
	s.dec.Close()
	if s.lock == nil {
		return nil
	}
	return s.lock.Close()
}

// current returns the view to answer from.
func (s *Store) current(ctx context.Context) (*view, error) {
	if s.readOnly && !s.queue.isClosed() {
		if err := s.refresh(ctx); err != nil {
			return nil, err
		}
	}
	v := s.view.Load()
	if v.closed {
		return nil, eventlog.ErrClosed
	}
	return v, nil
}

// Ends returns the first and last number.
func (s *Store) Ends(ctx context.Context) (first, last eventlog.Seq, err error) {
	v, err := s.current(ctx)
	if err != nil {
		return 0, 0, err
	}
	return v.first(), v.last, nil
}

// Next returns the number wanted next from an outbox.
func (s *Store) Next(ctx context.Context, outbox string) (int64, error) {
	if _, err := s.current(ctx); err != nil {
		return 0, err
	}
	if outbox == "" {
		outbox = s.own()
	}
	if n, ok := s.marks.Load(outbox); ok {
		return n.(int64), nil
	}
	return 1, nil
}

// own returns the log's own outbox. Who only reads learns it from the files.
func (s *Store) own() string {
	if s.readOnly {
		s.refreshMu.Lock()
		defer s.refreshMu.Unlock()
	}
	return s.outbox
}

// path returns where the file of a day lies.
func (s *Store) path(name string) string { return filepath.Join(s.dir, name+suffix) }

// newOutbox returns a name no outbox ever had: 128 random bits.
func newOutbox() string { return rand.Text() }
