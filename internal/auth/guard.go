package auth

import (
	"hash/maphash"
	"net/netip"
	"sync"
	"time"
)

// A guard limits how many passwords and codes are looked at. Guessers come from
// one address or from thousands, so three buckets stand before a check by
// somebody who was not here before: one of their network, one of the account for
// that network, one of the account for all strangers together. Somebody on a
// device or in a network that came in before has a bucket of their own for that
// account and passes none of the others: who guesses cannot lock them out.
//
// Within five minutes an account is thus checked 13 times for all strangers and
// seven times for each known place, whoever tries.
type guard struct {
	networks  *buckets // a network, whatever the account
	pairs     *buckets // an account and a network
	strangers *buckets // an account
	known     *buckets // an account and a known place
}

// The sizes of the buckets: so many at once, and one more each time that passes.
const (
	networkBurst, networkEvery   = 10, 6 * time.Second
	pairBurst, pairEvery         = 5, 150 * time.Second
	strangerBurst, strangerEvery = 8, 60 * time.Second
	knownBurst, knownEvery       = 5, 150 * time.Second
)

func newGuard() *guard {
	return &guard{
		networks:  newBuckets(1<<14, networkBurst, networkEvery),
		pairs:     newBuckets(1<<16, pairBurst, pairEvery),
		strangers: newBuckets(1<<16, strangerBurst, strangerEvery),
		known:     newBuckets(1<<16, knownBurst, knownEvery),
	}
}

// A turn is one check that may happen.
type turn struct {
	back []func()
}

// refund takes a turn back: what was right is no guess.
func (t turn) refund() {
	for _, f := range t.back {
		f()
	}
}

// take asks for a check of an account. place is the device or the network by
// which the account is known to come in, "" for none. When the answer is no,
// wait says when to ask again.
func (g *guard) take(account, place string, network netip.Prefix, now time.Time) (t turn, wait time.Duration) {
	type step struct {
		b    *buckets
		name string
	}
	steps := []step{{g.networks, network.String()}, {g.pairs, account + "\x00" + network.String()}, {g.strangers, account}}
	if place != "" {
		steps = []step{{g.known, account + "\x00" + place}}
	}
	for _, s := range steps {
		if wait := s.b.take(s.name, now); wait > 0 {
			t.refund()
			return turn{}, wait
		}
		t.back = append(t.back, func() { s.b.put(s.name) })
	}
	return t, 0
}

// buckets are leaky buckets in a table of fixed size, found by a hash whose seed
// nobody knows. Two names may share one, by chance and not by choice; nobody can
// make the table forget a bucket by filling it with others.
type buckets struct {
	seed  maphash.Seed
	burst int64 // in steps
	every int64 // a step, in microseconds

	mu   sync.Mutex
	full []int64 // when the bucket is empty again, microseconds since 1970
}

func newBuckets(n int, burst int64, every time.Duration) *buckets {
	return &buckets{seed: maphash.MakeSeed(), burst: burst, every: every.Microseconds(), full: make([]int64, n)}
}

func (b *buckets) slot(name string) *int64 {
	return &b.full[maphash.String(b.seed, name)%uint64(len(b.full))]
}

// take puts one into a bucket and returns 0, or how long it takes until one fits.
func (b *buckets) take(name string, now time.Time) time.Duration {
	b.mu.Lock()
	defer b.mu.Unlock()
	at, slot := now.UnixMicro(), b.slot(name)
	level := max(*slot, at)
	if level > at+b.burst*b.every {
		level = at // fuller than full: the clock was set back
	}
	if over := level + b.every - (at + b.burst*b.every); over > 0 {
		*slot = level
		return time.Duration(over) * time.Microsecond
	}
	*slot = level + b.every
	return 0
}

// put takes one out again.
func (b *buckets) put(name string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	*b.slot(name) -= b.every
}

// brimful reports whether nothing fits into a bucket now.
func (b *buckets) brimful(name string, now time.Time) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return *b.slot(name)+b.every > now.UnixMicro()+b.burst*b.every
}
