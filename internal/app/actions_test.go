package app

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"honeyguide"
	"honeyguide/internal/config"
)

const edgeBook = `
id: edge
title: Tell the edge
trigger: manual
steps:
  - {name: publish, action: edge, target: 203.0.113.77, params: {ttl: 1h}}
`

// An entry of the allowlist ends what holds on the address, whatever action put
// it there and whatever name the operator gave that action.
func TestAllowlistEndsEveryAction(t *testing.T) {
	books := t.TempDir()
	if err := os.WriteFile(filepath.Join(books, "edge.yaml"), []byte(edgeBook), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, err := config.Load(config.Options{Schema: Schema(), Sets: []string{
		"node.data=" + t.TempDir(), "respond.mode=apply", "respond.firewall=off", "respond.playbooks=" + books, "actions.edge.kind=blocklist",
	}})
	if err != nil {
		t.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		t.Fatal(err)
	}
	s.Sensors = nil
	a, err := New(t.Context(), s, slog.New(slog.DiscardHandler), "test")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = a.Close() })
	h, stop, err := a.Offline(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(stop)
	call := func(method, path string, in, out any) {
		t.Helper()
		body, err := json.Marshal(in)
		if err != nil {
			t.Fatal(err)
		}
		r := httptest.NewRequestWithContext(t.Context(), method, "https://localhost"+path, bytes.NewReader(body))
		r.Header.Set("Content-Type", "application/json")
		w := httptest.NewRecorder()
		h.ServeHTTP(w, r)
		if w.Code != http.StatusOK {
			t.Fatalf("%s %s: %d %s", method, path, w.Code, w.Body)
		}
		if err := json.Unmarshal(w.Body.Bytes(), out); err != nil {
			t.Fatal(err)
		}
		if err := a.runs.Drain(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	state := func() honeyguide.PlanState {
		t.Helper()
		var plans struct{ Items []honeyguide.Plan }
		call(http.MethodGet, "/api/v1/plans", nil, &plans)
		if len(plans.Items) != 1 {
			t.Fatalf("%d plans", len(plans.Items))
		}
		return plans.Items[0].State
	}
	var any json.RawMessage
	call(http.MethodPost, "/api/v1/runs", map[string]string{"playbook": "edge", "reason": "a test"}, &any)
	if got := state(); got != honeyguide.PlanVerified {
		t.Fatalf("published: %s", got)
	}
	call(http.MethodPost, "/api/v1/allowlist", map[string]string{"address": "203.0.113.77", "owner": "shop", "reason": "a customer"}, &any)
	if got := state(); got != honeyguide.PlanReverted {
		t.Errorf("after it was allowed: %s", got)
	}
}
