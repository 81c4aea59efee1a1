package ui

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide/test/oidc"
	"honeyguide/test/rig"
)

// TestLogin is the first hour of an installation, with everything on that is on by
// default.
func TestLogin(t *testing.T) {
	need(t)
	port := freePort(t)
	issuer := oidc.Start(t, oidc.Client{ID: "honeyguide", Secret: "s", Redirect: "https://localhost:" + port + "/api/v1/auth/oidc/corp/callback"})
	at := "auth.oidc.corp."
	c := start(t, port, at+"issuer="+issuer, at+"client_id=honeyguide", at+"client_secret=s", at+"label=Corp", at+"role_claim=groups",
		at+"roles.soc=analyst", at+"roles.soc-admins=admin")
	c.give["oidc"] = issuer
	var b strings.Builder
	for n := range 60 {
		b.WriteString(record(time.Now(), 1_000_000+n))
	}
	c.ingest(t, "suricata", b.String())
	c.rate.Store(20)
	c.run(t, "login", 3*time.Minute, nil)
}

// fill gives a core what a morning brings: alerts of another product, an attack on
// the decoys, and somebody who uses what was planted.
func (c *console) fill(t testing.TB, alerts int) {
	t.Helper()
	for from := 0; from < alerts; from += 5000 {
		var b strings.Builder
		for n := from; n < min(alerts, from+5000); n++ {
			b.WriteString(record(time.Now().Add(-time.Duration(alerts-n)*50*time.Millisecond), 2_000_000+n))
		}
		c.ingest(t, "suricata", b.String())
	}
}

// attacked plays the demonstration against the decoys.
func (c *console) attacked(t testing.TB) {
	t.Helper()
	if out, errs, status := rig.CLI(t, c.core.Data, nil, "demo"); status != 0 {
		t.Fatalf("demo: status %d: %s%s", status, out, errs)
	}
}

// TestRoomsEmpty opens every room before anything has happened.
func TestRoomsEmpty(t *testing.T) {
	need(t)
	c := start(t, freePort(t), "auth.second_factor=")
	c.give["cookie"], c.give["empty"] = c.signIn(t, "ada", "admin"), true
	c.run(t, "rooms", 3*time.Minute, nil)
}

// TestRooms opens every room full of data, then lets the server fail.
func TestRooms(t *testing.T) {
	need(t)
	c := start(t, freePort(t), "auth.second_factor=")
	c.fill(t, 300)
	c.attacked(t)
	c.give["cookie"] = c.signIn(t, "ada", "admin")
	c.rate.Store(20)
	c.run(t, "rooms", 4*time.Minute, nil)
}

// TestTriage works through the queue with the keyboard alone.
func TestTriage(t *testing.T) {
	need(t)
	c := start(t, freePort(t), "auth.second_factor=")
	c.fill(t, 600)
	c.attacked(t)
	c.give["cookie"], c.give["other"] = c.signIn(t, "ada", "responder"), c.signIn(t, "rosa", "analyst")
	c.rate.Store(20)
	c.run(t, "triage", 3*time.Minute, nil)
}

// asksFirst is a playbook that blocks when somebody agrees.
const asksFirst = `id: ask-first
title: Ask before blocking
description: A person looks before an address is blocked.
trigger: incident
mode: apply
when: 'severity >= high'
steps:
  - name: agree
    action: approval
    params: {roles: [responder, admin], people: 1, within: 1h}
  - name: block
    action: block_ip
    each: proven
    params: {ladder: "1h"}
`

// TestActs replays, approves, verifies and exports.
func TestActs(t *testing.T) {
	need(t)
	books := t.TempDir()
	if err := os.WriteFile(filepath.Join(books, "ask-first.yaml"), []byte(asksFirst), 0o600); err != nil {
		t.Fatal(err)
	}
	c := start(t, freePort(t), "auth.second_factor=", "respond.playbooks="+books)
	c.fill(t, 100)
	c.ingest(t, "generic", `{"id":"x","timestamp":"`+time.Now().UTC().Format(time.RFC3339)+`","source_ip":"203.0.113.5","event_type":"=cmd|'/C calc'!A0","description":"=cmd|'/C calc'!A0","severity":"high"}`+"\n")
	c.attacked(t)
	c.give["cookie"] = c.signIn(t, "ada", "admin")
	c.rate.Store(10)
	c.run(t, "acts", 3*time.Minute, nil)
}
