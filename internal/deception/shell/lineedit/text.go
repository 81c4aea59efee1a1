package lineedit

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

func encode(rs []rune) string {
	var b strings.Builder
	for _, r := range rs {
		if r >= rawBase && r < rawBase+256 {
			b.WriteByte(byte(r - rawBase))
			continue
		}
		b.WriteRune(r)
	}
	return b.String()
}

func decode(s string) []rune {
	out := make([]rune, 0, len(s))
	for i := 0; i < len(s); {
		r, n := utf8.DecodeRuneInString(s[i:])
		if r == utf8.RuneError && n == 1 {
			r = rawBase + rune(s[i])
		}
		out = append(out, r)
		i += n
	}
	return out
}

func (e *Editor) insert(r rune) { e.insertAll([]rune{r}) }

func (e *Editor) insertAll(rs []rune) {
	if len(e.buf)+len(rs) > maxLine {
		rs = rs[:max(0, maxLine-len(e.buf))]
	}
	if len(rs) == 0 {
		return
	}
	e.inserted(e.pos, len(rs), len(rs) == 1 && rs[0] < 0x80)
	if e.pos == len(e.buf) {
		e.buf = append(e.buf, rs...)
	} else {
		e.buf = append(e.buf[:e.pos:e.pos], append(append([]rune(nil), rs...), e.buf[e.pos:]...)...)
	}
	e.pos += len(rs)
}

// remove deletes a range and returns it.
func (e *Editor) remove(from, to int) []rune {
	if from >= to {
		return nil
	}
	cut := append([]rune(nil), e.buf[from:to]...)
	e.deleted(from, cut)
	e.buf = append(e.buf[:from:from], e.buf[to:]...)
	e.pos = from
	return cut
}

// overwrite replaces a range as one step of undo.
func (e *Editor) overwrite(from, to int, with []rune) {
	e.together(func() {
		e.remove(from, to)
		e.pos = from
		e.insertAll(with)
	})
}

// cut deletes a range into the kill ring; kills in a row add up.
func (e *Editor) cut(from, to int, before bool) {
	s := e.remove(from, to)
	last := len(e.ring) - 1
	switch {
	case !e.killed || last < 0:
		if e.ring = append(e.ring, s); len(e.ring) > maxKills {
			e.ring = e.ring[1:]
		}
	case e.vi.on: // vi mode does not add up
		e.ring[last] = s
	case before:
		e.ring[last] = append(s, e.ring[last]...)
	default:
		e.ring[last] = append(e.ring[last], s...)
	}
	e.pick = len(e.ring) - 1
}

// maxKills is how much of what was killed is kept, as readline does.
const maxKills = 10

// cutText is what yank puts back.
func (e *Editor) cutText() []rune {
	if e.pick >= len(e.ring) {
		return nil
	}
	return e.ring[e.pick]
}

func (e *Editor) set(s []rune) {
	e.buf, e.pos = s, len(s)
}

func (e *Editor) deactivate() { e.active = false }

// Set replaces the line, for a caller that puts an expanded one back.
func (e *Editor) Set(s string) {
	e.typing = false
	e.set(decode(s))
}

// word boundaries: letters and digits.
func isWord(r rune) bool { return unicode.IsLetter(r) || unicode.IsDigit(r) }

func (e *Editor) wordLeft() int {
	i := e.pos
	for i > 0 && !isWord(e.buf[i-1]) {
		i--
	}
	for i > 0 && isWord(e.buf[i-1]) {
		i--
	}
	return i
}

func (e *Editor) wordRight() int {
	i := e.pos
	for i < len(e.buf) && !isWord(e.buf[i]) {
		i++
	}
	for i < len(e.buf) && isWord(e.buf[i]) {
		i++
	}
	return i
}

// blankLeft is the start of the word before the cursor, divided at blanks.
func (e *Editor) blankLeft() int {
	i := e.pos
	for i > 0 && unicode.IsSpace(e.buf[i-1]) {
		i--
	}
	for i > 0 && !unicode.IsSpace(e.buf[i-1]) {
		i--
	}
	return i
}
