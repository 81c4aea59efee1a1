package sqlite

import (
	"cmp"
	"context"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type tallies struct{ *tx }

func (t *tx) Tallies() state.Tallies { return tallies{t} }

// counted names what is counted in the shortest step of its kind. Times are
// seconds. The longer steps are summed when it is written.
type counted struct {
	kind state.TallyKind
	at   int64
	name string
}

// tallyRow names one row of table tally.
type tallyRow struct {
	counted
	step int64
}

// amount is what is added to it.
type amount struct {
	by     state.BySeverity
	weight int64
}

// openKind counts what stands now; it has no time.
const openKind = "open"

var (
	hourDay = []int64{int64(state.TallyHour / time.Second), int64(state.TallyDay / time.Second)}
	allFine = append([]int64{int64(state.TallyQuarter / time.Second)}, hourDay...)
	noSteps = []int64{0}
)

// stepsOf are the steps of a kind, the shortest first.
func stepsOf(kind state.TallyKind) []int64 {
	switch kind {
	case state.TallyAlert:
		return allFine
	case openKind:
		return noSteps
	}
	return hourDay
}

// stepAt returns when the step begins that a second is in.
func stepAt(sec, step int64) int64 {
	if step == 0 {
		return 0
	}
	return sec - ((sec%step)+step)%step
}

// tally adds n rows and a weight to a count. It is written at the end of the
// transaction, once for all that were added.
func (t *tx) tally(kind state.TallyKind, at time.Time, name string, s honeyguide.Severity, n, weight int64) {
	if t.later.tallies == nil {
		t.later.tallies = make(map[counted]*amount)
	}
	k := counted{kind, stepAt(at.Unix(), stepsOf(kind)[0]), state.Key(name)}
	a := t.later.tallies[k]
	if a == nil {
		a = new(amount)
		t.later.tallies[k] = a
	}
	a.by[min(s, honeyguide.SeverityCritical)] += n
	a.weight += weight
}

// Add counts what others know of.
func (t tallies) Add(_ context.Context, kind state.TallyKind, at time.Time, name string, s honeyguide.Severity, n int64) error {
	if kind != state.TallyEvent && kind != state.TallyHeard {
		return doing("count", invalid("kind: the store counts that by itself"))
	}
	t.tally(kind, state.Time(at), name, s, n, 0)
	return nil
}

// tallyAlert counts an alert n times: 1 or -1.
func (t *tx) tallyAlert(a *honeyguide.Alert, n int64) {
	t.tally(openKind, time.Time{}, string(a.Status), a.Severity, n, 0)
	if a.Status == honeyguide.AlertSuppressed {
		return
	}
	t.tally(state.TallyAlert, a.CreatedAt, "", a.Severity, n, 0)
	t.tally(state.TallyRule, a.CreatedAt, a.RuleID, a.Severity, n, 0)
	t.tally(state.TallySensor, a.CreatedAt, a.Sensor, a.Severity, n, 0)
	if src := state.Addr(a.Src); src != "" {
		t.tally(state.TallySource, a.CreatedAt, src, a.Severity, n, 0)
	}
	if d, ok := state.Delay(a); ok {
		t.tally(state.TallyDetect, a.CreatedAt, state.TallyBucket(d), a.Severity, n, n*d.Milliseconds())
	}
	if what := state.Never(a); what != "" {
		t.tally(state.TallyNever, a.CreatedAt, what, a.Severity, n, 0)
	}
	t.tally(state.TallyCountry, a.CreatedAt, a.Src.Country, a.Severity, n, 0)
	t.tallyEvents(a, n, n*a.Count)
}

// tallyEvents counts what knows of the events behind an alert.
func (t *tx) tallyEvents(a *honeyguide.Alert, n, events int64) {
	for i, x := range a.Attacks {
		id := technique(x.ID)
		if id != "" && !slices.ContainsFunc(a.Attacks[:i], func(y honeyguide.Technique) bool { return technique(y.ID) == id }) {
			t.tally(state.TallyTechnique, a.CreatedAt, id, a.Severity, n, events)
		}
	}
}

// retallyAlert counts the new value of an alert in place of the old one. Merging
// is what happens most: then only the events are more.
func (t *tx) retallyAlert(old, a *honeyguide.Alert) {
	same := old.Severity == a.Severity && old.Status == a.Status && old.RuleID == a.RuleID && old.Sensor == a.Sensor && old.Src.Addr == a.Src.Addr &&
		old.Src.Country == a.Src.Country && old.Time.Equal(a.Time) && state.Never(old) == state.Never(a) &&
		slices.EqualFunc(old.Attacks, a.Attacks, func(x, y honeyguide.Technique) bool { return x.ID == y.ID })
	switch {
	case !same:
		t.tallyAlert(old, -1)
		t.tallyAlert(a, 1)
	case a.Count != old.Count && a.Status != honeyguide.AlertSuppressed:
		t.tallyEvents(a, 0, a.Count-old.Count)
	}
}

// tallyIncident counts how fast an incident was answered; old is nil when it is new.
func (t *tx) tallyIncident(old, i *honeyguide.Incident) {
	add := func(i *honeyguide.Incident, n int64) {
		if d, ok := state.Response(i); ok {
			t.tally(state.TallyRespond, i.CreatedAt, state.TallyBucket(d), i.Severity, n, n*d.Milliseconds())
		}
	}
	if old != nil {
		before, was := state.Response(old)
		now, is := state.Response(i)
		if was == is && before == now && old.Severity == i.Severity {
			return
		}
		add(old, -1)
	}
	add(i, 1)
}

// flushTallies writes what was counted, in the order of the table.
func (t *tx) flushTallies(ctx context.Context) error {
	rows := make(map[tallyRow]amount, 2*len(t.later.tallies))
	for k, a := range t.later.tallies {
		if *a == (amount{}) {
			continue
		}
		for _, step := range stepsOf(k.kind) {
			r := tallyRow{counted{k.kind, stepAt(k.at, step), k.name}, step}
			sum := rows[r]
			sum.by.Add(a.by)
			sum.weight += a.weight
			rows[r] = sum
		}
	}
	keys := make([]tallyRow, 0, len(rows))
	for k, a := range rows {
		if a != (amount{}) {
			keys = append(keys, k)
		}
	}
	slices.SortFunc(keys, func(x, y tallyRow) int {
		return cmp.Or(cmp.Compare(x.kind, y.kind), cmp.Compare(x.step, y.step), cmp.Compare(x.at, y.at), cmp.Compare(x.name, y.name))
	})
	const q = `INSERT INTO tally (kind, step, at, name, n, n0, n1, n2, n3, n4, n5, weight) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
		ON CONFLICT (kind, step, at, name) DO UPDATE SET n = n + excluded.n, n0 = n0 + excluded.n0, n1 = n1 + excluded.n1, n2 = n2 + excluded.n2,
		n3 = n3 + excluded.n3, n4 = n4 + excluded.n4, n5 = n5 + excluded.n5, weight = weight + excluded.weight`
	// Where only the weight has grown, the index of sources and five columns stay as they are.
	const weigh = "UPDATE tally SET weight = weight + $5 WHERE kind = $1 AND step = $2 AND at = $3 AND name = $4"
	for _, k := range keys {
		a := rows[k]
		if a.by == (state.BySeverity{}) {
			if n, err := t.exec(ctx, weigh, string(k.kind), k.step, k.at, k.name, a.weight); err != nil || n > 0 {
				if err != nil {
					return doing("count", err)
				}
				continue
			}
		}
		if _, err := t.exec(ctx, q, string(k.kind), k.step, k.at, k.name, a.by.Total(), a.by[0], a.by[1], a.by[2], a.by[3], a.by[4], a.by[5], a.weight); err != nil {
			return doing("count", err)
		}
	}
	return nil
}

// Read reads counts.
func (t tallies) Read(ctx context.Context, q state.TallyQuery, fn func(state.Tally) error) error {
	if err := t.flush(ctx); err != nil {
		return err
	}
	step := int64(q.Step / time.Second)
	if q.Most <= 0 || q.Kind != state.TallySource {
		const all = "SELECT at, name, n0, n1, n2, n3, n4, n5, weight FROM tally WHERE kind = $1 AND step = $2 AND at >= $3 AND at < $4 AND n > 0 ORDER BY at, name"
		return doing("read counts", t.some(ctx, all, []any{string(q.Kind), step, q.From.Unix(), q.To.Unix()}, fn))
	}
	if step <= 0 {
		return doing("read counts", invalid("step: want one of those that are counted"))
	}
	const most = "SELECT at, name, n0, n1, n2, n3, n4, n5, weight FROM tally WHERE kind = 'source' AND step = $1 AND at = $2 AND n > 0 ORDER BY n DESC LIMIT $3"
	from := q.From.Unix()
	for at := from + (step-from%step)%step; at < q.To.Unix(); at += step {
		if err := t.some(ctx, most, []any{step, at, q.Most}, fn); err != nil {
			return doing("read counts", err)
		}
	}
	return nil
}

func (t tallies) some(ctx context.Context, q string, args []any, fn func(state.Tally) error) error {
	return t.each(ctx, q, args, func(scan func(...any) error) error {
		var x state.Tally
		var at int64
		b := &x.By
		if err := scan(&at, &x.Name, &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &x.Weight); err != nil {
			return err
		}
		x.At = time.Unix(at, 0).UTC()
		return fn(x)
	})
}

// Open reads what stands now.
func (t tallies) Open(ctx context.Context) (map[honeyguide.AlertStatus]state.BySeverity, error) {
	out := map[honeyguide.AlertStatus]state.BySeverity{}
	if err := t.flush(ctx); err != nil {
		return out, err
	}
	const q = "SELECT at, name, n0, n1, n2, n3, n4, n5, weight FROM tally WHERE kind = 'open' AND step = 0 AND at = 0 ORDER BY name"
	err := t.some(ctx, q, nil, func(x state.Tally) error {
		out[honeyguide.AlertStatus(x.Name)] = x.By
		return nil
	})
	return out, doing("read open alerts", err)
}

// Clocks counts by the index of due times.
func (t tallies) Clocks(ctx context.Context, now time.Time) (c state.Clocks, err error) {
	const q = "SELECT count(*), coalesce(sum(due > $1 AND warn <= $1), 0), coalesce(sum(due <= $1), 0) FROM incident WHERE due > 0"
	_, err = t.one(ctx, q, []any{micros(state.Time(now))}, &c.Waiting, &c.AtRisk, &c.Missed)
	return c, doing("read clocks", err)
}

// Due reads the next that are due.
func (t tallies) Due(ctx context.Context, most int) ([]honeyguide.Incident, error) {
	out := []honeyguide.Incident{}
	err := t.each(ctx, "SELECT doc FROM incident WHERE due > 0 ORDER BY due, warn LIMIT $1", []any{most}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var i honeyguide.Incident
		err := decode(doc, &i)
		out = append(out, i)
		return err
	})
	return out, doing("read due incidents", err)
}

// Words counts by the index of standing verdicts.
func (t tallies) Words(ctx context.Context, from, to time.Time, step time.Duration) ([]state.WordTally, error) {
	us := step.Microseconds()
	if us <= 0 {
		return nil, doing("count verdicts", invalid("step: want more than nothing"))
	}
	out := []state.WordTally{}
	const q = "SELECT at / $3 * $3, word, count(*) FROM verdict WHERE standing = 1 AND at >= $1 AND at < $2 GROUP BY 1, 2 ORDER BY 1, 2"
	err := t.each(ctx, q, []any{micros(state.Time(from)), micros(state.Time(to)), us}, func(scan func(...any) error) error {
		var at int64
		var w state.WordTally
		err := scan(&at, &w.Word, &w.N)
		w.At = moment(at)
		out = append(out, w)
		return err
	})
	return out, doing("count verdicts", err)
}
