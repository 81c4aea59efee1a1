package lineedit

import "strings"

// edit changes the line; false rings the bell.
func (e *Editor) edit(name string) bool {
	switch name {
	case "beginning-of-line":
		e.pos = 0
	case "end-of-line":
		e.pos = len(e.buf)
	case "backward-char":
		if e.pos == 0 {
			return false
		}
		e.pos--
	case "backward-word":
		e.pos = e.wordLeft()
	case "forward-word":
		e.pos = e.wordRight()
	case "insert-completions":
		return e.insertCompletions()
	case "previous-history", "next-history", "beginning-of-history", "end-of-history":
		return e.travel(name)
	case "clear-screen":
		e.d.puts(e.d.term.Clear)
		if e.d.term.Clear == "" {
			e.d.puts("\r\n")
		}
		e.redraw()
	case "complete", "possible-completions", "complete-command", "complete-filename", "complete-username", "complete-hostname", "complete-variable",
		"possible-command-completions", "possible-filename-completions", "possible-username-completions", "possible-hostname-completions", "possible-variable-completions":
		return e.complete(name)
	case "reverse-search-history", "forward-search-history":
		e.search = newSearch(e, name == "forward-search-history")
	case "quoted-insert":
		e.quoted = true
	case "bracketed-paste-begin":
		e.paste = true
		e.region = [2]int{e.pos, e.pos}
	case "abort":
		return false
	default:
		return e.alter(name)
	}
	return true
}

// alter is the rest of the commands that change text.
func (e *Editor) alter(name string) bool {
	switch name {
	case "kill-line":
		e.cut(e.pos, len(e.buf), false)
	case "unix-line-discard":
		if e.pos == 0 {
			return false
		}
		e.cut(0, e.pos, true)
	case "unix-word-rubout":
		if e.pos == 0 {
			return false
		}
		e.cut(e.blankLeft(), e.pos, true)
	case "backward-kill-line":
		e.cut(0, e.pos, true)
	case "kill-whole-line":
		e.cut(0, len(e.buf), false)
	case "kill-region", "copy-region-as-kill":
		return e.killRegion(name == "kill-region")
	case "exchange-point-and-mark":
		e.mark = min(e.mark, len(e.buf))
		e.pos, e.mark = e.mark, e.pos
		e.region = [2]int{min(e.pos, e.mark), max(e.pos, e.mark)}
		e.active = !e.settings.NoRegion
	case "yank":
		kill := e.cutText()
		if len(kill) == 0 {
			return false
		}
		e.yanked = [2]int{e.pos, e.pos + len(kill)}
		e.insertAll(kill)
	case "yank-pop":
		return e.yankPop()
	case "transpose-words":
		return e.transposeWords()
	case "transpose-chars":
		return e.transpose()
	case "undo", "vi-undo":
		return e.undoOne()
	case "revert-line":
		return e.revertLine()
	case "delete-horizontal-space":
		from, to := e.pos, e.pos
		for from > 0 && e.buf[from-1] == ' ' {
			from--
		}
		for to < len(e.buf) && e.buf[to] == ' ' {
			to++
		}
		e.remove(from, to)
	default:
		return false
	}
	return true
}

func (e *Editor) transpose() bool {
	if len(e.buf) < 2 || e.pos == 0 {
		return false
	}
	i := e.pos
	if i == len(e.buf) {
		i--
	}
	e.together(func() {
		r := e.remove(i-1, i)
		e.pos = i
		e.insertAll(r)
	})
	return true
}

// yankPop puts the kill before in place of what was yanked.
func (e *Editor) yankPop() bool {
	if e.last != "yank" && e.last != "yank-pop" || e.yanked[1] > len(e.buf) {
		return false
	}
	if e.pick--; e.pick < 0 {
		e.pick = len(e.ring) - 1
	}
	kill := e.cutText()
	from := e.yanked[0]
	e.overwrite(from, e.yanked[1], kill)
	e.yanked = [2]int{from, from + len(kill)}
	return true
}

// transposeWords drags the word before the cursor over the one behind it.
func (e *Editor) transposeWords() bool {
	start := e.pos
	e.pos = e.wordRight()
	end2 := e.pos
	e.pos = e.wordLeft()
	beg2 := e.pos
	e.pos = e.wordLeft()
	beg1 := e.pos
	end1 := e.wordRight()
	e.pos = start
	if beg1 == beg2 || beg2 < end1 {
		return false
	}
	swapped := append([]rune(nil), e.buf[beg2:end2]...)
	swapped = append(swapped, e.buf[end1:beg2]...)
	swapped = append(swapped, e.buf[beg1:end1]...)
	e.overwrite(beg1, end2, swapped)
	e.pos = end2
	return true
}

// charSearch moves to the next or the last place of a character.
func (e *Editor) charSearch(r rune) {
	step, n := 1, e.seek
	if n < 0 {
		step, n = -1, -n
	}
	e.seek = 0
	for i := e.pos + step; i >= 0 && i < len(e.buf); i += step {
		if e.buf[i] != r {
			continue
		}
		if n--; n == 0 {
			e.pos = i
			e.refresh()
			return
		}
	}
	e.bell()
}

// lastArg inserts the last word of the line before; again goes further back.
func (e *Editor) lastArg() bool {
	n := e.dotted + 1
	if n > e.at {
		return false
	}
	words := strings.Fields(e.hist[e.at-n])
	if len(words) == 0 {
		return false
	}
	word := words[len(words)-1]
	if e.dotted == 0 {
		e.nth = -1
		if e.wanted >= 0 {
			e.nth = e.wanted
		}
	}
	if e.nth >= 0 {
		if e.nth >= len(words) {
			return false
		}
		word = words[e.nth]
	}
	if e.dotted > 0 {
		e.remove(e.yanked[0], e.yanked[1])
	}
	e.yanked = [2]int{e.pos, e.pos + len(decode(word))}
	e.insertAll(decode(word))
	e.dotted = n
	return true
}

// travel goes through history. What was changed in a line stays until Enter.
func (e *Editor) travel(name string) bool {
	to := e.at
	switch name {
	case "previous-history":
		to--
	case "next-history":
		to++
	case "beginning-of-history":
		to = 0
	default:
		to = len(e.hist)
	}
	if to < 0 || to > len(e.hist) || to == e.at {
		return false
	}
	if e.at == len(e.hist) {
		e.stash = e.buf
	} else {
		e.hist[e.at] = encode(e.buf)
	}
	if e.undos == nil {
		e.undos = make([][]change, len(e.hist)+1)
	}
	e.undos[e.at] = e.undo
	e.at = to
	e.undo = e.undos[to]
	if e.vi.on {
		defer func() {
			if e.keymap() == ViCommand {
				e.pos = 0
			}
		}()
	}
	if to == len(e.hist) {
		e.set(append([]rune(nil), e.stash...))
	} else {
		e.set(decode(e.hist[to]))
	}
	return true
}

// pasted takes a byte of pasted text; the text is shown when it is complete.
func (e *Editor) pasted(b byte) {
	const end = "\x1b[201~"
	e.keys = append(e.keys, b)
	k := string(e.keys)
	if strings.HasPrefix(end, k) && k != end {
		return
	}
	e.keys = nil
	if k == end {
		e.paste = false
		for _, r := range decode(string(e.utf)) {
			if r == '\r' {
				r = '\n'
			}
			e.insert(r)
		}
		e.utf = nil
		e.region[1] = e.pos
		e.active = e.region[1] > e.region[0]
		e.done("bracketed-paste-begin")
		e.refresh()
		return
	}
	if len(e.utf) < maxLine {
		e.utf = append(e.utf, k...)
	}
}

// killRegion cuts or copies what lies between cursor and mark.
func (e *Editor) killRegion(cut bool) bool {
	from, to := min(e.pos, e.mark), min(max(e.pos, e.mark), len(e.buf))
	if from >= to {
		return true
	}
	if cut {
		e.cut(from, to, e.mark < e.pos)
		return true
	}
	e.copy(from, to)
	return true
}

// revertLine takes all changes of the line back.
func (e *Editor) revertLine() bool {
	if len(e.undo) == 0 {
		return false
	}
	for e.undoOne() {
	}
	if e.vi.on {
		e.pos, e.mark = 0, 0
	}
	return true
}
