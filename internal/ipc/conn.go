package ipc

import (
	"bufio"
	"encoding/binary"
	"errors"
	"io"
	"net"
	"sync"
	"time"
)

// A Side says which end of the pair a Conn is.
type Side bool

// The two ends.
const (
	Core   Side = false
	Sensor Side = true
)

// keep is the largest frame buffer held between messages.
const keep = 64 << 10

// ErrClosed is what Send and Receive return after Close.
var ErrClosed = net.ErrClosed

// A Conn is one end of the pair. One goroutine may receive while any number send.
type Conn struct {
	rw   net.Conn
	side Side
	in   *bufio.Reader
	buf  []byte
	flow *flow // nil: unlimited

	mu  sync.Mutex
	out []byte

	closing sync.Once
	closed  chan struct{}
}

// New returns the end called side of a stream socket.
func New(rw net.Conn, side Side) *Conn {
	return &Conn{rw: rw, side: side, in: bufio.NewReaderSize(rw, keep), closed: make(chan struct{})}
}

// Limit bounds what Receive takes from the peer. It is called before the first
// Receive; now is the clock.
func (c *Conn) Limit(q Quota, now func() time.Time) { c.flow = newFlow(q, now) }

// Throttled says how long Receive made the peer wait so far.
func (c *Conn) Throttled() time.Duration { return c.flow.total() }

// Send writes m as one frame. It blocks while the peer does not read;
// [Conn.SetWriteDeadline] bounds that. After an error the stream may be cut in
// the middle of a frame: the connection is of no use then. An error with
// [ErrTooLarge] in its chain alone leaves it untouched.
func (c *Conn) Send(m Message) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	frame, err := appendFrame(c.out[:0], m)
	if err != nil {
		return err
	}
	if cap(frame) <= keep {
		c.out = frame
	}
	return c.write(frame)
}

// send writes a ready frame.
func (c *Conn) send(frame []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.write(frame)
}

func (c *Conn) write(frame []byte) error {
	_, err := c.rw.Write(frame)
	return err
}

// SetWriteDeadline bounds the sends to come; the zero time lifts the bound.
func (c *Conn) SetWriteDeadline(t time.Time) error { return c.rw.SetWriteDeadline(t) }

// SetReadDeadline bounds the receives to come; the zero time lifts the bound.
func (c *Conn) SetReadDeadline(t time.Time) error { return c.rw.SetReadDeadline(t) }

// Receive returns the next message. The error is io.EOF when the peer is gone
// between two frames, [ErrProtocol] is in its chain when the peer sent what it
// may not send.
func (c *Conn) Receive() (Message, error) {
	var head [header]byte
	if _, err := io.ReadFull(c.in, head[:]); err != nil {
		return nil, cut(err)
	}
	k, n := kind(head[4]), int64(binary.BigEndian.Uint32(head[:4]))
	most, known := limit[k]
	// A type with the high bit comes from the sensor.
	if !known || (k >= 0x80) == bool(c.side) {
		return nil, broken("frame type %d", k)
	}
	if n > int64(most) {
		return nil, broken("frame type %d of %d bytes", k, n)
	}
	if !c.flow.take(int(n)+header, c.closed) {
		return nil, ErrClosed
	}
	p := c.payload(int(n))
	if _, err := io.ReadFull(c.in, p); err != nil {
		if errors.Is(err, io.EOF) {
			err = io.ErrUnexpectedEOF
		}
		return nil, cut(err)
	}
	return decode(k, p)
}

// cut makes half a frame a broken protocol.
func cut(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return broken("stream cut inside a frame")
	}
	return err
}

func (c *Conn) payload(n int) []byte {
	if n > keep {
		return make([]byte, n)
	}
	if c.buf == nil {
		c.buf = make([]byte, keep)
	}
	return c.buf[:n]
}

// Close ends both directions and releases whoever waits.
func (c *Conn) Close() error {
	err := ErrClosed
	c.closing.Do(func() {
		close(c.closed)
		err = c.rw.Close()
	})
	return err
}
