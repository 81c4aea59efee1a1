package leef_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/leef"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{leef.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "leef") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "leef",
		"LEEF:1.0|V|Gate|1.0|200|src=198.51.100.7\tdst=192.0.2.10\tsev=7\tdevTime=1795289400000",
		`LEEF:2.0|A|P|2|deny|^|src=2001:db8::7^sev=10^devTime=2026-11-21T19:30:02Z`)
}

func FuzzLEEF(f *testing.F) {
	f.Add([]byte(`LEEF:2.0|a|b|c|d|xZZ|a=b`))
	f.Add([]byte(`LEEF:2.0|a|b|c|d|x00|devTime=1^devTimeFormat=yyyyyyyyMMMMMM`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "leef", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "leef", "LEEF:1.0|V|Gate|1.0|%d|src=198.51.100.7\tdst=192.0.2.10\tsrcPort=51000\tdstPort=22\tproto=TCP\tsev=7\tdevTime=1795289400000\tusrName=root")
}
