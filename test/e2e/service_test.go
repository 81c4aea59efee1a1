package e2e

import (
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// TestServiceManager starts a core as systemd does with Type=notify and
// WatchdogSec: it says that it is ready, that it lives, and that it stops.
func TestServiceManager(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	path := filepath.Join(t.TempDir(), "notify")
	l, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	t.Setenv("NOTIFY_SOCKET", path)
	t.Setenv("WATCHDOG_USEC", "1000000")
	core := rig.Start(t, t.TempDir(), "sensors.ssh.enabled=false", "sensors.telnet.enabled=false")
	heard := func(want string) bool {
		buf := make([]byte, 4096)
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); {
			_ = l.SetReadDeadline(end)
			n, err := l.Read(buf)
			if err != nil {
				return false
			}
			if strings.Contains("\n"+string(buf[:n])+"\n", "\n"+want+"\n") {
				return true
			}
		}
		return false
	}
	for _, want := range []string{"READY=1", "WATCHDOG=1", "WATCHDOG=1"} {
		if !heard(want) {
			t.Fatalf("never said %s: %s", want, core.Output())
		}
	}
	if err := syscall.Kill(core.PID, syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if !heard("STOPPING=1") {
		t.Errorf("never said that it stops: %s", core.Output())
	}
	rig.Eventually(t, 20*time.Second, "it has ended", func() bool { return !core.Running() })
}
