package app

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"honeyguide/internal/api"
	"honeyguide/internal/builtin"
	"honeyguide/internal/client"
	"honeyguide/internal/config"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
)

// rememberedIDs is how many ids of records stored lately are known, see ingest.Seen.
const rememberedIDs = 1 << 17

// sourceInstances describes the section of sources. None exists unless it is
// configured: only the operator knows where other products write.
func sourceInstances() *config.Instances {
	kinds := map[string]any{}
	for _, k := range builtin.Sources() {
		kinds[k.Name] = k.Defaults
	}
	return &config.Instances{Common: source.Feed{Format: ingest.FormatAuto}, Kinds: kinds}
}

// sourceSettings reads the sources. Events name where they come from, so a source
// may not have the name of a decoy.
func sourceSettings(t *config.Tree, sensors []config.Instance) ([]config.Instance, error) {
	instances, err := t.Instances("sources")
	errs := []error{err}
	for _, in := range instances {
		k, err := builtin.Sources().Lookup(in.Kind)
		if err == nil && in.Enabled {
			err = k.Check(kind.Decode(in.Decode))
		}
		if err == nil {
			_, err = in.Common.(*source.Feed).Location()
		}
		if err != nil {
			errs = append(errs, invalid("sources.%s: %v", in.Name, err))
		}
		if slices.ContainsFunc(sensors, func(s config.Instance) bool { return s.Name == in.Name }) {
			errs = append(errs, invalid("sources.%s: a sensor has this name; choose another", in.Name))
		}
	}
	return instances, errors.Join(errs...)
}

// openSources prepares the configured sources; [App.Run] opens and runs them.
func (a *App) openSources(ctx context.Context) (err error) {
	if a.mappers, err = ingest.OpenAll(ctx, builtin.Mappers(), ingest.Deps{}); err != nil {
		return err
	}
	a.seen = ingest.NewSeen(rememberedIDs)
	var list []source.Instance
	for _, in := range a.settings.Sources {
		k, err := builtin.Sources().Lookup(in.Kind)
		if err != nil {
			return err
		}
		feed := *in.Common.(*source.Feed)
		if names := ingest.FormatNames(a.mappers); feed.Format != "" && !slices.Contains(names, feed.Format) {
			return invalid("sources.%s.format: there is no format %q; there are: %v", in.Name, feed.Format, names)
		}
		list = append(list, source.Instance{
			Name: in.Name, Kind: k, Enabled: in.Enabled, Feed: feed, Decode: kind.Decode(in.Decode),
			Deps: source.Deps{In: os.Stdin, Listen: listen},
		})
	}
	a.sources, err = source.NewHost(source.HostDeps{
		Take: a.intake.Store, Log: a.events, Find: a.events, State: a.state, Mappers: a.mappers, Seen: a.seen,
		Metrics: a.metrics, Logger: a.log, Now: a.now,
	}, list)
	return err
}

// listen opens the door of a source.
func listen(ctx context.Context, network, addr string) (net.Listener, net.PacketConn, error) {
	var lc net.ListenConfig
	lc.SetMultipathTCP(false)
	if network == "udp" {
		c, err := lc.ListenPacket(ctx, network, addr)
		return nil, c, err
	}
	l, err := lc.Listen(ctx, network, addr)
	return l, nil, err
}

// sourceList shows the sources.
func (a *App) sourceList(context.Context) []api.Source {
	var out []api.Source
	for _, s := range a.sources.List() {
		out = append(out, api.Source(s))
	}
	return out
}

// checkSources asks a running core what its sources say.
func checkSources(ctx context.Context, s Settings) Finding {
	enabled := 0
	for _, in := range s.Sources {
		if in.Enabled {
			enabled++
		}
	}
	if enabled == 0 {
		return ok("sources", "none is configured: only what the decoys see and what is handed in comes in")
	}
	cl := client.Unix(filepath.Join(s.Node.Data, SocketName))
	if !cl.Alive(ctx) {
		return ok("sources", "%d configured; the core does not run", enabled)
	}
	var p client.Page[source.Status]
	if err := cl.Get(ctx, "/api/v1/sources", nil, &p); err != nil {
		return Finding{"sources", StatusWarn, err.Error(), "look at the core's log"}
	}
	var bad []string
	for _, one := range p.Items {
		if one.State == source.StateFailing {
			bad = append(bad, one.Name+": "+one.Detail)
		}
	}
	if len(bad) > 0 {
		return Finding{"sources", StatusFail, strings.Join(bad, "; "), "honeyguide sources show NAME says more"}
	}
	return ok("sources", "%d of %d do their work", enabled-len(bad), enabled)
}
