package zeek_test

import (
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/zeek"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{zeek.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "zeek") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "zeek",
		`{"_path":"conn","ts":1795289400.1,"uid":"Cw1","id.orig_h":"192.0.2.4","id.orig_p":64842,"id.resp_h":"192.0.2.1","id.resp_p":53,"proto":"udp","conn_state":"SF"}`,
		`{"@stream":"weird","ts":1795289404.0,"name":"x","peer":"zeek"}`,
		`{"@stream":"dns","ts":1795289400.1,"uid":"Cw1","id_orig_h":"192.0.2.4","id_orig_p":1,"id_resp_h":"192.0.2.1","id_resp_p":53,"query":"a.example"}`)
}

// The three spellings and the table of one record have the same fields.
func TestSpellingsAgree(t *testing.T) {
	for _, in := range []string{
		`{"_path":"conn","ts":1795289400.5,"uid":"Cw1","id.orig_h":"192.0.2.4","id.orig_p":64842,"id.resp_h":"192.0.2.1","id.resp_p":53,"conn_state":"SF"}`,
		`{"@stream":"conn","ts":1795289400.5,"uid":"Cw1","id_orig_h":"192.0.2.4","id_orig_p":64842,"id_resp_h":"192.0.2.1","id_resp_p":53,"conn_state":"SF"}`,
		`{"ts":"2026-11-21T19:30:00.5Z","uid":"Cw1","id":{"orig_h":"192.0.2.4","orig_p":64842,"resp_h":"192.0.2.1","resp_p":53},"conn_state":"SF"}`,
		"#separator \\x09\n#path\tconn\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tconn_state\n1795289400.5\tCw1\t192.0.2.4\t64842\t192.0.2.1\t53\tSF\n",
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(in))
		if res.Err != nil || len(res.Events) != 1 {
			t.Fatalf("%s: %v, dead %v", in, res.Err, res.Dead)
		}
		e := res.Events[0]
		if e.Src.Addr.String() != "192.0.2.4:64842" || e.Dst.Addr.String() != "192.0.2.1:53" || e.Str("unmapped.id.orig_h") != "192.0.2.4" ||
			e.Str("unmapped.id.resp_p") != "53" || e.Str(honeyguide.AttrLogService) != "conn" || e.Time.Format("15:04:05.0") != "19:30:00.5" {
			t.Errorf("%s\n got %+v", in, e)
		}
	}
}

func FuzzZeek(f *testing.F) {
	f.Add([]byte("#separator \\x2c\n#fields,ts,id.orig_h\n#path,x\n1795289400,::1\n1,2,3\n#fields\n1\n"))
	f.Add([]byte(`{"ts":1795289400,"id":{"orig_h":{"a":1}},"_path":[1],"x":{"y":{"z":null}}}`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "zeek", input) })
}

func BenchmarkReadConn(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "zeek",
		`{"_path":"conn","ts":1795289400.%06d,"uid":"CbD9Ha1JtdoSnf%d","id.orig_h":"192.0.2.4","id.orig_p":60595,"id.resp_h":"192.0.2.1","id.resp_p":445,"proto":"tcp","service":"krb,smb,gssapi","duration":10.70,"orig_bytes":4060,"resp_bytes":1681,"conn_state":"RSTO","missed_bytes":0,"history":"ShADdaR","orig_pkts":12,"orig_ip_bytes":1307,"resp_pkts":11,"resp_ip_bytes":2133}`)
}
