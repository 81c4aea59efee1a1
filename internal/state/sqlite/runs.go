package sqlite

import (
	"context"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type runs struct{ *tx }

func (t *tx) Runs() state.Runs { return runs{t} }

// Save stores the full value by ID, else as new.
func (t runs) Save(ctx context.Context, r *honeyguide.Run) error {
	state.TidyRun(r)
	r.UpdatedAt = state.Time(t.now())
	if r.ID != "" {
		num, old, found, err := t.by(ctx, "id = $1", r.ID)
		if err != nil {
			return doing("save run", err)
		}
		if found {
			r.Short, r.CreatedAt, r.Incident = old.Short, old.CreatedAt, old.Incident
			return doing("save run", t.replace(ctx, num, r))
		}
	}
	return doing("save run", t.insert(ctx, r))
}

func (t runs) insert(ctx context.Context, r *honeyguide.Run) error {
	num, err := t.number(ctx, "run")
	if err != nil {
		return err
	}
	r.Short = "R-" + strconv.FormatInt(num, 10)
	if r.CreatedAt.IsZero() {
		r.CreatedAt = r.UpdatedAt
	}
	if r.ID == "" {
		r.ID = honeyguide.DerivedID(r.CreatedAt, "run", r.Short)
	}
	doc, err := encode(r)
	if err != nil {
		return err
	}
	const q = "INSERT INTO run (num, id, created, playbook, state, incident, open, doc, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, q, num, r.ID, micros(r.CreatedAt), r.Playbook, string(r.State), r.Incident, bit(!r.State.Over()), doc, at)
	return err
}

func (t runs) replace(ctx context.Context, num int64, r *honeyguide.Run) error {
	doc, err := encode(r)
	if err != nil {
		return err
	}
	const q = "UPDATE run SET playbook = $2, state = $3, open = $4, doc = $5, changed = $6 WHERE num = $1"
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, q, num, r.Playbook, string(r.State), bit(!r.State.Over()), doc, at)
	return err
}

func (t runs) by(ctx context.Context, cond string, arg any) (num int64, r honeyguide.Run, found bool, err error) {
	var doc, rest string
	found, err = t.one(ctx, "SELECT num, doc, "+ofIncident+" FROM run WHERE "+cond, []any{arg}, &num, &doc, &rest)
	if err != nil || !found {
		return 0, r, false, err
	}
	return num, r, true, decode(joined(doc, rest), &r)
}

// Get finds by ID or Short.
func (t runs) Get(ctx context.Context, id string) (honeyguide.Run, error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("R-", id); ok {
		cond, arg = "num = $1", n
	}
	_, r, found, err := t.by(ctx, cond, arg)
	if err == nil && !found {
		err = notFound("run", id)
	}
	return r, doing("get run", err)
}

// List reads a page.
func (t runs) List(ctx context.Context, q state.RunQuery) ([]honeyguide.Run, string, error) {
	var w where
	w.is("playbook", q.Playbook)
	w.is("incident", q.Incident)
	if q.Open {
		w.add("open = 1")
	}
	w.between("created", q.From, q.To)
	l := list{name: state.ListRuns, table: "run", at: "created", id: "id", rest: ofIncident, split: "state", is: texts(q.State)}
	out, next, err := page[honeyguide.Run](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list runs", err)
}

// Count counts what is under way.
func (t runs) Count(ctx context.Context, playbook string) (n int64, err error) {
	var w where
	w.add("open = 1")
	w.is("playbook", playbook)
	_, err = t.one(ctx, "SELECT count(*) FROM run"+w.String(), w.args, &n)
	return n, doing("count runs", err)
}

// Since counts what began.
func (t runs) Since(ctx context.Context, playbook string, at time.Time) (n int64, err error) {
	var w where
	w.add("created >= " + w.arg(micros(state.Time(at))))
	w.is("playbook", playbook)
	_, err = t.one(ctx, "SELECT count(*) FROM run"+w.String(), w.args, &n)
	return n, doing("count runs", err)
}

// Move gives runs to another incident.
func (t runs) Move(ctx context.Context, from, to string, only []string) ([]string, error) {
	ids, err := t.move(ctx, "run", from, to, only)
	return ids, doing("move runs", err)
}
