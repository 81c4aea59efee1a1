package pipeline

import (
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide"
)

// A Pulse says how one sensor or source is heard from since this process began.
type Pulse struct {
	Sensor string
	LastAt time.Time     // when its newest event came in
	Lag    time.Duration // between the happening of that event and its coming in
	Events int64         // since this process began
	Minute [pulseMinutes]int64
	begin  int64 // minute of Minute[0], since 1970
}

const (
	pulseMinutes = 10   // that rates are made of
	maxPulses    = 2000 // sensors and sources; names come from files and networks, too
)

// PerMinute returns the events of the last five whole minutes, for each minute.
func (p *Pulse) PerMinute(now time.Time) float64 {
	sum, this := int64(0), now.Unix()/60
	for m := this - 5; m < this; m++ {
		if i := m - p.begin; i >= 0 && i < pulseMinutes {
			sum += p.Minute[i]
		}
	}
	return float64(sum) / 5
}

// hear counts an event that came in at a time.
func (p *Pulse) hear(e *honeyguide.Event, now time.Time) {
	this := now.Unix() / 60
	if by := this - p.begin - pulseMinutes + 1; by > 0 { // older minutes move out
		by := min(by, pulseMinutes)
		copy(p.Minute[:], p.Minute[by:])
		clear(p.Minute[pulseMinutes-by:])
		p.begin = this - pulseMinutes + 1
	}
	if i := this - p.begin; i >= 0 {
		p.Minute[i]++
	}
	p.Events++
	p.LastAt, p.Lag = now, max(now.Sub(e.Time), 0)
}

// pulses is what an intake hears.
type pulses struct {
	mu  sync.Mutex
	all map[string]*Pulse
}

func (s *pulses) hear(events []honeyguide.Event, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.all == nil {
		s.all = map[string]*Pulse{}
	}
	for i := range events {
		e := &events[i]
		p := s.all[e.Sensor]
		if p == nil {
			if len(s.all) >= maxPulses {
				continue
			}
			p = &Pulse{Sensor: strings.Clone(e.Sensor)}
			s.all[p.Sensor] = p
		}
		p.hear(e, now)
	}
}

// Pulses returns how every sensor and source is heard from, by name.
func (in *Intake) Pulses() []Pulse {
	s := &in.pulses
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]Pulse, 0, len(s.all))
	for _, p := range s.all {
		out = append(out, *p)
	}
	slices.SortFunc(out, func(a, b Pulse) int { return strings.Compare(a.Sensor, b.Sensor) })
	return out
}
