package playbook

import (
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/attack"
)

// fieldTypes are the fields a condition may name.
var fieldTypes = map[string]valueType{
	"severity": tSeverity, "score": tNumber, "status": tText, "key": tText, "title": tText,
	"alert_count": tNumber, "event_count": tNumber, "attacker_count": tNumber, "session_count": tNumber,
	"attackers": tList, "techniques": tList, "tactics": tList,
	"rules": tList, "categories": tList, "sensors": tList, "detectors": tList, // of the alerts that changed the incident now
	"private": tBool, "loopback": tBool, // some attacker is
}

func fieldNames() []string {
	var out []string
	for name := range fieldTypes {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}

// fields returns the lookup of an incident and the alerts that changed it.
func fields(in *honeyguide.Incident, alerts []honeyguide.Alert) func(string) value {
	return func(name string) value {
		switch name {
		case "severity":
			return value{n: float64(in.Severity)}
		case "score":
			return value{n: in.Score}
		case "status":
			return value{s: string(in.Status)}
		case "key":
			return value{s: in.Key}
		case "title":
			return value{s: in.Title}
		case "alert_count":
			return value{n: float64(in.AlertCount)}
		case "event_count":
			return value{n: float64(in.EventCount)}
		case "attacker_count":
			return value{n: float64(len(in.Attackers))}
		case "session_count":
			return value{n: float64(len(in.Sessions))}
		case "attackers":
			return value{list: in.Attackers}
		case "techniques", "tactics":
			return value{list: techniques(in, name)}
		case "private", "loopback":
			return value{b: slices.ContainsFunc(in.Attackers, func(s string) bool {
				a, err := netip.ParseAddr(strings.TrimPrefix(s, "attacker:"))
				return err == nil && (name == "private" && a.IsPrivate() || name == "loopback" && a.IsLoopback())
			})}
		}
		return value{list: ofAlerts(alerts, name)}
	}
}

// techniques returns ids of techniques or tactics, the latter by name too.
func techniques(in *honeyguide.Incident, name string) []string {
	var out []string
	for _, t := range in.Attacks {
		if name == "techniques" {
			out = append(out, t.ID)
		} else {
			out = append(out, t.Tactic, attack.TacticName(t.Tactic))
		}
	}
	return out
}

func ofAlerts(alerts []honeyguide.Alert, name string) []string {
	var out []string
	for i := range alerts {
		a := &alerts[i]
		out = append(out, map[string]string{"rules": a.RuleID, "categories": a.Category, "sensors": a.Sensor, "detectors": a.Detector}[name])
	}
	return out
}
