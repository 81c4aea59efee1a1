package embedded

import (
	"cmp"
	"context"
	"crypto/rand"
	"database/sql"
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

// checkBelow is the size up to which a file that was not closed is read whole at
// start. A bigger one would delay the start; its blocks have checksums.
const checkBelow = 512 << 20

// recover finds out what is stored and makes the newest day ready to be written.
func (s *Store) recover(ctx context.Context, atLeast eventlog.Seq) error {
	names, err := s.tidy()
	if err != nil {
		return err
	}
	v := &view{}
	last := head{marks: map[string]int64{}, bad: map[eventlog.Seq]int{}}
	lost := len(names) == 0
	aside := aside{said: map[eventlog.Seq]int{}, unsaid: map[eventlog.Seq]string{}}
	for i, name := range names {
		d, h, err := s.loadAny(ctx, name, i == len(names)-1)
		if isCorrupt(err) {
			lost = true
			if err := s.quarantine(ctx, name, &last, aside, err); err != nil {
				return err
			}
			continue
		}
		if err != nil {
			return err
		}
		if d.first < last.first {
			return fmt.Errorf("day %s begins at event %d, but the day before ends at %d; were files of two logs mixed?", name, d.first, last.first-1)
		}
		v.days = append(v.days, d)
		last = h
		last.first = d.next()
		if i == len(names)-1 && d.counted > last.first-d.first {
			lost, last.first = true, d.first+d.counted
		}
	}
	last.first = max(last.first, 1)
	if atLeast >= last.first {
		if !lost {
			return &honeyguide.Error{
				Code:    honeyguide.CodeConflict,
				Message: fmt.Sprintf("the event log in %s ends at event %d, but a consumer has read up to %d; restore both from the same backup", s.dir, last.first-1, atLeast),
			}
		}
		last.first = atLeast + 1
	}
	s.bad.all = last.bad
	maps.Copy(s.bad.all, aside.said)
	s.sayHoles(v.days, last.first, aside.unsaid)
	if err := s.begin(ctx, v, last); err != nil {
		return err
	}
	for _, d := range v.days[:len(v.days)-1] {
		if !d.file.sealed {
			s.seals <- d.file
		}
	}
	return nil
}

// tidy removes what an interrupted step left and returns the names of the days
// there are, oldest first.
func (s *Store) tidy() ([]string, error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), newPrefix) || strings.HasSuffix(e.Name(), dropSuffix) {
			if err := os.Remove(filepath.Join(s.dir, e.Name())); err != nil {
				return nil, err
			}
		}
	}
	return dayNames(entries), nil
}

func dayNames(entries []os.DirEntry) []string {
	var names []string
	for _, e := range entries {
		name, ok := strings.CutSuffix(e.Name(), suffix)
		if _, err := time.Parse(time.DateOnly, name); ok && err == nil {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

// loadAny loads a day. The newest may have been left open by a crash.
func (s *Store) loadAny(ctx context.Context, name string, newest bool) (*day, head, error) {
	f := &dayFile{name: name, path: s.path(name)}
	if err := s.proveWhole(ctx, f, newest); err != nil {
		return nil, head{}, errors.Join(err, f.shut(false))
	}
	d, h, sealed, err := s.load(ctx, f)
	if err == nil && sealed {
		sealed, err = s.plainJournal(ctx, f)
	}
	if err != nil || sealed {
		err = errors.Join(err, f.shut(false))
	}
	f.sealed = sealed
	return d, h, err
}

// proveWhole reads a file that was not closed properly, so that damage shows now.
func (s *Store) proveWhole(ctx context.Context, f *dayFile, newest bool) error {
	wal, err := os.Stat(f.path + "-wal")
	if err != nil || wal.Size() == 0 || s.readOnly {
		return nil
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: f.path}) // brings the -wal back in
	if err != nil {
		return fmt.Errorf("day %s: %w", f.name, err)
	}
	info, err := os.Stat(f.path)
	if err == nil && newest && info.Size() <= checkBelow {
		if err = sqldb.Check(ctx, db, true); err != nil {
			err = fmt.Errorf("day %s: %w", f.name, err)
		}
	}
	return errors.Join(err, db.Close())
}

// plainJournal reports whether a file is as sealing leaves it.
func (s *Store) plainJournal(ctx context.Context, f *dayFile) (bool, error) {
	mode := ""
	err := s.use(ctx, f, func(db *sql.DB) error {
		return db.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode)
	})
	return mode == "delete", err
}

// aside is what is known of files that were put aside, by the number of their
// first event: how many events, and what is still to be said because that is only
// known once the others are read.
type aside struct {
	said   map[eventlog.Seq]int
	unsaid map[eventlog.Seq]string
}

// quarantine puts a file aside that cannot be read, takes from it what can be
// had, and remembers to say so in the log.
func (s *Store) quarantine(ctx context.Context, name string, last *head, known aside, cause error) error {
	path := s.path(name)
	first, next := last.first, s.salvage(ctx, path, last)
	s.log.Error("day file cannot be read and is put aside", "day", name, "error", cause)
	s.met.quarantined.Add(1)
	to := path + badSuffix
	for i := 1; exists(to); i++ {
		to = fmt.Sprintf("%s%s%d", path, badSuffix, i)
	}
	for _, beside := range []string{"-wal", "-shm", "-journal", ""} {
		if err := os.Rename(path+beside, to+beside); err != nil && !errors.Is(err, os.ErrNotExist) {
			return err
		}
	}
	if err := sqldb.Sync(s.dir); err != nil {
		return err
	}
	first = max(first, 1)
	detail := "file " + filepath.Base(to) + " cannot be read: " + cause.Error()
	if n := int(next - first); n > 0 {
		known.said[first] = n
		s.gap(n, detail, map[eventlog.Seq]int{first: n})
	} else {
		known.unsaid[first] = detail
	}
	last.first = next
	return nil
}

// sayHoles speaks of events whose blocks a damaged file no longer lists: its days
// end before the next begins, or before next, the number to be given out.
func (s *Store) sayHoles(days []*day, next eventlog.Seq, unsaid map[eventlog.Seq]string) {
	if _, ok := unsaid[1]; ok { // a file put aside before all others
		days = append([]*day{{file: &dayFile{name: "(put aside)"}, first: 1}}, days...)
	}
	for i, d := range days {
		end := next
		if i+1 < len(days) {
			end = days[i+1].first
		}
		lo, n := d.next(), int(end-d.next())
		if n <= 0 || !s.bad.add(lo, n) {
			continue
		}
		s.met.corrupt.Add(1)
		s.log.Error("a day file does not list all its events", "day", d.file.name, "from", int64(lo), "to", int64(end-1))
		detail := fmt.Sprintf("events %d to %d are gone from the list of day %s", lo, end-1, d.file.name)
		if why, ok := unsaid[lo]; ok {
			delete(unsaid, lo)
			detail = why
		}
		s.gap(n, detail, map[eventlog.Seq]int{lo: n})
	}
	for _, why := range unsaid {
		s.gap(0, why, nil)
	}
}

// salvage reads from a damaged file how far its numbers went, if it still says so.
func (s *Store) salvage(ctx context.Context, path string, last *head) eventlog.Seq {
	next := max(last.first, 1)
	db, err := sqldb.Open(ctx, sqldb.Options{Path: path, ReadOnly: true, MaxConns: 1})
	if err != nil {
		return next
	}
	defer db.Close()
	var hi sql.NullInt64
	const q = "SELECT max(lo + n) FROM blk WHERE n > 0 AND lo < $1" // what is further is spoilt, too
	if err := db.QueryRowContext(ctx, q, int64(next)+maxDay).Scan(&hi); err == nil && hi.Valid {
		next = max(next, eventlog.Seq(hi.Int64))
	}
	// Marks only ever grow: what can be read of them is better than nothing.
	_ = each(ctx, db, "SELECT outbox, next FROM source", func(r *sql.Rows) error {
		var outbox string
		var n int64
		if err := r.Scan(&outbox, &n); err != nil {
			return err
		}
		last.marks[outbox] = max(last.marks[outbox], n)
		return nil
	})
	return next
}

// gap appends an event that says what was given up.
func (s *Store) gap(n int, detail string, bad map[eventlog.Seq]int) {
	now := s.now().UTC()
	e := honeyguide.Event{
		Time: now, Observed: now, Class: honeyguide.ClassLifecycle, Activity: honeyguide.ActivityGap, Severity: honeyguide.SeverityHigh,
		Sensor: "eventlog", Attrs: map[string]any{honeyguide.AttrCount: int64(n), honeyguide.AttrDetail: detail},
	}
	events, size, err := eventlog.Admit(eventlog.Batch{Events: []honeyguide.Event{e}})
	if err != nil {
		s.log.Error("gap event was refused", "error", err)
		return
	}
	s.queue.push(&request{rows: newRows(events), size: size, urgent: true, at: time.Now(), bad: bad, done: make(chan result, 1)})
}

// begin makes the newest day writable, a new one when there is none or it is
// sealed, and publishes v.
func (s *Store) begin(ctx context.Context, v *view, h head) error {
	if h.outbox == "" {
		var seed [8]byte
		_, _ = rand.Read(seed[:]) // never fails (crypto/rand)
		h.outbox, h.seed = newOutbox(), binary.LittleEndian.Uint64(seed[:])
	}
	s.outbox = h.outbox
	name := s.now().UTC().Format(time.DateOnly)
	if n := len(v.days); n == 0 || v.days[n-1].file.sealed || v.days[n-1].next() != h.first {
		if n > 0 {
			name = max(name, dayAfter(v.days[n-1].file.name))
		}
		if err := create(ctx, s.path(name), h); err != nil {
			return err
		}
		d := &day{file: newDayFile(name, s.path(name), h.seed), first: h.first}
		v.days = append(v.days, d)
	}
	d := *v.today()
	v.days[len(v.days)-1] = &d
	if err := s.attach(ctx, &d, h); err != nil {
		return err
	}
	v.last = d.next() - 1
	s.publish(v)
	for i := len(v.days) - 1; i >= 0 && s.filterBytes.Load() < int64(s.cfg.FilterMiB)<<20; i-- {
		s.loadFilters(ctx, v.days[i].file)
	}
	return nil
}

func dayAfter(name string) string {
	t, err := time.Parse(time.DateOnly, name)
	if err != nil {
		return name
	}
	return t.AddDate(0, 0, 1).Format(time.DateOnly)
}

// attach opens a day for writing and unpacks its tail.
func (s *Store) attach(ctx context.Context, d *day, h head) error {
	encs := make([]*colblock.Encoder, min(runtime.GOMAXPROCS(0), maxEncoders))
	for i := range encs {
		var err error
		if encs[i], err = colblock.NewEncoder(h.seed); err != nil {
			return err
		}
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: d.file.path, PageSize: pageSize, CacheKiB: 16384, TxImmediate: true, MaxConns: 1})
	if err != nil {
		return fmt.Errorf("open day %s for writing: %w", d.file.name, err)
	}
	w := &s.writer
	*w = writer{db: db, file: d.file, encs: encs, marks: h.marks, next: d.next(), jump: w.jump}
	for outbox, next := range h.marks {
		s.marks.Store(outbox, next)
	}
	from := len(d.full)
	for n := 0; from > 0; from-- {
		if n += int(d.full[from-1].n); n >= blockEvents-blockEvents/fullEnough {
			break
		}
	}
	for i := from; i < len(d.full); i++ {
		unpacked, err := s.rows(ctx, d.file, &d.full[i])
		if s.spoilt(err) { // leave it as it is: merging would delete what is left
			s.giveUp(d.file, &d.full[i], err)
			w.tail, w.tailMem, from = nil, 0, i+1
			continue
		}
		if err != nil {
			return err
		}
		size, rows := 0, make([]*colblock.Row, len(unpacked))
		for j := range unpacked {
			rows[j] = &unpacked[j]
			size += eventlog.Size(&rows[j].Event)
		}
		w.keep(&packed{lo: d.full[i].lo, size: size, rows: rows})
	}
	d.small = slices.Clone(d.full[from:])
	d.full = slices.Clip(d.full[:from])
	return nil
}

// resume opens the newest file again after a failed commit: the disk says what
// was stored.
func (s *Store) resume(ctx context.Context) error {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return err
	}
	names := dayNames(entries)
	if len(names) == 0 {
		return errors.New("the day files are gone")
	}
	newest := names[len(names)-1]
	s.pubMu.Lock()
	defer s.pubMu.Unlock()
	old := s.view.Load()
	f := old.today().file
	if cmp.Compare(newest, f.name) > 0 { // a roll got as far as the rename
		f = &dayFile{name: newest, path: s.path(newest)}
	}
	f.dropFilters(s)
	d, h, _, err := s.load(ctx, f)
	if err != nil {
		return err
	}
	if err := s.attach(ctx, d, h); err != nil {
		return err
	}
	// What a failed sync left in the kernel's memory reads like what is on the disk,
	// and a later sync does not write it: copied into the file it is written anew.
	if err := sqldb.Checkpoint(ctx, s.writer.db); err != nil {
		return errors.Join(err, s.writer.close())
	}
	days := old.with(d)
	if f != old.today().file {
		days = append(slices.Clone(old.days), d)
		s.seals <- old.today().file
	}
	s.publish(&view{days: days, last: d.next() - 1})
	return nil
}
