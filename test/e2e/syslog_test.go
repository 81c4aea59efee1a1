package e2e

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// freePort returns a port nobody listens on, by TCP and UDP.
func freePort(t *testing.T) string {
	t.Helper()
	for range 20 {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		addr := l.Addr().String()
		u, err := net.ListenPacket("udp", addr)
		l.Close()
		if err == nil {
			u.Close()
			return addr
		}
	}
	t.Fatal("no free port")
	return ""
}

// TestSyslogOfRealPrograms sends by logger (datagrams, streams, octet counting)
// and through rsyslogd, and finds what was said.
func TestSyslogOfRealPrograms(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	logger, rsyslogd := rig.Need(t, "logger"), rig.Need(t, "rsyslogd")
	addr := freePort(t)
	host, port, _ := net.SplitHostPort(addr)
	core := rig.Start(t, t.TempDir(), bare("sources.hosts.kind=syslog", "sources.hosts.listen="+addr)...)
	said := func(word string) func() bool {
		return func() bool {
			events, err := rig.List[honeyguide.Event](core, "/api/v1/events?sensor=hosts")
			if err != nil {
				t.Fatal(err)
			}
			for _, e := range events {
				if strings.Contains(fmt.Sprint(e.Attrs), word) && e.Attrs["source.peer"] == "127.0.0.1" {
					return true
				}
			}
			return false
		}
	}
	for word, flags := range map[string][]string{
		"datagrammed": {"--udp"}, "streamed": {"--tcp"}, "countedoctets": {"--tcp", "--octet-count"}, "oldformat": {"--udp", "--rfc3164"},
	} {
		args := append(flags, "--server", host, "--port", port, "-t", "sshd", "Failed password for "+word+" from 198.51.100.7 port 4222 ssh2")
		if out, err := exec.Command(logger, args...).CombinedOutput(); err != nil {
			t.Fatalf("logger %v: %v: %s", flags, err, out)
		}
		rig.Eventually(t, 20*time.Second, word, said(word))
	}

	dir := t.TempDir()
	socket := filepath.Join(dir, "log")
	conf := filepath.Join(dir, "rsyslog.conf")
	write(t, conf, []byte(fmt.Sprintf(`
module(load="imuxsock" SysSock.Use="off")
input(type="imuxsock" Socket=%q)
global(workDirectory=%q)
*.* action(type="omfwd" target=%q port=%q protocol="tcp" TCP_Framing="octet-counted" template="RSYSLOG_SyslogProtocol23Format")
`, socket, dir, host, port)))
	relay := exec.Command(rsyslogd, "-n", "-f", conf, "-i", filepath.Join(dir, "pid"))
	relay.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := relay.Start(); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = relay.Process.Kill(); _ = relay.Wait() }()
	rig.Eventually(t, 20*time.Second, "rsyslogd opens its socket", func() bool { _, err := os.Stat(socket); return err == nil })
	if out, err := exec.Command(logger, "--socket", socket, "-t", "sshd", "Failed password for relayed from 198.51.100.7 port 4223 ssh2").CombinedOutput(); err != nil {
		t.Fatalf("logger: %v: %s", err, out)
	}
	rig.Eventually(t, 20*time.Second, "what rsyslogd relays", said("relayed"))
	if s := status(t, core, "hosts"); s.Rejected != 0 || s.Records < 5 || s.Dropped != 0 {
		t.Errorf("%+v", s)
	}
}
