package app

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/api"
	"honeyguide/internal/certs"
	"honeyguide/internal/warden"
)

// TLS configures the certificate of the operator's door.
type TLS struct {
	Cert     string `yaml:"cert" doc:"PEM file of your own certificate and its chain, read again when it changes; empty = a self-signed one"`
	Key      string `yaml:"key" doc:"PEM file of its key"`
	ClientCA string `yaml:"client_ca" doc:"PEM file of the authorities whose client certificates are taken; empty = none are asked for"`
	Client   string `yaml:"client" doc:"optional = peers may show a client certificate, required = who shows none is refused; a key or a login is wanted all the same"`
	ACME     ACME   `yaml:"acme"`
}

// ACME configures the certificate authority that is asked.
type ACME struct {
	Domains   []string `yaml:"domains" doc:"public names to get a certificate for from an authority by ACME; port 443 of them, or port 80 with api.redirect, has to lead here; empty = ask none"`
	Email     string   `yaml:"email" doc:"where the authority writes to"`
	Directory string   `yaml:"directory" doc:"directory URL of the authority; empty = Let's Encrypt"`
	Roots     string   `yaml:"roots" doc:"PEM file of the authority's own certificates; empty = those of this machine"`
}

// Limits are requests a minute of one key or user, by class of routes.
type Limits struct {
	Login  int `yaml:"login" doc:"requests a minute that prove who one is, of one address; 0 = any number, here and below"`
	Read   int `yaml:"read" doc:"requests a minute that look, of one key or user; one address may send four times as many, here and below"`
	Write  int `yaml:"write" doc:"requests a minute that change something"`
	Export int `yaml:"export" doc:"requests a minute for exports, recordings, samples and blocklists"`
	Ingest int `yaml:"ingest" doc:"requests a minute that bring in records"`
	Stream int `yaml:"stream" doc:"live streams opened a minute"`
	// Connections are counted before anybody says who they are.
	Connections int `yaml:"connections" doc:"connections one address may hold; loopback and api.proxies may hold more"`
}

const perAddress = 128 // connections: a few browsers behind one address, and their tools

func defaultLimits() Limits {
	l := api.DefaultLimits()
	return Limits{
		Login: l[api.ClassLogin], Read: l[api.ClassRead], Write: l[api.ClassWrite], Export: l[api.ClassExport],
		Ingest: l[api.ClassIngest], Stream: l[api.ClassStream], Connections: perAddress,
	}
}

func (l Limits) classes() api.Limits {
	return api.Limits{
		api.ClassLogin: l.Login, api.ClassRead: l.Read, api.ClassWrite: l.Write, api.ClassExport: l.Export,
		api.ClassIngest: l.Ingest, api.ClassStream: l.Stream, api.ClassFiles: api.DefaultLimits()[api.ClassFiles],
	}
}

// check checks what types cannot say.
func (s API) check() error {
	for _, n := range []int{s.Limits.Login, s.Limits.Read, s.Limits.Write, s.Limits.Export, s.Limits.Ingest, s.Limits.Stream, s.Limits.Connections} {
		if n < 0 || n > 10_000_000 {
			return invalid("api.limits: %d; want 0 to 10000000", n)
		}
	}
	switch {
	case s.TLS.Client != "optional" && s.TLS.Client != "required":
		return invalid("api.tls.client: %.80q; want optional or required", s.TLS.Client)
	case s.TLS.Client == "required" && s.TLS.ClientCA == "":
		return invalid("api.tls.client: required needs api.tls.client_ca")
	case (s.TLS.Cert == "") != (s.TLS.Key == ""):
		return invalid("api.tls: cert and key go together")
	case s.TLS.Cert != "" && len(s.TLS.ACME.Domains) > 0:
		return invalid("api.tls: want either cert and key or acme, not both")
	case s.TLS.ACME.Directory != "" && !strings.HasPrefix(s.TLS.ACME.Directory, "https://"):
		return invalid("api.tls.acme.directory: %.80q; want an https:// URL", s.TLS.ACME.Directory)
	case !strings.EqualFold(s.ProxyHeader, api.HeaderForwardedFor) && !strings.EqualFold(s.ProxyHeader, api.HeaderForwarded):
		return invalid("api.proxy_header: %.80q; want %s or %s", s.ProxyHeader, api.HeaderForwardedFor, api.HeaderForwarded)
	}
	for _, h := range s.Hosts {
		if h == "" || strings.ContainsAny(h, "/:*@ ") {
			return invalid("api.hosts: %.80q; want a name without scheme and port, such as soc.example", h)
		}
	}
	if s.Redirect != "" {
		if _, _, err := net.SplitHostPort(s.Redirect); err != nil {
			return invalid("api.redirect: %v; for example 0.0.0.0:80", err)
		}
	}
	if _, err := prefixes("api.proxies", s.Proxies); err != nil {
		return err
	}
	allow, err := prefixes("api.allow", s.Allow)
	if err != nil || len(allow) == 0 {
		return err
	}
	if loopbackAddress(s.Listen) && !slices.ContainsFunc(allow, func(p netip.Prefix) bool { return p.Addr().IsLoopback() || p.Bits() == 0 }) {
		return invalid("api.allow: api.listen is on loopback, and no loopback address is in it: nobody could come in; add 127.0.0.1")
	}
	return nil
}

// loopbackAddress reports whether only this machine can reach an address.
func loopbackAddress(listen string) bool {
	host, _, _ := net.SplitHostPort(listen)
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// guards are what stops a request at the API's door. On loopback without
// api.hosts only the names this machine is known by are served, so that a page
// whose name was made to point here gets nothing.
func (a *App) guards() api.Guards {
	s := a.settings.API
	g := api.Guards{Limits: s.Limits.classes(), Proxies: api.Proxies{Header: s.ProxyHeader}}
	g.Proxies.From, _ = prefixes("", s.Proxies) // checked with the settings
	g.Allow, _ = prefixes("", s.Allow)
	if len(s.Hosts) > 0 || loopbackAddress(s.Listen) {
		g.Hosts = slices.Concat(s.Hosts, a.certNames(), s.TLS.ACME.Domains)
		if u, err := url.Parse(s.URL); err == nil && u.Host != "" {
			g.Hosts = append(g.Hosts, u.Hostname())
		}
	}
	if u, err := url.Parse(a.consoleAddress()); err == nil && s.URL == "" && u.Hostname() == "localhost" && loopbackAddress(s.Listen) {
		g.Named = true
	}
	return g
}

// certNames are what the self-signed certificate is for.
func (a *App) certNames() []string {
	host, _, _ := net.SplitHostPort(a.settings.API.Listen)
	names := []string{host, a.settings.Node.Name}
	if u, err := url.Parse(a.settings.API.URL); err == nil && u.Host != "" {
		names = append(names, u.Hostname())
	}
	return append(names, a.settings.API.Hosts...)
}

// openCerts opens the certificate of the API's door.
func (a *App) openCerts() (*certs.Keeper, error) {
	s := a.settings.API
	k, err := certs.Open(certs.Options{
		Vault: a.vault, Hosts: a.certNames(), Cert: s.TLS.Cert, Key: s.TLS.Key,
		ClientCA: s.TLS.ClientCA, ClientRequired: s.TLS.Client == "required",
		ACME: certs.ACME{
			Domains: s.TLS.ACME.Domains, Email: s.TLS.ACME.Email, Directory: s.TLS.ACME.Directory, Roots: s.TLS.ACME.Roots,
			Dir: acmeFolder(a.settings), Listen: s.Listen, HTTP: s.Redirect,
		},
		Log: a.log, Now: a.now,
	})
	if err == nil {
		a.keeper.Store(k)
	}
	return k, err
}

// openRedirect opens the plain door that sends browsers to HTTPS. A nil listener
// says that there is none.
func (a *App) openRedirect(ctx context.Context, keeper *certs.Keeper, tlsAddr string) (l api.Listener, h http.Handler, err error) {
	if a.settings.API.Redirect == "" {
		return l, nil, nil
	}
	if l.Listener, err = warden.Listen(ctx, a.settings.API.Redirect, "api.redirect"); err != nil {
		return l, nil, err
	}
	l.PerAddress = a.settings.API.Limits.Connections
	to := a.settings.API.URL
	if to == "" {
		_, port, _ := net.SplitHostPort(tlsAddr)
		to = ":" + port
	}
	return l, keeper.Challenges(api.Redirect(to)), nil
}

// checkCertificate says which certificate people will see, and when it ends.
func checkCertificate(s Settings, now time.Time) Finding {
	if d := s.API.TLS.ACME.Domains; len(d) > 0 {
		return ok("certificate", "from an authority by ACME, for %s; the log says when one was got", strings.Join(d, ", "))
	}
	st, err := certs.Look(keysFolder(s), s.API.TLS.Cert, s.API.TLS.Key)
	left := int(st.NotAfter.Sub(now) / (24 * time.Hour))
	switch {
	case err != nil && s.API.TLS.Cert != "":
		return Finding{"certificate", StatusFail, fmt.Sprint(err), "docs/how-to/certificates-and-proxies.md"}
	case err != nil:
		return Finding{"certificate", StatusWarn, "self-signed, made at the first start", "set api.tls.cert and key, or api.tls.acme; see docs/how-to/certificates-and-proxies.md"}
	case left < 0:
		return Finding{"certificate", StatusFail, fmt.Sprintf("ended on %s", st.NotAfter.Format(time.DateOnly)), "renew it; the files are read again while the core runs"}
	case st.Kind == certs.KindSelfSigned && loopbackAddress(s.API.Listen):
		return ok("certificate", "self-signed, on loopback, until %s", st.NotAfter.Format(time.DateOnly))
	case st.Kind == certs.KindSelfSigned:
		return Finding{"certificate", StatusWarn, fmt.Sprintf("self-signed, until %s: people cannot tell it from somebody else's", st.NotAfter.Format(time.DateOnly)), "set api.tls.cert and key, or api.tls.acme; see docs/how-to/certificates-and-proxies.md"}
	case left < 21:
		return Finding{"certificate", StatusWarn, fmt.Sprintf("ends on %s, in %d days", st.NotAfter.Format(time.DateOnly), left), "renew it; the files are read again while the core runs"}
	}
	return ok("certificate", "your own, until %s (%d days)", st.NotAfter.Format(time.DateOnly), left)
}

// checkProxies says whose word about clients is believed.
func checkProxies(s Settings) Finding {
	list, _ := prefixes("", s.API.Proxies)
	wide := slices.ContainsFunc(list, func(p netip.Prefix) bool { return p.Addr().Is4() && p.Bits() < 16 || p.Addr().Is6() && p.Bits() < 48 })
	switch {
	case len(list) == 0:
		return ok("proxies", "none is believed: %s and the like are ignored", api.HeaderForwardedFor)
	case wide:
		return Finding{"proxies", StatusWarn, "api.proxies is wide: whoever is in it may say to be anybody", "name the proxies' own addresses"}
	}
	return ok("proxies", "%d networks are believed, by %s", len(list), s.API.ProxyHeader)
}
