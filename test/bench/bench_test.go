// Package bench measures the budgets of the design on the built binary. Every
// figure is of this machine at this hour: client and server share it. Compare
// ratios and medians, not rates of different days.
//
//	go test -run '^$' -bench . -benchtime 1x ./test/bench
package bench

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"honeyguide/test/rig"
)

const password = "bench-password"

// decoys starts a core whose SSH decoy accepts everybody at once.
func decoys(b *testing.B) *rig.Core {
	b.Helper()
	return rig.Start(b, b.TempDir(), "sensors.ssh.accept=always", "sensors.ssh.delay=0s", "sensors.telnet.enabled=false", "sensors.http.enabled=false",
		"deception.per_source=10000", "telemetry.level=warn")
}

func dial(addr string) (*ssh.Client, error) {
	return ssh.Dial("tcp", addr, &ssh.ClientConfig{
		User: "root", Auth: []ssh.AuthMethod{ssh.Password(password)},
		HostKeyCallback: ssh.InsecureIgnoreHostKey(), ClientVersion: "SSH-2.0-OpenSSH_9.2p1", Timeout: 30 * time.Second,
	})
}

// BenchmarkSSHLoginExec: 128 clients log in, run `uname -a`, leave. Budget:
// >= 600/s, p99 <= 250 ms, <= 1.2 CPU seconds per 1000 (server only).
func BenchmarkSSHLoginExec(b *testing.B) {
	const clients, total = 128, 3000
	core := decoys(b)
	addr := core.Sensor("ssh")
	for b.Loop() {
		before, own := cpu(core.PID), cpuOf(core.PID)
		var next, failed atomic.Int64
		took := make([]time.Duration, total)
		began := time.Now()
		var wg sync.WaitGroup
		for range clients {
			wg.Go(func() {
				for i := next.Add(1) - 1; i < total; i = next.Add(1) - 1 {
					at := time.Now()
					if err := execOnce(addr); err != nil {
						failed.Add(1)
						b.Log(err)
					}
					took[i] = time.Since(at)
				}
			})
		}
		wg.Wait()
		elapsed := time.Since(began)
		slices.Sort(took)
		b.ReportMetric(total/elapsed.Seconds(), "logins/s")
		b.ReportMetric(float64(took[total/2].Milliseconds()), "p50-ms")
		b.ReportMetric(float64(took[total*99/100].Milliseconds()), "p99-ms")
		b.ReportMetric((cpu(core.PID)-before)/total*1000, "cpu-s/1000")
		b.ReportMetric((cpuOf(core.PID)-own)/total*1000, "core-cpu-s/1000")
		b.ReportMetric(float64(failed.Load()), "failed")
	}
}

func execOnce(addr string) error {
	c, err := dial(addr)
	if err != nil {
		return err
	}
	defer c.Close()
	s, err := c.NewSession()
	if err != nil {
		return err
	}
	out, err := s.Output("uname -a")
	if err == nil && !bytes.Contains(out, []byte("Linux")) {
		err = fmt.Errorf("unexpected answer %q", out)
	}
	return err
}

// BenchmarkIdleShells: 2000 open shells. Budget: <= 150 MiB in all; a sensor at
// rest <= 30 MiB.
func BenchmarkIdleShells(b *testing.B) {
	const shells = 2000
	core := decoys(b)
	addr := core.Sensor("ssh")
	for b.Loop() {
		rest, own := memory(core.PID), memoryOf(core.PID)
		var clients []*ssh.Client
		var mu sync.Mutex
		var wg sync.WaitGroup
		var next atomic.Int64
		for range 16 {
			wg.Go(func() {
				for next.Add(1) <= shells {
					c, err := hold(addr)
					if err != nil {
						b.Error(err)
						return
					}
					mu.Lock()
					clients = append(clients, c)
					mu.Unlock()
				}
			})
		}
		wg.Wait()
		time.Sleep(5 * time.Second) // a garbage collection or two
		b.ReportMetric(rest, "idle-MiB")
		b.ReportMetric(own, "core-idle-MiB")
		b.ReportMetric(memory(core.PID), "open-MiB")
		b.ReportMetric(memoryOf(core.PID), "core-open-MiB")
		b.ReportMetric(float64(len(clients)), "shells")
		for _, c := range clients {
			c.Close()
		}
	}
}

func hold(addr string) (*ssh.Client, error) {
	c, err := dial(addr)
	if err != nil {
		return nil, err
	}
	s, err := c.NewSession()
	if err != nil {
		return nil, err
	}
	s.Stdout = io.Discard
	if _, err := s.StdinPipe(); err != nil {
		return nil, err
	}
	if err := s.RequestPty("xterm", 24, 80, ssh.TerminalModes{}); err != nil {
		return nil, err
	}
	return c, s.Shell()
}

// BenchmarkReady: from exec to the first banner. Budget: <= 150 ms for a
// sensor; the figure here is the whole product with its store.
func BenchmarkReady(b *testing.B) {
	data := b.TempDir()
	first, err := rig.TryStart(b, data) // makes keys
	if err != nil {
		b.Fatal(err)
	}
	first.Stop()
	var took []time.Duration
	for b.Loop() {
		for range 5 {
			at := time.Now()
			core, err := rig.TryStart(b, data)
			if err != nil {
				b.Fatal(err)
			}
			took = append(took, time.Since(at))
			core.Stop()
		}
	}
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Milliseconds()), "ready-ms")
}

// BenchmarkIngestMillion feeds generated alerts through the whole pipeline:
// parsed, durable, enriched, detected, triaged. Budget: >= 20,000 events/s.
// BENCH_ALERTS changes how many.
func BenchmarkIngestMillion(b *testing.B) {
	n := 1_000_000
	if v, err := strconv.Atoi(os.Getenv("BENCH_ALERTS")); err == nil {
		n = v
	}
	file := filepath.Join(b.TempDir(), "alerts.ndjson")
	if err := generate(file, n); err != nil {
		b.Fatal(err)
	}
	for b.Loop() {
		data := b.TempDir()
		at := time.Now()
		out, errs, status := rig.CLI(b, data, nil, "ingest", "-o", "json", file)
		if status != 0 {
			b.Fatalf("status %d: %s%s", status, out, errs)
		}
		b.ReportMetric(float64(n)/time.Since(at).Seconds(), "events/s")
	}
}

// generate writes n generic alerts: 5,000 sources by a rough power law, 40 rules.
func generate(file string, n int) error {
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 1<<20)
	rnd := rand.New(rand.NewPCG(1, 2))
	start := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	severity := []string{"low", "low", "low", "medium", "medium", "high"}
	for i := range n {
		src := int(5000 * rnd.Float64() * rnd.Float64() * rnd.Float64())
		fmt.Fprintf(w, `{"id":"g-%d","timestamp":%q,"source_ip":"203.0.%d.%d","destination_ip":"192.0.2.%d","event_type":"rule_%d","description":"generated alert %d of a rule that fires often","severity":%q,"source_port":%d,"destination_port":%d,"protocol":"tcp","bytes_transferred":%d,"status":"open"}`+"\n",
			i, start.Add(time.Duration(i)*50*time.Millisecond).Format(time.RFC3339Nano), src/250, 1+src%250, 1+rnd.IntN(20), rnd.IntN(40), rnd.IntN(40),
			severity[rnd.IntN(len(severity))], 1024+rnd.IntN(60000), []int{22, 23, 80, 443, 3306}[rnd.IntN(5)], rnd.IntN(100000))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	return f.Close()
}

// tree returns pid and its descendants.
func tree(pid int) []int {
	out := []int{pid}
	children, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return out
	}
	for _, file := range children {
		raw, _ := os.ReadFile(file)
		for _, f := range strings.Fields(string(raw)) {
			if child, err := strconv.Atoi(f); err == nil {
				out = append(out, tree(child)...)
			}
		}
	}
	return out
}

// cpu returns user and system seconds of the process tree.
func cpu(pid int) float64 {
	seconds := 0.0
	for _, p := range tree(pid) {
		seconds += cpuOf(p)
	}
	return seconds
}

// cpuOf returns user and system seconds of one process.
func cpuOf(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0
	}
	ticks := 0.0
	f := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	for _, i := range []int{11, 12} { // utime, stime
		n, _ := strconv.ParseFloat(f[i], 64)
		ticks += n
	}
	return ticks / 100 // USER_HZ
}

// memory returns the proportional set size of the process tree in MiB.
func memory(pid int) float64 {
	mib := 0.0
	for _, p := range tree(pid) {
		mib += memoryOf(p)
	}
	return mib
}

// memoryOf returns the proportional set size of one process in MiB.
func memoryOf(pid int) float64 {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", pid))
	if err != nil {
		return 0
	}
	for _, line := range rig.Lines(string(raw)) {
		if strings.HasPrefix(line, "Pss:") {
			kib, _ := strconv.ParseFloat(strings.Fields(line)[1], 64)
			return kib / 1024
		}
	}
	return 0
}
