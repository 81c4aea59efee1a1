package assets

import (
	"net/netip"
	"slices"
)

// An asset is one row of the table.
type asset struct {
	network                        netip.Prefix
	name, owner, role, criticality string
	external                       bool // listed, and yet not ours: a partner's, a provider's
}

// A table finds the narrowest row an address falls under. It never changes.
type table struct {
	rows    int
	bits4   []int // prefix lengths that occur, longest first
	bits6   []int
	assets  map[netip.Prefix]*asset
	own     []netip.Prefix // networks without a row
	hasZone bool
}

func newTable(rows []asset, own []netip.Prefix) *table {
	t := &table{rows: len(rows), assets: make(map[netip.Prefix]*asset, len(rows)), own: own, hasZone: len(rows)+len(own) > 0}
	for i := range rows {
		x := &rows[i]
		t.assets[x.network] = x // of two rows the later one
		bits := &t.bits6
		if x.network.Addr().Is4() {
			bits = &t.bits4
		}
		if !slices.Contains(*bits, x.network.Bits()) {
			*bits = append(*bits, x.network.Bits())
		}
	}
	for _, bits := range [][]int{t.bits4, t.bits6} {
		slices.SortFunc(bits, func(a, b int) int { return b - a })
	}
	return t
}

func (t *table) empty() bool { return !t.hasZone }

// find returns the row of an address, nil when none covers it, and its zone.
func (t *table) find(a netip.Addr) (*asset, string) {
	a = a.Unmap().WithZone("")
	bits := t.bits6
	if a.Is4() {
		bits = t.bits4
	}
	for _, n := range bits {
		p, err := a.Prefix(n)
		if err != nil {
			continue
		}
		if x := t.assets[p]; x != nil {
			if x.external {
				return x, zoneExternal
			}
			return x, zoneInternal
		}
	}
	for _, p := range t.own {
		if p.Contains(a) {
			return nil, zoneInternal
		}
	}
	return nil, zoneExternal
}
