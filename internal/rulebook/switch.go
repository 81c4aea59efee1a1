package rulebook

import (
	"context"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// A Switch says that somebody switched a rule off.
type Switch struct {
	By     string    `json:"by"`
	At     time.Time `json:"at"`
	Reason string    `json:"reason,omitempty"`
}

// Switches remembers which rules are switched off, by [sigma.Meta.Key].
type Switches interface {
	Load(ctx context.Context) (map[string]Switch, error)
	Save(ctx context.Context, off map[string]Switch) error
}

// forgetful remembers nothing beyond the process.
type forgetful struct{}

func (forgetful) Load(context.Context) (map[string]Switch, error) { return nil, nil }
func (forgetful) Save(context.Context, map[string]Switch) error   { return nil }

// maxSwitches bounds the rules that are switched off.
const maxSwitches = 20_000

// Turn switches a rule on or off. It is in effect, and remembered, when Turn
// returns nil. CodeNotFound.
func (b *Book) Turn(ctx context.Context, key string, on bool, by, reason string) (*Entry, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	cur := b.current.Load()
	x, ok := cur.Find(key)
	if !ok {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no rule " + key}
	}
	off := maps.Clone(b.off)
	if id := x.Meta.Key(); on {
		delete(off, id)
	} else {
		if len(off) >= maxSwitches {
			return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("more than %d rules are switched off; remove their files instead", maxSwitches)}
		}
		off[id] = Switch{By: by, At: b.opt.Now().UTC().Truncate(time.Second), Reason: reason}
	}
	if err := b.opt.Switches.Save(ctx, off); err != nil {
		return nil, fmt.Errorf("remember which rules are switched off: %w", err)
	}
	b.off = off
	b.publish(ctx, cur.from, b.opt.Now())
	x, _ = b.Current().Find(key)
	return x, nil
}

// A track is what is known of one rule beyond an edition.
type track struct {
	hits atomic.Int64
	last atomic.Int64 // microseconds since 1970 of the newest event it hit
	cost atomic.Int64 // nanoseconds of the sampled questions
	asks atomic.Int64 // how many were sampled
}

// track returns the track of a key. The caller holds mu.
func (b *Book) track(key string) *track {
	t := b.tracks[key]
	if t == nil {
		t = &track{}
		b.tracks[key] = t
	}
	return t
}

// Hit counts that a rule or correlation fired on an event. Events stored before
// the book was opened were counted by those who saw them first.
func (b *Book) Hit(x *Entry, e *honeyguide.Event) {
	if x == nil || e.Observed.Before(b.began) {
		return
	}
	x.track.hits.Add(1)
	at := e.Time.UnixMicro()
	for old := x.track.last.Load(); at > old && !x.track.last.CompareAndSwap(old, at); old = x.track.last.Load() {
	}
	b.m.hits.With(x.ID()).Add(1)
}

// Sampled is how many events there are for each whose rules are timed.
const Sampled = 64

// Spent records how long a rule of an edition took on a sampled event.
func (e *Edition) Spent(r *sigma.Rule, took time.Duration) {
	if x := e.byRule[r]; x != nil {
		x.track.cost.Add(int64(took))
		x.track.asks.Add(1)
	}
}

// Cost returns about how often the entry was asked since the book was opened,
// and how long that took: one event of [Sampled] is measured.
func (e *Entry) Cost() (asks int64, took time.Duration) {
	return e.track.asks.Load() * Sampled, time.Duration(e.track.cost.Load() * Sampled)
}

// Matched records the time one event took to match.
func (b *Book) Matched(took time.Duration) { b.m.match.Observe(took.Seconds()) }

// Hits returns how often the entry fired since the book was opened, and the
// time of the newest event it fired on.
func (e *Entry) Hits() (n int64, last time.Time) {
	if at := e.track.last.Load(); at != 0 {
		last = time.UnixMicro(at).UTC()
	}
	return e.track.hits.Load(), last
}

// Logsource returns what events the entry is about; a correlation is about its
// rules' events.
func (e *Entry) Logsource() sigma.Source {
	if e.Rule != nil {
		return e.Rule.Logsource
	}
	return sigma.Source{}
}
