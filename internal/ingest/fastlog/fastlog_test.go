package fastlog_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/fastlog"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{fastlog.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "fastlog") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "fastlog",
		`11/21/2026-19:30:00.123456  [**] [1:2008578:4] ET SCAN x [**] [Classification: y] [Priority: 2] {UDP} 198.51.100.7:5116 -> 192.0.2.10:5060`,
		`Nov 21 19:30:03 ids suricata[9]: [1:2100498:7] GPL x [Classification: y] [Priority: 2] {TCP} 198.51.100.7:80 -> 192.0.2.10:51000`)
}

func FuzzFastLog(f *testing.F) {
	f.Add([]byte(`11/21/2026-19:30:00 [**] [1:2:3] [**] [Priority: x] {} : -> :`))
	f.Add([]byte(`x [**] [::] y [**] [[]]{ -> } -> `))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "fastlog", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "fastlog", `11/21/2026-19:30:00.123456  [**] [1:2008578:%d] ET SCAN Sipvicious Scan [**] [Classification: Attempted Information Leak] [Priority: 2] {UDP} 198.51.100.7:5116 -> 192.0.2.10:5060`)
}
