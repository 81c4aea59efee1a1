package api

import (
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/bundle"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

type holdsIn struct {
	Paging
	Active bool   `query:"active" doc:"only those in force"`
	Object string `query:"object" maxLength:"160" doc:"only those of this object, such as incident:I-7"`
}

// holds registers what keeps evidence whatever its age.
func (s *server) holds() {
	list(s, op("/holds", "list-holds", "Legal holds, newest first: what they are about stays whatever retention, quotas and erasure would do"), func(ctx context.Context, tx state.Tx, in *holdsIn) ([]honeyguide.Hold, string, error) {
		all, err := tx.Holds().List(ctx, in.Active)
		out := []honeyguide.Hold{}
		for _, h := range all {
			if in.Object == "" || h.Object == in.Object {
				out = append(out, h)
			}
		}
		return out[:min(len(out), in.page().Rows())], "", err
	})
	one(s, op("/holds/{id}", "get-hold", "One legal hold"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Hold, error) {
		return tx.Holds().Get(ctx, id)
	})
	writeAnew(s, post("/holds", "place-hold", "Keep an incident, a session or all of an attacker until the hold is released"), auth.PermEvidence, func(ctx context.Context, in *client.NewHold) (honeyguide.Hold, error) {
		return bundle.Place(ctx, s.dep.State, honeyguide.Hold{Object: in.Object, Reason: in.Reason, Until: in.Until, By: whoAsks(ctx)}, sortOf(ctx), s.dep.Now().UTC())
	})
	write(s, post("/holds/{id}/release", "release-hold", "End a legal hold; what is old goes with the next retention"), auth.PermEvidence, func(ctx context.Context, id string, in *client.Why) (honeyguide.Hold, error) {
		return bundle.Release(ctx, s.dep.State, id, whoAsks(ctx), sortOf(ctx), in.Reason, s.dep.Now().UTC())
	})
}

// sortOf says what kind of principal asks.
func sortOf(ctx context.Context) string {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return kindOf(p)
}
