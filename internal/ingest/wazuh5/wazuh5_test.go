package wazuh5_test

import (
	"testing"

	"honeyguide"

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

// What Wazuh 5 writes beside findings and events.
func TestKinds(t *testing.T) {
	for name, test := range map[string]struct {
		record, activity string
		severity         honeyguide.Severity
	}{
		"a failed log-in":     {`{"@timestamp":"2026-11-21T19:30:00Z","event":{"category":["authentication"],"outcome":"failure"},"wazuh":{"agent":{"id":"1"}}}`, honeyguide.ActivityLoginFailed, honeyguide.SeverityInformational},
		"an alert, no rule":   {`{"@timestamp":"2026-11-21T19:30:00Z","event":{"kind":"alert","original":"x"},"wazuh":{"integration":{"name":"wazuh-rootcheck"}}}`, honeyguide.ActivityFinding, honeyguide.SeverityUnknown},
		"a finding":           {`{"@timestamp":"2026-11-21T19:30:00Z","event":{"category":["authentication"],"outcome":"failure"},"wazuh":{"rule":{"id":"r","level":"low"}}}`, honeyguide.ActivityFinding, honeyguide.SeverityLow},
		"the answer to it":    {`{"@timestamp":"2026-11-21T19:30:00Z","wazuh":{"agent":{"id":"1"},"rule":{"id":"r","level":"low"},"active_response":{"name":"block-ip"}}}`, "response", honeyguide.SeverityInformational},
		"state, not an event": {`{"wazuh":{"agent":{"id":"1"}},"state":{"document_version":1}}`, "", 0},
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "wazuh5"}, []byte(test.record))
		switch {
		case test.activity == "" && (len(res.Events) != 0 || res.Summary.Dropped["state"] != 1):
			t.Errorf("%s: got %+v", name, res)
		case test.activity != "" && (len(res.Events) != 1 || res.Events[0].Activity != test.activity || res.Events[0].Severity != test.severity):
			t.Errorf("%s: got %+v, dead %+v", name, res.Events, res.Dead)
		}
	}
}
