package wazuh5_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/wazuh5"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{wazuh5.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "wazuh5") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "wazuh5",
		`{"@timestamp":"2026-11-21T19:30:00.000Z","source":{"ip":"198.51.100.7"},"wazuh":{"agent":{"id":"004","name":"web1"},"event":{"id":"1f0b"},"rule":{"id":"d5cc","title":"x","level":"low"}}}`,
		`{"@timestamp":"2026-11-21T19:30:01Z","wazuh":{"agent":{"id":"004","name":"web1"},"integration":{"name":"x"}}}`)
}

func FuzzWazuh5(f *testing.F) {
	f.Add([]byte(`{"@timestamp":1795289400,"wazuh":{"agent":{"id":[]},"rule":{"id":{"a":1},"level":5,"mitre":{"technique":[]}}},"source":3}`))
	f.Add([]byte(`{"_source":{"@timestamp":"2026-11-21T19:30:00Z","wazuh.rule.id":"1","wazuh.agent.id":"2"}}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "wazuh5", input) })
}
