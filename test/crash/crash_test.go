// Package crash kills the core under load and counts what survived.
package crash

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// TestKillNine kills the core 200 times (20 with -short, or as often as
// HONEYGUIDE_TRUST_KILL9_LOST says) while records are fed
// to it, and looks for every acknowledged one afterwards. An answer of the API
// is the acknowledgement: it comes after the append is on disk.
func TestKillNine(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	kills = rig.Size(t, "kill9-lost", kills)
	data := t.TempDir()
	audit := struct{ acked, batches, inFlight int }{}
	acked := map[string]bool{}
	for kill := range kills {
		core, err := rig.TryStart(t, data, "sensors.ssh.enabled=false", "sensors.telnet.enabled=false", "sensors.http.enabled=false")
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		ids, open := load(core, kill, time.Duration(60+rand.IntN(190))*time.Millisecond)
		for _, id := range ids {
			acked[id] = true
		}
		audit.acked += len(ids)
		audit.batches++
		audit.inFlight += open
	}
	core, err := rig.TryStart(t, data)
	if err != nil {
		t.Fatalf("after the last kill: %v", err)
	}
	t.Cleanup(core.Stop)
	events, err := rig.List[honeyguide.Event](core, "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]int{}
	for _, e := range events {
		if id := e.Str(honeyguide.AttrOriginID); id != "" {
			found[id]++
		}
	}
	lost, twice := 0, 0
	for id := range acked {
		switch found[id] {
		case 0:
			lost++
		case 1:
		default:
			twice++
		}
	}
	t.Logf("audit: %d kills, %d records acknowledged, %d requests cut off, %d events stored, %d acknowledged lost, %d acknowledged stored twice",
		kills, audit.acked, audit.inFlight, len(events), lost, twice)
	fmt.Printf("audit: kill -9 x %d under load: acknowledged %d, found again %d, lost %d, twice %d (cut-off requests: %d)\n",
		kills, len(acked), len(acked)-lost, lost, twice, audit.inFlight)
	t.Logf("TRUST name=kill9-lost figure=%d unit=records target=<=0 of=%d kills=%d", lost+twice, len(acked), kills)
	if lost > 0 || twice > 0 || len(acked) < 20*kills {
		t.Errorf("lost %d, twice %d of %d acknowledged (a run that acknowledges next to nothing proves nothing)", lost, twice, len(acked))
	}
}

// load feeds batches from four writers and kills the core after a while. It
// returns the ids of records whose request was answered.
func load(core *rig.Core, round int, after time.Duration) (acked []string, open int) {
	var mu sync.Mutex
	var wg sync.WaitGroup
	for w := range 4 {
		wg.Go(func() {
			for n := 0; core.Running(); n++ {
				body, ids := batch(round, w, n)
				status, _, err := core.Post("/api/v1/ingest?format=json&name=crash", "application/x-ndjson", bytes.NewReader(body))
				mu.Lock()
				if err == nil && status == 200 {
					acked = append(acked, ids...)
				} else {
					open++
				}
				mu.Unlock()
				if err != nil {
					return
				}
			}
		})
	}
	time.Sleep(after)
	core.Kill()
	wg.Wait()
	return acked, open
}

// batch is ten generic alerts with ids of their own.
func batch(round, writer, n int) (body []byte, ids []string) {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	for i := range 10 {
		id := fmt.Sprintf("r%d-w%d-n%d-%d", round, writer, n, i)
		ids = append(ids, id)
		_ = enc.Encode(map[string]any{ // a map of plain values always encodes
			"id": id, "timestamp": time.Now().UTC().Format(time.RFC3339Nano), "source_ip": fmt.Sprintf("198.51.100.%d", 1+n%200),
			"destination_ip": "192.0.2.10", "event_type": "intrusion_attempt", "description": "crash load", "severity": "medium",
			"source_port": 40000 + i, "destination_port": 22, "protocol": "tcp",
		})
	}
	return b.Bytes(), ids
}
