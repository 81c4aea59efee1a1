package lineedit

import "strings"

// A search is Ctrl-R (or Ctrl-S) under way.
type search struct {
	forward bool
	text    []rune
	at      int // in the history; len is the line being typed
	pos     int // of the match in the line
	failed  bool
	line    []rune // what was there before
	point   int
	from    int
}

func newSearch(e *Editor, forward bool) *search {
	return &search{forward: forward, at: e.at, line: e.buf, point: e.pos, from: e.at, pos: -1}
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
	if len(s.text) > 0 && s.pos >= 0 && !s.failed {
		face = func(i int) bool { return i >= s.pos && i < s.pos+len(s.text) }
	}
	text, index := cells(e.buf, face, len(prompt))
	e.d.show(append(prompt, text...), len(prompt)+index[min(e.pos, len(e.buf))])
}

// key adds a letter to what is searched for.
func (s *search) key(e *Editor, r rune) {
	s.text = append(s.text, r)
	s.find(e, s.at)
}

// find looks from a line on for the text and shows what it finds.
func (s *search) find(e *Editor, from int) {
	step := -1
	if s.forward {
		step = 1
	}
	for i := from; i >= 0 && i <= len(e.hist); i += step {
		line := string(s.line)
		if i < len(e.hist) {
			line = e.hist[i]
		}
		if p := strings.LastIndex(line, string(s.text)); p >= 0 {
			s.at, s.failed = i, false
			s.pos = len(decode(line[:p]))
			e.buf, e.pos = decode(line), s.pos
			s.show(e)
			return
		}
	}
	s.failed = true
	e.bell()
	s.show(e)
}

// command acts on a key that is no letter. done says that the key has been
// dealt with; otherwise the search is over and the key does what it always does.
func (s *search) command(e *Editor, name string) (r Result, done bool) {
	switch name {
	case "search", "search-forward":
		s.forward = name == "search-forward"
		if len(s.text) == 0 {
			return More, true
		}
		if s.failed {
			s.find(e, s.at)
		} else if s.forward {
			s.find(e, s.at+1)
		} else {
			s.find(e, s.at-1)
		}
		return More, true
	case "backspace":
		if len(s.text) == 0 {
			e.bell()
			return More, true
		}
		s.text = s.text[:len(s.text)-1]
		s.find(e, s.at)
		return More, true
	case "abort":
		e.buf, e.pos = s.line, s.point
		s.end(e, s.from)
		return More, true
	case "interrupt":
		e.search = nil
		return More, false
	}
	s.end(e, s.at)
	return More, false
}

// end puts the prompt back.
func (s *search) end(e *Editor, at int) {
	e.search = nil
	if e.at == len(e.hist) {
		e.stash = s.line
	}
	e.at = at
	e.refresh()
}
