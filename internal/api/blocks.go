package api

import (
	"context"
	"net/http"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// leastConfirm is the shortest time a person gets to confirm a block.
const leastConfirm = 10 * time.Second

type blocksIn struct {
	Paging
	Holding  bool                 `query:"holding" doc:"only those that hold now"`
	State    honeyguide.PlanState `query:"state" enum:"planned,waiting,applying,applied,verified,reverting,reverted,expired,refused,failed,cancelled"`
	Incident string               `query:"incident" maxLength:"128" doc:"id or short form of the incident"`
}

// byAddress names an address or a prefix; the slash of a prefix is written %2F.
type byAddress struct {
	Address string `path:"address" maxLength:"64" doc:"address or prefix; its slash is written %2F"`
}

// ending says why something is ended.
type ending struct {
	Address string `path:"address" maxLength:"64" doc:"address or prefix; its slash is written %2F"`
	Reason  string `query:"reason" maxLength:"1000" doc:"why it is ended"`
}

// blocks registers who is kept out.
func (s *server) blocks() {
	list(s, op("/blocks", "list-blocks", "Addresses that are, were or would be blocked, newest first"), s.blockRows)
	o := op("/blocks/{address}", "get-block", "All blocks of one address, and what else covers it")
	o.Errors = append(o.Errors, http.StatusNotFound)
	read(s, o, func(ctx context.Context, in *byAddress) (out client.BlockDetail, err error) {
		p, err := target(in.Address)
		if err != nil {
			return out, err
		}
		err = s.dep.State.View(ctx, func(tx state.Tx) error {
			out, err = blockDetail(ctx, tx, p)
			return err
		})
		return out, err
	})
	orderAnew(s, post("/blocks", "add-block", "Block an address or a prefix by hand; the guard and the allowlist still win"), auth.PermRespond, s.addBlock)
	remove(s, "/blocks/{address}", "remove-block", "Let an address through: ends every block that holds on it, and says which prefixes still cover it", auth.PermRespond,
		func(ctx context.Context, in *ending) (client.Unblocking, error) { return s.unblock(ctx, in) })
}

// target reads an address or a prefix of a request.
func target(text string) (netip.Prefix, error) {
	p, err := respond.ParseTarget(text)
	if err != nil {
		return p, invalid("address: want an address or a prefix, such as 203.0.113.7 or 203.0.113.0/24")
	}
	return p, nil
}

// blockRows reads a page. Without a filter there is one row per address; with
// one, the plans that pass it, of which each address shows the newest that holds.
func (s *server) blockRows(ctx context.Context, tx state.Tx, in *blocksIn) ([]client.BlockRow, string, error) {
	incident, err := incidentID(ctx, tx, in.Incident)
	if err != nil {
		return nil, "", err
	}
	out := []client.BlockRow{}
	if !in.Holding && in.State == "" && incident == "" {
		list, next, err := tx.Plans().Blocks(ctx, in.page())
		if err != nil {
			return nil, "", err
		}
		for _, b := range list {
			row, err := blockRow(ctx, tx, b)
			if err != nil {
				return nil, "", err
			}
			out = append(out, row)
		}
		return out, next, nil
	}
	list, next, err := tx.Plans().List(ctx, state.PlanQuery{Page: in.page(), Action: state.ActionBlockIP, State: in.State, Incident: incident, InForce: in.Holding})
	if err != nil {
		return nil, "", err
	}
	for i := range list {
		row, err := blockRow(ctx, tx, list[i].Block())
		if err != nil {
			return nil, "", err
		}
		if in.Holding && row.Plan != list[i].ID {
			continue // an older one of an address that is listed with its newest
		}
		if !in.Holding {
			row.Block = list[i].Block()
		}
		out = append(out, row)
	}
	return out, next, nil
}

// blockRow says how an address stands: a dry run or a refusal that came later
// does not hide a block that holds.
func blockRow(ctx context.Context, tx state.Tx, newest honeyguide.Block) (client.BlockRow, error) {
	row := client.BlockRow{Block: newest}
	err := tx.Plans().InForce(ctx, state.ActionBlockIP, newest.Address, func(p *honeyguide.Plan) error {
		if row.Count++; row.Count == 1 || p.CreatedAt.After(row.CreatedAt) || p.CreatedAt.Equal(row.CreatedAt) && p.ID > row.Plan {
			row.Block = p.Block()
		}
		if p.ExpiresAt.After(row.Until) {
			row.Until = p.ExpiresAt
		}
		row.Holds = true
		return nil
	})
	return row, err
}

func blockDetail(ctx context.Context, tx state.Tx, p netip.Prefix) (client.BlockDetail, error) {
	out := client.BlockDetail{Address: respond.Canonical(p)}
	var err error
	if out.Plans, _, err = tx.Plans().List(ctx, state.PlanQuery{Page: state.Page{Limit: 100}, Action: state.ActionBlockIP, Target: out.Address}); err != nil {
		return out, err
	}
	row, err := blockRow(ctx, tx, honeyguide.Block{Address: out.Address})
	if err != nil {
		return out, err
	}
	out.Holds, out.Until = row.Holds, row.Until
	if out.CoveredBy, err = covering(ctx, tx, p); err != nil {
		return out, err
	}
	if len(out.Plans) == 0 && len(out.CoveredBy) == 0 {
		return out, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "nothing ever blocked this address"}
	}
	return out, nil
}

func covering(ctx context.Context, tx state.Tx, p netip.Prefix) ([]honeyguide.Block, error) {
	out := []honeyguide.Block{}
	err := respond.Covering(ctx, tx, p, func(p *honeyguide.Plan) error {
		out = append(out, p.Block())
		return nil
	})
	return out, err
}

// span reads a duration of a request.
func span(field, text string, least, most time.Duration) (time.Duration, error) {
	d, err := time.ParseDuration(text)
	if err != nil || d < least || d > most {
		return 0, invalid(field + ": want a time such as 1h or 90m, from " + least.String() + " to " + most.String())
	}
	return d, nil
}

func (s *server) addBlock(ctx context.Context, in *client.BlockOrder) (out client.RunDetail, err error) {
	p, err := target(in.Address)
	if err != nil {
		return out, err
	}
	req := BlockRequest{Target: respond.Canonical(p), Reason: in.Reason, By: whoAsks(ctx), Role: roleAsks(ctx), Incident: in.Incident}
	if req.TTL, err = span("ttl", in.TTL, time.Second, respond.MaxTTL); err != nil {
		return out, err
	}
	if in.ConfirmWithin != "" {
		if req.ConfirmWithin, err = span("confirm_within", in.ConfirmWithin, leastConfirm, req.TTL); err != nil {
			return out, err
		}
	}
	r, err := s.responder()
	if err != nil {
		return out, err
	}
	run, err := r.Block(ctx, req)
	return s.detailed(ctx, run, err)
}

func (s *server) unblock(ctx context.Context, in *ending) (out client.Unblocking, err error) {
	p, err := target(in.Address)
	if err != nil {
		return out, err
	}
	out.Address = respond.Canonical(p)
	var plans []honeyguide.Plan
	look := func(tx state.Tx) error {
		plans = nil
		return tx.Plans().InForce(ctx, state.ActionBlockIP, out.Address, func(p *honeyguide.Plan) error {
			plans = append(plans, *p)
			return nil
		})
	}
	if err := s.dep.State.View(ctx, look); err != nil {
		return out, err
	}
	if out.Lifted, out.Failed, out.Left, err = s.lift(ctx, plans, in.Reason); err != nil {
		return out, err
	}
	err = s.dep.State.View(ctx, func(tx state.Tx) (err error) {
		out.CoveredBy, err = covering(ctx, tx, p)
		return err
	})
	if err == nil && len(plans) == 0 && len(out.CoveredBy) == 0 {
		err = &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "no block holds on this address"}
	}
	return out, err
}

// Bounds of one lifting: the answer has to be there before the connection's
// write timeout.
const (
	mostLifted = 1000
	liftTime   = writeTimeout * 6 / 10
)

// lift ends acts one by one, because each is its own: what one of them cannot do
// stops none of the others.
func (s *server) lift(ctx context.Context, plans []honeyguide.Plan, why string) (lifted, failed []client.Lifted, left int, err error) {
	lifted, failed = []client.Lifted{}, []client.Lifted{}
	if len(plans) == 0 {
		return lifted, failed, 0, nil
	}
	r, err := s.responder()
	if err != nil {
		return lifted, failed, len(plans), err
	}
	limited, cancel := context.WithTimeout(ctx, liftTime)
	defer cancel()
	for i, p := range plans {
		if limited.Err() != nil || i == mostLifted {
			return lifted, failed, len(plans) - i, ctx.Err()
		}
		row := client.Lifted{Address: p.Target, Action: p.Action, Plan: p.ID, State: p.State}
		after, err := r.RevertPlan(limited, p.ID, whoAsks(ctx), why)
		if err != nil {
			row.Error = s.problem(ctx, err).Detail
			failed = append(failed, row)
			continue
		}
		row.State, row.Error = after.State, after.Error
		lifted = append(lifted, row)
		s.gave(ctx, "revert-plan", p.ID, nil)
	}
	return lifted, failed, 0, nil
}

// remove registers a route that deletes.
func remove[I, O any](s *server, path, id, summary string, need auth.Permission, f func(context.Context, *I) (O, error)) {
	o := op(path, id, summary)
	o.Method = http.MethodDelete
	o.Errors = append(o.Errors, http.StatusNotFound, http.StatusConflict, http.StatusUnprocessableEntity)
	act(s, o, need, f)
}
