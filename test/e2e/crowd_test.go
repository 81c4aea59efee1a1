package e2e

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"honeyguide/test/rig"
)

// crowd is how many connections are held: the budget of the design, as far as
// this process may open descriptors.
const crowd = 10_000

// crowdMemory bounds what the whole product may hold for them.
const crowdMemory = 512 << 20

// TestCrowd holds thousands of connections that say nothing, from several
// sources, and sees that a newcomer still gets in and that memory stays bounded.
func TestCrowd(t *testing.T) {
	if testing.Short() {
		t.Skip("opens thousands of connections; -short leaves it out")
	}
	n := rig.Size(t, "idle-connections", crowd)
	var lim syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &lim); err != nil {
		t.Fatal(err)
	}
	if have := int(lim.Max) - 500; have < n {
		n = have
	}
	core := rig.Start(t, t.TempDir(), append(fast, "sensors.ssh.accept=always", "deception.per_source=4000", "deception.max_sessions="+strconv.Itoa(crowd+100))...)
	addr := core.Sensor("ssh")
	var mu sync.Mutex
	var conns []net.Conn
	var wg sync.WaitGroup
	for source := range 4 {
		wg.Go(func() {
			d := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 1, byte(1+source))}, Timeout: time.Minute}
			for range n / 4 {
				c, err := d.Dial("tcp", addr)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				conns = append(conns, c)
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	defer func() {
		for _, c := range conns {
			c.Close()
		}
	}()
	_ = conns[len(conns)-1].SetReadDeadline(time.Now().Add(2 * time.Minute))
	if line, err := bufio.NewReader(conns[len(conns)-1]).ReadString('\n'); err != nil || !strings.HasPrefix(line, "SSH-2.0-OpenSSH") {
		t.Errorf("the last of %d was not greeted: %q, %v", len(conns), line, err)
	}
	slowest := time.Duration(0)
	for range 3 {
		began := time.Now()
		if out, status := ssh(t, addr, "root", "x", "", "echo still-$((40+2))"); status != 0 || !strings.Contains(out, "still-42") {
			t.Errorf("a newcomer among %d: status %d, %q", len(conns), status, out)
		}
		slowest = max(slowest, time.Since(began))
	}
	rss := memory(t, core.PID)
	t.Logf("TRUST name=idle-connections figure=%d unit=connections target=>=%d of=%d memory_mib=%d", held(t, conns), n, len(conns), rss>>20)
	t.Logf("TRUST name=idle-newcomer figure=%d unit=ms target=<=1000 of=3", slowest.Milliseconds())
	t.Logf("%d connections held, newcomers logged in within %v, %d MiB in all", len(conns), slowest.Round(time.Millisecond), rss>>20)
	if rss > crowdMemory {
		t.Errorf("%d MiB for %d idle connections, want at most %d", rss>>20, len(conns), crowdMemory>>20)
	}
}

// held counts the connections whose other side has not hung up.
func held(t *testing.T, conns []net.Conn) int {
	t.Helper()
	n := 0
	for _, c := range conns {
		raw, err := c.(*net.TCPConn).SyscallConn()
		if err != nil {
			t.Fatal(err)
		}
		if err := raw.Control(func(fd uintptr) {
			ask := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLRDHUP}}
			if _, err := unix.Poll(ask, 0); err == nil && ask[0].Revents&(unix.POLLRDHUP|unix.POLLHUP|unix.POLLERR) == 0 {
				n++
			}
		}); err != nil {
			t.Fatal(err)
		}
	}
	return n
}

// memory is the resident size of a core and its sensor processes in bytes.
func memory(t *testing.T, pid int) int64 {
	t.Helper()
	total := int64(0)
	for _, p := range append(children(pid), pid) {
		raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p))
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range rig.Lines(string(raw)) {
			if kib, ok := strings.CutPrefix(line, "VmRSS:"); ok {
				n, err := strconv.ParseInt(strings.Fields(kib)[0], 10, 64)
				if err != nil {
					t.Fatal(err)
				}
				total += n << 10
			}
		}
	}
	return total
}

func children(pid int) []int {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil
	}
	var out []int
	for _, e := range entries {
		raw, err := os.ReadFile("/proc/" + e.Name() + "/stat")
		if err != nil {
			continue
		}
		f := strings.Fields(string(raw[strings.LastIndexByte(string(raw), ')')+1:]))
		if p, err := strconv.Atoi(e.Name()); err == nil && len(f) > 1 && f[1] == strconv.Itoa(pid) {
			out = append(out, p)
		}
	}
	return out
}
