package comply

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// pdf writes the report to print. It is laid out three times: the first tells how
// long the table of contents is, the second on which page each part begins then.
func (r *Assessment) pdf() ([]byte, error) {
	var toc []begin
	pages := 0
	var p *paper
	for range 3 {
		var err error
		if p, err = r.layOut(toc, pages); err != nil {
			return nil, fmt.Errorf("lay out PDF: %w", err)
		}
		toc, pages = p.begins, p.doc.PageNo()
	}
	var b bytes.Buffer
	if err := p.doc.Output(&b); err != nil {
		return nil, fmt.Errorf("write PDF: %w", err)
	}
	return b.Bytes(), nil
}

// A begin is where a part of the report begins.
type begin struct {
	title string
	level int
	page  int
}

func (r *Assessment) layOut(toc []begin, pages int) (*paper, error) {
	p := newPaper(r, pages)
	p.cover(toc)
	p.gaps()
	p.controls()
	p.facts()
	p.evidence()
	return p, p.doc.Error()
}

func (p *paper) cover(toc []begin) {
	r := p.r
	p.doc.AddPage()
	p.doc.SetY(margin + 2)
	p.paragraph(run{bold, 10, accent, "Compliance report"}, wide)
	p.paragraph(run{bold, 22, ink, r.Framework.Name}, wide)
	p.paragraph(run{sans, 10, muted, "Node " + r.Node + ", measured " + when(r.At)}, wide)
	p.doc.Ln(4)
	p.bar()
	p.doc.Ln(3)
	for _, f := range [][2]string{
		{"Scope", "One installation of Honeyguide " + r.Version + ". " + r.Framework.About},
		{"Period", when(r.Since) + " to " + when(r.Until) + " for what is counted over time; everything else as it was when it was measured."},
		{"Asked for by", r.By},
		{"The standard", r.Framework.Source + ". Titles and questions are our own words; the standard’s text decides."},
		{"Statuses", "met: every rule holds. partly: some hold. gap: none does. not measured: something a rule needs is not known here, so nothing is claimed. outside: the organisation’s own. Where a row says Organisation, its status is that of the part this installation can show; the rest is the organisation’s to add."},
		{"Audit log", fmt.Sprintf("%d entries, root %s. Whoever made this file stands in the entry that follows, with its SHA-256.", r.Audit.Size, r.Audit.Root)},
	} {
		p.row([]float64{32, wide - 32}, []cell{{{sans, 9, muted, f[0]}}, {{sans, 9, ink, f[1]}}}, false)
	}
	p.doc.Ln(5)
	p.paragraph(run{bold, 12, ink, "Contents"}, wide)
	p.doc.Ln(1)
	for _, x := range toc {
		p.entry(x)
	}
}

func (p *paper) gaps() {
	p.heading("Gaps, the heaviest first", 0, true)
	p.paragraph(run{sans, 9, ink, "What was measured and falls short. Weight 3 is heavy, 1 light."}, wide)
	p.doc.Ln(1)
	p.short(p.r.lacking())
	p.heading("Not measured", 0, false)
	p.paragraph(run{sans, 9, ink, "What cannot be answered here yet, and so is neither claimed nor called a gap."}, wide)
	p.doc.Ln(1)
	p.short(p.r.open())
}

func (p *paper) short(list []Shortfall) {
	if len(list) == 0 {
		p.paragraph(run{sans, 9, ink, "None."}, wide)
		return
	}
	rows := make([][]cell, len(list))
	for i, m := range list {
		what := cell{{sans, small, ink, m.Says}}
		if m.Mend != "" {
			what = append(what, run{sans, small, accent, m.Mend})
		}
		rows[i] = []cell{{{sans, small, ink, m.Title}}, {status(m.Status)}, {{sans, small, ink, strconv.Itoa(m.Weight)}}, what, {{mono, tiny, ink, strings.Join(m.Controls, ", ")}}}
	}
	p.table(section{}, []float64{42, 29, 13, 68, 26}, []string{"What should be so", "Status", "Weight", "What was found, and how to mend it", "Controls"}, rows)
}

func (p *paper) controls() {
	p.heading("Controls", 0, true)
	for _, g := range p.r.groups() {
		s := section{title: g.ID + "  " + g.Title}
		if g.Part != "" {
			s.title = g.Part + "  ·  " + s.title
		}
		if g.Own != "" {
			s.text = "Organisation: " + g.Own
		}
		rows := make([][]cell, len(g.Rows))
		for i := range g.Rows {
			row := &g.Rows[i]
			rows[i] = []cell{{{mono, small, ink, row.ID}}, {{sans, small, ink, row.Title + "."}, {sans, small, muted, row.Asks}}, {status(row.Status)}, column(row)}
		}
		p.table(s, []float64{22, 46, 29, 81}, []string{"Control", "What it asks", "Status", "What was found"}, rows)
	}
}

// column is the last column of a control: what was found.
func column(row *ControlRow) cell {
	var out cell
	for _, a := range row.Answers {
		s := status(a.Status)
		s.text += ": " + a.Title + "."
		out = append(out, s)
		if a.Says != "" {
			out = append(out, run{sans, small, ink, a.Says})
		}
		if a.Mend != "" {
			out = append(out, run{sans, small, accent, a.Mend})
		}
		out = append(out, run{mono, tiny, muted, "rule " + a.Rule}, run{mono, tiny, muted, "here " + a.Found})
	}
	if row.Own != "" {
		out = append(out, run{sans, small, ink, "Organisation: " + row.Own})
	}
	if len(row.Evidence) > 0 {
		list := make([]string, len(row.Evidence))
		for i, e := range row.Evidence {
			list[i] = where(e)
		}
		out = append(out, run{sans, tiny, muted, "Evidence: " + strings.Join(list, "; ")})
	}
	return out
}

func (p *paper) facts() {
	p.heading("Facts", 0, true)
	p.paragraph(run{sans, 9, ink, "Everything the rules ask about, as it was measured at " + when(p.r.At) + "."}, wide)
	p.doc.Ln(1)
	rows := make([][]cell, len(p.r.Facts))
	for i := range p.r.Facts {
		f := &p.r.Facts[i]
		from, color := f.From, ink
		if !f.Known {
			from, color = f.Why, muted
		}
		rows[i] = []cell{{{sans, small, ink, f.Title}, {mono, tiny, muted, f.ID}}, {{sans, small, color, f.Shown}}, {{sans, small, muted, from}}}
	}
	p.table(section{}, []float64{72, 46, 60}, []string{"Fact", "Value", "Where from, or why it was not measured"}, rows)
}

func (p *paper) evidence() {
	p.heading("Evidence", 0, true)
	const acts = "Acts in the audit log"
	if len(p.r.Acts) == 0 {
		p.heading(acts, 1, false)
		p.paragraph(run{sans, 9, ink, "None of the acts that are evidence happened in the period."}, wide)
	} else {
		rows := make([][]cell, len(p.r.Acts))
		for i := range p.r.Acts {
			a := &p.r.Acts[i]
			rows[i] = []cell{{{mono, small, ink, a.Action}}, {{sans, small, ink, number(a.N)}}, {{sans, small, ink, number(a.Seq)}}, {{sans, small, ink, when(a.At)}}}
		}
		p.table(section{title: acts}, []float64{70, 30, 30, 48}, []string{"Act", "In the period", "Newest entry", "Time"}, rows)
	}
	p.heading("Checkpoint of the audit log", 1, false)
	a := p.r.Audit
	for _, f := range [][2]string{{"Entries", number(a.Size)}, {"Root", a.Root}, {"Public key", a.PublicKey}, {"Signed line", a.Line}} {
		p.row([]float64{32, wide - 32}, []cell{{{sans, small, muted, f[0]}}, {{mono, tiny, ink, f[1]}}}, false)
	}
	p.doc.Ln(2)
	p.paragraph(run{sans, 9, ink, "The entry export-compliance that follows in the audit log holds the SHA-256 of this file. With both, and honeyguide audit prove, anybody can show that the file is unchanged."}, wide)
}
