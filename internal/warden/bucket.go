package warden

import (
	"net/netip"
	"time"
)

// A bucket is a token bucket: rate per second, at most burst at once.
type bucket struct {
	left float64
	last time.Time
}

func (b *bucket) take(now time.Time, rate, burst float64) bool {
	if b.last.IsZero() {
		b.left = burst
	} else if d := now.Sub(b.last).Seconds(); d > 0 {
		b.left = min(b.left+d*rate, burst)
	}
	b.last = now
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// Rates of relayed datagrams. Sources are counted by network, because the
// addresses inside one are the attacker's to choose.
const (
	sourceRate, sourceBurst = 20, 40
	totalRate, totalBurst   = 2000, 4000
	maxSources              = 8192
)

// sources holds the buckets of the networks seen lately: two generations, the
// older of which is forgotten when the younger is full.
type sources struct {
	total      bucket
	young, old map[netip.Prefix]*bucket
}

// allow charges one datagram to its network.
func (s *sources) allow(from netip.Addr, now time.Time) bool {
	from = from.Unmap().WithZone("")
	bits := 64
	if from.Is4() {
		bits = 24
	}
	network, err := from.Prefix(bits)
	if err != nil {
		return false
	}
	b := s.young[network]
	if b == nil {
		if b = s.old[network]; b == nil {
			b = &bucket{}
		}
		if s.young == nil || len(s.young) >= maxSources/2 {
			s.old, s.young = s.young, make(map[netip.Prefix]*bucket)
		}
		s.young[network] = b
	}
	// A network over its rate does not use up what all share.
	return b.take(now, sourceRate, sourceBurst) && s.total.take(now, totalRate, totalBurst)
}
