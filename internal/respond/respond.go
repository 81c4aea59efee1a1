// Package respond plans what is done about an attacker. An action is a kind
// below this folder. This version plans only: a plan says what would change,
// and nothing changes. The [Guard] stands before every plan: what it protects
// is never a target, whatever a playbook says.
package respond

import (
	"context"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
)

// MaxTTL is the longest a block may last. Blocks always end.
const MaxTTL = 30 * 24 * time.Hour

// A Request asks for one plan.
type Request struct {
	Incident *honeyguide.Incident
	Playbook string // id
	Step     string // name
	Target   string // what to act on, as the action understands it
	Params   map[string]string
	Mode     string // dry_run
	Reason   string // why this playbook applies
	Now      time.Time
}

// An Action plans one kind of response.
type Action interface {
	// Plan returns what would be done, with state planned, or refused with the
	// guard's reason. An error means that the request makes no sense.
	Plan(ctx context.Context, r Request) (honeyguide.Plan, error)
}

// An Applier can also do what it planned. No kind of this version does.
type Applier interface {
	Apply(ctx context.Context, p honeyguide.Plan) (Receipt, error)
}

// A Reverter can also undo what was applied. No kind of this version does.
type Reverter interface {
	Revert(ctx context.Context, r Receipt) error
}

// A Receipt is what undoing needs.
type Receipt struct {
	Plan  string // id
	Undo  []byte
	Taken time.Time
}

// Deps is what the host lends to every kind.
type Deps struct {
	Log   *slog.Logger
	Guard *Guard
}

// Set is the list of kinds of actions.
type Set = kind.Set[Deps, Action]

// PlanID returns the id of the plan a request gives: an incident has one plan
// for an action on a target, whichever playbook asks for it. The longer lasting
// one stands.
func PlanID(r *Request, action, target string) string {
	return honeyguide.DerivedID(r.Incident.CreatedAt, "plan", r.Incident.ID, action, target)
}

// Stronger reports whether plan a should stand instead of b, a plan of the same
// id: it acts where b was refused, or its effect lasts longer.
func Stronger(a, b *honeyguide.Plan) bool {
	if a.State != b.State {
		return a.State == honeyguide.PlanPlanned
	}
	return a.ExpiresAt.Sub(a.CreatedAt) > b.ExpiresAt.Sub(b.CreatedAt)
}
