package state

import (
	"context"
	"time"

	"honeyguide"
)

// Acts are what people did to many alerts at once, kept for as long as it may be
// taken back.
type Acts interface {
	// Add keeps an act and gives it an ID nobody can guess.
	Add(ctx context.Context, a *Act) error
	Get(ctx context.Context, id string) (Act, error) // CodeNotFound
	// Put replaces what is kept of an act. CodeNotFound.
	Put(ctx context.Context, a *Act) error
	// Trim forgets acts before a time, and the oldest beyond [KeptActs].
	Trim(ctx context.Context, before time.Time) error
}

// KeptActs bounds the acts that can be taken back at a time.
const KeptActs = 2000

// An Act is one change of the status of alerts, or the part of one that was made
// in one transaction.
type Act struct {
	ID       string                 `json:"id"`
	At       time.Time              `json:"at"`
	By       string                 `json:"by"`
	Status   honeyguide.AlertStatus `json:"status"` // that they got
	Was      []Was                  `json:"was"`
	Before   string                 `json:"before,omitempty"` // the part before this one; taking the last back takes all back
	UndoneAt time.Time              `json:"undone_at,omitzero"`
	UndoneBy string                 `json:"undone_by,omitempty"`
}

// Was is how an alert stood before.
type Was struct {
	Alert   string                 `json:"alert"` // ID
	Status  honeyguide.AlertStatus `json:"status"`
	Handled honeyguide.Handled     `json:"handled,omitzero"`
}

// tidyHandled brings it within the bounds of the store.
func tidyHandled(h *honeyguide.Handled) {
	keys(&h.By)
	times(&h.At)
	h.Note = Clip(Column(h.Note), MaxLine)
}
