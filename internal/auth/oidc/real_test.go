package oidc

import (
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
	real "honeyguide/test/oidc"
)

// TestRealProvider signs in at the provider of npm's oidc-provider.
func TestRealProvider(t *testing.T) {
	const base = "https://soc.example"
	issuer := real.Start(t, real.Client{ID: clientID, Secret: clientSecret, Redirect: base + CallbackPath("corp")})
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(u.Host)
	fetch, err := fetcher.Uncaged(ipc.FetchSetup{Ways: []ipc.FetchWay{{Scheme: "http", Host: at.Addr().String(), Port: at.Port()}}, Inside: []string{at.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	set := Settings{Issuer: issuer, ClientID: clientID, ClientSecret: clientSecret, RoleClaim: "groups", Roles: map[string]string{"soc-admins": "admin", "soc": "analyst"}}
	open := func(change func(*Settings)) *Provider {
		s := set
		change(&s)
		p, err := New("corp", s, Options{Fetch: fetch, Base: base, Flights: NewFlights(time.Now), Now: time.Now})
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	p := open(func(*Settings) {})
	signIn := func(p *Provider, who string) (Identity, error) {
		t.Helper()
		location, cookie, err := p.Start(t.Context(), "/")
		if err != nil {
			return Identity{}, err
		}
		got, _, err := p.Finish(t.Context(), real.Visit(t, location, p.Redirect(), who), cookie)
		return got, err
	}

	want := Identity{Provider: "corp", Issuer: issuer, Subject: "ann", Name: "ann", Display: "Ann Miller", Email: "ann@corp.example", EmailVerified: true, Role: "admin"}
	if got, err := signIn(p, "ann"); err != nil || got != want {
		t.Errorf("ann: %+v, %v", got, err)
	}
	if got, err := signIn(p, "bob"); err != nil || got.Role != "analyst" || got.EmailVerified {
		t.Errorf("bob: %+v, %v", got, err)
	}
	if _, err := signIn(p, "eve"); ProblemOf(err) != NoRole {
		t.Errorf("eve, who has no group: %v", err)
	}
	if _, err := signIn(p, "mallory"); ProblemOf(err) != Denied {
		t.Errorf("mallory, whom the provider does not know: %v", err)
	}
	if _, err := signIn(open(func(s *Settings) { s.AllowDomains = []string{"corp.example"} }), "bob"); ProblemOf(err) != Domain {
		t.Errorf("bob, whose address is not verified: %v", err)
	}
	if _, err := signIn(open(func(s *Settings) { s.ClientSecret = "a wrong one" }), "ann"); ProblemOf(err) != Down || !strings.Contains(err.Error(), "client_secret") {
		t.Errorf("with a wrong secret: %v", err)
	}
	if _, err := signIn(open(func(s *Settings) { s.Issuer += "/" }), "ann"); ProblemOf(err) != Impostor {
		t.Errorf("with another issuer: %v", err)
	}

	// The provider takes each code once, and only with the verifier it was asked for with.
	location, cookie, err := p.Start(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	back := real.Visit(t, location, p.Redirect(), "ann")
	if back.Get("iss") != issuer {
		t.Errorf("the provider does not name itself: %v", back)
	}
	if _, _, err := p.Finish(t.Context(), back, cookie); err != nil {
		t.Fatal(err)
	}
	for name, code := range map[string]string{"spent": back.Get("code"), "of another browser": func() string {
		location, _, err := p.Start(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		return real.Visit(t, location, p.Redirect(), "ann").Get("code")
	}()} {
		location, cookie, err := p.Start(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		mine := real.Visit(t, location, p.Redirect(), "ann")
		mine.Set("code", code)
		if _, _, err := p.Finish(t.Context(), mine, cookie); ProblemOf(err) != Impostor || !strings.Contains(err.Error(), "does not take the code") {
			t.Errorf("a code that is %s: %v", name, err)
		}
	}
}
