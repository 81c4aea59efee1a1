package ipc

import (
	"encoding/binary"
	"math"
	"net/netip"
	"time"
)

// A reader takes a payload apart. The first thing that does not fit sets bad,
// after which everything reads as zero.
type reader struct {
	b   []byte
	s   string // the same bytes; when set, texts are cut from it without copying
	bad bool
}

// end reports what was wrong with a message, if anything was or is left over.
func (r *reader) end(what string) error {
	switch {
	case r.bad:
		return broken("%s cut short or malformed", what)
	case len(r.b) > 0:
		return broken("%s with %d bytes too many", what, len(r.b))
	}
	return nil
}

func (r *reader) fail() { r.bad, r.b, r.s = true, nil, "" }

// take returns the next n bytes, or nil.
func (r *reader) take(n uint64) []byte {
	if n > uint64(len(r.b)) {
		r.fail()
		return nil
	}
	p := r.b[:n]
	r.skip(int(n))
	return p
}

func (r *reader) skip(n int) {
	r.b = r.b[n:]
	if r.s != "" {
		r.s = r.s[n:]
	}
}

func (r *reader) byte() byte {
	if len(r.b) == 0 {
		r.fail()
		return 0
	}
	c := r.b[0]
	r.skip(1)
	return c
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.skip(n)
	return v
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail()
		return 0
	}
	r.skip(n)
	return v
}

func (r *reader) uint64() uint64 {
	if p := r.take(8); p != nil {
		return binary.BigEndian.Uint64(p)
	}
	return 0
}

// float reads a number; what JSON cannot write is refused.
func (r *reader) float() float64 {
	f := math.Float64frombits(r.uint64())
	if math.IsNaN(f) || math.IsInf(f, 0) {
		r.fail()
		return 0
	}
	return f
}

// str reads a length and that many bytes.
func (r *reader) str() string {
	n := r.uvarint()
	if n == 0 || n > uint64(len(r.b)) {
		if n != 0 {
			r.fail()
		}
		return ""
	}
	var s string
	if r.s != "" {
		s = r.s[:n]
	} else {
		s = string(r.b[:n])
	}
	r.skip(int(n))
	return s
}

// rest returns a copy of what is left.
func (r *reader) rest() []byte {
	if len(r.b) == 0 {
		return nil
	}
	p := append([]byte(nil), r.b...)
	r.b, r.s = nil, ""
	return p
}

// Bounds of a time: the years 1 to 9999, which is what JSON and the store hold.
var (
	minMicro = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).UnixMicro()
	maxMicro = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).UnixMicro()
)

func (r *reader) time() time.Time {
	us := r.varint()
	if us < minMicro || us > maxMicro {
		r.fail()
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

func (r *reader) addr() netip.AddrPort {
	n := r.byte()
	if n == 0 {
		return netip.AddrPort{}
	}
	if n != 4 && n != 16 {
		r.fail()
		return netip.AddrPort{}
	}
	ip, _ := netip.AddrFromSlice(r.take(uint64(n)))
	if p := r.take(2); p != nil {
		return netip.AddrPortFrom(ip.Unmap(), binary.BigEndian.Uint16(p))
	}
	return netip.AddrPort{}
}

func appendString(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// appendAddr writes the address without its zone, which means nothing elsewhere.
func appendAddr(dst []byte, a netip.AddrPort) []byte {
	if !a.IsValid() {
		return append(dst, 0)
	}
	ip := a.Addr().Unmap()
	if ip.Is4() {
		b := ip.As4()
		dst = append(append(dst, 4), b[:]...)
	} else {
		b := ip.As16()
		dst = append(append(dst, 16), b[:]...)
	}
	return binary.BigEndian.AppendUint16(dst, a.Port())
}
