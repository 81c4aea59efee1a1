package statetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

func (b *bench) savePlans(list ...honeyguide.Plan) []honeyguide.Plan {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) error {
		for i := range list {
			if err := tx.Plans().Save(ctx, &list[i]); err != nil {
				return err
			}
		}
		return nil
	})
	return list
}

// plans: one row per ID, whatever is saved how often.
func plans(b *bench) {
	p := b.savePlans(honeyguide.Plan{
		ID: "p1", Incident: "inc", Playbook: "block", Step: "1", Action: "block_ip", Target: "203.0.113.7", Params: map[string]string{"ttl": "24h"},
		Effect: "Packets are dropped.", Mode: "dry_run", State: honeyguide.PlanPlanned, Reason: "score 80", ExpiresAt: start.Add(time.Hour),
	})[0]
	if !p.CreatedAt.Equal(start) {
		b.Errorf("created at %v", p.CreatedAt)
	}
	b.clock.step(time.Minute)
	again := p
	again.CreatedAt = time.Time{}
	b.same("saved again", b.savePlans(again)[0], p)
	refused := p
	refused.State, refused.Reason = honeyguide.PlanRefused, "allowlist"
	b.savePlans(refused)
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Plans().Get(ctx, "p1")
		b.same("the last word", got, refused)
		_, err2 := tx.Plans().Get(ctx, "nobody")
		b.code("get what is not there", err2, honeyguide.CodeNotFound)
		return err
	})
	err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Plans().Save(b.Context(), &honeyguide.Plan{}) })
	b.code("no id", err, honeyguide.CodeInvalid)

	all := []honeyguide.Plan{refused}
	for n := range 40 {
		all = append(all, honeyguide.Plan{
			ID: fmt.Sprintf("q%02d", n), Incident: fmt.Sprint("inc", n%3), Action: []string{"block_ip", "notify"}[n%2],
			Target: fmt.Sprint("t", n%5), State: []honeyguide.PlanState{honeyguide.PlanPlanned, honeyguide.PlanRefused}[n/2%2],
			CreatedAt: start.Add(time.Duration(n/2) * time.Second),
		})
	}
	b.savePlans(all...)
	slices.SortFunc(all, func(x, y honeyguide.Plan) int { return cmpDesc(x.CreatedAt, y.CreatedAt, x.ID, y.ID) })
	for name, c := range map[string]struct {
		q    state.PlanQuery
		want func(p *honeyguide.Plan) bool
	}{
		"all":      {state.PlanQuery{}, func(*honeyguide.Plan) bool { return true }},
		"action":   {state.PlanQuery{Action: "notify"}, func(p *honeyguide.Plan) bool { return p.Action == "notify" }},
		"state":    {state.PlanQuery{State: honeyguide.PlanRefused}, func(p *honeyguide.Plan) bool { return p.State == honeyguide.PlanRefused }},
		"incident": {state.PlanQuery{Incident: "inc1"}, func(p *honeyguide.Plan) bool { return p.Incident == "inc1" }},
		"target":   {state.PlanQuery{Target: "t3"}, func(p *honeyguide.Plan) bool { return p.Target == "t3" }},
	} {
		want := []honeyguide.Plan{}
		for _, p := range all {
			if c.want(&p) {
				want = append(want, p)
			}
		}
		b.see(func(ctx context.Context, tx state.Tx) error {
			b.same(name, pages(b, 7, func(p state.Page) ([]honeyguide.Plan, string, error) {
				q := c.q
				q.Page = p
				return tx.Plans().List(ctx, q)
			}), want)
			if name == "incident" {
				got, err := tx.Plans().ByIncident(ctx, "inc1")
				slices.Reverse(want)
				b.same("by incident", got, want)
				return err
			}
			return nil
		})
	}
}

// blocks: the newest block_ip plan of each address, in whatever order they came.
func blocks(b *bench) {
	plan := func(id, addr string, s int, st honeyguide.PlanState) honeyguide.Plan {
		return honeyguide.Plan{
			ID: id, Incident: "inc " + id, Action: state.ActionBlockIP, Target: addr, Mode: "dry_run", State: st, Reason: "because " + id,
			CreatedAt: start.Add(time.Duration(s) * time.Second), ExpiresAt: start.Add(time.Duration(s) * time.Hour),
		}
	}
	b.savePlans(
		plan("a", "203.0.113.1/32", 10, honeyguide.PlanPlanned),
		plan("b", "203.0.113.1/32", 30, honeyguide.PlanRefused), // the newest
		plan("c", "203.0.113.1/32", 20, honeyguide.PlanPlanned), // late
		plan("d", "203.0.113.2/32", 30, honeyguide.PlanPlanned),
		plan("e", "203.0.113.2/32", 30, honeyguide.PlanPlanned), // same moment: the higher id
		plan("f", "2001:db8::1/128", 5, honeyguide.PlanPlanned),
		plan("g", "", 50, honeyguide.PlanPlanned),
		honeyguide.Plan{ID: "h", Action: "notify", Target: "203.0.113.9", CreatedAt: start.Add(time.Hour)},
	)
	b.savePlans(plan("a", "203.0.113.1/32", 10, honeyguide.PlanPlanned)) // again: no change
	block := func(id, addr string, s int, st honeyguide.PlanState) honeyguide.Block {
		p := plan(id, addr, s, st)
		return honeyguide.Block{
			Address: addr, State: st, Mode: p.Mode, Incident: p.Incident, Plan: id, Reason: p.Reason, CreatedAt: p.CreatedAt, ExpiresAt: p.ExpiresAt,
		}
	}
	want := []honeyguide.Block{
		block("e", "203.0.113.2/32", 30, honeyguide.PlanPlanned),
		block("b", "203.0.113.1/32", 30, honeyguide.PlanRefused),
		block("f", "2001:db8::1/128", 5, honeyguide.PlanPlanned),
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for _, limit := range []int{0, 1, 2} {
			b.same("blocks", pages(b, limit, func(p state.Page) ([]honeyguide.Block, string, error) { return tx.Plans().Blocks(ctx, p) }), want)
		}
		return nil
	})
	// A plan that changes its mind takes its row along.
	b.savePlans(plan("f", "2001:db8::2/128", 5, honeyguide.PlanPlanned))
	b.see(func(ctx context.Context, tx state.Tx) error {
		list, _, err := tx.Plans().Blocks(ctx, state.Page{})
		b.same("moved", list[len(list)-1], block("f", "2001:db8::2/128", 5, honeyguide.PlanPlanned))
		b.same("rows", len(list), 3)
		return err
	})
}

// deadLetters: kept with their bytes, once.
func deadLetters(b *bench) {
	b.up(func(ctx context.Context, tx state.Tx) error {
		return tx.DeadLetters().Add(ctx)
	})
	letters := []honeyguide.DeadLetter{
		{ID: "d1", Time: start, Source: "eve.json", Line: 3, Reason: "no JSON", Bytes: 3, Raw: []byte("\x00\xff\xfe")},
		{ID: "d1", Time: start, Source: "eve.json", Reason: "again"},
		{Source: "x", Reason: "no id"},
		{ID: "d3", Time: start.Add(-time.Hour), Source: "x", Raw: make([]byte, 2*state.MaxRaw), Bytes: 2 * state.MaxRaw},
	}
	b.up(func(ctx context.Context, tx state.Tx) error { return tx.DeadLetters().Add(ctx, letters...) })
	b.see(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.DeadLetters().Count(ctx)
		b.same("count", n, int64(3))
		got := pages(b, 2, func(p state.Page) ([]honeyguide.DeadLetter, string, error) {
			return tx.DeadLetters().List(ctx, state.DeadLetterQuery{Page: p})
		})
		if len(got) != 3 {
			b.Fatalf("%d letters", len(got))
		}
		i := slices.IndexFunc(got, func(d honeyguide.DeadLetter) bool { return d.ID == "d1" })
		b.same("to the byte", got[i], letters[0])
		if last := got[2]; last.ID != "d3" || len(last.Raw) != state.MaxRaw || last.Bytes != 2*state.MaxRaw {
			b.Errorf("last is %s with %d of %d bytes", last.ID, len(last.Raw), last.Bytes)
		}
		if other := got[1-i]; other.ID == "" || !other.Time.Equal(start) {
			b.Errorf("the nameless letter is %q at %v", other.ID, other.Time)
		}
		list, _, err2 := tx.DeadLetters().List(ctx, state.DeadLetterQuery{Source: "eve.json"})
		b.same("of a source", len(list), 1)
		return errors.Join(err, err2)
	})
	if letters[2].ID != "" {
		b.Error("Add wrote into the caller's slice")
	}
}

// cursors: a move from where it is not is a conflict and moves nothing.
func cursors(b *bench) {
	for i, c := range []struct {
		consumer string
		from, to int64
		want     honeyguide.Code
	}{
		{"a", 0, 5, ""},
		{"a", 0, 6, honeyguide.CodeConflict},
		{"a", 4, 6, honeyguide.CodeConflict},
		{"a", 5, 5, ""},
		{"a", 5, 1 << 62, ""},
		{"a", 1 << 62, 7, ""}, // a replay starts anew
		{"b", 3, 4, honeyguide.CodeConflict},
		{"b", 0, 0, ""},
		{"b", 0, 4, ""},
		{"a", 7, -1, honeyguide.CodeInvalid},
		{"", 0, 1, ""},
		{"\xff\x00", 0, 1, ""},
	} {
		err := b.Update(b.Context(), func(tx state.Tx) error { return tx.Cursors().Move(b.Context(), c.consumer, c.from, c.to) })
		b.code(fmt.Sprintf("move %d", i), err, c.want)
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		for name, want := range map[string]int64{"a": 7, "b": 4, "": 1, "nobody": 0, "\xff\x00": 1} {
			at, err := tx.Cursors().Cursor(ctx, name)
			if err != nil {
				return err
			}
			b.same("cursor "+name, at, want)
		}
		return nil
	})
	// The effects of the loser go with its cursor.
	err := b.Update(b.Context(), func(tx state.Tx) error {
		a := alert("lost")
		if _, err := tx.Alerts().Save(b.Context(), &a); err != nil {
			return err
		}
		return tx.Cursors().Move(b.Context(), "a", 6, 8)
	})
	b.code("two of one name", err, honeyguide.CodeConflict)
	b.see(func(ctx context.Context, tx state.Tx) error {
		list, _, err := tx.Alerts().List(ctx, state.AlertQuery{})
		b.same("alerts of the loser", len(list), 0)
		return err
	})
}

func meta(b *bench) {
	long := strings.Repeat("v", 100_000)
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.Meta().Put(ctx, "a", "1"), tx.Meta().Put(ctx, "a", "2"), tx.Meta().Put(ctx, "b", long), tx.Meta().Put(ctx, "c", ""))
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		for k, want := range map[string]string{"a": "2", "b": long, "c": "", "nobody": ""} {
			got, err := tx.Meta().Get(ctx, k)
			if err != nil {
				return err
			}
			b.same("meta "+k, got, want)
		}
		return nil
	})
}

// retention: what is old and over goes, what is open stays, in bounded steps.
func retention(b *bench) {
	old, now := start.Add(-100*24*time.Hour), start
	b.up(func(ctx context.Context, tx state.Tx) error {
		for n := range 10 {
			for _, at := range []time.Time{old, now} {
				id := fmt.Sprint(at.Unix(), "-", n)
				a := alert(id)
				a.Time, a.LastAt, a.CreatedAt = at, at, at
				s := session(id)
				s.StartedAt, s.LastAt, s.EndedAt = at, at, at
				i := incident(id)
				i.ID, i.Status, i.CreatedAt, i.UpdatedAt = id, honeyguide.IncidentClosed, at, at
				p := honeyguide.Plan{ID: id, Incident: id, Action: state.ActionBlockIP, Target: id, CreatedAt: at}
				_, err := tx.Alerts().Save(ctx, &a)
				_, err2 := tx.Incidents().Save(ctx, &i)
				err = errors.Join(err, err2, tx.Sessions().Save(ctx, &s), tx.Plans().Save(ctx, &p),
					tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{Time: at, Source: "x"}))
				if err != nil {
					return err
				}
			}
		}
		running := session("running")
		running.StartedAt, running.LastAt = old, old
		open := incident("open")
		open.CreatedAt, open.UpdatedAt = old, old
		_, err := tx.Incidents().Save(ctx, &open)
		return errors.Join(err, tx.Sessions().Save(ctx, &running))
	})
	total := int64(0)
	for range 100 {
		var n int64
		b.up(func(ctx context.Context, tx state.Tx) (err error) {
			n, err = tx.Retention().Drop(ctx, start.Add(-24*time.Hour), 3)
			return err
		})
		if n > 3*8 {
			b.Errorf("%d rows in one step", n)
		}
		if total += n; n == 0 {
			break
		}
	}
	b.same("rows dropped", total, int64(50))
	b.see(func(ctx context.Context, tx state.Tx) error {
		al, _, e1 := tx.Alerts().List(ctx, state.AlertQuery{Text: "brute"})
		in, _, e2 := tx.Incidents().List(ctx, state.IncidentQuery{Text: "attack"})
		se, _, e3 := tx.Sessions().List(ctx, state.SessionQuery{Text: "ssh"})
		pl, _, e4 := tx.Plans().List(ctx, state.PlanQuery{})
		bl, _, e5 := tx.Plans().Blocks(ctx, state.Page{})
		de, e6 := tx.DeadLetters().Count(ctx)
		b.same("what stays", []int{len(al), len(in), len(se), len(pl), len(bl), int(de)}, []int{10, 11, 11, 10, 10, 10})
		return errors.Join(e1, e2, e3, e4, e5, e6)
	})
}
