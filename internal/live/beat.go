package live

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strconv"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Second is what came in within one second: the row of the topic events. It is
// told only while somebody listens, and after the last one with a zero.
type Second struct {
	At      time.Time `json:"at"`      // its end
	Events  int64     `json:"events"`  // all of them
	Counts  []Count   `json:"counts"`  // by country and severity, largest first
	Samples []Sample  `json:"samples"` // the first few of the worst severity
}

// A Count is how many events of a severity came from a country.
type Count struct {
	Country  string              `json:"country,omitempty"` // two letters, "" when it is not known
	Severity honeyguide.Severity `json:"severity"`
	Events   int64               `json:"events"`
}

// A Sample is one event in short.
type Sample struct {
	Time     time.Time           `json:"time"`
	Src      string              `json:"src,omitempty"`
	Country  string              `json:"country,omitempty"`
	Severity honeyguide.Severity `json:"severity"`
	Activity string              `json:"activity"`
	Service  string              `json:"service,omitempty"`
	Sensor   string              `json:"sensor,omitempty"`
	Session  string              `json:"session,omitempty"`
}

// Bounds of what is told of a second.
const (
	secondCounts  = 200
	secondSamples = 20
)

type place struct {
	country  string
	severity honeyguide.Severity
}

// second gathers what comes in.
type second struct {
	mu      sync.Mutex
	events  int64
	counts  map[place]int64
	samples []Sample
}

// Saw takes note of events that are durable now. It costs a moment for each, and
// nothing when nobody listens.
func (h *Hub) Saw(list []honeyguide.Event) {
	if h.wantsEv.Load() == 0 {
		return
	}
	s := &h.second
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.counts == nil {
		s.counts = map[place]int64{}
	}
	s.events += int64(len(list))
	for i := range list {
		e := &list[i]
		s.counts[place{country(e.Src.Country), e.Severity}]++
		if at := s.room(e.Severity); at >= 0 {
			s.sample(at, e)
		}
	}
}

// room returns where a sample of a severity may go, -1 for nowhere.
func (s *second) room(severity honeyguide.Severity) int {
	if len(s.samples) < secondSamples {
		return len(s.samples)
	}
	for i := range s.samples {
		if s.samples[i].Severity < severity {
			return i
		}
	}
	return -1
}

func (s *second) sample(at int, e *honeyguide.Event) {
	x := Sample{
		Time: e.Time, Country: country(e.Src.Country), Severity: e.Severity, Activity: state.Clip(e.Activity, state.MaxKey),
		Service: state.Clip(e.Service, state.MaxKey), Sensor: state.Clip(e.Sensor, state.MaxKey), Session: state.Clip(e.Session, state.MaxKey),
	}
	if e.Src.Addr.IsValid() {
		x.Src = e.Src.Addr.Addr().Unmap().WithZone("").String()
	}
	if at == len(s.samples) {
		s.samples = append(s.samples, x)
		return
	}
	s.samples[at] = x
}

// country lets through what a country looks like: what other products send may be
// anything, and each name is a row in memory.
func country(s string) string {
	if len(s) == 2 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'A' && s[1] <= 'Z' {
		return s
	}
	return ""
}

// take returns what has gathered, and begins anew.
func (s *second) take(now time.Time) Second {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := Second{At: now.UTC(), Events: s.events, Counts: []Count{}, Samples: append([]Sample{}, s.samples...)}
	for at, n := range s.counts {
		out.Counts = append(out.Counts, Count{at.country, at.severity, n})
	}
	slices.SortFunc(out.Counts, func(a, b Count) int {
		return cmp.Or(cmp.Compare(b.Events, a.Events), cmp.Compare(a.Country, b.Country), cmp.Compare(a.Severity, b.Severity))
	})
	out.Counts = out.Counts[:min(len(out.Counts), secondCounts)]
	s.events, s.counts, s.samples = 0, nil, nil
	return out
}

// healthEvery is how often listeners are told how the core stands.
const healthEvery = 5

// Run tells the figures of each second and how the core stands, until ctx ends;
// then all streams end.
func (h *Hub) Run(ctx context.Context) error {
	defer func() {
		if ctx.Err() != nil {
			h.stop()
		}
	}()
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	quiet := false
	for n := 0; ; n++ {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if h.wantsEv.Load() > 0 {
			s := h.second.take(h.opt.Now())
			if s.Events > 0 || !quiet {
				h.publish(h.ticket.Load(), []change{{topic: topicEvents, kind: New, row: &s, size: 200 + 60*len(s.Counts) + 250*len(s.Samples)}})
			}
			quiet = s.Events == 0
		}
		if n%healthEvery == 0 && h.opt.Health != nil && h.listens(topicHealth) {
			h.Tell(ctx)
		}
	}
}

// Tell says now how the core stands.
func (h *Hub) Tell(ctx context.Context) {
	if h.opt.Health != nil {
		h.publish(h.ticket.Load(), []change{{topic: topicHealth, kind: Changed, id: "core", row: h.opt.Health(ctx), size: 1 << 10}})
	}
}

// listens reports whether somebody wants a topic.
func (h *Hub) listens(topic int) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.readers {
		if r.wants[topic] {
			return true
		}
	}
	return false
}

// metaNumbers is where the numbers set aside are kept.
const metaNumbers = "live:numbers"

// numbersApart is how many numbers a core sets aside when it starts: more than
// one gives out.
const numbersApart = 1 << 36

// Reserve returns the number the messages of a core begin behind: that of its
// clock in microseconds, or behind what the cores before it may have used when
// the clock was set back.
func Reserve(ctx context.Context, store state.Store, now time.Time) (first int64, err error) {
	err = store.Update(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, metaNumbers)
		if err != nil {
			return err
		}
		before, _ := strconv.ParseInt(text, 10, 64) // "" is 0
		first = now.UnixMicro()
		if first <= before { // the clock was set back
			first = before + numbersApart
		}
		return tx.Meta().Put(ctx, metaNumbers, strconv.FormatInt(first, 10))
	})
	if err != nil {
		return 0, fmt.Errorf("set numbers of the live stream aside: %w", err)
	}
	return first, nil
}
