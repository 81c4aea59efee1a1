package netns

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/fwhelper"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
)

const (
	childArg = "firewall-process"
	inside   = "HONEYGUIDE_TEST_NETWORK" // says that this process is in a network of its own
)

func TestMain(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := fwhelper.Child(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	if len(os.Args) == 2 && os.Args[1] == peerArg {
		peerMain()
		os.Exit(0)
	}
	if missing() != "" || os.Getenv(inside) != "" {
		os.Exit(m.Run())
	}
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), inside+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit, ok := errors.AsType[*exec.ExitError](err); ok {
		os.Exit(max(exit.ExitCode(), 1))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "run the tests in a network of their own:", err)
		os.Exit(1)
	}
}

// missing says what these tests lack.
func missing() string {
	if os.Getuid() != 0 || !sandbox.HasNetAdmin() {
		return "needs root with CAP_NET_ADMIN"
	}
	for _, program := range []string{"nft", "ip"} {
		if _, err := exec.LookPath(program); err != nil {
			return "needs " + program + "; make setup installs it"
		}
	}
	if withCgo {
		return "the firewall process closes its cage in a binary without cgo only: CGO_ENABLED=0"
	}
	return ""
}

// Addresses of the world. They are those of documentation, which stand for
// public ones.
const (
	host4, attacker4, admin4 = "192.0.2.1", "192.0.2.66", "198.51.100.7"
	host6, attacker6, admin6 = "2001:db8:1::1", "2001:db8:1::66", "2001:db8:2::7"
	service                  = "4444"
)

// world is an attacker, an administrator and us.
type world struct {
	attacker, admin *peer
	firewall        *fwhelper.Process
	accepted        atomic.Int64
}

func at(addr string) string { return net.JoinHostPort(addr, service) }

func newWorld(t testing.TB, o fwhelper.Options) *world {
	t.Helper()
	if why := missing(); why != "" {
		if os.Getenv("CI") == "true" && !withCgo { // the race detector's run has cgo
			t.Fatal(why)
		}
		t.Skip(why)
	}
	run(t, "ip", "link", "set", "lo", "up")
	w := &world{
		attacker: newPeer(t, "att", host4+"/24", attacker4+"/24", host6+"/64", attacker6+"/64"),
		admin:    newPeer(t, "adm", "198.51.100.1/24", admin4+"/24", "2001:db8:2::1/64", admin6+"/64"),
	}
	w.admin.run("ip", "route", "add", "192.0.2.0/24", "via", "198.51.100.1")
	l, err := net.Listen("tcp", ":"+service)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go echo(l, func(net.Addr) { w.accepted.Add(1) })
	o.Args = []string{childArg}
	w.firewall = fwhelper.New(o)
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Keep(ctx, "firewall", w.firewall.Run)
	t.Cleanup(func() {
		stop()
		_ = g.Wait()
		_ = exec.Command("nft", "delete", "table", "inet", "honeyguide").Run()
	})
	return w
}

func ruleset(t testing.TB) string {
	t.Helper()
	out, err := exec.Command("nft", "list", "ruleset").CombinedOutput()
	if err != nil {
		t.Fatalf("nft: %v: %s", err, out)
	}
	return string(out)
}

func entry(s string, left time.Duration) fwhelper.Entry {
	if !strings.Contains(s, "/") {
		a := netip.MustParseAddr(s)
		return fwhelper.Entry{Prefix: netip.PrefixFrom(a, a.BitLen()), Until: time.Now().Add(left)}
	}
	return fwhelper.Entry{Prefix: netip.MustParsePrefix(s), Until: time.Now().Add(left)}
}

func prefix(s string) netip.Prefix { return entry(s, 0).Prefix }

// soon waits a little for what happens in another goroutine.
func soon(ok func() bool) bool {
	for end := time.Now().Add(3 * time.Second); time.Now().Before(end); time.Sleep(time.Millisecond) {
		if ok() {
			return true
		}
	}
	return ok()
}

// A blocked host reaches nothing, neither anew nor on connections it has, in
// either direction and version of IP; when the block is undone its connections
// go on, and nothing is left in the ruleset.
func TestBlock(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	ctx := t.Context()
	run(t, "nft", "add table inet operator")
	run(t, "nft", "add chain inet operator input { type filter hook input priority 0 ; }")
	run(t, "nft", "add rule inet operator input tcp dport 9999 counter drop")
	t.Cleanup(func() { _ = exec.Command("nft", "delete", "table", "inet", "operator").Run() })
	before := ruleset(t)
	if _, err := w.attacker.do(order{Op: "listen", Addr: ":" + service}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ name, host, attacker, block string }{
		{"v4", host4, attacker4, attacker4},
		{"v6", host6, attacker6, attacker6},
		{"v4 network", host4, attacker4, "192.0.2.64/26"},
		{"v6 network", host6, attacker6, "2001:db8:1::60/124"},
	} {
		t.Run(c.name, func(t *testing.T) {
			if !w.attacker.gets(at(c.host)) {
				t.Fatal("not reachable before")
			}
			flow := w.attacker.connect(at(c.host))
			if !w.attacker.echoes(flow, 2*time.Second) {
				t.Fatal("no echo before")
			}
			if err := w.firewall.Block(ctx, entry(c.block, time.Hour)); err != nil {
				t.Fatal(err)
			}
			if w.attacker.reaches(at(c.host)) {
				t.Error("reachable although blocked")
			}
			if w.attacker.echoes(flow, short) {
				t.Error("an established connection goes on")
			}
			if c, err := net.DialTimeout("tcp", at(c.attacker), short); err == nil {
				c.Close()
				t.Error("we reach what is blocked")
			}
			s, ok, err := w.firewall.Has(ctx, prefix(c.block))
			if err != nil || !ok || s.Packets == 0 {
				t.Errorf("the kernel says %+v, %v, %v", s, ok, err)
			}
			if !w.admin.gets(at(host4)) {
				t.Error("somebody else is blocked, too")
			}
			if err := w.firewall.Unblock(ctx, prefix(c.block)); err != nil {
				t.Fatal(err)
			}
			if !w.attacker.gets(at(c.host)) {
				t.Error("not reachable after the block was undone")
			}
			if !w.attacker.echoes(flow, 5*time.Second) {
				t.Error("the connection did not come back")
			}
		})
	}
	if after := ruleset(t); after != before {
		t.Errorf("the ruleset was\n%s\nand is\n%s", before, after)
	}
}

// What is forwarded for others is dropped both ways, too.
func TestForward(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	forward := func(on string) {
		for _, name := range []string{"/proc/sys/net/ipv4/ip_forward"} {
			if err := os.WriteFile(name, []byte(on), 0); err != nil {
				t.Skip("cannot switch forwarding on: " + err.Error())
			}
		}
	}
	forward("1")
	t.Cleanup(func() { forward("0") })
	w.attacker.run("ip", "route", "add", "198.51.100.0/24", "via", host4)
	for _, p := range []*peer{w.admin, w.attacker} {
		if _, err := p.do(order{Op: "listen", Addr: ":" + service}); err != nil {
			t.Fatal(err)
		}
	}
	if !w.admin.gets(at(attacker4)) || !w.attacker.gets(at(admin4)) {
		t.Fatal("not reachable before")
	}
	flow := w.admin.connect(at(attacker4))
	if err := w.firewall.Block(t.Context(), entry(attacker4, time.Hour)); err != nil {
		t.Fatal(err)
	}
	if w.admin.reaches(at(attacker4)) || w.attacker.reaches(at(admin4)) || w.admin.echoes(flow, short) {
		t.Error("packets pass through us")
	}
}

// Administrators and the allowlist are never blocked: not by their address, not
// by a network they are in, and what was in force when they came ends.
func TestNeverBlocked(t *testing.T) {
	w := newWorld(t, fwhelper.Options{Setup: ipc.FirewallSetup{Allow: []netip.Prefix{prefix("198.51.100.0/28")}, DNS: []netip.Addr{netip.MustParseAddr("203.0.113.53")}}})
	ctx := t.Context()
	before := ruleset(t)
	run(t, "ip", "route", "add", "default", "via", "192.0.2.254")
	t.Cleanup(func() { _ = exec.Command("ip", "route", "del", "default").Run() })
	time.Sleep(1100 * time.Millisecond) // surroundings are remembered for a second
	refused := func(target, why string) {
		t.Helper()
		err := w.firewall.Block(ctx, entry(target, time.Hour))
		r, ok := errors.AsType[*fwhelper.RefusedError](err)
		if !ok || !strings.Contains(r.Reason(prefix(target)), why) {
			t.Errorf("%s: %v, want refused: %s", target, err, why)
		}
		err = w.firewall.Replace(ctx, fwhelper.Table{Blocks: []fwhelper.Entry{entry(target, time.Hour)}})
		if _, ok := errors.AsType[*fwhelper.RefusedError](err); !ok {
			t.Errorf("%s by replace: %v", target, err)
		}
	}
	refused(admin4, "allowlist")
	refused("198.51.100.0/24", "allowlist")
	refused("198.51.100.8/29", "allowlist")
	refused(host4, "this host")
	refused("192.0.2.0/24", "this host")
	refused(host6, "this host")
	refused("192.0.2.254", "gateway")
	refused("203.0.113.53", "allowlist") // name servers are treated as if they were on it
	refused("127.0.0.1", "loopback")
	refused("10.0.0.1", "private")
	refused("192.0.0.0/16", "wider")
	refused("2001:db8:9::/32", "wider")
	if after := ruleset(t); after != before {
		t.Errorf("something was blocked: %s", after)
	}
	if err := w.firewall.Block(ctx, entry(admin6, time.Hour), entry("2001:db8:2::/120", time.Hour), entry(attacker6, time.Hour)); err != nil {
		if _, ok := errors.AsType[*fwhelper.RefusedError](err); !ok { // its network has our own address in it
			t.Fatal(err)
		}
	}
	if w.admin.reaches(at("2001:db8:2::1")) {
		t.Error("not blocked before anybody logs in")
	}
	lifted, err := w.firewall.Admins(ctx, []netip.Addr{netip.MustParseAddr(admin6)})
	if err != nil || !slices.Contains(lifted, prefix(admin6)) {
		t.Errorf("lifted %v, %v", lifted, err)
	}
	if !w.admin.gets(at("2001:db8:2::1")) {
		t.Error("the administrator is blocked")
	}
	if w.attacker.reaches(at(host6)) {
		t.Error("the attacker's block was lifted, too")
	}
	refused(admin6, "administrator")
	refused("2001:db8:2::4/126", "administrator")
	if _, err := w.firewall.Admins(ctx, nil); err != nil {
		t.Fatal(err)
	}
	if err := w.firewall.Block(ctx, entry(admin6, time.Hour)); err != nil {
		t.Errorf("logged out: %v", err)
	}
}

// A block ends in time, by the kernel alone, and the table goes with the last one.
func TestExpiry(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	before := ruleset(t)
	for _, block := range []string{attacker4, "192.0.2.64/26"} {
		e := entry(block, 2*time.Second)
		if err := w.firewall.Block(t.Context(), e); err != nil {
			t.Fatal(err)
		}
		through := time.Time{}
		for through.IsZero() && time.Now().Before(e.Until.Add(5*time.Second)) {
			if began := time.Now(); w.attacker.reaches(at(host4)) {
				through = began // the connection that got through began then
			}
		}
		if off := through.Sub(e.Until); off < -time.Second || off > time.Second {
			t.Errorf("%s: ended %v from its time", block, off)
		}
	}
	for end := time.Now().Add(10 * time.Second); ruleset(t) != before; time.Sleep(100 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("left behind: %s", ruleset(t))
		}
	}
}

// Whatever an operator does to the table is noticed, and a refill mends it.
func TestTableTampered(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	ctx := t.Context()
	want := fwhelper.Table{Blocks: []fwhelper.Entry{entry(attacker4, time.Hour), entry("2001:db8:1::60/124", time.Hour)}}
	if err := w.firewall.Replace(ctx, want); err != nil {
		t.Fatal(err)
	}
	for _, harm := range []string{
		"delete table inet honeyguide", "flush table inet honeyguide", "flush set inet honeyguide blk4", "flush set inet honeyguide cidr6",
		"flush chain inet honeyguide early",
	} {
		if h, err := w.firewall.Health(ctx); err != nil || !h.Intact || !h.Table {
			t.Fatalf("before: %+v, %v", h, err)
		}
		run(t, append([]string{"nft"}, strings.Fields(harm)...)...)
		if h, err := w.firewall.Health(ctx); err != nil || h.Intact {
			t.Errorf("%s: %+v, %v", harm, h, err)
		}
		if err := w.firewall.Replace(ctx, want); err != nil {
			t.Fatal(err)
		}
		if w.attacker.reaches(at(host4)) || w.attacker.reaches(at(host6)) {
			t.Errorf("%s: not mended", harm)
		}
	}
	run(t, "nft", "delete", "table", "inet", "honeyguide")
	if err := w.firewall.Block(ctx, entry("203.0.113.9", time.Hour)); err != nil {
		t.Fatal(err)
	}
	if w.attacker.reaches(at(host4)) {
		t.Error("a block after the table was deleted does not bring the others back")
	}
}

// New connections of an attacker go to the decoy; those there are stay, and so do
// everybody else's.
func TestRedirect(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	ctx := t.Context()
	before := ruleset(t)
	var decoyed atomic.Int64
	decoy, err := net.Listen("tcp", ":2222")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { decoy.Close() })
	go echo(decoy, func(net.Addr) { decoyed.Add(1) })
	for _, c := range []struct{ host, from, to string }{
		{host4, attacker4, "0.0.0.0:2222"}, {host6, attacker6, "[::]:2222"}, {host4, "192.0.2.64/26", "192.0.2.1:2222"},
	} {
		flow := w.attacker.connect(at(c.host))
		if !w.attacker.echoes(flow, 2*time.Second) {
			t.Fatal("no echo before")
		}
		real, fake := w.accepted.Load(), decoyed.Load()
		r := fwhelper.Redirect{From: prefix(c.from), Proto: "tcp", Port: 4444, To: netip.MustParseAddrPort(c.to), Until: time.Now().Add(time.Hour)}
		if err := w.firewall.Redirect(ctx, r); err != nil {
			t.Fatal(err)
		}
		if !w.attacker.gets(at(c.host)) {
			t.Errorf("%s: no connection", c.from)
		}
		if !soon(func() bool { return decoyed.Load() == fake+1 }) || w.accepted.Load() != real {
			t.Errorf("%s: %d at the service, %d at the decoy", c.from, w.accepted.Load()-real, decoyed.Load()-fake)
		}
		if !w.attacker.echoes(flow, 2*time.Second) {
			t.Errorf("%s: an established connection was cut", c.from)
		}
		if !w.admin.gets(at(host4)) || !soon(func() bool { return w.accepted.Load() == real+1 }) {
			t.Errorf("%s: somebody else was sent away", c.from)
		}
		if _, ok, err := w.firewall.Redirected(ctx, r); err != nil || !ok {
			t.Errorf("%s: read back %v, %v", c.from, ok, err)
		}
		if err := w.firewall.Unredirect(ctx, r); err != nil {
			t.Fatal(err)
		}
		if !w.attacker.gets(at(c.host)) || !soon(func() bool { return w.accepted.Load() == real+2 }) {
			t.Errorf("%s: not undone", c.from)
		}
	}
	if after := ruleset(t); after != before {
		t.Errorf("left behind: %s", after)
	}
}

// A flood of first packets with a false source makes no connection, so nothing
// that could lead to a block: only its owner can complete a handshake.
func TestSpoofedFlood(t *testing.T) {
	w := newWorld(t, fwhelper.Options{})
	before := w.accepted.Load()
	to := netip.AddrPortFrom(netip.MustParseAddr(host4), 4444).String()
	for _, from := range []string{admin4, "203.0.113.99", attacker4} {
		if _, err := w.attacker.do(order{Op: "flood", From: from, Addr: to, N: 20_000}); err != nil {
			t.Fatal(err)
		}
	}
	if !w.admin.gets(at(host4)) {
		t.Error("the flood shut the administrator out")
	}
	if n := w.accepted.Load() - before; !soon(func() bool { return w.accepted.Load()-before == 1 }) {
		t.Errorf("%d connections, of which one was real", n)
	}
}
