package fwhelper

import (
	"errors"
	"net/netip"
	"time"
)

// A batch is one change of what is in force: of the desk's memory at once, of
// the kernel when it is committed. When the kernel does not follow, the memory
// goes back.
type batch struct {
	d      *desk
	at     time.Duration // now
	change change
	nets   bool // networks change
	routes bool // redirects change
	undo   []func()
}

func (d *desk) begin() *batch { return &batch{d: d, at: d.mono()} }

// set blocks p until end, or leaves it when its end is as late already. An exact
// end may also be earlier.
func (b *batch) set(p netip.Prefix, end time.Duration, exact bool) {
	enough := func(old time.Duration) bool {
		return old >= end && (!exact || old-end < time.Second)
	}
	if !p.IsSingleIP() {
		old, had := b.d.nets[p]
		if had && enough(old) {
			return
		}
		remember(b, b.d.nets, p, old, had)
		b.d.nets[p], b.nets = end, true
		return
	}
	addr := p.Addr()
	old, had := b.d.blocks[addr]
	if had && enough(old) {
		return
	}
	remember(b, b.d.blocks, addr, old, had)
	b.d.blocks[addr] = end
	i := item{addr, addr, end - b.at}
	if had {
		b.change.move = append(b.change.move, i)
	} else {
		b.change.add = append(b.change.add, i)
	}
}

// unset ends the block of p.
func (b *batch) unset(p netip.Prefix) {
	if !p.IsSingleIP() {
		if old, had := b.d.nets[p]; had {
			remember(b, b.d.nets, p, old, true)
			delete(b.d.nets, p)
			b.nets = true
		}
		return
	}
	addr := p.Addr()
	if old, had := b.d.blocks[addr]; had {
		remember(b, b.d.blocks, addr, old, true)
		delete(b.d.blocks, addr)
		b.change.remove = append(b.change.remove, addr)
	}
}

func (b *batch) redirect(key redirectKey, to redirectEnd) {
	old, had := b.d.redirects[key]
	if had && old.to == to.to && (old.end-to.end).Abs() < time.Second {
		return
	}
	remember(b, b.d.redirects, key, old, had)
	b.d.redirects[key], b.routes = to, true
}

func (b *batch) unredirect(key redirectKey) {
	if old, had := b.d.redirects[key]; had {
		remember(b, b.d.redirects, key, old, true)
		delete(b.d.redirects, key)
		b.routes = true
	}
}

// remember notes how to put an entry of a map back.
func remember[K comparable, V any](b *batch, m map[K]V, key K, old V, had bool) {
	b.undo = append(b.undo, func() {
		if had {
			m[key] = old
		} else {
			delete(m, key)
		}
	})
}

// commit has the kernel follow. A table that is gone, or a change too large for
// one transaction, makes it anew from the desk's memory.
func (b *batch) commit() error {
	if len(b.undo) == 0 {
		return nil
	}
	err := b.write()
	if err != nil {
		for i := len(b.undo) - 1; i >= 0; i-- {
			b.undo[i]()
		}
		return err
	}
	b.d.generation++
	b.d.next = 0
	return nil
}

func (b *batch) write() error {
	d := b.d
	if !d.live(b.at) {
		err := d.kernel.drop()
		d.there = d.there && err != nil
		return err
	}
	size := len(b.change.add) + 3*len(b.change.move) + 2*len(b.change.remove)
	if b.nets {
		nets := netsOf(d.nets, b.at)
		b.change.nets = &nets
		size += 2 * len(nets)
	}
	if b.routes {
		routes := routesOf(d.redirects, b.at)
		b.change.redirects = &routes
	}
	if d.there && size <= d.kernel.capacity() {
		if err := d.kernel.apply(&b.change); !errors.Is(err, errGone) {
			return err
		}
	}
	err := d.kernel.replace(stateOf(d.blocks, d.nets, d.redirects, b.at))
	d.there = d.there || err == nil
	return err
}

// live reports whether anything has not ended at the time given.
func (d *desk) live(at time.Duration) bool {
	for _, end := range d.blocks {
		if end > at {
			return true
		}
	}
	for _, end := range d.nets {
		if end > at {
			return true
		}
	}
	for _, r := range d.redirects {
		if r.end > at {
			return true
		}
	}
	return false
}

// stateOf lists what has not ended at the time given.
func stateOf(blocks map[netip.Addr]time.Duration, nets map[netip.Prefix]time.Duration, redirects map[redirectKey]redirectEnd, at time.Duration) *state {
	s := &state{singles: make([]item, 0, len(blocks))}
	for addr, end := range blocks {
		if end > at {
			s.singles = append(s.singles, item{addr, addr, end - at})
		}
	}
	s.nets, s.redirects = netsOf(nets, at), routesOf(redirects, at)
	return s
}

// netsOf cuts networks into what the kernel takes.
func netsOf(nets map[netip.Prefix]time.Duration, at time.Duration) []item {
	byFamily := map[*family][]span{}
	for p, end := range nets {
		if end > at {
			f := familyOf(p.Addr())
			byFamily[f] = append(byFamily[f], span{p, end})
		}
	}
	var out []item
	for _, f := range families {
		for _, seg := range segments(byFamily[f]) {
			out = append(out, item{seg.first, seg.last, seg.end - at})
		}
	}
	return out
}

func routesOf(redirects map[redirectKey]redirectEnd, at time.Duration) []reroute {
	var out []reroute
	for key, to := range redirects {
		if to.end > at {
			out = append(out, reroute{key.from, key.tcp, key.port, to.to, to.end - at})
		}
	}
	return out
}

// A bucket bounds how many entries a second single blocks may add.
type bucket struct {
	perSecond int
	tokens    float64
	last      time.Time
}

// burst is how many seconds' worth may come at once.
const burst = 10

func newBucket(perSecond int, now time.Time) bucket {
	return bucket{perSecond, float64(burst * perSecond), now}
}

func (b *bucket) take(now time.Time) bool {
	if passed := now.Sub(b.last); passed > 0 {
		b.tokens = min(b.tokens+passed.Seconds()*float64(b.perSecond), float64(burst*b.perSecond))
	}
	b.last = now
	if b.tokens < 1 {
		return false
	}
	b.tokens--
	return true
}
