package suricata_test

import (
	"testing"

	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/suricata"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{suricata.Kind})
}

func TestGolden(t *testing.T) { ingesttest.Golden(t, formats(t), "suricata") }

func TestPromises(t *testing.T) {
	ingesttest.Promises(t, formats(t), "suricata",
		`{"timestamp":"2026-11-21T19:30:00.123456+0000","flow_id":1398609176796675,"event_type":"alert","src_ip":"198.51.100.7","src_port":33270,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":2034125,"rev":4,"signature":"x","category":"y","severity":1}}`,
		`{"timestamp":"2026-11-21T19:30:01.123456+0000","flow_id":2,"event_type":"dns","src_ip":"198.51.100.7","src_port":1,"dest_ip":"192.0.2.10","dest_port":53,"proto":"UDP","dns":{"type":"query","rrname":"a.example","rrtype":"A"}}`,
		`{"timestamp":"2026-11-21T19:30:02.123456+0000","event_type":"stats","stats":{"uptime":1}}`,
		`{"timestamp":"2026-11-21T19:30:03.123456+0000","flow_id":3,"event_type":"quic","src_ip":"198.51.100.7","src_port":1,"dest_ip":"192.0.2.10","dest_port":443,"proto":"UDP","quic":{"version":"1"}}`)
}

func FuzzSuricata(f *testing.F) {
	f.Add([]byte(`{"timestamp":"2026-11-21T19:30:00+0000","flow_id":1,"event_type":"dns","dns":{"grouped":{"A":[[1]]},"answers":{},"queries":[3]}}`))
	f.Add([]byte(`{"timestamp":"1795289400","flow_id":-1,"event_type":"flow","flow":{"bytes_toserver":"x","start":0,"end":1}}`))
	f.Add([]byte(`[{"timestamp":1,"event_type":"alert","alert":{"severity":"1.000000","metadata":{"cve":{}}}}]`))
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte) { ingesttest.Hostile(t, all, "suricata", input) })
}

func BenchmarkReadEVE(b *testing.B) {
	ingesttest.Benchmark(b, formats(b), "suricata",
		`{"timestamp":"2026-11-21T19:30:00.%06d+0000","flow_id":%d,"in_iface":"eth0","event_type":"alert","src_ip":"198.51.100.7","src_port":33270,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","tx_id":0,"alert":{"action":"allowed","gid":1,"signature_id":2034125,"rev":4,"signature":"ET EXPLOIT Path Traversal","category":"Attempted Administrator Privilege Gain","severity":1,"metadata":{"cve":["CVE_2021_41773"],"signature_severity":["Major"]}},"http":{"hostname":"www.example","url":"/x","http_method":"GET","http_user_agent":"curl","status":400,"length":166},"app_proto":"http","flow":{"pkts_toserver":4,"pkts_toclient":4,"bytes_toserver":623,"bytes_toclient":599,"start":"2026-11-21T19:29:59.000000+0000"}}`)
}
