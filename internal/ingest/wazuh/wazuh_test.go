package wazuh_test

import (
	"fmt"
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/wazuh"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{wazuh.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "wazuh") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "wazuh",
		`{"timestamp":"2026-11-21T19:30:00.123+0000","rule":{"level":5,"description":"x","id":"5710"},"agent":{"id":"004","name":"web1"},"manager":{"name":"m1"},"id":"1795289400.1","data":{"srcip":"198.51.100.7"},"location":"l"}`,
		`{"timestamp":"2026-11-21T19:30:01.123+0000","rule":{"level":12,"description":"y","id":"1"},"agent":{"id":"004","name":"web1"},"manager":{"name":"m1"},"id":"1795289401.1","location":"l","data":{"list":["a","b"]}}`,
		`{"timestamp":"2026-11-21T19:30:02.123+0000","rule":{"description":"level 0, no id","id":"1"},"agent":{"id":"004"},"location":"l"}`)
}

func TestLevels(t *testing.T) {
	want := map[int]honeyguide.Severity{}
	for level, s := range []honeyguide.Severity{1, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 4, 5, 5, 5} {
		want[level] = s
	}
	for level, severity := range want {
		for _, form := range []string{"%d", `"%d"`} {
			input := fmt.Sprintf(`{"timestamp":"2026-11-21T19:30:00Z","rule":{"level":`+form+`,"id":"1"},"location":"x"}`, level)
			res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(input))
			if len(res.Events) != 1 || res.Events[0].Severity != severity {
				t.Errorf("level %s: got %+v, want severity %v", fmt.Sprintf(form, level), res.Events, severity)
			}
		}
	}
}

func FuzzWazuh(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2026-11-21T19:30:00Z","rule":{"level":[],"id":{"a":1}},"agent":3,"location":"x","data":[[[1]]]}`))
	f.Add([]byte(`{"rule":{"id":1},"location":"x","data":{"alert":{"signature":"x","severity":"9999999999999999999"}},"syscheck":{"size_after":"-"}}`))
	f.Add([]byte(`{"_source":{"rule.id":"1","rule.level":"3","location":"x","data.srcip":"1.2.3.4"}}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "wazuh", input) })
}

func BenchmarkReadAlerts(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "wazuh",
		`{"timestamp":"2026-11-21T19:30:00.%06d+0000","rule":{"level":5,"description":"sshd: unknown user","id":"5710","mitre":{"id":["T1110.001"],"tactic":["Credential Access"],"technique":["Password Guessing"]},"frequency":8,"firedtimes":3,"mail":false,"groups":["syslog","sshd"],"pci_dss":["10.2.4"],"gdpr":["IV_35.7.d"],"nist_800_53":["AC.7"],"tsc":["CC6.1"],"gpg13":["7.1"]},"agent":{"id":"004","name":"web1","ip":"192.0.2.4","labels":{"env":"prod"}},"manager":{"name":"m1"},"id":"1795289400.%d","cluster":{"name":"wazuh","node":"n1"},"full_log":"Nov 21 19:30:00 web1 sshd[9]: Invalid user x from 198.51.100.7 port 4222","predecoder":{"program_name":"sshd","timestamp":"Nov 21 19:30:00","hostname":"web1"},"decoder":{"parent":"sshd","name":"sshd"},"data":{"srcip":"198.51.100.7","srcport":"4222","srcuser":"x"},"location":"/var/log/auth.log"}`)
}
