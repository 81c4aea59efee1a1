package sshwire

import (
	"errors"
	"fmt"
	"io"
)

// Bounds of packets: sshd takes no longer ones, and our own clear ones fit in
// the small buffers.
const (
	maxPacket = 256 << 10 // packet length field
	minPacket = 5
)

// What is wrong with input. None of it says a word to the peer unless noted;
// sshd closes without one.
var (
	errCorrupt = errors.New("corrupt packet")
	errMAC     = errors.New("corrupt MAC")
)

// A Stream is the connection below.
type Stream interface{ io.ReadWriter }

// A Lender is a Stream that can wait for input without holding a buffer: it
// calls lend when there may be something to read, and back when there was
// nothing after all.
type Lender interface {
	ReadLent(lend func() []byte, back func()) (int, error)
}

// inbound is the reading half of a connection. Between packets it holds no
// buffer.
type inbound struct {
	stream     Stream
	lender     Lender        // nil: stream must be read into a held buffer
	lend       func() []byte // for the lender
	back       func()
	idle       func() error
	buf        []byte // pooled; nil while nothing is buffered
	start, end int
	greedy     bool // the last read filled its buffer: more is on its way
	seq        uint32
	open       opener
	inflate    *inflater
	plain      []byte // decompressed payload, while compression is on
	traffic    traffic
}

// traffic counts what one set of keys was used for.
type traffic struct {
	packets uint32
	bytes   uint64
}

// next returns the payload of the next packet, which is valid until the one
// after it is asked for.
func (in *inbound) next() ([]byte, error) {
	head := in.open.head()
	if err := in.fill(head); err != nil {
		return nil, err
	}
	n, err := in.open.length(in.seq, in.buf[in.start:in.start+head])
	if err != nil {
		return nil, err
	}
	size, err := in.size(n)
	if err != nil {
		return nil, err
	}
	if err := in.fill(size); err != nil {
		return nil, err
	}
	body, err := in.open.open(in.seq, in.buf[in.start:in.start+size])
	if err != nil {
		return nil, err
	}
	in.start += size
	in.seq++
	in.traffic.packets++
	in.traffic.bytes += uint64(size)
	return in.payload(body)
}

// size checks a packet's length field and returns its whole size.
func (in *inbound) size(n uint32) (int, error) {
	if n < minPacket || n > maxPacket {
		return 0, fmt.Errorf("%w: length %d", errCorrupt, n)
	}
	block, bare := in.open.block()
	covered := int(n)
	if !bare {
		covered += 4
	}
	if covered%block != 0 {
		return 0, fmt.Errorf("%w: length %d in blocks of %d", errCorrupt, n, block)
	}
	return 4 + int(n) + in.open.tag(), nil
}

// payload takes the padding off and undoes the compression.
func (in *inbound) payload(body []byte) ([]byte, error) {
	pad := int(body[0])
	if pad < 4 {
		return nil, &protest{reason: disconnectProtocol, text: fmt.Sprintf("Corrupted padlen %d on input.", pad)}
	}
	if 1+pad >= len(body) {
		return nil, fmt.Errorf("%w: padding %d of %d", errCorrupt, pad, len(body))
	}
	p := body[1 : len(body)-pad]
	if in.inflate == nil {
		return p, nil
	}
	var err error
	in.plain, err = in.inflate.packet(in.plain[:0], p)
	if err == nil && len(in.plain) == 0 {
		err = errCorrupt
	}
	return in.plain, err
}

// fill reads until n bytes are buffered.
func (in *inbound) fill(n int) error {
	for in.end-in.start < n {
		if in.start == in.end {
			in.start, in.end = 0, 0
			if !in.greedy {
				in.release()
			}
		}
		if err := in.idle(); err != nil {
			return err
		}
		got, err := in.read(n)
		if got == 0 && err != nil {
			in.release()
			if errors.Is(err, io.EOF) && n > in.end-in.start && in.end > in.start {
				err = io.ErrUnexpectedEOF
			}
			return err
		}
		in.end += got
		in.greedy = in.end == len(in.buf)
	}
	return nil
}

// read reads once; n bytes are wanted in all.
func (in *inbound) read(n int) (int, error) {
	if in.buf == nil && in.lender != nil {
		return in.lender.ReadLent(in.lend, in.back)
	}
	in.room(n)
	return in.stream.Read(in.buf[in.end:])
}

// room makes the buffer large enough for n bytes from start on.
func (in *inbound) room(n int) {
	if in.buf == nil {
		in.buf = lend(n)
	}
	if in.start+n <= len(in.buf) && in.end < len(in.buf) {
		return
	}
	old := in.buf
	if n > len(old) || in.greedy && len(old) < largeBuffer {
		in.buf = lend(max(n, len(old)+1))
	}
	in.end = copy(in.buf, old[in.start:in.end])
	in.start = 0
	if len(in.buf) != len(old) {
		giveBack(old)
	}
}

// lendSmall gets a buffer for input that is there.
func (in *inbound) lendSmall() []byte {
	in.buf = lend(1)
	return in.buf
}

// release gives the buffer back.
func (in *inbound) release() {
	if in.buf != nil {
		giveBack(in.buf)
		in.buf = nil
	}
	in.start, in.end, in.greedy, in.plain = 0, 0, false, nil
}

// feed puts bytes that were read before in front.
func (in *inbound) feed(p []byte) {
	if len(p) > 0 {
		in.room(len(p))
		in.end += copy(in.buf[in.end:], p)
	}
}
