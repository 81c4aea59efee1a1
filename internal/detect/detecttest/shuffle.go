// Package detecttest helps to prove that detectors do not mind in which order
// events come.
package detecttest

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// Shuffle returns events in another order in which none comes more than lateness
// after a younger one; the same seed gives the same order.
func Shuffle(events []honeyguide.Event, lateness time.Duration, seed uint64) []honeyguide.Event {
	rnd := rand.New(rand.NewPCG(seed, 1))
	type late struct {
		at time.Time
		e  honeyguide.Event
	}
	list := make([]late, len(events))
	for i, e := range events {
		list[i] = late{e.Time.Add(time.Duration(rnd.Int64N(int64(lateness)))), e}
	}
	slices.SortStableFunc(list, func(a, b late) int { return a.at.Compare(b.at) })
	out := make([]honeyguide.Event, len(list))
	for i := range list {
		out[i] = list[i].e
	}
	return out
}

// A Finding is what of an alert does not depend on which of its events came
// first.
type Finding struct {
	Key, Rule, Title, Attacker string
	Severity                   honeyguide.Severity
	Count                      int64
	First, Last                time.Time
	Events                     []string // up to the bound of an alert, sorted
	Observed                   []string // sorted
}

// Findings merges claims as the pipeline does and returns what they come to,
// sorted by key.
func Findings(claims []honeyguide.Alert) []Finding {
	var m detect.Merger
	for _, a := range claims {
		m.Add(a)
	}
	var out []Finding
	for _, a := range m.Alerts() {
		f := Finding{
			Key: a.DedupeKey, Rule: a.RuleID, Title: a.Title, Attacker: a.Attacker, Severity: a.Severity, Count: a.Count,
			First: a.Time, Last: a.LastAt, Events: slices.Sorted(slices.Values(a.EventIDs)),
		}
		for _, o := range a.Observed {
			f.Observed = append(f.Observed, o.Name+"|"+o.Type+"|"+o.Value)
		}
		slices.Sort(f.Observed)
		out = append(out, f)
	}
	slices.SortFunc(out, func(a, b Finding) int { return cmp.Compare(a.Key, b.Key) })
	return out
}
