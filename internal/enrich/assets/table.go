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
	words                          words
}

// words are zone, name, owner, role and criticality as attributes have them, made
// once: nil for what is empty.
type words [5]any

// say fills in the words.
func (a *asset) say() {
	zone := zoneInternal
	if a.external {
		zone = zoneExternal
	}
	for i, s := range []string{zone, a.name, a.owner, a.role, a.criticality} {
		if s != "" {
			a.words[i] = s
		}
	}
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
		x.say()
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

// find returns the row of an address, or that of all without one.
func (t *table) find(a netip.Addr) *asset {
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
			return x
		}
	}
	for _, p := range t.own {
		if p.Contains(a) {
			return &ours
		}
	}
	return &somebody
}
