package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"honeyguide/internal/client"
	"honeyguide/internal/config"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/generic"
)

const mappingYAML = `
product: door
fields:
  source_ip: who.from
  timestamp: when
  description: what
  severity: prio
severities: {P1: critical}
class: finding
`

const doorLine = `{"who":{"from":"198.51.100.7"},"when":"2026-11-21 20:30:00","what":"forced open","prio":"P1"}` + "\n"

// A preview shows what records would become, with the operator's own mapping and
// zone, and stores nothing.
func TestPreview(t *testing.T) {
	s := newRig(t, func(d *Deps) {
		d.Mapping = func(ctx context.Context, text []byte) (ingest.Format, error) {
			m, err := generic.Kind.Open(ctx, config.Strict("mapping", text), ingest.Deps{})
			return ingest.Format{Name: "generic", Mapper: m}, err
		}
	})
	q := url.Values{"preview": {"1"}, "zone": {"+01:00"}, "mapping": {mappingYAML}}
	got := s.call("POST", "/api/v1/ingest?"+q.Encode(), bootstrap, strings.NewReader(doorLine+doorLine))
	if got.Code != http.StatusOK {
		t.Fatalf("%d %s", got.Code, got.Body)
	}
	var res client.IngestResult
	if err := json.Unmarshal(got.Body.Bytes(), &res); err != nil {
		t.Fatal(err)
	}
	if len(res.Preview) != 1 || res.Events != 0 {
		t.Fatalf("got %+v", res)
	}
	e := res.Preview[0]
	if e.Source != "198.51.100.7:0" || e.Severity != "critical" || e.Time.Format("15:04") != "19:30" || e.Attrs["metadata.product"] != "door" {
		t.Errorf("got %+v", e)
	}
	if list := s.call("GET", "/api/v1/events", bootstrap, nil); strings.Contains(list.Body.String(), "forced open") {
		t.Error("a preview stored an event")
	}
	for _, bad := range []url.Values{
		{"preview": {"0"}},
		{"preview": {"x"}},
		{"preview": {"101"}},
		{"zone": {"Nowhere/Here"}},
		{"mapping": {"fields: {sauce_ip: x}"}},
		{"mapping": {"a: ["}},
		{"mapping": {strings.Repeat("#", 17<<10)}},
		{"mapping": {"product: x"}, "format": {"suricata"}},
		{"mapping": {"class: alarm"}},
	} {
		if got := s.call("POST", "/api/v1/ingest?"+bad.Encode(), bootstrap, strings.NewReader(doorLine)); got.Code != http.StatusBadRequest && got.Code != http.StatusUnprocessableEntity {
			t.Errorf("%.60v: got %d %s", bad, got.Code, got.Body)
		}
	}
}
