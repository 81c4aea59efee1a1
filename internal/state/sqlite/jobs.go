package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"honeyguide/internal/state"
)

// Add stores jobs.
func (t jobs) Add(ctx context.Context, list ...*state.Job) error {
	for _, j := range list {
		if j.MaxAttempts <= 0 {
			j.MaxAttempts = state.DefaultAttempts
		}
		j.Kind, j.Key, j.RunAt = state.Key(j.Kind), state.Key(j.Key), state.Time(j.RunAt)
		j.ID, j.Attempt, j.Lease, j.Error, j.Dead = 0, 0, state.Time(j.Lease), "", false
		if j.Kind == "" {
			return doing("add job", invalid("kind: a job needs one"))
		}
		if j.RunAt.IsZero() {
			j.RunAt = state.Time(t.now())
		}
		if j.Key != "" {
			var one int
			const q = "SELECT 1 FROM job WHERE kind = $1 AND uniq = $2 AND uniq <> '' AND dead = 0"
			if taken, err := t.one(ctx, q, []any{j.Kind, j.Key}, &one); err != nil {
				return doing("add job", err)
			} else if taken {
				continue
			}
		}
		id, err := t.number(ctx, "job")
		if err != nil {
			return doing("add job", err)
		}
		const q = "INSERT INTO job (id, kind, uniq, run_at, max_attempts, arg, lease, attempt) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)"
		arg := append([]byte{}, j.Arg...) // NULL is no argument, empty is
		if !j.Lease.IsZero() {
			j.Attempt = 1
		}
		if _, err := t.exec(ctx, q, id, j.Kind, j.Key, micros(j.RunAt), j.MaxAttempts, arg, micros(j.Lease), j.Attempt); err != nil {
			return doing("add job", err)
		}
		j.ID = id
	}
	return nil
}

const jobColumns = "id, kind, uniq, run_at, lease, attempt, max_attempts, dead, error, arg"

func scanJob(scan func(...any) error) (j state.Job, err error) {
	var run, lease int64
	err = scan(&j.ID, &j.Kind, &j.Key, &run, &lease, &j.Attempt, &j.MaxAttempts, &j.Dead, &j.Error, &j.Arg)
	j.RunAt, j.Lease = moment(run), moment(lease)
	if len(j.Arg) == 0 {
		j.Arg = nil
	}
	return j, err
}

// Claim leases what is due. The writer's transaction is the only one, so two
// workers cannot see the same row (PostgreSQL needs FOR UPDATE SKIP LOCKED here).
func (t jobs) Claim(ctx context.Context, now time.Time, kinds []string, n int, lease time.Duration) ([]state.Job, error) {
	at := micros(state.Time(now))
	const bury = `UPDATE job SET dead = 1, lease = 0, error = CASE error WHEN '' THEN 'the last attempt did not end' ELSE error END
		WHERE dead = 0 AND lease > 0 AND lease <= $1 AND attempt >= max_attempts`
	if _, err := t.exec(ctx, bury, at); err != nil {
		return nil, doing("claim jobs", err)
	}
	var w where
	due, until, limit := w.arg(at), w.arg(micros(state.Time(now.Add(lease)))), w.arg(n)
	w.add("dead = 0")
	w.add("run_at <= " + due)
	w.add("lease <= " + due)
	w.in("kind", texts(kinds))
	q := "UPDATE job SET lease = " + until + ", attempt = attempt + 1 WHERE id IN (SELECT id FROM job" + w.String() +
		" ORDER BY run_at, id LIMIT " + limit + ") RETURNING " + jobColumns
	var out []state.Job
	err := t.each(ctx, q, w.args, func(scan func(...any) error) error {
		j, err := scanJob(scan)
		out = append(out, j)
		return err
	})
	slices.SortFunc(out, func(a, b state.Job) int { // RETURNING has no order
		return cmp.Or(a.RunAt.Compare(b.RunAt), cmp.Compare(a.ID, b.ID))
	})
	return out, doing("claim jobs", err)
}

// Extend keeps a lease.
func (t jobs) Extend(ctx context.Context, id int64, attempt int, until time.Time) (bool, error) {
	const q = "UPDATE job SET lease = $3 WHERE id = $1 AND attempt = $2 AND lease > 0 AND dead = 0"
	n, err := t.exec(ctx, q, id, attempt, micros(state.Time(until)))
	return n == 1, doing("extend job", err)
}

// Done removes a job.
func (t jobs) Done(ctx context.Context, id int64, attempt int) (bool, error) {
	n, err := t.exec(ctx, "DELETE FROM job WHERE id = $1 AND attempt = $2 AND lease > 0 AND dead = 0", id, attempt)
	return n == 1, doing("finish job", err)
}

// Fail gives a job back.
func (t jobs) Fail(ctx context.Context, id int64, attempt int, cause string, retry time.Time) (bool, error) {
	const q = `UPDATE job SET lease = 0, run_at = $3, error = $4, dead = CASE WHEN attempt >= max_attempts THEN 1 ELSE 0 END
		WHERE id = $1 AND attempt = $2 AND lease > 0 AND dead = 0`
	n, err := t.exec(ctx, q, id, attempt, micros(state.Time(retry)), state.Clip(state.Column(cause), state.MaxLine))
	return n == 1, doing("fail job", err)
}

// Revive lets a dead job live again.
func (t jobs) Revive(ctx context.Context, id int64, at time.Time) error {
	var kind, uniq string
	found, err := t.one(ctx, "SELECT kind, uniq FROM job WHERE id = $1 AND dead = 1", []any{id}, &kind, &uniq)
	if err == nil && !found {
		err = notFound("dead job", strconv.FormatInt(id, 10))
	}
	if err != nil {
		return doing("revive job", err)
	}
	var one int
	const other = "SELECT 1 FROM job WHERE kind = $1 AND uniq = $2 AND uniq <> '' AND dead = 0"
	if taken, err := t.one(ctx, other, []any{kind, uniq}, &one); err != nil {
		return doing("revive job", err)
	} else if taken {
		return doing("revive job", conflict("a job about the same waits already"))
	}
	_, err = t.exec(ctx, "UPDATE job SET dead = 0, attempt = 0, lease = 0, run_at = $2 WHERE id = $1", id, micros(state.Time(at)))
	return doing("revive job", err)
}

// Next says when there is something to do.
func (t jobs) Next(ctx context.Context, kinds []string) (time.Time, error) {
	var next int64
	for _, look := range []struct{ at, cond string }{
		{"run_at", "dead = 0 AND lease = 0"},
		{"lease", "dead = 0 AND lease > 0"},
	} {
		w := where{conds: []string{look.cond}}
		w.in("kind", texts(kinds))
		var at int64
		found, err := t.one(ctx, "SELECT "+look.at+" FROM job"+w.String()+" ORDER BY "+look.at+" LIMIT 1", w.args, &at)
		if err != nil {
			return time.Time{}, doing("look for jobs", err)
		}
		if at = max(at, 1); found && (next == 0 || at < next) { // 0 would read as no time
			next = at
		}
	}
	return moment(next), nil
}

// List reads a page.
func (t jobs) List(ctx context.Context, q state.JobQuery) ([]state.Job, string, error) {
	var w where
	if q.After != "" {
		id, _, err := state.ParseCursor(state.ListJobs, q.After)
		if err != nil {
			return nil, "", doing("list jobs", err)
		}
		w.add("id < " + w.arg(id))
	}
	w.is("kind", q.Kind)
	if q.Dead {
		w.add("dead = 1")
	}
	out, more := []state.Job{}, false
	text := "SELECT " + jobColumns + " FROM job" + w.String() + " ORDER BY id DESC LIMIT " + w.arg(q.Rows()+1)
	err := t.each(ctx, text, w.args, func(scan func(...any) error) error {
		j, err := scanJob(scan)
		if more = len(out) == q.Rows(); !more {
			out = append(out, j)
		}
		return err
	})
	if err != nil || !more {
		return out, "", doing("list jobs", err)
	}
	return out, state.Cursor(state.ListJobs, out[len(out)-1].ID, ""), nil
}
