package sftp

import (
	"bytes"
	"encoding/binary"
	"io"
	"strconv"
)

// Bounds of OpenSSH's sftp-server (sftp.h, sftp-server.c).
const (
	maxPacket = 256 << 10 // SFTP_MAX_MSG_LENGTH
	maxData   = 255 << 10 // SFTP_MAX_READ_LENGTH, one read or write
	maxNames  = 100       // entries of one answer to readdir
	firstBuf  = 1 << 10
	keepBuf   = 36 << 10 // what a buffer keeps between packets: a usual write
)

// next reads one packet. ok is false at the end, with the exit status.
func (s *server) next() (p []byte, status int, ok bool) {
	if n, err := io.ReadFull(s.in, s.head[:]); err != nil {
		_ = n
		return nil, exitOK, false // the end of input, also within a packet
	}
	n := binary.BigEndian.Uint32(s.head[:])
	if n > maxPacket {
		return nil, exitLength, false
	}
	if n == 0 {
		return nil, exitFatal, false
	}
	if cap(s.buf) > keepBuf && n <= keepBuf {
		s.buf = nil
	}
	p, err := s.fill(int(n))
	if err != nil {
		return nil, exitOK, false
	}
	return p, 0, true
}

// fill reads n bytes. The buffer grows with what comes, not with what a peer
// says will come.
func (s *server) fill(n int) ([]byte, error) {
	if cap(s.buf) == 0 {
		s.buf = make([]byte, 0, firstBuf)
	}
	b := s.buf[:0]
	for len(b) < n {
		if len(b) == cap(b) {
			grown := make([]byte, len(b), min(4*cap(b), maxPacket))
			copy(grown, b)
			b = grown
		}
		to := min(cap(b), n)
		k, err := io.ReadFull(s.in, b[len(b):to])
		b = b[:len(b)+k]
		if err != nil {
			return nil, err
		}
	}
	s.buf = b
	return b, nil
}

// reader takes a request apart; the first field that is not there makes it bad.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if r.bad || n > len(r.b) {
		r.bad = true
		return nil
	}
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *reader) byte() byte {
	if p := r.take(1); p != nil {
		return p[0]
	}
	return 0
}

func (r *reader) uint32() uint32 {
	if p := r.take(4); p != nil {
		return binary.BigEndian.Uint32(p)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if p := r.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// data returns the bytes of a string; they live as long as the packet.
func (r *reader) data() []byte {
	n := r.uint32()
	if r.bad || uint64(n) > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	return r.take(int(n))
}

// text returns a string that C can hold: a NUL may only be its last byte.
func (r *reader) text() string {
	p := r.data()
	if at := bytes.IndexByte(p, 0); at >= 0 {
		if at < len(p)-1 {
			r.bad = true
			return ""
		}
		p = p[:at]
	}
	return string(p)
}

// begin starts an answer.
func (s *server) begin(kind byte) {
	if cap(s.reply) > keepBuf {
		s.reply = nil
	}
	s.reply = append(s.reply[:0], 0, 0, 0, 0, kind)
}

func (s *server) u32(n uint32) { s.reply = binary.BigEndian.AppendUint32(s.reply, n) }
func (s *server) u64(n uint64) { s.reply = binary.BigEndian.AppendUint64(s.reply, n) }

func (s *server) str(t string) {
	s.u32(uint32(len(t)))
	s.reply = append(s.reply, t...)
}

// send writes the answer.
func (s *server) send() {
	binary.BigEndian.PutUint32(s.reply, uint32(len(s.reply)-4))
	if s.err == nil {
		_, s.err = s.out.Write(s.reply)
	}
}

func itoa(n int64) string { return strconv.FormatInt(n, 10) }
