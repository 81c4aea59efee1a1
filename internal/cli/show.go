package cli

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/client"
	"honeyguide/internal/indicator"
	"honeyguide/internal/safetext"
)

// lookup asks the API for what belongs to the thing shown.
type lookup = func(path string, q url.Values, into any) error

func showAlert(w io.Writer, a honeyguide.Alert, more lookup) {
	field(w, "alert", a.Short+"  "+a.Title)
	field(w, "severity", a.Severity)
	field(w, "status", a.Status)
	field(w, "rule", a.Detector+"/"+a.RuleID)
	field(w, "source", address(a.Src))
	showPlace(w, a.Src)
	field(w, "first", a.Time)
	field(w, "last", a.LastAt)
	field(w, "events", a.Count)
	field(w, "incident", a.Incident)
	field(w, "session", a.Session)
	field(w, "personal data", a.Personal)
	showVerdict(w, a.Verdict)
	if a.Suppression != "" {
		field(w, "hidden by", a.Suppression)
	}
	heading(w, fmt.Sprintf("Why its score is %.0f", a.Score))
	for _, r := range a.Reasons {
		fmt.Fprintf(w, "%+.0f\t%s\t%s\n", r.Weight, safetext.Term(r.Feature), safetext.TermN(r.Text, 160))
	}
	fmt.Fprintf(w, "=\t\t%s\n", chance(a.Score))
	showAlike(w, a.ID, more)
	techniques(w, a.Attacks)
	showKnown(w, a.Enrichments, learnt(w, a, more))
	observables(w, "Observables", a.Observed)
	heading(w, "Evidence")
	for _, e := range a.Evidence {
		row(w, e.Time, safetext.TermN(e.Text, 90))
	}
}

func techniques(w io.Writer, list []honeyguide.Technique) {
	if len(list) == 0 {
		return
	}
	heading(w, "ATT&CK")
	for _, t := range list {
		row(w, t.ID, attack.Title(t.ID), attack.TacticName(t.Tactic), t.Why)
	}
}

func showIncident(w io.Writer, i honeyguide.Incident, more lookup) {
	field(w, "incident", i.Short+"  "+i.Title)
	field(w, "severity", i.Severity)
	field(w, "score", i.Score)
	field(w, "first", i.FirstAt)
	field(w, "last", i.LastAt)
	field(w, "attackers", strings.Join(i.Attackers, ", "))
	field(w, "sessions", len(i.Sessions))
	field(w, "updated", i.UpdatedAt.UTC().Format(time.RFC3339Nano))
	if i.Joined != "" {
		field(w, "joined to", i.Joined)
	}
	showHandling(w, &i, time.Now())
	techniques(w, i.Attacks)
	var alerts client.Page[honeyguide.Alert]
	if err := more("/alerts", url.Values{"incident": {i.ID}}, &alerts); err != nil {
		field(w, "alerts", err.Error())
	}
	heading(w, fmt.Sprintf("Alerts (%d)", i.AlertCount))
	for _, a := range alerts.Items {
		row(w, a.Short, a.Time, a.Severity, a.Score, a.RuleID, a.Title)
	}
	heading(w, "Response")
	if len(i.Plans) == 0 {
		fmt.Fprintln(w, "no playbook has planned anything")
	}
	for _, p := range i.Plans {
		row(w, p.State, p.Mode, p.Action, p.Target, "until", p.ExpiresAt)
		row(w, " ", p.Playbook, p.Effect)
		row(w, " ", "because", p.Reason)
	}
}

func showSession(w io.Writer, s honeyguide.Session, more lookup) {
	field(w, "session", s.ID)
	field(w, "decoy", s.Sensor+" ("+s.Service+")")
	field(w, "source", address(s.Src))
	field(w, "started", s.StartedAt)
	field(w, "ended", s.EndedAt)
	field(w, "user", s.User)
	field(w, "client", s.Client)
	field(w, "tokens", strings.Join(s.Tokens, ", "))
	if s.Recording != "" {
		field(w, "recording", "honeyguide session replay "+s.ID)
	}
	showTyping(w, s.ID, more)
	showBrought(w, s, more)
	var events client.Page[honeyguide.Event]
	if err := more("/events", url.Values{"session": {s.ID}, "limit": {"1000"}}, &events); err != nil {
		field(w, "events", err.Error())
	}
	heading(w, fmt.Sprintf("Events (%d)", s.Events))
	for n := len(events.Items) - 1; n >= 0; n-- { // oldest first, as it happened
		e := &events.Items[n]
		row(w, e.Time, e.Activity, gist(e))
	}
	var seen []honeyguide.Observable
	for n := len(events.Items) - 1; n >= 0; n-- {
		seen = indicator.Add(seen, events.Items[n].Observables, 100)
	}
	observables(w, "Observables", seen)
}

func showToken(w io.Writer, t honeyguide.Honeytoken, more lookup) {
	field(w, "token", t.Short+"  "+t.Kind)
	field(w, "planted", t.Persona+":"+t.Path)
	field(w, "opens", t.OpensSensor)
	field(w, "user", t.User)
	field(w, "proof", t.Proof)
	field(w, "fingerprint", t.Fingerprint+" ..."+t.Last4)
	field(w, "uses", t.Uses)
	var read client.Page[honeyguide.Exposure]
	if err := more("/tokens/"+url.PathEscape(t.ID)+"/exposures", nil, &read); err != nil {
		field(w, "exposures", err.Error())
	}
	heading(w, fmt.Sprintf("Read by (%d)", t.Exposures))
	for _, e := range read.Items {
		row(w, e.Time, address(e.Src), e.Session, e.By)
	}
}
