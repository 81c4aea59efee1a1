package sensor

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// naive finds the tags the slow way.
func naive(texts [][]byte, stream []byte) (tags []int) {
	for i, x := range texts {
		if len(x) >= minNeedle && bytes.Contains(stream, x) {
			tags = append(tags, i)
		}
	}
	return tags
}

func found(n *needles, chunks ...[]byte) (tags []int) {
	state := uint16(0)
	for _, c := range chunks {
		state = n.search(state, c, func(tag int) {
			if !slices.Contains(tags, tag) {
				tags = append(tags, tag)
			}
		})
	}
	slices.Sort(tags)
	return tags
}

func tagsOf(texts [][]byte) []int {
	tags := make([]int, len(texts))
	for i := range tags {
		tags[i] = i
	}
	return tags
}

func TestNeedlesAgreeWithTheSlowWay(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	word := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = "ab"[r.IntN(2)]
		}
		return b
	}
	for range 300 {
		var texts [][]byte
		for range 1 + r.IntN(6) {
			texts = append(texts, word(6+r.IntN(6)))
		}
		n := newNeedles(texts, tagsOf(texts))
		stream := word(200)
		want := naive(texts, stream)
		if got := found(n, stream); !slices.Equal(got, want) {
			t.Fatalf("%q in %q: got %v, want %v", texts, stream, got, want)
		}
		var split [][]byte
		for _, c := range stream {
			split = append(split, []byte{c})
		}
		if got := found(n, split...); !slices.Equal(got, want) {
			t.Fatalf("byte by byte: got %v, want %v", got, want)
		}
	}
}

func TestNeedlesOfAllBytes(t *testing.T) {
	text := make([]byte, 256)
	for i := range text {
		text[i] = byte(i)
	}
	n := newNeedles([][]byte{text}, []int{7})
	if got := found(n, []byte("x"), text[:100], text[100:]); !slices.Equal(got, []int{7}) {
		t.Errorf("got %v", got)
	}
}

func TestNeedlesAreBounded(t *testing.T) {
	texts := [][]byte{[]byte("short"), bytes.Repeat([]byte("x"), maxNeedleBytes+1), []byte("long enough")}
	n := newNeedles(texts, tagsOf(texts))
	if got := found(n, []byte("short long enough")); !slices.Equal(got, []int{2}) {
		t.Errorf("got %v, want only the third", got)
	}
	if found(newNeedles(nil, nil), []byte("anything")) != nil {
		t.Error("found something among nothing")
	}
}

func TestFormsAreFoundInEncodedFiles(t *testing.T) {
	needle := []byte("AKIA6VZT6IANMRBKKWJW")
	n := newNeedles(forms(needle), make([]int, len(forms(needle))))
	for shift := range 7 {
		file := fmt.Appendf(nil, "%s%s\nrest", bytes.Repeat([]byte("k"), shift), needle)
		for name, out := range map[string][]byte{
			"plain": file, "base64": []byte(base64.StdEncoding.EncodeToString(file)), "hex": []byte(hex.EncodeToString(file)),
		} {
			if found(n, out) == nil {
				t.Errorf("not found %s with %d bytes before it", name, shift)
			}
		}
	}
	if found(n, []byte(base64.StdEncoding.EncodeToString([]byte("another text that is no bait")))) != nil {
		t.Error("found where there is none")
	}
}

func FuzzNeedles(f *testing.F) {
	f.Add([]byte("aaaaaaaab"), []byte("aaaaaaaaab"), []byte("baaaaaaaaaabaa"), 3)
	f.Fuzz(func(t *testing.T, a, b, stream []byte, cut int) {
		texts := [][]byte{a, b}
		if len(a)+len(b) > maxNeedleBytes {
			return
		}
		n := newNeedles(texts, tagsOf(texts))
		if cut < 0 || cut > len(stream) {
			cut = len(stream)
		}
		if got, want := found(n, stream[:cut], stream[cut:]), naive(texts, stream); !slices.Equal(got, want) {
			t.Fatalf("got %v, want %v", got, want)
		}
	})
}

func BenchmarkNeedles(b *testing.B) {
	var texts [][]byte
	for i := range 40 {
		texts = append(texts, forms(fmt.Appendf(nil, "AKIA%016d", i))...)
	}
	n := newNeedles(texts, tagsOf(texts))
	stream := bytes.Repeat([]byte("drwxr-xr-x  2 root root 4096 Nov 21 20:26 AKIA some file\r\n"), 64)
	b.SetBytes(int64(len(stream)))
	for b.Loop() {
		n.search(0, stream, func(int) {})
	}
}
