// Package blockip plans to drop all packets of an address for a time, with
// nftables. It plans only; nothing is run.
package blockip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the block_ip action.
var Kind = kind.Of("block_ip", "Drop all packets of an address for a time.", Config{TTL: 24 * time.Hour}, open)

// Config configures the block_ip action.
type Config struct {
	TTL time.Duration `yaml:"ttl"` // when a playbook names none
}

// Validate refuses a block without an end.
func (c *Config) Validate() error {
	if c.TTL < time.Minute || c.TTL > respond.MaxTTL {
		return errors.New("ttl: want 1m to 720h; a block always ends")
	}
	return nil
}

type action struct {
	cfg   Config
	guard *respond.Guard
}

var _ respond.Action = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, errors.New("block_ip: no guard; nothing may be planned without one")
	}
	return &action{cfg, dep.Guard}, nil
}

// Plan says which nft command would be run for r.Target, an address or prefix.
// The parameter ttl is a duration.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	target, err := respond.ParseTarget(r.Target)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan block_ip: %w", err)
	}
	ttl := a.cfg.TTL
	if s := r.Params["ttl"]; s != "" {
		if ttl, err = time.ParseDuration(s); err != nil {
			return honeyguide.Plan{}, fmt.Errorf("plan block_ip: ttl: %w", err)
		}
	}
	ttl = min(max(ttl, time.Minute), respond.MaxTTL).Truncate(time.Second)
	name := respond.Canonical(target)
	p := honeyguide.Plan{
		Action: "block_ip", Target: name, Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason,
		ExpiresAt: r.Now.UTC().Add(ttl),
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	p.Params["ttl"], p.Params["command"] = ttl.String(), command(target, ttl)
	p.Effect = fmt.Sprintf("Packets from %s would be dropped for %s by: %s", name, ttl, p.Params["command"])
	if why := a.guard.Refuse(target); why != "" {
		p.State, p.Reason = honeyguide.PlanRefused, "Refused: "+why+"."
		p.Effect, p.ExpiresAt = "Nothing would change.", time.Time{}
	}
	return p, nil
}

// Apply blocks the address until the plan's end.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Receipt{}, respond.Permanent(errors.New("block_ip: there is no firewall helper"))
}

// command is the nft command that adds target to our own table's set.
func command(target netip.Prefix, ttl time.Duration) string {
	set := "blk4"
	if target.Addr().Is6() {
		set = "blk6"
	}
	return fmt.Sprintf("nft add element inet honeyguide %s { %s timeout %ds }", set, respond.Canonical(target), int64(ttl/time.Second))
}
