package pipeline

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/indicator"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// chunk is how many events one append carries at most; larger batches are cut.
const chunk = 4096

// IntakeDeps is what an intake works with.
type IntakeDeps struct {
	Log     eventlog.Log
	State   state.Store // asked once for the exposures so far; nil: none are known
	Facts   []Fact
	Seen    func([]honeyguide.Event) // told of events that are durable; must not block; nil: nobody needs to know
	Metrics *telemetry.Registry
	Now     func() time.Time // nil: time.Now
}

// An Intake takes events from sensors and sources. It is safe for concurrent
// use.
type Intake struct {
	dep IntakeDeps
	m   *metrics

	pulses pulses

	mu    sync.Mutex
	reads map[string][]honeyguide.Exposure // by token, oldest first, at most keptReads
}

const keptReads = 50

// NewIntake returns an intake that knows the exposures in the state.
func NewIntake(ctx context.Context, dep IntakeDeps) (*Intake, error) {
	if dep.Now == nil {
		dep.Now = time.Now
	}
	in := &Intake{dep: dep, m: newMetrics(dep.Metrics), reads: map[string][]honeyguide.Exposure{}}
	return in, in.Reload(ctx)
}

// Reload reads the exposures in the state again: somebody changed them.
func (in *Intake) Reload(ctx context.Context) error {
	if in.dep.State == nil {
		return nil
	}
	reads := map[string][]honeyguide.Exposure{}
	err := in.dep.State.View(ctx, func(tx state.Tx) error {
		clear(reads)
		page := state.Page{Limit: state.MaxLimit}
		for {
			tokens, next, err := tx.Tokens().List(ctx, page)
			if err != nil {
				return err
			}
			for _, t := range tokens {
				list, err := tx.Tokens().Exposures(ctx, t.ID)
				if err != nil {
					return err
				}
				slices.Reverse(list) // newest first
				reads[t.ID] = list[max(0, len(list)-keptReads):]
			}
			if next == "" {
				return nil
			}
			page.After = next
		}
	})
	if err != nil {
		return fmt.Errorf("read exposures: %w", err)
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	in.reads = reads
	return nil
}

// Add completes events and appends them to the log. They are durable when it
// returns nil; then the sender may be told. After an error with ctx still
// alive nothing of the failing part is stored; parts before it may be.
func (in *Intake) Add(ctx context.Context, events []honeyguide.Event) error {
	_, err := in.Store(ctx, events)
	return err
}

// Store is [Intake.Add] and returns the number of the last event stored, for
// [Consumer.Idle]; 0 when there was none.
func (in *Intake) Store(ctx context.Context, events []honeyguide.Event) (eventlog.Seq, error) {
	var last eventlog.Seq
	for part := range slices.Chunk(events, chunk) {
		full := in.complete(part)
		seq, err := in.append(ctx, full)
		if err != nil {
			return last, fmt.Errorf("store events: %w", err)
		}
		last = max(last, seq)
		if in.dep.Seen != nil {
			in.dep.Seen(full)
		}
		in.m.intake.Add(float64(len(full)))
		in.pulses.hear(full, in.dep.Now())
	}
	return last, nil
}

// complete gives events identity and time and adds the facts; what follows
// from an event stands right behind it.
func (in *Intake) complete(events []honeyguide.Event) []honeyguide.Event {
	out := make([]honeyguide.Event, 0, len(events)+len(events)/8)
	now := in.dep.Now().UTC().Truncate(time.Microsecond)
	for _, e := range events {
		if e.Observed.IsZero() {
			e.Observed = now
		}
		if e.Time.IsZero() {
			e.Time = e.Observed
		}
		if e.ID == "" {
			e.ID = honeyguide.NewID(e.Time)
		}
		if e.Src.Addr.IsValid() {
			e.Set(AttrScope, scope(&e))
		}
		var more []honeyguide.Event
		for _, fact := range in.dep.Facts {
			more = append(more, fact(&e)...)
		}
		in.readers(&e)
		observe(&e)
		out = append(out, e)
		for i := range more {
			if more[i].Src.Addr.IsValid() {
				more[i].Set(AttrScope, scope(&more[i]))
			}
			inherit(&more[i], &e)
			in.readers(&more[i])
			out = append(out, more[i])
		}
	}
	return out
}

// inherited are the facts about its source that an event shares with what
// follows from it.
var inherited = []string{
	honeyguide.AttrEnrichments, honeyguide.AttrFeeds, honeyguide.AttrSrcCity, honeyguide.AttrSrcAsset, honeyguide.AttrSrcOwner,
	honeyguide.AttrSrcRole, honeyguide.AttrSrcCriticality, honeyguide.AttrSrcZone,
}

// inherit gives an event the facts of the one it follows from.
func inherit(e, from *honeyguide.Event) {
	if e.Src.Addr.Addr() != from.Src.Addr.Addr() {
		return
	}
	if e.Src.Country == "" && e.Src.ASN == 0 {
		e.Src.Country, e.Src.ASN, e.Src.ASOrg = from.Src.Country, from.Src.ASN, from.Src.ASOrg
	}
	for _, name := range inherited {
		if v, ok := from.Attrs[name]; ok {
			e.Set(name, v)
		}
	}
}

// saidIn are the attributes attackers write indicators into.
var saidIn = []string{honeyguide.AttrCommand, honeyguide.AttrURL, honeyguide.AttrBody, honeyguide.AttrUserAgent, honeyguide.AttrReferrer}

// observe adds the indicators that stand in what an attacker typed or sent to a
// decoy; other products name their own.
func observe(e *honeyguide.Event) {
	if e.Session == "" || e.Activity == honeyguide.ActivityLoginFailed {
		return
	}
	for _, name := range saidIn {
		if text := e.Str(name); len(text) >= minSaid {
			e.Observables = indicator.Add(e.Observables, indicator.Find(name, text), indicator.MaxFound)
		}
	}
}

// minSaid is the shortest text with an indicator in it: "a.io".
const minSaid = 4

// scope classifies the source address.
func scope(e *honeyguide.Event) string {
	switch a := e.Src.Addr.Addr().Unmap(); {
	case a.IsLoopback():
		return "loopback"
	case a.IsLinkLocalUnicast():
		return "link_local"
	case a.IsPrivate():
		return "private"
	}
	return "public"
}

// readers remembers who reads a token, and tells a use who read it before.
func (in *Intake) readers(e *honeyguide.Event) {
	id := e.Str(honeyguide.AttrToken)
	if id == "" {
		return
	}
	in.mu.Lock()
	defer in.mu.Unlock()
	switch e.Activity {
	case honeyguide.ActivityTokenExposed:
		list := append(in.reads[id], exposure(e))
		in.reads[id] = slices.Clone(list[max(0, len(list)-keptReads):])
	case honeyguide.ActivityTokenUsed:
		x, ok := reader(in.reads[id], e)
		if !ok || e.Str(honeyguide.AttrReader) != "" {
			return
		}
		e.Set(honeyguide.AttrReader, x.Src.Addr.Addr().Unmap().WithZone("").String())
		e.Set(honeyguide.AttrReadAt, x.Time.UTC().Format(time.RFC3339Nano))
		e.Set(honeyguide.AttrReadBy, x.By)
	}
}

// exposure is what an exposure event says.
func exposure(e *honeyguide.Event) honeyguide.Exposure {
	by := e.Str(honeyguide.AttrCommand)
	for _, name := range []string{honeyguide.AttrPath, honeyguide.AttrURL, honeyguide.AttrDetail} {
		if by == "" {
			by = e.Str(name)
		}
	}
	return honeyguide.Exposure{Token: e.Str(honeyguide.AttrToken), EventID: e.ID, Time: e.Time, Src: e.Src, Session: e.Session, By: by}
}

// reader picks the exposure that explains a use: the newest before it by
// another source, else the newest by the user itself.
func reader(reads []honeyguide.Exposure, e *honeyguide.Event) (honeyguide.Exposure, bool) {
	var own honeyguide.Exposure
	found := false
	for _, x := range slices.Backward(reads) {
		switch {
		case x.Time.After(e.Time) || !x.Src.Addr.IsValid():
		case x.Src.Addr.Addr() != e.Src.Addr.Addr():
			return x, true
		case !found:
			own, found = x, true
		}
	}
	return own, found
}

// append stores one batch. An event the log refuses is cut, then replaced by a
// gap event: nothing is lost silently and nothing blocks what comes behind it.
func (in *Intake) append(ctx context.Context, events []honeyguide.Event) (eventlog.Seq, error) {
	urgent := slices.ContainsFunc(events, func(e honeyguide.Event) bool {
		return e.Activity == honeyguide.ActivityTokenUsed || e.Activity == honeyguide.ActivityViolation
	})
	for attempt := 0; ; attempt++ {
		r, err := in.dep.Log.Append(ctx, eventlog.Batch{Events: events, Urgent: urgent})
		bad, refused := errors.AsType[*eventlog.EventError](err)
		switch {
		case err == nil:
			return r.Lo + eventlog.Seq(r.Stored) - 1, nil
		case refused && bad.Index < len(events) && attempt < 2*len(events):
			in.mend(&events[bad.Index], bad)
		case errors.Is(err, eventlog.ErrTooLarge) && len(events) > 1:
			if _, err := in.append(ctx, events[:len(events)/2]); err != nil {
				return 0, err
			}
			return in.append(ctx, events[len(events)/2:])
		default:
			return 0, err
		}
	}
}

// mend cuts an event that is too large, and replaces one that is still refused.
func (in *Intake) mend(e *honeyguide.Event, why error) {
	if errors.Is(why, eventlog.ErrTooLarge) && shrink(e) {
		return
	}
	gap := honeyguide.Event{
		ID: e.ID, Time: e.Time, Observed: e.Observed, Class: e.Class, Activity: honeyguide.ActivityGap, Severity: honeyguide.SeverityLow,
		Sensor: e.Sensor, Service: e.Service, Session: e.Session, Src: e.Src, Dst: e.Dst,
	}
	gap.Set(honeyguide.AttrCount, 1)
	gap.Set(honeyguide.AttrDetail, clip("an event ("+strings.ToValidUTF8(e.Activity, "?")+") could not be stored: "+why.Error(), 1000))
	*e = gap
	in.m.replaced.Add(1)
}

// Bounds an oversized event is cut to.
const (
	maxRaw  = 64 << 10
	maxAttr = 16 << 10
)

// shrink cuts e and reports whether there was anything to cut.
func shrink(e *honeyguide.Event) bool {
	cut := false
	if len(e.Raw) > maxRaw {
		e.Raw, cut = e.Raw[:maxRaw:maxRaw], true
	}
	attrs := make(map[string]any, len(e.Attrs))
	for k, v := range e.Attrs {
		if s, ok := v.(string); ok && len(s) > maxAttr {
			v, cut = clip(s, maxAttr), true
		}
		attrs[k] = v
	}
	e.Attrs = attrs
	if cut {
		e.Set("honeyguide.cut", "values over the size limit were cut")
	}
	return cut
}

func clip(s string, n int) string {
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}

// attackerAddr returns the address in an attacker key, "" for other keys.
func attackerAddr(key string) string {
	addr, ok := strings.CutPrefix(key, "attacker:")
	if !ok {
		return ""
	}
	return addr
}
