package privacy

// A Class is a sort of data that is kept for one purpose and as long as that
// lasts.
type Class string

// The classes of data.
const (
	EventData  Class = "events"
	Sessions   Class = "sessions" // with their recordings
	Samples    Class = "samples"
	Alerts     Class = "alerts" // with incidents, their plans, runs and timelines
	Attackers  Class = "attackers"
	DeadLetter Class = "dead_letters" // input that could not be understood
	Notices    Class = "notices"
	Audit      Class = "audit"
	Worlds     Class = "worlds"
	Logins     Class = "logins"
	Readable   Class = "readable" // addresses and names as they are, in all of the others
)

// Classes are all classes, in the order people are shown them.
var Classes = []Class{EventData, Sessions, Samples, Alerts, Attackers, DeadLetter, Notices, Audit, Worlds, Logins}

// holds says which class of data a table of the state belongs to. What is not
// named is shown under the name of its table: nothing is left out because
// somebody forgot it.
var holds = map[string]Class{
	"session": Sessions,
	"sample":  Samples, "sighting": Samples,
	"alert": Alerts, "alert_evidence": Alerts, "alert_tech": Alerts, "incident": Alerts, "incident_attacker": Alerts, "incident_change": Alerts,
	"incident_change_alert": Alerts, "plan": Alerts, "run": Alerts, "timeline": Alerts, "verdict": Alerts, "suppression": Alerts, "act": Alerts, "reply": Alerts, "job": Alerts,
	"attacker_note": Attackers, "enrichment": Attackers, "block": Attackers, "allowed": Attackers, "exposure": Attackers, "token_use": Attackers, "tally": Attackers,
	"dead_letter": DeadLetter, "notice": Notices,
	"login_try": Logins, "login_session": Logins, "account": Logins, "credential": Logins, "api_key": Logins, "preference": Logins, "view": Logins,
}

func classOf(table string) Class {
	if c := holds[table]; c != "" {
		return c
	}
	return Class(table)
}
