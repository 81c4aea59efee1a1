package oidc

import (
	"crypto/rand"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"honeyguide"
)

func TestSignIn(t *testing.T) {
	d := newDesk(t)
	want := Identity{Provider: "corp", Issuer: d.evil.issuer, Subject: "u-1", Name: "ann", Display: "Ann Miller", Role: "admin"}
	for range 2 {
		who, to, err := d.signIn(t)
		if err != nil || who != want || to != "/alerts?x=1" {
			t.Fatalf("%+v, %s, %v", who, to, err)
		}
	}
	if d.evil.asked["/.well-known/openid-configuration"] != 1 || d.evil.asked["/keys"] != d.evil.asked["/token"] || d.evil.asked["/userinfo"] != 0 {
		t.Errorf("asked: %v", d.evil.asked)
	}
	if d.Redirect() != "https://soc.example/api/v1/auth/oidc/corp/callback" || d.Label() != "corp" || len(d.Ways()) != 1 {
		t.Errorf("%s, %s, %v", d.Redirect(), d.Label(), d.Ways())
	}
}

// TestGroups checks where groups are found, and which role wins.
func TestGroups(t *testing.T) {
	for name, c := range map[string]struct {
		set    func(*Settings)
		claims map[string]any
		info   map[string]any
		role   string
		second bool
	}{
		"one text":           {nil, map[string]any{"groups": "soc"}, nil, "analyst", false},
		"the most wins":      {nil, map[string]any{"groups": []string{"soc", "soc-admins"}}, nil, "admin", false},
		"as a path":          {func(s *Settings) { s.RoleClaim = "realm_access.roles" }, map[string]any{"realm_access": map[string]any{"roles": []string{"soc"}}}, nil, "analyst", false},
		"a name with dots":   {func(s *Settings) { s.RoleClaim = "https://x.example/roles" }, map[string]any{"https://x.example/roles": []string{"soc"}}, nil, "analyst", false},
		"by userinfo":        {nil, map[string]any{"groups": nil}, map[string]any{"groups": []string{"soc"}}, "analyst", false},
		"signed wins":        {nil, map[string]any{"groups": "soc"}, map[string]any{"groups": []string{"soc-admins"}}, "analyst", false},
		"default":            {func(s *Settings) { s.DefaultRole = "viewer" }, map[string]any{"groups": "x"}, nil, "viewer", false},
		"no claim":           {func(s *Settings) { s.RoleClaim, s.Roles, s.DefaultRole = "", nil, "viewer" }, nil, nil, "viewer", false},
		"own role":           {func(s *Settings) { s.Roles = map[string]string{"a": "viewer", "b": "shift-lead", "c": "desk"} }, map[string]any{"groups": []string{"a", "b", "c"}}, nil, "desk", false},
		"more was shown":     {nil, map[string]any{"amr": []string{"pwd", "mfa"}}, nil, "admin", true},
		"one factor":         {nil, map[string]any{"amr": []string{"pwd"}}, nil, "admin", false},
		"left to the other":  {func(s *Settings) { s.SecondFactor = "provider" }, nil, nil, "admin", true},
		"several audiences":  {nil, map[string]any{"aud": []string{"x", clientID}, "azp": clientID}, nil, "admin", false},
		"clock a bit behind": {nil, map[string]any{"exp": time.Date(2026, 11, 22, 8, 59, 30, 0, time.UTC).Unix()}, nil, "admin", false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t, func(s *Settings) {
				if c.set != nil {
					c.set(s)
				}
			})
			d.evil.claims = func(m map[string]any) {
				for k, v := range c.claims {
					if m[k] = v; v == nil {
						delete(m, k)
					}
				}
			}
			d.evil.info = func(m map[string]any) {
				for k, v := range c.info {
					m[k] = v
				}
			}
			who, _, err := d.signIn(t)
			if err != nil || who.Role != c.role || who.SecondFactor != c.second {
				t.Errorf("%+v, %v; want %s", who, err, c.role)
			}
		})
	}
}

func TestDomains(t *testing.T) {
	for name, c := range map[string]struct {
		email    any
		verified any
		want     Problem
	}{
		"right":            {"ann@corp.example", true, ""},
		"in capitals":      {"Ann@CORP.example", "true", ""},
		"not verified":     {"ann@corp.example", false, Domain},
		"not said":         {"ann@corp.example", nil, Domain},
		"another":          {"ann@evil.test", true, Domain},
		"below it":         {"ann@x.corp.example", true, Domain},
		"as a prefix":      {"ann@corp.example.evil.test", true, Domain},
		"two at signs":     {"ann@evil.test@corp.example", true, Domain},
		"no at sign":       {"corp.example", true, Domain},
		"of another type":  {[]string{"ann@corp.example"}, true, Domain},
		"says yes in text": {"ann@corp.example", "yes", Domain},
	} {
		d := newDesk(t, func(s *Settings) { s.AllowDomains = []string{"@Corp.example"} })
		d.evil.claims = func(m map[string]any) { m["email"], m["email_verified"] = c.email, c.verified }
		_, _, err := d.signIn(t)
		if got := ProblemOf(err); err == nil && c.want != "" || err != nil && got != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestReplay checks that what came back once comes back in vain, even at a
// provider that takes codes twice.
func TestReplay(t *testing.T) {
	d := newDesk(t)
	d.evil.reuse = true
	location, cookie, err := d.Start(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	back := d.evil.visit(location)
	if _, _, err := d.Finish(t.Context(), back, cookie); err != nil {
		t.Fatal(err)
	}
	if _, _, err := d.Finish(t.Context(), back, cookie); ProblemOf(err) != State || !strings.Contains(err.Error(), "already") {
		t.Errorf("the same again: %v", err)
	}
	if n := d.evil.asked["/token"]; n != 1 {
		t.Errorf("%d questions for a token", n)
	}
	// The code under a new sign-in: its verifier is another one, and its nonce.
	location, cookie, err = d.Start(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	stolen := url.Values{"state": d.evil.visit(location)["state"], "code": back["code"], "iss": back["iss"]}
	if _, _, err := d.Finish(t.Context(), stolen, cookie); ProblemOf(err) != Impostor || !strings.Contains(err.Error(), "nonce") {
		t.Errorf("a stolen code: %v", err)
	}
	d.evil.reuse = false
	location, cookie, err = d.Start(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	stolen = url.Values{"state": d.evil.visit(location)["state"], "code": back["code"], "iss": back["iss"]}
	if _, _, err := d.Finish(t.Context(), stolen, cookie); ProblemOf(err) != Impostor || !strings.Contains(err.Error(), "does not take the code") {
		t.Errorf("a spent code at a provider that minds: %v", err)
	}
}

func TestCookie(t *testing.T) {
	d := newDesk(t)
	other := newDesk(t)
	for name, c := range map[string]struct {
		change func(cookie string) string
		reason string
	}{
		"none":            {func(string) string { return "" }, "begun here"},
		"of another":      {func(string) string { _, c, _ := d.Start(t.Context(), "/"); return c }, "state"},
		"changed":         {func(c string) string { return c[:len(c)-2] + "AA" }, "not ours"},
		"cut":             {func(c string) string { return c[:20] }, "not ours"},
		"of another core": {func(string) string { _, c, _ := other.Start(t.Context(), "/"); return c }, "not ours"},
		"words":           {func(string) string { return "hello, world" }, "cannot be read"},
		"huge":            {func(string) string { return strings.Repeat("A", 1<<20) }, "cannot be read"},
		"late":            {func(c string) string { d.at = d.at.Add(CookieLife); return c }, "too long ago"},
	} {
		location, cookie, err := d.Start(t.Context(), "/")
		if err != nil {
			t.Fatal(err)
		}
		back := d.evil.visit(location)
		if _, _, err := d.Finish(t.Context(), back, c.change(cookie)); ProblemOf(err) != State || !strings.Contains(err.Error(), c.reason) {
			t.Errorf("%s: %v", name, err)
		}
	}
	location, cookie, err := d.Start(t.Context(), "/")
	if err != nil {
		t.Fatal(err)
	}
	if strings.ContainsAny(cookie, ` ;,"\`) || len(cookie) > maxCookie {
		t.Errorf("%d bytes: %s", len(cookie), cookie)
	}
	second, err := New("second", d.set, Options{Fetch: reach(t, d.evil.srv), Base: "https://soc.example", Flights: d.flights, Now: d.now})
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := second.Finish(t.Context(), d.evil.visit(location), cookie); ProblemOf(err) != State || !strings.Contains(err.Error(), "another provider") {
		t.Errorf("begun with one provider, ended with another: %v", err)
	}
}

// TestRotation checks that a new key is taken without a restart, and the old one
// not any more once the provider was asked about itself again.
func TestRotation(t *testing.T) {
	d := newDesk(t)
	if _, _, err := d.signIn(t); err != nil {
		t.Fatal(err)
	}
	before := d.evil.key
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	d.evil.key, d.evil.kid = key, "two"
	if _, _, err := d.signIn(t); err != nil {
		t.Errorf("with a new key: %v", err)
	}
	d.at = d.at.Add(fresh)
	d.evil.sign = func(c []byte) string { return signed(t, jose.RS256, before, "one", c) }
	if _, _, err := d.signIn(t); ProblemOf(err) != Impostor {
		t.Errorf("with the key of before: %v", err)
	}
}

// TestDown checks that a provider that is down is asked now and then, and found again.
func TestDown(t *testing.T) {
	d := newDesk(t)
	down := func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) }
	const path = "/.well-known/openid-configuration"
	d.evil.handle[path] = down
	for range 5 {
		if _, _, err := d.Start(t.Context(), "/"); ProblemOf(err) != Down {
			t.Errorf("%v", err)
		}
	}
	if d.evil.asked[path] != 1 {
		t.Errorf("asked %d times", d.evil.asked[path])
	}
	d.evil.handle[path] = nil
	d.at = d.at.Add(again)
	if _, _, err := d.signIn(t); err != nil {
		t.Errorf("up again: %v", err)
	}
	d.evil.handle[path] = down
	d.at = d.at.Add(fresh)
	if _, _, err := d.signIn(t); err != nil {
		t.Errorf("what was known does for a while: %v", err)
	}
	d.at = d.at.Add(stale)
	if _, _, err := d.signIn(t); ProblemOf(err) != Down {
		t.Errorf("a day later: %v", err)
	}
	d.evil.srv.Close()
	d.at = d.at.Add(again)
	if _, _, err := d.Start(t.Context(), "/"); ProblemOf(err) != Down {
		t.Errorf("nobody listens: %v", err)
	}
}

func TestSecrets(t *testing.T) {
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(clientSecret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	d := newDesk(t, func(s *Settings) { s.ClientSecret, s.ClientSecretFile = "", file })
	if _, _, err := d.signIn(t); err != nil {
		t.Errorf("from a file: %v", err)
	}
	d = newDesk(t, func(s *Settings) { s.ClientSecret = "another" })
	if _, _, err := d.signIn(t); ProblemOf(err) != Down || !strings.Contains(err.Error(), "client_secret") || strings.Contains(err.Error(), "another") {
		t.Errorf("a wrong one: %v", err)
	}
	if text := fmt.Sprintf("%+v %#v", d.set, d.set); strings.Contains(text, `"another"`) || strings.Contains(text, ":another") {
		t.Error("settings show the secret")
	}
}

func TestSettings(t *testing.T) {
	good := func() Settings {
		return Settings{Issuer: "https://op.example/x", ClientID: "c", DefaultRole: "viewer"}
	}
	for name, c := range map[string]struct {
		change func(*Settings)
		names  string
	}{
		"no issuer":            {func(s *Settings) { s.Issuer = "" }, "issuer: missing"},
		"in the clear":         {func(s *Settings) { s.Issuer = "http://op.example" }, "want https"},
		"a private neighbour":  {func(s *Settings) { s.Issuer = "http://10.0.0.1" }, "want https"},
		"with a user":          {func(s *Settings) { s.Issuer = "https://a:b@op.example" }, "issuer"},
		"with a query":         {func(s *Settings) { s.Issuer = "https://op.example?x=1" }, "query"},
		"no client":            {func(s *Settings) { s.ClientID = "" }, "client_id"},
		"two secrets":          {func(s *Settings) { s.ClientSecret, s.ClientSecretFile = "a", "b" }, "client_secret_file"},
		"no such file":         {func(s *Settings) { s.ClientSecretFile = "/nonexistent" }, "client_secret_file"},
		"admin by default":     {func(s *Settings) { s.DefaultRole = "admin" }, "default_role"},
		"roles without claim":  {func(s *Settings) { s.Roles = map[string]string{"a": "admin"} }, "role_claim"},
		"nobody":               {func(s *Settings) { s.DefaultRole = "" }, "nobody could sign in"},
		"an empty group":       {func(s *Settings) { s.RoleClaim, s.Roles = "g", map[string]string{"": "admin"} }, "roles"},
		"scopes in one":        {func(s *Settings) { s.Scopes = []string{"profile email"} }, "scopes"},
		"second factor of air": {func(s *Settings) { s.SecondFactor = "never" }, "second_factor"},
	} {
		s := good()
		c.change(&s)
		_, err := New("corp", s, Options{Fetch: transport{}.fetch, Base: "x"})
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "auth.oidc.corp") || !strings.Contains(err.Error(), c.names) {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, id := range []string{"", "-", "A", "a/b", "a b", strings.Repeat("a", 33), "../x"} {
		s := good()
		if err := s.Tidy(id); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("id %q: %v", id, err)
		}
	}
}

func TestLocal(t *testing.T) {
	for to, want := range map[string]string{
		"/alerts/1?x=2#y": "/alerts/1?x=2#y", "": "/", "//evil.test": "/", "https://evil.test": "/", `/\evil.test`: "/", "/a\nb": "/",
		"javascript:alert(1)": "/", "/" + strings.Repeat("x", 600): "/", "/\u00e4": "/", "/ x": "/",
	} {
		if got := Local(to); got != want {
			t.Errorf("%q: %q, want %q", to, got, want)
		}
	}
}

// TestUsedIsBounded checks that nobody fills the memory with sign-ins that end.
func TestUsedIsBounded(t *testing.T) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	f := NewFlights(func() time.Time { return at })
	for i := range maxUsed {
		if !f.first(fmt.Sprint(i), at.Add(CookieLife), at) {
			t.Fatalf("refused after %d", i)
		}
	}
	if f.first("one more", at.Add(CookieLife), at) {
		t.Error("a full register takes more")
	}
	if at = at.Add(time.Hour); !f.first("later", at.Add(CookieLife), at) || len(f.used) != 1 {
		t.Errorf("%d are kept after they ended", len(f.used))
	}
}

func FuzzLand(f *testing.F) {
	at := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	flights := NewFlights(func() time.Time { return at })
	_, cookie, err := flights.begin("corp", "/")
	if err != nil {
		f.Fatal(err)
	}
	f.Add("state", cookie)
	f.Add("", "AAAA")
	f.Fuzz(func(t *testing.T, state, cookie string) {
		if _, err := flights.land("corp", state, cookie); err == nil {
			t.Error("landed")
		}
	})
}

func FuzzIdentity(f *testing.F) {
	f.Add([]byte(`{"groups":["soc"],"email":"a@b","email_verified":"true","amr":["mfa"]}`), "groups")
	f.Add([]byte(`{"a":{"b":{"c":"x"}}}`), "a.b.c")
	f.Fuzz(func(t *testing.T, raw []byte, claim string) {
		var claims map[string]any
		if json.Unmarshal(raw, &claims) != nil {
			return
		}
		p := &Provider{set: Settings{RoleClaim: claim, Roles: map[string]string{"x": "admin"}, DefaultRole: roleNone}}
		if who, err := p.admit("s", claims); err == nil && (who.Role != "admin" || len([]rune(who.Name)) > maxClaim) {
			t.Errorf("%+v", who)
		}
	})
}

// TestKeyTakenBack: what a key signed that the provider took back is good for
// nothing, however lately the provider was asked about itself.
func TestKeyTakenBack(t *testing.T) {
	d := newDesk(t)
	if _, _, err := d.signIn(t); err != nil {
		t.Fatal(err)
	}
	d.evil.keys = func() any { return map[string]any{"keys": []any{}} }
	if who, _, err := d.signIn(t); ProblemOf(err) != Impostor || who != (Identity{}) {
		t.Errorf("%+v, %v", who, err)
	}
}
