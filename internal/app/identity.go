package app

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"regexp"
	"strings"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/auth"
	"honeyguide/internal/fetcher"
)

// Auth configures who may log in, and how.
type Auth struct {
	OIDC         map[string]auth.ProviderSettings `yaml:"oidc" doc:"OpenID Connect providers people may log in at, by id"`
	SecondFactor []string                         `yaml:"second_factor" doc:"roles that may do nothing before a second factor is set; with responder in it, also your own roles that may do more than an analyst"`
	BreachList   string                           `yaml:"breach_list" doc:"file or folder of stolen passwords' hashes, as Have I Been Pwned publishes them, that nobody may choose; empty = none"`
}

func defaultAuth() Auth {
	return Auth{SecondFactor: []string{string(auth.ScopeResponder), string(auth.ScopeAdmin)}}
}

var roleName = regexp.MustCompile(`^[a-z][a-z0-9-]{1,31}$`)

// check checks what types cannot say. A role may be made later.
func (s Auth) check() error {
	for _, r := range s.SecondFactor {
		if !roleName.MatchString(r) {
			return invalid("auth.second_factor: %.80q; want names of roles, such as responder", r)
		}
	}
	var faults error
	for id, p := range s.OIDC {
		faults = errors.Join(faults, auth.CheckProvider(id, p))
	}
	return faults
}

// openIdentity opens the users. What must be read again, such as the secrets of
// authenticator apps, is sealed under a key of this node.
func (a *App) openIdentity(context.Context) error {
	o := auth.Options{
		State: a.state, Box: a.vault.Box(), Audit: a.audit, SecondFactor: a.settings.Auth.SecondFactor, Metrics: a.metrics, Log: a.log, Now: a.now,
		Public: a.settings.API.URL, Listen: a.settings.API.Listen,
		Guessing: a.guessing,
		Revoked:  func(ids ...string) { a.live.Revoked(ids...) }, // a nil hub has no streams
	}
	if file := a.settings.Auth.BreachList; file != "" {
		breached, done, err := auth.OpenBreaches(file)
		if err != nil {
			return err
		}
		a.closers = append(a.closers, done)
		o.Breached = breached
	}
	a.identity = auth.NewService(o)
	return a.identity.Connect(auth.Providers{Address: a.consoleAddress(), Settings: a.settings.Auth.OIDC, Fetch: lateFetch{a}})
}

// lateFetch is the way to the network, which is opened after the users.
type lateFetch struct{ a *App }

// Do makes one request.
func (l lateFetch) Do(ctx context.Context, r fetcher.Request, w io.Writer) (fetcher.Response, error) {
	if l.a.fetch == nil {
		return fetcher.Response{}, errors.New("there is no way to the network here")
	}
	return l.a.fetch.Do(ctx, r, w)
}

// What localhost stands for: other addresses of the loopback network do not answer
// to it.
var loopback4, loopback6 = netip.AddrFrom4([4]byte{127, 0, 0, 1}), netip.IPv6Loopback()

// consoleAddress is where people reach the console: as configured, else this
// machine. Browsers want a name for passkeys, so loopback is localhost.
func (a *App) consoleAddress() string {
	if a.settings.API.URL != "" {
		return a.settings.API.URL
	}
	host, port, _ := net.SplitHostPort(a.settings.API.Listen)
	if _, bound, err := net.SplitHostPort(a.bound); err == nil && port == "0" {
		port = bound
	}
	if ip, err := netip.ParseAddr(host); host == "" || err == nil && (ip == loopback4 || ip == loopback6 || ip.IsUnspecified()) {
		host = "localhost"
	}
	return strings.TrimSuffix("https://"+net.JoinHostPort(host, port), ":443")
}

// firstRun makes the link of the first user, while there is none.
func (a *App) firstRun(ctx context.Context) (honeyguide.Secret, error) {
	link, ok, err := a.identity.FirstRun(ctx)
	if err != nil || !ok {
		return "", err
	}
	return honeyguide.Secret(api.LinkTo(a.consoleAddress(), link.Token)), nil
}
