package pipeline_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/pipeline"
)

// counter counts the events it has seen, and those since it was opened.
type counter struct {
	learnt, window int
	failing        bool
}

func (c *counter) Detect(_ context.Context, batch []honeyguide.Event) ([]honeyguide.Alert, error) {
	c.learnt += len(batch)
	c.window += len(batch)
	return nil, nil
}

func (c *counter) Keep() ([]byte, error) { return fmt.Append(nil, c.learnt), nil }

func (c *counter) Recall(text []byte) error {
	if c.failing {
		return fmt.Errorf("no")
	}
	_, err := fmt.Sscan(string(text), &c.learnt)
	return err
}

// What a detector learnt over longer than is read again is known after a restart,
// and what is read again is learnt once.
func TestWhatDetectorsLearnIsKept(t *testing.T) {
	w := newWorld(t)
	w.cfg.WarmSpan = time.Minute
	w.cfg.Batch = 10
	c := &counter{}
	w.extra = []pipeline.Detector{{Name: "counter", Detector: c}}
	events := func(from, n int) (out []honeyguide.Event) {
		for i := range n {
			out = append(out, honeyguide.Event{ID: fmt.Sprintf("k%05d", from+i), Time: noon.Add(time.Duration(from+i) * time.Second), Activity: honeyguide.ActivityClient, Sensor: "ssh"})
		}
		return out
	}
	seen := 0
	for round := range 6 {
		w.add(events(seen, 100)...)
		w.run() // one verdict: kept before it, written with it
		seen += 100
		if c.learnt != seen {
			t.Fatalf("round %d: %d learnt of %d", round, c.learnt, seen)
		}
		// The next core is new. It reads the last minute again.
		c = &counter{}
		w.extra[0].Detector = c
	}
	w.run()
	if c.learnt != seen || c.window > 250 {
		t.Errorf("%d learnt of %d, %d read", c.learnt, seen, c.window)
	}
	broken := &counter{failing: true}
	w.extra[0].Detector = broken
	w.run()
	if broken.learnt != broken.window {
		t.Errorf("one that cannot read what it kept: %+v", broken)
	}
}

var _ detect.Keeper = (*counter)(nil)
