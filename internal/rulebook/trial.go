package rulebook

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// A Trial counts what rules would have done to events of the past. Feed it in
// the order of the log.
type Trial struct {
	bench  *Bench
	chains *sigma.Correlator
	events int64
	shown  int64
	first  time.Time
	last   time.Time
	by     map[string]*tally
}

// tally is what one rule did.
type tally struct {
	hits     int64
	days     map[string]int64
	sources  map[string]bool
	examples []Hit
}

// Bounds of what a trial remembers.
const (
	maxExamples = 10
	maxSourced  = 100_000 // sources of one rule
)

// A Hit is one event a rule fired on.
type Hit struct {
	Event   string    `json:"event"`
	Time    time.Time `json:"time"`
	Source  string    `json:"source"`
	Text    string    `json:"text"`
	Reasons []string  `json:"reasons"`
}

// A Result is what a trial found.
type Result struct {
	Events  int64        `json:"events" doc:"read"`
	Records int64        `json:"records" doc:"of them shown to the rules"`
	From    time.Time    `json:"from,omitzero" doc:"time of the first event read"`
	To      time.Time    `json:"to,omitzero" doc:"time of the last one"`
	Rules   []RuleResult `json:"rules"`
	Next    int64        `json:"next" doc:"number of the event to go on behind; 0: everything was read"`
}

// A RuleResult is what one rule did.
type RuleResult struct {
	ID       string           `json:"id"`
	Title    string           `json:"title"`
	Hits     int64            `json:"hits" doc:"events"`
	Sources  int64            `json:"sources" doc:"different ones: each is an alert"`
	Days     map[string]int64 `json:"days" doc:"hits by day, UTC"`
	Examples []Hit            `json:"examples" doc:"the first of them"`
}

// NewTrial returns a trial of the rules on a bench.
func NewTrial(b *Bench) *Trial {
	return &Trial{bench: b, chains: b.ed.Correlator(), by: map[string]*tally{}}
}

// Add shows the next event to the rules.
func (t *Trial) Add(e *honeyguide.Event) {
	t.events++
	if t.first.IsZero() {
		t.first = e.Time
	}
	t.last = e.Time
	b := t.bench
	if t.chains != nil {
		for _, f := range t.chains.Advance(e.Time) {
			t.hit(b.ed.OfCorrelation(f.Rule), e, func() []string { return []string{f.Why} })
		}
	}
	records := b.view.Records(b.ed, e)
	t.shown += int64(len(records))
	var seen []*sigma.Rule
	for i := range records {
		for _, r := range b.ed.Engine.Match(b.scratch, &records[i], nil) {
			if slices.Contains(seen, r) {
				continue
			}
			seen = append(seen, r)
			t.hit(b.ed.Of(r), e, func() []string { return b.Reasons(r, &records[i]) })
			if t.chains == nil {
				continue
			}
			for _, f := range t.chains.Hit(r, &records[i]) {
				t.hit(b.ed.OfCorrelation(f.Rule), e, func() []string { return []string{f.Why} })
			}
		}
	}
}

func (t *Trial) hit(x *Entry, e *honeyguide.Event, why func() []string) {
	id := x.ID()
	n := t.by[id]
	if n == nil {
		n = &tally{days: map[string]int64{}, sources: map[string]bool{}}
		t.by[id] = n
	}
	n.hits++
	n.days[e.Time.UTC().Format(time.DateOnly)]++
	from := cmp.Or(address(e.Src.Addr), e.Str(honeyguide.AttrDevice), e.Sensor)
	if len(n.sources) < maxSourced {
		n.sources[from] = true
	}
	if len(n.examples) < maxExamples {
		n.examples = append(n.examples, Hit{Event: e.ID, Time: e.Time, Source: from, Text: Gist(e), Reasons: why()})
	}
}

// Result returns what was counted so far, for every rule that is not hidden.
func (t *Trial) Result() Result {
	res := Result{Events: t.events, Records: t.shown, From: t.first, To: t.last, Rules: []RuleResult{}}
	for _, x := range t.bench.ed.Rules {
		if x.Hidden {
			continue
		}
		one := RuleResult{ID: x.ID(), Title: x.Meta.Title, Days: map[string]int64{}, Examples: []Hit{}}
		if n := t.by[x.ID()]; n != nil {
			one.Hits, one.Sources, one.Days = n.hits, int64(len(n.sources)), n.days
			one.Examples = append(one.Examples, n.examples...)
		}
		res.Rules = append(res.Rules, one)
	}
	return res
}

// Join adds the result of the events behind those of r. Sources seen in both
// count twice.
func (r *Result) Join(later Result) {
	r.Events += later.Events
	r.Records += later.Records
	r.Next = later.Next
	if r.From.IsZero() {
		r.From = later.From
	}
	if !later.To.IsZero() {
		r.To = later.To
	}
	for _, x := range later.Rules {
		i := slices.IndexFunc(r.Rules, func(y RuleResult) bool { return y.ID == x.ID })
		if i < 0 {
			r.Rules = append(r.Rules, x)
			continue
		}
		y := &r.Rules[i]
		y.Hits += x.Hits
		y.Sources += x.Sources
		y.Days = maps.Clone(y.Days)
		for day, n := range x.Days {
			y.Days[day] += n
		}
		y.Examples = append(y.Examples, x.Examples[:min(len(x.Examples), max(0, maxExamples-len(y.Examples)))]...)
	}
}

// Reasons says which values make a rule fire on a record, a line each.
func (b *Bench) Reasons(r *sigma.Rule, rec *sigma.Record) []string {
	return Reasons(b.ed.Engine, b.scratch, rec, r)
}

// maxReasons bounds the values quoted of one event.
const maxReasons = 6

// Reasons says which values make a rule fire on a record, a line each: they
// hold the attacker's own words.
func Reasons(e *sigma.Engine, s *sigma.Scratch, rec *sigma.Record, r *sigma.Rule) []string {
	// A record is made of a map: in the order of names the same value is found
	// first each time.
	slices.SortStableFunc(rec.Fields, func(x, y sigma.Field) int { return strings.Compare(x.Name, y.Name) })
	out := []string{}
	for i, why := range e.Explain(s, rec, r) {
		if i == maxReasons {
			break
		}
		has := ""
		if why.Wanted != "" {
			has = " has " + strconv.Quote(clip(why.Wanted, 120)) + ":"
		}
		out = append(out, clip(why.Selection, 64)+": "+clip(cmp.Or(why.Field, "the event"), 64)+has+" "+strconv.Quote(clip(why.Value, 200)))
	}
	return out
}

// gists are the attributes that tell most of an event, best first.
var gists = []string{
	honeyguide.AttrCommand, honeyguide.AttrURL, unmapped + "CommandLine", unmapped + "ScriptBlockText", unmapped + "TargetObject", unmapped + "TargetFilename",
	unmapped + "Image", honeyguide.AttrPath, honeyguide.AttrMessage, honeyguide.AttrDetail, honeyguide.AttrClient, honeyguide.AttrRule, "query.hostname",
}

// Gist returns the telling line of an event, in the attacker's own words.
func Gist(e *honeyguide.Event) string {
	for _, name := range gists {
		if s := e.Str(name); s != "" {
			if name == honeyguide.AttrURL {
				s = strings.TrimSpace(e.Str(honeyguide.AttrMethod) + " " + s)
			}
			return clip(s, 500)
		}
	}
	if user := e.Str(honeyguide.AttrUser); user != "" {
		return clip(e.Service+" "+user+" / "+e.Str(honeyguide.AttrPassword), 500)
	}
	return clip(e.Activity+" "+string(e.Raw[:min(len(e.Raw), 500)]), 500)
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
