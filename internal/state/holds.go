package state

import (
	"context"

	"honeyguide"
)

// Holds are what must stay whatever its age. What a hold keeps follows from its
// object each time it is asked: the alerts, sessions, samples and days of an
// incident that grows are kept as it grows.
type Holds interface {
	// Save stores h under its ID; a new one gets the next Short "H-<n>". Object, At
	// and By of a stored one stay. CodeInvalid without an object and a reason;
	// CodeConflict when there are [MaxHolds] in force already.
	Save(ctx context.Context, h *honeyguide.Hold) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Hold, error)
	// List returns the holds, newest first, at most [MaxHolds]; active: only those in force.
	List(ctx context.Context, active bool) ([]honeyguide.Hold, error)
	// On returns the hold that keeps an object, if one does.
	On(ctx context.Context, kind HeldKind, name string) (h honeyguide.Hold, held bool, err error)
	// Days returns the days (UTC, as 2006-01-02) whose events are kept, and by what.
	Days(ctx context.Context) (map[string]honeyguide.Hold, error)
}

// MaxHolds bounds the holds in force.
const MaxHolds = 1000

// MaxHeldDays bounds the days that [Holds.Days] returns for one object.
const MaxHeldDays = 10_000

// A HeldKind is a kind of object that a hold may keep.
type HeldKind string

// What a hold may keep.
const (
	HeldIncident HeldKind = "incident" // by ID
	HeldAlert    HeldKind = "alert"    // by ID
	HeldSession  HeldKind = "session"  // by ID; its recording with it
	HeldSample   HeldKind = "sample"   // by SHA-256
	HeldAddress  HeldKind = "address"  // an attacker's
)

// Custody is what was done with the evidence of incidents.
type Custody interface {
	// Add appends a step to the chain of its Incident, which must not be empty: it
	// gives it its N, Prev and Hash.
	Add(ctx context.Context, s *honeyguide.CustodyStep) error
	// List returns a chain, oldest first, from the step after a number: at most [MaxLimit].
	List(ctx context.Context, incident string, after int64) ([]honeyguide.CustodyStep, error)
}

// Bundles are the archives of evidence there are.
type Bundles interface {
	// Save stores the full value under its ID, which must not be empty. A new one
	// gets the next Short "E-<n>"; Short and At of a stored one stay. CodeConflict
	// when another has its Manifest.
	Save(ctx context.Context, b *honeyguide.Bundle) error
	// Get takes an ID, a Short in any case, or 8 digits or more that only its
	// Manifest begins with. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Bundle, error)
	// List returns a page by At, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q BundleQuery) ([]honeyguide.Bundle, string, error)
}

// BundleQuery selects bundles; an empty field selects all.
type BundleQuery struct {
	Page
	Incident string // short form
	Imported bool   // only those from elsewhere
}

// TidyHold brings a hold within the bounds of the store.
func TidyHold(h *honeyguide.Hold) {
	keys(&h.ID, &h.Object, &h.By, &h.ReleasedBy)
	times(&h.At, &h.Until, &h.Released)
	h.Reason, h.ReleaseWhy = Clip(Column(h.Reason), MaxLine), Clip(Column(h.ReleaseWhy), MaxLine)
}

// TidyStep brings a step within the bounds of the store.
func TidyStep(s *honeyguide.CustodyStep) {
	keys(&s.Incident, &s.Act, &s.By, &s.Kind, &s.Bundle)
	times(&s.At)
	s.Reason, s.Detail = Clip(Column(s.Reason), MaxLine), Clip(Column(s.Detail), MaxLine)
}

// TidyBundle brings a bundle within the bounds of the store.
func TidyBundle(b *honeyguide.Bundle) {
	keys(&b.ID, &b.Incident, &b.Node, &b.By, &b.SHA256)
	times(&b.At)
	b.Title, b.Reason, b.Error = Clip(Column(b.Title), MaxTitle), Clip(Column(b.Reason), MaxLine), Clip(Column(b.Error), MaxLine)
	b.Recipients = newest(b.Recipients)
	for i := range b.Recipients {
		b.Recipients[i] = Key(b.Recipients[i])
	}
}
