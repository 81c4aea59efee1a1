package notice

import (
	"cmp"
	"context"
	"log/slog"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// skew is how far into the future a stored time may lie before it is taken for
// the mark of a clock that has been set back since.
const skew = 2 * time.Minute

// Post stores a notice and wakes who sends it. See [Outbox.Put].
func (o *Outbox) Post(ctx context.Context, n honeyguide.Notice) error {
	err := o.dep.State.Update(ctx, func(tx state.Tx) error { return o.Put(ctx, tx, n) })
	if err == nil {
		o.Wake()
	}
	return err
}

// Put stores a notice in the caller's transaction, as one row for each channel it
// goes to: the first has n's ID, the others begin with it. n.Channel names where
// it goes (see [respond.Notices]); what is not there any more is told on the
// default channels, because a misspelt name must not silence anybody. n.Key is
// what it is about: the same Key again within the time of dedupe is counted, or
// sent as an update when it is more severe. An ID that is known changes nothing.
func (o *Outbox) Put(ctx context.Context, tx state.Tx, n honeyguide.Notice) error {
	now := o.now()
	n.ID = cmp.Or(n.ID, honeyguide.NewID(now))
	switch _, err := tx.Notices().Get(ctx, n.ID); {
	case err == nil:
		return nil // posted before
	case honeyguide.ErrorCode(err) != honeyguide.CodeNotFound:
		return err
	}
	r, err := o.route(n.Channel)
	if err != nil {
		o.dep.Log.LogAttrs(ctx, slog.LevelWarn, "notice goes to the default channels", slog.Any("error", err))
		if r, err = o.route(""); err != nil {
			return err
		}
	}
	n.CreatedAt, n.Count, n.Attempts, n.Ref, n.Error = now, 1, 0, "", ""
	n.Key = cmp.Or(n.Key, n.Incident, n.Title)
	n.Link = cmp.Or(n.Link, o.link(n.Incident))
	n.Chain = r.chain
	if len(r.levels) == 0 {
		n.Channel = ""
		_, err := o.place(ctx, tx, n, now)
		return err
	}
	levels := r.levels
	if n.Incident == "" {
		levels = levels[:1] // there is nothing to acknowledge
	}
	return o.along(ctx, tx, n, levels, now)
}

// along places a notice on every channel of levels.
func (o *Outbox) along(ctx context.Context, tx state.Tx, n honeyguide.Notice, levels []Level, now time.Time) error {
	before, due := "", now
	for i, l := range levels {
		first := ""
		due = due.Add(l.After)
		for j, name := range l.Channels {
			row := n
			if i+j > 0 {
				row.ID = n.ID + "." + strconv.Itoa(i) + "." + name
			}
			row.Channel, row.Level, row.Follows, row.WaitMS, row.DueAt = name, i, before, l.After.Milliseconds(), due
			id, err := o.place(ctx, tx, row, now)
			if err != nil {
				return err
			}
			first = cmp.Or(first, id)
		}
		before = first
	}
	return nil
}

// place stores one row, or counts it into the one that says the same. It returns
// the ID of the row that goes out.
func (o *Outbox) place(ctx context.Context, tx state.Tx, n honeyguide.Notice, now time.Time) (string, error) {
	head, found := honeyguide.Notice{}, false
	if n.Event != respond.EventResolve {
		var err error
		if head, found, err = o.head(ctx, tx, &n, now); err != nil {
			return "", err
		}
		n.Event = respond.EventTrigger
	}
	worse := n.Severity > head.Severity
	switch {
	case !found:
	case !worse || head.State == honeyguide.NoticeQueued || head.State == honeyguide.NoticeKept:
		head.Count++
		if worse {
			head.Severity, head.Title, head.Text = n.Severity, n.Title, n.Text
			if head.State == honeyguide.NoticeQueued && head.Level == 0 && head.FailedAt.IsZero() {
				o.plan(&head, now)
			}
		}
		n.State, n.Ref, n.DueAt = honeyguide.NoticeCounted, head.ID, now
		if err := tx.Notices().Save(ctx, &head); err != nil {
			return "", err
		}
		o.held.With("counted").Add(1)
		return head.ID, tx.Notices().Save(ctx, &n)
	default:
		n.Event = respond.EventUpdate
	}
	if n.Channel == "" {
		n.State, n.DueAt, n.Error = honeyguide.NoticeKept, now, "no channel is configured"
		return n.ID, tx.Notices().Save(ctx, &n)
	}
	n.State = honeyguide.NoticeQueued
	if n.Level == 0 {
		o.plan(&n, now)
	}
	return n.ID, tx.Notices().Save(ctx, &n)
}

// head finds the notice that said the same on the same channel a short while ago.
func (o *Outbox) head(ctx context.Context, tx state.Tx, n *honeyguide.Notice, now time.Time) (honeyguide.Notice, bool, error) {
	none := func(err error) (honeyguide.Notice, bool, error) {
		if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			err = nil
		}
		return honeyguide.Notice{}, false, err
	}
	if o.rules.Dedupe == 0 {
		return none(nil)
	}
	h, err := tx.Notices().Latest(ctx, n.Channel, n.Key)
	if err == nil && h.State == honeyguide.NoticeCounted {
		h, err = tx.Notices().Get(ctx, h.Ref)
	}
	if err != nil {
		return none(err)
	}
	age := now.Sub(h.CreatedAt)
	if age < -skew || age >= o.rules.Dedupe || h.State == honeyguide.NoticeDead || h.Event == respond.EventResolve || !h.ResolvedAt.IsZero() {
		return none(nil)
	}
	return h, true, nil
}

// plan says when a notice of the first level goes out, and whether by itself.
func (o *Outbox) plan(n *honeyguide.Notice, now time.Time) {
	n.Digest, n.DueAt = false, now
	c := o.channels[n.Channel]
	switch {
	case c == nil || n.Event == respond.EventResolve:
	case c.digest != nil && c.gather[n.Severity]:
		n.Digest, n.DueAt = true, c.digest.next(now)
	default:
		n.DueAt = o.loud(c, n, now)
	}
}

// loud returns the first moment a notice may be heard. The end of something is
// told at once: whoever was woken by its beginning waits for it.
func (o *Outbox) loud(c *channel, n *honeyguide.Notice, now time.Time) time.Time {
	if n.Event == respond.EventResolve {
		return now
	}
	list := c.quiet
	if chain, ok := o.rules.chains[n.Chain]; ok && len(chain.quiet) > 0 {
		list = append(list[:len(list):len(list)], chain.quiet...)
	}
	return open(list, now, n.Severity >= honeyguide.SeverityCritical)
}
