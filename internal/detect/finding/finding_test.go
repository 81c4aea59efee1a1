package finding_test

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/detect/finding"
)

func run(t testing.TB, events ...honeyguide.Event) []honeyguide.Alert {
	t.Helper()
	d, err := finding.Kind.Open(t.Context(), nil, detect.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	alerts, err := d.Detect(t.Context(), events)
	if err != nil {
		t.Fatal(err)
	}
	return alerts
}

func event(sev honeyguide.Severity, attrs ...string) honeyguide.Event {
	e := honeyguide.Event{
		ID: "e", Time: time.Unix(0, 0), Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: sev, Sensor: "eve",
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:1")},
	}
	for i := 0; i+1 < len(attrs); i += 2 {
		e.Set(attrs[i], attrs[i+1])
	}
	return e
}

func TestFinding(t *testing.T) {
	e := event(honeyguide.SeverityHigh, honeyguide.AttrProduct, "Suricata", honeyguide.AttrRuleID, "2001219", honeyguide.AttrRule, "ET SCAN SSH", honeyguide.AttrCategory, "Attempted Information Leak")
	e.Attacks = []honeyguide.Technique{{ID: "T1046"}, {ID: "T9999", Tactic: "lateral-movement"}}
	got := run(t, e)[0]
	if got.RuleID != "suricata:2001219" || got.Title != "ET SCAN SSH" || got.Severity != honeyguide.SeverityHigh || got.Category != honeyguide.CategoryRecon ||
		got.DedupeKey != "suricata:2001219|203.0.113.7" || got.Attacks[0].Tactic != "TA0007" || got.Attacks[1].Tactic != "TA0008" {
		t.Errorf("got %+v", got)
	}
}

func TestCategories(t *testing.T) {
	for text, want := range map[string]string{
		"authentication_failures": honeyguide.CategoryFailedAuth, "A Network Trojan was detected": honeyguide.CategoryMalware,
		"Attempted Administrator Privilege Gain": honeyguide.CategoryPrivilege, "Web Application Attack": honeyguide.CategoryIntrusion,
		"possible data exfiltration": honeyguide.CategoryExfiltration, "lateral movement": honeyguide.CategoryLateral, "odd": honeyguide.CategoryExternal,
	} {
		if got := run(t, event(honeyguide.SeverityLow, honeyguide.AttrCategory, text))[0].Category; got != want {
			t.Errorf("%q is %s, want %s", text, got, want)
		}
	}
}

func TestWhatIsMissing(t *testing.T) {
	got := run(t, event(honeyguide.SeverityLow))[0]
	if got.Title == "" || got.RuleID == "" || got.Severity != honeyguide.SeverityLow {
		t.Errorf("got %+v", got)
	}
	if got := run(t, event(honeyguide.SeverityInformational)); len(got) != 0 {
		t.Errorf("informational findings are alerts: %+v", got)
	}
	if got := run(t, event(honeyguide.SeverityUnknown)); len(got) != 1 || got[0].Severity != honeyguide.SeverityLow {
		t.Errorf("a finding without a severity: %+v, want one low alert", got)
	}
	other := event(honeyguide.SeverityHigh)
	other.Activity = honeyguide.ActivityConnect
	if got := run(t, other); len(got) != 0 {
		t.Errorf("got %+v", got)
	}
}

func FuzzFinding(f *testing.F) {
	f.Add("Suricata", "1", "title", "cat")
	f.Fuzz(func(t *testing.T, product, id, title, category string) {
		for _, a := range run(t, event(honeyguide.SeverityHigh, honeyguide.AttrProduct, product, honeyguide.AttrRuleID, id, honeyguide.AttrRule, title, honeyguide.AttrCategory, category)) {
			if len(a.RuleID) > 140 || len(a.Title) > 200 || strings.TrimSpace(a.Category) == "" {
				t.Fatalf("got %+v", a)
			}
		}
	})
}
