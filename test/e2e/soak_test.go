package e2e

import (
	"bytes"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// soakMemory is the limit of the group a core is soaked in.
const soakMemory = 256 << 20

// TestSoak feeds a core in a small memory group and watches what it keeps: no
// process of it may be killed, and what cannot be given up must not grow without
// end. HONEYGUIDE_TRUST_SOAK_RSS_SLOPE says for how many seconds; a short run sees
// a gross leak alone, since what is remembered on purpose is filling up still.
func TestSoak(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the whole product under load; -short leaves it out")
	}
	seconds := rig.Size(t, "soak-rss-slope", 4)
	g := rig.MemoryGroup(t, soakMemory)
	core := rig.StartIn(t, g, t.TempDir(), "sensors.telnet.enabled=false", "sensors.http.enabled=false", "telemetry.level=error")
	began := time.Now()
	length := time.Duration(seconds) * time.Second
	var at, used []float64
	records := 0
	for n := 0; time.Since(began) < length; n++ {
		var body bytes.Buffer
		for w := range 10 {
			text, _, _ := rig.Batch(0, w, n)
			body.Write(text)
		}
		status, answer, err := core.Post("/api/v1/ingest?format=json&name=soak", "application/x-ndjson", &body)
		if err != nil && g.Killed() > 0 && len(used) > 0 {
			break // the figures say so
		}
		if err != nil || status != 200 {
			t.Fatalf("after %v: %d %s %v", time.Since(began), status, answer, err)
		}
		records += 100
		at = append(at, time.Since(began).Hours())
		used = append(used, float64(g.Anonymous())/(1<<20))
		time.Sleep(100 * time.Millisecond)
	}
	half := len(at) / 2
	steep := slope(at[half:], used[half:])
	killed := g.Killed()
	t.Logf("%d records, %.0f MiB at half time, %.0f MiB in the end, %d processes killed", records, used[half], used[len(used)-1], killed)
	t.Logf("TRUST name=soak-oom-kills figure=%d unit=kills target=<=0 of=%d", killed, records)
	t.Logf("TRUST name=soak-rss-slope figure=%.2f unit=MiB/h target=<=1800 of=%d", steep, seconds)
	if killed > 0 || !core.Running() {
		t.Errorf("%d processes were killed for memory", killed)
	}
}

// slope is that of the line through points with the least squares.
func slope(x, y []float64) float64 {
	n, sx, sy, sxx, sxy := float64(len(x)), 0.0, 0.0, 0.0, 0.0
	for i := range x {
		sx, sy, sxx, sxy = sx+x[i], sy+y[i], sxx+x[i]*x[i], sxy+x[i]*y[i]
	}
	if d := n*sxx - sx*sx; d > 0 {
		return (n*sxy - sx*sy) / d
	}
	return 0
}
