package lineedit

import (
	"strings"
	"unicode"
)

// bindings are Debian's: emacs mode and its /etc/inputrc.
var bindings = map[string]string{
	"\x01": "home", "\x05": "end", "\x02": "left", "\x06": "right", "\x04": "eof", "\x7f": "backspace", "\b": "backspace",
	"\x0b": "kill-line", "\x15": "unix-line-discard", "\x17": "unix-word-rubout", "\x19": "yank", "\x14": "transpose",
	"\x10": "up", "\x0e": "down", "\x0c": "clear", "\t": "complete", "\r": "accept", "\n": "accept", "\x12": "search", "\x13": "search-forward",
	"\x07": "abort", "\x16": "quoted-insert", "\x1f": "undo", "\x03": "interrupt", "\x1a": "suspend", "\x1c": "nothing", "\x0f": "operate", "\x1d": "char-search", "\x11": "quoted-insert",
	"\x1b[A": "up", "\x1b[B": "down", "\x1b[C": "right", "\x1b[D": "left", "\x1b[H": "home", "\x1b[F": "end",
	"\x1bOA": "up", "\x1bOB": "down", "\x1bOC": "right", "\x1bOD": "left", "\x1bOH": "home", "\x1bOF": "end",
	"\x1b[1~": "home", "\x1b[4~": "end", "\x1b[3~": "delete-char", "\x1b[2~": "quoted-insert", "\x1b[7~": "home", "\x1b[8~": "end",
	"\x1b[1;5C": "word-right", "\x1b[1;5D": "word-left", "\x1b[5C": "word-right", "\x1b[5D": "word-left", "\x1b\x1b[C": "word-right", "\x1b\x1b[D": "word-left",
	"\x1b[200~": "paste", "\x1bb": "word-left", "\x1bf": "word-right", "\x1bd": "kill-word", "\x1b\x7f": "backward-kill-word", "\x1b\b": "backward-kill-word",
	"\x1bu": "upcase", "\x1bl": "downcase", "\x1bc": "capitalize", "\x1b.": "yank-last-arg", "\x1b_": "yank-last-arg",
	"\x1b\x1d": "char-search-back", "\x1b[5~": "first", "\x1b[6~": "newest", "\x1b*": "insert-all", "\x1b=": "possible", "\x1b\x12": "revert", "\x1b<": "first", "\x1b>": "newest", "\x1b?": "possible", "\x1br": "revert", "\x1b#": "comment", "\x1bt": "transpose-words", "\x1by": "yank-pop", "\x1b\\": "delete-blanks",
}

// isPrefix reports whether longer sequences begin with k.
func isPrefix(k string) bool {
	if k[0] != 0x1b {
		return false
	}
	for seq := range bindings {
		if len(seq) > len(k) && strings.HasPrefix(seq, k) {
			return true
		}
	}
	return false
}

// edit changes the line; false rings the bell.
func (e *Editor) edit(name string) bool {
	switch name {
	case "home":
		e.pos = 0
	case "end":
		e.pos = len(e.buf)
	case "left":
		if e.pos == 0 {
			return false
		}
		e.pos--
	case "right":
		if e.pos == len(e.buf) {
			return false
		}
		e.pos++
	case "word-left":
		e.pos = e.wordLeft()
	case "word-right":
		e.pos = e.wordRight()
	case "backspace":
		if e.pos == 0 {
			return false
		}
		e.remove(e.pos-1, e.pos)
	case "delete-char":
		if e.pos == len(e.buf) {
			return false
		}
		e.remove(e.pos, e.pos+1)
	case "nothing":
	case "char-search":
		e.seek = 1
	case "char-search-back":
		e.seek = -1
	case "insert-all":
		return e.insertCompletions()
	case "up", "down", "first", "newest":
		return e.travel(name)
	case "clear":
		e.d.puts(e.d.term.Clear)
		if e.d.term.Clear == "" {
			e.d.puts("\r\n")
		}
		e.redraw()
	case "complete", "possible":
		return e.complete(name)
	case "search", "search-forward":
		e.search = newSearch(e, name == "search-forward")
	case "quoted-insert":
		e.quoted = true
	case "paste":
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
	case "backward-kill-word":
		e.cut(e.wordLeft(), e.pos, true)
	case "kill-word":
		e.cut(e.pos, e.wordRight(), false)
	case "yank":
		if len(e.kill) == 0 {
			return false
		}
		e.yanked = [2]int{e.pos, e.pos + len(e.kill)}
		e.insertAll(e.kill)
	case "yank-pop":
		return e.yankPop()
	case "transpose-words":
		return e.transposeWords()
	case "transpose":
		return e.transpose()
	case "upcase", "downcase", "capitalize":
		e.recase(name)
	case "yank-last-arg":
		return e.lastArg()
	case "undo":
		return e.undoOne()
	case "revert":
		e.set(nil)
	case "delete-blanks":
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
	e.overwrite(i-1, i+1, []rune{e.buf[i], e.buf[i-1]})
	return true
}

// yankPop puts the kill before in place of what was yanked.
func (e *Editor) yankPop() bool {
	if e.last != "yank" && e.last != "yank-pop" || e.yanked[1] > len(e.buf) {
		return false
	}
	if len(e.kills) > 0 {
		e.kills = append([][]rune{e.kill}, e.kills...)
		e.kill = e.kills[len(e.kills)-1]
		e.kills = e.kills[:len(e.kills)-1]
	}
	from := e.yanked[0]
	e.overwrite(from, e.yanked[1], e.kill)
	e.yanked = [2]int{from, from + len(e.kill)}
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
	step := e.seek
	e.seek = 0
	for i := e.pos + step; i >= 0 && i < len(e.buf); i += step {
		if e.buf[i] == r {
			e.pos = i
			e.refresh()
			return
		}
	}
	e.bell()
}

func (e *Editor) recase(name string) {
	from, to := e.pos, e.wordRight()
	word := append([]rune(nil), e.buf[from:to]...)
	first := true
	for i, r := range word {
		up := name == "upcase" || name == "capitalize" && first && isWord(r)
		if isWord(r) {
			first = false
		}
		if up {
			word[i] = unicode.ToUpper(r)
		} else {
			word[i] = unicode.ToLower(r)
		}
	}
	if from < to {
		e.overwrite(from, to, word)
	}
	e.pos = to
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
	case "up":
		to--
	case "down":
		to++
	case "first":
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
		e.done("paste")
		e.refresh()
		return
	}
	if len(e.utf) < maxLine {
		e.utf = append(e.utf, k...)
	}
}
