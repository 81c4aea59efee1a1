package warden

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
)

var built struct {
	sync.Once
	path string
	err  error
}

// program returns a binary of this package's tests without cgo, which a cage
// can be closed around.
func program(t testing.TB) string {
	t.Helper()
	if !withCgo {
		return ""
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "warden")
		if err != nil {
			built.err = err
			return
		}
		os.Chmod(dir, 0o755)
		built.path = filepath.Join(dir, "warden.test")
		cmd := exec.Command("go", "test", "-c", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the child: %v", built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	if len(os.Args) > 2 && os.Args[2] == "gap" {
		if err := gap(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	if len(os.Args) > 2 && os.Args[1] == "sensor" {
		if err := Child(context.Background(), rogues[os.Args[2]]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		return
	}
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

type runFunc = func(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, listeners []net.Listener) error

// rogues are the sensor processes of the tests, good and bad.
var rogues = map[string]runFunc{
	"echo": echo,
	"refuse": func(context.Context, *ipc.Conn, ipc.Setup, []net.Listener) error {
		return errors.New("key x: no such thing")
	},
	"exec": func(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, ls []net.Listener) error {
		conn.Send(ipc.Ready{})
		c, err := ls[0].Accept()
		if err != nil {
			return err
		}
		conn.Send(ipc.Events{Events: []honeyguide.Event{happened(honeyguide.ActivityConnect, c)}})
		conn.Receive() // acknowledged
		syscall.Exec("/bin/sh", []string{"sh"}, nil)
		return errors.New("still here")
	},
	// A frame type that is the core's to send.
	"garbage": after(func(c net.Conn, conn *ipc.Conn) { conn.Send(ipc.Stop{}) }),
	"json":    after(func(c net.Conn, conn *ipc.Conn) { conn.Send(ipc.Log{Msg: "x"}); conn.Send(ipc.Setup{}) }),
	"foreign": after(func(c net.Conn, conn *ipc.Conn) {
		e := happened(honeyguide.ActivityCommand, c)
		e.Sensor = "core"
		conn.Send(ipc.Events{Events: []honeyguide.Event{e}})
	}),
	"forged": after(func(c net.Conn, conn *ipc.Conn) {
		conn.Send(ipc.Events{Events: []honeyguide.Event{happened(honeyguide.ActivityViolation, c)}})
	}),
	"path":  after(func(c net.Conn, conn *ipc.Conn) { conn.Send(ipc.Chunk{Session: "../../etc/passwd", Stream: 'o'}) }),
	"hello": after(func(c net.Conn, conn *ipc.Conn) { conn.Send(ipc.Hello{}) }),
	"flood": flood,
	"deaf": func(ctx context.Context, conn *ipc.Conn, _ ipc.Setup, _ []net.Listener) error {
		conn.Send(ipc.Ready{})
		for {
			if _, err := conn.Receive(); err != nil {
				select {}
			}
		}
	},
	"udp":    udp,
	"worlds": recalls,
	// An address inside a /64 stands for nobody.
	"stranger": after(func(c net.Conn, conn *ipc.Conn) {
		conn.Send(ipc.Remember{Source: netip.MustParseAddr("2001:db8::1"), World: []byte("x")})
	}),
}

// recalls asks for the world of each peer, sends it to the peer, and hands over
// what the peer says.
func recalls(ctx context.Context, conn *ipc.Conn, _ ipc.Setup, ls []net.Listener) error {
	conn.Send(ipc.Ready{})
	source := netip.MustParseAddr("127.0.0.1")
	for {
		c, err := ls[0].Accept()
		if err != nil {
			return err
		}
		conn.Send(ipc.Recall{Source: source})
		for {
			m, err := conn.Receive()
			if err != nil {
				return err
			}
			if r, ok := m.(ipc.Recalled); ok && r.Source == source {
				c.Write(append(r.World, '\n'))
				break
			}
		}
		said, _ := io.ReadAll(c)
		conn.Send(ipc.Remember{Source: source, World: said})
		c.Close()
	}
}

func happened(activity string, c net.Conn) honeyguide.Event {
	src, _ := c.RemoteAddr().(*net.TCPAddr)
	return honeyguide.Event{
		ID: "mine", Time: time.Now(), Class: honeyguide.ClassNetwork, Activity: activity, Sensor: "echo",
		Service: "claims to be another", Session: "s1", Src: honeyguide.Endpoint{Addr: src.AddrPort(), Country: "XX"},
	}
}

// after does something bad after the first connection.
func after(do func(net.Conn, *ipc.Conn)) runFunc {
	return func(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, ls []net.Listener) error {
		conn.Send(ipc.Ready{})
		c, err := ls[0].Accept()
		if err != nil {
			return err
		}
		do(c, conn)
		io.Copy(io.Discard, c)
		select {}
	}
}

// echo serves its listener, reports each connection and stops when told.
func echo(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, ls []net.Listener) error {
	out := ipc.NewOutbox(conn, ipc.OutboxOptions{})
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go out.Run(ctx)
	go func() {
		for {
			c, err := ls[0].Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				out.Event(ctx, happened(honeyguide.ActivityConnect, c))
				n, _ := io.Copy(c, c)
				e := happened(honeyguide.ActivityClose, c)
				e.Set(honeyguide.AttrBytesIn, n)
				out.Chunk(ctx, ipc.Chunk{Session: "s1", Time: time.Now(), Stream: 'o', Data: []byte("bytes")})
				out.Event(ctx, e)
			}()
		}
	}()
	out.Log(ipc.Log{Msg: "up\x1b[2J", Attrs: []ipc.LogAttr{{Key: "persona", Value: setup.Persona}}})
	if err := conn.Send(ipc.Ready{}); err != nil {
		return err
	}
	for {
		m, err := conn.Receive()
		if err != nil {
			return err
		}
		switch m := m.(type) {
		case ipc.Ack:
			out.Acked(m.N)
			if out.Pending() == 0 && ctx.Err() != nil {
				return nil
			}
		case ipc.Stop:
			ls[0].Close()
			go func() { out.Flush(ctx); conn.Close() }()
		}
	}
}

// flood sends as much as the socket takes: large, valid, useless events.
func flood(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, ls []net.Listener) error {
	conn.Send(ipc.Ready{})
	e := honeyguide.Event{Sensor: "echo", Activity: honeyguide.ActivityRequest, Attrs: map[string]any{}}
	for i := range 100 {
		e.Attrs[fmt.Sprintf("a%d", i)] = int64(i)
	}
	small := honeyguide.Event{Sensor: "echo", Activity: honeyguide.ActivityRequest}
	e.Set(honeyguide.AttrBody, strings.Repeat("x", 64<<10))
	go func() {
		for {
			if _, err := conn.Receive(); err != nil {
				return
			}
		}
	}()
	big := ipc.Events{Events: []honeyguide.Event{e, e, e, e, e, e, e, e, e, e}}
	var many ipc.Events
	for range ipc.MaxBatch {
		many.Events = append(many.Events, small)
	}
	for i := 0; ; i++ {
		conn.Send(big)
		conn.Send(many)
		conn.Send(ipc.Chunk{Session: "s", Data: make([]byte, ipc.MaxChunk)})
		conn.Send(ipc.Log{Msg: strings.Repeat("m", 8000)})
		if err := conn.Send(ipc.PacketReply{ID: uint64(i), Data: make([]byte, 1000)}); err != nil {
			return err
		}
	}
}

// udp answers every datagram with twice its bytes when it begins with 2, with
// nothing when it is "quiet", else with itself; and once more for an old id.
func udp(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, ls []net.Listener) error {
	conn.Send(ipc.Ready{})
	for {
		m, err := conn.Receive()
		if err != nil {
			return err
		}
		p, ok := m.(ipc.Packet)
		if !ok {
			return nil
		}
		switch {
		case p.Data[0] == '2':
			p.Data = append(p.Data, p.Data...)
		case string(p.Data) == "quiet":
			p.Data = nil
		}
		conn.Send(ipc.PacketReply{ID: p.ID, Data: p.Data})
		conn.Send(ipc.PacketReply{ID: p.ID, Data: p.Data})
		conn.Send(ipc.PacketReply{ID: p.ID + binary.MaxVarintLen64, Data: p.Data})
	}
}

// gap is a process that says its cage has a gap, and goes on.
func gap() error {
	conn, err := ipc.FromFile(os.NewFile(sandbox.FirstFile, "ipc"), ipc.Sensor)
	if err != nil {
		return err
	}
	cage, err := ipc.Expect[ipc.Cage](conn)
	if err != nil {
		return err
	}
	ls, _, err := inherit(cage.Listeners)
	if err != nil {
		return err
	}
	conn.Send(ipc.Hello{Probes: 62, Open: []string{"fork: succeeded"}})
	setup, err := ipc.Expect[ipc.Setup](conn)
	if err != nil {
		return err
	}
	return echo(context.Background(), conn, setup, ls)
}
