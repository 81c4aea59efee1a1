package app

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/kind"
	"honeyguide/internal/netx"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/runs"
	"honeyguide/rules"
)

// ready are the kinds of actions that need no settings: each is there under its
// own name.
var ready = []string{"block_ip", "redirect", "isolate", "notify", "blocklist", "snapshot", "task"}

// actionInstances describes the section of actions.
func actionInstances() *config.Instances {
	kinds, presets := map[string]any{}, map[string]config.Preset{}
	for _, k := range builtin.Actions() {
		kinds[k.Name] = k.Defaults
		if slices.Contains(ready, k.Name) {
			presets[k.Name] = config.Preset{Kind: k.Name, Common: struct{}{}}
		}
	}
	return &config.Instances{Common: struct{}{}, Kinds: kinds, Preset: presets}
}

// actionSettings reads the actions playbooks may name.
func actionSettings(t *config.Tree) ([]config.Instance, error) {
	instances, err := t.Instances("actions")
	errs := []error{err}
	for _, in := range instances {
		k, err := builtin.Actions().Lookup(in.Kind)
		if err == nil && in.Enabled {
			err = k.Check(kind.Decode(in.Decode))
		}
		if err != nil {
			errs = append(errs, invalid("actions.%s: %v", in.Name, err))
		}
	}
	return instances, errors.Join(errs...)
}

// openRespond opens the actions, behind the guard, and the playbooks, and the
// engine that carries them out.
func (a *App) openRespond(ctx context.Context) error {
	guard, err := respond.NewGuard(respond.Config{
		Allow: a.settings.Respond.Allowlist, BlockPrivate: a.settings.Respond.BlockPrivate, NeverBlockLoopback: a.settings.Respond.NeverBlockLoopback,
	}, netx.Lately(netx.System, a.now, time.Second))
	if err != nil {
		return err
	}
	if a.allowlist, err = respond.OpenAllowlist(ctx, a.state, a.now); err != nil {
		return err
	}
	guard.More = a.allowlist.Prefixes
	a.guard = guard
	if err := a.newNotices(); err != nil {
		return err
	}
	guard.Admins = func() []netip.Addr { return a.present.now(a.now()) }
	a.decoys = &decoys{}
	if err := a.openFirewall(); err != nil {
		return err
	}
	dep := respond.Deps{
		Log: a.log, Guard: guard, State: a.state, Fetch: a.fetch, Decoys: a.decoys, Notices: a.notices, Node: a.settings.Node.Name, Console: a.settings.API.URL, Data: a.settings.Node.Data, Now: a.now,
		NoFire: a.noFire, Halt: a.halt, Scripts: a.settings.Respond.Scripts,
	}
	if a.firewall != nil {
		dep.Firewall = respond.NewFirewall(a.firewall)
	}
	a.actions = map[string]respond.Action{}
	for _, in := range a.settings.Actions {
		if !in.Enabled {
			continue
		}
		k, err := builtin.Actions().Lookup(in.Kind)
		if err != nil {
			return err
		}
		dep.Name = in.Name
		if a.actions[in.Name], err = k.Open(ctx, kind.Decode(in.Decode), dep); err != nil {
			return invalid("actions.%s: %v", in.Name, err)
		}
	}
	a.allowlist.Undoes(a.actions)
	if err := a.openNotices(); err != nil {
		return err
	}
	if err := a.openWitnesses(); err != nil {
		return err
	}
	if err := a.openFeeds(); err != nil {
		return err
	}
	opt := playbook.Options{
		Shipped: rules.Playbooks, Folder: a.settings.Respond.Playbooks, Actions: a.actions, State: a.state, Log: a.log, Now: a.now,
	}
	if a.books, err = playbook.OpenCatalog(ctx, opt); err != nil {
		return err
	}
	since, err := a.restoredAt(ctx)
	if err != nil {
		return err
	}
	a.runs, err = runs.New(ctx, runs.Config{Mode: a.settings.Respond.Mode, Fresh: a.settings.Respond.Fresh, Node: a.settings.Node.Name, Since: since}, runs.Deps{
		State: a.state, Shelf: a.books.Shelf(), Actions: a.actions, Contained: a.incidents.Contained, Summary: a.summary, Audit: a.audit, Metrics: a.metrics, Log: a.log, Now: a.now,
	})
	return err
}

// halt asks for all acting to be stopped, because an action was asked for more
// than is sane. It may be called inside a transaction, so it only asks.
func (a *App) halt(why string) {
	select {
	case a.tooMuch <- why:
	default: // somebody asked already
	}
}

// keepHalt stops all acting when an action asks for it; a person lets it go on.
func (a *App) keepHalt(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case why := <-a.tooMuch:
			if a.runs.Stopped() {
				continue
			}
			if _, err := a.runs.Halt(ctx, "limits", why); err != nil {
				return err
			}
		}
	}
}
