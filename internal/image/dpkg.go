package image

import (
	"slices"
	"strings"
)

// A Listed is one path a package brings.
type Listed struct {
	Path string // as the package spells it
	Link bool   // a symbolic link; packages carry those last
}

// SortList puts paths into the order of dpkg's lists: a folder before what is in
// it, by name, symbolic links behind everything else.
func SortList(l []Listed) {
	slices.SortFunc(l, func(a, b Listed) int {
		if a.Link != b.Link {
			if a.Link {
				return 1
			}
			return -1
		}
		return ComparePaths(a.Path, b.Path)
	})
}

// ComparePaths orders paths as a walk by name meets them.
func ComparePaths(a, b string) int {
	n := shared(a, b)
	switch {
	case len(a) == len(b) && n == len(a):
		return 0
	case n == len(a):
		return -1
	case n == len(b):
		return 1
	case a[n] == '/':
		return -1
	case b[n] == '/':
		return 1
	case a[n] < b[n]:
		return -1
	default:
		return 1
	}
}

// ListText makes the text of /var/lib/dpkg/info/NAME.list: every path, with all
// folders above them, each once.
func ListText(own []Listed, extra []string) string {
	seen := map[string]bool{"": true}
	all := slices.Clone(own)
	for _, p := range extra {
		all = append(all, Listed{Path: p})
	}
	for _, l := range all {
		seen[l.Path] = true
	}
	for _, l := range all[:len(all):len(all)] {
		for p := l.Path; p != ""; {
			p = p[:max(strings.LastIndexByte(p, '/'), 0)]
			if seen[p] {
				continue
			}
			seen[p] = true
			all = append(all, Listed{Path: p})
		}
	}
	SortList(all)
	var b strings.Builder
	b.WriteString("/.\n")
	for _, l := range all {
		b.WriteString(l.Path)
		b.WriteByte('\n')
	}
	return b.String()
}

// Owned returns, per package, the positions of the entries it installed.
func (x *Index) Owned() [][]int32 {
	out := make([][]int32, len(x.Packages))
	for i := range x.Entries {
		if o := x.Entries[i].Owner; o >= 0 {
			out[o] = append(out[o], int32(i))
		}
	}
	return out
}
