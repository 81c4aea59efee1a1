package incident

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// A section is one part of a dossier for people. Cells are plain text that has
// been through safetext.
type section struct {
	title  string
	note   string      // below the title
	fields [][2]string // name and value
	head   []string    // of the table
	widths []float64   // of its columns, as shares
	rows   [][]string
}

// Bounds of a dossier for people. JSON has everything.
const (
	shownLines  = 2000
	shownAlerts = 500
	shownCell   = 400 // characters
)

func cell(s string) string { return safetext.TermN(s, shownCell) }

func when(t time.Time) string {
	if t.IsZero() {
		return "-"
	}
	return t.UTC().Format("2006-01-02 15:04:05 MST")
}

// at is when in a table, where the zone would be in every row.
func at(t time.Time) string { return strings.TrimSuffix(when(t), " UTC") }

// compose lays a dossier out for people.
func (d *Dossier) compose() []section {
	return []section{d.facts(), d.clocks(), d.tasks(), d.acts(), d.lines(), d.claims(), d.links()}
}

func (d *Dossier) facts() section {
	in := &d.Incident
	s := section{title: "Facts"}
	add := func(name, value string) {
		if value != "" {
			s.fields = append(s.fields, [2]string{name, cell(value)})
		}
	}
	add("Incident", in.Short+" ("+in.ID+")")
	add("Title", in.Title)
	add("Severity", in.Severity.String()+", score "+strconv.FormatFloat(in.Score, 'f', 0, 64))
	add("Status", string(in.Status)+", phase "+string(in.Phase))
	add("Owner", or(in.Owner, "nobody"))
	verdict := "none"
	if v := in.Verdict; v.As != "" && v.As != honeyguide.VerdictNone {
		verdict = because(string(v.As)+" by "+v.By+" at "+when(v.At), v.Reason)
	}
	add("Verdict", verdict)
	add("First event", when(in.FirstAt))
	add("Last event", when(in.LastAt))
	add("Attackers", strings.Join(in.Attackers, ", "))
	add("Alerts", fmt.Sprintf("%d alerts of %d events", in.AlertCount, in.EventCount))
	var techniques []string
	for _, t := range in.Attacks {
		techniques = append(techniques, strings.TrimSpace(t.ID+" "+attack.Title(t.ID)))
	}
	add("ATT&CK", strings.Join(techniques, ", "))
	add("Joined to", in.Joined)
	add("Written", when(d.MadeAt)+" by "+d.MadeBy+"; all times are UTC")
	return s
}

func (d *Dossier) clocks() section {
	in, c := &d.Incident, &d.Incident.Clock
	s := section{title: "Clocks", head: []string{"What", "When", "After opening"}, widths: []float64{3, 4, 3}}
	for _, x := range []struct {
		name string
		at   time.Time
	}{
		{"opened", in.CreatedAt},
		{"acknowledged", c.AcknowledgedAt},
		{"triaged", c.TriagedAt},
		{"contained", c.ContainedAt},
		{"judged", c.QualifiedAt},
		{"eradicated", c.EradicatedAt},
		{"recovered", c.RecoveredAt},
		{"closed", c.ClosedAt},
		{"to be answered by", in.DueAt},
		{"escalated", c.WarnedAt},
		{"breached", c.BreachedAt},
		{"on hold since", c.HeldSince},
	} {
		if !x.at.IsZero() {
			s.rows = append(s.rows, []string{x.name, at(x.at), x.at.Sub(in.CreatedAt).Round(time.Millisecond).String()})
		}
	}
	if c.HeldMS > 0 {
		s.rows = append(s.rows, []string{"was on hold", "-", (time.Duration(c.HeldMS) * time.Millisecond).String()})
	}
	if c.Reopened > 0 {
		s.rows = append(s.rows, []string{"reopened", strconv.Itoa(c.Reopened) + " times", "-"})
	}
	return s
}

func (d *Dossier) tasks() section {
	s := section{title: "Tasks", head: []string{"Task", "Done", "Owner", "Title"}, widths: []float64{1, 3, 2, 6}}
	for _, t := range d.Incident.Tasks {
		done := "open"
		if !t.DoneAt.IsZero() {
			done = at(t.DoneAt) + " by " + t.DoneBy
		}
		s.rows = append(s.rows, []string{t.ID, cell(done), cell(or(t.Owner, "-")), cell(t.Title)})
	}
	return s
}

func (d *Dossier) acts() section {
	s := section{title: "Acts", head: []string{"Act", "State", "Applied", "Until or ended", "Playbook and reason"}, widths: []float64{3, 2, 3, 3, 5}}
	for _, p := range d.Incident.Plans {
		end := p.ExpiresAt
		if !p.EndedAt.IsZero() {
			end = p.EndedAt
		}
		s.rows = append(s.rows, []string{
			cell(p.Action + " " + p.Target), string(p.State) + " (" + string(p.Mode) + ")", at(p.AppliedAt), at(end), cell(because(or(p.Playbook, p.By), p.Reason)),
		})
	}
	return s
}

func (d *Dossier) lines() section {
	s := section{title: "Timeline", head: []string{"Time", "Known", "Kind", "By", "What"}, widths: []float64{3, 3, 1.6, 3, 7}}
	list := d.Timeline
	if len(list) > shownLines {
		s.note = fmt.Sprintf("The newest %d of %d lines; the JSON form has all.", shownLines, len(list))
		list = list[len(list)-shownLines:]
	}
	for _, e := range list {
		known := "-"
		if !e.SeenAt.Equal(e.At) {
			known = at(e.SeenAt)
		}
		s.rows = append(s.rows, []string{at(e.At), known, cell(e.Kind), cell(e.By), cell(e.Text)})
	}
	return s
}

func (d *Dossier) claims() section {
	s := section{title: "Alerts", head: []string{"Alert", "Time", "Severity", "Title and rule", "Reasons"}, widths: []float64{1.4, 3, 1.8, 5, 7}}
	list := d.Alerts
	if n := int64(max(len(list)-shownAlerts, 0)) + d.Left; n > 0 {
		list = list[max(len(list)-shownAlerts, 0):]
		s.note = fmt.Sprintf("The newest %d; %d older ones are left out.", len(list), n)
	}
	for i := range list {
		a := &list[i]
		var reasons []string
		for _, r := range a.Reasons {
			reasons = append(reasons, fmt.Sprintf("%+.0f %s", r.Weight, r.Text))
		}
		said := ""
		if a.Verdict.As != "" {
			said = " [" + string(a.Verdict.As) + "]"
		}
		s.rows = append(s.rows, []string{
			a.Short, at(a.Time), fmt.Sprintf("%s, %.0f", a.Severity, a.Score), cell(a.Title + " (" + a.RuleSource() + "/" + a.RuleID + ", " + or(state.Addr(a.Src), "-") + ")" + said), cell(strings.Join(reasons, "; ")),
		})
	}
	return s
}

// shownLinks bounds each kind of what is linked.
const shownLinks = 200

func (d *Dossier) links() section {
	s := section{title: "Linked", head: []string{"Kind", "What", "More"}, widths: []float64{2, 8, 5}}
	l := &d.Linked
	add := func(kind, what, more string) { s.rows = append(s.rows, []string{kind, cell(what), cell(more)}) }
	for _, x := range l.Sessions[:min(len(l.Sessions), shownLinks)] {
		add("session", x.ID, fmt.Sprintf("%s from %s, %d commands", x.Service, or(state.Addr(x.Src), "-"), x.Commands))
	}
	for _, x := range l.Tokens[:min(len(l.Tokens), shownLinks)] {
		add("honeytoken", x.Short+" "+x.Kind+" "+x.Path, fmt.Sprintf("read %d times, used %d times", x.Exposures, x.Uses))
	}
	for _, x := range l.Samples[:min(len(l.Samples), shownLinks)] {
		add("sample", x.ID, fmt.Sprintf("%s, %d bytes", x.Type, x.Size))
	}
	for _, x := range l.Indicators[:min(len(l.Indicators), shownLinks)] {
		add(x.Type, x.Value, strings.TrimSuffix(fmt.Sprintf("in %d alerts, %s", x.Alerts, x.Known), ", "))
	}
	return s
}
