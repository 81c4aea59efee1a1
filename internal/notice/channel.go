package notice

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// How a channel works.
const (
	batch    = 200              // notices looked at in one go
	poll     = 5 * time.Second  // the longest sleep: clocks are set, others write
	sendTime = 30 * time.Second // that one message may take
)

// A channel sends the notices of one messenger.
type channel struct {
	lane
	o    *Outbox
	name string
	m    respond.Messenger
	wake chan struct{}

	mu      sync.Mutex
	breaker breaker
}

func newChannel(o *Outbox, name string, m respond.Messenger, l lane) *channel {
	return &channel{lane: l, o: o, name: name, m: m, wake: make(chan struct{}, 1)}
}

// run works until ctx ends.
func (c *channel) run(ctx context.Context) error {
	for ctx.Err() == nil {
		next, err := c.step(ctx)
		if err != nil {
			return err
		}
		pause := poll
		if !next.IsZero() {
			pause = min(poll, next.Sub(c.o.now()))
		}
		if pause <= 0 {
			continue
		}
		timer := time.NewTimer(pause)
		select {
		case <-ctx.Done():
		case <-c.wake:
		case <-timer.C:
		}
		timer.Stop()
	}
	return nil
}

// left returns until when the channel is left alone.
func (c *channel) left(now time.Time) (time.Time, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.breaker.wait(now)
}

// step does what is due, a batch at most, the worst first, and returns when it
// wants to be called again; the zero time says that nothing waits.
func (c *channel) step(ctx context.Context) (next time.Time, err error) {
	now := c.o.now()
	if until, open := c.left(now); open {
		return until, nil
	}
	var lines []string
	var turns []turn
	if err := c.o.dep.State.View(ctx, func(tx state.Tx) (err error) {
		if lines, turns, err = c.look(ctx, tx, now); err == nil && len(lines)+len(turns) == 0 {
			next, err = tx.Notices().Next(ctx, c.name)
		}
		return err
	}); err != nil || len(lines)+len(turns) == 0 {
		return next, err
	}
	if len(lines) > 0 {
		// The digest itself goes out once nothing more is to be a line of it.
		turns = slices.DeleteFunc(turns, func(t turn) bool { return t.n.Key == digestKey })
		if err := c.collect(ctx, lines, now, false); err != nil {
			return now, err
		}
	}
	slices.SortStableFunc(turns, func(a, b turn) int { return int(b.n.Severity) - int(a.n.Severity) })
	return now, c.each(ctx, turns)
}

// look reads a batch of what is due: lines of a digest, and what is to be done
// with the others.
func (c *channel) look(ctx context.Context, tx state.Tx, now time.Time) (lines []string, turns []turn, err error) {
	due, err := tx.Notices().Due(ctx, c.name, now, batch)
	said := sync.OnceValues(func() (int64, error) { return c.said(ctx, tx, now) })
	for _, n := range due {
		if n.Digest {
			lines = append(lines, n.ID)
			continue
		}
		t, err := c.decide(ctx, tx, n, said, now)
		if err != nil {
			return nil, nil, err
		}
		t.n.Text = "" // whatever is sent is read again
		turns = append(turns, t)
	}
	return lines, turns, err
}

// each sends those whose turn it is, and puts the others off together: under a
// flood most of them are.
func (c *channel) each(ctx context.Context, turns []turn) error {
	var off []turn
	var much []string
	for _, t := range turns {
		if _, open := c.left(c.o.now()); open || ctx.Err() != nil {
			break
		}
		if t.send { // asked again: those before it may have filled the hour
			var err error
			if t, err = c.again(ctx, t.n.ID); err != nil {
				return err
			}
		}
		switch {
		case t.send:
			if err := c.send(ctx, t); err != nil {
				return err
			}
		case t.much:
			much = append(much, t.n.ID)
		case t.apply != nil:
			off = append(off, t)
		}
	}
	if len(much) > 0 {
		if err := c.collect(ctx, much, c.o.now(), true); err != nil {
			return err
		}
	}
	if len(off) == 0 {
		return nil
	}
	return c.o.dep.State.Update(ctx, func(tx state.Tx) error {
		for _, t := range off {
			if err := change(ctx, tx, t.n.ID, t.apply); err != nil {
				return err
			}
		}
		return nil
	})
}

// send sends one notice and writes down what came of it. The error is the
// store's: a message that cannot be sent is no error of the channel's work.
func (c *channel) send(ctx context.Context, t turn) error {
	ref, cause := c.call(ctx, c.o.message(&t))
	if cause != nil && ctx.Err() != nil {
		return nil // the end of the process is no failure of the channel
	}
	now := c.o.now()
	c.note(now, cause)
	var after honeyguide.NoticeState
	err := c.o.dep.State.Update(ctx, func(tx state.Tx) (err error) {
		after, err = c.outcome(ctx, tx, &t.n, ref, cause, now)
		return err
	})
	if err != nil {
		return err
	}
	switch after {
	case honeyguide.NoticeSent:
		c.o.sent.With(c.name).Add(1)
	case honeyguide.NoticeDead:
		c.o.dead.With(c.name).Add(1)
		c.o.dep.Log.LogAttrs(ctx, slog.LevelError, "notice given up", slog.String("channel", c.name), slog.String("notice", t.n.ID), slog.Any("error", cause))
	case honeyguide.NoticeQueued:
		c.o.dep.Log.LogAttrs(ctx, slog.LevelWarn, "notice not sent", slog.String("channel", c.name), slog.String("notice", t.n.ID), slog.Any("error", cause))
	}
	return nil
}

// call gives a message to the messenger; a panic of it is an error.
func (c *channel) call(ctx context.Context, m respond.Message) (ref string, err error) {
	limited, cancel := context.WithTimeout(ctx, sendTime)
	defer cancel()
	// Call takes the end of its context for a clean one; here it is a failure.
	err = supervise.Call(context.WithoutCancel(ctx), "send on "+c.name, func(context.Context) (err error) {
		ref, err = c.m.Send(limited, m)
		return err
	})
	return ref, err
}

// note tells the breaker. A message the other side calls wrong says that the
// channel works.
func (c *channel) note(now time.Time, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if err == nil {
		c.breaker.worked()
		return
	}
	if respond.IsPermanent(err) {
		c.breaker.worked()
		c.breaker.last = err.Error()
		return
	}
	c.breaker.failed(now, err, c.o.dep.Jitter())
}

// outcome writes what became of an attempt into the notice and returns its state,
// "" when it did not wait any more. One that became more severe while it was on
// its way is followed by an update.
func (c *channel) outcome(ctx context.Context, tx state.Tx, was *honeyguide.Notice, ref string, cause error, now time.Time) (honeyguide.NoticeState, error) {
	n, err := tx.Notices().Get(ctx, was.ID)
	if err != nil || n.State != honeyguide.NoticeQueued {
		return "", err
	}
	n.Attempts++
	if cause != nil {
		c.failed(&n, cause, now)
		return n.State, tx.Notices().Save(ctx, &n)
	}
	n.State, n.Ref, n.Error, n.SentAt, n.FailedAt = honeyguide.NoticeSent, ref, "", now, time.Time{}
	if err := tx.Notices().Save(ctx, &n); err != nil || n.Severity <= was.Severity {
		return n.State, err
	}
	more := n
	more.ID, more.Event, more.State, more.Ref, more.Attempts = n.ID+".u", respond.EventUpdate, honeyguide.NoticeQueued, "", 0
	more.Level, more.Follows, more.SentAt, more.CreatedAt, more.DueAt = 0, "", time.Time{}, now, now
	return n.State, tx.Notices().Save(ctx, &more)
}

// failed says when a notice is tried again, or that it is given up.
func (c *channel) failed(n *honeyguide.Notice, cause error, now time.Time) {
	n.Error = cause.Error()
	if errors.Is(cause, context.DeadlineExceeded) {
		n.Error = "no answer within " + short(sendTime)
	}
	if n.FailedAt.IsZero() || n.FailedAt.After(now) {
		n.FailedAt = now
	}
	if respond.IsPermanent(cause) || n.Attempts >= c.o.rules.Attempts || now.Sub(n.FailedAt) >= c.o.rules.MaxAge {
		n.State = honeyguide.NoticeDead
		return
	}
	n.DueAt = now.Add(max(backoff(n.Attempts, c.o.dep.Jitter()), asked(cause)))
}
