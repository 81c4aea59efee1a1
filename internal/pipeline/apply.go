package pipeline

import (
	"context"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// An outcome is what a committed transaction tells the consumer to remember
// and count.
type outcome struct {
	sessions []honeyguide.Session
	links    map[string]string
	live     []honeyguide.Alert    // claims that nothing hides
	hidden   hidden                // what suppressions hid
	created  []honeyguide.Severity // of the alerts that are new
	delays   []time.Duration       // from their first events to them
	opened   int
	answers  []Response
	unknown  int // token events without a token
}

// apply writes a verdict and moves the cursor, in one transaction. The verdict
// itself stays unchanged, so that it can be applied again.
func (c *Consumer) apply(ctx context.Context, v *verdict) (*outcome, error) {
	var out *outcome
	err := c.dep.State.Update(ctx, func(tx state.Tx) error {
		w := &applying{c: c, tx: tx, now: c.dep.Now().UTC(), links: map[string]string{}, touched: map[string]*incidents{}}
		o := &outcome{links: w.links}
		var err error
		if o.sessions, err = c.saveSessions(ctx, tx, v.sessions.list); err != nil {
			return err
		}
		if o.unknown, err = saveTokens(ctx, tx, v); err != nil {
			return err
		}
		if err := saveSamples(ctx, tx, v.seen); err != nil {
			return err
		}
		if err := saveCounts(ctx, tx, v.counts); err != nil {
			return err
		}
		if err := w.alerts(ctx, v); err != nil {
			return err
		}
		if err := w.finish(ctx); err != nil {
			return err
		}
		o.created, o.delays, o.answers, o.live, o.hidden = w.created, w.delays, w.answers, w.live, w.hidden
		for _, in := range w.order {
			if in.opened {
				o.opened++
			}
		}
		if v.memory != nil {
			if err := tx.Models().Remember(ctx, c.cfg.Name, int64(v.memoryAt), v.memory); err != nil {
				return err
			}
		}
		if err := w.keep(ctx, v.kept); err != nil {
			return err
		}
		out = o
		return tx.Cursors().Move(ctx, c.cfg.Name, int64(v.from), int64(v.to))
	})
	if err != nil {
		return nil, fmt.Errorf("write what follows from events %d to %d: %w", v.from+1, v.to, err)
	}
	return out, nil
}

// saveTokens writes the fate of honeytokens. A token the state does not know is
// no reason to stop: it may have been retired.
func saveTokens(ctx context.Context, tx state.Tx, v *verdict) (unknown int, err error) {
	note := func(err error) error {
		if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			unknown++
			return nil
		}
		return err
	}
	for _, x := range v.exposed {
		if err := note(tx.Tokens().Expose(ctx, x)); err != nil {
			return 0, err
		}
	}
	for _, u := range v.used {
		if err := note(tx.Tokens().Use(ctx, u.token, u.event, u.e.Time)); err != nil {
			return 0, err
		}
	}
	return unknown, nil
}

// alerts saves the alerts of a verdict, each in its incident.
func (w *applying) alerts(ctx context.Context, v *verdict) error {
	alerts, err := w.suppress(ctx, v.merged.Alerts())
	if err != nil {
		return err
	}
	w.live = alerts
	if err := w.refresh(ctx); err != nil {
		return err
	}
	keys, err := w.told(ctx, alerts, v.keys)
	if err != nil {
		return err
	}
	of, all := groupsOf(alerts, keys)
	for _, g := range all {
		if err := w.place(ctx, g); err != nil {
			return err
		}
	}
	saved := slices.Clone(alerts) // the store fills in what it keeps
	for i := range saved {
		saved[i].CreatedAt = w.now
		if in := of[i].in.now(); in != nil {
			saved[i].Incident = in.ID
		}
	}
	fresh, err := w.tx.Alerts().SaveAll(ctx, saved)
	if err != nil {
		return err
	}
	for i := range saved {
		a, created, in := &saved[i], fresh[i], of[i].in.now()
		n := alerts[i].Count
		moved := in != nil && a.Incident != in.ID
		if moved && !created {
			keeper, err := w.stays(ctx, a)
			if err != nil {
				return err
			}
			if keeper != nil {
				in, moved = keeper, false
			}
		}
		if moved {
			// The store keeps the first incident; a joined one takes its alerts along.
			a.Incident = in.ID
			if err := w.tx.Alerts().Put(ctx, a); err != nil {
				return err
			}
		}
		if created {
			w.created = append(w.created, a.Severity)
			w.delays = append(w.delays, w.now.Sub(a.Time))
		}
		if in != nil {
			in.take(a, n, created || moved, w.now)
		}
	}
	return nil
}

// finish saves the incidents that were touched and asks what is done about
// those that grew.
func (w *applying) finish(ctx context.Context) error {
	for _, in := range w.order {
		if len(in.alerts) == 0 {
			continue // looked at only
		}
		if _, err := w.tx.Incidents().Save(ctx, &in.Incident); err != nil {
			return err
		}
		if !in.grown || w.c.dep.Responder == nil {
			continue
		}
		alerts := make([]honeyguide.Alert, len(in.alerts))
		for i, a := range in.alerts {
			alerts[i] = *a
		}
		r, err := w.c.dep.Responder.Respond(ctx, w.tx, &in.Incident, alerts, in.opened, w.now)
		if err != nil {
			return err
		}
		if len(r.Plans) > 0 || r.Work != nil {
			w.answers = append(w.answers, r)
		}
	}
	return nil
}
