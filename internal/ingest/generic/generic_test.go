package generic_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/generic"
	"honeyguide/internal/ingest/ingesttest"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{generic.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), ingest.FormatAuto) }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), ingest.FormatJSON,
		`{"id":"a-1","timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","event_type":"brute_force","severity":"high"}`,
		`{"timestamp":"2026-11-21T19:30:01Z","src_ip":"198.51.100.7","description":"no id","severity":"low"}`,
		`{"id":"b","src_ip":"198.51.100.7","description":"no time","severity":"low","more":{"a":[1,{"b":2}]}}`)
}

func TestFieldsNamesOwnPaths(t *testing.T) {
	set := func(into any) error {
		into.(*generic.Config).Fields = map[string]string{"source_ip": "who.from"}
		return nil
	}
	m, err := generic.Kind.Open(t.Context(), set, ingest.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	res := ingesttest.Read(t, ingest.Options{Mappers: []ingest.Format{{Name: "generic", Mapper: m}}},
		[]byte(`{"who":{"from":"198.51.100.1"},"src_ip":"198.51.100.2","description":"x"}`))
	if len(res.Events) != 1 || res.Events[0].Src.Addr.Addr().String() != "198.51.100.1" {
		t.Errorf("got %+v", res)
	}
	bad := func(into any) error {
		into.(*generic.Config).Fields = map[string]string{"sauce_ip": "x"}
		return nil
	}
	if _, err := generic.Kind.Open(t.Context(), bad, ingest.Deps{}); err == nil {
		t.Error("an unknown field is taken")
	}
}

func FuzzGeneric(f *testing.F) {
	f.Add([]byte(`{"id":1,"timestamp":1795289400.5,"src_ip":"::1","severity":"x"}`))
	f.Add([]byte("id,timestamp,description\n1,2,\"a\"\"b\"\n"))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, ingest.FormatAuto, input) })
}
