package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

var _ eventlog.Rewriter = (*Store)(nil)

// Rewrite changes stored events. The newest day is changed by the writer between
// two commits, a finished one as a copy that takes its place: a crash leaves
// either whole.
func (s *Store) Rewrite(ctx context.Context, r eventlog.Rewrite) (out eventlog.Rewritten, err error) {
	if s.readOnly {
		return out, eventlog.ErrReadOnly
	}
	s.keepMu.Lock()
	defer s.keepMu.Unlock()
	today, newest := "", eventlog.Rewritten{} // the writer's until it answers
	done := make(chan result, 1)
	req := &request{urgent: true, at: time.Now(), done: done, do: func() error {
		today = s.writer.file.name
		return s.rewriteToday(context.WithoutCancel(ctx), r, &newest)
	}}
	if err := s.queue.put(ctx, req); err != nil {
		return out, err
	}
	select { // once it began it is finished, whoever waits
	case res := <-done:
		out, err = newest, res.err
	case <-ctx.Done():
		return out, ctx.Err()
	}
	if err != nil {
		return out, fmt.Errorf("rewrite the newest day: %w", err)
	}
	v, err := s.current(ctx)
	if err != nil {
		return out, err
	}
	for _, d := range v.days {
		if d.file.name == today || r.Day != nil && !r.Day(d.file.name) {
			continue
		}
		if err := s.rewriteDay(ctx, d, r, &out); err != nil {
			return out, fmt.Errorf("rewrite day %s: %w", d.file.name, err)
		}
	}
	return out, s.leftovers(&out)
}

// leftovers names the files that were put aside because they cannot be read.
func (s *Store) leftovers(out *eventlog.Rewritten) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), badSuffix) {
			out.Left = append(out.Left, e.Name())
		}
	}
	return nil
}

// A fresh is a block that was packed again.
type fresh struct {
	colblock.Block
	lo eventlog.Seq
}

// repack returns the blocks of a day that change, one at a time.
func (s *Store) repack(ctx context.Context, d *day, enc *colblock.Encoder, r eventlog.Rewrite, out *eventlog.Rewritten, put func(*fresh) error) (n int, err error) {
	for i := range d.blocks() {
		if err := ctx.Err(); err != nil {
			return n, err
		}
		b := d.block(i)
		rows, err := s.rows(ctx, d.file, b)
		if s.spoilt(err) {
			s.giveUp(d.file, b, err)
			out.Left = append(out.Left, fmt.Sprintf("%s, events %d to %d", d.file.name+suffix, b.lo, b.hi()))
			continue
		}
		if err != nil {
			return n, err
		}
		list, changed := make([]*colblock.Row, len(rows)), 0
		for k := range rows {
			list[k] = &rows[k]
			e, values := r.Change(rows[k].Event)
			if values == 0 {
				continue
			}
			rows[k].Event = e
			changed++
			out.Values += int64(values)
		}
		if changed == 0 {
			continue
		}
		out.Events += int64(changed)
		packed, err := enc.Encode(list)
		if err != nil {
			return n, fmt.Errorf("pack events %d to %d: %w", b.lo, b.hi(), err)
		}
		if err := put(&fresh{packed, b.lo}); err != nil {
			return n, err
		}
		n++
	}
	return n, nil
}

// update stores a block in place of the one that was there, without its filter.
func (b *fresh) update(ctx context.Context, tx *sql.Tx) error {
	lo := int64(b.lo)
	if _, err := tx.ExecContext(ctx, "UPDATE blk SET flags = $2 WHERE lo = $1", lo, int64(b.Flags)); err != nil {
		return err
	}
	for _, g := range []struct {
		table string
		blob  []byte
	}{{"hot", b.Hot}, {"cold", b.Cold}, {"raw", b.Raw}} {
		if g.blob == nil {
			continue // a block that had raw input still has, and the other way round
		}
		if _, err := tx.ExecContext(ctx, "UPDATE "+g.table+" SET d = $2 WHERE lo = $1", lo, g.blob); err != nil {
			return err
		}
	}
	return nil
}

// rewriteToday changes the newest day; the writer calls it.
func (s *Store) rewriteToday(ctx context.Context, r eventlog.Rewrite, out *eventlog.Rewritten) (err error) {
	w := &s.writer
	d := s.view.Load().today()
	if r.Day != nil && !r.Day(d.file.name) {
		return nil
	}
	// What is freed is overwritten at once: a crash before the end leaves nothing.
	if _, err := w.db.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return err
	}
	tx, err := w.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	filters, flags := map[eventlog.Seq][]byte{}, map[eventlog.Seq]uint8{}
	n, err := s.repack(ctx, d, w.encs[0], r, out, func(b *fresh) error {
		filters[b.lo], flags[b.lo] = b.Bloom, uint8(b.Flags)
		if err := b.update(ctx, tx); err != nil {
			return err
		}
		_, err := tx.ExecContext(ctx, "UPDATE bloom SET d = $2 WHERE lo = $1", int64(b.lo), b.Bloom)
		return err
	})
	if err != nil {
		return err
	}
	if n > 0 {
		out.Days = append(out.Days, d.file.name)
		if err := tx.Commit(); err != nil {
			s.lose() // which of both the file has is read from it
			return err
		}
		w.tail = changed(w.tail, r)
		for lo, bloom := range filters {
			w.file.setFilter(s, lo, bloom)
		}
	} else if err := tx.Rollback(); err != nil {
		return err
	}
	s.reflag(d, flags, func(v *view) { v.recent = changed(v.recent, r) })
	// Also when nothing changed: an earlier attempt may have been cut off here, and
	// merging leaves old blocks in free pages.
	return s.scour(ctx, w.db, d.file)
}

// changed returns rows with the events that change as copies: the others are
// shared with readers.
func changed(rows []*colblock.Row, r eventlog.Rewrite) []*colblock.Row {
	out := slices.Clone(rows)
	for i, row := range out {
		if e, n := r.Change(row.Event); n > 0 {
			c := *row
			c.Event = e
			out[i] = &c
		}
	}
	return out
}

// reflag publishes a view in which the blocks of d have other flags.
func (s *Store) reflag(d *day, flags map[eventlog.Seq]uint8, more func(*view)) {
	s.pubMu.Lock()
	defer s.pubMu.Unlock()
	v := *s.view.Load()
	v.days = slices.Clone(v.days)
	for i, old := range v.days {
		if old.file != d.file || len(flags) == 0 {
			continue
		}
		c := *old
		c.full, c.small = slices.Clone(old.full), slices.Clone(old.small)
		for k := range c.blocks() {
			if f, ok := flags[c.block(k).lo]; ok {
				c.block(k).flags = f
			}
		}
		v.days[i] = &c
	}
	if more != nil {
		more(&v)
	}
	s.publish(&v)
	s.unpacked.clear()
}

func (c *unpackedCache) clear() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = nil
}

// scour writes the newest file anew, so that no free page keeps what was there,
// and empties its journal. Readers wait for a moment.
func (s *Store) scour(ctx context.Context, db *sql.DB, f *dayFile) error {
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return fmt.Errorf("write the file anew: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.db != nil { // an open question would hold the journal
		if err := f.db.Close(); err != nil {
			return err
		}
		f.db = nil
	}
	var busy, size, moved int64
	if err := db.QueryRowContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &size, &moved); err != nil {
		return fmt.Errorf("empty the journal: %w", err)
	}
	if busy != 0 {
		return errors.New("empty the journal: another process reads the file")
	}
	return nil
}

// rewriteDay changes a finished day: a changed copy takes its place.
func (s *Store) rewriteDay(ctx context.Context, d *day, r eventlog.Rewrite, out *eventlog.Rewritten) error {
	f := d.file
	f.mu.RLock()
	sealed := f.sealed
	f.mu.RUnlock()
	if !sealed {
		return eventlog.ErrUnsealed
	}
	enc, err := colblock.NewEncoder(f.seed())
	if err != nil {
		return err
	}
	part := filepath.Join(s.dir, newPrefix+filepath.Base(f.path))
	var db *sql.DB
	var tx *sql.Tx
	defer func() {
		if tx != nil {
			_ = tx.Rollback() // does nothing after Commit
		}
		if db != nil {
			_ = db.Close()
		}
		_ = removeDB(part) // not there any more when all went well
	}()
	filters, flags := map[eventlog.Seq][]byte{}, map[eventlog.Seq]uint8{}
	n, err := s.repack(ctx, d, enc, r, out, func(b *fresh) (err error) {
		if db == nil {
			if db, err = s.copyDay(ctx, f, part); err != nil {
				return err
			}
			if tx, err = db.BeginTx(ctx, nil); err != nil {
				return err
			}
		}
		filters[b.lo], flags[b.lo] = b.Bloom, uint8(b.Flags)
		return b.update(ctx, tx)
	})
	if err != nil || n == 0 {
		return err
	}
	if err := refilter(ctx, tx, filters); err != nil {
		return err
	}
	if err := tx.Commit(); err != nil {
		return err
	}
	if _, err := db.ExecContext(ctx, "VACUUM"); err != nil {
		return err
	}
	if err := db.Close(); err != nil {
		return err
	}
	db = nil
	if err := sqldb.Sync(part); err != nil {
		return err
	}
	if err := s.replaceDay(f, part); err != nil {
		return err
	}
	f.dropFilters(s)
	s.reflag(d, flags, nil)
	out.Days = append(out.Days, f.name)
	sum, err := fileSum(f.path)
	if err != nil {
		return err
	}
	s.log.Info("day rewritten", "day", f.name, "sha256", sum)
	if s.onSeal != nil {
		s.onSeal(f.name, sum)
	}
	return nil
}

// copyDay copies a finished day and opens the copy for writing.
func (s *Store) copyDay(ctx context.Context, f *dayFile, part string) (*sql.DB, error) {
	if err := removeDB(part); err != nil {
		return nil, err
	}
	from, err := os.Open(f.path)
	if err != nil {
		return nil, err
	}
	defer from.Close()
	to, err := os.OpenFile(part, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return nil, err
	}
	_, err = io.Copy(to, from)
	if err := errors.Join(err, to.Close()); err != nil {
		return nil, err
	}
	return sqldb.Open(ctx, sqldb.Options{Path: part, Journal: sqldb.JournalDelete, Synchronous: sqldb.SyncOff, MaxConns: 1})
}

// refilter puts other filters into the packed rows of a finished day.
func refilter(ctx context.Context, tx *sql.Tx, filters map[eventlog.Seq][]byte) error {
	type packedRow struct {
		lo int64
		d  []byte
	}
	var rows []packedRow
	found, err := tx.QueryContext(ctx, "SELECT lo, d FROM bloom ORDER BY lo")
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var p packedRow
		if err := found.Scan(&p.lo, &p.d); err != nil {
			return err
		}
		rows = append(rows, p)
	}
	if err := errors.Join(found.Err(), found.Close()); err != nil {
		return err
	}
	for _, p := range rows {
		one := map[eventlog.Seq][]byte{}
		if err := unpackFilters(p.d, one); err != nil {
			return err
		}
		var row []byte
		hit := false
		los := make([]eventlog.Seq, 0, len(one))
		for lo := range one {
			los = append(los, lo)
		}
		slices.Sort(los)
		for _, lo := range los {
			bloom := one[lo]
			if b, ok := filters[lo]; ok {
				bloom, hit = b, true
			}
			row = packFilter(row, lo, bloom)
		}
		if !hit {
			continue
		}
		if _, err := tx.ExecContext(ctx, "UPDATE bloom SET d = $2 WHERE lo = $1", p.lo, row); err != nil {
			return err
		}
	}
	return nil
}

// replaceDay puts a file in the place of a finished day. Readers wait for a moment.
func (s *Store) replaceDay(f *dayFile, part string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return errGone
	}
	if f.db != nil {
		if err := f.db.Close(); err != nil {
			return err
		}
		f.db = nil
	}
	if err := os.Rename(part, f.path); err != nil {
		return err
	}
	return sqldb.Sync(s.dir)
}
