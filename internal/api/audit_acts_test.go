package api

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// bodyOf is a body that is understood, for routes that want one.
func bodyOf(pattern string) string {
	if d, ok := doorways[pattern]; ok && d.body != "" {
		return d.body
	}
	if b, ok := bodies[pattern]; ok && b != "" {
		return b
	}
	return "{}"
}

// understood are bodies of routes that need more than {} to be understood.
var understood = map[string]string{
	"POST " + base + "/users":                   `{"name":"ben","role":"viewer"}`,
	"POST " + base + "/roles":                   `{"name":"night","permissions":["read"]}`,
	"POST /api/v1/alerts/verdict":               `{"ids":["A-1"],"verdict":"benign"}`,
	"POST /api/v1/alerts/{id}/verdict":          `{"verdict":"benign"}`,
	"POST /api/v1/incidents/{id}/verdict":       `{"verdict":"benign"}`,
	"POST /api/v1/incidents/{id}/merge":         `{"incidents":["I-2"]}`,
	"POST /api/v1/incidents/{id}/split":         `{"alerts":["A-1"]}`,
	"POST /api/v1/incidents/{id}/comments":      `{"text":"x"}`,
	"POST /api/v1/incidents/{id}/tasks":         `{"title":"x"}`,
	"POST /api/v1/suppressions":                 `{"match":{"rule":"r"},"reason":"x","owner":"ops","expires_at":"2026-12-01T00:00:00Z"}`,
	"POST /api/v1/rules/{id}/switch":            `{"on":false,"reason":"noisy"}`,
	"POST /api/v1/notices/test":                 `{"channel":"chat"}`,
	"POST /api/v1/bouncers":                     `{"name":"edge"}`,
	"POST /api/v1/triage/promote":               `{"force":true}`,
	"PATCH /api/v1/incidents/{id}":              `{"comment":"x"}`,
	"PATCH /api/v1/incidents/{id}/tasks/{task}": `{"done":true}`,
	"POST /api/v1/suppressions/{id}/lift":       `{}`,
	"POST /api/v1/alerts/status":                `{"ids":["A-1"],"status":"closed"}`,
	"POST /api/v1/holds":                        `{"object":"attacker:203.0.113.7","reason":"court"}`,
	"POST /api/v1/holds/{id}/release":           `{"reason":"over"}`,
	"POST /api/v1/incidents/{id}/evidence":      `{"reason":"court"}`,
	"POST /api/v1/evidence/{id}/verify":         `{}`,
	"POST /api/v1/alerts/undo":                  `{"undo":"x"}`,
	"POST /api/v1/privacy/find":                 `{"subject":"address:203.0.113.7"}`,
	"POST /api/v1/privacy/forget-key":           `{"reason":"x"}`,
	"POST /api/v1/privacy/export":               `{"subject":"address:203.0.113.7"}`,
	"POST /api/v1/privacy/erasures":             `{"subject":"address:203.0.113.7","reason":"x"}`,
	"POST /api/v1/views":                        `{"name":"x","room":"alerts","query":"status=new"}`,
}

// exampleOf makes a body of what the description of a route demands.
func (s *server) exampleOf(pattern string) string {
	if d, ok := doorways[pattern]; ok && d.body != "" {
		return d.body
	}
	method, path, _ := strings.Cut(pattern, " ")
	item := s.huma.OpenAPI().Paths[path]
	o := map[string]*huma.Operation{"POST": item.Post, "PUT": item.Put, "PATCH": item.Patch}[method]
	if o == nil || o.RequestBody == nil || o.RequestBody.Content["application/json"] == nil {
		return "{}"
	}
	text, _ := json.Marshal(s.example(o.RequestBody.Content["application/json"].Schema)) // plain values always encode
	return string(text)
}

func (s *server) example(x *huma.Schema) any {
	if x.Ref != "" {
		x = s.huma.OpenAPI().Components.Schemas.SchemaFromRef(x.Ref)
	}
	switch {
	case len(x.Enum) > 0:
		return x.Enum[0]
	case x.Type == "object":
		out := map[string]any{}
		for _, name := range x.Required {
			out[name] = s.example(x.Properties[name])
		}
		return out
	case x.Type == "array":
		return []any{s.example(x.Items)}
	case x.Type == "string" && x.Format == "date-time":
		return "2030-01-01T00:00:00Z"
	case x.Type == "string":
		return "x"
	case x.Type == "boolean":
		return true
	case x.Type == "integer", x.Type == "number":
		return 1
	}
	return map[string]any{}
}

// changing lists the patterns of routes that change something.
func changing(s *server) []string {
	var out []string
	for _, p := range s.router.patterns {
		if !strings.HasPrefix(p, "GET ") {
			out = append(out, p)
		}
	}
	return out
}

// spy is the state with its writes counted.
type spy struct {
	state.Store
	writes int
}

func (s *spy) Update(ctx context.Context, fn func(state.Tx) error) error {
	s.writes++
	return s.Store.Update(ctx, fn)
}

// ownEntries reports whether the entries of a route are made by the room of
// identity, where it is known what comes of it; see its TestAuditFirst.
func ownEntries(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return strings.HasPrefix(path, base+"/auth/") || strings.HasPrefix(path, base+"/me/") && path != base+"/me/preferences"
}

// TestEveryChangeIsAudited asks every route whose method is not GET. Each leaves an
// entry that says who, what and about what; and where entries cannot be
// written, each answers 503 and changes nothing.
func TestEveryChangeIsAudited(t *testing.T) {
	t.Parallel()
	var watched *spy
	r := newRig(t, func(d *Deps) {
		watched = &spy{Store: d.State}
		d.State = watched
	})
	r.fill()
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	all := changing(s)
	if len(all) < 25 {
		t.Fatalf("only %d routes: %v", len(all), all)
	}
	for pattern := range unaudited {
		if !slices.Contains(all, pattern) && !strings.HasPrefix(pattern, "POST /v1/") {
			t.Errorf("there is no route %s to need no entry", pattern)
		}
	}
	for _, pattern := range all {
		if unaudited[pattern] != "" || ownEntries(pattern) {
			continue
		}
		if identityAudits(pattern) {
			r.identityAudits(t, pattern)
			continue
		}
		method, path := filled(pattern)
		path = strings.NewReplacer("{task}", "t1", "{id}", "x1", "{address}", "198.51.100.1").Replace(path)
		body := understood[pattern]
		if body == "" {
			body = s.exampleOf(pattern)
		}
		ask := func() *httptest.ResponseRecorder {
			var in io.Reader
			if method != http.MethodDelete {
				in = strings.NewReader(body)
			}
			return r.call(method, path, bootstrap, in)
		}
		r.furnish()
		r.audit.Fail(errors.New("the disk is full"))
		calls, writes, before := len(r.engine.asked()), watched.writes, r.snapshot()
		w := ask()
		if w.Code != http.StatusServiceUnavailable {
			t.Errorf("%s without an audit log: %d %s", pattern, w.Code, w.Body)
		}
		if n := len(r.engine.asked()) - calls; n != 0 || watched.writes != writes || r.snapshot() != before {
			t.Errorf("%s without an audit log: %d orders, %d writes", pattern, n, watched.writes-writes)
		}
		r.audit.Fail(nil)
		had := len(r.audit.Entries())
		r.engine.block = func() { // the entry is there before the effect
			if len(r.audit.Entries()) == had {
				t.Errorf("%s acts before there is an entry", pattern)
			}
		}
		w = ask()
		r.engine.block = nil
		made := r.audit.Entries()[had:]
		if len(made) == 0 || made[0].Outcome != honeyguide.AuditAsked || made[0].Action != s.router.action(pattern) || made[0].Actor != "bootstrap" || made[0].Request == "" || made[0].Object == "" {
			t.Errorf("%s: %d %s leaves %+v", pattern, w.Code, w.Body, made)
		}
		if w.Code >= 400 && (len(made) != 2 || made[1].Outcome != honeyguide.AuditFailed) {
			t.Errorf("%s: %d leaves %+v", pattern, w.Code, made)
		}
		if w.Code < 400 && len(made) != 1 {
			t.Errorf("%s: %d leaves %d entries", pattern, w.Code, len(made))
		}
	}
}

// identityAudits asks a route whose entries are made by the room of identity:
// without an audit log it does nothing, and with one it leaves an entry when it
// does something.
func (r *rig) identityAudits(t *testing.T, pattern string) {
	t.Helper()
	method, path := filled(pattern)
	path = strings.ReplaceAll(path, "{id}", "x1")
	r.audit.Fail(errors.New("the disk is full"))
	if w := r.call(method, path, bootstrap, strings.NewReader(bodyOf(pattern))); w.Code < 400 && !harmless[pattern] {
		t.Errorf("%s without an audit log: %d", pattern, w.Code)
	}
	r.audit.Fail(nil)
	had := len(r.audit.Entries())
	if w := r.call(method, path, bootstrap, strings.NewReader(bodyOf(pattern))); w.Code < 400 && len(r.audit.Entries()) == had && !harmless[pattern] {
		t.Errorf("%s: %d leaves no entry", pattern, w.Code)
	}
}

// harmless are the routes of identity that change nothing but what one sees.
var harmless = map[string]bool{
	"POST /api/v1/me/password/strength": true,
	"PUT /api/v1/me/preferences":        true,
	"POST /api/v1/auth/logout":          true, // of a key, which has no login
}

// snapshot is all an administrator sees of what acts change.
func (r *rig) snapshot() string {
	var b strings.Builder
	for _, path := range []string{"/keys", "/allowlist", "/runs", "/blocks", "/suppressions", "/incidents", "/alerts", "/notices", "/bouncers"} {
		b.WriteString(r.call(http.MethodGet, base+path, bootstrap, nil).Body.String())
	}
	return b.String()
}

// A route somebody registers without the helpers gets its entry at the gate.
func TestForgottenRouteIsAudited(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	called := 0
	s.plain("POST "+base+"/forgotten/{id}", auth.PermRead, func(w http.ResponseWriter, _ *http.Request) { called++; w.WriteHeader(http.StatusTeapot) })
	r.handler = s.handler()
	r.audit.Fail(errors.New("full"))
	if w := r.call(http.MethodPost, base+"/forgotten/7?reason=why", bootstrap, nil); w.Code != http.StatusServiceUnavailable || called != 0 {
		t.Errorf("without an audit log: %d, %d calls", w.Code, called)
	}
	r.audit.Fail(nil)
	r.call(http.MethodPost, base+"/forgotten/7?reason=why", bootstrap, nil)
	got := r.audit.Entries()
	if len(got) != 2 || got[0].Object != "forgotten:7" || got[0].Reason != "why" || got[1].Outcome != honeyguide.AuditFailed {
		t.Errorf("%+v", got)
	}
}

func TestWhatEntriesSay(t *testing.T) {
	r := newRig(t)
	r.fill()
	r.furnish()
	r.call(http.MethodPost, base+"/rules/test_rule/switch", bootstrap, strings.NewReader(`{"on":false,"reason":"noisy"}`))
	r.call(http.MethodDelete, base+"/allowlist/192.0.2.0%2F24", bootstrap, nil)
	r.call(http.MethodPatch, base+"/incidents/I-1", bootstrap, strings.NewReader(`{"owner":"zoe","reason":"hers"}`))
	r.call(http.MethodDelete, base+"/keys/victim", bootstrap, nil)
	r.call(http.MethodGet, base+"/samples/"+sampleID[:12]+"/content", bootstrap, nil)
	r.call(http.MethodGet, base+"/incidents/I-1/export", bootstrap, nil)
	said := map[string]honeyguide.AuditEntry{}
	for _, e := range r.audit.Entries() {
		if e.Outcome == honeyguide.AuditAsked {
			said[e.Action] = e
		}
	}
	for action, want := range map[string]struct{ object, reason, before, after string }{
		"switch-rule":        {"rule:test_rule", "noisy", `"on":true`, `"on":false`},
		"remove-allowed":     {"allowlist:192.0.2.0/24", "", `192.0.2.0/24`, ``},
		"change-incident":    {"incident:I-1", "hers", `"status":"new"`, `"owner":"zoe"`},
		"remove-key":         {"key:victim", "", `hmac-sha256:`, ``},
		"get-sample-content": {"sample:" + sampleID[:12], "", "", ""},
		"export-incident":    {"incident:I-1", "", "", ""},
	} {
		e, ok := said[action]
		if !ok || e.Object != want.object || e.Reason != want.reason || !strings.Contains(string(e.Before), want.before) || !strings.Contains(string(e.After), want.after) {
			t.Errorf("%s: %+v before %s after %s", action, e, e.Before, e.After)
		}
	}
}

// Secrets never reach the log; the same secret leaves the same mark.
func TestSecretsAreMasked(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	const canary = "canary-4711"
	one := string(s.masker.Value(map[string]any{"password": canary, "inner": []any{map[string]any{"api_key": canary, "tokens": []string{canary}}}, "name": "zoe"}))
	if strings.Contains(one, canary) || !strings.Contains(one, "zoe") || strings.Count(one, "hmac-sha256:") != 3 {
		t.Error(one)
	}
	var v struct{ Password string }
	if err := json.Unmarshal([]byte(one), &v); err != nil || v.Password != s.masker.Mask(canary) {
		t.Errorf("%+v, %v", v, err)
	}
}

func TestRefusalsAreAudited(t *testing.T) {
	r := newRig(t)
	key := r.keyOf("reader", auth.ScopeRead)
	r.call(http.MethodPost, base+"/halt", key, strings.NewReader(`{"reason":"x"}`))
	r.call(http.MethodGet, base+"/alerts", "hg_wrong", nil)
	got := r.audit.Entries()
	if len(got) != 2 || got[0].Outcome != honeyguide.AuditRefused || got[0].Actor != "reader" || got[0].Action != "halt" ||
		got[1].Action != "use-key" || got[1].Kind != "nobody" || !got[1].Address.IsValid() || strings.Contains(got[1].Detail, "wrong") {
		t.Errorf("%+v", got)
	}
	if len(r.engine.asked()) != 0 {
		t.Error("it was done")
	}
}

// An order that could not be audited is not remembered as begun.
func TestOrderWithoutAuditMayComeAgain(t *testing.T) {
	r := newRig(t)
	ask := func() int {
		req := httptest.NewRequest(http.MethodPost, base+"/halt", strings.NewReader(`{"reason":"x"}`))
		req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
		req.Header.Set(orderKey, "once")
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		return w.Code
	}
	r.audit.Fail(errors.New("full"))
	if got := ask(); got != http.StatusServiceUnavailable {
		t.Error(got)
	}
	r.audit.Fail(nil)
	if got := ask(); got != http.StatusOK {
		t.Error(got)
	}
	if got := ask(); got != http.StatusOK || len(r.engine.asked()) != 1 || len(r.audit.Entries()) != 1 {
		t.Errorf("%d, %v", got, r.engine.asked())
	}
}
