package honeyguide

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"time"
)

// A CustodyStep is one link of the chain of custody of an incident's evidence:
// who did what with it, when and why. Each step carries the hash of the one
// before it, so that none can be changed, left out or put between others.
type CustodyStep struct {
	Incident string    `json:"incident"` // short form of the incident; for imported evidence bundle:<id>
	N        int64     `json:"n"`        // from 1, without gaps
	At       time.Time `json:"at"`
	Act      string    `json:"act"` // see the Custody constants
	By       string    `json:"by"`
	Kind     string    `json:"kind"` // of who did it: user, key, local, system
	Reason   string    `json:"reason,omitempty"`
	Detail   string    `json:"detail,omitempty"` // in our words: the form it was handed out in, why it was refused
	Bundle   string    `json:"bundle,omitempty"` // id of the bundle it is about
	Audit    int64     `json:"audit"`            // seq of its entry in the audit log; -1 when it is not known
	Prev     string    `json:"prev"`             // hash of the step before, "" for the first
	Hash     string    `json:"hash"`             // SHA-256, in hex, of this step written with an empty hash
}

// Sum returns the hash a step has: SHA-256, in hex, of its JSON with hash "".
func (s CustodyStep) Sum() string {
	s.Hash = ""
	text, _ := json.Marshal(s) // strings, numbers and times of years 1 to 9999 can be written
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}

// Follows says what is wrong with a step that stands behind another, and in which
// field; "" when nothing is. Before the first stands the zero step.
func (s CustodyStep) Follows(before *CustodyStep) (field, why string) {
	switch {
	case s.N != before.N+1:
		return "n", "a step is missing before it, or it was moved"
	case s.Prev != before.Hash:
		return "prev", "it does not follow from the step before"
	case s.Hash != s.Sum():
		return "hash", "the step was changed"
	}
	return "", ""
}

// What is done with evidence.
const (
	CustodyCollected = "collected"     // a bundle was made
	CustodyExported  = "exported"      // a bundle was handed out
	CustodyViewed    = "viewed"        // its content was looked at here
	CustodyVerified  = "verified"      // it was checked
	CustodyImported  = "imported"      // it came from another deployment
	CustodyHeld      = "hold_placed"   // a legal hold keeps it
	CustodyReleased  = "hold_released" // and does not any more
)

// A Bundle is evidence of an incident in one archive that is checked anywhere
// without us: made here, or imported from another deployment.
type Bundle struct {
	ID         string      `json:"id"`
	Short      string      `json:"short"`    // E-3
	Manifest   string      `json:"manifest"` // SHA-256 of its manifest, in hex, by which it is known everywhere; "" while it is collected
	Incident   string      `json:"incident"` // short form, as the deployment that made it calls it
	Title      string      `json:"title"`
	Node       string      `json:"node"` // that made it
	Imported   bool        `json:"imported,omitempty"`
	State      BundleState `json:"state"`
	At         time.Time   `json:"at"` // when it was made, or imported
	By         string      `json:"by"`
	Reason     string      `json:"reason,omitempty"`
	Size       int64       `json:"size"`   // bytes of the archive
	SHA256     string      `json:"sha256"` // of the archive
	Objects    int         `json:"objects"`
	Audit      int64       `json:"audit"` // seq of the entry in the audit log of who made it
	Sealed     bool        `json:"sealed,omitempty"`
	Recipients []string    `json:"recipients"` // age recipients the samples in it are encrypted to
	Done       int64       `json:"done"`       // bytes of objects gathered so far
	Error      string      `json:"error,omitempty"`
}

// BundleState is how far a bundle has come.
type BundleState string

// The states of a bundle.
const (
	BundleCollecting BundleState = "collecting"
	BundleReady      BundleState = "ready"
	BundleFailed     BundleState = "failed"
)
