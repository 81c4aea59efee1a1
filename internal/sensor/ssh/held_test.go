package ssh_test

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"testing"
	"time"

	xssh "golang.org/x/crypto/ssh"

	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
	"honeyguide/internal/sensor/ssh"
)

const held = 200

// TestCrowd is no test: TestHeldConnections runs it in a process of its own, so
// that what the peers take is not counted.
func TestCrowd(t *testing.T) {
	addr := os.Getenv("CROWD_ADDR")
	if addr == "" {
		t.Skip("run by TestHeldConnections")
	}
	config := &xssh.ClientConfig{
		User: "root", Auth: []xssh.AuthMethod{xssh.Password(password)}, HostKeyCallback: xssh.InsecureIgnoreHostKey(),
	}
	config.Ciphers = []string{os.Getenv("CROWD_CIPHER")}
	for range held {
		c, err := xssh.Dial("tcp", addr, config)
		if err != nil {
			t.Fatal(err)
		}
		s, err := c.NewSession()
		if err != nil {
			t.Fatal(err)
		}
		if err := s.RequestPty("xterm", 24, 80, xssh.TerminalModes{}); err != nil {
			t.Fatal(err)
		}
	}
	fmt.Println("here")
	_, _ = io.Copy(io.Discard, os.Stdin)
}

// TestHeldConnections measures what a peer takes who is in, has a terminal and
// says nothing. The shell is not counted; the events the harness keeps are.
func TestHeldConnections(t *testing.T) {
	for _, cipher := range []string{"chacha20-poly1305@openssh.com", "aes128-gcm@openssh.com", "aes128-ctr"} {
		r := sensortest.Start(t, ssh.Kind, sensortest.Options{
			Config: always, World: sensortest.NewWorld(t, sensortest.Simple), Limits: sensor.Limits{PerSource: 1000},
		})
		var before, after runtime.MemStats
		settle(&before)
		crowd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestCrowd$")
		crowd.Env = append(os.Environ(), "CROWD_ADDR="+r.Addr, "CROWD_CIPHER="+cipher)
		in, err := crowd.StdinPipe()
		if err != nil {
			t.Fatal(err)
		}
		out, err := crowd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := crowd.Start(); err != nil {
			t.Fatal(err)
		}
		if line, err := bufio.NewReader(out).ReadString('\n'); line != "here\n" {
			t.Fatalf("the crowd says %q, %v", line, err)
		}
		settle(&after)
		heap := (int64(after.HeapAlloc) - int64(before.HeapAlloc)) / held
		stack := (int64(after.StackInuse) - int64(before.StackInuse)) / held
		t.Logf("%s: %d bytes of heap, %d of stack", cipher, heap, stack)
		if heap+stack > 14<<10 && !raceDetector {
			t.Errorf("%s: a held connection takes %d bytes", cipher, heap+stack)
		}
		_ = in.Close()
		_ = crowd.Wait()
		_ = r.Stop()
	}
}

// settle collects often enough for stacks to shrink, which they do by half at a
// time.
func settle(m *runtime.MemStats) {
	for range 5 {
		runtime.GC()
		time.Sleep(20 * time.Millisecond)
	}
	runtime.ReadMemStats(m)
}
