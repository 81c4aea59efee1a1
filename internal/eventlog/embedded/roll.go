package embedded

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"time"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

// jump is a step of the clock of more than a day that waits to be confirmed.
type jump struct{ seen time.Time }

// confirm is how long a clock must stay where it jumped to.
const confirm = time.Minute

// arrivalDay names the day new events belong to. It never goes back, and follows a
// jump of more than a day only when the clock says so for a minute: files of a
// wrong future would have to be lived with.
func (s *Store) arrivalDay() string {
	now, w := s.now(), &s.writer
	name := now.UTC().Format(time.DateOnly)
	if name <= dayAfter(w.file.name) {
		w.jump = jump{}
		return max(name, w.file.name)
	}
	if w.jump.seen.IsZero() || now.Before(w.jump.seen) {
		s.log.Warn("clock is more than a day ahead of the newest events; waiting for it to stay", "day", name, "newest", w.file.name)
		w.jump.seen = now
	}
	if now.Sub(w.jump.seen) < confirm {
		return w.file.name
	}
	w.jump = jump{}
	return name
}

// roll starts a new file when the day is over.
func (s *Store) roll(ctx context.Context) error {
	w := &s.writer
	name := s.arrivalDay()
	if name == w.file.name {
		return nil
	}
	if err := s.finish(ctx); err != nil {
		s.lose()
		return fmt.Errorf("finish day %s: %w", w.file.name, err)
	}
	h := head{first: w.next, outbox: s.outbox, seed: w.file.seed(), marks: w.marks, bad: s.bad.copy()}
	if err := create(ctx, s.path(name), h); err != nil {
		return err
	}
	old := w.file
	if err := w.close(); err != nil {
		return err
	}
	d := &day{file: newDayFile(name, s.path(name), h.seed), first: h.first}
	if err := s.attach(ctx, d, h); err != nil {
		return err
	}
	s.loadFilters(ctx, d.file)
	s.pubMu.Lock()
	v := *s.view.Load()
	v.days = append(slices.Clone(v.days), d)
	s.publish(&v)
	s.pubMu.Unlock()
	s.trimFilters(&v, d.file)
	s.seals <- old
	return nil
}

// finish merges the tail for good.
func (s *Store) finish(ctx context.Context) error {
	if len(s.writer.tail) == 0 {
		return nil
	}
	p := &plan{final: true}
	if err := s.pack(p); err != nil {
		return err
	}
	if err := s.transact(ctx, p); err != nil {
		return err
	}
	s.settle(p)
	return nil
}

// sealAgain is how long a day that could not be sealed waits: a full disk, or
// another process that reads it. Until it is sealed it cannot be rewritten.
const sealAgain = time.Minute

// seal is the goroutine that seals finished days. What fails is tried again.
func (s *Store) seal() {
	ctx := context.Background() // ends with the channel; a started seal is finished
	again := time.NewTicker(sealAgain)
	defer again.Stop()
	var failed []*dayFile
	for {
		todo := failed
		select {
		case f, open := <-s.seals:
			if !open {
				return
			}
			todo = append(todo, f)
		case <-again.C:
		}
		failed = nil
		for _, f := range todo {
			if err := s.sealDay(ctx, f); err != nil && !errors.Is(err, errGone) {
				s.log.Warn("finished day could not be sealed; it stays readable", "day", f.name, "error", err)
				failed = append(failed, f)
			}
		}
	}
}

// sealDay makes a finished day one plain file that never changes again.
func (s *Store) sealDay(ctx context.Context, f *dayFile) error {
	if err := s.packDay(ctx, f); err != nil {
		return err
	}
	if err := s.dropJournal(ctx, f); err != nil {
		return err
	}
	sum, err := fileSum(f.path)
	if err != nil {
		return err
	}
	s.log.Info("day sealed", "day", f.name, "sha256", sum)
	if s.onSeal != nil {
		s.onSeal(f.name, sum)
	}
	return nil
}

// packDay puts Bloom filters 64 in a row: walking them is then ten times faster.
func (s *Store) packDay(ctx context.Context, f *dayFile) (err error) {
	f.filters.Lock()
	f.filters.packing = true
	done := f.filters.packed
	f.filters.Unlock()
	defer func() {
		f.filters.Lock()
		f.filters.packing, f.filters.packed = false, err == nil
		f.filters.Unlock()
	}()
	if done {
		return nil
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: f.path, TxImmediate: true})
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }() // does nothing after Commit
	for from := int64(0); from >= 0; {
		if from, err = packSome(ctx, tx, from); err != nil {
			return err
		}
	}
	if _, err := tx.ExecContext(ctx, upsertMeta, metaSealed, []byte(s.now().UTC().Format(time.RFC3339))); err != nil {
		return err
	}
	return tx.Commit()
}

const filtersPerRow = 64

// packSome packs the filters of the next blocks above from and returns the last,
// or -1 when there are none.
func packSome(ctx context.Context, tx *sql.Tx, from int64) (int64, error) {
	rows, err := tx.QueryContext(ctx, "SELECT lo, d FROM bloom WHERE lo > $1 ORDER BY lo LIMIT $2", from, filtersPerRow)
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	first, last, row := int64(0), int64(-1), []byte(nil)
	for rows.Next() {
		var d []byte
		if err := rows.Scan(&last, &d); err != nil {
			return 0, err
		}
		if first == 0 {
			first = last
		}
		row = packFilter(row, eventlog.Seq(last), d)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || last < 0 {
		return last, err
	}
	if _, err := tx.ExecContext(ctx, "DELETE FROM bloom WHERE lo BETWEEN $1 AND $2", first, last); err != nil {
		return 0, err
	}
	_, err = tx.ExecContext(ctx, insertBloom, first, row)
	return last, err
}

// dropJournal brings everything into the one file. Readers wait for a moment.
func (s *Store) dropJournal(ctx context.Context, f *dayFile) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.gone {
		return errGone
	}
	if f.db != nil { // the change needs the only connection
		if err := f.db.Close(); err != nil {
			return err
		}
		f.db = nil
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: f.path, Journal: sqldb.JournalDelete})
	if err != nil {
		return err
	}
	mode := ""
	err = db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	if err = errors.Join(err, db.Close()); err != nil {
		return err
	}
	if mode != "delete" {
		return fmt.Errorf("journal of day %s is still %q: another process reads it", f.name, mode)
	}
	f.sealed = true
	return nil
}

func fileSum(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer file.Close()
	h := sha256.New()
	if _, err := io.Copy(h, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(h.Sum(nil)), nil
}
