package detect

import (
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/personal"
)

// maxText bounds one line of evidence, in bytes.
const maxText = 512

// maxObserved bounds the observables of an alert.
const maxObserved = 50

// Claim returns the alert that rule r makes about e. what distinguishes
// claims of one rule and source that are not the same thing, "" mostly; text
// is the telling line.
func Claim(detector string, r *Rule, e *honeyguide.Event, what, text string) honeyguide.Alert {
	key := r.ID + "|" + Source(e)
	if what != "" {
		key += "|" + clip(what, 200)
	}
	a := honeyguide.Alert{
		Time: e.Time, LastAt: e.Time, Detector: detector, RuleID: r.ID, Title: r.Title,
		Severity: r.Severity, Status: honeyguide.AlertNew, Category: r.Category, Attacks: r.Attacks(),
		Src: e.Src, Dst: e.Dst, Sensor: e.Sensor, Session: e.Session, Attacker: AttackerKey(e),
		Count: 1, EventIDs: []string{e.ID}, DedupeKey: key,
		Evidence: []honeyguide.Evidence{{EventID: e.ID, Time: e.Time, Text: clip(text, maxText)}},
	}
	a.Personal = e.Str(honeyguide.AttrPersonal)
	for _, o := range e.Observables {
		a.Observed = Observe(a.Observed, o)
	}
	if list := e.Enrichments(); len(list) > 0 {
		a.Enrichments = list[:min(len(list), honeyguide.MaxEnrichments)]
	}
	a.ID = honeyguide.DerivedID(e.Time, "alert", detector, key, e.ID)
	return a
}

// Observe adds o to a list once, up to a bound.
func Observe(list []honeyguide.Observable, o honeyguide.Observable) []honeyguide.Observable {
	if o.Value == "" || len(list) >= maxObserved || slices.Contains(list, o) {
		return list
	}
	return append(list, o)
}

// Merge adds the newer claim b into a: counts add up, times widen, severity
// and score are the higher with the reasons of the higher score, lists are
// united within their bounds. Identity, title and place stay a's, except that
// a more severe claim brings its title.
func Merge(a, b *honeyguide.Alert) {
	if b.Severity > a.Severity {
		a.Severity, a.Title = b.Severity, b.Title
	}
	if b.Score > a.Score {
		a.Score, a.Reasons, a.Seen = b.Score, b.Reasons, b.Seen
	}
	a.Count += b.Count
	a.Proven = a.Proven || b.Proven
	a.Time = earliest(a.Time, b.Time)
	if b.LastAt.After(a.LastAt) {
		a.LastAt = b.LastAt
	}
	for _, id := range b.EventIDs {
		if len(a.EventIDs) < honeyguide.MaxEvidence && !slices.Contains(a.EventIDs, id) {
			a.EventIDs = append(a.EventIDs, id)
		}
	}
	for _, ev := range b.Evidence {
		known := slices.ContainsFunc(a.Evidence, func(x honeyguide.Evidence) bool { return x.EventID == ev.EventID && x.Text == ev.Text })
		if len(a.Evidence) < honeyguide.MaxEvidence && !known {
			a.Evidence = append(a.Evidence, ev)
		}
	}
	for _, t := range b.Attacks {
		a.Attacks = UniteAttacks(a.Attacks, t)
	}
	for _, o := range b.Observed {
		a.Observed = Observe(a.Observed, o)
	}
	a.Personal = personal.Most(a.Personal, b.Personal)
	for _, x := range b.Enrichments {
		a.Enrichments = honeyguide.AddEnrichment(a.Enrichments, x)
	}
	if a.Session == "" {
		a.Session = b.Session
	}
}

// UniteAttacks adds t to a list of techniques unless its id is there.
func UniteAttacks(list []honeyguide.Technique, t honeyguide.Technique) []honeyguide.Technique {
	if slices.ContainsFunc(list, func(x honeyguide.Technique) bool { return x.ID == t.ID }) {
		return list
	}
	return append(list, t)
}

func earliest(a, b time.Time) time.Time {
	if a.IsZero() || !b.IsZero() && b.Before(a) {
		return b
	}
	return a
}

// A Merger gathers alerts by their dedupe key in the order they first came.
// The zero Merger is ready.
type Merger struct {
	at     map[string]int
	alerts []honeyguide.Alert
}

// Grow makes room for n alerts.
func (m *Merger) Grow(n int) {
	m.alerts = slices.Grow(m.alerts, n)
}

// Add merges a into what was gathered.
func (m *Merger) Add(a honeyguide.Alert) {
	if i, ok := m.at[a.DedupeKey]; ok {
		Merge(&m.alerts[i], &a)
		return
	}
	if m.at == nil {
		m.at = map[string]int{}
	}
	m.at[a.DedupeKey] = len(m.alerts)
	m.alerts = append(m.alerts, a)
}

// Score returns the score of what was gathered under a key, -1 when nothing was.
func (m *Merger) Score(key string) float64 {
	if i, ok := m.at[key]; ok {
		return m.alerts[i].Score
	}
	return -1
}

// Alerts returns what was gathered.
func (m *Merger) Alerts() []honeyguide.Alert { return m.alerts }
