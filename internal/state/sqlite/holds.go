package sqlite

import (
	"context"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type holds struct{ *tx }

func (t *tx) Holds() state.Holds { return holds{t} }

// Save stores the full value by ID, else as new.
func (t holds) Save(ctx context.Context, h *honeyguide.Hold) error {
	state.TidyHold(h)
	t.held = nil
	if h.Object == "" || h.Reason == "" {
		return doing("save hold", invalid("object, reason: a hold needs what it keeps, and why"))
	}
	num, old, found, err := t.by(ctx, "id = $1", h.ID)
	if err != nil {
		return doing("save hold", err)
	}
	if found {
		h.Short, h.Object, h.At, h.By = old.Short, old.Object, old.At, old.By
		doc, err := encode(h)
		if err != nil {
			return doing("save hold", err)
		}
		_, err = t.exec(ctx, "UPDATE hold SET until = $2, released = $3, doc = $4 WHERE num = $1", num, micros(h.Until), micros(h.Released), doc)
		return doing("save hold", err)
	}
	return doing("save hold", t.insert(ctx, h))
}

func (t holds) insert(ctx context.Context, h *honeyguide.Hold) error {
	var n int
	const active = "SELECT count(*) FROM hold WHERE released = 0 AND (until = 0 OR until > $1)"
	if _, err := t.one(ctx, active, []any{micros(state.Time(t.now()))}, &n); err != nil {
		return err
	}
	if n >= state.MaxHolds {
		return conflict(fmt.Sprintf("there are %d holds in force, which is all there may be: release some first", n))
	}
	num, err := t.number(ctx, "hold")
	if err != nil {
		return err
	}
	h.Short = "H-" + strconv.FormatInt(num, 10)
	if h.At.IsZero() {
		h.At = state.Time(t.now())
	}
	if h.ID == "" {
		h.ID = honeyguide.DerivedID(h.At, "hold", h.Short)
	}
	doc, err := encode(h)
	if err != nil {
		return err
	}
	const q = "INSERT INTO hold (num, id, at, object, until, released, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	_, err = t.exec(ctx, q, num, h.ID, micros(h.At), h.Object, micros(h.Until), micros(h.Released), doc)
	return err
}

func (t holds) by(ctx context.Context, cond string, arg any) (num int64, h honeyguide.Hold, found bool, err error) {
	var doc string
	found, err = t.one(ctx, "SELECT num, doc FROM hold WHERE "+cond, []any{arg}, &num, &doc)
	if err != nil || !found {
		return 0, h, false, err
	}
	return num, h, true, decode(doc, &h)
}

// Get finds by ID or Short.
func (t holds) Get(ctx context.Context, id string) (honeyguide.Hold, error) {
	cond, arg := "id = $1", any(state.Key(id))
	if n, ok := short("H-", id); ok {
		cond, arg = "num = $1", n
	}
	_, h, found, err := t.by(ctx, cond, arg)
	if err == nil && !found {
		err = notFound("hold", id)
	}
	return h, doing("get hold", err)
}

// List reads the holds.
func (t holds) List(ctx context.Context, active bool) ([]honeyguide.Hold, error) {
	q, args := "SELECT doc FROM hold ORDER BY num DESC LIMIT $1", []any{state.MaxHolds}
	if active {
		q = "SELECT doc FROM hold WHERE released = 0 AND (until = 0 OR until > $2) ORDER BY num DESC LIMIT $1"
		args = append(args, micros(state.Time(t.now())))
	}
	out := []honeyguide.Hold{}
	err := t.each(ctx, q, args, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var h honeyguide.Hold
		err := decode(doc, &h)
		out = append(out, h)
		return err
	})
	return out, doing("list holds", err)
}

// On finds what keeps an object.
func (t holds) On(ctx context.Context, kind state.HeldKind, name string) (h honeyguide.Hold, held bool, err error) {
	s, err := t.scope(ctx)
	if err != nil || s.none() {
		return h, false, doing("look for a hold", err)
	}
	name = state.Key(name)
	var p *honeyguide.Hold
	switch kind {
	case state.HeldIncident:
		p, err = t.onIncident(ctx, s, name)
	case state.HeldAlert:
		p, err = t.onAlert(ctx, s, name)
	case state.HeldSession:
		p, err = t.onSession(ctx, s, name)
	case state.HeldSample:
		p, err = t.onSample(ctx, s, name)
	case state.HeldAddress:
		p, err = t.onAddress(ctx, s, name)
	default:
		err = invalid("hold: there is no such kind of object")
	}
	if err != nil || p == nil {
		return h, false, doing("look for a hold", err)
	}
	return *p, true, nil
}

// column reads the first column of an answer.
func (t *tx) column(ctx context.Context, q string, args ...any) (out []string, err error) {
	err = t.each(ctx, q, args, func(scan func(...any) error) error {
		var s string
		err := scan(&s)
		out = append(out, s)
		return err
	})
	return out, err
}

// first returns the hold of the first of names that one keeps.
func first(by map[string]*honeyguide.Hold, names []string) *honeyguide.Hold {
	for _, n := range names {
		if h := by[n]; h != nil {
			return h
		}
	}
	return nil
}

func (t holds) onIncident(ctx context.Context, s *holding, id string) (*honeyguide.Hold, error) {
	if h := s.incidents[id]; h != nil {
		return h, nil
	}
	at, err := t.column(ctx, "SELECT a.attacker FROM incident_attacker a JOIN incident i ON i.num = a.incident WHERE i.id = $1", id)
	return first(s.attackers, at), err
}

func (t holds) onAlert(ctx context.Context, s *holding, id string) (*honeyguide.Hold, error) {
	var in, session, src, attacker string
	found, err := t.one(ctx, "SELECT incident, session, src, attacker FROM alert WHERE id = $1", []any{id}, &in, &session, &src, &attacker)
	if err != nil || !found {
		return nil, err
	}
	for _, h := range []*honeyguide.Hold{s.incidents[in], s.sessions[session], s.attackers[src], s.attackers[attacker]} {
		if h != nil {
			return h, nil
		}
	}
	return nil, nil
}

func (t holds) onSession(ctx context.Context, s *holding, id string) (*honeyguide.Hold, error) {
	if h := s.sessions[id]; h != nil {
		return h, nil
	}
	at, err := t.column(ctx, "SELECT src FROM session WHERE id = $1", id)
	if err != nil {
		return nil, err
	}
	if h := first(s.attackers, at); h != nil {
		return h, nil
	}
	in, err := t.column(ctx, "SELECT DISTINCT incident FROM alert WHERE session <> '' AND session = $1", id)
	return first(s.incidents, in), err
}

func (t holds) onSample(ctx context.Context, s *holding, id string) (*honeyguide.Hold, error) {
	brought, err := t.column(ctx, "SELECT DISTINCT session FROM sighting WHERE sample = $1 AND session <> ''", id)
	if err != nil {
		return nil, err
	}
	for _, session := range brought {
		if h, err := t.onSession(ctx, s, session); err != nil || h != nil {
			return h, err
		}
	}
	return nil, nil
}

func (t holds) onAddress(ctx context.Context, s *holding, address string) (*honeyguide.Hold, error) {
	if h := s.attackers[address]; h != nil {
		return h, nil
	}
	in, err := t.column(ctx, "SELECT i.id FROM incident_attacker a JOIN incident i ON i.num = a.incident WHERE a.attacker = $1", address)
	if err != nil {
		return nil, err
	}
	if h := first(s.incidents, in); h != nil {
		return h, nil
	}
	in, err = t.column(ctx, "SELECT DISTINCT incident FROM alert WHERE src <> '' AND src = $1", address)
	if err != nil {
		return nil, err
	}
	if h := first(s.incidents, in); h != nil {
		return h, nil
	}
	for _, id := range s.names(s.sessions) {
		src, err := t.column(ctx, "SELECT src FROM session WHERE id = $1", id)
		if err != nil {
			return nil, err
		}
		if slices.Contains(src, address) {
			return s.sessions[id], nil
		}
	}
	return nil, nil
}

// Days reads which days are kept.
func (t holds) Days(ctx context.Context) (map[string]honeyguide.Hold, error) {
	out := map[string]honeyguide.Hold{}
	s, err := t.scope(ctx)
	if err != nil || s.none() {
		return out, doing("look for held days", err)
	}
	keep := func(h *honeyguide.Hold, from, to int64) {
		if to <= 0 {
			return // nothing came yet
		}
		if from <= 0 {
			from = to
		}
		end := moment(max(from, to))
		for d, n := moment(from), 0; n < state.MaxHeldDays; d, n = d.AddDate(0, 0, 1), n+1 {
			name := d.Format(time.DateOnly)
			if _, ok := out[name]; !ok {
				out[name] = *h
			}
			if name >= end.Format(time.DateOnly) {
				return
			}
		}
	}
	for _, d := range []struct {
		by map[string]*honeyguide.Hold
		q  string
	}{
		{s.sessions, "SELECT id, started, last FROM session WHERE id IN (SELECT value FROM json_each($1))"},
		{s.attackers, "SELECT src, min(started), max(last) FROM session WHERE src <> '' AND src IN (SELECT value FROM json_each($1)) GROUP BY src, started / 86400000000"},
		{s.attackers, "SELECT src, json_extract(doc, '$.time'), last FROM alert WHERE src <> '' AND src IN (SELECT value FROM json_each($1))"},
		// All of the time of an incident: its attackers did other things between its alerts.
		{s.incidents, "SELECT id, json_extract(doc, '$.first_at'), json_extract(doc, '$.last_at') FROM incident WHERE id IN (SELECT value FROM json_each($1))"},
		{s.incidents, "SELECT incident, json_extract(doc, '$.time'), last FROM alert WHERE incident <> '' AND incident IN (SELECT value FROM json_each($1))"},
	} {
		err := t.each(ctx, d.q, []any{s.json(d.by)}, func(scan func(...any) error) error {
			var name string
			var from, to any
			if err := scan(&name, &from, &to); err != nil {
				return err
			}
			end := timeOf(to, 0)
			keep(d.by[name], timeOf(from, end), end)
			return nil
		})
		if err != nil {
			return nil, doing("look for held days", err)
		}
	}
	return out, nil
}

// timeOf reads a time that a column holds in microseconds, or a document as text.
func timeOf(v any, otherwise int64) int64 {
	switch x := v.(type) {
	case int64:
		return x
	case string:
		if at, err := time.Parse(time.RFC3339Nano, strings.TrimSpace(x)); err == nil {
			return micros(at)
		}
	}
	return otherwise
}
