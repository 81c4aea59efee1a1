package shell

import (
	"strconv"

	"honeyguide/internal/deception/shell/lineedit"
)

// settings are what this shell wants of its line editor.
func (e *env) settings() lineedit.Settings {
	on := func(name string) bool { return e.editVar(name) == "on" }
	items, _ := strconv.Atoi(e.editVar("completion-query-items"))
	s := lineedit.Settings{
		Keymaps:    e.keymaps,
		Vi:         e.opts&optVi != 0,
		NoPaste:    !on("enable-bracketed-paste") || e.opts&(optVi|optEmacs) == 0,
		NoRegion:   !on("enable-active-region") || !on("enable-bracketed-paste"),
		Silent:     e.editVar("bell-style") == "none",
		ListAtOnce: on("show-all-if-ambiguous"),
		IgnoreCase: on("completion-ignore-case"),
		AskAbove:   items,
		Comment:    e.editVar("comment-begin"),
		Version:    "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)",
	}
	if e.hist != nil {
		s.FirstLine = e.hist.first + 1
	}
	return s
}

// runBound runs the line a key is bound to, on a row of its own, and lets it
// change the line being edited.
func (e *env) runBound(ed *lineedit.Editor) {
	t := e.k.tty
	line, point := ed.Begin()
	t.send(ed.Take())
	for name, val := range map[string]string{"READLINE_LINE": line, "READLINE_POINT": strconv.Itoa(point), "READLINE_MARK": "0"} {
		if e.set(name, val) == nil {
			e.vars[name].attr |= exported
		}
	}
	status := e.status
	t.raw = false
	e.protected(func() int { return e.runText(&source{text: ed.Execution() + "\n", kind: fromTTY}, 0) })
	if e.flow != exiting {
		e.flow = goingOn
	}
	e.status = status
	if v, ok := e.get("READLINE_LINE"); ok {
		line = v
	}
	if v, ok := e.get("READLINE_POINT"); ok {
		if n, err := strconv.Atoi(v); err == nil {
			point = n
		}
	}
	for _, name := range []string{"READLINE_LINE", "READLINE_POINT", "READLINE_MARK"} {
		_ = e.unsetVar(name)
	}
	t.startEditing()
	ed.Resume(line, point)
}
