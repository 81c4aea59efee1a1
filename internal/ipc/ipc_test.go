package ipc

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"reflect"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

func pair(t testing.TB) (core, sensor *Conn) {
	t.Helper()
	a, b, err := Pair()
	if err != nil {
		t.Fatal(err)
	}
	if core, err = FromFile(a, Core); err != nil {
		t.Fatal(err)
	}
	if sensor, err = FromFile(b, Sensor); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { core.Close(); sensor.Close() })
	return core, sensor
}

func event(n int64) honeyguide.Event {
	at := time.Date(2026, 3, 1, 12, 0, 0, 123456000, time.UTC)
	return honeyguide.Event{
		ID: "e1", Time: at, Observed: at.Add(time.Millisecond), Class: honeyguide.ClassSSH,
		Activity: honeyguide.ActivityCommand, Severity: honeyguide.SeverityMedium,
		Sensor: "ssh", Service: "ssh", Session: "0123456789abcdefghijklmnop",
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:51234"), Country: "NL", ASN: 64500, ASOrg: "x", Hostname: "h"},
		Dst: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("[2001:db8::1]:22")},
		Attrs: map[string]any{
			honeyguide.AttrCommand: "uname -a; cat /etc/passwd\x1b[31m\xff", honeyguide.AttrStatus: n,
			"ratio": 0.5, "own.name": "x", "yes": true, "no": false, "list": []any{"a", 1.0},
		},
		Observables: []honeyguide.Observable{{Name: "src", Type: "ip", Value: "203.0.113.7"}},
		Attacks:     []honeyguide.Technique{{ID: "T1059", Tactic: "execution", Why: "shell"}},
		Raw:         []byte{0, 1, 2},
	}
}

func messages() map[bool][]Message {
	at := time.Date(2026, 3, 1, 12, 0, 0, 5000, time.UTC)
	return map[bool][]Message{
		true: {
			Cage{Listeners: 2, Namespaces: []string{"net"}, Conns: 100, Insecure: true},
			Setup{
				Persona: "debian-12", Seed: []byte{1}, Now: at,
				Sensors: []SensorSetup{{Name: "a", Kind: "ssh", Config: []byte("x: 1"), Listener: -1, Network: "udp", Addr: "[::]:22"}},
				Tokens: []TokenSetup{{
					ID: "t", UID: 7, Mode: 0o600, Content: []byte{0xff}, Needles: [][]byte{{1}},
					Credentials: []Credential{{Service: "ssh", User: "u", Password: "p"}},
				}},
				HostKeys: map[string][]byte{"ssh_rsa": []byte("PEM")}, Limits: Limits{Conns: 3},
			},
			Ack{N: 4096},
			Packet{Sensor: 3, ID: 9, From: netip.MustParseAddrPort("192.0.2.1:123"), Data: []byte("q")},
			Packet{},
			Stop{},
			FetchSetup{Ports: []uint16{443}, Allow: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}, Proxy: "http://p:1"},
			Fetch{ID: 7, URL: "https://example.com/", Header: map[string]string{"Accept": "*/*"}, MaxBytes: 9},
			FetchStop{ID: 7},
			FirewallSetup{Allow: []netip.Prefix{netip.MustParsePrefix("192.0.2.0/24")}, DNS: []netip.Addr{netip.MustParseAddr("2001:db8::53")}, Most: 10, PerSecond: 3},
			FirewallPart{ID: 8, Entries: []FirewallEntry{{netip.MustParsePrefix("203.0.113.7/32"), time.Hour}, {netip.MustParsePrefix("2001:db8::/48"), time.Millisecond}}},
			FirewallAsk{
				ID: 8, Verb: FirewallReplace, Entries: []FirewallEntry{{netip.MustParsePrefix("203.0.113.0/24"), time.Minute}},
				Redirects: []FirewallRedirect{{netip.MustParsePrefix("203.0.113.9/32"), true, 22, netip.MustParseAddrPort("0.0.0.0:2222"), time.Second}},
			},
			Recalled{Source: netip.MustParseAddr("203.0.113.7"), World: []byte("w")},
		},
		false: {
			FetchBody{ID: 7, Data: []byte("x")},
			Fetched{ID: 7, Status: 200, Header: map[string]string{"Etag": "x"}},
			FirewallAnswer{ID: 8, Refused: []FirewallRefusal{{netip.MustParsePrefix("10.0.0.1/32"), "private"}}, More: 2, Health: &FirewallState{Table: true, Entries: 4}},
			Recall{Source: netip.MustParseAddr("2001:db8:1:2::")},
			Remember{Source: netip.MustParseAddr("203.0.113.7"), World: []byte{0xff, 0}},
			Hello{PID: 1, Layers: []Layer{{Name: "seccomp", State: "on"}}, Probes: 40, Took: time.Second},
			Ready{},
			Events{Events: []honeyguide.Event{event(1), {}, event(-5)}},
			Chunk{Session: "s", Time: at, Stream: 'o', Data: []byte("\x1b[0m")},
			Piece{File: 1 << 40, At: 1 << 33, Data: []byte("\x7fELF")},
			PacketReply{ID: math.MaxUint64, Data: []byte("r")},
			Log{Level: slog.LevelWarn, Msg: "m", Attrs: []LogAttr{{"k", "v"}}},
		},
	}
}

func TestRoundTrip(t *testing.T) {
	core, sensor := pair(t)
	for fromCore, list := range messages() {
		from, to := core, sensor
		if !fromCore {
			from, to = sensor, core
		}
		for _, want := range list {
			if err := from.Send(want); err != nil {
				t.Fatalf("send %T: %v", want, err)
			}
			got, err := to.Receive()
			if err != nil {
				t.Fatalf("receive %T: %v", want, err)
			}
			if !reflect.DeepEqual(got, want) {
				t.Errorf("%T:\n got %+v\nwant %+v", want, got, want)
			}
		}
	}
	sensor.Close()
	if _, err := core.Receive(); err != io.EOF {
		t.Errorf("after close: %v, want EOF", err)
	}
}

func frame(k kind, n int, payload string) []byte {
	return append(append(binary.BigEndian.AppendUint32(nil, uint32(n)), byte(k)), payload...)
}

func TestHostileFrames(t *testing.T) {
	row := func(s string) string { return string(binary.BigEndian.AppendUint32(nil, uint32(len(s)))) + s }
	tests := map[string][]byte{
		"unknown type":        frame(0x7f, 0, ""),
		"core's own type":     frame(kindSetup, 2, "{}"),
		"over its cap":        frame(kindEvents, MaxEvents+1, ""),
		"4 GiB":               frame(kindEvents, math.MaxUint32, ""),
		"ready with payload":  frame(kindReady, 1, "x"),
		"cut":                 frame(kindChunk, 10, "ab"),
		"cut head":            {0, 0},
		"bad hello":           frame(kindHello, 1, "{"),
		"bad log":             frame(kindLog, 4, `"no"`),
		"many events, no row": frame(kindEvents, 4, "\x00\x00\x10\x00"),
		"2^32 events":         frame(kindEvents, 8, "\xff\xff\xff\xff\x00\x00\x00\x00"),
		"row over its cap":    frame(kindEvents, 8, "\x00\x00\x00\x01\xff\xff\xff\xff"),
		"row cut":             frame(kindEvents, 9, "\x00\x00\x00\x01\x00\x00\x00\x09x"),
		"empty row":           frame(kindEvents, 8, "\x00\x00\x00\x01"+row("")),
		"trailing bytes":      frame(kindEvents, 5, "\x00\x00\x00\x00x"),
		"piece number":        frame(kindPiece, 1, "\xff"),
		"piece too long":      frame(kindPiece, MaxPiece+100, ""),
		"chunk session":       frame(kindChunk, 3, "\xff\xff\x7f"),
		"short reply":         frame(kindReply, 3, "abc"),
	}
	for name, data := range tests {
		t.Run(name, func(t *testing.T) {
			core, sensor := pair(t)
			if err := sensor.send(data); err != nil {
				t.Fatal(err)
			}
			sensor.Close()
			if m, err := core.Receive(); !errors.Is(err, ErrProtocol) {
				t.Errorf("got %T, %v; want ErrProtocol", m, err)
			}
		})
	}
}

// TestMutatedEvents flips every byte of a row: no decode may panic, and what
// decodes must encode again.
func TestMutatedEvents(t *testing.T) {
	e := event(3)
	row, err := appendEvent(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	for i := range row {
		for _, c := range []byte{0, 1, 0x7f, 0x80, 0xff, row[i] ^ 1} {
			m := bytes.Clone(row)
			m[i] = c
			var got honeyguide.Event
			if decodeEvent(m, &got) != nil {
				continue
			}
			if _, err := appendEvent(nil, &got); err != nil {
				t.Fatalf("byte %d = %#x decodes but does not encode: %v", i, c, err)
			}
		}
		var got honeyguide.Event
		if decodeEvent(row[:i], &got) == nil && i < len(row)-len(e.Raw) {
			t.Errorf("row cut at %d was accepted", i)
		}
	}
}

func TestOddValues(t *testing.T) {
	e := honeyguide.Event{Attrs: map[string]any{"nan": math.NaN(), "big": uint64(math.MaxUint64), "nil": nil}}
	row, err := appendEvent(nil, &e)
	if err != nil {
		t.Fatal(err)
	}
	var got honeyguide.Event
	if err := decodeEvent(row, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{"nan": "NaN", "big": float64(math.MaxUint64), "nil": nil}
	if !reflect.DeepEqual(got.Attrs, want) {
		t.Errorf("got %v, want %v", got.Attrs, want)
	}
	e.Attrs = map[string]any{"func": func() {}}
	if _, err := appendEvent(nil, &e); err == nil {
		t.Error("a function was encoded")
	}
}

func TestTooLargeLeavesTheStream(t *testing.T) {
	core, sensor := pair(t)
	err := sensor.Send(Chunk{Data: make([]byte, MaxChunk+1)})
	if !errors.Is(err, ErrTooLarge) {
		t.Fatalf("got %v, want ErrTooLarge", err)
	}
	if err := sensor.Send(Ready{}); err != nil {
		t.Fatal(err)
	}
	if m, err := core.Receive(); m != (Ready{}) || err != nil {
		t.Errorf("got %v, %v; want Ready", m, err)
	}
}

func run(t *testing.T, o *Outbox) {
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); o.Run(ctx) }()
	t.Cleanup(func() { cancel(); o.conn.Close(); <-done })
}

func TestOutbox(t *testing.T) {
	core, sensor := pair(t)
	o := NewOutbox(sensor, OutboxOptions{})
	run(t, o)
	const n = 2000
	go func() {
		for i := range int64(n) {
			e := honeyguide.Event{}
			e.Set(honeyguide.AttrCount, i)
			o.Event(context.Background(), e)
		}
	}()
	next := int64(0)
	for next < n {
		m, err := core.Receive()
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range m.(Events).Events {
			if got := e.Int(honeyguide.AttrCount); got != next {
				t.Fatalf("event %d where %d was due", got, next)
			}
			next++
		}
	}
	if got := o.Pending(); got != n {
		t.Errorf("pending %d, want %d", got, n)
	}
	o.Acked(n)
	if err := o.Flush(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestOutboxOrder: what was recorded before an event leaves before it.
func TestOutboxOrder(t *testing.T) {
	core, sensor := pair(t)
	o := NewOutbox(sensor, OutboxOptions{})
	o.Log(Log{Msg: "l"})
	o.Chunk(t.Context(), Chunk{Session: "s", Data: []byte("1")})
	o.Event(t.Context(), honeyguide.Event{})
	o.Chunk(t.Context(), Chunk{Session: "s", Data: []byte("2")})
	run(t, o)
	var got []string
	for range 4 {
		m, err := core.Receive()
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.TrimPrefix(reflect.TypeOf(m).String(), "ipc."))
	}
	if want := []string{"Chunk", "Chunk", "Events", "Log"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
}

// TestOutboxBounds: with nobody reading, every queue comes to an end and the
// caller's context ends the wait.
func TestOutboxBounds(t *testing.T) {
	_, sensor := pair(t)
	o := NewOutbox(sensor, OutboxOptions{Bytes: 4096, Window: 50})
	ctx, cancel := context.WithCancel(t.Context())
	full := func(put func() error) int {
		for i := range 100000 {
			o.mu.Lock()
			room := len(o.rows)+len(o.chunks) < 4096 && o.pending < 50
			o.mu.Unlock()
			if !room {
				return i
			}
			if err := put(); err != nil {
				t.Fatal(err)
			}
		}
		return -1
	}
	if n := full(func() error { return o.Event(ctx, honeyguide.Event{}) }); n != 50 {
		t.Errorf("%d events fit, want the window of 50", n)
	}
	cancel()
	if err := o.Event(ctx, honeyguide.Event{}); !errors.Is(err, context.Canceled) {
		t.Errorf("full outbox: %v, want canceled", err)
	}
	for range 10000 {
		o.Log(Log{Msg: "x"})
	}
	if len(o.logs) > keep || o.Lost() == 0 {
		t.Errorf("%d bytes of logs, %d lost", len(o.logs), o.Lost())
	}
}

func TestOutboxTruncates(t *testing.T) {
	core, sensor := pair(t)
	o := NewOutbox(sensor, OutboxOptions{})
	run(t, o)
	e := event(1)
	e.Raw = make([]byte, MaxEvent)
	e.Attrs[honeyguide.AttrBody] = strings.Repeat("ä", MaxEvent)
	if err := o.Event(t.Context(), e); err != nil {
		t.Fatal(err)
	}
	m, err := core.Receive()
	if err != nil {
		t.Fatal(err)
	}
	got := m.(Events).Events[0]
	if got.Attrs[AttrTruncated] != true || len(got.Str(honeyguide.AttrBody)) != shrunkText || got.Session != e.Session {
		t.Errorf("got %d body bytes, truncated %v", len(got.Str(honeyguide.AttrBody)), got.Attrs[AttrTruncated])
	}
	if e.Attrs[AttrTruncated] != nil {
		t.Error("the caller's attributes were changed")
	}
}

func TestOutboxEndsWithTheConnection(t *testing.T) {
	core, sensor := pair(t)
	o := NewOutbox(sensor, OutboxOptions{})
	done := make(chan error)
	go func() { done <- o.Run(t.Context()) }()
	core.Close()
	var err error
	for err == nil {
		err = o.Event(t.Context(), honeyguide.Event{})
	}
	if <-done == nil {
		t.Error("Run returned nil")
	}
	if o.Flush(t.Context()) == nil {
		t.Error("Flush returned nil")
	}
}

func TestQuota(t *testing.T) {
	now := time.Unix(0, 0)
	f := newFlow(Quota{Bytes: 1000, Frames: 10}, func() time.Time { return now })
	steps := []struct {
		after time.Duration
		n     int
		want  time.Duration
	}{
		{0, 1000, 0},
		{0, 500, 500 * time.Millisecond},
		{500 * time.Millisecond, 100, 100 * time.Millisecond},
		{time.Hour, 1000, 0},
		{-time.Hour, 0, 0},
	}
	for i, s := range steps {
		now = now.Add(s.after)
		if got := f.charge(s.n).Round(time.Microsecond); got != s.want {
			t.Errorf("step %d: wait %v, want %v", i, got, s.want)
		}
	}
	now = now.Add(3 * time.Hour)
	var got time.Duration
	for range 11 {
		got = f.charge(0)
	}
	if got.Round(time.Millisecond) != 100*time.Millisecond {
		t.Errorf("11 frames of 10: wait %v", got)
	}
}

func TestCloseEndsQuotaWait(t *testing.T) {
	core, sensor := pair(t)
	core.Limit(Quota{Bytes: 1, Frames: 1}, time.Now)
	sensor.Send(Ready{})
	done := make(chan error)
	go func() { _, err := core.Receive(); done <- err }()
	core.Close()
	if err := <-done; !errors.Is(err, net.ErrClosed) {
		t.Errorf("got %v, want closed", err)
	}
}

func FuzzReceive(f *testing.F) {
	for _, list := range messages() {
		for _, m := range list {
			b, err := appendFrame(nil, m)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(b[4], b[header:])
		}
	}
	f.Fuzz(func(t *testing.T, k byte, p []byte) {
		if len(p) > limit[kind(k)] {
			return
		}
		m, err := decode(kind(k), p)
		if err != nil {
			if !errors.Is(err, ErrProtocol) {
				t.Fatalf("error outside the protocol: %v", err)
			}
			return
		}
		again, err := appendFrame(nil, m)
		if errors.Is(err, ErrTooLarge) {
			return // JSON may grow when it is written again
		}
		if err != nil {
			t.Fatalf("%T decodes but does not encode: %v", m, err)
		}
		back, err := decode(m.kind(), again[header:])
		if err != nil {
			t.Fatalf("%T does not survive: %v", m, err)
		}
		if _, ok := m.(Events); ok && !reflect.DeepEqual(m, back) {
			t.Fatalf("\n got %+v\nwant %+v", back, m)
		}
	})
}

func BenchmarkEncodeDecode(b *testing.B) {
	e := event(1)
	e.Attrs = map[string]any{
		honeyguide.AttrUser: "root", honeyguide.AttrPassword: "hunter2", honeyguide.AttrAuthMethod: "password",
		honeyguide.AttrStatus: int64(0), honeyguide.AttrCommand: "uname -a",
	}
	e.Raw, e.Observables, e.Attacks = nil, nil, nil
	batch := make([]honeyguide.Event, 100)
	for i := range batch {
		batch[i] = e
	}
	b.ReportAllocs()
	var buf []byte
	for b.Loop() {
		buf, _ = appendFrame(buf[:0], Events{batch})
		if _, err := decode(kindEvents, buf[header:]); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/100, "ns/event")
	b.ReportMetric(float64(len(buf))/100, "B/row")
}

func BenchmarkOutbox(b *testing.B) {
	core, sensor := pair(b)
	o := NewOutbox(sensor, OutboxOptions{})
	go o.Run(b.Context())
	e := event(1)
	go func() {
		for range b.N {
			o.Event(b.Context(), e)
		}
	}()
	b.ResetTimer()
	for n := 0; n < b.N; {
		m, err := core.Receive()
		if err != nil {
			b.Fatal(err)
		}
		k := len(m.(Events).Events)
		n += k
		o.Acked(k)
	}
}
