package opencanary_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/opencanary"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{opencanary.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "opencanary") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "opencanary",
		`{"dst_host":"192.0.2.10","dst_port":22,"logdata":{"USERNAME":"root","PASSWORD":"toor"},"logtype":4002,"node_id":"n","src_host":"198.51.100.7","src_port":51000,"utc_time":"2026-11-21 19:30:00.123456"}`,
		`{"dst_host":"192.0.2.10","dst_port":22,"logdata":{"a":{"b":[1]}},"logtype":77,"node_id":"n","src_host":"198.51.100.7","src_port":-1,"utc_time":"2026-11-21 19:30:00"}`)
}

func FuzzOpenCanary(f *testing.F) {
	f.Add([]byte(`{"logdata":[[1]],"logtype":"4002.0","node_id":{},"src_host":"::","utc_time":"2026-11-21 19:30:00"}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "opencanary", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "opencanary", `{"dst_host":"192.0.2.10","dst_port":22,"local_time":"2026-11-21 19:30:00.123456","logdata":{"USERNAME":"root","PASSWORD":"toor","LOCALVERSION":"SSH-2.0-OpenSSH_5.1p1","REMOTEVERSION":"SSH-2.0-Go"},"logtype":4002,"node_id":"opencanary-1","src_host":"198.51.100.7","src_port":51000,"utc_time":"2026-11-21 19:30:00.%06d","n":%d}`)
}
