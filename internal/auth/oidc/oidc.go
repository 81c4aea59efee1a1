// Package oidc is signing in at an OpenID Connect provider of the operator: code
// flow with PKCE S256, state, nonce and the checks of OpenID Connect Core 1.0,
// 3.1.3.7, and RFC 9207.
//
// Somebody is known by issuer and subject alone. An e-mail address links nothing:
// providers let people change theirs.
package oidc

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"

	"honeyguide"
	"honeyguide/internal/fetcher"
)

// Options are what providers stand on.
type Options struct {
	Fetch   fetcher.Doer
	Base    string // https://HOST[:PORT] of the console, as browsers reach it
	Flights *Flights
	Now     func() time.Time
	Patient time.Duration // how long one answer may take; 0 means ten seconds
}

// A Provider lets people in who come from one provider.
type Provider struct {
	honeyguide.Veil
	id       string
	set      Settings
	key      honeyguide.Secret
	redirect string
	http     *http.Client
	flights  *Flights
	now      func() time.Time
	slot     chan struct{} // held while known is read or made
	known    *document     // nil: not asked yet
	fault    error         // of asking last time
	next     time.Time     // when to ask again
}

// A document is what a provider says about itself.
type document struct {
	op      *gooidc.Provider
	keys    string         // where its keys are
	check   *gooidc.Config // of tokens
	style   oauth2.AuthStyle
	saysISS bool // it names itself in answers (RFC 9207)
	at      time.Time
}

// How often a provider is asked about itself.
const (
	fresh = time.Hour        // after an answer
	again = 15 * time.Second // after none, so that a provider that hangs holds up nobody else
	stale = 24 * time.Hour   // for so long an old answer is used when there is no new one
)

// What clocks may differ, and how old a token may be that was just asked for.
const (
	skew   = time.Minute
	ahead  = 5 * time.Minute
	oldest = 10 * time.Minute
)

// New returns a provider. It asks nothing before the first sign-in, so that one
// that is down keeps nothing else from starting.
func New(id string, s Settings, o Options) (*Provider, error) {
	if err := s.Tidy(id); err != nil {
		return nil, err
	}
	key, err := s.secret(id)
	if err != nil {
		return nil, err
	}
	if o.Base == "" || o.Fetch == nil || o.Flights == nil || o.Now == nil {
		return nil, errors.New("oidc: base, fetch, flights and now are needed")
	}
	if o.Patient <= 0 {
		o.Patient = answerTime
	}
	return &Provider{
		id: id, set: s, key: key, redirect: strings.TrimSuffix(o.Base, "/") + CallbackPath(id),
		http: client(o.Fetch, o.Patient), flights: o.Flights, now: o.Now, slot: make(chan struct{}, 1),
	}, nil
}

// CallbackPath returns the path a provider sends browsers back to.
func CallbackPath(id string) string { return "/api/v1/auth/oidc/" + id + "/callback" }

// ID returns the id of the settings.
func (p *Provider) ID() string { return p.id }

// Label returns what the button says.
func (p *Provider) Label() string { return p.set.Label }

// Redirect returns the address to register at the provider.
func (p *Provider) Redirect() string { return p.redirect }

// Ways returns where the provider is asked, for the process that reaches out.
func (p *Provider) Ways() []fetcher.Way {
	w, err := fetcher.WayTo(p.set.Issuer)
	if err != nil {
		return nil
	}
	return []fetcher.Way{w}
}

// Start begins a sign-in: where to send the browser, and the cookie it has to
// bring back. to is the path to go to afterwards. The error is a [Refusal].
func (p *Provider) Start(ctx context.Context, to string) (location, cookie string, err error) {
	doc, err := p.document(ctx)
	if err != nil {
		return "", "", err
	}
	fl, cookie, err := p.flights.begin(p.id, to)
	if err != nil {
		return "", "", err
	}
	return p.oauth(doc).AuthCodeURL(fl.State, gooidc.Nonce(fl.Nonce), oauth2.S256ChallengeOption(fl.Verifier)), cookie, nil
}

func (p *Provider) oauth(doc *document) *oauth2.Config {
	e := doc.op.Endpoint()
	e.AuthStyle = doc.style // a guess that fails would spend the code
	return &oauth2.Config{ClientID: p.set.ClientID, ClientSecret: p.key.Reveal(), Endpoint: e, RedirectURL: p.redirect, Scopes: append([]string{gooidc.ScopeOpenID}, p.set.Scopes...)}
}

// Finish ends a sign-in with what the browser brought back: the query of the
// callback and the cookie. It returns who it is and the path to go to. The error is
// a [Refusal].
func (p *Provider) Finish(ctx context.Context, q url.Values, cookie string) (Identity, string, error) {
	for _, name := range []string{"state", "code", "iss", "error"} {
		if len(q[name]) > 1 {
			return Identity{}, "/", refuse(Impostor, name+" comes more than once", nil)
		}
	}
	fl, err := p.flights.land(p.id, q.Get("state"), cookie)
	if err != nil {
		return Identity{}, "/", err
	}
	doc, err := p.document(ctx)
	if err != nil {
		return Identity{}, fl.To, err
	}
	if err := p.issuer(doc, q); err != nil {
		return Identity{}, fl.To, err
	}
	if no := q.Get("error"); no != "" {
		return Identity{}, fl.To, refuse(Denied, "the provider answers with an error", errors.New(no+" "+q.Get("error_description")))
	}
	code := q.Get("code")
	if code == "" || len(code) > 4096 {
		return Identity{}, fl.To, refuse(Impostor, "no code came back", nil)
	}
	ctx = gooidc.ClientContext(ctx, p.http)
	tok, err := p.oauth(doc).Exchange(ctx, code, oauth2.VerifierOption(fl.Verifier))
	if err != nil {
		return Identity{}, fl.To, exchangeFault(err)
	}
	who, err := p.identity(ctx, doc, tok, fl.Nonce)
	return who, fl.To, err
}

// issuer checks who answered (RFC 9207): a code of one provider must not be taken
// to another.
func (p *Provider) issuer(doc *document, q url.Values) error {
	switch iss := q.Get("iss"); {
	case q.Has("iss") && iss != p.set.Issuer:
		return refuse(Impostor, "the answer is that of another issuer", fmt.Errorf("iss is %.200q", iss))
	case doc.saysISS && !q.Has("iss"):
		return refuse(Impostor, "the provider names itself in answers, and this one names nobody", nil)
	}
	return nil
}

// exchangeFault says what became of a code.
func exchangeFault(err error) error {
	r, ok := errors.AsType[*oauth2.RetrieveError](err)
	switch {
	case ok && r.ErrorCode == "invalid_grant":
		return refuse(Impostor, "the provider does not take the code: it was used, has ended, or is not ours", errors.New(r.ErrorCode))
	case ok && (r.ErrorCode == "invalid_client" || r.ErrorCode == "unauthorized_client"):
		return refuse(Down, "the provider does not know client_id and client_secret", errors.New(r.ErrorCode))
	case ok:
		status := 0
		if r.Response != nil {
			status = r.Response.StatusCode
		}
		return refuse(Down, "the provider does not take the code", fmt.Errorf("status %d %s", status, r.ErrorCode))
	}
	return refuse(Down, "the provider gives no token", bare(err))
}

// bare takes the address out of an error.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		return u.Err
	}
	return err
}

// document returns what the provider says about itself, asking when that is not
// known or old. One asks; the others wait for what it gets.
func (p *Provider) document(ctx context.Context) (*document, error) {
	select {
	case p.slot <- struct{}{}:
		defer func() { <-p.slot }()
	case <-ctx.Done():
		return nil, refuse(Down, "the provider did not answer in time", ctx.Err())
	}
	now := p.now()
	if wait := p.next.Sub(now); wait > 0 && wait <= fresh {
		return p.known, p.fault
	}
	doc, err := p.discover(ctx, now)
	switch {
	case err == nil:
		p.known, p.fault, p.next = doc, nil, now.Add(fresh)
	case p.known != nil && now.Sub(p.known.at) < stale:
		p.next = now.Add(again)
	case ctx.Err() != nil: // somebody left; that says nothing about the provider
		return nil, err
	default:
		p.known, p.fault, p.next = nil, err, now.Add(again)
	}
	return p.known, p.fault
}

// discover asks the provider about itself.
func (p *Provider) discover(ctx context.Context, now time.Time) (*document, error) {
	op, err := gooidc.NewProvider(gooidc.ClientContext(ctx, p.http), p.set.Issuer)
	if other, ok := errors.AsType[*gooidc.IssuerMismatchError](err); ok {
		return nil, refuse(Impostor, "the provider calls itself otherwise than auth.oidc."+p.id+".issuer", fmt.Errorf("it says %.200q", other.Discovered))
	}
	if err != nil {
		return nil, refuse(Down, "the provider does not say where to sign in", bare(err))
	}
	var more struct {
		JWKS    string   `json:"jwks_uri"`
		Methods []string `json:"token_endpoint_auth_methods_supported"`
		SaysISS bool     `json:"authorization_response_iss_parameter_supported"`
		Algs    []string `json:"id_token_signing_alg_values_supported"`
	}
	if err := op.Claims(&more); err != nil {
		return nil, refuse(Down, "what the provider says about itself cannot be read", err)
	}
	plain := strings.HasPrefix(p.set.Issuer, "http:") // on this machine, see address
	for name, text := range map[string]string{"authorization_endpoint": op.Endpoint().AuthURL, "token_endpoint": op.Endpoint().TokenURL, "jwks_uri": more.JWKS} {
		if _, err := address(text, plain); err != nil {
			return nil, refuse(Impostor, name+" of the provider is no address to go to", err)
		}
	}
	if info := op.UserInfoEndpoint(); info != "" {
		if _, err := address(info, plain); err != nil {
			return nil, refuse(Impostor, "userinfo_endpoint of the provider is no address to go to", err)
		}
	}
	doc := &document{op: op, keys: more.JWKS, saysISS: more.SaysISS, at: now, style: p.style(more.Methods)}
	doc.check = &gooidc.Config{
		ClientID: p.set.ClientID, SupportedSigningAlgs: algorithms(more.Algs),
		Now: func() time.Time { return p.now().Add(-skew) },
	}
	return doc, nil
}

// verifier checks one token with the keys the provider has at this moment: a key
// it took back is good for nothing from then on. That is a question more for each
// sign-in, of which there are few.
func (p *Provider) verifier(ctx context.Context, doc *document) *gooidc.IDTokenVerifier {
	return gooidc.NewVerifier(p.set.Issuer, gooidc.NewRemoteKeySet(gooidc.ClientContext(ctx, p.http), doc.keys), doc.check)
}

// style says how the secret is sent: the way of the standard unless the provider
// takes only the other.
func (p *Provider) style(methods []string) oauth2.AuthStyle {
	if p.key == "" || len(methods) > 0 && !slices.Contains(methods, "client_secret_basic") {
		return oauth2.AuthStyleInParams
	}
	return oauth2.AuthStyleInHeader
}

// signing are the algorithms taken: those with a public key. With a shared secret
// anybody who holds our client_secret could sign, and "none" signs nothing.
var signing = []string{"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"}

// algorithms returns those of the provider that are taken, RS256 when it names
// none (OpenID Connect Core 1.0, 15.1).
func algorithms(said []string) []string {
	var out []string
	for _, a := range signing {
		if slices.Contains(said, a) {
			out = append(out, a)
		}
	}
	if len(out) == 0 {
		out = []string{"RS256"}
	}
	return out
}
