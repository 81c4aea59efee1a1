package warden

import (
	"context"
	"log/slog"
	"strconv"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// owner names this life of the process: numbers of files begin anew with each.
func (l *life) owner() string {
	return l.w.opts.Name + "/" + strconv.Itoa(l.proc.Pid) + "/" + strconv.FormatInt(l.began.UnixNano(), 10)
}

// piece takes a piece of a file in. It waits while there is enough to write,
// and with it the process.
func (l *life) piece(ctx context.Context, p ipc.Piece) error {
	if p.File == 0 {
		return violation("piece of no file")
	}
	if l.w.opts.Samples == nil || len(p.Data) == 0 {
		return nil
	}
	return l.inbox.put(ctx, func(w *work) bool {
		if w.held > 0 && w.held+len(p.Data) > maxRecorded || len(w.pieces) >= ipc.MaxBatch {
			return false
		}
		w.pieces = append(w.pieces, p)
		w.held += len(p.Data)
		return true
	})
}

// stage writes the pieces of a round and then seals the files whose events are in
// it: when these are acknowledged, the content is on the disk as well.
func (l *life) stage(ctx context.Context, w work) {
	if l.w.opts.Samples == nil {
		return
	}
	for _, p := range w.pieces {
		if err := l.w.opts.Samples.Stage(l.owner(), p); err != nil {
			l.w.count.piecesLost.Add(1)
			l.w.log.LogAttrs(ctx, slog.LevelDebug, "sample is incomplete", slog.Any("error", err))
		}
	}
	for i := range w.events {
		if w.events[i].Activity == honeyguide.ActivitySample {
			l.w.opts.Samples.Seal(l.owner(), &w.events[i])
			l.w.count.samples.Add(1)
		}
	}
}

// forget gives up what the process left unfinished.
func (l *life) forget() {
	if l.w.opts.Samples != nil {
		l.w.opts.Samples.Drop(l.owner())
	}
}
