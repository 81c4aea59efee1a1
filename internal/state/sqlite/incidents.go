package sqlite

import (
	"context"
	"strconv"

	"honeyguide"
	"honeyguide/internal/state"
)

const openIncident = "status NOT IN ('resolved', 'closed')"

// Save stores the full value by ID, else by open Key, else as new.
func (t incidents) Save(ctx context.Context, i *honeyguide.Incident) (created bool, err error) {
	state.TidyIncident(i)
	if i.Key == "" {
		return false, doing("save incident", invalid("key: an incident needs what its alerts have in common"))
	}
	if i.Status == "" {
		i.Status = honeyguide.IncidentNew
	}
	i.Status = honeyguide.IncidentStatus(state.Key(string(i.Status)))
	num, old, found, err := t.target(ctx, i)
	switch {
	case err != nil:
		return false, doing("save incident", err)
	case found:
		return false, doing("save incident", t.replace(ctx, num, &old, i))
	}
	return true, doing("save incident", t.insert(ctx, i))
}

// target finds the row Save writes over.
func (t incidents) target(ctx context.Context, i *honeyguide.Incident) (num int64, old honeyguide.Incident, found bool, err error) {
	if i.ID != "" {
		num, old, found, err = t.by(ctx, "id = $1", i.ID)
		if err != nil {
			return 0, old, false, err
		}
	}
	if found && !state.OpenIncident(i.Status) {
		return num, old, true, nil
	}
	other, open, taken, err := t.by(ctx, "name = $1 AND "+openIncident, i.Key)
	switch {
	case err != nil:
		return 0, old, false, err
	case found && taken && other != num:
		return 0, old, false, conflict("another incident about the same is open: " + open.Short)
	case found:
		return num, old, true, nil
	}
	return other, open, taken, nil
}

func (t incidents) by(ctx context.Context, cond string, arg any) (num int64, i honeyguide.Incident, found bool, err error) {
	var doc string
	found, err = t.one(ctx, "SELECT num, doc FROM incident WHERE "+cond, []any{arg}, &num, &doc)
	if err != nil || !found {
		return 0, i, false, err
	}
	return num, i, true, decode(doc, &i)
}

func (t incidents) insert(ctx context.Context, i *honeyguide.Incident) error {
	num, err := t.number(ctx, "incident")
	if err != nil {
		return err
	}
	i.Short = "I-" + strconv.FormatInt(num, 10)
	if i.CreatedAt.IsZero() {
		i.CreatedAt = state.Time(t.now())
	}
	if i.UpdatedAt.IsZero() {
		i.UpdatedAt = i.CreatedAt
	}
	if i.ID == "" {
		i.ID = honeyguide.DerivedID(i.CreatedAt, "incident", i.Short)
	}
	doc, err := encode(i)
	if err != nil {
		return err
	}
	const q = `INSERT INTO incident (num, id, name, created, updated, severity, status, doc, due, warn, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	due, warn := state.Ticking(i)
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, q, num, i.ID, i.Key, micros(i.CreatedAt), micros(i.UpdatedAt), i.Severity, string(i.Status), doc, micros(due), micros(warn), at)
	if err != nil {
		return err
	}
	t.tallyIncident(nil, i)
	if err := t.attackers(ctx, num, nil, i.Attackers); err != nil {
		return err
	}
	t.index("incident_words", num, false, state.Column(i.Title), state.IncidentText(i))
	return nil
}

func (t incidents) replace(ctx context.Context, num int64, old, i *honeyguide.Incident) error {
	i.ID, i.Short, i.CreatedAt = old.ID, old.Short, old.CreatedAt
	if i.UpdatedAt.IsZero() {
		i.UpdatedAt = state.Time(t.now())
	}
	doc, err := encode(i)
	if err != nil {
		return err
	}
	const q = `UPDATE incident SET name = $2, updated = $3, severity = $4, status = $5, doc = $6, due = $7, warn = $8, changed = $9 WHERE num = $1`
	due, warn := state.Ticking(i)
	at, err := t.stamp(ctx)
	if err != nil {
		return err
	}
	if _, err := t.exec(ctx, q, num, i.Key, micros(i.UpdatedAt), i.Severity, string(i.Status), doc, micros(due), micros(warn), at); err != nil {
		return err
	}
	t.tallyIncident(old, i)
	if err := t.attackers(ctx, num, old.Attackers, i.Attackers); err != nil {
		return err
	}
	title, body := state.Column(i.Title), state.IncidentText(i)
	if title != state.Column(old.Title) || body != state.IncidentText(old) {
		t.index("incident_words", num, true, title, body)
	}
	return nil
}

// attackers brings incident_attacker from what old says to what now says.
func (t *tx) attackers(ctx context.Context, num int64, old, now []string) error {
	return t.links(ctx, "incident_attacker (attacker, incident)", "attacker = $1 AND incident = $2", num, texts(old), texts(now))
}

// OpenByKey finds the one that still grows.
func (t incidents) OpenByKey(ctx context.Context, key string) (honeyguide.Incident, error) {
	_, i, found, err := t.by(ctx, "name = $1 AND "+openIncident, state.Key(key))
	if err == nil && !found {
		err = notFound("open incident", key)
	}
	return i, doing("find incident", err)
}

// Get finds by ID or Short.
func (t incidents) Get(ctx context.Context, id string) (honeyguide.Incident, error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("I-", id); ok {
		cond, arg = "num = $1", n
	}
	_, i, found, err := t.by(ctx, cond, arg)
	if err == nil && !found {
		err = notFound("incident", id)
	}
	return i, doing("get incident", err)
}

// List reads a page.
func (t incidents) List(ctx context.Context, q state.IncidentQuery) ([]honeyguide.Incident, string, error) {
	var w where
	w.severity(q.Severity)
	if q.Attacker != "" {
		if err := w.among(ctx, t.tx, "incident_attacker", "incident", "attacker =", state.Key(q.Attacker)); err != nil {
			return nil, "", doing("list incidents", err)
		}
	}
	w.between("created", q.From, q.To)
	if err := w.text(ctx, t.tx, "incident_words", q.Text); err != nil {
		return nil, "", doing("list incidents", err)
	}
	l := list{name: state.ListIncidents, table: "incident", at: "created", id: "id", split: "status", is: texts(q.Status)}
	out, next, err := page[honeyguide.Incident](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list incidents", err)
}
