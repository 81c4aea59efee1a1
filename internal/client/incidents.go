package client

import (
	"time"

	"honeyguide"
)

// A MergeRequest names the incidents to move into another one.
type MergeRequest struct {
	Incidents []string `json:"incidents" minItems:"1" maxItems:"100" doc:"ids or short forms of those that give their alerts"`
	Reason    string   `json:"reason,omitempty" maxLength:"1000"`
}

// A SplitRequest names what leaves an incident for a new one.
type SplitRequest struct {
	Alerts    []string `json:"alerts,omitempty" maxItems:"10000" doc:"ids or short forms of alerts"`
	Attackers []string `json:"attackers,omitempty" maxItems:"1000" doc:"addresses or keys: all their alerts, and what they do from now on"`
	Reason    string   `json:"reason,omitempty" maxLength:"1000"`
}

// A Regrouping is what came of it.
type Regrouping struct {
	Incident honeyguide.Incident         `json:"incident" doc:"the one that took the alerts"`
	Changes  []honeyguide.IncidentChange `json:"changes"`
}

// An IncidentPatch is what a person decides about an incident. What is absent
// stays as it is.
type IncidentPatch struct {
	Phase       honeyguide.Phase       `json:"phase,omitempty" enum:"new,triage,contained,eradicated,recovered,closed" doc:"going back wants a reason, closing a verdict"`
	Owner       *string                `json:"owner,omitempty" maxLength:"128" doc:"who handles it; empty: nobody"`
	Hold        *bool                  `json:"hold,omitempty" doc:"true: it waits for something, and its clock with it"`
	Acknowledge bool                   `json:"acknowledge,omitempty" doc:"somebody has seen it"`
	Verdict     honeyguide.VerdictWord `json:"verdict,omitempty" enum:"true_positive,false_positive,benign,duplicate,none" doc:"also on its alerts that have none"`
	Overwrite   bool                   `json:"overwrite,omitempty" doc:"the verdict also on alerts with one of their own"`
	Reason      string                 `json:"reason,omitempty" maxLength:"1000" doc:"why; a verdict takes it along"`
	Comment     string                 `json:"comment,omitempty" maxLength:"4000"`
}

// A Comment is what a person writes into a timeline.
type Comment struct {
	Text string `json:"text" minLength:"1" maxLength:"4000"`
}

// A NewTask is something to be done for an incident.
type NewTask struct {
	Title string    `json:"title" minLength:"1" maxLength:"500"`
	Owner string    `json:"owner,omitempty" maxLength:"128"`
	DueAt time.Time `json:"due_at,omitzero"`
}

// A TaskPatch is what somebody decides about a task. What is absent stays.
type TaskPatch struct {
	Done  *bool      `json:"done,omitempty"`
	Owner *string    `json:"owner,omitempty" maxLength:"128"`
	Title *string    `json:"title,omitempty" minLength:"1" maxLength:"500"`
	DueAt *time.Time `json:"due_at,omitempty"`
}
