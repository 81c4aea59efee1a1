package ingest_test

import (
	"fmt"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// The largest record of every product gives events a log takes.
func TestEventsFitTheLog(t *testing.T) {
	long := strings.Repeat("x", 9000)
	var members, ids strings.Builder
	for i := range 80 {
		fmt.Fprintf(&members, `,"field_%d":%q`, i, long)
		fmt.Fprintf(&ids, `"T%04d",`, 1000+i)
	}
	names := `"description":"` + long + `","event_type":"` + long + `","user":"` + long + `","hostname":"` + long + `","command":"` + long + `","url":"` + long + `","status":"` + long + `","protocol":"` + long + `","product":"` + long + `","category":"` + long + `"`
	for name, record := range map[string]string{
		"generic": `{"id":"` + long + `",` + names + members.String() + `}`,
		"suricata": `{"timestamp":"2026-11-21T19:30:00Z","flow_id":1,"event_type":"alert","host":"` + long + `","in_iface":"` + long + `","app_proto":"` + long + `","community_id":"` + long + `","proto":"` + long +
			`","alert":{"signature":"` + long + `","category":"` + long + `","action":"` + long + `","signature_id":"` + long + `","gid":"` + long + `","rev":"` + long + `","metadata":{"mitre_technique_id":[` + ids.String() + `"x"]}` + members.String() + `}}`,
		"suricata, unknown": `{"timestamp":"2026-11-21T19:30:00Z","flow_id":1,"event_type":"mystery","mystery":{"a":1` + members.String() + `}}`,
		"wazuh":             `{"timestamp":"2026-11-21T19:30:00Z","rule":{"level":5,"id":"` + long + `","description":"` + long + `","groups":["` + long + `"]},"location":"` + long + `","decoder":{"name":"` + long + `"},"id":"` + long + `","full_log":"` + long + `","agent":{"name":"` + long + `"},"data":{"srcuser":"` + long + `","srcip":"` + long + `"` + members.String() + `}}`,
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(record))
		if len(res.Events) != 1 {
			t.Errorf("%s: %d events, dead %v", name, len(res.Events), res.Dead)
			continue
		}
		if size := eventlog.Size(&res.Events[0]); size > eventlog.MaxEvent*3/4 {
			t.Errorf("%s: the event has %d bytes", name, size)
		}
		for key, v := range res.Events[0].Attrs {
			if s, ok := v.(string); ok && len(s) > ingest.MaxText {
				t.Errorf("%s: %.40s has %d bytes", name, key, len(s))
			}
		}
		if res.Events[0].Str(honeyguide.AttrProduct) == "" {
			t.Errorf("%s: no product", name)
		}
	}
}
