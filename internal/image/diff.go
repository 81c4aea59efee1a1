package image

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// Line shows one entry as a line of text: type and mode, owner, size, time,
// path, target, what the bytes are, and the package.
func Line(x *Index, i int32) string {
	e := &x.Entries[i]
	var b strings.Builder
	when := time.Unix(e.Mtime, 0).UTC().Format(time.RFC3339)
	if e.Late {
		when = fmt.Sprintf("installed+%ds", e.Mtime)
	}
	size := e.Size
	if t := e.Type(); t == Char || t == Block {
		size = int64(e.Rdev)
	}
	fmt.Fprintf(&b, "%06o %d:%d %d %s %s", e.Mode, e.UID, e.GID, size, when, x.Path(i))
	if e.Target != "" {
		b.WriteString(" -> " + e.Target)
	}
	if e.Same >= 0 {
		b.WriteString(" = " + x.Path(e.Same))
	}
	if e.Kind != None {
		b.WriteString(" " + e.Kind.String())
	}
	if e.Head != "" {
		fmt.Fprintf(&b, " %q", e.Head)
	}
	if e.Owner >= 0 {
		b.WriteString(" " + x.Packages[e.Owner].Name)
	}
	return b.String()
}

// Diff lists what differs, by path: "-" lines of a, "+" lines of b.
func Diff(a, b *Index) []string {
	in, out := a.paths(), b.paths()
	all := maps.Clone(in)
	maps.Copy(all, out)
	var lines []string
	for _, p := range slices.SortedFunc(maps.Keys(all), ComparePaths) {
		i, had := in[p]
		k, has := out[p]
		if had && has && Line(a, i) == Line(b, k) {
			continue
		}
		if had {
			lines = append(lines, "-"+Line(a, i))
		}
		if has {
			lines = append(lines, "+"+Line(b, k))
		}
	}
	return lines
}

// Merge puts a layer over a whole index.
func Merge(base, layer *Index) *Index {
	out := &Index{Name: layer.Name, Ordered: base.Ordered}
	over := layer.paths()
	gone := map[string]bool{}
	for _, p := range layer.Removed {
		gone[p] = true
	}
	packages := map[string]int32{}
	for _, x := range []*Index{base, layer} {
		for _, p := range x.Packages {
			if n, ok := packages[p.Name]; !ok {
				packages[p.Name] = int32(len(out.Packages))
				out.Packages = append(out.Packages, p)
			} else if len(p.Fields) > 0 {
				out.Packages[n] = p
			}
		}
	}
	// children of every folder, by name: what the layer says wins.
	type node struct {
		x *Index
		i int32
	}
	kids := map[string][]node{}
	for _, x := range []*Index{base, layer} {
		for i := range x.Entries {
			p := x.Path(int32(i))
			if _, covered := over[p]; i == 0 || x == base && (covered || gone[p]) {
				continue
			}
			up := x.Path(x.Entries[i].Parent)
			kids[up] = append(kids[up], node{x, int32(i)})
		}
	}
	at := map[string]int32{}
	var add func(n node, p string, parent int32)
	add = func(n node, p string, parent int32) {
		e := n.x.Entries[n.i]
		if e.Owner >= 0 {
			e.Owner = packages[n.x.Packages[e.Owner].Name]
		}
		if e.Same >= 0 {
			first, ok := at[n.x.Path(e.Same)]
			if !ok {
				first = -1
			}
			e.Same = first
		}
		e.Parent = parent
		me := int32(len(out.Entries))
		at[p] = me
		out.Entries = append(out.Entries, e)
		list := kids[p]
		if !out.Ordered {
			slices.SortStableFunc(list, func(a, b node) int { return strings.Compare(a.x.Entries[a.i].Name, b.x.Entries[b.i].Name) })
		}
		for _, k := range list {
			add(k, strings.TrimSuffix(p, "/")+"/"+k.x.Entries[k.i].Name, me)
		}
	}
	add(node{layer, 0}, "/", -1)
	return out
}
