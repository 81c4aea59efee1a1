package pipeline

import (
	"context"
	"fmt"
	"log/slog"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/detect"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/state"
)

// keepEvery is how often what detectors have learnt is kept. What they learnt
// since is learnt again from the log, as far as it is read again.
const keepEvery = time.Minute

// Under a flood it is kept sooner, so that a start does not have to read much.
// What is large is kept less often: it takes longer to write down.
const (
	keepEvents = 100_000
	keepPace   = 10 * time.Second // more, for each MiB
)

// When everything is judged it is kept sooner, if that was much: the core may be
// one that takes in a file and ends.
const (
	keepSooner = 2 * time.Second
	keepMuch   = 4096 // events
)

// maxKept bounds what one detector may keep.
const maxKept = 16 << 20

// kept is what detectors knew when they had seen everything up to seq.
type kept struct {
	seq  eventlog.Seq
	what map[string][]byte // by detector
}

// keep asks the keepers, when it is time. The judge has seen exactly what lies
// before seq.
func (j *judge) keep(ctx context.Context, now time.Time, seq eventlog.Seq, idle bool) *kept {
	age := now.Sub(j.keptAt)
	news := seq - j.keptSeq
	sooner := idle && age >= keepSooner && news >= keepMuch || news >= keepEvents && age >= j.keepPause
	if len(j.keepers) == 0 || age < keepEvery && !sooner {
		return nil
	}
	j.keptAt, j.keptSeq = now, seq
	k, size := &kept{seq: seq, what: map[string][]byte{}}, 0
	for _, i := range j.keepers {
		d := &j.detectors[i]
		what, err := d.Detector.(detect.Keeper).Keep()
		if err == nil && len(what) > maxKept {
			err = fmt.Errorf("%d bytes are too many", len(what))
		}
		if err != nil {
			j.log.LogAttrs(ctx, slog.LevelWarn, "what a detector learnt is not kept", slog.String("detector", d.Name), slog.Any("error", err))
			continue
		}
		k.what[d.Name] = what
		size += len(what)
	}
	j.keepPause = keepPace * time.Duration(size>>20)
	return k
}

func keepKey(consumer, detector string) string { return "learnt:" + consumer + ":" + detector }

// keep writes what detectors knew.
func (w *applying) keep(ctx context.Context, k *kept) error {
	if k == nil {
		return nil
	}
	for name, what := range k.what {
		if err := w.tx.Meta().Put(ctx, keepKey(w.c.cfg.Name, name), strconv.FormatInt(int64(k.seq), 10)+" "+string(what)); err != nil {
			return err
		}
	}
	return nil
}

// learnt is what a detector knew when it had seen everything up to seq.
type learnt struct {
	detector int
	seq      eventlog.Seq
	what     []byte
}

// recall gives what was learnt back to those who are about to see what comes
// behind it. They have seen the last of what comes before, so that their windows
// are filled; what they have learnt from that is replaced.
func (j *judge) recall(ctx context.Context, next eventlog.Seq) {
	j.learnt = slices.DeleteFunc(j.learnt, func(l learnt) bool {
		if l.seq >= next {
			return false
		}
		d := &j.detectors[l.detector]
		if err := d.Detector.(detect.Keeper).Recall(l.what); err != nil {
			j.log.LogAttrs(ctx, slog.LevelWarn, "what a detector learnt cannot be read; it learns anew", slog.String("detector", d.Name), slog.Any("error", err))
		}
		return true
	})
}

// readLearnt reads what keepers knew and returns the number of the last event that
// all of them know; pos when nobody has to learn anything again.
func (c *Consumer) readLearnt(ctx context.Context, j *judge, pos eventlog.Seq) (eventlog.Seq, error) {
	least := pos
	for _, i := range j.keepers {
		name := j.detectors[i].Name
		var text string
		err := c.dep.State.View(ctx, func(tx state.Tx) (err error) {
			text, err = tx.Meta().Get(ctx, keepKey(c.cfg.Name, name))
			return err
		})
		if err != nil {
			return pos, fmt.Errorf("read what detector %s learnt: %w", name, err)
		}
		number, what, _ := strings.Cut(text, " ")
		seq, err := strconv.ParseInt(number, 10, 64)
		if text == "" || err != nil || eventlog.Seq(seq) > pos {
			continue // nothing, or of a log that is no more
		}
		j.learnt = append(j.learnt, learnt{i, eventlog.Seq(seq), []byte(what)})
		least = min(least, eventlog.Seq(seq))
	}
	return least, nil
}
