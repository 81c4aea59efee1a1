package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"
)

func itoa(n int64) string { return strconv.FormatInt(n, 10) }

// ansiC decodes the inside of $'...'.
func ansiC(s string) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		n, stop := escape(&b, s[i:], ansiEscapes)
		if stop {
			return b.String()
		}
		i += n - 1
	}
	return b.String()
}

// An escapeStyle says which escapes are known.
type escapeStyle uint8

const (
	ansiEscapes   escapeStyle = iota // $'...': \nnn, \cX, quotes; NUL ends
	echoEscapes                      // echo -e: \0nnn, \c ends everything
	formatEscapes                    // printf's format: \nnn
	percentB                         // printf %b: both, \c ends everything
)

// escape writes the character that s, the text behind a backslash, stands for.
// It returns how much of s it took and whether all output ends here.
func escape(b *strings.Builder, s string, style escapeStyle) (n int, stop bool) {
	if i := strings.IndexByte("abefnrtv", s[0]); i >= 0 {
		b.WriteByte("\a\b\x1b\f\n\r\t\v"[i])
		return 1, false
	}
	switch c := s[0]; {
	case c == '\\':
		b.WriteByte('\\')
	case c == 'E':
		b.WriteByte(0x1b)
	case c == 'x':
		return hexEscape(b, s, 2, style)
	case c == 'u':
		return hexEscape(b, s, 4, style)
	case c == 'U':
		return hexEscape(b, s, 8, style)
	case c == 'c' && (style == echoEscapes || style == percentB):
		return 1, true
	case c == 'c' && style == ansiEscapes && len(s) > 1:
		b.WriteByte(s[1] & 0x1f)
		return 2, false
	case c >= '0' && c <= '7':
		return octalEscape(b, s, style)
	case (c == '\'' || c == '"' || c == '?') && style != echoEscapes && style != percentB:
		b.WriteByte(c)
	case c == '"' && style == percentB:
		b.WriteByte(c)
	default:
		b.WriteByte('\\')
		b.WriteByte(c)
	}
	return 1, false
}

func octalEscape(b *strings.Builder, s string, style escapeStyle) (int, bool) {
	digits, from := 3, 0
	switch {
	case style == echoEscapes && s[0] != '0':
		b.WriteByte('\\')
		b.WriteByte(s[0])
		return 1, false
	case (style == echoEscapes || style == percentB) && s[0] == '0':
		from = 1
	}
	n, v := from, 0
	for n < len(s) && n < from+digits && s[n] >= '0' && s[n] <= '7' {
		v = v*8 + int(s[n]-'0')
		n++
	}
	if byte(v) == 0 && style == ansiEscapes {
		return len(s), true
	}
	b.WriteByte(byte(v))
	return max(n, 1), false
}

func hexEscape(b *strings.Builder, s string, digits int, style escapeStyle) (int, bool) {
	n := 1
	for n < len(s) && n <= digits && strings.IndexByte("0123456789abcdefABCDEF", s[n]) >= 0 {
		n++
	}
	if n == 1 {
		b.WriteByte('\\')
		b.WriteByte(s[0])
		return 1, false
	}
	v, _ := strconv.ParseUint(s[1:n], 16, 32)
	switch {
	case v == 0 && style == ansiEscapes:
		return len(s), true
	case digits == 2:
		b.WriteByte(byte(v))
	default:
		b.WriteRune(rune(v))
	}
	return n, false
}

// singleQuote quotes s the way ${x@Q} and declare-free listings do.
func singleQuote(s string) string {
	if needsANSI(s) {
		return ansiQuote(s)
	}
	return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
}

// needsANSI reports whether s has characters only $'...' can show.
func needsANSI(s string) bool {
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1 {
			return true
		}
		i += n
	}
	return false
}

// ansiQuote writes s as $'...'.
func ansiQuote(s string) string {
	var b strings.Builder
	b.WriteString("$'")
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == '\'' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == 0x1b:
			b.WriteString(`\E`)
		case r >= 7 && r <= 13:
			b.WriteByte('\\')
			b.WriteByte("abtnvfr"[r-7])
		case r < ' ' || r == 0x7f || r == utf8.RuneError && n == 1:
			b.WriteString(`\` + pad3(s[i]))
		default:
			b.WriteString(s[i : i+n])
		}
		i += n
	}
	b.WriteByte('\'')
	return b.String()
}

func pad3(c byte) string {
	s := strconv.FormatUint(uint64(c), 8)
	return "000"[len(s):] + s
}

// special are the characters that make a word need quotes.
const special = " \t\n!\"$&'()*;<>?[\\]^`{|}"

// backslashQuote is printf %q: a backslash before everything special.
func backslashQuote(s string) string {
	switch {
	case s == "":
		return "''"
	case needsANSI(s):
		return ansiQuote(s)
	}
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		if strings.IndexByte(special, c) >= 0 || c == ',' || (c == '#' || c == '~') && i == 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(c)
	}
	return b.String()
}

// traceQuote quotes a word as set -x shows it: only if it needs it.
func traceQuote(s string) string {
	switch {
	case s == "":
		return "''"
	case needsANSI(s) && !strings.ContainsAny(s, "\t\n"):
		return ansiQuote(s)
	case strings.ContainsAny(s, special) || s[0] == '#' || s[0] == '~':
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// setQuote quotes a value in the output of set: only if it needs it.
func setQuote(s string) string {
	switch {
	case s == "":
		return ""
	case needsANSI(s):
		return ansiQuote(s)
	case strings.ContainsAny(s, special) || s[0] == '#' || s[0] == '~':
		return "'" + strings.ReplaceAll(s, "'", `'\''`) + "'"
	}
	return s
}

// doubleQuote quotes a value as declare -p does.
func doubleQuote(s string) string {
	if needsANSI(s) {
		return ansiQuote(s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for i := range len(s) {
		if strings.IndexByte("\"$\\`", s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	b.WriteByte('"')
	return b.String()
}
