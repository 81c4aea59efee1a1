package sigma

import (
	"encoding/binary"
	"unicode"
	"unicode/utf8"
)

// fold appends s to dst in the form all comparisons that ignore letter case
// use: of runes that are the same but for case, always the same one. Bytes that
// are no UTF-8 stay as they are.
func fold(dst []byte, s string) []byte {
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			n := ascii(s[i:])
			at := len(dst)
			dst = append(dst, s[i:i+n]...)
			lower(dst[at:])
			i += n
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			dst = append(dst, s[i])
		} else {
			dst = utf8.AppendRune(dst, foldRune(r))
		}
		i += n
	}
	return dst
}

// ascii returns how many bytes s begins with are ASCII.
func ascii(s string) int {
	n := 0
	for n < len(s) && s[n] < utf8.RuneSelf {
		n++
	}
	return n
}

// lower puts ASCII text into lower case, eight bytes at a time: of each byte
// the top bit tells whether it lies from A to Z, and shifted makes the bit by
// which the cases differ.
func lower(b []byte) {
	const every = 0x0101010101010101
	for len(b) >= 8 {
		v := binary.LittleEndian.Uint64(b)
		upper := (v + (0x80-'A')*every) &^ (v + (0x80-'Z'-1)*every) & (0x80 * every)
		binary.LittleEndian.PutUint64(b, v|upper>>2)
		b = b[8:]
	}
	for i, c := range b {
		if 'A' <= c && c <= 'Z' {
			b[i] = c + 'a' - 'A'
		}
	}
}

// foldRune returns the smallest rune of r's case orbit, in lower case where
// that is ASCII.
func foldRune(r rune) rune {
	least := r
	for f := unicode.SimpleFold(r); f != r; f = unicode.SimpleFold(f) {
		least = min(least, f)
	}
	if 'A' <= least && least <= 'Z' {
		least += 'a' - 'A'
	}
	return least
}

func folded(s string) string { return string(fold(nil, s)) }
