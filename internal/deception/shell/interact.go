package shell

import (
	"context"
	"io"
	"strings"
	"time"

	"honeyguide/internal/deception/shell/grammar"
	"honeyguide/internal/deception/shell/lineedit"
	"honeyguide/internal/deception/vfs"
)

// Interactive runs a login shell on a terminal until the attacker leaves. tty
// carries the bytes of the terminal's other side: keys in, what is shown out.
func (s *Shell) Interactive(ctx context.Context, tty io.ReadWriter) int {
	s.opt.TTY = true
	return s.session(ctx, nil, io.Discard, io.Discard, func(k *kernel) int {
		t := k.openTTY(tty)
		e := k.newEnv("-bash", "himBHs")
		e.login = true
		for fd := range 3 {
			e.fds.set(fd, t.file.hold())
		}
		k.end = s.hooks.now().Add(24 * time.Hour)
		return e.runMain(e.interact)
	})
}

// A level is one interactive shell on the terminal; the last one is in front.
type level struct{ task *task }

// interact reads commands from the terminal and runs them.
func (e *env) interact() int {
	k := e.k
	k.shells = append(k.shells, level{k.cur})
	depth := len(k.shells)
	defer func() { k.shells = k.shells[:depth-1] }()
	e.interactive = true
	switch e.dialect {
	case dash:
		return e.interactDash()
	case ash:
		return e.interactAsh()
	}
	e.opts |= optMonitor | optHistExpand | optHistory | optEmacs
	e.shopts |= shExpandAliases
	if e.login {
		e.shopts |= shLoginShell
	}
	e.jobControl = k.cur == nil && depth == 1
	e.startup()
	ed := e.newEditor()
	for {
		e.reportJobs()
		text, ok := e.readCommand(ed)
		if text != "" {
			e.runLine(text)
		}
		if !ok || e.flow == exiting {
			break
		}
		e.flow = goingOn
	}
	e.saveAtEnd()
	return e.status
}

// newEditor returns the line editor of the terminal. It is no part of interact,
// whose frame stays on the stack of every shell that waits for its attacker: the
// stacks of those that wait are most of their memory.
//
//go:noinline
func (e *env) newEditor() *lineedit.Editor {
	term, _ := e.get("TERM")
	return lineedit.New(lineedit.TerminalFor(term), e.k.sh.cols(), guide{e})
}

// startup sets what Debian's start files set.
func (e *env) startup() {
	ps1 := `${debian_chroot:+($debian_chroot)}\u@\h:\w\$ `
	term, _ := e.get("TERM")
	if e.cred.UID != 0 {
		if strings.HasSuffix(term, "-256color") || term == "xterm-color" {
			ps1 = `${debian_chroot:+($debian_chroot)}\[\033[01;32m\]\u@\h\[\033[00m\]:\[\033[01;34m\]\w\[\033[00m\]\$ `
		}
		if strings.HasPrefix(term, "xterm") || strings.HasPrefix(term, "rxvt") {
			ps1 = `\[\e]0;${debian_chroot:+($debian_chroot)}\u@\h: \w\a\]` + ps1
		}
		e.alias = map[string]string{"ls": "ls --color=auto", "grep": "grep --color=auto", "egrep": "egrep --color=auto", "fgrep": "fgrep --color=auto"}
		e.vars["HISTCONTROL"] = &variable{val: "ignoreboth"}
	}
	e.own()
	for _, kv := range [][2]string{{"PS1", ps1}, {"PS2", "> "}, {"HISTFILE", e.home + "/.bash_history"}, {"HISTSIZE", "500"}, {"HISTFILESIZE", "500"}} {
		if _, ok := e.vars[kv[0]]; !ok {
			e.vars[kv[0]] = &variable{val: kv[1]}
		}
	}
	e.hist = &history{}
	if text := e.readSmall(e.home + "/.bash_history"); text != "" {
		for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
			e.hist.add(line)
		}
	}
	e.histLoaded = len(e.hist.lines) + e.hist.first
}

// saveAtEnd appends this session's lines to HISTFILE.
func (e *env) saveAtEnd() {
	path, ok := e.get("HISTFILE")
	from := e.histLoaded - e.hist.first
	if !ok || path == "" || e.fs == nil || from < 0 || from >= len(e.hist.lines) {
		return
	}
	f, err := e.fs.Open(e.cred, e.abs(path), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_APPEND, 0o600)
	if err != nil {
		return
	}
	defer f.Close()
	for _, l := range e.hist.lines[from:] {
		if _, err := f.Write([]byte(l + "\n")); err != nil {
			return
		}
	}
}

// readCommand reads lines until they make a complete command. It returns false
// when the shell is to end.
func (e *env) readCommand(ed *lineedit.Editor) (string, bool) {
	if pc, ok := e.get("PROMPT_COMMAND"); ok && pc != "" {
		status := e.status
		e.runLine(pc + "\n")
		e.status = status
	}
	text, entry := "", ""
	prompt := "PS1"
	for {
		p, _ := e.get(prompt)
		line, r := e.editLine(ed, e.expandPrompt(p))
		switch r {
		case lineedit.Interrupt:
			e.status = 130
			return "", true
		case lineedit.EndOfFile:
			return "", e.endOfInput(text)
		}
		line, ok := e.recall(line)
		if !ok {
			return "", true
		}
		entry = joinHistory(entry, line, text)
		text += line + "\n"
		if e.wantsMore(text) {
			prompt = "PS2"
			continue
		}
		e.addHistory(entry)
		return text, true
	}
}

// recall expands a line's references to the history; false when one is missing.
//
//go:noinline
func (e *env) recall(line string) (string, bool) {
	if e.opts&optHistExpand == 0 {
		return line, true
	}
	out, changed, missing := e.expandHistory(line)
	if missing != "" {
		e.errorf("%s: event not found", missing)
		e.status = 1
		return "", false
	}
	if changed {
		e.warn(out + "\n")
	}
	return out, true
}

// wantsMore reports whether text is the beginning of a command.
//
//go:noinline
func (e *env) wantsMore(text string) bool {
	return incomplete(grammar.Next(text, 0, e.grammarOptions(1)), text)
}

// incomplete reports whether more lines are needed.
func incomplete(g grammar.Unit, text string) bool {
	if g.Err != nil {
		return g.Err.Kind == grammar.EOF || g.Err.Kind == grammar.Unclosed
	}
	n := len(text) - len(strings.TrimRight(strings.TrimSuffix(text, "\n"), `\`)) - 1
	return len(g.Open) > 0 || n%2 == 1
}

// joinHistory puts the lines of one command into one entry, as cmdhist does.
func joinHistory(entry, line, text string) string {
	if entry == "" {
		return line
	}
	g := grammar.Next(text, 0, grammar.Options{})
	switch {
	case g.Err != nil && g.Err.Kind == grammar.Unclosed, len(g.Open) > 0:
		return entry + "\n" + line
	case strings.HasSuffix(entry, `\`):
		return strings.TrimSuffix(entry, `\`) + line
	}
	words := strings.Fields(entry)
	if len(words) > 0 {
		switch w := words[len(words)-1]; w {
		case "then", "do", "else", "{", "(", "|", "||", "&&", "in", ";", "&":
			return entry + " " + line
		}
	}
	return entry + "; " + line
}

// endOfInput is Ctrl-D.
func (e *env) endOfInput(text string) bool {
	if text != "" {
		g := grammar.Next(text, 0, e.grammarOptions(1))
		if g.Err != nil {
			e.syntaxError(&source{text: text, kind: fromTTY}, 0, 0, g.Err)
		}
	} else if e.exiting() {
		e.status = 1
		return true
	}
	e.farewell()
	return false
}

// farewell is what an interactive bash says when it ends.
func (e *env) farewell() {
	if e.login {
		e.warn("logout\n")
	} else {
		e.warn("exit\n")
	}
}

// editLine lets the attacker edit one line.
func (e *env) editLine(ed *lineedit.Editor, prompt string) (string, lineedit.Result) {
	t := e.k.tty
	ed.Resize(e.k.sh.cols())
	ed.Silence(!t.echo)
	ed.Start(prompt)
	t.startEditing()
	defer func() { t.raw = false }()
	for {
		t.send(ed.Take())
		r := ed.Key(t.key(), t.next())
		if r == lineedit.More || r == lineedit.Suspend {
			continue
		}
		t.send(ed.Take())
		return ed.Line(), r
	}
}

// runLine runs a complete command and sees to what interrupts it.
func (e *env) runLine(text string) {
	k := e.k
	k.steps, k.out = 0, 0
	status := e.protected(func() int { return e.runText(&source{text: text, kind: fromTTY}, 0) })
	if e.flow != exiting {
		e.status = status
	}
	k.sh.opt.Watch.Command(strings.TrimRight(text, "\n"), e.status)
}

// protected runs fn; Ctrl-C and an exhausted budget come back here.
func (e *env) protected(fn func() int) (status int) {
	k := e.k
	depth, frames, scratch, cur := k.depth, len(e.frames), e.scratch, k.cur
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		d, ok := r.(death)
		if !ok || d.scope != ofLine {
			panic(r)
		}
		k.depth, k.cur = depth, cur
		k.intr = false
		k.killForeground(d.status - 128)
		if e.jobs != nil {
			e.jobs.forget(func(j *job) bool { return !j.task.job })
		}
		e.unhold(scratch)
		for len(e.frames) > frames {
			e.popFrame(len(e.frames) - 1)
		}
		e.loops, e.quiet, e.flow, e.trapping, e.substs = 0, 0, goingOn, false, nil
		if k.tty != nil {
			k.tty.normally()
		}
		if d.status == 128+sigInt {
			e.warn("\n")
		} else {
			e.warn("Killed\n")
		}
		status = d.status
		e.status = status
	}()
	return fn()
}

// killForeground ends what the interrupted line had started, except its jobs.
func (k *kernel) killForeground(sig int) {
	for _, t := range k.tasks {
		front := k.fg != nil && (t == k.fg || t.group == k.fg)
		if (!t.job || front) && t != k.cur && !t.done && !(t.group != nil && t.group.job && !front) {
			t.signal, t.job = sig, false
		}
	}
	k.fg = nil
	if k.cur == nil {
		k.steps = 0
		for range 8 {
			k.runOthers()
		}
	}
}

// asJob runs body as a process of its own in the foreground, so that it can be
// stopped and go on later.
func (e *env) asJob(body func(c *env) int) int {
	if !e.mayFork() {
		return 254
	}
	c := e.fork()
	unit := e.unit
	t := e.k.fork(c.pid, func(*task) int {
		c.unit = unit
		return c.finish(body(c))
	})
	t.free = append(t.free, c.release)
	t.text = e.stmtText
	status := e.foreground(t, nil)
	if t.done {
		e.pipes = c.pipes
	}
	return status
}

// foreground waits for a job in front; j is set when it is one already.
func (e *env) foreground(t *task, j *job) int {
	k := e.k
	k.fg = t
	k.wait(func() bool { return t.done || t.paused }, time.Time{})
	k.fg = nil
	if t.paused {
		if j == nil {
			e.addJob(t)
			j = e.jobs.list[len(e.jobs.list)-1]
		}
		e.jobs.tick++
		j.used = e.jobs.tick
		e.warn("\n" + e.jobs.line(j, false))
		return 128 + sigTstp
	}
	if j != nil {
		e.jobs.forget(func(o *job) bool { return o == j })
	}
	return t.status
}

// wantsJob reports whether a command is to run as a job of its own.
func (e *env) wantsJob() bool { return e.jobControl && e.k.cur == nil && e.level == 0 }
