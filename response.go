package honeyguide

import "time"

// A Plan says what an action would do, before it does it. It is what an
// approver sees.
type Plan struct {
	ID           string            `json:"id"`
	Incident     string            `json:"incident"`
	Playbook     string            `json:"playbook"`
	Step         string            `json:"step"`
	Action       string            `json:"action"` // block_ip, ...
	Target       string            `json:"target"` // address or other object, canonical
	Params       map[string]string `json:"params,omitempty"`
	Effect       string            `json:"effect"` // one sentence: what would change
	Mode         string            `json:"mode"`   // dry_run, apply
	State        PlanState         `json:"state"`
	Reason       string            `json:"reason"` // why planned, or why refused
	CreatedAt    time.Time         `json:"created_at"`
	ExpiresAt    time.Time         `json:"expires_at,omitzero"` // when the effect ends; blocks always end
	Irreversible bool              `json:"irreversible,omitempty"`
}

// PlanState is how far a plan has come.
type PlanState string

// Plan states. A refused plan was stopped by a guard: the allowlist or the
// never-block list beat it.
const (
	PlanPlanned PlanState = "planned"
	PlanRefused PlanState = "refused"
)

// A Block is the block_ip plan of one address as the blocks list shows it.
type Block struct {
	Address   string    `json:"address"` // canonical prefix or address
	State     PlanState `json:"state"`
	Mode      string    `json:"mode"`
	Incident  string    `json:"incident"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
}
