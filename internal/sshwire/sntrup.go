package sshwire

import (
	"crypto/rand"
	"crypto/sha512"
	"encoding/binary"
	"errors"
	"slices"
)

// Streamlined NTRU Prime 761, the encapsulating half, after the specification
// of round 3 ("NTRU Prime", Bernstein et al., sections 3 and 4): the ring is
// Z[x]/(x^761 - x - 1) modulo 4591, secrets have 286 coefficients of -1 or 1.
// It runs once per connection with a secret of its own, so its time tells
// nothing that could be used again.
const (
	ntruP = 761
	ntruQ = 4591
	ntruW = 286
	ntruH = (ntruQ - 1) / 2

	sntrupPublicKey  = 1158
	sntrupCiphertext = 1007 + 32
)

var errNTRUKey = errors.New("malformed sntrup761 public key")

// sntrupEncapsulate draws a secret for the owner of a public key.
func sntrupEncapsulate(public []byte) (ciphertext []byte, key [32]byte, err error) {
	h, ok := decodeRq(public)
	if !ok {
		return nil, key, errNTRUKey
	}
	r := shortRandom()
	product := mulShort(&h, &r)
	rounded := make([]uint16, ntruP)
	for i, c := range product {
		// To the nearest multiple of three, then counted in threes from the
		// lowest.
		rounded[i] = uint16((int(c) + ntruH + 1) / 3)
	}
	ciphertext = encodeRadix(rounded, uniform((ntruQ+2)/3))
	small := encodeSmall(&r)
	hashed := prefixed(3, small)
	public4 := prefixed(4, public)
	confirm := prefixed(2, append(hashed[:], public4[:]...))
	ciphertext = append(ciphertext, confirm[:]...)
	key = prefixed(1, append(hashed[:], ciphertext...))
	return ciphertext, key, nil
}

// prefixed is the scheme's hash: half of SHA-512 behind a byte that says what
// is hashed.
func prefixed(what byte, data []byte) [32]byte {
	h := sha512.New()
	h.Write([]byte{what})
	h.Write(data)
	return [32]byte(h.Sum(nil))
}

// shortRandom draws a polynomial of the right weight: random words sorted by
// their upper bits shuffle what their lower two bits say.
func shortRandom() (r [ntruP]int8) {
	var raw [4 * ntruP]byte
	_, _ = rand.Read(raw[:]) // never fails
	words := make([]uint32, ntruP)
	for i := range words {
		w := binary.LittleEndian.Uint32(raw[4*i:])
		if i < ntruW {
			words[i] = w &^ 1 // 0 or 2
		} else {
			words[i] = w&^3 | 1
		}
	}
	slices.Sort(words)
	for i, w := range words {
		r[i] = int8(w&3) - 1
	}
	return r
}

// mulShort multiplies in the ring; results are centred. Sums stay below
// 286*2295*3, far inside an int32.
func mulShort(h *[ntruP]int16, r *[ntruP]int8) (out [ntruP]int16) {
	var sum [2 * ntruP]int32
	for i, s := range r {
		window := sum[i : i+ntruP]
		switch s {
		case 1:
			for j, c := range h {
				window[j] += int32(c)
			}
		case -1:
			for j, c := range h {
				window[j] -= int32(c)
			}
		}
	}
	for i := 2*ntruP - 2; i >= ntruP; i-- { // x^761 = x + 1
		sum[i-ntruP] += sum[i]
		sum[i-ntruP+1] += sum[i]
	}
	for i := range out {
		c := sum[i] % ntruQ
		if c > ntruH {
			c -= ntruQ
		} else if c < -ntruH {
			c += ntruQ
		}
		out[i] = int16(c)
	}
	return out
}

// encodeSmall packs coefficients of -1 to 1, four to a byte.
func encodeSmall(r *[ntruP]int8) []byte {
	out := make([]byte, (ntruP+3)/4)
	for i, c := range r {
		out[i/4] |= byte(c+1) << (2 * (i % 4))
	}
	return out
}

// decodeRq reads a public key: every coefficient counts from the lowest.
func decodeRq(b []byte) (h [ntruP]int16, ok bool) {
	if len(b) != sntrupPublicKey {
		return h, false
	}
	for i, v := range decodeRadix(b, uniform(ntruQ)) {
		h[i] = int16(v) - ntruH
	}
	return h, true
}

// uniform is the list of moduli of a polynomial's coefficients.
func uniform(m uint32) []uint32 {
	out := make([]uint32, ntruP)
	for i := range out {
		out[i] = m
	}
	return out
}

// The radix code of section 4.4: neighbours are joined to one number below the
// product of their moduli; whole bytes are cut off while that is 2^14 or more;
// so on until one number is left.
const radixLimit = 1 << 14

// encodeRadix encodes values below their moduli; both lists are used up.
func encodeRadix(values []uint16, moduli []uint32) (out []byte) {
	for n := len(values); n > 1; n = (n + 1) / 2 {
		for i := 0; i+1 < n; i += 2 {
			v := uint32(values[i]) + uint32(values[i+1])*moduli[i]
			m := moduli[i] * moduli[i+1]
			for ; m >= radixLimit; m = (m + 255) >> 8 {
				out = append(out, byte(v))
				v >>= 8
			}
			values[i/2], moduli[i/2] = uint16(v), m
		}
		if n%2 == 1 {
			values[n/2], moduli[n/2] = values[n-1], moduli[n-1]
		}
	}
	v := values[0]
	for m := moduli[0]; m > 1; m = (m + 255) >> 8 {
		out = append(out, byte(v))
		v >>= 8
	}
	return out
}

// decodeRadix is the inverse. Values of broken input are reduced into their
// range. b must be as long as the moduli say.
func decodeRadix(b []byte, moduli []uint32) []uint16 {
	if len(moduli) == 1 {
		v, shift := uint32(0), 0
		for m := moduli[0]; m > 1; m = (m + 255) >> 8 {
			v |= uint32(b[0]) << shift
			b, shift = b[1:], shift+8
		}
		return []uint16{uint16(v % moduli[0])}
	}
	// What was cut off of each pair, how much that is, and the moduli left.
	half := (len(moduli) + 1) / 2
	low, unit, joined := make([]uint32, half), make([]uint32, half), make([]uint32, half)
	for i := range half {
		unit[i] = 1
		joined[i] = moduli[2*i]
		if 2*i+1 == len(moduli) {
			continue
		}
		for joined[i] *= moduli[2*i+1]; joined[i] >= radixLimit; joined[i] = (joined[i] + 255) >> 8 {
			low[i] |= uint32(b[0]) * unit[i]
			b, unit[i] = b[1:], unit[i]<<8
		}
	}
	out := make([]uint16, len(moduli))
	for i, v := range decodeRadix(b, joined) {
		whole := low[i] + unit[i]*uint32(v)
		out[2*i] = uint16(whole % moduli[2*i])
		if 2*i+1 < len(moduli) {
			out[2*i+1] = uint16(whole / moduli[2*i] % moduli[2*i+1])
		}
	}
	return out
}
