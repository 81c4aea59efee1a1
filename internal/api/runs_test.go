package api

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

// ask sends a request with a key and decodes the answer when it is the one wanted.
func ask[T any](r *rig, method, path string, key honeyguide.Secret, body string, want int) (v T) {
	r.t.Helper()
	w := r.call(method, base+path, key, strings.NewReader(body))
	if w.Code != want {
		r.t.Fatalf("%s %s: %d, want %d: %s", method, path, w.Code, want, w.Body)
	}
	if want == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			r.t.Fatalf("%s %s: %v", method, path, err)
		}
	}
	return v
}

func TestRuns(t *testing.T) {
	r := newRig(t)
	r.fill()
	r.update(func(ctx context.Context, tx state.Tx) error {
		for _, run := range []honeyguide.Run{
			{ID: "r2", Playbook: "digest", State: honeyguide.RunDone, By: "schedule", Steps: []honeyguide.RunStep{}},
			{ID: "r3", Playbook: "contain", State: honeyguide.RunFailed, By: "playbook", Steps: []honeyguide.RunStep{}},
		} {
			if err := tx.Runs().Save(ctx, &run); err != nil {
				return err
			}
		}
		p := honeyguide.Plan{ID: "p2", Run: "r1", Action: "ticket", Target: "x", CreatedAt: day.Add(time.Second)}
		return tx.Plans().Save(ctx, &p)
	})
	for query, want := range map[string]int{"": 3, "?state=done": 1, "?state=done,failed": 2, "?open=true": 1, "?playbook=contain": 2, "?incident=I-1": 1, "?limit=1": 1} {
		if p := get[client.Page[honeyguide.Run]](r, base+"/runs"+query); len(p.Items) != want || (query == "?limit=1") != (p.Next != "") {
			t.Errorf("%q: %d runs, next %q", query, len(p.Items), p.Next)
		}
	}
	ask[any](r, http.MethodGet, "/runs?state=odd", bootstrap, "", http.StatusUnprocessableEntity)
	ask[any](r, http.MethodGet, "/runs?incident=I-9", bootstrap, "", http.StatusNotFound)
	if d := get[client.RunDetail](r, base+"/runs/r-1"); d.ID != "r1" || len(d.Plans) != 1 || d.Plans[0].ID != "p2" {
		t.Errorf("detail %+v", d)
	}
	if p := get[client.Page[honeyguide.Plan]](r, base+"/plans?run=R-1&state="); len(p.Items) != 1 {
		t.Errorf("plans of a run: %+v", p)
	}
}

// What people order reaches the engine as they said it, under the name of their key.
func TestOrdersReachTheEngine(t *testing.T) {
	r := newRig(t)
	r.fill()
	anna := r.keyOf("anna", auth.ScopeResponder)
	for _, c := range []struct{ path, body, call, want string }{
		{"/runs", `{"playbook":"contain","incident":"I-1","vars":{"a":"b"},"mode":"apply","reason":"why"}`, "start", `{"Playbook":"contain","Incident":"I-1","Vars":{"a":"b"},"Mode":"apply","By":"anna","Role":"responder","Reason":"why"}`},
		{"/runs/R-1/decide", `{"approve":false,"note":"no"}`, "decide R-1 0", `"by":"anna","role":"responder","approved":false,"note":"no"`},
		{"/runs/R-1/cancel", `{"reason":"why"}`, "cancel R-1", `"anna: why"`},
		{"/runs/R-1/revert", `{"reason":"why"}`, "revert R-1", `"anna: why"`},
		{"/runs/R-1/retry", `{}`, "retry R-1", `"anna"`},
		{"/runs/R-1/confirm", `{}`, "confirm R-1", `"anna"`},
		{"/blocks", `{"address":"::ffff:198.51.100.77/120","ttl":"90m","reason":"why","confirm_within":"5m","incident":"I-1"}`, "block", `{"Target":"198.51.100.0/24","TTL":5400000000000,"Reason":"why","By":"anna","Role":"responder","Incident":"I-1","ConfirmWithin":300000000000}`},
		{"/halt", `{"reason":"why"}`, "halt", `"anna: why"`},
	} {
		ask[any](r, http.MethodPost, c.path, anna, c.body, http.StatusOK)
		calls := r.engine.asked()
		last, err := json.Marshal(r.engine.last)
		if calls[len(calls)-1] != c.call || err != nil || !strings.Contains(string(last), c.want) {
			t.Errorf("%s: %s with %s, %v", c.path, calls[len(calls)-1], last, err)
		}
	}
	before := len(r.engine.asked())
	for path, bodies := range map[string][]string{
		"/runs":            {`{}`, `{"playbook":""}`, `{"playbook":"x","mode":"odd"}`, `{"playbook":"x","by":"mallory"}`, `{"playbook":"x","vars":{"":"x"}}`, `{"playbook":"x","vars":{"a":"` + strings.Repeat("x", 1025) + `"}}`},
		"/runs/R-1/decide": {`{}`, `{"approve":"yes"}`, `{"approve":true,"by":"mallory"}`, `{"approve":true,"role":"admin"}`, `{"approve":true,"step":-1}`},
		"/blocks": {
			`{"address":"x","ttl":"1h","reason":"x"}`, `{"address":"198.51.100.1","ttl":"1h"}`, `{"address":"198.51.100.1","reason":"x"}`, `{"address":"198.51.100.1","ttl":"721h","reason":"x"}`,
			`{"address":"198.51.100.1","ttl":"-1h","reason":"x"}`, `{"address":"198.51.100.1","ttl":"1h","reason":"x","confirm_within":"2h"}`, `{"address":"198.51.100.1","ttl":"1h","reason":"x","confirm_within":"1s"}`,
			`{"address":"198.51.100.1","ttl":"1h","reason":"x","by":"mallory"}`,
		},
	} {
		for _, body := range bodies {
			if w := r.call(http.MethodPost, base+path, anna, strings.NewReader(body)); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
				t.Errorf("%s %s: %d %s", path, body, w.Code, w.Body)
			}
		}
	}
	ask[any](r, http.MethodPost, "/runs/R-9/decide", anna, `{"approve":true}`, http.StatusNotFound)
	ask[any](r, http.MethodPost, "/runs/R-1/decide", anna, `{"approve":true,"step":7}`, http.StatusConflict)
	if after := len(r.engine.asked()); after != before {
		t.Errorf("%d bad orders reached the engine", after-before)
	}
	for err, want := range map[error]int{
		&honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "who began a run does not approve it"}: http.StatusForbidden,
		&honeyguide.Error{Code: honeyguide.CodeConflict, Message: "the run is over"}:                      http.StatusConflict,
		&honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no run"}:                      http.StatusNotFound,
		errors.New("secret"): http.StatusInternalServerError,
	} {
		r.engine.fail = err
		w := r.call(http.MethodPost, base+"/runs/R-1/cancel", anna, strings.NewReader(`{}`))
		if w.Code != want || strings.Contains(w.Body.String(), "secret") {
			t.Errorf("%v: %d %s", err, w.Code, w.Body)
		}
		problemOf(t, w)
	}
	without := newRig(t, func(d *Deps) { d.Responder, d.Allowlist = nil, nil })
	for path, body := range map[string]string{"/runs/R-1/cancel": "{}", "/halt": "{}", "/allowlist": `{"address":"198.51.100.1","reason":"x"}`} {
		ask[any](without, http.MethodPost, path, bootstrap, body, http.StatusServiceUnavailable)
	}
}

// An analyst decides where a step's rule names analysts, and nowhere else.
func TestAnalystsDecideWhereTheyAreNamed(t *testing.T) {
	r := newRig(t)
	r.fill()
	r.update(func(ctx context.Context, tx state.Tx) error {
		run := honeyguide.Run{ID: "r2", State: honeyguide.RunWaiting, Steps: []honeyguide.RunStep{{State: honeyguide.StepWaiting, AskedAt: time.Now(), Approval: &honeyguide.ApprovalRule{Roles: []string{"analyst"}}}}}
		return tx.Runs().Save(ctx, &run)
	})
	ben := r.keyOf("ben", auth.ScopeAnalyst)
	ask[any](r, http.MethodPost, "/runs/r1/decide", ben, `{"approve":true}`, http.StatusForbidden)
	ask[any](r, http.MethodPost, "/runs/r2/decide", ben, `{"approve":true}`, http.StatusOK)
	ask[any](r, http.MethodPost, "/runs/r2/decide", r.keyOf("carol", auth.ScopeResponder), `{"approve":true}`, http.StatusForbidden)
}

func TestInbox(t *testing.T) {
	now := time.Now()
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return now } })
	r.fill()
	keys := map[string]honeyguide.Secret{
		"anna": r.keyOf("anna", auth.ScopeResponder), "ALICE": r.keyOf("ALICE", auth.ScopeResponder), "ben": r.keyOf("ben", auth.ScopeAnalyst), "rita": r.keyOf("rita", auth.ScopeRead), "admin": bootstrap,
	}
	inbox := func(who, query string) []client.Approval {
		t.Helper()
		return ask[client.Page[client.Approval]](r, http.MethodGet, "/approvals"+query, keys[who], "", http.StatusOK).Items
	}
	a := inbox("anna", "")
	if len(a) != 1 || !a[0].May || a[0].Step != 0 || a[0].Needed != 2 || len(a[0].Plans) != 1 || a[0].Plans[0].ID != "p1" || a[0].Decisions == nil || a[0].LapsesAt.IsZero() {
		t.Fatalf("inbox %+v", a)
	}
	if got := inbox("admin", ""); len(got) != 1 {
		t.Errorf("an administrator's: %+v", got)
	}
	for who, why := range map[string]string{"ALICE": "began", "ben": "responder or admin", "rita": "not good"} {
		if got := inbox(who, ""); len(got) != 0 {
			t.Errorf("%s has %+v", who, got)
		}
		if got := inbox(who, "?all=true"); len(got) != 1 || got[0].May || !strings.Contains(got[0].WhyNot, why) {
			t.Errorf("%s sees %+v", who, got)
		}
	}
	r.update(func(ctx context.Context, tx state.Tx) error {
		run, err := tx.Runs().Get(ctx, "r1")
		if err != nil {
			return err
		}
		run.Steps[0].Decisions = []honeyguide.Decision{{By: "anna", Role: "responder", Approved: true, At: now}}
		return tx.Runs().Save(ctx, &run)
	})
	if got := inbox("anna", ""); len(got) != 0 {
		t.Errorf("anna has decided, and is asked again: %+v", got)
	}
	if got := inbox("admin", ""); len(got) != 1 || got[0].Needed != 1 || len(got[0].Decisions) != 1 {
		t.Errorf("the second: %+v", got)
	}
	now = now.Add(2 * time.Hour)
	if got := inbox("admin", "?all=true"); len(got) != 1 || !strings.Contains(got[0].WhyNot, "over") {
		t.Errorf("too late: %+v", got)
	}
}

// named sends an order under an Idempotency-Key.
func (r *rig) named(name, path string, key honeyguide.Secret, body string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodPost, base+path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	req.Header.Set(orderKey, name)
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func TestAnOrderIsCarriedOutOnce(t *testing.T) {
	now := day
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return now } })
	r.fill()
	anna, ben := r.keyOf("anna", auth.ScopeResponder), r.keyOf("ben", auth.ScopeResponder)
	const body = `{"address":"198.51.100.9","ttl":"1h","reason":"x"}`
	first := r.named("k1", "/blocks", anna, body)
	again := r.named("k1", "/blocks", anna, body)
	if first.Code != http.StatusOK || again.Code != http.StatusOK || again.Body.String() != first.Body.String() || again.Header().Get(orderRepeat) != "true" || first.Header().Get(orderRepeat) != "" {
		t.Errorf("first %d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	expect := func(what string, n int) {
		t.Helper()
		if got := len(r.engine.asked()); got != n {
			t.Errorf("%s: %d orders, want %d", what, got, n)
		}
	}
	expect("a repeat", 1)
	for what, w := range map[string]*httptest.ResponseRecorder{
		"another body":  r.named("k1", "/blocks", anna, strings.Replace(body, "1h", "2h", 1)),
		"another route": r.named("k1", "/halt", anna, `{}`),
		"an odd name":   r.named("k 1", "/blocks", anna, body),
		"a long name":   r.named(strings.Repeat("k", 129), "/blocks", anna, body),
	} {
		if p := problemOf(t, w); p.Status != http.StatusConflict && p.Status != http.StatusBadRequest {
			t.Errorf("%s: %d", what, p.Status)
		}
	}
	expect("misuse", 1)
	r.named("k1", "/blocks", ben, body)
	expect("the same name of another person", 2)
	// What was refused has done nothing, so its name is free.
	r.engine.fail = &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "the stop switch is on"}
	if w := r.named("k2", "/blocks", anna, body); w.Code != http.StatusConflict {
		t.Errorf("refused: %d", w.Code)
	}
	r.engine.fail = nil
	if w := r.named("k2", "/blocks", anna, body); w.Code != http.StatusOK {
		t.Errorf("after a refusal: %d", w.Code)
	}
	expect("after a refusal", 4)
	// What failed inside may have done something.
	r.engine.fail = errors.New("disk")
	r.named("k3", "/blocks", anna, body)
	r.engine.fail = nil
	if w := r.named("k3", "/blocks", anna, body); w.Code != http.StatusConflict || !strings.Contains(w.Body.String(), "not known") {
		t.Errorf("after a failure: %d %s", w.Code, w.Body)
	}
	expect("after a failure", 5)
	// While the first is under way the second waits for nothing and does nothing.
	var inside *httptest.ResponseRecorder
	r.engine.block = func() {
		r.engine.block = nil
		inside = r.named("k4", "/blocks", anna, body)
	}
	r.named("k4", "/blocks", anna, body)
	if inside == nil || inside.Code != http.StatusConflict || !strings.Contains(inside.Body.String(), "under way") {
		t.Errorf("at the same time: %+v", inside)
	}
	expect("at the same time", 6)
	// A start later it is still known; a day later it is not.
	r.handler, _ = New(r.dep)
	now = now.Add(23 * time.Hour)
	r.named("k1", "/blocks", anna, body)
	expect("after a start", 6)
	now = now.Add(2 * time.Hour)
	r.named("k1", "/blocks", anna, body)
	expect("after a day", 7)
	// Without a name it is as often as it is asked, and a refused key is no order.
	ask[any](r, http.MethodPost, "/blocks", anna, body, http.StatusOK)
	expect("without a name", 8)
	if w := r.named("k1", "/blocks", r.keyOf("rita", auth.ScopeRead), body); w.Code != http.StatusForbidden {
		t.Errorf("a reader: %d", w.Code)
	}
}
