// Package power cuts the power of a core under load and counts what survived. A
// kill says nothing about power: what a killed process wrote is safe in the
// kernel. Here the file system forgets what was not on the disk.
package power

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// TestPowerCut cuts the power twice (HONEYGUIDE_TRUST_POWERCUT_LOST says how often)
// at random moments under load. What was acknowledged before a cut must be there
// in the end.
func TestPowerCut(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	rounds := rig.Size(t, "powercut-lost", 2)
	rig.Binary(t)
	d := newDisk(t, 512)
	data := filepath.Join(d.at, "data")
	ledger := rig.NewLedger(t)
	careless := 0
	for round := range rounds {
		core, err := rig.TryStart(t, data, ledger.Sets()...)
		if err != nil {
			t.Fatalf("after cut %d: %v", round, err)
		}
		control := beCareless(t, filepath.Join(d.at, "control.db"))
		stop := ledger.Under(core, rig.Load{Round: round, Writers: 3})
		time.Sleep(time.Duration(800+rand.IntN(1700)) * time.Millisecond)
		ledger.Close()
		d.cut()
		time.Sleep(time.Duration(rand.IntN(200)) * time.Millisecond)
		core.Kill()
		stop()
		control.stop()
		<-control.done
		d.restore()
		careless += control.lost(t)
	}
	core, err := rig.TryStart(t, data, ledger.Sets()...)
	if err != nil {
		t.Fatalf("after the last cut: %v", err)
	}
	lost := ledger.Compare(t, core)
	core.Stop()
	fmt.Printf("audit: power cut x %d under load: %v; a careless writer lost %d rows\n", rounds, lost, careless)
	lost.Trust(t, "powercut-lost", rounds)
	if lost.Sum() > 0 {
		t.Errorf("lost: %v", lost)
	}
	if careless == 0 {
		t.Error("a writer that does not sync lost nothing: these cuts prove nothing")
	}
	if a := lost.Acked; a.Records < 20*rounds || a.Alerts == 0 || a.Entries == 0 || a.Jobs == 0 {
		t.Errorf("next to nothing was acknowledged, which proves nothing: %v", lost)
	}
	rig.Whole(t, data)
}
