package eventlog

import (
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
)

// An Op says how a filter compares.
type Op byte

// The comparisons.
const (
	OpIs      Op = iota // the whole value, letter by letter
	OpWords             // all the words of the text, in any case, as [Query].Words cuts them
	OpPattern           // the whole value, in any case; a star stands for any characters
	OpNet               // an address within Net
	OpAny               // there is a value
)

// A Filter is a condition on the values an event has in a dimension. It costs the
// reading of every event that the rest of a query leaves.
type Filter struct {
	Dim  Dim
	Op   Op
	Text string
	Net  netip.Prefix
	Not  bool // no value may match
}

// Match reports whether an event passes: one of its values does, or with Not, none.
func (f *Filter) Match(e *honeyguide.Event) bool {
	found := false
	var words []string
	if f.Op == OpWords {
		words = (&Query{Word: f.Text}).Words()
	}
	f.Dim.Values(e, func(v string) { found = found || f.value(v, words) })
	return found != f.Not
}

func (f *Filter) value(v string, words []string) bool {
	switch f.Op {
	case OpIs:
		return v == f.Text
	case OpWords:
		have := (&Query{Word: v}).Words()
		return len(words) > 0 && !slices.ContainsFunc(words, func(w string) bool { return !slices.Contains(have, w) })
	case OpPattern:
		return pattern(strings.ToLower(f.Text), strings.ToLower(v))
	case OpNet:
		a, err := netip.ParseAddr(v)
		return err == nil && Covers(f.Net, a)
	case OpAny:
		return true
	}
	return false
}

// pattern matches text with stars. It never goes back further than the last star,
// so its time is at most the product of the lengths.
func pattern(p, s string) bool {
	star, mark := -1, 0
	i, j := 0, 0
	for j < len(s) {
		switch {
		case i < len(p) && p[i] == '*':
			star, mark = i, j
			i++
		case i < len(p) && p[i] == s[j]:
			i, j = i+1, j+1
		case star >= 0:
			mark++
			i, j = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(p[i:], "*") == ""
}
