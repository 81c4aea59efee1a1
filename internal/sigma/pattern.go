package sigma

import (
	"bytes"
	"strings"
	"unicode/utf8"
)

// A pattern is a string value of a rule: literal pieces with wildcards between
// them. Equality, prefix, suffix and containment are patterns that begin or end
// with a star.
type pattern struct {
	parts []part
	cased bool
}

// A part is a literal, or a wildcard: any run, or exactly one character.
type part struct {
	text string
	wild byte // 0, '*', '?'
}

// parsePattern reads a plain value. Backslashes escape wildcards and, before a
// wildcard, themselves; before anything else they stand for themselves.
func parsePattern(s string) pattern {
	var p pattern
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			p.parts = append(p.parts, part{text: lit.String()})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '\\' && i+1 < len(s) && (s[i+1] == '*' || s[i+1] == '?' || s[i+1] == '\\'):
			// `\\` is one backslash; before an ordinary character one
			// backslash is one, so that Windows paths need no doubling.
			lit.WriteByte(s[i+1])
			i++
		case c == '*' || c == '?':
			flush()
			if c == '*' && len(p.parts) > 0 && p.parts[len(p.parts)-1].wild == '*' {
				continue
			}
			p.parts = append(p.parts, part{wild: c})
		default:
			lit.WriteByte(c)
		}
	}
	flush()
	return p
}

// literal returns the text of a pattern without wildcards.
func (p *pattern) literal() (string, bool) {
	switch len(p.parts) {
	case 0:
		return "", true
	case 1:
		return p.parts[0].text, p.parts[0].wild == 0
	}
	return "", false
}

// open puts a star before and after.
func (p *pattern) open(before, after bool) {
	star := part{wild: '*'}
	if before && (len(p.parts) == 0 || p.parts[0].wild != '*') {
		p.parts = append([]part{star}, p.parts...)
	}
	if after && (len(p.parts) == 0 || p.parts[len(p.parts)-1].wild != '*') {
		p.parts = append(p.parts, star)
	}
}

// finish folds the literals unless the comparison minds letter case.
func (p *pattern) finish(cased bool) {
	p.cased = cased
	if !cased {
		for i := range p.parts {
			p.parts[i].text = folded(p.parts[i].text)
		}
	}
}

// longest returns the longest literal piece.
func (p *pattern) longest() string {
	best := ""
	for _, x := range p.parts {
		if len(x.text) > len(best) {
			best = x.text
		}
	}
	return best
}

// key tells equal patterns apart from others.
func (p *pattern) key() string {
	var b strings.Builder
	if p.cased {
		b.WriteByte('C')
	}
	for _, x := range p.parts {
		if x.wild != 0 {
			b.WriteByte(0)
			b.WriteByte(x.wild)
		} else {
			b.WriteString(x.text)
		}
	}
	return b.String()
}

// match reports whether v, folded unless the pattern minds case, fits.
func (p *pattern) match(v []byte) bool {
	parts := p.parts
	switch len(parts) {
	case 0:
		return len(v) == 0
	case 1:
		if parts[0].wild == 0 {
			return string(v) == parts[0].text
		}
	case 2:
		if parts[0].wild == '*' && parts[1].wild == 0 {
			return len(v) >= len(parts[1].text) && string(v[len(v)-len(parts[1].text):]) == parts[1].text
		}
		if parts[1].wild == '*' && parts[0].wild == 0 {
			return len(v) >= len(parts[0].text) && string(v[:len(parts[0].text)]) == parts[0].text
		}
	case 3:
		if parts[0].wild == '*' && parts[2].wild == '*' && parts[1].wild == 0 {
			return bytes.Contains(v, []byte(parts[1].text))
		}
	}
	return glob(parts, v)
}

// glob matches in time proportional to the product of the lengths at worst: a
// star remembers only the last place it could grow from.
func glob(parts []part, v []byte) bool {
	i, at := 0, 0
	star, starAt := -1, 0
	for {
		if i < len(parts) {
			switch x := parts[i]; {
			case x.wild == '*':
				star, starAt = i, at
				i++
				continue
			case x.wild == '?':
				if at < len(v) {
					_, n := utf8.DecodeRune(v[at:])
					at += n
					i++
					continue
				}
			case bytes.HasPrefix(v[at:], []byte(x.text)):
				at += len(x.text)
				i++
				continue
			}
		} else if at == len(v) {
			return true
		}
		if star < 0 || starAt >= len(v) {
			return false
		}
		// The star takes one character more; to where its next literal is.
		_, n := utf8.DecodeRune(v[starAt:])
		starAt += n
		if next := star + 1; next < len(parts) && parts[next].wild == 0 {
			skip := bytes.Index(v[starAt:], []byte(parts[next].text))
			if skip < 0 {
				return false
			}
			starAt += skip
		}
		i, at = star+1, starAt
	}
}
