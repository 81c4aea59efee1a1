package file_test

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/config"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/suricata"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
	"honeyguide/internal/source/file"
	"honeyguide/internal/source/sourcetest"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// BenchmarkFile follows a file of Suricata alerts into a log on disk: all that a
// source costs, without detection.
func BenchmarkFile(b *testing.B) {
	const n = 100_000
	dir := b.TempDir()
	path := filepath.Join(dir, "eve.json")
	f, err := os.Create(path)
	if err != nil {
		b.Fatal(err)
	}
	w := bufio.NewWriterSize(f, 1<<20)
	at := time.Date(2026, 11, 21, 20, 0, 0, 0, time.UTC)
	for i := range n {
		fmt.Fprintf(w, `{"timestamp":%q,"flow_id":%d,"in_iface":"eth0","event_type":"alert","src_ip":"198.51.100.%d","src_port":%d,"dest_ip":"192.0.2.10","dest_port":80,"proto":"TCP","alert":{"action":"allowed","gid":1,"signature_id":%d,"rev":4,"signature":"ET EXPLOIT Apache path traversal %d","category":"Attempted Administrator Privilege Gain","severity":2},"app_proto":"http","flow":{"pkts_toserver":4,"pkts_toclient":4,"bytes_toserver":623,"bytes_toclient":599}}`+"\n",
			at.Add(time.Duration(i)*time.Millisecond).Format("2006-01-02T15:04:05.000000-0700"), 7_000_000_000+i, 1+i%200, 1024+i%60000, 2_000_000+i%40, i%40)
	}
	if err := w.Flush(); err != nil {
		b.Fatal(err)
	}
	f.Close()
	mapper, err := suricata.Kind.Open(b.Context(), nil, ingest.Deps{})
	if err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		b.StopTimer()
		st, err := sqlite.Open(b.Context(), sqlite.Config{}, state.Deps{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		log, err := embedded.Kind.Open(b.Context(), nil, eventlog.Deps{Dir: b.TempDir()})
		if err != nil {
			b.Fatal(err)
		}
		r := &sourcetest.Rig{
			T: b, Kind: file.Kind, Log: log, State: st, Mappers: []ingest.Format{{Name: "suricata", Mapper: mapper}},
			Feed: source.Feed{Format: "suricata"}, Decode: kind.Decode(config.Strict("bench", []byte("path: "+path))),
		}
		b.StartTimer()
		began, before := time.Now(), burnt()
		r.Start()
		for r.Status().Events < n {
			time.Sleep(5 * time.Millisecond)
		}
		b.ReportMetric(n/time.Since(began).Seconds(), "events/s")
		b.ReportMetric(n/(burnt()-before).Seconds(), "events/cpu-s")
		b.StopTimer()
		r.Stop()
		if err := log.Close(); err != nil {
			b.Fatal(err)
		}
		if err := st.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// burnt is the CPU time of this process.
func burnt() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
