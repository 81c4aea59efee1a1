package api

import (
	"cmp"
	"context"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// allowlist registers what is never blocked. The list is short enough to be
// shown whole.
func (s *server) allowlist() {
	list(s, op("/allowlist", "list-allowlist", "What is never blocked, oldest first; the configuration's respond.allow counts as well"), func(ctx context.Context, tx state.Tx, _ *struct{}) ([]client.AllowRow, string, error) {
		all, err := tx.Allowlist().All(ctx)
		out := make([]client.AllowRow, 0, len(all))
		now := s.dep.Now()
		for i := range all {
			out = append(out, client.AllowRow{Allowed: all[i], Holds: all[i].Holds(now)})
		}
		return out, "", err
	})
	orderAnew(s, post("/allowlist", "add-allowed", "Never block an address or a prefix; lifts what holds on it at once"), auth.PermAllow, s.allow)
	remove(s, "/allowlist/{address}", "remove-allowed", "Take an entry away: what it covered may be blocked again", auth.PermAllow,
		func(ctx context.Context, in *byAddress) (honeyguide.Allowed, error) {
			l, err := s.allowed()
			if err != nil {
				return honeyguide.Allowed{}, err
			}
			a, err := l.Remove(ctx, in.Address)
			s.gave(ctx, "remove-allowed", a.Address, err)
			return a, err
		})
}

func (s *server) allowed() (*respond.Allowlist, error) {
	if s.dep.Allowlist == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "this core blocks nothing, so there is nothing to allow"}
	}
	return s.dep.Allowlist, nil
}

// allow stores the entry first: from then on nothing new is planned against it.
// What holds already is looked for afterwards, so that nothing slips between.
func (s *server) allow(ctx context.Context, in *client.AllowOrder) (out client.Allowing, err error) {
	l, err := s.allowed()
	if err != nil {
		return out, err
	}
	who := whoAsks(ctx)
	out.Entry = honeyguide.Allowed{Address: in.Address, Reason: in.Reason, Owner: cmp.Or(in.Owner, who), CreatedBy: who, ExpiresAt: in.ExpiresAt}
	p, err := l.Add(ctx, &out.Entry)
	if err != nil {
		return out, err
	}
	var plans []honeyguide.Plan
	more := 0
	err = s.dep.State.View(ctx, func(tx state.Tx) error {
		plans, more = nil, 0
		return l.Overlapping(ctx, tx, p, func(p *honeyguide.Plan) error {
			if len(plans) < mostLifted {
				plans = append(plans, *p)
			} else {
				more++
			}
			return nil
		})
	})
	if err != nil {
		return out, err
	}
	out.Lifted, out.Failed, out.Left, err = s.lift(ctx, plans, "on the allowlist: "+in.Reason)
	out.Left += more
	if honeyguide.ErrorCode(err) == honeyguide.CodeUnavailable && err != nil {
		err = nil // the entry holds; Left says that nothing was there to end the blocks
	}
	return out, err
}
