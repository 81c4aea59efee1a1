package honeyguide

import "time"

// A Reason is one named contribution to a score. The score of an alert is the
// sum of its reasons, clamped to 0..100.
type Reason struct {
	Feature string  `json:"feature"` // stable name, e.g. "token_used"
	Weight  float64 `json:"weight"`  // points, may be negative
	Text    string  `json:"text"`    // one sentence an analyst can check
}

// AlertStatus is where an alert stands in triage.
type AlertStatus string

// Alert statuses.
const (
	AlertNew          AlertStatus = "new"
	AlertAcknowledged AlertStatus = "acknowledged"
	AlertEscalated    AlertStatus = "escalated"
	AlertSuppressed   AlertStatus = "suppressed"
	AlertClosed       AlertStatus = "closed"
)

// An Alert is an OCSF detection finding (2004): a detector's claim about some
// events.
type Alert struct {
	ID        string       `json:"id"`
	Short     string       `json:"short"`      // what humans see and type: A-12
	Time      time.Time    `json:"time"`       // of the first event behind it
	LastAt    time.Time    `json:"last_at"`    // of the newest event behind it
	CreatedAt time.Time    `json:"created_at"` // when it was raised
	Detector  string       `json:"detector"`   // kind of the detector: behaviour, token, finding, violation
	RuleID    string       `json:"rule_id"`    // stable name of the rule: brute_force
	Title     string       `json:"title"`
	Severity  Severity     `json:"severity"`
	Status    AlertStatus  `json:"status"`
	Category  string       `json:"category"` // threat category, see Categories
	Score     float64      `json:"score"`    // 0..100, the clamped sum of Reasons
	Reasons   []Reason     `json:"reasons"`
	Attacks   []Technique  `json:"attacks"`
	Src       Endpoint     `json:"src"`
	Dst       Endpoint     `json:"dst"`
	Sensor    string       `json:"sensor,omitempty"`
	Session   string       `json:"session,omitempty"`
	Attacker  string       `json:"attacker,omitempty"` // key alerts are correlated by
	Proven    bool         `json:"proven,omitempty"`   // the attacker's address is its own, see [Event.Proven]
	Incident  string       `json:"incident,omitempty"`
	Count     int64        `json:"count"`     // events counted into it
	EventIDs  []string     `json:"event_ids"` // evidence, oldest first, at most MaxEvidence
	Evidence  []Evidence   `json:"evidence"`  // the telling values of those events
	DedupeKey string       `json:"dedupe_key"`
	Observed  []Observable `json:"observables,omitempty"`
	// Personal is what kinds of personal data stand in the captured text of its events,
	// the most of each in one of them: "email x2, iban x1". See [AttrPersonal].
	Personal string `json:"personal_data,omitempty"`
	// Suppression is the id of what hides it, when its status is suppressed.
	Suppression string  `json:"suppression,omitempty"`
	Seen        string  `json:"seen,omitempty"` // what triage saw when it gave the score, packed
	Verdict     Verdict `json:"verdict,omitzero"`
	Handled     Handled `json:"handled,omitzero"` // who gave it its status
	// Enrichments is what feeds said about the values of its events when they
	// came in. What services say later stands in the state under the value.
	Enrichments []Enrichment `json:"enrichments,omitempty"`
}

// Handled is who gave an alert its status, when and why. The zero value is nobody:
// it is as it was raised.
type Handled struct {
	By   string    `json:"by"`
	At   time.Time `json:"at"`
	Note string    `json:"note,omitempty"`
}

// MaxEvidence bounds the events an alert names.
const MaxEvidence = 50

// Evidence is one telling line of an alert: which event, when, what it said.
type Evidence struct {
	EventID string    `json:"event_id"`
	Time    time.Time `json:"time"`
	Text    string    `json:"text"` // attacker bytes inside: show through safetext only
}

// Threat categories: what alerts are counted as in metrics and reports.
const (
	CategoryFailedAuth   = "failed_auth_attempts"
	CategoryPrivilege    = "privilege_escalation"
	CategoryLateral      = "lateral_movement"
	CategoryExfiltration = "data_exfiltration"
	CategoryToken        = "honeytoken_triggered"
	CategoryContainer    = "container_anomalies" // sandbox violations
	CategoryRecon        = "reconnaissance"
	CategoryIntrusion    = "intrusion"
	CategoryMalware      = "malware"
	CategoryPersistence  = "persistence"
	CategoryEvasion      = "defense_evasion"
	CategoryExternal     = "external_finding"
	CategoryDecoyContact = "decoy_contact"
)
