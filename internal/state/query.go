package state

import (
	"time"

	"honeyguide"
)

// Page sizes.
const (
	DefaultLimit = 100
	MaxLimit     = 1000
)

// Page is one page of a list.
type Page struct {
	After string // the cursor the page before gave; "" = from the start
	Limit int    // rows; 0 = DefaultLimit, cut to MaxLimit
	// Since asks for the order of changes instead: what was written at or after it,
	// oldest change first, each row once at its newest change. There is always a
	// next cursor then, from which to go on when more has changed; a page read with
	// such a cursor is of the same order whatever Since is. Alerts, incidents,
	// sessions, runs, plans, notices and suppressions know this order.
	Since time.Time
	Count *Total // where to say how many rows all pages have; nil: not asked
}

// A Total is how many rows a list has over all its pages.
type Total struct {
	Known  bool
	Rows   int64
	Capped bool // there are more
}

// MaxCounted is how many rows are counted at most.
const MaxCounted = 10_000

// Rows returns the number of rows the page may have.
func (p Page) Rows() int {
	switch {
	case p.Limit <= 0:
		return DefaultLimit
	case p.Limit > MaxLimit:
		return MaxLimit
	}
	return p.Limit
}

// AlertQuery selects alerts; an empty field selects all.
type AlertQuery struct {
	Page
	Severity  honeyguide.Severity      // at least
	Status    []honeyguide.AlertStatus // one of
	Src       string                   // source address
	Technique string                   // ATT&CK id; T1110 finds T1110.001 too
	Rule      string                   // RuleID
	Detector  string
	Incident  string // ID
	Session   string
	Attacker  string
	Verdict   honeyguide.VerdictWord // none finds those without one
	Text      string                 // words of title, evidence and observables, see [Words]
	From, To  time.Time              // CreatedAt, from <= t < to

	Suppression string // ID of what hides them
	Shown       bool   // leave out what is suppressed

	NoReasons bool // Reasons need not be read: they are most of an alert, and long lists do not show them
}

// IncidentQuery selects incidents; an empty field selects all.
type IncidentQuery struct {
	Page
	Severity honeyguide.Severity         // at least
	Status   []honeyguide.IncidentStatus // one of
	Attacker string                      // one of its Attackers
	Text     string                      // words of title, key, attackers, techniques and plans, see [Words]
	From, To time.Time                   // CreatedAt, from <= t < to
}

// SessionQuery selects sessions; an empty field selects all.
type SessionQuery struct {
	Page
	Severity honeyguide.Severity // at least
	Service  string              // kind of the sensor
	Sensor   string
	Src      string    // source address
	User     string    // the login that succeeded
	Recorded bool      // only those with a recording
	Open     bool      // only those that have not ended
	Text     string    // words of addresses, user, client, sensor and tokens, see [Words]
	From, To time.Time // StartedAt, from <= t < to
}

// PlanQuery selects plans; an empty field selects all.
type PlanQuery struct {
	Page
	Action   string
	State    honeyguide.PlanState
	Incident string // ID
	Target   string
	Run      string // ID
	Playbook string
	InForce  bool // only those in mode apply whose effect holds or may hold
}

// DeadLetterQuery selects dead letters; an empty field selects all.
type DeadLetterQuery struct {
	Page
	Source string
}

// JobQuery selects jobs; an empty field selects all.
type JobQuery struct {
	Page
	Kind string
	Dead bool // only those with no attempts left
}
