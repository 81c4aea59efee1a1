package api

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/auth/password"
	"honeyguide/internal/client"
)

const goodPassword honeyguide.Secret = "correct horse battery"

// cheap hashes are for tests.
var cheap = password.Cost{Memory: 64, Time: 1, Lanes: 1}

// crowdRig is a rig with users whose passwords are cheap to check.
type crowdRig struct {
	*rig
	id *auth.Service
}

func newPeople(t *testing.T, edit ...func(*auth.Options)) *crowdRig {
	t.Helper()
	p := &crowdRig{}
	p.rig = newRig(t, func(d *Deps) {
		o := auth.Options{State: d.State, Audit: d.Audit, Metrics: d.Metrics, Now: d.Now, Cost: cheap}
		for _, f := range edit {
			f(&o)
		}
		p.id = auth.NewService(o)
		d.Identity, d.Address = p.id, "https://soc.example"
	})
	return p
}

var asLocal = auth.Actor{Principal: auth.Principal{ID: "local", Name: "local", Scope: auth.ScopeAdmin, Sort: auth.SortLocal}}

// user makes a person of a role with the good password.
func (p *crowdRig) user(name, role string) honeyguide.User {
	p.t.Helper()
	l, err := p.id.AddUser(p.t.Context(), asLocal, honeyguide.User{Name: name, Role: role})
	if err != nil {
		p.t.Fatal(err)
	}
	from := auth.Caller{Network: netip.MustParsePrefix("198.51.100.250/32")}
	if _, err := p.id.UseLink(p.t.Context(), from, l.Token, name, goodPassword); err != nil {
		p.t.Fatal(err)
	}
	return l.User
}

// ask sends a request as a browser with cookies does.
func (p *crowdRig) ask(method, path string, body string, cookies ...*http.Cookie) *httptest.ResponseRecorder {
	p.t.Helper()
	req := httptest.NewRequest(method, base+path, strings.NewReader(body))
	req.Header.Set("Sec-Fetch-Site", "same-origin")
	req.Header.Set("Content-Type", "application/json")
	for _, c := range cookies {
		req.AddCookie(c)
	}
	w := httptest.NewRecorder()
	p.handler.ServeHTTP(w, req)
	return w
}

// login logs in and returns the cookie.
func (p *crowdRig) login(name string) *http.Cookie {
	p.t.Helper()
	w := p.ask(http.MethodPost, "/auth/login", fmt.Sprintf(`{"name":%q,"password":%q}`, name, goodPassword.Reveal()))
	if w.Code != http.StatusOK {
		p.t.Fatalf("%s: %d %s", name, w.Code, w.Body)
	}
	return cookieIn(p.t, w)
}

func cookieIn(t testing.TB, w *httptest.ResponseRecorder) *http.Cookie {
	t.Helper()
	for _, c := range w.Result().Cookies() {
		if c.Name == sessionCookie {
			return c
		}
	}
	t.Fatalf("no cookie in %v", w.Header())
	return nil
}

func TestLoginOverHTTP(t *testing.T) {
	p := newPeople(t)
	link, ok, err := p.id.FirstRun(t.Context())
	if !ok || err != nil {
		t.Fatal(ok, err)
	}
	if w := p.ask(http.MethodGet, "/auth/methods", ""); !strings.Contains(w.Body.String(), `"first_run":true`) {
		t.Errorf("methods: %s", w.Body)
	}
	w := p.ask(http.MethodPost, "/auth/first-run", fmt.Sprintf(`{"token":%q,"name":"anna","password":%q}`, link.Token.Reveal(), goodPassword.Reveal()))
	if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"state":"in"`) {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	first := cookieIn(t, w)
	if first.Path != "/" || !first.Secure || !first.HttpOnly || first.SameSite != http.SameSiteStrictMode || first.Domain != "" || len(first.Value) != 43 {
		t.Errorf("the cookie %+v", first)
	}
	if w := p.ask(http.MethodPost, "/auth/login", `{"name":"anna","password":"wrong"}`); w.Code != http.StatusUnauthorized {
		t.Errorf("a wrong password: %d", w.Code)
	}
	planted := &http.Cookie{Name: sessionCookie, Value: strings.Repeat("A", 43)}
	w = p.ask(http.MethodPost, "/auth/login", fmt.Sprintf(`{"name":"anna","password":%q}`, goodPassword.Reveal()), planted)
	second := cookieIn(t, w)
	if second.Value == planted.Value || !strings.Contains(w.Body.String(), `"failed":1`) {
		t.Errorf("a planted cookie stays, or failures are not told: %s", w.Body)
	}
	for _, c := range [][]*http.Cookie{{planted}, {second, planted}, {{Name: sessionCookie, Value: second.Value + "A"}}, {{Name: sessionCookie, Value: first.Value[:42]}}} {
		if w := p.ask(http.MethodGet, "/me", "", c...); w.Code != http.StatusUnauthorized || w.Header().Get("Set-Cookie") != "" {
			t.Errorf("%v: %d", c, w.Code)
		}
	}
	var me client.Me
	w = p.ask(http.MethodGet, "/me", "", second)
	if err := json.Unmarshal(w.Body.Bytes(), &me); err != nil || me.Name != "anna" || me.Kind != "user" || me.Failed != 1 || !slices.Contains(me.Permissions, "users") || me.Session.ID == "" {
		t.Errorf("me: %s, %v", w.Body, err)
	}
	if w := p.ask(http.MethodDelete, "/me/sessions/"+me.Session.ID, "", first); w.Code != http.StatusOK {
		t.Errorf("the other browser ends it: %d %s", w.Code, w.Body)
	}
	if w := p.ask(http.MethodGet, "/me", "", second); w.Code != http.StatusUnauthorized {
		t.Errorf("after it was ended: %d", w.Code)
	}
	bare := httptest.NewRequest(http.MethodPost, base+"/auth/logout", nil)
	bare.AddCookie(first)
	answer := httptest.NewRecorder()
	p.handler.ServeHTTP(answer, bare)
	if answer.Code != http.StatusForbidden {
		t.Errorf("a change that does not say where it comes from: %d", answer.Code)
	}
	if w := p.ask(http.MethodPost, "/auth/logout", "", first); w.Code != http.StatusOK || cookieIn(t, w).MaxAge >= 0 {
		t.Errorf("logout: %d %v", w.Code, w.Header())
	}
	if w := p.ask(http.MethodGet, "/me", "", first); w.Code != http.StatusUnauthorized {
		t.Errorf("after the logout: %d", w.Code)
	}
}

// TestConfirm: what changes users, keys, roles and factors wants a user to have
// shown lately who they are.
func TestConfirm(t *testing.T) {
	now := day
	p := newPeople(t, func(o *auth.Options) { o.Now = func() time.Time { return now } })
	p.user("anna", "admin")
	cookie := p.login("anna")
	if w := p.ask(http.MethodPost, "/users", `{"name":"ben","role":"viewer"}`, cookie); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), "https://soc.example/first-run#") {
		t.Errorf("at once: %d %s", w.Code, w.Body)
	}
	now = now.Add(auth.ConfirmLimit)
	for pattern := range p.mustBuild().router.fresh {
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.TrimPrefix(strings.ReplaceAll(path, "{id}", "ben"), base)
		w := p.ask(method, path, `{}`, cookie)
		if problem := problemOf(t, w); w.Code != http.StatusForbidden || problem.Type != "urn:honeyguide:problem:confirm" {
			t.Errorf("%s: %d %s", pattern, w.Code, w.Body)
		}
	}
	w := p.ask(http.MethodPost, "/auth/confirm", fmt.Sprintf(`{"password":%q}`, goodPassword.Reveal()), cookie)
	if w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := p.ask(http.MethodGet, "/me", "", cookie); w.Code != http.StatusUnauthorized {
		t.Errorf("the cookie of before: %d", w.Code)
	}
	if w := p.ask(http.MethodPatch, "/users/ben", `{"display":"Ben"}`, cookieIn(t, w)); w.Code != http.StatusOK {
		t.Errorf("confirmed: %d %s", w.Code, w.Body)
	}
}

func (r *rig) mustBuild() *server {
	r.t.Helper()
	s, err := build(r.dep)
	if err != nil {
		r.t.Fatal(err)
	}
	return s
}

// TestDoorsOfPeople asks every route with a login of every role, built-in and
// own, of one permission each: let in is who has what the route declares.
func TestDoorsOfPeople(t *testing.T) {
	p := newPeople(t)
	p.fill()
	s := p.mustBuild()
	powers := map[string][]auth.Permission{}
	for _, role := range []auth.Scope{auth.ScopeViewer, auth.ScopeAuditor, auth.ScopeAnalyst, auth.ScopeResponder, auth.ScopeAdmin} {
		powers[string(role)] = role.Permissions()
	}
	for _, may := range auth.Permissions() {
		role := honeyguide.Role{Name: "only-" + string(may), Permissions: []string{string(may)}}
		if _, err := p.id.SaveRole(t.Context(), asLocal, role, true); err != nil {
			t.Fatal(err)
		}
		powers[role.Name] = []auth.Permission{may}
	}
	cookies := map[string]*http.Cookie{}
	for role := range powers {
		p.user("user-"+role, role)
		cookies[role] = p.login("user-" + role)
	}
	for _, pattern := range s.router.patterns {
		need := s.router.needs[pattern]
		if need == auth.PermOpen || need == auth.PermSelf || strings.HasSuffix(pattern, "/stream") || strings.Contains(pattern, lapiBase+"decisions") || strings.Contains(pattern, " /v1/") {
			continue // for anybody, for everybody, goes on for ever, in other words
		}
		method, path := filled(pattern)
		for role, cookie := range cookies {
			body := `{"no such field":1}` // understood by none: nothing is changed
			if method == http.MethodGet {
				body = ""
			}
			if method == http.MethodDelete { // nothing there has this id
				path = strings.NewReplacer("/A-1", "/none", "/SUP-1", "/none", "/192.0.2.1", "/192.0.2.77", "/198.51.100.1", "/198.51.100.77").Replace(path)
			}
			w := p.ask(method, strings.TrimPrefix(path, base), body, cookie)
			if strings.HasPrefix(path, base) == false { // outside the API
				req := httptest.NewRequest(method, path, strings.NewReader(body))
				req.AddCookie(cookie)
				req.Header.Set("Sec-Fetch-Site", "same-origin")
				w = httptest.NewRecorder()
				p.handler.ServeHTTP(w, req)
			}
			refused := w.Code == http.StatusForbidden && strings.Contains(w.Body.String(), "your role does not let you")
			if may := slices.Contains(powers[role], need); may == refused || w.Code == http.StatusUnauthorized {
				t.Errorf("%s with the role %s: %d %s", pattern, role, w.Code, w.Body)
			}
		}
	}
	if w := p.ask(http.MethodGet, "/me", "", cookies["admin"]); w.Code != http.StatusOK {
		t.Errorf("the administrator is out afterwards: %d", w.Code)
	}
}

// TestRolesOfPeopleActThroughKeys: a key of an own role may what the role grants.
func TestRolesOfPeopleActThroughKeys(t *testing.T) {
	p := newPeople(t)
	role := honeyguide.Role{Name: "watch", Permissions: []string{"read"}}
	if _, err := p.id.SaveRole(t.Context(), asLocal, role, true); err != nil {
		t.Fatal(err)
	}
	var made client.NewKey
	w := p.call(http.MethodPost, base+"/keys", bootstrap, strings.NewReader(`{"name":"tv","scope":"watch","from":["192.0.2.0/24"]}`))
	if err := json.Unmarshal(w.Body.Bytes(), &made); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for path, want := range map[string]int{"/alerts": http.StatusOK, "/keys": http.StatusForbidden, "/me": http.StatusOK} {
		if w := p.call(http.MethodGet, base+path, honeyguide.Secret(made.Key), nil); w.Code != want {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
	req := httptest.NewRequest(http.MethodGet, base+"/alerts", nil)
	req.RemoteAddr = "203.0.113.1:5"
	req.Header.Set("Authorization", "Bearer "+made.Key)
	other := httptest.NewRecorder()
	p.handler.ServeHTTP(other, req)
	if other.Code != http.StatusForbidden {
		t.Errorf("from elsewhere: %d", other.Code)
	}
	var next client.NewKey
	w = p.call(http.MethodPost, base+"/keys/tv/rotate", bootstrap, strings.NewReader(`{}`))
	if err := json.Unmarshal(w.Body.Bytes(), &next); err != nil || w.Code != http.StatusOK {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	for key, want := range map[string]int{made.Key: http.StatusUnauthorized, next.Key: http.StatusOK} {
		if w := p.call(http.MethodGet, base+"/alerts", honeyguide.Secret(key), nil); w.Code != want {
			t.Errorf("after rotating: %d, want %d", w.Code, want)
		}
	}
	for body, want := range map[string]int{
		`{"name":"x","scope":"nobody"}`: http.StatusBadRequest, `{"name":"x","scope":"read","from":["x"]}`: http.StatusBadRequest,
		`{"name":"x","scope":"read","owner":"ghost"}`: http.StatusBadRequest, `{"name":"local","scope":"read"}`: http.StatusBadRequest,
	} {
		if w := p.call(http.MethodPost, base+"/keys", bootstrap, strings.NewReader(body)); w.Code != want {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
}
