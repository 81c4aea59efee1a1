package client

import "honeyguide"

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
