package lineedit

import "strings"

// vi is what the editor remembers in vi mode.
type vi struct {
	on     bool
	insert bool // characters are inserted; otherwise keys are commands

	inserting byte  // the command that began the insertion
	saves     bool  // what is inserted is kept for the dot: c, s, S and R
	replacing bool  // R
	replaced  []int // how long the undo list was before each character R wrote
	once      bool  // there have been commands on this line

	last    byte // the command the dot repeats
	repeat  int
	redoing bool
	text    []rune // what the last insertion inserted
	motion  byte   // of the last d, c or y
	wrote   rune   // by the last r

	found    rune // of the last f, F, t or T
	find     byte
	marks    map[rune]int
	pattern  string // of the last / or ?
	searched int    // line of history it was found in
}

func (e *Editor) keymap() Map {
	switch {
	case !e.vi.on:
		return Emacs
	case e.vi.insert:
		return ViInsert
	}
	return ViCommand
}

// startVi begins a line: in insert mode.
func (e *Editor) startVi() {
	v := &e.vi
	v.insert, v.once, v.saves, v.replacing, v.marks = v.on, false, false, false, nil
	v.inserting = 'i'
	e.group, e.open, e.waiting, e.banner, e.nsearch = 0, 0, nil, nil, nil
	v.searched = len(e.hist)
}

// viCheck keeps the cursor on a character while keys are commands.
func (e *Editor) viCheck() {
	if e.keymap() == ViCommand && e.pos > 0 && e.pos >= len(e.buf) && e.nsearch == nil && e.search == nil {
		e.pos = len(e.buf) - 1
	}
}

// textCommands are those the dot repeats.
const textCommands = `_*\AaIiCcDdPpYyRrSsXx~`

// viAfter remembers a command for the dot.
func (e *Editor) viAfter(string) {
	if e.keymap() == ViCommand && !e.vi.redoing && strings.IndexByte(textCommands, e.key) >= 0 {
		e.vi.last, e.vi.repeat = e.key, e.number
	}
}

// startInserting opens a group of changes and goes to insert mode.
func (e *Editor) startInserting(key byte) {
	v := &e.vi
	v.last, v.repeat = key, 1
	if e.group == 0 {
		e.groups++
		e.group = e.groups
	}
	e.undoFrom, e.open = len(e.undo), e.group
	v.insert, v.inserting = true, key
}

// doneInserting closes the group and keeps the text for the dot.
func (e *Editor) doneInserting() {
	v := &e.vi
	switch {
	case v.replacing:
		v.text = nil
		v.text = append(v.text, e.buf[max(0, e.pos-len(v.replaced)):e.pos]...)
	case v.saves || strings.IndexByte("iaIA", v.inserting) >= 0:
		v.text = e.lastInsertion()
	}
	v.saves, v.replacing, v.replaced = false, false, nil
	e.group, e.open = 0, 0
}

// lastInsertion is the text of the last change when it was an insertion.
func (e *Editor) lastInsertion() []rune {
	if len(e.undo) <= e.undoFrom && e.vi.once || len(e.undo) == 0 {
		return nil
	}
	c := e.undo[len(e.undo)-1]
	if !c.insert || c.end > len(e.buf) {
		return nil
	}
	return append([]rune(nil), e.buf[c.start:c.end]...)
}

// movementMode is Escape in insert mode.
func (e *Editor) movementMode() {
	v := &e.vi
	e.doneInserting()
	if e.pos > 0 {
		e.pos--
	}
	v.insert = false
	if !v.once { // what was typed before the first command is not undone
		e.undo = nil
	}
	v.once = true
}

// viInsertion are the commands that begin to insert.
func (e *Editor) viInsertion(name string) {
	switch key := e.key; name {
	case "vi-insertion-mode":
		e.startInserting(key)
	case "vi-insert-beg":
		e.pos = 0
		e.startInserting(key)
	case "vi-append-mode":
		e.pos = min(e.pos+1, len(e.buf))
		e.startInserting(key)
	case "vi-append-eol":
		e.pos = len(e.buf)
		e.startInserting(key)
	case "vi-replace":
		e.startInserting(key)
		e.vi.replacing, e.vi.replaced = true, nil
	}
}

// viOverstrike writes characters over others: R.
func (e *Editor) viOverstrike(r rune, n int) {
	for range min(n, maxArgument) {
		e.vi.replaced = append(e.vi.replaced, len(e.undo))
		e.overstrike(r, 1)
	}
}

// overstrike writes a character over others.
func (e *Editor) overstrike(r rune, n int) {
	for range min(n, maxArgument) {
		e.together(func() {
			e.apart = true
			e.insert(r)
			e.apart = false
			if e.pos < len(e.buf) {
				at := e.pos
				e.remove(at, at+1)
			}
		})
	}
}

// redo is the dot.
func (e *Editor) redo(n int) bool {
	v := &e.vi
	if !e.explicit {
		n = v.repeat
	}
	switch key := v.last; {
	case strings.IndexByte("iIaA", key) >= 0 && key != 0 && len(v.text) > 0:
		switch key {
		case 'I':
			e.pos = 0
		case 'a':
			e.pos = min(e.pos+1, len(e.buf))
		case 'A':
			e.pos = len(e.buf)
		}
		e.together(func() {
			for range min(n, maxArgument) {
				e.insertAll(v.text)
			}
		})
		e.pos = max(0, e.pos-1)
		return true
	case key == 'R' && len(v.text) > 0:
		e.together(func() {
			to := min(e.pos+len(v.text), len(e.buf))
			e.remove(e.pos, to)
			e.insertAll(v.text)
		})
		e.pos = max(0, e.pos-1)
		return true
	case key == 0 || key == '.':
		return false
	default:
		b, _, _ := e.keymaps.lookup(ViCommand, string([]byte{key}))
		e.key, v.redoing = key, true
		ok := e.numbered(b.Func, n)
		v.redoing = false
		e.key = '.'
		return ok
	}
}
