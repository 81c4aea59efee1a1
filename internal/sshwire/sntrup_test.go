package sshwire

import (
	"bytes"
	"testing"
)

// The other half of the scheme, to test ours against: polynomials are slices of
// coefficients 0 to m-1, lowest first.

func inverseMod(a, m int) int {
	for x := 1; x < m; x++ {
		if a*x%m == 1 {
			return x
		}
	}
	return 0
}

// invert returns the inverse of f modulo x^761-x-1 and m, by the extended
// algorithm of Euclid; nil when there is none.
func invert(f []int, m int) []int {
	ring := make([]int, ntruP+1)
	ring[0], ring[1], ring[ntruP] = m-1, m-1, 1
	trim := func(p []int) []int {
		for len(p) > 0 && p[len(p)-1] == 0 {
			p = p[:len(p)-1]
		}
		return p
	}
	r0, r1 := trim(ring), trim(append([]int(nil), f...))
	s0, s1 := []int(nil), []int{1}
	for len(r1) > 1 {
		lead := inverseMod(r1[len(r1)-1], m)
		for len(r0) >= len(r1) {
			shift, factor := len(r0)-len(r1), r0[len(r0)-1]*lead%m
			for i, c := range r1 {
				r0[i+shift] = ((r0[i+shift]-factor*c)%m + m) % m
			}
			for len(s0) < len(s1)+shift {
				s0 = append(s0, 0)
			}
			for i, c := range s1 {
				s0[i+shift] = ((s0[i+shift]-factor*c)%m + m) % m
			}
			r0 = trim(r0)
		}
		r0, r1, s0, s1 = r1, r0, s1, s0
	}
	if len(r1) == 0 {
		return nil
	}
	unit := inverseMod(r1[0], m)
	out := make([]int, ntruP)
	for i, c := range s1 {
		out[i] = c * unit % m
	}
	return out
}

func multiply(a, b []int, m int) []int {
	sum := make([]int, 2*ntruP)
	for i, x := range a {
		for j, y := range b {
			sum[i+j] += x * y
		}
	}
	for i := 2*ntruP - 2; i >= ntruP; i-- {
		sum[i-ntruP] += sum[i]
		sum[i-ntruP+1] += sum[i]
	}
	for i := range sum[:ntruP] {
		sum[i] = (sum[i]%m + m) % m
	}
	return sum[:ntruP]
}

func centred(c, m int) int {
	if c > m/2 {
		return c - m
	}
	return c
}

func residues(small []int8, m int) []int {
	out := make([]int, ntruP)
	for i, c := range small {
		out[i] = (int(c) + m) % m
	}
	return out
}

// TestSntrup makes a key pair, lets us encapsulate, and decapsulates.
func TestSntrup(t *testing.T) {
	var g [ntruP]int8
	var gInverse []int
	for gInverse == nil {
		g = shortRandom()
		gInverse = invert(residues(g[:], 3), 3)
	}
	f := shortRandom()
	f3 := residues(f[:], ntruQ)
	for i := range f3 {
		f3[i] = f3[i] * 3 % ntruQ
	}
	h := multiply(residues(g[:], ntruQ), invert(f3, ntruQ), ntruQ)
	values := make([]uint16, ntruP)
	for i, c := range h {
		values[i] = uint16(centred(c, ntruQ) + ntruH)
	}
	public := encodeRadix(values, uniform(ntruQ))
	if len(public) != sntrupPublicKey {
		t.Fatalf("public key of %d bytes", len(public))
	}
	ciphertext, key, err := sntrupEncapsulate(public)
	if err != nil || len(ciphertext) != sntrupCiphertext {
		t.Fatalf("%d bytes, %v", len(ciphertext), err)
	}
	rounded := make([]int, ntruP)
	for i, v := range decodeRadix(ciphertext[:1007], uniform((ntruQ+2)/3)) {
		rounded[i] = (int(v)*3 - ntruH + ntruQ) % ntruQ
	}
	e := multiply(rounded, f3, ntruQ)
	for i := range e {
		e[i] = (centred(e[i], ntruQ) + 3*ntruQ) % 3
	}
	var r [ntruP]int8
	weight := 0
	for i, c := range multiply(e, gInverse, 3) {
		r[i] = int8(centred(c, 3))
		weight += int(r[i] * r[i])
	}
	if weight != ntruW {
		t.Fatalf("decrypted a secret of weight %d", weight)
	}
	hashed, public4 := prefixed(3, encodeSmall(&r)), prefixed(4, public)
	confirm := prefixed(2, append(hashed[:], public4[:]...))
	if !bytes.Equal(confirm[:], ciphertext[1007:]) {
		t.Error("the confirmation is wrong")
	}
	if want := prefixed(1, append(hashed[:], ciphertext...)); key != want {
		t.Error("the keys differ")
	}
	if _, _, err := sntrupEncapsulate(public[1:]); err == nil {
		t.Error("a short public key is taken")
	}
}

func FuzzDecodeRq(f *testing.F) {
	f.Add(bytes.Repeat([]byte{0xff}, sntrupPublicKey))
	f.Add(make([]byte, sntrupPublicKey))
	f.Fuzz(func(t *testing.T, p []byte) {
		h, ok := decodeRq(p)
		if ok != (len(p) == sntrupPublicKey) {
			t.Errorf("%d bytes: %v", len(p), ok)
		}
		for i, c := range h {
			if c < -ntruH || c > ntruH {
				t.Fatalf("coefficient %d is %d", i, c)
			}
		}
	})
}

func BenchmarkSntrup(b *testing.B) {
	public := encodeRadix(make([]uint16, ntruP), uniform(ntruQ))
	for b.Loop() {
		if _, _, err := sntrupEncapsulate(public); err != nil {
			b.Fatal(err)
		}
	}
}
