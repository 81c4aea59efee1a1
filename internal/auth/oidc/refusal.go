package oidc

import (
	"errors"
	"fmt"

	"honeyguide/internal/safetext"
)

// A Problem says why somebody did not get in, in a word that may stand in an
// address: /login?problem=oidc_state. It is stable.
type Problem string

// The problems.
const (
	State    Problem = "oidc_state"    // the sign-in was not begun in this browser, is too old, or was finished already
	Denied   Problem = "oidc_denied"   // the provider says no
	Down     Problem = "oidc_down"     // the provider does not answer, or not as one does
	Impostor Problem = "oidc_impostor" // what came back is not from this provider for us now
	NoRole   Problem = "oidc_role"     // the provider knows them, but no group of theirs may come in
	Domain   Problem = "oidc_domain"   // their address is of another domain, or not verified
)

// A Refusal is why a sign-in failed.
type Refusal struct {
	Problem Problem
	Reason  string // for the log, harmless: what exactly was wrong
	Err     error
}

func refuse(p Problem, reason string, err error) error {
	return &Refusal{Problem: p, Reason: reason, Err: err}
}

// Error returns the reason and the cause. What a provider wrote is made harmless.
func (r *Refusal) Error() string {
	if r.Err == nil {
		return fmt.Sprintf("%s: %s", r.Problem, r.Reason)
	}
	return fmt.Sprintf("%s: %s: %s", r.Problem, r.Reason, safetext.TermN(r.Err.Error(), 300))
}

// Unwrap returns the cause.
func (r *Refusal) Unwrap() error { return r.Err }

// ProblemOf returns the problem of an error, Down for any other.
func ProblemOf(err error) Problem {
	if r, ok := errors.AsType[*Refusal](err); ok {
		return r.Problem
	}
	return Down
}
