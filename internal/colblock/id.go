package colblock

import (
	"strconv"
	"time"

	"honeyguide"
)

// EventID is the id of an event that was given none: it follows from its outbox,
// its number there and its time.
func EventID(outbox string, number int64, at time.Time) string {
	return honeyguide.DerivedID(at, outbox, strconv.FormatInt(number, 10))
}

// idLen is the length of an id of 16 bytes in base32hex.
const idLen = 26

const idAlphabet = "0123456789abcdefghijklmnopqrstuv"

// idDigit maps a character of an id to its value, 0xff when it is none.
var idDigit = func() (t [256]byte) {
	for i := range t {
		t[i] = 0xff
	}
	for i := range len(idAlphabet) {
		t[idAlphabet[i]] = byte(i)
	}
	return t
}()

// packID appends the 16 bytes of a well-formed id; ok is false for any other text.
func packID(dst []byte, id string) (_ []byte, ok bool) {
	if len(id) != idLen {
		return dst, false
	}
	var acc uint32
	bits, at := 0, len(dst)
	for i := range idLen {
		d := idDigit[id[i]]
		if d == 0xff {
			return dst[:at], false
		}
		acc = acc<<5 | uint32(d)
		if bits += 5; bits >= 8 {
			bits -= 8
			dst = append(dst, byte(acc>>bits))
		}
	}
	if acc&3 != 0 { // two bits are left over and must be zero, or another text would come back
		return dst[:at], false
	}
	return dst, true
}

// unpackID returns the id of 16 bytes.
func unpackID(b []byte) string {
	var out [idLen]byte
	var acc uint32
	bits, n := 0, 0
	for _, c := range b {
		acc = acc<<8 | uint32(c)
		for bits += 8; bits >= 5; n++ {
			bits -= 5
			out[n] = idAlphabet[acc>>bits&31]
		}
	}
	out[n] = idAlphabet[acc<<(5-bits)&31]
	return string(out[:])
}
