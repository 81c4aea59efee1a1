package cef_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/cef"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{cef.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "cef") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "cef",
		`CEF:0|Vendor|Gate|1.0|100|worm stopped|10|src=198.51.100.7 dst=192.0.2.10 rt=1795289400123 msg=x y`,
		`Nov 21 19:30:01 fw1 CEF: 0|U|Net|9.0|201|Threat|7|src=2001:db8::7`,
		`<134>1 2026-11-21T19:30:02Z gw app - - - 0|A|P|2|deny|x|Low|a=b`)
}

func FuzzCEF(f *testing.F) {
	f.Add([]byte(`CEF:0|||||||==== = \\= a=\`))
	f.Add([]byte(`CEF:0|a\|b|c|d|e|f|-1|src=:: spt=-1 cs1Label=cs1 cs1=cs1Label rt=Jan 02 2006`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "cef", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "cef", `CEF:0|Vendor|Gate|1.0|%d|worm successfully stopped|10|src=198.51.100.7 dst=192.0.2.10 spt=1232 dpt=445 proto=TCP act=blocked rt=1795289400123 msg=found in the file cs1=alpha cs1Label=Zone`)
}
