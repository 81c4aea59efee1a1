package client

import "time"

// A NewHold asks for a legal hold.
type NewHold struct {
	Object string    `json:"object" maxLength:"160" doc:"incident:I-7, session:ID or attacker:ADDRESS"`
	Reason string    `json:"reason" maxLength:"1000" doc:"why it must be kept, such as the reference of an order"`
	Until  time.Time `json:"until,omitzero" doc:"when it ends by itself; absent: when somebody releases it"`
}

// An EvidenceOrder asks for the evidence of an incident.
type EvidenceOrder struct {
	Reason     string   `json:"reason,omitempty" maxLength:"1000" doc:"why it is collected; it stands in the archive and the audit log"`
	Recipients []string `json:"recipients,omitempty" maxItems:"20" nullable:"false" doc:"age recipients (age1...) the samples are encrypted to; none: they stay encrypted to the deployment's own key"`
	WaitMS     int64    `json:"wait_ms,omitempty" minimum:"0" maximum:"15000" doc:"how long to wait for its end before it is answered; ask for the bundle for how far it has come"`
}

// An EvidenceFault is one thing that is wrong with an archive of evidence.
type EvidenceFault struct {
	Object string `json:"object" doc:"path in the archive, with the name of the item behind it; empty for the archive as a whole"`
	Line   int    `json:"line,omitempty"`
	Field  string `json:"field,omitempty"`
	Why    string `json:"why"`
}

// An EvidenceReport says what a verification of an archive found.
type EvidenceReport struct {
	Sound     bool            `json:"sound" doc:"nothing was changed, removed, added or reordered"`
	Faults    []EvidenceFault `json:"faults"`
	Notes     []string        `json:"notes" doc:"what was not checked, and how it could be"`
	Manifest  string          `json:"manifest" doc:"SHA-256 of its manifest"`
	AuditKey  string          `json:"audit_key" doc:"of the deployment that made it"`
	Audit     int64           `json:"audit" doc:"entry of that deployment's audit log"`
	Objects   int             `json:"objects"`
	Size      int64           `json:"size"`
	SHA256    string          `json:"sha256"`
	KeyGiven  bool            `json:"key_given"`
	Witnessed bool            `json:"witnessed"`
}

// An EvidenceItem is one piece of evidence in an archive.
type EvidenceItem struct {
	Name    string `json:"name"`
	Kind    string `json:"kind" doc:"incident, list, sums, recording, sample, snapshot"`
	Type    string `json:"type" doc:"media type"`
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	Records int64  `json:"records,omitempty" doc:"lines of a list"`
	Of      string `json:"of,omitempty"`
}

// PasswordHeader is the header with the password of a hand-over. It is told once.
const PasswordHeader = "Honeyguide-Password"
