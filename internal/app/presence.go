package app

import (
	"cmp"
	"maps"
	"net/netip"
	"slices"
	"sync"
	"time"
)

// How long somebody counts as working here after their last request, and how
// many are remembered.
const (
	presentFor  = 15 * time.Minute
	mostPresent = 1000
)

// presence remembers the addresses people work from. Its zero value is ready.
type presence struct {
	mu   sync.Mutex
	last map[netip.Addr]time.Time
}

// saw notes that a request with a good key came from an address.
func (p *presence) saw(addr netip.Addr) { p.sawAt(addr, time.Now()) }

func (p *presence) sawAt(addr netip.Addr, now time.Time) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.last == nil {
		p.last = map[netip.Addr]time.Time{}
	}
	p.last[addr] = now
	if len(p.last) > mostPresent {
		oldest := slices.MinFunc(slices.Collect(maps.Keys(p.last)), func(a, b netip.Addr) int {
			return cmp.Or(p.last[a].Compare(p.last[b]), a.Compare(b))
		})
		delete(p.last, oldest)
	}
}

// now lists who works here, in order.
func (p *presence) now(at time.Time) []netip.Addr {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []netip.Addr
	for addr, last := range p.last {
		if at.Sub(last) > presentFor {
			delete(p.last, addr)
			continue
		}
		out = append(out, addr)
	}
	slices.SortFunc(out, netip.Addr.Compare)
	return out
}
