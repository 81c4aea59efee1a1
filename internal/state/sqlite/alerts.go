package sqlite

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"
	"sync"

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

// scratch lends buffers to documents, which grow once and not for each alert.
var scratch = sync.Pool{New: func() any { return new([2]writer) }}

// documents encodes both parts, and brings *a to what they say. rest is "" when
// the bulk is that of old, which is stored already.
func documents(a, old *honeyguide.Alert) (head, rest string, err error) {
	b := bulk{a.EventIDs, a.Evidence, a.Observed}
	pair := scratch.Get().(*[2]writer)
	defer scratch.Put(pair)
	w, x := &pair[0], &pair[1]
	*w, *x = writer{b: w.b[:0]}, writer{b: x.b[:0]}
	w.head(a)
	if old == nil || !sameBulk(b, bulk{old.EventIDs, old.Evidence, old.Observed}) {
		x.bulk(&b)
	}
	head, rest = string(w.b), string(x.b)
	if w.bad || x.bad {
		var clean honeyguide.Alert
		if err := decode(joined(head, rest), &clean); err != nil {
			return "", "", err
		}
		if rest == "" {
			clean.EventIDs, clean.Evidence, clean.Observed = b.EventIDs, b.Evidence, b.Observed
		}
		*a = clean
	}
	return head, rest, nil
}

func sameBulk(a, b bulk) bool {
	return slices.Equal(a.EventIDs, b.EventIDs) && slices.Equal(a.Evidence, b.Evidence) && slices.Equal(a.Observed, b.Observed)
}

// sameText reports whether what is searched of b is surely found by the words of
// a: then nothing is indexed again.
func sameText(a, b *honeyguide.Alert) bool {
	for i := range b.Evidence {
		if !slices.ContainsFunc(a.Evidence, func(e honeyguide.Evidence) bool { return e.Text == b.Evidence[i].Text }) {
			return false
		}
	}
	for i := range b.Observed {
		if !slices.ContainsFunc(a.Observed, func(o honeyguide.Observable) bool { return o.Value == b.Observed[i].Value }) {
			return false
		}
	}
	return a.Title == b.Title && len(a.Evidence) <= len(b.Evidence) && len(a.Observed) <= len(b.Observed) && a.RuleID == b.RuleID && a.Detector == b.Detector && a.Category == b.Category && a.Attacker == b.Attacker &&
		a.Sensor == b.Sensor && a.Session == b.Session && a.Src == b.Src && a.Dst == b.Dst && slices.Equal(a.Attacks, b.Attacks)
}

const openAlert = "status IN ('new', 'acknowledged', 'escalated')"

// Save merges or inserts.
func (t alerts) Save(ctx context.Context, a *honeyguide.Alert) (created bool, err error) {
	state.TidyAlert(a)
	num, found, err := t.home(ctx, a)
	switch {
	case err != nil:
		return false, doing("save alert", err)
	case found:
		return false, doing("save alert", t.merge(ctx, num, a))
	}
	return true, doing("save alert", t.insert(ctx, a))
}

// SaveAll saves those that are there in the order of the file, so that each page
// is read and written once, and then inserts the others in the order given.
func (t alerts) SaveAll(ctx context.Context, list []honeyguide.Alert) (created []bool, err error) {
	created = make([]bool, len(list))
	type known struct {
		num int64
		at  int
	}
	var merges []known
	var again []int // a key that came before in the list
	seen := make(map[string]bool, len(list))
	for i := range list {
		a := &list[i]
		state.TidyAlert(a)
		if seen[a.DedupeKey] && a.DedupeKey != "" {
			again = append(again, i)
			continue
		}
		seen[a.DedupeKey] = true
		num, found, err := t.home(ctx, a)
		if err != nil {
			return nil, doing("save alerts", err)
		}
		if created[i] = !found; found {
			merges = append(merges, known{num, i})
		}
	}
	slices.SortFunc(merges, func(x, y known) int { return cmp.Compare(x.num, y.num) })
	for _, m := range merges {
		if err := t.merge(ctx, m.num, &list[m.at]); err != nil {
			return nil, doing("save alerts", err)
		}
	}
	for i := range list {
		if created[i] {
			if err := t.insert(ctx, &list[i]); err != nil {
				return nil, doing("save alerts", err)
			}
		}
	}
	for _, i := range again {
		if created[i], err = t.Save(ctx, &list[i]); err != nil {
			return nil, err
		}
	}
	return created, nil
}

// open returns the number of the open alert of a key.
func (t alerts) open(ctx context.Context, dedupe string) (num int64, found bool, err error) {
	if dedupe == "" {
		return 0, false, nil
	}
	if num, ok := t.conn.warm.find(dedupe); ok {
		return num, true, nil
	}
	const q = "SELECT num FROM alert WHERE dedupe = $1 AND dedupe <> '' AND " + openAlert
	found, err = t.one(ctx, q, []any{dedupe}, &num)
	return num, found, err
}

// merge adds a to the open alert of a number.
func (t alerts) merge(ctx context.Context, num int64, a *honeyguide.Alert) error {
	old, err := t.stored(ctx, num)
	if err != nil {
		return err
	}
	*a = state.MergeAlert(old, *a)
	return t.replace(ctx, num, &old, a)
}

// stored returns the alert of a number that exists. Its lists are shared with what
// is remembered: they are read only.
func (t alerts) stored(ctx context.Context, num int64) (honeyguide.Alert, error) {
	if a, ok := t.conn.warm.get(num); ok {
		return a, nil
	}
	var doc, rest string
	var a honeyguide.Alert
	if _, err := t.one(ctx, "SELECT doc, "+bulkDoc+" FROM alert WHERE num = $1", []any{num}, &doc, &rest); err != nil {
		return a, err
	}
	return a, decodeAlert(doc, rest, &a)
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
	const q = `INSERT INTO alert (num, id, created, last, severity, status, rule, detector, src, session, attacker, incident, dedupe, doc, suppression, verdict, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17)`
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, q, num, a.ID, micros(a.CreatedAt), micros(a.LastAt), a.Severity, string(a.Status), a.RuleID, a.Detector,
		state.Addr(a.Src), a.Session, a.Attacker, a.Incident, a.DedupeKey, doc, a.Suppression, string(a.Verdict.As), at)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, "INSERT INTO alert_evidence (alert, doc) VALUES ($1, $2)", num, rest); err != nil {
		return err
	}
	if err := t.techniques(ctx, num, nil, a.Attacks); err != nil {
		return err
	}
	t.tallyAlert(a, 1)
	t.index("alert_words", num, false, state.Column(a.Title), state.AlertText(a))
	t.conn.warm.put(num, *a)
	return nil
}

// replace writes the new value of a stored alert and what follows from it.
func (t alerts) replace(ctx context.Context, num int64, old, a *honeyguide.Alert) error {
	doc, rest, err := documents(a, old)
	if err != nil {
		return err
	}
	if err := t.columns(ctx, num, old, a, doc); err != nil {
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
	t.retallyAlert(old, a)
	t.conn.warm.put(num, *a)
	if sameText(old, a) {
		return nil
	}
	title, body := state.Column(a.Title), state.AlertText(a)
	if title != state.Column(old.Title) || body != state.AlertText(old) {
		t.index("alert_words", num, true, title, body)
	}
	return nil
}

// columns writes the row. A column that is named is written into all its indexes,
// changed or not, so those that seldom change are left out when they did not.
func (t alerts) columns(ctx context.Context, num int64, old, a *honeyguide.Alert, doc string) error {
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	if a.Severity == old.Severity && a.Status == old.Status && a.RuleID == old.RuleID && a.Detector == old.Detector &&
		state.Addr(a.Src) == state.Addr(old.Src) && a.Session == old.Session && a.Attacker == old.Attacker &&
		a.Incident == old.Incident && a.DedupeKey == old.DedupeKey && a.Suppression == old.Suppression && a.Verdict.As == old.Verdict.As {
		_, err = t.exec(ctx, "UPDATE alert SET last = $2, doc = $3, changed = $4 WHERE num = $1", num, micros(a.LastAt), doc, at)
		return err
	}
	const q = `UPDATE alert SET last = $2, severity = $3, status = $4, rule = $5, detector = $6, src = $7, session = $8,
		attacker = $9, incident = $10, dedupe = $11, doc = $12, suppression = $13, verdict = $14, changed = $15 WHERE num = $1`
	_, err = t.exec(ctx, q, num, micros(a.LastAt), a.Severity, string(a.Status), a.RuleID, a.Detector,
		state.Addr(a.Src), a.Session, a.Attacker, a.Incident, a.DedupeKey, doc, a.Suppression, string(a.Verdict.As), at)
	return err
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
	return num, copied(a), err // the caller may change what he gets
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
	read := decodeAlert
	if q.NoReasons {
		read = decodeBrief
	}
	out, next, err := pageBy(ctx, t.tx, l, w, q.Page, read)
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

// Names reads no documents: of ten thousand alerts they take a second.
func (t alerts) Names(ctx context.Context, q state.AlertQuery, most int) ([]state.AlertName, error) {
	w, err := t.where(ctx, q)
	if err != nil {
		return nil, doing("name alerts", err)
	}
	w.in("status", texts(q.Status))
	out := []state.AlertName{}
	err = t.each(ctx, "SELECT id, status FROM alert"+w.String()+" ORDER BY num LIMIT "+w.arg(most), w.args, func(scan func(...any) error) error {
		var n state.AlertName
		err := scan(&n.ID, &n.Status)
		out = append(out, n)
		return err
	})
	return out, doing("name alerts", err)
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
	w.verdict(q.Verdict)
	w.is("suppression", q.Suppression)
	if q.Shown {
		w.add("status <> 'suppressed'")
	}
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
