package detect

import (
	"honeyguide"
)

// A Correlator says which attackers belong together: those that an alert's
// bait, file or address ties to somebody seen before. It is deterministic and
// bounded; it is not safe for concurrent use.
type Correlator struct {
	firsts *Memory[string] // by observable: key of the attacker that showed it first
}

// NewCorrelator returns a correlator that remembers up to limit observables.
func NewCorrelator(limit int) *Correlator {
	return &Correlator{firsts: NewMemory(limit, func() string { return "" })}
}

// Keys returns the attacker keys a belongs to: its own first, then those of
// the reader of its honeytoken and of whoever first showed the same token,
// file or URL.
func (c *Correlator) Keys(a *honeyguide.Alert) []string {
	keys := []string{a.Attacker}
	add := func(k string) {
		for _, have := range keys {
			if have == k {
				return
			}
		}
		keys = append(keys, k)
	}
	for _, o := range a.Observed {
		switch {
		case o.Name == honeyguide.AttrReader, o.Name == Linked && a.Detector == "correlate":
			add("attacker:" + o.Value)
		case ties(a, o):
			first := c.firsts.At(o.Type + "|" + o.Value)
			if *first == "" {
				*first = a.Attacker
			}
			add(*first)
		}
	}
	return keys
}

// Linked is the name of an observable by which a claim of detector correlate says
// that an address belongs to the same story.
const Linked = "linked"

// ties reports whether an observable of a makes its attacker one with others
// that show it.
func ties(a *honeyguide.Alert, o honeyguide.Observable) bool {
	switch o.Type {
	case "token":
		return true
	case "hash", "url":
		// Another product's hash or URL may be anybody's.
		return a.Detector == "behaviour" || a.RuleID == "decoy_indicator_inside"
	}
	return false
}
