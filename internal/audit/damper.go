package audit

import (
	"cmp"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"honeyguide"
)

// Bounds of refusals that are written one by one, within a minute. Whoever
// guesses keys or passwords must not fill the disk, nor hide in the crowd.
const (
	damperSpan    = time.Minute
	damperAll     = 60 // of one action
	damperAddress = 10 // of one action from one address
	damperPlaces  = 1000
)

// damper counts refusals that come too fast to be written one by one.
type damper struct {
	now   func() time.Time
	mu    sync.Mutex
	since time.Time
	acts  map[string]*flood // by action
}

// A flood is the refusals of one action within a span.
type flood struct {
	written, left int
	from          map[netip.Addr]int
	first, last   honeyguide.AuditEntry // of those left out
}

// let returns the entries that are to be written: all but refusals beyond the
// bounds, and what is to be said about those left out before.
func (d *damper) let(list []honeyguide.AuditEntry) []honeyguide.AuditEntry {
	if !slices.ContainsFunc(list, func(e honeyguide.AuditEntry) bool { return e.Outcome == honeyguide.AuditRefused }) {
		return list
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	out := d.told()
	for _, e := range list {
		if e.Outcome != honeyguide.AuditRefused || d.passes(e) {
			out = append(out, e)
		}
	}
	return out
}

func (d *damper) passes(e honeyguide.AuditEntry) bool {
	action := cut(e.Action, maxName)
	f := d.acts[action]
	if f == nil {
		if len(d.acts) >= damperPlaces {
			return false
		}
		f = &flood{from: map[netip.Addr]int{}}
		d.acts[action] = f
	}
	if _, known := f.from[e.Address]; known || len(f.from) < damperPlaces {
		f.from[e.Address]++
	}
	if f.written < damperAll && f.from[e.Address] <= damperAddress {
		f.written++
		return true
	}
	if e.Time.IsZero() {
		e.Time = d.now()
	}
	if f.left == 0 {
		f.first = e
	}
	f.left++
	f.last = e
	return false
}

// told returns a summary of each flood when the span is over, and begins another.
func (d *damper) told() []honeyguide.AuditEntry {
	now := d.now()
	if age := now.Sub(d.since); age >= 0 && age < damperSpan && d.acts != nil {
		return nil
	}
	var out []honeyguide.AuditEntry
	for _, f := range d.acts {
		if f.left == 0 {
			continue
		}
		more := ""
		if len(f.from) >= damperPlaces {
			more = " or more"
		}
		out = append(out, honeyguide.AuditEntry{
			Actor: "many", Kind: "nobody", Address: f.last.Address, Action: f.first.Action, Outcome: honeyguide.AuditRefused, Object: "summary",
			Detail: fmt.Sprintf("%d more refusals from %d%s addresses between %s and %s", f.left, len(f.from), more,
				f.first.Time.UTC().Format(time.RFC3339), f.last.Time.UTC().Format(time.RFC3339)),
		})
	}
	slices.SortFunc(out, func(a, b honeyguide.AuditEntry) int { return cmp.Compare(a.Action, b.Action) })
	d.since, d.acts = now, map[string]*flood{}
	return out
}

// flush returns the summaries that are due.
func (d *damper) flush() []honeyguide.AuditEntry {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.told()
}
