package runs

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/jobs"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// Workers is how many run beside each other: one slow channel must not hold up a block.
const Workers = 8

// idle is how long a worker sleeps at most before it looks at the queue: jobs
// become due by themselves.
const idle = 500 * time.Millisecond

// Run carries out what is to be done until ctx ends.
func (e *Engine) Run(ctx context.Context) error {
	group := supervise.New(e.log)
	for range Workers {
		group.Keep(ctx, "response worker", e.worker)
	}
	group.Keep(ctx, "response watch", e.watch)
	group.Keep(ctx, "response schedule", e.schedule)
	return group.Wait()
}

// worker does one job after the other: those handed over first.
func (e *Engine) worker(ctx context.Context) error {
	for ctx.Err() == nil {
		if w := e.pop(); w != nil {
			e.do(ctx, w)
			continue
		}
		list, err := e.queue.Claim(ctx, []string{jobRun, jobEnd, jobLapse, jobRenew}, 1, lease)
		if err != nil {
			if ctx.Err() != nil {
				return nil
			}
			return err
		}
		for _, j := range list {
			e.do(ctx, &work{job: j, at: e.now()})
		}
		if len(list) > 0 {
			continue
		}
		timer := time.NewTimer(idle)
		select {
		case <-ctx.Done():
		case <-e.ring:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// do does one job. What fails here is the store's fault or a bug: the lease runs
// out and the job is done again.
func (e *Engine) do(ctx context.Context, w *work) {
	err := supervise.Call(ctx, "job "+w.job.Kind, func(ctx context.Context) error {
		switch w.job.Kind {
		case jobEnd:
			return e.end(ctx, w)
		case jobLapse:
			return e.lapse(ctx, w)
		case jobRenew:
			return e.renew(ctx, w)
		}
		return e.carry(ctx, w)
	})
	if err == nil || ctx.Err() != nil {
		return
	}
	level := slog.LevelError
	if errors.Is(err, jobs.ErrLost) {
		level = slog.LevelWarn
	}
	e.log.LogAttrs(ctx, level, "response job not done, it will be done again", slog.String("kind", w.job.Kind), slog.String("key", w.job.Key), slog.Any("error", err))
	if err := e.queue.Fail(ctx, w.job, err, e.now().Add(jobs.Backoff(min(w.job.Attempt, 6)))); err != nil && !errors.Is(err, jobs.ErrLost) {
		e.log.LogAttrs(ctx, slog.LevelError, "job not given back", slog.Any("error", err))
	}
}

// locks are the plans somebody works on. What is applied and what is undone of
// one plan never overlap.
type locks struct {
	mu   sync.Mutex
	held map[string]*lockOf
}

type lockOf struct {
	sync.Mutex
	users int
}

// lock locks plans in the order of their IDs.
func (e *Engine) lock(plans []honeyguide.Plan) (unlock func()) {
	ids := make([]string, len(plans))
	for i := range plans {
		ids[i] = plans[i].ID
	}
	slices.SortFunc(ids, strings.Compare)
	ids = slices.Compact(ids)
	taken := make([]*lockOf, len(ids))
	for i, id := range ids {
		e.locks.mu.Lock()
		l := e.locks.held[id]
		if l == nil {
			l = &lockOf{}
			e.locks.held[id] = l
		}
		l.users++
		e.locks.mu.Unlock()
		l.Lock()
		taken[i] = l
	}
	return func() {
		for i, l := range taken {
			l.Unlock()
			e.locks.mu.Lock()
			if l.users--; l.users == 0 {
				delete(e.locks.held, ids[i])
			}
			e.locks.mu.Unlock()
		}
	}
}

// Pauses of the watch.
const (
	watchEvery = 15 * time.Second
	orphanAge  = 3 * lease
)

// watch makes runs say that they are stuck, and gives those a job that lost theirs.
func (e *Engine) watch(ctx context.Context) error {
	for {
		if err := errors.Join(e.clockBack(ctx), e.look(ctx)); err != nil && ctx.Err() == nil {
			return err
		}
		timer := time.NewTimer(watchEvery)
		select {
		case <-ctx.Done():
			timer.Stop()
			return nil
		case <-timer.C:
		}
	}
}

// look goes through the runs that are not over.
func (e *Engine) look(ctx context.Context) error {
	after := ""
	for {
		var list []honeyguide.Run
		var next string
		err := e.dep.State.View(ctx, func(tx state.Tx) (err error) {
			list, next, err = tx.Runs().List(ctx, state.RunQuery{Open: true, Page: state.Page{After: after, Limit: state.MaxLimit}})
			return err
		})
		if err != nil {
			return err
		}
		now := e.now()
		for i := range list {
			r := &list[i]
			late := !r.DeadlineAt.IsZero() && now.After(r.DeadlineAt) && r.StuckAt.IsZero()
			orphan := r.State == honeyguide.RunRunning && now.Sub(r.UpdatedAt) > orphanAge
			if late || orphan {
				if err := e.rescue(ctx, r.ID, now); err != nil {
					return err
				}
			}
		}
		if after = next; after == "" {
			return nil
		}
	}
}

// rescue notes that a run is late, and sees to it that it has a job.
func (e *Engine) rescue(ctx context.Context, id string, now time.Time) error {
	stuck := false
	err := e.dep.State.Update(ctx, func(tx state.Tx) error {
		stuck = false
		r, err := tx.Runs().Get(ctx, id)
		if err != nil || r.State.Over() {
			return err
		}
		if !r.DeadlineAt.IsZero() && now.After(r.DeadlineAt) && r.StuckAt.IsZero() {
			stuck = true
			r.StuckAt = now
			if r.Error == "" && r.Step < len(r.Steps) {
				r.Error = "step " + r.Steps[r.Step].Name + " is not over by its deadline"
			}
			if r.Incident != "" {
				if err := tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{
					Incident: r.Incident, Kind: honeyguide.EntryRun, By: r.By, Ref: r.ID, Text: r.Short + " is stuck: " + r.Error,
				}); err != nil {
					return err
				}
			}
			if err := tx.Runs().Save(ctx, &r); err != nil {
				return err
			}
		}
		if r.State != honeyguide.RunRunning {
			return nil
		}
		return tx.Jobs().Add(ctx, &state.Job{Kind: jobRun, Key: r.ID, RunAt: now, MaxAttempts: attempts}) // none when it has one
	})
	if stuck {
		e.m.stuck.Add(1)
		e.log.LogAttrs(ctx, slog.LevelError, "run is stuck", slog.String("run", id))
	}
	return err
}

// Drain does, in the caller's goroutine, all that is due now and returns when
// nothing is. It is for tools and tests; Run does the same for ever.
func (e *Engine) Drain(ctx context.Context) error {
	for {
		if w := e.pop(); w != nil {
			e.do(ctx, w)
			continue
		}
		list, err := e.queue.Claim(ctx, []string{jobRun, jobEnd, jobLapse, jobRenew}, 1, lease)
		if err != nil || len(list) == 0 {
			return err
		}
		e.do(ctx, &work{job: list[0], at: e.now()})
	}
}
