package fwhelper

import (
	"cmp"
	"net/netip"
	"slices"
	"time"
)

// A span is one network and when its block ends, on the monotonic clock.
type span struct {
	prefix netip.Prefix
	end    time.Duration
}

// A segment is a run of addresses that are blocked until the same time.
type segment struct {
	first, last netip.Addr
	end         time.Duration
}

// lastOf returns the last address of a prefix.
func lastOf(p netip.Prefix) netip.Addr {
	raw := p.Addr().AsSlice()
	for bit := p.Bits(); bit < len(raw)*8; bit++ {
		raw[bit/8] |= 0x80 >> (bit % 8)
	}
	a, _ := netip.AddrFromSlice(raw)
	return a
}

// segments cuts networks of one version of IP, which lie in each other or apart,
// into runs that do not overlap, because the kernel takes no others. Each
// address stays blocked as long as the longest of the networks it lies in. The
// order of list changes.
func segments(list []span) []segment {
	slices.SortFunc(list, func(a, b span) int {
		return cmp.Or(a.prefix.Addr().Compare(b.prefix.Addr()), cmp.Compare(a.prefix.Bits(), b.prefix.Bits()))
	})
	var out []segment
	var open []segment // the networks the cursor is in, the innermost last
	var at netip.Addr  // the first address not yet written
	write := func(last netip.Addr, end time.Duration) {
		if !at.IsValid() || last.Less(at) {
			return
		}
		if n := len(out); n > 0 && out[n-1].end == end && out[n-1].last.Next() == at {
			out[n-1].last = last
		} else {
			out = append(out, segment{at, last, end})
		}
		at = last.Next()
	}
	leave := func() {
		top := open[len(open)-1]
		write(top.last, top.end)
		open = open[:len(open)-1]
	}
	for _, s := range list {
		first := s.prefix.Addr()
		for len(open) > 0 && open[len(open)-1].last.Less(first) {
			leave()
		}
		end := s.end
		if len(open) > 0 {
			top := open[len(open)-1]
			end = max(end, top.end)
			if at.Less(first) {
				write(first.Prev(), top.end)
			}
		}
		at = first
		open = append(open, segment{first, lastOf(s.prefix), end})
	}
	for len(open) > 0 {
		leave()
	}
	return out
}
