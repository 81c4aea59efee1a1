package app

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"runtime/metrics"
	"strconv"
	"strings"
	"time"
)

// Bounds of the memory the core plans with, in bytes.
const (
	leastMemory = 96 << 20
	mostMemory  = 2 << 30 // more makes nothing faster
)

// budget returns the memory the core plans with: what the operator says, else
// six tenths of what the control group allows (the decoys live there, too) or an
// eighth of the machine, whichever is less.
func budget(mib int64) int64 {
	if mib > 0 {
		return mib << 20
	}
	n := int64(mostMemory)
	if all := machineMemory(); all > 0 {
		n = min(n, all/8)
	}
	if group := groupMemory("/"); group > 0 {
		n = min(n, group*6/10)
	}
	return max(n, leastMemory)
}

// machineMemory reads MemTotal of /proc/meminfo; 0 when it cannot.
func machineMemory() int64 {
	f, err := os.Open("/proc/meminfo")
	if err != nil {
		return 0
	}
	defer f.Close()
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var kib int64
		if n, _ := fmt.Sscanf(lines.Text(), "MemTotal: %d kB", &kib); n == 1 {
			return kib << 10
		}
	}
	return 0
}

// groupMemory returns the least limit of the control groups this process is in,
// of version 2 or 1; 0 when there is none. root is where the machine's files are.
func groupMemory(root string) int64 {
	raw, err := os.ReadFile(filepath.Join(root, "proc/self/cgroup"))
	if err != nil {
		return 0
	}
	least := int64(0)
	for line := range strings.Lines(string(raw)) {
		part := strings.SplitN(strings.TrimSpace(line), ":", 3)
		if len(part) < 3 {
			continue
		}
		top, file := filepath.Join(root, "sys/fs/cgroup"), "memory.max"
		switch {
		case part[1] == "memory":
			top, file = filepath.Join(top, "memory"), "memory.limit_in_bytes"
		case part[1] != "":
			continue
		}
		// A limit of a group above holds as well. A container often sees its own
		// group as the top, whatever the path says.
		for dir := part[2]; ; dir = filepath.Dir(dir) {
			if n := readLimit(filepath.Join(top, dir, file)); n > 0 && (least == 0 || n < least) {
				least = n
			}
			if dir == "/" || dir == "." || dir == "" {
				break
			}
		}
	}
	return least
}

// readLimit reads one limit; 0 when there is none. Version 1 writes a number near
// the largest for none.
func readLimit(path string) int64 {
	raw, err := os.ReadFile(path)
	if err != nil {
		return 0
	}
	n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
	if err != nil || n >= 1<<60 {
		return 0
	}
	return n
}

// Memory is given back to the machine when a burst is over: at most this often,
// when so much was allocated since the last time and, since the last look,
// little. The runtime alone keeps what a burst used for minutes.
const (
	giveBackEvery = 2 * time.Second
	giveBackAfter = 8 << 20
	giveBackQuiet = 2 << 20
)

// While much is allocated memory is collected less often, within the budget:
// collections take a sixth of the time of a flood.
const (
	busyAllocates = 256 << 20 // between two looks
	busyGC        = 200
	quietGC       = 100
)

// watchMemory collects seldom under load and returns memory that nothing uses any
// more. In a quiet core it costs one collection after a burst.
func watchMemory(ctx context.Context) error {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}}
	given, seen, busy := uint64(0), uint64(0), false
	for {
		select {
		case <-ctx.Done():
			debug.SetGCPercent(quietGC)
			return nil
		case <-tick.C:
		}
		metrics.Read(sample)
		now := sample[0].Value.Uint64()
		if b := now-seen > busyAllocates; b != busy {
			busy = b
			percent := quietGC
			if busy {
				percent = busyGC
			}
			debug.SetGCPercent(percent)
		}
		if now-given > giveBackAfter && now-seen < giveBackQuiet {
			given = now
			debug.FreeOSMemory()
		}
		seen = now
	}
}
