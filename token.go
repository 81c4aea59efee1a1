package honeyguide

import "time"

// A Honeytoken is one bait in one place. The planted string itself is derived
// from a secret and stored nowhere in clear: Fingerprint and Last4 are what
// may be shown.
type Honeytoken struct {
	ID          string    `json:"id"`    // 26 characters of lower-case base32hex, DNS-label safe
	Short       string    `json:"short"` // HT-1
	Kind        string    `json:"kind"`  // aws_key, db_url, password, ...
	Style       string    `json:"style"` // provable or marked
	Proof       string    `json:"proof"` // why it cannot be real
	Persona     string    `json:"persona"`
	Path        string    `json:"path"`                   // where it is planted
	OpensSensor string    `json:"opens_sensor,omitempty"` // the decoy its credential opens
	User        string    `json:"user,omitempty"`
	Fingerprint string    `json:"fingerprint"` // SHA-256 of the planted string, first 16 hex digits
	Last4       string    `json:"last4"`
	CreatedAt   time.Time `json:"created_at"`
	Exposures   int64     `json:"exposures"`
	Uses        int64     `json:"uses"`
	ExposedAt   time.Time `json:"exposed_at,omitzero"` // last time
	UsedAt      time.Time `json:"used_at,omitzero"`
}

// An Exposure says who read a honeytoken, when and by what.
type Exposure struct {
	Token   string    `json:"token"`
	EventID string    `json:"event_id"`
	Time    time.Time `json:"time"`
	Src     Endpoint  `json:"src"`
	Session string    `json:"session"`
	By      string    `json:"by"` // command line or path; attacker bytes
}
