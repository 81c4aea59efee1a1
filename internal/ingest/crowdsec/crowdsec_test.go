package crowdsec_test

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/crowdsec"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{crowdsec.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "crowdsec") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "crowdsec",
		`{"id":7,"scenario":"a/b","message":"x","stop_at":"2026-11-21T19:30:03.5Z","source":{"scope":"Ip","value":"198.51.100.7"},"events":[{"meta":[{"key":"a","value":"b"}]}]}`)
}

// What an operator decided is no detection.
func TestByHand(t *testing.T) {
	for members, want := range map[string]honeyguide.Severity{
		`"decisions":[{"origin":"crowdsec","type":"ban"}]`: honeyguide.SeverityMedium,
		`"decisions":[{"origin":"cscli","type":"ban"}]`:    honeyguide.SeverityInformational,
		`"decisions":[],"kind":"cscli"`:                    honeyguide.SeverityInformational,
		`"decisions":null`:                                 honeyguide.SeverityMedium,
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "crowdsec"},
			[]byte(`{"id":7,"scenario":"x","stop_at":"2026-11-21T19:30:03Z","source":{"scope":"Ip","value":"198.51.100.7"},`+members+`}`))
		if len(res.Events) != 1 || res.Events[0].Severity != want {
			t.Errorf("%s: got %+v, want %v", members, res.Events, want)
		}
	}
}

// Our own bans do not come back as findings about whom they ban.
func TestOwn(t *testing.T) {
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "crowdsec"},
		[]byte(`{"id":7,"scenario":"honeyguide/decoy","stop_at":"2026-11-21T19:30:03Z","source":{"scope":"Ip","value":"198.51.100.7"},"decisions":[{"origin":"honeyguide","type":"ban"}]}`))
	if len(res.Events) != 0 || res.Summary.Dropped["own"] != 1 {
		t.Errorf("got %+v", res)
	}
}

func FuzzCrowdSec(f *testing.F) {
	f.Add([]byte(`{"scenario":"x","source":{"scope":"ip","value":[1],"as_number":"-1"},"events":{"a":{"meta":3}},"labels":{"a":"T1110"},"decisions":[[]]}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "crowdsec", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "crowdsec", `{"id":7,"uuid":"%06d-%d","scenario":"crowdsecurity/ssh-bf","message":"Ip 198.51.100.7 performed","events_count":6,"start_at":"2026-11-21T19:30:00Z","stop_at":"2026-11-21T19:30:03.5Z","source":{"scope":"Ip","value":"198.51.100.7","ip":"198.51.100.7","cn":"DE"},"events":[{"timestamp":"2026-11-21T19:30:00Z","meta":[{"key":"source_ip","value":"198.51.100.7"},{"key":"target_user","value":"root"}]}]}`)
}
