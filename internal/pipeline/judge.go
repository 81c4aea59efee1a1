package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// memoryOfKeys bounds what the judge remembers of observables and alerts.
const memoryOfKeys = 100_000

// A judge turns records into what follows from them. It is deterministic: what
// it says depends on the events alone, in their order, not on how they are cut
// into batches.
type judge struct {
	detectors []Detector
	triage    *detect.Triage
	ties      *detect.Correlator
	told      *detect.Memory[told] // by dedupe key
	log       *slog.Logger
	failed    func(detector string)
	observers []int              // of detectors
	claims    []honeyguide.Alert // about the event at hand, for observers

	known     eventlog.Seq // what triage remembered at the start goes up to here
	since     int          // events since it was last written down
	noted     time.Time    // when the last of them was observed
	keepers   []int        // of detectors
	learnt    []learnt     // before this start, not yet given back
	keptAt    time.Time    // when what keepers learnt was kept last
	keptSeq   eventlog.Seq
	keepPause time.Duration // before it is kept again under a flood
}

// What triage remembers is written down this often, so that what it missed by a
// crash is among the events that are read again.
const (
	noteEvents = 30_000
	noteSpan   = 20 * time.Minute
)

// quoted is how many events an alert quotes before it only counts them.
const quoted = 20

// told is what has been claimed about one thing so far: the most severe title,
// and how many lines of evidence.
type told struct {
	severity honeyguide.Severity
	title    string
	lines    int
}

func newJudge(detectors []Detector, triage detect.TriageConfig, log *slog.Logger, failed func(string)) *judge {
	var observers, keepers []int
	for i := range detectors {
		if _, ok := detectors[i].Detector.(detect.Observer); ok {
			observers = append(observers, i)
		}
		if _, ok := detectors[i].Detector.(detect.Keeper); ok {
			keepers = append(keepers, i)
		}
	}
	return &judge{
		observers: observers, keepers: keepers,
		detectors: detectors, triage: detect.NewTriage(triage), ties: detect.NewCorrelator(memoryOfKeys),
		told: detect.NewMemory(memoryOfKeys, func() told { return told{} }), log: log, failed: failed,
	}
}

// A verdict is what follows from the events of one transaction.
type verdict struct {
	from, to eventlog.Seq
	events   int
	merged   detect.Merger
	keys     map[string][]string // by dedupe key: the attackers the alert ties together
	sessions *tally
	exposed  []honeyguide.Exposure
	used     []use
	seen     []sight
	counts   map[counted]int64 // of events

	memory   []byte // what triage remembered, nil when it was not written down
	memoryAt eventlog.Seq
	kept     *kept // nil mostly
}

func newVerdict(from eventlog.Seq) *verdict {
	return &verdict{from: from, to: from, keys: map[string][]string{}, sessions: newTally(), counts: map[counted]int64{}}
}

// A use is one return of a token.
type use struct {
	token, event string
	e            *honeyguide.Event
}

// judge adds records to a verdict. It hands the detectors one event at a time,
// so that triage and correlation see the claims of all detectors in the order
// of the events.
func (j *judge) judge(ctx context.Context, v *verdict, recs []eventlog.Record) {
	one := make([]honeyguide.Event, 1)
	for i := range recs {
		e := &recs[i].Event
		if len(j.learnt) > 0 {
			j.recall(ctx, recs[i].Seq)
		}
		v.events++
		v.to = recs[i].Seq
		v.sessions.add(e)
		v.token(e)
		v.sample(e)
		v.count(e)
		one[0] = *e
		j.triage.Sleep(recs[i].Seq <= j.known)
		for d := range j.detectors {
			for _, a := range j.ask(ctx, &j.detectors[d], one, nil) {
				if len(j.observers) > 0 {
					j.claims = append(j.claims, a)
				}
				j.claim(v, &a, &one[0])
			}
		}
		if len(j.claims) > 0 {
			j.observe(ctx, v, one)
		}
	}
	j.since += len(recs)
}

// note writes down what triage remembers after recs when it is time.
func (j *judge) note(v *verdict, recs []eventlog.Record) {
	if len(recs) == 0 {
		return
	}
	seen := recs[len(recs)-1].Event.Observed
	if j.since < noteEvents && seen.Sub(j.noted) < noteSpan {
		return
	}
	v.memory, v.memoryAt = j.triage.Memory(), v.to
	j.since, j.noted = 0, seen
}

// claim scores one claim about an event and merges it into the verdict.
func (j *judge) claim(v *verdict, a *honeyguide.Alert, e *honeyguide.Event) {
	j.triage.Score(a, e, v.merged.Score(a.DedupeKey))
	keys := v.keys[a.DedupeKey]
	for _, k := range j.ties.Keys(a) {
		if !slices.Contains(keys, k) {
			keys = append(keys, k)
		}
	}
	v.keys[a.DedupeKey] = keys
	a.Proven = a.Proven || e.Proven() && attackerAddr(a.Attacker) == state.Addr(e.Src)
	v.sessions.alert(a)
	t := j.told.At(a.DedupeKey)
	if a.Severity > t.severity {
		t.severity, t.title = a.Severity, a.Title
	}
	a.Title = t.title
	// What a flood repeats is counted, not quoted: evidence shows how it began.
	if t.lines >= quoted {
		a.EventIDs, a.Evidence = nil, nil
	}
	t.lines += len(a.Evidence)
	v.merged.Add(*a)
}

// observe shows the claims about an event to those who look at claims.
func (j *judge) observe(ctx context.Context, v *verdict, one []honeyguide.Event) {
	for _, d := range j.observers {
		for _, a := range j.ask(ctx, &j.detectors[d], one, j.claims) {
			j.claim(v, &a, &one[0])
		}
	}
	clear(j.claims)
	j.claims = j.claims[:0]
}

// ask calls a detector, as an observer when there are claims. One that panics or fails loses the event, which is
// counted and logged; the batch goes on.
func (j *judge) ask(ctx context.Context, d *Detector, one []honeyguide.Event, claims []honeyguide.Alert) (alerts []honeyguide.Alert) {
	fail := func(what any, stack string) {
		alerts = nil
		j.failed(d.Name)
		j.log.LogAttrs(ctx, slog.LevelError, "detector failed on an event",
			slog.String("detector", d.Name), slog.String("event", one[0].ID), slog.String("error", fmt.Sprint(what)), slog.String("stack", stack))
	}
	defer func() {
		if p := recover(); p != nil {
			fail(p, string(debug.Stack()))
		}
	}()
	var err error
	if o, ok := d.Detector.(detect.Observer); ok && claims != nil {
		alerts, err = o.Observe(ctx, &one[0], claims)
	} else {
		alerts, err = d.Detect(ctx, one)
	}
	if err != nil {
		fail(err, "")
	}
	return alerts
}

// token notes the fate of honeytokens.
func (v *verdict) token(e *honeyguide.Event) {
	id := e.Str(honeyguide.AttrToken)
	switch {
	case id == "":
	case e.Activity == honeyguide.ActivityTokenExposed:
		v.exposed = append(v.exposed, exposure(e))
	case e.Activity == honeyguide.ActivityTokenUsed:
		v.used = append(v.used, use{id, e.ID, e})
	}
}
