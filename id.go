package honeyguide

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base32"
	"encoding/binary"
	"time"
)

// idEncoding keeps the order of the bytes it encodes and uses lower case only.
var idEncoding = base32.NewEncoding("0123456789abcdefghijklmnopqrstuv").WithPadding(base32.NoPadding)

// NewID returns an opaque id of 26 characters that sorts by the time it was made:
// 6 bytes of milliseconds, 10 random bytes.
func NewID(now time.Time) string {
	var b [16]byte
	putMillis(&b, now)
	_, _ = rand.Read(b[6:]) // never fails (crypto/rand)
	return idEncoding.EncodeToString(b[:])
}

// DerivedID returns the id that belongs to parts at a time: the same input gives
// the same id, so a replay writes the same rows again.
func DerivedID(at time.Time, parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		var n [8]byte
		binary.BigEndian.PutUint64(n[:], uint64(len(p)))
		h.Write(n[:])
		h.Write([]byte(p))
	}
	var b [16]byte
	putMillis(&b, at)
	copy(b[6:], h.Sum(nil))
	return idEncoding.EncodeToString(b[:])
}

func putMillis(b *[16]byte, t time.Time) {
	var ms [8]byte
	binary.BigEndian.PutUint64(ms[:], uint64(t.UnixMilli()))
	copy(b[:6], ms[2:])
}
