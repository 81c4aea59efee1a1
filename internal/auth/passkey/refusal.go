package passkey

import "fmt"

// A Reason says why a key was refused. It is stable and may be shown.
type Reason string

// The reasons.
const (
	Malformed   Reason = "malformed"   // what the browser sent cannot be read
	Stale       Reason = "stale"       // the challenge is unknown, used, or older than five minutes
	WrongOrigin Reason = "origin"      // it was made on another site
	WrongPlace  Reason = "place"       // it was made for another site
	WrongUser   Reason = "user"        // it belongs to a ceremony of somebody else
	Unknown     Reason = "unknown_key" // nobody here has this key
	Known       Reason = "known_key"   // the user has this key already
	Absent      Reason = "absent"      // nobody touched the device
	Unverified  Reason = "unverified"  // the device did not ask for a finger, a face or a PIN
	Unsigned    Reason = "signature"   // the signature, or what it is over, is not right
	Copied      Reason = "copied"      // the counter went back: there is a second copy of the key
)

// A Refusal is why a key was not accepted.
type Refusal struct {
	Reason Reason
	Key    []byte // id of the key, of Copied only
	Err    error  // for the log
}

func refuse(why Reason, err error) error { return &Refusal{Reason: why, Err: err} }

// Error returns the reason and the cause.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return "passkey refused: " + string(r.Reason)
	}
	return fmt.Sprintf("passkey refused: %s: %v", r.Reason, r.Err)
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }
