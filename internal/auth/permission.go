package auth

import (
	"maps"
	"slices"
)

// A Permission is what a route asks for.
type Permission string

// The permissions. Open routes are for anybody.
const (
	PermOpen    Permission = "open"
	PermRead    Permission = "read"
	PermIngest  Permission = "ingest"
	PermMetrics Permission = "metrics"
	PermSamples Permission = "samples" // the content of malware
	PermRules   Permission = "rules"   // switching rules on and off
	PermWork    Permission = "work"    // to judge, suppress, merge and split: what analysts do
	PermTriage  Permission = "triage"  // change the model that scores
	PermBouncer Permission = "bouncer" // what is blocked, for machines that enforce it
	PermRespond Permission = "respond" // start, cancel, retry and revert runs, block and unblock
	PermApprove Permission = "approve" // decide about steps that wait, as far as their rule lets
	PermAllow   Permission = "allow"   // change what is never blocked
	PermHalt    Permission = "halt"    // turn the stop switch on
	PermResume  Permission = "resume"  // turn it off
	PermKeys    Permission = "keys"    // hand out keys and take them back
	PermAudit   Permission = "audit"   // read and verify the audit log
)

// A Scope is what a key is good for.
type Scope string

// The scopes.
const (
	ScopeAdmin     Scope = "admin"     // everything
	ScopeResponder Scope = "responder" // what an analyst may, and act: start, approve, block, allow, stop
	ScopeAnalyst   Scope = "analyst"   // read, pass verdicts, and approve where a playbook names analysts
	ScopeRead      Scope = "read"
	ScopeIngest    Scope = "ingest"
	ScopeMetrics   Scope = "metrics"
	ScopeBouncer   Scope = "bouncer" // read what is blocked
	ScopeAuditor   Scope = "auditor" // read, and read and verify the audit log
)

// grants are what the built-in scopes may.
var grants = map[Scope][]Permission{
	ScopeAdmin: {
		PermRead, PermIngest, PermMetrics, PermSamples, PermRules, PermWork, PermTriage,
		PermRespond, PermApprove, PermAllow, PermHalt, PermResume, PermKeys, PermBouncer, PermAudit,
	},
	ScopeResponder: {PermRead, PermMetrics, PermWork, PermRespond, PermApprove, PermAllow, PermHalt, PermBouncer},
	ScopeAnalyst:   {PermRead, PermMetrics, PermWork, PermApprove, PermBouncer},
	ScopeRead:      {PermRead, PermMetrics, PermBouncer},
	ScopeIngest:    {PermIngest},
	ScopeMetrics:   {PermMetrics},
	ScopeBouncer:   {PermBouncer},
	ScopeAuditor:   {PermRead, PermMetrics, PermBouncer, PermAudit},
}

// Known reports whether there is such a scope.
func (s Scope) Known() bool { return grants[s] != nil }

// May reports whether a scope is good for something.
func (s Scope) May(want Permission) bool { return slices.Contains(grants[s], want) }

// A Principal is who asks.
type Principal struct {
	ID    string // of the key or the user; "local" over the local socket
	Name  string
	Scope Scope
}

// May reports whether a principal is good for something.
func (p Principal) May(want Permission) bool { return p.Scope.May(want) }

// Scopes lists the built-in scopes by name.
func Scopes() []Scope { return slices.Sorted(maps.Keys(grants)) }
