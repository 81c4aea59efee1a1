package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
	"honeyguide/test/oidc"
)

// provided is an API in front of the real provider.
func provided(t *testing.T, change func(*auth.ProviderSettings)) *rig {
	t.Helper()
	issuer := oidc.Start(t, oidc.Client{ID: "honeyguide", Secret: "s", Redirect: consoleAt + auth.CallbackPath("corp")})
	u, err := url.Parse(issuer)
	if err != nil {
		t.Fatal(err)
	}
	at := netip.MustParseAddrPort(u.Host)
	fetch, err := fetcher.Uncaged(ipc.FetchSetup{Ways: []ipc.FetchWay{{Scheme: "http", Host: at.Addr().String(), Port: at.Port()}}, Inside: []string{at.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	set := auth.ProviderSettings{Issuer: issuer, ClientID: "honeyguide", ClientSecret: "s", Label: "Corp", RoleClaim: "groups", Roles: map[string]string{"soc-admins": "admin", "soc": "analyst"}}
	change(&set)
	return newRig(t, func(d *Deps) {
		d.Identity = auth.NewService(auth.Options{State: d.State, Metrics: d.Metrics, Log: d.Log, SecondFactor: []string{"admin"}})
		if err := d.Identity.Connect(auth.Providers{Address: consoleAt, Settings: map[string]auth.ProviderSettings{"corp": set}, Fetch: fetch}); err != nil {
			t.Fatal(err)
		}
	})
}

const consoleAt = "https://soc.example"

// visit is a browser with some cookies.
func visit(r *rig, path string, cookies ...*http.Cookie) *http.Response {
	req := httptest.NewRequest(http.MethodGet, path, nil)
	req.RemoteAddr = "203.0.113.9:4711"
	for _, c := range cookies {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w.Result()
}

func cookieNamed(res *http.Response, name string) *http.Cookie {
	for _, c := range res.Cookies() {
		if c.Name == name {
			return c
		}
	}
	return &http.Cookie{}
}

// byProvider goes the whole way as somebody and returns the last answer.
func byProvider(t *testing.T, r *rig, who string) *http.Response {
	t.Helper()
	begin := visit(r, "/api/v1/auth/oidc/corp/start?to=/alerts")
	flight := cookieNamed(begin, auth.FlightCookie)
	if begin.StatusCode != http.StatusFound || !flight.HttpOnly || !flight.Secure || flight.SameSite != http.SameSiteLaxMode || flight.Path != "/" || flight.MaxAge != 600 {
		t.Fatalf("start: %d, %+v", begin.StatusCode, flight)
	}
	back := oidc.Visit(t, begin.Header.Get("Location"), consoleAt+auth.CallbackPath("corp"), who)
	return visit(r, auth.CallbackPath("corp")+"?"+back.Encode(), flight)
}

func TestLoginByProvider(t *testing.T) {
	r := provided(t, func(*auth.ProviderSettings) {})
	for range 2 { // the second time the account is there
		in := byProvider(t, r, "bob")
		login := cookieNamed(in, sessionCookie)
		if in.StatusCode != http.StatusFound || in.Header.Get("Location") != "/alerts" || !login.HttpOnly || !login.Secure || login.SameSite != http.SameSiteStrictMode || login.Path != "/" {
			t.Fatalf("%d to %s, %+v", in.StatusCode, in.Header.Get("Location"), login)
		}
		if gone := cookieNamed(in, auth.FlightCookie); gone.MaxAge >= 0 {
			t.Errorf("the cookie of the flight stays: %+v", gone)
		}
		me := decode[client.Me](t, visit(r, "/api/v1/me", login))
		if me.Name != "bob" || me.Role != "analyst" || me.Enrol || me.Kind != "user" {
			t.Errorf("%+v", me)
		}
	}
	// An administrator has to set a second factor first, for the provider asked for none.
	in := byProvider(t, r, "ann")
	if got := in.Header.Get("Location"); got != "/login?state=enrol&to=%2Falerts" {
		t.Errorf("an administrator is sent to %s", got)
	}
	if me := decode[client.Me](t, visit(r, "/api/v1/me", cookieNamed(in, sessionCookie))); !me.Enrol || me.Role != "admin" {
		t.Errorf("%+v", me)
	}
	for who, problem := range map[string]string{"eve": "oidc_role", "mallory": "oidc_denied"} {
		in := byProvider(t, r, who)
		if got := in.Header.Get("Location"); got != "/login?problem="+problem+"&to=%2Falerts" || cookieNamed(in, sessionCookie).Value != "" {
			t.Errorf("%s is sent to %s", who, got)
		}
	}
	if m := decode[client.LoginMethods](t, visit(r, "/api/v1/auth/methods")); len(m.OIDC) != 1 || m.OIDC[0] != (client.OIDCProvider{ID: "corp", Label: "Corp"}) {
		t.Errorf("%+v", m)
	}
}

// TestProviderFactor lets the provider answer for the second factor.
func TestProviderFactor(t *testing.T) {
	r := provided(t, func(s *auth.ProviderSettings) { s.SecondFactor = "provider" })
	in := byProvider(t, r, "ann")
	if got := in.Header.Get("Location"); got != "/alerts" {
		t.Errorf("sent to %s", got)
	}
	if me := decode[client.Me](t, visit(r, "/api/v1/me", cookieNamed(in, sessionCookie))); me.Enrol || len(me.Permissions) == 0 {
		t.Errorf("%+v", me)
	}
}

// TestProviderNeverLinksByName: who is called as somebody here is somebody else.
func TestProviderNeverLinksByName(t *testing.T) {
	r := provided(t, func(*auth.ProviderSettings) {})
	local := auth.Actor{Principal: auth.Principal{ID: "local", Name: "local", Scope: auth.ScopeAdmin, Sort: auth.SortLocal}}
	if _, err := r.dep.Identity.AddUser(t.Context(), local, userOf("bob", "admin")); err != nil {
		t.Fatal(err)
	}
	in := byProvider(t, r, "bob")
	if me := decode[client.Me](t, visit(r, "/api/v1/me", cookieNamed(in, sessionCookie))); me.Name != "bob@corp" || me.Role != "analyst" {
		t.Errorf("%+v", me)
	}
}

// TestProviderBadCallbacks checks that what is wrong ends at the page for logins.
func TestProviderBadCallbacks(t *testing.T) {
	r := newRig(t, func(d *Deps) {
		d.Identity = auth.NewService(auth.Options{State: d.State, Metrics: d.Metrics})
		set := auth.ProviderSettings{Issuer: "http://127.0.0.1:1", ClientID: "c", DefaultRole: "viewer"}
		fetch, err := fetcher.Uncaged(ipc.FetchSetup{})
		if err != nil {
			t.Fatal(err)
		}
		if err := d.Identity.Connect(auth.Providers{Address: consoleAt, Settings: map[string]auth.ProviderSettings{"corp": set}, Fetch: fetch}); err != nil {
			t.Fatal(err)
		}
	})
	for path, want := range map[string]string{
		"/api/v1/auth/oidc/corp/start":                        "/login?problem=oidc_down",
		"/api/v1/auth/oidc/corp/callback":                     "/login?problem=oidc_state",
		"/api/v1/auth/oidc/corp/callback?code=x&state=y":      "/login?problem=oidc_state",
		"/api/v1/auth/oidc/corp/callback?state=a&state=b":     "/login?problem=oidc_impostor",
		"/api/v1/auth/oidc/corp/callback?error=%3Cscript%3E":  "/login?problem=oidc_state",
		"/api/v1/auth/oidc/corp/callback?%zz;;&extra=1&iss=x": "/login?problem=oidc_state",
	} {
		res := visit(r, path, &http.Cookie{Name: auth.FlightCookie, Value: strings.Repeat("A", 200), Expires: time.Time{}})
		if got := res.Header.Get("Location"); res.StatusCode != http.StatusFound || got != want {
			t.Errorf("%s: %d to %s", path, res.StatusCode, got)
		}
	}
	for _, path := range []string{"/api/v1/auth/oidc/other/start", "/api/v1/auth/oidc/other/callback"} {
		if res := visit(r, path); res.StatusCode != http.StatusNotFound {
			t.Errorf("%s: %d", path, res.StatusCode)
		}
	}
}

func decode[T any](t *testing.T, res *http.Response) (v T) {
	t.Helper()
	if err := json.NewDecoder(res.Body).Decode(&v); err != nil || res.StatusCode != http.StatusOK {
		t.Fatalf("%d, %v", res.StatusCode, err)
	}
	return v
}

func userOf(name, role string) honeyguide.User { return honeyguide.User{Name: name, Role: role} }
