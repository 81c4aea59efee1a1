package token_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/attack"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/token"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func event(activity, src string, at time.Duration, attrs ...string) honeyguide.Event {
	e := honeyguide.Event{
		ID: activity + src + at.String(), Time: noon.Add(at), Activity: activity, Sensor: "ssh", Service: "ssh",
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(src), 1)},
	}
	e.Set(honeyguide.AttrToken, "0123456789abcdefghijklmnop")
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	return e
}

func run(t *testing.T, events ...honeyguide.Event) []honeyguide.Alert {
	t.Helper()
	d, err := token.Kind.Open(t.Context(), nil, detect.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := d.Detect(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return alerts
}

func TestUseNamesReaderAndUser(t *testing.T) {
	got := run(t,
		event(honeyguide.ActivityTokenExposed, "203.0.113.1", 0, honeyguide.AttrCommand, "cat .env"),
		event(honeyguide.ActivityTokenExposed, "198.51.100.9", time.Minute, honeyguide.AttrCommand, "echo it back"),
		event(honeyguide.ActivityTokenUsed, "198.51.100.9", 26*time.Minute, honeyguide.AttrWhere, "password"))
	if len(got) != 3 || got[0].Severity != honeyguide.SeverityMedium || got[2].Severity != honeyguide.SeverityCritical {
		t.Fatalf("got %+v", got)
	}
	if text := got[2].Evidence[0].Text; !strings.Contains(text, "used by 198.51.100.9 as password on ssh, read by 203.0.113.1 with cat .env, 26m0s before") {
		t.Errorf("got %q", text)
	}
	if !strings.Contains(got[2].Title, "another source") {
		t.Errorf("title %q", got[2].Title)
	}
}

func TestUseWithoutReading(t *testing.T) {
	got := run(t, event(honeyguide.ActivityTokenUsed, "198.51.100.9", 0))
	if len(got) != 1 || got[0].Severity != honeyguide.SeverityCritical || !strings.Contains(got[0].Evidence[0].Text, "no reading") {
		t.Errorf("got %+v", got)
	}
	got = run(t, event(honeyguide.ActivityTokenUsed, "198.51.100.9", time.Hour,
		honeyguide.AttrReader, "203.0.113.1", honeyguide.AttrReadAt, noon.Format(time.RFC3339Nano), honeyguide.AttrReadBy, "cat x"))
	if text := got[0].Evidence[0].Text; !strings.Contains(text, "read by 203.0.113.1 with cat x, 1h0m0s before") {
		t.Errorf("got %q", text)
	}
}

func TestUsesWithinTenMinutesAreOne(t *testing.T) {
	use := func(src string, at time.Duration) honeyguide.Event {
		return event(honeyguide.ActivityTokenUsed, src, at)
	}
	keys := map[string]bool{}
	for _, a := range run(t, use("198.51.100.9", 0), use("198.51.100.9", 9*time.Minute), use("198.51.100.9", 20*time.Minute), use("198.51.100.8", 0)) {
		keys[a.DedupeKey] = true
	}
	if len(keys) != 3 {
		t.Errorf("%d alerts, want 3", len(keys))
	}
}

func TestTechniquesAreInTheTable(t *testing.T) {
	for _, r := range token.Rules() {
		for _, id := range r.Techniques {
			if _, ok := attack.Lookup(id); !ok {
				t.Errorf("%s names %s", r.ID, id)
			}
		}
	}
}
