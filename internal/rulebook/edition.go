package rulebook

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/sigma"
)

// Origins of rules.
const (
	OriginShipped = "shipped" // with the product
	OriginOwn     = "own"     // from the operator's folder
)

// An Entry is one rule or correlation of an edition, in force or not.
type Entry struct {
	Meta        *sigma.Meta
	Rule        *sigma.Rule        // nil for a correlation
	Correlation *sigma.Correlation // nil for a rule
	Origin      string
	Off         *Switch // who switched it off; nil: it is in force
	Hidden      bool    // it only feeds correlations
	track       *track
}

// ID returns the id alerts and the API call the entry by: its name, else its
// id, else its title.
func (e *Entry) ID() string { return cmp.Or(e.Meta.Name, e.Meta.ID, e.Meta.Title) }

// An Edition is one reading of all rules. It does not change.
type Edition struct {
	Number  int64
	Loaded  time.Time
	Engine  *sigma.Engine
	Rules   []*Entry // by id
	InForce int
	Faults  []sigma.Fault // by file and line

	set    sigma.Ruleset
	from   *loaded // for the next edition, if only switches change
	by     map[string]*Entry
	byRule map[*sigma.Rule]*Entry
	byCorr map[*sigma.Correlation]*Entry
	chains string // says whether two editions have the same correlations
}

// Find returns the entry called by an id, a name or a title.
func (e *Edition) Find(key string) (*Entry, bool) {
	x, ok := e.by[strings.TrimPrefix(key, "sigma:")]
	return x, ok
}

// Of returns the entry of a rule in force.
func (e *Edition) Of(r *sigma.Rule) *Entry { return e.byRule[r] }

// OfCorrelation returns the entry of a correlation in force.
func (e *Edition) OfCorrelation(c *sigma.Correlation) *Entry { return e.byCorr[c] }

// Correlator returns a fresh correlator of the edition's correlations, nil when
// there are none.
func (e *Edition) Correlator() *sigma.Correlator {
	if len(e.set.Correlations) == 0 {
		return nil
	}
	k, _ := sigma.NewCorrelator(&e.set) // its faults are the edition's already
	return k
}

// Correlates reports whether a correlator of e may go on under f: both have the
// same correlations over the same rules.
func (e *Edition) Correlates(f *Edition) bool { return e.chains == f.chains }

// edition makes an edition of what was loaded. The caller holds mu.
func (b *Book) edition(l *loaded) *Edition {
	e := &Edition{from: l, by: map[string]*Entry{}, byRule: map[*sigma.Rule]*Entry{}, byCorr: map[*sigma.Correlation]*Entry{}}
	e.Faults = append(slices.Clone(l.shipped.Faults), l.own.Faults...)
	e.take(b, &l.own, OriginOwn)
	e.take(b, &l.shipped, OriginShipped)
	var faults []sigma.Fault
	e.Engine, faults = sigma.NewEngine(&e.set)
	e.Faults = append(e.Faults, faults...)
	if len(e.set.Correlations) > 0 {
		k, faults := sigma.NewCorrelator(&e.set)
		e.Faults = append(e.Faults, faults...)
		for r, x := range e.byRule {
			x.Hidden = k.Hidden(r)
		}
	}
	e.chains = chains(&e.set)
	slices.SortFunc(e.Rules, func(a, b *Entry) int { return strings.Compare(a.ID(), b.ID()) })
	sorted(e.Faults)
	return e
}

// take puts the rules of a set into the edition. Own rules come first: one of
// them with the id or name of a shipped one stands in its place.
func (e *Edition) take(b *Book, set *sigma.Ruleset, origin string) {
	for _, r := range set.Rules {
		if x := e.enter(b, &r.Meta, origin); x != nil {
			x.Rule = r
			if x.Off == nil {
				e.set.Rules = append(e.set.Rules, r)
				e.byRule[r] = x
			}
		}
	}
	for _, c := range set.Correlations {
		if x := e.enter(b, &c.Meta, origin); x != nil {
			x.Correlation = c
			if x.Off == nil {
				e.set.Correlations = append(e.set.Correlations, c)
				e.byCorr[c] = x
			}
		}
	}
	e.set.Filters = append(e.set.Filters, set.Filters...)
}

// enter lists a document; nil when another of the same id or name is there.
func (e *Edition) enter(b *Book, m *sigma.Meta, origin string) *Entry {
	x := &Entry{Meta: m, Origin: origin, track: b.track(m.Key())}
	for _, key := range []string{m.ID, m.Name} {
		if old := e.by[key]; key != "" && old != nil {
			if old.Origin == origin {
				e.Faults = append(e.Faults, sigma.Fault{
					File: m.File, Line: m.Line, Rule: m.Key(), Kind: sigma.FaultError, Field: "id",
					Why: fmt.Sprintf("%s is called %q already; give this rule an id and a name of its own", old.Meta.File, key),
				})
			}
			return nil
		}
	}
	for _, key := range []string{m.ID, m.Name, m.Title} {
		if key != "" && e.by[key] == nil {
			e.by[key] = x
		}
	}
	if off, ok := b.off[m.Key()]; ok {
		x.Off = &off
	} else {
		e.InForce++
	}
	e.Rules = append(e.Rules, x)
	return x
}

// chains describes the correlations of a set and the rules they may name.
func chains(set *sigma.Ruleset) string {
	if len(set.Correlations) == 0 {
		return ""
	}
	var b strings.Builder
	known := map[string]bool{}
	for _, c := range set.Correlations {
		fmt.Fprintf(&b, "%q %q %q %q %q %q %v %v %v\n", c.Key(), c.Type, c.Rules, c.GroupBy, c.Fields, c.Timespan, c.Bounds, c.Aliases, c.Generate)
		for _, r := range c.Rules {
			known[r] = true
		}
	}
	for _, r := range set.Rules {
		if known[r.ID] || known[r.Name] {
			fmt.Fprintf(&b, "%q %q\n", r.ID, r.Name)
		}
	}
	return b.String()
}
