package jobs

import (
	"context"
	"errors"
	"log/slog"
	"maps"
	"slices"
	"time"

	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// A Handler does a job. What it does outside may happen twice. It returns the
// effect to be written in the transaction that removes the job, nil for none. ctx
// ends when the lease does. An error, or a panic, lets the job be tried again.
type Handler func(ctx context.Context, j Job) (effect func(ctx context.Context, tx state.Tx) error, err error)

// Worker settings.
const (
	Lease     = time.Minute // how long a handler may take
	firstWait = time.Second // before the second attempt, doubled each time
	lastWait  = time.Hour
)

// Work does jobs of the kinds there are handlers for, one after the other, until
// ctx ends, which is no error. Several may run at the same time.
func (q *Queue) Work(ctx context.Context, log *slog.Logger, handlers map[string]Handler) error {
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	kinds := slices.Sorted(maps.Keys(handlers))
	if len(kinds) == 0 {
		return errors.New("work on jobs: no handlers")
	}
	for ctx.Err() == nil {
		list, err := q.Claim(ctx, kinds, 1, Lease)
		if err == nil && len(list) == 0 {
			err = q.Wait(ctx, kinds)
		}
		for _, j := range list {
			err = q.do(ctx, log, j, handlers[j.Kind])
		}
		if err != nil && ctx.Err() == nil {
			return err
		}
	}
	return nil
}

// do runs one job to an outcome that is stored. The error is the store's.
func (q *Queue) do(ctx context.Context, log *slog.Logger, j Job, h Handler) error {
	limited, cancel := context.WithTimeout(ctx, Lease)
	defer cancel()
	var effect func(context.Context, state.Tx) error
	cause := supervise.Call(limited, "job "+j.Kind, func(ctx context.Context) (err error) {
		effect, err = h(ctx, j)
		return err
	})
	if cause == nil {
		cause = q.store.Update(ctx, func(tx state.Tx) error {
			if effect != nil {
				if err := effect(ctx, tx); err != nil {
					return err
				}
			}
			return q.Done(ctx, tx, j)
		})
	}
	switch {
	case cause == nil || ctx.Err() != nil: // at the end of ctx the lease says when it is tried again
		return nil
	case errors.Is(cause, ErrLost):
		log.WarnContext(ctx, "job lost", "kind", j.Kind, "id", j.ID, "attempt", j.Attempt)
		return nil
	}
	log.WarnContext(ctx, "job failed", "kind", j.Kind, "id", j.ID, "attempt", j.Attempt, "attempts", j.MaxAttempts, "error", cause)
	if err := q.Fail(ctx, j, cause, q.now().Add(Backoff(j.Attempt))); err != nil && !errors.Is(err, ErrLost) {
		return err
	}
	return nil
}

// Backoff is the pause after a failed attempt, 1 being the first: 1 s, 2 s, 4 s ...
// up to an hour.
func Backoff(attempt int) time.Duration {
	if attempt > 12 { // 2^12 s is more than an hour
		return lastWait
	}
	return min(firstWait<<max(attempt-1, 0), lastWait)
}
