package e2e

import (
	"encoding/json"
	"math"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/report"
	"honeyguide/test/rig"
)

// TestKPIOfTheDemo attacks the product as the demo does, answers the incident,
// and compares the figures of the report with the times in the store.
func TestKPIOfTheDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data, fast...)
	if out, errs, status := rig.CLI(t, data, nil, "demo", "--pace", "50ms"); status != 0 {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	awaitAlerts(t, core, "success_after_failures", "recon_commands", "download_cradle", "persistence", "token_exposed", "token_used", "log_wiping")
	run := func(args ...string) string {
		t.Helper()
		out, errs, status := rig.CLI(t, data, nil, args...)
		if status != 0 {
			t.Fatalf("%v: status %d: %s%s", args, status, out, errs)
		}
		return out
	}
	run("incidents", "assign", "I-1", "anna")
	run("incidents", "phase", "I-1", "triage")
	run("incidents", "close", "I-1", "--as", "true_positive", "--reason", "the demo")

	var k report.KPI
	if err := json.Unmarshal([]byte(run("report", "kpi", "--since", "1h", "-o", "json")), &k); err != nil {
		t.Fatal(err)
	}
	var detected []float64
	for _, a := range listed[honeyguide.Alert](t, data, "alerts", "list", "--limit", "1000") {
		detected = append(detected, ms(a.CreatedAt.Sub(a.Time)))
	}
	var answered []float64
	var in honeyguide.Incident
	for _, i := range listed[honeyguide.Incident](t, data, "incidents", "list", "--limit", "1000") {
		if !i.Clock.QualifiedAt.IsZero() {
			in, answered = i, append(answered, ms(i.Clock.QualifiedAt.Sub(i.CreatedAt)))
		}
	}
	for name, want := range map[string][]float64{
		"time_to_detect_ms": detected, "time_to_respond_ms": answered, "time_to_triage_ms": {ms(in.Clock.TriagedAt.Sub(in.CreatedAt))},
		"time_to_acknowledge_ms": {ms(in.Clock.AcknowledgedAt.Sub(in.CreatedAt))}, "time_to_resolve_ms": {ms(in.Clock.ClosedAt.Sub(in.CreatedAt))},
	} {
		sum := 0.0
		for _, x := range want {
			sum += x
		}
		for _, d := range k.Times {
			if d.Name == name && (len(want) == 0 || d.N != int64(len(want)) || math.Abs(*d.MeanMS-sum/float64(len(want))) >= .001) {
				t.Errorf("%s: %+v, mean %v; the store says %v", name, d, *d.MeanMS, want)
			}
		}
	}
	for _, s := range k.Shares {
		if s.Name == "honeytoken_effectiveness" && (s.N == 0 || s.Hits != s.N || s.Result != report.Met) {
			t.Errorf("honeytokens: %+v", s)
		}
		if s.Name == "false_positive_rate" && (s.N == 0 || s.Hits != 0) {
			t.Errorf("false positives: %+v", s)
		}
	}
	if table := run("report", "kpi", "-o", "table"); !strings.Contains(table, "time_to_respond_ms") || !strings.Contains(table, "met") {
		t.Errorf("table\n%s", table)
	}
	// The whole story, for people and on paper.
	line := run("incidents", "timeline", "I-1", "--oldest", "-o", "table")
	for _, want := range []string{"session", "token", "alert", "phase new → triage", "verdict: true_positive"} {
		if !strings.Contains(line, want) {
			t.Errorf("the timeline lacks %q:\n%s", want, line)
		}
	}
	if doc := run("incidents", "export", "I-1", "--format", "pdf"); !strings.HasPrefix(doc, "%PDF-") {
		t.Errorf("export: %.40q", doc)
	}
	if show := run("incidents", "show", "I-1", "-o", "table"); !strings.Contains(show, "answered in time") || !strings.Contains(show, "anna") {
		t.Errorf("show\n%s", show)
	}
}

// ms is a duration in milliseconds, to the microsecond.
func ms(d time.Duration) float64 { return float64(d.Microseconds()) / 1000 }
