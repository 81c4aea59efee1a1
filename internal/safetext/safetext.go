// Package safetext makes hostile text harmless. Whatever an attacker or a
// foreign product wrote passes through here before it reaches a terminal, a
// log line or a spreadsheet.
package safetext

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// Term returns s with everything that could steer a terminal or forge a line
// made visible: control characters (C0, DEL, C1), format characters (bidi and
// zero-width included), line and paragraph separators, private use and invalid
// UTF-8 become \xNN, \uNNNN, \n, \r or \t escapes; a backslash is doubled, so
// that the original can be read back.
func Term(s string) string {
	if plain(s) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 16)
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			fmt.Fprintf(&b, `\x%02x`, s[i])
		} else {
			writeRune(&b, r)
		}
		i += n
	}
	return b.String()
}

// TermN is Term cut to about n characters, the cut marked with an ellipsis.
func TermN(s string, n int) string {
	// Cut the input first: a megabyte is not escaped to show a line.
	if len(s) > 8*n {
		s = s[:8*n]
	}
	t := []rune(Term(s))
	if len(t) <= n {
		return string(t)
	}
	return string(t[:max(n-1, 0)]) + "…"
}

func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < 0x20 || c >= 0x7f || c == '\\' {
			return false
		}
	}
	return true
}

func writeRune(b *strings.Builder, r rune) {
	switch {
	case r == '\\':
		b.WriteString(`\\`)
	case r == '\n':
		b.WriteString(`\n`)
	case r == '\r':
		b.WriteString(`\r`)
	case r == '\t':
		b.WriteString(`\t`)
	case hostile(r) && r < 0x100:
		fmt.Fprintf(b, `\x%02x`, r)
	case hostile(r) && r < 0x10000:
		fmt.Fprintf(b, `\u%04x`, r)
	case hostile(r):
		fmt.Fprintf(b, `\U%08x`, r)
	default:
		b.WriteRune(r)
	}
}

// hostile reports whether r may not be shown as it is.
func hostile(r rune) bool {
	return unicode.Is(unicode.C, r) || r == '\u2028' || r == '\u2029' || !unicode.IsGraphic(r)
}

// CSV returns s as a cell no spreadsheet takes for a formula: a text whose
// first non-blank character could begin one, or that begins with a tab or line
// break, gets a leading apostrophe. Quoting for the format itself is
// encoding/csv's.
func CSV(s string) string {
	if s == "" {
		return s
	}
	if s[0] == '\t' || s[0] == '\r' || s[0] == '\n' {
		return "'" + s
	}
	first, _ := utf8.DecodeRuneInString(strings.TrimLeftFunc(s, unicode.IsSpace))
	if strings.ContainsRune("=+-@|%＝＋－＠", first) {
		return "'" + s
	}
	return s
}

// JSON returns a JSON text in which the characters its encoder leaves alone but
// a terminal may act on (DEL, C1, bidi and other format characters) are \u
// escapes. It says the same to a parser.
func JSON(text []byte) []byte {
	return escaped(text, func(b []byte, r rune) []byte {
		if r < 0x10000 {
			return fmt.Appendf(b, `\u%04x`, r)
		}
		high, low := utf16.EncodeRune(r)
		return fmt.Appendf(b, `\u%04x\u%04x`, high, low)
	})
}

// YAML is [JSON] for YAML, where such characters must stand in double quotes.
func YAML(text []byte) []byte {
	return escaped(text, func(b []byte, r rune) []byte {
		if r < 0x10000 {
			return fmt.Appendf(b, `\u%04x`, r)
		}
		return fmt.Appendf(b, `\U%08x`, r)
	})
}

// Hostile reports whether s holds a character that may not be shown as it is.
func Hostile(s string) bool { return strings.ContainsFunc(s, hostile) }

func escaped(text []byte, escape func(b []byte, r rune) []byte) []byte {
	out := make([]byte, 0, len(text))
	for i := 0; i < len(text); {
		r, n := utf8.DecodeRune(text[i:])
		if r >= 0x7f && hostile(r) {
			out = escape(out, r)
		} else {
			out = append(out, text[i:i+n]...)
		}
		i += n
	}
	return out
}
