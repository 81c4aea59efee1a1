package api

import (
	"net/netip"
	"sync"
	"time"
)

const (
	strikeBurst = 10              // wrong keys an address may send at once
	strikeEvery = 6 * time.Second // and one more each
	maxStruck   = 4096            // addresses remembered
)

// strikes counts wrong keys by address: a bucket each, bounded in number. When
// it is full the addresses that are in the clear again are forgotten, and if
// there are none, all of them.
type strikes struct {
	mu sync.Mutex
	by map[netip.Prefix]time.Time // when the bucket is empty again
}

func newStrikes() *strikes { return &strikes{by: map[netip.Prefix]time.Time{}} }

// strike notes a wrong key and returns how long the address has to wait, 0 when
// it has not to.
func (s *strikes) strike(p netip.Prefix, now time.Time) time.Duration {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.by) >= maxStruck {
		s.shrink(now)
	}
	until := s.by[p]
	if until.Before(now) {
		until = now
	}
	until = until.Add(strikeEvery)
	over := until.Sub(now) - strikeBurst*strikeEvery
	if over > 0 {
		// Full stays full: who goes on does not wait longer for it.
		s.by[p] = now.Add(strikeBurst * strikeEvery)
		return strikeEvery
	}
	s.by[p] = until
	return 0
}

func (s *strikes) shrink(now time.Time) {
	for p, until := range s.by {
		if until.Before(now) {
			delete(s.by, p)
		}
	}
	if len(s.by) >= maxStruck {
		clear(s.by)
	}
}
