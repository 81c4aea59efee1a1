package honeyguide

import "time"

// IncidentStatus is an OCSF incident status.
type IncidentStatus string

// Incident statuses. The status follows from the phase, except on_hold.
const (
	IncidentNew        IncidentStatus = "new"
	IncidentInProgress IncidentStatus = "in_progress"
	IncidentOnHold     IncidentStatus = "on_hold"
	IncidentResolved   IncidentStatus = "resolved"
	IncidentClosed     IncidentStatus = "closed"
)

// A Phase is how far the handling of an incident has come: the steps of NIST
// SP 800-61 (detection and analysis; containment, eradication, recovery;
// post-incident) in the words an analyst moves it by.
type Phase string

// The phases, in their order. Handling may go back.
const (
	PhaseNew        Phase = "new"
	PhaseTriage     Phase = "triage"
	PhaseContained  Phase = "contained"
	PhaseEradicated Phase = "eradicated"
	PhaseRecovered  Phase = "recovered"
	PhaseClosed     Phase = "closed"
)

// Phases returns all phases in their order.
func Phases() []Phase {
	return []Phase{PhaseNew, PhaseTriage, PhaseContained, PhaseEradicated, PhaseRecovered, PhaseClosed}
}

// Status returns the OCSF status an incident of this phase has.
func (p Phase) Status() IncidentStatus {
	switch p {
	case PhaseTriage, PhaseContained, PhaseEradicated:
		return IncidentInProgress
	case PhaseRecovered:
		return IncidentResolved
	case PhaseClosed:
		return IncidentClosed
	}
	return IncidentNew
}

// An Incident is what an analyst works on: the alerts of one attacker or
// campaign (OCSF incident finding, 2005).
type Incident struct {
	ID         string         `json:"id"`
	Short      string         `json:"short"` // I-3
	Key        string         `json:"key"`   // what its alerts have in common: attacker:203.0.113.7, token:..., campaign:...
	Title      string         `json:"title"`
	Severity   Severity       `json:"severity"`
	Status     IncidentStatus `json:"status"`
	Phase      Phase          `json:"phase"`
	Score      float64        `json:"score"`
	Owner      string         `json:"owner,omitempty"` // who handles it
	CreatedAt  time.Time      `json:"created_at"`
	UpdatedAt  time.Time      `json:"updated_at"`
	FirstAt    time.Time      `json:"first_at"` // first event behind it
	LastAt     time.Time      `json:"last_at"`
	DueAt      time.Time      `json:"due_at"` // respond by, from the severity's clock
	Attackers  []string       `json:"attackers"`
	Sessions   []string       `json:"sessions"`
	Attacks    []Technique    `json:"attacks"`
	AlertCount int64          `json:"alert_count"`
	EventCount int64          `json:"event_count"`
	Plans      []Plan         `json:"plans"` // what playbooks would do or did
	Tasks      []Task         `json:"tasks,omitempty"`
	Verdict    Verdict        `json:"verdict,omitzero"`
	Clock      Clock          `json:"clock"`

	// Joined is the ID of the incident that took its alerts, "" while it has its own.
	Joined string `json:"joined,omitempty"`

	// Proven are those of its attackers who completed a handshake with one of
	// our decoys or authenticated themselves to a system that tells us: their
	// addresses are their own, so that they may be blocked.
	Proven []string `json:"proven,omitempty"`
}

// A Clock is the times of an incident that key figures are made of. A time that
// has not come is zero; reopening keeps the first ones and counts Reopened.
type Clock struct {
	AcknowledgedAt time.Time `json:"acknowledged_at,omitzero"` // owner set or first change by a person
	TriagedAt      time.Time `json:"triaged_at,omitzero"`      // first change of phase by a person or a playbook
	QualifiedAt    time.Time `json:"qualified_at,omitzero"`    // first verdict
	ContainedAt    time.Time `json:"contained_at,omitzero"`    // first containment that was verified, or said so by a person
	EradicatedAt   time.Time `json:"eradicated_at,omitzero"`
	RecoveredAt    time.Time `json:"recovered_at,omitzero"`
	ClosedAt       time.Time `json:"closed_at,omitzero"`
	HeldSince      time.Time `json:"held_since,omitzero"` // on hold since
	HeldMS         int64     `json:"held_ms,omitempty"`   // on hold before that
	Reopened       int       `json:"reopened,omitempty"`
	WarnedAt       time.Time `json:"warned_at,omitzero"`   // escalated because the due time was near
	BreachedAt     time.Time `json:"breached_at,omitzero"` // escalated because the due time was over
}

// A Task is one thing to do for an incident.
type Task struct {
	ID        string    `json:"id"` // T-1, within the incident
	Title     string    `json:"title"`
	Owner     string    `json:"owner,omitempty"`
	By        string    `json:"by"` // who asked for it
	CreatedAt time.Time `json:"created_at"`
	DueAt     time.Time `json:"due_at,omitzero"`
	DoneAt    time.Time `json:"done_at,omitzero"`
	DoneBy    string    `json:"done_by,omitempty"`
}

// MaxTasks bounds the tasks of one incident.
const MaxTasks = 100

// A TimelineEntry is one line of what happened in an incident, to it or because
// of it.
type TimelineEntry struct {
	ID       string    `json:"id"`
	Incident string    `json:"incident"` // ID
	At       time.Time `json:"at"`       // when it happened
	SeenAt   time.Time `json:"seen_at"`  // when it became known here
	Kind     string    `json:"kind"`     // see the Entry constants
	By       string    `json:"by"`       // a person, a playbook, or what detected it
	Text     string    `json:"text"`     // attacker bytes may be inside: show through safetext only
	Ref      string    `json:"ref,omitempty"`
}

// Kinds of timeline entries.
const (
	EntryAlert      = "alert"      // Ref: the alert
	EntryPhase      = "phase"      // a change of phase or of the hold
	EntryOwner      = "owner"      // a change of the owner
	EntryVerdict    = "verdict"    // Ref: the verdict's word
	EntryComment    = "comment"    // what a person wrote
	EntryTask       = "task"       // Ref: the task
	EntryRun        = "run"        // Ref: the run
	EntryAct        = "act"        // Ref: the plan
	EntryEscalation = "escalation" // the clock
	EntryMerge      = "merge"      // Ref: the other incident
	EntryEvidence   = "evidence"   // Ref: the snapshot
	EntryToken      = "token"      // a honeytoken was read or came back; Ref: the token
	EntrySession    = "session"    // a connection began; Ref: the session
)
