package sshwire

import (
	"io"
	"math/rand/v2"
)

// outbound is the writing half of a connection. Packets gather in a buffer
// until they are flushed.
type outbound struct {
	stream  io.Writer
	buf     []byte // pooled; nil while nothing is to be sent
	seq     uint32
	seal    sealer
	deflate *deflater
	traffic traffic
	err     error
}

// put frames a payload, given in pieces, and encrypts it (RFC 4253 section 6).
func (o *outbound) put(payload ...[]byte) {
	start := len(o.buf)
	n := 0
	for _, p := range payload {
		n += len(p)
	}
	block, bare := o.seal.block()
	o.reserve(n + n/8 + 64 + block + o.seal.tag())
	o.buf = append(o.buf, 0, 0, 0, 0, 0)
	if o.deflate != nil {
		o.buf = o.deflate.packet(o.buf, payload)
	} else {
		for _, p := range payload {
			o.buf = append(o.buf, p...)
		}
	}
	covered := len(o.buf) - start
	if bare {
		covered -= 4
	}
	pad := block - covered%block
	if pad < 4 {
		pad += block
	}
	o.buf = o.seal.pad(o.buf, pad)
	p := o.buf[start:]
	size := len(p) - 4
	p[0], p[1], p[2], p[3], p[4] = byte(size>>24), byte(size>>16), byte(size>>8), byte(size), byte(pad)
	o.buf = append(o.buf[:start], o.seal.seal(o.seq, p)...)
	o.seq++
	o.traffic.packets++
	o.traffic.bytes += uint64(len(o.buf) - start)
}

// reserve makes room for n more bytes.
func (o *outbound) reserve(n int) {
	if cap(o.buf)-len(o.buf) >= n {
		return
	}
	b := lend(len(o.buf) + n)
	b = append(b[:0], o.buf...)
	if o.buf != nil {
		giveBack(o.buf)
	}
	o.buf = b
}

// flush sends what has gathered.
func (o *outbound) flush() error {
	if o.err == nil && len(o.buf) > 0 {
		_, o.err = o.stream.Write(o.buf)
	}
	o.release()
	return o.err
}

// release gives the buffer back.
func (o *outbound) release() {
	if o.buf != nil {
		giveBack(o.buf)
		o.buf = nil
	}
}

// padZero is the padding of packets in the clear: OpenSSH's is zero.
func padZero(b []byte, n int) []byte { return append(b, make([]byte, n)...) }

// padRandom is that of encrypted ones. It hides nothing and is no secret, it
// only has to look like OpenSSH's to who holds the keys.
func padRandom(b []byte, n int) []byte {
	for ; n > 0; n -= 8 {
		r := rand.Uint64()
		for i := range min(n, 8) {
			b = append(b, byte(r>>(8*i)))
		}
	}
	return b
}
