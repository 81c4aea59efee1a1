package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"honeyguide/internal/auth"
	"honeyguide/internal/client"
)

// fakeSecrets are keys that count how often they were changed.
type fakeSecrets struct{ orders []client.SecretsOrder }

func (f *fakeSecrets) Status(context.Context) (client.SecretsStatus, error) {
	return client.SecretsStatus{Encryption: true, Masters: 1, Keys: []client.SecretsKey{{ID: "ab12"}}, Clear: []string{}}, nil
}

func (f *fakeSecrets) Rotate(ctx context.Context, o client.SecretsOrder) (client.SecretsStatus, error) {
	f.orders = append(f.orders, o)
	return f.Status(ctx)
}

// TestRotateOverTheAPI: the order arrives with its secrets, and they are in no entry.
func TestRotateOverTheAPI(t *testing.T) {
	t.Parallel()
	f := &fakeSecrets{}
	r := newRig(t, func(d *Deps) { d.Secrets = f })
	if got := get[client.SecretsStatus](r, base+"/secrets"); !got.Encryption || len(got.Keys) != 1 {
		t.Errorf("%+v", got)
	}
	const canary = "CANARY-new-master-key-0123456789"
	body := `{"master":true,"passphrase":"` + canary + `"}`
	if w := r.call(http.MethodPost, base+"/secrets/rotate", bootstrap, strings.NewReader(body)); w.Code != http.StatusOK || strings.Contains(w.Body.String(), canary) {
		t.Errorf("%d %s", w.Code, w.Body)
	}
	if len(f.orders) != 1 || f.orders[0].Passphrase.Reveal() != canary || !f.orders[0].Master {
		t.Errorf("%+v", f.orders)
	}
	made := r.audit.Entries()
	if len(made) != 1 || made[0].Action != "rotate-secrets" || strings.Contains(string(made[0].After)+made[0].Detail, canary) {
		t.Errorf("%+v", made)
	}
	for _, scope := range []auth.Scope{auth.ScopeResponder, auth.ScopeAnalyst, auth.ScopeAuditor} {
		key := r.key("of "+string(scope), scope)
		for _, method := range []string{http.MethodGet, http.MethodPost} {
			path := map[string]string{http.MethodGet: base + "/secrets", http.MethodPost: base + "/secrets/rotate"}[method]
			if w := r.call(method, path, key, strings.NewReader("{}")); w.Code != http.StatusForbidden {
				t.Errorf("%s may %s %s: %d", scope, method, path, w.Code)
			}
		}
	}
}
