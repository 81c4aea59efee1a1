package bench

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// BenchmarkSmallMachine sends 5,000 alerts a second for half a minute to a product
// that may take 256 MiB, decoys included. Budget: nothing is killed, nothing is
// lost, and it keeps up.
func BenchmarkSmallMachine(b *testing.B) {
	const rate, seconds, pieces = 5000, 30, 10
	for b.Loop() {
		g := rig.MemoryGroup(b, 256<<20)
		core := rig.StartIn(b, g, b.TempDir(), "deception.memory_mib=48", "telemetry.level=warn")
		rnd := rand.New(rand.NewPCG(1, 2))
		var most int64
		began, n := time.Now(), 0
		late := time.Duration(0)
		for range seconds * pieces {
			body := findings(rnd, n, rate/pieces)
			status, answer, err := core.Post("/api/v1/ingest?format=auto&name=small", "application/octet-stream", body)
			if err != nil || status != http.StatusOK {
				b.Fatalf("after %d alerts: %d %s %v\n%s", n, status, answer, err, core.Output())
			}
			n += rate / pieces
			most = max(most, g.Anonymous())
			due := began.Add(time.Duration(n) * time.Second / rate)
			late = max(late, time.Since(due))
			time.Sleep(time.Until(due))
		}
		settled := time.Now()
		rig.Eventually(b, time.Minute, "everything judged", func() bool {
			var text string
			return core.Get("/metrics", &text) == nil && strings.Contains(text, "\nhoneyguide_pipeline_lag_events 0\n")
		})
		if killed := g.Killed(); killed > 0 || !core.Running() {
			b.Fatalf("%d processes were killed for memory", killed)
		}
		b.ReportMetric(float64(n)/time.Since(began).Seconds(), "events/s")
		b.ReportMetric(float64(most)/(1<<20), "anonymous-MiB")
		b.ReportMetric(late.Seconds()*1000, "late-ms")
		b.ReportMetric(time.Since(settled).Seconds()*1000, "settled-ms")
		core.Stop()
	}
}

// findings are alerts of 2,000 sources and 40 rules.
func findings(rnd *rand.Rand, from, n int) *bytes.Buffer {
	var body bytes.Buffer
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	for i := from; i < from+n; i++ {
		src := int(2000 * rnd.Float64() * rnd.Float64())
		fmt.Fprintf(&body, `{"id":"s-%d","timestamp":%q,"source_ip":"203.0.%d.%d","destination_ip":"192.0.2.1","event_type":"rule_%d","description":"an alert that comes often","severity":"low"}`+"\n",
			i, start.Add(time.Duration(i)*time.Millisecond/5).Format(time.RFC3339Nano), src/250, 1+src%250, rnd.IntN(40))
	}
	return &body
}
