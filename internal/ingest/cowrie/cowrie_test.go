package cowrie_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/cowrie"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{cowrie.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "cowrie") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "cowrie",
		`{"eventid":"cowrie.login.failed","username":"root","password":"x","sensor":"p","timestamp":"2026-11-21T19:30:01Z","src_ip":"198.51.100.7","session":"01ab"}`,
		`{"eventid":"cowrie.command.input","input":"id","sensor":"p","timestamp":"2026-11-21T19:30:02Z","src_ip":"198.51.100.7","session":"01ab"}`)
}

func FuzzCowrie(f *testing.F) {
	f.Add([]byte(`{"eventid":"cowrie.session.closed","duration":"-1e99","timestamp":1795289400,"session":[1]}`))
	f.Add([]byte(`{"eventid":"cowrie.direct-tcpip.request","dst_ip":{},"dst_port":-1,"timestamp":1795289400,"src_port":99999}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "cowrie", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "cowrie", `{"eventid":"cowrie.login.failed","username":"root","password":"123456","message":"login attempt [root/123456] failed","sensor":"pot1","timestamp":"2026-11-21T19:30:01.%06dZ","src_ip":"198.51.100.7","session":"%012d"}`)
}
