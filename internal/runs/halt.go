package runs

import (
	"context"
	"encoding/json"
	"log/slog"

	"honeyguide"
	"honeyguide/internal/state"
)

const metaHalt = "response_halt"

// Halted says how the stop switch stands.
func (e *Engine) Halted(context.Context) (honeyguide.HaltState, error) { return e.halt(), nil }

// Stopped reports whether the stop switch is on.
func (e *Engine) Stopped() bool { return e.halt().On }

func (e *Engine) halt() honeyguide.HaltState { return *e.halted.Load() }

func (e *Engine) setHalt(h honeyguide.HaltState) {
	e.halted.Store(&h)
	on := 0.0
	if h.On {
		on = 1
	}
	e.m.halted.Set(on)
}

func (e *Engine) readHalt(ctx context.Context) (h honeyguide.HaltState, err error) {
	err = e.dep.State.View(ctx, func(tx state.Tx) error {
		text, err := tx.Meta().Get(ctx, metaHalt)
		if err != nil || text == "" {
			return err
		}
		return json.Unmarshal([]byte(text), &h)
	})
	return h, err
}

// Halt stops all acting. It holds from the moment it is called, also when the
// store cannot be written.
func (e *Engine) Halt(ctx context.Context, by, why string) (honeyguide.HaltState, error) {
	h := honeyguide.HaltState{On: true, By: by, Why: why, At: e.now().UTC()}
	e.setHalt(h)
	e.log.LogAttrs(ctx, slog.LevelWarn, "response halted", slog.String("by", by))
	return h, e.dep.State.Update(ctx, func(tx state.Tx) error { return writeHalt(ctx, tx, h) })
}

// Resume lets what waits go on.
func (e *Engine) Resume(ctx context.Context, by, why string) (honeyguide.HaltState, error) {
	h := honeyguide.HaltState{By: by, Why: why, At: e.now().UTC()}
	err := e.dep.State.Update(ctx, func(tx state.Tx) error {
		if err := writeHalt(ctx, tx, h); err != nil {
			return err
		}
		q := state.RunQuery{State: []honeyguide.RunState{honeyguide.RunHalted, honeyguide.RunRunning}, Page: state.Page{Limit: state.MaxLimit}}
		for {
			list, next, err := tx.Runs().List(ctx, q)
			if err != nil {
				return err
			}
			for i := range list {
				if err := tx.Jobs().Add(ctx, &state.Job{Kind: jobRun, Key: list[i].ID, RunAt: e.now(), MaxAttempts: attempts}); err != nil {
					return err
				}
			}
			if q.After = next; next == "" {
				return nil
			}
		}
	})
	if err != nil {
		return e.halt(), err
	}
	e.setHalt(h)
	e.wake()
	e.log.LogAttrs(ctx, slog.LevelWarn, "response resumed", slog.String("by", by))
	return h, nil
}

func writeHalt(ctx context.Context, tx state.Tx, h honeyguide.HaltState) error {
	text, err := json.Marshal(h)
	if err != nil {
		return err
	}
	return tx.Meta().Put(ctx, metaHalt, string(text))
}
