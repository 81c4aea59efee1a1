package lineedit

import (
	"strings"
	"unicode"
)

// viMotions are the keys that may stand behind d, c and y.
const viMotions = " hl^$0ftFT;,%wbeWBE|`"

// An operator is d, c or y while its motion is typed.
type operator struct {
	key    byte // d, c, y, or a capital: to the end of the line
	start  int
	count  int
	motion byte
	digits int // of a number between operator and motion
}

// operate begins d, c and y and their capitals.
func (e *Editor) operate(key byte, n int) bool {
	o := &operator{key: key, start: e.pos, count: n}
	if key == 's' || key == 'S' {
		o.key = 'c'
	}
	switch {
	case key >= 'A' && key <= 'Z' && key != 'S':
		return o.move(e, '$')
	case e.vi.redoing:
		return o.motionKey(e, e.vi.motion)
	case key == 's':
		return o.motionKey(e, 'l')
	case key == 'S':
		return o.motionKey(e, 'c')
	}
	e.waiting = func(r rune) bool { return o.read(e, r) }
	return true
}

// read takes the motion, or a digit of a number in front of it.
func (o *operator) read(e *Editor, r rune) bool {
	switch {
	case r >= '1' && r <= '9', r == '0' && o.digits > 0:
		o.digits = min(o.digits*10+int(r-'0'), maxArgument)
		e.showNumber(o.digits)
		e.waiting = func(r rune) bool { return o.read(e, r) }
		return true
	case o.digits > 0:
		o.count = min(o.count*o.digits, maxArgument)
		e.banner, e.d.atStart = nil, true
		e.refresh()
	}
	if r > 0x7f {
		return true
	}
	return o.motionKey(e, byte(r))
}

func (o *operator) motionKey(e *Editor, c byte) bool {
	switch {
	case strings.IndexByte(viMotions, c) >= 0:
		return o.move(e, c)
	case c == o.key && c != 0:
		e.vi.motion, o.motion = c, c
		e.pos = 0
		o.apply(e, 0, len(e.buf))
	}
	return true // any other key does nothing, silently
}

// move lets the motion move the cursor over a line with one blank more: motions
// may go behind its last character.
func (o *operator) move(e *Editor, c byte) bool {
	o.motion, e.vi.motion = c, c
	key := e.key
	e.key = c
	e.buf = append(e.buf[:len(e.buf):len(e.buf)], ' ')
	b, _, _ := e.keymaps.lookup(ViCommand, string([]byte{c}))
	e.moving = true
	ok := e.numbered(b.Func, o.count)
	e.moving = false
	e.buf = e.buf[:len(e.buf)-1]
	e.key = key
	if wait := e.waiting; wait != nil {
		e.waiting = func(r rune) bool {
			e.buf = append(e.buf[:len(e.buf):len(e.buf)], ' ')
			ok := wait(r)
			e.buf = e.buf[:len(e.buf)-1]
			return o.moved(e, ok)
		}
		return true
	}
	return o.moved(e, ok)
}

// moved acts on what lies between where the cursor was and where it is.
func (o *operator) moved(e *Editor, ok bool) bool {
	if !ok {
		e.bell()
	}
	e.pos = min(e.pos, len(e.buf))
	lower := o.key | 0x20
	if e.pos == o.start {
		if lower != 'c' {
			return false
		}
	}
	to := e.pos
	if w := o.motion | 0x20; w == 'w' && to > o.start {
		to = o.wordEnd(e, to)
	}
	from := min(o.start, to)
	to = max(o.start, to)
	still := " l|h^0bBFT`"
	switch lower {
	case 'c':
		still = " l|hwW^0bBFT`"
	case 'y':
		still = " l|h^0%bBFT`"
	}
	if strings.IndexByte(still, o.motion) < 0 && to < len(e.buf) {
		to++
	}
	o.apply(e, from, to)
	return true
}

// wordEnd takes the blanks behind a word out of cw, and the first character of
// the next word out of dw.
func (o *operator) wordEnd(e *Editor, to int) int {
	if to < len(e.buf) && class(e.buf[to], true) != 0 {
		to--
	}
	if o.key != 'c' {
		return to
	}
	for to > o.start && (to >= len(e.buf) && len(e.buf) > 0 && class(e.buf[to-1], true) == 0 || to < len(e.buf) && class(e.buf[to], true) == 0) {
		to--
	}
	switch {
	case to == o.start:
		to = min(to+1, len(e.buf))
	case to < len(e.buf) && class(e.buf[to], true) != 0:
		to++
	}
	return to
}

// apply is the operator itself, on the text between two places.
func (o *operator) apply(e *Editor, from, to int) {
	v := &e.vi
	switch o.key | 0x20 {
	case 'd':
		e.cut(from, to, false)
		e.pos = min(from, len(e.buf))
	case 'y':
		if from < to {
			e.copy(from, to)
		}
		e.pos = o.start
	case 'c':
		if v.redoing {
			e.together(func() {
				e.remove(from, to)
				e.pos = from
				e.insertAll(v.text)
			})
			return
		}
		e.groups++
		e.group = e.groups
		e.cut(from, to, false)
		e.pos = from
		v.saves = o.key == 'c'
		e.startInserting(o.key)
		if o.key == 'c' {
			v.last, v.repeat = e.key, 1
		}
	}
}

// copy puts text into the kill ring and leaves it where it is.
func (e *Editor) copy(from, to int) {
	undo, buf, pos := e.undo, e.buf, e.pos
	e.undo = e.undo[:len(e.undo):len(e.undo)]
	e.cut(from, to, false)
	e.undo, e.buf, e.pos = undo, buf, pos
}

// viErase is x and X.
func (e *Editor) viErase(back bool, n int) bool {
	from, to := e.pos, min(e.pos+n, len(e.buf))
	if back {
		from, to = max(0, e.pos-n), e.pos
	}
	if from == to {
		return false
	}
	e.cut(from, to, false)
	e.pos = from
	return true
}

// viPut is p and P.
func (e *Editor) viPut(n int) bool {
	if e.key == 'p' && e.pos < len(e.buf) {
		e.pos++
	}
	if len(e.cutText()) == 0 {
		e.pos = max(0, e.pos-1)
		return false
	}
	for range min(n, maxArgument) {
		e.insertAll(e.cutText())
	}
	e.pos = max(0, e.pos-1)
	return true
}

// viReplaceChar is r.
func (e *Editor) viReplaceChar(n int) bool {
	change := func(r rune) bool {
		if r == 0x1b || r == 3 {
			return false
		}
		e.vi.wrote = r
		e.together(func() {
			for ; n > 0 && e.pos < len(e.buf); n-- {
				at := e.pos
				e.cut(at, at+1, false)
				e.pos = at
				e.insert(r)
			}
		})
		e.pos = max(0, e.pos-1)
		return true
	}
	if e.vi.redoing {
		return change(e.vi.wrote)
	}
	e.waiting = change
	return true
}

// viCase is ~.
func (e *Editor) viCase(n int) bool {
	for ; n > 0 && e.pos < len(e.buf); n-- {
		r := e.buf[e.pos]
		switch {
		case unicode.IsUpper(r):
			r = unicode.ToLower(r)
		case unicode.IsLower(r):
			r = unicode.ToUpper(r)
		default:
			e.pos++
			continue
		}
		e.together(func() {
			at := e.pos
			e.cut(at, at+1, false)
			e.pos = at
			e.insert(r)
		})
	}
	return true
}

// viRubWord is Ctrl-W: back over blanks and punctuation, then over a word.
func (e *Editor) viRubWord(n int) bool {
	if e.pos == 0 {
		return false
	}
	boundary := func(r rune) bool { return unicode.IsSpace(r) || unicode.IsPunct(r) || unicode.IsSymbol(r) }
	i := e.pos
	for ; n > 0 && i > 0; n-- {
		if boundary(e.buf[i-1]) && unicode.IsSpace(e.buf[i-1]) {
			for i > 0 && unicode.IsSpace(e.buf[i-1]) {
				i--
			}
		}
		if i > 0 && boundary(e.buf[i-1]) {
			for i > 0 && boundary(e.buf[i-1]) && !unicode.IsSpace(e.buf[i-1]) {
				i--
			}
			continue
		}
		for i > 0 && !boundary(e.buf[i-1]) {
			i--
		}
	}
	e.cut(i, e.pos, true)
	return true
}
