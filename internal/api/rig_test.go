package api

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/bundle"
	"honeyguide/internal/comply"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/generic"
	"honeyguide/internal/ingest/suricata"
	"honeyguide/internal/ingest/wazuh"
	"honeyguide/internal/respond"
	"honeyguide/internal/source"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
	"honeyguide/internal/verdict"
)

// memoryKeys keeps keys in memory.
type memoryKeys map[string][]byte

func (m memoryKeys) Read(name string) ([]byte, error) {
	if text, ok := m[name]; ok {
		return text, nil
	}
	return nil, fs.ErrNotExist
}

func (m memoryKeys) Write(name string, text []byte) error { m[name] = text; return nil }

// bootstrap is the administrator's key of these tests.
const bootstrap honeyguide.Secret = "an operator's own key of 40 characters.."

// rig is an API over a real state and a log in memory.
type rig struct {
	t       testing.TB
	dep     Deps
	store   state.Store
	log     eventlog.Store
	keys    *auth.StateKeys
	engine  *engine
	audit   *audit.Memory
	handler http.Handler

	mu     sync.Mutex
	health []string
	taken  int
	fail   error // of Take
}

func newRig(t testing.TB, edit ...func(*Deps)) *rig {
	t.Helper()
	r := &rig{t: t}
	var err error
	if r.store, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	if r.log, err = memory.Kind.Open(t.Context(), nil, eventlog.Deps{Dir: t.TempDir()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.log.Close() })
	if r.keys, err = auth.NewStateKeys(r.store, bootstrap); err != nil {
		t.Fatal(err)
	}
	mappers, err := ingest.OpenAll(t.Context(), ingest.Set{suricata.Kind, generic.Kind, wazuh.Kind}, ingest.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	r.dep = Deps{
		State: r.store, Events: r.log, Take: r.take, Keys: r.keys, Version: "test", Metrics: telemetry.NewRegistry(),
		Mappers: mappers,
		Idle:    func(context.Context, eventlog.Seq) error { return nil },
		Health:  func(context.Context) []string { r.mu.Lock(); defer r.mu.Unlock(); return r.health },
		Facts: func(_ context.Context, since time.Time) (*comply.Facts, error) {
			return comply.NewFacts(since.AddDate(0, 0, 1), since), nil
		},
		Sensors: func(context.Context) []Sensor {
			return []Sensor{{Name: "ssh", Kind: "ssh", Listen: "127.0.0.1:2222", State: "running"}}
		},
		Sources: func(context.Context) []Source {
			return []Source{{Name: "eve", Kind: "file", State: source.StateRunning, Records: 7}}
		},
		Recording: func(session string) (io.ReadCloser, error) {
			if session != "s1" {
				return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "this session was not recorded"}
			}
			return io.NopCloser(strings.NewReader(`{"version":3}` + "\n")), nil
		},
	}
	r.audit = &audit.Memory{}
	r.dep.Audit = r.audit
	dir := t.TempDir()
	if r.dep.Trail, err = audit.Open(t.Context(), audit.Options{Dir: filepath.Join(dir, "audit"), Keys: filepath.Join(dir, "keys")}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.dep.Trail.Close() })
	if r.dep.Evidence, err = bundle.Open(t.Context(), bundle.Deps{
		Dir: filepath.Join(dir, "evidence"), State: r.store, Events: r.log, Trail: r.dep.Trail, Keys: memoryKeys{}, Node: bundle.Node{Name: "test", Version: "test"},
	}); err != nil {
		t.Fatal(err)
	}
	r.dep.Sample, r.dep.Notices, r.dep.Secrets, r.dep.Privacy = oneSample{}, fakeNotices{}, &fakeSecrets{}, fakeDesk{}
	r.dep.Rules = testRules(t)
	r.dep.Playbooks = testPlaybooks(t, r.store)
	if r.dep.Trainer, err = verdict.NewTrainer(t.Context(), verdict.TrainerDeps{State: r.store}); err != nil {
		t.Fatal(err)
	}
	r.engine = &engine{store: r.store}
	r.dep.Responder = r.engine
	if r.dep.Allowlist, err = respond.OpenAllowlist(t.Context(), r.store, time.Now); err != nil {
		t.Fatal(err)
	}
	for _, f := range edit {
		f(&r.dep)
	}
	if r.handler, err = New(r.dep); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) take(ctx context.Context, batch []honeyguide.Event) (eventlog.Seq, error) {
	r.mu.Lock()
	fail := r.fail
	r.taken += len(batch)
	r.mu.Unlock()
	if fail != nil {
		return 0, fail
	}
	receipt, err := r.log.Append(ctx, eventlog.Batch{Events: batch})
	return receipt.Lo + eventlog.Seq(receipt.Stored) - 1, err
}

// call sends a request with a key ("" for none) and returns the answer.
func (r *rig) call(method, path string, key honeyguide.Secret, body io.Reader) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, path, body)
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key.Reveal())
	}
	if method != http.MethodGet {
		req.Header.Set("If-Match", "*")
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// get decodes the answer to a GET with the administrator's key.
func get[T any](r *rig, path string) T {
	r.t.Helper()
	w := r.call(http.MethodGet, path, bootstrap, nil)
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); w.Code != http.StatusOK || err != nil {
		r.t.Fatalf("GET %s: %d, %v: %s", path, w.Code, err, w.Body)
	}
	return v
}

func (r *rig) update(f func(context.Context, state.Tx) error) {
	r.t.Helper()
	ctx := r.t.Context()
	if err := r.store.Update(ctx, func(tx state.Tx) error { return f(ctx, tx) }); err != nil {
		r.t.Fatal(err)
	}
}

var day = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// alert is the n-th alert of these tests, n minutes into the day.
func alert(n int) *honeyguide.Alert {
	at := day.Add(time.Duration(n) * time.Minute)
	return &honeyguide.Alert{
		Time: at, LastAt: at, CreatedAt: at, Detector: "behaviour", RuleID: "rule_" + fmt.Sprint(n%3), Title: fmt.Sprintf("alert %d", n),
		Severity: honeyguide.Severity(1 + n%5), Status: honeyguide.AlertNew, DedupeKey: fmt.Sprint("k", n),
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 1)},
	}
}

// event is the n-th event of these tests.
func event(n int) honeyguide.Event {
	return honeyguide.Event{
		ID: fmt.Sprintf("event-%d", n), Time: day.Add(time.Duration(n) * time.Second), Observed: day, Class: honeyguide.ClassAuthentication,
		Activity: honeyguide.ActivityLoginFailed, Severity: honeyguide.Severity(1 + n%5), Sensor: "ssh", Service: "ssh",
		Session: fmt.Sprint("s", n%7), Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}), 22)},
		Attrs: map[string]any{honeyguide.AttrUser: fmt.Sprint("user", n%4)}, Raw: []byte("raw"),
	}
}
