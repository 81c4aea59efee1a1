package rig

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// A Group is a control group with a memory limit and no swap.
type Group struct {
	dir  string
	peak string // file with the most memory used so far
}

// MemoryGroup makes a control group of either version that may take limit bytes.
// Without the right to make one the test is skipped, and fails with CI=true.
func MemoryGroup(t testing.TB, limit int64) *Group {
	t.Helper()
	g, files := &Group{}, map[string]string{}
	name := fmt.Sprintf("honeyguide-%d", os.Getpid())
	if _, err := os.Stat("/sys/fs/cgroup/cgroup.controllers"); err == nil {
		g.dir, g.peak = filepath.Join("/sys/fs/cgroup", name), "memory.peak"
		files["memory.max"], files["memory.swap.max"] = strconv.FormatInt(limit, 10), "0"
	} else {
		g.dir, g.peak = filepath.Join("/sys/fs/cgroup/memory", name), "memory.max_usage_in_bytes"
		files["memory.limit_in_bytes"] = strconv.FormatInt(limit, 10)
	}
	if err := os.Mkdir(g.dir, 0o755); err != nil {
		lacking(t, "no control group can be made here: %v", err)
	}
	t.Cleanup(func() { _ = os.Remove(g.dir) })
	for file, value := range files {
		if err := os.WriteFile(filepath.Join(g.dir, file), []byte(value), 0o600); err != nil && file != "memory.swap.max" {
			lacking(t, "the control group takes no memory limit: %v", err)
		}
	}
	return g
}

// number reads one figure of the group, 0 when it has none.
func (g *Group) number(file, field string) int64 {
	raw, err := os.ReadFile(filepath.Join(g.dir, file))
	if err != nil {
		return 0
	}
	for line := range strings.Lines(string(raw)) {
		words := strings.Fields(line)
		if field == "" && len(words) == 1 || len(words) == 2 && words[0] == field {
			n, _ := strconv.ParseInt(words[len(words)-1], 10, 64)
			return n
		}
	}
	return 0
}

// Anonymous returns the bytes that are no cache of files: what cannot be given up.
func (g *Group) Anonymous() int64 {
	return max(g.number("memory.stat", "anon"), g.number("memory.stat", "total_rss"))
}

// Killed returns how many processes the kernel killed for memory.
func (g *Group) Killed() int64 {
	return max(g.number("memory.events", "oom_kill"), g.number("memory.oom_control", "oom_kill"))
}
