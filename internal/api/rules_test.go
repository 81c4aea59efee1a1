package api

import (
	"encoding/json"
	"fmt"
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
	"honeyguide/internal/rulebook"
)

// bodies are what routes that take one are asked with.
var bodies = map[string]string{
	"POST /api/v1/rules/{id}/switch": `{"on": true}`,
	"POST /api/v1/rules/backtest":    `{"rule": "test_rule"}`,
	"POST /api/v1/playbooks/test":    `{}`,
}

const testRule = `
title: A user logs in
name: test_rule
id: 7a0c3d5e-0000-4000-8000-000000000009
tags: [attack.t1078]
logsource: {product: honeyguide, category: login_failed}
detection:
  selection: {user.name: user1}
  condition: selection
level: high
`

const brokenRule = "title: Broken\nlogsource: {product: linux}\ndetection:\n  s: {a: b}\n  condition: t\n"

// testRules is a book of one shipped rule, one of the operator's and a broken one.
func testRules(t testing.TB) *rulebook.Book {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"own.yml":    strings.NewReplacer("test_rule", "own_rule", "000009", "000010", "user1", "user2", "product: honeyguide", "product: zeek").Replace(testRule),
		"broken.yml": brokenRule,
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	b, err := rulebook.Open(t.Context(), rulebook.Options{
		Shipped: fstest.MapFS{"test/rule.yml": {Data: []byte(testRule)}}, Folder: dir, Now: func() time.Time { return day },
	})
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestRules(t *testing.T) {
	r := newRig(t)
	ids := func(query string) string {
		var out []string
		for _, x := range get[client.Page[rulebook.Info]](r, base+"/rules?"+query).Items {
			out = append(out, x.ID)
		}
		return strings.Join(out, " ")
	}
	for query, want := range map[string]string{
		"": "own_rule test_rule", "unfed=true": "own_rule", "origin=shipped": "test_rule", "product=zeek": "own_rule", "off=true": "", "q=T1078": "own_rule test_rule",
		"severity=critical": "", "hit=true": "", "q=000010": "own_rule",
	} {
		if got := ids(query); got != want {
			t.Errorf("rules?%s: %q, want %q", query, got, want)
		}
	}
	page := get[client.Page[rulebook.Info]](r, base+"/rules?limit=1")
	if len(page.Items) != 1 || page.Next == "" {
		t.Fatalf("%+v", page)
	}
	if next := get[client.Page[rulebook.Info]](r, base+"/rules?limit=1&after="+page.Next); len(next.Items) != 1 || next.Items[0].ID != "test_rule" || next.Next != "" {
		t.Errorf("%+v", next)
	}
	faults := get[client.Page[RuleFault]](r, base+"/rules/faults").Items
	if len(faults) != 1 || faults[0].Kind != "error" || faults[0].Line != 5 || !strings.HasSuffix(faults[0].File, "broken.yml") {
		t.Errorf("faults %+v", faults)
	}
	for _, key := range []string{"test_rule", "sigma:test_rule", "7a0c3d5e-0000-4000-8000-000000000009"} {
		if one := get[RuleText](r, base+"/rules/"+key); one.Text != testRule || one.ID != "test_rule" || !one.Fed {
			t.Errorf("%s: %+v", key, one)
		}
	}
	if st := get[RulesStatus](r, base+"/rules/status"); st.Rules != 2 || st.InForce != 2 || st.Faults != 1 || len(st.Sources) < 10 {
		t.Errorf("status %+v", st)
	}
}

// send posts JSON and decodes the answer.
func send[T any](r *rig, path string, in any) (out T, status int) {
	r.t.Helper()
	doc, err := json.Marshal(in)
	if err != nil {
		r.t.Fatal(err)
	}
	w := r.call(http.MethodPost, path, bootstrap, strings.NewReader(string(doc)))
	if w.Code == http.StatusOK {
		if err := json.Unmarshal(w.Body.Bytes(), &out); err != nil {
			r.t.Fatal(err)
		}
	}
	return out, w.Code
}

func TestSwitchRule(t *testing.T) {
	r := newRig(t)
	off, status := send[rulebook.Info](r, base+"/rules/test_rule/switch", map[string]any{"on": false, "reason": "too loud"})
	if status != http.StatusOK || off.InForce || off.Off == nil || off.Off.Reason != "too loud" || off.Off.By == "" {
		t.Fatalf("%d %+v %+v", status, off, off.Off)
	}
	if st := get[RulesStatus](r, base+"/rules/status"); st.InForce != 1 || st.Edition != 2 {
		t.Errorf("status %+v", st)
	}
	on, _ := send[rulebook.Info](r, base+"/rules/sigma:test_rule/switch", map[string]any{"on": true})
	if !on.InForce || on.Off != nil {
		t.Errorf("%+v", on)
	}
	if _, status := send[rulebook.Info](r, base+"/rules/nothing/switch", map[string]any{"on": true}); status != http.StatusNotFound {
		t.Errorf("unknown rule: %d", status)
	}
}

// A switch that is asked for again under its name is not thrown again.
func TestSwitchRuleOnce(t *testing.T) {
	r := newRig(t)
	ask := func(name, body string) *httptest.ResponseRecorder {
		req := httptest.NewRequest(http.MethodPost, base+"/rules/test_rule/switch", strings.NewReader(body))
		req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
		req.Header.Set("If-Match", "*")
		req.Header.Set(orderKey, name)
		w := httptest.NewRecorder()
		r.handler.ServeHTTP(w, req)
		return w
	}
	first := ask("k1", `{"on":false,"reason":"loud"}`)
	ask("k2", `{"on":true}`)
	again := ask("k1", `{"on":false,"reason":"loud"}`)
	if first.Code != http.StatusOK || again.Code != http.StatusOK || again.Header().Get(orderRepeat) != "true" || again.Body.String() != first.Body.String() {
		t.Errorf("first %d %s, again %d %s", first.Code, first.Body, again.Code, again.Body)
	}
	if x := get[RuleText](r, base+"/rules/test_rule"); !x.InForce {
		t.Error("the repeat switched the rule off again")
	}
	if w := ask("k1", `{"on":true}`); w.Code != http.StatusConflict {
		t.Errorf("another request under the same name: %d", w.Code)
	}
}

func TestExplainRule(t *testing.T) {
	r := newRig(t)
	if _, err := r.take(t.Context(), []honeyguide.Event{event(1), event(2)}); err != nil {
		t.Fatal(err)
	}
	x := get[Explained](r, base+"/rules/test_rule/explain?event=event-1")
	if !x.Fires || len(x.Reasons) != 1 || x.Reasons[0] != `selection: user.name has "user1": "user1"` || x.Records[0]["user.name"] != "user1" {
		t.Errorf("%+v", x)
	}
	if x := get[Explained](r, base+"/rules/test_rule/explain?event=event-2"); x.Fires || len(x.Records) != 1 {
		t.Errorf("%+v", x)
	}
}

func TestBacktest(t *testing.T) {
	r := newRig(t)
	var events []honeyguide.Event
	for n := range 40 {
		e := event(n)
		e.Observed = e.Time
		if n >= 20 {
			e.Time, e.Observed = e.Time.AddDate(0, 0, 1), e.Observed.AddDate(0, 0, 1)
		}
		events = append(events, e)
	}
	if _, err := r.take(t.Context(), events); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		in    map[string]any
		hits  int64
		days  string
		reads int64
	}{
		"a rule there is": {map[string]any{"rule": "test_rule"}, 10, "map[2026-11-21:5 2026-11-22:5]", 40},
		"text":            {map[string]any{"text": strings.ReplaceAll(testRule, "user1", "user2")}, 10, "map[2026-11-21:5 2026-11-22:5]", 40},
		"one day":         {map[string]any{"rule": "test_rule", "from": day.AddDate(0, 0, 1)}, 5, "map[2026-11-22:5]", 20},
		"until":           {map[string]any{"rule": "test_rule", "to": day.AddDate(0, 0, 1)}, 5, "map[2026-11-21:5]", 20},
		"nothing":         {map[string]any{"text": strings.ReplaceAll(testRule, "user1", "nobody")}, 0, "map[]", 40},
	} {
		got, status := send[Backtest](r, base+"/rules/backtest", c.in)
		if status != http.StatusOK || len(got.Rules) != 1 || got.Rules[0].Hits != c.hits || fmt.Sprint(got.Rules[0].Days) != c.days || got.Next != 0 || got.Events != c.reads {
			t.Errorf("%s: %d %+v", name, status, got)
		}
		if c.hits > 0 && (len(got.Rules[0].Examples) == 0 || len(got.Rules[0].Examples[0].Reasons) != 1) {
			t.Errorf("%s: examples %+v", name, got.Rules[0].Examples)
		}
	}
	if got, _ := send[Backtest](r, base+"/rules/backtest", map[string]any{"text": brokenRule}); len(got.Faults) != 1 || got.Events != 0 {
		t.Errorf("broken: %+v", got)
	}
	if _, status := send[Backtest](r, base+"/rules/backtest", map[string]any{}); status != http.StatusBadRequest {
		t.Errorf("nothing to try: %d", status)
	}
}
