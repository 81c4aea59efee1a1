package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// A Trainer learns from verdicts; see [verdict.Trainer].
type Trainer interface {
	Status(ctx context.Context) (verdict.Triage, error)
	History(ctx context.Context) ([]state.TriageModel, error)
	Train(ctx context.Context) (state.TriageModel, error)
	Promote(ctx context.Context, force bool) (state.TriageModel, error)
	Rollback(ctx context.Context) (state.TriageModel, error)
}

// Forced says whether to do a thing against advice.
type Forced struct {
	Force bool `json:"force,omitempty" doc:"also when the model is worse than the active one"`
}

func (s *server) triage() {
	trainer := func() (Trainer, error) {
		if s.dep.Trainer == nil {
			return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "nothing here learns from verdicts"}
		}
		return s.dep.Trainer, nil
	}
	read(s, op("/triage", "get-triage", "What scores alerts now, and what it has learnt from"), func(ctx context.Context, _ *struct{}) (out verdict.Triage, err error) {
		t, err := trainer()
		if err != nil {
			return out, err
		}
		return t.Status(ctx)
	})
	read(s, op("/triage/models", "list-triage-models", "The models there were, newest first"), func(ctx context.Context, _ *struct{}) (p client.Page[state.TriageModel], err error) {
		t, err := trainer()
		if err != nil {
			return p, err
		}
		p.Items, err = t.History(ctx)
		return p, err
	})
	writeAnew(s, post("/triage/train", "train-triage", "Learn a model from the verdicts; it runs in the shadow"), auth.PermTriage, func(ctx context.Context, _ *struct{}) (m state.TriageModel, err error) {
		t, err := trainer()
		if err != nil {
			return m, err
		}
		return t.Train(ctx)
	})
	writeAnew(s, post("/triage/promote", "promote-triage", "Let the model in the shadow score"), auth.PermTriage, func(ctx context.Context, in *Forced) (m state.TriageModel, err error) {
		t, err := trainer()
		if err != nil {
			return m, err
		}
		s.dep.Log.InfoContext(ctx, "triage model promotion asked for", "by", whoAsks(ctx), "force", in.Force, "request_id", requestID(ctx))
		return t.Promote(ctx, in.Force)
	})
	writeAnew(s, post("/triage/rollback", "roll-back-triage", "Give up the model that scores for the one before"), auth.PermTriage, func(ctx context.Context, _ *struct{}) (m state.TriageModel, err error) {
		t, err := trainer()
		if err != nil {
			return m, err
		}
		s.dep.Log.InfoContext(ctx, "triage model rollback asked for", "by", whoAsks(ctx), "request_id", requestID(ctx))
		return t.Rollback(ctx)
	})
}
