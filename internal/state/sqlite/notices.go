package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type notices struct{ *tx }

// noticeResolve is the Event of a notice that says that something is over.
const noticeResolve = "resolve"

func (t *tx) Notices() state.Notices { return notices{t} }

// Save writes over the notice of that ID or inserts it.
func (t notices) Save(ctx context.Context, n *honeyguide.Notice) error {
	state.TidyNotice(n)
	if n.ID == "" {
		return doing("save notice", invalid("id: a notice needs one"))
	}
	if n.CreatedAt.IsZero() {
		n.CreatedAt = state.Time(t.now())
	}
	doc, err := encode(n)
	if err != nil {
		return doing("save notice", err)
	}
	told := 0 // somebody believes that it goes on
	if n.State == honeyguide.NoticeSent && n.Incident != "" && n.Event != noticeResolve && n.ResolvedAt.IsZero() {
		told = 1
	}
	const q = `INSERT INTO notice (id, created, due, sent, channel, name, state, incident, told, doc, changed) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)
		ON CONFLICT (id) DO UPDATE SET created = excluded.created, due = excluded.due, sent = excluded.sent, channel = excluded.channel,
		name = excluded.name, state = excluded.state, incident = excluded.incident, told = excluded.told, doc = excluded.doc, changed = excluded.changed`
	at, err := t.stamp(ctx)
	if err != nil {
		return doing("save notice", err)
	}
	_, err = t.exec(ctx, q, n.ID, micros(n.CreatedAt), micros(n.DueAt), micros(n.SentAt), n.Channel, n.Key, string(n.State), n.Incident, told, doc, at)
	return doing("save notice", err)
}

func (t notices) by(ctx context.Context, rest string, args ...any) (n honeyguide.Notice, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM notice WHERE "+rest, args, &doc)
	switch {
	case err != nil:
		return n, err
	case !found:
		return n, notFound("notice", "")
	}
	return n, decode(doc, &n)
}

// Get finds by ID.
func (t notices) Get(ctx context.Context, id string) (honeyguide.Notice, error) {
	n, err := t.by(ctx, "id = $1", state.Key(id))
	return n, doing("get notice", err)
}

// Latest finds the newest about something.
func (t notices) Latest(ctx context.Context, channel, key string) (honeyguide.Notice, error) {
	n, err := t.by(ctx, "channel = $1 AND name = $2 ORDER BY created DESC, id DESC LIMIT 1", state.Key(channel), state.Key(key))
	return n, doing("find notice", err)
}

// Due reads what is to go out.
func (t notices) Due(ctx context.Context, channel string, now time.Time, most int) ([]honeyguide.Notice, error) {
	var w where
	w.add("state = 'queued' AND due <= " + w.arg(micros(state.Time(now))))
	w.is("channel", channel)
	out := []honeyguide.Notice{}
	limit := w.arg(most)
	err := t.each(ctx, "SELECT doc FROM notice"+w.String()+" ORDER BY due, id LIMIT "+limit, w.args, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var n honeyguide.Notice
		err := decode(doc, &n)
		out = append(out, n)
		return err
	})
	return out, doing("list due notices", err)
}

// Next finds when there is something to do.
func (t notices) Next(ctx context.Context, channel string) (time.Time, error) {
	var w where
	w.add("state = 'queued'")
	w.is("channel", channel)
	var at int64
	found, err := t.one(ctx, "SELECT due FROM notice"+w.String()+" ORDER BY due, id LIMIT 1", w.args, &at)
	if err != nil || !found {
		return time.Time{}, doing("find next notice", err)
	}
	return moment(at), nil
}

// Queued counts what waits.
func (t notices) Queued(ctx context.Context) (map[string]int64, error) {
	out := map[string]int64{}
	err := t.each(ctx, "SELECT channel, count(*) FROM notice WHERE state = 'queued' GROUP BY channel", nil, func(scan func(...any) error) error {
		var channel string
		var n int64
		err := scan(&channel, &n)
		out[channel] = n
		return err
	})
	return out, doing("count queued notices", err)
}

// Over finds what people do not know to be over.
func (t notices) Over(ctx context.Context, most int) ([]string, error) {
	out := []string{}
	err := t.each(ctx, `SELECT DISTINCT n.incident FROM notice n JOIN incident i ON i.id = n.incident
		WHERE n.told = 1 AND i.status IN ('resolved', 'closed') ORDER BY n.incident LIMIT $1`, []any{most}, func(scan func(...any) error) error {
		var id string
		err := scan(&id)
		out = append(out, id)
		return err
	})
	return out, doing("find incidents that are over", err)
}

// Drop forgets old notices.
func (t notices) Drop(ctx context.Context, before time.Time, most int) (int64, error) {
	n, err := t.exec(ctx, "DELETE FROM notice WHERE id IN (SELECT id FROM notice WHERE created < $1 AND state <> 'queued' LIMIT $2)", micros(state.Time(before)), most)
	return n, doing("drop old notices", err)
}

// Since counts what was sent.
func (t notices) Since(ctx context.Context, channel string, at time.Time) (n int64, err error) {
	_, err = t.one(ctx, "SELECT count(*) FROM notice WHERE sent > 0 AND channel = $1 AND sent >= $2",
		[]any{state.Key(channel), micros(state.Time(at))}, &n)
	return n, doing("count notices", err)
}

// List reads a page.
func (t notices) List(ctx context.Context, q state.NoticeQuery) ([]honeyguide.Notice, string, error) {
	var w where
	w.is("channel", q.Channel)
	w.is("state", string(q.State))
	w.is("incident", q.Incident)
	w.is("name", q.Key)
	l := list{name: state.ListNotices, table: "notice", at: "created", id: "id"}
	out, next, err := page[honeyguide.Notice](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list notices", err)
}
