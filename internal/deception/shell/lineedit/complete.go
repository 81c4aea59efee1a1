package lineedit

import (
	"strconv"
	"strings"
)

// A listing waits for an answer whether many candidates are to be shown.
type listing struct{ c Completion }

// askAbove is how many candidates are shown without asking.
func (e *Editor) askAbove() int {
	if e.settings == (Settings{}) {
		return 100
	}
	return e.settings.AskAbove
}

// complete is Tab. The first one completes as far as it goes, a second one
// lists the candidates.
func (e *Editor) complete(name string) bool {
	line := encode(e.buf)
	point := len(encode(e.buf[:e.pos]))
	kind := ""
	switch {
	case strings.HasPrefix(name, "complete-"):
		kind, name = strings.TrimPrefix(name, "complete-"), "complete"
	case name != "possible-completions" && strings.HasPrefix(name, "possible-"):
		kind, name = strings.TrimSuffix(strings.TrimPrefix(name, "possible-"), "-completions"), "possible-completions"
	}
	var c Completion
	if kind != "" {
		c = e.guide.CompleteAs(kind, line, point)
	} else {
		c = e.guide.Complete(line, point)
	}
	if len(c.Words) == 0 {
		return false
	}
	word := line[c.From:point]
	changed := e.tabbed
	e.tabbed = false
	if len(c.Words) == 1 && name != "possible-completions" {
		e.tabbed = true
		e.replace(c.From, point, c.Words[0]+c.Suffix)
		return true
	}
	common := c.Words[0]
	for _, w := range c.Words[1:] {
		n := 0
		for n < len(common) && n < len(w) && common[n] == w[n] {
			n++
		}
		common = common[:n]
	}
	if e.settings.ListAtOnce && name != "possible-completions" {
		if len(common) > len(word) {
			e.replace(c.From, point, common)
			e.refresh()
		}
		name = "possible-completions"
	}
	if len(common) > len(word) && name != "possible-completions" {
		e.replace(c.From, point, common)
		e.tabbed = true
		return false
	}
	if (e.last != "complete" || changed) && name != "possible-completions" {
		return false
	}
	if n := e.askAbove(); n > 0 && len(c.Words) > n {
		e.d.puts("\r\nDisplay all " + strconv.Itoa(len(c.Words)) + " possibilities? (y or n)")
		e.ask = &listing{c}
		return true
	}
	e.list(c)
	return true
}

// replace puts a candidate in place of the word. What the word already says is
// left alone.
func (e *Editor) replace(from, point int, with string) {
	line := encode(e.buf)
	e.overwrite(len(decode(line[:from])), len(decode(line[:point])), decode(with))
}

// list shows the candidates in columns, down first, and the line again.
func (e *Editor) list(c Completion) {
	shown := c.Shown
	if shown == nil {
		shown = c.Words
	}
	longest := 0
	for _, w := range shown {
		longest = max(longest, len(decode(w)))
	}
	longest += 2
	limit := max(1, e.d.cols/longest)
	if limit != 1 && limit*longest == e.d.cols {
		limit--
	}
	count := (len(shown) + limit - 1) / limit
	e.d.puts("\r\n")
	for i := range count {
		for j, l := 0, i; j < limit && l < len(shown); j, l = j+1, l+count {
			e.d.puts(shown[l])
			used := len(decode(shown[l]))
			if l < len(c.Marks) && c.Marks[l] {
				e.d.puts("/")
				used++
			}
			if j+1 < limit {
				e.d.puts(strings.Repeat(" ", max(0, longest-used)))
			}
		}
		e.d.puts("\r\n")
	}
	e.redraw()
}

// insertCompletions puts all candidates into the line.
func (e *Editor) insertCompletions() bool {
	line := encode(e.buf)
	point := len(encode(e.buf[:e.pos]))
	c := e.guide.Complete(line, point)
	if len(c.Words) == 0 {
		return false
	}
	e.replace(c.From, point, strings.Join(c.Words, " ")+" ")
	return true
}

// answer is y or n to a long list.
func (e *Editor) answer(b byte) Result {
	switch b {
	case 'y', 'Y', ' ':
		c := e.ask.c
		e.ask = nil
		e.list(c)
	case 'n', 'N', 0x7f:
		e.ask = nil
		e.d.puts("\r\n")
		e.redraw()
	case 3, 7:
		e.ask = nil
		if b == 3 {
			return e.interrupt()
		}
		e.d.puts("\r\n")
		e.redraw()
	default:
		e.bell()
	}
	return More
}
