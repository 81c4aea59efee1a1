package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

// post sends a JSON body with the administrator's key and decodes the answer.
func postTo[T any](r *rig, path, body string, want int) (v T) {
	r.t.Helper()
	w := r.call(http.MethodPost, path, bootstrap, strings.NewReader(body))
	if w.Code != want {
		r.t.Fatalf("POST %s %s: %d, want %d: %s", path, body, w.Code, want, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		r.t.Fatal(err)
	}
	return v
}

// A suppression is looked at, made, seen at work, and lifted.
func TestSuppressionsOverTheAPI(t *testing.T) {
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return day.Add(time.Hour) } })
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n := range 6 {
			if _, err := tx.Alerts().Save(ctx, alert(n)); err != nil {
				return err
			}
		}
		return nil
	})
	match := `"match":{"rule":"rule_1","max_severity":"critical"}`
	p := postTo[client.SuppressionPreview](r, "/api/v1/suppressions/preview", `{`+match+`}`, http.StatusOK)
	if p.Alerts != 2 || !p.Complete || !p.From.Equal(day.Add(time.Hour-30*24*time.Hour)) {
		t.Errorf("preview %+v", p)
	}
	if p := postTo[client.SuppressionPreview](r, "/api/v1/suppressions/preview", `{"match":{"src":"198.51.100.0/30","max_severity":"critical"},"days":1}`, http.StatusOK); p.Alerts != 4 {
		t.Errorf("by prefix %+v", p)
	}
	ends := day.Add(24 * time.Hour).Format(time.RFC3339)
	made := postTo[client.SuppressionResult](r, "/api/v1/suppressions", fmt.Sprintf(`{%s,"reason":"our scanner","expires_at":%q,"existing":true}`, match, ends), http.StatusOK)
	if made.Changed != 2 || made.Short != "SUP-1" || made.Owner != "bootstrap" && made.Owner == "" || made.CreatedBy != made.Owner {
		t.Errorf("made %+v", made)
	}
	for query, want := range map[string]int{"": 4, "?status=suppressed": 2, "?suppression=sup-1": 2, "?status=new": 4} {
		if got := get[client.Page[honeyguide.Alert]](r, "/api/v1/alerts"+query); len(got.Items) != want {
			t.Errorf("alerts%s: %d, want %d", query, len(got.Items), want)
		}
	}
	if got := get[counts](r, "/api/v1/alerts/counts"); got.Total != 4 {
		t.Errorf("counts %+v", got)
	}
	if got := get[client.Page[honeyguide.Suppression]](r, "/api/v1/suppressions?holding=true"); len(got.Items) != 1 || got.Items[0].Alerts != 2 {
		t.Errorf("holding %+v", got)
	}
	lifted := postTo[client.SuppressionResult](r, "/api/v1/suppressions/SUP-1/lift", `{"reopen":true}`, http.StatusOK)
	if lifted.Changed != 2 || lifted.LiftedAt.IsZero() || lifted.LiftedBy == "" {
		t.Errorf("lifted %+v", lifted)
	}
	if got := get[client.Page[honeyguide.Suppression]](r, "/api/v1/suppressions?holding=true"); len(got.Items) != 0 {
		t.Errorf("holding after lifting %+v", got)
	}
	if got := get[client.Page[honeyguide.Alert]](r, "/api/v1/alerts"); len(got.Items) != 6 {
		t.Errorf("%d alerts after reopening", len(got.Items))
	}
}

// What would suppress more than its author meant is refused.
func TestSuppressionRequestsAreStrict(t *testing.T) {
	r := newRig(t)
	r.fill()
	for body, want := range map[string]int{
		`{"match":{"rule":"r","source":"10.0.0.1"},"reason":"x","expires_at":"2026-11-22T00:00:00Z"}`:       http.StatusBadRequest,
		`{"match":{},"reason":"x","expires_at":"2026-11-22T00:00:00Z"}`:                                     http.StatusBadRequest,
		`{"match":{"rule":"r","max_severity":"terrible"},"reason":"x","expires_at":"2026-11-22T00:00:00Z"}`: http.StatusUnprocessableEntity,
		`{"match":{"rule":"r"},"reason":"x"}`:                                                               http.StatusBadRequest,
		`{"match":{"rule":"r"},"expires_at":"2026-11-22T00:00:00Z"}`:                                        http.StatusBadRequest,
		`{"match":{"src":"nowhere"},"reason":"x","expires_at":"2026-11-22T00:00:00Z"}`:                      http.StatusBadRequest,
		`[]`: http.StatusUnprocessableEntity,
		`{"match":{"rule":"r"},"reason":"` + strings.Repeat("x", 1001) + `","expires_at":"2026-11-22T00:00:00Z"}`: http.StatusUnprocessableEntity,
	} {
		w := r.call(http.MethodPost, "/api/v1/suppressions", bootstrap, strings.NewReader(body))
		if w.Code != want && (want != http.StatusBadRequest || w.Code != http.StatusUnprocessableEntity) {
			t.Errorf("%.100s: %d, want %d: %s", body, w.Code, want, w.Body)
		}
		if w.Code < 400 || strings.Contains(w.Body.String(), "nowhere") {
			t.Errorf("%.100s: %s", body, w.Body)
		}
	}
	if w := r.call(http.MethodPost, "/api/v1/suppressions/SUP-9/lift", bootstrap, strings.NewReader(`{}`)); w.Code != http.StatusNotFound {
		t.Errorf("lift of none: %d %s", w.Code, w.Body)
	}
}
