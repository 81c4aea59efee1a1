package sensor_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

// echo is a sensor for tests: it repeats lines, reports each, and shows bait,
// floods or panics when told to.
type echo struct {
	Prefix string
}

func (e *echo) ServeConn(_ context.Context, s *sensor.Session) error {
	in := bufio.NewScanner(s)
	for in.Scan() {
		switch line := in.Text(); line {
		case "panic":
			panic("told to")
		case "flood":
			for range 20_000 {
				s.Emit(honeyguide.Event{Activity: honeyguide.ActivityCommand})
			}
		case "bait":
			s.Running(line)
			_, _ = io.WriteString(s, sensortest.BaitSecret+"\n")
			s.Ran(line)
		default:
			ev := honeyguide.Event{Activity: honeyguide.ActivityRequest}
			ev.Set(honeyguide.AttrMessage, line)
			s.Emit(ev)
			s.Record('o', []byte(line))
			_, _ = fmt.Fprintln(s, e.Prefix+line)
		}
	}
	return nil
}

func (e *echo) ServePacket(_ context.Context, _ *sensor.Session, data []byte) []byte {
	if string(data) == "more" {
		return []byte("more than asked")
	}
	return data
}

func echoKind() sensortest.Kind {
	return kind.Of("echo", "Repeats.", echo{Prefix: "> "}, func(_ context.Context, c echo, d sensor.Deps) (sensor.Sensor, error) {
		if c.Prefix == "bad" {
			return nil, errors.New("bad prefix")
		}
		d.Log.Warn("opened", "sensor", d.Name, "text", "a\x1b[31m")
		return &c, nil
	})
}

func decode(raw []byte) kind.Decode {
	return func(into any) error { into.(*echo).Prefix = string(raw); return nil }
}

// child runs a sensor process's life in this one.
type child struct {
	core *ipc.Conn
	addr string
	done chan error
	got  chan ipc.Message
}

func start(t *testing.T, change func(*ipc.Setup)) *child {
	t.Helper()
	a, b, err := ipc.Pair()
	if err != nil {
		t.Fatal(err)
	}
	core, err := ipc.FromFile(a, ipc.Core)
	if err != nil {
		t.Fatal(err)
	}
	conn, err := ipc.FromFile(b, ipc.Sensor)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	setup := ipc.Setup{
		Persona: "debian-12", Seed: sensortest.Seed(), Now: time.Now(), Deployed: time.Now().Add(-48 * time.Hour),
		Sensors: []ipc.SensorSetup{
			{Name: "echo-1", Kind: "echo", Config: []byte("= "), Listener: 0, Network: "tcp", Addr: l.Addr().String()},
			{Name: "echo-udp", Kind: "echo", Listener: -1, Network: "udp"},
		},
		Tokens: []ipc.TokenSetup{{
			ID: sensortest.BaitID, Kind: "aws_key", Path: "/root/.aws/credentials", Mode: 0o600,
			Content: []byte(sensortest.BaitSecret), Needles: [][]byte{[]byte(sensortest.BaitSecret)},
		}},
	}
	if change != nil {
		change(&setup)
	}
	c := &child{core: core, addr: l.Addr().String(), done: make(chan error, 1), got: make(chan ipc.Message, 100_000)}
	go func() {
		c.done <- sensor.Run(context.Background(), conn, setup, []net.Listener{l}, sensor.Set{echoKind()}, decode)
		_ = conn.Close()
	}()
	go func() {
		defer close(c.got)
		for {
			m, err := core.Receive()
			if err != nil {
				return
			}
			if e, ok := m.(ipc.Events); ok {
				_ = core.Send(ipc.Ack{N: len(e.Events)})
			}
			c.got <- m
		}
	}()
	t.Cleanup(func() { _ = core.Close() })
	return c
}

// next returns the next message f says yes to.
func (c *child) next(t *testing.T, f func(ipc.Message) bool) ipc.Message {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		select {
		case m, ok := <-c.got:
			if !ok {
				t.Fatal("the sensor process hung up")
			}
			if f(m) {
				return m
			}
		case <-limit:
			t.Fatal("waited in vain")
		}
	}
}

// event waits for an event of an activity.
func (c *child) event(t *testing.T, activity string) honeyguide.Event {
	t.Helper()
	var found honeyguide.Event
	c.next(t, func(m ipc.Message) bool {
		b, ok := m.(ipc.Events)
		if !ok {
			return false
		}
		for _, e := range b.Events {
			if e.Activity == activity {
				found = e
				return true
			}
		}
		return false
	})
	return found
}

func (c *child) say(t *testing.T, line string) string {
	t.Helper()
	conn, err := net.Dial("tcp", c.addr)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(time.Now().Add(20 * time.Second))
	_, _ = fmt.Fprintln(conn, line)
	_ = conn.(*net.TCPConn).CloseWrite()
	b, _ := io.ReadAll(conn)
	return string(b)
}

func (c *child) end(t *testing.T) {
	t.Helper()
	if err := c.core.Send(ipc.Stop{}); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-c.done:
		if err != nil {
			t.Errorf("a stopped process: %v", err)
		}
	case <-time.After(20 * time.Second):
		t.Fatal("stop does not stop")
	}
}

func ready(m ipc.Message) bool { _, ok := m.(ipc.Ready); return ok }

func TestRunServesAndReports(t *testing.T) {
	c := start(t, nil)
	served, logged := false, false
	c.next(t, func(m ipc.Message) bool {
		l, ok := m.(ipc.Log)
		if ok && strings.Contains(fmt.Sprint(l.Attrs), "\x1b") {
			t.Error("a log line carries escapes")
		}
		logged = logged || ok && l.Msg == "opened"
		served = served || ready(m)
		return served && logged
	})
	if got := c.say(t, "hello"); got != "= hello\n" {
		t.Errorf("answer %q", got)
	}
	c.next(t, func(m ipc.Message) bool { k, ok := m.(ipc.Chunk); return ok && string(k.Data) == "hello" })
	if e := c.event(t, honeyguide.ActivityRequest); e.Sensor != "echo-1" || e.Service != "echo" || e.Str(honeyguide.AttrMessage) != "hello" {
		t.Errorf("event %+v", e)
	}
	if got := c.say(t, "bait"); !strings.Contains(got, sensortest.BaitSecret) {
		t.Errorf("answer %q", got)
	}
	if e := c.event(t, honeyguide.ActivityTokenExposed); e.Str(honeyguide.AttrToken) != sensortest.BaitID {
		t.Errorf("event %+v", e)
	}
	c.end(t)
}

func TestRunSurvivesAPanic(t *testing.T) {
	c := start(t, nil)
	c.say(t, "panic")
	e := c.event(t, honeyguide.ActivityUnsupported)
	if !strings.Contains(e.Str(honeyguide.AttrDetail), "told to") || string(e.Raw) != "panic\n" {
		t.Errorf("event %+v", e)
	}
	if got := c.say(t, "still there"); got != "= still there\n" {
		t.Errorf("answer %q", got)
	}
	c.end(t)
}

func TestRunDeliversAFlood(t *testing.T) {
	c := start(t, nil)
	c.say(t, "flood")
	n := 0
	c.next(t, func(m ipc.Message) bool {
		if b, ok := m.(ipc.Events); ok {
			for _, e := range b.Events {
				if e.Activity == honeyguide.ActivityCommand {
					n++
				}
				if e.Activity == honeyguide.ActivityClose {
					return true
				}
			}
		}
		return false
	})
	if n < 19_990 {
		t.Errorf("%d of 20000 events arrived", n)
	}
	c.end(t)
}

func TestRunAnswersPackets(t *testing.T) {
	c := start(t, nil)
	c.next(t, ready)
	for i, q := range []string{"ping", "more", ""} {
		if err := c.core.Send(ipc.Packet{Sensor: 1, ID: uint64(i), From: netip.MustParseAddrPort("203.0.113.1:9"), Data: []byte(q)}); err != nil {
			t.Fatal(err)
		}
		m := c.next(t, func(m ipc.Message) bool { _, ok := m.(ipc.PacketReply); return ok }).(ipc.PacketReply)
		want := q
		if q == "more" {
			want = ""
		}
		if m.ID != uint64(i) || string(m.Data) != want {
			t.Errorf("%q: reply %d %q", q, m.ID, m.Data)
		}
	}
	if err := c.core.Send(ipc.Packet{Sensor: 99, ID: 7, Data: []byte("x")}); err != nil {
		t.Fatal(err)
	}
	c.next(t, func(m ipc.Message) bool { r, ok := m.(ipc.PacketReply); return ok && r.ID == 7 })
	c.end(t)
}

func TestRunEndsWithTheCore(t *testing.T) {
	c := start(t, nil)
	c.next(t, ready)
	_ = c.core.Close()
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		t.Fatal("the process outlives its core")
	}
}

func TestRunRefusesABadSetup(t *testing.T) {
	for name, change := range map[string]func(*ipc.Setup){
		"persona":  func(s *ipc.Setup) { s.Persona = "no-such" },
		"kind":     func(s *ipc.Setup) { s.Sensors[0].Kind = "no-such" },
		"config":   func(s *ipc.Setup) { s.Sensors[0].Config = []byte("bad") },
		"listener": func(s *ipc.Setup) { s.Sensors[0].Listener = 5 },
	} {
		t.Run(name, func(t *testing.T) {
			c := start(t, change)
			select {
			case err := <-c.done:
				if err == nil {
					t.Error("no error")
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it runs")
			}
		})
	}
}
