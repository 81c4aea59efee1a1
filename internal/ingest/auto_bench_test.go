package ingest_test

import (
	"testing"

	"honeyguide/internal/builtin"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/ingesttest"
)

// What it costs to find the format of each record among all there are.
func BenchmarkAuto(b *testing.B) {
	all := ingesttest.Open(b, builtin.Mappers())
	b.Run("json", func(b *testing.B) {
		ingesttest.Benchmark(b, all, ingest.FormatAuto, `{"id":"alert-%d","timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","event_type":"brute_force","description":"Repeated failed logins over SSH","severity":"high","n":%d}`)
	})
	b.Run("syslog", func(b *testing.B) {
		ingesttest.LineBenchmark(b, all, ingest.FormatAuto, "Nov 21 19:30:00 web1 sshd[%d]: Failed password for invalid user admin from 198.51.100.7 port 4222 ssh2")
	})
	b.Run("suricata", func(b *testing.B) {
		ingesttest.Benchmark(b, all, ingest.FormatAuto, `{"timestamp":"2026-11-21T19:30:00.%06d+0000","flow_id":%d,"event_type":"alert","src_ip":"198.51.100.7","src_port":1,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"gid":1,"signature_id":2034125,"rev":4,"signature":"x","severity":1}}`)
	})
}
