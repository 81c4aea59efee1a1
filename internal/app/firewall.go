package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/fwhelper"
	"honeyguide/internal/ipc"
	"honeyguide/internal/netx"
	"honeyguide/internal/respond"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
)

// firewallArg makes the binary the process that commands the firewall. It is no
// verb.
const firewallArg = "firewall-process"

// mayNot says what to do when there is no right over the firewall.
const mayNot = "this process may not command the firewall: run it as root, or give the service CAP_NET_ADMIN (AmbientCapabilities=CAP_NET_ADMIN)"

// openFirewall prepares the process that commands the firewall. It starts with
// the core. Without one noFire says why.
func (a *App) openFirewall() error {
	may := sandbox.HasNetAdmin()
	switch mode := a.settings.Respond.Firewall; {
	case mode == "off":
		a.noFire = "nothing is blocked: respond.firewall is off"
		return nil
	case !may && mode == "auto":
		a.noFire = "nothing is blocked: " + mayNot
		return nil
	case !may:
		return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "respond.firewall is on, but " + mayNot + "; or set it to auto or off"}
	}
	allow, err := prefixes("respond.allowlist", a.settings.Respond.Allowlist)
	if err != nil {
		return err
	}
	a.firewall = fwhelper.New(fwhelper.Options{
		Args: []string{firewallArg},
		Setup: ipc.FirewallSetup{
			Allow: allow, Private: a.settings.Respond.BlockPrivate, Loopback: !a.settings.Respond.NeverBlockLoopback,
		},
		NoNamespaces: a.settings.Deception.Namespaces == "off", Insecure: a.settings.Deception.Insecure,
		Refill: a.toBeInForce, Metrics: a.metrics, Log: a.log, Now: a.now,
	})
	return nil
}

// keepFirewall runs the process, and looks after what it has in force.
func (a *App) keepFirewall(ctx context.Context, g *supervise.Group) {
	if a.firewall == nil {
		a.log.LogAttrs(ctx, slog.LevelInfo, "no firewall process", slog.String("reason", a.noFire))
		return
	}
	g.Keep(ctx, "firewall process", a.firewall.Run)
	g.Keep(ctx, "firewall watch", (&watch{a: a}).run)
}

// toBeInForce lists what the plans in force want of the firewall: for each
// target the latest end.
func (a *App) toBeInForce(ctx context.Context) (fwhelper.Table, error) {
	now := a.now()
	blocks, detours := map[netip.Prefix]time.Time{}, map[fwhelper.Redirect]time.Time{}
	err := a.state.View(ctx, func(tx state.Tx) error {
		for _, in := range a.settings.Actions {
			if in.Kind != "block_ip" && in.Kind != "redirect" {
				continue
			}
			err := tx.Plans().InForce(ctx, in.Name, "", func(p *honeyguide.Plan) error {
				begun := p.State != honeyguide.PlanApplying || !p.AppliedAt.IsZero() // else the stop switch may hold it back
				if p.State == honeyguide.PlanReverting || !p.ExpiresAt.After(now) || !begun {
					return nil
				}
				if in.Kind == "block_ip" {
					target, err := netx.ParseTarget(p.Target)
					if _, allowed := a.guard.Allowed(target); err == nil && !allowed { // who was put on the allowlist since
						blocks[target] = later(blocks[target], p.ExpiresAt)
					}
				} else if r, err := asRedirect(p); err == nil {
					detours[r] = later(detours[r], p.ExpiresAt)
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fwhelper.Table{}, fmt.Errorf("read the plans in force: %w", err)
	}
	var t fwhelper.Table
	for p, until := range blocks {
		t.Blocks = append(t.Blocks, fwhelper.Entry{Prefix: p, Until: until})
	}
	for r, until := range detours {
		r.Until = until
		t.Redirects = append(t.Redirects, r)
	}
	return t, nil
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

// asRedirect reads the plan of a redirect; its end is left out.
func asRedirect(p *honeyguide.Plan) (r fwhelper.Redirect, err error) {
	d, err := respond.ParseDetour(p.Target, p.Params)
	return fwhelper.Redirect(d), err
}

// watchEvery is how often the firewall is looked at.
const watchEvery = 10 * time.Second

// A watch sees that the kernel holds what the plans in force want, whatever an
// operator, another program or a crash did to it.
type watch struct {
	a       *App
	refused int // entries of the last refill that were not taken
	off     int // looks in a row at which the counts differed
	admins  []netip.Addr
}

func (w *watch) run(ctx context.Context) error {
	tick := time.NewTicker(watchEvery)
	defer tick.Stop()
	for {
		if err := w.look(ctx); err != nil && ctx.Err() == nil {
			w.a.log.LogAttrs(ctx, slog.LevelWarn, "firewall not looked at", slog.Any("error", err))
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// look compares once and refills when something is missing.
func (w *watch) look(ctx context.Context) error {
	h, err := w.a.firewall.Health(ctx)
	if err != nil || !h.Serving {
		return err
	}
	if err := w.protect(ctx); err != nil {
		return err
	}
	want, err := w.a.toBeInForce(ctx)
	if err != nil {
		return err
	}
	if h.Intact && h.Blocks == len(want.Blocks)-w.refused && h.Redirects == len(want.Redirects) {
		w.off = 0
		return nil
	}
	// What begins or ends between the two readings makes them differ for a moment.
	if w.off++; h.Intact && w.off < 2 {
		return nil
	}
	w.a.log.LogAttrs(ctx, slog.LevelWarn, "firewall refilled", slog.Bool("intact", h.Intact), slog.Int("blocks", h.Blocks), slog.Int("wanted", len(want.Blocks)))
	w.off = 0
	return w.refill(ctx, want)
}

// protect tells the process who works here now. What was in force against them
// ends; their plans stay, to be seen and undone by them.
func (w *watch) protect(ctx context.Context) error {
	admins := w.a.present.now(w.a.now())
	if slices.Equal(admins, w.admins) {
		return nil
	}
	lifted, err := w.a.firewall.Admins(ctx, admins)
	if err != nil {
		return err
	}
	w.admins = admins
	for _, p := range lifted {
		w.a.log.LogAttrs(ctx, slog.LevelWarn, "block lifted for an administrator", slog.String("target", netx.Canonical(p)))
	}
	return nil
}

// refills bounds how often a refill is done again because plans changed under it.
const refills = 3

func (w *watch) refill(ctx context.Context, want fwhelper.Table) error {
	for range refills {
		err := w.a.firewall.Replace(ctx, want)
		w.refused = 0
		if r, ok := errors.AsType[*fwhelper.RefusedError](err); ok {
			w.refused, err = len(r.Refused)+r.More, nil
		}
		if err != nil {
			return err
		}
		now, err := w.a.toBeInForce(ctx)
		if err != nil || same(now, want) {
			return err
		}
		want = now
	}
	return nil
}

// same reports whether two tables hold the same blocks and redirects.
func same(a, b fwhelper.Table) bool {
	if len(a.Blocks) != len(b.Blocks) || len(a.Redirects) != len(b.Redirects) {
		return false
	}
	seen := map[string]bool{}
	for _, e := range a.Blocks {
		seen[e.Prefix.String()+" "+strconv.FormatInt(e.Until.UnixMicro(), 10)] = true
	}
	for _, r := range a.Redirects {
		seen[fmt.Sprint(r.From, r.Proto, r.Port, r.To, r.Until.UnixMicro())] = true
	}
	for _, e := range b.Blocks {
		if !seen[e.Prefix.String()+" "+strconv.FormatInt(e.Until.UnixMicro(), 10)] {
			return false
		}
	}
	for _, r := range b.Redirects {
		if !seen[fmt.Sprint(r.From, r.Proto, r.Port, r.To, r.Until.UnixMicro())] {
			return false
		}
	}
	return true
}
