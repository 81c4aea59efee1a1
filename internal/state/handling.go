package state

import (
	"time"

	"honeyguide"
)

// Carried is what a regrouping of incidents moved besides their alerts, and how
// both were handled before it, so that undoing it gives back exactly that.
type Carried struct {
	Timeline []string          `json:"timeline,omitempty"` // IDs of entries
	Runs     []string          `json:"runs,omitempty"`     // IDs
	Plans    []string          `json:"plans,omitempty"`    // IDs
	Tasks    map[string]string `json:"tasks,omitempty"`    // ID of a task in the taker: its ID in the giver
	Giver    Handling          `json:"giver"`
	Taker    Handling          `json:"taker"`
}

// Handling is the part of an incident that people decide, not its alerts.
type Handling struct {
	Title   string                    `json:"title"`
	Status  honeyguide.IncidentStatus `json:"status"`
	Phase   honeyguide.Phase          `json:"phase"`
	Owner   string                    `json:"owner,omitempty"`
	DueAt   time.Time                 `json:"due_at"`
	Tasks   []honeyguide.Task         `json:"tasks,omitempty"`
	Verdict honeyguide.Verdict        `json:"verdict,omitzero"`
	Clock   honeyguide.Clock          `json:"clock"`
	Proven  []string                  `json:"proven,omitempty"`
}

// A TokenUse is one time a honeytoken came back.
type TokenUse struct {
	Token   string
	EventID string
	At      time.Time
}
