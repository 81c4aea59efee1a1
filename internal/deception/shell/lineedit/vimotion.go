package lineedit

import (
	"strings"
	"unicode"
)

// class divides characters as vi's small words do: blanks, letters, the rest.
// Big words know blanks and the rest.
func class(r rune, big bool) int {
	switch {
	case r == ' ' || r == '\t':
		return 0
	case big || r == '_' || unicode.IsLetter(r) || unicode.IsDigit(r):
		return 1
	}
	return 2
}

// skip moves on from i while characters are of a class.
func (e *Editor) skip(i, kind int, big bool) int {
	for i < len(e.buf) && class(e.buf[i], big) == kind {
		i++
	}
	return i
}

// nextWord is the beginning of the n-th word behind the cursor.
func (e *Editor) nextWord(n int, big bool) int {
	i := e.pos
	for ; n > 0 && i < len(e.buf)-1; n-- {
		if k := class(e.buf[i], big); k != 0 {
			i = e.skip(i, k, big)
		}
		i = e.skip(i, 0, big)
	}
	return i
}

// prevWord is the beginning of the n-th word before the cursor.
func (e *Editor) prevWord(n int, big bool) int {
	i := min(e.pos, len(e.buf))
	for ; n > 0 && i > 0; n-- {
		for i > 0 && class(e.buf[i-1], big) == 0 {
			i--
		}
		if i > 0 {
			for k := class(e.buf[i-1], big); i > 0 && class(e.buf[i-1], big) == k; {
				i--
			}
		}
	}
	return i
}

// endWord is the last character of the n-th word behind the cursor.
func (e *Editor) endWord(n int, big bool) int {
	i := e.pos
	for ; n > 0 && i < len(e.buf)-1; n-- {
		at := e.skip(i+1, 0, big)
		if at >= len(e.buf) {
			return at
		}
		i = e.skip(at, class(e.buf[at], big), big) - 1
	}
	return i
}

// viMove is a movement; false rings the bell.
func (e *Editor) viMove(name string, n int) bool {
	big := e.key >= 'A' && e.key <= 'Z'
	end := len(e.buf)
	switch name {
	case "vi-next-word":
		if e.pos >= end-1 {
			return false
		}
		e.pos = e.nextWord(n, big)
	case "vi-prev-word":
		if e.pos == 0 {
			return false
		}
		e.pos = e.prevWord(n, big)
	case "vi-end-word":
		if e.pos >= end-1 {
			return false
		}
		e.pos = e.endWord(n, big)
	case "vi-first-print", "vi-back-to-indent":
		e.pos = e.skip(0, 0, true)
	case "vi-column":
		e.pos = min(n-1, end)
	case "vi-match":
		return e.match()
	case "vi-char-search":
		return e.viFind(n)
	case "vi-goto-mark":
		e.waiting = func(r rune) bool { return e.gotoMark(r) }
	case "vi-set-mark":
		e.waiting = func(r rune) bool {
			if r < 'a' || r > 'z' {
				return false
			}
			if e.vi.marks == nil {
				e.vi.marks = map[rune]int{}
			}
			e.vi.marks[r] = e.pos
			return true
		}
	default:
		return false
	}
	return true
}

func (e *Editor) gotoMark(r rune) bool {
	at, ok := e.vi.marks[r]
	if !ok {
		return false
	}
	e.pos = min(at, len(e.buf))
	return true
}

// match is %: the bracket that belongs to the one under the cursor or behind it.
func (e *Editor) match() bool {
	const brackets = "([{)]}"
	i := e.pos
	for i < len(e.buf) && !strings.ContainsRune(brackets, e.buf[i]) {
		i++
	}
	if i >= len(e.buf) {
		e.bell() // once for the end of the line, once for no bracket
		return false
	}
	at := strings.IndexRune(brackets, e.buf[i])
	step, other := 1, rune(brackets[(at+3)%6])
	if at >= 3 {
		step = -1
	}
	depth := 0
	for j := i; j >= 0 && j < len(e.buf); j += step {
		switch e.buf[j] {
		case e.buf[i]:
			depth++
		case other:
			if depth--; depth == 0 {
				e.pos = j
				return true
			}
		}
	}
	return false
}

// viFind is f, F, t and T, and again by ; and the other way by a comma.
func (e *Editor) viFind(n int) bool {
	v := &e.vi
	switch e.key {
	case ';', ',':
		if v.find == 0 {
			return false
		}
		find := v.find
		if e.key == ',' {
			find ^= 0x20
		}
		return e.findChar(find, v.found, n)
	}
	key := e.key
	if v.redoing {
		return e.findChar(v.find, v.found, n)
	}
	e.waiting = func(r rune) bool {
		if r == 0x1b {
			return false
		}
		v.find, v.found = key, r
		return e.findChar(key, r, n)
	}
	return true
}

// findChar moves to the n-th place of a character, or next to it.
func (e *Editor) findChar(find byte, r rune, n int) bool {
	step := 1
	if find == 'F' || find == 'T' {
		step = -1
	}
	i := e.pos
	for ; n > 0; n-- {
		i += step
		for i >= 0 && i < len(e.buf) && e.buf[i] != r {
			i += step
		}
		if i < 0 || i >= len(e.buf) {
			return false
		}
	}
	if find == 't' || find == 'T' {
		i -= step
	}
	e.pos = i
	return true
}
