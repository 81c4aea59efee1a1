package audit

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
	"honeyguide/internal/seal"
	"honeyguide/internal/telemetry"
)

// Options says how a log is kept.
type Options struct {
	Dir    string        // folder of the log
	Keys   string        // folder of its keys; both are made at the first start
	Vault  *seal.Vault   // opens the private ones, in Keys; nil: they lie in clear
	Rotate int64         // bytes after which a file is sealed, at the end of a day at the latest; 0 = 64 MiB
	Keep   time.Duration // age at which the bodies of sealed entries go; 0 = never

	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// maxBatch is how many entries are made durable together. So many at most can
// stand behind the checkpoint after a crash.
const maxBatch = 1024

// A Log is the audit log, open for writing. It is safe for concurrent use.
type Log struct {
	opt    Options
	dir    string
	signer note.Signer
	public string
	masker Masker
	log    *slog.Logger
	m      *metrics

	gather  sync.Mutex
	next    *batch        // takes entries until its turn comes
	turn    chan struct{} // held by the one who writes
	refused atomic.Pointer[string]

	// moves is held for reading by whoever opens files by name, and for writing by
	// whoever renames or removes them.
	moves sync.RWMutex

	// What follows is changed by the one whose turn it is, under files; readers
	// hold files for reading, and not for long.
	files  sync.RWMutex
	segs   []*segment // the last one is open
	tree   frontier
	point  Checkpoint
	open   *os.File // entries.log
	side   *os.File // the personal parts beside it; nil before the first one
	hashes hashFile
	dirty  bool    // entries.log or the parts may be longer than they should be
	covers []cover // whose personal parts were removed

	erasing sync.Mutex // removals on request, one at a time

	damper    damper
	checking  checking
	watch     sync.Mutex // what is known of witnesses
	witnesses []*told
}

// A batch is what is made durable together.
type batch struct {
	list []draft
	done chan struct{}
	err  error
}

// Masker returns what hides secrets in entries.
func (l *Log) Masker() Masker { return l.masker }

// PublicKey returns what verifies the checkpoints of the log: name+hash+key.
func (l *Log) PublicKey() string { return l.public }

// Checkpoint returns the newest one.
func (l *Log) Checkpoint() Checkpoint {
	l.files.RLock()
	defer l.files.RUnlock()
	return l.point
}

// Refused says why nothing can be written until somebody mends it; "" when
// writing goes on.
func (l *Log) Refused() string {
	if why := l.refused.Load(); why != nil {
		return *why
	}
	return ""
}

func (l *Log) refuse(ctx context.Context, why string) {
	l.refused.Store(&why)
	l.m.refusing.Set(1)
	l.log.LogAttrs(ctx, slog.LevelError, "audit log refuses to be written: nothing can be changed until it is mended", slog.String("why", why))
}

func unavailable(err error) error {
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the audit log cannot be written, so nothing is changed; the core's log says why", Err: err}
}

// Record makes an entry durable. The sequence number is given here; the time is
// set when it is zero. An error means that the act must not happen. Of refusals
// under a flood some are counted instead, and a later entry says how many.
func (l *Log) Record(ctx context.Context, e honeyguide.AuditEntry) error {
	return l.RecordAll(ctx, []honeyguide.AuditEntry{e})
}

// Number is Record, and returns the number the entry was given; -1 for a refusal,
// which may have been counted only.
func (l *Log) Number(ctx context.Context, e honeyguide.AuditEntry) (int64, error) {
	if e.Outcome == honeyguide.AuditRefused {
		return -1, l.Record(ctx, e)
	}
	return l.record(ctx, []honeyguide.AuditEntry{e})
}

// RecordAll makes entries durable, in order and next to each other. They are
// written together when there are no more than 256 of them.
func (l *Log) RecordAll(ctx context.Context, list []honeyguide.AuditEntry) error {
	_, err := l.record(ctx, l.damper.let(list))
	return err
}

// record returns the number of the last entry.
func (l *Log) record(ctx context.Context, list []honeyguide.AuditEntry) (int64, error) {
	for len(list) > maxBatch {
		if _, err := l.record(ctx, list[:maxBatch]); err != nil {
			return -1, err
		}
		list = list[maxBatch:]
	}
	if len(list) == 0 {
		return -1, nil
	}
	if why := l.Refused(); why != "" {
		l.m.failed.Add(1)
		return -1, unavailable(errors.New(why))
	}
	now := l.opt.Now()
	ready := make([]draft, len(list))
	for i := range list {
		ready[i].AuditEntry = list[i]
		if y := ready[i].Time.Year(); ready[i].Time.IsZero() || y < 1 || y > 9999 { // others have no form in JSON
			ready[i].Time = now
		}
		ready[i].AuditEntry = bound(ready[i].AuditEntry)
	}
	return l.join(ctx, ready)
}

// recordCovering records an entry that removes something of others.
func (l *Log) recordCovering(ctx context.Context, e honeyguide.AuditEntry, covers []span) error {
	if why := l.Refused(); why != "" {
		return unavailable(errors.New(why))
	}
	if e.Time.IsZero() {
		e.Time = l.opt.Now()
	}
	_, err := l.join(ctx, []draft{{bound(e), covers}})
	return err
}

// join lets entries go with the next batch. Whoever opens a batch writes it, as
// soon as the one before is written; meanwhile others join. So a batch waits for
// nothing but the disk, and the busier the disk, the larger the batch. It returns the
// number of the last of them.
func (l *Log) join(ctx context.Context, list []draft) (int64, error) {
	l.gather.Lock()
	b := l.next
	first := b == nil || len(b.list)+len(list) > maxBatch
	if first {
		b = &batch{done: make(chan struct{})}
		l.next = b
	}
	b.list = append(b.list, list...)
	last := len(b.list) - 1
	l.gather.Unlock()
	if !first {
		select {
		case <-b.done:
			return b.number(last), b.err
		case <-ctx.Done():
			return -1, unavailable(ctx.Err()) // it may become durable all the same, and then tells of an act that did not happen
		}
	}
	l.turn <- struct{}{} // others wait for this batch: it is written whatever becomes of ctx
	defer func() { <-l.turn }()
	l.gather.Lock()
	if l.next == b {
		l.next = nil
	}
	l.gather.Unlock()
	b.err = l.commit(ctx, b.list)
	close(b.done)
	return b.number(last), b.err
}

// number is the number an entry of the batch was given; -1 when it was not written.
func (b *batch) number(at int) int64 {
	if b.err != nil {
		return -1
	}
	return b.list[at].Seq
}

// commit writes a batch: personal parts, entries, hashes, checkpoint, in the order
// that is the promise. When it fails before the new checkpoint is in place, nothing has
// happened.
func (l *Log) commit(ctx context.Context, list []draft) error {
	began := l.opt.Now()
	err := l.write(list)
	if err != nil {
		l.m.failed.Add(float64(len(list)))
		l.log.LogAttrs(ctx, slog.LevelError, "audit entries not written", slog.Int("entries", len(list)), slog.Any("error", err))
		return unavailable(err)
	}
	l.m.entries.Add(float64(len(list)))
	l.m.commits.Observe(l.opt.Now().Sub(began).Seconds())
	l.m.size.Set(float64(l.point.Size))
	return nil
}

// usualEntry is room for most entries, and for most personal parts, in bytes.
const usualEntry = 320

func (l *Log) write(list []draft) error {
	if why := l.Refused(); why != "" {
		return errors.New(why)
	}
	if err := l.cleanTail(); err != nil {
		return err
	}
	if err := l.rotateIfDue(list[0].Time); err != nil {
		return fmt.Errorf("begin a new file: %w", err)
	}
	if err := l.openSide(); err != nil {
		return fmt.Errorf("begin a file of personal parts: %w", err)
	}
	seg := l.segs[len(l.segs)-1]
	tree := l.tree.clone()
	out := writing{entries: make([]byte, 0, usualEntry*len(list)), parts: make([]byte, 0, usualEntry*len(list))}
	stored := make([]Hash, 0, 2*len(list)+1)
	notes := make([]item, len(list))
	salts := make([]byte, saltBytes*len(list))
	_, _ = rand.Read(salts) // never fails (crypto/rand)
	for i := range list {
		list[i].Seq = tree.size
		notes[i] = item{
			seq: tree.size, off: seg.size + int64(len(out.entries)), side: seg.side + int64(len(out.parts)),
			rec: record{AuditEntry: list[i].AuditEntry, form: 2, covers: list[i].covers},
		}
		text, err := out.add(&list[i], salts[saltBytes*i:saltBytes*(i+1)])
		if err != nil {
			return err
		}
		stored = tree.add(tlog.RecordHash(text), stored)
	}
	point, err := signCheckpoint(l.signer, tree.size, tree.root())
	if err != nil {
		return err
	}
	l.dirty = true
	if err := l.put(seg, &out, stored, point.Note); err != nil {
		return errors.Join(err, l.cleanTail())
	}
	// From here on the entries count: the checkpoint says that they are there.
	l.files.Lock()
	for i := range notes {
		seg.note(&notes[i])
		seg.count++
		l.cover(&notes[i].rec)
	}
	seg.size += int64(len(out.entries))
	seg.side += int64(len(out.parts))
	l.tree, l.point, l.dirty = tree, point, false
	l.files.Unlock()
	if err := syncDir(l.dir); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

// put writes personal parts, entries, hashes and the checkpoint. Personal parts and
// entries are on the disk before the checkpoint that says so has its name. When it
// returns an error the last checkpoint is still there.
func (l *Log) put(seg *segment, out *writing, stored []Hash, point []byte) (err error) {
	file := filepath.Join(l.dir, checkpointName)
	next, err := os.OpenFile(file+".tmp", os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	defer func() {
		if err != nil {
			_ = os.Remove(file + ".tmp") // it is of no use
		}
	}()
	defer next.Close()
	if _, err := l.side.WriteAt(out.parts, seg.side); err != nil {
		return fmt.Errorf("write personal parts: %w", err)
	}
	if _, err := l.open.WriteAt(out.entries, seg.size); err != nil {
		return fmt.Errorf("write entries: %w", err)
	}
	if err := l.hashes.write(tlog.StoredHashCount(l.tree.size), stored); err != nil {
		return err
	}
	if _, err := next.Write(point); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	// All three are on their way before one is waited for: then the first wait is
	// nearly all there is to wait.
	for _, f := range []*os.File{l.side, l.open, next} {
		begin(f)
	}
	if err := l.side.Sync(); err != nil {
		return fmt.Errorf("write personal parts: %w", err)
	}
	if err := l.open.Sync(); err != nil {
		return fmt.Errorf("write entries: %w", err)
	}
	if err := next.Sync(); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	if err := os.Rename(file+".tmp", file); err != nil {
		return fmt.Errorf("write the checkpoint: %w", err)
	}
	return nil
}

// begin lets the disk begin to write what is new in a file. It is a hint: where
// there is no such thing, the wait that follows does it all.
func begin(f *os.File) {
	const write = 2 // SYNC_FILE_RANGE_WRITE (linux/fs.h)
	_ = syscall.SyncFileRange(int(f.Fd()), 0, 0, write)
}

// openSide makes the file of personal parts beside entries.log.
func (l *Log) openSide() error {
	if l.side != nil {
		return nil
	}
	f, err := os.OpenFile(l.segs[len(l.segs)-1].parts(l.dir), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	if err := syncDir(l.dir); err != nil {
		return errors.Join(err, f.Close())
	}
	l.side = f
	return nil
}

// cleanTail cuts off what a failed write left behind the last entry.
func (l *Log) cleanTail() error {
	if !l.dirty {
		return nil
	}
	seg := l.segs[len(l.segs)-1]
	if err := l.open.Truncate(seg.size); err != nil {
		return fmt.Errorf("cut off what was half written: %w", err)
	}
	if l.side != nil {
		if err := l.side.Truncate(seg.side); err != nil {
			return fmt.Errorf("cut off what was half written: %w", err)
		}
	}
	l.dirty = false
	return nil
}

// Close closes the files. What was recorded is durable already.
func (l *Log) Close() error {
	l.checking.stop()
	l.turn <- struct{}{}
	defer func() { <-l.turn }()
	why := "the audit log is closed"
	l.refused.CompareAndSwap(nil, &why)
	l.files.Lock()
	defer l.files.Unlock()
	var errs []error
	for _, f := range []*os.File{l.open, l.side, l.hashes.f} {
		if f != nil {
			errs = append(errs, f.Close())
		}
	}
	l.open, l.side, l.hashes.f = nil, nil, nil
	return errors.Join(errs...)
}

type metrics struct {
	entries, failed, lost *telemetry.CounterVec
	refusing, size, bad   *telemetry.GaugeVec
	behind, feedBehind    *telemetry.GaugeVec
	fed, unfed, skipped   *telemetry.CounterVec
	erased                *telemetry.CounterVec
	commits               *telemetry.HistogramVec
}

func newMetrics(r *telemetry.Registry) *metrics {
	m := &metrics{
		entries:    r.Counter("honeyguide_audit_entries_total", "Entries of the audit log made durable since the start."),
		failed:     r.Counter("honeyguide_audit_failed_total", "Entries that could not be written: the acts they tell of did not happen."),
		lost:       r.Counter("honeyguide_audit_witness_failed_total", "Copies of checkpoints that could not be handed to a witness.", "witness"),
		behind:     r.Gauge("honeyguide_audit_witness_behind", "Entries a witness has no checkpoint of.", "witness"),
		fed:        r.Counter("honeyguide_audit_exported_total", "Entries handed to a system that collects them.", "to"),
		unfed:      r.Counter("honeyguide_audit_export_failed_total", "Tries to hand entries on that failed; they are tried again.", "to"),
		skipped:    r.Counter("honeyguide_audit_export_skipped_total", "Entries that retention removed before they could be handed on.", "to"),
		feedBehind: r.Gauge("honeyguide_audit_export_behind", "Entries still to be handed on.", "to"),
		erased:     r.Counter("honeyguide_audit_erased_total", "Entries whose personal part was removed on request since the start."),
		refusing:   r.Gauge("honeyguide_audit_refusing", "1 while the audit log refuses to be written because it was changed or lost entries."),
		bad:        r.Gauge("honeyguide_audit_damaged", "1 when the last verification found that something was changed."),
		size:       r.Gauge("honeyguide_audit_size", "Entries of the audit log."),
		commits:    r.Histogram("honeyguide_audit_commit_seconds", "Time to make a batch of entries durable.", []float64{0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2}),
	}
	m.entries.Add(0)
	m.failed.Add(0)
	m.erased.Add(0)
	m.refusing.Set(0)
	m.bad.Set(0)
	return m
}
