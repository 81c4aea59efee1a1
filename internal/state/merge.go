package state

import (
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/personal"
)

// OpenAlert reports whether new evidence still joins an alert of this status.
func OpenAlert(s honeyguide.AlertStatus) bool {
	return s == honeyguide.AlertNew || s == honeyguide.AlertAcknowledged || s == honeyguide.AlertEscalated
}

// OpenIncident reports whether an incident of this status still grows.
func OpenIncident(s honeyguide.IncidentStatus) bool {
	return s != honeyguide.IncidentResolved && s != honeyguide.IncidentClosed
}

// MergeAlert adds to an open alert what a newer one with the same DedupeKey says.
// Both are tidy. The old one keeps its ID, Short, CreatedAt, Status, verdict, rule,
// endpoints and incident, and takes from the new one what it lacks of these. It
// keeps its title, too, unless the new one is more severe: the worst claim names
// the alert. Counts add up; Time is the earlier, LastAt the later, Severity the higher; the
// higher Score stays with its Reasons. Event ids, evidence, techniques and
// observables are united, the old ones first, up to [honeyguide.MaxEvidence];
// of enrichments the newer of one provider and value stays.
func MergeAlert(old, add honeyguide.Alert) honeyguide.Alert {
	m := old
	m.Count = sum(old.Count, add.Count)
	m.Proven = old.Proven || add.Proven
	if !add.Time.IsZero() && (old.Time.IsZero() || add.Time.Before(old.Time)) {
		m.Time = add.Time
	}
	if add.LastAt.After(old.LastAt) {
		m.LastAt = add.LastAt
	}
	if add.Severity > old.Severity {
		m.Severity = add.Severity
		if add.Title != "" {
			m.Title = add.Title
		}
	}
	keepReputation(&old, &add)
	if add.Score > old.Score {
		m.Score, m.Reasons, m.Seen = add.Score, add.Reasons, add.Seen
	}
	m.EventIDs = union(old.EventIDs, add.EventIDs, sameText)
	m.Evidence = union(old.Evidence, add.Evidence, sameEvidence)
	m.Attacks = union(old.Attacks, add.Attacks, sameTechnique)
	m.Observed = none(union(old.Observed, add.Observed, sameObservable))
	m.Personal = personal.Most(old.Personal, add.Personal)
	for _, x := range add.Enrichments {
		m.Enrichments = honeyguide.AddEnrichment(m.Enrichments, x)
	}
	for _, f := range []struct {
		have *string
		more string
	}{
		{&m.Incident, add.Incident},
		{&m.Attacker, add.Attacker},
		{&m.Session, add.Session},
		{&m.Sensor, add.Sensor},
		{&m.Category, add.Category},
		{&m.Title, add.Title},
	} {
		if *f.have == "" {
			*f.have = f.more
		}
	}
	if m.Src == (honeyguide.Endpoint{}) {
		m.Src = add.Src
	}
	if m.Dst == (honeyguide.Endpoint{}) {
		m.Dst = add.Dst
	}
	return m
}

// ReputationFeature begins the features of the reasons that services gave after
// an alert was raised. A detector that claims the same again does not know them.
const ReputationFeature = "reputation_"

// keepReputation takes what services said about an alert over to a newer claim.
func keepReputation(old, add *honeyguide.Alert) {
	for _, r := range old.Reasons {
		if strings.HasPrefix(r.Feature, ReputationFeature) && !slices.ContainsFunc(add.Reasons, func(x honeyguide.Reason) bool { return x.Feature == r.Feature }) {
			add.Reasons = append(slices.Clone(add.Reasons), r)
			add.Score = score(add.Score + r.Weight)
		}
	}
}

// sum adds two counts without running over.
func sum(a, b int64) int64 {
	const most = int64(^uint64(0) >> 1)
	if b > 0 && a > most-b {
		return most
	}
	return a + b
}

// union returns the members of a, then those of b, each key once, at most
// [honeyguide.MaxEvidence]. a has been through union before or is empty.
func union[T any, K comparable](a, b []T, key func(T) K) []T {
	if len(a) >= honeyguide.MaxEvidence { // a hot alert is full most of its life
		return a[:honeyguide.MaxEvidence:honeyguide.MaxEvidence]
	}
	// Lists are short, so looking at every member is cheaper than a map of them.
	out := append(make([]T, 0, min(len(a)+len(b), honeyguide.MaxEvidence)), a...)
	for _, v := range b {
		if len(out) == honeyguide.MaxEvidence {
			break
		}
		k := key(v)
		if !slices.ContainsFunc(out, func(have T) bool { return key(have) == k }) {
			out = append(out, v)
		}
	}
	return out
}

func sameText(s string) string                         { return s }
func sameEvidence(e honeyguide.Evidence) [2]string     { return [2]string{e.EventID, e.Text} }
func sameTechnique(t honeyguide.Technique) string      { return t.ID }
func sameObservable(o honeyguide.Observable) [2]string { return [2]string{o.Type, o.Value} }
