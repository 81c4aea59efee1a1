// Package blockip drops all packets from and to an address for a time, by the
// firewall process. Each address stays blocked until the latest end of all plans
// on it that are in force: undoing one never lifts another's block.
package blockip

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Kind is the block_ip action.
var Kind = kind.Of("block_ip", "Drop all packets from and to an address or network for a time.", Config{TTL: 24 * time.Hour, Most: 10_000, PerMinute: 120}, open)

// Config configures the block_ip action.
type Config struct {
	TTL       time.Duration `yaml:"ttl" doc:"how long, when a playbook says neither ttl nor ladder"`
	Most      int64         `yaml:"max_blocks" doc:"blocks in force at a time; more are refused and halt what plans them"`
	PerMinute int64         `yaml:"max_per_minute" doc:"blocks a minute; more are refused and halt what plans them"`
}

// Validate refuses a block without an end.
func (c *Config) Validate() error {
	switch {
	case c.TTL < time.Minute || c.TTL > respond.MaxTTL:
		return errors.New("ttl: want 1m to 720h; a block always ends")
	case c.Most < 1 || c.PerMinute < 1:
		return errors.New("max_blocks, max_per_minute: want 1 or more")
	}
	return nil
}

type action struct {
	cfg    Config
	dep    respond.Deps
	limits limits
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
	_ respond.Reverter = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, errors.New("block_ip: no guard; nothing may be planned without one")
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	return &action{cfg: cfg, dep: dep, limits: limits{most: cfg.Most, perMinute: cfg.PerMinute}}, nil
}

// Plan says what would be dropped for r.Target, an address or prefix. The
// parameter ttl is a duration; the parameter ladder is a list of them, for the
// first block of the target, the second, and so on.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	target, err := respond.ParseTarget(r.Target)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan block_ip: %w", err)
	}
	ttl, err := a.ttl(r.Params, r.Before)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan block_ip: %w", err)
	}
	name := respond.Canonical(target)
	p := honeyguide.Plan{
		Action: a.name(), Target: name, Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason,
		ExpiresAt: r.Now.UTC().Add(ttl),
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	p.Params["ttl"], p.Params["command"] = ttl.String(), command(target, ttl)
	p.Effect = fmt.Sprintf("Packets from and to %s would be dropped for %s, as by: %s", name, ttl, p.Params["command"])
	why := a.dep.Guard.Refuse(target)
	if why == "" && r.Mode == honeyguide.ModeApply {
		if why = a.limits.plan(r.Now); why != "" {
			a.halt(why)
		}
	}
	if why != "" {
		p.State, p.Reason = honeyguide.PlanRefused, "Refused: "+why+"."
		p.Effect, p.ExpiresAt = "Nothing would change.", time.Time{}
	}
	return p, nil
}

// Contains says that a verified block contains an incident.
func (*action) Contains() bool { return true }

// name is what plans call the action: that of the instance.
func (a *action) name() string {
	if a.dep.Name != "" {
		return a.dep.Name
	}
	return state.ActionBlockIP
}

// halt tells the owner that more was asked for than is sane.
func (a *action) halt(why string) {
	if a.dep.Halt != nil {
		a.dep.Halt(why)
	}
}

// ttl is how long a block lasts whose target was blocked before so often.
func (a *action) ttl(params map[string]string, before int64) (time.Duration, error) {
	ttl := a.cfg.TTL
	key, text := "ttl", params["ttl"]
	if ladder := params["ladder"]; ladder != "" {
		steps := strings.Split(ladder, ",")
		if len(steps) > maxSteps {
			return 0, fmt.Errorf("ladder: %d steps; at most %d", len(steps), maxSteps)
		}
		for _, s := range steps { // a fault far up is found at once, not with the tenth block
			if _, err := time.ParseDuration(strings.TrimSpace(s)); err != nil {
				return 0, fmt.Errorf("ladder: %w", err)
			}
		}
		key, text = "ladder", strings.TrimSpace(steps[max(0, min(before, int64(len(steps)-1)))])
	}
	if text != "" {
		var err error
		if ttl, err = time.ParseDuration(text); err != nil {
			return 0, fmt.Errorf("%s: %w", key, err)
		}
	}
	return min(max(ttl, time.Minute), respond.MaxTTL).Truncate(time.Second), nil
}

const maxSteps = 32

// command is the nft command that would do the same.
func command(target netip.Prefix, ttl time.Duration) string {
	set := "blk"
	if !target.IsSingleIP() {
		set = "cidr"
	}
	if target.Addr().Is6() {
		set += "6"
	} else {
		set += "4"
	}
	return fmt.Sprintf("nft add element inet honeyguide %s { %s timeout %ds }", set, respond.Canonical(target), int64(ttl/time.Second))
}
