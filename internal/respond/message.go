package respond

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/safetext"
)

// Bounds of a message in a plan. A messenger may have narrower ones.
const (
	MaxTitle = 300  // characters
	MaxText  = 6000 // characters
)

// Params of plans that are messages. A step may give title, text, severity, event
// and key; the rest is filled in from the incident.
const (
	ParamTitle      = "title"
	ParamText       = "text"
	ParamSeverity   = "severity"
	ParamEvent      = "event" // trigger, update, resolve
	ParamKey        = "key"   // "" = the incident's
	ParamLink       = "link"
	ParamIncident   = "incident"
	ParamAttackers  = "attackers"
	ParamTechniques = "techniques"
)

// PlanMessage plans to tell somebody: it fixes what will be said, so that an
// approver sees it and a second attempt says the same. to names the other side
// in the effect's sentence.
func (d Deps) PlanMessage(r Request, to string) (honeyguide.Plan, error) {
	p := honeyguide.Plan{
		Action: d.Name, Target: r.Target, Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason, Irreversible: true,
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	for k, v := range p.Params {
		p.Params[k] = Clip(v, MaxText)
	}
	switch e := p.Params[ParamEvent]; e {
	case "":
		p.Params[ParamEvent] = EventTrigger
	case EventTrigger, EventUpdate, EventResolve:
	default:
		return p, fmt.Errorf("event: %q; want trigger, update or resolve", safetext.TermN(e, 40))
	}
	severity := honeyguide.SeverityInformational
	if i := r.Incident; i != nil {
		severity = i.Severity
	}
	if s := p.Params[ParamSeverity]; s != "" {
		given, err := honeyguide.ParseSeverity(s)
		if err != nil {
			return p, fmt.Errorf("severity: %w", err)
		}
		severity = given
	}
	set := func(key, value string) { // ours alone to say
		delete(p.Params, key)
		if value != "" {
			p.Params[key] = value
		}
	}
	p.Params[ParamSeverity] = severity.String()
	set(ParamLink, "")
	if i := r.Incident; i != nil {
		set(ParamLink, d.Link(i.ID))
		set(ParamIncident, i.Short)
		set(ParamAttackers, few(i.Attackers))
		set(ParamTechniques, few(techniques(i.Attacks)))
		p.Params[ParamKey] = cmp.Or(p.Params[ParamKey], i.ID)
	}
	p.Params[ParamTitle] = Clip(cmp.Or(p.Params[ParamTitle], title(r, severity)), MaxTitle)
	p.Params[ParamText] = Clip(cmp.Or(p.Params[ParamText], text(r)), MaxText)
	p.Effect = fmt.Sprintf("A message would go to %s: %s", to, safetext.TermN(p.Params[ParamTitle], 120))
	return p, nil
}

// title is what a message is called when the step does not say.
func title(r Request, s honeyguide.Severity) string {
	word := strings.ToUpper(s.String()[:1]) + s.String()[1:]
	if r.Incident == nil {
		return word + ": " + cmp.Or(r.Reason, r.Playbook)
	}
	return word + ": " + r.Incident.Title
}

// text is what a message says when the step does not.
func text(r Request) string {
	var b strings.Builder
	if i := r.Incident; i != nil {
		fmt.Fprintf(&b, "Incident %s, score %.0f, %d alerts, first seen %s.\n", i.Short, i.Score, i.AlertCount, i.FirstAt.UTC().Format("2006-01-02 15:04:05 UTC"))
	}
	if r.Reason != "" {
		b.WriteString(r.Reason + "\n")
	}
	for _, a := range r.Alerts[max(0, len(r.Alerts)-5):] {
		fmt.Fprintf(&b, "%s %s: %s\n", a.Short, a.Severity, a.Title)
	}
	return strings.TrimRight(b.String(), "\n")
}

// few joins the first of a list.
func few(list []string) string {
	const most = 10
	if len(list) > most {
		return strings.Join(list[:most], ", ") + " and " + strconv.Itoa(len(list)-most) + " more"
	}
	return strings.Join(list, ", ")
}

func techniques(list []honeyguide.Technique) []string {
	var out []string
	for _, t := range list {
		if !slices.Contains(out, t.ID) {
			out = append(out, t.ID)
		}
	}
	return out
}

// MessageOf reads the message of a plan made by [Deps.PlanMessage].
func MessageOf(p honeyguide.Plan) Message {
	severity, err := honeyguide.ParseSeverity(p.Params[ParamSeverity])
	if err != nil {
		severity = honeyguide.SeverityInformational
	}
	m := Message{
		ID: p.ID, Event: cmp.Or(p.Params[ParamEvent], EventTrigger), Key: cmp.Or(p.Params[ParamKey], p.Incident, p.ID), Severity: severity,
		Title: p.Params[ParamTitle], Text: p.Params[ParamText], Link: p.Params[ParamLink], At: p.CreatedAt,
	}
	for _, f := range []Field{
		{"Incident", p.Params[ParamIncident]}, {"Attackers", p.Params[ParamAttackers]}, {"Techniques", p.Params[ParamTechniques]}, {"Playbook", p.Playbook},
	} {
		if f.Value != "" {
			m.Fields = append(m.Fields, f)
		}
	}
	return m
}

// Deliver is the Apply of a messenger: it sends the message of the plan.
func Deliver(ctx context.Context, to Messenger, p honeyguide.Plan) (Receipt, error) {
	ref, err := to.Send(ctx, MessageOf(p))
	return Receipt{Ref: ref}, err
}

// Heading is the message's title on one line, inert, with what became of it in
// front when that is not a beginning.
func (m Message) Heading(n int) string {
	switch m.Event {
	case EventUpdate:
		return InertLine("Update: "+m.Title, n)
	case EventResolve:
		return InertLine("Resolved: "+m.Title, n)
	}
	return InertLine(m.Title, n)
}

// Facts are the fields of the message, each inert on one line, and the id it is
// known again by.
func (m Message) Facts() []Field {
	out := []Field{{"Severity", m.Severity.String()}}
	for _, f := range m.Fields[:min(len(m.Fields), 12)] {
		out = append(out, Field{InertLine(f.Name, 40), InertLine(f.Value, 400)})
	}
	return append(out, Field{"Reference", safetext.TermN(m.ID, 80)})
}

// Compose is the whole message as inert text of at most n characters: the text is
// cut before the facts are.
func (m Message) Compose(n int) string {
	var facts strings.Builder
	for _, f := range m.Facts() {
		facts.WriteString("\n" + f.Name + ": " + f.Value)
	}
	head, tail := m.Heading(min(n, MaxTitle)), facts.String()
	room := n - len([]rune(head)) - len([]rune(tail)) - 3
	if m.Text == "" || room < 20 {
		return Clip(head+"\n"+tail, n)
	}
	return Clip(head+"\n\n"+Inert(m.Text, room)+"\n"+tail, n)
}
