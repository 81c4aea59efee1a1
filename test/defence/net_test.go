package defence

import (
	"encoding/json"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"
	"golang.org/x/sys/unix"

	"honeyguide/test/rig"
)

// The addresses: one network between the host that is defended and everybody else.
const (
	hostV4, hostV6   = "192.0.2.1", "2001:db8:7::1"
	adminV4, adminV6 = "192.0.2.10", "2001:db8:7::10"
)

func attackerV4(i int) string { return fmt.Sprintf("192.0.2.%d", 100+i) }
func attackerV6(i int) string { return fmt.Sprintf("2001:db8:7::%x", 0x100+i) }

// A ground is two network namespaces with a cable between them.
type ground struct {
	testing.TB
	host, outside string // names of the namespaces
}

// newGround makes the namespaces, or skips where that is not possible.
func newGround(t testing.TB) *ground {
	t.Helper()
	rig.Need(t, "ip")
	rig.Need(t, "nft")
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("network namespaces need root, and nothing is skipped with CI=true")
		}
		t.Skip("network namespaces need root")
	}
	id := strconv.Itoa(os.Getpid() % 100000)
	g := &ground{t, "hgd-h" + id, "hgd-o" + id}
	t.Cleanup(func() {
		for _, ns := range []string{g.host, g.outside} {
			_ = exec.Command("ip", "netns", "del", ns).Run()
		}
	})
	for _, ns := range []string{g.host, g.outside} {
		_ = exec.Command("ip", "netns", "del", ns).Run()
		g.run("ip", "netns", "add", ns)
		g.in(ns, "ip", "link", "set", "lo", "up")
	}
	g.run("ip", "link", "add", "v0", "netns", g.host, "type", "veth", "peer", "name", "v1", "netns", g.outside)
	for ns, dev := range map[string]string{g.host: "v0", g.outside: "v1"} {
		g.in(ns, "sysctl", "-qw", "net.ipv6.conf.all.accept_dad=0", "net.ipv6.conf."+dev+".accept_dad=0")
		g.in(ns, "ip", "link", "set", dev, "up")
	}
	g.address(g.host, "v0", hostV4, hostV6)
	g.address(g.outside, "v1", adminV4, adminV6)
	return g
}

func (g *ground) run(name string, args ...string) string {
	g.Helper()
	out, err := exec.Command(name, args...).CombinedOutput()
	if err != nil {
		g.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
	return string(out)
}

func (g *ground) in(ns, name string, args ...string) string {
	g.Helper()
	return g.run("ip", append([]string{"netns", "exec", ns, name}, args...)...)
}

func (g *ground) address(ns, dev string, list ...string) {
	g.Helper()
	for _, a := range list {
		bits := "/24"
		if strings.Contains(a, ":") {
			bits = "/64"
		}
		args := []string{"addr", "add", a + bits, "dev", dev}
		if bits == "/64" {
			args = append(args, "nodad")
		}
		g.in(ns, "ip", args...)
	}
}

// inside runs fn on a thread that is in a namespace: what it starts is there too.
func (g *ground) inside(ns string, fn func()) {
	g.Helper()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	own, err := os.Open("/proc/thread-self/ns/net")
	if err != nil {
		g.Fatal(err)
	}
	defer own.Close()
	there, err := os.Open("/run/netns/" + ns)
	if err != nil {
		g.Fatal(err)
	}
	defer there.Close()
	if err := unix.Setns(int(there.Fd()), unix.CLONE_NEWNET); err != nil {
		g.Fatal(err)
	}
	defer func() {
		if err := unix.Setns(int(own.Fd()), unix.CLONE_NEWNET); err != nil {
			panic(err) // this thread must not go on elsewhere
		}
	}()
	fn()
}

// ruleset is the whole firewall of the host, as an operator sees it.
func (g *ground) ruleset() string { g.Helper(); return g.in(g.host, "nft", "list", "ruleset") }

// What this test binary is when it is started with an order.
const orderEnv = "HONEYGUIDE_TEST_DEFENCE"

// An order tells a process of this binary what to be.
type order struct {
	Role      string   // echo or attack
	Host      []string // address of the host that belongs to each attacker
	Attackers []string
	Logins    int // wrong passwords each of them tries
}

// A report is what one attacker saw.
type report struct {
	Address string
	LastAt  time.Time // when the established flow last carried an answer
	Cut     bool      // and that it does not any more
	Logins  int       // that were answered
	Again   bool      // a new connection was answered afterwards
}

func TestMain(m *testing.M) {
	if text := os.Getenv(orderEnv); text != "" {
		var o order
		if err := json.Unmarshal([]byte(text), &o); err != nil {
			panic(err)
		}
		if o.Role == "echo" {
			echo()
		}
		var group sync.WaitGroup
		var mu sync.Mutex
		slots := make(chan struct{}, 6)
		for i, a := range o.Attackers {
			slots <- struct{}{}
			group.Go(func() {
				r := attack(a, o.Host[i], o.Logins)
				mu.Lock()
				defer mu.Unlock()
				_ = json.NewEncoder(os.Stdout).Encode(r)
				<-slots
			})
		}
		group.Wait()
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// echo answers on port 7 of all addresses for ever: an honest service of the host.
func echo() {
	l, err := net.Listen("tcp", "[::]:7")
	if err != nil {
		panic(err)
	}
	fmt.Println("ready")
	for {
		c, err := l.Accept()
		if err != nil {
			panic(err)
		}
		go func() {
			defer c.Close()
			buf := make([]byte, 64)
			for {
				n, err := c.Read(buf)
				if err != nil {
					return
				}
				if _, err := c.Write(buf[:n]); err != nil {
					return
				}
			}
		}()
	}
}

// attack opens a flow to the honest service, guesses passwords at the decoy, and
// watches when the flow stops.
func attack(from, host string, logins int) (r report) {
	r.Address = from
	dial := net.Dialer{LocalAddr: net.TCPAddrFromAddrPort(netip.AddrPortFrom(netip.MustParseAddr(from), 0)), Timeout: 1500 * time.Millisecond}
	flow, err := dial.Dial("tcp", net.JoinHostPort(host, "7"))
	if err != nil {
		panic(err)
	}
	defer flow.Close()
	done := make(chan struct{})
	go func() { // one byte there and back every millisecond
		defer close(done)
		buf := make([]byte, 1)
		for {
			_ = flow.SetDeadline(time.Now().Add(2 * time.Second))
			if _, err := flow.Write([]byte{1}); err != nil {
				r.Cut = true
				return
			}
			if _, err := flow.Read(buf); err != nil {
				r.Cut = true
				return
			}
			r.LastAt = time.Now()
			time.Sleep(time.Millisecond)
		}
	}()
	for r.Logins < logins {
		c, err := dial.Dial("tcp", net.JoinHostPort(host, "22"))
		if err != nil {
			break
		}
		_ = c.SetDeadline(time.Now().Add(3 * time.Second))
		n := 0
		_, _, _, err = ssh.NewClientConn(c, "host", &ssh.ClientConfig{
			User: "root", HostKeyCallback: ssh.InsecureIgnoreHostKey(),
			Auth: []ssh.AuthMethod{ssh.RetryableAuthMethod(ssh.PasswordCallback(func() (string, error) {
				n++
				return fmt.Sprintf("Wrong-%s-%d!", from, r.Logins+n), nil
			}), 5)},
		})
		c.Close()
		if err == nil || n == 0 {
			break
		}
		r.Logins += n
	}
	select {
	case <-done:
	case <-time.After(3 * time.Second): // it still flows
		flow.Close()
		<-done
		r.Cut = false
	}
	if c, err := dial.Dial("tcp", net.JoinHostPort(host, "7")); err == nil {
		r.Again = true
		c.Close()
	}
	return r
}

// order makes the command that starts this binary with an order.
func (g *ground) order(o order) *exec.Cmd {
	g.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		g.Fatal(err)
	}
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), orderEnv+"="+string(text))
	cmd.Stderr = os.Stderr
	return cmd
}
