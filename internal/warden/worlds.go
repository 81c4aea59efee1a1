package warden

import (
	"context"
	"log/slog"
	"net/netip"

	"honeyguide/internal/ipc"
)

// Worlds keeps what attackers left behind in the decoys of a persona. A world is
// the sensor's own bytes, which nobody else looks into. Package worlds has the
// real one.
type Worlds interface {
	// Load returns the world of a source, nil when none is kept.
	Load(ctx context.Context, persona string, source netip.Addr) ([]byte, error)
	// Save keeps a world, which the caller does not change afterwards.
	Save(ctx context.Context, persona string, source netip.Addr, world []byte) error
}

// maxAsked bounds the questions that wait for their answer. One beyond it gets
// none: that source then has a fresh world, and nothing is kept of it.
const maxAsked = 4096

// remember keeps what a source left behind. It waits while the disk is slow,
// and with it the process: that is the back-pressure.
func (l *life) remember(ctx context.Context, m ipc.Remember) error {
	if l.w.opts.Worlds == nil {
		return nil
	}
	l.w.count.worlds.Add(1)
	if err := l.w.opts.Worlds.Save(ctx, l.w.opts.Name, m.Source, m.World); err != nil && ctx.Err() == nil {
		l.w.log.LogAttrs(ctx, slog.LevelWarn, "world is not kept", slog.Any("error", err))
	}
	return nil
}

// recall queues a question.
func (l *life) recall(m ipc.Recall) {
	select {
	case l.asked <- m.Source:
	default:
		l.w.count.unasked.Add(1)
	}
}

// answer tells the process what it asked for, until ctx ends. What cannot be
// read is answered with nothing, or the source would wait for ever.
func (l *life) answer(ctx context.Context) error {
	for {
		var source netip.Addr
		select {
		case <-ctx.Done():
			return nil
		case source = <-l.asked:
		}
		var world []byte
		if l.w.opts.Worlds != nil {
			var err error
			if world, err = l.w.opts.Worlds.Load(ctx, l.w.opts.Name, source); err != nil {
				l.w.log.LogAttrs(ctx, slog.LevelWarn, "world cannot be read", slog.Any("error", err))
			}
		}
		if len(world) > ipc.MaxWorld {
			world = nil
		}
		if err := l.send(ipc.Recalled{Source: source, World: world}); err != nil {
			_ = l.proc.Kill()
			return err
		}
	}
}
