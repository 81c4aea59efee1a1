package incident

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// A Change is what a person decides about an incident. What is zero stays.
type Change struct {
	By     string    // who decides
	Reason string    // why; going back wants one, and a verdict takes it along
	Seen   time.Time // UpdatedAt of the incident as they saw it; zero: whatever it is

	Phase       honeyguide.Phase
	Owner       *string // "" = nobody
	Hold        *bool
	Acknowledge bool                   // say that somebody has seen it
	Verdict     honeyguide.VerdictWord // on the incident and its alerts that have none
	Overwrite   bool                   // also on alerts with a verdict of their own
	Comment     string
}

func (c *Change) empty() bool {
	return c.Phase == "" && c.Owner == nil && c.Hold == nil && !c.Acknowledge && c.Verdict == "" && c.Comment == ""
}

// Bounds of what a person writes.
const (
	maxOwner = 128
	maxTitle = 500
	maxNote  = 4000
)

func (c *Change) check() error {
	switch {
	case c.By == "":
		return invalid("by: somebody has to answer for a change")
	case c.empty():
		return invalid("phase, owner, hold, acknowledge, verdict or comment: say what changes")
	case c.Phase != "" && !slices.Contains(honeyguide.Phases(), c.Phase):
		return invalid("phase: %.40q; want one of new, triage, contained, eradicated, recovered, closed", string(c.Phase))
	case c.Owner != nil && len(*c.Owner) > maxOwner:
		return invalid("owner: at most %d bytes", maxOwner)
	case len(c.Comment) > maxNote || len(c.Reason) > maxNote:
		return invalid("comment, reason: at most %d bytes", maxNote)
	}
	return nil
}

// Change carries out what a person decides, all of it or nothing. CodeNotFound;
// CodeInvalid for what makes no sense; CodeConflict with [ErrStale] when somebody
// else was first, and for an incident that was joined to another.
func (d *Desk) Change(ctx context.Context, id string, c Change) (honeyguide.Incident, error) {
	if err := c.check(); err != nil {
		return honeyguide.Incident{}, err
	}
	return d.work(ctx, id, c.Seen, func(tx state.Tx, in *honeyguide.Incident, now time.Time) error {
		if c.Verdict != "" {
			judged, err := d.judge(ctx, tx, in, &c, now)
			if err != nil {
				return err
			}
			*in = judged
			now = d.after(in)
		}
		for _, step := range []func(context.Context, state.Tx, *honeyguide.Incident, *Change, time.Time) (bool, error){hold, move, own, acknowledge, comment} {
			changed, err := step(ctx, tx, in, &c, now)
			if err != nil {
				return err
			}
			if changed {
				first(&in.Clock.AcknowledgedAt, now)
				in.UpdatedAt = now
				now = d.after(in) // lines of the timeline have an order
			}
		}
		_, err := tx.Incidents().Save(ctx, in)
		return err
	})
}

func (d *Desk) judge(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (honeyguide.Incident, error) {
	if d.dep.Judge == nil {
		return *in, invalid("verdict: nothing passes verdicts here")
	}
	return d.dep.Judge(ctx, tx, in.ID, honeyguide.Verdict{As: c.Verdict, Reason: c.Reason, By: c.By, At: now}, c.Overwrite)
}

// because appends a reason to a line.
func because(text, reason string) string {
	if reason == "" {
		return text
	}
	return text + ": " + reason
}

// hold stops the clock, or lets it go on: the time to respond is later by what
// was waited.
func hold(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (bool, error) {
	held := in.Status == honeyguide.IncidentOnHold
	switch {
	case c.Hold == nil || *c.Hold == held:
		return false, nil
	case *c.Hold && !state.OpenIncident(in.Status):
		return false, clash("%s is %s: there is nothing to hold", in.Short, in.Status)
	case *c.Hold:
		in.Status, in.Clock.HeldSince = honeyguide.IncidentOnHold, now
		return true, note(ctx, tx, in, now, honeyguide.EntryPhase, c.By, string(in.Status), because("put on hold", c.Reason))
	}
	release(in, now)
	return true, note(ctx, tx, in, now, honeyguide.EntryPhase, c.By, string(in.Status), because("taken off hold", c.Reason))
}

func release(in *honeyguide.Incident, now time.Time) {
	waited := max(now.Sub(in.Clock.HeldSince), 0)
	if in.Clock.HeldSince.IsZero() {
		waited = 0
	}
	in.Clock.HeldMS += waited.Milliseconds()
	if !in.DueAt.IsZero() {
		in.DueAt = in.DueAt.Add(waited)
	}
	in.Status, in.Clock.HeldSince = in.Phase.Status(), time.Time{}
}

// move changes the phase.
func move(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (bool, error) {
	from, to := in.Phase, c.Phase
	order := honeyguide.Phases()
	back := slices.Index(order, to) < slices.Index(order, from)
	switch {
	case to == "" || to == from:
		return false, nil
	case in.Status == honeyguide.IncidentOnHold:
		return false, clash("%s is on hold; take it off hold first", in.Short)
	case back && strings.TrimSpace(c.Reason) == "":
		return false, invalid("reason: say why %s goes back from %s to %s", in.Short, from, to)
	case to == honeyguide.PhaseClosed && (in.Verdict.As == "" || in.Verdict.As == honeyguide.VerdictNone):
		return false, invalid("verdict: say what %s was before it is closed: true_positive, false_positive, benign or duplicate", in.Short)
	}
	if back && !state.OpenIncident(in.Status) {
		in.Clock.Reopened++
	}
	in.Phase, in.Status = to, to.Status()
	reach(&in.Clock, to, now)
	return true, note(ctx, tx, in, now, honeyguide.EntryPhase, c.By, string(to), because(fmt.Sprintf("phase %s → %s", from, to), c.Reason))
}

// reach notes that a phase was reached, and those that lie on the way. Closing
// says nothing about the way: a false alarm is never contained.
func reach(c *honeyguide.Clock, p honeyguide.Phase, now time.Time) {
	first(&c.TriagedAt, now)
	switch p {
	case honeyguide.PhaseRecovered:
		first(&c.RecoveredAt, now)
		fallthrough
	case honeyguide.PhaseEradicated:
		first(&c.EradicatedAt, now)
		fallthrough
	case honeyguide.PhaseContained:
		first(&c.ContainedAt, now)
	case honeyguide.PhaseClosed:
		first(&c.ClosedAt, now)
	}
}

// own changes the owner.
func own(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (bool, error) {
	if c.Owner == nil || *c.Owner == in.Owner {
		return false, nil
	}
	was := in.Owner
	in.Owner = strings.TrimSpace(*c.Owner)
	text := "owner: " + or(in.Owner, "nobody")
	if was != "" {
		text += ", before " + was
	}
	return true, note(ctx, tx, in, now, honeyguide.EntryOwner, c.By, in.Owner, because(text, c.Reason))
}

func or(s, other string) string {
	if s == "" {
		return other
	}
	return s
}

// acknowledge notes that somebody has seen it.
func acknowledge(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (bool, error) {
	if !c.Acknowledge || !in.Clock.AcknowledgedAt.IsZero() {
		return false, nil
	}
	in.Clock.AcknowledgedAt = now
	return true, note(ctx, tx, in, now, honeyguide.EntryOwner, c.By, in.Owner, because("acknowledged", c.Reason))
}

// comment writes down what a person says. It overwrites nothing, so nobody is
// told that they come late.
func comment(ctx context.Context, tx state.Tx, in *honeyguide.Incident, c *Change, now time.Time) (bool, error) {
	if strings.TrimSpace(c.Comment) == "" {
		return false, nil
	}
	return true, note(ctx, tx, in, now, honeyguide.EntryComment, c.By, "", c.Comment)
}

// Comment writes down what a person says and returns the entry.
func (d *Desk) Comment(ctx context.Context, id, by, text string) (e honeyguide.TimelineEntry, err error) {
	text = strings.TrimSpace(text)
	switch {
	case text == "":
		return e, invalid("text: a comment says something")
	case len(text) > maxNote:
		return e, invalid("text: at most %d bytes", maxNote)
	}
	_, err = d.work(ctx, id, time.Time{}, func(tx state.Tx, in *honeyguide.Incident, now time.Time) error {
		first(&in.Clock.AcknowledgedAt, now)
		in.UpdatedAt = now
		e = honeyguide.TimelineEntry{Incident: in.ID, At: now, SeenAt: now, Kind: honeyguide.EntryComment, By: by, Text: text}
		if err := tx.Timeline().Add(ctx, &e); err != nil {
			return err
		}
		_, err := tx.Incidents().Save(ctx, in)
		return err
	})
	return e, err
}

// Contained notes, in the transaction of whoever found it out, that an act which
// contains an incident was verified at a time. The first one moves the phase. An
// incident that was joined to another meanwhile stands for that one; one that is
// gone is no reason for the act to fail.
func (d *Desk) Contained(ctx context.Context, tx state.Tx, incident string, at time.Time, by string) error {
	in, err := lives(ctx, tx, incident)
	switch {
	case err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return nil
	case err != nil:
		return err
	}
	if !in.Clock.ContainedAt.IsZero() {
		return nil
	}
	at = state.Time(at)
	in.Clock.ContainedAt = at
	from := in.Phase
	if from == honeyguide.PhaseNew || from == honeyguide.PhaseTriage || from == "" {
		first(&in.Clock.TriagedAt, at)
		in.Phase = honeyguide.PhaseContained
		if in.Status != honeyguide.IncidentOnHold {
			in.Status = in.Phase.Status()
		}
		e := honeyguide.TimelineEntry{
			Incident: in.ID, At: at, SeenAt: d.after(&in), Kind: honeyguide.EntryPhase, By: by, Ref: string(in.Phase),
			Text: fmt.Sprintf("phase %s → %s: an act that contains it was verified", or(string(from), string(honeyguide.PhaseNew)), in.Phase),
		}
		if err := tx.Timeline().Add(ctx, &e); err != nil {
			return err
		}
	}
	in.UpdatedAt = d.after(&in)
	_, err = tx.Incidents().Save(ctx, &in)
	return err
}

// maxJoins bounds how often an incident may have been joined to another.
const maxJoins = 16

// lives returns the incident in which another one lives on.
func lives(ctx context.Context, tx state.Tx, id string) (in honeyguide.Incident, err error) {
	for range maxJoins {
		if in, err = tx.Incidents().Get(ctx, id); err != nil || in.Joined == "" {
			return in, err
		}
		id = in.Joined
	}
	return in, clash("%s was joined too often", in.Short)
}
