// Package detect turns events into alerts. A detector is a kind below this
// folder; this package holds what they share: rules as data, the making and
// merging of alerts, memory with bounds, and the two steps after detection,
// [Triage] and [Correlator].
//
// Detection is replayable. A detector knows event time only, draws no random
// numbers and reads nothing but the events it is given, in the order of the
// log: the same events give the same alerts, however they are cut into
// batches. What it remembers is bounded; the least recently seen key is
// forgotten first.
package detect

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/kind"
	"honeyguide/internal/rulebook"
)

// A Detector makes claims about events.
type Detector interface {
	// Detect looks at the next events in the order of the log and returns what
	// it claims, in the order of the events. Alerts of one DedupeKey may come
	// several times; see Merge. An error says that the batch could not be
	// judged; the detector stays usable.
	Detect(ctx context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error)
}

// An Observer is a detector that looks at what the others claim, too: for what
// several claims mean together, or how many there are of them.
type Observer interface {
	Detector
	// Observe is called for each event about which there are claims, after every
	// detector has seen it, and returns claims of its own. It sees no claims of
	// observers, and changes none.
	Observe(ctx context.Context, e *honeyguide.Event, claims []honeyguide.Alert) ([]honeyguide.Alert, error)
}

// Deps is what the host lends to every kind.
type Deps struct {
	Log   *slog.Logger
	Rules *rulebook.Book // the Sigma rules in force; nil: those the product ships
}

// Set is the list of kinds of detectors.
type Set = kind.Set[Deps, Detector]

// A Rule is what a detector can claim: a name, a sentence and how bad it is.
type Rule struct {
	ID         string // stable: brute_force
	Title      string
	Severity   honeyguide.Severity
	Category   string   // one of Categories
	Techniques []string // ATT&CK ids, of package attack's table
	Why        string   // why these techniques: one phrase
}

// Attacks returns the rule's techniques as alerts carry them.
func (r *Rule) Attacks() []honeyguide.Technique {
	var out []honeyguide.Technique
	for _, id := range r.Techniques {
		out = append(out, attack.Of(id, r.Why))
	}
	return out
}

// Categories returns every threat category, in the order reports use.
func Categories() []string {
	return []string{
		honeyguide.CategoryFailedAuth, honeyguide.CategoryPrivilege, honeyguide.CategoryLateral,
		honeyguide.CategoryExfiltration, honeyguide.CategoryToken, honeyguide.CategoryContainer,
		honeyguide.CategoryRecon, honeyguide.CategoryIntrusion, honeyguide.CategoryMalware,
		honeyguide.CategoryPersistence, honeyguide.CategoryEvasion, honeyguide.CategoryExternal,
		honeyguide.CategoryDecoyContact,
	}
}

// Source returns the name a source is counted by: its address, or where an
// event has none, what reported it.
func Source(e *honeyguide.Event) string {
	if a := e.Src.Addr.Addr(); a.IsValid() {
		return a.Unmap().WithZone("").String()
	}
	if d := e.Str(honeyguide.AttrDevice); d != "" {
		return "device:" + clip(d, 200)
	}
	return "sensor:" + clip(e.Sensor, 200)
}

// AttackerKey returns the key alerts of an event's source are correlated by.
func AttackerKey(e *honeyguide.Event) string {
	s := Source(e)
	if strings.HasPrefix(s, "device:") || strings.HasPrefix(s, "sensor:") {
		return s
	}
	return "attacker:" + s
}

// External reports whether e was told by another product, not seen on a decoy.
func External(e *honeyguide.Event) bool {
	return e.Str(honeyguide.AttrProduct) != "" || e.Class == honeyguide.ClassDetection && e.Activity == honeyguide.ActivityFinding
}

// Tactics returns the distinct tactic ids of techniques in the order of the
// matrix.
func Tactics(attacks []honeyguide.Technique) []string {
	if len(attacks) == 0 {
		return nil
	}
	var out []string
	for t := range attack.Tactics() {
		if slices.ContainsFunc(attacks, func(a honeyguide.Technique) bool { return a.Tactic == t.ID }) {
			out = append(out, t.ID)
		}
	}
	return out
}

// clip cuts s to n bytes.
func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
