package detect_test

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

func event(n int, src string) *honeyguide.Event {
	return &honeyguide.Event{
		ID: fmt.Sprint("e", n), Time: noon.Add(time.Duration(n) * time.Second), Sensor: "ssh", Session: "s",
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(src), 1)},
	}
}

var (
	mild  = detect.Rule{ID: "r", Title: "Mild", Severity: honeyguide.SeverityLow, Category: honeyguide.CategoryRecon, Techniques: []string{"T1082"}}
	grave = detect.Rule{ID: "r", Title: "Grave", Severity: honeyguide.SeverityHigh, Category: honeyguide.CategoryRecon, Techniques: []string{"T1105"}}
)

func TestMerge(t *testing.T) {
	var m detect.Merger
	for i := range 80 {
		m.Add(detect.Claim("d", &mild, event(i, "203.0.113.7"), "", "line"))
	}
	m.Add(detect.Claim("d", &grave, event(100, "203.0.113.7"), "", "worse"))
	m.Add(detect.Claim("d", &mild, event(1, "203.0.113.8"), "", "other"))
	got := m.Alerts()
	if len(got) != 2 {
		t.Fatalf("%d alerts, want one for each source", len(got))
	}
	a := got[0]
	if a.Count != 81 || len(a.EventIDs) != honeyguide.MaxEvidence || len(a.Evidence) != honeyguide.MaxEvidence || a.Severity != honeyguide.SeverityHigh ||
		a.Title != "Grave" || !a.Time.Equal(noon) || !a.LastAt.Equal(noon.Add(100*time.Second)) || len(a.Attacks) != 2 || a.ID != detect.Claim("d", &mild, event(0, "203.0.113.7"), "", "").ID {
		t.Errorf("got %+v", a)
	}
}

func TestSourceOfEventsWithoutAddress(t *testing.T) {
	e := &honeyguide.Event{Sensor: "wazuh"}
	if got := detect.AttackerKey(e); got != "sensor:wazuh" {
		t.Errorf("got %q", got)
	}
	e.Set(honeyguide.AttrDevice, "web-1")
	if got := detect.AttackerKey(e); got != "device:web-1" {
		t.Errorf("got %q", got)
	}
	if got := detect.AttackerKey(event(1, "::ffff:203.0.113.7")); got != "attacker:203.0.113.7" {
		t.Errorf("got %q", got)
	}
}

func TestMemoryForgetsTheLeastRecentlyUsed(t *testing.T) {
	m := detect.NewMemory(3, func() int { return 7 })
	for _, k := range []string{"a", "b", "c", "a", "d"} {
		*m.At(k)++
	}
	if _, ok := m.Peek("b"); ok || m.Len() != 3 {
		t.Error("b is still there")
	}
	if v, ok := m.Peek("a"); !ok || *v != 9 {
		t.Errorf("a: %v, %v", v, ok)
	}
}

func TestWindow(t *testing.T) {
	var w detect.Window
	for i := range 200 {
		w.Add(detect.Mark{At: noon.Add(time.Duration(i) * time.Second), Event: fmt.Sprint(i), Word: fmt.Sprint(i % 7), Text: "x"}, time.Minute)
	}
	if w.Len() != 50 || w.Distinct("", 8) || w.Distinct("3", 2) || !w.Distinct("", 7) || w.Within(noon.Add(199*time.Second), 10*time.Second) != 10 {
		t.Errorf("%d marks", w.Len())
	}
	var a honeyguide.Alert
	if w.Tell(&a); a.Count != 50 || len(a.EventIDs) != 50 {
		t.Errorf("told %d", a.Count)
	}
	if w.Tell(&a); a.Count != 0 {
		t.Errorf("told again of %d", a.Count)
	}
	w.Add(detect.Mark{At: noon.Add(time.Hour)}, time.Minute)
	if w.Len() != 1 {
		t.Errorf("%d marks after an hour", w.Len())
	}
}

// score makes an alert and scores it.
func score(tr *detect.Triage, rule string, sev honeyguide.Severity, src string, change ...func(*honeyguide.Alert)) honeyguide.Alert {
	r := detect.Rule{ID: rule, Title: rule, Severity: sev, Category: honeyguide.CategoryRecon, Techniques: []string{"T1082"}}
	a := detect.Claim("behaviour", &r, event(1, src), "", "")
	for _, f := range change {
		f(&a)
	}
	tr.Score(&a, nil, -1)
	return a
}

func reason(a honeyguide.Alert, feature string) float64 {
	for _, r := range a.Reasons {
		if r.Feature == feature {
			return r.Weight
		}
	}
	return 0
}

func TestTriageOrdersBySeverityAndKeepsFloors(t *testing.T) {
	last := -1.0
	for sev := honeyguide.SeverityInformational; sev <= honeyguide.SeverityCritical; sev++ {
		a := score(detect.NewTriage(detect.TriageConfig{}), "r", sev, "203.0.113.7")
		if a.Score <= last {
			t.Errorf("%s scores %v, less severe %v", sev, a.Score, last)
		}
		last = a.Score
	}
	own := detect.NewTriage(detect.TriageConfig{Scanners: []netip.Prefix{netip.MustParsePrefix("203.0.113.0/24")}})
	a := score(own, "token_used", honeyguide.SeverityCritical, "203.0.113.7")
	if a.Score < 90 || reason(a, "scanner_suspected") != -40 || reason(a, "floor") <= 0 {
		t.Errorf("a token's use by a scanner: %v %+v", a.Score, a.Reasons)
	}
	if a := score(own, "web_scan", honeyguide.SeverityMedium, "203.0.113.7"); a.Score != 0 {
		t.Errorf("our own scanner's scan scores %v", a.Score)
	}
}

func TestTriageReasons(t *testing.T) {
	tr := detect.NewTriage(detect.TriageConfig{})
	score(tr, "decoy_login", honeyguide.SeverityMedium, "10.0.0.7")
	score(tr, "r", honeyguide.SeverityLow, "10.0.0.7", func(a *honeyguide.Alert) { a.Detector, a.Sensor = "finding", "suricata" })
	a := score(tr, "r2", honeyguide.SeverityLow, "10.0.0.7", func(a *honeyguide.Alert) {
		a.Count = 1500
		a.Attacks = append(a.Attacks, honeyguide.Technique{ID: "T1105", Tactic: "TA0011"})
		a.Observed = []honeyguide.Observable{{Name: honeyguide.AttrReader, Type: "ip", Value: "203.0.113.9"}}
	})
	for _, f := range []string{"severity", "tactics", "repetition", "several_decoys", "corroborated", "logged_in", "internal_source", "other_reader"} {
		if reason(a, f) <= 0 {
			t.Errorf("no reason %s: %+v", f, a.Reasons)
		}
	}
	i := slices.IndexFunc(a.Reasons, func(r honeyguide.Reason) bool { return r.Feature == "repetition" })
	if i < 0 || !strings.Contains(a.Reasons[i].Text, "1000") {
		t.Errorf("got %+v", a.Reasons)
	}
}

func TestCorrelatorTiesByBaitFileAndReader(t *testing.T) {
	c := detect.NewCorrelator(100)
	claim := func(src string, o ...honeyguide.Observable) *honeyguide.Alert {
		a := detect.Claim("behaviour", &mild, event(1, src), "", "")
		a.Observed = o
		return &a
	}
	url := honeyguide.Observable{Type: "url", Value: "http://192.0.2.1/x"}
	if got := c.Keys(claim("203.0.113.1", url)); !slices.Equal(got, []string{"attacker:203.0.113.1"}) {
		t.Errorf("first: %v", got)
	}
	if got := c.Keys(claim("203.0.113.2", url)); !slices.Equal(got, []string{"attacker:203.0.113.2", "attacker:203.0.113.1"}) {
		t.Errorf("same URL: %v", got)
	}
	if got := c.Keys(claim("203.0.113.3", honeyguide.Observable{Name: honeyguide.AttrReader, Type: "ip", Value: "203.0.113.9"})); !slices.Contains(got, "attacker:203.0.113.9") {
		t.Errorf("reader: %v", got)
	}
	if got := c.Keys(claim("203.0.113.4", honeyguide.Observable{Type: "ip", Value: "203.0.113.1"})); len(got) != 1 {
		t.Errorf("an address alone ties: %v", got)
	}
	foreign := claim("203.0.113.5", url)
	foreign.Detector = "finding"
	if got := c.Keys(foreign); len(got) != 1 {
		t.Errorf("another product's URL ties: %v", got)
	}
}

// What other products say starts lower than what our decoys saw, and rises when
// it is rare; what our decoys saw needs no company to count.
func TestTriageTellsOursFromOthers(t *testing.T) {
	tr := detect.NewTriage(detect.TriageConfig{})
	finding := func(n int, rule string, sev honeyguide.Severity) honeyguide.Alert {
		e := event(n, "203.0.113.7")
		e.Time = noon.Add(time.Duration(n) * time.Minute)
		e.Set(honeyguide.AttrProduct, "suricata")
		e.Set(honeyguide.AttrDevice, "web1")
		r := detect.Rule{ID: rule, Title: rule, Severity: sev, Category: honeyguide.CategoryRecon}
		a := detect.Claim("finding", &r, e, "", "")
		tr.Score(&a, e, -1)
		return a
	}
	var common honeyguide.Alert
	for n := range 2000 {
		common = finding(n, "suricata:1", honeyguide.SeverityMedium)
	}
	rare := finding(2001, "suricata:2", honeyguide.SeverityMedium)
	if rare.Score < common.Score+20 || reason(rare, "rarity_on_asset") <= 0 || reason(common, "rarity_at_site") >= 0 {
		t.Errorf("the common scores %v, the rare %v: %+v", common.Score, rare.Score, rare.Reasons)
	}
	if grave := finding(2002, "suricata:1", honeyguide.SeverityCritical); grave.Score <= common.Score+20 {
		t.Errorf("critical scores %v, medium %v", grave.Score, common.Score)
	}
	own := score(detect.NewTriage(detect.TriageConfig{}), "r", honeyguide.SeverityMedium, "203.0.113.7")
	if own.Score != 35 || len(own.Reasons) != 1 {
		t.Errorf("without verdicts a decoy's alert scores %v: %+v", own.Score, own.Reasons)
	}
	if used := finding(2003, "token_used", honeyguide.SeverityCritical); used.Score < 90 {
		t.Errorf("a token used elsewhere scores %v", used.Score)
	}
}
