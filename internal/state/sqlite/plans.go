package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// Save writes over the plan of that ID or inserts it.
func (t plans) Save(ctx context.Context, p *honeyguide.Plan) error {
	state.TidyPlan(p)
	p.State = honeyguide.PlanState(state.Key(string(p.State)))
	if p.ID == "" {
		return doing("save plan", invalid("id: a plan needs one"))
	}
	if p.CreatedAt.IsZero() {
		at := micros(state.Time(t.now()))
		if _, err := t.one(ctx, "SELECT created FROM plan WHERE id = $1", []any{p.ID}, &at); err != nil {
			return doing("save plan", err)
		}
		p.CreatedAt = moment(at)
	}
	doc, err := encode(p)
	if err != nil {
		return doing("save plan", err)
	}
	const q = `INSERT INTO plan (id, created, incident, action, state, target, run, playbook, updated, applied, acts, holds, doc, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
		ON CONFLICT (id) DO UPDATE SET created = excluded.created, action = excluded.action,
		state = excluded.state, target = excluded.target, run = excluded.run, playbook = excluded.playbook, updated = excluded.updated,
		applied = excluded.applied, acts = excluded.acts, holds = excluded.holds, doc = excluded.doc, changed = excluded.changed`
	at, err := t.stamp(ctx)
	if err != nil {
		return doing("save plan", err)
	}
	acts := p.Mode == honeyguide.ModeApply
	if _, err := t.exec(ctx, q, p.ID, micros(p.CreatedAt), p.Incident, p.Action, string(p.State), p.Target, p.Run, p.Playbook,
		micros(state.Time(t.now())), micros(p.AppliedAt), bit(acts), bit(acts && p.State.InForce()), doc, at); err != nil {
		return doing("save plan", err)
	}
	if p.Action != state.ActionBlockIP || p.Target == "" {
		return nil
	}
	if _, err := t.exec(ctx, "DELETE FROM block WHERE plan = $1 AND address <> $2", p.ID, p.Target); err != nil {
		return doing("save plan", err)
	}
	const newest = `INSERT INTO block (address, created, plan) VALUES ($1, $2, $3)
		ON CONFLICT (address) DO UPDATE SET created = excluded.created, plan = excluded.plan
		WHERE (excluded.created, excluded.plan) > (block.created, block.plan)`
	_, err = t.exec(ctx, newest, p.Target, micros(p.CreatedAt), p.ID)
	return doing("save plan", err)
}

// Get finds by ID.
func (t plans) Get(ctx context.Context, id string) (p honeyguide.Plan, err error) {
	var doc, rest string
	found, err := t.one(ctx, "SELECT doc, "+ofIncident+" FROM plan WHERE id = $1", []any{state.Key(id)}, &doc, &rest)
	switch {
	case err != nil:
		return p, doing("get plan", err)
	case !found:
		return p, doing("get plan", notFound("plan", id))
	}
	return p, decode(joined(doc, rest), &p)
}

// ByIncident reads the plans of an incident.
func (t plans) ByIncident(ctx context.Context, incident string) ([]honeyguide.Plan, error) {
	out := []honeyguide.Plan{}
	const q = "SELECT doc FROM plan WHERE incident = $1 ORDER BY created, id LIMIT $2"
	err := t.each(ctx, q, []any{state.Key(incident), state.MaxLimit}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var p honeyguide.Plan
		err := decode(doc, &p)
		p.Incident = state.Key(incident)
		out = append(out, p)
		return err
	})
	return out, doing("list plans", err)
}

// List reads a page.
func (t plans) List(ctx context.Context, q state.PlanQuery) ([]honeyguide.Plan, string, error) {
	var w where
	w.is("action", q.Action)
	w.is("state", string(q.State))
	w.is("incident", q.Incident)
	w.is("target", q.Target)
	w.is("run", q.Run)
	w.is("playbook", q.Playbook)
	if q.InForce {
		w.add("holds = 1")
	}
	l := list{name: state.ListPlans, table: "plan", at: "created", id: "id", rest: ofIncident}
	out, next, err := page[honeyguide.Plan](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list plans", err)
}

// Blocks reads a page of the newest plan of each address.
func (t plans) Blocks(ctx context.Context, p state.Page) ([]honeyguide.Block, string, error) {
	out := []honeyguide.Block{}
	l := list{
		name: state.ListBlocks, at: "created", id: "address", rest: ofIncident,
		table: "(SELECT plan.doc AS doc, plan.incident AS incident, block.created AS created, block.address AS address FROM block JOIN plan ON plan.id = block.plan) AS b",
	}
	next, err := keyset(ctx, t.tx, l, where{}, p, func(doc, rest string, k key) error {
		var p honeyguide.Plan
		err := decode(joined(doc, rest), &p)
		block := p.Block()
		block.Address = k.id
		out = append(out, block)
		return err
	})
	return out, next, doing("list blocks", err)
}

// InForce reads what holds.
func (t plans) InForce(ctx context.Context, action, target string, fn func(*honeyguide.Plan) error) error {
	var w where
	w.add("holds = 1 AND action = " + w.arg(state.Key(action)))
	if target != "" {
		w.add("target = " + w.arg(state.Key(target)))
	}
	return doing("list plans in force", t.walk(ctx, "SELECT 0, doc, "+ofIncident+" FROM plan"+w.String()+" ORDER BY target, id", w.args,
		func(p *honeyguide.Plan, _ time.Time) error { return fn(p) }))
}

// Targets reads what is acted on, from the index alone: there may be half a
// million blocks, and their documents are not wanted.
func (t plans) Targets(ctx context.Context, action string, fn func(string) error) error {
	var stop error
	err := t.each(ctx, "SELECT DISTINCT target FROM plan WHERE holds = 1 AND action = $1 ORDER BY target", []any{state.Key(action)}, func(scan func(...any) error) error {
		var target string
		if stop != nil {
			return nil
		}
		if err := scan(&target); err != nil {
			return err
		}
		stop = fn(target)
		return nil
	})
	if err != nil {
		return doing("list targets", err)
	}
	return stop
}

// Changed reads what was saved since.
func (t plans) Changed(ctx context.Context, action string, since time.Time, fn func(*honeyguide.Plan, time.Time) error) error {
	const q = "SELECT updated, doc, " + ofIncident + " FROM plan WHERE acts = 1 AND action = $1 AND updated >= $2 ORDER BY updated, id"
	return doing("list changed plans", t.walk(ctx, q, []any{state.Key(action), micros(state.Time(since))}, fn))
}

// walk calls fn for rows of a time and a plan until it returns an error. That is
// fn's own affair: it does not spoil the transaction.
func (t plans) walk(ctx context.Context, q string, args []any, fn func(*honeyguide.Plan, time.Time) error) error {
	var stop error
	err := t.each(ctx, q, args, func(scan func(...any) error) error {
		var at int64
		var doc, rest string
		if stop != nil {
			return nil
		}
		if err := scan(&at, &doc, &rest); err != nil {
			return err
		}
		var p honeyguide.Plan
		if err := decode(joined(doc, rest), &p); err != nil {
			return err
		}
		stop = fn(&p, moment(at))
		return nil
	})
	if err != nil {
		return err
	}
	return stop
}

// Count counts.
func (t plans) Count(ctx context.Context, q state.PlanCount) (n int64, err error) {
	var w where
	w.add("acts = 1 AND action = " + w.arg(state.Key(q.Action)))
	if q.Target != "" {
		w.add("target = " + w.arg(state.Key(q.Target)))
	}
	if !q.Since.IsZero() {
		w.add("applied > 0 AND applied >= " + w.arg(micros(state.Time(q.Since))))
	}
	if q.InForce {
		w.add("holds = 1")
	}
	_, err = t.one(ctx, "SELECT count(*) FROM plan"+w.String(), w.args, &n)
	return n, doing("count plans", err)
}

// Move gives plans to another incident.
func (t plans) Move(ctx context.Context, from, to string, only []string) ([]string, error) {
	ids, err := t.move(ctx, "plan", from, to, only)
	return ids, doing("move plans", err)
}
