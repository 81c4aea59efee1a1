package sshwire

import (
	"bytes"
	"compress/zlib"
	"errors"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
)

// samples are packets of several kinds.
func samples() [][]byte {
	rnd := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 5000)
	for i := range noise {
		noise[i] = byte(rnd.Uint32())
	}
	return [][]byte{
		[]byte("a"), []byte("hello hello hello hello"), []byte(strings.Repeat("x", 32768)), noise, noise[:4000],
		[]byte(strings.Repeat("drwxr-xr-x 2 root root 4096 Nov 21 20:43 ssh_config.d\n", 500)),
		{0},
		noise[100:3000],
	}
}

// TestDeflate reads our stream with the standard library.
func TestDeflate(t *testing.T) {
	d := newDeflater()
	var stream, want []byte
	for range 4 {
		for _, p := range samples() {
			stream = d.packet(stream, [][]byte{p[:len(p)/3], p[len(p)/3:]})
			want = append(want, p...)
		}
	}
	stream = append(stream, byte(d.acc)) // what is left of the flush
	r, err := zlib.NewReader(bytes.NewReader(stream))
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(r)
	if !errors.Is(err, io.ErrUnexpectedEOF) || !bytes.Equal(got, want) {
		t.Errorf("%d bytes of %d, %v", len(got), len(want), err)
	}
	if len(stream) > len(want)/2 {
		t.Errorf("%d bytes for %d", len(stream), len(want))
	}
}

// TestInflate reads both our stream and the library's, packet by packet.
func TestInflate(t *testing.T) {
	d, ours := newDeflater(), newInflater()
	var lib bytes.Buffer
	w, theirs := zlib.NewWriter(&lib), newInflater()
	for round := range 4 {
		for i, p := range samples() {
			got, err := ours.packet(nil, d.packet(nil, [][]byte{p}))
			if err != nil || !bytes.Equal(got, p) {
				t.Fatalf("round %d, sample %d: %d bytes of %d, %v", round, i, len(got), len(p), err)
			}
			lib.Reset()
			_, _ = w.Write(p)
			_ = w.Flush()
			got, err = theirs.packet(nil, lib.Bytes())
			if err != nil || !bytes.Equal(got, p) {
				t.Fatalf("library, round %d, sample %d: %d bytes of %d, %v", round, i, len(got), len(p), err)
			}
		}
	}
}

// TestBombs expects a bound on what a packet becomes.
func TestBombs(t *testing.T) {
	var lib bytes.Buffer
	w := zlib.NewWriter(&lib)
	_, _ = w.Write(make([]byte, 40<<20))
	_ = w.Flush()
	if lib.Len() > maxPacket {
		t.Fatalf("the bomb has %d bytes", lib.Len())
	}
	if _, err := newInflater().packet(nil, lib.Bytes()); !errors.Is(err, errBomb) {
		t.Errorf("got %v", err)
	}
}

func FuzzInflate(f *testing.F) {
	var lib bytes.Buffer
	w := zlib.NewWriter(&lib)
	_, _ = w.Write([]byte("hello hello hello, some text and some more of it"))
	_ = w.Flush()
	f.Add(lib.Bytes(), 5)
	f.Add([]byte{0x78, 0x9c, 0x02, 0x00, 0x00}, 1)
	f.Fuzz(func(t *testing.T, p []byte, cut int) {
		cut = max(0, min(cut, len(p)))
		whole, err := newInflater().packet(nil, p)
		// The same bytes in two packets are the same text.
		z := newInflater()
		first, err1 := z.packet(nil, p[:cut])
		second, err2 := z.packet(nil, p[cut:])
		if len(whole) > maxPacket+maxMatch {
			t.Errorf("%d bytes", len(whole))
		}
		if err == nil && err1 == nil && err2 == nil && !bytes.Equal(whole, append(first, second...)) {
			t.Errorf("%x and %x then %x", whole, first, second)
		}
	})
}
