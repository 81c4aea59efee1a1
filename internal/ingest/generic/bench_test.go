package generic_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// alerts writes n alerts of the usual shape as JSON lines.
func alerts(n int) []byte {
	var b bytes.Buffer
	for i := range n {
		fmt.Fprintf(&b, `{"id":"alert-%d","timestamp":"2026-11-21T19:%02d:%02d.%06dZ","source_ip":"198.51.%d.%d","destination_ip":"192.0.2.%d",`+
			`"event_type":"brute_force","description":"Repeated failed logins over SSH","severity":"high","source_port":%d,"destination_port":22,`+
			`"protocol":"tcp","bytes_transferred":%d,"status":"open"}`+"\n",
			i, i/60%60, i%60, i%1000000, i/250%250, i%250, i%200, 1024+i%60000, i)
	}
	return b.Bytes()
}

func BenchmarkReadAlerts(b *testing.B) {
	const n = 50_000
	input := alerts(n)
	all := formats(b)
	b.SetBytes(int64(len(input)))
	b.ReportAllocs()
	for b.Loop() {
		sum, err := ingest.Read(b.Context(), bytes.NewReader(input), ingest.Options{Name: "bench", Mappers: all},
			func(context.Context, []honeyguide.Event) error { return nil },
			func(_ context.Context, d honeyguide.DeadLetter) error { return fmt.Errorf("dead: %s", d.Reason) })
		if err != nil || sum.Events != n {
			b.Fatalf("%v, %+v", err, sum)
		}
	}
	b.ReportMetric(float64(n)*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
