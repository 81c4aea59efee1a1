package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

// clockTrust is how far the clock may be ahead of the newest day when retention
// runs. A clock that jumped must not delete history.
const clockTrust = 48 * time.Hour

// Drop forgets days that ended before a time.
func (s *Store) Drop(ctx context.Context, before time.Time) ([]string, error) {
	if s.readOnly {
		return nil, eventlog.ErrReadOnly
	}
	s.keepMu.Lock()
	defer s.keepMu.Unlock()
	v, err := s.current(ctx)
	if err != nil {
		return nil, err
	}
	days, err := s.unheld(ctx, s.expired(v, before))
	if err != nil {
		return nil, err
	}
	aside, err := s.expiredAside(ctx, before)
	if err != nil {
		return nil, err
	}
	if len(days)+len(aside) == 0 {
		return nil, nil
	}
	if err := s.trustClock(v); err != nil {
		return nil, err
	}
	var names []string
	for _, name := range aside {
		if err := os.Remove(filepath.Join(s.dir, name)); err != nil {
			return names, fmt.Errorf("drop a damaged file: %w", err)
		}
		s.log.Info("damaged file dropped", "file", name)
		names = append(names, name)
	}
	for _, d := range days {
		s.forget(d)
		if err := s.remove(d.file); err != nil {
			return names, fmt.Errorf("drop day %s: %w", d.file.name, err)
		}
		s.met.dropped.Add(1)
		s.log.Info("day dropped", "day", d.file.name)
		names = append(names, d.file.name)
	}
	return names, nil
}

// expiredAside returns the files of days that are over and were put aside: nobody
// can say what is in them, and it must not stay for ever.
func (s *Store) expiredAside(ctx context.Context, before time.Time) (out []string, err error) {
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return nil, err
	}
	var held map[string]honeyguide.Hold
	for _, e := range entries {
		day, _, ok := strings.Cut(e.Name(), suffix+badSuffix)
		begin, err := time.Parse(time.DateOnly, day)
		if !ok || err != nil || begin.AddDate(0, 0, 1).After(before) {
			continue
		}
		if held == nil && s.holder != nil {
			if held, err = s.holder.Days(ctx); err != nil {
				return nil, fmt.Errorf("ask for held days: %w", err)
			}
		}
		if _, ok := held[day]; !ok {
			out = append(out, e.Name())
		}
	}
	return out, nil
}

// expired returns the oldest days that are over, in name and by every event.
func (s *Store) expired(v *view, before time.Time) []*day {
	for i, d := range v.days {
		end, err := time.Parse(time.DateOnly, d.file.name)
		if us, ok := d.newest(); i == len(v.days)-1 || err != nil || end.AddDate(0, 0, 1).After(before) || ok && us > before.UnixMicro() {
			return v.days[:i]
		}
	}
	return nil
}

// unheld leaves out of days those with an event of a day that somebody holds: by
// the day it came, or by the time it says.
func (s *Store) unheld(ctx context.Context, days []*day) ([]*day, error) {
	if s.holder == nil || len(days) == 0 {
		return days, nil
	}
	held, err := s.holder.Days(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for held days: %w", err)
	}
	sources, err := s.holder.Sources(ctx)
	if err != nil {
		return nil, fmt.Errorf("ask for held sources: %w", err)
	}
	var out []*day
	for _, d := range days {
		if name := touched(d, held); name != "" {
			s.log.Info("day is held and stays", "day", d.file.name, "for", name, "hold", held[name].Short)
			continue
		}
		hold, err := s.came(ctx, d, sources)
		if err != nil {
			return nil, fmt.Errorf("look for held sources: %w", err)
		}
		if hold != "" {
			s.log.Info("day is held and stays", "day", d.file.name, "hold", hold)
			continue
		}
		out = append(out, d)
	}
	return out, nil
}

// came returns the hold of a source that a day has an event of; "" when there is none.
func (s *Store) came(ctx context.Context, d *day, sources map[netip.Addr]honeyguide.Hold) (string, error) {
	for at, hold := range sources {
		q := eventlog.Query{Src: netip.PrefixFrom(at, at.BitLen()), Before: d.next(), Limit: 1}
		if d.first > 0 {
			q.After = d.first - 1
		}
		for _, err := range s.Find(ctx, q) {
			return hold.Short, err
		}
	}
	return "", nil
}

// touched returns the first of the held days that a file has events of.
func touched(d *day, held map[string]honeyguide.Hold) string {
	if _, ok := held[d.file.name]; ok {
		return d.file.name
	}
	for name := range held {
		begin, err := time.Parse(time.DateOnly, name)
		if err != nil {
			continue
		}
		from, to := begin.UnixMicro(), begin.AddDate(0, 0, 1).UnixMicro()
		for i := range d.blocks() {
			if b := d.block(i); b.ts0 < to && b.ts1 >= from {
				return name
			}
		}
	}
	return ""
}

func (s *Store) trustClock(v *view) error {
	name := v.today().file.name
	newest, err := time.Parse(time.DateOnly, name)
	if err != nil {
		return err
	}
	if now := s.now(); now.Sub(newest.AddDate(0, 0, 1)) > clockTrust {
		return &honeyguide.Error{
			Code:    honeyguide.CodeConflict,
			Message: fmt.Sprintf("nothing is dropped: the clock says %s, the newest events are of %s; check the clock", now.UTC().Format(time.DateOnly), name),
		}
	}
	return nil
}

// forget takes a day out of the view: no reader begins with it any more.
func (s *Store) forget(d *day) {
	s.pubMu.Lock()
	defer s.pubMu.Unlock()
	v := *s.view.Load()
	v.days = slices.DeleteFunc(slices.Clone(v.days), func(o *day) bool { return o.file == d.file })
	s.publish(&v)
	d.file.dropFilters(s)
}

// remove waits for the readers of a file and takes it away: renamed first, so
// that after a crash the day is there whole or gone.
func (s *Store) remove(f *dayFile) error {
	if err := f.shut(true); err != nil {
		return err
	}
	s.openMu.Lock()
	s.open = slices.DeleteFunc(s.open, func(o *dayFile) bool { return o == f })
	s.openMu.Unlock()
	gone := f.path + dropSuffix
	if err := os.Rename(f.path, gone); err != nil {
		return err
	}
	if err := sqldb.Sync(s.dir); err != nil {
		return err
	}
	return errors.Join(os.Remove(gone), removeDB(f.path))
}

// Check reads every file and every block.
func (s *Store) Check(ctx context.Context, report func(eventlog.Fault)) error {
	v, err := s.current(ctx)
	if err != nil {
		return err
	}
	for _, d := range v.days {
		err := s.use(ctx, d.file, func(db *sql.DB) error { return sqldb.Check(ctx, db, true) })
		if err := ctx.Err(); err != nil {
			return err
		}
		if err != nil && !errors.Is(err, errGone) {
			report(eventlog.Fault{Where: d.file.path, Lo: d.first, N: int(d.next() - d.first), Reason: err.Error()})
		}
		if err := s.checkDay(ctx, d, report); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) checkDay(ctx context.Context, d *day, report func(eventlog.Fault)) error {
	for i := range d.blocks() {
		b := d.block(i)
		packed, err := s.blobs(ctx, d.file, b, true, true)
		if err == nil {
			_, err = s.dec.Rows(packed)
		}
		switch {
		case err == nil || errors.Is(err, errStale) || errors.Is(err, errGone):
		case isCorrupt(err):
			report(eventlog.Fault{Where: d.file.path, Lo: b.lo, N: int(b.n), Reason: err.Error()})
		default:
			return err
		}
	}
	return ctx.Err()
}
