package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"runtime/debug"
	"slices"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/eventlog"
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
	titles    *detect.Memory[titled] // by dedupe key
	log       *slog.Logger
	failed    func(detector string)
}

// titled is the title of the most severe claim about one thing so far.
type titled struct {
	severity honeyguide.Severity
	title    string
}

func newJudge(detectors []Detector, triage detect.TriageConfig, log *slog.Logger, failed func(string)) *judge {
	return &judge{
		detectors: detectors, triage: detect.NewTriage(triage), ties: detect.NewCorrelator(memoryOfKeys),
		titles: detect.NewMemory(memoryOfKeys, func() titled { return titled{} }), log: log, failed: failed,
	}
}

// A verdict is what follows from one batch.
type verdict struct {
	from, to eventlog.Seq
	events   int
	alerts   []honeyguide.Alert
	keys     [][]string // of each alert: the attackers it ties together
	sessions []*sessionDelta
	exposed  []honeyguide.Exposure
	used     []use
}

// A use is one return of a token.
type use struct {
	token, event string
	e            *honeyguide.Event
}

// judge hands the detectors one event at a time, so that triage and
// correlation see the claims of all detectors in the order of the events.
func (j *judge) judge(ctx context.Context, from eventlog.Seq, recs []eventlog.Record) *verdict {
	v := &verdict{from: from, to: recs[len(recs)-1].Seq, events: len(recs)}
	var merged detect.Merger
	keys := map[string][]string{}
	tally := newTally()
	one := make([]honeyguide.Event, 1)
	for i := range recs {
		e := &recs[i].Event
		tally.add(e)
		v.token(e)
		one[0] = *e
		for d := range j.detectors {
			for _, a := range j.ask(ctx, &j.detectors[d], one) {
				j.triage.Score(&a)
				for _, k := range j.ties.Keys(&a) {
					if !slices.Contains(keys[a.DedupeKey], k) {
						keys[a.DedupeKey] = append(keys[a.DedupeKey], k)
					}
				}
				t := j.titles.At(a.DedupeKey)
				if a.Severity > t.severity {
					*t = titled{a.Severity, a.Title}
				}
				a.Title = t.title
				tally.alert(&a)
				merged.Add(a)
			}
		}
	}
	v.alerts, v.sessions = merged.Alerts(), tally.list
	for i := range v.alerts {
		v.alerts[i].Title = j.titles.At(v.alerts[i].DedupeKey).title
		v.keys = append(v.keys, keys[v.alerts[i].DedupeKey])
	}
	return v
}

// ask calls a detector. One that panics or fails loses the event, which is
// counted and logged; the batch goes on.
func (j *judge) ask(ctx context.Context, d *Detector, one []honeyguide.Event) (alerts []honeyguide.Alert) {
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
	alerts, err := d.Detect(ctx, one)
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
