package notice

import (
	"cmp"
	"context"
	"errors"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// crowd is how long what is above a channel's rate waits for company, at most:
// six digests an hour.
const crowd = 10 * time.Minute

// A turn says what is to be done with a notice that is due: send it, apply a
// change to it, or neither.
type turn struct {
	n        honeyguide.Notice
	incident *honeyguide.Incident // it is about, nil when there is none
	waited   time.Duration        // how long nobody had acknowledged, of a later level
	send     bool
	much     bool // the channel has said enough: into a digest with it
	apply    func(*honeyguide.Notice)
}

// again decides about a notice as it is stored now.
func (c *channel) again(ctx context.Context, id string) (t turn, err error) {
	now := c.o.now()
	err = c.o.dep.State.View(ctx, func(tx state.Tx) error {
		n, err := tx.Notices().Get(ctx, id)
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			return nil
		}
		if err == nil {
			t, err = c.decide(ctx, tx, n, func() (int64, error) { return c.said(ctx, tx, now) }, now)
		}
		return err
	})
	return t, err
}

// decide says what is to be done with one notice. said counts what the channel
// has said within the hour.
func (c *channel) decide(ctx context.Context, tx state.Tx, n honeyguide.Notice, said func() (int64, error), now time.Time) (t turn, err error) {
	t.n = n
	if n.State != honeyguide.NoticeQueued || n.DueAt.After(now) {
		return t, nil
	}
	if t.incident, err = incident(ctx, tx, t.n.Incident); err != nil {
		return t, err
	}
	if t.n.Level > 0 {
		if stop, err := c.escalate(ctx, tx, &t, now); stop || err != nil {
			return t, err
		}
	}
	if at := c.o.loud(c, &t.n, now); at.After(now) {
		t.later(at)
		return t, nil
	}
	full, err := c.full(&t.n, said)
	switch {
	case err != nil:
		return t, err
	case !full:
		t.send = true
	case t.n.Event == respond.EventResolve: // each ends something of its own, so they are only slowed down
		t.later(slot(now))
	default:
		t.much = true
	}
	return t, nil
}

// slot is when the next digest of what was too much goes out.
func slot(now time.Time) time.Time { return now.Truncate(crowd).Add(crowd) }

// later puts a notice off.
func (t *turn) later(at time.Time) {
	t.apply = func(n *honeyguide.Notice) { n.DueAt = at }
}

// incident reads an incident; nil when there is none of this ID, or none any more.
func incident(ctx context.Context, tx state.Tx, id string) (*honeyguide.Incident, error) {
	if id == "" {
		return nil, nil
	}
	i, err := tx.Incidents().Get(ctx, id)
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return nil, nil
	}
	return &i, err
}

// escalate decides about a later level: it is dropped when somebody has
// acknowledged or the incident is gone, and waits for the level before it. A
// level that could not be sent does not hold the next one back.
func (c *channel) escalate(ctx context.Context, tx state.Tx, t *turn, now time.Time) (stop bool, err error) {
	if why := acknowledged(t.incident); why != "" {
		t.apply = c.o.drop(why)
		return true, nil
	}
	wait := time.Duration(t.n.WaitMS) * time.Millisecond
	t.waited = wait
	before, err := tx.Notices().Get(ctx, t.n.Follows)
	switch {
	case honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return false, nil
	case err != nil:
		return true, err
	case before.State == honeyguide.NoticeDropped:
		t.apply = c.o.drop(before.Error)
		return true, nil
	}
	from := before.DueAt // quiet hours move it
	if done := cmp.Or(before.SentAt, before.FailedAt); !done.IsZero() {
		if from = done; from.Sub(now) > skew { // the clock was set back
			from = t.n.CreatedAt
		}
	}
	if at := from.Add(wait); at.After(now) {
		t.later(at)
		return true, nil
	}
	return false, nil
}

// drop ends a notice that is not needed any more.
func (o *Outbox) drop(why string) func(*honeyguide.Notice) {
	return func(n *honeyguide.Notice) {
		n.State, n.Error = honeyguide.NoticeDropped, why
		o.held.With("dropped").Add(1)
	}
}

// acknowledged says why nobody else has to be told about an incident, "" when
// nobody has taken it.
func acknowledged(i *honeyguide.Incident) string {
	switch {
	case i == nil:
		return "the incident is not there any more"
	case !state.OpenIncident(i.Status):
		return "the incident was " + string(i.Status)
	case i.Owner != "":
		return i.Owner + " has the incident"
	case !i.Clock.AcknowledgedAt.IsZero():
		return "the incident was acknowledged"
	case i.Phase != "" && i.Phase != honeyguide.PhaseNew:
		return "the incident is in phase " + string(i.Phase)
	}
	return ""
}

// full reports whether a channel has said enough within the hour. Digests are
// what is said instead, and critical notices have as much room again.
func (c *channel) full(n *honeyguide.Notice, said func() (int64, error)) (bool, error) {
	if n.Key == digestKey {
		return false, nil
	}
	room := int64(c.rate)
	if n.Severity >= honeyguide.SeverityCritical {
		room *= 2
	}
	sent, err := said()
	return sent >= room, err
}

// said counts what a channel has said within the hour. What a clock set back has
// left in the future does not count.
func (c *channel) said(ctx context.Context, tx state.Tx, now time.Time) (int64, error) {
	sent, err := tx.Notices().Since(ctx, c.name, now.Add(-time.Hour))
	ahead, err2 := tx.Notices().Since(ctx, c.name, now.Add(skew))
	return sent - ahead, errors.Join(err, err2)
}
