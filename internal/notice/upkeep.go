package notice

import (
	"cmp"
	"context"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// How often the outbox looks after itself.
const (
	upkeepEvery = 15 * time.Second
	forgetEvery = time.Hour
	forgetBatch = 500 // rows of one transaction
	overBatch   = 50  // incidents of one transaction
)

// upkeep does what belongs to no channel until ctx ends.
func (o *Outbox) upkeep(ctx context.Context) error {
	tick := time.NewTicker(upkeepEvery)
	defer tick.Stop()
	var forgot time.Time
	for {
		if err := o.tidy(ctx); err != nil {
			return err
		}
		if now := o.now(); now.Sub(forgot).Abs() >= forgetEvery {
			if err := o.forget(ctx, now); err != nil {
				return err
			}
			forgot = now
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// tidy tells who has to be told that something is over, mends what a clock set
// back has left behind, and counts what waits.
func (o *Outbox) tidy(ctx context.Context) error {
	if err := o.over(ctx); err != nil {
		return err
	}
	if err := o.setBack(ctx); err != nil {
		return err
	}
	var queued map[string]int64
	if err := o.dep.State.View(ctx, func(tx state.Tx) (err error) {
		queued, err = tx.Notices().Queued(ctx)
		return err
	}); err != nil {
		return err
	}
	for name := range o.channels {
		o.queued.With(name).Set(float64(queued[name]))
	}
	return nil
}

// over posts a resolve to every channel that was told about an incident which is
// resolved or closed now.
func (o *Outbox) over(ctx context.Context) error {
	posted := false
	for {
		var ids []string
		if err := o.dep.State.View(ctx, func(tx state.Tx) (err error) {
			ids, err = tx.Notices().Over(ctx, overBatch)
			return err
		}); err != nil {
			return err
		}
		for _, id := range ids {
			if err := o.dep.State.Update(ctx, func(tx state.Tx) error { return o.resolve(ctx, tx, id) }); err != nil {
				return err
			}
		}
		posted = posted || len(ids) > 0
		if len(ids) < overBatch {
			break
		}
	}
	if posted {
		o.Wake()
	}
	return nil
}

// resolve tells every channel that was told about an incident that it is over,
// once each.
func (o *Outbox) resolve(ctx context.Context, tx state.Tx, id string) error {
	i, err := tx.Incidents().Get(ctx, id)
	if err != nil || state.OpenIncident(i.Status) {
		return err
	}
	now, last := o.now(), map[string]honeyguide.Notice{}
	q := state.NoticeQuery{Incident: id, State: honeyguide.NoticeSent, Page: state.Page{Limit: state.MaxLimit}}
	for {
		page, next, err := tx.Notices().List(ctx, q)
		if err != nil {
			return err
		}
		for _, n := range page {
			if n.Event == respond.EventResolve || !n.ResolvedAt.IsZero() {
				continue
			}
			if _, told := last[n.Channel]; !told { // newest first
				last[n.Channel] = n
			}
			n.ResolvedAt = now
			if err := tx.Notices().Save(ctx, &n); err != nil {
				return err
			}
		}
		if q.After = next; next == "" {
			break
		}
	}
	if !o.rules.Resolve {
		return nil
	}
	for name, told := range last {
		if o.channels[name] == nil {
			continue
		}
		end := ended(&i, told, now)
		end.Link = cmp.Or(told.Link, o.link(id))
		if err := tx.Notices().Save(ctx, &end); err != nil {
			return err
		}
	}
	return nil
}

// ended is the notice that follows told when its incident is over.
func ended(i *honeyguide.Incident, told honeyguide.Notice, now time.Time) honeyguide.Notice {
	text := i.Short + " is " + string(i.Status) + "."
	if i.Verdict.As != "" {
		text += " Verdict: " + string(i.Verdict.As)
		if i.Verdict.By != "" {
			text += " by " + i.Verdict.By
		}
		text += "."
	}
	return honeyguide.Notice{
		ID: told.ID + ".r", Channel: told.Channel, Event: respond.EventResolve, Key: "resolve " + i.ID, Incident: i.ID, Severity: told.Severity,
		Title: "Over: " + i.Title, Text: text, State: honeyguide.NoticeQueued, Count: 1, CreatedAt: now, DueAt: now,
	}
}

// setBack plans anew what was made in what is now the future: the clock was set
// back, and the times it was to go out at mean nothing. The newest come first, so
// that nothing is looked at when there is none.
func (o *Outbox) setBack(ctx context.Context) error {
	for {
		ahead := false
		if err := o.dep.State.View(ctx, func(tx state.Tx) error {
			list, _, err := tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeQueued, Page: state.Page{Limit: 1}})
			ahead = len(list) > 0 && list[0].CreatedAt.Sub(o.now()) > skew
			return err
		}); err != nil || !ahead {
			return err
		}
		n := 0
		err := o.dep.State.Update(ctx, func(tx state.Tx) error {
			n = 0
			now := o.now()
			list, _, err := tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeQueued})
			for _, x := range list {
				if err != nil || x.CreatedAt.Sub(now) <= skew {
					break
				}
				n++
				shift := x.CreatedAt.Sub(now)
				x.CreatedAt, x.DueAt = now, x.DueAt.Add(-shift)
				if !x.FailedAt.IsZero() {
					x.FailedAt = x.FailedAt.Add(-shift)
				}
				if x.Level == 0 && x.FailedAt.IsZero() {
					o.plan(&x, now)
				}
				err = tx.Notices().Save(ctx, &x)
			}
			return err
		})
		if err != nil {
			return err
		}
		o.dep.Log.LogAttrs(ctx, slog.LevelWarn, "the clock was set back; notices are planned anew", slog.Int("notices", n))
	}
}

// orphans keeps what waits for a channel that is not configured any more, to be
// seen and sent by hand.
func (o *Outbox) orphans(ctx context.Context) error {
	var queued map[string]int64
	if err := o.dep.State.View(ctx, func(tx state.Tx) (err error) {
		queued, err = tx.Notices().Queued(ctx)
		return err
	}); err != nil {
		return err
	}
	for name, n := range queued {
		if o.channels[name] != nil {
			continue
		}
		o.dep.Log.LogAttrs(ctx, slog.LevelWarn, "notices wait for a channel that is not configured", slog.String("channel", name), slog.Int64("notices", n))
		if err := o.orphan(ctx, name); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) orphan(ctx context.Context, name string) error {
	end := time.Date(9999, 1, 1, 0, 0, 0, 0, time.UTC)
	for {
		n := 0
		err := o.dep.State.Update(ctx, func(tx state.Tx) error {
			list, err := tx.Notices().Due(ctx, name, end, forgetBatch)
			n = len(list)
			for _, x := range list {
				if err != nil {
					break
				}
				x.State, x.Error = honeyguide.NoticeKept, "there is no channel "+name+" any more"
				err = tx.Notices().Save(ctx, &x)
			}
			return err
		})
		if err != nil || n == 0 {
			return err
		}
	}
}

// forget drops old notices, some at a time.
func (o *Outbox) forget(ctx context.Context, now time.Time) error {
	before := now.Add(-time.Duration(o.rules.RetentionDays) * 24 * time.Hour)
	for {
		var n int64
		err := o.dep.State.Update(ctx, func(tx state.Tx) (err error) {
			n, err = tx.Notices().Drop(ctx, before, forgetBatch)
			return err
		})
		if err != nil || n < forgetBatch {
			return err
		}
	}
}
