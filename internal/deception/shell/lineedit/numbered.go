package lineedit

import (
	"strings"
	"unicode"
)

// mirrors are the commands a negative number makes of others.
var mirrors = map[string]string{
	"forward-char": "backward-char", "backward-char": "forward-char",
	"forward-word": "backward-word", "backward-word": "forward-word",
	"delete-char": "backward-delete-char", "backward-delete-char": "delete-char",
	"kill-word": "backward-kill-word", "backward-kill-word": "kill-word",
	"previous-history": "next-history", "next-history": "previous-history",
	"character-search": "character-search-backward", "character-search-backward": "character-search",
	"kill-line": "backward-kill-line", "backward-kill-line": "kill-line",
}

// counted are the commands that deal with their number themselves; others are
// carried out that many times.
var counted = map[string]bool{
	"delete-char": true, "backward-delete-char": true, "kill-word": true, "backward-kill-word": true,
	"upcase-word": true, "downcase-word": true, "capitalize-word": true,
	"insert-last-argument": true, "yank-last-arg": true, "yank-nth-arg": true,
	"start-kbd-macro": true, "end-kbd-macro": true, "call-last-kbd-macro": true,
	"set-mark": true, "overwrite-mode": true, "display-shell-version": true,
	"character-search": true, "character-search-backward": true,
	"previous-history": true, "next-history": true, "forward-char": true,
	"history-search-backward": true, "history-search-forward": true,
	"non-incremental-forward-search-history": true, "non-incremental-reverse-search-history": true,
}

// numbered carries out a command with its number; false rings the bell.
func (e *Editor) numbered(name string, n int) bool {
	e.number = n
	switch name {
	case "delete-char", "backward-delete-char":
		return e.erase(name, n)
	case "forward-char":
		return e.forward(n)
	case "kill-word", "backward-kill-word":
		return e.killWords(name == "kill-word", n)
	case "upcase-word", "downcase-word", "capitalize-word":
		e.recase(name, n)
	case "insert-last-argument", "yank-last-arg":
		return e.lastArg()
	case "yank-nth-arg":
		e.wanted = max(0, n)
		if !e.explicit {
			e.wanted = 1
		}
		return e.lastArg()
	case "start-kbd-macro", "end-kbd-macro", "call-last-kbd-macro":
		return e.macroCommand(name, n)
	case "set-mark":
		e.mark = e.pos
		if e.explicit {
			e.mark = min(max(0, n), len(e.buf))
		}
	case "overwrite-mode":
		e.overtype = !e.overtype
		if e.explicit {
			e.overtype = n > 0
		}
	case "display-shell-version":
		e.d.puts("\r\n" + e.settings.Version + "\r\n\r")
		e.redraw()
	case "character-search", "character-search-backward":
		e.seek = n
		if name == "character-search-backward" {
			e.seek = -n
		}
	case "previous-history", "next-history":
		return e.travelBy(name, n)
	case "history-search-backward", "history-search-forward":
		return e.prefixSearch(name == "history-search-forward", n)
	case "non-incremental-forward-search-history", "non-incremental-reverse-search-history":
		e.beginNonInc(name == "non-incremental-forward-search-history", ':')
	default:
		return e.viNumbered(name, n)
	}
	return true
}

// viNumbered are the commands of vi mode.
func (e *Editor) viNumbered(name string, n int) bool {
	switch name {
	case "vi-insertion-mode", "vi-insert-beg", "vi-append-mode", "vi-append-eol", "vi-replace":
		e.viInsertion(name)
	case "vi-movement-mode":
		e.movementMode()
	case "vi-delete-to", "vi-change-to", "vi-yank-to", "vi-subst":
		return e.operate(e.key, n)
	case "vi-delete", "vi-rubout":
		return e.viErase(name == "vi-rubout", n)
	case "vi-put":
		return e.viPut(n)
	case "vi-change-char":
		return e.viReplaceChar(n)
	case "vi-change-case":
		return e.viCase(n)
	case "vi-redo":
		return e.redo(n)
	case "vi-undo":
		for ; n > 0; n-- {
			if !e.undoOne() {
				return false
			}
		}
	case "vi-unix-word-rubout":
		return e.viRubWord(n)
	case "vi-fetch-history":
		return e.fetchHistory(n)
	case "vi-search":
		e.beginNonInc(e.key == '?', rune(e.key))
	case "vi-search-again":
		return e.searchAgain(e.key == 'N')
	case "vi-yank-arg":
		return e.viYankArg(n)
	case viComplete:
		return e.viCompleteWord()
	case "beginning-of-line", "end-of-line", "backward-char":
		ok := true
		for ; n > 0 && ok; n-- {
			ok = e.edit(name)
		}
		return ok
	default:
		return e.viMove(name, n)
	}
	return true
}

// forward moves right; in vi's command mode not behind the last character.
func (e *Editor) forward(n int) bool {
	end := len(e.buf)
	if e.keymap() == ViCommand {
		end--
	}
	to := max(e.pos, min(e.pos+n, end))
	if e.keymap() != ViCommand && e.pos+n > end {
		e.pos = end
		return false
	}
	if to == e.pos {
		return false
	}
	e.pos = to
	return true
}

// erase deletes characters; with a number given they go to the kill ring.
func (e *Editor) erase(name string, n int) bool {
	from, to := e.pos, min(e.pos+n, len(e.buf))
	if name == "backward-delete-char" {
		from, to = max(0, e.pos-n), e.pos
		if e.vi.replacing {
			return e.unreplace(n)
		}
	}
	switch {
	case from >= to:
		return false
	case e.overtype && name == "backward-delete-char":
		e.together(func() {
			e.remove(from, to)
			if e.pos < len(e.buf) { // what is behind stays where it is
				e.insertAll([]rune(strings.Repeat(" ", to-from)))
				e.pos = from
			}
		})
		return true
	}
	if e.explicit {
		e.cut(from, to, name == "backward-delete-char")
		e.killing = true
		return true
	}
	e.remove(from, to)
	return true
}

// unreplace is backspace in vi's R: what was written over comes back.
func (e *Editor) unreplace(n int) bool {
	v := &e.vi
	for ; n > 0 && len(v.replaced) > 0; n-- {
		last := len(v.replaced) - 1
		for len(e.undo) > v.replaced[last] {
			e.takeBack()
		}
		v.replaced = v.replaced[:last]
	}
	return true
}

func (e *Editor) killWords(ahead bool, n int) bool {
	from, to := e.pos, e.pos
	for ; n > 0; n-- {
		if ahead {
			e.pos = e.wordRight()
		} else {
			e.pos = e.wordLeft()
		}
	}
	if ahead {
		to = e.pos
	} else {
		from = e.pos
	}
	e.pos = from
	if from == to {
		return true
	}
	e.cut(from, to, !ahead)
	return true
}

// recase changes the case of n words; of those before the cursor when n is
// negative, and then the cursor stays.
func (e *Editor) recase(name string, n int) {
	start := e.pos
	from, to := e.pos, e.pos
	for i := n; i > 0; i-- {
		e.pos = e.wordRight()
		to = e.pos
	}
	for i := n; i < 0; i++ {
		e.pos = e.wordLeft()
		from = e.pos
	}
	word := append([]rune(nil), e.buf[from:to]...)
	first := true
	for i, r := range word {
		letter := isWord(r)
		if name == "upcase-word" || name == "capitalize-word" && first && letter {
			word[i] = unicode.ToUpper(r)
		} else {
			word[i] = unicode.ToLower(r)
		}
		first = !letter
	}
	if from < to {
		e.overwrite(from, to, word)
	}
	e.pos = to
	if n < 0 {
		e.pos = start
	}
}

// travelBy goes n lines through history, as far as there are some.
func (e *Editor) travelBy(name string, n int) bool {
	moved := false
	for ; n > 0; n-- {
		if !e.travel(name) {
			break
		}
		moved = true
	}
	return moved
}
