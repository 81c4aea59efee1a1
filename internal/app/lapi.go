package app

import (
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"

	"honeyguide/internal/api"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/certs"
	"honeyguide/internal/supervise"
	"honeyguide/internal/warden"
)

// LAPI configures the door for CrowdSec bouncers.
type LAPI struct {
	Listen string `yaml:"listen" doc:"address of a door for CrowdSec bouncers alone, for example 127.0.0.1:8080; empty = none, they use the API's. Plain HTTP on loopback, HTTPS with the API's certificate elsewhere"`
}

// validate checks what types cannot say.
func (l LAPI) validate() error {
	if l.Listen == "" {
		return nil
	}
	if _, _, err := net.SplitHostPort(l.Listen); err != nil {
		return invalid("lapi.listen: %v; for example 127.0.0.1:8080", err)
	}
	return nil
}

// openLists makes the list of what is blocked and the book of who reads it.
func (a *App) openLists() {
	if a.lists == nil {
		a.lists = blocklist.New(blocklist.Options{State: a.state, Actions: a.blocking(), Now: a.now, Log: a.log})
		a.readers = blocklist.NewBook(a.state, a.log)
	}
}

// blocking names the actions that block addresses, whatever the operator called them.
func (a *App) blocking() []string {
	names := blocklist.DefaultActions()
	for _, in := range a.settings.Actions {
		if slices.Contains(blocklist.DefaultActions(), in.Kind) && !slices.Contains(names, in.Name) {
			names = append(names, in.Name)
		}
	}
	return names
}

// keepLists keeps both up to date.
func (a *App) keepLists(ctx context.Context, g *supervise.Group) {
	a.openLists()
	g.Keep(ctx, "blocklist", a.lists.Run)
	g.Keep(ctx, "blocklist readers", a.readers.Run)
}

// openLAPI opens the door for bouncers. A nil listener says that there is none.
func (a *App) openLAPI(ctx context.Context, deps api.Deps, keeper *certs.Keeper) (l api.Listener, h http.Handler, err error) {
	if a.settings.LAPI.Listen == "" {
		return l, nil, nil
	}
	if h, err = api.Bouncers(deps); err != nil {
		return l, nil, err
	}
	if l.Listener, err = warden.Listen(ctx, a.settings.LAPI.Listen, "lapi.listen"); err != nil {
		return l, nil, err
	}
	// What was bound counts, not what was written: a name may stand for any address.
	bound, err := netip.ParseAddrPort(l.Addr().String())
	if err == nil && bound.Addr().Unmap().IsLoopback() {
		return l, h, nil
	}
	l.TLS = keeper.Config()
	return l, h, nil
}
