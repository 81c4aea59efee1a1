package syslog

import (
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"
	"time"

	"honeyguide/internal/source"
)

// maxPeers bounds the senders that are told apart.
const maxPeers = 10_000

// A limiter gives each sender so many messages a second, and twice as many at
// once.
type limiter struct {
	rate float64

	mu    sync.Mutex
	known map[netip.Addr]*bucket
}

type bucket struct {
	left float64
	at   time.Time
}

func newLimiter(rate int) *limiter {
	return &limiter{rate: float64(rate), known: map[netip.Addr]*bucket{}}
}

// bucket returns what a sender has left; mu is held.
func (l *limiter) bucket(peer netip.Addr, now time.Time) *bucket {
	b := l.known[peer]
	if b == nil {
		if len(l.known) >= maxPeers {
			clear(l.known) // all may send at once again; the sum stays bounded by the inbox
		}
		b = &bucket{left: 2 * l.rate, at: now}
		l.known[peer] = b
	}
	b.left = min(2*l.rate, b.left+now.Sub(b.at).Seconds()*l.rate)
	b.at = now
	return b
}

// take reports whether a datagram of peer is taken.
func (l *limiter) take(peer netip.Addr, now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(peer, now)
	if b.left < 1 {
		return false
	}
	b.left--
	return true
}

// owe takes a message of a stream and returns how long its sender has to wait.
func (l *limiter) owe(peer netip.Addr, now time.Time) time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.bucket(peer, now)
	b.left--
	return time.Duration(max(0, -b.left) / l.rate * float64(time.Second))
}

// wait makes a stream wait until its next message may be taken.
func (l *limiter) wait(ctx context.Context, peer netip.Addr) error {
	pause := l.owe(peer, time.Now())
	if pause < 10*time.Millisecond {
		return ctx.Err() // not worth a timer; it adds up
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(pause):
		return nil
	}
}

// peers is who has sent how much.
type peers struct {
	mu   sync.Mutex
	sent map[netip.Addr]int64
}

func newPeers() *peers { return &peers{sent: map[netip.Addr]int64{}} }

func (p *peers) count(peer netip.Addr, n int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, known := p.sent[peer]; !known && len(p.sent) >= maxPeers {
		return
	}
	p.sent[peer] += n
}

// shownPeers is how many senders are shown.
const shownPeers = 100

// list returns those that sent most.
func (p *peers) list() []source.Stream {
	p.mu.Lock()
	defer p.mu.Unlock()
	out := make([]source.Stream, 0, len(p.sent))
	for a, n := range p.sent {
		out = append(out, source.Stream{Name: a.String(), Position: n, Size: n, State: "sends"})
	}
	slices.SortFunc(out, func(a, b source.Stream) int {
		return cmp.Or(cmp.Compare(b.Position, a.Position), cmp.Compare(a.Name, b.Name))
	})
	return out[:min(len(out), shownPeers)]
}
