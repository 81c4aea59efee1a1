package honeyguide

import "time"

// What people ask of the part that acts. They stand among the words so that the
// door that takes them and the engine that carries them out need not know each
// other.

// A StartRequest asks for a run of a playbook.
type StartRequest struct {
	Playbook string            // id
	Incident string            // ID or short form, "" for a playbook about none
	Vars     map[string]string // what the playbook asks for
	Mode     Mode              // "" = what the playbook or the configuration says
	By       string            // who asks: the name of a key
	Role     string            // scope of that key
	Reason   string
}

// A BlockRequest asks to block one address or prefix by hand.
type BlockRequest struct {
	Target        string        // canonical address or prefix
	TTL           time.Duration // how long it holds
	Reason        string
	By            string        // who asks: the name of a key
	Role          string        // scope of that key
	Incident      string        // ID or short form, "" for none
	ConfirmWithin time.Duration // undone unless somebody confirms it within this time; 0 = needs none
}

// A HaltState says whether the stop switch is on: while it is, nothing is
// applied. What holds goes on holding, ends at its time, and can be undone.
type HaltState struct {
	On  bool      `json:"on"`
	By  string    `json:"by,omitempty"`  // who turned it last
	Why string    `json:"why,omitempty"` // in their words
	At  time.Time `json:"at,omitzero"`
}

// An Allowed is an address or a prefix that is never blocked: an entry of the
// allowlist that people keep. Those of the configuration are not among them.
type Allowed struct {
	Address   string    `json:"address"` // canonical address or prefix, its name
	Reason    string    `json:"reason"`
	Owner     string    `json:"owner"`      // who answers for it
	CreatedBy string    `json:"created_by"` // name of the key
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"` // zero: it stays until it is removed
}

// Holds reports whether the entry counts at a time.
func (a *Allowed) Holds(now time.Time) bool {
	return a.ExpiresAt.IsZero() || now.Before(a.ExpiresAt)
}
