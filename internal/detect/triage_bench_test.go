package detect_test

import (
	"fmt"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// BenchmarkScore is triage's part of an event that raises an alert. The budget
// is 10 microseconds of processor time.
func BenchmarkScore(b *testing.B) {
	for _, tc := range []struct {
		name     string
		external bool
		explain  float64 // -1: every claim is explained
	}{{"decoy", false, 200}, {"external", true, 200}, {"external_explained", true, -1}} {
		b.Run(tc.name, func(b *testing.B) {
			tr := detect.NewTriage(detect.TriageConfig{})
			events := make([]honeyguide.Event, 2000)
			claims := make([]honeyguide.Alert, len(events))
			for i := range events {
				e := event(i, fmt.Sprintf("203.0.%d.%d", i%7, i%250))
				if tc.external {
					e.Set(honeyguide.AttrProduct, "suricata")
					e.Set(honeyguide.AttrDevice, fmt.Sprint("web", i%20))
				}
				r := detect.Rule{ID: fmt.Sprint("rule", i%40), Title: "x", Severity: honeyguide.SeverityMedium, Techniques: []string{"T1082"}}
				events[i], claims[i] = *e, detect.Claim("behaviour", &r, e, "", "")
			}
			n := 0
			for b.Loop() {
				i := n % len(events)
				events[i].Time = noon.Add(time.Duration(n) * 100 * time.Millisecond)
				tr.Score(&claims[i], &events[i], tc.explain)
				n++
			}
		})
	}
}
