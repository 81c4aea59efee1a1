package e2e

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// hook is an operator's webhook that is down until it is told otherwise.
type hook struct {
	mu  sync.Mutex
	up  bool
	got []posted
}

type posted struct {
	ID, Event, Key, Severity, Title, Text string
	idempotency                           string
}

func (h *hook) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.up {
		http.Error(w, "down", http.StatusServiceUnavailable)
		return
	}
	p := posted{idempotency: r.Header.Get("Idempotency-Key")}
	raw, err := io.ReadAll(r.Body)
	if err != nil || json.Unmarshal(raw, &p) != nil {
		http.Error(w, "no JSON", http.StatusBadRequest)
		return
	}
	h.got = append(h.got, p)
}

// seen are the messages whose titles begin so.
func (h *hook) seen(title string) (out []posted) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, p := range h.got {
		if strings.HasPrefix(p.Title, title) {
			out = append(out, p)
		}
	}
	return out
}

// TestNotices has a playbook tell people of an incident while their channel is
// down and the core is killed: the message arrives once both are back, and when
// the incident is closed they are told that, too.
func TestNotices(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	h := &hook{}
	srv := httptest.NewServer(h)
	defer srv.Close()
	data, books := t.TempDir(), t.TempDir()
	book := "id: tell\ntitle: Tell\ntrigger: incident\nmode: apply\nsteps:\n  - name: tell\n    action: notify\n    params: {title: \"Look at ${incident.short}\", text: \"${incident.title}\", urgency: high}\n"
	if err := os.WriteFile(filepath.Join(books, "tell.yaml"), []byte(book), 0o600); err != nil {
		t.Fatal(err)
	}
	sets := []string{
		"fetch.allow=127.0.0.1/32", "respond.playbooks=" + books, "respond.mode=apply", "actions.hook.kind=webhook", "actions.hook.url=" + srv.URL + "/in?key=secret",
		"actions.hook.secret=0123456789abcdef", "notify.default=hook",
	}
	c := rig.Start(t, data, sets...)
	out, errs, status := rig.CLI(t, data, nil, "notices", "test", "hook", "-o", "json")
	if status == 0 || !strings.Contains(out, `"state": "dead"`) || !strings.Contains(errs, "503") || strings.Contains(out+errs, "secret") {
		t.Errorf("test of a channel that is down: %d %s %s", status, out, errs)
	}
	alert := strings.Replace(suricataAlert, "2026-11-21T19:30:00.123456", time.Now().UTC().Format("2006-01-02T15:04:05.000000"), 1)
	if code, body, err := c.Post("/api/v1/ingest?format=suricata&wait=true", "application/x-ndjson", strings.NewReader(alert+"\n")); err != nil || code != 200 {
		t.Fatalf("%d %s %v", code, body, err)
	}
	about := func() (n honeyguide.Notice) {
		list, err := rig.List[honeyguide.Notice](c, "/api/v1/notices?incident=I-1")
		for _, x := range list { // the shipped playbooks tell of it, too
			if err == nil && x.Title == "Look at I-1" {
				n = x
			}
		}
		return n
	}
	rig.Eventually(t, 30*time.Second, "it is tried", func() bool { return about().Attempts > 0 })
	if n := about(); n.State != honeyguide.NoticeQueued || n.Error == "" || strings.Contains(n.Error, "secret") {
		t.Errorf("%+v", n)
	}
	c.Kill()
	h.mu.Lock()
	h.up = true
	h.mu.Unlock()
	c = rig.Start(t, data, sets...)
	rig.Eventually(t, 60*time.Second, "it is sent", func() bool { return about().State == honeyguide.NoticeSent })
	got := h.seen("Look at I-1")
	n := about()
	if len(got) != 1 || got[0].Title != "Look at I-1" || got[0].Event != "trigger" || got[0].Key != n.Incident || got[0].ID != n.ID || got[0].idempotency != n.ID || got[0].Severity != "high" {
		t.Fatalf("%+v of %+v", got, n)
	}
	if out, errs, status := rig.CLI(t, data, nil, "notices", "channels", "-o", "table"); status != 0 || !strings.Contains(out, "hook") {
		t.Errorf("channels: %d %s %s", status, out, errs)
	}
	if out, errs, status := rig.CLI(t, data, nil, "incidents", "close", "I-1", "--as", "true_positive"); status != 0 {
		t.Fatalf("close: %d %s %s", status, out, errs)
	}
	rig.Eventually(t, 60*time.Second, "the end is told", func() bool { return len(h.seen("Over: ")) == 1 })
	if end := h.seen("Over: ")[0]; end.Event != "resolve" || end.Key != got[0].Key || !strings.HasPrefix(end.Text, "I-1 is closed. Verdict: true_positive") {
		t.Errorf("%+v", end)
	}
	// the hook has the message before the core has written that it was sent
	var metrics string
	rig.Eventually(t, 30*time.Second, "the messages sent are counted", func() bool {
		metrics = ""
		err := c.Get("/metrics", &metrics)
		return err == nil && strings.Contains(metrics, fmt.Sprintf("honeyguide_notices_sent_total{channel=%q} %d\n", "hook", len(h.seen(""))))
	})
}
