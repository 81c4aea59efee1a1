package sqlite

import (
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

type (
	views       struct{ *tx }
	preferences struct{ *tx }
	notes       struct{ *tx }
)

func (t *tx) Views() state.Views             { return views{t} }
func (t *tx) Preferences() state.Preferences { return preferences{t} }
func (t *tx) Notes() state.Notes             { return notes{t} }

// Save writes over the view of that ID or inserts it.
func (t views) Save(ctx context.Context, v *state.View) error {
	v.Name, v.Query = state.Clip(state.Column(v.Name), state.MaxTitle), state.Clip(state.Column(v.Query), state.MaxViewQuery)
	v.Room, v.Owner, v.OwnerName = state.Key(v.Room), state.Key(v.Owner), state.Key(v.OwnerName)
	v.UpdatedAt = state.Time(t.now())
	if v.ID == "" {
		return doing("save view", t.insert(ctx, v))
	}
	old, err := t.Get(ctx, v.ID)
	if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return doing("save view", t.insert(ctx, v))
	}
	if err != nil {
		return err
	}
	v.Owner, v.OwnerName, v.CreatedAt, v.Edition = old.Owner, old.OwnerName, old.CreatedAt, old.Edition+1
	doc, err := encode(v)
	if err != nil {
		return doing("save view", err)
	}
	_, err = t.exec(ctx, "UPDATE view SET room = $2, shared = $3, doc = $4 WHERE id = $1", v.ID, v.Room, bit(v.Shared), doc)
	return doing("save view", err)
}

func (t views) insert(ctx context.Context, v *state.View) error {
	var have int
	if _, err := t.one(ctx, "SELECT count(*) FROM view WHERE owner = $1", []any{v.Owner}, &have); err != nil {
		return err
	}
	if have >= state.MaxViews {
		return conflict("there are as many saved views as one person may have: remove some")
	}
	num, err := t.number(ctx, "view")
	if err != nil {
		return err
	}
	v.CreatedAt, v.Edition = v.UpdatedAt, 1
	if v.ID == "" {
		v.ID = honeyguide.NewID(v.CreatedAt)
	}
	v.ID = state.Key(v.ID)
	doc, err := encode(v)
	if err != nil {
		return err
	}
	const q = "INSERT INTO view (num, id, created, owner, room, shared, doc) VALUES ($1, $2, $3, $4, $5, $6, $7)"
	_, err = t.exec(ctx, q, num, v.ID, micros(v.CreatedAt), v.Owner, v.Room, bit(v.Shared), doc)
	return err
}

// Get finds by ID.
func (t views) Get(ctx context.Context, id string) (v state.View, err error) {
	var doc string
	found, err := t.one(ctx, "SELECT doc FROM view WHERE id = $1", []any{state.Key(id)}, &doc)
	switch {
	case err != nil:
		return v, doing("get view", err)
	case !found:
		return v, doing("get view", notFound("view", id))
	}
	return v, decode(doc, &v)
}

// Remove removes.
func (t views) Remove(ctx context.Context, id string) error {
	n, err := t.exec(ctx, "DELETE FROM view WHERE id = $1", state.Key(id))
	if err == nil && n == 0 {
		err = notFound("view", id)
	}
	return doing("remove view", err)
}

// List reads a page of what somebody sees.
func (t views) List(ctx context.Context, q state.ViewQuery) ([]state.View, string, error) {
	var w where
	w.add("(owner = " + w.arg(state.Key(q.Owner)) + " OR shared = 1)")
	w.is("room", q.Room)
	l := list{name: state.ListViews, table: "view", at: "created", id: "id"}
	out, next, err := page[state.View](ctx, t.tx, l, w, q.Page)
	return out, next, doing("list views", err)
}

// Get reads what somebody prefers.
func (t preferences) Get(ctx context.Context, owner string) (doc []byte, edition int64, err error) {
	var text string
	found, err := t.one(ctx, "SELECT doc, edition FROM preference WHERE owner = $1", []any{state.Key(owner)}, &text, &edition)
	if err != nil || !found {
		return nil, 0, doing("read preferences", err)
	}
	return []byte(text), edition, nil
}

// Put writes it over the edition that was read.
func (t preferences) Put(ctx context.Context, owner string, doc []byte, edition int64) (int64, error) {
	if len(doc) > state.MaxPreferences {
		return 0, doing("write preferences", invalid("preferences: at most 64 KiB"))
	}
	_, have, err := t.Get(ctx, owner)
	if err != nil {
		return 0, err
	}
	if edition >= 0 && edition != have {
		return 0, doing("write preferences", conflict("the preferences were changed elsewhere meanwhile: read them again"))
	}
	const q = `INSERT INTO preference (owner, edition, at, doc) VALUES ($1, $2, $3, $4)
		ON CONFLICT (owner) DO UPDATE SET edition = excluded.edition, at = excluded.at, doc = excluded.doc`
	_, err = t.exec(ctx, q, state.Key(owner), have+1, micros(state.Time(t.now())), state.Column(string(doc)))
	return have + 1, doing("write preferences", err)
}

// Add stores a note.
func (t notes) Add(ctx context.Context, n *state.Note) error {
	n.Attacker, n.By, n.Text = state.Key(n.Attacker), state.Key(n.By), state.Clip(state.Column(n.Text), state.MaxNote)
	if n.At.IsZero() {
		n.At = t.now()
	}
	n.At = state.Time(n.At)
	n.ID = honeyguide.NewID(n.At)
	doc, err := encode(n)
	if err != nil {
		return doing("add note", err)
	}
	if _, err := t.exec(ctx, "INSERT INTO attacker_note (id, attacker, at, doc) VALUES ($1, $2, $3, $4)", n.ID, n.Attacker, micros(n.At), doc); err != nil {
		return doing("add note", err)
	}
	const trim = `DELETE FROM attacker_note WHERE id IN (SELECT id FROM attacker_note WHERE attacker = $1 ORDER BY at DESC, id DESC LIMIT -1 OFFSET $2)`
	_, err = t.exec(ctx, trim, n.Attacker, state.MaxNotes)
	return doing("add note", err)
}

// Of reads them.
func (t notes) Of(ctx context.Context, attacker string) ([]state.Note, error) {
	out := []state.Note{}
	err := t.each(ctx, "SELECT doc FROM attacker_note WHERE attacker = $1 ORDER BY at DESC, id DESC", []any{state.Key(attacker)}, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var n state.Note
		err := decode(doc, &n)
		out = append(out, n)
		return err
	})
	return out, doing("read notes", err)
}

// tallyHours is how long the hours of sources are kept, and quarters of hours: no
// more of them is shown.
const tallyHours = 72 * time.Hour

// talliesDropped bounds the counts of one kind that go in one transaction.
const talliesDropped = 5000

// dropTallies forgets counts and returns how many when there are more to forget:
// they are no rows anybody asked to keep.
func (t retention) dropTallies(ctx context.Context, before time.Time) (dropped int64, err error) {
	fine := t.now().Add(-tallyHours)
	type cut struct {
		kind state.TallyKind
		step time.Duration
		at   time.Time
	}
	cuts := []cut{{state.TallyAlert, state.TallyQuarter, fine}, {state.TallySource, state.TallyHour, fine}}
	for _, kind := range []state.TallyKind{
		state.TallyAlert, state.TallyRule, state.TallySource, state.TallySensor, state.TallyCountry, state.TallyTechnique, state.TallyDetect,
		state.TallyRespond, state.TallyNever, state.TallySession, state.TallyEvent, state.TallyHeard,
	} {
		cuts = append(cuts, cut{kind, state.TallyHour, before}, cut{kind, state.TallyDay, before})
	}
	for _, c := range cuts {
		const q = `DELETE FROM tally WHERE kind = $1 AND step = $2 AND at < $3 AND (at, name) IN
			(SELECT at, name FROM tally WHERE kind = $1 AND step = $2 AND at < $3 ORDER BY at, name LIMIT $4)`
		n, err := t.exec(ctx, q, string(c.kind), int64(c.step/time.Second), c.at.Add(-c.step).Unix(), talliesDropped)
		if err != nil {
			return dropped, err
		}
		if n == talliesDropped {
			dropped += n
		}
	}
	return dropped, nil
}
