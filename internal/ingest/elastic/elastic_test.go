package elastic_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/elastic"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{elastic.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "elastic") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "elastic",
		`{"@timestamp":"2026-11-21T19:30:00.123Z","ecs":{"version":"8"},"event":{"id":"x","category":["authentication"],"outcome":"failure"},"source":{"ip":"198.51.100.7","port":4222},"user":{"name":"root"}}`,
		`{"@timestamp":"2026-11-21T19:30:01.123Z","ecs":{"version":"8"},"message":"hello"}`)
}

// Answers of an index hold lists where a document held one value.
func TestLists(t *testing.T) {
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "elastic"},
		[]byte(`{"@timestamp":["2026-11-21T19:30:00Z"],"event.category":["authentication"],"event.outcome":["failure"],"source.ip":["198.51.100.7","192.0.2.1"],"source.port":["4222"],"agent.type":["filebeat"]}`))
	if len(res.Events) != 1 || res.Events[0].Src.Addr.String() != "198.51.100.7:4222" || res.Events[0].Time.Hour() != 19 || len(res.Summary.Notes) > 0 {
		t.Errorf("got %+v, dead %+v, notes %v", res.Events, res.Dead, res.Summary.Notes)
	}
}

func FuzzElastic(f *testing.F) {
	f.Add([]byte(`{"@timestamp":1795289400,"event.kind":"alert","event":{"category":{"a":[]}},"source":[[]],"threat":{"technique":3}}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "elastic", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "elastic", `{"@timestamp":"2026-11-21T19:30:00.%06dZ","ecs":{"version":"8.11.0"},"agent":{"type":"filebeat","name":"web1"},"event":{"module":"system","dataset":"system.auth","category":["authentication"],"outcome":"failure"},"source":{"ip":"198.51.100.7","port":4222},"user":{"name":"root"},"host":{"name":"web1"},"process":{"name":"sshd","pid":%d},"message":"Failed password for root"}`)
}
