package sshwire

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/binary"
	"fmt"
	"math/bits"
)

// UMAC (RFC 4418) with AES-128, tags of 64 and 128 bits. OpenSSH's nonce is the
// packet's number in 64 bits. Packets are far below 16 MiB, so of the second
// layer only the polynomial over 64 bits is needed.
const (
	umacBlock = 1024 // bytes hashed at a time by the first layer
	prime36   = 1<<36 - 5
	prime64   = 1<<64 - 59
	offset64  = 1<<64 - prime64
	mask64    = 0x01ffffff01ffffff
	marker64  = prime64 - 1
	range64   = 1<<64 - 1<<32
)

// umac is a key's schedule: one set of hash keys per 32 bits of tag.
type umac struct {
	pdf    cipher.Block
	words  []uint32 // first layer; set i begins at word 4*i
	poly   []uint64 // second layer
	inner  [][8]uint64
	last   []uint32
	stream [16]byte
	have   uint64 // nonce whose pad is in stream, plus 1
}

func newUMAC64(key []byte) (packetMAC, error)  { return newUMAC(key, 8) }
func newUMAC128(key []byte) (packetMAC, error) { return newUMAC(key, 16) }

func newUMAC(key []byte, tag int) (packetMAC, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up umac: %w", err)
	}
	derive := func(index byte, n int) []byte {
		out := make([]byte, 0, n+aes.BlockSize)
		for i := 1; len(out) < n; i++ {
			var in [aes.BlockSize]byte
			in[7] = index
			binary.BigEndian.PutUint64(in[8:], uint64(i))
			block.Encrypt(in[:], in[:])
			out = append(out, in[:]...)
		}
		return out[:n]
	}
	u := &umac{}
	if u.pdf, err = aes.NewCipher(derive(0, aes.BlockSize)); err != nil {
		return nil, fmt.Errorf("set up umac: %w", err)
	}
	sets := tag / 4
	first := derive(1, umacBlock+16*(sets-1))
	for ; len(first) > 0; first = first[4:] {
		u.words = append(u.words, binary.BigEndian.Uint32(first))
	}
	second, third, fourth := derive(2, 24*sets), derive(3, 64*sets), derive(4, 4*sets)
	for i := range sets {
		u.poly = append(u.poly, binary.BigEndian.Uint64(second[24*i:])&mask64)
		var in [8]uint64
		for j := range in {
			in[j] = binary.BigEndian.Uint64(third[64*i+8*j:]) % prime36
		}
		u.inner = append(u.inner, in)
		u.last = append(u.last, binary.BigEndian.Uint32(fourth[4*i:]))
	}
	return u, nil
}

func (u *umac) size() int { return 4 * len(u.poly) }

func (u *umac) sum(dst []byte, seq uint32, packet []byte) []byte {
	at := len(dst)
	for i := range u.poly {
		dst = binary.BigEndian.AppendUint32(dst, u.hash(i, packet))
	}
	for i, b := range u.mask(uint64(seq)) {
		dst[at+i] ^= b
	}
	return dst
}

// mask is the pad derivation function: 64-bit tags take the half of a block
// that the nonce's last bit names.
func (u *umac) mask(nonce uint64) []byte {
	half, n := 0, u.size()
	if n == 8 {
		half = int(nonce & 1)
		nonce &^= 1
	}
	if u.have != nonce+1 {
		u.stream = [16]byte{}
		binary.BigEndian.PutUint64(u.stream[:], nonce)
		u.pdf.Encrypt(u.stream[:], u.stream[:])
		u.have = nonce + 1
	}
	return u.stream[n*half : n*half+n]
}

// hash is one of the 32-bit hashes of the message.
func (u *umac) hash(set int, m []byte) uint32 {
	words := u.words[4*set:]
	if len(m) <= umacBlock {
		return u.finish(set, 0, nh(words, m))
	}
	y := uint64(1)
	for len(m) > 0 {
		n := min(len(m), umacBlock)
		y = polyStep(y, u.poly[set], nh(words, m[:n]))
		m = m[n:]
	}
	return u.finish(set, 0, y)
}

// nh is the first layer over one block: products of sums of 32-bit words, which
// stand in the message with the low byte first; a short block is filled with
// zeros to a multiple of 32 bytes, and its length in bits is added.
func nh(words []uint32, m []byte) uint64 {
	sum := uint64(len(m)) * 8
	var tail [32]byte
	for at := 0; ; at += 8 {
		if len(m) < 32 {
			if len(m) == 0 && at > 0 {
				return sum
			}
			copy(tail[:], m)
			m = tail[:]
		}
		k := words[at : at+8 : at+8]
		b := m[:32:32]
		for j := range 4 {
			lo := binary.LittleEndian.Uint32(b[4*j:]) + k[j]
			hi := binary.LittleEndian.Uint32(b[4*j+16:]) + k[j+4]
			sum += uint64(lo) * uint64(hi)
		}
		m = m[32:]
		if len(m) == 0 {
			return sum
		}
	}
}

// polyStep adds one word to the polynomial of the second layer.
func polyStep(y, k, m uint64) uint64 {
	if m >= range64 {
		y = mulAdd64(k, y, marker64)
		m -= offset64
	}
	return mulAdd64(k, y, m)
}

// mulAdd64 is a*b+c modulo the largest 64-bit prime.
func mulAdd64(a, b, c uint64) uint64 {
	hi, lo := bits.Mul64(a, b)
	lo, carry := bits.Add64(lo, c, 0)
	return bits.Rem64(hi+carry, lo, prime64)
}

// finish is the third layer over 128 bits.
func (u *umac) finish(set int, hi, lo uint64) uint32 {
	sum := uint64(0)
	for i := range 4 {
		shift := 48 - 16*i
		sum += (hi >> shift & 0xffff) * u.inner[set][i]
		sum += (lo >> shift & 0xffff) * u.inner[set][i+4]
	}
	return uint32(sum%prime36) ^ u.last[set]
}
