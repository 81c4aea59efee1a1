package sshwire

import (
	"encoding/binary"
	"math/bits"
)

const hashBits = 12

// deflater compresses packets with the fixed codes of RFC 1951 against the last
// 32 KiB: less tightly than zlib, in 48 KiB of memory instead of a megabyte.
type deflater struct {
	begun  bool
	acc    uint64 // bits not yet put out, the lowest first
	n      int
	window [zlibWindow]byte
	total  uint32 // bytes taken in; it may wrap
	heads  [1 << hashBits]uint32
}

func newDeflater() *deflater { return &deflater{} }

// packet appends the compressed payload, given in pieces, and a flush: the end
// of the block and an empty one, so that the peer can decode all of it
// (zlib calls it a partial flush, which is what OpenSSH asks for).
func (d *deflater) packet(dst []byte, payload [][]byte) []byte {
	if !d.begun {
		d.begun = true
		dst = append(dst, 0x78, 0x9c) // 32 KiB window, default level
	}
	d.bits(2, 3) // a block with fixed codes that is not the last
	for _, p := range payload {
		for len(p) > 0 {
			n := d.match(&dst, p)
			for _, b := range p[:n] {
				d.window[d.total%zlibWindow] = b
				d.total++
			}
			p = p[n:]
		}
	}
	d.bits(0, 7) // end of block
	d.bits(2, 3)
	d.bits(0, 7)
	return d.out(dst)
}

func (d *deflater) bits(v uint32, n int) {
	d.acc |= uint64(v) << d.n
	d.n += n
}

// out puts whole bytes out.
func (d *deflater) out(dst []byte) []byte {
	for ; d.n >= 8; d.n -= 8 {
		dst = append(dst, byte(d.acc))
		d.acc >>= 8
	}
	return dst
}

// match puts out a match at the beginning of p or one literal, and returns how
// many bytes that covers.
func (d *deflater) match(dst *[]byte, p []byte) int {
	*dst = d.out(*dst)
	if len(p) < 4 {
		d.literal(p[0])
		return 1
	}
	slot := &d.heads[binary.LittleEndian.Uint32(p)*2654435761>>(32-hashBits)]
	at := *slot - 1 // kept plus one, so that zero is none
	*slot = d.total + 1
	far := d.total - at
	n := 0
	if at+1 != 0 && far > 0 && far <= zlibWindow && at < d.total {
		// A match ends before what is not in the window yet.
		for limit := min(len(p), maxMatch, int(far)); n < limit && d.window[(at+uint32(n))%zlibWindow] == p[n]; n++ {
		}
	}
	if n < 4 {
		d.literal(p[0])
		return 1
	}
	code := find(lengthRange[:], n)
	d.symbol(firstLength + code)
	d.bits(uint32(n-lengthRange[code].base), lengthRange[code].extra)
	*dst = d.out(*dst)
	code = find(distRange[:], int(far))
	d.bits(reversed(uint32(code), 5), 5)
	d.bits(uint32(int(far)-distRange[code].base), distRange[code].extra)
	return n
}

// find returns the last range that begins at or before v.
func find(ranges []codeRange, v int) int {
	i := len(ranges) - 1
	for ranges[i].base > v {
		i--
	}
	return i
}

func (d *deflater) literal(b byte) { d.symbol(int(b)) }

// symbol puts out one of the fixed literal and length codes, which are sent
// with the highest bit first.
func (d *deflater) symbol(s int) {
	switch {
	case s < 144:
		d.bits(reversed(uint32(0x30+s), 8), 8)
	case s < 256:
		d.bits(reversed(uint32(0x190+s-144), 9), 9)
	case s < 280:
		d.bits(reversed(uint32(s-256), 7), 7)
	default:
		d.bits(reversed(uint32(0xc0+s-280), 8), 8)
	}
}

func reversed(v uint32, n int) uint32 { return bits.Reverse32(v) >> (32 - n) }
