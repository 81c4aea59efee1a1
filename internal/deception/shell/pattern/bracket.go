package pattern

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// bracket matches r against the bracket expression at the start of pat and
// returns the offset behind it, 0 when it is none.
func (m *matcher) bracket(pat string, r rune) (end int, in bool) {
	i := 1
	negate := i < len(pat) && (pat[i] == '!' || pat[i] == '^')
	if negate {
		i++
	}
	for first := true; i < len(pat); first = false {
		if pat[i] == ']' && !first {
			return i + 1, in != negate
		}
		if strings.HasPrefix(pat[i:], "[:") {
			if j := strings.Index(pat[i+2:], ":]"); j >= 0 {
				in = in || class(pat[i+2:i+2+j], r)
				i += j + 4
				continue
			}
		}
		lo, n := m.element(pat[i:])
		i += n
		hi := lo
		if i+1 < len(pat) && pat[i] == '-' && pat[i+1] != ']' {
			hi, n = m.element(pat[i+1:])
			i += n + 1
		}
		in = in || lo <= r && r <= hi
		if m.flags&Fold != 0 {
			l, u := unicode.ToLower(r), unicode.ToUpper(r)
			in = in || lo <= l && l <= hi || lo <= u && u <= hi
		}
	}
	return 0, false
}

// element returns the first character of a bracket expression's rest.
func (m *matcher) element(s string) (rune, int) {
	if s[0] == '\\' && len(s) > 1 {
		r, n := utf8.DecodeRuneInString(s[1:])
		return r, n + 1
	}
	return utf8.DecodeRuneInString(s)
}

// class reports whether r belongs to a POSIX character class.
func class(name string, r rune) bool {
	switch name {
	case "alpha":
		return unicode.IsLetter(r)
	case "digit":
		return '0' <= r && r <= '9'
	case "alnum":
		return unicode.IsLetter(r) || unicode.IsDigit(r)
	case "upper":
		return unicode.IsUpper(r)
	case "lower":
		return unicode.IsLower(r)
	case "space":
		return unicode.IsSpace(r)
	case "blank":
		return r == ' ' || r == '\t'
	case "punct":
		return r < 128 && unicode.IsGraphic(r) && r != ' ' && !unicode.IsLetter(r) && !unicode.IsDigit(r)
	case "print":
		return unicode.IsGraphic(r)
	case "graph":
		return unicode.IsGraphic(r) && r != ' '
	case "cntrl":
		return unicode.IsControl(r)
	case "xdigit":
		return strings.ContainsRune("0123456789abcdefABCDEF", r)
	case "word":
		return r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r)
	}
	return false
}

// groupEnd returns the offset behind the group that pat begins with, or 0.
func groupEnd(pat string) int {
	depth := 0
	for i := 1; i < len(pat); i++ {
		switch pat[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				return i + 1
			}
		}
	}
	return 0
}

// alternatives splits the inside of a group at its own bars.
func alternatives(s string) []string {
	var out []string
	depth, from := 0, 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '(':
			depth++
		case ')':
			depth--
		case '|':
			if depth == 0 {
				out = append(out, s[from:i])
				from = i + 1
			}
		}
	}
	return append(out, s[from:])
}

// group matches the extended pattern in pat[:end] and what follows it.
func (m *matcher) group(pat string, end int, s string) bool {
	alts, rest := alternatives(pat[2:end-1]), pat[end:]
	m.left -= end / 16 // for the way through the group's text
	switch pat[0] {
	case '@', '?', '+':
		if pat[0] == '?' && m.match(rest, s) {
			return true
		}
		next := rest
		if pat[0] == '+' {
			next = "*" + pat[1:]
		}
		return m.some(alts, next, s)
	case '*':
		return m.match(rest, s) || m.some(alts, pat, s)
	default: // '!'
		for i := 0; i <= len(s) && m.left > 0; i++ {
			if !m.any(alts, s[:i]) && m.match(rest, s[i:]) {
				return true
			}
		}
		return false
	}
}

// some matches one alternative against a non-empty prefix (or, when nothing
// else follows the same group again, an empty one), then next against the rest.
func (m *matcher) some(alts []string, next, s string) bool {
	for i := len(s); i >= 0 && m.left > 0; i-- {
		if i == 0 && strings.HasPrefix(next, "*(") {
			return m.any(alts, "") && m.match(next[groupEnd(next):], s)
		}
		if m.any(alts, s[:i]) && m.match(next, s[i:]) {
			return true
		}
	}
	return false
}

func (m *matcher) any(alts []string, s string) bool {
	for _, a := range alts {
		if m.match(a, s) {
			return true
		}
	}
	return false
}
