package blocklist

import (
	"context"
	"net/netip"
	"slices"
)

// batch is how many decisions are looked up under one lock and handed out together.
const batch = 256

// Walk calls fn with the decisions f selects, in the order of addresses, a few at
// a time; fn keeps none of them. What changes meanwhile may be told or not; a
// reader who has to know asks [List.Changes] since a [Mark] taken before.
func (l *List) Walk(ctx context.Context, f Filter, fn func([]Decision) error) error {
	return l.walk(ctx, f, fn, func(e *entry, now int64) *hold { return e.best(now) })
}

// Ended calls fn with targets that are not blocked any more and that somebody may
// still block who was told of them: every one whose time is not long over.
func (l *List) Ended(ctx context.Context, f Filter, fn func([]Decision) error) error {
	return l.walk(ctx, f, fn, gone)
}

// gone returns how the block of an entry ended, nil when it has not.
func gone(e *entry, now int64) *hold {
	if e.best(now) != nil {
		return nil
	}
	return e.last()
}

func (l *List) walk(ctx context.Context, f Filter, fn func([]Decision) error, pick func(*entry, int64) *hold) error {
	var last netip.Prefix
	out := make([]Decision, 0, batch)
	for {
		if err := ctx.Err(); err != nil {
			return err
		}
		var more bool
		if out, last, more = l.batch(out[:0], last, &f, pick); len(out) > 0 {
			if err := fn(out); err != nil {
				return err
			}
		}
		if !more {
			return nil
		}
	}
}

// batch looks at the entries behind last, at most so many that the lock is held
// for a moment only.
func (l *List) batch(out []Decision, last netip.Prefix, f *Filter, pick func(*entry, int64) *hold) ([]Decision, netip.Prefix, bool) {
	now := micros(l.opt.Now())
	l.mu.RLock()
	defer l.mu.RUnlock()
	piece, at := l.shelf.after(last)
	for range 4 * batch {
		if piece == len(l.shelf.pieces) {
			return out, last, false
		}
		e := &l.shelf.pieces[piece][at]
		last = e.target
		if h := pick(e, now); h != nil {
			if d := decision(e.target, h); f.wants(&d) {
				out = append(out, d)
			}
		}
		if at++; at == len(l.shelf.pieces[piece]) {
			piece, at = piece+1, 0
		}
		if len(out) == cap(out) {
			break
		}
	}
	return out, last, true
}

// A Delta is what became of some targets: it is read in two rounds, because
// those who enforce are told of new blocks first.
type Delta struct {
	list    *List
	targets []netip.Prefix
}

// Changes returns what changed since a mark. ok is false when that was too long
// ago to be known: the reader has to take everything again.
func (l *List) Changes(since Mark) (d Delta, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	from := int64(since) - overlap.Microseconds()
	if from < l.from || int64(since) > l.at+overlap.Microseconds() {
		return Delta{}, false
	}
	n, _ := slices.BinarySearchFunc(l.log, from, func(c logged, at int64) int { return int(c.seen - at) })
	d = Delta{list: l, targets: make([]netip.Prefix, 0, len(l.log)-n)}
	for _, c := range l.log[n:] {
		d.targets = append(d.targets, c.target)
	}
	slices.SortFunc(d.targets, order)
	d.targets = slices.Compact(d.targets)
	return d, true
}

// Blocked calls fn with those of the targets that are blocked now.
func (d Delta) Blocked(ctx context.Context, f Filter, fn func([]Decision) error) error {
	return d.each(ctx, f, fn, func(e *entry, now int64) *hold { return e.best(now) })
}

// Ended calls fn with those that are not blocked any more.
func (d Delta) Ended(ctx context.Context, f Filter, fn func([]Decision) error) error {
	return d.each(ctx, f, fn, gone)
}

func (d Delta) each(ctx context.Context, f Filter, fn func([]Decision) error, pick func(*entry, int64) *hold) error {
	for part := range slices.Chunk(d.targets, batch) {
		if err := ctx.Err(); err != nil {
			return err
		}
		if out := d.list.lookup(part, &f, pick); len(out) > 0 {
			if err := fn(out); err != nil {
				return err
			}
		}
	}
	return nil
}

// Covering returns the decisions that block an address or all of a prefix, widest first.
func (l *List) Covering(p netip.Prefix, f Filter) []Decision {
	var wider []netip.Prefix
	for bits := range p.Bits() + 1 {
		w, err := p.Addr().Prefix(bits)
		if err != nil {
			return nil
		}
		wider = append(wider, w)
	}
	return l.lookup(wider, &f, func(e *entry, now int64) *hold { return e.best(now) })
}

func (l *List) lookup(targets []netip.Prefix, f *Filter, pick func(*entry, int64) *hold) (out []Decision) {
	now := micros(l.opt.Now())
	l.mu.RLock()
	defer l.mu.RUnlock()
	for _, t := range targets {
		e := l.shelf.get(t)
		if e == nil {
			continue // over for so long that nobody holds it any more
		}
		if h := pick(e, now); h != nil {
			if d := decision(t, h); f.wants(&d) {
				out = append(out, d)
			}
		}
	}
	return out
}
