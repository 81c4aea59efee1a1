// Package sensortest holds every sensor to the contract of its host: whatever a
// peer sends, the sensor neither panics nor hangs nor grows, other peers are
// served meanwhile, everything is reported, and the end of the context ends it.
package sensortest

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"net"
	"net/netip"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
)

// Kind is what is tested.
type Kind = kind.Kind[sensor.Deps, sensor.Sensor]

// Bait is the honeytoken planted in every test world at BaitPath; BaitUser and
// BaitPassword are its credential.
const (
	BaitID       = "00000000000000000000000001"
	BaitPath     = "/root/.aws/credentials"
	BaitSecret   = "wJalrXUtnFEMIK7MDENGbPxRfiCYzzzzzzBAIT00"
	BaitUser     = "root"
	BaitPassword = "maple-anchor-47"
)

// Seed is the deployment secret of test worlds.
func Seed() []byte { return []byte("a secret for tests only") }

// NewWorld returns a world of the first persona with one bait.
func NewWorld(t testing.TB, change ...func(*sensor.WorldConfig)) *sensor.World {
	t.Helper()
	host, err := persona.New(Seed(), "debian-12", persona.Options{Now: time.Now()})
	if err != nil {
		t.Fatal(err)
	}
	if err := host.Plant(BaitPath, vfs.Cred{}, 0o600, []byte("[default]\naws_secret_access_key = "+BaitSecret+"\n")); err != nil {
		t.Fatal(err)
	}
	c := sensor.WorldConfig{Host: host, Seed: Seed(), Now: time.Now, Baits: []sensor.Bait{{
		ID: BaitID, Kind: "aws_key", Path: BaitPath, Needles: [][]byte{[]byte(BaitSecret)},
		Credentials: []sensor.Credential{{User: BaitUser, Password: BaitPassword}},
	}}}
	for _, f := range change {
		f(&c)
	}
	return sensor.NewWorld(c)
}

// HostKeys makes a set of SSH host keys; the RSA key is short, for speed.
func HostKeys(t testing.TB) map[string][]byte {
	t.Helper()
	keys := map[string][]byte{}
	add := func(name string, key any, err error) {
		if err != nil {
			t.Fatal(err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(key)
		if err != nil {
			t.Fatal(err)
		}
		keys[name] = pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
	}
	r, err := rsa.GenerateKey(rand.Reader, 2048)
	add("ssh_rsa", r, err)
	e, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	add("ssh_ecdsa", e, err)
	_, d, err := ed25519.GenerateKey(rand.Reader)
	add("ssh_ed25519", d, err)
	return keys
}

// A Sink keeps what sessions leave behind.
type Sink struct {
	mu     sync.Mutex
	events []honeyguide.Event
	chunks []ipc.Chunk
	pieces []ipc.Piece
	more   chan struct{}
}

// NewSink returns an empty sink.
func NewSink() *Sink { return &Sink{more: make(chan struct{})} }

// Event keeps e.
func (s *Sink) Event(e honeyguide.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, e)
	close(s.more)
	s.more = make(chan struct{})
}

// Chunk keeps c.
func (s *Sink) Chunk(c ipc.Chunk) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.chunks = append(s.chunks, c)
}

// Piece keeps p.
func (s *Sink) Piece(p ipc.Piece) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pieces = append(s.pieces, p)
}

// Content returns what was sent of a file under its number.
func (s *Sink) Content(file int64) []byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []byte
	for _, p := range s.pieces {
		if int64(p.File) == file {
			b = append(b, p.Data...)
		}
	}
	return b
}

// Events returns what was reported, of the given activities or of all.
func (s *Sink) Events(activities ...string) []honeyguide.Event {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []honeyguide.Event
	for _, e := range s.events {
		for _, a := range activities {
			if e.Activity == a {
				out = append(out, e)
			}
		}
		if len(activities) == 0 {
			out = append(out, e)
		}
	}
	return out
}

// Recording returns what was recorded on a stream of a session; an empty
// session means all.
func (s *Sink) Recording(session string, stream byte) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var b []byte
	for _, c := range s.chunks {
		if c.Stream == stream && (session == "" || c.Session == session) {
			b = append(b, c.Data...)
		}
	}
	return string(b)
}

// Wait waits until n events of an activity were reported and returns them.
func (s *Sink) Wait(t testing.TB, activity string, n int) []honeyguide.Event {
	t.Helper()
	limit := time.After(20 * time.Second)
	for {
		s.mu.Lock()
		more := s.more
		s.mu.Unlock()
		if got := s.Events(activity); len(got) >= n {
			return got
		}
		select {
		case <-more:
		case <-limit:
			t.Fatalf("waited for %d events %q, got %d; all: %v", n, activity, len(s.Events(activity)), s.activities())
		}
	}
}

func (s *Sink) activities() (out []string) {
	for _, e := range s.Events() {
		out = append(out, e.Activity)
	}
	return out
}

// A Rig is a sensor serving on loopback.
type Rig struct {
	Addr   string
	Sink   *Sink
	World  *sensor.World
	Sensor sensor.Sensor
	Server *sensor.Server
	stop   func() error
}

// Options change a rig. The zero value is the kind's defaults in a new world.
type Options struct {
	Config func(into any) error // decodes the configuration
	World  *sensor.World
	Limits sensor.Limits
	Keys   map[string][]byte
}

// Open opens the kind without serving it.
func Open(t testing.TB, k Kind, o Options) (sensor.Sensor, *sensor.World) {
	t.Helper()
	w := o.World
	if w == nil {
		w = NewWorld(t)
	}
	keys := o.Keys
	if keys == nil {
		keys = HostKeys(t)
	}
	opened, err := k.Open(t.Context(), o.Config, sensor.Deps{
		Name: k.Name + "-test", Log: slog.New(slog.DiscardHandler), World: w, HostKeys: keys, Now: time.Now, Seed: Seed(),
	})
	if err != nil {
		t.Fatalf("open %s: %v", k.Name, err)
	}
	return opened, w
}

// Start serves the kind on loopback until the test ends.
func Start(t testing.TB, k Kind, o Options) *Rig {
	t.Helper()
	opened, w := Open(t, k, o)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &Rig{Addr: l.Addr().String(), Sink: NewSink(), World: w, Sensor: opened}
	r.Server = &sensor.Server{
		Name: k.Name + "-test", Service: k.Name, Sensor: opened, World: w, Sink: r.Sink,
		Log: slog.New(slog.DiscardHandler), Now: time.Now, Limits: o.Limits, Door: sensor.NewDoorman(o.Limits),
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- r.Server.Serve(ctx, l) }()
	var once sync.Once
	var result error
	r.stop = func() error {
		once.Do(func() {
			cancel()
			select {
			case result = <-done:
			case <-time.After(20 * time.Second):
				t.Errorf("%s: the end of the context does not end it", k.Name)
			}
		})
		return result
	}
	t.Cleanup(func() {
		if err := r.stop(); err != nil {
			t.Errorf("%s: %v", k.Name, err)
		}
	})
	return r
}

// Stop ends the rig and waits for it.
func (r *Rig) Stop() error { return r.stop() }

// Dial connects to the rig.
func (r *Rig) Dial(t testing.TB) *net.TCPConn {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr)
	if err != nil {
		t.Fatal(err)
	}
	_ = c.SetDeadline(time.Now().Add(20 * time.Second))
	t.Cleanup(func() { _ = c.Close() })
	return c.(*net.TCPConn)
}

// Session returns a session of a sensor that is not served, on conn.
func Session(w *sensor.World, sink *Sink, service string, conn net.Conn) *sensor.Session {
	srv := &sensor.Server{
		Name: service + "-test", Service: service, World: w, Sink: sink, Now: time.Now,
		Log: slog.New(slog.DiscardHandler),
	}
	return srv.Session(conn, netip.MustParseAddrPort("203.0.113.7:40000"), netip.MustParseAddrPort("192.0.2.1:22"))
}
