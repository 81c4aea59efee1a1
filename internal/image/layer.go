package image

import (
	"maps"
	"slices"
)

// Layer returns what makes full out of base: the entries that are new or
// changed, with the folders above them, the paths that went, and the packages
// that are new or changed. A time the installation gave counts as equal to any other
// such time, for two installations never take the same seconds.
func Layer(base, full *Index) *Index {
	old := base.paths()
	keep := make([]bool, len(full.Entries))
	need := func(i int32) {
		for ; i >= 0 && !keep[i]; i = full.Entries[i].Parent {
			keep[i] = true
		}
	}
	need(0)
	for i := range full.Entries {
		p := full.Path(int32(i))
		o, ok := old[p]
		delete(old, p)
		if ok && same(base, full, o, int32(i)) {
			continue
		}
		need(int32(i))
		need(full.Entries[i].Same)
	}
	out := &Index{Name: full.Name, Delta: true, Ordered: full.Ordered}
	for _, p := range slices.Sorted(maps.Keys(old)) {
		if _, above := old[base.Path(max(base.Entries[old[p]].Parent, 0))]; !above {
			out.Removed = append(out.Removed, p)
		}
	}
	number := out.newPackages(base, full)
	moved := make([]int32, len(full.Entries))
	for i, e := range full.Entries {
		if !keep[i] {
			continue
		}
		moved[i] = int32(len(out.Entries))
		if i > 0 {
			e.Parent = moved[e.Parent]
		}
		if e.Same >= 0 {
			e.Same = moved[e.Same]
		}
		if e.Owner >= 0 {
			e.Owner = number(full.Packages[e.Owner].Name)
		}
		out.Entries = append(out.Entries, e)
	}
	return out
}

// newPackages takes over the packages base has not got as they are. Packages of
// base that own an entry of the layer are named without fields.
func (x *Index) newPackages(base, full *Index) func(name string) int32 {
	had := map[string]*Package{}
	for i := range base.Packages {
		had[base.Packages[i].Name] = &base.Packages[i]
	}
	at := map[string]int32{}
	add := func(p Package) int32 {
		n := int32(len(x.Packages))
		at[p.Name] = n
		x.Packages = append(x.Packages, p)
		return n
	}
	for _, p := range full.Packages {
		if h := had[p.Name]; h == nil || !slices.Equal(h.Fields, p.Fields) || !slices.Equal(h.Extra, p.Extra) {
			add(p)
		}
	}
	return func(name string) int32 {
		if n, ok := at[name]; ok {
			return n
		}
		return add(Package{Name: name})
	}
}

// paths maps every path to its entry.
func (x *Index) paths() map[string]int32 {
	m := make(map[string]int32, len(x.Entries))
	for i := range x.Entries {
		m[x.Path(int32(i))] = int32(i)
	}
	return m
}

// same reports whether entry i of a and entry j of b state the same facts.
func same(a, b *Index, i, j int32) bool {
	e, f := a.Entries[i], b.Entries[j]
	owner := func(x *Index, e Entry) string {
		if e.Owner < 0 {
			return ""
		}
		return x.Packages[e.Owner].Name
	}
	if e.Mode != f.Mode || e.UID != f.UID || e.GID != f.GID || e.Late != f.Late || !e.Late && e.Mtime != f.Mtime ||
		e.Target != f.Target || e.Rdev != f.Rdev || e.Kind != f.Kind || e.Head != f.Head || e.Conf != f.Conf || e.Short != f.Short ||
		e.Size != f.Size || (e.Same >= 0) != (f.Same >= 0) || owner(a, e) != owner(b, f) {
		return false
	}
	return e.Same < 0 || a.Path(e.Same) == b.Path(f.Same)
}
