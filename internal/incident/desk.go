// Package incident is where people work on incidents: phases after NIST SP
// 800-61, owner, hold, verdict, tasks, comments, the timeline, what is linked,
// the clock an answer is due by, and the dossier to hand on.
//
// Every change is one transaction and leaves an entry in the timeline. Who
// changes what somebody else has changed meanwhile is told so, when they say
// what they had seen.
package incident

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// Judge passes a verdict on an incident and on its alerts, notes the time and
// leaves an entry in the timeline.
type Judge func(ctx context.Context, tx state.Tx, incident string, v honeyguide.Verdict, overwrite bool) (honeyguide.Incident, error)

// Escalate tells people that an incident waits for an answer, within the
// transaction that notes it. It must not wait for anything. An error leaves no
// trace, and it is tried again.
type Escalate func(ctx context.Context, tx state.Tx, in *honeyguide.Incident, level Level) error

// Deps is what a desk works with.
type Deps struct {
	State    state.Store
	Judge    Judge
	Escalate Escalate // nil: the timeline alone says it
	Told     func()   // called once what Escalate did is stored; may be nil
	Metrics  *telemetry.Registry
	Log      *slog.Logger     // nil: none
	Now      func() time.Time // nil: time.Now
}

// A Desk changes incidents. It is safe for concurrent use.
type Desk struct {
	dep            Deps
	open, breached *telemetry.GaugeVec
	escalations    *telemetry.CounterVec
}

// NewDesk returns a desk over a state.
func NewDesk(dep Deps) *Desk {
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	d := &Desk{
		dep:         dep,
		open:        dep.Metrics.Gauge("honeyguide_incidents_open", "Incidents that are neither resolved nor closed."),
		breached:    dep.Metrics.Gauge("honeyguide_incidents_breached", "Open incidents whose time to respond is over without an answer."),
		escalations: dep.Metrics.Counter("honeyguide_incident_escalations_total", "Times the clock of an incident was escalated, by level.", "level"),
	}
	for _, l := range []Level{LevelWarning, LevelBreach} {
		d.escalations.With(string(l)).Add(0)
	}
	return d
}

// ErrStale says that an incident was changed since the asker saw it.
var ErrStale = errors.New("the incident was changed meanwhile")

// Stale is ErrStale with who changed it and when.
type Stale struct {
	By        string
	At        time.Time
	UpdatedAt time.Time // of the incident as it is now
}

// Error says that it was changed.
func (*Stale) Error() string { return ErrStale.Error() }

// Is makes it an ErrStale.
func (*Stale) Is(target error) bool { return target == ErrStale }

// fresh refuses a change by somebody who has not seen an earlier one. What grew
// by itself (alerts, the clock) is no reason to refuse.
func fresh(ctx context.Context, tx state.Tx, in *honeyguide.Incident, seen time.Time) error {
	if seen.IsZero() || !in.UpdatedAt.After(seen) {
		return nil
	}
	var last honeyguide.TimelineEntry
	for _, kind := range []string{honeyguide.EntryPhase, honeyguide.EntryOwner, honeyguide.EntryVerdict, honeyguide.EntryTask, honeyguide.EntryMerge} {
		list, _, err := tx.Timeline().List(ctx, state.TimelineQuery{
			Incident: in.ID, Kind: kind, From: seen.Add(time.Microsecond), Page: state.Page{Limit: 1},
		})
		if err != nil {
			return err
		}
		if len(list) > 0 && list[0].At.After(last.At) {
			last = list[0]
		}
	}
	if last.ID == "" {
		return nil
	}
	return &honeyguide.Error{
		Code: honeyguide.CodeConflict, Err: &Stale{By: last.By, At: last.At, UpdatedAt: in.UpdatedAt},
		Message: fmt.Sprintf("%s was first: changed the %s of %s at %s; look at it again, then decide", last.By, last.Kind, in.Short, last.At.Format("15:04:05 MST")),
	}
}

// work runs a change of an incident. now is later than any change before it.
func (d *Desk) work(ctx context.Context, id string, seen time.Time, f func(tx state.Tx, in *honeyguide.Incident, now time.Time) error) (in honeyguide.Incident, err error) {
	err = d.dep.State.Update(ctx, func(tx state.Tx) error {
		if in, err = tx.Incidents().Get(ctx, id); err != nil {
			return err
		}
		if err := joined(ctx, tx, &in); err != nil {
			return err
		}
		if err := fresh(ctx, tx, &in, seen); err != nil {
			return err
		}
		return f(tx, &in, d.after(&in))
	})
	return in, err
}

// after returns the present moment, or the next one after the last change when
// the clock has gone back: changes of one incident have an order.
func (d *Desk) after(in *honeyguide.Incident) time.Time {
	now := state.Time(d.dep.Now())
	if !now.After(in.UpdatedAt) {
		now = in.UpdatedAt.Add(time.Microsecond)
	}
	return now
}

// joined refuses to work on what lives on in another incident.
func joined(ctx context.Context, tx state.Tx, in *honeyguide.Incident) error {
	if in.Joined == "" {
		return nil
	}
	into, err := tx.Incidents().Get(ctx, in.Joined)
	if err != nil {
		return err
	}
	return clash("%s was joined to %s: work there, or undo the change (honeyguide incidents changes %s)", in.Short, into.Short, in.Short)
}

// note writes a line into the timeline.
func note(ctx context.Context, tx state.Tx, in *honeyguide.Incident, now time.Time, kind, by, ref, text string) error {
	return tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{Incident: in.ID, At: now, SeenAt: now, Kind: kind, By: by, Ref: ref, Text: text})
}

// first sets a time that has not come before.
func first(t *time.Time, now time.Time) {
	if t.IsZero() {
		*t = now
	}
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

func clash(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(format, args...)}
}
