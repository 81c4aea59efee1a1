package app

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"

	"honeyguide"
	"honeyguide/internal/builtin"
	"honeyguide/internal/config"
	"honeyguide/internal/detect"
	"honeyguide/internal/enrich"
	"honeyguide/internal/kind"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/supervise"
)

// enrichSection describes the kinds of enrichment. Those that ask nobody exist
// without being configured; a service exists once it is named.
func enrichSection() config.Section {
	kinds := map[string]any{}
	for _, k := range builtin.Enrichers() {
		kinds[k.Name] = k.Defaults
	}
	return config.Section{Key: "enrich", Summary: "what is known about addresses, names, hashes and machines", Instances: &config.Instances{
		Common: struct{}{}, Kinds: kinds,
		Preset: map[string]config.Preset{"geo": {Kind: "geo"}, "assets": {Kind: "assets"}, "feeds": {Kind: "feeds"}},
	}}
}

// decodeEnrich reads the section and checks every kind.
func decodeEnrich(t *config.Tree) ([]config.Instance, error) {
	instances, err := t.Instances("enrich")
	if err != nil {
		return nil, err
	}
	seen := map[string]string{}
	for _, in := range instances {
		k, err := builtin.Enrichers().Lookup(in.Kind)
		if err != nil {
			return nil, err
		}
		if err := k.Check(kind.Decode(in.Decode)); err != nil {
			return nil, invalid("enrich.%s: %v", in.Name, err)
		}
		if other, twice := seen[in.Kind]; twice && in.Enabled {
			return nil, invalid("enrich.%s: there is one %s already: %s", in.Name, in.Kind, other)
		}
		if in.Enabled {
			seen[in.Kind] = in.Name
		}
	}
	return instances, nil
}

// An enricher is one opened kind and its name.
type enricher struct {
	name string
	enrich.Enricher
}

// openEnrich opens what is configured. Nothing is read yet.
func (a *App) openEnrich(ctx context.Context) error {
	var services []enrich.Service
	for _, in := range a.settings.Enrich {
		if !in.Enabled {
			continue
		}
		k, err := builtin.Enrichers().Lookup(in.Kind)
		if err != nil {
			return err
		}
		e, err := k.Open(ctx, kind.Decode(in.Decode), enrich.Deps{
			Dir: a.settings.Node.Data, Fetch: a.fetch, Metrics: a.metrics, Log: a.log.With(slog.String("enrich", in.Name)), Now: a.now,
		})
		if err != nil {
			return fmt.Errorf("enrich.%s: %w", in.Name, err)
		}
		a.enrichers = append(a.enrichers, enricher{in.Name, e})
		switch e := e.(type) {
		case enrich.Local:
			a.locals = append(a.locals, e)
		case enrich.Service:
			services = append(services, e)
		}
	}
	var own []netip.Prefix
	for key, list := range map[string][]string{"detect.allowlist": a.settings.Detect.Allowlist, "respond.allowlist": a.settings.Respond.Allowlist} {
		more, err := prefixes(key, list)
		if err != nil {
			return err
		}
		own = append(own, more...)
	}
	a.desk = enrich.NewDesk(enrich.DeskDeps{
		State: a.state, Fetch: a.fetch, Services: services, Own: own, Rescore: detect.Reputation, Metrics: a.metrics, Log: a.log, Now: a.now,
	})
	load := context.WithoutCancel(ctx)
	a.loadFacts = sync.OnceFunc(func() {
		for _, l := range a.locals {
			l.Load(load)
		}
	})
	return nil
}

// keepFacts runs what keeps the local facts up to date.
func (a *App) keepFacts(ctx context.Context, g *supervise.Group) {
	for _, e := range a.enrichers {
		if l, ok := e.Enricher.(enrich.Local); ok {
			g.Keep(ctx, "enrich "+e.name, l.Run)
		}
	}
	g.Keep(ctx, "enrichment desk", a.desk.Run)
}

// facts returns the fact of the intake that asks all local kinds. What is on the
// disk is read at the latest with the first event: a command that only shows
// something does not wait for it.
func (a *App) facts() pipeline.Fact {
	return func(e *honeyguide.Event) []honeyguide.Event {
		a.loadFacts()
		enrich.Clear(e)
		for _, l := range a.locals {
			l.Fact(e)
		}
		return nil
	}
}

// enrichStatus says how every source of facts stands.
func (a *App) enrichStatus(context.Context) []enrich.Status {
	a.loadFacts()
	out := []enrich.Status{}
	for _, e := range a.enrichers {
		out = append(out, e.Status()...)
	}
	return append(out, a.desk.Status()...)
}

// checkEnrich reads what is on the disk and says what is missing or old.
func checkEnrich(ctx context.Context, s Settings) []Finding {
	var out []Finding
	var services []string
	geo := false
	for _, in := range s.Enrich {
		k, err := builtin.Enrichers().Lookup(in.Kind)
		if err != nil || !in.Enabled {
			continue
		}
		e, err := k.Open(ctx, kind.Decode(in.Decode), enrich.Deps{Dir: s.Node.Data})
		if err != nil {
			out = append(out, Finding{"enrich." + in.Name, StatusFail, fmt.Sprint(err), "mend the setting; see docs/how-to/enrich.md"})
			continue
		}
		l, local := e.(enrich.Local)
		if !local {
			services = append(services, in.Name)
			continue
		}
		l.Load(ctx)
		for _, st := range l.Status() {
			geo = geo || st.Kind == "geo" && st.Items > 0
			out = append(out, enrichFinding(st))
		}
	}
	if !geo {
		out = append(out, Finding{"geo", StatusWarn, "no database of countries and networks", "honeyguide geo update --file COUNTRY.mmdb; any MMDB file will do, see docs/how-to/enrich.md"})
	}
	if len(services) > 0 {
		slices.Sort(services)
		out = append(out, Finding{"reputation", StatusWarn, "attackers' addresses are told to " + strings.Join(services, ", "), "nothing, if you want that; remove enrich." + services[0] + " and the others if not"})
	}
	return out
}

// enrichFinding judges one source.
func enrichFinding(st enrich.Status) Finding {
	text := fmt.Sprintf("%d entries", st.Items)
	if !st.AsOf.IsZero() {
		text += ", data of " + st.AsOf.UTC().Format("2006-01-02 15:04")
	}
	if st.Bad > 0 {
		text += fmt.Sprintf(", %d bad lines", st.Bad)
	}
	switch st.State {
	case enrich.StateOK:
		return ok(st.Name, "%s", text)
	case enrich.StateEmpty:
		return Finding{st.Name, StatusWarn, "nothing was loaded yet", "start the core, so that it is fetched, or check the file"}
	case enrich.StateStale:
		return Finding{st.Name, StatusWarn, text + "; " + st.Detail, "bring it up to date"}
	}
	return Finding{st.Name, StatusFail, st.Detail, "mend the file or the address: " + st.Source}
}
