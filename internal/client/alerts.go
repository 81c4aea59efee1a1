package client

import (
	"time"

	"honeyguide"
)

// An AlertSelection says which alerts are meant: those named, or all that a
// filter finds.
type AlertSelection struct {
	IDs    []string     `json:"ids,omitempty" maxItems:"10000" doc:"ids or short forms"`
	Filter *AlertFilter `json:"filter,omitempty" doc:"instead of ids: all these alerts, at most 10,000; wants expected_count"`
	// Expected is how many alerts the asker believes that a filter finds.
	Expected *int64 `json:"expected_count,omitempty" minimum:"0" doc:"how many the filter finds as far as you know; 409 when it is another number"`
}

// An AlertFilter is the query of the list of alerts.
type AlertFilter struct {
	Severity  string                   `json:"severity,omitempty" enum:"informational,low,medium,high,critical" doc:"at least"`
	Status    []honeyguide.AlertStatus `json:"status,omitempty" enum:"new,acknowledged,escalated,suppressed,closed" doc:"absent means all but the suppressed ones"`
	Src       string                   `json:"src,omitempty" maxLength:"64"`
	Technique string                   `json:"technique,omitempty" maxLength:"16"`
	Rule      string                   `json:"rule,omitempty" maxLength:"256"`
	Detector  string                   `json:"detector,omitempty" maxLength:"64"`
	Incident  string                   `json:"incident,omitempty" maxLength:"64"`
	Session   string                   `json:"session,omitempty" maxLength:"64"`
	Attacker  string                   `json:"attacker,omitempty" maxLength:"128"`
	Verdict   honeyguide.VerdictWord   `json:"verdict,omitempty" enum:"true_positive,false_positive,benign,duplicate,none"`
	Q         string                   `json:"q,omitempty" maxLength:"256"`
	From      time.Time                `json:"from,omitzero" doc:"created at or after"`
	To        time.Time                `json:"to,omitzero" doc:"created before"`
}

// A StatusRequest gives alerts a status.
type StatusRequest struct {
	AlertSelection
	Status honeyguide.AlertStatus `json:"status" enum:"new,acknowledged,escalated,closed"`
	Note   string                 `json:"note,omitempty" maxLength:"4000" doc:"why"`
}

// An AlertPatch gives one alert a status.
type AlertPatch struct {
	Status honeyguide.AlertStatus `json:"status" enum:"new,acknowledged,escalated,closed"`
	Note   string                 `json:"note,omitempty" maxLength:"4000" doc:"why"`
}

// An UndoRequest takes back what a StatusRequest did.
type UndoRequest struct {
	Undo string `json:"undo" minLength:"1" maxLength:"64" doc:"as the answer to the change gave it"`
}

// A GatherRequest puts alerts into an incident.
type GatherRequest struct {
	AlertSelection
	Incident string `json:"incident,omitempty" maxLength:"64" doc:"id or short form of one that is open; absent: a new one"`
	Title    string `json:"title,omitempty" maxLength:"500" doc:"of the new one"`
	Reason   string `json:"reason,omitempty" maxLength:"1000"`
}

// Gathered is what came of it.
type Gathered struct {
	Incident honeyguide.Incident         `json:"incident"`
	Changed  int                         `json:"changed" doc:"alerts that were not in it before"`
	Changes  []honeyguide.IncidentChange `json:"changes" doc:"one for each incident that gave alerts; each can be undone"`
}

// A TasksRequest asks for the same to be done in several incidents.
type TasksRequest struct {
	IDs []string `json:"ids" minItems:"1" maxItems:"1000" doc:"ids or short forms of incidents"`
	NewTask
}

// A TasksResult says in how many it is asked for now.
type TasksResult struct {
	Changed int          `json:"changed"`
	Failed  []FailedItem `json:"failed"`
}

// A FailedItem is one thing a request could not change.
type FailedItem struct {
	ID   string `json:"id"`
	Code string `json:"code"`
}
