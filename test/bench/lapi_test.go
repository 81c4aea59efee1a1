package bench

import (
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	api "honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/test/rig"
)

// blocked makes a data folder whose state holds n blocks in force.
func blocked(b *testing.B, n int) (data string) {
	b.Helper()
	data = b.TempDir()
	store, err := sqlite.Kind.Open(b.Context(), nil, state.Deps{Dir: data})
	if err != nil {
		b.Fatal(err)
	}
	defer store.Close()
	now := time.Now()
	for from := 0; from < n; from += 5000 {
		err := store.Update(b.Context(), func(tx state.Tx) error {
			for i := from; i < min(from+5000, n); i++ {
				p := &honeyguide.Plan{
					ID: honeyguide.DerivedID(now, strconv.Itoa(i)), Incident: honeyguide.DerivedID(now, "i", strconv.Itoa(i/3)), Playbook: "contain",
					Step: "publish", Action: "blocklist", Target: netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}).String(),
					Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified, Reason: "An incident of high severity opened.",
					CreatedAt: now, AppliedAt: now, VerifiedAt: now, ExpiresAt: now.Add(24 * time.Hour),
				}
				if err := tx.Plans().Save(b.Context(), p); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			b.Fatal(err)
		}
	}
	return data
}

// footprint is what a process takes in MiB: now, and at its highest.
func footprint(b *testing.B, pid int) (now, peak float64) {
	b.Helper()
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak
}

// BenchmarkBouncers: 100 bouncers start at once and take 300,000 decisions each.
// Budget: the core's memory stays below 300 MiB.
func BenchmarkBouncers(b *testing.B) {
	const readers, blocks = 100, 300_000
	data := blocked(b, blocks)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	core := rig.Start(b, data, "node.memory_mib=192", "lapi.listen="+addr, "sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false", "telemetry.level=warn")
	var key api.BouncerKey
	if out, _, _ := rig.CLI(b, data, nil, "bouncers", "add", "crowd", "-o", "json"); json.Unmarshal([]byte(out), &key) != nil {
		b.Fatal(out)
	}
	take := func() (int64, error) {
		req, err := http.NewRequest(http.MethodGet, "http://"+addr+"/v1/decisions/stream?startup=true", nil)
		if err != nil {
			return 0, err
		}
		req.Header.Set("X-Api-Key", key.Key)
		for {
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				return 0, err
			}
			n, err := io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return n, err
			}
			time.Sleep(100 * time.Millisecond) // it still reads its state
		}
	}
	began := time.Now()
	if _, err := take(); err != nil {
		b.Fatal(err)
	}
	b.ReportMetric(time.Since(began).Seconds(), "s-first")
	idle, _ := footprint(b, core.PID)
	var bytes int64
	for b.Loop() {
		var wg sync.WaitGroup
		for range readers {
			wg.Go(func() {
				n, err := take()
				if err != nil || n < blocks*100 {
					b.Errorf("%d bytes, %v", n, err)
				}
				atomic.StoreInt64(&bytes, n)
			})
		}
		wg.Wait()
	}
	_, peak := footprint(b, core.PID)
	b.SetBytes(bytes * readers)
	b.ReportMetric(idle, "MiB-idle")
	b.ReportMetric(peak, "MiB-peak")
}
