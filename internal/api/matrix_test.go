package api

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// signIn returns the value of the cookie of a signed-in administrator. It is nil
// as long as a rig knows no sessions; the matrix then holds with a cookie that
// opens nothing.
var signIn func(*rig) string

// written counts the transactions that could have changed something.
type written struct {
	state.Store
	n atomic.Int64
}

func (w *written) Update(ctx context.Context, f func(state.Tx) error) error {
	w.n.Add(1)
	return w.Store.Update(ctx, f)
}

// routesOf is a filled rig, its routes, and the count of what it writes.
func routesOf(t *testing.T) (*rig, *router, *written) {
	t.Helper()
	w := &written{}
	r := newRig(t, func(d *Deps) { w.Store = d.State; d.State = w; d.Console = consoleFiles() })
	r.fill()
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	if len(s.router.patterns) < 25 {
		t.Fatalf("only %d routes", len(s.router.patterns))
	}
	return r, s.router, w
}

const elsewhere = "the request comes from another site"

// TestCrossSiteMatrix asks every route there is with every pair of headers by
// which a browser says where a request comes from, and each kind of credential.
func TestCrossSiteMatrix(t *testing.T) {
	t.Parallel()
	r, routes, count := routesOf(t)
	cookie := "no session"
	if signIn != nil {
		cookie = signIn(r)
	}
	credentials := map[string]func(*http.Request){
		"none":   func(*http.Request) {},
		"key":    func(q *http.Request) { q.Header.Set("Authorization", "Bearer "+bootstrap.Reveal()) },
		"cookie": func(q *http.Request) { q.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie}) },
		"both": func(q *http.Request) {
			q.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
			q.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
		},
	}
	cells, refused := 0, 0
	for _, pattern := range routes.patterns {
		method, path := filled(pattern)
		for _, site := range []string{"same-origin", "same-site", "cross-site", "none", ""} {
			for _, origin := range []string{"https://core.example", "https://evil.example", "http://core.example.evil.example", "null", ""} {
				foreign := site == "same-site" || site == "cross-site" || site == "" && origin != "" && origin != "https://core.example"
				if !foreign && method != http.MethodGet {
					continue // let in: what it does then is the business of its own tests
				}
				for i, name := range []string{"none", "key", "cookie", "both"} {
					if method == http.MethodGet && i != cells%4 {
						continue // what only reads is let in: each pair of headers with one of them is enough
					}
					show := credentials[name]
					q := httptest.NewRequest(method, "https://core.example"+path, strings.NewReader("{}"))
					q.RemoteAddr = "127.0.0.1:1"
					if site != "" {
						q.Header.Set("Sec-Fetch-Site", site)
					}
					if origin != "" {
						q.Header.Set("Origin", origin)
					}
					show(q)
					w, before := httptest.NewRecorder(), count.n.Load()
					r.handler.ServeHTTP(w, q)
					cells++
					if method == http.MethodGet {
						if strings.Contains(w.Body.String(), elsewhere) || broken(w) {
							t.Errorf("%s from %q, %q with %s: %d", pattern, site, origin, name, w.Code)
						}
					} else if refused++; w.Code != http.StatusForbidden || problemOf(t, w).Detail != elsewhere || count.n.Load() != before {
						t.Errorf("%s from %q, %q with %s: %d, %d writes: %s", pattern, site, origin, name, w.Code, count.n.Load()-before, w.Body)
					}
					if h := w.Header(); h.Get("Access-Control-Allow-Origin") != "" || h.Get("Cross-Origin-Resource-Policy") != "same-origin" {
						t.Errorf("%s: open to other sites: %v", pattern, h)
					}
				}
			}
		}
	}
	t.Logf("%d routes, %d requests, %d of them refused", len(routes.patterns), cells, refused)
	if refused < 1000 {
		t.Errorf("only %d requests were to be refused", refused)
	}
}

// Requests of this site, and of programs, reach their handler.
func TestOwnSiteIsLetIn(t *testing.T) {
	t.Parallel()
	r, _, _ := routesOf(t)
	for _, h := range [][2]string{{"Sec-Fetch-Site", "same-origin"}, {"Sec-Fetch-Site", "none"}, {"Origin", "https://core.example"}, {"X-None", "x"}} {
		q := httptest.NewRequest(http.MethodPost, "https://core.example/api/v1/playbooks/test", strings.NewReader("{}"))
		q.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
		q.Header.Set(h[0], h[1])
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, q)
		if strings.Contains(w.Body.String(), elsewhere) || w.Code == http.StatusUnauthorized {
			t.Errorf("%v: %d %s", h, w.Code, w.Body)
		}
	}
}

// TestGetWritesNothing asks every route that only looks.
func TestGetWritesNothing(t *testing.T) {
	t.Parallel()
	r, routes, count := routesOf(t)
	for _, pattern := range routes.patterns {
		method, path := filled(pattern)
		if method != http.MethodGet {
			continue
		}
		before := count.n.Load()
		if w := r.call(method, path, bootstrap, nil); broken(w) {
			t.Errorf("%s: %d %s", pattern, w.Code, w.Body)
		}
		if n := count.n.Load() - before; n != 0 {
			t.Errorf("%s writes %d times", pattern, n)
		}
	}
}

// endless is n bytes whose number is not said before.
func endless(n int) io.Reader {
	return io.MultiReader(strings.NewReader(`{"name":"`), io.LimitReader(as{}, int64(n)))
}

type as struct{}

func (as) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'a'
	}
	return len(p), nil
}

// TestBadBodies sends every route that takes a body what is none.
func TestBadBodies(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-value"
	r, routes, _ := routesOf(t)
	huge := []byte(`{"name":"` + canary + strings.Repeat("a", 10<<20) + `"}`)
	for _, pattern := range routes.patterns {
		method, path := filled(pattern)
		if method == http.MethodGet || method == http.MethodHead {
			continue
		}
		// These need no JSON, or take whatever JSON they do not know.
		free := method == http.MethodDelete || routes.needs[pattern] == auth.PermIngest || routes.needs[pattern] == auth.PermBouncer ||
			pattern == "POST "+base+"/auth/logout" || strings.HasSuffix(pattern, "/me/preferences") // the console's own, whatever it holds
		for what, body := range map[string]func() io.Reader{
			"nothing":        func() io.Reader { return strings.NewReader("") },
			"cut short":      func() io.Reader { return strings.NewReader(`{"name":"` + canary) },
			"no JSON":        func() io.Reader { return strings.NewReader(canary) },
			"a list":         func() io.Reader { return strings.NewReader(`["` + canary + `"]`) },
			"a text":         func() io.Reader { return strings.NewReader(`"` + canary + `"`) },
			"a number":       func() io.Reader { return strings.NewReader(`1e999`) },
			"wrong types":    func() io.Reader { return strings.NewReader(wrongTypes(canary)) },
			"unknown fields": func() io.Reader { return strings.NewReader(`{"` + canary + `":"` + canary + `"}`) },
			"deep":           func() io.Reader { return strings.NewReader(strings.Repeat("[", 100_000)) },
			"zeroes":         func() io.Reader { return bytes.NewReader(make([]byte, 1000)) },
			"no UTF-8":       func() io.Reader { return strings.NewReader("{\"name\":\"\xff\xfe\"") },
			"10 MB":          func() io.Reader { return bytes.NewReader(huge) },
			"10 MB unsaid":   func() io.Reader { return endless(10 << 20) },
		} {
			q := httptest.NewRequest(method, path, body())
			q.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
			q.Header.Set("Content-Type", "application/json")
			w := httptest.NewRecorder()
			r.handler.ServeHTTP(w, q)
			if pattern == "PUT "+base+"/me/preferences" && (what == "unknown fields" || what == "wrong types") {
				continue // any object is good, and is what is read again
			}
			r.refusedWell(pattern+" with "+what, w, canary)
			if !free && what != "nothing" && w.Code < 400 {
				t.Errorf("%s with %s: %d %s", pattern, what, w.Code, w.Body)
			}
		}
	}
}

// wrongTypes gives the fields requests have a value of another type.
func wrongTypes(canary string) string {
	var b strings.Builder
	b.WriteString(`{"x":0`)
	for _, f := range []string{"name", "scope", "on", "rule", "ids", "note", "verdict", "target", "reason", "status", "assignee", "text", "playbook", "incident", "expires", "ttl", "into", "events", "match", "filter"} {
		b.WriteString(`,"` + f + `":{"` + canary + `":[1]}`)
	}
	return b.String() + "}"
}

// broken reports whether an answer is a fault of ours. That a part is not there,
// as in this rig, is none.
func broken(w *httptest.ResponseRecorder) bool {
	return w.Code >= 500 && w.Code != http.StatusServiceUnavailable
}

// refusedWell checks that an answer is no fault of ours, and says no value again.
func (r *rig) refusedWell(what string, w *httptest.ResponseRecorder, canary string) {
	r.t.Helper()
	if broken(w) {
		r.t.Errorf("%s: %d %s", what, w.Code, w.Body)
	}
	if w.Code >= 400 && strings.Contains(w.Body.String(), canary) {
		r.t.Errorf("%s: the value is said again: %.300s", what, w.Body)
	}
	if w.Code >= 400 && !strings.Contains(what, " "+lapiBase) {
		problemOf(r.t, w)
	}
}

// TestTamperedCredentials shows every route cookies and keys that are none.
func TestTamperedCredentials(t *testing.T) {
	t.Parallel()
	const canary = "CANARY-value"
	r, routes, count := routesOf(t)
	good := "0123456789abcdef"
	if signIn != nil {
		good = signIn(r)
	}
	flipped := []byte(good)
	flipped[len(flipped)/2] ^= 1
	values := []string{
		canary, "", string(flipped), good[:len(good)-1], good + "A", strings.Repeat("A", 8000), "../../etc/passwd", "' OR '1'='1", "%00", "null", "a.b.c",
		"eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.",
	}
	for _, pattern := range routes.patterns {
		method, path := filled(pattern)
		if routes.needs[pattern] == auth.PermOpen {
			continue
		}
		for _, v := range values {
			for _, header := range [][2]string{{"Cookie", sessionCookie + "=" + v}, {"Cookie", sessionCookie + "=x; " + sessionCookie + "=" + v}, {"Authorization", "Bearer " + v}, {"Authorization", v}, {"Authorization", "Basic " + v}} {
				q := httptest.NewRequest(method, path, strings.NewReader("{}"))
				q.Header.Set(header[0], header[1])
				w, before := httptest.NewRecorder(), count.n.Load()
				r.handler.ServeHTTP(w, q)
				r.refusedWell(pattern+" with "+header[0], w, canary)
				if w.Code != http.StatusUnauthorized && w.Code != http.StatusForbidden && w.Code != http.StatusTooManyRequests || count.n.Load() != before {
					t.Errorf("%s with %s %.40q: %d", pattern, header[0], v, w.Code)
				}
			}
		}
	}
}
