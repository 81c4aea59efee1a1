package pipeline

import (
	"context"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// Memories are taken when this much happened since the last: what came behind
// is shown to the detector again at the next start. Large ones are taken less
// often, too large ones not at all.
const (
	memoryEvents = 50_000
	memoryAge    = time.Minute
	memoryPace   = 10 * time.Second // more, for each MiB
	memoryBound  = 64 << 20
)

// A memory is what a detector remembered at a place in the log.
type memory struct {
	at   eventlog.Seq
	text []byte
}

// A keeper takes memories of detectors.
type keeper struct {
	from   []eventlog.Seq // by detector: events up to here are in what it resumed; 0: awake
	events int            // since the last
	due    time.Time
}

// remember notes in a verdict what detectors remember, when that is due. The
// verdict may grow behind it.
func (j *judge) remember(v *verdict, events int, now time.Time) {
	k := &j.keep
	k.events += events
	if k.events < memoryEvents && now.Before(k.due) || k.events == 0 {
		return
	}
	size := 0
	for i := range j.detectors {
		r, ok := j.detectors[i].Detector.(detect.Rememberer)
		if !ok {
			continue
		}
		text := r.Remember()
		if size += len(text); len(text) > memoryBound {
			j.log.Warn("a detector remembers too much to keep", slog.String("detector", j.detectors[i].Name), slog.Int("bytes", len(text)))
			continue
		}
		if v.memories == nil {
			v.memories = map[string]memory{}
		}
		v.memories[j.detectors[i].Name] = memory{v.to, text}
	}
	pause := time.Duration(size>>20) * memoryPace
	k.events, k.due = -size/64, now.Add(memoryAge+pause)
}

func memoryKey(consumer, detector string) string { return "memory:" + consumer + ":" + detector }

// saveMemories writes memories beside the cursor they belong to.
func (c *Consumer) saveMemories(ctx context.Context, tx state.Tx, v *verdict) error {
	for name, m := range v.memories {
		value := ""
		if m.text != nil {
			value = strconv.FormatInt(int64(m.at), 10) + " " + base64.StdEncoding.EncodeToString(m.text)
		}
		if err := tx.Meta().Put(ctx, memoryKey(c.cfg.Name, name), value); err != nil {
			return fmt.Errorf("keep what detector %s remembers: %w", name, err)
		}
	}
	return nil
}

// resume gives detectors back what they remembered. One that cannot read it is
// warmed like the others.
func (c *Consumer) resume(ctx context.Context, j *judge, pos eventlog.Seq) error {
	for i := range j.detectors {
		r, ok := j.detectors[i].Detector.(detect.Rememberer)
		if !ok {
			continue
		}
		var value string
		err := c.dep.State.View(ctx, func(tx state.Tx) (err error) {
			value, err = tx.Meta().Get(ctx, memoryKey(c.cfg.Name, j.detectors[i].Name))
			return err
		})
		if err != nil {
			return fmt.Errorf("read what detector %s remembers: %w", j.detectors[i].Name, err)
		}
		if value == "" {
			continue
		}
		m, err := parseMemory(value)
		if err == nil && m.at > pos {
			err = fmt.Errorf("it is of event %d, behind the cursor at %d", m.at, pos)
		}
		if err == nil {
			err = r.Resume(m.text)
		}
		if err != nil {
			c.log.LogAttrs(ctx, slog.LevelWarn, "what a detector remembered is lost", slog.String("detector", j.detectors[i].Name), slog.Any("error", err))
			continue
		}
		j.keep.from[i] = m.at
	}
	return nil
}

func parseMemory(value string) (memory, error) {
	at, text, ok := strings.Cut(value, " ")
	n, err := strconv.ParseInt(at, 10, 64)
	if !ok || err != nil || n <= 0 {
		return memory{}, fmt.Errorf("what was kept has no place in the log")
	}
	b, err := base64.StdEncoding.DecodeString(text)
	return memory{eventlog.Seq(n), b}, err
}

// oldest returns the place of the oldest memory resumed, 0 when there is none.
func (k *keeper) oldest() eventlog.Seq {
	var least eventlog.Seq
	for _, at := range k.from {
		if at > 0 && (least == 0 || at < least) {
			least = at
		}
	}
	return least
}

// wake lets a detector that resumed sleep through what it remembers.
func (j *judge) wake(d int, at eventlog.Seq) {
	asleep := at <= j.keep.from[d]
	j.detectors[d].Detector.(detect.Rememberer).Sleep(asleep)
	if !asleep {
		j.keep.from[d] = 0
	}
}

// catchUp shows an event from before those that warm all up to the detectors
// that resumed before it.
func (j *judge) catchUp(ctx context.Context, rec *eventlog.Record) {
	for i := range j.detectors {
		if j.keep.from[i] > 0 && rec.Seq > j.keep.from[i] {
			j.ask(ctx, &j.detectors[i], []honeyguide.Event{rec.Event}, nil)
		}
	}
}
