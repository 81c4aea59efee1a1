package lineedit

// A change is one entry of the undo list.
type change struct {
	insert     bool
	start, end int    // of an insertion
	text       []rune // of a deletion
	group      int    // changes of one group are undone together; 0 is none
}

// maxUndo bounds the list.
const maxUndo = 400

// maxMerge is how many characters typed in a row make one change.
const maxMerge = 20

// inserted notes that n runes were inserted at start. A single letter of one
// byte joins the insertion before it.
func (e *Editor) inserted(start, n int, letter bool) {
	if len(e.undo) > 0 && letter && !e.apart {
		if c := &e.undo[len(e.undo)-1]; c.insert && c.group == e.group && (e.group == 0 || e.group == e.open) && c.end == start && c.end-c.start < maxMerge {
			c.end += n
			return
		}
	}
	e.note(change{insert: true, start: start, end: start + n, group: e.group})
}

// deleted notes that text was taken from start.
func (e *Editor) deleted(start int, text []rune) {
	e.note(change{start: start, text: text, group: e.group})
}

func (e *Editor) note(c change) {
	if len(e.undo) >= maxUndo {
		e.undo = append(e.undo[:0:0], e.undo[maxUndo/2:]...)
	}
	e.undo = append(e.undo, c)
}

// together makes the changes fn brings one step of undo.
func (e *Editor) together(fn func()) {
	outer := e.group
	if outer == 0 {
		e.groups++
		e.group = e.groups
	}
	fn()
	e.group = outer
}

// undoOne takes the last change back; false when there is none.
func (e *Editor) undoOne() bool {
	if len(e.undo) == 0 {
		return false
	}
	group := e.undo[len(e.undo)-1].group
	for len(e.undo) > 0 {
		c := e.undo[len(e.undo)-1]
		if c.group != group {
			break
		}
		e.takeBack()
		if group == 0 {
			break
		}
	}
	return true
}

// takeBack takes one entry of the list back.
func (e *Editor) takeBack() {
	c := e.undo[len(e.undo)-1]
	e.undo = e.undo[:len(e.undo)-1]
	if c.insert {
		from, to := min(c.start, len(e.buf)), min(c.end, len(e.buf))
		e.buf = append(e.buf[:from:from], e.buf[to:]...)
		e.pos = from
		return
	}
	at := min(c.start, len(e.buf))
	e.buf = append(e.buf[:at:at], append(append([]rune(nil), c.text...), e.buf[at:]...)...)
	e.pos = at + len(c.text)
}
