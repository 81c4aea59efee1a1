package weblog_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/weblog"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{weblog.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "weblog") }

func TestPromises(t *testing.T) {
	ingesttest.LinePromises(t, formats(t), "weblog",
		`198.51.100.7 - - [21/Nov/2026:19:30:00 +0000] "GET / HTTP/1.1" 200 512 "-" "x"`,
		`Nov 21 19:30:05 web1 nginx: 198.51.100.7 - - [21/Nov/2026:19:30:05 +0000] "GET /a HTTP/1.0" 400 1 "-" "y"`)
}

func FuzzWeblog(f *testing.F) {
	f.Add([]byte(`a b c d [21/Nov/2026:19:30:00 +0000] "\x\xZZ\" "" "`))
	f.Add([]byte(`::1 - x y z [21/Nov/2026:19:30:00] "GET" 99999999999999999999 -1 "`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "weblog", input) })
}

func BenchmarkReadAccessLog(b *testing.B) {
	ingesttest.LineBenchmark(b, formats(b), "weblog", `198.51.100.7 - - [21/Nov/2026:19:30:00 +0000] "GET /index.html?n=%d HTTP/1.1" 200 512 "https://example.org/" "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36"`)
}
