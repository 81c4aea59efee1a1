package incident_test

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
)

// look lets the desk look at its clocks at a time after noon.
func (o *office) look(after time.Duration) time.Time {
	o.Helper()
	o.clock = noon.Add(after)
	next, err := o.Look(o.Context())
	if err != nil {
		o.Fatal(err)
	}
	return next
}

func TestEscalatesOnceBeforeAndAtTheBreach(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	if next := o.look(0); !next.Equal(noon.Add(48 * time.Minute)) {
		t.Errorf("next at %v", next)
	}
	for _, at := range []time.Duration{47*time.Minute + 59*time.Second, 48 * time.Minute, 50 * time.Minute, 60*time.Minute - time.Microsecond, time.Hour, 2 * time.Hour} {
		o.look(at)
		o.reopen() // a restart repeats nothing
	}
	if want := []string{"I-1 warning", "I-1 breach"}; !slices.Equal(o.told, want) {
		t.Errorf("told %q", o.told)
	}
	got := o.get(in.ID)
	if !got.Clock.WarnedAt.Equal(noon.Add(48*time.Minute)) || !got.Clock.BreachedAt.Equal(noon.Add(time.Hour)) {
		t.Errorf("clock %+v", got.Clock)
	}
	if e := o.entries(in.ID); len(e) != 2 || !strings.HasPrefix(e[0], "escalation clock four fifths") || !strings.Contains(e[1], "over since 2026-11-21T13:00:00Z") {
		t.Errorf("timeline %q", e)
	}
	var text strings.Builder
	if _, err := o.metrics.WriteTo(&text); err != nil || !strings.Contains(text.String(), "honeyguide_incidents_breached 1\n") || !strings.Contains(text.String(), "honeyguide_incidents_open 1\n") {
		t.Errorf("%v: metrics %s", err, text.String())
	}
	// An answer after the breach takes it off the list.
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseContained})
	o.look(3 * time.Hour)
	text.Reset()
	if _, err := o.metrics.WriteTo(&text); err != nil || !strings.Contains(text.String(), "honeyguide_incidents_breached 0\n") {
		t.Errorf("%v: metrics %s", err, text.String())
	}
}

// What fell due while nobody looked (a stopped core, a clock that jumps) is told
// once, as what it is now; a clock that goes back repeats nothing.
func TestClockJumps(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	o.look(24 * time.Hour)
	o.look(-time.Hour)
	o.look(25 * time.Hour)
	if want := []string{"I-1 breach"}; !slices.Equal(o.told, want) {
		t.Errorf("told %q", o.told)
	}
	if got := o.get(in.ID); got.Clock.WarnedAt.IsZero() || len(o.entries(in.ID)) != 1 {
		t.Errorf("clock %+v", got.Clock)
	}
}

func TestAnswersStopTheClock(t *testing.T) {
	yes := true
	for name, answer := range map[string]func(o *office, id string){
		"contained": func(o *office, id string) {
			o.tx(func(ctx context.Context, tx state.Tx) error { return o.Contained(ctx, tx, id, noon, "p") })
		},
		"judged": func(o *office, id string) { o.change(id, incident.Change{Verdict: honeyguide.VerdictFalsePositive}) },
		"closed": func(o *office, id string) {
			o.change(id, incident.Change{Verdict: honeyguide.VerdictFalsePositive, Phase: honeyguide.PhaseClosed})
		},
		"held": func(o *office, id string) { o.change(id, incident.Change{Hold: &yes}) },
	} {
		o := newOffice(t)
		in := o.opened(1)
		answer(o, in.ID)
		o.look(5 * time.Hour)
		if len(o.told) != 0 {
			t.Errorf("%s: told %q", name, o.told)
		}
	}
	// Acknowledging is no answer.
	o := newOffice(t)
	o.change(o.opened(1).ID, incident.Change{Acknowledge: true, Phase: honeyguide.PhaseTriage})
	o.look(5 * time.Hour)
	if !slices.Equal(o.told, []string{"I-1 breach"}) {
		t.Errorf("acknowledged only: told %q", o.told)
	}
}

func TestHoldPausesTheClock(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	yes, no := true, false
	o.clock = noon.Add(29 * time.Minute)
	held := o.change(in.ID, incident.Change{Hold: &yes, Reason: "waiting for the provider"}) // at 12:30
	o.look(10 * time.Hour)
	o.clock = noon.Add(10*time.Hour + 29*time.Minute)
	got := o.change(in.ID, incident.Change{Hold: &no})
	if held.Status != honeyguide.IncidentOnHold || got.Status != honeyguide.IncidentNew || got.Clock.HeldMS != (10*time.Hour).Milliseconds() || !got.Clock.HeldSince.IsZero() ||
		!got.DueAt.Equal(in.DueAt.Add(10*time.Hour)) || !incident.WarnAt(&got).Equal(noon.Add(10*time.Hour+48*time.Minute)) || len(o.told) != 0 {
		t.Errorf("held %+v, then %+v, told %q", held, got, o.told)
	}
	o.look(11 * time.Hour)
	if want := []string{"I-1 breach"}; !slices.Equal(o.told, want) {
		t.Errorf("told %q", o.told)
	}
}

// An escalation that fails leaves no trace and is tried again; it keeps no other
// one back.
func TestEscalationIsTriedAgain(t *testing.T) {
	o := newOffice(t)
	first, second := o.opened(1), o.opened(2)
	o.refuse = errors.New("no way to tell anybody")
	o.look(50 * time.Minute)
	for _, id := range []string{first.ID, second.ID} {
		if in := o.get(id); !in.Clock.WarnedAt.IsZero() || len(o.entries(id)) != 0 {
			t.Errorf("%s was noted: %+v", in.Short, in.Clock)
		}
	}
	o.refuse = nil
	o.look(51 * time.Minute)
	slices.Sort(o.told)
	if want := []string{"I-1 warning", "I-2 warning"}; !slices.Equal(o.told, want) {
		t.Errorf("told %q", o.told)
	}
}
