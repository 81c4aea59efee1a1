package app

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/client"
	"honeyguide/internal/config"
)

// BenchmarkIngest feeds generated alerts through everything a core does with
// them, in this process, so that -cpuprofile sees it. BENCH_ALERTS says how
// many, BENCH_SOURCES of how many sources,
// BENCH_MEMORY how many MiB the core plans with.
func BenchmarkIngest(b *testing.B) {
	n, sources := setting("BENCH_ALERTS", 100_000), setting("BENCH_SOURCES", 5000)
	file := filepath.Join(b.TempDir(), "alerts.ndjson")
	if err := alerts(file, n, sources); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		s := standard(b)
		s.Node.Data, s.Node.Memory, s.Sensors = b.TempDir(), int64(setting("BENCH_MEMORY", 0)), nil
		take(b, s, file, n)
	}
}

// take ingests the n alerts of a file into a data folder and reports what that
// cost, from the start of the core to the last alert written.
func take(b *testing.B, s Settings, file string, n int) {
	began, before := time.Now(), burnt()
	a, err := New(b.Context(), s, slog.New(slog.DiscardHandler), "bench")
	if err != nil {
		b.Fatal(err)
	}
	defer a.Close()
	h, stop, err := a.Offline(context.WithoutCancel(b.Context()))
	if err != nil {
		b.Fatal(err)
	}
	defer stop()
	f, err := os.Open(file)
	if err != nil {
		b.Fatal(err)
	}
	defer f.Close()
	res, err := client.Local(h).Ingest(b.Context(), client.IngestRequest{Name: "bench", Format: "auto", Body: f, Wait: true})
	if err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(float64(n)/time.Since(began).Seconds(), "events/s")
	b.ReportMetric(float64((burnt()-before).Microseconds())/float64(n), "cpu-us/event")
	b.ReportMetric(float64(res.Alerts), "alerts")
	b.ReportMetric(peak(), "peak-MiB")
	b.ReportMetric(float64(res.Incidents), "incidents")
}

// standard are the settings of an installation without a configuration file.
func standard(b *testing.B) Settings {
	b.Helper()
	tree, err := config.Load(config.Options{Schema: Schema()})
	if err != nil {
		b.Fatal(err)
	}
	s, err := Decode(tree)
	if err != nil {
		b.Fatal(err)
	}
	return s
}

func setting(name string, standard int) int {
	if v, err := strconv.Atoi(os.Getenv(name)); err == nil {
		return v
	}
	return standard
}

// burnt is the CPU time of this process.
func burnt() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// peak is the most memory this process ever had.
func peak() float64 {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return float64(u.Maxrss) / 1024
}

// alerts writes n alerts: some sources do most of it.
func alerts(file string, n, sources int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	rnd := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	severity := []string{"low", "low", "low", "medium", "medium", "high"}
	for i := range n {
		src := int(float64(sources) * rnd.Float64() * rnd.Float64() * rnd.Float64())
		fmt.Fprintf(w, `{"id":"g-%d","timestamp":%q,"source_ip":"203.0.%d.%d","destination_ip":"192.0.2.%d","event_type":"rule_%d","description":"generated alert %d of a rule that fires often","severity":%q,"source_port":%d,"destination_port":%d,"protocol":"tcp","bytes_transferred":%d,"status":"open"}`+"\n",
			i, start.Add(time.Duration(i)*50*time.Millisecond).Format(time.RFC3339Nano), src/250, 1+src%250, 1+rnd.IntN(20), rnd.IntN(40), rnd.IntN(40),
			severity[rnd.IntN(len(severity))], 1024+rnd.IntN(60000), []int{22, 23, 80, 443, 3306}[rnd.IntN(5)], rnd.IntN(100000))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}
