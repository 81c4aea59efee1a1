package pipeline

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Alerts take along what people and playbooks did about them: the timeline, runs
// and plans change hands, and owner, tasks and clock become those of both. What
// stood before is kept with the change; undoing it gives back what nobody has
// changed since as it was, and what somebody has changed as it is now.

// handlingOf is the part of an incident that people decide.
func handlingOf(in *honeyguide.Incident) state.Handling {
	return state.Handling{
		Title: in.Title, Status: in.Status, Phase: in.Phase, Owner: in.Owner, DueAt: in.DueAt, Tasks: slices.Clone(in.Tasks),
		Verdict: in.Verdict, Clock: in.Clock, Proven: slices.Clone(in.Proven),
	}
}

// unite returns how an incident is handled that has taken another one, and which
// of its tasks are which of the giver's. Times are the earlier ones: what was
// noticed, judged or contained first counts, and nobody is warned twice.
func unite(taker, giver state.Handling) (h state.Handling, tasks map[string]string) {
	h = taker
	if h.Owner == "" {
		h.Owner = giver.Owner
	}
	h.DueAt = earlier(taker.DueAt, giver.DueAt)
	to, from := clockTimes(&h.Clock), clockTimes(&giver.Clock)
	for i := range to {
		*to[i] = earlier(*to[i], *from[i])
	}
	h.Tasks, tasks = addTasks(taker.Tasks, giver.Tasks)
	h.Proven = united(taker.Proven, giver.Proven)
	h.Proven = h.Proven[:min(len(h.Proven), state.MaxMembers)]
	return h, tasks
}

// clockTimes are the times of a clock that two incidents share once they are one.
// The others are about one's own phases.
func clockTimes(c *honeyguide.Clock) []*time.Time {
	return []*time.Time{&c.AcknowledgedAt, &c.TriagedAt, &c.QualifiedAt, &c.ContainedAt, &c.WarnedAt, &c.BreachedAt}
}

// addTasks appends tasks under new ids; those that are open go first when there
// is not room for all.
func addTasks(have, more []honeyguide.Task) (out []honeyguide.Task, ids map[string]string) {
	out = slices.Clone(have)
	last := 0
	for _, t := range have {
		n, _ := strconv.Atoi(strings.TrimPrefix(t.ID, "T-"))
		last = max(last, n)
	}
	order := slices.Clone(more)
	if len(have)+len(more) > honeyguide.MaxTasks {
		slices.SortStableFunc(order, func(a, b honeyguide.Task) int { return a.DoneAt.Compare(b.DoneAt) })
	}
	for _, t := range order {
		if len(out) >= honeyguide.MaxTasks {
			break
		}
		if ids == nil {
			ids = map[string]string{}
		}
		last++
		was := t.ID
		t.ID = "T-" + strconv.Itoa(last)
		ids[t.ID] = was
		out = append(out, t)
	}
	return out, ids
}

// handle makes an incident handled as h says, but for its status, phase, title and
// verdict, which stay its own.
func handle(in *honeyguide.Incident, h state.Handling) {
	in.Owner, in.DueAt, in.Tasks, in.Clock, in.Proven = h.Owner, h.DueAt, h.Tasks, h.Clock, h.Proven
}

// carry moves what hangs on the giver to the taker, which is not saved yet, and
// says what it was. Both are as before their alerts were moved.
func carry(ctx context.Context, tx state.Tx, giver, taker *honeyguide.Incident) (c state.Carried, err error) {
	c.Giver, c.Taker = handlingOf(giver), handlingOf(taker)
	if c.Timeline, err = tx.Timeline().Move(ctx, giver.ID, taker.ID, nil); err != nil {
		return c, err
	}
	if c.Runs, err = tx.Runs().Move(ctx, giver.ID, taker.ID, nil); err != nil {
		return c, err
	}
	if c.Plans, err = tx.Plans().Move(ctx, giver.ID, taker.ID, nil); err != nil {
		return c, err
	}
	var h state.Handling
	h, c.Tasks = unite(c.Taker, c.Giver)
	handle(taker, h)
	return c, nil
}

// giveBack undoes carry. Neither is saved, and both are as they are now.
func giveBack(ctx context.Context, tx state.Tx, change string, giver, taker *honeyguide.Incident) error {
	c, err := tx.IncidentChanges().Carried(ctx, change)
	if err != nil || c.Giver.Status == "" { // nothing was kept of a change of an earlier version
		return err
	}
	for _, x := range []struct {
		move func(context.Context, string, string, []string) ([]string, error)
		ids  []string
	}{{tx.Timeline().Move, c.Timeline}, {tx.Runs().Move, c.Runs}, {tx.Plans().Move, c.Plans}} {
		if len(x.ids) == 0 {
			continue
		}
		if _, err := x.move(ctx, taker.ID, giver.ID, x.ids); err != nil {
			return err
		}
	}
	handle(giver, c.Giver)
	giver.Title, giver.Status, giver.Phase, giver.Verdict = c.Giver.Title, c.Giver.Status, c.Giver.Phase, c.Giver.Verdict
	giver.Tasks = tasksBack(c.Giver.Tasks, taker.Tasks, c.Tasks)
	handle(taker, apart(handlingOf(taker), c))
	return laterTakings(ctx, tx, change, taker.ID, c)
}

// tasksBack returns the giver's tasks as they have become in the taker.
func tasksBack(was, now []honeyguide.Task, ids map[string]string) []honeyguide.Task {
	out := slices.Clone(was)
	for _, t := range now {
		own, carried := ids[t.ID]
		i := slices.IndexFunc(out, func(x honeyguide.Task) bool { return x.ID == own })
		if carried && i >= 0 {
			t.ID = own
			out[i] = t
		}
	}
	return out
}

// apart takes out of how a taker is handled what it has from the giver: each
// thing that is still as the taking made it becomes what it was.
func apart(now state.Handling, c state.Carried) state.Handling {
	after, _ := unite(c.Taker, c.Giver)
	if now.Owner == after.Owner {
		now.Owner = c.Taker.Owner
	}
	if now.DueAt.Equal(after.DueAt) {
		now.DueAt = c.Taker.DueAt
	}
	to, made, was := clockTimes(&now.Clock), clockTimes(&after.Clock), clockTimes(&c.Taker.Clock)
	for i := range to {
		if to[i].Equal(*made[i]) {
			*to[i] = *was[i]
		}
	}
	now.Tasks = slices.DeleteFunc(slices.Clone(now.Tasks), func(t honeyguide.Task) bool { _, carried := c.Tasks[t.ID]; return carried })
	now.Proven = slices.DeleteFunc(slices.Clone(now.Proven), func(p string) bool {
		return slices.Contains(c.Giver.Proven, p) && !slices.Contains(c.Taker.Proven, p)
	})
	return now
}

// laterTakings corrects what is kept of changes made after one that is undone:
// what they remember of the taker has the giver's part in it.
func laterTakings(ctx context.Context, tx state.Tx, undone, taker string, c state.Carried) error {
	own, err := tx.IncidentChanges().Get(ctx, undone)
	if err != nil {
		return err
	}
	list, _, err := tx.IncidentChanges().List(ctx, state.ChangeQuery{Incident: taker, Page: state.Page{Limit: state.MaxLimit}})
	if err != nil {
		return err
	}
	for _, x := range list {
		if x.ID == own.ID || x.Into != taker || x.Kind == changeSplit || !x.UndoneAt.IsZero() || x.At.Before(own.At) {
			continue
		}
		later, err := tx.IncidentChanges().Carried(ctx, x.ID)
		if err != nil {
			return err
		}
		later.Taker = apart(later.Taker, c)
		if err := tx.IncidentChanges().Carry(ctx, x.ID, later); err != nil {
			return err
		}
	}
	return nil
}

// splitOff gives a new incident what belongs to the alerts it got: the acts and
// runs that rest on them alone, and what the timeline says of all these. Its
// owner and the times until now are those of the giver; it is not contained.
func splitOff(ctx context.Context, tx state.Tx, giver, taker *honeyguide.Incident, alerts []string) (c state.Carried, err error) {
	c.Giver, c.Taker = handlingOf(giver), handlingOf(taker)
	gone := make(map[string]bool, len(alerts))
	for _, id := range alerts {
		gone[id] = true
	}
	moved := maps.Clone(gone)
	rests := func(id string, on []string) (goes bool) {
		goes = len(on) > 0 && !slices.ContainsFunc(on, func(a string) bool { return !gone[a] })
		if goes {
			moved[id] = true
		}
		return goes
	}
	plans, err := tx.Plans().ByIncident(ctx, giver.ID)
	if err != nil {
		return c, err
	}
	for _, p := range plans {
		if rests(p.ID, p.Evidence) {
			c.Plans = append(c.Plans, p.ID)
		}
	}
	runs, _, err := tx.Runs().List(ctx, state.RunQuery{Incident: giver.ID, Page: state.Page{Limit: state.MaxLimit}})
	if err != nil {
		return c, err
	}
	for _, r := range runs {
		if rests(r.ID, r.Alerts) {
			c.Runs = append(c.Runs, r.ID)
		}
	}
	q := state.TimelineQuery{Incident: giver.ID, Page: state.Page{Limit: state.MaxLimit}}
	for {
		list, next, err := tx.Timeline().List(ctx, q)
		if err != nil {
			return c, err
		}
		for _, e := range list {
			if moved[e.Ref] {
				c.Timeline = append(c.Timeline, e.ID)
			}
		}
		if q.After = next; next == "" {
			break
		}
	}
	for _, x := range []struct {
		move func(context.Context, string, string, []string) ([]string, error)
		ids  []string
	}{{tx.Timeline().Move, c.Timeline}, {tx.Runs().Move, c.Runs}, {tx.Plans().Move, c.Plans}} {
		if len(x.ids) == 0 {
			continue
		}
		if _, err := x.move(ctx, giver.ID, taker.ID, x.ids); err != nil {
			return c, err
		}
	}
	g := giver.Clock
	taker.Owner, taker.DueAt = giver.Owner, giver.DueAt
	taker.Clock = honeyguide.Clock{AcknowledgedAt: g.AcknowledgedAt, TriagedAt: g.TriagedAt, HeldMS: g.HeldMS, WarnedAt: g.WarnedAt, BreachedAt: g.BreachedAt}
	if giver.Phase != honeyguide.PhaseNew {
		taker.Phase, taker.Status = honeyguide.PhaseTriage, honeyguide.PhaseTriage.Status()
	}
	return c, nil
}

// takeBack undoes splitOff: all that hangs on what was split off returns, also
// what was done since.
func takeBack(ctx context.Context, tx state.Tx, giver, taker *honeyguide.Incident) error {
	was := handlingOf(giver)
	if _, err := carry(ctx, tx, taker, giver); err != nil {
		return err
	}
	// The clock is the one it was split off with.
	giver.Owner, giver.DueAt, giver.Clock = was.Owner, was.DueAt, was.Clock
	return nil
}

// tell writes into the timelines of both what was moved between them.
func tell(ctx context.Context, tx state.Tx, giver, taker *honeyguide.Incident, what, by, reason string, alerts int64, now time.Time) error {
	why := ""
	if reason != "" {
		why = ": " + reason
	}
	entry := func(of, other *honeyguide.Incident, text string) *honeyguide.TimelineEntry {
		return &honeyguide.TimelineEntry{
			Incident: of.ID, At: now, SeenAt: now, Kind: honeyguide.EntryMerge, By: by, Ref: other.ID, Text: fmt.Sprintf("%s, %d alerts%s", text, alerts, why),
		}
	}
	return tx.Timeline().Add(ctx, entry(giver, taker, what+" into "+taker.Short), entry(taker, giver, what+" from "+giver.Short))
}
