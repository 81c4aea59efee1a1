package api

import (
	"context"
	"net/http"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

func TestRegroupingOverTheAPI(t *testing.T) {
	r := newRig(t)
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n, key := range []string{"attacker:198.51.100.1", "attacker:198.51.100.2"} {
			in := honeyguide.Incident{Key: key, Title: key, Severity: honeyguide.SeverityHigh, Status: honeyguide.IncidentNew, CreatedAt: day, AlertCount: 2}
			if _, err := tx.Incidents().Save(ctx, &in); err != nil {
				return err
			}
			for i := range 2 {
				a := alert(10*n + i)
				a.Attacker, a.Incident, a.Count = key, in.ID, 3
				if _, err := tx.Alerts().Save(ctx, a); err != nil {
					return err
				}
			}
		}
		return nil
	})
	merged := postTo[client.Regrouping](r, "/api/v1/incidents/I-1/merge", `{"incidents":["I-2"],"reason":"same tools"}`, http.StatusOK)
	if merged.Incident.AlertCount != 4 || len(merged.Changes) != 1 || merged.Changes[0].By == "" || merged.Changes[0].Reason != "same tools" {
		t.Fatalf("merged %+v", merged)
	}
	undone := postTo[client.Regrouping](r, "/api/v1/incident-changes/IC-1/undo", `{}`, http.StatusOK)
	if undone.Incident.Short != "I-2" || undone.Incident.AlertCount != 2 || undone.Incident.Status != honeyguide.IncidentNew || undone.Changes[0].UndoneAt.IsZero() {
		t.Errorf("undone %+v", undone)
	}
	split := postTo[client.Regrouping](r, "/api/v1/incidents/I-1/split", `{"alerts":["A-1"]}`, http.StatusOK)
	if split.Incident.Short != "I-3" || split.Incident.AlertCount != 1 {
		t.Errorf("split %+v", split)
	}
	if got := get[client.Page[honeyguide.IncidentChange]](r, "/api/v1/incident-changes?incident=I-1"); len(got.Items) != 2 || got.Items[0].Kind != "split" {
		t.Errorf("changes %+v", got)
	}
	for path, c := range map[string]struct {
		body string
		want int
	}{
		"/api/v1/incidents/I-9/merge":        {`{"incidents":["I-1"]}`, http.StatusNotFound},
		"/api/v1/incidents/I-1/merge":        {`{"incidents":[]}`, http.StatusUnprocessableEntity},
		"/api/v1/incidents/I-1/split":        {`{}`, http.StatusBadRequest},
		"/api/v1/incident-changes/IC-1/undo": {`{}`, http.StatusConflict},
		"/api/v1/incident-changes/IC-9/undo": {`{}`, http.StatusNotFound},
	} {
		if w := r.call(http.MethodPost, path, bootstrap, strings.NewReader(c.body)); w.Code != c.want && !(c.want == http.StatusBadRequest && w.Code == http.StatusUnprocessableEntity) {
			t.Errorf("POST %s %s: %d, want %d: %s", path, c.body, w.Code, c.want, w.Body)
		}
	}
}
