package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
)

// nasty is what attackers put everywhere.
const nasty = "<img src=x onerror=alert(1)>\u202e\x1b]0;pwn\a=cmd|'/c calc'!A1"

// ask sends a request with a body and headers.
func (r *rig) ask(method, path string, key honeyguide.Secret, body string, headers ...string) *httptest.ResponseRecorder {
	r.t.Helper()
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+key.Reveal())
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	for i := 0; i+1 < len(headers); i += 2 {
		req.Header.Set(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

func (r *rig) key(name string, scope auth.Scope) honeyguide.Secret {
	r.t.Helper()
	secret, key, err := auth.NewKey(name, scope, time.Now(), time.Time{})
	if err == nil {
		err = r.keys.Add(r.t.Context(), key)
	}
	if err != nil {
		r.t.Fatal(err)
	}
	return secret
}

// clocked sets the clock of a rig.
func clocked(now time.Time) func(*Deps) {
	return func(d *Deps) { d.Now = func() time.Time { return now } }
}

func TestOverview(t *testing.T) {
	now := day.Add(6 * time.Hour)
	r := newRig(t, clocked(now), func(d *Deps) {
		d.Pulses = func() []pipeline.Pulse { return []pipeline.Pulse{{Sensor: "ssh", LastAt: now, Events: 3}} }
		d.Sensors = func(context.Context) []Sensor {
			return []Sensor{{Name: "ssh", Kind: "ssh", State: "running"}, {Name: "web", Kind: "http", State: "failed", Detail: nasty}}
		}
	})
	empty := get[Overview](r, "/api/v1/overview")
	if len(empty.Figures) < 6 || empty.Queue.Open != 0 || !empty.LastAlertAt.IsZero() || len(empty.Series.Points) < 96 || empty.Sensors.Late != 1 {
		t.Errorf("nothing there: %+v", empty.Queue)
	}
	if doc := r.call(http.MethodGet, "/api/v1/overview", bootstrap, nil).Body.String(); strings.Contains(doc, "null") {
		t.Errorf("something is null: %s", doc)
	}
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n := range 40 {
			a := alert(n)
			if n%4 == 0 {
				a.Src = alert(1).Src
			}
			a.Title, a.Src.Country, a.Sensor = nasty, "ZZ", "ssh"
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		in := honeyguide.Incident{Key: "attacker:1", Title: nasty, Severity: honeyguide.SeverityHigh, CreatedAt: day, DueAt: day.Add(time.Hour)}
		_, err := tx.Incidents().Save(ctx, &in)
		return err
	})
	if _, err := r.take(t.Context(), []honeyguide.Event{event(1), event(2), event(3)}); err != nil {
		t.Fatal(err)
	}
	for _, span := range []string{"24h", "7d", "30d"} {
		o := get[Overview](r, "/api/v1/overview?span="+span)
		events, alerts := int64(0), int64(0)
		for i, p := range o.Series.Points {
			events, alerts = events+p.Events, alerts+p.Alerts
			if want := o.Since.Add(time.Duration(i) * time.Duration(o.Series.StepS) * time.Second); !p.At.Equal(want) {
				t.Errorf("%s: point %d at %s, want %s", span, i, p.At, want)
			}
		}
		if o.Span != span || events != 3 || alerts != 40 || o.Queue.Open != 40 || o.Queue.Incidents != (Clocks{Waiting: 1, Missed: 1}) ||
			o.Sources[0].N != 11 || o.Sources[0].Address != "198.51.100.1" || o.Sources[0].Country != "ZZ" || len(o.Rules) != 3 || o.Rules[0].Title != nasty ||
			o.LastAlert != "A-40" || len(o.Needs.Due) != 1 || !o.Needs.Due[0].Missed || o.Sensors.OK != 1 || o.Sensors.List[0].Name != "web" {
			t.Errorf("%s: %d events, %d alerts, queue %+v, sources %+v, rules %d, needs %+v, sensors %+v, last %s", span, events, alerts, o.Queue, o.Sources[0], len(o.Rules), o.Needs, o.Sensors, o.LastAlert)
		}
	}
	for _, bad := range []string{"1y", "24H", nasty} {
		w := r.call(http.MethodGet, "/api/v1/overview?span="+strings.NewReplacer(" ", "+", "\x1b", "%1b", "\a", "%07", "<", "%3c", "'", "%27").Replace(bad), bootstrap, nil)
		if w.Code != http.StatusUnprocessableEntity || strings.Contains(w.Body.String(), "img") {
			t.Errorf("%q: %d %s", bad, w.Code, w.Body)
		}
	}
}

func TestMap(t *testing.T) {
	r := newRig(t, clocked(day.Add(time.Hour)))
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n, country := range []string{"NL", "NL", "", nasty} {
			a := alert(n)
			a.Src.Country, a.Sensor = country, "ssh"
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		if err := tx.Tallies().Add(ctx, state.TallyEvent, day, "NL", honeyguide.SeverityHigh, 7); err != nil {
			return err
		}
		return tx.Tallies().Add(ctx, state.TallyHeard, day, "ssh", honeyguide.SeverityHigh, 7)
	})
	m := get[WorldMap](r, "/api/v1/map?span=24h")
	if m.Events != 7 || m.Alerts != 4 || len(m.Countries) != 2 || m.Countries[0].Country != "NL" || m.Countries[0].By["high"] != 7 || m.Countries[0].Severity != "high" ||
		m.Countries[1].Country != "" || m.Countries[1].Alerts != 2 || len(m.Sensors) < 2 || m.Sensors[0].Events != 7 || m.Sensors[0].Alerts != 4 || !m.Sensors[0].Decoy {
		t.Errorf("%+v", m)
	}
}

func TestPreferences(t *testing.T) {
	r := newRig(t)
	const path = "/api/v1/me/preferences"
	eve, bob := r.key("eve", auth.ScopeRead), r.key("bob", auth.ScopeAnalyst)
	w := r.ask(http.MethodGet, path, eve, "")
	if w.Code != http.StatusOK || strings.TrimSpace(w.Body.String()) != "{}" || w.Header().Get("ETag") != `"0"` {
		t.Fatalf("%d %s %s", w.Code, w.Header(), w.Body)
	}
	doc, _ := json.Marshal(map[string]any{"theme": nasty, "n": 12345678901234567, "deep": map[string]any{"a": []int{1}}})
	if w = r.ask(http.MethodPut, path, eve, string(doc), "If-Match", `"0"`); w.Code != http.StatusOK || w.Header().Get("ETag") != `"1"` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	var back, want any
	_ = json.Unmarshal(doc, &want)
	if err := json.Unmarshal(r.ask(http.MethodGet, path, eve, "").Body.Bytes(), &back); err != nil || fmt.Sprint(back) != fmt.Sprint(want) {
		t.Errorf("%v: %v", err, back)
	}
	if got := r.ask(http.MethodGet, path, bob, "").Body.String(); strings.TrimSpace(got) != "{}" {
		t.Errorf("bob sees %s", got)
	}
	for _, c := range []struct {
		match, body string
		want        int
	}{
		{`"0"`, "{}", http.StatusPreconditionFailed},
		{"", "{}", http.StatusPreconditionFailed}, // something is stored: it must be named
		{`"x"`, "{}", http.StatusPreconditionFailed},
		{`1`, "{}", http.StatusPreconditionFailed},
		{`"1"`, "[]", http.StatusBadRequest},
		{`"1"`, "null", http.StatusBadRequest},
		{`"1"`, `"` + nasty + `"`, http.StatusBadRequest},
		{`"1"`, "{", http.StatusBadRequest},
		{`"1"`, strings.Repeat(`{"a":`, 20_000) + "1" + strings.Repeat("}", 20_000), http.StatusRequestEntityTooLarge},
		{`"1"`, strings.Repeat(`{"a":`, 10_500) + "1" + strings.Repeat("}", 10_500), http.StatusBadRequest},
		{`"1"`, `{"a":"` + strings.Repeat("x", state.MaxPreferences) + `"}`, http.StatusRequestEntityTooLarge},
		{`"1"`, `{"a":"` + strings.Repeat("x", state.MaxPreferences-8) + `"}`, http.StatusOK},
		{`*`, `{}`, http.StatusOK},
	} {
		w := r.ask(http.MethodPut, path, eve, c.body, "If-Match", c.match)
		if w.Code != c.want || strings.Contains(w.Body.String(), "onerror") {
			t.Errorf("%s %.40s: %d, want %d: %.300s", c.match, c.body, w.Code, c.want, w.Body)
		}
	}
}

func TestViews(t *testing.T) {
	r := newRig(t)
	eve, bob, kim := r.key("eve", auth.ScopeAnalyst), r.key("bob", auth.ScopeAnalyst), r.key("kim", auth.ScopeRead)
	make := func(key honeyguide.Secret, order ViewOrder) (v SavedView, code int) {
		t.Helper()
		doc, _ := json.Marshal(order)
		w := r.ask(http.MethodPost, "/api/v1/views", key, string(doc))
		_ = json.Unmarshal(w.Body.Bytes(), &v)
		return v, w.Code
	}
	mine, code := make(eve, ViewOrder{Name: nasty, Room: "alerts", Query: `rule:"` + nasty + `"`})
	if code != http.StatusOK || mine.Name != nasty || !mine.Mine || mine.OwnerName != "eve" {
		t.Fatalf("%d %+v", code, mine)
	}
	path := "/api/v1/views/" + mine.ID
	for name, key := range map[string]honeyguide.Secret{"bob": bob, "the administrator": bootstrap} {
		for _, method := range []string{http.MethodGet, http.MethodDelete} {
			if w := r.ask(method, path, key, ""); w.Code != http.StatusNotFound {
				t.Errorf("%s %ss a private view: %d", name, method, w.Code)
			}
		}
	}
	if _, code := make(kim, ViewOrder{Name: "x", Room: "alerts", Shared: true}); code != http.StatusForbidden {
		t.Errorf("a reader shares: %d", code)
	}
	for _, bad := range []ViewOrder{{Name: " ", Room: "alerts"}, {Name: "x", Room: nasty}, {Name: "x", Room: ""}, {Name: strings.Repeat("x", 201), Room: "alerts"}, {Name: "x", Room: "alerts", Query: strings.Repeat("q", 8193)}} {
		if _, code := make(eve, bad); code != http.StatusUnprocessableEntity && code != http.StatusBadRequest {
			t.Errorf("%.60v: %d", bad, code)
		}
	}
	w := r.ask(http.MethodPatch, path, eve, `{"shared":true,"name":"ours"}`, "If-Match", `"1"`)
	if w.Code != http.StatusOK || w.Header().Get("ETag") != `"2"` {
		t.Fatalf("%d %s", w.Code, w.Body)
	}
	if w := r.ask(http.MethodPatch, path, eve, `{"name":"late"}`, "If-Match", `"1"`); w.Code != http.StatusPreconditionFailed {
		t.Errorf("over another edition: %d", w.Code)
	}
	if w := r.ask(http.MethodPatch, path, eve, `{"owner":"bob"}`); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a field that is none: %d", w.Code)
	}
	if w := r.ask(http.MethodGet, path, kim, ""); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"mine":false`) {
		t.Errorf("kim sees a shared view: %d %s", w.Code, w.Body)
	}
	for _, c := range []struct{ method, body string }{{http.MethodPatch, `{"name":"mine"}`}, {http.MethodDelete, ""}} {
		if w := r.ask(c.method, path, bob, c.body); w.Code != http.StatusForbidden {
			t.Errorf("bob %ss it: %d", c.method, w.Code)
		}
	}
	if w := r.ask(http.MethodDelete, path, bootstrap, ""); w.Code != http.StatusOK {
		t.Errorf("the administrator removes a shared view: %d %s", w.Code, w.Body)
	}
}
