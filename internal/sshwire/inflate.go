package sshwire

import (
	"errors"
	"fmt"
)

// zlib@openssh.com is one zlib stream (RFC 1950, 1951) per direction, brought
// to a flush at the end of every packet. The standard library's reader cannot be
// stopped where a packet's bytes end and go on with the next, and its writer
// takes a megabyte a connection; so both halves are our own.

// What is wrong with compressed input.
var (
	errInflate = errors.New("corrupt compressed data")
	errBomb    = errors.New("compressed packet is too long")
)

// Shared facts of RFC 1951 section 3.2.5: lengths are 3 to 258, distances 1 to
// 32768, both as a code and extra bits.
const (
	zlibWindow  = 32 << 10
	endOfBlock  = 256
	firstLength = 257
	lengthCodes = 29
	distCodes   = 30
	minMatch    = 3
	maxMatch    = 258
)

type codeRange struct {
	base  int
	extra int
}

var lengthRange, distRange = makeRanges()

func makeRanges() (lengths [lengthCodes]codeRange, dists [distCodes]codeRange) {
	at := minMatch
	for i := range lengths {
		lengths[i] = codeRange{at, max(0, (i-4)/4)}
		at += 1 << lengths[i].extra
	}
	lengths[lengthCodes-1] = codeRange{maxMatch, 0}
	at = 1
	for i := range dists {
		dists[i] = codeRange{at, max(0, (i-2)/2)}
		at += 1 << dists[i].extra
	}
	return lengths, dists
}

// inflater decompresses packets. It can stop between any two symbols: what is
// not enough for one more waits for the next packet.
type inflater struct {
	in     []byte
	pos    int // bits of in used up
	window [zlibWindow]byte
	total  int // bytes put out so far
	step   func(*inflater, []byte) ([]byte, bool, error)
	left   int // bytes of a stored block
	lit    prefixCode
	dist   prefixCode
}

func newInflater() *inflater { return &inflater{step: (*inflater).header} }

// packet appends what a packet decompresses to.
func (z *inflater) packet(dst, p []byte) ([]byte, error) {
	z.in = append(z.in, p...)
	for {
		pos := z.pos
		out, more, err := z.step(z, dst)
		if err != nil {
			return nil, err
		}
		if !more { // not enough input: as if nothing had been read
			z.pos = pos
			break
		}
		dst = out
		if len(dst) > maxPacket {
			return nil, errBomb
		}
	}
	z.in = append([]byte(nil), z.in[z.pos/8:]...) // a few bytes
	z.pos %= 8
	if len(z.in) > smallBuffer {
		return nil, fmt.Errorf("%w: no symbol in %d bytes", errInflate, len(z.in))
	}
	return dst, nil
}

// bits reads n bits, the lowest first; false says that they are not there yet.
func (z *inflater) bits(n int) (v int, ok bool) {
	if z.pos+n > 8*len(z.in) {
		return 0, false
	}
	for i := range n {
		v |= int(z.in[z.pos/8]>>(z.pos%8)&1) << i
		z.pos++
	}
	return v, true
}

// put appends bytes to the output and the window.
func (z *inflater) put(dst []byte, b byte) []byte {
	z.window[z.total%zlibWindow] = b
	z.total++
	return append(dst, b)
}

// header reads the two bytes before the first block.
func (z *inflater) header(dst []byte) ([]byte, bool, error) {
	v, ok := z.bits(16)
	if !ok {
		return dst, false, nil
	}
	cmf, flags := v&0xff, v>>8
	if cmf&0x0f != 8 || cmf>>4 > 7 || flags&0x20 != 0 || (cmf<<8|flags)%31 != 0 {
		return nil, false, fmt.Errorf("%w: header %04x", errInflate, v)
	}
	z.step = (*inflater).block
	return dst, true, nil
}

// block reads the head of a block. The stream of a connection has no last one.
func (z *inflater) block(dst []byte) ([]byte, bool, error) {
	v, ok := z.bits(3)
	if !ok {
		return dst, false, nil
	}
	if v&1 != 0 {
		return nil, false, fmt.Errorf("%w: last block", errInflate)
	}
	switch v >> 1 {
	case 0:
		return z.stored(dst)
	case 1:
		z.lit, z.dist = fixedCodes()
	case 2:
		if ok, err := z.codes(); !ok || err != nil {
			return dst, false, err
		}
	default:
		return nil, false, fmt.Errorf("%w: block type", errInflate)
	}
	z.step = (*inflater).symbol
	return dst, true, nil
}

// stored begins a block of plain bytes.
func (z *inflater) stored(dst []byte) ([]byte, bool, error) {
	z.pos = (z.pos + 7) &^ 7
	n, _ := z.bits(16)
	inverse, ok := z.bits(16)
	if !ok {
		return dst, false, nil
	}
	if n^inverse != 0xffff {
		return nil, false, fmt.Errorf("%w: stored block", errInflate)
	}
	z.left, z.step = n, (*inflater).bytes
	return dst, true, nil
}

// bytes copies one byte of a stored block.
func (z *inflater) bytes(dst []byte) ([]byte, bool, error) {
	if z.left == 0 {
		z.step = (*inflater).block
		return dst, true, nil
	}
	b, ok := z.bits(8)
	if !ok {
		return dst, false, nil
	}
	z.left--
	return z.put(dst, byte(b)), true, nil
}

// symbol reads a literal, a match or the end of the block.
func (z *inflater) symbol(dst []byte) ([]byte, bool, error) {
	s, ok, err := z.lit.read(z)
	switch {
	case !ok || err != nil:
		return dst, false, err
	case s < endOfBlock:
		return z.put(dst, byte(s)), true, nil
	case s == endOfBlock:
		z.step = (*inflater).block
		return dst, true, nil
	case s-firstLength >= lengthCodes:
		return nil, false, fmt.Errorf("%w: length code", errInflate)
	}
	length, ok := z.ranged(lengthRange[s-firstLength])
	if !ok {
		return dst, false, nil
	}
	s, ok, err = z.dist.read(z)
	if !ok || err != nil {
		return dst, false, err
	}
	if s >= distCodes {
		return nil, false, fmt.Errorf("%w: distance code", errInflate)
	}
	far, ok := z.ranged(distRange[s])
	if !ok {
		return dst, false, nil
	}
	if far > z.total {
		return nil, false, fmt.Errorf("%w: distance %d of %d", errInflate, far, z.total)
	}
	for range length {
		dst = z.put(dst, z.window[(z.total-far)%zlibWindow])
	}
	return dst, true, nil
}

// ranged reads the extra bits of a code.
func (z *inflater) ranged(r codeRange) (int, bool) {
	v, ok := z.bits(r.extra)
	return r.base + v, ok
}
