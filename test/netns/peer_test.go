package netns

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// An order is what a test has a peer do in its own network.
type order struct {
	Op   string   // run, connect, echo, close, listen, flood
	Args []string // of run: a command line
	Addr string   // to connect to, to listen on, to flood
	From string   // of flood: the address it pretends to come from
	ID   int      // of a connection
	N    int      // of flood
	Wait time.Duration
}

// An outcome is what came of it.
type outcome struct {
	Err string
	ID  int
}

// peerArg makes the test binary a peer.
const peerArg = "network-peer"

// peer is a host with a network of its own: a process that does what it is told.
type peer struct {
	t   testing.TB
	mu  sync.Mutex
	in  *json.Encoder
	out *json.Decoder
	pid int
}

// newPeer starts a host that is linked to ours by a pair of its own.
func newPeer(t testing.TB, name, ours4, theirs4, ours6, theirs6 string) *peer {
	t.Helper()
	cmd := exec.Command("/proc/self/exe", peerArg)
	cmd.Stderr = os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &peer{t: t, in: json.NewEncoder(in), out: json.NewDecoder(out), pid: cmd.Process.Pid}
	t.Cleanup(func() { in.Close(); _ = cmd.Wait() })
	here, there := name+"0", name+"1"
	run(t, "ip", "link", "add", here, "type", "veth", "peer", "name", there)
	t.Cleanup(func() { _ = exec.Command("ip", "link", "del", here).Run() })
	run(t, "ip", "link", "set", there, "netns", fmt.Sprint(p.pid))
	for _, a := range []string{ours4, ours6} {
		run(t, append([]string{"ip", "addr", "add", a, "dev", here}, nodad(a)...)...)
	}
	run(t, "ip", "link", "set", here, "up")
	for _, a := range []string{theirs4, theirs6} {
		p.run(append([]string{"ip", "addr", "add", a, "dev", there}, nodad(a)...)...)
	}
	p.run("ip", "link", "set", "lo", "up")
	p.run("ip", "link", "set", there, "up")
	return p
}

// nodad spares an IPv6 address the second in which it asks whether it is alone.
func nodad(a string) []string {
	if strings.Contains(a, ":") {
		return []string{"nodad"}
	}
	return nil
}

func run(t testing.TB, args ...string) {
	t.Helper()
	if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
		t.Fatalf("%v: %v: %s", args, err, out)
	}
}

func (p *peer) do(o order) (outcome, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if err := p.in.Encode(o); err != nil {
		return outcome{}, err
	}
	var r outcome
	if err := p.out.Decode(&r); err != nil {
		return r, err
	}
	if r.Err != "" {
		return r, errors.New(r.Err)
	}
	return r, nil
}

func (p *peer) run(args ...string) {
	p.t.Helper()
	if _, err := p.do(order{Op: "run", Args: args}); err != nil {
		p.t.Fatalf("%v: %v", args, err)
	}
}

// short is how long a peer waits for what is dropped: nothing comes then.
const short = 250 * time.Millisecond

// reaches reports whether a new connection gets through at once.
func (p *peer) reaches(addr string) bool { return p.opens(addr, short) }

// gets reports whether a new connection gets through, also when its first packet
// was lost while two hosts looked for each other.
func (p *peer) gets(addr string) bool { return p.opens(addr, 5*time.Second) }

func (p *peer) opens(addr string, wait time.Duration) bool {
	r, err := p.do(order{Op: "connect", Addr: addr, Wait: wait})
	if err == nil {
		_, err = p.do(order{Op: "close", ID: r.ID})
	}
	return err == nil
}

// connect opens a connection that stays.
func (p *peer) connect(addr string) int {
	p.t.Helper()
	r, err := p.do(order{Op: "connect", Addr: addr, Wait: 5 * time.Second})
	if err != nil {
		p.t.Fatal(err)
	}
	return r.ID
}

// echoes reports whether a byte comes back on a connection within a time.
func (p *peer) echoes(id int, wait time.Duration) bool {
	_, err := p.do(order{Op: "echo", ID: id, Wait: wait})
	return err == nil
}

// peerMain is the whole life of a peer.
func peerMain() {
	in, out := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	conns := map[int]net.Conn{}
	for {
		var o order
		if in.Decode(&o) != nil {
			return
		}
		var r outcome
		if err := obey(&o, conns, &r); err != nil {
			r.Err = err.Error()
		}
		if out.Encode(r) != nil {
			return
		}
	}
}

func obey(o *order, conns map[int]net.Conn, r *outcome) error {
	switch o.Op {
	case "run":
		out, err := exec.Command(o.Args[0], o.Args[1:]...).CombinedOutput()
		if err != nil {
			return fmt.Errorf("%w: %s", err, out)
		}
	case "connect":
		c, err := net.DialTimeout("tcp", o.Addr, o.Wait)
		if err != nil {
			return err
		}
		r.ID = len(conns) + 1
		conns[r.ID] = c
	case "echo":
		c := conns[o.ID]
		_ = c.SetDeadline(time.Now().Add(o.Wait))
		if _, err := c.Write([]byte("x")); err != nil {
			return err
		}
		_, err := io.ReadFull(c, make([]byte, 1))
		return err
	case "close":
		return conns[o.ID].Close()
	case "listen":
		l, err := net.Listen("tcp", o.Addr)
		if err != nil {
			return err
		}
		go echo(l, nil)
	case "flood":
		return flood(netip.MustParseAddr(o.From), netip.MustParseAddrPort(o.Addr), o.N)
	default:
		return errors.New("no such order")
	}
	return nil
}

// echo sends back what comes, and calls accepted for each connection.
func echo(l net.Listener, accepted func(net.Addr)) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		if accepted != nil {
			accepted(c.RemoteAddr())
		}
		go func() {
			defer c.Close()
			_, _ = io.Copy(c, c)
		}()
	}
}

// flood sends the first packet of TCP connections that are never to be, with a
// false source address.
func flood(from netip.Addr, to netip.AddrPort, n int) error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_RAW, unix.IPPROTO_RAW)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	dst := &unix.SockaddrInet4{Addr: to.Addr().As4()}
	for i := range n {
		if err := unix.Sendto(fd, syn(from, to, uint16(1024+i%60000)), 0, dst); err != nil {
			return err
		}
	}
	return nil
}

// syn is an IPv4 packet with a TCP header that asks for a connection.
func syn(from netip.Addr, to netip.AddrPort, port uint16) []byte {
	src, dst := from.As4(), to.Addr().As4()
	p := make([]byte, 40)
	p[0], p[3], p[8], p[9] = 0x45, 40, 64, unix.IPPROTO_TCP
	copy(p[12:], src[:])
	copy(p[16:], dst[:])
	tcp := p[20:]
	tcp[0], tcp[1], tcp[2], tcp[3] = byte(port>>8), byte(port), byte(to.Port()>>8), byte(to.Port())
	tcp[12], tcp[13], tcp[14] = 5<<4, 0x02, 0xff
	sum := uint32(unix.IPPROTO_TCP) + 20
	add := func(b []byte) {
		for i := 0; i < len(b); i += 2 {
			sum += uint32(b[i])<<8 | uint32(b[i+1])
		}
	}
	add(src[:])
	add(dst[:])
	add(tcp)
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	tcp[16], tcp[17] = byte(^sum>>8), byte(^sum)
	return p
}
