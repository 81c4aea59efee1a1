// Package sigma raises alerts where Sigma rules fire: each rule of the book that
// is in force, and each correlation of them.
//
// An event is shown to the rules as records (see package rulebook); a rule that
// fires on any of them fires on the event, once. The alert names the rule, its
// level and ATT&CK tags, and says which values made it fire.
package sigma

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/kind"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
	"honeyguide/rules"
)

// Kind is the Sigma detector.
var Kind = kind.Of("sigma", "Sigma rules: those the product ships and your own.", Config{Explained: 3, MaxAlerts: 20_000}, open)

// Config configures the Sigma detector.
type Config struct {
	Explained int `yaml:"explained"`  // how often one rule about one source says which values made it fire
	MaxAlerts int `yaml:"max_alerts"` // pairs of rule and source remembered for that
}

// A detector judges events one after the other. Not safe for concurrent use.
type detector struct {
	cfg  Config
	book *rulebook.Book
	wall func() time.Time // measures work; says nothing about events

	ed      *rulebook.Edition
	view    *rulebook.Adapter
	scratch *sigma.Scratch
	chains  *sigma.Correlator                // nil: there are no correlations
	chainOf *rulebook.Edition                // that chains was made for
	feeders *detect.Memory[honeyguide.Event] // by id: events correlations have counted, without their bulk
	passed  time.Time                        // correlations know of
	claims  map[*sigma.Rule]*claimable
	chained map[*sigma.Correlation]*claimable
	told    *detect.Memory[int] // by dedupe key: how often it was explained

	hits  []*sigma.Rule // of one record; reused
	fired []firing      // of one event; reused
	count int           // events, for sampling
	timed bool          // this event is a sample
}

// A firing is a rule and the record it fired on.
type firing struct {
	rule *sigma.Rule
	at   int
}

var _ detect.Detector = (*detector)(nil)

func open(ctx context.Context, cfg Config, dep detect.Deps) (detect.Detector, error) {
	book := dep.Rules
	if book == nil {
		shipped, err := rulebook.Shipped(rules.Sigma)
		if err != nil {
			return nil, err
		}
		if book, err = rulebook.Open(ctx, rulebook.Options{Shipped: shipped, Log: dep.Log}); err != nil {
			return nil, err
		}
	}
	return &detector{
		cfg: cfg, book: book, wall: time.Now, view: rulebook.NewAdapter(book.Saw),
		told:    detect.NewMemory(max(cfg.MaxAlerts, 1), func() int { return 0 }),
		feeders: detect.NewMemory(max(cfg.MaxAlerts, 1), func() honeyguide.Event { return honeyguide.Event{} }),
	}, nil
}

// Detect claims what rules fire on.
func (d *detector) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	var out []honeyguide.Alert
	for i := range batch {
		d.count++
		if d.timed = d.count%rulebook.Sampled == 0; !d.timed {
			out = d.event(&batch[i], out)
			continue
		}
		began := d.wall()
		out = d.event(&batch[i], out)
		d.book.Matched(d.wall().Sub(began))
	}
	return out, nil
}

// match returns the rules that fire on a record.
func (d *detector) match(r *sigma.Record) []*sigma.Rule {
	if d.timed {
		return d.ed.Engine.MatchTimed(d.scratch, r, d.hits[:0], d.wall, d.ed.Spent)
	}
	return d.ed.Engine.Match(d.scratch, r, d.hits[:0])
}

// event judges one event by the edition in force now.
func (d *detector) event(e *honeyguide.Event, out []honeyguide.Alert) []honeyguide.Alert {
	if ed := d.book.Current(); ed != d.ed {
		d.take(ed)
	}
	out = d.pass(e, out)
	records := d.view.Records(d.ed, e)
	if len(records) == 0 {
		return out
	}
	d.fired = d.fired[:0]
	for i := range records {
		d.hits = d.match(&records[i])
		for _, r := range d.hits {
			if !d.has(r) {
				d.fired = append(d.fired, firing{r, i})
			}
		}
	}
	for _, f := range d.fired {
		out = d.claim(e, &records[f.at], f.rule, out)
	}
	return out
}

// has reports whether a rule fired on an earlier record of the event.
func (d *detector) has(r *sigma.Rule) bool {
	for i := range d.fired {
		if d.fired[i].rule == r {
			return true
		}
	}
	return false
}

// take goes on with another edition. What correlations have counted so far
// stays when the new one has the same.
func (d *detector) take(ed *rulebook.Edition) {
	if d.chainOf == nil || !ed.Correlates(d.chainOf) {
		before := d.chains
		d.chains, d.chainOf = ed.Correlator(), ed
		d.goOn(before)
	}
	d.ed, d.scratch = ed, ed.Engine.NewScratch()
	d.claims, d.chained = map[*sigma.Rule]*claimable{}, map[*sigma.Correlation]*claimable{}
}
