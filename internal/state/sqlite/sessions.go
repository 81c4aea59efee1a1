package sqlite

import (
	"context"

	"honeyguide"
	"honeyguide/internal/state"
)

// Save writes over the session of that ID or inserts it.
func (t sessions) Save(ctx context.Context, s *honeyguide.Session) error {
	state.TidySession(s)
	if s.ID == "" {
		return doing("save session", invalid("id: a session needs one"))
	}
	doc, err := encode(s)
	if err != nil {
		return doing("save session", err)
	}
	var num int64
	var before string
	found, err := t.one(ctx, "SELECT num, doc FROM session WHERE id = $1", []any{s.ID}, &num, &before)
	if err != nil || found && before == doc {
		return doing("save session", err)
	}
	if !found {
		if num, err = t.number(ctx, "session"); err != nil {
			return doing("save session", err)
		}
	}
	recorded := 0
	if s.Recording != "" {
		recorded = 1
	}
	const q = `INSERT INTO session (num, id, started, ended, last, severity, sensor, service, src, login, recorded, doc, changed)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
		ON CONFLICT (num) DO UPDATE SET started = excluded.started, ended = excluded.ended, last = excluded.last,
		severity = excluded.severity, sensor = excluded.sensor, service = excluded.service, src = excluded.src,
		login = excluded.login, recorded = excluded.recorded, doc = excluded.doc, changed = excluded.changed`
	at, err := t.stamp(ctx)
	if err != nil {
		return doing("save session", err)
	}
	_, err = t.exec(ctx, q, num, s.ID, micros(s.StartedAt), micros(s.EndedAt), micros(s.LastAt), s.Severity,
		s.Sensor, s.Service, state.Addr(s.Src), state.Key(s.User), recorded, doc, at)
	if err != nil {
		return doing("save session", err)
	}
	if !found {
		t.tally(state.TallySession, s.StartedAt, s.Src.Country, honeyguide.SeverityInformational, 1, 0)
	}
	return doing("save session", t.words(num, before, s))
}

// words indexes a session when what is searched has changed. before is its former
// document, "" when it is new.
func (t sessions) words(num int64, before string, s *honeyguide.Session) error {
	text := state.SessionText(s)
	if before != "" {
		var old honeyguide.Session
		if err := decode(before, &old); err != nil {
			return err
		}
		if state.SessionText(&old) == text {
			return nil
		}
	}
	t.index("session_words", num, before != "", "", text)
	return nil
}

// Get finds by ID.
func (t sessions) Get(ctx context.Context, id string) (s honeyguide.Session, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM session WHERE id = $1", []any{state.Key(id)}, &doc)
	switch {
	case err != nil:
		return s, doing("get session", err)
	case !found:
		return s, doing("get session", notFound("session", id))
	}
	return s, decode(doc, &s)
}

// List reads a page.
func (t sessions) List(ctx context.Context, q state.SessionQuery) ([]honeyguide.Session, string, error) {
	var w where
	w.severity(q.Severity)
	w.is("service", q.Service)
	w.is("sensor", q.Sensor)
	w.addr("src", q.Src)
	w.is("login", q.User)
	if q.Recorded {
		w.add("recorded = 1")
	}
	if q.Open {
		w.add("ended = 0")
	}
	w.between("started", q.From, q.To)
	if err := w.text(ctx, t.tx, "session_words", q.Text); err != nil {
		return nil, "", doing("list sessions", err)
	}
	l := list{name: state.ListSessions, table: "session", at: "started", id: "id"}
	out, next, err := page[honeyguide.Session](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list sessions", err)
}
