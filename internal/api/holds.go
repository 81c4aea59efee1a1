package api

import (
	"context"
	"math"
	"strconv"
	"strings"

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
		if err != nil {
			return nil, "", err
		}
		before := int64(math.MaxInt64)
		if in.After != "" {
			if before, err = holdNumber(in.After); err != nil {
				return nil, "", invalid("after: this is no cursor of this list; take next of the page before")
			}
		}
		out, rows := []honeyguide.Hold{}, in.page().Rows()
		for _, h := range all {
			if n, err := holdNumber(h.Short); err != nil || n >= before || in.Object != "" && h.Object != in.Object {
				continue
			}
			if len(out) == rows {
				return out, out[rows-1].Short, nil
			}
			out = append(out, h)
		}
		return out, "", nil
	})
	one(s, op("/holds/{id}", "get-hold", "One legal hold"), func(ctx context.Context, tx state.Tx, id string) (honeyguide.Hold, error) {
		return tx.Holds().Get(ctx, id)
	})
	writeAnew(s, post("/holds", "place-hold", "Keep an incident, a session or all of an attacker until the hold is released"), auth.PermEvidence, func(ctx context.Context, in *client.NewHold) (honeyguide.Hold, error) {
		return bundle.Place(ctx, s.dep.State, honeyguide.Hold{Object: in.Object, Reason: in.Reason, Until: in.Until}, doer(ctx), s.dep.Now().UTC())
	})
	write(s, post("/holds/{id}/release", "release-hold", "End a legal hold; what is old goes with the next retention"), auth.PermEvidence, func(ctx context.Context, id string, in *client.Why) (honeyguide.Hold, error) {
		return bundle.Release(ctx, s.dep.State, id, in.Reason, doer(ctx), s.dep.Now().UTC())
	})
}

// holdNumber reads the number of a hold's short form.
func holdNumber(short string) (int64, error) {
	return strconv.ParseInt(strings.TrimPrefix(short, "H-"), 10, 64)
}

// doer is who asks, with the entry of the audit log that says so.
func doer(ctx context.Context) bundle.Doer {
	p, _ := ctx.Value(principalKey).(auth.Principal)
	return bundle.Doer{Name: whoAsks(ctx), Kind: kindOf(p), Entry: entryOf(ctx)}
}
