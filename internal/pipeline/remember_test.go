package pipeline_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// A tallier claims every seventh event there ever was: what no warm-up tells.
type tallier struct {
	seen   int
	deaf   bool // forgets all at a restart
	t      testing.TB
	last   string
	asleep bool
}

func (d *tallier) Detect(_ context.Context, batch []honeyguide.Event) (out []honeyguide.Alert, err error) {
	for i := range batch {
		e := &batch[i]
		if e.ID <= d.last {
			d.t.Errorf("event %s after %s", e.ID, d.last)
		}
		d.last = e.ID
		if d.asleep {
			continue
		}
		if d.seen++; d.seen%7 == 0 {
			rule := detect.Rule{ID: "seventh", Title: "The seventh", Severity: honeyguide.SeverityMedium, Category: honeyguide.CategoryRecon}
			out = append(out, detect.Claim("tally", &rule, e, strconv.Itoa(d.seen), e.ID))
		}
	}
	return out, nil
}

func (d *tallier) Remember() []byte { return []byte(strconv.Itoa(d.seen)) }

func (d *tallier) Resume(memory []byte) (err error) {
	if d.deaf {
		return errors.New("nothing is understood")
	}
	d.seen, err = strconv.Atoi(string(memory))
	return err
}

func (d *tallier) Sleep(asleep bool) { d.asleep = asleep }

func knocks(n int) (out []honeyguide.Event) {
	for i := range n {
		out = append(out, honeyguide.Event{
			ID: fmt.Sprintf("%026d", i+1), Time: noon.Add(time.Duration(i) * time.Hour), Observed: noon.Add(time.Duration(i) * time.Hour),
			Class: honeyguide.ClassNetwork, Activity: honeyguide.ActivityConnect, Sensor: "s", Service: "ssh",
			Src: honeyguide.Endpoint{},
		})
	}
	return out
}

// TestMemoriesOutliveRestarts restarts at random places. A detector that counts
// for ever goes on where it was, though next to nothing is read again to warm
// the others up.
func TestMemoriesOutliveRestarts(t *testing.T) {
	events := knocks(200)
	play := func(w *world, deaf bool, cuts func(left int) int) {
		for left := events; len(left) > 0; {
			n := cuts(len(left))
			w.append(left[:n]...)
			left = left[n:]
			w.extra = []pipeline.Detector{{Name: "tally", Detector: &tallier{t: t, deaf: deaf}}}
			w.run()
		}
	}
	whole := newWorld(t)
	play(whole, false, func(left int) int { return left })
	// Their score also counts what else the source did, which warm-up tells.
	seventh := func(w *world) (out []string) {
		for _, a := range w.found().alerts {
			if a.Detector == "tally" {
				out = append(out, fmt.Sprint(a.ID, a.EventIDs, a.Count))
			}
		}
		slices.Sort(out)
		return out
	}
	want := seventh(whole)
	if len(want) != 200/7 {
		t.Fatalf("%d alerts, want %d", len(want), 200/7)
	}
	for seed := range uint64(4) {
		r := rand.New(rand.NewPCG(seed, 1))
		w := newWorld(t)
		w.cfg.Batch, w.cfg.WarmUp = 1+r.IntN(9), 1+r.IntN(4)
		play(w, false, func(left int) int { return min(left, 1+r.IntN(30)) })
		if got := seventh(w); !slices.Equal(got, want) {
			t.Errorf("restarts %d: got %d alerts\n%q\nwant %d\n%q", seed, len(got), got, len(want), want)
		}
	}
	w := newWorld(t)
	w.cfg.WarmUp = 1
	play(w, true, func(left int) int { return min(left, 20) })
	if slices.Equal(seventh(w), want) {
		t.Error("a detector that resumes nothing finds as much: the test shows nothing")
	}
}

// TestOddMemories starts over what is not to be understood.
func TestOddMemories(t *testing.T) {
	for _, odd := range []string{"x", "5", "-1 MQ==", "3 !", "99999 MQ=="} {
		w := newWorld(t)
		w.cfg.WarmSpan = 1000 * time.Hour
		w.append(knocks(10)...)
		w.extra = []pipeline.Detector{{Name: "tally", Detector: &tallier{t: t}}}
		w.run()
		err := w.state.Update(t.Context(), func(tx state.Tx) error {
			return tx.Meta().Put(t.Context(), "memory:detect:tally", odd)
		})
		if err != nil {
			t.Fatal(err)
		}
		w.append(knocks(14)[10:]...)
		d := &tallier{t: t}
		w.extra = []pipeline.Detector{{Name: "tally", Detector: d}}
		w.run()
		if d.seen != 14 {
			t.Errorf("%q: %d events were seen, want all that warm-up reads and the new ones", odd, d.seen)
		}
	}
}
