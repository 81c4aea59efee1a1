package hunt

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"honeyguide"
)

// Bounds of a query.
const (
	MaxQuery      = 4096 // bytes
	maxConditions = 32
)

// An Error says what is wrong with a query and where.
type Error struct {
	At, End int // bytes, from 0
	Why     string
}

// Error names the place as people count: characters from 1.
func (e *Error) Error() string { return fmt.Sprintf("query, at character %d: %s", e.At+1, e.Why) }

// Unwrap makes it an error for users.
func (e *Error) Unwrap() error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: e.Error()}
}

// A condition is one part of a query as it was written.
type condition struct {
	not        bool
	field      string // "" for free words
	value      string
	quoted     bool
	at, val, e int // where it begins, where its value does, where it ends
}

// scan cuts a query into conditions.
func scan(q string) ([]condition, *Error) {
	if len(q) > MaxQuery {
		return nil, &Error{MaxQuery, len(q), "a query has at most 4096 bytes"}
	}
	if !utf8.ValidString(q) {
		i := 0
		for i < len(q) {
			r, n := utf8.DecodeRuneInString(q[i:])
			if r == utf8.RuneError && n == 1 {
				break
			}
			i += n
		}
		return nil, &Error{i, i + 1, "this is no UTF-8"}
	}
	var out []condition
	for i := 0; ; {
		i += len(q[i:]) - len(strings.TrimLeftFunc(q[i:], unicode.IsSpace))
		if i == len(q) {
			return out, nil
		}
		c, next, err := one(q, i)
		if err != nil {
			return nil, err
		}
		if len(out) == maxConditions {
			return nil, &Error{i, next, fmt.Sprintf("at most %d conditions", maxConditions)}
		}
		out = append(out, c)
		i = next
	}
}

// one reads the condition at a place.
func one(q string, at int) (c condition, next int, err *Error) {
	c.at = at
	i := at
	if q[i] == '-' && i+1 < len(q) {
		c.not = true
		i++
	}
	name := i
	for i < len(q) && nameByte(q[i]) {
		i++
	}
	if i > name && i < len(q) && q[i] == ':' {
		c.field = strings.ToLower(q[name:i])
		i++
	} else {
		i = name
	}
	c.val = i
	if i < len(q) && q[i] == '"' {
		c.quoted = true
		c.value, i, err = quoted(q, i)
		if err == nil && i < len(q) && !unicode.IsSpace(runeAt(q, i)) {
			err = &Error{i, i + 1, "want a blank after the closing quote"}
		}
	} else {
		for i < len(q) && !unicode.IsSpace(runeAt(q, i)) {
			if q[i] == '"' {
				return c, i, &Error{i, i + 1, `a quote within a value: put the whole value in quotes and write \" for it`}
			}
			_, n := utf8.DecodeRuneInString(q[i:])
			i += n
		}
		c.value = q[c.val:i]
	}
	if c.e = i; err != nil {
		return c, i, err
	}
	if c.value == "" {
		why := "want a value"
		if c.field != "" {
			why = "want a value after the colon"
		}
		return c, i, &Error{c.at, max(i, c.at+1), why}
	}
	return c, i, nil
}

func runeAt(q string, i int) rune {
	r, _ := utf8.DecodeRuneInString(q[i:])
	return r
}

// nameByte reports whether a byte may stand in the name of a field.
func nameByte(b byte) bool {
	return b >= 'a' && b <= 'z' || b >= 'A' && b <= 'Z' || b >= '0' && b <= '9' || b == '_' || b == '.'
}

// quoted reads a value in quotes.
func quoted(q string, at int) (value string, next int, err *Error) {
	var b strings.Builder
	for i := at + 1; i < len(q); i++ {
		switch q[i] {
		case '"':
			return b.String(), i + 1, nil
		case '\\':
			if i+1 < len(q) && (q[i+1] == '"' || q[i+1] == '\\') {
				i++
			}
		}
		b.WriteByte(q[i])
	}
	return "", len(q), &Error{at, len(q), "this quote is not closed"}
}
