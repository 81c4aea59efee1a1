package notice

import (
	"context"
	"log/slog"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// A Channel's state as an operator sees it.
const (
	StateOK      = "ok"
	StateFailing = "failing" // the last attempt failed
	StateQuiet   = "quiet"   // quiet hours
)

// Status is how one channel stands.
type Status struct {
	Name   string    `json:"name"`
	State  string    `json:"state" doc:"ok, failing or quiet"`
	Queued int64     `json:"queued" doc:"notices that wait"`
	Rate   int       `json:"rate" doc:"messages an hour before digests begin"`
	Error  string    `json:"error,omitempty" doc:"of the last attempt"`
	Until  time.Time `json:"until,omitzero" doc:"nothing is tried before; the end of quiet hours"`
}

// Channels says how every channel stands, by name.
func (o *Outbox) Channels(ctx context.Context) ([]Status, error) {
	var queued map[string]int64
	if err := o.dep.State.View(ctx, func(tx state.Tx) (err error) {
		queued, err = tx.Notices().Queued(ctx)
		return err
	}); err != nil {
		return nil, err
	}
	out, now := []Status{}, o.now()
	for _, name := range o.Names() {
		out = append(out, o.channels[name].status(queued[name], now))
	}
	return out, nil
}

func (c *channel) status(queued int64, now time.Time) Status {
	s := Status{Name: c.name, State: StateOK, Queued: queued, Rate: c.rate}
	if at := open(c.quiet, now, false); at.After(now) {
		s.State, s.Until = StateQuiet, at.UTC()
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if s.Error = c.breaker.last; c.breaker.fails > 0 {
		s.State, s.Until = StateFailing, time.Time{}
		if until, left := c.breaker.wait(now); left {
			s.Until = until
		}
	}
	return s
}

// Retry lets a notice that was given up, or had no channel, go out again, and one
// that waits go out now. CodeNotFound; CodeConflict for one that was sent.
func (o *Outbox) Retry(ctx context.Context, id, by string) (n honeyguide.Notice, err error) {
	err = o.dep.State.Update(ctx, func(tx state.Tx) error {
		if n, err = tx.Notices().Get(ctx, id); err != nil {
			return err
		}
		now := o.now()
		switch n.State {
		case honeyguide.NoticeQueued, honeyguide.NoticeDead, honeyguide.NoticeKept:
		default:
			return conflict("this notice is " + string(n.State) + "; only one that is dead, kept or queued can be sent again")
		}
		if o.channels[n.Channel] == nil {
			return o.reroute(ctx, tx, &n, now)
		}
		again(&n, now)
		return tx.Notices().Save(ctx, &n)
	})
	if err != nil {
		return n, err
	}
	if c := o.channels[n.Channel]; c != nil {
		c.mu.Lock()
		c.breaker.until = time.Time{} // whoever asks has mended something
		c.mu.Unlock()
	}
	o.dep.Log.LogAttrs(ctx, slog.LevelInfo, "notice is sent again", slog.String("notice", n.ID), slog.String("by", by))
	o.Wake()
	return n, nil
}

// again makes a notice as if it had never been tried.
func again(n *honeyguide.Notice, now time.Time) {
	n.State, n.Error, n.Attempts, n.DueAt, n.FailedAt, n.Digest = honeyguide.NoticeQueued, "", 0, now, time.Time{}, false
}

// reroute sends a notice without a channel where such notices go now.
func (o *Outbox) reroute(ctx context.Context, tx state.Tx, n *honeyguide.Notice, now time.Time) error {
	r, err := o.route("")
	if err != nil {
		return err
	}
	if len(r.levels) == 0 {
		return conflict("no channel is configured; add an action that carries messages, such as webhook or email, below actions:")
	}
	again(n, now)
	n.Level, n.Follows, n.WaitMS = 0, "", 0
	for i, name := range r.levels[0].Channels {
		row := *n
		row.Channel = name
		if i == 0 {
			n.Channel = name
		} else {
			row.ID = n.ID + "." + strconv.Itoa(0) + "." + name
		}
		if err := tx.Notices().Save(ctx, &row); err != nil {
			return err
		}
	}
	return nil
}

// Test sends a message on a channel at once, whatever the hour and the rate, and
// returns what became of it: sent, or dead with the error. It is not tried again.
func (o *Outbox) Test(ctx context.Context, channel, by string) (honeyguide.Notice, error) {
	c := o.channels[channel]
	if c == nil {
		return honeyguide.Notice{}, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no such channel; honeyguide notices channels lists them"}
	}
	now := o.now()
	n := honeyguide.Notice{
		ID: honeyguide.NewID(now), Channel: channel, Event: respond.EventTrigger, Severity: honeyguide.SeverityInformational,
		Title: "Test of " + channel, Text: "Honeyguide can reach you here. " + by + " asked for this message.",
		State: honeyguide.NoticeDead, Error: "not sent yet", Count: 1, Attempts: 1, CreatedAt: now, DueAt: now,
	}
	n.Key = "test " + n.ID
	save := func(ctx context.Context) error {
		return o.dep.State.Update(ctx, func(tx state.Tx) error { return tx.Notices().Save(ctx, &n) })
	}
	if err := save(ctx); err != nil {
		return n, err
	}
	ref, cause := c.call(ctx, o.message(&turn{n: n}))
	n.Error = ""
	if cause != nil {
		n.Error = cause.Error()
	} else {
		n.State, n.Ref, n.SentAt = honeyguide.NoticeSent, ref, o.now()
	}
	c.note(o.now(), cause)
	return n, save(context.WithoutCancel(ctx))
}

func conflict(message string) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: message}
}
