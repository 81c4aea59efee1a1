package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func runs(b *bench) {
	r := honeyguide.Run{
		Playbook: "contain", Title: "Contain", Version: "0123456789ab", Incident: "inc1", Trigger: "incident", Mode: honeyguide.ModeApply,
		State: honeyguide.RunRunning, By: "playbook", Steps: []honeyguide.RunStep{{Name: "block", Action: "block_ip", State: honeyguide.StepPending}},
	}
	save := func(r honeyguide.Run) honeyguide.Run {
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Runs().Save(ctx, &r) })
		return r
	}
	first := save(r)
	b.same("short", first.Short, "R-1")
	second := r
	second.ID, second.State, second.Playbook = "own id", honeyguide.RunDone, "digest"
	second = save(second)
	b.clock.step(time.Minute)
	changed := first
	changed.State, changed.Steps[0].State, changed.Short, changed.CreatedAt = honeyguide.RunWaiting, honeyguide.StepWaiting, "R-9", start
	changed = save(changed)
	b.same("short stays", changed.Short, "R-1")
	b.same("created stays", changed.CreatedAt, first.CreatedAt)
	b.same("updated", changed.UpdatedAt, b.clock.now())
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, id := range []string{"R-1", "r-1", first.ID} {
			got, err := tx.Runs().Get(ctx, id)
			b.code("get "+id, err, "")
			b.same("get "+id, got, changed)
		}
		_, err := tx.Runs().Get(ctx, "R-7")
		b.code("nobody", err, honeyguide.CodeNotFound)
		for _, c := range []struct {
			q    state.RunQuery
			want []honeyguide.Run
		}{
			{state.RunQuery{Open: true}, []honeyguide.Run{changed}},
			{state.RunQuery{Playbook: "digest"}, []honeyguide.Run{second}},
			{state.RunQuery{State: []honeyguide.RunState{honeyguide.RunWaiting}}, []honeyguide.Run{changed}},
			{state.RunQuery{State: []honeyguide.RunState{honeyguide.RunFailed}}, []honeyguide.Run{}},
			{state.RunQuery{Incident: "inc2"}, []honeyguide.Run{}},
		} {
			list, _, err := tx.Runs().List(ctx, c.q)
			b.code("list", err, "")
			b.same(fmt.Sprintf("list %+v", c.q), list, c.want)
		}
		all := pages(b, 1, func(p state.Page) ([]honeyguide.Run, string, error) {
			return tx.Runs().List(ctx, state.RunQuery{Page: p})
		})
		b.same("all", len(all), 2)
		open, e1 := tx.Runs().Count(ctx, "")
		none, e2 := tx.Runs().Count(ctx, "digest")
		since, e3 := tx.Runs().Since(ctx, "", start)
		later, e4 := tx.Runs().Since(ctx, "contain", b.clock.now())
		b.same("counts", []int64{open, none, since, later}, []int64{1, 0, 2, 0})
		return errors.Join(e1, e2, e3, e4)
	})
}

func timeline(b *bench) {
	at := func(s int) time.Time { return start.Add(time.Duration(s) * time.Second) }
	one := honeyguide.TimelineEntry{ID: "e1", Incident: "i1", At: at(5), SeenAt: at(9), Kind: honeyguide.EntryComment, By: "anna", Text: "looked"}
	two := honeyguide.TimelineEntry{Incident: "i1", At: at(3), Kind: honeyguide.EntryPhase, By: "ben", Text: "new to triage"}
	other := honeyguide.TimelineEntry{ID: "e3", Incident: "i2", At: at(7), Kind: honeyguide.EntryComment, By: "anna", Text: "elsewhere"}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.Timeline().Add(ctx, &one, &two, &other, &one) })
	b.same("an id", two.ID != "", true)
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Timeline().Add(b.Context(), &honeyguide.TimelineEntry{Kind: "x"}) })
	b.code("of no incident", err, honeyguide.CodeInvalid)
	of := func(ctx context.Context, tx state.Tx, q state.TimelineQuery) []honeyguide.TimelineEntry {
		list, _, err := tx.Timeline().List(ctx, q)
		b.code("list", err, "")
		return list
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		b.same("of i1", of(ctx, tx, state.TimelineQuery{Incident: "i1"}), []honeyguide.TimelineEntry{one, two})
		b.same("comments", of(ctx, tx, state.TimelineQuery{Kind: honeyguide.EntryComment}), []honeyguide.TimelineEntry{other, one})
		b.same("span", of(ctx, tx, state.TimelineQuery{From: at(5), To: at(7)}), []honeyguide.TimelineEntry{one})
		return nil
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		none, err := tx.Timeline().Move(ctx, "i1", "i2", []string{"e3", "nobody"})
		b.same("those of others stay", len(none), 0)
		moved, err2 := tx.Timeline().Move(ctx, "i1", "i2", nil)
		b.same("moved", slices.Contains(moved, "e1") && slices.Contains(moved, two.ID) && len(moved) == 2, true)
		return errors.Join(err, err2)
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		list := of(ctx, tx, state.TimelineQuery{Incident: "i2"})
		b.same("moved", len(list), 3)
		b.same("says so", list[1].Incident, "i2")
		b.same("left", len(of(ctx, tx, state.TimelineQuery{Incident: "i1"})), 0)
		return nil
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Timeline().Move(ctx, "i2", "i1", []string{"e1", two.ID})
		return err
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		b.same("back", of(ctx, tx, state.TimelineQuery{Incident: "i1"}), []honeyguide.TimelineEntry{one, two})
		b.same("the other's", of(ctx, tx, state.TimelineQuery{Incident: "i2"}), []honeyguide.TimelineEntry{other})
		return nil
	})
}

// moves checks that runs and plans go with their incident, and that saving them
// afterwards does not take them back.
func moves(b *bench) {
	run := honeyguide.Run{ID: "r", Playbook: "p", Incident: "i1", State: honeyguide.RunRunning}
	plan := honeyguide.Plan{ID: "p", Incident: "i1", Action: state.ActionBlockIP, Target: "192.0.2.1", Mode: honeyguide.ModeApply, State: honeyguide.PlanApplied}
	keep := plan
	keep.ID, keep.Target = "k", "192.0.2.2"
	save := func(ctx context.Context, tx state.Tx) error {
		r, p, k := run, plan, keep
		return errors.Join(tx.Runs().Save(ctx, &r), tx.Plans().Save(ctx, &p), tx.Plans().Save(ctx, &k))
	}
	b.up(save)
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Runs().Move(ctx, "i1", "i2", nil)
		moved, err2 := tx.Plans().Move(ctx, "i1", "i2", []string{"p"})
		b.same("moved", moved, []string{"p"})
		return errors.Join(err, err2)
	})
	b.up(save) // by somebody who read them before
	b.see(func(ctx context.Context, tx state.Tx) error {
		r, err := tx.Runs().Get(ctx, "r")
		b.same("run", r.Incident, "i2")
		list, _, err2 := tx.Runs().List(ctx, state.RunQuery{Incident: "i2"})
		b.same("runs", len(list) == 1 && list[0].Incident == "i2", true)
		p, err3 := tx.Plans().Get(ctx, "p")
		b.same("plan", p.Incident, "i2")
		of, err4 := tx.Plans().ByIncident(ctx, "i2")
		b.same("plans", len(of) == 1 && of[0].Incident == "i2", true)
		err5 := tx.Plans().InForce(ctx, state.ActionBlockIP, "192.0.2.1", func(p *honeyguide.Plan) error {
			b.same("in force", p.Incident, "i2")
			return nil
		})
		blocks, _, err6 := tx.Plans().Blocks(ctx, state.Page{})
		for _, x := range blocks {
			b.same("block of "+x.Address, x.Incident, map[string]string{"p": "i2", "k": "i1"}[x.Plan])
		}
		left, _, err7 := tx.Plans().List(ctx, state.PlanQuery{Incident: "i1"})
		b.same("left", len(left) == 1 && left[0].ID == "k", true)
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
}

func notices(b *bench) {
	notice := func(id string, due int) honeyguide.Notice {
		return honeyguide.Notice{
			ID: id, Channel: "chat", Key: "i1", Incident: "i1", Severity: honeyguide.SeverityHigh, Title: "t", Text: "x", State: honeyguide.NoticeQueued,
			Count: 1, CreatedAt: start.Add(time.Duration(due) * time.Second), DueAt: start.Add(time.Duration(due) * time.Minute),
		}
	}
	a, c, d := notice("a", 3), notice("c", 1), notice("d", 2)
	d.State, d.SentAt, d.Ref = honeyguide.NoticeSent, start.Add(time.Hour), "42"
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.Notices().Save(ctx, &a), tx.Notices().Save(ctx, &c), tx.Notices().Save(ctx, &d))
	})
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Notices().Save(b.Context(), &honeyguide.Notice{}) })
	b.code("without an id", err, honeyguide.CodeInvalid)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Notices().Get(ctx, "d")
		b.code("get", err, "")
		b.same("get", got, d)
		_, err = tx.Notices().Get(ctx, "z")
		b.code("nobody", err, honeyguide.CodeNotFound)
		got, err = tx.Notices().Latest(ctx, "chat", "i1")
		b.code("latest", err, "")
		b.same("latest", got, a)
		_, err = tx.Notices().Latest(ctx, "mail", "i1")
		b.code("no latest", err, honeyguide.CodeNotFound)
		due, err := tx.Notices().Due(ctx, "", start.Add(time.Hour), 9)
		b.same("due", due, []honeyguide.Notice{c, a})
		soon, err2 := tx.Notices().Due(ctx, "chat", start.Add(time.Minute), 9)
		b.same("due soon", soon, []honeyguide.Notice{c})
		next, err3 := tx.Notices().Next(ctx, "")
		b.same("next", next, c.DueAt)
		next, err6 := tx.Notices().Next(ctx, "mail")
		b.same("next of nobody", next, time.Time{})
		queued, err7 := tx.Notices().Queued(ctx)
		b.same("queued", queued, map[string]int64{"chat": 2})
		n, err4 := tx.Notices().Since(ctx, "chat", start.Add(time.Hour))
		b.same("sent since", n, int64(1))
		list, _, err5 := tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeQueued, Incident: "i1"})
		b.same("list", list, []honeyguide.Notice{a, c})
		return errors.Join(err, err2, err3, err4, err5, err6, err7)
	})
	noticesOver(b, d)
}

// noticesOver checks who still has to be told, and that old ones go.
func noticesOver(b *bench, d honeyguide.Notice) {
	over := func(ctx context.Context, tx state.Tx) []string {
		out, err := tx.Notices().Over(ctx, 9)
		b.code("over", err, "")
		return out
	}
	i := honeyguide.Incident{Key: "k", Status: honeyguide.IncidentNew, CreatedAt: start}
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Incidents().Save(ctx, &i)
		d.Incident, d.Event = i.ID, "trigger"
		err = errors.Join(err, tx.Notices().Save(ctx, &d))
		b.same("open", over(ctx, tx), []string{})
		return err
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		i.Status = honeyguide.IncidentClosed
		_, err := tx.Incidents().Save(ctx, &i)
		b.same("closed", over(ctx, tx), []string{i.ID})
		d.ResolvedAt = start.Add(2 * time.Hour)
		again := d
		again.ID, again.Event, again.ResolvedAt = "e", "resolve", time.Time{}
		err = errors.Join(err, tx.Notices().Save(ctx, &d), tx.Notices().Save(ctx, &again))
		b.same("told", over(ctx, tx), []string{})
		n, err2 := tx.Notices().Drop(ctx, start.Add(time.Hour), 9)
		b.same("dropped", n, int64(2)) // those that wait stay
		return errors.Join(err, err2)
	})
}

// force checks what is said of plans that act.
func force(b *bench) {
	plan := func(id, target string, s honeyguide.PlanState, applied int) honeyguide.Plan {
		p := honeyguide.Plan{
			ID: id, Action: state.ActionBlockIP, Target: target, Mode: honeyguide.ModeApply, State: s, Run: "r1", Playbook: "p1", CreatedAt: start,
			ExpiresAt: start.Add(time.Hour),
		}
		if applied > 0 {
			p.AppliedAt = start.Add(time.Duration(applied) * time.Minute)
		}
		return p
	}
	dry := plan("dry", "192.0.2.9", honeyguide.PlanVerified, 1)
	dry.Mode = honeyguide.ModeDryRun
	b.savePlans(
		plan("a", "192.0.2.2", honeyguide.PlanVerified, 1), plan("b", "192.0.2.1", honeyguide.PlanApplied, 2), plan("c", "192.0.2.1", honeyguide.PlanExpired, 3),
		plan("d", "192.0.2.3", honeyguide.PlanWaiting, 0), dry,
	)
	b.clock.step(time.Minute)
	b.savePlans(plan("c", "192.0.2.1", honeyguide.PlanReverted, 3))
	ids := func(ctx context.Context, tx state.Tx, action, target string) (out []string) {
		b.code("in force", tx.Plans().InForce(ctx, action, target, func(p *honeyguide.Plan) error { out = append(out, p.ID); return nil }), "")
		return out
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		b.same("all", ids(ctx, tx, state.ActionBlockIP, ""), []string{"b", "a"})
		b.same("one", ids(ctx, tx, state.ActionBlockIP, "192.0.2.2"), []string{"a"})
		b.same("other action", len(ids(ctx, tx, "x", "")), 0)
		var changed []string
		err := tx.Plans().Changed(ctx, state.ActionBlockIP, b.clock.now(), func(p *honeyguide.Plan, _ time.Time) error {
			changed = append(changed, p.ID)
			return nil
		})
		b.same("changed", changed, []string{"c"})
		stop := errors.New("enough")
		if err := tx.Plans().InForce(ctx, state.ActionBlockIP, "", func(*honeyguide.Plan) error { return stop }); !errors.Is(err, stop) {
			b.Errorf("an error of the caller became %v", err)
		}
		for _, c := range []struct {
			q    state.PlanCount
			want int64
		}{
			{state.PlanCount{Action: state.ActionBlockIP}, 4},
			{state.PlanCount{Action: state.ActionBlockIP, InForce: true}, 2},
			{state.PlanCount{Action: state.ActionBlockIP, Target: "192.0.2.1", Since: start}, 2},
			{state.PlanCount{Action: state.ActionBlockIP, Since: start.Add(2 * time.Minute)}, 2},
		} {
			n, err2 := tx.Plans().Count(ctx, c.q)
			b.same(fmt.Sprintf("count %+v", c.q), n, c.want)
			err = errors.Join(err, err2)
		}
		list, _, err3 := tx.Plans().List(ctx, state.PlanQuery{Run: "r1", InForce: true})
		b.same("list in force", len(list), 2)
		return errors.Join(err, err3)
	})
}
