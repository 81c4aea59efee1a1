package shell

import (
	"strings"

	"honeyguide/internal/deception/shell/grammar"
)

// interactDash is `sh` on a terminal: no line editor, the driver edits.
func (e *env) interactDash() int {
	ps1 := "$ "
	if e.cred.UID == 0 {
		ps1 = "# "
	}
	if _, ok := e.vars["PS1"]; !ok {
		e.own()
		e.vars["PS1"] = &variable{val: ps1}
	}
	return e.plainLoop(func(more bool) (string, bool) {
		if more {
			e.warn("> ")
		} else {
			e.reportJobs()
			p, _ := e.get("PS1")
			e.warn(e.plainPrompt(p))
		}
		return e.readLine(e.fds.get(0))
	})
}

// plainLoop reads commands line by line and runs them; lines are counted over
// the shell's life.
func (e *env) plainLoop(read func(more bool) (string, bool)) int {
	line, text := 1, ""
	for {
		next, more := "", true
		interrupted := e.protected(func() int {
			next, more = read(text != "")
			return 0
		})
		if interrupted != 0 {
			if text != "" || e.dialect == dash {
				line++
			}
			text = ""
			e.status = 130
			continue
		}
		if next == "" && !more {
			if e.dialect != bash && e.exiting() {
				continue
			}
			if e.dialect == dash {
				e.warn("\n")
			}
			return e.status
		}
		text += next
		g := grammar.Next(text, 0, e.grammarOptions(line))
		if incomplete(g, text) && more {
			continue
		}
		e.k.steps, e.k.out = 0, 0
		src := &source{text: text, kind: fromTTY}
		status := e.protected(func() int { return e.runText(src, line-1) })
		line += strings.Count(text, "\n")
		if e.flow == exiting {
			return e.status
		}
		e.status, e.flow = status, goingOn
		e.k.sh.opt.Watch.Command(strings.TrimRight(text, "\n"), status)
		text = ""
	}
}

// interactAsh is BusyBox's shell with its own small line editor.
func (e *env) interactAsh() int {
	e.warn("\n\nBusyBox v1.35.0 (Debian 1:1.35.0-4+deb12u1+b1) built-in shell (ash)\nEnter 'help' for a list of built-in commands.\n\n")
	var lines []string
	return e.plainLoop(func(more bool) (string, bool) {
		if !more {
			e.reportJobs()
		}
		prompt := "> "
		if !more {
			mark := " $ "
			if e.cred.UID == 0 {
				mark = " # "
			}
			prompt = e.tildeName(e.cwd) + mark
		}
		line, ok := e.ashLine(prompt, lines)
		if s := strings.TrimSuffix(line, "\n"); s != "" && len(lines) < maxHistory {
			lines = append(lines, s)
		}
		return line, ok
	})
}

// interactPlain is bash without its line editor: the driver edits.
func (e *env) interactPlain() int {
	status := e.plainLoop(func(more bool) (string, bool) {
		name := "PS1"
		if more {
			name = "PS2"
		}
		p, _ := e.get(name)
		e.warn(strings.NewReplacer("\x01", "", "\x02", "").Replace(e.expandPrompt(p)))
		return e.readLine(e.fds.get(0))
	})
	if e.flow != exiting {
		e.farewell()
	}
	return status
}

// plainPrompt expands the variables and commands of dash's prompt.
func (e *env) plainPrompt(p string) string {
	if !strings.ContainsAny(p, "$`") || p == "$ " {
		return p
	}
	w, err := e.textWord(p, true)
	if err != nil {
		return p
	}
	status := e.status
	saved := e.unit
	e.unit = &unit{src: &source{kind: fromTTY}, text: p, line: 1}
	s, err := e.inner(w.Parts)
	e.unit, e.status = saved, status
	if err != nil {
		return p
	}
	return s
}
