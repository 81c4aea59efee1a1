package worlds_test

import (
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"

	"honeyguide/internal/worlds"
)

var (
	secret = []byte("a secret for tests only")
	epoch  = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)
	peer   = netip.MustParseAddr("203.0.113.9")
)

func open(t testing.TB, path string, o worlds.Options) *worlds.Store {
	t.Helper()
	if o.Secret == nil {
		o.Secret = secret
	}
	s, err := worlds.Open(t.Context(), path, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func save(t testing.TB, s *worlds.Store, persona string, source netip.Addr, world []byte) {
	t.Helper()
	if err := s.Save(t.Context(), persona, source, world); err != nil {
		t.Fatal(err)
	}
}

func flush(t testing.TB, s *worlds.Store) {
	t.Helper()
	if err := s.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func want(t testing.TB, s *worlds.Store, persona string, source netip.Addr, world []byte) {
	t.Helper()
	got, err := s.Load(t.Context(), persona, source)
	if err != nil || !bytes.Equal(got, world) {
		t.Errorf("%s %v: %d bytes, %v; want %d", persona, source, len(got), err, len(world))
	}
}

func TestKeptOverRestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worlds.db")
	s := open(t, path, worlds.Options{})
	small, large := []byte("w"), bytes.Repeat([]byte("0123456789"), 500_000)
	other := netip.MustParseAddr("2001:db8:1:2::")
	save(t, s, "debian-12", peer, small)
	want(t, s, "debian-12", peer, small) // before it is written
	save(t, s, "debian-12", other, large)
	flush(t, s)
	save(t, s, "debian-12-fresh", peer, []byte("x"))
	save(t, s, "debian-12-fresh", peer, []byte("y"))
	flush(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	s = open(t, path, worlds.Options{})
	want(t, s, "debian-12", peer, small)
	want(t, s, "debian-12", other, large)
	want(t, s, "debian-12-fresh", peer, []byte("y"))
	want(t, s, "debian-12", netip.MustParseAddr("203.0.113.10"), nil)
	if n, bytes := s.Size(); n != 3 || bytes > 100_000 {
		t.Errorf("%d worlds of %d bytes", n, bytes)
	}
	save(t, s, "debian-12", peer, nil)
	flush(t, s)
	want(t, s, "debian-12", peer, nil)
	if n, _ := s.Size(); n != 2 {
		t.Errorf("%d worlds after one was forgotten", n)
	}
}

// TestFileTellsNothing looks for the content and the source in the file.
func TestFileTellsNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worlds.db")
	s := open(t, path, worlds.Options{})
	save(t, s, "debian-12", peer, []byte("the attacker's own words"))
	flush(t, s)
	for _, suffix := range []string{"", "-wal"} {
		raw, err := os.ReadFile(path + suffix)
		if err != nil {
			t.Fatal(err)
		}
		a := peer.As4()
		for _, needle := range [][]byte{[]byte("own words"), []byte(peer.String()), a[:]} {
			if bytes.Contains(raw, needle) {
				t.Errorf("worlds.db%s holds %q", suffix, needle)
			}
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	want(t, open(t, path, worlds.Options{Secret: []byte("another")}), "debian-12", peer, nil)
}

func TestLeastRecentlySeenGoesFirst(t *testing.T) {
	now := epoch
	o := worlds.Options{Bytes: 10_000, Sources: 5, Now: func() time.Time { now = now.Add(time.Second); return now }}
	s := open(t, filepath.Join(t.TempDir(), "worlds.db"), o)
	at := func(n int) netip.Addr { return netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}) }
	for n := range 8 {
		save(t, s, "p", at(n), []byte{byte(n)})
		flush(t, s)
	}
	want(t, s, "p", at(2), nil)
	want(t, s, "p", at(3), []byte{3})
	save(t, s, "p", at(3), []byte{33}) // seen again
	flush(t, s)
	noise := make([]byte, 9_900)
	r := rand.New(rand.NewPCG(1, 2))
	for i := range noise {
		noise[i] = byte(r.Uint32())
	}
	save(t, s, "p", at(20), noise)
	flush(t, s)
	want(t, s, "p", at(20), noise)
	want(t, s, "p", at(4), nil)
	if _, bytes := s.Size(); bytes > 10_000 {
		t.Errorf("%d bytes kept", bytes)
	}
}

func TestOldWorldsAreDropped(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worlds.db")
	now := epoch
	clock := func() time.Time { return now }
	s := open(t, path, worlds.Options{Now: clock})
	save(t, s, "p", peer, []byte("old"))
	flush(t, s)
	now = now.Add(31 * 24 * time.Hour)
	ctx, cancel := context.WithCancel(t.Context())
	save(t, s, "p", netip.MustParseAddr("192.0.2.1"), []byte("new"))
	cancel() // Run drops what is old and writes what is left
	if err := s.Run(ctx); err != nil {
		t.Log(err)
	}
	ran := make(chan error, 1)
	ctx, cancel = context.WithCancel(t.Context())
	go func() { ran <- s.Run(ctx) }()
	for {
		old, err1 := s.Load(t.Context(), "p", peer)
		fresh, err2 := s.Load(t.Context(), "p", netip.MustParseAddr("192.0.2.1"))
		if err1 != nil || err2 != nil || old == nil && fresh != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	cancel()
	if err := <-ran; err != nil {
		t.Error(err)
	}
	want(t, s, "p", peer, nil)
	want(t, s, "p", netip.MustParseAddr("192.0.2.1"), []byte("new"))
}

func BenchmarkSave(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "worlds.db"), worlds.Options{})
	world := bytes.Repeat([]byte("a line of a small file\n"), 60)
	n := 0
	for b.Loop() {
		for range 100 { // as many as come together
			n++
			save(b, s, "p", netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), world)
		}
		flush(b, s)
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(n), "us/world")
}

// BenchmarkLoadUnknown is what every new source costs the core.
func BenchmarkLoadUnknown(b *testing.B) {
	s := open(b, filepath.Join(b.TempDir(), "worlds.db"), worlds.Options{})
	for n := range 1000 {
		save(b, s, "p", netip.AddrFrom4([4]byte{198, 51, byte(n >> 8), byte(n)}), fmt.Append(nil, n))
	}
	flush(b, s)
	for b.Loop() {
		if w, err := s.Load(b.Context(), "p", peer); w != nil || err != nil {
			b.Fatal(w, err)
		}
	}
}
