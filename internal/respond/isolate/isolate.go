// Package isolate takes a decoy out of reach: its process is stopped, with all
// of its doors, until a time or until somebody undoes it. It is what is done when
// a sensor broke the rules of its sandbox.
package isolate

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the isolate action.
var Kind = kind.Of("isolate", "Stop the process of a decoy for a time.", Config{TTL: time.Hour}, open)

// Config configures the isolate action.
type Config struct {
	TTL time.Duration `yaml:"ttl" doc:"how long, when a playbook names no ttl"`
}

// Validate refuses an isolation without an end.
func (c *Config) Validate() error {
	if c.TTL < time.Minute || c.TTL > respond.MaxTTL {
		return errors.New("ttl: want 1m to 720h; an isolation always ends")
	}
	return nil
}

type action struct {
	cfg    Config
	decoys respond.Decoys
}

var (
	_ respond.Verifier = (*action)(nil)
	_ respond.Reverter = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	return &action{cfg, dep.Decoys}, nil
}

// Contains says that a verified isolation contains an incident.
func (*action) Contains() bool { return true }

// Plan names the decoy: the target, or the one the newest alert is about.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	sensor := r.Target
	for i := len(r.Alerts) - 1; i >= 0 && sensor == ""; i-- {
		sensor = r.Alerts[i].Sensor
	}
	if sensor == "" {
		return honeyguide.Plan{}, errors.New("isolate: no alert of this incident names a decoy; give a target")
	}
	ttl := a.cfg.TTL
	if s := r.Params["ttl"]; s != "" {
		var err error
		if ttl, err = time.ParseDuration(s); err != nil {
			return honeyguide.Plan{}, fmt.Errorf("isolate: ttl: %w", err)
		}
	}
	ttl = min(max(ttl, time.Minute), respond.MaxTTL)
	return honeyguide.Plan{
		Target: sensor, State: honeyguide.PlanPlanned, Params: maps.Clone(r.Params), ExpiresAt: r.Now.UTC().Add(ttl),
		Effect: fmt.Sprintf("The process of decoy %s, with all decoys in it, would be stopped for %s.", sensor, ttl),
	}, nil
}

func (a *action) ready() error {
	if a.decoys == nil {
		return respond.Permanent(errors.New("isolate: no sensor runs in this process"))
	}
	return nil
}

// Apply stops the process.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	if err := a.ready(); err != nil {
		return respond.Receipt{}, err
	}
	return respond.Receipt{}, a.decoys.Hold(ctx, p.Target, p.ExpiresAt, p.Reason)
}

// Verify waits until the process has ended, which takes as long as its sessions
// need to be written down.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	if err := a.ready(); err != nil {
		return err
	}
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		held, err := a.decoys.Held(ctx, p.Target)
		if held || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.New("the process still runs")
		case <-tick.C:
		}
	}
}

// Revert starts it again.
func (a *action) Revert(ctx context.Context, p honeyguide.Plan) error {
	if a.decoys == nil {
		return nil
	}
	return a.decoys.Release(ctx, p.Target)
}
