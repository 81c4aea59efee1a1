package sensortest

import (
	"bytes"
	"context"
	"io"
	"math/rand/v2"
	"net"
	"net/netip"
	"runtime"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// Contract says what the harness has to know of a kind.
type Contract struct {
	Options
	// Requests are inputs of a peer; each must be reported by an event besides
	// connect and close.
	Requests [][]byte
}

// Run holds a kind to the contract. Without a Contract it uses the kind's
// defaults and sends what no protocol expects.
func Run(t *testing.T, k Kind, contract ...Contract) {
	c := first(contract)
	if c.Keys == nil {
		c.Keys = HostKeys(t)
	}
	before := runtime.NumGoroutine()
	t.Run("crowd", func(t *testing.T) { crowd(t, k, c) })
	t.Run("garbage", func(t *testing.T) { garbageIn(t, k, c) })
	t.Run("halves", func(t *testing.T) { halves(t, k, c) })
	t.Run("long line", func(t *testing.T) { longLine(t, k, c) })
	t.Run("slow peer", func(t *testing.T) { slowPeer(t, k, c) })
	t.Run("end of context", func(t *testing.T) { endOfContext(t, k, c) })
	t.Run("reported", func(t *testing.T) { reported(t, k, c) })
	t.Run("limits", func(t *testing.T) { limits(t, k, c) })
	t.Run("packets", func(t *testing.T) { packets(t, k, c) })
	settle(t, before)
}

func first(all []Contract) Contract {
	if len(all) == 0 {
		return Contract{}
	}
	return all[0]
}

// settle waits until no goroutine is left that was not there before.
func settle(t *testing.T, before int) {
	t.Helper()
	for range 200 {
		if runtime.NumGoroutine() <= before {
			return
		}
		<-time.After(20 * time.Millisecond)
	}
	buf := make([]byte, 1<<16)
	t.Errorf("%d goroutines before, %d after:\n%s", before, runtime.NumGoroutine(), buf[:runtime.Stack(buf, true)])
}

// inputs are what no protocol expects.
func inputs(c Contract) [][]byte {
	noise := make([]byte, 64<<10)
	r := rand.NewChaCha8([32]byte{1})
	_, _ = r.Read(noise)
	all := [][]byte{
		nil,
		{0},
		{0xff},
		[]byte("\r\n\r\n"), bytes.Repeat([]byte{0xff}, 1000), bytes.Repeat([]byte{0}, 1000), noise,
		[]byte("GET / HTTP/1.0\r\n\r\n"), []byte("SSH-2.0-x\r\n"), []byte("\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"),
		bytes.Repeat([]byte("\xff\xfb\x63\xff\xfd\x63"), 200), []byte("\xff\xfa\x18\x00"), []byte("%s%n%x\r\n"),
		bytes.Repeat([]byte("\r\n"), 5000),
	}
	return append(all, c.Requests...)
}

// exchange sends p, ends sending and reads all there is.
func exchange(conn *net.TCPConn, p []byte) {
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	_, _ = conn.Write(p)
	_ = conn.CloseWrite()
	wg.Wait()
	_ = conn.Close()
}

// crowd serves many peers at once, and each is reported from start to end.
func crowd(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	const peers = 40
	var wg sync.WaitGroup
	for i := range peers {
		conn := r.Dial(t)
		in := inputs(c)
		wg.Go(func() { exchange(conn, in[i%len(in)]) })
	}
	wg.Wait()
	r.Sink.Wait(t, honeyguide.ActivityClose, peers)
	if err := r.Stop(); err != nil {
		t.Error(err)
	}
	if n := len(r.Sink.Events(honeyguide.ActivityConnect)); n != peers {
		t.Errorf("%d connect events of %d peers", n, peers)
	}
	if n := len(r.Sink.Events(honeyguide.ActivityClose)); n != peers {
		t.Errorf("%d close events of %d peers", n, peers)
	}
	if n := r.Server.Door.Open(); n != 0 {
		t.Errorf("%d connections still counted", n)
	}
	for _, e := range r.Sink.Events() {
		if e.ID == "" || e.Session == "" || e.Sensor == "" || e.Service != k.Name || e.Time.IsZero() || !e.Src.Addr.IsValid() || e.Class == 0 {
			t.Fatalf("event without its basics: %+v", e)
		}
	}
}

// garbageIn sends what is not the protocol; the decoy may not fail.
func garbageIn(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	all := inputs(c)
	var wg sync.WaitGroup
	for _, in := range all {
		conn := r.Dial(t)
		wg.Go(func() { exchange(conn, in) })
	}
	wg.Wait()
	r.Sink.Wait(t, honeyguide.ActivityClose, len(all))
	failed(t, r)
}

// failed reports panics of the decoy.
func failed(t *testing.T, r *Rig) {
	t.Helper()
	for _, e := range r.Sink.Events(honeyguide.ActivityUnsupported) {
		if len(e.Raw) > 0 {
			t.Errorf("the decoy panicked: %s", e.Str(honeyguide.AttrDetail))
		}
	}
}

// halves cuts every request at every place, and hangs up with a reset.
func halves(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	n := 0
	for _, q := range append(c.Requests, []byte("\x00\x01")) {
		step := max(1, len(q)/12)
		for at := 0; at < len(q); at += step {
			conn := r.Dial(t)
			_, _ = conn.Write(q[:at])
			_ = conn.SetLinger(0)
			_ = conn.Close()
			n++
		}
	}
	r.Sink.Wait(t, honeyguide.ActivityClose, n)
	failed(t, r)
}

// longLine sends 10 MB without a line end; memory may not follow.
func longLine(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	conn := r.Dial(t)
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = io.Copy(io.Discard, conn) })
	block := bytes.Repeat([]byte{'A'}, 64<<10)
	for range 160 {
		if _, err := conn.Write(block); err != nil {
			break
		}
	}
	runtime.ReadMemStats(&after)
	_ = conn.Close()
	wg.Wait()
	if grown := int64(after.HeapInuse) - int64(before.HeapInuse); grown > 32<<20 {
		t.Errorf("a line of 10 MB took %d MiB", grown>>20)
	}
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	failed(t, r)
}

// slowPeer dribbles while others are served.
func slowPeer(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	slow := r.Dial(t)
	for _, q := range c.Requests {
		for _, b := range q[:min(len(q)/2, 8)] {
			_, _ = slow.Write([]byte{b})
			exchange(r.Dial(t), nil)
		}
	}
	exchange(r.Dial(t), []byte("\r\n"))
	r.Sink.Wait(t, honeyguide.ActivityClose, 1)
	_ = slow.Close()
}

// endOfContext ends the service while peers are in the middle of something.
func endOfContext(t *testing.T, k Kind, c Contract) {
	r := Start(t, k, c.Options)
	conns := make([]*net.TCPConn, 8)
	for i := range conns {
		conns[i] = r.Dial(t)
		if len(c.Requests) > 0 {
			q := c.Requests[i%len(c.Requests)]
			_, _ = conns[i].Write(q[:len(q)*i/len(conns)])
		}
	}
	r.Sink.Wait(t, honeyguide.ActivityConnect, len(conns))
	if err := r.Stop(); err != nil {
		t.Errorf("the end of the context is no error: %v", err)
	}
	if n := len(r.Sink.Events(honeyguide.ActivityClose)); n != len(conns) {
		t.Errorf("%d close events for %d peers", n, len(conns))
	}
}

// reported checks that no request goes unseen.
func reported(t *testing.T, k Kind, c Contract) {
	for i, q := range c.Requests {
		r := Start(t, k, c.Options)
		exchange(r.Dial(t), q)
		r.Sink.Wait(t, honeyguide.ActivityClose, 1)
		if n := len(r.Sink.Events()); n < 3 {
			t.Errorf("request %d (%.40q) is not reported", i, q)
		}
		_ = r.Stop()
	}
}

// limits checks that one source gets so many connections and no more.
func limits(t *testing.T, k Kind, c Contract) {
	o := c.Options
	o.Limits = sensor.Limits{PerSource: 2, Total: 2}
	r := Start(t, k, o)
	first, second := r.Dial(t), r.Dial(t)
	r.Sink.Wait(t, honeyguide.ActivityConnect, 2)
	third := r.Dial(t)
	if b, err := io.ReadAll(third); err != nil && len(b) == 0 && !isReset(err) {
		t.Errorf("a third connection: %v", err)
	}
	_, _ = first.Close(), second.Close()
	r.Sink.Wait(t, honeyguide.ActivityClose, 2)
	if n := len(r.Sink.Events(honeyguide.ActivityConnect)); n != 2 {
		t.Errorf("%d connections were served, want 2", n)
	}
	r.Sink.Wait(t, honeyguide.ActivityGap, 1) // the refusal is counted
}

func isReset(err error) bool {
	_, ok := err.(*net.OpError)
	return ok
}

// packets holds a sensor of datagrams to its part.
func packets(t *testing.T, k Kind, c Contract) {
	opened, w := Open(t, k, c.Options)
	if _, ok := opened.(sensor.PacketSensor); !ok {
		t.Skip("no datagrams")
	}
	sink := NewSink()
	srv := &sensor.Server{Name: "test", Service: k.Name, Sensor: opened, World: w, Sink: sink, Now: time.Now}
	from := netip.MustParseAddrPort("203.0.113.7:40000")
	for i, in := range inputs(c) {
		reply := srv.Packet(context.Background(), from, in)
		if len(reply) > len(in) {
			t.Errorf("input %d: %d bytes in, %d out", i, len(in), len(reply))
		}
		if n := len(sink.Events()); n < i+1 {
			t.Errorf("input %d is not reported", i)
		}
	}
}

// A Script is a connection whose peer says something and hangs up.
type Script struct {
	in  *bytes.Reader
	Out bytes.Buffer
	mu  sync.Mutex
}

// NewScript returns a connection on which in arrives.
func NewScript(in []byte) *Script { return &Script{in: bytes.NewReader(in)} }

// Read returns what the peer says.
func (s *Script) Read(p []byte) (int, error) { return s.in.Read(p) }

// Write keeps what the peer is told, the first MiB of it.
func (s *Script) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Out.Len() < 1<<20 {
		s.Out.Write(p)
	}
	return len(p), nil
}

// Close does nothing.
func (s *Script) Close() error { return nil }

// LocalAddr is an address of the documentation.
func (s *Script) LocalAddr() net.Addr { return &net.TCPAddr{IP: net.IPv4(192, 0, 2, 1), Port: 22} }

// RemoteAddr is an address of the documentation.
func (s *Script) RemoteAddr() net.Addr {
	return &net.TCPAddr{IP: net.IPv4(203, 0, 113, 7), Port: 40000}
}

// SetDeadline does nothing.
func (s *Script) SetDeadline(time.Time) error { return nil }

// SetReadDeadline does nothing.
func (s *Script) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline does nothing.
func (s *Script) SetWriteDeadline(time.Time) error { return nil }

// Fuzz feeds a sensor with what the fuzzer makes of the contract's requests.
func Fuzz(f *testing.F, k Kind, contract ...Contract) {
	c := first(contract)
	opened, w := Open(f, k, c.Options)
	for _, in := range inputs(c) {
		f.Add(in)
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		conn := NewScript(in)
		sink := NewSink()
		ses := Session(w, sink, k.Name, conn)
		if err := opened.ServeConn(t.Context(), ses); err != nil {
			t.Errorf("ServeConn: %v", err)
		}
		if ps, ok := opened.(sensor.PacketSensor); ok {
			if reply := ps.ServePacket(t.Context(), ses, in); len(reply) > len(in) {
				t.Errorf("%d bytes in, %d out", len(in), len(reply))
			}
		}
	})
}
