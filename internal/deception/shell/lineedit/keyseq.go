package lineedit

import (
	"strconv"
	"strings"
)

// escapes are the letters behind a backslash in the notation of bind.
const (
	escapeLetters = `abdefnrtv\"'s`
	escapeBytes   = "\a\b\x7f\x1b\f\n\r\t\v\\\"' "
)

// ParseKeys turns the notation of bind (\C-a, \M-x, \e, \n, \101, \x41) into
// the bytes a terminal sends.
func ParseKeys(s string) string {
	var out strings.Builder
	for i := 0; i < len(s); {
		n := parseKey(&out, s[i:])
		i += n
	}
	return out.String()
}

// parseKey writes the first key of s and returns how long its notation is.
func parseKey(out *strings.Builder, s string) int {
	if s[0] != '\\' || len(s) == 1 {
		out.WriteByte(s[0])
		return 1
	}
	if len(s) > 3 && s[2] == '-' && (s[1] == 'C' || s[1] == 'M') {
		var rest strings.Builder
		n := parseKey(&rest, s[3:])
		key := rest.String()
		if s[1] == 'M' {
			out.WriteString("\x1b" + key)
		} else {
			out.WriteString(key[:len(key)-1])
			out.WriteByte(control(key[len(key)-1]))
		}
		return 3 + n
	}
	if at := strings.IndexByte(escapeLetters, s[1]); at >= 0 {
		out.WriteByte(escapeBytes[at])
		return 2
	}
	digits, base, from := 0, 8, 1
	if s[1] == 'x' {
		base, from = 16, 2
	}
	for digits < 3 && from+digits < len(s) && (base == 8 || digits < 2) && isDigit(s[from+digits], base) {
		digits++
	}
	if digits == 0 {
		out.WriteByte(s[1])
		return 2
	}
	v, _ := strconv.ParseUint(s[from:from+digits], base, 16)
	out.WriteByte(byte(v))
	return from + digits
}

func isDigit(c byte, base int) bool {
	if base == 8 {
		return c >= '0' && c <= '7'
	}
	return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0
}

func control(c byte) byte {
	if c == '?' {
		return 0x7f
	}
	return c & 0x1f
}

// FormatKeys shows the bytes of keys in the notation of bind.
func FormatKeys(keys string) string {
	var b strings.Builder
	for i := range len(keys) {
		switch c := keys[i]; {
		case c == 0x1b:
			b.WriteString(`\e`)
		case c == 0x7f:
			b.WriteString(`\C-?`)
		case c == 0x1c: // C-\, whose backslash is escaped as any other
			b.WriteString(`\C-\\`)
		case c < ' ':
			b.WriteString(`\C-` + strings.ToLower(string(rune(c|0x40))))
		case c == '"' || c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c >= 0x80:
			b.WriteString(`\` + strconv.FormatUint(uint64(c), 8))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

// keyNames are keys that have a name in bind's old notation, Control-u.
var keyNames = map[string]byte{
	"del": 0x7f, "esc": 0x1b, "escape": 0x1b, "lfd": '\n', "newline": '\n', "ret": '\r', "return": '\r',
	"rubout": 0x7f, "space": ' ', "spc": ' ', "tab": '\t',
}

// NamedKey turns the old notation of bind (Control-u, Meta-Rubout, TAB) into the
// bytes of that key.
func NamedKey(s string) string {
	ctrl, meta := false, false
	for {
		word, rest, ok := strings.Cut(s, "-")
		if !ok || rest == "" {
			break
		}
		switch strings.ToLower(word) {
		case "control", "c", "ctrl":
			ctrl = true
		case "meta", "m":
			meta = true
		default:
			return s[:1]
		}
		s = rest
	}
	if s == "" {
		return ""
	}
	c, ok := keyNames[strings.ToLower(s)]
	if !ok {
		c = s[0]
	}
	if ctrl {
		c = control(c)
	}
	if meta {
		return "\x1b" + string([]byte{c})
	}
	return string([]byte{c})
}
