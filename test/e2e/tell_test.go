package e2e

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
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

// tellBook posts to a webhook, runs a script and takes a snapshot of what happened.
const tellBook = `
id: tell
title: Tell everybody
trigger: incident_opened
mode: apply
steps:
  - name: post
    action: hook
    params: {title: "${title}", text: "attackers: ${attackers}"}
  - name: run
    action: note
    target: "198.51.100.7"
  - name: keep
    action: snapshot
`

// TestTelling: the whole product tells a webhook over TLS of its own authority, on a
// port that is open to that alone, runs a script and keeps evidence.
func TestTelling(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	const secret = "e2e-webhook-s3cret"
	var mu sync.Mutex
	posts := map[string]string{}
	hook := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		at, sum, _ := strings.Cut(strings.TrimPrefix(r.Header.Get("X-Honeyguide-Signature"), "t="), ",v1=")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(at + "."))
		mac.Write(body)
		if hex.EncodeToString(mac.Sum(nil)) != sum {
			w.WriteHeader(401)
			return
		}
		mu.Lock()
		defer mu.Unlock()
		posts[r.Header.Get("Idempotency-Key")] += string(body)
	}))
	defer hook.Close()
	dir, data := t.TempDir(), t.TempDir()
	ca, books, scripts := filepath.Join(dir, "ca.pem"), filepath.Join(dir, "books"), filepath.Join(dir, "scripts")
	for _, d := range []string{books, scripts} {
		if err := os.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Dir(dir), 0o755); err != nil {
		t.Fatal(err)
	}
	write(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: hook.Certificate().Raw}))
	write(t, filepath.Join(books, "tell.yaml"), []byte(tellBook))
	script := filepath.Join(scripts, "note.sh")
	write(t, script, []byte("#!/bin/sh\necho \"ref=noted-$1\"\n"))
	if err := os.Chmod(script, 0o755); err != nil {
		t.Fatal(err)
	}
	core := rig.Start(t, data, bare("fetch.ca="+ca, "fetch.allow=127.0.0.1/32", "respond.playbooks="+books, "respond.scripts="+scripts, "respond.firewall=off",
		"actions.hook.kind=webhook", "actions.hook.url="+hook.URL+"/in", "actions.hook.secret="+secret,
		"actions.note.kind=script", "actions.note.script=note.sh", `actions.note.args=["{target}"]`)...)
	line := strings.Replace(suricataAlert, "2026-11-21T19:30:00.123456+0000", time.Now().UTC().Format("2006-01-02T15:04:05.000000-0700"), 1)
	line = strings.Replace(line, "ET EXPLOIT Apache path traversal", `ET \u001b[2J\u202e <!channel> https://evil.example`, 1)
	if code, body, err := core.Post("/api/v1/ingest?format=suricata&wait=true", "application/x-ndjson", strings.NewReader(line+"\n")); err != nil || code != 200 {
		t.Fatalf("%d %s %v", code, body, err)
	}
	var run honeyguide.Run
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the run: %+v\nthe core: %s", run, core.Output())
		}
	})
	rig.Eventually(t, 30*time.Second, "a run that is over", func() bool {
		runs, err := rig.List[honeyguide.Run](core, "/api/v1/runs")
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range runs {
			if r.Playbook == "tell" {
				run = r
			}
		}
		return run.State.Over() && run.ID != ""
	})
	if run.State != honeyguide.RunDone {
		t.Fatalf("the run is %s: %s, %+v", run.State, run.Error, run.Steps)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(posts) != 1 {
		t.Errorf("%d posts", len(posts))
	}
	for key, body := range posts {
		if key != run.Steps[0].Plans[0] || !strings.Contains(body, "198.51.100.7") || strings.ContainsAny(body, "\x1b\u202e") || !strings.Contains(body, `u202e`) {
			t.Errorf("posted %s: %s", key, body)
		}
	}
	folders, _ := filepath.Glob(filepath.Join(data, "evidence", "snapshots", run.Incident+"-*", "manifest.json"))
	if len(folders) != 1 {
		t.Errorf("%d snapshots", len(folders))
	}
	out := fmt.Sprint(core.Output())
	if strings.Contains(out, secret) {
		t.Error("the secret is in the log")
	}
}
