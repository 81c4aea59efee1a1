package api

import (
	"cmp"
	"context"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// previewDays is how much history a preview looks at unless it is told.
const previewDays = 30

type suppressionsIn struct {
	Following
	Holding bool `query:"holding" doc:"only those that hold now"`
}

// lifting ends a suppression.
type lifting struct {
	Reopen bool `json:"reopen,omitempty" doc:"make the alerts it hid new again"`
}

func (s *server) suppressions() {
	list(s, op("/suppressions", "list-suppressions", "What hides known noise, newest first"), func(ctx context.Context, tx state.Tx, in *suppressionsIn) ([]honeyguide.Suppression, string, error) {
		q := state.SuppressionQuery{Page: in.page()}
		if in.Holding {
			q.HoldsAt = s.dep.Now()
		}
		return tx.Suppressions().List(ctx, q)
	})
	one(s, op("/suppressions/{id}", "get-suppression", "One suppression with its counts"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Suppression, error) {
		return tx.Suppressions().Get(ctx, id)
	})
	writeAnew(s, post("/suppressions/preview", "preview-suppression", "What a suppression would have hidden; changes nothing"), auth.PermRead, s.previewSuppression)
	writeAnew(s, post("/suppressions", "add-suppression", "Hide known noise for a while"), auth.PermWork, s.addSuppression)
	write(s, s.guarded(post("/suppressions/{id}/lift", "lift-suppression", "End a suppression before its time")), auth.PermWork, s.liftSuppression)
}

func (s *server) previewSuppression(ctx context.Context, in *client.SuppressionRequest) (p client.SuppressionPreview, err error) {
	now := s.dep.Now().UTC()
	from := now.Add(-time.Duration(cmp.Or(in.Days, previewDays)) * 24 * time.Hour)
	err = s.dep.State.View(ctx, func(tx state.Tx) (err error) {
		p, err = pipeline.Preview(ctx, tx, in.Match, from, now)
		return err
	})
	return p, err
}

func (s *server) addSuppression(ctx context.Context, in *client.SuppressionRequest) (out client.SuppressionResult, err error) {
	who := whoAsks(ctx)
	made := honeyguide.Suppression{
		Match: in.Match, Reason: in.Reason, Owner: cmp.Or(in.Owner, who), CreatedBy: who, ExpiresAt: in.ExpiresAt,
	}
	err = s.dep.State.Update(ctx, func(tx state.Tx) (err error) {
		out.Suppression = made
		out.Changed, err = pipeline.Suppress(ctx, tx, &out.Suppression, in.Existing, s.dep.Now().UTC())
		return err
	})
	return out, err
}

func (s *server) liftSuppression(ctx context.Context, id string, in *lifting) (out client.SuppressionResult, err error) {
	err = s.dep.State.Update(ctx, func(tx state.Tx) (err error) {
		now, err := tx.Suppressions().Get(ctx, id)
		if err != nil {
			return err
		}
		if err := unchanged(ctx, etag(now), cmp.Or(now.LiftedBy, now.CreatedBy), laterOf(now.LiftedAt, now.CreatedAt)); err != nil {
			return err
		}
		out.Suppression, out.Changed, err = pipeline.Lift(ctx, tx, id, whoAsks(ctx), in.Reopen, s.dep.Now().UTC())
		return err
	})
	return out, err
}

func laterOf(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}
