package behaviour

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// A pulse is when one host of ours contacted one place outside.
type pulse struct {
	waiting []beat      // younger than the watermark, in order
	beats   []time.Time // the newest behind it
	told    bool
}

type beat struct {
	at    time.Time
	event string
}

// Bounds of a pulse.
const (
	maxBeats   = 32  // looked at
	maxWaiting = 256 // not yet behind the watermark
	// jitter is the share of the period a beat may be off; malware varies its
	// period so that it is not found.
	jitter = 0.2
	// regular is the share of gaps that have to fit.
	regular = 0.8
)

// quietPorts are asked regularly by every host.
var quietPorts = []uint16{53, 123, 853}

// beaconing looks for regular contact of an own host with one place outside. A
// beat counts once everything before it has come: the watermark is the newest
// time less the lateness.
func (d *detector) beaconing(e *honeyguide.Event) {
	src, dst := e.Src.Addr.Addr().Unmap(), e.Dst.Addr.Addr().Unmap()
	if !detect.External(e) || !src.IsPrivate() || !dst.IsValid() || dst.IsPrivate() || !dst.IsGlobalUnicast() || slices.Contains(quietPorts, e.Dst.Addr.Port()) {
		return
	}
	key := src.String() + ">" + dst.String() + ":" + strconv.Itoa(int(e.Dst.Addr.Port())) + "|" + e.Activity
	p := d.pulses.At(key)
	b := beat{detect.When(e), e.ID}
	if n := len(p.beats); n > 0 && b.at.Before(p.beats[n-1]) {
		return // later than the lateness
	}
	at := len(p.waiting)
	for at > 0 && (p.waiting[at-1].at.After(b.at) || p.waiting[at-1].at.Equal(b.at) && p.waiting[at-1].event > b.event) {
		at--
	}
	p.waiting = slices.Insert(p.waiting, at, b)
	mark := p.waiting[len(p.waiting)-1].at.Add(-detect.Lateness)
	n := 0
	for n < len(p.waiting) && (p.waiting[n].at.Before(mark) || len(p.waiting)-n > maxWaiting) {
		d.beat(e, p, p.waiting[n])
		n++
	}
	p.waiting = slices.Delete(p.waiting, 0, n)
}

// beat takes the next beat in order and claims when it falls into a rhythm.
func (d *detector) beat(e *honeyguide.Event, p *pulse, b beat) {
	if n := len(p.beats); n > 0 && b.at.Sub(p.beats[n-1]) < time.Second {
		return // one contact is often several connections
	}
	if len(p.beats) >= maxBeats {
		p.beats = slices.Delete(p.beats, 0, 1)
	}
	if p.beats = append(p.beats, b.at); len(p.beats) < d.cfg.BeaconCount {
		return
	}
	every, ok := period(p.beats)
	if !ok || every < d.cfg.BeaconPeriod {
		return
	}
	a := d.claim(&rules.beacon, e, "", "")
	a.DedupeKey = "beacon|" + e.Src.Addr.Addr().Unmap().String() + ">" + e.Dst.Addr.Addr().Unmap().String() + ":" + strconv.Itoa(int(e.Dst.Addr.Port()))
	a.ID = honeyguide.DerivedID(b.at, "alert", "behaviour", a.DedupeKey, b.event)
	a.Time, a.LastAt, a.Count = b.at, b.at, 1
	if !p.told {
		a.Time, a.Count = p.beats[0], int64(len(p.beats))
		p.told = true
	}
	a.EventIDs = []string{b.event}
	a.Evidence = []honeyguide.Evidence{{EventID: b.event, Time: b.at, Text: fmt.Sprintf("%s to %s:%d every %s", e.Src.Addr.Addr().Unmap(), e.Dst.Addr.Addr().Unmap(), e.Dst.Addr.Port(), every.Round(time.Second))}}
}

// period returns the period of a rhythm: the median of the gaps, when nearly all
// gaps are it or a small multiple of it (a beat that was missed), within the
// jitter. Times stand in order.
func period(beats []time.Time) (time.Duration, bool) {
	var gapBuf, sortBuf [maxBeats]time.Duration
	gaps := gapBuf[:0]
	for i := 1; i < len(beats); i++ {
		gaps = append(gaps, beats[i].Sub(beats[i-1]))
	}
	sorted := append(sortBuf[:0], gaps...)
	slices.Sort(sorted)
	median := sorted[len(sorted)/2]
	if median <= 0 {
		return 0, false
	}
	once, fit := 0, 0
	for _, g := range gaps {
		times := (g + median/2) / median
		if times < 1 || times > 3 {
			continue
		}
		if off := (g - times*median).Abs(); float64(off) <= jitter*float64(median) {
			fit++
			if times == 1 {
				once++
			}
		}
	}
	n := float64(len(gaps))
	return median, float64(fit) >= regular*n && float64(once) >= .6*n
}
