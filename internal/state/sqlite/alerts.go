package sqlite

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

const openAlert = "status IN ('new', 'acknowledged', 'escalated')"

// Save merges or inserts.
func (t alerts) Save(ctx context.Context, a *honeyguide.Alert) (created bool, err error) {
	state.TidyAlert(a)
	if a.DedupeKey != "" {
		const q = "SELECT num, doc FROM alert WHERE dedupe = $1 AND dedupe <> '' AND " + openAlert
		var num int64
		var doc string
		found, err := t.one(ctx, q, []any{a.DedupeKey}, &num, &doc)
		if err != nil {
			return false, doing("save alert", err)
		}
		if found {
			var old honeyguide.Alert
			if err := decode(doc, &old); err != nil {
				return false, err
			}
			*a = state.MergeAlert(old, *a)
			return false, doing("save alert", t.replace(ctx, num, &old, a))
		}
	}
	return true, doing("save alert", t.insert(ctx, a))
}

func (t alerts) insert(ctx context.Context, a *honeyguide.Alert) error {
	num, err := t.number(ctx, "alert")
	if err != nil {
		return err
	}
	a.Short = "A-" + strconv.FormatInt(num, 10)
	if a.CreatedAt.IsZero() {
		a.CreatedAt = state.Time(t.now())
	}
	if a.Status == "" {
		a.Status = honeyguide.AlertNew
	}
	a.Status = honeyguide.AlertStatus(state.Key(string(a.Status)))
	if a.ID, err = t.fresh(ctx, "alert", a.ID, a.Short, a.CreatedAt); err != nil {
		return err
	}
	doc, err := encode(a)
	if err != nil {
		return err
	}
	const q = `INSERT INTO alert (num, id, created, last, severity, status, rule, detector, src, session, attacker, incident, dedupe, doc)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`
	_, err = t.exec(ctx, q, num, a.ID, micros(a.CreatedAt), micros(a.LastAt), a.Severity, string(a.Status), a.RuleID, a.Detector,
		state.Addr(a.Src), a.Session, a.Attacker, a.Incident, a.DedupeKey, doc)
	if err != nil {
		return err
	}
	if err := t.techniques(ctx, num, nil, a.Attacks); err != nil {
		return err
	}
	return t.index(ctx, "alert_words", num, false, state.Column(a.Title), state.AlertText(a))
}

// replace writes the new value of a stored alert and what follows from it.
func (t alerts) replace(ctx context.Context, num int64, old, a *honeyguide.Alert) error {
	doc, err := encode(a)
	if err != nil {
		return err
	}
	const q = `UPDATE alert SET last = $2, severity = $3, status = $4, rule = $5, detector = $6, src = $7, session = $8,
		attacker = $9, incident = $10, dedupe = $11, doc = $12 WHERE num = $1`
	_, err = t.exec(ctx, q, num, micros(a.LastAt), a.Severity, string(a.Status), a.RuleID, a.Detector,
		state.Addr(a.Src), a.Session, a.Attacker, a.Incident, a.DedupeKey, doc)
	if err != nil {
		return err
	}
	if err := t.techniques(ctx, num, old.Attacks, a.Attacks); err != nil {
		return err
	}
	title, body := state.Column(a.Title), state.AlertText(a)
	if title == state.Column(old.Title) && body == state.AlertText(old) {
		return nil
	}
	return t.index(ctx, "alert_words", num, true, title, body)
}

// Put replaces.
func (t alerts) Put(ctx context.Context, a *honeyguide.Alert) error {
	state.TidyAlert(a)
	num, old, err := t.find(ctx, a.ID)
	if err != nil {
		return doing("put alert", err)
	}
	if a.Status == "" {
		a.Status = old.Status
	}
	a.Status = honeyguide.AlertStatus(state.Key(string(a.Status)))
	a.ID, a.Short, a.CreatedAt = old.ID, old.Short, old.CreatedAt
	if a.DedupeKey != "" && state.OpenAlert(a.Status) {
		var other int64
		const q = "SELECT num FROM alert WHERE dedupe = $1 AND dedupe <> '' AND " + openAlert + " AND num <> $2"
		found, err := t.one(ctx, q, []any{a.DedupeKey, num}, &other)
		if err != nil {
			return doing("put alert", err)
		}
		if found {
			return conflict("another alert about the same is open: A-" + strconv.FormatInt(other, 10))
		}
	}
	return doing("put alert", t.replace(ctx, num, &old, a))
}

func (t alerts) find(ctx context.Context, id string) (num int64, a honeyguide.Alert, err error) {
	q, arg := "SELECT num, doc FROM alert WHERE id = $1", any(state.Key(id))
	if n, ok := short("A-", id); ok {
		q, arg = "SELECT num, doc FROM alert WHERE num = $1", n
	}
	var doc string
	found, err := t.one(ctx, q, []any{arg}, &num, &doc)
	if err == nil && !found {
		err = notFound("alert", id)
	}
	if err != nil {
		return 0, a, err
	}
	return num, a, decode(doc, &a)
}

// Get finds by ID or Short.
func (t alerts) Get(ctx context.Context, id string) (honeyguide.Alert, error) {
	_, a, err := t.find(ctx, id)
	return a, doing("get alert", err)
}

// List reads a page.
func (t alerts) List(ctx context.Context, q state.AlertQuery) ([]honeyguide.Alert, string, error) {
	w, err := alertWhere(q)
	if err != nil {
		return nil, "", doing("list alerts", err)
	}
	l := list{name: state.ListAlerts, table: "alert", at: "created", id: "id", split: "status", is: texts(q.Status)}
	out, next, err := page[honeyguide.Alert](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list alerts", err)
}

// Counts counts by severity.
func (t alerts) Counts(ctx context.Context, q state.AlertQuery) (map[honeyguide.Severity]int64, error) {
	w, err := alertWhere(q)
	if err != nil {
		return nil, doing("count alerts", err)
	}
	if in := texts(q.Status); len(in) > 0 {
		args := make([]string, len(in))
		for i, v := range in {
			args[i] = w.arg(v)
		}
		w.add("status IN (" + strings.Join(args, ", ") + ")")
	}
	counts := make(map[honeyguide.Severity]int64)
	err = t.each(ctx, "SELECT severity, count(*) FROM alert"+w.String()+" GROUP BY severity", w.args, func(scan func(...any) error) error {
		var s honeyguide.Severity
		var n int64
		if err := scan(&s, &n); err != nil {
			return err
		}
		counts[s] = n
		return nil
	})
	return counts, doing("count alerts", err)
}

// alertWhere says everything but the status.
func alertWhere(q state.AlertQuery) (where, error) {
	var w where
	w.severity(q.Severity)
	w.addr("src", q.Src)
	w.is("rule", q.Rule)
	w.is("detector", q.Detector)
	w.is("incident", q.Incident)
	w.is("session", q.Session)
	w.is("attacker", q.Attacker)
	if id := technique(q.Technique); id != "" {
		w.add("num IN (SELECT alert FROM alert_tech WHERE tech = " + w.arg(id) + ")")
	}
	w.between("created", q.From, q.To)
	return w, w.text("alert_words", q.Text)
}

func technique(id string) string { return strings.ToUpper(state.Key(strings.TrimSpace(id))) }

// techniques brings alert_tech from what old says to what now says.
func (t *tx) techniques(ctx context.Context, num int64, old, now []honeyguide.Technique) error {
	have, want := techSet(old), techSet(now)
	for _, id := range want {
		if !slices.Contains(have, id) {
			if _, err := t.exec(ctx, "INSERT INTO alert_tech (tech, alert) VALUES ($1, $2)", id, num); err != nil {
				return err
			}
		}
	}
	for _, id := range have {
		if !slices.Contains(want, id) {
			if _, err := t.exec(ctx, "DELETE FROM alert_tech WHERE tech = $1 AND alert = $2", id, num); err != nil {
				return err
			}
		}
	}
	return nil
}

// techSet returns the technique ids with their parents, each once.
func techSet(list []honeyguide.Technique) []string {
	var out []string
	for _, x := range list {
		id := technique(x.ID)
		parent, _, _ := strings.Cut(id, ".")
		for _, v := range []string{id, parent} {
			if v != "" && !slices.Contains(out, v) {
				out = append(out, v)
			}
		}
	}
	return out
}
