package verdict

import (
	"context"
	"fmt"

	"honeyguide/internal/state"
	"honeyguide/internal/triage"
)

// Triage is what triage works with now.
type Triage struct {
	Active    *state.TriageModel `json:"active,omitempty" doc:"the model that scores; absent: the one of a site without verdicts"`
	Shadow    *state.TriageModel `json:"shadow,omitempty" doc:"the model that runs beside it"`
	Usable    bool               `json:"usable" doc:"false: the stored model cannot be read, and the one of a site without verdicts scores"`
	Verdicts  int                `json:"verdicts" doc:"to learn from, at most 10,000"`
	Positives int                `json:"true_positives" doc:"among them"`
	Weights   []triage.Weight    `json:"weights" doc:"log odds that one deviation of a feature adds, the weightiest first"`
}

// Status tells what scores, what waits, and what there is to learn from.
func (t *Trainer) Status(ctx context.Context) (Triage, error) {
	s := Triage{Usable: true}
	judged, err := t.judged(ctx)
	if err != nil {
		return s, err
	}
	s.Verdicts = len(judged)
	for i := range judged {
		if judged[i].Positive {
			s.Positives++
		}
	}
	err = t.dep.State.View(ctx, func(tx state.Tx) error {
		for _, x := range []struct {
			in   state.ModelState
			into **state.TriageModel
		}{{state.ModelActive, &s.Active}, {state.ModelShadow, &s.Shadow}} {
			m, found, err := in(ctx, tx, x.in)
			if err != nil {
				return err
			}
			if found {
				*x.into = &m
			}
		}
		return nil
	})
	m := t.active.Load()
	if m == nil {
		s.Usable = s.Active == nil
		m = triage.Cold()
	}
	s.Weights = m.Weightiest()
	return s, err
}

// Promote makes the model in the shadow the one that scores. CodeInvalid when
// there is none, or when it is worse than the active one and force is not set.
func (t *Trainer) Promote(ctx context.Context, force bool) (state.TriageModel, error) {
	t.work.Lock()
	defer t.work.Unlock()
	judged, err := t.judged(ctx)
	if err != nil {
		return state.TriageModel{}, err
	}
	m, c, err := t.held(ctx, judged)
	if err != nil {
		return state.TriageModel{}, err
	}
	if m == nil {
		return state.TriageModel{}, invalid("there is no model in the shadow; honeyguide triage train makes one")
	}
	note := fmt.Sprintf("promoted by hand, compared on %d verdicts", c.Verdicts)
	if why := worse(c); why != "" {
		if !force {
			return state.TriageModel{}, invalid("the model in the shadow is worse: %s; promote it all the same with force", why)
		}
		note = "promoted by hand although it was worse: " + why
	}
	t.trained.With("promoted").Add(1)
	return t.moved(ctx, m, state.ModelActive, c, note)
}

// Rollback gives up the model that scores for the one before it, or for that of
// a site without verdicts. It returns the model given up. CodeInvalid when the
// latter scores already.
func (t *Trainer) Rollback(ctx context.Context) (state.TriageModel, error) {
	t.work.Lock()
	defer t.work.Unlock()
	var given state.TriageModel
	err := t.dep.State.Update(ctx, func(tx state.Tx) error {
		m, found, err := in(ctx, tx, state.ModelActive)
		if err != nil {
			return err
		}
		if !found {
			return invalid("the model of a site without verdicts scores; there is none before it")
		}
		given = m
		if err := tx.Models().Set(ctx, m.Number, state.ModelRetired, m.HeldOut, "rolled back"); err != nil {
			return err
		}
		before, err := tx.Models().Get(ctx, m.Before)
		if err != nil { // long gone, or there was none
			return nil
		}
		return tx.Models().Set(ctx, before.Number, state.ModelActive, before.HeldOut, fmt.Sprintf("back for model %d", m.Number))
	})
	if err != nil {
		return given, err
	}
	t.dep.Log.InfoContext(ctx, "triage model rolled back", "model", given.Number)
	given.State, given.Note = state.ModelRetired, "rolled back"
	return given, t.load(ctx)
}

// History returns all models that are kept, newest first.
func (t *Trainer) History(ctx context.Context) (list []state.TriageModel, err error) {
	err = t.dep.State.View(ctx, func(tx state.Tx) error {
		list, err = tx.Models().History(ctx)
		return err
	})
	return list, err
}

func (t *Trainer) moved(ctx context.Context, m *state.TriageModel, to state.ModelState, c state.Comparison, note string) (state.TriageModel, error) {
	if err := t.move(ctx, m, to, c, note); err != nil {
		return *m, err
	}
	m.State, m.HeldOut, m.Note = to, c, note
	return *m, nil
}
