package app

import (
	"bytes"
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"os"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
	"honeyguide/internal/respond"
	"honeyguide/internal/supervise"
)

// fetchArg makes the binary the process that reaches out. It is no verb.
const fetchArg = "fetcher-process"

// Fetch configures the process that reaches out for feeds, databases and
// reputation.
type Fetch struct {
	Allow     []string          `yaml:"allow" doc:"addresses and prefixes it may ask although they are not public: a MISP or TAXII server of your own"`
	Ports     []int             `yaml:"ports" doc:"ports it may connect to"`
	Resolvers []string          `yaml:"resolvers" doc:"name servers; empty = the host's"`
	Proxy     honeyguide.Secret `yaml:"proxy" doc:"URL of an HTTP proxy, http://host:port; empty = none. The environment is not asked"`
	CA        string            `yaml:"ca" doc:"file of further authorities to trust, PEM"`
}

// setup checks the section and says it in the words of the process.
func (f Fetch) setup() (ipc.FetchSetup, error) {
	s := ipc.FetchSetup{Proxy: f.Proxy.Reveal(), Agent: "honeyguide"}
	for _, p := range f.Ports {
		if p < 1 || p > 65535 {
			return s, invalid("fetch.ports: %d; want 1 to 65535", p)
		}
		s.Ports = append(s.Ports, uint16(p))
	}
	for _, text := range f.Allow {
		p, err := respond.ParseTarget(text)
		if err != nil {
			return s, invalid("fetch.allow: %v", err)
		}
		s.Allow = append(s.Allow, p)
	}
	for _, text := range f.Resolvers {
		a, err := netip.ParseAddr(text)
		at := netip.AddrPortFrom(a, 53)
		if err != nil {
			if at, err = netip.ParseAddrPort(text); err != nil {
				return s, invalid("fetch.resolvers: %.60q is no address", text)
			}
		}
		s.Resolvers = append(s.Resolvers, at)
	}
	if s.Proxy != "" {
		u, err := url.Parse(s.Proxy)
		if err != nil || u.Scheme != "http" || u.Port() == "" {
			return s, invalid("fetch.proxy: want http://HOST:PORT")
		}
		port, err := strconv.ParseUint(u.Port(), 10, 16)
		if err != nil {
			return s, invalid("fetch.proxy: want http://HOST:PORT")
		}
		s.Ports = append(s.Ports, uint16(port))
	}
	if f.CA != "" {
		raw, err := os.ReadFile(f.CA)
		if err != nil {
			return s, invalid("fetch.ca: %v", err)
		}
		s.Roots = raw
	}
	return s, nil
}

// newFetcher prepares the process that reaches out.
func newFetcher(s Settings, log *slog.Logger, o fetcher.Options) (*fetcher.Process, error) {
	setup, err := s.Fetch.setup()
	if err != nil {
		return nil, err
	}
	o.Args, o.Setup, o.Log = []string{fetchArg}, setup, log
	o.NoNamespaces, o.Insecure = s.Deception.Namespaces == "off", s.Deception.Insecure
	return fetcher.New(o), nil
}

// openFetch prepares the way to the network. The process starts with the core,
// and only when something asks.
func (a *App) openFetch(context.Context) error {
	p, err := newFetcher(a.settings, a.log, fetcher.Options{Metrics: a.metrics})
	if err != nil {
		return err
	}
	a.fetcher, a.fetch = p, p
	return nil
}

// keepFetch runs the process when anything is configured that reaches out.
// It is opened for what the actions are configured to tell, and for nothing else.
func (a *App) keepFetch(ctx context.Context, g *supervise.Group) {
	wanted := false
	for _, e := range a.enrichers {
		if out, ok := e.Enricher.(enrich.Outbound); ok && out.ReachesOut() {
			wanted = true
		}
	}
	for _, action := range a.actions {
		if out, ok := action.(respond.Outbound); ok {
			a.fetcher.Permit(out.Ways()...)
			wanted = true
		}
	}
	if ways, inside := a.identity.Ways(); len(ways) > 0 {
		a.fetcher.Permit(ways...)
		a.fetcher.PermitInside(inside...)
		wanted = true
	}
	if way, ok := a.settings.Audit.way(); ok {
		a.fetcher.Permit(way)
		wanted = true
	}
	if wanted {
		g.Keep(ctx, "fetcher process", a.fetcher.Run)
	}
}

// downloadTime is how long a download may take.
const downloadTime = 10 * time.Minute

// download fetches one document of at most n bytes by a process of its own.
func download(ctx context.Context, s Settings, address string, n int64) ([]byte, error) {
	p, err := newFetcher(s, nil, fetcher.Options{})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(ctx)
	g := supervise.New(nil)
	g.Go(running, "fetcher process", func(running context.Context) error {
		err := p.Run(running)
		stop() // it is started once
		return err
	})
	var body bytes.Buffer
	r, err := p.Do(running, fetcher.Request{URL: address, MaxBytes: n, Timeout: downloadTime}, &body)
	stop()
	if werr := g.Wait(); werr != nil && err != nil {
		err = werr
	}
	switch {
	case err != nil:
		return nil, fmt.Errorf("download: %w", err)
	case r.Status != 200:
		return nil, fmt.Errorf("download: the server answers %d", r.Status)
	}
	return body.Bytes(), nil
}
