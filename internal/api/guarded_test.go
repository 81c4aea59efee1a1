package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/descope/virtualwebauthn"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/auth/totp"
	"honeyguide/internal/client"
	"honeyguide/internal/live"
	"honeyguide/internal/seal"
	"honeyguide/internal/telemetry"
)

// askFrom is ask from an address.
func (p *crowdRig) askFrom(ip, path, body string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	p.t.Helper()
	req := httptest.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	req.RemoteAddr = ip + ":4711"
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", "application/json")
	for _, c := range cookies {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, req)
	return w
}

// answered sends a body and decodes the answer.
func answered[T any](p *crowdRig, method, path, body string, cookies ...*http.Cookie) (v T, w *httptest.ResponseRecorder) {
	p.t.Helper()
	w = p.ask(method, path, body, cookies...)
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil || w.Code != http.StatusOK {
		p.t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
	}
	return v, w
}

// refusedWith checks that a request is refused.
func (p *crowdRig) refusedWith(what string, status int, method, path, body string, cookies ...*http.Cookie) {
	p.t.Helper()
	if w := p.ask(method, path, body, cookies...); w.Code != status {
		p.t.Errorf("%s: %d %s, want %d", what, w.Code, w.Body, status)
	}
}

func passwordOf(name string) string {
	return fmt.Sprintf(`{"name":%q,"password":%q}`, name, goodPassword.Reveal())
}

// TestGuessesAreFew: of 400 guesses from as many addresses within five minutes no
// more than 20 are looked at, by the core's own count, and its owner comes in on a
// device that was here before, from wherever. The limit of requests of an address is
// off, so that the guard of logins stands alone.
func TestGuessesAreFew(t *testing.T) {
	now, metrics := day, telemetry.NewRegistry()
	p := newPeople(t, func(o *auth.Options) { o.Now, o.Metrics = func() time.Time { return now }, metrics })
	p.user("anna", "analyst")
	in := p.askFrom("192.0.2.1", "/auth/login", passwordOf("anna"))
	device := cookieNamed(in.Result(), deviceCookie)
	if in.Code != http.StatusOK || device.Value == "" {
		t.Fatalf("%d %s", in.Code, in.Body)
	}
	looked := 0
	for i := range 400 {
		now = now.Add(750 * time.Millisecond) // five minutes in all
		w := p.askFrom(fmt.Sprintf("203.0.%d.%d", i/200, i%200), "/auth/login", `{"name":"anna","password":"guess"}`)
		switch {
		case w.Code == http.StatusUnauthorized:
			looked++
		case w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "":
			t.Fatalf("guess %d: %d %s", i, w.Code, w.Body)
		}
		if i%40 == 0 {
			if w := p.askFrom(fmt.Sprintf("198.51.100.%d", 1+i/40), "/auth/login", passwordOf("anna"), device); w.Code != http.StatusOK {
				t.Fatalf("the owner on the device, after %d guesses: %d %s", i, w.Code, w.Body)
			}
			if w := p.askFrom("192.0.2.1", "/auth/login", passwordOf("anna")); w.Code != http.StatusOK {
				t.Fatalf("the owner at the address, after %d guesses: %d %s", i, w.Code, w.Body)
			}
		}
	}
	if looked == 0 || looked > 20 {
		t.Errorf("%d guesses were looked at", looked)
	}
	if got := metrics.Counter("honeyguide_auth_checks_total", "Passwords and codes that were looked at, by kind.", "kind").With("password").Value(); int(got) != looked+21 {
		t.Errorf("%v passwords were looked at, want %d guesses and 21 logins", got, looked)
	}
}

// TestSecondFactorByRoutes goes the ways of authenticator app and recovery codes.
func TestSecondFactorByRoutes(t *testing.T) {
	now, box := day, seal.Random()
	set := func(o *auth.Options) {
		o.Now, o.Box, o.SecondFactor = func() time.Time { return now }, box, []string{"responder", "admin"}
	}
	p := newPeople(t, set)
	p.user("anna", "responder")
	first, w := answered[client.LoginAnswer](p, http.MethodPost, "/auth/login", passwordOf("anna"))
	login := cookieIn(t, w)
	if first.State != auth.StateEnrol {
		t.Fatalf("a responder without a second factor: %+v", first)
	}
	p.refusedWith("alerts before it is set", http.StatusForbidden, http.MethodGet, "/alerts", "", login)
	begun, _ := answered[client.NewTOTP](p, http.MethodPost, "/me/totp", "{}", login)
	code := func() string {
		text, err := totp.Code(honeyguide.Secret(begun.Secret), now)
		if err != nil {
			t.Fatal(err)
		}
		return fmt.Sprintf(`{"code":%q}`, text)
	}
	p.refusedWith("another code", http.StatusBadRequest, http.MethodPost, "/me/totp/confirm", `{"code":"000000"}`, login)
	codes, _ := answered[client.RecoveryCodes](p, http.MethodPost, "/me/totp/confirm", code(), login)
	if len(codes.Codes) == 0 {
		t.Fatal("no recovery codes")
	}
	used := code()
	half := func() *http.Cookie {
		a, w := answered[client.LoginAnswer](p, http.MethodPost, "/auth/login", passwordOf("anna"))
		if a.State != auth.StateSecond {
			t.Fatalf("%+v", a)
		}
		return cookieIn(t, w)
	}
	waits := half()
	p.refusedWith("halfway in", http.StatusUnauthorized, http.MethodGet, "/me", "", waits)
	p.refusedWith("the code that set it up", http.StatusUnauthorized, http.MethodPost, "/auth/totp", used, waits)
	now = now.Add(totp.Step)
	used = code()
	a, w := answered[client.LoginAnswer](p, http.MethodPost, "/auth/totp", used, waits)
	if a.State != auth.StateIn || cookieIn(t, w).Value == waits.Value {
		t.Fatalf("%+v", a)
	}
	p.refusedWith("in", http.StatusOK, http.MethodGet, "/alerts", "", cookieIn(t, w))
	p.refusedWith("the cookie of halfway", http.StatusUnauthorized, http.MethodGet, "/me", "", waits)
	p.refusedWith("a used code", http.StatusUnauthorized, http.MethodPost, "/auth/totp", used, half())

	p.dep.Identity = auth.NewService(auth.Options{State: p.dep.State, Box: box, Now: func() time.Time { return now }, Cost: cheap, SecondFactor: []string{"responder"}})
	var err error
	if p.handler, err = New(p.dep); err != nil { // as after a restart
		t.Fatal(err)
	}
	waits = half()
	p.refusedWith("a used code after a restart", http.StatusUnauthorized, http.MethodPost, "/auth/totp", used, waits)
	paper := fmt.Sprintf(`{"code":%q}`, codes.Codes[0])
	if a, _ := answered[client.LoginAnswer](p, http.MethodPost, "/auth/recovery", paper, waits); a.State != auth.StateIn {
		t.Errorf("by recovery code: %+v", a)
	}
	p.refusedWith("a used recovery code", http.StatusUnauthorized, http.MethodPost, "/auth/recovery", paper, half())
}

// TestPasskeyByRoutes registers a passkey and comes in by it, beside the password
// and alone.
func TestPasskeyByRoutes(t *testing.T) {
	p := newPeople(t, func(o *auth.Options) { o.Public = consoleAt })
	u := p.user("anna", "analyst")
	login := p.login("anna")
	device := virtualwebauthn.NewAuthenticatorWithOptions(virtualwebauthn.AuthenticatorOptions{UserHandle: []byte(u.ID)})
	key := virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	for len(key.Key.AttestationData()) != 77 { // it leaves leading zeros out, as no real one does
		key = virtualwebauthn.NewCredential(virtualwebauthn.KeyTypeEC2)
	}
	here := virtualwebauthn.RelyingParty{ID: "soc.example", Name: "Honeyguide", Origin: consoleAt}
	evil := virtualwebauthn.RelyingParty{ID: "soc.example", Name: "Honeyguide", Origin: "https://soc.example.evil.example"}
	raw := p.ask(http.MethodPost, "/me/passkeys/options", "{}", login)
	options, err := virtualwebauthn.ParseAttestationOptions(raw.Body.String())
	if err != nil {
		t.Fatalf("%v: %d %s", err, raw.Code, raw.Body)
	}
	add := fmt.Sprintf(`{"name":"key","credential":%s}`, virtualwebauthn.CreateAttestationResponse(here, device, key, *options))
	if made, _ := answered[newPasskey](p, http.MethodPost, "/me/passkeys", add, login); len(made.Codes) == 0 {
		t.Error("no recovery codes with the first second factor")
	}
	p.refusedWith("the same answer twice", http.StatusBadRequest, http.MethodPost, "/me/passkeys", add, login)
	device.AddCredential(key)
	answer := func(rp virtualwebauthn.RelyingParty, cookies ...*http.Cookie) string {
		w := p.ask(http.MethodPost, "/auth/passkey/options", "{}", cookies...)
		options, err := virtualwebauthn.ParseAssertionOptions(w.Body.String())
		if err != nil {
			t.Fatalf("%v: %d %s", err, w.Code, w.Body)
		}
		key.Counter++
		return fmt.Sprintf(`{"credential":%s}`, virtualwebauthn.CreateAssertionResponse(rp, device, key, *options))
	}
	half, w := answered[client.LoginAnswer](p, http.MethodPost, "/auth/login", passwordOf("anna"))
	waits := cookieIn(t, w)
	if half.State != auth.StateSecond {
		t.Fatalf("%+v", half)
	}
	p.refusedWith("signed for another place", http.StatusUnauthorized, http.MethodPost, "/auth/passkey", answer(evil, waits), waits)
	if a, _ := answered[client.LoginAnswer](p, http.MethodPost, "/auth/passkey", answer(here, waits), waits); a.State != auth.StateIn {
		t.Errorf("as the second step: %+v", a)
	}
	alone := answer(here)
	a, w := answered[client.LoginAnswer](p, http.MethodPost, "/auth/passkey", alone)
	if a.State != auth.StateIn || a.User != "anna" {
		t.Errorf("alone: %+v", a)
	}
	p.refusedWith("the same signature twice", http.StatusUnauthorized, http.MethodPost, "/auth/passkey", alone)
	list, _ := answered[client.Page[client.PasskeyRow]](p, http.MethodGet, "/me/passkeys", "", cookieIn(t, w))
	if len(list.Items) != 1 || list.Items[0].UsedAt.IsZero() {
		t.Errorf("%+v", list)
	}
}

// TestEndsAtOnce: what takes rights away ends logins and their live streams at that
// moment, before anybody looks by the clock.
func TestEndsAtOnce(t *testing.T) {
	hub := live.NewHub(live.Options{})
	p := newPeople(t, func(o *auth.Options) { o.Revoked = hub.Revoked })
	p.dep.Live = hub
	p.user("boss", "admin")
	boss := p.login("boss")
	for what, end := range map[string]func(name string, login *http.Cookie) *httptest.ResponseRecorder{
		"logout": func(_ string, c *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodPost, "/auth/logout", "", c)
		},
		"role": func(n string, _ *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodPatch, "/users/"+n, `{"role":"viewer"}`, boss)
		},
		"disable": func(n string, _ *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodPatch, "/users/"+n, `{"disabled":true}`, boss)
		},
		"remove": func(n string, _ *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodDelete, "/users/"+n, "", boss)
		},
		"revoke": func(n string, _ *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodDelete, "/users/"+n+"/sessions", "", boss)
		},
		"replaced": func(n string, c *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodPost, "/auth/login", passwordOf(n), c)
		},
		"password": func(n string, _ *http.Cookie) *httptest.ResponseRecorder {
			return p.ask(http.MethodPost, "/me/password", fmt.Sprintf(`{"old":%q,"new":"another horse battery"}`, goodPassword.Reveal()), p.login(n))
		},
	} {
		name := "user-" + what
		p.user(name, "analyst")
		login := p.login(name)
		me, _ := answered[client.Me](p, http.MethodGet, "/me", "", login)
		reader, ctx, _, err := hub.Attach(t.Context(), []live.Topic{live.Alerts}, 0, me.ID, me.Session.ID)
		if err != nil {
			t.Fatal(err)
		}
		if w := end(name, login); w.Code != http.StatusOK {
			t.Errorf("%s: %d %s", what, w.Code, w.Body)
		}
		p.refusedWith(what, http.StatusUnauthorized, http.MethodGet, "/me", "", login)
		if ctx.Err() == nil {
			t.Errorf("%s: the stream goes on", what)
		}
		reader.Close()
	}
}

// TestKeysOfOthers: who may not hand out what a key is good for may not take it back
// either, and makes no bouncer without what bouncers may.
func TestKeysOfOthers(t *testing.T) {
	p := newPeople(t)
	if _, err := p.id.SaveRole(t.Context(), asLocal, honeyguide.Role{Name: "keeper", Permissions: []string{"read", "keys"}}, true); err != nil {
		t.Fatal(err)
	}
	p.user("kim", "keeper")
	kim := p.login("kim")
	for _, body := range []string{`{"name":"root","scope":"admin"}`, `{"name":"in","scope":"ingest"}`, `{"name":"fw","scope":"bouncer"}`} {
		if w := p.call(http.MethodPost, base+"/keys", bootstrap, strings.NewReader(body)); w.Code != http.StatusOK {
			t.Fatalf("%d %s", w.Code, w.Body)
		}
	}
	p.refusedWith("an administrator's key", http.StatusForbidden, http.MethodDelete, "/keys/root", "", kim)
	p.refusedWith("a key for records", http.StatusForbidden, http.MethodDelete, "/keys/in", "", kim)
	p.refusedWith("rotating one", http.StatusForbidden, http.MethodPost, "/keys/in/rotate", "{}", kim)
	p.refusedWith("a bouncer's key", http.StatusForbidden, http.MethodPost, "/bouncers/fw/remove", "{}", kim)
	p.refusedWith("a new bouncer", http.StatusForbidden, http.MethodPost, "/bouncers", `{"name":"mine"}`, kim)
	if _, w := answered[client.NewKey](p, http.MethodPost, "/keys", `{"name":"see","scope":"keeper"}`, kim); w.Code != http.StatusOK {
		t.Error("their own")
	}
	p.refusedWith("their own", http.StatusOK, http.MethodDelete, "/keys/see", "", kim)
}
