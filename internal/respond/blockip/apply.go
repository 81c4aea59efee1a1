package blockip

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Apply blocks the target until the latest end of all plans on it that are in
// force.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	target, err := respond.ParseTarget(p.Target)
	if err != nil {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("block_ip: %w", err))
	}
	if err := a.may(ctx, target, &p); err != nil {
		return respond.Receipt{}, err
	}
	until, err := a.latest(ctx, &p, p.ExpiresAt)
	if err != nil {
		return respond.Receipt{}, err
	}
	if err := a.dep.Firewall.Block(ctx, respond.Barred{Prefix: target, Until: until}); err != nil {
		return respond.Receipt{}, fmt.Errorf("block %s: %w", p.Target, err)
	}
	return respond.Receipt{Detail: fmt.Sprintf("Packets from and to %s are dropped until %s.", p.Target, until.UTC().Format(time.RFC3339))}, nil
}

// may says why the target must not be blocked now: much may have changed since
// it was planned.
func (a *action) may(ctx context.Context, target netip.Prefix, p *honeyguide.Plan) error {
	if a.dep.Firewall == nil {
		return respond.Permanent(noFirewall(a.dep))
	}
	if !p.ExpiresAt.After(a.dep.Now()) {
		return respond.Permanent(fmt.Errorf("block %s: its time is over: %s", p.Target, p.ExpiresAt.UTC().Format(time.RFC3339)))
	}
	why := a.dep.Guard.Refuse(target)
	if why == "" {
		var err error
		if why, err = a.tooMany(ctx, p); err != nil {
			return err
		}
		if why != "" {
			a.halt(why)
		}
	}
	if why != "" {
		return respond.Permanent(fmt.Errorf("refused: %s", why))
	}
	return nil
}

func noFirewall(dep respond.Deps) error {
	if dep.NoFire != "" {
		return errors.New(dep.NoFire)
	}
	return errors.New("there is no firewall process: start as root or with CAP_NET_ADMIN and set respond.firewall to auto or on")
}

// Verify reads the block back from the kernel.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if a.dep.Firewall == nil {
		return respond.Permanent(noFirewall(a.dep))
	}
	target, err := respond.ParseTarget(p.Target)
	if err != nil {
		return respond.Permanent(fmt.Errorf("block_ip: %w", err))
	}
	until, blocked, err := a.dep.Firewall.Barred(ctx, target)
	switch {
	case err != nil:
		return fmt.Errorf("read the block of %s back: %w", p.Target, err)
	case !blocked:
		return fmt.Errorf("the kernel does not block %s", p.Target)
	case until.Before(p.ExpiresAt.Add(-slack)):
		return fmt.Errorf("the kernel blocks %s until %s only", p.Target, until.UTC().Format(time.RFC3339))
	}
	return nil
}

// slack is by how much the kernel's account of an end may differ from ours.
const slack = 5 * time.Second

// Revert ends the block, or leaves it until the latest end of the other plans
// that are in force on the target.
func (a *action) Revert(ctx context.Context, p honeyguide.Plan) error {
	if a.dep.Firewall == nil {
		return respond.Permanent(noFirewall(a.dep))
	}
	target, err := respond.ParseTarget(p.Target)
	if err != nil {
		return respond.Permanent(fmt.Errorf("block_ip: %w", err))
	}
	until, err := a.latest(ctx, &p, time.Time{})
	if err != nil {
		return err
	}
	if until.After(a.dep.Now()) {
		err = a.dep.Firewall.Block(ctx, respond.Barred{Prefix: target, Until: until})
	} else {
		err = a.dep.Firewall.Unblock(ctx, target)
	}
	if err != nil {
		return fmt.Errorf("end the block of %s: %w", p.Target, err)
	}
	return nil
}

// latest returns the latest of a time and the ends of the other plans that are
// in force on the target of p. One that is being undone counts no more.
func (a *action) latest(ctx context.Context, p *honeyguide.Plan, until time.Time) (time.Time, error) {
	if a.dep.State == nil {
		return until, nil
	}
	err := a.dep.State.View(ctx, func(tx state.Tx) error {
		return tx.Plans().InForce(ctx, a.name(), p.Target, func(other *honeyguide.Plan) error {
			if other.ID != p.ID && other.State != honeyguide.PlanReverting && other.ExpiresAt.After(until) {
				until = other.ExpiresAt
			}
			return nil
		})
	})
	if err != nil {
		return until, fmt.Errorf("read the other blocks of %s: %w", p.Target, err)
	}
	return until, nil
}

// tooMany says whether the blocks in force, or those of the last minute, are more
// than is sane. The plan at hand may be among them already.
func (a *action) tooMany(ctx context.Context, p *honeyguide.Plan) (why string, err error) {
	if a.dep.State == nil {
		return "", nil
	}
	var inForce, lately int64
	err = a.dep.State.View(ctx, func(tx state.Tx) (err error) {
		if inForce, err = tx.Plans().Count(ctx, state.PlanCount{Action: a.name(), InForce: true}); err != nil {
			return err
		}
		lately, err = tx.Plans().Count(ctx, state.PlanCount{Action: a.name(), Since: a.dep.Now().Add(-time.Minute)})
		return err
	})
	if err != nil {
		return "", fmt.Errorf("count the blocks: %w", err)
	}
	if p.State.InForce() {
		inForce--
		if p.AppliedAt.After(a.dep.Now().Add(-time.Minute)) {
			lately--
		}
	}
	a.limits.know(inForce, a.dep.Now())
	switch {
	case inForce >= a.cfg.Most:
		return fmt.Sprintf("%d blocks are in force, the most there may be (max_blocks)", inForce), nil
	case lately >= a.cfg.PerMinute:
		return fmt.Sprintf("%d addresses were blocked in the last minute, the most there may be (max_per_minute)", lately), nil
	}
	return "", nil
}
