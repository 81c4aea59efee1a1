package sqlite

import (
	"context"
	"fmt"

	"honeyguide"
	"honeyguide/internal/state"
)

// Add keeps a model.
func (t models) Add(ctx context.Context, m *state.TriageModel) error {
	if m.CreatedAt.IsZero() {
		m.CreatedAt = t.now()
	}
	m.CreatedAt, m.Until = state.Time(m.CreatedAt), state.Time(m.Until)
	var err error
	if m.Number, err = t.number(ctx, "triage_model"); err != nil {
		return doing("add triage model", err)
	}
	if err := t.vacate(ctx, m.State); err != nil {
		return doing("add triage model", err)
	}
	doc, err := encode(m)
	if err != nil {
		return doing("add triage model", err)
	}
	const q = "INSERT INTO triage_model (num, state, at, doc, model) VALUES ($1, $2, $3, $4, $5)"
	if _, err := t.exec(ctx, q, m.Number, string(m.State), micros(m.CreatedAt), doc, m.Content); err != nil {
		return doing("add triage model", err)
	}
	const old = `DELETE FROM triage_model WHERE num IN (SELECT num FROM triage_model WHERE state NOT IN ('shadow', 'active') ORDER BY num DESC LIMIT -1 OFFSET $1)`
	_, err = t.exec(ctx, old, state.KeptModels)
	return doing("drop old triage models", err)
}

// vacate retires the only model of a state.
func (t models) vacate(ctx context.Context, s state.ModelState) error {
	if s != state.ModelActive && s != state.ModelShadow {
		return nil
	}
	m, err := t.In(ctx, s)
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound && err != nil {
		return nil
	}
	if err != nil {
		return err
	}
	return t.put(ctx, m, state.ModelRetired, m.Note)
}

func (t models) put(ctx context.Context, m state.TriageModel, to state.ModelState, note string) error {
	m.State, m.Note = to, state.Clip(state.Column(note), state.MaxLine)
	doc, err := encode(&m)
	if err != nil {
		return err
	}
	_, err = t.exec(ctx, "UPDATE triage_model SET state = $2, doc = $3 WHERE num = $1", m.Number, string(to), doc)
	return err
}

// Set moves a model.
func (t models) Set(ctx context.Context, number int64, to state.ModelState, c state.Comparison, note string) error {
	m, err := t.Get(ctx, number)
	if err != nil {
		return err
	}
	if m.State != to {
		if err := t.vacate(ctx, to); err != nil {
			return doing("move triage model", err)
		}
	}
	c.At = state.Time(c.At)
	m.HeldOut = c
	return doing("move triage model", t.put(ctx, m, to, note))
}

// Get reads one.
func (t models) Get(ctx context.Context, number int64) (state.TriageModel, error) {
	return t.where(ctx, "num = $1", number, fmt.Sprint(number))
}

// In reads the one in a state.
func (t models) In(ctx context.Context, s state.ModelState) (state.TriageModel, error) {
	return t.where(ctx, "state = $1", string(s), string(s))
}

func (t models) where(ctx context.Context, cond string, arg any, name string) (m state.TriageModel, err error) {
	var doc string
	var content []byte
	found, err := t.one(ctx, "SELECT doc, model FROM triage_model WHERE "+cond+" ORDER BY num DESC LIMIT 1", []any{arg}, &doc, &content)
	if err == nil && !found {
		err = notFound("triage model", name)
	}
	if err == nil {
		err = decode(doc, &m)
	}
	m.Content = content
	return m, doing("read triage model", err)
}

// History reads all.
func (t models) History(ctx context.Context) ([]state.TriageModel, error) {
	out := []state.TriageModel{}
	err := t.each(ctx, "SELECT doc FROM triage_model ORDER BY num DESC", nil, func(scan func(...any) error) error {
		var doc string
		if err := scan(&doc); err != nil {
			return err
		}
		var m state.TriageModel
		err := decode(doc, &m)
		out = append(out, m)
		return err
	})
	return out, doing("read triage models", err)
}

// Remember keeps.
func (t models) Remember(ctx context.Context, consumer string, seq int64, memory []byte) error {
	const q = `INSERT INTO triage_memory (consumer, seq, memory) VALUES ($1, $2, $3)
		ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq, memory = excluded.memory`
	_, err := t.exec(ctx, q, state.Key(consumer), seq, memory)
	return doing("keep what triage remembers", err)
}

// Memory reads.
func (t models) Memory(ctx context.Context, consumer string) (seq int64, memory []byte, err error) {
	_, err = t.one(ctx, "SELECT seq, memory FROM triage_memory WHERE consumer = $1", []any{state.Key(consumer)}, &seq, &memory)
	return seq, memory, doing("read what triage remembers", err)
}
