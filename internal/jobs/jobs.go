// Package jobs is the queue of what must be done outside the transaction that asks
// for it, and survives a crash at any point: an action on a firewall, a message, a
// retry of either.
//
// A job is added in the transaction that causes it and removed in the one that
// writes its effect, so it is neither lost nor forgotten. In between it is done at
// least once: a worker that crashes leaves it to the next one when its lease ends,
// so what a job does outside must be harmless to do twice. A worker that was only
// slow learns that it lost the job (ErrLost) and what it wanted to write is undone.
//
// A job that failed its last attempt stays, dead, to be seen and revived.
package jobs

import (
	"context"
	"errors"
	"fmt"
	"time"

	"honeyguide/internal/state"
)

// Job is something to do; see [state.Job].
type Job = state.Job

// ErrLost says that the lease ran out and somebody else has the job or had it.
// Nothing of what its former holder does counts any more.
var ErrLost = errors.New("the job was lost: its lease ran out")

// poll is how long a worker sleeps at most: jobs of another process wake nobody.
const poll = time.Second

// Queue hands out jobs. It is safe for concurrent use.
type Queue struct {
	store state.Store
	now   func() time.Time
	wake  chan struct{}
}

// New returns the queue in a store. A nil now is time.Now.
func New(store state.Store, now func() time.Time) *Queue {
	if now == nil {
		now = time.Now
	}
	return &Queue{store: store, now: now, wake: make(chan struct{}, 1)}
}

// Add stores jobs in the caller's transaction and gives them their IDs. One whose
// Kind and Key are those of a job that waits or runs is passed over: it keeps ID 0.
// Call [Queue.Wake] when the transaction has been committed.
func (q *Queue) Add(ctx context.Context, tx state.Tx, jobs ...*Job) error {
	for _, j := range jobs {
		if j.RunAt.IsZero() {
			j.RunAt = q.now()
		}
	}
	return tx.Jobs().Add(ctx, jobs...)
}

// Wake tells one waiting worker to look at once.
func (q *Queue) Wake() {
	select {
	case q.wake <- struct{}{}:
	default: // one look is pending already
	}
}

// Claim takes up to n due jobs of kinds, or of all kinds when there are none, for
// the time of lease. It returns none without writing when nothing is due.
func (q *Queue) Claim(ctx context.Context, kinds []string, n int, lease time.Duration) ([]Job, error) {
	next, err := q.next(ctx, kinds)
	if err != nil || next.IsZero() || next.After(q.now()) {
		return nil, err
	}
	var out []Job
	err = q.store.Update(ctx, func(tx state.Tx) error {
		var err error
		out, err = tx.Jobs().Claim(ctx, q.now(), kinds, n, lease)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func (q *Queue) next(ctx context.Context, kinds []string) (next time.Time, err error) {
	err = q.store.View(ctx, func(tx state.Tx) error {
		next, err = tx.Jobs().Next(ctx, kinds)
		return err
	})
	return next, err
}

// Extend keeps a claimed job for lease from now. ErrLost.
func (q *Queue) Extend(ctx context.Context, j Job, lease time.Duration) error {
	return q.store.Update(ctx, func(tx state.Tx) error {
		held, err := tx.Jobs().Extend(ctx, j.ID, j.Attempt, q.now().Add(lease))
		return outcome(held, err)
	})
}

// Done removes a claimed job in the transaction that writes its effect. ErrLost,
// which the caller returns from the transaction so that the effect goes too.
func (q *Queue) Done(ctx context.Context, tx state.Tx, j Job) error {
	held, err := tx.Jobs().Done(ctx, j.ID, j.Attempt)
	return outcome(held, err)
}

// Fail gives a claimed job back to be tried again at retry, or buries it when that
// was its last attempt. ErrLost.
func (q *Queue) Fail(ctx context.Context, j Job, cause error, retry time.Time) error {
	return q.store.Update(ctx, func(tx state.Tx) error {
		held, err := tx.Jobs().Fail(ctx, j.ID, j.Attempt, fmt.Sprint(cause), retry)
		return outcome(held, err)
	})
}

func outcome(held bool, err error) error {
	if err == nil && !held {
		return ErrLost
	}
	return err
}

// Wait returns when a job of kinds may be due: at its time, at a Wake, or after a
// second at the latest. It returns ctx.Err() when ctx ends.
func (q *Queue) Wait(ctx context.Context, kinds []string) error {
	next, err := q.next(ctx, kinds)
	if err != nil {
		return err
	}
	pause := poll
	if !next.IsZero() {
		pause = min(pause, next.Sub(q.now()))
	}
	if pause <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-q.wake:
	case <-timer.C:
	}
	return nil
}
