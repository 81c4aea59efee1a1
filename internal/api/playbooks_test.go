package api

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/playbook"
	"honeyguide/internal/respond"
	"honeyguide/internal/respond/blockip"
	"honeyguide/internal/state"
)

const testPlaybook = `id: contain
title: Block who got in
when: severity >= high
steps:
  - {name: block, action: block_ip, each: attackers, ttl: 24h, approval: {people: 2}}
`

// testPlaybooks is a catalog of one shipped playbook, one of the operator's and
// a broken one.
func testPlaybooks(t testing.TB, st state.Store) *playbook.Catalog {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"digest.yaml": "id: digest\ntitle: Digest\ntrigger: {schedule: daily 08:00}\nsteps: [{action: block_ip, target: 203.0.113.9}]\n",
		"broken.yaml": "id: broken\ntitle: Broken\nwhen: severty > low\nsteps: [{action: launch}]\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	g, err := respond.NewGuard(respond.Defaults(), func() ([]respond.Local, error) { return nil, nil })
	if err != nil {
		t.Fatal(err)
	}
	block, err := blockip.Kind.Open(t.Context(), nil, respond.Deps{Guard: g})
	if err != nil {
		t.Fatal(err)
	}
	c, err := playbook.OpenCatalog(t.Context(), playbook.Options{
		Shipped: fstest.MapFS{"playbooks/contain.yaml": {Data: []byte(testPlaybook)}}, Folder: dir, State: st,
		Actions: map[string]respond.Action{"block_ip": block}, Now: func() time.Time { return day },
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestPlaybooks(t *testing.T) {
	r := newRig(t)
	list := into[client.Page[Playbook]](t, r.call(http.MethodGet, "/api/v1/playbooks", bootstrap, nil))
	if len(list.Items) != 2 || list.Items[0].ID != "contain" || list.Items[0].Origin != "shipped" || list.Items[1].Origin != "own" || list.Items[1].NextAt.IsZero() || len(list.Items[0].Version) != 12 {
		t.Errorf("%+v", list)
	}
	faults := into[client.Page[playbook.Fault]](t, r.call(http.MethodGet, "/api/v1/playbooks/faults", bootstrap, nil))
	if len(faults.Items) != 1 || faults.Items[0].Line != 3 || faults.Items[0].Column != 7 {
		t.Errorf("%+v", faults)
	}
	one := into[PlaybookText](t, r.call(http.MethodGet, "/api/v1/playbooks/contain", bootstrap, nil))
	if one.Text != testPlaybook || len(one.StepList) != 1 || one.StepList[0].Approval.People != 2 || len(one.Versions) != 1 || one.Outdated {
		t.Errorf("%+v", one)
	}
	old := state.PlaybookVersion{Playbook: "contain", Version: "0123456789ab", Title: "Before", Text: "id: contain\ntitle: Before\nsteps: [{action: block_ip}]\n"}
	if err := r.store.Update(t.Context(), func(tx state.Tx) error { return tx.Playbooks().Keep(t.Context(), &old) }); err != nil {
		t.Fatal(err)
	}
	former := into[PlaybookText](t, r.call(http.MethodGet, "/api/v1/playbooks/contain?version=0123", bootstrap, nil))
	if former.Text != old.Text || !former.Outdated || len(former.Versions) != 2 {
		t.Errorf("%+v", former)
	}
	for path, want := range map[string]int{"/nothing": 404, "/contain?version=ffff": 404} {
		if w := r.call(http.MethodGet, "/api/v1/playbooks"+path, bootstrap, nil); w.Code != want {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

func TestPlaybookTest(t *testing.T) {
	r := newRig(t)
	in := honeyguide.Incident{Key: "attacker:203.0.113.7", Severity: honeyguide.SeverityHigh, Attackers: []string{"203.0.113.7", "10.0.0.9"}, CreatedAt: day}
	if err := r.store.Update(t.Context(), func(tx state.Tx) error { _, err := tx.Incidents().Save(t.Context(), &in); return err }); err != nil {
		t.Fatal(err)
	}
	span := `"from": "` + day.Add(-time.Hour).Format(time.RFC3339) + `", "to": "` + day.Add(time.Hour).Format(time.RFC3339) + `"`
	res := into[playbook.TrialResult](t, r.call(http.MethodPost, "/api/v1/playbooks/test", bootstrap, strings.NewReader(`{"playbook": "contain", `+span+`}`)))
	if res.Incidents != 1 || len(res.Playbooks) != 1 || res.Playbooks[0].Runs != 1 || res.Playbooks[0].Steps[0].Acts != 1 || res.Playbooks[0].Steps[0].Refused != 1 {
		t.Errorf("%+v", res)
	}
	if a := res.Playbooks[0].Steps[0].Approval; a != "2 different people (responder or admin) within 1h" {
		t.Errorf("approval: %s", a)
	}
	all := into[playbook.TrialResult](t, r.call(http.MethodPost, "/api/v1/playbooks/test", bootstrap, strings.NewReader(`{`+span+`}`)))
	if len(all.Playbooks) != 2 {
		t.Errorf("%+v", all)
	}
	for body, want := range map[string]int{
		`{"playbook": "nothing"}`: 404, `{"playbook": "contain", "text": "id: a"}`: 400, `{"text": "id: a"}`: 400,
		`{"text": "id: a\ntitle: A\nsteps: [{action: launch}]"}`: 400, `{"from": "2026-03-01T00:00:00Z", "to": "2026-02-01T00:00:00Z"}`: 400, `{"colour": 1}`: 400,
	} {
		if w := r.call(http.MethodPost, "/api/v1/playbooks/test", bootstrap, strings.NewReader(body)); w.Code != want {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
}

// into decodes an answer that must be good.
func into[T any](t *testing.T, w *httptest.ResponseRecorder) (v T) {
	t.Helper()
	if w.Code != http.StatusOK {
		t.Fatalf("status %d: %s", w.Code, w.Body)
	}
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
