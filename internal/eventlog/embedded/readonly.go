package embedded

import (
	"context"
	"errors"
	"fmt"
	"os"

	"honeyguide/internal/eventlog"
)

// refresh looks at the folder again: another process may have written since. Days
// that are sealed are not read twice.
func (s *Store) refresh(ctx context.Context) error {
	s.refreshMu.Lock()
	defer s.refreshMu.Unlock()
	entries, err := os.ReadDir(s.dir)
	if err != nil {
		return fmt.Errorf("read event log: %w", err)
	}
	v := &view{}
	old := map[string]*day{}
	if last := s.view.Load(); last != nil {
		for _, d := range last.days {
			old[d.file.name] = d
		}
	}
	for _, name := range dayNames(entries) {
		d, err := s.look(ctx, name, old[name])
		delete(old, name)
		if errors.Is(err, os.ErrNotExist) { // dropped since
			continue
		}
		if isCorrupt(err) {
			s.log.Error("day file cannot be read and is left out", "day", name, "error", err)
			continue
		}
		if err != nil {
			return err
		}
		v.days = append(v.days, d)
		v.last = d.next() - 1
	}
	for _, d := range old {
		if err := d.file.shut(true); err != nil {
			return err
		}
	}
	s.publish(v)
	return nil
}

// look loads a day, or takes the known one when it cannot have changed.
func (s *Store) look(ctx context.Context, name string, known *day) (*day, error) {
	if known != nil && known.file.sealed {
		return known, nil
	}
	if known == nil {
		d, h, err := s.loadAny(ctx, name, false)
		if err == nil {
			s.know(h)
		}
		return d, err
	}
	d, h, _, err := s.load(ctx, known.file)
	if err == nil {
		s.know(h)
	}
	return d, err
}

func (s *Store) know(h head) {
	s.outbox = h.outbox
	for outbox, next := range h.marks {
		s.marks.Store(outbox, next)
	}
	for lo, n := range h.bad {
		s.bad.add(lo, n)
	}
}

var _ eventlog.Finder = (*Store)(nil)
