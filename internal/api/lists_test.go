package api

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
)

// TestPagesWhileRowsComeIn reads 1000 rows in pages and adds newer ones between:
// each of the first 1000 is seen once.
func TestPagesWhileRowsComeIn(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n := range 1000 {
			if _, err := tx.Alerts().Save(ctx, alert(n)); err != nil {
				return err
			}
		}
		return nil
	})
	var batch []honeyguide.Event
	for n := range 1000 {
		batch = append(batch, event(n))
	}
	if _, err := r.take(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	added := 1000
	more := func() {
		r.update(func(ctx context.Context, tx state.Tx) error {
			_, err := tx.Alerts().Save(ctx, alert(added))
			return err
		})
		if _, err := r.take(t.Context(), []honeyguide.Event{event(added)}); err != nil {
			t.Fatal(err)
		}
		added++
	}
	alerts := walk(t, r, "/api/v1/alerts?limit=70", more, func(a honeyguide.Alert) string { return a.Title })
	events := walk(t, r, "/api/v1/events?limit=90", more, func(e client.Event) string { return e.ID })
	for n := range 1000 {
		if alerts[fmt.Sprintf("alert %d", n)] != 1 || events[fmt.Sprintf("event-%d", n)] != 1 {
			t.Fatalf("row %d was seen %d and %d times", n, alerts[fmt.Sprintf("alert %d", n)], events[fmt.Sprintf("event-%d", n)])
		}
	}
}

// walk reads all pages and returns how often each row was seen.
func walk[T any](t *testing.T, r *rig, path string, between func(), name func(T) string) map[string]int {
	t.Helper()
	seen := map[string]int{}
	for after := ""; ; {
		p := get[client.Page[T]](r, path+"&after="+after)
		for _, row := range p.Items {
			seen[name(row)]++
		}
		if after = p.Next; after == "" {
			return seen
		}
		if len(seen) > 5000 {
			t.Fatal("the list has no end")
		}
		between()
	}
}

func TestAlertFilters(t *testing.T) {
	r := newRig(t)
	r.update(func(ctx context.Context, tx state.Tx) error {
		i := honeyguide.Incident{Key: "k", Title: "x", Status: honeyguide.IncidentNew, CreatedAt: day}
		if _, err := tx.Incidents().Save(ctx, &i); err != nil {
			return err
		}
		for n := range 10 {
			a := alert(n)
			if n == 4 {
				a.Incident, a.Session, a.Attacker, a.Status = i.ID, "s4", "attacker:4", honeyguide.AlertClosed
				a.Attacks = []honeyguide.Technique{{ID: "T1110.001"}}
				a.Title = "unusual needle"
			}
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
	at := func(n int) string { return day.Add(time.Duration(n) * time.Minute).Format(time.RFC3339) }
	for query, want := range map[string]int{
		"": 10, "severity=critical": 2, "severity=high": 4, "severity=informational": 10, "status=closed": 1, "status=new,closed": 10, "status=new": 9,
		"src=198.51.100.3": 1, "technique=T1110": 1, "technique=T1110.001": 1, "technique=T1059": 0, "rule=rule_1": 3, "detector=behaviour": 10,
		"incident=I-1": 1, "incident=i-1": 1, "session=s4": 1, "attacker=attacker:4": 1, "q=needle": 1, "q=absent": 0,
		"from=" + at(5): 5, "to=" + at(5): 5, "from=" + at(3) + "&to=" + at(5): 2, "severity=high&status=closed": 1,
	} {
		p := get[client.Page[honeyguide.Alert]](r, "/api/v1/alerts?"+query)
		if len(p.Items) != want {
			t.Errorf("%q: %d alerts, want %d", query, len(p.Items), want)
		}
		if c := get[counts](r, "/api/v1/alerts/counts?"+query); c.Total != int64(want) {
			t.Errorf("%q: counted %d, want %d", query, c.Total, want)
		}
	}
	if a := get[honeyguide.Alert](r, "/api/v1/alerts/a-5"); a.Title != "unusual needle" {
		t.Errorf("by short form: %+v", a)
	}
}

func TestEventFilters(t *testing.T) {
	r := newRig(t)
	var batch []honeyguide.Event
	for n := range 20 {
		e := event(n)
		if n == 7 {
			e.Class, e.Activity, e.Service, e.Sensor = honeyguide.ClassHTTP, honeyguide.ActivityRequest, "http", "web"
			e.Attacks = []honeyguide.Technique{{ID: "T1190"}}
			e.Observables = []honeyguide.Observable{{Name: "x", Type: "url", Value: "http://x.example/a:b"}}
			e.Attrs[honeyguide.AttrURL] = "/cgi-bin/needle:1"
		}
		batch = append(batch, e)
	}
	if _, err := r.take(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for query, want := range map[string]int{
		"": 20, "limit=5": 5, "severity=critical": 4, "class=4002": 1, "class=4002,3002": 20, "class=1": 0, "activity=request": 1,
		"activity=request,login_failed": 20, "sensor=web": 1, "service=http": 1, "session=s3": 3, "src=198.51.100.7": 1, "src=198.51.100.0/28": 16,
		"src=198.51.100.8%2F29": 8, "technique=T1190": 1, "observable=http://x.example/a:b": 1, "attr=user.name:user1": 5,
		"attr=user.name:user3&attr=http_request.url:/cgi-bin/needle:1": 1, "q=needle": 1, "q=absentee": 0,
		"from=" + day.Add(15*time.Second).Format(time.RFC3339): 5, "to=" + day.Add(15*time.Second).Format(time.RFC3339): 15,
	} {
		p := get[client.Page[client.Event]](r, "/api/v1/events?"+query)
		if len(p.Items) != want {
			t.Errorf("%q: %d events, want %d", query, len(p.Items), want)
		}
		if !slices.IsSortedFunc(p.Items, func(a, b client.Event) int { return int(b.Seq - a.Seq) }) {
			t.Errorf("%q: not newest first", query)
		}
		for _, e := range p.Items {
			if e.Raw != nil {
				t.Errorf("%q: raw bytes nobody asked for", query)
			}
		}
	}
	if p := get[client.Page[client.Event]](r, "/api/v1/events?include=raw&limit=1"); string(p.Items[0].Raw) != "raw" || p.Next == "" {
		t.Errorf("with raw: %+v", p)
	}
	if e := get[client.Event](r, "/api/v1/events/event-7"); e.Sensor != "web" || string(e.Raw) != "raw" {
		t.Errorf("one event: %+v", e)
	}
	// A page of exactly the rest has no next.
	if p := get[client.Page[client.Event]](r, "/api/v1/events?limit=20"); p.Next != "" {
		t.Errorf("the last page has a next: %q", p.Next)
	}
}

func TestOtherLists(t *testing.T) {
	r := newRig(t)
	r.fill()
	for path, want := range map[string]string{
		"/api/v1/incidents": `"short":"I-1"`, "/api/v1/incidents?severity=critical": `"items":[]`, "/api/v1/incidents?status=new": `"short":"I-1"`,
		"/api/v1/incidents/I-1": `"plans":[{"id":"p1"`, "/api/v1/sessions?recorded=true": `"id":"s1"`, "/api/v1/sessions?service=telnet": `"items":[]`,
		"/api/v1/sessions/s1": `"service":"ssh"`, "/api/v1/tokens": `"short":"HT-1"`, "/api/v1/tokens/HT-1/exposures": `{"items":[],"next":""}`,
		"/api/v1/plans?incident=I-1": `"id":"p1"`, "/api/v1/plans?state=refused": `"items":[]`, "/api/v1/plans?action=block_ip&target=198.51.100.1": `"id":"p1"`,
		"/api/v1/blocks": `"address":"198.51.100.1"`, "/api/v1/dead-letters": `"id":"d1"`, "/api/v1/dead-letters?source=other": `"items":[]`,
		"/api/v1/dead-letters?include=raw": `"raw":"cmF3"`, "/api/v1/sensors": `"layers":[]`, "/api/v1/sensors/SSH": `"listen":"127.0.0.1:2222"`,
		"/api/v1/sources": `"streams":[]`, "/api/v1/sources/eve": `"records":7`,
		"/api/v1/about": `"formats":["auto","csv","json","suricata","wazuh"]`,
	} {
		w := r.call(http.MethodGet, path, bootstrap, nil)
		if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), want) {
			t.Errorf("%s: %d, want %s in %s", path, w.Code, want, w.Body)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/dead-letters", bootstrap, nil); strings.Contains(w.Body.String(), "cmF3") {
		t.Error("raw bytes nobody asked for")
	}
}

func TestRecordingIsADownload(t *testing.T) {
	r := newRig(t)
	r.fill()
	w := r.call(http.MethodGet, "/api/v1/sessions/s1/recording", bootstrap, nil)
	if w.Code != http.StatusOK || w.Body.String() != "{\"version\":3}\n" || w.Header().Get("Content-Type") != castType {
		t.Errorf("got %d %s %s", w.Code, w.Header(), w.Body)
	}
	if !strings.HasPrefix(w.Header().Get("Content-Disposition"), "attachment") || w.Header().Get("X-Content-Type-Options") != "nosniff" ||
		!strings.Contains(w.Header().Get("Content-Security-Policy"), "sandbox") {
		t.Errorf("headers %v", w.Header())
	}
}

// hostile is what attackers write: each must come out as valid text, and the
// answer stay one JSON document.
var hostile = []string{
	"\x1b]0;pwned\x07", "a\nlevel=ERROR", "caf\xe9", "nul\x00nul", "\u202e\u2028", `"},{"x":"`, "<script>alert(1)</script>", "=cmd|' /C calc'!A0",
	strings.Repeat("\xff", 300), "😀", `\ud800`,
}

func TestHostileText(t *testing.T) {
	r := newRig(t)
	var batch []honeyguide.Event
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n, text := range hostile {
			a := alert(n)
			a.Title, a.RuleID, a.DedupeKey = text, text, text
			a.Evidence = []honeyguide.Evidence{{EventID: "e", Text: text}}
			a.Src.Hostname = text
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
			s := honeyguide.Session{ID: fmt.Sprint("s", n), User: text, Client: text, StartedAt: day}
			if err := tx.Sessions().Save(ctx, &s); err != nil {
				return err
			}
			if err := tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{Time: day, Source: text, Reason: text, Raw: []byte(text)}); err != nil {
				return err
			}
			e := event(n)
			e.ID = fmt.Sprint("e", n)
			e.Attrs = map[string]any{honeyguide.AttrCommand: text, text: text, "nan": math.NaN(), "inf": math.Inf(-1)}
			batch = append(batch, e)
		}
		return nil
	})
	if _, err := r.take(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"/api/v1/alerts", "/api/v1/sessions", "/api/v1/dead-letters?include=raw", "/api/v1/events?include=raw", "/api/v1/events/e2"} {
		w := r.call(http.MethodGet, path, bootstrap, nil)
		if w.Code != http.StatusOK || !json.Valid(w.Body.Bytes()) || !utf8.Valid(w.Body.Bytes()) {
			t.Errorf("%s: %d, valid JSON %v: %.300s", path, w.Code, json.Valid(w.Body.Bytes()), w.Body)
		}
		if strings.ContainsAny(w.Body.String(), "\x1b\x07\x00") {
			t.Errorf("%s: a control character comes out raw", path)
		}
	}
	events := get[client.Page[client.Event]](r, "/api/v1/events")
	if got := events.Items[len(hostile)-1].Str(honeyguide.AttrCommand); got != hostile[0] {
		t.Errorf("the text changed to %q", got)
	}
	if len(events.Items) != len(hostile) || events.Items[0].Attrs["nan"] != "NaN" {
		t.Errorf("got %d events, %v", len(events.Items), events.Items[0].Attrs)
	}
}

// No answer has null for a list.
func TestNoNullLists(t *testing.T) {
	r := newRig(t)
	r.fill()
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	for _, pattern := range s.router.patterns {
		method, path := filled(pattern)
		if method != http.MethodGet || path == "/metrics" || strings.HasSuffix(path, "openapi.json") || path == "/v1/decisions" {
			continue // where no decision is null, as bouncers expect
		}
		w := r.call(method, path, bootstrap, nil)
		if strings.Contains(w.Body.String(), "null") {
			t.Errorf("%s: %s", path, w.Body)
		}
	}
}

func FuzzEventCursor(f *testing.F) {
	for _, s := range []string{"", "e1", "ezz", "e0", "e-1", "f1", "e01", "e9999999999999999"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		seq, err := parseEventCursor(s)
		if err == nil && s != "" && formatEventCursor(seq) != s {
			t.Errorf("%q is read as %d", s, seq)
		}
		if err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
			t.Errorf("%q: %v", s, err)
		}
	})
}
