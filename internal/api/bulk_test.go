package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// bulkRig is an API with n alerts, at a time that can be moved.
func bulkRig(t testing.TB, n int) (*rig, *time.Time) {
	now := day.AddDate(0, 0, 1)
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return now } })
	r.update(func(ctx context.Context, tx state.Tx) error {
		for i := range n {
			if _, err := tx.Alerts().Save(ctx, alert(i)); err != nil {
				return err
			}
		}
		return nil
	})
	return r, &now
}

// demand posts as the holder of a key and decodes the answer when it is 200.
func demand[T any](r *rig, key honeyguide.Secret, path, body string) (v T, status int, text string) {
	r.t.Helper()
	w := r.call(http.MethodPost, path, key, strings.NewReader(body))
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			r.t.Fatal(err)
		}
	}
	return v, w.Code, w.Body.String()
}

func newKey(r *rig, name string, scope auth.Scope) honeyguide.Secret {
	r.t.Helper()
	secret, key, err := auth.NewKey(name, scope, day, time.Time{})
	if err == nil {
		err = r.keys.Add(r.t.Context(), key)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

func TestAlertsAreHandledAndTakenBack(t *testing.T) {
	r, now := bulkRig(t, 6)
	jo := newKey(r, "jo", auth.ScopeAnalyst)
	*now = now.Add(time.Minute)
	done, status, text := demand[verdict.Handling](r, jo, "/api/v1/alerts/status", `{"ids":["A-1","a-2","A-99"],"status":"acknowledged","note":"mine"}`)
	if status != 200 || done.Changed != 2 || len(done.Failed) != 1 || done.Failed[0] != (verdict.Failed{ID: "A-99", Code: "not_found"}) || done.Undo == "" {
		t.Fatalf("%d: %s", status, text)
	}
	a := get[honeyguide.Alert](r, "/api/v1/alerts/A-1")
	if a.Status != honeyguide.AlertAcknowledged || a.Handled != (honeyguide.Handled{By: "jo", At: *now, Note: "mine"}) {
		t.Errorf("got %s, %+v", a.Status, a.Handled)
	}
	// Somebody else is at one of them: only the other is taken back, and it is said who.
	*now = now.Add(time.Minute)
	if _, status, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/status", `{"ids":["A-2"],"status":"closed"}`); status != 200 {
		t.Fatal(text)
	}
	back, status, text := demand[verdict.Handling](r, jo, "/api/v1/alerts/undo", `{"undo":"`+done.Undo+`"}`)
	if status != 200 || back.Changed != 1 || len(back.Failed) != 1 || back.Failed[0].Code != "conflict" || back.Failed[0].By != "bootstrap" || !back.Failed[0].At.Equal(*now) {
		t.Fatalf("%d: %s", status, text)
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/A-1"); a.Status != honeyguide.AlertNew || a.Handled != (honeyguide.Handled{}) {
		t.Errorf("after undo: %s, %+v", a.Status, a.Handled)
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/A-2"); a.Status != honeyguide.AlertClosed || a.Handled.By != "bootstrap" {
		t.Errorf("after undo: %s, %+v", a.Status, a.Handled)
	}
	for body, want := range map[string]int{
		`{"undo":"` + done.Undo + `"}`: http.StatusConflict, // twice
		`{"undo":"nothing"}`:           http.StatusNotFound,
	} {
		if _, status, text := demand[verdict.Handling](r, jo, "/api/v1/alerts/undo", body); status != want {
			t.Errorf("%s: got %d, want %d: %s", body, status, want, text)
		}
	}
	// All of it is somebody else's by now.
	mine, _, _ := demand[verdict.Handling](r, jo, "/api/v1/alerts/status", `{"ids":["A-3"],"status":"escalated"}`)
	*now = now.Add(time.Second)
	_, _, _ = demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/status", `{"ids":["A-3"],"status":"closed"}`)
	if _, status, text := demand[verdict.Handling](r, jo, "/api/v1/alerts/undo", `{"undo":"`+mine.Undo+`"}`); status != http.StatusConflict || !strings.Contains(text, "bootstrap has changed it since") {
		t.Errorf("got %d: %s", status, text)
	}
	late, _, _ := demand[verdict.Handling](r, jo, "/api/v1/alerts/status", `{"ids":["A-4"],"status":"escalated"}`)
	*now = now.Add(verdict.UndoTime + time.Second)
	if _, status, text := demand[verdict.Handling](r, jo, "/api/v1/alerts/undo", `{"undo":"`+late.Undo+`"}`); status != http.StatusNotFound || !strings.Contains(text, "ten minutes") {
		t.Errorf("got %d: %s", status, text)
	}
	if _, status, _ := demand[verdict.Handling](r, newKey(r, "reader", auth.ScopeRead), "/api/v1/alerts/status", `{"ids":["A-4"],"status":"closed"}`); status != http.StatusForbidden {
		t.Errorf("a reader may close alerts: %d", status)
	}
}

func TestAFilterMeansWhatWasSeen(t *testing.T) {
	r, _ := bulkRig(t, 30)
	for body, want := range map[string]int{
		`{"status":"closed"}`:                                                            http.StatusBadRequest,
		`{"ids":["A-1"],"filter":{},"status":"closed"}`:                                  http.StatusBadRequest,
		`{"filter":{"rule":"rule_1"},"status":"closed"}`:                                 http.StatusBadRequest,
		`{"filter":{"rule":"rule_1"},"expected_count":9,"status":"closed"}`:              http.StatusConflict,
		`{"filter":{"rule":"rule_1"},"expected_count":10,"status":"suppressed"}`:         http.StatusUnprocessableEntity,
		`{"filter":{"rules":"rule_1"},"expected_count":10,"status":"closed"}`:            http.StatusBadRequest,
		`{"filter":{"rule":"rule_1"},"expected_count":10,"status":"closed","note":"ok"}`: http.StatusOK,
	} {
		out, status, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/status", body)
		if status != want || status == http.StatusOK && (out.Changed != 10 || len(out.Failed) != 0) {
			t.Errorf("%s: got %d, want %d: %s", body, status, want, text)
		}
	}
	out, status, text := demand[verdict.Outcome](r, bootstrap, "/api/v1/alerts/verdict", `{"filter":{"status":["closed"]},"expected_count":10,"verdict":"benign"}`)
	if status != 200 || out.Changed != 10 {
		t.Errorf("verdict by filter: %d: %s", status, text)
	}
}

func TestAlertsAreGathered(t *testing.T) {
	r, now := bulkRig(t, 6)
	first, status, text := demand[client.Gathered](r, bootstrap, "/api/v1/alerts/incident", `{"ids":["A-1","A-2","A-3"],"title":"Look at these"}`)
	if status != 200 || first.Changed != 3 || first.Incident.AlertCount != 3 || len(first.Changes) != 0 {
		t.Fatalf("%d: %s", status, text)
	}
	*now = now.Add(time.Second)
	second, status, text := demand[client.Gathered](r, bootstrap, "/api/v1/alerts/incident", `{"ids":["A-3","A-4"]}`)
	if status != 200 || second.Changed != 2 || second.Incident.AlertCount != 2 || len(second.Changes) != 1 || second.Changes[0].Kind != "move" {
		t.Fatalf("%d: %s", status, text)
	}
	if in := get[honeyguide.Incident](r, "/api/v1/incidents/I-1"); in.AlertCount != 2 {
		t.Errorf("the giver has %d alerts", in.AlertCount)
	}
	*now = now.Add(time.Second)
	if _, status, text := demand[client.Regrouping](r, bootstrap, "/api/v1/incident-changes/"+second.Changes[0].ID+"/undo", `{}`); status != 200 {
		t.Fatalf("%d: %s", status, text)
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/A-3"); a.Incident != first.Incident.ID {
		t.Errorf("after undo A-3 is in %s", a.Incident)
	}
	// All of one incident goes: it is merged.
	*now = now.Add(time.Second)
	third, status, text := demand[client.Gathered](r, bootstrap, "/api/v1/alerts/incident", `{"ids":["A-1","A-2","A-3"],"incident":"I-2"}`)
	if status != 200 || third.Incident.AlertCount != 4 || len(third.Changes) != 1 || third.Changes[0].Kind != "merge" {
		t.Errorf("%d: %s", status, text)
	}
	tasks, status, text := demand[client.TasksResult](r, bootstrap, "/api/v1/incidents/tasks", `{"ids":["I-2","I-9"],"title":"call them"}`)
	if status != 200 || tasks.Changed != 1 || len(tasks.Failed) != 1 || tasks.Failed[0].Code != "not_found" {
		t.Errorf("%d: %s", status, text)
	}
}

// Taking back is an act of its own: the audit log has both, with who and what.
func TestUndoIsAudited(t *testing.T) {
	r, _ := bulkRig(t, 3)
	jo := newKey(r, "jo", auth.ScopeAnalyst)
	done, _, _ := demand[verdict.Handling](r, jo, "/api/v1/alerts/status", `{"ids":["A-1"],"status":"closed"}`)
	had := len(r.audit.Entries())
	if _, status, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/undo", `{"undo":"`+done.Undo+`"}`); status != http.StatusOK {
		t.Fatal(text)
	}
	if _, status, _ := demand[verdict.Handling](r, jo, "/api/v1/alerts/undo", `{"undo":"`+done.Undo+`"}`); status != http.StatusConflict {
		t.Fatalf("taken back twice: %d", status)
	}
	made := r.audit.Entries()[had:]
	if len(made) != 3 || made[0].Action != "undo-alerts" || made[0].Actor != "bootstrap" || made[0].Outcome != honeyguide.AuditAsked ||
		made[1].Actor != "jo" || made[2].Actor != "jo" || made[2].Outcome != honeyguide.AuditFailed {
		t.Errorf("%+v", made)
	}
}

// More alerts than are changed in one transaction are one act all the same. Who
// was at one of them since the filter was asked is told, and a pipeline that
// writes meanwhile is not kept waiting for all of it.
func TestManyAlertsAreOneAct(t *testing.T) {
	r, now := bulkRig(t, 1700)
	done, status, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/status", `{"filter":{"status":["new"]},"expected_count":1700,"status":"acknowledged"}`)
	if status != http.StatusOK || done.Changed != 1700 || len(done.Failed) != 0 {
		t.Fatalf("%d %d %.300s", status, done.Changed, text)
	}
	*now = now.Add(time.Minute)
	_, _, _ = demand[verdict.Handling](r, newKey(r, "jo", auth.ScopeAnalyst), "/api/v1/alerts/status", `{"ids":["A-3","A-1650"],"status":"closed"}`)
	back, status, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/undo", `{"undo":"`+done.Undo+`"}`)
	if status != http.StatusOK || back.Changed != 1698 || len(back.Failed) != 2 || back.Failed[0].By != "jo" {
		t.Fatalf("%d: %.300s", status, text)
	}
	for id, want := range map[string]honeyguide.AlertStatus{"A-1": honeyguide.AlertNew, "A-3": honeyguide.AlertClosed, "A-1700": honeyguide.AlertNew} {
		if a := get[honeyguide.Alert](r, "/api/v1/alerts/"+id); a.Status != want {
			t.Errorf("%s is %s, want %s", id, a.Status, want)
		}
	}
	if _, status, _ := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/undo", `{"undo":"`+done.Undo+`"}`); status != http.StatusConflict {
		t.Errorf("taken back twice: %d", status)
	}
	// What a filter found and somebody changed since is his.
	names := []state.AlertName{{ID: "A-3", Status: honeyguide.AlertNew}, {ID: "A-4", Status: honeyguide.AlertNew}}
	left, err := verdict.HandleAll(t.Context(), r.store, names, honeyguide.AlertEscalated, honeyguide.Handled{By: "eve", At: *now})
	if err != nil || left.Changed != 1 || len(left.Failed) != 1 || left.Failed[0].By != "jo" || left.Failed[0].Code != verdict.FailedConflict {
		t.Errorf("%+v %v", left, err)
	}
	// When the state fails midway it is told what is done, and what takes it back.
	failing := &failsAfter{Store: r.store, left: 2}
	names = nil
	for n := range 1700 {
		names = append(names, state.AlertName{ID: fmt.Sprint("A-", n+1)})
	}
	some, err := verdict.HandleAll(t.Context(), failing, names, honeyguide.AlertClosed, honeyguide.Handled{By: "eve", At: *now})
	if err == nil || some.Changed == 0 || some.Undo == "" || len(some.Failed) == 0 || some.Failed[0].Code != verdict.FailedUnavailable || some.Changed+len(some.Failed) < 1699 {
		t.Errorf("changed %d, failed %d, %v", some.Changed, len(some.Failed), err)
	}
	if back, err := verdict.Undo(t.Context(), r.store, some.Undo, "eve", *now); err != nil || back.Changed != some.Changed {
		t.Errorf("taken back %d of %d: %v", back.Changed, some.Changed, err)
	}
}

// failsAfter is a state that can be written so many times more.
type failsAfter struct {
	state.Store
	left int
}

func (f *failsAfter) Update(ctx context.Context, fn func(state.Tx) error) error {
	if f.left--; f.left < 0 {
		return errors.New("the disk is gone")
	}
	return f.Store.Update(ctx, fn)
}

// 10,000 alerts in one request; budget: less than a second.
func BenchmarkBulkStatus(b *testing.B) {
	r, _ := bulkRig(b, 10_000)
	status := []string{"acknowledged", "escalated"}
	for n := 0; b.Loop(); n++ {
		body := fmt.Sprintf(`{"filter":{"status":["new","acknowledged","escalated"]},"expected_count":10000,"status":%q}`, status[n%2])
		if out, code, text := demand[verdict.Handling](r, bootstrap, "/api/v1/alerts/status", body); code != 200 || out.Changed != 10_000 {
			b.Fatalf("%d: %.300s", code, text)
		}
	}
}
