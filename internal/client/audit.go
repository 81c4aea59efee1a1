package client

import (
	"encoding/json"
	"time"

	"honeyguide"
)

// An AuditProof shows that an entry of the audit log is part of it.
type AuditProof struct {
	Entry honeyguide.AuditEntry `json:"entry"`
	Proof json.RawMessage       `json:"proof" doc:"what honeyguide audit verify --proof reads"`
}

// AuditCheckpoint is what the audit log signs for.
type AuditCheckpoint struct {
	Origin    string `json:"origin" doc:"name of the log and of its key"`
	Size      int64  `json:"size" doc:"entries"`
	Root      string `json:"root" doc:"base64"`
	Note      string `json:"note" doc:"the signed note, C2SP tlog-checkpoint"`
	PublicKey string `json:"public_key" doc:"verifies the note: name+hash+key"`
	Line      string `json:"line" doc:"the note as one line of text, as witnesses keep it"`
	Refused   string `json:"refused,omitempty" doc:"why nothing can be written now"`

	Witnesses []AuditWitness `json:"witnesses,omitempty" doc:"who keeps checkpoints elsewhere"`
}

// An AuditWitness keeps checkpoints where whoever changes the log cannot change them.
type AuditWitness struct {
	Name  string    `json:"name"`
	Size  int64     `json:"size" doc:"entries of the newest checkpoint it took since the start; 0 = none"`
	Kept  time.Time `json:"kept,omitzero" doc:"when it took it"`
	Tried time.Time `json:"tried,omitzero"`
	Error string    `json:"error,omitempty" doc:"why the last try failed; it is tried again"`
}

// AuditConsistency shows that an older state of the audit log is the beginning of the one of now.
type AuditConsistency struct {
	From       int64           `json:"from"`
	Hashes     []string        `json:"hashes" doc:"base64: RFC 6962, 2.1.2"`
	Checkpoint AuditCheckpoint `json:"checkpoint"`
}

// An AuditReport says what a verification of the audit log found.
type AuditReport struct {
	Origin    string   `json:"origin"`
	Size      int64    `json:"size" doc:"entries the checkpoint signs for"`
	Root      string   `json:"root" doc:"base64"`
	Checked   int64    `json:"checked" doc:"entries whose hashes were made from what is stored"`
	Dropped   int64    `json:"dropped" doc:"entries of which only the hash is left"`
	Tail      int64    `json:"tail" doc:"bytes behind the last entry the checkpoint signs for"`
	Erased    int64    `json:"erased" doc:"entries whose personal part was removed on request, as other entries say"`
	Witnessed int      `json:"witnessed" doc:"checkpoints kept elsewhere that agree"`
	Altered   int      `json:"altered" doc:"checkpoints kept elsewhere that are not as they were written: changed, or cut short"`
	Faults    []string `json:"faults" doc:"what is wrong, in words; empty when nothing is"`
	Caches    []string `json:"caches" doc:"files made from the entries that do not fit them; they are made anew at the next start"`
	Pending   []string `json:"pending" doc:"removals that were recorded and did not come to an end; the next start ends them"`
}

// AuditCheck is a verification of the audit log under way, or the last one.
type AuditCheck struct {
	State  string       `json:"state" enum:"none,running,sound,damaged,failed" doc:"sound: every entry is as it was recorded"`
	Done   int64        `json:"done" doc:"entries verified"`
	Of     int64        `json:"of" doc:"entries to verify"`
	Began  time.Time    `json:"began,omitzero"`
	Ended  time.Time    `json:"ended,omitzero"`
	Report *AuditReport `json:"report,omitempty"`
	Error  string       `json:"error,omitempty"`
}

// AuditCheckOrder asks for a verification of the audit log.
type AuditCheckOrder struct {
	WaitMS  int64  `json:"wait_ms,omitempty" minimum:"0" maximum:"10000" doc:"how long to wait for its end before it is answered"`
	Witness string `json:"witness,omitempty" maxLength:"900000" doc:"text with checkpoints kept elsewhere: a witness's file, lines of a log, a mail"`
}
