package sqlite

import (
	"context"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// bulk is the part of an alert that is stored by itself, under the names it has in
// an alert: merging into a full one then writes a tenth.
type bulk struct {
	EventIDs []string                `json:"event_ids"`
	Evidence []honeyguide.Evidence   `json:"evidence"`
	Observed []honeyguide.Observable `json:"observables,omitempty"`
}

// bulkDoc is the rest of an alert's document in a question about table alert.
const bulkDoc = "(SELECT e.doc FROM alert_evidence AS e WHERE e.alert = alert.num)"

// documents encodes both parts, and brings *a to what they say. rest is "" when
// the bulk is that of old, which is stored already.
func documents(a, old *honeyguide.Alert) (head, rest string, err error) {
	b := bulk{a.EventIDs, a.Evidence, a.Observed}
	a.EventIDs, a.Evidence, a.Observed = nil, nil, nil
	head, err = encode(a)
	if err == nil && (old == nil || !sameBulk(b, bulk{old.EventIDs, old.Evidence, old.Observed})) {
		rest, err = encode(&b)
	}
	a.EventIDs, a.Evidence, a.Observed = b.EventIDs, b.Evidence, b.Observed
	return head, rest, err
}

func sameBulk(a, b bulk) bool {
	return slices.Equal(a.EventIDs, b.EventIDs) && slices.Equal(a.Evidence, b.Evidence) && slices.Equal(a.Observed, b.Observed)
}

// sameText reports whether what is searched is surely the same. The bulk is.
func sameText(a, b *honeyguide.Alert) bool {
	return a.Title == b.Title && a.RuleID == b.RuleID && a.Detector == b.Detector && a.Category == b.Category && a.Attacker == b.Attacker &&
		a.Sensor == b.Sensor && a.Session == b.Session && a.Src == b.Src && a.Dst == b.Dst && slices.Equal(a.Attacks, b.Attacks)
}

const openAlert = "status IN ('new', 'acknowledged', 'escalated')"

// Save merges or inserts.
func (t alerts) Save(ctx context.Context, a *honeyguide.Alert) (created bool, err error) {
	state.TidyAlert(a)
	if a.DedupeKey != "" {
		const q = "SELECT num FROM alert WHERE dedupe = $1 AND dedupe <> '' AND " + openAlert
		var num int64
		found, err := t.one(ctx, q, []any{a.DedupeKey}, &num)
		if err != nil {
			return false, doing("save alert", err)
		}
		if found {
			old, err := t.stored(ctx, num)
			if err != nil {
				return false, doing("save alert", err)
			}
			*a = state.MergeAlert(old, *a)
			return false, doing("save alert", t.replace(ctx, num, &old, a))
		}
	}
	return true, doing("save alert", t.insert(ctx, a))
}

// stored returns the alert of a number that exists.
func (t alerts) stored(ctx context.Context, num int64) (honeyguide.Alert, error) {
	if a, ok := t.conn.warm.get(num); ok {
		return a, nil
	}
	var doc, rest string
	var a honeyguide.Alert
	if _, err := t.one(ctx, "SELECT doc, "+bulkDoc+" FROM alert WHERE num = $1", []any{num}, &doc, &rest); err != nil {
		return a, err
	}
	return a, decode(joined(doc, rest), &a)
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
	doc, rest, err := documents(a, nil)
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
	if _, err := t.exec(ctx, "INSERT INTO alert_evidence (alert, doc) VALUES ($1, $2)", num, rest); err != nil {
		return err
	}
	if err := t.techniques(ctx, num, nil, a.Attacks); err != nil {
		return err
	}
	t.index("alert_words", num, false, state.Column(a.Title), state.AlertText(a))
	return nil
}

// replace writes the new value of a stored alert and what follows from it.
func (t alerts) replace(ctx context.Context, num int64, old, a *honeyguide.Alert) error {
	doc, rest, err := documents(a, old)
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
	if rest != "" {
		if _, err := t.exec(ctx, "UPDATE alert_evidence SET doc = $2 WHERE alert = $1", num, rest); err != nil {
			return err
		}
	}
	if err := t.techniques(ctx, num, old.Attacks, a.Attacks); err != nil {
		return err
	}
	t.conn.warm.put(num, *a)
	if rest == "" && sameText(old, a) {
		return nil
	}
	title, body := state.Column(a.Title), state.AlertText(a)
	if title != state.Column(old.Title) || body != state.AlertText(old) {
		t.index("alert_words", num, true, title, body)
	}
	return nil
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
	q, arg := "SELECT num FROM alert WHERE id = $1", any(state.Key(id))
	if n, ok := short("A-", id); ok {
		q, arg = "SELECT num FROM alert WHERE num = $1", n
	}
	found, err := t.one(ctx, q, []any{arg}, &num)
	if err == nil && !found {
		err = notFound("alert", id)
	}
	if err != nil {
		return 0, a, err
	}
	a, err = t.stored(ctx, num)
	return num, a, err
}

// Get finds by ID or Short.
func (t alerts) Get(ctx context.Context, id string) (honeyguide.Alert, error) {
	_, a, err := t.find(ctx, id)
	return a, doing("get alert", err)
}

// List reads a page.
func (t alerts) List(ctx context.Context, q state.AlertQuery) ([]honeyguide.Alert, string, error) {
	w, err := t.where(ctx, q)
	if err != nil {
		return nil, "", doing("list alerts", err)
	}
	l := list{name: state.ListAlerts, table: "alert", at: "created", id: "id", rest: bulkDoc, split: "status", is: texts(q.Status)}
	out, next, err := page[honeyguide.Alert](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list alerts", err)
}

// Counts counts by severity.
func (t alerts) Counts(ctx context.Context, q state.AlertQuery) (map[honeyguide.Severity]int64, error) {
	w, err := t.where(ctx, q)
	if err != nil {
		return nil, doing("count alerts", err)
	}
	w.in("status", texts(q.Status))
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

// where says everything but the status.
func (t alerts) where(ctx context.Context, q state.AlertQuery) (w where, err error) {
	w.severity(q.Severity)
	w.addr("src", q.Src)
	w.is("rule", q.Rule)
	w.is("detector", q.Detector)
	w.is("incident", q.Incident)
	w.is("session", q.Session)
	w.is("attacker", q.Attacker)
	if id := technique(q.Technique); id != "" {
		if err := w.among(ctx, t.tx, "alert_tech", "alert", "tech =", id); err != nil {
			return w, err
		}
	}
	w.between("created", q.From, q.To)
	return w, w.text(ctx, t.tx, "alert_words", q.Text)
}

func technique(id string) string { return strings.ToUpper(state.Key(strings.TrimSpace(id))) }

// techniques brings alert_tech from what old says to what now says.
func (t *tx) techniques(ctx context.Context, num int64, old, now []honeyguide.Technique) error {
	have, want := techSet(old), techSet(now)
	return t.links(ctx, "alert_tech (tech, alert)", "tech = $1 AND alert = $2", num, have, want)
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
