package embedded

import (
	"slices"
	"sort"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// A block is what is known of a block without reading it.
type block struct {
	lo       eventlog.Seq
	ts0, ts1 int64 // microseconds of event time
	n        int32
	sev      uint8 // a bit per severity
	flags    uint8
}

func (b *block) hi() eventlog.Seq { return b.lo + eventlog.Seq(b.n) - 1 }

// A day is one day file as a view sees it. Slices only grow at their ends, or
// are replaced: a view never changes.
type day struct {
	file    *dayFile
	first   eventlog.Seq // number its first event has or will have
	full    []block      // will never be rewritten
	counted eventlog.Seq // events its minutes speak of, as it was loaded
	small   []block      // the tail: merged when enough has come together
}

func (d *day) blocks() int { return len(d.full) + len(d.small) }

func (d *day) block(i int) *block {
	if i < len(d.full) {
		return &d.full[i]
	}
	return &d.small[i-len(d.full)]
}

// next is the number after the day's last event.
func (d *day) next() eventlog.Seq {
	if n := d.blocks(); n > 0 {
		return d.block(n-1).hi() + 1
	}
	return d.first
}

// search returns the index of the first block that ends at seq or later.
func (d *day) search(seq eventlog.Seq) int {
	return sort.Search(d.blocks(), func(i int) bool { return d.block(i).hi() >= seq })
}

// newest returns the latest event time of the day, false when it is empty.
func (d *day) newest() (us int64, ok bool) {
	for i := range d.blocks() {
		if b := d.block(i); !ok || b.ts1 > us {
			us, ok = b.ts1, true
		}
	}
	return us, ok
}

// A view is the committed log at one moment.
type view struct {
	days   []*day
	recent []*colblock.Row // the newest events, unpacked, without holes up to last
	last   eventlog.Seq
	wake   chan struct{} // closed when there is a newer view
	closed bool
}

// first is the number of the first record there is or will be.
func (v *view) first() eventlog.Seq {
	if len(v.days) == 0 {
		return v.last + 1
	}
	return v.days[0].first
}

// today is the day that is written to.
func (v *view) today() *day { return v.days[len(v.days)-1] }

// dayOf returns the index of the first day that ends at seq or later.
func (v *view) dayOf(seq eventlog.Seq) int {
	return sort.Search(len(v.days), func(i int) bool { return v.days[i].next() > seq })
}

// with returns v with another newest day.
func (v *view) with(d *day) []*day {
	days := slices.Clone(v.days)
	days[len(days)-1] = d
	return days
}

// publish makes v what readers see and wakes those who wait.
func (s *Store) publish(v *view) {
	v.wake = make(chan struct{})
	old := s.view.Swap(v)
	if old != nil {
		close(old.wake)
	}
}
