package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
)

// patch sends a PATCH and returns the answer.
func (r *rig) patch(path, match, body string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(http.MethodPatch, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
	req.Header.Set("Content-Type", "application/json")
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func (r *rig) incident() {
	r.t.Helper()
	r.update(func(ctx context.Context, tx state.Tx) error {
		in := honeyguide.Incident{Key: "attacker:198.51.100.1", Title: "Broke in", Severity: honeyguide.SeverityHigh, Phase: honeyguide.PhaseNew, CreatedAt: day, AlertCount: 1, DueAt: day.Add(time.Hour)}
		if _, err := tx.Incidents().Save(ctx, &in); err != nil {
			return err
		}
		a := alert(1)
		a.Incident, a.Attacker = in.ID, in.Key
		_, err := tx.Alerts().Save(ctx, a)
		p := honeyguide.Plan{ID: "p", Incident: in.ID, Action: "block_ip", Target: "198.51.100.1", State: honeyguide.PlanVerified, Mode: honeyguide.ModeApply, CreatedAt: day}
		if err == nil {
			err = tx.Plans().Save(ctx, &p)
		}
		return err
	})
}

func TestWorkingOnAnIncidentOverTheAPI(t *testing.T) {
	judged := 0
	r := newRig(t, func(d *Deps) { d.Judged = func() { judged++ } })
	r.incident()
	first := r.call(http.MethodGet, "/api/v1/incidents/I-1", bootstrap, nil)
	tag := first.Header().Get("ETag")
	w := r.patch("/api/v1/incidents/I-1", tag, `{"phase":"contained","owner":"anna","reason":"cut off"}`)
	var in honeyguide.Incident
	if err := json.Unmarshal(w.Body.Bytes(), &in); err != nil || w.Code != http.StatusOK || in.Phase != honeyguide.PhaseContained || in.Owner != "anna" || len(in.Plans) != 1 || w.Header().Get("ETag") == tag {
		t.Fatalf("%d %v: %s", w.Code, err, w.Body)
	}
	if w := r.patch("/api/v1/incidents/I-1", tag, `{"owner":"ben"}`); w.Code != http.StatusPreconditionFailed || !strings.Contains(w.Body.String(), "bootstrap was first") {
		t.Errorf("late: %d: %s", w.Code, w.Body)
	}
	for body, want := range map[string]int{
		`{}`: http.StatusBadRequest, `{"phase":"closed"}`: http.StatusBadRequest, `{"phase":"lunch"}`: http.StatusUnprocessableEntity,
		`{"phase":"triage"}`: http.StatusBadRequest, `{"pase":"triage"}`: http.StatusUnprocessableEntity,
	} {
		if w := r.patch("/api/v1/incidents/I-1", "*", body); w.Code != want && !(want == http.StatusUnprocessableEntity && w.Code == http.StatusBadRequest) {
			t.Errorf("%s: %d: %s", body, w.Code, w.Body)
		}
	}
	if w := r.patch("/api/v1/incidents/I-1", "yesterday", `{"owner":"ben"}`); w.Code != http.StatusBadRequest {
		t.Errorf("a tag that is none: %d", w.Code)
	}
	if w := r.patch("/api/v1/incidents/I-9", "*", `{"owner":"ben"}`); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
	note := postTo[honeyguide.TimelineEntry](r, "/api/v1/incidents/I-1/comments", `{"text":"called the owner"}`, http.StatusOK)
	task := postTo[honeyguide.Task](r, "/api/v1/incidents/I-1/tasks", `{"title":"reset the password","owner":"ben"}`, http.StatusOK)
	if note.Kind != honeyguide.EntryComment || note.By != "bootstrap" || task.ID != "T-1" {
		t.Errorf("note %+v, task %+v", note, task)
	}
	if w := r.patch("/api/v1/incidents/I-1/tasks/t-1", "*", `{"done":true}`); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"done_by":"bootstrap"`) {
		t.Errorf("done: %d: %s", w.Code, w.Body)
	}
	if w := r.patch("/api/v1/incidents/I-1/tasks/T-2", "*", `{"done":true}`); w.Code != http.StatusNotFound {
		t.Errorf("no such task: %d: %s", w.Code, w.Body)
	}
	if w := r.patch("/api/v1/incidents/I-1", "*", `{"phase":"closed","verdict":"true_positive"}`); w.Code != http.StatusOK || judged != 1 {
		t.Errorf("closed: %d, judged %d: %s", w.Code, judged, w.Body)
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/A-1"); a.Verdict.As != honeyguide.VerdictTruePositive {
		t.Errorf("alert %+v", a.Verdict)
	}
	var kinds []string
	for _, e := range get[client.Page[honeyguide.TimelineEntry]](r, "/api/v1/incidents/I-1/timeline?order=oldest").Items {
		kinds = append(kinds, e.Kind)
	}
	if got := strings.Join(kinds, " "); got != "act alert phase owner comment task task verdict phase" {
		t.Errorf("timeline %s", got)
	}
	if got := get[client.Page[honeyguide.TimelineEntry]](r, "/api/v1/incidents/I-1/timeline?kind=comment,task&limit=2"); len(got.Items) != 2 || got.Next == "" || got.Items[0].Kind != "task" {
		t.Errorf("page %+v", got)
	}
	if l := get[incident.Links](r, "/api/v1/incidents/I-1/linked"); l.Indicators == nil || l.Samples == nil || len(l.Sessions) != 0 {
		t.Errorf("linked %+v", l)
	}
}

func TestExport(t *testing.T) {
	r := newRig(t)
	r.incident()
	for format, begins := range map[string]string{"": "# Incident I-1", "markdown": "# Incident I-1", "json": "{", "pdf": "%PDF-"} {
		w := r.call(http.MethodGet, "/api/v1/incidents/i-1/export?format="+format, bootstrap, nil)
		if format == "" {
			w = r.call(http.MethodGet, "/api/v1/incidents/i-1/export", bootstrap, nil)
		}
		h := w.Header()
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Body.String(), begins) || !strings.HasPrefix(h.Get("Content-Disposition"), `attachment; filename="I-1.`) || h.Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%q: %d %v %.40s", format, w.Code, h, w.Body)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/incidents/I-9/export", bootstrap, nil); w.Code != http.StatusNotFound {
		t.Errorf("nobody: %d", w.Code)
	}
	if w := r.call(http.MethodGet, "/api/v1/incidents/I-1/export?format=docx", bootstrap, nil); w.Code != http.StatusUnprocessableEntity {
		t.Errorf("another form: %d", w.Code)
	}
}

// Whoever may only read changes nothing.
func TestWorkNeedsItsPermission(t *testing.T) {
	r := newRig(t)
	r.incident()
	secret, key, err := auth.NewKey("reader", auth.ScopeRead, day, time.Time{})
	if err == nil {
		err = r.keys.Add(t.Context(), key)
	}
	if err != nil {
		t.Fatal(err)
	}
	for _, x := range [][2]string{
		{http.MethodPatch, "/api/v1/incidents/I-1"}, {http.MethodPost, "/api/v1/incidents/I-1/comments"}, {http.MethodPost, "/api/v1/incidents/I-1/tasks"}, {http.MethodPatch, "/api/v1/incidents/I-1/tasks/T-1"},
	} {
		if w := r.call(x[0], x[1], secret, strings.NewReader(`{}`)); w.Code != http.StatusForbidden {
			t.Errorf("%s %s: %d", x[0], x[1], w.Code)
		}
	}
	for _, path := range []string{"/timeline", "/linked"} {
		if w := r.call(http.MethodGet, "/api/v1/incidents/I-1"+path, secret, nil); w.Code != http.StatusOK {
			t.Errorf("%s: %d: %s", path, w.Code, w.Body)
		}
	}
}
