package warden

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ipc"
)

// append keeps what was recorded, makes the events behind it durable, in order,
// and tells the process. It ends when the inbox does.
func (l *life) append(ctx context.Context) error {
	var spare []ipc.Chunk
	for {
		w, ok := l.inbox.take(spare)
		if !ok {
			return nil
		}
		spare = w.chunks
		l.w.record(ctx, w.chunks)
		l.stage(ctx, w)
		n := len(w.events)
		if n == 0 {
			continue
		}
		if err := l.w.durable(ctx, w.events); err != nil {
			continue // ctx has ended: nothing was acknowledged
		}
		if err := l.send(ipc.Ack{N: n}); err != nil {
			_ = l.proc.Kill()
			l.w.log.LogAttrs(ctx, slog.LevelDebug, "sensor process takes no acknowledgement", slog.Any("error", err))
		}
	}
}

// record keeps chunks. A recording may have a gap, an event may not.
func (w *Warden) record(ctx context.Context, chunks []ipc.Chunk) {
	if len(chunks) == 0 {
		return
	}
	kept, err := w.opts.Chunks(ctx, chunks)
	w.count.chunks.Add(float64(kept))
	w.count.chunksLost.Add(float64(len(chunks) - kept))
	if err != nil {
		w.log.LogAttrs(ctx, slog.LevelDebug, "recording has a gap", slog.Any("error", err))
	}
}

// durable calls Append until it takes the events or ctx ends. An event the log
// can never hold is given up, counted, and leaves a gap event in its place.
func (w *Warden) durable(ctx context.Context, events []honeyguide.Event) error {
	pause := appendFirst
	for ctx.Err() == nil {
		err := w.opts.Append(ctx, events)
		if err == nil {
			w.count.events.Add(float64(len(events)))
			return nil
		}
		if bad, ok := errors.AsType[*eventlog.EventError](err); ok && bad.Index >= 0 && bad.Index < len(events) {
			w.count.given.Add(1)
			w.log.LogAttrs(ctx, slog.LevelError, "event given up", slog.Any("error", err))
			events = slices.Clone(events)
			events[bad.Index] = w.gap(events[bad.Index])
			continue
		}
		w.count.retries.Add(1)
		w.log.LogAttrs(ctx, slog.LevelWarn, "events wait to be stored",
			slog.Int("events", len(events)), slog.Duration("pause", pause), slog.Any("error", err))
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-t.C:
		}
		t.Stop()
		pause = min(2*pause, appendLast)
	}
	return ctx.Err()
}

// gap stands where an event was given up.
func (w *Warden) gap(e honeyguide.Event) honeyguide.Event {
	g := honeyguide.Event{
		ID: e.ID, Time: e.Time, Observed: e.Observed, Class: honeyguide.ClassLifecycle, Activity: honeyguide.ActivityGap,
		Severity: honeyguide.SeverityMedium, Sensor: w.opts.Name, Src: e.Src, Dst: e.Dst,
	}
	g.Set(honeyguide.AttrCount, 1)
	g.Set(honeyguide.AttrDetail, "event that the log cannot hold")
	return g
}
