package incident

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Level is how far the time to respond is gone.
type Level string

// The levels.
const (
	LevelWarning Level = "warning" // four fifths of it are over
	LevelBreach  Level = "breach"  // all of it is
)

// Answered reports whether the clock of an incident has stopped: it was
// contained, judged or closed, whichever came first.
func Answered(in *honeyguide.Incident) bool {
	c := &in.Clock
	return !c.ContainedAt.IsZero() || !c.QualifiedAt.IsZero() || !c.ClosedAt.IsZero() || !state.OpenIncident(in.Status) ||
		in.Verdict.As != "" && in.Verdict.As != honeyguide.VerdictNone
}

// WarnAt returns when four fifths of an incident's time to respond are over. Time
// on hold is no part of it.
func WarnAt(in *honeyguide.Incident) time.Time {
	if in.DueAt.IsZero() {
		return time.Time{}
	}
	all := in.DueAt.Sub(in.CreatedAt) - time.Duration(in.Clock.HeldMS)*time.Millisecond
	return in.DueAt.Add(-max(all, 0) / 5)
}

// due returns what is to be escalated now, "" when nothing is, and when the next
// thing will be; the zero time when nothing will.
func due(in *honeyguide.Incident, now time.Time) (Level, time.Time) {
	warn := WarnAt(in)
	switch {
	case in.DueAt.IsZero() || Answered(in) || in.Status == honeyguide.IncidentOnHold || !in.Clock.BreachedAt.IsZero():
		return "", time.Time{}
	case !now.Before(in.DueAt):
		return LevelBreach, time.Time{}
	case !in.Clock.WarnedAt.IsZero():
		return "", in.DueAt
	case !now.Before(warn):
		return LevelWarning, in.DueAt
	}
	return "", warn
}

// lookEvery is how often all open incidents are looked at: new ones come, and
// the clock of the machine may jump.
const lookEvery = 30 * time.Second

// Run escalates what is due until ctx ends. What was escalated stands in the
// state, so a restart repeats nothing, and what fell due meanwhile is not lost.
func (d *Desk) Run(ctx context.Context) error {
	for {
		next, err := d.Look(ctx)
		if err != nil {
			return fmt.Errorf("look at the clocks of incidents: %w", err)
		}
		pause := lookEvery
		if !next.IsZero() {
			pause = min(max(next.Sub(d.dep.Now()), 0)+time.Millisecond, lookEvery)
		}
		t := time.NewTimer(pause)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
	}
}

// Look escalates what is due now and returns when the next thing will be, as far
// as is known; the zero time when nothing will. One incident that cannot be
// escalated keeps no other one back.
func (d *Desk) Look(ctx context.Context) (next time.Time, err error) {
	now := state.Time(d.dep.Now())
	var ids []string
	open, breached := 0, 0
	err = d.dep.State.View(ctx, func(tx state.Tx) error {
		q := state.IncidentQuery{
			Status: []honeyguide.IncidentStatus{honeyguide.IncidentNew, honeyguide.IncidentInProgress, honeyguide.IncidentOnHold},
			Page:   state.Page{Limit: state.MaxLimit},
		}
		for {
			list, after, err := tx.Incidents().List(ctx, q)
			if err != nil {
				return err
			}
			for i := range list {
				in := &list[i]
				open++
				level, at := due(in, now)
				if level != "" {
					ids = append(ids, in.ID)
				}
				if level == LevelBreach || !in.Clock.BreachedAt.IsZero() && !Answered(in) {
					breached++
				}
				if !at.IsZero() && (next.IsZero() || at.Before(next)) {
					next = at
				}
			}
			if q.After = after; after == "" {
				return nil
			}
		}
	})
	if err != nil {
		return time.Time{}, err
	}
	for _, id := range ids {
		if err := d.escalate(ctx, id); err != nil {
			if ctx.Err() != nil {
				return next, err
			}
			d.dep.Log.LogAttrs(ctx, slog.LevelWarn, "incident could not be escalated", slog.String("incident", id), slog.Any("error", err))
			next = time.Time{} // tried again with the next look at all
		}
	}
	d.open.Set(float64(open))
	d.breached.Set(float64(breached))
	return next, nil
}

// escalate says that an incident's time is nearly or wholly over, once for each.
func (d *Desk) escalate(ctx context.Context, id string) error {
	var level Level
	var short string
	err := d.dep.State.Update(ctx, func(tx state.Tx) error {
		in, err := tx.Incidents().Get(ctx, id)
		if err != nil {
			return err
		}
		now := d.after(&in)
		if level, _ = due(&in, state.Time(d.dep.Now())); level == "" {
			return nil // answered in between
		}
		short = in.Short
		text := fmt.Sprintf("four fifths of the time to respond are over; due %s", in.DueAt.Format(time.RFC3339))
		first(&in.Clock.WarnedAt, now)
		if level == LevelBreach {
			in.Clock.BreachedAt = now
			text = fmt.Sprintf("the time to respond is over since %s", in.DueAt.Format(time.RFC3339))
		}
		in.UpdatedAt = now
		if err := note(ctx, tx, &in, now, honeyguide.EntryEscalation, "clock", string(level), text); err != nil {
			return err
		}
		if d.dep.Escalate != nil {
			if err := d.dep.Escalate(ctx, tx, &in, level); err != nil {
				return err
			}
		}
		_, err = tx.Incidents().Save(ctx, &in)
		return err
	})
	if err == nil && level != "" {
		d.escalations.With(string(level)).Add(1)
		if d.dep.Told != nil {
			d.dep.Told()
		}
		d.dep.Log.LogAttrs(ctx, slog.LevelWarn, "incident escalated", slog.String("incident", short), slog.String("level", string(level)))
	}
	return err
}
