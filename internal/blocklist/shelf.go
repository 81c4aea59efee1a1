package blocklist

import (
	"cmp"
	"net/netip"
	"slices"
	"sort"
	"time"
	"unique"
)

// A hold is what is kept of one plan that blocks, or blocked, a target.
type hold struct {
	plan    string
	since   int64 // microseconds, as all times here
	until   int64
	changed int64
	ended   int64 // when it ended before its time, or its plan said so; 0 while it holds
	over    bool  // its time is up, and that was noticed
	note    unique.Handle[note]
}

// A note is what many holds have in common.
type note struct{ action, playbook, incident, scenario string }

func (h *hold) holds(now int64) bool { return h.ended == 0 && h.until > now }

// end is when a hold stops to matter to those who enforce it.
func (h *hold) end() int64 { return max(h.until, h.ended) }

// An entry is one target with its holds. Nearly all have one, which needs no list.
type entry struct {
	target netip.Prefix
	shown  uint64 // its part of the list's tag, 0 when it is not listed
	first  hold
	more   []hold
}

// each calls fn for every hold.
func (e *entry) each(fn func(*hold)) {
	fn(&e.first)
	for i := range e.more {
		fn(&e.more[i])
	}
}

// find returns the hold of a plan.
func (e *entry) find(plan string) (found *hold) {
	e.each(func(h *hold) {
		if h.plan == plan {
			found = h
		}
	})
	return found
}

// best returns the hold that lasts longest, nil when none holds.
func (e *entry) best(now int64) (best *hold) {
	e.each(func(h *hold) {
		if h.holds(now) && (best == nil || h.until > best.until || h.until == best.until && h.plan < best.plan) {
			best = h
		}
	})
	return best
}

// last returns the hold that changed last: what ended, when none holds.
func (e *entry) last() *hold {
	last := &e.first
	e.each(func(h *hold) {
		if h.changed > last.changed {
			last = h
		}
	})
	return last
}

// sum is the part an entry has in the tag of the list.
func (e *entry) sum(h *hold) uint64 {
	if h == nil {
		return 0
	}
	text, _ := e.target.MarshalBinary()
	s := hashText(hashText(seed, string(text)), h.plan)
	return mix(mix(s^mix(uint64(h.until))) ^ mix(uint64(h.since)^uint64(h.changed)<<1))
}

func decision(target netip.Prefix, h *hold) Decision {
	n, until := h.note.Value(), h.until
	if h.ended != 0 {
		until = min(until, h.ended)
	}
	return Decision{
		Target: target, Since: moment(h.since), Until: moment(until), Changed: moment(h.changed),
		Plan: h.plan, Action: n.action, Playbook: n.playbook, Incident: n.incident, scenario: n.scenario,
	}
}

// order sorts IPv4 before IPv6, then by address, then the wider prefix first.
func order(a, b netip.Prefix) int {
	if c := a.Addr().Compare(b.Addr()); c != 0 {
		return c
	}
	return cmp.Compare(a.Bits(), b.Bits())
}

// pieceSize bounds one piece of a shelf: what is moved for one insertion.
const pieceSize = 128

// A shelf holds entries in the order of targets, in pieces, so that an insertion
// into a long list moves little of it.
type shelf struct {
	pieces [][]entry
	count  int
}

// place finds where target is or belongs.
func (s *shelf) place(target netip.Prefix) (piece, at int, found bool) {
	piece = sort.Search(len(s.pieces), func(i int) bool { return order(s.pieces[i][0].target, target) > 0 }) - 1
	if piece < 0 {
		return 0, 0, false
	}
	at, found = slices.BinarySearchFunc(s.pieces[piece], target, func(e entry, t netip.Prefix) int { return order(e.target, t) })
	return piece, at, found
}

// get returns the entry of target, nil when there is none. It is good until the
// shelf changes.
func (s *shelf) get(target netip.Prefix) *entry {
	piece, at, found := s.place(target)
	if !found {
		return nil
	}
	return &s.pieces[piece][at]
}

// add puts in an entry whose target is not there.
func (s *shelf) add(e entry) *entry {
	s.count++
	if len(s.pieces) == 0 {
		s.pieces = append(s.pieces, append(make([]entry, 0, pieceSize), e))
		return &s.pieces[0][0]
	}
	piece, at, _ := s.place(e.target)
	if len(s.pieces[piece]) == pieceSize {
		s.split(piece)
		piece, at, _ = s.place(e.target)
	}
	s.pieces[piece] = slices.Insert(s.pieces[piece], at, e)
	return &s.pieces[piece][at]
}

// split halves a full piece. One that grows at its end, as a sorted load does,
// stays nearly full.
func (s *shelf) split(piece int) {
	full := s.pieces[piece]
	cut := len(full) / 2
	if piece == len(s.pieces)-1 {
		cut = len(full) * 7 / 8
	}
	upper := append(make([]entry, 0, pieceSize), full[cut:]...)
	clear(full[cut:])
	s.pieces[piece] = full[:cut]
	s.pieces = slices.Insert(s.pieces, piece+1, upper)
}

// after returns the place of the first entry behind a target; of the first one
// of all for the zero prefix.
func (s *shelf) after(target netip.Prefix) (piece, at int) {
	if !target.IsValid() || len(s.pieces) == 0 {
		return 0, 0
	}
	piece, at, found := s.place(target)
	if found {
		at++
	}
	if at == len(s.pieces[piece]) {
		return piece + 1, 0
	}
	return piece, at
}

// sweep calls fn for every entry and drops those it returns false for.
func (s *shelf) sweep(fn func(*entry) bool) {
	s.count = 0
	kept := s.pieces[:0]
	for _, p := range s.pieces {
		live := p[:0]
		for i := range p {
			if fn(&p[i]) {
				live = append(live, p[i])
			}
		}
		clear(p[len(live):])
		if s.count += len(live); len(live) > 0 {
			kept = append(kept, live)
		}
	}
	clear(s.pieces[len(kept):])
	s.pieces = kept
}

func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(at int64) time.Time {
	if at == 0 {
		return time.Time{}
	}
	return time.UnixMicro(at).UTC()
}
