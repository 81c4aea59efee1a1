package honeyguide_test

import (
	"slices"
	"strings"
	"testing"
)

const module = "honeyguide"

// floor says on which floor of the house each room stands. A room may import
// rooms of lower floors only.
var floor = map[string]int{
	// 0: words, data, and how hostile words are shown; they import nothing of the house
	".": 0, "web": 0, "rules": 0, "internal/safetext": 0,
	// 1: tools
	"internal/kind": 1, "internal/reserve": 1, "internal/config": 1, "internal/telemetry": 1, "internal/supervise": 1,
	"internal/netx": 1, "internal/indicator": 1, "internal/seal": 1, "internal/schema": 1, "internal/attack": 1,
	"internal/sqldb": 1, "internal/colblock": 1, "internal/image": 1, "internal/ipc": 1, "internal/sandbox": 1, "internal/client": 1,
	"internal/sshwire": 1, "internal/evtx": 1, "internal/sigma": 1, "internal/triage": 1, "internal/cmdline": 1,
	"internal/personal": 1,
	// 2: what sensors share, the state that jobs stand on, what processes in cages share, and the attacker of the demo
	"internal/deception": 2, "internal/state": 2, "internal/caged": 2, "internal/certs": 2, "internal/audit": 2, "internal/demo": 2, "internal/rootfs": 2, "internal/rulebook": 2,
	// 3: the processes that hold one right each
	"internal/fwhelper": 3, "internal/fetcher": 3,
	// 4: hosts; their sub-folders are kinds
	"internal/sensor": 4, "internal/ingest": 4, "internal/enrich": 4, "internal/detect": 4, "internal/respond": 4,
	"internal/eventlog": 4, "internal/jobs": 4, "internal/worlds": 4, "internal/sink": 4, "internal/evidence": 4, "internal/auth": 4,
	// 5: the flow
	"internal/pipeline": 5, "internal/source": 5, "internal/warden": 5, "internal/incident": 5, "internal/verdict": 5, "internal/playbook": 5, "internal/report": 5, "internal/blocklist": 5, "internal/notice": 5, "internal/live": 5, "internal/hunt": 5, "internal/privacy": 5, "internal/comply": 5,
	"internal/backup": 5,
	// 6: what playbooks do
	"internal/runs": 6,
	// 6: evidence that leaves
	"internal/bundle": 6,
	// 7: doors
	"internal/api": 7, "internal/builtin": 7,
	// 8 and up: wiring
	"internal/app": 8, "internal/cli": 9, "cmd": 10,
	// outside the house: nobody imports these but tests
	"internal/archtest": 11, "tools": 11, "test": 11,
}

// kit lists the packages of internal/deception. Each may import those before it.
var kit = []string{"vfs", "machine", "token", "persona", "llm", "sftp", "coreutils", "shell", "fidelity"}

// kitUsers are the rooms that may import internal/deception.
var kitUsers = []string{"internal/deception", "internal/sensor", "internal/app", "internal/cli"}

// room returns the room a folder belongs to: "internal/x" or the first element.
func room(dir string) string {
	parts := strings.Split(dir, "/")
	if parts[0] == "internal" && len(parts) > 1 {
		return parts[0] + "/" + parts[1]
	}
	return parts[0]
}

// lawful reports whether folder from may import folder to.
func lawful(from, to string) bool {
	rf, rt := room(from), room(to)
	switch {
	case rt == "internal/deception":
		return slices.Contains(kitUsers, rf) && (rf != rt || earlier(from, to))
	case rt == "internal/builtin":
		return rf == "internal/app"
	case rf == rt:
		// A kind may use its host, its own sub-folders and <room>/internal.
		return to == rt || strings.HasPrefix(to, from+"/") || to == rt+"/internal"
	case to == rt:
		return floor[rt] < floor[rf]
	default:
		return rf == "internal/builtin" // only builtin links kinds
	}
}

// earlier reports whether to stands before from in the kit.
func earlier(from, to string) bool {
	part := func(dir string) int {
		name, _, _ := strings.Cut(strings.TrimPrefix(dir, "internal/deception/"), "/")
		return slices.Index(kit, name)
	}
	if strings.HasPrefix(to, from+"/") {
		return true
	}
	return part(to) >= 0 && part(to) < part(from)
}

func TestFloors(t *testing.T) {
	for _, f := range parse(t) {
		if _, ok := floor[room(f.Dir)]; !ok {
			t.Errorf("%s: room %s has no floor", f.Path, room(f.Dir))
		}
		if f.Test {
			continue
		}
		for _, to := range f.Internal(module) {
			if to != f.Dir && !lawful(f.Dir, to) {
				t.Errorf("%s may not import %s", f.Path, to)
			}
		}
	}
}
