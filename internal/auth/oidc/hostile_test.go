package oidc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	jose "github.com/go-jose/go-jose/v4"

	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
)

const clientID, clientSecret = "honeyguide", "a secret of the client"

// An evil provider does everything right but what a test tells it to do wrong.
type evil struct {
	t      *testing.T
	srv    *httptest.Server
	issuer string
	at     func() time.Time
	key    *rsa.PrivateKey
	kid    string
	asked  map[string]int

	mu    sync.Mutex
	codes map[string]grant

	// What a test changes; nil changes nothing.
	discovery func(map[string]any)
	answer    func(url.Values)            // to the browser
	claims    func(map[string]any)        // of the token
	sign      func(claims []byte) string  // the token itself
	info      func(map[string]any)        // of userinfo
	keys      func() any                  // the key set
	handle    map[string]http.HandlerFunc // in the place of a path
	token     func(answer map[string]any) // of the token endpoint
	reuse     bool                        // codes are good for ever, and verifiers not looked at
}

type grant struct{ nonce, challenge, redirect string }

// evilKey is made once: making one takes long.
var evilKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

func newEvil(t *testing.T, at func() time.Time) *evil {
	t.Helper()
	e := &evil{t: t, at: at, key: evilKey(), kid: "one", codes: map[string]grant{}, handle: map[string]http.HandlerFunc{}, asked: map[string]int{}}
	e.srv = httptest.NewServer(e)
	t.Cleanup(e.srv.Close)
	e.issuer = e.srv.URL + "/realms/soc"
	return e
}

func (e *evil) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := strings.TrimPrefix(r.URL.Path, "/realms/soc")
	e.mu.Lock()
	e.asked[path]++
	h := e.handle[path]
	e.mu.Unlock()
	switch {
	case h != nil:
		h(w, r)
	case path == "/.well-known/openid-configuration":
		e.discover(w)
	case path == "/keys":
		e.serveKeys(w)
	case path == "/token":
		e.serveToken(w, r)
	case path == "/userinfo":
		body := map[string]any{"sub": "u-1", "preferred_username": "ann", "email": "ann@corp.example", "email_verified": true}
		if e.info != nil {
			e.info(body)
		}
		reply(w, body)
	default:
		http.NotFound(w, r)
	}
}

func reply(w http.ResponseWriter, v any) {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v)
}

func (e *evil) discover(w http.ResponseWriter) {
	doc := map[string]any{
		"issuer": e.issuer, "authorization_endpoint": e.issuer + "/auth", "token_endpoint": e.issuer + "/token",
		"jwks_uri": e.issuer + "/keys", "userinfo_endpoint": e.issuer + "/userinfo",
		"id_token_signing_alg_values_supported":          []string{"RS256", "ES256", "HS256", "none"},
		"authorization_response_iss_parameter_supported": true,
	}
	if e.discovery != nil {
		e.discovery(doc)
	}
	reply(w, doc)
}

func (e *evil) serveKeys(w http.ResponseWriter) {
	if e.keys != nil {
		reply(w, e.keys())
		return
	}
	reply(w, jose.JSONWebKeySet{Keys: []jose.JSONWebKey{{Key: e.key.Public(), KeyID: e.kid, Use: "sig", Algorithm: "RS256"}}})
}

func (e *evil) serveToken(w http.ResponseWriter, r *http.Request) {
	id, secret, _ := r.BasicAuth()
	e.mu.Lock()
	code := r.FormValue("code")
	g, ok := e.codes[code]
	if !e.reuse {
		delete(e.codes, code)
	}
	e.mu.Unlock()
	sum := sha256.Sum256([]byte(r.FormValue("code_verifier")))
	proof := base64.RawURLEncoding.EncodeToString(sum[:])
	switch {
	case id != clientID || secret != url.QueryEscape(clientSecret) && secret != clientSecret:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusUnauthorized)
		reply(w, map[string]any{"error": "invalid_client"})
		return
	case !ok || r.FormValue("redirect_uri") != g.redirect || !e.reuse && proof != g.challenge:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusBadRequest)
		reply(w, map[string]any{"error": "invalid_grant"})
		return
	}
	out := map[string]any{"access_token": "at", "token_type": "Bearer", "expires_in": 60, "id_token": e.idToken(g.nonce)}
	if e.token != nil {
		e.token(out)
	}
	reply(w, out)
}

func (e *evil) idToken(nonce string) string {
	now := e.at()
	claims := map[string]any{
		"iss": e.issuer, "aud": clientID, "sub": "u-1", "nonce": nonce, "iat": now.Unix(), "exp": now.Add(5 * time.Minute).Unix(),
		"preferred_username": "ann", "name": "Ann Miller", "groups": []string{"soc-admins", "everybody"},
	}
	if e.claims != nil {
		e.claims(claims)
	}
	raw, err := json.Marshal(claims)
	if err != nil {
		e.t.Error(err)
	}
	if e.sign != nil {
		return e.sign(raw)
	}
	return signed(e.t, jose.RS256, e.key, e.kid, raw)
}

func signed(t *testing.T, alg jose.SignatureAlgorithm, key any, kid string, raw []byte) string {
	s, err := jose.NewSigner(jose.SigningKey{Algorithm: alg, Key: jose.JSONWebKey{Key: key, KeyID: kid}}, nil)
	if err != nil {
		t.Error(err)
		return ""
	}
	o, err := s.Sign(raw)
	if err != nil {
		t.Error(err)
		return ""
	}
	text, err := o.CompactSerialize()
	if err != nil {
		t.Error(err)
	}
	return text
}

// visit is the browser at the provider: it is sent back with a code.
func (e *evil) visit(location string) url.Values {
	e.t.Helper()
	u, err := url.Parse(location)
	if err != nil {
		e.t.Fatal(err)
	}
	q := u.Query()
	if q.Get("code_challenge_method") != "S256" || q.Get("response_type") != "code" || q.Get("client_id") != clientID || !strings.Contains(q.Get("scope"), "openid") {
		e.t.Errorf("asked for %s", u)
	}
	code := random()
	e.mu.Lock()
	e.codes[code] = grant{q.Get("nonce"), q.Get("code_challenge"), q.Get("redirect_uri")}
	e.mu.Unlock()
	back := url.Values{"state": {q.Get("state")}, "code": {code}, "iss": {e.issuer}}
	if e.answer != nil {
		e.answer(back)
	}
	return back
}

// A desk is a provider of ours in front of an evil one.
type desk struct {
	*Provider
	evil *evil
	at   time.Time
	set  Settings
}

func newDesk(t *testing.T, change ...func(*Settings)) *desk {
	t.Helper()
	d := &desk{at: time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)}
	now := func() time.Time { return d.at }
	d.evil = newEvil(t, now)
	d.set = Settings{
		Issuer: d.evil.issuer, ClientID: clientID, ClientSecret: clientSecret,
		RoleClaim: "groups", Roles: map[string]string{"soc-admins": "admin", "soc": "analyst"},
	}
	for _, f := range change {
		f(&d.set)
	}
	var err error
	d.Provider, err = New("corp", d.set, Options{Fetch: reach(t, d.evil.srv), Base: "https://soc.example", Flights: NewFlights(now), Now: now, Patient: 500 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// reach is the way out with all the rules of the process, opened for one server.
func reach(t *testing.T, srv *httptest.Server) fetcher.Doer {
	t.Helper()
	at := netip.MustParseAddrPort(srv.Listener.Addr().String())
	f, err := fetcher.Uncaged(ipc.FetchSetup{Ways: []ipc.FetchWay{{Scheme: "http", Host: at.Addr().String(), Port: at.Port()}}, Inside: []string{at.Addr().String()}})
	if err != nil {
		t.Fatal(err)
	}
	return f
}

// signIn goes the whole way.
func (d *desk) signIn(t *testing.T) (Identity, string, error) {
	t.Helper()
	location, cookie, err := d.Start(t.Context(), "/alerts?x=1")
	if err != nil {
		return Identity{}, "", err
	}
	return d.Finish(t.Context(), d.evil.visit(location), cookie)
}

func none(claims []byte) string {
	enc := base64.RawURLEncoding.EncodeToString
	return enc([]byte(`{"alg":"none","typ":"JWT"}`)) + "." + enc(claims) + "."
}

// TestHostile is a provider that misbehaves in every way but one at a time.
func TestHostile(t *testing.T) {
	set := func(name string, v any) func(*desk) {
		return func(d *desk) { d.evil.claims = func(c map[string]any) { c[name] = v } }
	}
	path := func(p string, h http.HandlerFunc) func(*desk) { return func(d *desk) { d.evil.handle[p] = h } }
	hang := func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-time.After(5 * time.Second):
		}
	}
	huge := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = fmt.Fprintf(w, `{"issuer":"%s"}`, strings.Repeat("x", 4<<20))
	}
	elsewhere := func(status int) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, "/realms/soc/trap", status) }
	}
	for name, c := range map[string]struct {
		evil    func(*desk)
		problem Problem
		reason  string
	}{
		"wrong audience":              {set("aud", "other"), Impostor, "another client"},
		"no audience":                 {set("aud", nil), Impostor, "another client"},
		"two audiences, nobody named": {set("aud", []string{clientID, "other"}), Impostor, "several clients"},
		"two audiences, other named": {func(d *desk) {
			d.evil.claims = func(c map[string]any) { c["aud"], c["azp"] = []string{clientID, "other"}, "other" }
		}, Impostor, "azp"},
		"made for another":          {set("azp", "other"), Impostor, "azp"},
		"wrong issuer":              {set("iss", "https://evil.test"), Impostor, "another issuer"},
		"issuer with a slash":       {func(d *desk) { d.evil.claims = func(c map[string]any) { c["iss"] = d.evil.issuer + "/" } }, Impostor, "another issuer"},
		"wrong nonce":               {set("nonce", "x"), Impostor, "nonce"},
		"no nonce":                  {set("nonce", ""), Impostor, "nonce"},
		"nobody":                    {set("sub", ""), Impostor, "no sub"},
		"a long subject":            {set("sub", strings.Repeat("x", 256)), Impostor, "too long"},
		"subject of another type":   {set("sub", 7), Impostor, "not right"},
		"ended":                     {func(d *desk) { d.evil.claims = func(c map[string]any) { c["exp"] = d.at.Add(-2 * time.Minute).Unix() } }, Impostor, "ended"},
		"no end":                    {func(d *desk) { d.evil.claims = func(c map[string]any) { delete(c, "exp") } }, Impostor, "ended"},
		"made in the future":        {func(d *desk) { d.evil.claims = func(c map[string]any) { c["iat"] = d.at.Add(10 * time.Minute).Unix() } }, Impostor, "future"},
		"made long ago":             {func(d *desk) { d.evil.claims = func(c map[string]any) { c["iat"] = d.at.Add(-time.Hour).Unix() } }, Impostor, "not made now"},
		"not yet good":              {func(d *desk) { d.evil.claims = func(c map[string]any) { c["nbf"] = d.at.Add(time.Hour).Unix() } }, Impostor, "not right"},
		"algorithm none":            {func(d *desk) { d.evil.sign = none }, Impostor, "algorithm"},
		"HS256 with the public key": {symmetric, Impostor, "algorithm"},
		"HS256 with the client's secret": {func(d *desk) {
			d.evil.sign = func(c []byte) string {
				return signed(t, jose.HS256, []byte(clientSecret+strings.Repeat(" ", 32)), "one", c)
			}
		}, Impostor, "algorithm"},
		"another key, same kid":    {otherKey("one"), Impostor, "signature"},
		"another key, unknown kid": {otherKey("two"), Impostor, "signature"},
		"another key, no kid":      {otherKey(""), Impostor, "signature"},
		"signature cut": {func(d *desk) {
			d.evil.sign = func(c []byte) string {
				s := signed(t, jose.RS256, d.evil.key, "one", c)
				return s[:strings.LastIndexByte(s, '.')+1]
			}
		}, Impostor, "signature"},
		"claims changed":                 {tampered, Impostor, "signature"},
		"a token of words":               {func(d *desk) { d.evil.sign = func([]byte) string { return "hello" } }, Impostor, "cannot be read"},
		"no token":                       {func(d *desk) { d.evil.token = func(a map[string]any) { delete(a, "id_token") } }, Impostor, "no id_token"},
		"access token of somebody":       {set("at_hash", "AAAAAAAAAAAAAAAAAAAAAA"), Impostor, "access token"},
		"no keys":                        {func(d *desk) { d.evil.keys = func() any { return map[string]any{"keys": []any{}} } }, Impostor, "signature"},
		"keys of another type":           {func(d *desk) { d.evil.keys = func() any { return map[string]any{"keys": "x"} } }, Down, "keys"},
		"keys hang":                      {path("/keys", hang), Down, "keys"},
		"keys huge":                      {path("/keys", huge), Down, "keys"},
		"keys elsewhere":                 {path("/keys", elsewhere(302)), Down, "keys"},
		"discovery names another issuer": {func(d *desk) { d.evil.discovery = func(m map[string]any) { m["issuer"] = "https://evil.test" } }, Impostor, "calls itself otherwise"},
		"discovery hangs":                {path("/.well-known/openid-configuration", hang), Down, "where to sign in"},
		"discovery huge":                 {path("/.well-known/openid-configuration", huge), Down, "where to sign in"},
		"discovery elsewhere":            {path("/.well-known/openid-configuration", elsewhere(302)), Down, "where to sign in"},
		"discovery of words":             {path("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }), Down, "where to sign in"},
		"discovery fails":                {path("/.well-known/openid-configuration", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(503) }), Down, "where to sign in"},
		"sign-in by script": {func(d *desk) {
			d.evil.discovery = func(m map[string]any) { m["authorization_endpoint"] = "javascript:alert(1)" }
		}, Impostor, "authorization_endpoint"},
		"token endpoint in the clear": {func(d *desk) {
			d.evil.discovery = func(m map[string]any) { m["token_endpoint"] = "http://op.evil.test/token" }
		}, Impostor, "token_endpoint"},
		"keys in a file": {func(d *desk) { d.evil.discovery = func(m map[string]any) { m["jwks_uri"] = "file:///etc/passwd" } }, Impostor, "jwks_uri"},
		"keys at the cloud's metadata": {func(d *desk) {
			d.evil.discovery = func(m map[string]any) { m["jwks_uri"] = "https://169.254.169.254/keys" }
		}, Down, "keys"},
		"token endpoint on a neighbour": {func(d *desk) {
			d.evil.discovery = func(m map[string]any) { m["token_endpoint"] = "https://192.168.1.1/token" }
		}, Down, "no token"},
		"token endpoint redirects, 307": {path("/token", elsewhere(307)), Down, "redirect"},
		"token endpoint redirects, 302": {path("/token", elsewhere(302)), Down, "redirect"},
		"token endpoint hangs":          {path("/token", hang), Down, "no token"},
		"token endpoint huge":           {path("/token", huge), Down, "no token"},
		"token endpoint fails":          {path("/token", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500) }), Down, "status 500"},
		"token endpoint of words":       {path("/token", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "ok") }), Down, "no token"},
		"mix-up":                        {func(d *desk) { d.evil.answer = func(q url.Values) { q.Set("iss", "https://other.test") } }, Impostor, "another issuer"},
		"mix-up, unannounced": {func(d *desk) {
			unannounced(d)
			d.evil.answer = func(q url.Values) { q.Set("iss", "https://other.test") }
		}, Impostor, "another issuer"},
		"names nobody":       {func(d *desk) { d.evil.answer = func(q url.Values) { q.Del("iss") } }, Impostor, "names nobody"},
		"no state":           {func(d *desk) { d.evil.answer = func(q url.Values) { q.Del("state") } }, State, "no state"},
		"wrong state":        {func(d *desk) { d.evil.answer = func(q url.Values) { q.Set("state", random()) } }, State, "not the one"},
		"two states":         {func(d *desk) { d.evil.answer = func(q url.Values) { q.Add("state", "x") } }, Impostor, "more than once"},
		"two codes":          {func(d *desk) { d.evil.answer = func(q url.Values) { q.Add("code", "x") } }, Impostor, "more than once"},
		"no code":            {func(d *desk) { d.evil.answer = func(q url.Values) { q.Del("code") } }, Impostor, "no code"},
		"a code of somebody": {func(d *desk) { d.evil.answer = func(q url.Values) { q.Set("code", "x") } }, Impostor, "does not take the code"},
		"denied": {func(d *desk) {
			d.evil.answer = func(q url.Values) { q.Set("error", "access_denied"); q.Set("error_description", "\x1b[2J<script>") }
		}, Denied, "error"},
		"an error of another issuer": {func(d *desk) {
			d.evil.answer = func(q url.Values) { q.Set("error", "x"); q.Set("iss", "https://other.test") }
		}, Impostor, "another issuer"},
		"userinfo about somebody else": {func(d *desk) {
			d.evil.claims = func(c map[string]any) { delete(c, "groups") }
			d.evil.info = func(m map[string]any) { m["sub"], m["groups"] = "u-2", "soc-admins" }
		}, Impostor, "somebody else"},
		"userinfo hangs": {func(d *desk) {
			d.evil.claims = func(c map[string]any) { delete(c, "groups") }
			d.evil.handle["/userinfo"] = hang
		}, Down, "more about"},
		"no group":                        {set("groups", []string{"everybody"}), NoRole, "groups"},
		"groups of another type":          {set("groups", map[string]any{"soc-admins": true}), NoRole, "0 groups"},
		"a group that looks like another": {set("groups", []any{"soc-admins ", "SOC-ADMINS", 7, nil}), NoRole, "groups"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := newDesk(t)
			c.evil(d)
			who, to, err := d.signIn(t)
			if ProblemOf(err) != c.problem || !strings.Contains(fmt.Sprint(err), c.reason) || who != (Identity{}) {
				t.Errorf("%+v, %v; want %s: %s", who, err, c.problem, c.reason)
			}
			if strings.ContainsAny(fmt.Sprint(err), "\x1b\n") || strings.Contains(fmt.Sprint(err), clientSecret) || to != "" && to != "/" && to != "/alerts?x=1" {
				t.Errorf("%v, %s", err, to)
			}
			d.evil.mu.Lock()
			defer d.evil.mu.Unlock()
			if d.evil.asked["/trap"] > 0 {
				t.Error("a redirect was followed")
			}
		})
	}
}

func unannounced(d *desk) {
	d.evil.discovery = func(m map[string]any) { delete(m, "authorization_response_iss_parameter_supported") }
}

// symmetric signs with the public key as if it were a shared secret.
func symmetric(d *desk) {
	der, err := x509.MarshalPKIXPublicKey(d.evil.key.Public())
	if err != nil {
		d.evil.t.Fatal(err)
	}
	secret := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	d.evil.sign = func(c []byte) string { return signed(d.evil.t, jose.HS256, secret, "one", c) }
}

func otherKey(kid string) func(*desk) {
	return func(d *desk) {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			d.evil.t.Fatal(err)
		}
		d.evil.sign = func(c []byte) string { return signed(d.evil.t, jose.ES256, key, kid, c) }
	}
}

// tampered changes the claims under a good signature.
func tampered(d *desk) {
	d.evil.sign = func(c []byte) string {
		parts := strings.Split(signed(d.evil.t, jose.RS256, d.evil.key, "one", c), ".")
		parts[1] = base64.RawURLEncoding.EncodeToString([]byte(strings.Replace(string(c), "u-1", "u-2", 1)))
		return strings.Join(parts, ".")
	}
}
