package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// fill makes one row of everything, so that every route has something to say.
func (r *rig) fill() {
	r.t.Helper()
	r.update(func(ctx context.Context, tx state.Tx) error {
		a := alert(1)
		a.Attacker = "attacker:203.0.113.7"
		if _, err := tx.Alerts().Save(ctx, a); err != nil {
			return err
		}
		i := honeyguide.Incident{Key: "attacker:198.51.100.1", Title: "x", Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, CreatedAt: day}
		if _, err := tx.Incidents().Save(ctx, &i); err != nil {
			return err
		}
		if err := tx.Sessions().Save(ctx, &honeyguide.Session{ID: "s1", Service: "ssh", StartedAt: day, Recording: "s1.cast"}); err != nil {
			return err
		}
		if err := tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: "t1", Kind: "aws_key", CreatedAt: day}); err != nil {
			return err
		}
		if err := tx.Samples().Sight(ctx, honeyguide.Sample{ID: sampleID, Type: "elf", Size: 4, Kept: "yes"}, honeyguide.Sighting{EventID: "e1", Time: day, Session: "s1", Path: "/tmp/x"}); err != nil {
			return err
		}
		p := honeyguide.Plan{ID: "p1", Incident: i.ID, Action: state.ActionBlockIP, Target: "198.51.100.1", State: honeyguide.PlanPlanned, CreatedAt: day}
		if err := tx.Plans().Save(ctx, &p); err != nil {
			return err
		}
		run := honeyguide.Run{ID: "r1", Playbook: "contain", Incident: i.ID, Mode: honeyguide.ModeApply, State: honeyguide.RunWaiting, By: "alice", Trigger: "manual", Steps: []honeyguide.RunStep{{
			Name: "block", Action: "block_ip", State: honeyguide.StepWaiting, Plans: []string{"p1"}, AskedAt: time.Now(),
			Approval: &honeyguide.ApprovalRule{Roles: []string{"responder", "admin"}, People: 2, WithinMS: 3_600_000},
		}}}
		if err := tx.Runs().Save(ctx, &run); err != nil {
			return err
		}
		n := honeyguide.Notice{ID: "n1", Channel: "chat", Key: "k", Incident: i.ID, Severity: honeyguide.SeverityHigh, Title: "t", State: honeyguide.NoticeDead, CreatedAt: day}
		if err := tx.Notices().Save(ctx, &n); err != nil {
			return err
		}
		s := honeyguide.Suppression{Match: honeyguide.Match{Rule: "r"}, Reason: "x", Owner: "ops", CreatedAt: day, ExpiresAt: day.Add(time.Hour)}
		if err := tx.Suppressions().Save(ctx, &s); err != nil {
			return err
		}
		if err := tx.Views().Save(ctx, &state.View{ID: "view1", Name: "v", Room: "alerts", Owner: "somebody", Shared: true}); err != nil {
			return err
		}
		if err := tx.Holds().Save(ctx, &honeyguide.Hold{Object: "session:s1", Reason: "court", By: "zoe"}); err != nil {
			return err
		}
		return tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{ID: "d1", Time: day, Source: "f", Reason: "x", Raw: []byte("raw")})
	})
	if _, err := r.take(r.t.Context(), []honeyguide.Event{event(1)}); err != nil {
		r.t.Fatal(err)
	}
	if err := r.dep.Trail.Record(r.t.Context(), honeyguide.AuditEntry{Time: day, Actor: "zoe", Kind: "user", Action: "halt", Outcome: honeyguide.AuditAsked}); err != nil {
		r.t.Fatal(err)
	}
}

// filled puts ids of fill into the path of a pattern.
func filled(pattern string) (method, path string) {
	method, path, _ = strings.Cut(pattern, " ")
	for prefix, id := range map[string]string{
		"/alerts/": "A-1", "/incidents/": "I-1", "/sessions/": "s1", "/tokens/": "HT-1", "/plans/": "p1", "/events/": "event-1", "/sensors/": "ssh", "/samples/": sampleID[:12], "/sources/": "eve", "/ingest/": "auto",
		"/rules/": "test_rule", "/playbooks/": "contain", "/attackers/": "203.0.113.7", "/suppressions/": "SUP-1", "/holds/": "H-1", "/evidence/": "E-1",
		"/runs/": "R-1", "/blocks/": "198.51.100.1", "/allowlist/": "192.0.2.1", "/keys/": "nobody",
		"/notices/": "n1", "/views/": "view1", "/blocklists/": "text",
	} {
		if strings.HasPrefix(path, base+prefix) {
			path = strings.NewReplacer("{id}", id, "{format}", id, "{address}", id, "{file}", "manifest.json").Replace(path)
		}
	}
	path = strings.NewReplacer("{seq}", "0", "{framework}", "gdpr").Replace(path)
	if strings.HasSuffix(path, "/audit/consistency") {
		path += "?from=1"
	}
	if strings.HasSuffix(path, "/explain") {
		path += "?event=event-1"
	}
	for suffix, q := range map[string]string{"/search": "?q=A-1", "/events/top": "?field=user", "/guard": "?address=203.0.113.7", "/item": "?name=events.jsonl"} {
		if strings.HasSuffix(path, suffix) {
			path += q
		}
	}
	return method, path
}

// TestEveryRouteEveryKey asks every route there is without a key, with wrong
// ones and with one of each scope.
func TestEveryRouteEveryKey(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill()
	r.collect()
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	r.handler = s.handler()
	keys := map[string]honeyguide.Secret{"admin": bootstrap}
	for _, scope := range []auth.Scope{auth.ScopeResponder, auth.ScopeAnalyst, auth.ScopeRead, auth.ScopeIngest, auth.ScopeMetrics, auth.ScopeBouncer} {
		secret, key, err := auth.NewKey(string(scope), scope, time.Now(), time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.keys.Add(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		keys[string(scope)] = secret
	}
	if len(s.router.patterns) < 25 {
		t.Fatalf("only %d routes: %v", len(s.router.patterns), s.router.patterns)
	}
	for _, pattern := range s.router.patterns {
		method, path := filled(pattern)
		need, stranger := s.router.needs[pattern], http.StatusUnauthorized
		if strings.HasPrefix(path, lapiBase) {
			stranger = http.StatusForbidden // what bouncers know
		}
		ask := func(key honeyguide.Secret) int {
			s.gate.strikes, s.meter = newStrikes(), newMeter(s.dep.Guards.Limits) // none of the question before
			var body *strings.Reader
			if method != http.MethodGet && method != http.MethodDelete {
				body = strings.NewReader(bodies[pattern])
				return r.call(method, path, key, body).Code
			}
			return r.call(method, path, key, nil).Code
		}
		for name, key := range map[string]honeyguide.Secret{"no key": "", "a wrong key": "hg_wrong", "almost the key": bootstrap[:len(bootstrap)-1]} {
			got := ask(key)
			if wayIn(pattern) {
				if got == http.StatusForbidden && !strings.Contains(pattern, "/passkey") || got >= 500 {
					t.Errorf("%s with %s: %d", pattern, name, got)
				}
				continue // judges what is in its body
			}
			if need == auth.PermOpen && got != http.StatusOK || need != auth.PermOpen && got != stranger {
				t.Errorf("%s with %s: %d", pattern, name, got)
			}
		}
		for scope, key := range keys {
			want := http.StatusForbidden
			if need == auth.PermOpen || auth.Scope(scope).May(need) {
				want = http.StatusOK
			}
			got := ask(key)
			if wayIn(pattern) {
				continue
			}
			if need == auth.PermSelf && got == http.StatusConflict {
				got = http.StatusOK // let in, and told that a key has no account
			}
			if need == auth.PermUsers && got == http.StatusNotFound {
				got = http.StatusOK // let in, and there is nobody; TestDoorsOfPeople has users
			}
			if pattern == "GET "+base+"/stream" && got == http.StatusServiceUnavailable {
				got = http.StatusOK // let in, and there is nothing live here
			}
			if scope == string(auth.ScopeAnalyst) && strings.HasSuffix(pattern, "/decide") && got == http.StatusForbidden {
				continue // let in, and refused by the step's own rule
			}
			if want == http.StatusOK && method != http.MethodGet && method != http.MethodDelete && (got == http.StatusBadRequest || got == http.StatusUnprocessableEntity) {
				got = http.StatusOK // let in, and then told that its empty body says nothing
			}
			if want == http.StatusOK && method == http.MethodDelete && got == http.StatusNotFound {
				got = http.StatusOK // let in, and there is nothing; TestDoors deletes what is there
			}
			if pattern == "DELETE "+base+"/views/{id}" && got == http.StatusForbidden && scope != "admin" && want == http.StatusOK {
				continue // let in, and told that the view is somebody else's
			}
			if got != want {
				t.Errorf("%s with scope %s: %d, want %d", pattern, scope, got, want)
			}
		}
		if got := ask("hg_" + bootstrap); need != auth.PermOpen && got != stranger {
			t.Errorf("%s with a longer key: %d", pattern, got)
		}
	}
}

// wayIn reports whether a route is one by which people log in.
func wayIn(pattern string) bool {
	return strings.HasPrefix(pattern, "POST "+base+"/auth/") && !strings.HasSuffix(pattern, "/confirm") || strings.HasPrefix(pattern, "GET "+base+"/auth/oidc/")
}

// A route nobody gave a permission to does not start, and would be refused.
func TestUnlistedRoute(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	called := false
	s.router.HandleFunc("GET /api/v1/secret", func(http.ResponseWriter, *http.Request) { called = true })
	if err := s.router.check(); err == nil || !strings.Contains(err.Error(), "secret") {
		t.Errorf("got %v", err)
	}
	r.handler = s.handler()
	if w := r.call(http.MethodGet, "/api/v1/secret", bootstrap, nil); w.Code != http.StatusForbidden || called {
		t.Errorf("got %d, called %v", w.Code, called)
	}
	s.router.need("GET /nowhere", auth.PermRead)
	if err := s.router.check(); err == nil {
		t.Error("a permission without a route is taken")
	}
}

func TestUnknownPathsTellNothingToStrangers(t *testing.T) {
	r := newRig(t)
	for path, methods := range map[string][2]string{
		"/":                     {http.MethodGet, "404"},
		"/api/v1/nothing":       {http.MethodGet, "404"},
		"/api/v1/alerts":        {http.MethodDelete, "405"},
		"/api/v1/ingest":        {http.MethodGet, "405"},
		"/api/v1/../v1/alerts":  {http.MethodGet, "307"},
		"/openapi.json":         {http.MethodGet, "404"},
		"/docs":                 {http.MethodGet, "404"},
		"/schemas/Problem.json": {http.MethodGet, "404"},
	} {
		if w := r.call(methods[0], path, "", nil); w.Code != http.StatusUnauthorized {
			t.Errorf("%s without a key: %d", path, w.Code)
		}
		w := r.call(methods[0], path, bootstrap, nil)
		if fmt.Sprint(w.Code) != methods[1] {
			t.Errorf("%s %s: %d, want %s", methods[0], path, w.Code, methods[1])
		}
		if w.Code >= 400 {
			problemOf(t, w)
		}
	}
	if allow := r.call(http.MethodDelete, "/api/v1/alerts", bootstrap, nil).Header().Get("Allow"); !strings.Contains(allow, "GET") {
		t.Errorf("Allow is %q", allow)
	}
}

// problemOf checks the form of an error answer.
func problemOf(t testing.TB, w *httptest.ResponseRecorder) Problem {
	t.Helper()
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Header().Get("Content-Type") != "application/problem+json" {
		t.Fatalf("no problem: %v, %s: %s", err, w.Header().Get("Content-Type"), w.Body)
	}
	if p.Status != w.Code || !strings.HasPrefix(p.Type, "urn:honeyguide:problem:") || p.Title == "" || p.Detail == "" || p.Instance != w.Header().Get("X-Request-Id") {
		t.Errorf("an incomplete problem: %s", w.Body)
	}
	return p
}

func TestProblemsRepeatNoValue(t *testing.T) {
	r := newRig(t)
	r.fill()
	const canary = "CANARY-value"
	for _, path := range []string{
		"/api/v1/alerts?limit=" + canary, "/api/v1/alerts?limit=-1", "/api/v1/alerts?limit=100000", "/api/v1/alerts?severity=" + canary,
		"/api/v1/alerts?status=" + canary, "/api/v1/alerts?from=" + canary, "/api/v1/alerts?after=" + canary, "/api/v1/alerts?incident=" + canary,
		"/api/v1/alerts?src=" + strings.Repeat(canary, 30), "/api/v1/alerts/" + canary, "/api/v1/incidents/" + canary, "/api/v1/sessions/" + canary,
		"/api/v1/sessions/" + canary + "/recording", "/api/v1/tokens/" + canary, "/api/v1/plans/" + canary, "/api/v1/plans?incident=" + canary,
		"/api/v1/plans?state=" + canary, "/api/v1/events/" + canary, "/api/v1/events?after=" + canary, "/api/v1/events?src=" + canary,
		"/api/v1/events?attr=" + canary, "/api/v1/events?class=" + canary, "/api/v1/events?class=-1", "/api/v1/events?include=" + canary,
		"/api/v1/events?q=%21", "/api/v1/sensors/" + canary, "/api/v1/dead-letters?after=" + canary, "/api/v1/blocks?after=" + canary,
		"/api/v1/tokens/" + canary + "/exposures", "/api/v1/sessions?recorded=" + canary, "/api/v1/incidents?to=" + canary,
	} {
		w := r.call(http.MethodGet, path, bootstrap, nil)
		if w.Code < 400 || w.Code >= 500 {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
			continue
		}
		problemOf(t, w)
		if strings.Contains(w.Body.String(), canary) || strings.Contains(w.Body.String(), "100000") {
			t.Errorf("%s repeats the value: %s", path, w.Body)
		}
	}
}

func TestStrikesDoNotLockOutTheRightKey(t *testing.T) {
	now := day
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return now } })
	last := 0
	for range strikeBurst + 1 {
		last = r.call(http.MethodGet, "/api/v1/alerts", "hg_guess", nil).Code
	}
	w := r.call(http.MethodGet, "/api/v1/alerts", "hg_guess", nil)
	if last != http.StatusTooManyRequests || w.Code != http.StatusTooManyRequests || w.Header().Get("Retry-After") == "" {
		t.Errorf("after %d guesses: %d, %v", strikeBurst+2, w.Code, w.Header())
	}
	if w := r.call(http.MethodGet, "/api/v1/alerts", bootstrap, nil); w.Code != http.StatusOK {
		t.Errorf("the right key: %d", w.Code)
	}
	req := httptest.NewRequest(http.MethodGet, "/api/v1/alerts", nil)
	req.RemoteAddr = "203.0.113.77:1"
	req.Header.Set("Authorization", "Bearer hg_guess")
	other := httptest.NewRecorder()
	r.handler.ServeHTTP(other, req)
	if other.Code != http.StatusUnauthorized {
		t.Errorf("another address: %d", other.Code)
	}
	now = now.Add(strikeEvery + time.Second)
	if w := r.call(http.MethodGet, "/api/v1/alerts", "hg_guess", nil); w.Code != http.StatusUnauthorized {
		t.Errorf("one more guess after a while: %d", w.Code)
	}
}

func TestStrikesAreBounded(t *testing.T) {
	s := newStrikes()
	for i := range 3 * maxStruck {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		s.strike(p, day.Add(time.Duration(i)*time.Millisecond))
	}
	if len(s.by) > maxStruck {
		t.Errorf("%d addresses are remembered", len(s.by))
	}
}

func TestPeerIsTheNetwork(t *testing.T) {
	for remote, want := range map[string]string{
		"192.0.2.1:5": "192.0.2.1/32", "[::ffff:192.0.2.1]:5": "192.0.2.1/32", "[2001:db8:1:2:3::4]:5": "2001:db8:1:2::/64", "@": "invalid Prefix", "": "invalid Prefix",
	} {
		if got := peer(&http.Request{RemoteAddr: remote}).String(); got != want {
			t.Errorf("%q: got %s, want %s", remote, got, want)
		}
	}
}

func TestHeadersOnEveryAnswer(t *testing.T) {
	r := newRig(t)
	for _, path := range []string{"/healthz", "/api/v1/alerts", "/nothing", "/metrics"} {
		w := r.call(http.MethodGet, path, "", nil)
		for name := range headers {
			if w.Header().Get(name) == "" {
				t.Errorf("%s has no %s", path, name)
			}
		}
		if w.Header().Get("Access-Control-Allow-Origin") != "" {
			t.Errorf("%s is open to other sites", path)
		}
	}
}

func TestOtherSitesAreRefused(t *testing.T) {
	r := newRig(t)
	for name, value := range map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://evil.example"} {
		req := httptest.NewRequest(http.MethodPost, "/api/v1/ingest", strings.NewReader("{}"))
		req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
		req.Header.Set(name, value)
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		if w.Code != http.StatusForbidden {
			t.Errorf("%s: %d", name, w.Code)
		}
		problemOf(t, w)
	}
}

func TestHealth(t *testing.T) {
	r := newRig(t)
	if w := r.call(http.MethodGet, "/readyz", "", nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"reasons":[]`) {
		t.Errorf("ready: %d %s", w.Code, w.Body)
	}
	r.mu.Lock()
	r.health = []string{"the sensors are starting"}
	r.mu.Unlock()
	if w := r.call(http.MethodGet, "/readyz", "", nil); w.Code != http.StatusServiceUnavailable || !strings.Contains(w.Body.String(), "starting") {
		t.Errorf("not ready: %d %s", w.Code, w.Body)
	}
	if w := r.call(http.MethodGet, "/healthz", "", nil); w.Code != http.StatusOK {
		t.Errorf("alive: %d", w.Code)
	}
}

func TestPanicIsAnAnswer(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Sensors = func(context.Context) []Sensor { panic("boom") } })
	w := r.call(http.MethodGet, "/api/v1/sensors", bootstrap, nil)
	if p := problemOf(t, w); p.Status != http.StatusInternalServerError || strings.Contains(w.Body.String(), "boom") {
		t.Errorf("got %s", w.Body)
	}
}

func TestStateFailureIsNotTold(t *testing.T) {
	r := newRig(t)
	_ = r.store.Close()
	w := r.call(http.MethodGet, "/api/v1/alerts", bootstrap, nil)
	if w.Code < 500 || strings.Contains(w.Body.String(), "sql") {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
}
