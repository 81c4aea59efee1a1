package shell

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

// attr are a variable's attributes.
type attr uint8

const (
	exported attr = 1 << iota
	readOnly
	integer
	lower
	upper
	nameref
	unset // declared without a value
	traced
)

// A variable never changes once it is in a table; assignment replaces it. That
// makes it free to give a subshell a copy.
type variable struct {
	val  string
	arr  *array
	attr attr
}

// An array belongs to the process that made it; others copy before they write.
type array struct {
	owner *mark
	keys  []int64          // of an indexed array, ascending
	vals  []string         // in the order of keys or of names
	names map[string]int   // of an associative array: index into vals and order
	order []string         // "" with gone set is a hole
	gone  map[int]struct{} // holes in vals
	size  int              // bytes it is charged for
}

// A mark is the identity of a process as the owner of arrays.
type mark struct{ _ byte }

func (a *array) assoc() bool { return a.names != nil }

func newArray(owner *mark, assoc bool) *array {
	a := &array{owner: owner}
	if assoc {
		a.names = map[string]int{}
	}
	return a
}

func (a *array) clone(owner *mark) *array {
	c := &array{owner: owner, size: a.size, keys: slices.Clone(a.keys), vals: slices.Clone(a.vals), order: slices.Clone(a.order)}
	if a.names != nil {
		c.names = make(map[string]int, len(a.names))
		for k, v := range a.names {
			c.names[k] = v
		}
	}
	if len(a.gone) > 0 {
		c.gone = make(map[int]struct{}, len(a.gone))
		for k := range a.gone {
			c.gone[k] = struct{}{}
		}
	}
	return c
}

// perElement is what an element costs besides its text.
const perElement = 40

// at returns the position of an index, or where it would go.
func (a *array) at(i int64) (int, bool) {
	if n := len(a.keys); n == 0 || a.keys[n-1] < i {
		return n, false
	}
	if i < int64(len(a.keys)) && a.keys[i] == i { // no holes before it
		return int(i), true
	}
	return slices.BinarySearch(a.keys, i)
}

func (a *array) get(i int64) (string, bool) {
	if p, ok := a.at(i); ok {
		return a.vals[p], true
	}
	return "", false
}

func (a *array) set(i int64, s string) {
	p, ok := a.at(i)
	if ok {
		a.size += len(s) - len(a.vals[p])
		a.vals[p] = s
		return
	}
	a.size += len(s) + perElement
	a.keys = slices.Insert(a.keys, p, i)
	a.vals = slices.Insert(a.vals, p, s)
}

func (a *array) drop(i int64) {
	if p, ok := a.at(i); ok {
		a.size -= len(a.vals[p]) + perElement
		a.keys = slices.Delete(a.keys, p, p+1)
		a.vals = slices.Delete(a.vals, p, p+1)
	}
}

func (a *array) getKey(k string) (string, bool) {
	if i, ok := a.names[k]; ok {
		return a.vals[i], true
	}
	return "", false
}

func (a *array) setKey(k, s string) {
	if i, ok := a.names[k]; ok {
		a.size += len(s) - len(a.vals[i])
		a.vals[i] = s
		return
	}
	a.size += len(s) + 2*len(k) + 2*perElement
	a.names[k] = len(a.vals)
	a.vals = append(a.vals, s)
	a.order = append(a.order, k)
}

func (a *array) dropKey(k string) {
	i, ok := a.names[k]
	if !ok {
		return
	}
	delete(a.names, k)
	if a.gone == nil {
		a.gone = map[int]struct{}{}
	}
	a.gone[i] = struct{}{}
	a.vals[i] = ""
}

func (a *array) count() int {
	if a.assoc() {
		return len(a.names)
	}
	return len(a.keys)
}

// next is the index `+=( )` continues with.
func (a *array) next() int64 {
	if n := len(a.keys); n > 0 {
		return a.keys[n-1] + 1
	}
	return 0
}

// list returns keys and values in bash's order: ascending, or that of its hash
// table, within a bucket the newest first.
func (a *array) list() (keys, vals []string) {
	if !a.assoc() {
		keys = make([]string, len(a.keys))
		for i, k := range a.keys {
			keys[i] = strconv.FormatInt(k, 10)
		}
		return keys, a.vals
	}
	type entry struct {
		bucket uint32
		at     int
	}
	entries := make([]entry, 0, len(a.names))
	for k, i := range a.names {
		entries = append(entries, entry{hashString(k) & 1023, i})
	}
	sort.Slice(entries, func(i, j int) bool {
		if entries[i].bucket != entries[j].bucket {
			return entries[i].bucket < entries[j].bucket
		}
		return entries[i].at > entries[j].at
	})
	for _, e := range entries {
		keys = append(keys, a.order[e.at])
		vals = append(vals, a.vals[e.at])
	}
	return keys, vals
}

// hashString is the FNV-1 hash bash orders associative arrays by.
func hashString(s string) uint32 {
	h := uint32(2166136261)
	for i := range len(s) {
		h *= 16777619
		h ^= uint32(s[i])
	}
	return h
}

// size is what a variable is charged for.
func (v *variable) size() int {
	if v == nil {
		return 0
	}
	if v.arr != nil {
		return len(v.val) + v.arr.size
	}
	return len(v.val)
}

// scalar returns the value without a subscript: an array's element 0.
func (v *variable) scalar() (string, bool) {
	switch {
	case v == nil:
		return "", false
	case v.arr == nil:
		return v.val, v.attr&unset == 0
	case v.arr.assoc():
		return v.arr.getKey("0")
	default:
		return v.arr.get(0)
	}
}

// isName reports whether s can name a variable.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// flags returns the attribute letters of declare -p.
func (v *variable) flags() string {
	var b strings.Builder
	add := func(on bool, c byte) {
		if on {
			b.WriteByte(c)
		}
	}
	add(v.arr != nil && !v.arr.assoc(), 'a')
	add(v.arr != nil && v.arr.assoc(), 'A')
	add(v.attr&integer != 0, 'i')
	add(v.attr&nameref != 0, 'n')
	add(v.attr&readOnly != 0, 'r')
	add(v.attr&traced != 0, 't')
	add(v.attr&lower != 0, 'l')
	add(v.attr&upper != 0, 'u')
	add(v.attr&exported != 0, 'x')
	if b.Len() == 0 {
		return "-"
	}
	return b.String()
}
