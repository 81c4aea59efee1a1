package opencanary_test

import (
	"testing"

	"honeyguide"
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

// What a logtype has of its own.
func TestParticular(t *testing.T) {
	for logtype, test := range map[string]struct{ data, activity, attr, want string }{
		"2001":  {`{}`, honeyguide.ActivityConnect, honeyguide.AttrUser, ""},
		"3000":  {`{"PATH":"/"}`, honeyguide.ActivityRequest, honeyguide.AttrMethod, "GET"},
		"3002":  {`{"PATH":"/","REQUEST_TYPE":"PUT"}`, honeyguide.ActivityRequest, honeyguide.AttrMethod, "PUT"},
		"6001":  {`{"USERNAME":"admin\r","PASSWORD":"x\r"}`, honeyguide.ActivityLoginFailed, honeyguide.AttrPassword, "x"},
		"9003":  {`{}`, honeyguide.ActivityConnect, honeyguide.AttrUser, ""},
		"12001": {`{"VNC Password":"<Password was not in the common list>"}`, honeyguide.ActivityLoginFailed, honeyguide.AttrPassword, ""},
		"17001": {`{"CMD":"CONFIG","ARGS":"SET dir /tmp"}`, "redis", honeyguide.AttrMessage, "CONFIG SET dir /tmp"},
		"20001": {`{"action":"mongodb.auth_attempt","username":"admin"}`, honeyguide.ActivityLoginFailed, honeyguide.AttrUser, "admin"},
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: "opencanary"},
			[]byte(`{"logtype":`+logtype+`,"logdata":`+test.data+`,"node_id":"n","utc_time":"2026-11-21 19:30:00"}`))
		if len(res.Events) != 1 || res.Events[0].Activity != test.activity || res.Events[0].Str(test.attr) != test.want || len(res.Summary.Unknown) > 0 {
			t.Errorf("%s: got %+v, want %s and %s %q", logtype, res.Events, test.activity, test.attr, test.want)
		}
	}
}

func FuzzOpenCanary(f *testing.F) {
	f.Add([]byte(`{"logdata":[[1]],"logtype":"4002.0","node_id":{},"src_host":"::","utc_time":"2026-11-21 19:30:00"}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "opencanary", input) })
}

func BenchmarkRead(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "opencanary", `{"dst_host":"192.0.2.10","dst_port":22,"local_time":"2026-11-21 19:30:00.123456","logdata":{"USERNAME":"root","PASSWORD":"toor","LOCALVERSION":"SSH-2.0-OpenSSH_5.1p1","REMOTEVERSION":"SSH-2.0-Go"},"logtype":4002,"node_id":"opencanary-1","src_host":"198.51.100.7","src_port":51000,"utc_time":"2026-11-21 19:30:00.%06d","n":%d}`)
}
