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
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// say sends JSON with a key and decodes the answer when it is 200.
func say[T any](r *rig, path string, key honeyguide.Secret, body string) (v T, status int) {
	r.t.Helper()
	w := r.call(http.MethodPost, path, key, strings.NewReader(body))
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
			r.t.Fatal(err)
		}
	}
	return v, w.Code
}

func TestVerdicts(t *testing.T) {
	judged := 0
	r := newRig(t, func(d *Deps) { d.Now = func() time.Time { return day.Add(time.Hour) }; d.Judged = func() { judged++ } })
	var incident honeyguide.Incident
	r.update(func(ctx context.Context, tx state.Tx) error {
		incident = honeyguide.Incident{Key: "k", Title: "x", Status: honeyguide.IncidentNew, CreatedAt: day, AlertCount: 3}
		if _, err := tx.Incidents().Save(ctx, &incident); err != nil {
			return err
		}
		for n := range 9 {
			a := alert(n)
			if n >= 6 {
				a.Incident = incident.ID
			}
			if n == 5 {
				a.Detector, a.RuleID = "finding", "suricata:2001"
			}
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
	secret, key, err := auth.NewKey("eve", auth.ScopeAnalyst, time.Now(), time.Time{})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.keys.Add(t.Context(), key); err != nil {
		t.Fatal(err)
	}
	a, status := say[honeyguide.Alert](r, "/api/v1/alerts/a-1/verdict", secret, `{"verdict":"false_positive","reason":"backup","comment":"nightly"}`)
	want := honeyguide.Verdict{As: honeyguide.VerdictFalsePositive, Reason: "backup", Comment: "nightly", By: "eve", At: day.Add(time.Hour)}
	if status != 200 || a.Verdict != want || a.Short != "A-1" {
		t.Errorf("%d %+v", status, a.Verdict)
	}
	out, status := say[verdict.Outcome](r, "/api/v1/alerts/verdict", bootstrap, `{"ids":["A-2","A-3","A-1","A-6","A-99"],"verdict":"false_positive","reason":"backup","comment":"nightly"}`)
	if status != 200 || out.Changed != 3 || out.Unchanged != 1 || len(out.Missing) != 1 || out.Missing[0] != "A-99" {
		t.Errorf("%d %+v", status, out)
	}
	if _, status := say[honeyguide.Alert](r, "/api/v1/alerts/A-7/verdict", secret, `{"verdict":"benign"}`); status != 200 {
		t.Error(status)
	}
	in, status := say[incidentVerdict](r, "/api/v1/incidents/i-1/verdict", secret, `{"verdict":"true_positive"}`)
	if status != 200 || in.Incident.Verdict.As != honeyguide.VerdictTruePositive || in.Alerts.Changed != 2 || in.Alerts.Kept != 1 {
		t.Errorf("%d %+v", status, in)
	}
	in, _ = say[incidentVerdict](r, "/api/v1/incidents/I-1/verdict", secret, `{"verdict":"benign"}`)
	if in.Alerts.Changed != 2 || in.Alerts.Kept != 1 || in.Alerts.Unchanged != 0 {
		t.Errorf("changing one's mind: %+v", in.Alerts)
	}
	for query, n := range map[string]int{"verdict=false_positive": 4, "verdict=benign": 3, "verdict=none": 2, "verdict=duplicate": 0, "verdict=benign&incident=I-1": 3} {
		if p := get[client.Page[honeyguide.Alert]](r, "/api/v1/alerts?"+query); len(p.Items) != n {
			t.Errorf("%s: %d alerts, want %d", query, len(p.Items), n)
		}
	}
	q := get[verdict.QualityReport](r, "/api/v1/rules/quality")
	if len(q.Rules) != 4 || q.Rules[0].N != 2 || q.Rules[0].FalsePositives == 0 || q.Rules[0].FalseRate.Low <= 0 || q.Rules[0].FalseRate.High >= 1 {
		t.Errorf("rules: %+v", q.Rules)
	}
	if len(q.Sources) != 2 || q.Sources[1].Name != "suricata" || q.Sources[1].N != 1 || q.Sources[1].FalseRate.Value != 1 {
		t.Errorf("sources: %+v", q.Sources)
	}
	if late := get[verdict.QualityReport](r, "/api/v1/rules/quality?since="+day.Add(2*time.Hour).Format(time.RFC3339)); len(late.Rules) != 0 {
		t.Errorf("since later: %+v", late)
	}
	past := get[verdict.Past](r, "/api/v1/alerts/A-4/alike") // rule_0, as
	if past.Quality.N != 2 || past.Quality.FalsePositives != 1 || len(past.Newest) != 2 {
		t.Errorf("%+v", past)
	}
	if past := get[verdict.Past](r, "/api/v1/alerts/A-1/alike"); past.Quality.N != 1 {
		t.Errorf("an alert is alike to itself: %+v", past)
	}
	all := get[client.Page[honeyguide.Judgement]](r, "/api/v1/verdicts?standing=true")
	if len(all.Items) != 7 || judged != 5 {
		t.Errorf("%d standing verdicts, told of %d acts", len(all.Items), judged)
	}
	if of := get[client.Page[honeyguide.Judgement]](r, "/api/v1/verdicts?alert=A-8"); len(of.Items) != 2 || of.Items[0].Before != honeyguide.VerdictTruePositive || of.Items[0].Verdict.By != "eve" {
		t.Errorf("%+v", of.Items)
	}
}

func TestVerdictsRefused(t *testing.T) {
	r := newRig(t)
	r.fill()
	for body, want := range map[string]int{
		`{"verdict":"guilty"}`: 422, `{}`: 422, ``: 400, `{"verdict":"benign","reason":"` + strings.Repeat("x", 2000) + `"}`: 422, `[]`: 422, `{"verdict":"benign","more":1}`: 400,
	} {
		if _, got := say[any](r, "/api/v1/alerts/A-1/verdict", bootstrap, body); got != want {
			t.Errorf("%.40s: %d, want %d", body, got, want)
		}
	}
	for path, want := range map[string]int{"/api/v1/alerts/A-99/verdict": 404, "/api/v1/incidents/I-99/verdict": 404} {
		if _, got := say[any](r, path, bootstrap, `{"verdict":"benign"}`); got != want {
			t.Errorf("%s: %d, want %d", path, got, want)
		}
	}
	ids, err := json.Marshal(make([]string, verdict.MaxAlerts+1))
	if err != nil {
		t.Fatal(err)
	}
	if _, got := say[any](r, "/api/v1/alerts/verdict", bootstrap, fmt.Sprintf(`{"verdict":"benign","ids":%s}`, ids)); got != 422 {
		t.Errorf("too many ids: %d", got)
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/A-1"); a.Verdict.As != "" {
		t.Errorf("a refused verdict stands: %+v", a.Verdict)
	}
}
