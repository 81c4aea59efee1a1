package state

import (
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide"
)

// Bounds of what is stored. What exceeds them is cut, never refused.
const (
	MaxKey          = 256      // bytes of an id or a key
	MaxTitle        = 1 << 10  // bytes of a title
	MaxLine         = 4 << 10  // bytes of a line of evidence, a reason, a command
	MaxRaw          = 64 << 10 // bytes kept of a dead letter
	MaxMembers      = 500      // attackers, sessions, plans an incident names; the newest stay
	ListedExposures = 100      // exposures shown of a token
	KeptExposures   = 1000     // exposures and uses kept of a token; all are counted
)

// lastTime is the latest moment RFC 3339 can write.
var lastTime = time.Date(9999, 12, 31, 23, 59, 59, 999999000, time.UTC)

// Time brings a moment to what is stored: UTC, microseconds, years 1 to 9999.
func Time(t time.Time) time.Time {
	t = t.UTC()
	switch {
	case t.Year() < 1:
		return time.Time{}
	case t.After(lastTime):
		return lastTime
	}
	return t.Truncate(time.Microsecond)
}

// Column brings text to what every engine accepts in a text column: UTF-8, no NUL.
func Column(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.Map(func(r rune) rune { // bad bytes arrive as U+FFFD
		if r == 0 {
			return utf8.RuneError
		}
		return r
	}, s)
}

// Clip cuts text to at most n bytes, at the beginning of a character.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}

// Key brings an id or a key to at most MaxKey bytes of clean text. A longer one
// ends in a digest of the whole, so that different keys stay different.
func Key(s string) string {
	s = Column(s)
	if len(s) <= MaxKey {
		return s
	}
	sum := sha256.Sum256([]byte(s))
	return Clip(s, MaxKey-33) + "~" + hex.EncodeToString(sum[:16])
}

// Addr returns the address of an endpoint as it is stored and asked for, "" when
// it has none.
func Addr(e honeyguide.Endpoint) string {
	if !e.Addr.IsValid() {
		return ""
	}
	return e.Addr.Addr().Unmap().WithZone("").String()
}

// TidyAlert brings an alert within the bounds of the store.
func TidyAlert(a *honeyguide.Alert) {
	keys(&a.ID, &a.RuleID, &a.Detector, &a.DedupeKey, &a.Incident, &a.Session, &a.Attacker, &a.Sensor, &a.Category, &a.Suppression)
	times(&a.Time, &a.LastAt, &a.CreatedAt)
	a.Title = Clip(a.Title, MaxTitle)
	a.Severity = severity(a.Severity)
	a.Score = score(a.Score)
	a.Reasons = reasons(a.Reasons)
	a.Attacks = techniques(a.Attacks)
	endpoint(&a.Src)
	endpoint(&a.Dst)
	if a.LastAt.Before(a.Time) {
		a.LastAt = a.Time
	}
	a.EventIDs = union(nil, a.EventIDs, sameText)
	a.Evidence = union(nil, a.Evidence, sameEvidence)
	for i := range a.Evidence {
		e := &a.Evidence[i]
		e.Time, e.Text, e.EventID = Time(e.Time), Clip(e.Text, MaxLine), Key(e.EventID)
	}
	a.Seen, a.Personal = Key(a.Seen), Key(a.Personal)
	TidyVerdict(&a.Verdict)
	tidyHandled(&a.Handled)
	a.Observed = none(union(nil, a.Observed, sameObservable))
	for i := range a.Observed {
		a.Observed[i].Value = Clip(a.Observed[i].Value, MaxLine)
	}
	a.Enrichments = none(a.Enrichments[:min(len(a.Enrichments), honeyguide.MaxEnrichments):min(len(a.Enrichments), honeyguide.MaxEnrichments)])
	for i := range a.Enrichments {
		TidyEnrichment(&a.Enrichments[i])
	}
}

// Bounds of the raw values of an enrichment.
const maxData = 32

// TidyEnrichment brings an enrichment within the bounds of the store.
func TidyEnrichment(x *honeyguide.Enrichment) {
	keys(&x.Provider, &x.Type, &x.Verdict)
	times(&x.AsOf, &x.At, &x.Expires)
	x.Value, x.Match = Clip(Column(x.Value), MaxLine), Clip(Column(x.Match), MaxLine)
	x.Text = Clip(Column(x.Text), MaxTitle)
	x.Confidence = min(max(x.Confidence, 0), 100)
	data := x.Data
	x.Data = nil
	for i, k := range slices.Sorted(maps.Keys(data)) {
		if x.Data == nil {
			x.Data = make(map[string]string, len(data))
		}
		if i < maxData {
			x.Data[Key(k)] = Clip(Column(data[k]), MaxTitle)
		}
	}
}

// TidyIncident brings an incident within the bounds of the store.
func TidyIncident(i *honeyguide.Incident) {
	keys(&i.ID, &i.Key, &i.Joined)
	times(&i.CreatedAt, &i.UpdatedAt, &i.FirstAt, &i.LastAt, &i.DueAt)
	i.Title = Clip(i.Title, MaxTitle)
	i.Severity = severity(i.Severity)
	i.Score = score(i.Score)
	i.Attackers = newest(i.Attackers)
	i.Sessions = newest(i.Sessions)
	i.Attacks = techniques(i.Attacks)
	TidyVerdict(&i.Verdict)
	i.Plans = []honeyguide.Plan{} // they stand by themselves
	i.Proven = none(newest(i.Proven))
	i.Phase = honeyguide.Phase(Key(string(i.Phase)))
	i.Owner = Key(i.Owner)
	c := &i.Clock
	times(&c.AcknowledgedAt, &c.TriagedAt, &c.QualifiedAt, &c.ContainedAt, &c.EradicatedAt, &c.RecoveredAt, &c.ClosedAt, &c.HeldSince, &c.WarnedAt, &c.BreachedAt)
	i.Tasks = none(i.Tasks[:min(len(i.Tasks), honeyguide.MaxTasks):min(len(i.Tasks), honeyguide.MaxTasks)])
	for n := range i.Tasks {
		k := &i.Tasks[n]
		keys(&k.ID, &k.Owner, &k.By, &k.DoneBy)
		times(&k.CreatedAt, &k.DueAt, &k.DoneAt)
		k.Title = Clip(Column(k.Title), MaxTitle)
	}
}

// TidySession brings a session within the bounds of the store.
func TidySession(s *honeyguide.Session) {
	keys(&s.ID, &s.Sensor, &s.Service, &s.Recording)
	times(&s.StartedAt, &s.EndedAt, &s.LastAt)
	s.User, s.Client = Clip(s.User, MaxTitle), Clip(s.Client, MaxTitle)
	s.Severity = severity(s.Severity)
	endpoint(&s.Src)
	endpoint(&s.Dst)
	s.Tokens, s.Samples = none(newest(s.Tokens)), none(newest(s.Samples))
}

// TidyPlan brings a plan within the bounds of the store.
func TidyPlan(p *honeyguide.Plan) {
	keys(&p.ID, &p.Run, &p.Incident, &p.Playbook, &p.Step, &p.Action, &p.Target, &p.By, &p.EndedBy)
	times(&p.CreatedAt, &p.AppliedAt, &p.VerifiedAt, &p.ExpiresAt, &p.EndedAt)
	p.Effect, p.Reason = Clip(p.Effect, MaxLine), Clip(p.Reason, MaxLine)
	p.Error, p.Ref = Clip(Column(p.Error), MaxLine), Clip(Column(p.Ref), MaxTitle)
	p.Evidence = none(union(nil, p.Evidence, sameText))
	if len(p.Params) == 0 {
		p.Params = nil
	}
}

// TidyToken brings a honeytoken within the bounds of the store.
func TidyToken(t *honeyguide.Honeytoken) {
	keys(&t.ID, &t.Kind)
	times(&t.CreatedAt, &t.ExposedAt, &t.UsedAt)
}

// TidyExposure brings an exposure within the bounds of the store.
func TidyExposure(e *honeyguide.Exposure) {
	keys(&e.Token, &e.EventID, &e.Session)
	times(&e.Time)
	e.By = Clip(e.By, MaxLine)
	endpoint(&e.Src)
}

// TidyDeadLetter brings a dead letter within the bounds of the store.
func TidyDeadLetter(d *honeyguide.DeadLetter) {
	keys(&d.ID, &d.Source)
	times(&d.Time)
	d.Reason = Clip(d.Reason, MaxLine)
	d.Raw = none(d.Raw[:min(len(d.Raw), MaxRaw):min(len(d.Raw), MaxRaw)])
}

// none makes an empty list the nil one that omitempty leaves behind.
func none[T any](list []T) []T {
	if len(list) == 0 {
		return nil
	}
	return list
}

func keys(fields ...*string) {
	for _, f := range fields {
		*f = Key(*f)
	}
}

func times(fields ...*time.Time) {
	for _, f := range fields {
		*f = Time(*f)
	}
}

func severity(s honeyguide.Severity) honeyguide.Severity {
	if s > honeyguide.SeverityCritical {
		return honeyguide.SeverityUnknown
	}
	return s
}

// score keeps JSON possible: it has no NaN and no infinity.
func score(f float64) float64 {
	if math.IsNaN(f) || f < 0 {
		return 0
	}
	return min(f, 100)
}

func reasons(rs []honeyguide.Reason) []honeyguide.Reason {
	out := make([]honeyguide.Reason, 0, len(rs))
	for _, r := range rs {
		if math.IsNaN(r.Weight) || math.IsInf(r.Weight, 0) {
			r.Weight = 0
		}
		r.Text = Clip(r.Text, MaxLine)
		out = append(out, r)
	}
	return out[:min(len(out), honeyguide.MaxEvidence)]
}

func techniques(ts []honeyguide.Technique) []honeyguide.Technique {
	out := union(nil, ts, sameTechnique)
	for i := range out {
		out[i].ID, out[i].Why = Key(out[i].ID), Clip(out[i].Why, MaxLine)
	}
	return out
}

func endpoint(e *honeyguide.Endpoint) {
	if !e.Addr.IsValid() { // a port without an address cannot be written
		*e = honeyguide.Endpoint{Hostname: e.Hostname, Country: e.Country, ASN: e.ASN, ASOrg: e.ASOrg}
	} else if a := e.Addr.Addr(); a.Is4In6() || a.Zone() != "" {
		e.Addr = netip.AddrPortFrom(a.Unmap().WithZone(""), e.Addr.Port())
	}
	e.Hostname = Clip(e.Hostname, MaxTitle)
}

// newest returns a copy of the last MaxMembers members.
func newest[T any](list []T) []T {
	return append(make([]T, 0, min(len(list), MaxMembers)), list[max(0, len(list)-MaxMembers):]...)
}
