package auth

import (
	"maps"
	"slices"
	"strings"
)

// A Permission is what a route asks for.
type Permission string

// The permissions. Open routes are for anybody, those of PermSelf for everybody
// who is somebody.
const (
	PermOpen     Permission = "open"
	PermSelf     Permission = "self" // about oneself: no role has to grant it
	PermRead     Permission = "read"
	PermIngest   Permission = "ingest"
	PermMetrics  Permission = "metrics"
	PermSamples  Permission = "samples"       // the content of malware
	PermRules    Permission = "rules"         // switching rules on and off
	PermWork     Permission = "work"          // to judge, suppress, merge and split: what analysts do
	PermTriage   Permission = "triage"        // change the model that scores
	PermBouncer  Permission = "bouncer"       // what is blocked, for machines that enforce it
	PermRespond  Permission = "respond"       // start, cancel, retry and revert runs, block and unblock
	PermApprove  Permission = "approve"       // decide about steps that wait, as far as their rule lets
	PermAllow    Permission = "allow"         // change what is never blocked
	PermHalt     Permission = "halt"          // turn the stop switch on
	PermResume   Permission = "resume"        // turn it off
	PermKeys     Permission = "keys"          // hand out keys and take them back
	PermUsers    Permission = "users"         // accounts, their roles and logins
	PermAudit    Permission = "audit"         // read and check the audit log
	PermBackup   Permission = "backup"        // make backups, and see which there are
	PermEvidence Permission = "evidence"      // collect evidence, hand it out, take it in; place and release legal holds
	PermSettings Permission = "settings"      // see and change how this node is set up
	PermPersonal Permission = "personal-data" // see addresses and names as they are; without it they are pseudonyms
	PermPrivacy  Permission = "privacy"       // answer requests of people about their data: find, hand out, erase
)

// explained says what each permission that a role can grant is good for, in the
// order people are shown them.
var explained = []struct {
	Permission
	text string
}{
	{PermRead, "see alerts, incidents, sessions, attackers, rules, runs and blocks"},
	{PermPersonal, "see addresses and names as they are; without it they are masked"},
	{PermMetrics, "read the metrics of this node"},
	{PermBouncer, "read what is blocked, as machines do that enforce it"},
	{PermIngest, "send in records"},
	{PermWork, "judge, suppress, merge and split; work on incidents"},
	{PermApprove, "decide about steps that wait, as far as their rule lets"},
	{PermRespond, "start, cancel, retry and revert runs; block and unblock"},
	{PermAllow, "change what is never blocked"},
	{PermHalt, "stop all acting"},
	{PermResume, "let acting go on"},
	{PermRules, "switch rules on and off"},
	{PermTriage, "change the model that scores"},
	{PermSamples, "take out the content of malware"},
	{PermKeys, "hand out API keys and take them back"},
	{PermUsers, "manage users, their roles and logins"},
	{PermAudit, "read and check the audit log"},
	{PermBackup, "make backups, and see which there are"},
	{PermEvidence, "collect evidence, hand it out and take it in; place and release legal holds"},
	{PermSettings, "see and change how this node is set up"},
	{PermPrivacy, "find, hand out and erase what is held about somebody"},
}

// A Scope is what a key or a user is good for: one of those below, or the name
// of a role the operator made.
type Scope string

// The built-in scopes. Those of people are roles, too.
const (
	ScopeAdmin     Scope = "admin"     // everything
	ScopeResponder Scope = "responder" // what an analyst may, and act: start, approve, block, allow, stop
	ScopeAnalyst   Scope = "analyst"   // read, pass verdicts, and approve where a playbook names analysts
	ScopeViewer    Scope = "viewer"    // what people with nothing but eyes have: read, with personal data masked
	ScopeRead      Scope = "read"
	ScopeIngest    Scope = "ingest"
	ScopeMetrics   Scope = "metrics"
	ScopeBouncer   Scope = "bouncer" // read what is blocked
	ScopeAuditor   Scope = "auditor" // read, and read and verify the audit log
)

// people are the built-in roles of users, the least first.
var people = []Scope{ScopeViewer, ScopeAuditor, ScopeAnalyst, ScopeResponder, ScopeAdmin}

// grants are what the built-in scopes may.
var grants = map[Scope][]Permission{
	ScopeAdmin:     Permissions(),
	ScopeResponder: {PermRead, PermPersonal, PermMetrics, PermWork, PermRespond, PermApprove, PermAllow, PermHalt, PermBouncer, PermEvidence},
	ScopeAnalyst:   {PermRead, PermPersonal, PermMetrics, PermWork, PermApprove, PermBouncer},
	ScopeViewer:    {PermRead, PermMetrics, PermBouncer},
	ScopeRead:      {PermRead, PermPersonal, PermMetrics, PermBouncer},
	ScopeIngest:    {PermIngest},
	ScopeMetrics:   {PermMetrics},
	ScopeBouncer:   {PermBouncer},
	ScopeAuditor:   {PermRead, PermPersonal, PermMetrics, PermBouncer, PermAudit},
}

// Permissions are those a role can grant.
func Permissions() []Permission {
	var out []Permission
	for _, e := range explained {
		out = append(out, e.Permission)
	}
	return out
}

// Explain says what a permission is good for; "" when a role cannot grant it.
func Explain(p Permission) string {
	for _, e := range explained {
		if e.Permission == p {
			return e.text
		}
	}
	return ""
}

// Known reports whether there is such a built-in scope.
func (s Scope) Known() bool { return grants[s] != nil }

// May reports whether a built-in scope is good for something.
func (s Scope) May(want Permission) bool {
	return slices.Contains(grants[s], want) || want == PermSelf && s.Known()
}

// Permissions are what a built-in scope grants.
func (s Scope) Permissions() []Permission { return slices.Clone(grants[s]) }

// Scopes lists the built-in scopes by name.
func Scopes() []Scope { return slices.Sorted(maps.Keys(grants)) }

// A Sort says what somebody came in with.
type Sort string

// The sorts of principals.
const (
	SortUser  Sort = "user"  // a login
	SortKey   Sort = "key"   // an API key
	SortLocal Sort = "local" // the socket of this machine
)

// A Principal is who asks.
type Principal struct {
	ID      string // of the key or the user; "local" over the local socket
	Name    string
	Scope   Scope // or the name of a role
	Sort    Sort
	Session string // id of the login of a user
	// Permissions are what it may. Nil: what its built-in Scope grants.
	Permissions []Permission
	// Confirmed says that a user showed who they are within the last minutes. What
	// needs it fresh asks users only: a key is shown with every request.
	Confirmed bool
	// Limited says why a user may do nothing but things about themselves: enrol
	// when the role wants a second factor that is not set, or password when a new
	// one has to be chosen first. Empty: no limit.
	Limited string
}

// Why a principal is limited.
const (
	LimitedEnrol    = "enrol"
	LimitedPassword = "password"
)

// May reports whether a principal is good for something.
func (p Principal) May(want Permission) bool {
	switch {
	case want == PermSelf:
		return p.ID != ""
	case p.Limited != "":
		return false
	case p.Permissions != nil:
		return slices.Contains(p.Permissions, want)
	}
	return p.Scope.May(want)
}

// All lists what a principal may, in the order people are shown it.
func (p Principal) All() []Permission {
	out := []Permission{}
	for _, e := range explained {
		if p.May(e.Permission) {
			out = append(out, e.Permission)
		}
	}
	return out
}

// lacks returns the first of some permissions that a principal does not have,
// "" when it has them all: nobody hands out what they do not have.
func (p Principal) lacks(want []Permission) Permission {
	for _, w := range want {
		if !p.May(w) {
			return w
		}
	}
	return ""
}

// names joins permissions for a sentence.
func names(all []Permission) string {
	var out []string
	for _, p := range all {
		out = append(out, string(p))
	}
	return strings.Join(out, ", ")
}
