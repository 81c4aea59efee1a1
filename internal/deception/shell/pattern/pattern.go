// Package pattern matches strings against the shell's patterns: `*`, `?`,
// bracket expressions with classes, and, where asked for, the extended forms
// `?( )`, `*( )`, `+( )`, `@( )` and `!( )`. A backslash quotes the next
// character. Every match has a bounded number of steps; a pattern that needs
// more does not match, so that no input can hold up a session.
package pattern

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// Flags say how to match.
type Flags uint8

// The flags.
const (
	Fold Flags = 1 << iota // letters match in either case
	Ext                    // extended patterns
	Path                   // `*`, `?` and brackets do not match a slash, nor a leading dot
)

// maxSteps bounds one match.
const maxSteps = 200_000

// A Matcher matches with certain flags and counts its work, so that whoever
// matches on somebody's behalf can charge him for it.
type Matcher struct {
	Flags Flags
	Steps int // made by all matches so far, of some ten nanoseconds each
}

// Match reports whether the whole of s matches pat.
func Match(pat, s string, f Flags) bool { return (&Matcher{Flags: f}).Match(pat, s) }

// Prefix is [Matcher.Prefix] for those who need not count.
func Prefix(pat, s string, longest bool, f Flags) int {
	return (&Matcher{Flags: f}).Prefix(pat, s, longest)
}

// Suffix is [Matcher.Suffix] for those who need not count.
func Suffix(pat, s string, longest bool, f Flags) int {
	return (&Matcher{Flags: f}).Suffix(pat, s, longest)
}

// Find is [Matcher.Find] for those who need not count.
func Find(pat, s string, f Flags) (start, end int) { return (&Matcher{Flags: f}).Find(pat, s) }

func (c *Matcher) start(s string) matcher { return matcher{flags: c.Flags, left: maxSteps, whole: s} }

func (c *Matcher) count(m *matcher) { c.Steps += maxSteps - max(m.left, 0) }

// Match reports whether the whole of s matches pat.
func (c *Matcher) Match(pat, s string) bool {
	m := c.start(s)
	defer c.count(&m)
	return m.match(pat, s)
}

// Special reports whether pat has a character that makes it a pattern.
func Special(pat string) bool {
	for i := 0; i < len(pat); i++ {
		switch pat[i] {
		case '\\':
			i++
		case '*', '?':
			return true
		case '[':
			if strings.IndexByte(pat[i+1:], ']') >= 0 {
				return true
			}
		}
	}
	return false
}

// Unescape removes the backslashes that quote.
func Unescape(pat string) string {
	if strings.IndexByte(pat, '\\') < 0 {
		return pat
	}
	var b strings.Builder
	b.Grow(len(pat))
	for i := 0; i < len(pat); i++ {
		if pat[i] == '\\' && i+1 < len(pat) {
			i++
		}
		b.WriteByte(pat[i])
	}
	return b.String()
}

// Escape quotes every character of s that could mean something.
func Escape(s string) string {
	if !strings.ContainsAny(s, `*?[]\()|!+@`) {
		return s
	}
	var b strings.Builder
	b.Grow(len(s) + 8)
	for i := range len(s) {
		if strings.IndexByte(`*?[]\()|!+@`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// Prefix returns the length of the shortest or longest prefix of s that
// matches, or -1.
func (c *Matcher) Prefix(pat, s string, longest bool) int {
	if n := literal(pat, c.Flags); n >= 0 {
		if strings.HasPrefix(s, Unescape(pat)) {
			return n
		}
		return -1
	}
	found := -1
	m := c.start(s)
	defer c.count(&m)
	for i := 0; i <= len(s); i++ {
		if i < len(s) && !utf8.RuneStart(s[i]) {
			continue
		}
		if m.match(pat, s[:i]) {
			if found = i; !longest {
				return found
			}
		}
		if m.left <= 0 {
			break
		}
	}
	return found
}

// Suffix returns the offset of the shortest or longest suffix of s that
// matches, or -1.
func (c *Matcher) Suffix(pat, s string, longest bool) int {
	if n := literal(pat, c.Flags); n >= 0 {
		if strings.HasSuffix(s, Unescape(pat)) {
			return len(s) - n
		}
		return -1
	}
	m := c.start(s)
	defer c.count(&m)
	found := -1
	for k := 0; k <= len(s); k++ {
		i := len(s) - k
		if longest {
			i = k
		}
		if i < len(s) && !utf8.RuneStart(s[i]) {
			continue
		}
		if m.match(pat, s[i:]) {
			return i
		}
		if m.left <= 0 {
			break
		}
	}
	return found
}

// Find returns the first and longest match in s from offset on.
func (c *Matcher) Find(pat, s string) (start, end int) {
	if n := literal(pat, c.Flags); n >= 0 {
		c.Steps += len(s) / 64
		i := strings.Index(s, Unescape(pat))
		if i < 0 || n == 0 {
			return -1, -1
		}
		return i, i + n
	}
	m := c.start(s)
	defer c.count(&m)
	for i := 0; i <= len(s); i++ {
		for j := len(s); j > i || j == i && i == len(s); j-- {
			if m.match(pat, s[i:j]) {
				return i, j
			}
			if m.left <= 0 {
				return -1, -1
			}
		}
	}
	return -1, -1
}

// literal returns the length of the only string pat matches, or -1.
func literal(pat string, f Flags) int {
	if f&(Fold|Ext) != 0 || Special(pat) {
		return -1
	}
	return len(Unescape(pat))
}

type matcher struct {
	flags Flags
	left  int
	whole string
}

// match is the classic two-pointer match: after a failure it goes back to the
// last star only, so that plain patterns cost at most len(pat)*len(s).
func (m *matcher) match(pat, s string) bool {
	var starPat, starRest string
	star := false
	for {
		if m.left--; m.left <= 0 {
			return false
		}
		if m.flags&Ext != 0 && len(pat) > 1 && pat[1] == '(' && strings.IndexByte("?*+@!", pat[0]) >= 0 {
			if end := groupEnd(pat); end > 0 {
				if m.group(pat, end, s) {
					return true
				}
				if !star || starRest == "" {
					return false
				}
				_, n := utf8.DecodeRuneInString(starRest)
				starRest = starRest[n:]
				pat, s = starPat, starRest
				continue
			}
		}
		if pat != "" && pat[0] == '*' && !m.dotted(s) {
			pat = strings.TrimLeft(pat, "*")
			star, starPat, starRest = true, pat, s
			continue
		}
		if pat == "" && s == "" {
			return true
		}
		if pat != "" && s != "" {
			if np, ns, ok := m.one(pat, s); ok {
				pat, s = np, ns
				continue
			}
		}
		if !star || starRest == "" || m.flags&Path != 0 && starRest[0] == '/' {
			return false
		}
		_, n := utf8.DecodeRuneInString(starRest)
		starRest = starRest[n:]
		pat, s = starPat, starRest
	}
}

// dotted reports whether s begins with a dot that only a dot may match.
func (m *matcher) dotted(s string) bool {
	return m.flags&Path != 0 && len(s) == len(m.whole) && strings.HasPrefix(s, ".")
}

// one matches the first element of pat, no star, against the first character of s.
func (m *matcher) one(pat, s string) (restPat, restS string, ok bool) {
	r, n := utf8.DecodeRuneInString(s)
	switch pat[0] {
	case '?':
		if m.dotted(s) || m.flags&Path != 0 && r == '/' {
			return "", "", false
		}
		return pat[1:], s[n:], true
	case '[':
		if end, in := m.bracket(pat, r); end > 0 {
			if m.dotted(s) || m.flags&Path != 0 && r == '/' {
				return "", "", false
			}
			return pat[end:], s[n:], in
		}
	case '\\':
		if len(pat) > 1 {
			pat = pat[1:]
		}
	}
	p, k := utf8.DecodeRuneInString(pat)
	if p == r && (p != utf8.RuneError || pat[:k] == s[:n]) || m.flags&Fold != 0 && unicode.ToLower(p) == unicode.ToLower(r) {
		return pat[k:], s[n:], true
	}
	return "", "", false
}
