package playbook

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/state"
)

// Bounds of what an expression sees: with them its cost can be told from its
// text.
const (
	maxMembers = 500 // of a list of texts
	maxAlerts  = 50  // the newest ones
	maxSmall   = 32  // members of a list of one alert
	maxTitle   = 256 // bytes of a title or an error
)

// A field is one name an expression may use.
type field struct {
	name string
	like any // a value of its type
	doc  string
	get  func(f *Facts) any
}

// A level is a severity as expressions see it: it compares with severities only.
type level struct{ rank honeyguide.Severity }

// String returns the word.
func (l level) String() string { return l.rank.String() }

// An alertView is an alert as expressions see it.
type alertView struct {
	ID         string    `expr:"id" doc:"ID"`
	Short      string    `expr:"short" doc:"what people call it: A-12"`
	Rule       string    `expr:"rule" doc:"id of the rule that raised it"`
	Detector   string    `expr:"detector" doc:"kind of detector: behaviour, token, finding, sigma, violation, ..."`
	Title      string    `expr:"title" doc:"attacker bytes may be inside"`
	Category   string    `expr:"category" doc:"threat category: malware, data_exfiltration, ..."`
	Severity   level     `expr:"severity" doc:"severity"`
	Status     string    `expr:"status" doc:"new, acknowledged, escalated, suppressed, closed"`
	Verdict    string    `expr:"verdict" doc:"none, true_positive, false_positive, benign, duplicate"`
	Score      float64   `expr:"score" doc:"0 to 100"`
	Count      int       `expr:"count" doc:"events counted into it"`
	Sensor     string    `expr:"sensor" doc:"name of the decoy, empty for other sources"`
	Session    string    `expr:"session" doc:"ID of the session"`
	Attacker   string    `expr:"attacker" doc:"key alerts are joined by"`
	Src        string    `expr:"src" doc:"address it came from"`
	Dst        string    `expr:"dst" doc:"address it went to"`
	Techniques []string  `expr:"techniques" doc:"ids of ATT&CK techniques"`
	Tactics    []string  `expr:"tactics" doc:"ids and names of ATT&CK tactics"`
	Time       time.Time `expr:"time" doc:"time of the first event"`
}

// A stepView is a step of the run so far.
type stepView struct {
	State    string `expr:"state" doc:"pending, waiting, running, done, skipped, failed, denied, lapsed, reverted"`
	Error    string `expr:"error" doc:"why it failed"`
	Plans    int    `expr:"plans" doc:"how many acts it took"`
	Attempts int    `expr:"attempts" doc:"how often it was tried"`
}

// fieldTable lists every name.
var fieldTable = slices.Concat(incidentFields, alertFields, otherFields, assetFields, summaryFields, severityWords)

// fieldIndex finds one.
var fieldIndex = func() map[string]*field {
	out := make(map[string]*field, 2*len(fieldTable))
	for i := range fieldTable {
		out[fieldTable[i].name] = &fieldTable[i]
	}
	for i := range incidentFields {
		out["incident."+incidentFields[i].name] = fieldOf(incidentFields[i])
	}
	return out
}()

func fieldOf(f field) *field { return &f }

// incidentFields may be written with and without "incident." before them.
var incidentFields = []field{
	{"id", "", "ID", func(f *Facts) any { return f.incident().ID }},
	{"short", "", "what people call it: I-3", func(f *Facts) any { return f.incident().Short }},
	{"key", "", "what its alerts have in common: attacker:203.0.113.7, token:..., campaign:...", func(f *Facts) any { return f.incident().Key }},
	{"title", "", "attacker bytes may be inside; at most 256 bytes of it", func(f *Facts) any { return state.Clip(f.incident().Title, maxTitle) }},
	{"severity", level{}, "compares with informational, low, medium, high, critical", func(f *Facts) any { return level{f.incident().Severity} }},
	{"score", 0.0, "0 to 100", func(f *Facts) any { return f.incident().Score }},
	{"status", "", "new, in_progress, on_hold, resolved, closed", func(f *Facts) any { return string(f.incident().Status) }},
	{"phase", "", "new, triage, contained, eradicated, recovered, closed", func(f *Facts) any { return string(f.incident().Phase) }},
	{"verdict", "", "none, true_positive, false_positive, benign, duplicate", func(f *Facts) any { return string(cmp.Or(f.incident().Verdict.As, honeyguide.VerdictNone)) }},
	{"owner", "", "who handles it, empty for nobody", func(f *Facts) any { return f.incident().Owner }},
	{"alert_count", 0, "alerts it has", func(f *Facts) any { return int(f.incident().AlertCount) }},
	{"event_count", 0, "events behind them", func(f *Facts) any { return int(f.incident().EventCount) }},
	{"attacker_count", 0, "attackers it has", func(f *Facts) any { return len(f.incident().Attackers) }},
	{"session_count", 0, "sessions it has", func(f *Facts) any { return len(f.incident().Sessions) }},
	{"reopened", 0, "how often it was opened again", func(f *Facts) any { return f.incident().Clock.Reopened }},
	{"attackers", []string(nil), "its attackers: addresses and other keys", func(f *Facts) any { return clipped(f.incident().Attackers) }},
	{"proven", []string(nil), "addresses that completed a handshake: they are not forged", func(f *Facts) any { return addresses(f.incident().Proven) }},
	{"sessions", []string(nil), "IDs of its sessions", func(f *Facts) any { return clipped(f.incident().Sessions) }},
	{"techniques", []string(nil), "ids of ATT&CK techniques: T1105", func(f *Facts) any { return techniques(f.incident().Attacks, maxMembers) }},
	{"tactics", []string(nil), "ids and names of ATT&CK tactics: TA0011, Command and Control", func(f *Facts) any { return tactics(f.incident().Attacks, maxMembers) }},
	{"blocked", []string(nil), "addresses blocked for it, or that a dry run would have blocked", func(f *Facts) any { return f.blocked() }},
	{"unblocked", []string(nil), "proven without blocked: whom a block would be new for", func(f *Facts) any { return f.unblocked() }},
	{"private", false, "one of its attackers has an address of a private range", func(f *Facts) any { return anyAddress(f.incident(), netip.Addr.IsPrivate) }},
	{"loopback", false, "one of its attackers is this machine", func(f *Facts) any { return anyAddress(f.incident(), netip.Addr.IsLoopback) }},
	{"created_at", time.Time{}, "when it was opened", func(f *Facts) any { return f.incident().CreatedAt }},
	{"first_at", time.Time{}, "first event behind it", func(f *Facts) any { return f.incident().FirstAt }},
	{"last_at", time.Time{}, "newest event behind it", func(f *Facts) any { return f.incident().LastAt }},
	{"due_at", time.Time{}, "respond by", func(f *Facts) any { return f.incident().DueAt }},
}

// alertFields speak of the alerts that changed the incident now.
var alertFields = []field{
	{"alerts", []alertView(nil), "the alerts that changed the incident now, newest last, at most 50", func(f *Facts) any { return f.alerts() }},
	{"rules", []string(nil), "ids of their rules", func(f *Facts) any { return f.ofAlerts(func(a *honeyguide.Alert) string { return a.RuleID }) }},
	{"categories", []string(nil), "their threat categories", func(f *Facts) any { return f.ofAlerts(func(a *honeyguide.Alert) string { return a.Category }) }},
	{"sensors", []string(nil), "the decoys they came from", func(f *Facts) any { return f.ofAlerts(func(a *honeyguide.Alert) string { return a.Sensor }) }},
	{"detectors", []string(nil), "kinds of their detectors", func(f *Facts) any { return f.ofAlerts(func(a *honeyguide.Alert) string { return a.Detector }) }},
}

var otherFields = []field{
	{"trigger", "", "what asks: incident, incident_opened, schedule, manual", func(f *Facts) any { return cmp.Or(f.Trigger, TriggerIncident) }},
	{"opened", false, "the incident is new", func(f *Facts) any { return f.Opened }},
	{"now", time.Time{}, "the time", func(f *Facts) any { return f.Now }},
	{"hour", 0, "hour of the day, UTC", func(f *Facts) any { return f.Now.UTC().Hour() }},
	{"weekday", "", "mon, tue, wed, thu, fri, sat, sun; UTC", func(f *Facts) any { return weekdays[f.Now.UTC().Weekday()] }},
	{"node", "", "name of this node", func(f *Facts) any { return f.Node }},
	{"vars", map[string]string(nil), "inputs by their names: vars.reason; always text", func(f *Facts) any { return f.Vars }},
	{"steps", map[string]stepView(nil), "earlier steps by their names: steps.block.state", func(f *Facts) any { return f.steps() }},
}

var assetFields = []field{
	{"asset.name", "", "the attacked machine of yours, as your table calls it", func(f *Facts) any { return f.Asset.Name }},
	{"asset.owner", "", "who is asked about it", func(f *Facts) any { return f.Asset.Owner }},
	{"asset.role", "", "what it is there for", func(f *Facts) any { return f.Asset.Role }},
	{"asset.criticality", "", "low, medium, high, critical", func(f *Facts) any { return f.Asset.Criticality }},
	{"asset.zone", "", "internal or external", func(f *Facts) any { return f.Asset.Zone }},
}

var summaryFields = []field{
	{"summary.from", time.Time{}, "begin of the stretch that is counted; all of summary is for schedules", func(f *Facts) any { return f.Summary.From }},
	{"summary.to", time.Time{}, "its end", func(f *Facts) any { return f.Summary.To }},
	{"summary.events", 0, "events behind the alerts", func(f *Facts) any { return int(f.Summary.Events) }},
	{"summary.alerts", 0, "alerts", func(f *Facts) any { return int(f.Summary.Alerts) }},
	{"summary.incidents", 0, "incidents opened", func(f *Facts) any { return int(f.Summary.Incidents) }},
	{"summary.informational", 0, "of them informational", func(f *Facts) any { return int(f.Summary.Informational) }},
	{"summary.low", 0, "of them low", func(f *Facts) any { return int(f.Summary.Low) }},
	{"summary.medium", 0, "of them medium", func(f *Facts) any { return int(f.Summary.Medium) }},
	{"summary.high", 0, "of them high", func(f *Facts) any { return int(f.Summary.High) }},
	{"summary.critical", 0, "of them critical", func(f *Facts) any { return int(f.Summary.Critical) }},
	{"summary.open", 0, "incidents open at the end", func(f *Facts) any { return int(f.Summary.Open) }},
	{"summary.overdue", 0, "of them past their time", func(f *Facts) any { return int(f.Summary.Overdue) }},
	{"summary.attackers", 0, "attackers of the alerts", func(f *Facts) any { return int(f.Summary.Attackers) }},
	{"summary.sessions", 0, "sessions", func(f *Facts) any { return int(f.Summary.Sessions) }},
	{"summary.blocks", 0, "addresses blocked", func(f *Facts) any { return int(f.Summary.Blocks) }},
	{"summary.tokens_used", 0, "alerts about the use of honeytokens", func(f *Facts) any { return int(f.Summary.TokensUsed) }},
	{"summary.runs", 0, "runs of playbooks", func(f *Facts) any { return int(f.Summary.Runs) }},
	{"summary.runs_failed", 0, "of them failed", func(f *Facts) any { return int(f.Summary.RunsFailed) }},
	{"summary.top_attackers", []string(nil), "attackers with the most alerts, most first", func(f *Facts) any { return clipped(f.Summary.TopAttackers) }},
	{"summary.top_rules", []string(nil), "rules with the most alerts, most first", func(f *Facts) any { return clipped(f.Summary.TopRules) }},
}

var severityWords = func() []field {
	var out []field
	for s := honeyguide.SeverityInformational; s <= honeyguide.SeverityCritical; s++ {
		v := any(level{s})
		out = append(out, field{s.String(), level{}, "a severity", func(*Facts) any { return v }})
	}
	return out
}()

func clipped(list []string) []string { return list[:min(len(list), maxMembers)] }

// techniques returns the ids of techniques.
func techniques(list []honeyguide.Technique, most int) []string {
	var out []string
	for i := range list[:min(len(list), most)] {
		out = append(out, list[i].ID)
	}
	return out
}

// tactics returns the ids and the names of tactics.
func tactics(list []honeyguide.Technique, most int) []string {
	var out []string
	for i := range list[:min(len(list), most/2)] {
		out = append(out, list[i].Tactic, attack.TacticName(list[i].Tactic))
	}
	return out
}

func anyAddress(in *honeyguide.Incident, is func(netip.Addr) bool) bool {
	return slices.ContainsFunc(in.Attackers, func(s string) bool {
		a, err := netip.ParseAddr(strings.TrimPrefix(s, "attacker:"))
		return err == nil && is(a)
	})
}

// blocked returns the targets of blocks that hold, or that a dry run would have
// made.
func (f *Facts) blocked() []string {
	plans := f.Plans
	if plans == nil {
		plans = f.incident().Plans
	}
	var out []string
	for i := range plans {
		p := &plans[i]
		if p.Action == "block_ip" && (p.State.InForce() || p.State == honeyguide.PlanWaiting || p.State == honeyguide.PlanPlanned) && len(out) < maxMembers {
			out = append(out, p.Target)
		}
	}
	return out
}

func (f *Facts) unblocked() []string {
	is := map[string]bool{}
	for _, s := range f.blocked() {
		is[s] = true
	}
	return slices.DeleteFunc(addresses(f.incident().Proven), func(s string) bool { return is[s] })
}

// newest returns the alerts an expression sees.
func (f *Facts) newest() []honeyguide.Alert { return f.Alerts[max(0, len(f.Alerts)-maxAlerts):] }

func (f *Facts) ofAlerts(get func(*honeyguide.Alert) string) []string {
	list := f.newest()
	out := make([]string, len(list))
	for i := range list {
		out[i] = get(&list[i])
	}
	return out
}

func (f *Facts) alerts() []alertView {
	list := f.newest()
	out := make([]alertView, len(list))
	for i := range list {
		a := &list[i]
		out[i] = alertView{
			ID: a.ID, Short: a.Short, Rule: a.RuleID, Detector: a.Detector, Title: state.Clip(a.Title, maxTitle), Category: a.Category, Severity: level{a.Severity},
			Status: string(a.Status), Verdict: string(cmp.Or(a.Verdict.As, honeyguide.VerdictNone)), Score: a.Score, Count: int(a.Count),
			Sensor: a.Sensor, Session: a.Session, Attacker: a.Attacker, Src: host(a.Src), Dst: host(a.Dst),
			Techniques: techniques(a.Attacks, maxSmall), Tactics: tactics(a.Attacks, maxSmall), Time: a.Time,
		}
	}
	return out
}

func host(e honeyguide.Endpoint) string {
	if !e.Addr.IsValid() {
		return ""
	}
	return e.Addr.Addr().Unmap().WithZone("").String()
}

func (f *Facts) steps() map[string]stepView {
	out := make(map[string]stepView, len(f.Steps))
	for i := range f.Steps {
		s := &f.Steps[i]
		out[s.Name] = stepView{string(s.State), state.Clip(s.Error, maxTitle), len(s.Plans), s.Attempts}
	}
	return out
}
