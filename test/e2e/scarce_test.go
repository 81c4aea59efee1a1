package e2e

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"honeyguide"
	"honeyguide/test/rig"
)

// descriptors sets how many files a process may have open; what is open stays open.
func descriptors(t *testing.T, pid int, n uint64) {
	t.Helper()
	var was unix.Rlimit
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, nil, &was); err != nil {
		t.Fatal(err)
	}
	if err := unix.Prlimit(pid, unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: min(n, was.Max), Max: was.Max}, nil); err != nil {
		t.Fatal(err)
	}
}

// TestNoDescriptors leaves a core and its sensor no descriptor for a while: who
// knocks waits, nothing is taken for damaged, what was acknowledged is there, and
// with descriptors everybody is served.
func TestNoDescriptors(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data, append([]string{"sensors.ssh.enabled=false", "sensors.telnet.enabled=false"}, fast...)...)
	addr := core.Sensor("http")
	pids := append(children(core.PID), core.PID)
	acked := map[string]bool{}
	post := func(n int) {
		body, ids, _ := rig.Batch(0, 0, n)
		status, _, err := core.Post("/api/v1/ingest?format=json&name=scarce", "application/x-ndjson", bytes.NewReader(body))
		if err == nil && status == 200 {
			for _, id := range ids {
				acked[id] = true
			}
		}
	}
	post(0)
	for _, pid := range pids {
		descriptors(t, pid, 0)
	}
	waiting, err := net.Dial("tcp", addr) // the kernel takes it
	if err != nil {
		t.Fatal(err)
	}
	defer waiting.Close()
	fmt.Fprint(waiting, "GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
	_ = waiting.SetReadDeadline(time.Now().Add(time.Second))
	if n, err := waiting.Read(make([]byte, 1)); err == nil {
		t.Errorf("%d bytes came without a descriptor: the limit proves nothing", n)
	}
	for n := range 8 { // over the connection there is
		post(1 + n)
		var x any
		_ = core.Get("/api/v1/events?limit=5", &x)
	}
	for _, pid := range pids {
		descriptors(t, pid, 1<<20)
	}
	_ = waiting.SetReadDeadline(time.Now().Add(20 * time.Second))
	if page, err := io.ReadAll(waiting); err != nil || len(page) == 0 {
		t.Errorf("who waited is served %d bytes: %v", len(page), err)
	}
	rig.Eventually(t, 20*time.Second, "records are taken again", func() bool {
		before := len(acked)
		post(100)
		return len(acked) > before
	})
	events, err := rig.List[honeyguide.Event](core, "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range events {
		delete(acked, e.Str(honeyguide.AttrOriginID))
	}
	if len(acked) > 0 {
		t.Errorf("%d acknowledged records are not there", len(acked))
	}
	core.Stop()
	rig.Whole(t, data)
}

// TestSecondSignal ends a core that waits for a request which never ends: the
// first signal lets it finish, the second ends it at once, with its sensors, and
// what was acknowledged is there.
func TestSecondSignal(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data := t.TempDir()
	core := rig.Start(t, data, append([]string{"sensors.ssh.enabled=false", "sensors.telnet.enabled=false"}, fast...)...)
	kids := children(core.PID)
	body, ids, _ := rig.Batch(0, 0, 0)
	if status, text, err := core.Post("/api/v1/ingest?format=json&name=signals", "application/x-ndjson", bytes.NewReader(body)); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, text, err)
	}
	slow, err := net.Dial("unix", filepath.Join(data, "honeyguide.sock"))
	if err != nil {
		t.Fatal(err)
	}
	defer slow.Close()
	fmt.Fprint(slow, "POST /api/v1/ingest?format=json HTTP/1.1\r\nHost: core\r\nContent-Type: application/x-ndjson\r\nContent-Length: 100000\r\n\r\n{")
	time.Sleep(200 * time.Millisecond) // it is being read
	signal := func() {
		t.Helper()
		if err := syscall.Kill(core.PID, syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
	}
	signal()
	time.Sleep(700 * time.Millisecond)
	if !core.Running() {
		t.Fatalf("it did not wait for a request under way: %s", core.Output())
	}
	signal()
	rig.Eventually(t, 2*time.Second, "it ends with the second signal", func() bool { return !core.Running() })
	rig.Eventually(t, 5*time.Second, "its sensors end with it", func() bool {
		for _, pid := range kids {
			if syscall.Kill(pid, 0) == nil {
				return false
			}
		}
		return true
	})
	again := rig.Start(t, data, append([]string{"sensors.ssh.enabled=false", "sensors.telnet.enabled=false"}, fast...)...)
	events, err := rig.List[honeyguide.Event](again, "/api/v1/events")
	if err != nil {
		t.Fatal(err)
	}
	there := map[string]bool{}
	for _, e := range events {
		there[e.Str(honeyguide.AttrOriginID)] = true
	}
	for _, id := range ids {
		if !there[id] {
			t.Errorf("%s was acknowledged and is not there", id)
		}
	}
	again.Stop()
	rig.Whole(t, data)
}
