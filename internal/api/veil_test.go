package api

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"

	"honeyguide/internal/auth"
	"honeyguide/internal/personal"
)

// TestVeilOverAllRoutes asks every route that reads as somebody who may see no
// personal data, and looks for any in what they get.
func TestVeilOverAllRoutes(t *testing.T) {
	t.Parallel()
	r, routes, _ := routesOf(t)
	blind, seeing := r.keyOf("blind", auth.ScopeViewer), r.keyOf("seeing", auth.ScopeAnalyst)
	all := personal.NewPseudonyms(nil).All()
	looked, shown := 0, 0
	for _, pattern := range routes.patterns {
		method, path := filled(pattern)
		need := routes.needs[pattern]
		if method != http.MethodGet || strings.HasSuffix(path, "/stream") || !veiled(auth.Principal{ID: "x", Scope: auth.ScopeViewer}, need) {
			continue
		}
		w := r.call(method, path, blind, nil)
		if w.Code >= 500 && w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s: %d %s", pattern, w.Code, w.Body)
		}
		looked++
		if strings.HasSuffix(path, "/settings/values") {
			continue // not for viewers at all
		}
		if _, n := all.Field("", w.Body.String()); n > 0 {
			t.Errorf("%s shows personal data: %s", pattern, w.Body)
		}
		if w := r.call(method, path, seeing, nil); w.Code == http.StatusOK {
			if _, n := all.Field("", w.Body.String()); n > 0 {
				shown++
			}
		}
		if w := r.call(method, path+map[bool]string{true: "&", false: "?"}[strings.Contains(path, "?")]+"pseudonymise=true", seeing, nil); w.Code == http.StatusOK {
			if _, n := all.Field("", w.Body.String()); n > 0 {
				t.Errorf("%s with pseudonymise=true shows personal data: %s", pattern, w.Body)
			}
		}
	}
	t.Logf("%d routes, %d of them show personal data to who may see it", looked, shown)
	if looked < 40 || shown < 3 {
		t.Errorf("%d routes were asked and %d show something: the test sees too little", looked, shown)
	}
}

// TestVeil: each kind of answer.
func TestVeil(t *testing.T) {
	g := &gate{pseudonyms: personal.NewPseudonyms([]byte("k"))}
	mask := g.pseudonyms.Addr(netip.MustParseAddr("203.0.113.7")).String()
	for _, c := range []struct{ kind, in, want string }{
		{"application/json", `{"src":"203.0.113.7","user":"bob","at":"10:20:30"}`, `{"src":"` + mask + `","user":"` + g.pseudonyms.Name("bob") + `","at":"10:20:30"}`},
		{"application/problem+json", `{"detail":"203.0.113.7"}`, `{"detail":"` + mask + `"}`},
		{"", `{"a":["203.0.113.7:22"]}`, `{"a":["[` + mask + `]:22"]}`},
		{"application/json", "no JSON 203.0.113.7", "no JSON " + mask},
		{"text/plain", "203.0.113.7\n203.0.113.7", mask + "\n" + mask},
		{"text/event-stream", "event: x\ndata: {\"user\":\"bob\",\"a\":\"203.0.113.7\"}\n\n", "event: x\ndata: {\"user\":\"" + g.pseudonyms.Name("bob") + "\",\"a\":\"" + mask + "\"}\n\n"},
		{"text/csv", "src,user\n203.0.113.7,bob\n", "src,user\n" + mask + "," + g.pseudonyms.Name("bob") + "\n"},
	} {
		w := httptest.NewRecorder()
		v := &veil{ResponseWriter: w, r: g.pseudonyms.All(), decide: func(int) { t.Error("refused") }}
		v.Header().Set("Content-Type", c.kind)
		for b := range strings.SplitSeq(c.in, "") { // however it is cut
			if _, err := io.WriteString(v, b); err != nil {
				t.Fatal(err)
			}
		}
		v.end()
		got := w.Body.String()
		if c.kind == "text/event-stream" {
			got = strings.ReplaceAll(got, "data:{", "data: {")
		}
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", c.kind, got, c.want)
		}
	}
	w, said := httptest.NewRecorder(), false
	v := &veil{ResponseWriter: w, r: g.pseudonyms.All(), decide: func(int) { said = true; w.WriteHeader(http.StatusForbidden) }}
	v.Header().Set("Content-Type", "application/zip")
	_, _ = v.Write([]byte("203.0.113.7"))
	v.end()
	if !said || w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "203") {
		t.Errorf("what cannot be read was let through: %d %s", w.Code, w.Body)
	}
	for name, body := range map[string]string{"half an object": `{"user":"bob","src":"203.0.113.7`, "too much": `{"user":"` + strings.Repeat("bob ", maxVeiled/4)} {
		w := httptest.NewRecorder()
		v := &veil{ResponseWriter: w, r: g.pseudonyms.All(), decide: func(int) { w.WriteHeader(http.StatusForbidden) }}
		v.Header().Set("Content-Type", "application/json")
		_, _ = io.WriteString(v, body)
		v.end()
		if w.Code != http.StatusForbidden || strings.Contains(w.Body.String(), "bob") {
			t.Errorf("%s was let through: %d", name, w.Code)
		}
	}
}
