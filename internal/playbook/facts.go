package playbook

import (
	"time"

	"honeyguide"
)

// Facts are what a playbook is asked about: what a condition and a text in
// ${ } may name. They may be made anew for every question.
type Facts struct {
	Incident *honeyguide.Incident // nil for a run about none, such as a digest
	Alerts   []honeyguide.Alert   // that changed the incident now
	Opened   bool                 // the incident is new
	Trigger  string               // what asks: one of the Trigger words; "" = incident
	Now      time.Time
	Vars     map[string]string    // inputs, filled in by [Playbook.Fill]
	Plans    []honeyguide.Plan    // of the incident so far; nil: those the incident names
	Steps    []honeyguide.RunStep // of the run so far, for steps.NAME.state
	Node     string               // name of this node
	Asset    Asset                // the machine of the operator that is attacked, as far as it is known
	Summary  Summary              // numbers, for a digest
}

// An Asset is what the operator's table says about a machine.
type Asset struct {
	Name, Owner, Role, Criticality, Zone string
}

// A Summary is the numbers of a stretch of time, counted by who fires a
// schedule.
type Summary struct {
	From, To                             time.Time
	Events, Alerts, Incidents            int64
	Informational, Low, Medium           int64 // incidents by severity
	High, Critical                       int64
	Open, Overdue                        int64 // incidents that are open at the end, and past their time
	Attackers, Sessions                  int64
	Blocks, TokensUsed, Runs, RunsFailed int64
	TopAttackers, TopRules               []string // most first
}
