package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// lapiRig is a rig with a clock that tests move and a key of a bouncer.
type lapiRig struct {
	*rig
	now   time.Time
	clock atomic.Int64 // now for a server of its own goroutines; see move
	key   honeyguide.Secret
	store *fickleStore
	agent string
	from  string
}

// fickleStore answers, fails or hangs.
type fickleStore struct {
	state.Store
	fail, hang bool
}

func (s *fickleStore) View(ctx context.Context, fn func(state.Tx) error) error {
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.fail {
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the state is locked"}
	}
	return s.Store.View(ctx, fn)
}

func newLAPIRig(t testing.TB) *lapiRig {
	t.Helper()
	r := &lapiRig{now: time.Now().UTC().Truncate(time.Second), agent: "crowdsec-firewall-bouncer/v0.0.25", from: "198.51.100.200:4711"}
	clock := func() time.Time {
		if at := r.clock.Load(); at != 0 {
			return time.Unix(0, at).UTC()
		}
		return r.now
	}
	var ticks atomic.Int64 // no two changes have one time
	tick := func() time.Time { return clock().Add(time.Duration(ticks.Add(1)%100_000) * time.Microsecond) }
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: tick})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	keys, err := auth.NewStateKeys(store, bootstrap)
	if err != nil {
		t.Fatal(err)
	}
	r.store = &fickleStore{Store: store}
	r.rig = newRig(t, func(d *Deps) {
		d.State, d.Keys, d.Now = r.store, keys, clock
		d.Lists = blocklist.New(blocklist.Options{State: r.store, Now: clock})
	})
	r.rig.store, r.keys = store, keys
	secret, key, err := auth.NewKey("fw", auth.ScopeBouncer, r.now, time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.keys.Add(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	r.key = secret
	return r
}

func (r *lapiRig) ask(method, path string, edit ...func(*http.Request)) *httptest.ResponseRecorder {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	req := httptest.NewRequest(method, path, nil)
	req.RemoteAddr = r.from
	req.Header.Set("X-Api-Key", r.key.Reveal())
	req.Header.Set("User-Agent", r.agent)
	req.Header.Set("Accept-Encoding", "gzip")
	for _, f := range edit {
		f(req)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// move moves the clock while a server runs.
func (r *lapiRig) move(d time.Duration) {
	r.now = r.now.Add(d)
	r.clock.Store(r.now.UnixNano())
}

// refresh lets the list learn what is there, long enough ago that a reader is
// not told twice to be sure.
func (r *lapiRig) refresh() {
	r.t.Helper()
	if err := r.dep.Lists.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
	r.now = r.now.Add(10 * time.Second)
}

// told is one decision as CrowdSec's client reads it.
type told struct {
	Duration, Origin, Scenario, Scope, Type, Value string
	ID                                             int64
}

type stream struct{ New, Deleted []told }

func (r *lapiRig) stream(query string) (s stream) {
	r.t.Helper()
	w := r.ask(http.MethodGet, "/v1/decisions/stream"+query)
	if err := json.Unmarshal(w.Body.Bytes(), &s); err != nil || w.Code != http.StatusOK || s.New == nil || s.Deleted == nil {
		r.t.Fatalf("stream%s: %d, %v: %s", query, w.Code, err, w.Body)
	}
	return s
}

func (r *lapiRig) block(n int, target string, ttl time.Duration) *honeyguide.Plan {
	r.t.Helper()
	p := &honeyguide.Plan{
		ID: fmt.Sprintf("plan-%06d", n), Playbook: "contain", Action: state.ActionBlockIP, Target: target, Mode: honeyguide.ModeApply,
		State: honeyguide.PlanApplied, CreatedAt: r.now, AppliedAt: r.now, ExpiresAt: r.now.Add(ttl),
	}
	r.save(p)
	return p
}

func (r *lapiRig) save(plans ...*honeyguide.Plan) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx state.Tx) error {
		for _, p := range plans {
			if err := tx.Plans().Save(ctx, p); err != nil {
				return err
			}
		}
		return nil
	})
}

func (r *lapiRig) revert(p *honeyguide.Plan) {
	p.State, p.EndedAt = honeyguide.PlanReverted, r.now
	r.save(p)
}

func toldValues(list []told) []string {
	out := []string{}
	for _, d := range list {
		out = append(out, d.Value)
	}
	return out
}

func TestLAPIShapes(t *testing.T) {
	r := newLAPIRig(t)
	if w := r.ask(http.MethodGet, "/v1/decisions"); w.Code != http.StatusOK || w.Body.String() != "null" {
		t.Errorf("no decisions: %d %s", w.Code, w.Body)
	}
	if w := r.ask(http.MethodGet, "/v1/decisions/stream?startup=true"); w.Body.String() != `{"new":[],"deleted":[]}` {
		t.Errorf("an empty stream: %s", w.Body)
	}
	p := r.block(1, "203.0.113.7", 4*time.Hour)
	want := fmt.Sprintf(`[{"duration":"3h59m59s","id":%d,"origin":"honeyguide","scenario":"honeyguide/contain","scope":"Ip","type":"ban","value":"203.0.113.7"}]`,
		(&blocklist.Decision{Plan: p.ID}).ID())
	w := r.ask(http.MethodGet, "/v1/decisions")
	if w.Body.String() != want || w.Header().Get("Content-Type") != "application/json; charset=utf-8" || w.Header().Get("Content-Encoding") != "" {
		t.Errorf("got %s %v, want %s", w.Body, w.Header(), want)
	}
	if w := r.ask(http.MethodGet, "/health"); w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != `{"status":"up"}` {
		t.Errorf("health: %d %s", w.Code, w.Body)
	}
	for _, path := range []string{"/v1/decisions", "/v1/decisions/stream"} {
		if w := r.ask(http.MethodHead, path); w.Code != http.StatusOK || w.Body.Len() != 0 {
			t.Errorf("HEAD %s: %d %s", path, w.Code, w.Body)
		}
	}
}

func TestDurations(t *testing.T) {
	for _, s := range []int64{1, 59, 60, 61, 3599, 3600, 3601, 14398, 86400, 2592000, -1, -61, -86399} {
		if got, want := string(appendDuration(nil, s)), (time.Duration(s) * time.Second).String(); got != want {
			t.Errorf("%d s: %s, want %s", s, got, want)
		}
	}
}

func TestLAPIRefuses(t *testing.T) {
	r := newLAPIRig(t)
	const forbidden = `{"message":"access forbidden"}`
	ingest, key, _ := auth.NewKey("in", auth.ScopeIngest, r.now, time.Time{})
	if err := r.keys.Add(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	for name, secret := range map[string]string{"none": "", "wrong": "hg_nothing", "of another scope": ingest.Reveal()} {
		w := r.ask(http.MethodGet, "/v1/decisions/stream", func(q *http.Request) { q.Header.Set("X-Api-Key", secret) })
		if w.Code != http.StatusForbidden || w.Body.String() != forbidden || w.Header().Get("WWW-Authenticate") != "" {
			t.Errorf("key %s: %d %s %v", name, w.Code, w.Body, w.Header())
		}
	}
	for path, want := range map[string]int{
		"/v1/decisions?ip=nonsense": 400, "/v1/decisions?country=DE": 400, "/v1/decisions?limit=x": 400, "/v1/decisions/stream?startup=perhaps": 400,
		"/v1/nothing": 403, "/v1/alerts": 403,
	} {
		w := r.ask(http.MethodGet, path)
		var m map[string]string
		if err := json.Unmarshal(w.Body.Bytes(), &m); w.Code != want || err != nil || m["message"] == "" {
			t.Errorf("%s: %d %v %s", path, w.Code, err, w.Body)
		}
	}
	// A bouncer's key opens nothing else, and other routes know no X-Api-Key.
	if w := r.call(http.MethodGet, "/api/v1/alerts", r.key, nil); w.Code != http.StatusForbidden {
		t.Errorf("alerts with a bouncer's key: %d", w.Code)
	}
	if w := r.ask(http.MethodGet, "/api/v1/alerts", func(q *http.Request) { q.Header.Set("X-Api-Key", bootstrap.Reveal()) }); w.Code != http.StatusUnauthorized {
		t.Errorf("alerts with X-Api-Key: %d", w.Code)
	}
}

func TestLAPIStream(t *testing.T) {
	r := newLAPIRig(t)
	first := r.block(1, "203.0.113.7", 4*time.Hour)
	r.block(2, "2001:db8::/64", time.Minute)
	r.refresh()
	// A reader nobody knows is given everything even when it does not ask.
	if s := r.stream(""); cmp.Diff([]string{"203.0.113.7", "2001:db8::/64"}, toldValues(s.New)) != "" || len(s.Deleted) != 0 {
		t.Errorf("first: %+v", s)
	}
	r.now = r.now.Add(10 * time.Second)
	if s := r.stream("?startup=false"); len(s.New)+len(s.Deleted) != 0 {
		t.Errorf("nothing is new: %+v", s)
	}
	r.now = r.now.Add(10 * time.Second)
	r.revert(first)
	r.block(3, "203.0.113.8", time.Hour)
	if w := r.ask(http.MethodHead, "/v1/decisions/stream"); w.Code != http.StatusOK {
		t.Errorf("HEAD: %d", w.Code)
	}
	r.now = r.now.Add(10 * time.Second)
	s := r.stream("?startup=false") // HEAD has not moved the mark
	if cmp.Diff([]string{"203.0.113.8"}, toldValues(s.New)) != "" || cmp.Diff([]string{"203.0.113.7"}, toldValues(s.Deleted)) != "" {
		t.Errorf("delta: %+v", s)
	}
	r.now = r.now.Add(time.Minute)
	s = r.stream("?startup=false")
	if len(s.New) != 0 || cmp.Diff([]string{"2001:db8::/64"}, toldValues(s.Deleted)) != "" || !strings.HasPrefix(s.Deleted[0].Duration, "-") {
		t.Errorf("time is up: %+v", s)
	}
	s = r.stream("?startup=true")
	if cmp.Diff([]string{"203.0.113.8"}, toldValues(s.New)) != "" || cmp.Diff([]string{"203.0.113.7", "2001:db8::/64"}, toldValues(s.Deleted)) != "" {
		t.Errorf("startup: %+v", s)
	}
	r.now = r.now.Add(10 * time.Second)
	// Another one with the same key does not live on the news of the first.
	r.from = "198.51.100.201:4711"
	if s = r.stream("?startup=false"); len(s.New) != 1 {
		t.Errorf("another machine with the same key: %+v", s)
	}
	r.now = r.now.Add(10 * time.Second)
	r.agent = "crowdsec-nginx-bouncer/v1"
	if s = r.stream("?startup=false"); len(s.New) != 1 {
		t.Errorf("another agent with the same key: %+v", s)
	}
}

// A core that was stopped and started again goes on where its readers are.
func TestLAPIMarksOutliveTheCore(t *testing.T) {
	r := newLAPIRig(t)
	r.dep.Readers = blocklist.NewBook(r.store, nil)
	r.handler, _ = New(r.dep)
	r.block(1, "203.0.113.7", 4*time.Hour)
	r.refresh()
	r.now = r.now.Add(time.Minute) // longer than a change may have been under way
	r.stream("?startup=true")
	if err := r.dep.Readers.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.now = r.now.Add(10 * time.Minute)
	r.block(2, "203.0.113.8", 4*time.Hour)
	r.dep.Readers = blocklist.NewBook(r.store, nil)
	r.dep.Lists = blocklist.New(blocklist.Options{State: r.store, Now: r.dep.Now})
	r.handler, _ = New(r.dep)
	if s := r.stream("?startup=false"); cmp.Diff([]string{"203.0.113.8"}, toldValues(s.New)) != "" {
		t.Errorf("got %+v", s)
	}
}

func TestLAPIQueries(t *testing.T) {
	r := newLAPIRig(t)
	r.block(1, "203.0.113.7", time.Hour)
	r.block(2, "203.0.113.0/24", time.Hour)
	r.block(3, "2001:db8::7", time.Hour)
	for query, want := range map[string][]string{
		"":                                     {"203.0.113.0/24", "203.0.113.7", "2001:db8::7"},
		"?ip=203.0.113.7":                      {"203.0.113.0/24", "203.0.113.7"},
		"?ip=203.0.113.8":                      {"203.0.113.0/24"},
		"?ip=203.0.113.8&type=captcha":         nil,
		"?range=203.0.113.0/25":                {"203.0.113.0/24"},
		"?range=203.0.113.0/25&contains=false": {"203.0.113.7"},
		"?scope=range":                         {"203.0.113.0/24"},
		"?scopes=ip":                           {"203.0.113.7", "2001:db8::7"},
		"?value=203.0.113.7":                   {"203.0.113.7"},
		"?value=DE&scope=Country":              nil,
		"?origins=cscli,CAPI":                  nil,
		"?origins=honeyguide":                  {"203.0.113.0/24", "203.0.113.7", "2001:db8::7"},
		"?scenarios_containing=ssh":            nil,
		"?scenarios_not_containing=contain":    nil,
		"?scenarios_containing=contain":        {"203.0.113.0/24", "203.0.113.7", "2001:db8::7"},
		"?limit=1":                             {"203.0.113.0/24"},
	} {
		w := r.ask(http.MethodGet, "/v1/decisions"+query)
		var got []told
		if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
			t.Errorf("%s: %d %v %s", query, w.Code, err, w.Body)
		}
		if want == nil && w.Body.String() != "null" || want != nil && cmp.Diff(want, toldValues(got)) != "" {
			t.Errorf("%s: %s, want %v", query, w.Body, want)
		}
	}
	if s := r.stream("?startup=true&scopes=range"); cmp.Diff([]string{"203.0.113.0/24"}, toldValues(s.New)) != "" {
		t.Errorf("got %+v", s)
	}
}

// While the state does not answer, bouncers get an error at once and never an
// empty list, and find everything in its place afterwards.
func TestLAPIStoreLocked(t *testing.T) {
	t.Parallel()
	r := newLAPIRig(t)
	r.dep.Keys = remembered{secret: r.key}
	r.handler, _ = New(r.dep)
	r.block(1, "203.0.113.7", time.Hour)
	r.refresh()
	r.stream("?startup=true")
	for _, way := range []string{"fails", "hangs"} {
		r.store.fail, r.store.hang = way == "fails", way == "hangs"
		r.now = r.now.Add(time.Minute)
		for _, path := range []string{"/v1/decisions/stream?startup=true", "/v1/decisions/stream", "/v1/decisions", "/api/v1/blocklists/text"} {
			ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
			w := r.ask(http.MethodGet, path, func(q *http.Request) { *q = *q.WithContext(ctx) })
			if w.Code != http.StatusServiceUnavailable || ctx.Err() != nil || strings.Contains(w.Body.String(), "203.0.113.7") {
				t.Errorf("the state %s, %s: %d %s", way, path, w.Code, w.Body)
			}
			cancel()
		}
	}
	r.store.fail, r.store.hang = false, false
	r.block(2, "203.0.113.8", time.Hour)
	if s := r.stream("?startup=false"); cmp.Diff([]string{"203.0.113.8"}, toldValues(s.New)) != "" || len(s.Deleted) != 0 {
		t.Errorf("afterwards: %+v", s)
	}
	// The state is asked whose key it is, too.
	r.dep.Keys = failing{}
	r.handler, _ = New(r.dep)
	if w := r.ask(http.MethodGet, "/v1/decisions/stream"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("a key nobody can look up: %d %s", w.Code, w.Body)
	}
}

// remembered knows one key without a state.
type remembered struct {
	auth.Keys
	secret honeyguide.Secret
}

func (remembered) Used(auth.Key, netip.Addr, time.Time) {}

func (k remembered) Lookup(_ context.Context, s honeyguide.Secret, _ time.Time) (auth.Key, error) {
	if s != k.secret {
		return auth.Key{}, auth.ErrNoKey
	}
	return auth.Key{ID: "k", Name: "fw", Scope: auth.ScopeBouncer}, nil
}

type failing struct{ auth.Keys }

func (failing) Lookup(context.Context, honeyguide.Secret, time.Time) (auth.Key, error) {
	return auth.Key{}, errors.New("locked")
}

func TestLAPIUsage(t *testing.T) {
	r := newLAPIRig(t)
	say := func(text string) *httptest.ResponseRecorder {
		return r.ask(http.MethodPost, "/v1/usage-metrics", func(q *http.Request) { q.Body = io.NopCloser(strings.NewReader(text)) })
	}
	const text = `{"remediation_components":[{"type":"crowdsec-firewall-bouncer","metrics":[{"items":[
		{"name":"dropped","value":7,"unit":"packet"},{"name":"dropped","value":700,"unit":"byte"},{"name":"active_decisions","value":3,"unit":"ip"}]}]}],"log_processors":null}`
	if w := say(text); w.Code != http.StatusCreated || w.Body.Len() != 0 {
		t.Errorf("got %d %s", w.Code, w.Body)
	}
	say(text)
	if w := say(`{"remediation`); w.Code != http.StatusBadRequest {
		t.Errorf("half a request: %d", w.Code)
	}
	if w := say(`"` + strings.Repeat("x", maxUsage) + `"`); w.Code != http.StatusRequestEntityTooLarge {
		t.Errorf("a large request: %d", w.Code)
	}
	r.stream("?startup=true")
	b := get[client.Page[client.Bouncer]](r.rig, "/api/v1/bouncers").Items
	if len(b) != 1 || b[0].Dropped != 14 || b[0].Active != 3 || b[0].Pulls != 1 || b[0].Agent != r.agent || b[0].Address != "198.51.100.200" || b[0].LastPull.IsZero() {
		t.Errorf("got %+v", b)
	}
}

func TestBouncerKeys(t *testing.T) {
	r := newLAPIRig(t)
	add := func(body string) *httptest.ResponseRecorder {
		return r.call(http.MethodPost, "/api/v1/bouncers", bootstrap, strings.NewReader(body))
	}
	w := add(`{"name":"edge"}`)
	var k client.BouncerKey
	if err := json.Unmarshal(w.Body.Bytes(), &k); err != nil || w.Code != http.StatusOK || !auth.WellFormed(honeyguide.Secret(k.Key)) {
		t.Fatalf("%d %v %s", w.Code, err, w.Body)
	}
	if w := add(`{"name":"edge"}`); w.Code != http.StatusConflict {
		t.Errorf("the name again: %d", w.Code)
	}
	if w := add(`{"name":"old","expires_at":"2020-01-01T00:00:00Z"}`); w.Code != http.StatusBadRequest {
		t.Errorf("a key that has ended: %d", w.Code)
	}
	r.key = honeyguide.Secret(k.Key)
	r.stream("?startup=true")
	if list := r.call(http.MethodGet, "/api/v1/bouncers", bootstrap, nil).Body.String(); strings.Contains(list, k.Key) {
		t.Error("the key is shown again")
	}
	if w := r.call(http.MethodPost, "/api/v1/bouncers/edge/remove", bootstrap, strings.NewReader(`{}`)); w.Code != http.StatusOK {
		t.Errorf("remove: %d %s", w.Code, w.Body)
	}
	if w := r.ask(http.MethodGet, "/v1/decisions"); w.Code != http.StatusForbidden {
		t.Errorf("with the key that was taken back: %d", w.Code)
	}
	if w := r.call(http.MethodPost, "/api/v1/bouncers/bootstrap/remove", bootstrap, strings.NewReader(`{}`)); w.Code != http.StatusNotFound {
		t.Errorf("a key that is no bouncer's: %d", w.Code)
	}
}

func TestBlocklists(t *testing.T) {
	r := newLAPIRig(t)
	r.block(1, "203.0.113.7", time.Hour)
	r.block(2, "2001:db8::7", time.Hour)
	for _, f := range blocklist.Formats() {
		w := r.ask(http.MethodGet, "/api/v1/blocklists/"+f.Name)
		if w.Code != http.StatusOK || w.Header().Get("Content-Type") != f.Type || !strings.Contains(w.Body.String(), "203.0.113.7") {
			t.Errorf("%s: %d %v %s", f.Name, w.Code, w.Header(), w.Body)
		}
	}
	w := r.ask(http.MethodGet, "/api/v1/blocklists/text?family=4")
	tag := w.Header().Get("ETag")
	if w.Body.String() != "203.0.113.7\n" || tag == "" {
		t.Errorf("got %s, tag %s", w.Body, tag)
	}
	have := func(path, tag string) int {
		return r.ask(http.MethodGet, path, func(q *http.Request) { q.Header.Set("If-None-Match", tag) }).Code
	}
	if got := have("/api/v1/blocklists/text?family=4", `"other", W/`+tag); got != http.StatusNotModified {
		t.Errorf("the same list again: %d", got)
	}
	for _, path := range []string{"/api/v1/blocklists/text", "/api/v1/blocklists/csv?family=4", "/api/v1/blocklists/text?family=6"} {
		if got := have(path, tag); got != http.StatusOK {
			t.Errorf("%s with the tag of another: %d", path, got)
		}
	}
	r.block(3, "203.0.113.8", time.Hour)
	if got := have("/api/v1/blocklists/text?family=4", tag); got != http.StatusOK {
		t.Errorf("a new list with the tag of the old: %d", got)
	}
	w = r.ask(http.MethodGet, "/api/v1/blocklists/misp/manifest.json")
	for uuid := range decoded[map[string]any](t, w) {
		if e := r.ask(http.MethodGet, "/api/v1/blocklists/misp/"+uuid+".json"); e.Code != http.StatusOK || !strings.Contains(e.Body.String(), uuid) {
			t.Errorf("event: %d %s", e.Code, e.Body)
		}
	}
	for path, want := range map[string]int{"/api/v1/blocklists/nothing": 404, "/api/v1/blocklists/misp/other.json": 404, "/api/v1/blocklists/text?family=5": 422} {
		if w := r.ask(http.MethodGet, path); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
	basic := r.ask(http.MethodGet, "/api/v1/blocklists/text", func(q *http.Request) {
		q.Header.Del("X-Api-Key")
		q.SetBasicAuth("firewall", r.key.Reveal())
	})
	if basic.Code != http.StatusOK {
		t.Errorf("basic authentication: %d", basic.Code)
	}
}

func decoded[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("%v: %s", err, w.Body)
	}
	return v
}

// FuzzLAPIQuery: no question of a bouncer does harm.
func FuzzLAPIQuery(f *testing.F) {
	for _, s := range []string{"ip=1.2.3.4", "range=::/0&contains=false", "scope=x&value=y", "startup=true", "limit=-1", "ip=fe80::1%25eth0", "ip=::ffff:1.2.3.4"} {
		f.Add(s)
	}
	l := blocklist.New(blocklist.Options{})
	f.Fuzz(func(t *testing.T, raw string) {
		q, err := url.ParseQuery(raw)
		if err != nil {
			return
		}
		_, _ = streamFilter(q)
		if a, err := decisionQuery(q); err == nil && a.f.Covers.IsValid() {
			_ = l.Covering(a.f.Covers, a.f)
		}
	})
}
