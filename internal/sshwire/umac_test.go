package sshwire

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"
)

// TestUMAC checks the test vectors of RFC 4418, appendix; its nonce is text, so
// the packet's number is set aside.
func TestUMAC(t *testing.T) {
	for _, tc := range []struct{ message, tag string }{
		{"", "6e155fad26900be1"},
		{"aaa", "44b5cb542f220104"},
		{strings.Repeat("a", 1<<10), "26bf2f5d60118bd9"},
		{strings.Repeat("a", 1<<15), "27f8ef643b0d118d"},
		{strings.Repeat("a", 1<<20), "a4477e87e9f55853"},
		{"abc", "d4d7b9f6bd4fbfcf"},
		{strings.Repeat("abc", 500), "d4cf26ddefd5c01a"},
	} {
		m, err := newUMAC64([]byte("abcdefghijklmnop"))
		if err != nil {
			t.Fatal(err)
		}
		u := m.(*umac)
		tag := u.sum(nil, 0, []byte(tc.message))
		for i, b := range u.mask(0) {
			tag[i] ^= b
		}
		for i, b := range u.mask(0x6263646566676869) { // bcdefghi
			tag[i] ^= b
		}
		if got := hex.EncodeToString(tag); got != tc.tag {
			t.Errorf("%d bytes %.5q: %s, want %s", len(tc.message), tc.message, got, tc.tag)
		}
	}
}

func TestUMACTagsDiffer(t *testing.T) {
	m, err := newUMAC128([]byte("abcdefghijklmnop"))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for seq := range uint32(20) {
		tag := m.sum(nil, seq, []byte("the same text"))
		if len(tag) != 16 || seen[string(tag)] {
			t.Errorf("packet %d: tag %x", seq, tag)
		}
		seen[string(tag)] = true
	}
	if !bytes.Equal(m.sum(nil, 3, []byte("x")), m.sum(nil, 3, []byte("x"))) {
		t.Error("one packet has two tags")
	}
}
