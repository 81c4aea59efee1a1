package sigma

import (
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

// A claimable is a rule as alerts carry it.
type claimable struct {
	rule    detect.Rule
	attacks []honeyguide.Technique
	entry   *rulebook.Entry
}

// claimable makes what a document of the book claims.
func newClaimable(m *sigma.Meta, x *rulebook.Entry) *claimable {
	ids, tactics := tagged(m.Tags)
	c := &claimable{entry: x, rule: detect.Rule{
		ID: "sigma:" + clip(x.ID(), 120), Title: clip(m.Title, 200), Severity: m.Level, Category: category(ids, tactics),
	}}
	for _, id := range ids {
		t := attack.Of(id, clip(m.Title, 120))
		if t.Tactic == "" && len(tactics) > 0 {
			t.Tactic = tactics[0]
		}
		// Of several tactics a technique belongs to, the rule means those it names.
		if known, ok := attack.Lookup(id); ok {
			for _, tactic := range tactics {
				if slices.Contains(known.Tactics, tactic) {
					t.Tactic = tactic
					break
				}
			}
		}
		c.attacks = detect.UniteAttacks(c.attacks, t)
	}
	return c
}

// tagged reads attack.t1059.004 and attack.execution.
func tagged(tags []string) (ids, tactics []string) {
	for _, tag := range tags {
		word, ok := strings.CutPrefix(strings.ToLower(tag), "attack.")
		if !ok {
			continue
		}
		if id := strings.ToUpper(word); isTechnique(id) {
			ids = append(ids, id)
			continue
		}
		word = strings.NewReplacer("-", " ", "_", " ").Replace(word)
		if id := attack.TacticID(word); id != "" {
			tactics = append(tactics, id)
		} else if word == "stealth" || word == "defense impairment" { // what defense evasion was split into
			tactics = append(tactics, "TA0005")
		}
	}
	return ids, tactics
}

func isTechnique(id string) bool {
	digits, sub, _ := strings.Cut(strings.TrimPrefix(id, "T"), ".")
	return strings.HasPrefix(id, "T") && len(digits) == 4 && strings.Trim(digits+sub, "0123456789") == ""
}

// categories are the threat categories by tactic.
var categories = map[string]string{
	"TA0043": honeyguide.CategoryRecon, "TA0042": honeyguide.CategoryMalware, "TA0001": honeyguide.CategoryIntrusion,
	"TA0002": honeyguide.CategoryIntrusion, "TA0003": honeyguide.CategoryPersistence, "TA0004": honeyguide.CategoryPrivilege,
	"TA0005": honeyguide.CategoryEvasion, "TA0006": honeyguide.CategoryIntrusion, "TA0007": honeyguide.CategoryRecon,
	"TA0008": honeyguide.CategoryLateral, "TA0009": honeyguide.CategoryExfiltration, "TA0010": honeyguide.CategoryExfiltration,
	"TA0011": honeyguide.CategoryMalware, "TA0040": honeyguide.CategoryMalware,
}

// category is that of the first tactic named, else of the first technique's.
func category(ids, tactics []string) string {
	for _, id := range ids {
		if strings.HasPrefix(id, "T1110") {
			return honeyguide.CategoryFailedAuth
		}
		if t, ok := attack.Lookup(id); ok && len(tactics) == 0 {
			tactics = t.Tactics
		}
	}
	if len(tactics) > 0 {
		return categories[tactics[0]]
	}
	return honeyguide.CategoryIntrusion
}

// claim adds the alert of a rule that fired, and those of correlations that
// fire by it.
func (d *detector) claim(e *honeyguide.Event, rec *sigma.Record, r *sigma.Rule, out []honeyguide.Alert) []honeyguide.Alert {
	c := d.claims[r]
	if c == nil {
		x := d.ed.Of(r)
		c = newClaimable(&r.Meta, x)
		d.claims[r] = c
	}
	d.book.Hit(c.entry, e)
	if !c.entry.Hidden {
		a := detect.Claim("sigma", &c.rule, e, "", rulebook.Gist(e))
		a.Attacks = slices.Clone(c.attacks)
		if n := d.told.At(a.DedupeKey); *n < d.cfg.Explained {
			*n++
			for _, why := range rulebook.Reasons(d.ed.Engine, d.scratch, rec, r) {
				a.Evidence = append(a.Evidence, honeyguide.Evidence{EventID: e.ID, Time: e.Time, Text: why})
			}
		}
		out = append(out, a)
	}
	if d.chains != nil && d.chains.Watches(r) {
		who := *e
		who.Attrs, who.Raw, who.Observables = nil, nil, nil
		*d.feeders.At(e.ID) = who
		for _, f := range d.chains.Hit(r, timely(rec, e)) {
			out = append(out, d.chain(&f))
		}
	}
	return out
}

// pass tells correlations that time has passed: some fire at the end of a span
// in which too little happened.
func (d *detector) pass(e *honeyguide.Event, out []honeyguide.Alert) []honeyguide.Alert {
	now := when(e)
	if d.chains == nil || now.Sub(d.passed) < time.Second {
		return out
	}
	d.passed = now
	for _, f := range d.chains.Advance(now) {
		out = append(out, d.chain(&f))
	}
	return out
}

// skew is how far before its arrival a clock may run that is believed.
const skew = 5 * time.Minute

// timely returns the record with a time correlations can use: a clock that runs
// ahead would end every span of the others.
func timely(rec *sigma.Record, e *honeyguide.Event) *sigma.Record {
	rec.Time = when(e)
	return rec
}

func when(e *honeyguide.Event) time.Time {
	if !e.Observed.IsZero() && e.Time.After(e.Observed.Add(skew)) {
		return e.Observed
	}
	return e.Time
}

// chain is the alert of a correlation: about the last event it counted.
func (d *detector) chain(f *sigma.Finding) honeyguide.Alert {
	e := &honeyguide.Event{Time: f.Last, Observed: f.Last}
	if n := len(f.Events); n > 0 {
		e.ID = f.Events[n-1]
		if who, ok := d.feeders.Peek(e.ID); ok {
			e = who
		}
	}
	c := d.chained[f.Rule]
	if c == nil {
		c = newClaimable(&f.Rule.Meta, d.entry(f.Rule))
		d.chained[f.Rule] = c
	}
	d.book.Hit(c.entry, e)
	var group strings.Builder
	for _, v := range f.Group {
		group.WriteString(v.Name + "=" + clip(v.Text, 100) + " ")
	}
	text := f.Why
	if group.Len() > 0 {
		text = strings.TrimSpace(group.String()) + ": " + text
	}
	a := detect.Claim("sigma", &c.rule, e, group.String(), text)
	a.Attacks = slices.Clone(c.attacks)
	a.Time, a.LastAt, a.Count = f.First, f.Last, int64(f.Count)
	if ids := f.Events; len(ids) > 0 {
		a.EventIDs = slices.Clone(ids[:min(len(ids), honeyguide.MaxEvidence)])
	}
	return a
}

// entry finds the entry of a correlation, which may be of an earlier edition
// with the same correlations.
func (d *detector) entry(c *sigma.Correlation) *rulebook.Entry {
	if x := d.ed.OfCorrelation(c); x != nil {
		return x
	}
	if x, ok := d.ed.Find(c.Key()); ok {
		return x
	}
	return d.chainOf.OfCorrelation(c)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
