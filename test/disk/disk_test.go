// Package disk fills the disk of a core under load, and asks what it answers
// meanwhile and how soon it goes on by itself.
package disk

import (
	"fmt"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// recoverWithin is the promise: so soon after there is room the core takes events
// again, without hands.
const recoverWithin = 10 * time.Second

// leastRate is the load of the promise, in records a second; a short run on a busy
// machine may stay below it.
const leastRate = 1000

// TestDiskFull keeps the disk full for 6 seconds (HONEYGUIDE_TRUST_DISKFULL_LOST says
// how many) while a thousand records a second and visitors of the decoys come.
func TestDiskFull(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	seconds := rig.Size(t, "diskfull-lost", 6)
	dir := small(t, 64)
	data := filepath.Join(dir, "data")
	ledger := rig.NewLedger(t)
	core := rig.Start(t, data, ledger.Sets()...)
	stop := ledger.Under(core, rig.Load{Writers: 4, Pause: 20 * time.Millisecond})
	time.Sleep(1500 * time.Millisecond)
	weight := load(t, dir)
	before, since := ledger.Offered(), time.Now()
	rig.Eventually(t, 5*time.Second, "the core notices", func() bool { return !ready(core) })
	for end := time.Now().Add(time.Duration(seconds) * time.Second); time.Now().Before(end); time.Sleep(200 * time.Millisecond) {
		if !core.Running() {
			t.Fatalf("the core ended on a full disk: %s", core.Output())
		}
		for _, path := range []string{"/api/v1/events?limit=5", "/api/v1/alerts?limit=5", "/api/v1/audit?limit=5"} {
			var x any
			if err := core.Get(path, &x); err != nil {
				t.Errorf("reading goes on, but: %v", err)
			}
		}
	}
	status, body, err := core.Post("/api/v1/ingest?format=json", "application/json", strings.NewReader(`{"id":"late","source_ip":"198.51.100.9","severity":"low"}`))
	if err != nil || status != http.StatusServiceUnavailable || !strings.Contains(string(body), "no room left") {
		t.Errorf("a record on a full disk: %d %s %v", status, body, err)
	}
	var metrics string
	if err := core.Get("/metrics", &metrics); err != nil || !strings.Contains(metrics, "\nhoneyguide_disk_level 2\n") {
		t.Errorf("the metric says another level: %v", err)
	}
	rate := float64(ledger.Offered()-before) / time.Since(since).Seconds()
	weight.drop()
	began := time.Now()
	rig.Eventually(t, 4*recoverWithin, "the core takes events again", func() bool {
		status, _, err := core.Post("/api/v1/ingest?format=json", "application/json", strings.NewReader(`{"id":"after","source_ip":"198.51.100.9","severity":"low"}`))
		return err == nil && status == http.StatusOK && ready(core)
	})
	took := time.Since(began)
	time.Sleep(500 * time.Millisecond)
	stop()
	lost := ledger.Compare(t, core)
	alerts, err := rig.List[honeyguide.Alert](core, "/api/v1/alerts?limit=500")
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]bool{}
	for _, a := range alerts {
		if a.Sensor == "core" {
			said[a.Title] = true
		}
	}
	if !said["The disk of the core was full"] {
		t.Errorf("people are told of %v only", said)
	}
	core.Stop()
	rig.Whole(t, data)
	fmt.Printf("audit: disk full for %d s under %.0f records a second: %v; refused %d; taken again after %v\n", seconds, rate, lost, ledger.Refused(), took.Round(time.Millisecond))
	lost.Trust(t, "diskfull-lost", seconds)
	t.Logf("TRUST name=diskfull-recovery figure=%.3f unit=s target=<=%.0f of=1 offered_a_second=%.0f", took.Seconds(), recoverWithin.Seconds(), rate)
	if lost.Sum() > 0 || ledger.Refused() == 0 || lost.Acked.Records == 0 {
		t.Errorf("%v, refused %d", lost, ledger.Refused())
	}
	if rate < leastRate && seconds > 60 {
		t.Errorf("%.0f records a second were offered while the disk was full, which is not the load that is promised", rate)
	}
	if took > recoverWithin {
		t.Errorf("events are taken after %v", took)
	}
	if out := core.Output(); strings.Contains(out, "panic") {
		t.Errorf("something panicked: %s", out)
	}
}

func ready(c *rig.Core) bool {
	var x any
	return c.Get("/readyz", &x) == nil
}

// TestSmallDisk starts cores on disks that are too small, or barely large enough:
// they say so, or work; nothing breaks.
func TestSmallDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	sizes := []int{1, 20}
	if rig.Size(t, "diskfull-lost", 6) > 60 {
		sizes = []int{1, 2, 4, 8, 16, 20, 24, 28, 32, 40, 48, 64}
	}
	for _, mib := range sizes {
		core, err := rig.TryStart(t, filepath.Join(small(t, mib), "data"))
		switch {
		case err == nil:
			core.Stop()
			t.Logf("%d MiB: works", mib)
		case strings.Contains(err.Error(), "panic") || !strings.Contains(err.Error(), "make room"):
			t.Errorf("%d MiB: %v", mib, err)
		default:
			t.Logf("%d MiB: refused", mib)
		}
	}
}
