// Package redirect sends an attacker's new connections to a port of this host to
// a decoy instead, by the firewall process. What the attacker is connected to
// already stays as it is.
package redirect

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
	"honeyguide/internal/state"
)

// Kind is the redirect action.
var Kind = kind.Of("redirect", "Send an address's new connections to a port of this host to a decoy for a time.", Config{TTL: 24 * time.Hour}, open)

// Config configures the redirect action.
type Config struct {
	TTL time.Duration `yaml:"ttl" doc:"how long, when a playbook does not say"`
}

// Validate refuses a redirect without an end.
func (c *Config) Validate() error {
	if c.TTL < time.Minute || c.TTL > respond.MaxTTL {
		return errors.New("ttl: want 1m to 720h; a redirect always ends")
	}
	return nil
}

type action struct {
	cfg Config
	dep respond.Deps
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
	_ respond.Reverter = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, errors.New("redirect: no guard; nothing may be planned without one")
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	return &action{cfg, dep}, nil
}

// Contains says that a verified redirect contains an incident.
func (*action) Contains() bool { return true }

// name is what plans call the action: that of the instance.
func (a *action) name() string {
	if a.dep.Name != "" {
		return a.dep.Name
	}
	return "redirect"
}

// Plan says what would be sent where for r.Target, an address or prefix. The
// parameters are port (the port that is reached for), to (a port of this host, or
// address:port of another), proto (tcp or udp; tcp when it is missing) and ttl.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	d, err := respond.ParseDetour(r.Target, r.Params)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan redirect: %w", err)
	}
	ttl := a.cfg.TTL
	if s := r.Params["ttl"]; s != "" {
		if ttl, err = time.ParseDuration(s); err != nil {
			return honeyguide.Plan{}, fmt.Errorf("plan redirect: ttl: %w", err)
		}
	}
	ttl = min(max(ttl, time.Minute), respond.MaxTTL).Truncate(time.Second)
	p := honeyguide.Plan{
		Action: a.name(), Target: respond.Canonical(d.From), Params: maps.Clone(r.Params), State: honeyguide.PlanPlanned, Reason: r.Reason,
		ExpiresAt: r.Now.UTC().Add(ttl),
	}
	p.Params["ttl"], p.Params["proto"] = ttl.String(), d.Proto
	p.Effect = fmt.Sprintf("New connections from %s to %s port %d would be sent to %s for %s.", p.Target, d.Proto, d.Port, where(d.To), ttl)
	if why := a.dep.Guard.Refuse(d.From); why != "" {
		p.State, p.Reason = honeyguide.PlanRefused, "Refused: "+why+"."
		p.Effect, p.ExpiresAt = "Nothing would change.", time.Time{}
	}
	return p, nil
}

func where(to netip.AddrPort) string {
	if to.Addr().IsUnspecified() {
		return fmt.Sprintf("port %d of this host", to.Port())
	}
	return to.String()
}

// ready returns the detour of a plan, with the end it is to have: the latest of
// all plans in force that send the same connections to the same place.
func (a *action) ready(ctx context.Context, p *honeyguide.Plan, until time.Time) (respond.Detour, error) {
	if a.dep.Firewall == nil {
		why := a.dep.NoFire
		if why == "" {
			why = "there is no firewall process: start as root or with CAP_NET_ADMIN and set respond.firewall to auto or on"
		}
		return respond.Detour{}, respond.Permanent(errors.New(why))
	}
	d, err := respond.ParseDetour(p.Target, p.Params)
	if err != nil {
		return d, respond.Permanent(fmt.Errorf("redirect: %w", err))
	}
	if d.Until = until; a.dep.State == nil {
		return d, nil
	}
	err = a.dep.State.View(ctx, func(tx state.Tx) error {
		return tx.Plans().InForce(ctx, a.name(), p.Target, func(other *honeyguide.Plan) error {
			o, err := respond.ParseDetour(other.Target, other.Params)
			if err == nil && other.ID != p.ID && other.State != honeyguide.PlanReverting &&
				o.Proto == d.Proto && o.Port == d.Port && o.To == d.To && other.ExpiresAt.After(d.Until) {
				d.Until = other.ExpiresAt
			}
			return nil
		})
	})
	if err != nil {
		return d, fmt.Errorf("read the other redirects of %s: %w", p.Target, err)
	}
	return d, nil
}

// Apply sends new connections elsewhere until the plan's end.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	d, err := a.ready(ctx, &p, p.ExpiresAt)
	if err != nil {
		return respond.Receipt{}, err
	}
	if !p.ExpiresAt.After(a.dep.Now()) {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("redirect %s: its time is over", p.Target))
	}
	if why := a.dep.Guard.Refuse(d.From); why != "" {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("refused: %s", why))
	}
	if err := a.dep.Firewall.Redirect(ctx, d); err != nil {
		return respond.Receipt{}, fmt.Errorf("redirect %s: %w", p.Target, err)
	}
	return respond.Receipt{Detail: fmt.Sprintf("New connections from %s to %s port %d go to %s.", p.Target, d.Proto, d.Port, where(d.To))}, nil
}

// Verify reads the redirect back from the kernel.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	d, err := a.ready(ctx, &p, p.ExpiresAt)
	if err != nil {
		return err
	}
	there, err := a.dep.Firewall.Redirected(ctx, d)
	switch {
	case err != nil:
		return fmt.Errorf("read the redirect of %s back: %w", p.Target, err)
	case !there:
		return fmt.Errorf("the kernel does not send %s to %s", p.Target, where(d.To))
	}
	return nil
}

// Revert ends the redirect, or leaves it until the latest end of the other plans
// in force that want the same.
func (a *action) Revert(ctx context.Context, p honeyguide.Plan) error {
	d, err := a.ready(ctx, &p, time.Time{})
	if err != nil {
		return err
	}
	end := a.dep.Firewall.Unredirect
	if d.Until.After(a.dep.Now()) {
		end = a.dep.Firewall.Redirect
	}
	if err := end(ctx, d); err != nil {
		return fmt.Errorf("end the redirect of %s: %w", p.Target, err)
	}
	return nil
}
