package pipeline

import (
	"fmt"
	"testing"
	"time"

	"honeyguide"
)

func TestPulse(t *testing.T) {
	var in Intake
	now := time.Date(2026, 11, 21, 12, 0, 30, 0, time.UTC)
	for m := range 30 { // one, two, three ... events a minute
		at := now.Add(time.Duration(m) * time.Minute)
		for range m + 1 {
			in.pulses.hear([]honeyguide.Event{{Sensor: "ssh", Time: at.Add(-3 * time.Second)}}, at)
		}
	}
	last := now.Add(29 * time.Minute)
	p := in.Pulses()[0]
	if got := p.PerMinute(last); got != (25+26+27+28+29)/5. || p.Lag != 3*time.Second || !p.LastAt.Equal(last) || p.Events != 465 {
		t.Errorf("%v a minute, %+v", got, p)
	}
	if got := p.PerMinute(last.Add(time.Hour)); got != 0 {
		t.Errorf("an hour later: %v a minute", got)
	}
	in.pulses.hear([]honeyguide.Event{{Sensor: "ssh", Time: now.Add(time.Hour)}}, now.Add(-time.Hour)) // the clock went back
	if p := in.Pulses()[0]; p.Lag != 0 || p.Events != 466 {
		t.Errorf("%+v", p)
	}
	for n := range 3 * maxPulses {
		in.pulses.hear([]honeyguide.Event{{Sensor: fmt.Sprint("s", n)}}, now)
	}
	if n := len(in.Pulses()); n != maxPulses {
		t.Errorf("%d sensors are remembered", n)
	}
}
