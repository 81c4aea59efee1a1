package comply

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/safetext"
)

// Status is how a control stands.
type Status string

// The statuses.
const (
	Met         Status = "met"
	Partly      Status = "partly"
	Gap         Status = "gap"
	NotMeasured Status = "not measured"
	Outside     Status = "outside" // the organisation's own
)

// Statuses lists them in the order they are shown in.
func Statuses() []Status { return []Status{Met, Partly, Gap, NotMeasured, Outside} }

// An Assessment says how one installation stands against one framework.
type Assessment struct {
	Schema    string         `json:"schema" doc:"honeyguide.compliance/1"`
	Framework FrameworkAbout `json:"framework"`
	Node      string         `json:"node"`
	Version   string         `json:"version"`
	At        time.Time      `json:"at"`
	Since     time.Time      `json:"since" doc:"begin of the period of what is counted over time"`
	Until     time.Time      `json:"until"`
	By        string         `json:"by" doc:"who asked for it"`
	Counts    map[Status]int `json:"counts" doc:"controls by status"`
	Controls  int            `json:"controls"`
	Rows      []ControlRow   `json:"rows"`
	Gaps      []Shortfall    `json:"gaps" doc:"what is missing, the heaviest first"`
	Facts     []Fact         `json:"facts"`
	Acts      []CountedAct   `json:"acts" doc:"acts of the audit log that are named as evidence"`
	Audit     SignedPoint    `json:"audit" doc:"what the audit log signed for when the report was made"`
}

// Schema names the form of the JSON.
const Schema = "honeyguide.compliance/1"

// A FrameworkAbout names a framework.
type FrameworkAbout struct {
	ID     string `json:"id"`
	Name   string `json:"name"`
	Short  string `json:"short"`
	Source string `json:"source" doc:"where its text can be had"`
	About  string `json:"about"`
}

// A ControlRow is one control.
type ControlRow struct {
	ID       string        `json:"id"`
	Part     string        `json:"part"`
	Group    string        `json:"group"`
	GroupIs  string        `json:"group_title"`
	GroupOwn string        `json:"group_own,omitempty" doc:"what the organisation writes about the whole group"`
	Title    string        `json:"title"`
	Asks     string        `json:"asks"`
	Status   Status        `json:"status" enum:"met,partly,gap,not measured,outside"`
	Weight   int           `json:"weight" doc:"1 to 3; 0: outside"`
	Answers  []CheckAnswer `json:"answers" doc:"of the checks it stands on"`
	Own      string        `json:"own,omitempty" doc:"what the organisation writes or adds"`
	Evidence []Reference   `json:"evidence" doc:"of all its checks, each once"`
}

// A CheckAnswer is what one check found.
type CheckAnswer struct {
	Check  string   `json:"check"`
	Title  string   `json:"title"`
	Status Status   `json:"status" enum:"met,partly,gap,not measured"`
	Rule   string   `json:"rule" doc:"when it is met"`
	Facts  []string `json:"facts"`
	Found  string   `json:"found" doc:"the values the rule was held against"`
	Says   string   `json:"says,omitempty" doc:"what is missing, or why nothing was measured"`
	Mend   string   `json:"mend,omitempty"`

	Evidence []Reference `json:"evidence"`
}

// A Reference is where something can be looked at.
type Reference struct {
	Kind string `json:"kind" enum:"api,config,doc,audit"`
	Ref  string `json:"ref" doc:"a path, a key, a file, or the number of an entry"`
	Text string `json:"text,omitempty"`
}

// A Shortfall is one check that is not met, and the controls that stand on it.
type Shortfall struct {
	Check    string   `json:"check"`
	Title    string   `json:"title"`
	Status   Status   `json:"status" enum:"partly,gap,not measured"`
	Weight   int      `json:"weight"`
	Says     string   `json:"says"`
	Mend     string   `json:"mend"`
	Controls []string `json:"controls"`
}

// Assess holds facts against a framework.
func Assess(fw *Framework, f *Facts, by string) (*Assessment, error) {
	lib, err := shelf()
	if err != nil {
		return nil, err
	}
	r := &Assessment{
		Schema: Schema, Framework: FrameworkAbout{fw.ID, fw.Name, fw.Short, fw.Source, fw.About}, Node: safetext.TermN(f.Node, 200), Version: safetext.TermN(f.Version, 100),
		At: f.At, Since: f.Since, Until: f.Until, By: safetext.TermN(by, 200), Audit: f.Checkpoint, Counts: map[Status]int{}, Facts: f.List(), Gaps: []Shortfall{}, Acts: []CountedAct{},
	}
	for _, s := range Statuses() {
		r.Counts[s] = 0
	}
	gaps, acts := map[string]*Shortfall{}, map[string]bool{}
	for i := range fw.Groups {
		g := &fw.Groups[i]
		if len(g.Controls) == 0 {
			r.add(ControlRow{ID: g.ID, Part: g.Part, Group: g.ID, GroupIs: g.Title, Title: g.Title, Asks: "This part is about the organisation, not about a product.", Status: Outside, Own: g.Own, Answers: []CheckAnswer{}, Evidence: []Reference{}})
		}
		for _, c := range g.Controls {
			row := ControlRow{ID: c.ID, Part: g.Part, Group: g.ID, GroupIs: g.Title, GroupOwn: g.Own, Title: c.Title, Asks: c.Asks, Own: c.Own, Answers: []CheckAnswer{}, Evidence: []Reference{}, Status: Outside}
			for _, id := range c.Checks {
				check := lib.checks[id]
				a := check.answer(f)
				row.Answers = append(row.Answers, a)
				row.Weight = max(row.Weight, check.Weight)
				for _, e := range a.Evidence {
					if !slices.Contains(row.Evidence, e) {
						row.Evidence = append(row.Evidence, e)
					}
				}
				for _, name := range check.Acts {
					acts[name] = true
				}
				if a.Status == Met {
					continue
				}
				m := gaps[id]
				if m == nil {
					m = &Shortfall{Check: id, Title: check.Title, Status: a.Status, Weight: check.Weight, Says: a.Says, Mend: a.Mend}
					gaps[id] = m
				}
				m.Controls = append(m.Controls, c.ID)
			}
			if len(row.Answers) > 0 {
				row.Status = together(row.Answers)
			}
			r.add(row)
		}
	}
	for _, m := range gaps {
		r.Gaps = append(r.Gaps, *m)
	}
	slices.SortFunc(r.Gaps, func(a, b Shortfall) int {
		return cmp.Or(cmp.Compare(heavy(a.Status), heavy(b.Status)), cmp.Compare(b.Weight, a.Weight), cmp.Compare(len(b.Controls), len(a.Controls)), cmp.Compare(a.Check, b.Check))
	})
	for _, a := range f.Acts() {
		if acts[a.Action] {
			r.Acts = append(r.Acts, a)
		}
	}
	return r, nil
}

func (r *Assessment) add(row ControlRow) {
	r.Rows = append(r.Rows, row)
	r.Counts[row.Status]++
	r.Controls++
}

// heavy orders what is missing: what is known to be wrong comes first.
func heavy(s Status) int {
	return slices.Index([]Status{Gap, Partly, NotMeasured}, s)
}

// answer holds a check against facts.
func (c *Check) answer(f *Facts) CheckAnswer {
	a := CheckAnswer{Check: c.ID, Title: c.Title, Rule: rule(c.Met), Facts: c.Facts(), Found: found(c.Met, f), Evidence: c.evidence(f)}
	met, partly := all(c.Met, f), fails
	if len(c.Partly) > 0 {
		partly = all(c.Partly, f)
	}
	switch {
	case len(c.When) > 0 && all(c.When, f) == fails:
		a.Status, a.Says = NotMeasured, c.Idle
		return a
	case met == holds:
		a.Status = Met
		return a
	case met == unknown:
		a.Status, a.Says = NotMeasured, unmeasured(c.Met, f)
	case partly == holds:
		a.Status, a.Says = Partly, fill(c.Gap, f)
	case partly == unknown:
		a.Status, a.Says = NotMeasured, unmeasured(c.Partly, f)
	default:
		a.Status, a.Says = Gap, fill(c.Gap, f)
	}
	a.Mend = c.Mend
	return a
}

// unmeasured says what is not known, and why.
func unmeasured(tests []Test, f *Facts) string {
	var out []string
	for _, t := range tests {
		if x := f.Get(t.Fact); !x.Known {
			out = append(out, x.Title+": "+x.Why+".")
		}
	}
	slices.Sort(out)
	return "Not known. " + strings.Join(slices.Compact(out), " ")
}

// rule writes when a check is met.
func rule(tests []Test) string {
	out := make([]string, len(tests))
	for i, t := range tests {
		out[i] = t.String()
	}
	return strings.Join(out, " and ")
}

// found writes what was measured of the facts a rule asks for.
func found(tests []Test, f *Facts) string {
	out := make([]string, len(tests))
	for i, t := range tests {
		x := f.Get(t.Fact)
		out[i] = t.Fact + ": " + x.Shown
	}
	return strings.Join(slices.Compact(out), "; ")
}

// together is the status of a control of several checks. It is met only when
// every check is; one that nobody measured leaves it open unless something is
// known to be missing.
func together(list []CheckAnswer) Status {
	n := map[Status]int{}
	for _, a := range list {
		n[a.Status]++
	}
	switch {
	case n[Met] == len(list):
		return Met
	case n[Gap] == len(list), n[Gap] > 0 && n[Gap]+n[NotMeasured] == len(list):
		return Gap
	case n[Gap]+n[Partly] > 0:
		return Partly
	}
	return NotMeasured
}

// evidence is where a check's facts can be looked at.
func (c *Check) evidence(f *Facts) []Reference {
	var out []Reference
	for _, s := range c.See {
		kind, at, _ := strings.Cut(s, ":")
		out = append(out, Reference{Kind: kind, Ref: at})
	}
	for _, name := range c.Acts {
		if a, ok := f.acts[name]; ok {
			out = append(out, Reference{Kind: "audit", Ref: number(a.Seq), Text: actText(&a)})
		}
	}
	return out
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// actText says in a few words what entry of an act is meant.
func actText(a *CountedAct) string {
	return a.Action + ", newest of " + number(a.N) + ", " + a.At.UTC().Format("2006-01-02 15:04")
}
