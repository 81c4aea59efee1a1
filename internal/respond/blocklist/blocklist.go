// Package blocklist blocks an address by telling others to: the address stands on
// the published list (see package internal/blocklist) until its time is up, and
// whoever reads that list enforces it. It needs no firewall here.
package blocklist

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Kind is the blocklist action.
var Kind = kind.Of("blocklist", "Put an address on the published blocklist for a time.", Config{TTL: 24 * time.Hour}, open)

// Config configures the blocklist action.
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
	name  string
	guard *respond.Guard
	state state.Store
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
	_ respond.Reverter = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, errors.New("blocklist: no guard; nothing may be planned without one")
	}
	a := &action{cfg: cfg, name: dep.Name, guard: dep.Guard, state: dep.State}
	if a.name == "" {
		a.name = "blocklist"
	}
	return a, nil
}

// Plan says that r.Target, an address or prefix, would be published. The
// parameter ttl is a duration.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	target, err := respond.ParseTarget(r.Target)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan %s: %w", a.name, err)
	}
	ttl := a.cfg.TTL
	if s := r.Params["ttl"]; s != "" {
		if ttl, err = time.ParseDuration(s); err != nil {
			return honeyguide.Plan{}, fmt.Errorf("plan %s: ttl: %w", a.name, err)
		}
	}
	ttl = min(max(ttl, time.Minute), respond.MaxTTL).Truncate(time.Second)
	name := respond.Canonical(target)
	p := honeyguide.Plan{
		Action: a.name, Target: name, Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason,
		ExpiresAt: r.Now.UTC().Add(ttl),
		Effect:    fmt.Sprintf("%s would stand on the published blocklist for %s; those who read it would drop its packets.", name, ttl),
	}
	if p.Params == nil {
		p.Params = map[string]string{}
	}
	p.Params["ttl"] = ttl.String()
	if why := a.guard.Refuse(target); why != "" {
		p.State, p.Reason = honeyguide.PlanRefused, "Refused: "+why+"."
		p.Effect, p.ExpiresAt = "Nothing would change.", time.Time{}
	}
	return p, nil
}

// Apply does nothing of its own: a plan in force is what the list shows. The
// guard is asked once more, because what it protects may have changed since.
func (a *action) Apply(_ context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	target, err := respond.ParseTarget(p.Target)
	if err != nil {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("apply %s: %w", a.name, err))
	}
	if why := a.guard.Refuse(target); why != "" {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("apply %s: %s", a.name, why))
	}
	return respond.Receipt{Detail: p.Target + " stands on the published blocklist."}, nil
}

// Verify reads back that the plan is among those the list is made of.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if a.state == nil {
		return fmt.Errorf("verify %s: there is no state to read the list from", a.name)
	}
	listed := false
	err := a.state.View(ctx, func(tx state.Tx) error {
		return tx.Plans().InForce(ctx, p.Action, p.Target, func(q *honeyguide.Plan) error {
			listed = listed || q.ID == p.ID
			return nil
		})
	})
	switch {
	case err != nil:
		return fmt.Errorf("verify %s: %w", a.name, err)
	case !listed:
		return fmt.Errorf("verify %s: %s is not on the list by plan %s", a.name, p.Target, p.ID)
	}
	return nil
}

// Revert does nothing of its own: the end of the plan takes it off the list.
func (a *action) Revert(context.Context, honeyguide.Plan) error { return nil }
