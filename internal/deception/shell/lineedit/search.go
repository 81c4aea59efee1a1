package lineedit

import "slices"

// A search is Ctrl-R (or Ctrl-S) under way.
type search struct {
	forward bool
	text    []rune
	found   int    // line of the last match; len of the history is the line being typed
	last    string // that line
	at      int    // the line being looked at
	col     int    // and where in it
	looking []rune // its text
	failed  bool
	hit     bool   // the match is shown in reverse video
	line    []rune // what was there before
	point   int
}

func newSearch(e *Editor, forward bool) *search {
	return &search{forward: forward, found: e.at, at: e.at, looking: e.buf, col: e.pos, line: e.buf, point: e.pos}
}

// show draws the search's prompt and the line found.
func (s *search) show(e *Editor) {
	name := "reverse-i-search"
	if s.forward {
		name = "i-search"
	}
	if s.failed {
		name = "failed " + name
	}
	prompt, _ := cells([]rune("("+name+")`"+string(s.text)+"': "), nil, 0)
	var face func(int) bool
	if len(s.text) > 0 && s.hit && !s.failed {
		face = func(i int) bool { return i >= e.pos && i < e.pos+len(s.text) }
	}
	text, index := cells(e.buf, face, len(prompt))
	e.d.show(append(prompt, text...), len(prompt)+index[min(e.pos, len(e.buf))])
}

// key adds a letter to what is searched for.
func (s *search) key(e *Editor, r rune) {
	s.text = append(s.text, r)
	s.find(e)
}

// lineAt is a line of history, or the one being typed.
func (s *search) lineAt(e *Editor, i int) []rune {
	if i < len(e.hist) {
		return decode(e.hist[i])
	}
	if e.at == len(e.hist) {
		return s.line
	}
	return e.stash
}

// find goes on from where the search is: first in the line it is in, then in the
// lines before or behind it that are not the same again.
func (s *search) find(e *Editor) {
	s.failed = len(s.text) == 0 || !s.seek(e)
	if s.failed {
		s.at = s.found
		e.bell()
	} else {
		s.found, s.last, s.hit = s.at, string(s.looking), true
		e.buf, e.pos = slices.Clone(s.looking), s.col
	}
	s.show(e)
}

func (s *search) seek(e *Editor) bool {
	for {
		if s.inLine() {
			return true
		}
		for again := true; again; again = s.hit && string(s.looking) == s.last || len(s.text) > len(s.looking) {
			if s.forward {
				s.at++
			} else {
				s.at--
			}
			if s.at < 0 || s.at > len(e.hist) {
				return false
			}
			s.looking = s.lineAt(e, s.at)
		}
		s.col = 0
		if !s.forward {
			s.col = len(s.looking) - len(s.text)
		}
	}
}

// inLine looks for the text in one line.
func (s *search) inLine() bool {
	step := -1
	if s.forward {
		step = 1
	}
	for ; s.col >= 0 && (!s.forward || s.col+len(s.text) <= len(s.looking)); s.col += step {
		if s.col+len(s.text) <= len(s.looking) && slices.Equal(s.looking[s.col:s.col+len(s.text)], s.text) {
			return true
		}
	}
	s.col = max(s.col, 0)
	return false
}

// command acts on a key that is no letter. done says that the key has been
// dealt with; otherwise the search is over and the key does what it always does.
func (s *search) command(e *Editor, name string) (r Result, done bool) {
	switch name {
	case "reverse-search-history", "forward-search-history":
		s.again(e, name == "forward-search-history")
		return More, true
	case "backward-delete-char":
		if len(s.text) == 0 {
			e.bell()
		} else {
			s.text = s.text[:len(s.text)-1]
		}
		if len(s.text) == 0 { // readline draws all of it anew then
			e.bell()
			e.d.distrust()
		}
		s.find(e)
		return More, true
	case "unix-word-rubout", "vi-unix-word-rubout", "yank":
		s.take(e, name == "yank")
		return More, true
	case "abort":
		e.buf, e.pos = s.line, s.point
		s.end(e, e.at)
		return More, true
	}
	s.end(e, s.found)
	return More, false
}

// again is Ctrl-R or Ctrl-S in a search: on to the next match, or the other way.
func (s *search) again(e *Editor, forward bool) {
	switch {
	case len(s.text) == 0 && forward == s.forward:
		if s.text = slices.Clone(e.sought); len(s.text) == 0 {
			return
		}
	case forward != s.forward:
		s.forward = forward
		if len(s.text) == 0 {
			s.show(e)
			return
		}
	case s.forward:
		s.col = min(s.col+1, len(s.looking))
	default:
		s.col--
	}
	s.find(e)
}

// take adds the rest of the word behind the match to what is searched for, or
// the rest of the line.
func (s *search) take(e *Editor, all bool) {
	from := min(e.pos+len(s.text), len(e.buf))
	to := from
	for to < len(e.buf) && (all || isWord(e.buf[to])) {
		to++
	}
	if to == from {
		e.bell()
		return
	}
	s.text = append(s.text, e.buf[from:to]...)
	s.find(e)
}

// end puts the prompt back.
func (s *search) end(e *Editor, at int) {
	e.search = nil
	if len(s.text) > 0 {
		e.sought = s.text
	}
	if e.at == len(e.hist) {
		e.stash = s.line
	}
	e.at = at
	e.refresh()
}
