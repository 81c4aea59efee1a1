package coreutils

import (
	"strconv"
	"strings"
)

// utf8 reports whether the session's locale is a UTF-8 one.
func (p *Proc) utf8() bool {
	for _, v := range []string{"LC_ALL", "LC_CTYPE", "LANG"} {
		if s := p.Env(v); s != "" {
			s = strings.ToUpper(s)
			return strings.HasSuffix(s, "UTF-8") || strings.HasSuffix(s, "UTF8")
		}
	}
	return false
}

// q quotes as the locale does: ‘x’ in a UTF-8 locale, 'x' otherwise.
func (p *Proc) q(s string) string {
	if p.utf8() {
		return "‘" + escaped(s, 0) + "’"
	}
	return "'" + escaped(s, '\'') + "'"
}

// escaped writes control characters as C does.
func escaped(s string, quote byte) string {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0 && c == quote, c == '\\':
			b.WriteByte('\\')
			b.WriteByte(c)
		case c == '\n':
			b.WriteString(`\n`)
		case c == '\t':
			b.WriteString(`\t`)
		case c == '\r':
			b.WriteString(`\r`)
		case c < 0x20 || c == 0x7f:
			b.WriteString(octal(c))
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}

func octal(c byte) string {
	s := strconv.FormatUint(uint64(c), 8)
	return `\` + "000"[len(s):] + s
}

// qa quotes a file name for the shell, always with ASCII quotes.
func qa(s string) string {
	plain := true
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] == 0x7f {
			plain = false
		}
	}
	switch {
	case plain && !strings.Contains(s, "'"):
		return "'" + s + "'"
	case plain && !strings.ContainsAny(s, "\"$`\\!"):
		return `"` + s + `"`
	}
	var b strings.Builder
	b.WriteByte('\'')
	open := true
	for i := 0; i < len(s); i++ {
		c := s[i]
		special := ""
		switch {
		case c == '\'':
			if !open {
				b.WriteByte('\'')
				open = true
			}
			b.WriteString(`'\'`)
			b.WriteByte('\'')
			continue
		case c == '\n':
			special = `\n`
		case c == '\t':
			special = `\t`
		case c == '\r':
			special = `\r`
		case c < 0x20 || c == 0x7f:
			special = octal(c)
		}
		switch {
		case special != "" && open:
			b.WriteString(`'$'` + special)
			open = false
		case special != "":
			b.WriteString(special)
		case !open:
			b.WriteString(`''`)
			b.WriteByte(c)
			open = true
		default:
			b.WriteByte(c)
		}
	}
	b.WriteByte('\'')
	return b.String()
}

// quotef quotes a file name in a message only when a shell would trip over it.
func quotef(s string) string {
	if s == "" || s[0] == '~' || s[0] == '#' || strings.ContainsAny(s, " \t\n\"'$`\\!*?[]();&|<>^={}") || strings.ContainsFunc(s, func(r rune) bool { return r < 32 || r == 127 }) {
		return qa(s)
	}
	return s
}
