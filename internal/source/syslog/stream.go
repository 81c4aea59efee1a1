package syslog

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/source"
	"honeyguide/internal/supervise"
)

const (
	readBuffer = 4 << 20 // of the kernel, for datagrams
	keepHead   = 4 << 10 // of a message that is too long
	maxDigits  = 9       // of an octet count
)

var errCount = errors.New("an octet count is not a number followed by a blank")

// A framer cuts the messages of one stream.
type framer struct {
	r       *bufio.Reader
	max     int
	counted bool // octets are counted
	buf     []byte
}

// newFramer finds out how a stream separates messages: RFC 6587, section 3.4. A
// message itself begins with "<", an octet count with a digit; a sender that
// leaves the priority away and begins with a digit is one that ends lines.
func newFramer(r io.Reader, limit int) (*framer, error) {
	f := &framer{r: bufio.NewReaderSize(r, 16<<10), max: limit}
	head, err := f.r.Peek(1)
	if err != nil {
		return nil, err
	}
	if head[0] < '1' || head[0] > '9' {
		return f, nil
	}
	for n := 2; n <= maxDigits+2; n++ {
		if head, err = f.r.Peek(n); err != nil {
			return f, nil // it ends here: a short line
		}
		switch c := head[n-1]; {
		case c >= '0' && c <= '9':
		case c == ' ':
			head, err = f.r.Peek(n + 1)
			f.counted = err == nil && (head[n] == '<' || head[n] == '{')
			return f, nil
		default:
			return f, nil
		}
	}
	return f, nil
}

// next returns the next message, valid until the call after; size is that of the
// whole, of which a message over the limit is only the beginning.
func (f *framer) next() (msg []byte, size int64, err error) {
	if f.counted {
		return f.octets()
	}
	return f.line()
}

// octets reads "LEN SP MSG".
func (f *framer) octets() ([]byte, int64, error) {
	n := 0
	for digits := 0; ; digits++ {
		c, err := f.r.ReadByte()
		switch {
		case err != nil:
			return nil, 0, err
		case c == ' ' && digits > 0:
			return f.body(n)
		case digits == 0 && (c == '\n' || c == '\r'): // some end counted messages with a line break too
			digits = -1
		case c < '0' || c > '9' || digits >= maxDigits:
			return nil, 0, errCount
		default:
			n = n*10 + int(c-'0')
		}
	}
}

func (f *framer) body(n int) ([]byte, int64, error) {
	want := min(n, f.max)
	if n > f.max {
		want = min(n, keepHead)
	}
	f.buf = append(f.buf[:0], make([]byte, want)...)
	if _, err := io.ReadFull(f.r, f.buf); err != nil {
		return nil, 0, fmt.Errorf("a message of %d octets is cut off: %w", n, err)
	}
	if rest := n - want; rest > 0 {
		if _, err := io.CopyN(io.Discard, f.r, int64(rest)); err != nil {
			return nil, 0, fmt.Errorf("a message of %d octets is cut off: %w", n, err)
		}
	}
	return f.buf, int64(n), nil
}

// line reads up to a line break or a NUL, which some senders use.
func (f *framer) line() ([]byte, int64, error) {
	f.buf = f.buf[:0]
	size := int64(0)
	for {
		part, err := f.r.ReadSlice('\n')
		size += int64(len(part))
		if room := f.max + 2 - len(f.buf); room > 0 {
			f.buf = append(f.buf, part[:min(len(part), room)]...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case err == nil || size > 0 && errors.Is(err, io.EOF):
			msg := bytes.TrimRight(f.buf, "\r\n\x00")
			if size <= int64(f.max)+2 {
				size = int64(len(msg))
			}
			return msg, size, nil
		}
		return nil, 0, err
	}
}

// streams accepts connections until ctx ends.
func (s *server) streams(ctx context.Context, g *supervise.Group, sink *source.Sink, gate *limiter, peers *peers) error {
	slots := make(chan struct{}, s.cfg.MaxConns)
	door, canWake := s.stream.(interface{ SetDeadline(time.Time) error })
	if canWake {
		_ = door.SetDeadline(time.Time{})
		stop := context.AfterFunc(ctx, func() { _ = door.SetDeadline(time.Unix(1, 0)) }) // the door stays open
		defer stop()
	}
	for {
		conn, err := s.stream.Accept()
		if ctx.Err() != nil {
			if err == nil {
				_ = conn.Close()
			}
			return ctx.Err()
		}
		if errors.Is(err, syscall.EMFILE) || errors.Is(err, syscall.ENFILE) {
			sink.Fault(ctx, fmt.Errorf("no descriptor is left for a stream, which waits: %w", err))
			select {
			case <-ctx.Done():
				return ctx.Err()
			case <-time.After(time.Second):
				continue
			}
		}
		if err != nil {
			return fmt.Errorf("accept a stream: %w", err)
		}
		peer := addrOf(conn.RemoteAddr())
		if !s.allowed(peer) {
			_ = conn.Close()
			continue
		}
		select {
		case slots <- struct{}{}:
		default:
			sink.Fault(ctx, fmt.Errorf("more than %d streams: raise max_conns", s.cfg.MaxConns))
			_ = conn.Close()
			continue
		}
		g.Go(ctx, "syslog stream", func(ctx context.Context) error {
			defer func() { <-slots }()
			stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
			defer stop()
			defer conn.Close()
			if in := s.secured(ctx, conn); in != nil {
				s.serve(ctx, in, peer, sink, gate, peers)
			}
			return nil
		})
	}
}

// handshakeTime is how long a sender may take to say who it is.
const handshakeTime = 10 * time.Second

// secured returns the stream to read messages from; nil when the other side does
// not speak TLS as it should.
func (s *server) secured(ctx context.Context, conn net.Conn) net.Conn {
	if s.secure == nil {
		return conn
	}
	ctx, cancel := context.WithTimeout(ctx, handshakeTime)
	defer cancel()
	t := tls.Server(conn, s.secure)
	if t.HandshakeContext(ctx) != nil {
		return nil
	}
	return t
}

// serve takes the messages of one stream. What its end was belongs to the
// sender; only what cannot be understood is told.
func (s *server) serve(ctx context.Context, conn net.Conn, peer netip.Addr, sink *source.Sink, gate *limiter, peers *peers) {
	in := &idle{conn, s.cfg.Idle}
	f, err := newFramer(in, s.cfg.MaxMessage)
	if err != nil {
		return
	}
	line := int64(1)
	for ; ; line++ {
		msg, size, err := f.next()
		if err != nil {
			if errors.Is(err, errCount) || errors.Is(err, io.ErrUnexpectedEOF) {
				s.refuse(sink, peer, line, 0, err.Error(), nil)
			}
			return
		}
		if len(msg) == 0 {
			continue
		}
		if gate.wait(ctx, peer) != nil {
			return
		}
		peers.count(peer, size)
		if size > int64(s.cfg.MaxMessage) {
			s.refuse(sink, peer, line, size, source.TooLong(s.cfg.MaxMessage), msg)
			continue
		}
		for !s.in.put(peer, msg) {
			if s.in.wait(ctx) != nil {
				return
			}
		}
	}
}

// refuse makes a dead letter of what is no message.
func (s *server) refuse(sink *source.Sink, peer netip.Addr, line, size int64, reason string, msg []byte) {
	d := honeyguide.DeadLetter{
		ID: honeyguide.NewID(sink.Now()), Source: peer.String(), Line: line, Reason: reason, Bytes: size, Raw: bytes.Clone(msg[:min(len(msg), keepHead)]),
	}
	if !s.in.refuse(d) {
		sink.Drop(1)
	}
}

// idle ends a stream that brings nothing.
type idle struct {
	net.Conn
	after time.Duration
}

// Read reads with a deadline.
func (i *idle) Read(p []byte) (int, error) {
	if err := i.SetReadDeadline(time.Now().Add(i.after)); err != nil {
		return 0, err
	}
	return i.Conn.Read(p)
}

// addrOf is the address a peer is known by.
func addrOf(a net.Addr) netip.Addr {
	ap, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return netip.Addr{}
	}
	return ap.Addr().Unmap().WithZone("")
}
