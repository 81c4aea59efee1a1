package honeyguide

import (
	"encoding/json"
	"net/netip"
	"time"
)

// An AuditEntry is one act of somebody, as the audit log keeps it: it is on the
// disk before the act takes effect.
type AuditEntry struct {
	Seq     int64           `json:"seq"` // from 0, without gaps
	Time    time.Time       `json:"time"`
	Actor   string          `json:"actor"`             // name of the principal; "playbook", "expiry" when nobody
	Kind    string          `json:"kind"`              // of the actor: user, key, local, playbook, system, nobody
	Session string          `json:"session,omitempty"` // of the login it came by
	Address netip.Addr      `json:"address,omitzero"`  // it came from
	Action  string          `json:"action"`            // stable name: login, decide-run, create-key
	Object  string          `json:"object,omitempty"`  // what it is about: run:R-7, user:zoe
	Outcome AuditOutcome    `json:"outcome"`
	Reason  string          `json:"reason,omitempty"` // what the actor gave
	Detail  string          `json:"detail,omitempty"` // why it was refused, in our words
	Request string          `json:"request,omitempty"`
	Before  json.RawMessage `json:"before,omitempty"` // secrets stand as keyed hashes
	After   json.RawMessage `json:"after,omitempty"`

	// ErasedBy is the number of the entry by which the personal part of this one
	// was removed on request: actor, session, address, object, reason, detail,
	// before and after are gone. 0 when nothing was removed.
	ErasedBy int64 `json:"erased_by,omitempty"`
}

// AuditOutcome is how far an act got when its entry was written.
type AuditOutcome string

// The outcomes of acts.
const (
	AuditAsked   AuditOutcome = "asked"   // about to happen; nothing later means it did
	AuditRefused AuditOutcome = "refused" // not allowed, or wrong credentials
	AuditFailed  AuditOutcome = "failed"  // was asked, and did not happen
)
