package app

import (
	"context"
	"runtime/debug"
	"runtime/metrics"
	"time"
)

// Memory is given back to the machine when a burst is over: at most this often,
// when so much was allocated since the last time and, since the last look,
// little. The runtime alone keeps what a burst used for minutes.
const (
	giveBackEvery = 2 * time.Second
	giveBackAfter = 8 << 20
	giveBackQuiet = 2 << 20
)

// giveBack returns memory that nothing uses any more. It costs one collection
// after a burst, and none in a quiet core.
func giveBack(ctx context.Context) error {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	given, seen := uint64(0), uint64(0)
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(sample)
		now := sample[0].Value.Uint64()
		if now-given > giveBackAfter && now-seen < giveBackQuiet {
			given = now
			debug.FreeOSMemory()
		}
		seen = now
	}
}
