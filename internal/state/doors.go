package state

import (
	"context"
	"time"

	"honeyguide"
)

// Allowlist is what people keep from being blocked.
type Allowlist interface {
	// Save stores the full value a under its Address, which must not be empty. A new
	// one gets CreatedAt when it has none; CreatedAt and CreatedBy of a stored one
	// stay. CodeConflict when there are [MaxAllowed] already.
	Save(ctx context.Context, a *honeyguide.Allowed) error
	Get(ctx context.Context, address string) (honeyguide.Allowed, error) // CodeNotFound
	Remove(ctx context.Context, address string) error                    // CodeNotFound
	// All returns the entries, also those whose time is over, oldest first.
	All(ctx context.Context) ([]honeyguide.Allowed, error)
}

// MaxAllowed bounds the allowlist: it is asked before each plan.
const MaxAllowed = 5000

// Replies are the answers to requests that act, kept so that the same request
// sent again gets the first answer and acts once.
type Replies interface {
	// Begin stores r as begun when nothing is stored under its ID. Otherwise it
	// returns false and r holds what is stored.
	Begin(ctx context.Context, r *Reply) (begun bool, err error)
	// Finish stores the answer to what was begun under r's ID. CodeNotFound.
	Finish(ctx context.Context, r *Reply) error
	// Remove forgets a reply; one that is not there is no error.
	Remove(ctx context.Context, id string) error
	// Trim forgets what began before a time, and the oldest of what is more than keep.
	Trim(ctx context.Context, before time.Time, keep int) error
}

// A Reply is the answer to one request.
type Reply struct {
	ID      string    `json:"id"`      // who asked, and the name they gave the request, hashed
	Request string    `json:"request"` // what was asked, hashed
	At      time.Time `json:"at"`
	Status  int       `json:"status,omitempty"` // 0: begun, and nobody knows how it ended
	Body    []byte    `json:"body,omitempty"`
}

// TidyAllowed brings an entry of the allowlist within the bounds of the store.
func TidyAllowed(a *honeyguide.Allowed) {
	keys(&a.Address, &a.Owner, &a.CreatedBy)
	times(&a.CreatedAt, &a.ExpiresAt)
	a.Reason = Clip(Column(a.Reason), MaxLine)
}
