package ingest

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// text returns a piece of the source as valid UTF-8. Short texts come again
// and again, so they are kept for reuse.
func (d *document) text(s span, escaped bool) string {
	b := d.bytes(s)
	switch {
	case escaped:
		return d.mend(unescape(b))
	case !d.clean:
		return d.mend(string(b))
	case len(b) > maxInternedLen:
		return string(b)
	}
	if known, ok := d.interned[string(b)]; ok {
		return known
	}
	if d.interned == nil || len(d.interned) >= maxInterned {
		d.interned = make(map[string]string, 256)
	}
	t := string(b)
	d.interned[t] = t
	return t
}

// mend makes s valid UTF-8 without NUL.
func (d *document) mend(s string) string {
	if utf8.ValidString(s) && strings.IndexByte(s, 0) < 0 {
		return s
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, "\uFFFD"), "\x00", "\uFFFD")
}

// unescape resolves the escapes of a text that quoted has checked.
func unescape(b []byte) string {
	var s strings.Builder
	s.Grow(len(b))
	for i := 0; i < len(b); i++ {
		if b[i] != '\\' || i+1 >= len(b) {
			s.WriteByte(b[i])
			continue
		}
		i++
		switch b[i] {
		case 'b':
			s.WriteByte('\b')
		case 'f':
			s.WriteByte('\f')
		case 'n':
			s.WriteByte('\n')
		case 'r':
			s.WriteByte('\r')
		case 't':
			s.WriteByte('\t')
		case 'u':
			r, n := unescapeRune(b, i+1)
			s.WriteRune(r)
			i += n
		default:
			s.WriteByte(b[i])
		}
	}
	return s.String()
}

// unescapeRune reads the four digits at i, and the second half of a surrogate
// pair behind them. It returns how many bytes that took.
func unescapeRune(b []byte, i int) (rune, int) {
	r, _ := hex4(b, i)
	if !utf16.IsSurrogate(r) {
		return r, 4
	}
	if i+6 <= len(b) && b[i+4] == '\\' && b[i+5] == 'u' {
		if low, ok := hex4(b, i+6); ok {
			if both := utf16.DecodeRune(r, low); both != utf8.RuneError {
				return both, 10
			}
		}
	}
	return utf8.RuneError, 4
}
