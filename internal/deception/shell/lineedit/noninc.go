package lineedit

import (
	"path"
	"strings"
)

// A nonInc is a search whose text is typed to its end before anything is looked
// for: / and ? of vi, Alt-P and Alt-N.
type nonInc struct {
	forward bool
	line    []rune // the line it began on
	point   int
	undo    []change
}

// beginNonInc asks for the text, behind the prompt and a sign.
func (e *Editor) beginNonInc(forward bool, sign rune) {
	e.nsearch = &nonInc{forward: forward, line: e.buf, point: e.pos, undo: e.undo}
	e.buf, e.pos, e.undo = nil, 0, nil
	e.banner = append(append([]cell(nil), e.prompt...), cell{r: sign})
	e.d.atStart = true
	e.vi.searched = e.at
}

// nonIncKey takes a key of the text.
func (e *Editor) nonIncKey(b byte) {
	s := e.nsearch
	switch {
	case b == '\r' || b == '\n':
		text := encode(e.buf)
		e.leaveNonInc()
		if text == "" {
			if text = e.vi.pattern; text == "" {
				e.bell()
				e.refresh()
				return
			}
		}
		e.vi.pattern = text
		if !e.lookFor(text, s.forward) {
			e.bell()
		}
	case b == 7, (b == 0x7f || b == '\b') && e.pos == 0:
		e.leaveNonInc()
		e.pos = s.point
		if b == 7 {
			e.bell()
		}
	case b == 0x7f, b == '\b':
		e.remove(e.pos-1, e.pos)
	case b == 0x17:
		e.remove(e.blankLeft(), e.pos)
	case b == 0x15:
		e.remove(0, e.pos)
	default:
		e.utf = append(e.utf, b)
		rs := decode(string(e.utf))
		if len(rs) == 1 && rs[0] >= rawBase && len(e.utf) < 4 {
			return
		}
		e.utf = nil
		e.insertAll(rs)
	}
	e.refresh()
}

// leaveNonInc puts the line and the prompt back.
func (e *Editor) leaveNonInc() {
	s := e.nsearch
	e.nsearch, e.banner = nil, nil
	e.buf, e.pos, e.undo = s.line, 0, s.undo
	e.d.atStart = true
}

// lookFor goes to the next line of history with the text in it.
func (e *Editor) lookFor(text string, forward bool) bool {
	step := -1
	if forward {
		step = 1
	}
	for i := e.vi.searched + step; i >= 0 && i < len(e.hist); i += step {
		if !matches(e.hist[i], text, e.vi.on) {
			continue
		}
		e.vi.searched = i
		if e.vi.on {
			e.visit(i)
		} else {
			e.overwrite(0, len(e.buf), decode(e.hist[i]))
		}
		e.pos = 0
		if at := strings.LastIndex(e.hist[i], text); at > 0 && !e.vi.on && !e.settings.NoRegion {
			e.pos = len(decode(e.hist[i][:at]))
			e.region = [2]int{e.pos, e.pos + len(decode(text))}
			e.active = true
		}
		return true
	}
	e.pos = 0
	return false
}

// matches reports whether a line holds the text; vi mode takes it as a pattern.
func matches(line, text string, glob bool) bool {
	if !glob || !strings.ContainsAny(text, `*?[\`) {
		if glob && strings.HasPrefix(text, "^") {
			return strings.HasPrefix(line, text[1:])
		}
		return strings.Contains(line, text)
	}
	text = strings.ReplaceAll(text, "/", "\x00")
	ok, _ := path.Match("*"+text+"*", strings.ReplaceAll(line, "/", "\x00"))
	return ok
}

// searchAgain is n and N.
func (e *Editor) searchAgain(forward bool) bool {
	if e.vi.pattern == "" {
		return false
	}
	ok := e.lookFor(e.vi.pattern, forward)
	if !ok {
		e.bell() // a search that is repeated rings twice
	}
	return ok
}

// prefixSearch takes over the next line of history that begins as the line does
// up to the cursor. The place in history stays.
func (e *Editor) prefixSearch(forward bool, n int) bool {
	if e.last != "history-search-backward" && e.last != "history-search-forward" {
		e.prefix, e.looked = append([]rune(nil), e.buf[:e.pos]...), e.at
	}
	step := -1
	if forward {
		step = 1
	}
	point := e.pos
	now := encode(e.buf)
	for i := e.looked + step; i >= 0 && i < len(e.hist); i += step {
		if l := e.hist[i]; strings.HasPrefix(l, string(e.prefix)) && l != now {
			if n--; n > 0 {
				continue
			}
			e.looked = i
			e.overwrite(0, len(e.buf), decode(l))
			if e.pos = min(point, len(e.buf)); len(e.prefix) == 0 {
				e.pos = len(e.buf)
			}
			return true
		}
	}
	return false
}

// visit shows a line of history.
func (e *Editor) visit(to int) {
	for e.at > to && e.travel("previous-history") {
	}
	for e.at < to && e.travel("next-history") {
	}
}

// fetchHistory is G: the line of that number, or the oldest.
func (e *Editor) fetchHistory(n int) bool {
	to := 0
	if e.explicit {
		to = min(max(0, n-max(1, e.settings.FirstLine)), len(e.hist))
	}
	if to == e.at {
		return false
	}
	e.visit(to)
	return true
}

// viYankArg is _: a blank and the last word of the line before, in insert mode.
func (e *Editor) viYankArg(n int) bool {
	e.wanted = -1
	if e.explicit {
		e.wanted = max(0, n-1)
	}
	e.pos = min(e.pos+1, len(e.buf))
	e.startInserting(e.key)
	e.insert(' ')
	return e.lastArg()
}

// viCompleteWord is *, = and \ in vi's command mode.
func (e *Editor) viCompleteWord() bool {
	if e.pos < len(e.buf) && class(e.buf[e.pos], true) != 0 {
		if e.pos+1 < len(e.buf) && class(e.buf[e.pos+1], true) != 0 {
			e.pos = e.endWord(1, true)
		}
		e.pos = min(e.pos+1, len(e.buf))
	}
	ok := true
	switch e.key {
	case '*':
		ok = e.insertCompletions()
	case '=':
		ok = e.complete("possible-completions")
	default:
		e.complete("complete")
	}
	if e.key != '=' {
		e.startInserting(e.key)
	}
	return ok
}
