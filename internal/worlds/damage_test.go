package worlds_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"os"
	"path/filepath"
	"testing"

	"honeyguide/internal/sqldb"
	"honeyguide/internal/worlds"
)

// TestFlippedBytes spoils the file at random places: a world comes back as it was
// saved, or not at all; nothing crashes, and new worlds are kept wherever the
// engine still takes the file for one.
func TestFlippedBytes(t *testing.T) {
	path := filepath.Join(t.TempDir(), "worlds.db")
	s := open(t, path, worlds.Options{})
	rnd := rand.New(rand.NewPCG(4, 4))
	saved := map[netip.Addr][]byte{}
	for n := range 40 {
		w := make([]byte, 200+rnd.IntN(3000))
		for i := range w {
			w[i] = byte(rnd.Uint32())
		}
		at := netip.AddrFrom4([4]byte{198, 51, 100, byte(n)})
		save(t, s, "p", at, w)
		saved[at] = w
	}
	flush(t, s)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	refused, lost := 0, 0
	for round := range 40 {
		raw := bytes.Clone(whole)
		for range 1 + rnd.IntN(20) {
			raw[rnd.IntN(len(raw))] ^= 1 << rnd.IntN(8)
		}
		path := filepath.Join(t.TempDir(), "worlds.db")
		if err := os.WriteFile(path, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		s, err := worlds.Open(t.Context(), path, worlds.Options{Secret: secret})
		if err != nil {
			refused++
			continue
		}
		for at, want := range saved {
			got, err := s.Load(t.Context(), "p", at)
			switch {
			case err != nil || got == nil:
				lost++
			case !bytes.Equal(got, want):
				t.Errorf("round %d: the world of %s is another: %s", round, at, fmt.Sprintf("%.20x, want %.20x", got, want))
			}
		}
		save(t, s, "p", peer, []byte("new"))
		if err := s.Flush(t.Context()); err == nil {
			want(t, s, "p", peer, []byte("new"))
		} else if !sqldb.IsCorrupt(err) {
			t.Errorf("round %d: %v", round, err)
		}
		_ = s.Close()
	}
	if lost == 0 {
		t.Error("no world was lost: this proves nothing")
	}
	t.Logf("%d files refused, %d worlds not given out", refused, lost)
}
