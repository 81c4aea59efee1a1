package netx

import (
	"sync"
	"time"
)

// Lately returns local, asked at most once in span: a flood makes thousands of
// plans a second, and the host's surroundings do not change as often. An error is
// not kept. It is safe for concurrent use.
func Lately(local func() ([]Local, error), now func() time.Time, span time.Duration) func() ([]Local, error) {
	var mu sync.Mutex
	var at time.Time
	var known []Local
	return func() ([]Local, error) {
		mu.Lock()
		defer mu.Unlock()
		t := now()
		if age := t.Sub(at); !at.IsZero() && age >= 0 && age < span {
			return known, nil
		}
		fresh, err := local()
		if err != nil {
			return nil, err
		}
		known, at = fresh, t
		return known, nil
	}
}
