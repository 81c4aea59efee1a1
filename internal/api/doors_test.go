package api

import (
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// A door is what TestDoors expects of one route.
type door struct {
	may   string // scopes that are let in; every other is refused
	path  string // what stands for {id} or {address}; "" = nothing does
	body  string
	calls int // of the engine, when let in
}

const (
	readers    = "admin responder analyst viewer auditor read"
	responders = "admin responder"
	admins     = "admin"
)

// doorways is the expectation about every route by which people see what is
// done about attackers, and change it. A route that is not here fails the test.
var doorways = map[string]door{
	"GET /api/v1/runs":                   {may: readers},
	"GET /api/v1/runs/{id}":              {may: readers, path: "r1"},
	"POST /api/v1/runs":                  {may: responders, body: `{"playbook":"contain"}`, calls: 1},
	"POST /api/v1/runs/{id}/decide":      {may: responders, path: "r1", body: `{"approve":true,"step":0}`, calls: 1},
	"POST /api/v1/runs/{id}/cancel":      {may: responders, path: "r1", body: `{}`, calls: 1},
	"POST /api/v1/runs/{id}/retry":       {may: responders, path: "r1", body: `{}`, calls: 1},
	"POST /api/v1/runs/{id}/revert":      {may: responders, path: "r1", body: `{}`, calls: 1},
	"POST /api/v1/runs/{id}/confirm":     {may: responders, path: "r1", body: `{}`, calls: 1},
	"GET /api/v1/approvals":              {may: readers},
	"GET /api/v1/plans":                  {may: readers},
	"GET /api/v1/plans/{id}":             {may: readers, path: "p1"},
	"GET /api/v1/blocks":                 {may: readers},
	"GET /api/v1/blocks/export":          {may: readers},
	"GET /api/v1/blocks/{address}":       {may: readers, path: "198.51.100.2"},
	"POST /api/v1/blocks":                {may: responders, body: `{"address":"198.51.100.9","ttl":"1h","reason":"x"}`, calls: 1},
	"DELETE /api/v1/blocks/{address}":    {may: responders, path: "198.51.100.2", calls: 1},
	"GET /api/v1/allowlist":              {may: readers},
	"POST /api/v1/allowlist":             {may: responders, body: `{"address":"198.51.100.2","reason":"x"}`, calls: 1},
	"DELETE /api/v1/allowlist/{address}": {may: responders, path: "192.0.2.0%2F24"},
	"GET /api/v1/halt":                   {may: readers},
	"POST /api/v1/halt":                  {may: responders, body: `{"reason":"x"}`, calls: 1},
	"DELETE /api/v1/halt":                {may: admins, calls: 1},
	"GET /api/v1/keys":                   {may: admins},
	"POST /api/v1/keys":                  {may: admins, body: `{"name":"anna","scope":"read"}`},
	"DELETE /api/v1/keys/{id}":           {may: admins, path: "victim"},
	"GET /api/v1/holds":                  {may: readers},
	"GET /api/v1/holds/{id}":             {may: readers, path: "H-1"},
	"POST /api/v1/holds":                 {may: responders, body: `{"object":"attacker:203.0.113.7","reason":"court"}`},
	"POST /api/v1/holds/{id}/release":    {may: responders, path: "held", body: `{"reason":"over"}`},
	"POST /api/v1/keys/{id}/rotate":      {may: admins, path: "victim", body: `{"overlap":"1h"}`},
}

// ours reports whether a pattern is one of those doorways has to know.
func ours(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	for _, p := range []string{"/runs", "/approvals", "/plans", "/blocks", "/allowlist", "/halt", "/keys", "/holds"} {
		if path == base+p || strings.HasPrefix(path, base+p+"/") {
			return true
		}
	}
	return false
}

// keyOf hands out a key of a scope.
func (r *rig) keyOf(name string, scope auth.Scope) honeyguide.Secret {
	r.t.Helper()
	secret, key, err := auth.NewKey(name, scope, time.Now(), time.Time{})
	if err != nil {
		r.t.Fatal(err)
	}
	if err := r.keys.Add(r.t.Context(), key); err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// furnish puts back what a door takes away.
func (r *rig) furnish() {
	r.t.Helper()
	all, err := r.keys.List(r.t.Context())
	if err != nil {
		r.t.Fatal(err)
	}
	for _, k := range all { // rotated, it has a successor of its name
		if k.Name == "victim" {
			if err := r.keys.Remove(r.t.Context(), k.ID); err != nil {
				r.t.Fatal(err)
			}
		}
	}
	r.keyOf("victim", auth.ScopeRead)
	r.update(func(ctx context.Context, tx state.Tx) error {
		p := honeyguide.Plan{ID: "held", Action: state.ActionBlockIP, Target: "198.51.100.2", Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified, CreatedAt: day}
		if err := tx.Plans().Save(ctx, &p); err != nil {
			return err
		}
		if err := tx.Holds().Save(ctx, &honeyguide.Hold{ID: "held", Object: "session:s1", Reason: "court", By: "zoe"}); err != nil {
			return err
		}
		return tx.Allowlist().Save(ctx, &honeyguide.Allowed{Address: "192.0.2.0/24", Reason: "x", Owner: "ops"})
	})
}

// TestDoors asks every route of doorways with a key of every scope there is,
// and without one. What is refused never reaches the engine.
func TestDoors(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill()
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	keys := map[auth.Scope]honeyguide.Secret{}
	for _, scope := range auth.Scopes() {
		keys[scope] = r.keyOf("holder-"+string(scope), scope)
	}
	seen := 0
	for _, pattern := range s.router.patterns {
		if !ours(pattern) {
			continue
		}
		seen++
		d, ok := doorways[pattern]
		if !ok {
			t.Errorf("%s: nobody has said who may; add it to doorways", pattern)
			continue
		}
		method, path, _ := strings.Cut(pattern, " ")
		path = strings.NewReplacer("{id}", d.path, "{address}", d.path).Replace(path)
		ask := func(key honeyguide.Secret) (status, calls int) {
			r.furnish()
			before := len(r.engine.asked())
			w := r.call(method, path, key, strings.NewReader(d.body))
			return w.Code, len(r.engine.asked()) - before
		}
		for scope, key := range keys {
			want, calls := http.StatusForbidden, 0
			if slices.Contains(strings.Fields(d.may), string(scope)) {
				want, calls = http.StatusOK, d.calls
			}
			if got, n := ask(key); got != want || n != calls {
				t.Errorf("%s with scope %s: %d and %d orders, want %d and %d", pattern, scope, got, n, want, calls)
			}
		}
		if got, n := ask(""); got != http.StatusUnauthorized || n != 0 {
			t.Errorf("%s without a key: %d and %d orders", pattern, got, n)
		}
		// The local socket is the administrator.
		r.furnish()
		req := httptest.NewRequest(method, path, strings.NewReader(d.body))
		w := httptest.NewRecorder()
		Trusted(r.handler).ServeHTTP(w, req)
		if w.Code != http.StatusOK {
			t.Errorf("%s over the local socket: %d %s", pattern, w.Code, w.Body)
		}
	}
	if seen != len(doorways) {
		t.Errorf("%d routes, %d expectations: some route is gone", seen, len(doorways))
	}
	for _, p := range slices.Sorted(maps.Keys(doorways)) {
		if s.router.needs[p] == "" {
			t.Errorf("there is no route %s", p)
		}
	}
}
