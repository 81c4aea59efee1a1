// Package crash kills the core under load and counts what survived.
package crash

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// TestKillNine kills the core 200 times (20 with -short, HONEYGUIDE_TRUST_KILL9_LOST
// says how often else) while records are fed to it, things are changed and
// playbooks tell of incidents, and looks for everything acknowledged afterwards:
// an answer of the API is an acknowledgement, and so is what it has shown. In
// every tenth life all of that happens; the others are short and take records.
func TestKillNine(t *testing.T) {
	kills := rig.Size(t, "kill9-lost", 200)
	if testing.Short() {
		kills = 20
	}
	data := t.TempDir()
	ledger := rig.NewLedger(t)
	sets := append(ledger.Sets(), "sensors.http.enabled=false")
	for kill := range kills {
		core, err := rig.TryStart(t, data, sets...)
		if err != nil {
			t.Fatalf("after kill %d: %v", kill, err)
		}
		stop := ledger.Under(core, rig.Load{Round: kill, Writers: 4, Quiet: kill%10 != 0})
		time.Sleep(time.Duration(60+rand.IntN(190)) * time.Millisecond)
		core.Kill()
		stop()
	}
	core, err := rig.TryStart(t, data, sets...)
	if err != nil {
		t.Fatalf("after the last kill: %v", err)
	}
	t.Cleanup(core.Stop)
	lost := ledger.Compare(t, core)
	core.Stop()
	fmt.Printf("audit: kill -9 x %d under load: %v\n", kills, lost)
	lost.Trust(t, "kill9-lost", kills)
	if a := lost.Acked; lost.Sum() > 0 || a.Records < 20*kills || a.Alerts == 0 || a.Entries == 0 || a.Jobs == 0 {
		t.Errorf("%v (a run that acknowledges next to nothing proves nothing)", lost)
	}
	rig.Whole(t, data)
}
