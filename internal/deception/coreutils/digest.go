package coreutils

import (
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"hash"
	"math/bits"
)

// digests are the algorithms by their name for cksum -a, with the name in a tag
// and the digits of a sum.
var digests = map[string]struct {
	tag    string
	digits int
	make   func() hash.Hash
}{
	"md5":    {"MD5", 32, md5.New},
	"sha1":   {"SHA1", 40, sha1.New},
	"sha224": {"SHA224", 56, sha256.New224},
	"sha256": {"SHA256", 64, sha256.New},
	"sha384": {"SHA384", 96, sha512.New384},
	"sha512": {"SHA512", 128, sha512.New},
	"sm3":    {"SM3", 64, func() hash.Hash { return newSM3() }},
	// blake2b is here for its tag; its length varies.
	"blake2b": {"BLAKE2b", 128, func() hash.Hash { return newBlake(64) }},
}

// A blake is BLAKE2b without a key (RFC 7693).
type blake struct {
	h    [8]uint64
	n    uint64 // bytes compressed
	buf  [128]byte
	used int
	size int
}

var blakeStart = [8]uint64{
	0x6a09e667f3bcc908, 0xbb67ae8584caa73b, 0x3c6ef372fe94f82b, 0xa54ff53a5f1d36f1,
	0x510e527fade682d1, 0x9b05688c2b3e6c1f, 0x1f83d9abfb41bd6b, 0x5be0cd19137e2179,
}

// blakeOrder is the order of the message words in each of ten rounds; two more
// begin again.
var blakeOrder = [10]string{
	"0123456789abcdef", "ea489fd61c02b753", "b8c052fdae367194", "7931dcbe265a40f8", "905724afe1bc683d",
	"2c6a0b834d75fe19", "c51fed4a0763928b", "db7ec13950f4862a", "6fe9b308c2d714a5", "a2847615fb9e3cd0",
}

func newBlake(size int) *blake {
	b := &blake{size: size}
	b.Reset()
	return b
}

func (b *blake) Reset() {
	b.h, b.n, b.used = blakeStart, 0, 0
	b.h[0] ^= 0x01010000 ^ uint64(b.size)
}
func (b *blake) Size() int      { return b.size }
func (b *blake) BlockSize() int { return 128 }

func (b *blake) Write(p []byte) (int, error) {
	total := len(p)
	for len(p) > 0 {
		if b.used == 128 { // only when more follows: the last block is marked
			b.n += 128
			b.compress(0)
			b.used = 0
		}
		k := copy(b.buf[b.used:], p)
		b.used, p = b.used+k, p[k:]
	}
	return total, nil
}

func (b *blake) Sum(in []byte) []byte {
	c := *b
	clear(c.buf[c.used:])
	c.n += uint64(c.used)
	c.compress(^uint64(0))
	var out [64]byte
	for i, w := range c.h {
		binary.LittleEndian.PutUint64(out[8*i:], w)
	}
	return append(in, out[:c.size]...)
}

func (b *blake) compress(last uint64) {
	var m, v [16]uint64
	for i := range m {
		m[i] = binary.LittleEndian.Uint64(b.buf[8*i:])
	}
	copy(v[:], b.h[:])
	copy(v[8:], blakeStart[:])
	v[12] ^= b.n
	v[14] ^= last
	mix := func(a, b, c, d int, x, y uint64) {
		v[a] += v[b] + x
		v[d] = bits.RotateLeft64(v[d]^v[a], -32)
		v[c] += v[d]
		v[b] = bits.RotateLeft64(v[b]^v[c], -24)
		v[a] += v[b] + y
		v[d] = bits.RotateLeft64(v[d]^v[a], -16)
		v[c] += v[d]
		v[b] = bits.RotateLeft64(v[b]^v[c], -63)
	}
	for r := range 12 {
		s := blakeOrder[r%10]
		w := func(i int) uint64 { return m[hexValue(s[i])] }
		for i := range 4 {
			mix(i, 4+i, 8+i, 12+i, w(2*i), w(2*i+1))
		}
		for i := range 4 {
			mix(i, 4+(i+1)%4, 8+(i+2)%4, 12+(i+3)%4, w(8+2*i), w(9+2*i))
		}
	}
	for i := range b.h {
		b.h[i] ^= v[i] ^ v[i+8]
	}
}

// hexValue is the value of a lower case hexadecimal digit.
func hexValue(c byte) int {
	if c <= '9' {
		return int(c - '0')
	}
	return int(c-'a') + 10
}

// An sm3 is the hash of GB/T 32905-2016.
type sm3 struct {
	v    [8]uint32
	n    uint64
	buf  [64]byte
	used int
}

func newSM3() *sm3 {
	s := &sm3{}
	s.Reset()
	return s
}

func (s *sm3) Reset() {
	*s = sm3{v: [8]uint32{0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600, 0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e}}
}
func (s *sm3) Size() int      { return 32 }
func (s *sm3) BlockSize() int { return 64 }

func (s *sm3) Write(p []byte) (int, error) {
	total := len(p)
	s.n += uint64(total)
	for len(p) > 0 {
		k := copy(s.buf[s.used:], p)
		s.used, p = s.used+k, p[k:]
		if s.used == 64 {
			s.compress()
			s.used = 0
		}
	}
	return total, nil
}

func (s *sm3) Sum(in []byte) []byte {
	c := *s
	length := c.n * 8
	pad := make([]byte, 1+(119-c.used)%64)
	pad[0] = 0x80
	_, _ = c.Write(binary.BigEndian.AppendUint64(pad, length))
	for _, w := range c.v {
		in = binary.BigEndian.AppendUint32(in, w)
	}
	return in
}

func (s *sm3) compress() {
	var w [68]uint32
	for i := range 16 {
		w[i] = binary.BigEndian.Uint32(s.buf[4*i:])
	}
	for i := 16; i < 68; i++ {
		x := w[i-16] ^ w[i-9] ^ bits.RotateLeft32(w[i-3], 15)
		w[i] = x ^ bits.RotateLeft32(x, 15) ^ bits.RotateLeft32(x, 23) ^ bits.RotateLeft32(w[i-13], 7) ^ w[i-6]
	}
	v := s.v
	for i := range 64 {
		t, f, g := uint32(0x79cc4519), v[0]^v[1]^v[2], v[4]^v[5]^v[6]
		if i >= 16 {
			t, f, g = 0x7a879d8a, v[0]&v[1]|v[0]&v[2]|v[1]&v[2], v[4]&v[5]|^v[4]&v[6]
		}
		a12 := bits.RotateLeft32(v[0], 12)
		ss1 := bits.RotateLeft32(a12+v[4]+bits.RotateLeft32(t, i%32), 7)
		tt1 := f + v[3] + (ss1 ^ a12) + (w[i] ^ w[i+4])
		tt2 := g + v[7] + ss1 + w[i]
		v[3], v[2], v[1], v[0] = v[2], bits.RotateLeft32(v[1], 9), v[0], tt1
		v[7], v[6], v[5] = v[6], bits.RotateLeft32(v[5], 19), v[4]
		v[4] = tt2 ^ bits.RotateLeft32(tt2, 9) ^ bits.RotateLeft32(tt2, 17)
	}
	for i := range s.v {
		s.v[i] ^= v[i]
	}
}
