package incident_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
	"honeyguide/internal/verdict"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// office is a desk over a real state, with a clock that tests move.
type office struct {
	*testing.T
	*incident.Desk
	state   state.Store
	clock   time.Time
	told    []string // by escalation
	refuse  error    // of escalation
	metrics *telemetry.Registry
}

func newOffice(t *testing.T) *office {
	t.Helper()
	o := &office{T: t, clock: noon, metrics: telemetry.NewRegistry()}
	now := func() time.Time { return o.clock }
	var err error
	if o.state, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = o.state.Close() })
	o.reopen()
	return o
}

// reopen makes a new desk, as a restart does.
func (o *office) reopen() {
	o.Desk = incident.NewDesk(incident.Deps{
		State: o.state, Now: func() time.Time { return o.clock }, Metrics: o.metrics,
		Judge: func(ctx context.Context, tx state.Tx, id string, v honeyguide.Verdict, overwrite bool) (honeyguide.Incident, error) {
			in, _, err := verdict.PassIncident(ctx, tx, id, v, overwrite)
			return in, err
		},
		Escalate: func(_ context.Context, _ state.Tx, in *honeyguide.Incident, l incident.Level) error {
			if o.refuse == nil {
				o.told = append(o.told, in.Short+" "+string(l))
			}
			return o.refuse
		},
	})
}

func (o *office) tx(f func(ctx context.Context, tx state.Tx) error) {
	o.Helper()
	if err := o.state.Update(o.Context(), func(tx state.Tx) error { return f(o.Context(), tx) }); err != nil {
		o.Fatal(err)
	}
}

// opened makes an incident with n alerts, due in an hour.
func (o *office) opened(n int) honeyguide.Incident {
	o.Helper()
	in := honeyguide.Incident{
		Key: fmt.Sprint("attacker:198.51.100.", n), Title: "Broke in", Severity: honeyguide.SeverityHigh, Phase: honeyguide.PhaseNew,
		CreatedAt: o.clock, UpdatedAt: o.clock, DueAt: o.clock.Add(time.Hour), Attackers: []string{fmt.Sprint("198.51.100.", n)}, AlertCount: int64(n),
	}
	o.tx(func(ctx context.Context, tx state.Tx) error {
		if _, err := tx.Incidents().Save(ctx, &in); err != nil {
			return err
		}
		for i := range n {
			a := honeyguide.Alert{
				Time: o.clock.Add(-time.Minute), LastAt: o.clock, CreatedAt: o.clock, Title: fmt.Sprint("alert ", i), RuleID: "r", Detector: "behaviour", Incident: in.ID,
				DedupeKey: fmt.Sprint(in.Key, i), Attacker: in.Key, Severity: honeyguide.SeverityHigh,
				Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 1)},
			}
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
		}
		return nil
	})
	return in
}

func (o *office) get(id string) (in honeyguide.Incident) {
	o.Helper()
	o.tx(func(ctx context.Context, tx state.Tx) (err error) { in, err = tx.Incidents().Get(ctx, id); return err })
	return in
}

// entries returns the timeline's own entries, oldest first, as kind, by and text.
func (o *office) entries(id string) (out []string) {
	o.Helper()
	o.tx(func(ctx context.Context, tx state.Tx) error {
		list, _, err := tx.Timeline().List(ctx, state.TimelineQuery{Incident: id})
		for _, e := range slices.Backward(list) {
			out = append(out, e.Kind+" "+e.By+" "+e.Text)
		}
		return err
	})
	return out
}

func (o *office) change(id string, c incident.Change) honeyguide.Incident {
	o.Helper()
	o.clock = o.clock.Add(time.Minute)
	if c.By == "" {
		c.By = "anna"
	}
	in, err := o.Change(o.Context(), id, c)
	if err != nil {
		o.Fatalf("%+v: %v", c, err)
	}
	return in
}

func TestPhasesAndTheirTimes(t *testing.T) {
	o := newOffice(t)
	in := o.opened(2)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	anna := "anna"
	o.change("i-1", incident.Change{Owner: &anna})
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseTriage})
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseEradicated}) // contained lies on the way
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseContained, Reason: "it came back"})
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseRecovered})
	got := o.change(in.ID, incident.Change{Phase: honeyguide.PhaseClosed, Verdict: honeyguide.VerdictTruePositive, Reason: "real", Comment: "all done"})
	want := honeyguide.Clock{
		AcknowledgedAt: at(1), TriagedAt: at(2), ContainedAt: at(3), EradicatedAt: at(3), RecoveredAt: at(5), QualifiedAt: at(6), ClosedAt: got.Clock.ClosedAt,
	}
	if got.Clock != want || got.Clock.ClosedAt.Sub(at(6)) > time.Millisecond || got.Status != honeyguide.IncidentClosed || got.Owner != "anna" {
		t.Errorf("closed %+v", got)
	}
	o.tx(func(ctx context.Context, tx state.Tx) error {
		list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Incident: in.ID})
		for _, a := range list {
			if a.Verdict.As != honeyguide.VerdictTruePositive || a.Verdict.By != "anna" {
				t.Errorf("alert %+v", a.Verdict)
			}
		}
		return err
	})
	// Reopening keeps the first times.
	again := o.change(in.ID, incident.Change{Phase: honeyguide.PhaseTriage, Reason: "once more", By: "ben"})
	closed := o.change(in.ID, incident.Change{Phase: honeyguide.PhaseClosed})
	if again.Clock.Reopened != 1 || again.Status != honeyguide.IncidentInProgress || closed.Clock.ClosedAt != got.Clock.ClosedAt || closed.Clock.Reopened != 1 {
		t.Errorf("reopened %+v, closed again %+v", again, closed)
	}
	if got, want := o.entries(in.ID), []string{
		"owner anna owner: anna", "phase anna phase new → triage", "phase anna phase triage → eradicated", "phase anna phase eradicated → contained: it came back",
		"phase anna phase contained → recovered", "verdict anna verdict: true_positive: real", "phase anna phase recovered → closed: real", "comment anna all done",
		"phase ben phase closed → triage: once more", "phase anna phase triage → closed",
	}; !slices.Equal(got, want) {
		t.Errorf("timeline\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
}

func TestChangesThatAreRefused(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	yes, long := true, strings.Repeat("x", 5000)
	for name, c := range map[string]struct {
		change incident.Change
		code   honeyguide.Code
		says   string
	}{
		"nothing":         {incident.Change{By: "anna"}, honeyguide.CodeInvalid, "say what changes"},
		"by nobody":       {incident.Change{Phase: honeyguide.PhaseTriage}, honeyguide.CodeInvalid, "somebody"},
		"no phase":        {incident.Change{By: "anna", Phase: "lunch"}, honeyguide.CodeInvalid, "want one of"},
		"no verdict":      {incident.Change{By: "anna", Phase: honeyguide.PhaseClosed}, honeyguide.CodeInvalid, "verdict"},
		"verdict none":    {incident.Change{By: "anna", Phase: honeyguide.PhaseClosed, Verdict: honeyguide.VerdictNone}, honeyguide.CodeInvalid, "verdict"},
		"long":            {incident.Change{By: "anna", Comment: long}, honeyguide.CodeInvalid, "at most"},
		"an owner's name": {incident.Change{By: "anna", Owner: &long}, honeyguide.CodeInvalid, "at most"},
	} {
		_, err := o.Change(t.Context(), in.ID, c.change)
		if honeyguide.ErrorCode(err) != c.code || !strings.Contains(fmt.Sprint(err), c.says) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := o.Change(t.Context(), "I-9", incident.Change{By: "anna", Acknowledge: true}); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("an unknown one: %v", err)
	}
	o.change(in.ID, incident.Change{Phase: honeyguide.PhaseContained})
	if _, err := o.Change(t.Context(), in.ID, incident.Change{By: "anna", Phase: honeyguide.PhaseTriage}); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("back without a reason: %v", err)
	}
	o.change(in.ID, incident.Change{Hold: &yes})
	if _, err := o.Change(t.Context(), in.ID, incident.Change{By: "anna", Phase: honeyguide.PhaseEradicated}); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("a phase while on hold: %v", err)
	}
	// All or nothing: the comment of a change that is refused is not kept.
	if _, err := o.Change(t.Context(), in.ID, incident.Change{By: "anna", Phase: honeyguide.PhaseEradicated, Comment: "lost"}); err == nil || strings.Contains(strings.Join(o.entries(in.ID), "\n"), "lost") {
		t.Errorf("half a change was kept: %v", err)
	}
	o.tx(func(ctx context.Context, tx state.Tx) error {
		other := honeyguide.Incident{Key: "k", Status: honeyguide.IncidentClosed, Phase: honeyguide.PhaseClosed, Joined: in.ID}
		_, err := tx.Incidents().Save(ctx, &other)
		return err
	})
	if _, err := o.Comment(t.Context(), "I-2", "anna", "here?"); honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(fmt.Sprint(err), "I-1") {
		t.Errorf("a joined one: %v", err)
	}
}

// Who comes second is told who was first; what grew by itself is no conflict.
func TestTwoAnalysts(t *testing.T) {
	o := newOffice(t)
	seen := o.opened(1)
	o.tx(func(ctx context.Context, tx state.Tx) error { // the pipeline adds an alert
		in, err := tx.Incidents().Get(ctx, seen.ID)
		in.AlertCount, in.UpdatedAt = 9, noon.Add(time.Second)
		_, err2 := tx.Incidents().Save(ctx, &in)
		return errors.Join(err, err2)
	})
	anna, ben := "anna", "ben"
	o.change(seen.ID, incident.Change{Owner: &anna, Seen: seen.UpdatedAt})
	_, err := o.Change(t.Context(), seen.ID, incident.Change{By: "ben", Owner: &ben, Seen: seen.UpdatedAt})
	if !errors.Is(err, incident.ErrStale) || honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.HasPrefix(err.Error(), "anna was first: changed the owner of I-1 at 12:01:00 UTC") {
		t.Errorf("ben: %v", err)
	}
	if in := o.change(seen.ID, incident.Change{By: "ben", Owner: &ben, Seen: o.get(seen.ID).UpdatedAt}); in.Owner != "ben" {
		t.Errorf("ben has looked again: %+v", in)
	}
	// A clock that goes back does not make changes look older than they are.
	o.clock = noon.Add(-time.Hour)
	before := o.get(seen.ID)
	in, err := o.Change(t.Context(), seen.ID, incident.Change{By: "anna", Owner: &anna})
	if err != nil || !in.UpdatedAt.After(before.UpdatedAt) {
		t.Errorf("%v, then %v: %v", before.UpdatedAt, in.UpdatedAt, err)
	}
	if _, err := o.Change(t.Context(), seen.ID, incident.Change{By: "ben", Owner: &ben, Seen: before.UpdatedAt}); !errors.Is(err, incident.ErrStale) {
		t.Errorf("after the clock went back: %v", err)
	}
}

func TestTasks(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	_, task, err := o.AddTask(t.Context(), in.ID, honeyguide.Task{Title: " call the owner ", Owner: "ben", By: "anna", ID: "T-77", DoneAt: noon})
	if err != nil || task.ID != "T-1" || task.Title != "call the owner" || !task.DoneAt.IsZero() {
		t.Fatalf("%+v: %v", task, err)
	}
	yes, no, carla := true, false, "carla"
	o.clock = noon.Add(time.Minute)
	_, task, err = o.ChangeTask(t.Context(), in.ID, "t-1", incident.TaskChange{By: "ben", Done: &yes})
	if err != nil || !task.DoneAt.Equal(o.clock) || task.DoneBy != "ben" {
		t.Errorf("done: %+v %v", task, err)
	}
	if _, again, err := o.ChangeTask(t.Context(), in.ID, "T-1", incident.TaskChange{By: "anna", Done: &yes}); err != nil || again != task {
		t.Errorf("done twice: %+v %v", again, err)
	}
	_, task, err = o.ChangeTask(t.Context(), in.ID, "T-1", incident.TaskChange{By: "anna", Done: &no, Owner: &carla})
	if err != nil || !task.DoneAt.IsZero() || task.DoneBy != "" || task.Owner != "carla" {
		t.Errorf("open again: %+v %v", task, err)
	}
	if got, want := o.entries(in.ID), []string{"task anna T-1 asked for: call the owner (ben)", "task ben T-1 done: call the owner", "task anna T-1 given to carla, open again: call the owner"}; !slices.Equal(got, want) {
		t.Errorf("timeline %q", got)
	}
	if _, _, err := o.ChangeTask(t.Context(), in.ID, "T-2", incident.TaskChange{By: "anna", Done: &no}); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("no such task: %v", err)
	}
	for n := 2; n <= honeyguide.MaxTasks; n++ {
		if _, _, err := o.AddTask(t.Context(), in.ID, honeyguide.Task{Title: "x", By: "anna"}); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, err := o.AddTask(t.Context(), in.ID, honeyguide.Task{Title: "x", By: "anna"}); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("one too many: %v", err)
	}
}

func TestContained(t *testing.T) {
	o := newOffice(t)
	in := o.opened(1)
	contain := func(at time.Time) {
		o.tx(func(ctx context.Context, tx state.Tx) error {
			return o.Contained(ctx, tx, in.ID, at, "contain-intrusion")
		})
	}
	contain(noon.Add(42 * time.Second))
	contain(noon.Add(time.Hour)) // the second act changes nothing
	got := o.get(in.ID)
	if !got.Clock.ContainedAt.Equal(noon.Add(42*time.Second)) || got.Phase != honeyguide.PhaseContained || got.Status != honeyguide.IncidentInProgress ||
		!got.Clock.TriagedAt.Equal(got.Clock.ContainedAt) || !got.Clock.AcknowledgedAt.IsZero() || len(o.entries(in.ID)) != 1 {
		t.Errorf("contained %+v, %q", got, o.entries(in.ID))
	}
	// An act on an incident that was joined meanwhile contains the other one.
	taker := o.opened(3)
	o.tx(func(ctx context.Context, tx state.Tx) error {
		joined := honeyguide.Incident{Key: "joined", Status: honeyguide.IncidentClosed, Phase: honeyguide.PhaseClosed, Joined: taker.ID}
		_, err := tx.Incidents().Save(ctx, &joined)
		return errors.Join(err, o.Contained(ctx, tx, joined.ID, noon, "p"), o.Contained(ctx, tx, "gone", noon, "p"))
	})
	if got := o.get(taker.ID); !got.Clock.ContainedAt.Equal(noon) || got.Phase != honeyguide.PhaseContained {
		t.Errorf("joined to a contained one: %+v", got)
	}
	// What people have decided stays: an incident they closed is not opened again.
	late := o.opened(2)
	o.change(late.ID, incident.Change{Phase: honeyguide.PhaseClosed, Verdict: honeyguide.VerdictBenign})
	o.tx(func(ctx context.Context, tx state.Tx) error {
		return o.Contained(ctx, tx, late.ID, noon.Add(time.Hour), "p")
	})
	if got := o.get(late.ID); got.Phase != honeyguide.PhaseClosed || got.Status != honeyguide.IncidentClosed || got.Clock.ContainedAt.IsZero() {
		t.Errorf("closed and contained: %+v", got)
	}
}
