package evidence

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strings"
	"time"
)

// errPaused says why nothing is recorded.
var errPaused = errors.New("the disk is nearly full: nothing is recorded")

// Pause says whether new pieces are given up, because their room is needed for
// events. What is kept stays.
func (s *Store) Pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
}

// Shed removes the oldest recordings until want bytes are free or none is left,
// and says how many bytes it freed. stay says which sessions' recordings must not
// go; nil: all may.
func (s *Store) Shed(want int64, stay func(session string) bool) (freed int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	all, err := s.scan()
	if err != nil {
		return 0, err
	}
	for _, r := range all {
		if freed >= want {
			break
		}
		if stay != nil && stay(r.Session) {
			continue
		}
		name := Name(r.Session)
		if e, ok := s.open[name]; ok {
			s.drop(e.Value.(*cast))
		}
		if err := s.dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, fmt.Errorf("remove old recording: %w", err)
		}
		s.total -= r.Bytes
		freed += r.Bytes
	}
	return freed, nil
}

// Pause says whether the content of new samples is given up: only what is true of
// it is kept.
func (s *Samples) Pause(on bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.paused = on
}

// Shed removes the content of the oldest samples until want bytes are free or none
// is left, and says how many bytes it freed. stay says which must not go; nil: all
// may.
func (s *Samples) Shed(want int64, stay func(sum string) bool) (freed int64, err error) {
	type old struct {
		name string
		size int64
		at   time.Time
	}
	var all []old
	err = s.each(func(name string, size int64, at time.Time) error {
		if sum, ok := strings.CutSuffix(path.Base(name), sampleSuffix); ok && (stay == nil || !stay(sum)) {
			all = append(all, old{name, size, at})
		}
		return nil
	})
	if err != nil {
		return 0, fmt.Errorf("list samples: %w", err)
	}
	slices.SortFunc(all, func(a, b old) int { return cmp.Or(a.at.Compare(b.at), strings.Compare(a.name, b.name)) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, o := range all {
		if freed >= want {
			break
		}
		if err := s.dir.Remove(o.name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return freed, fmt.Errorf("remove old sample: %w", err)
		}
		s.total -= o.size
		freed += o.size
	}
	return freed, nil
}
