package shell

import (
	"context"
	"io"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/shell/grammar"
	"honeyguide/internal/deception/shell/lineedit"
	"honeyguide/internal/deception/vfs"
)

// Interactive runs a login shell on a terminal until the attacker leaves. tty
// carries the bytes of the terminal's other side: keys in, what is shown out.
// It returns soon after the shell ended; a Read of tty that is still blocked then
// must be ended by whoever owns tty.
func (s *Shell) Interactive(ctx context.Context, tty io.ReadWriter) int {
	done := make(chan int, 1)
	t := s.Open(ctx, Attachment{Out: tty, Ended: func(status int) { done <- status }})
	t.spawn("shell-terminal", func(ctx context.Context) error {
		t.Follow(ctx, tty)
		return nil
	})
	return <-done
}

// A level is one interactive shell on the terminal; the last one is in front.
type level struct{ task *task }

// A dialog is where an interactive shell is in its conversation with whoever
// types. It is all a shell is while it waits.
type dialog struct {
	ed     *lineedit.Editor
	term   string // TERM the editor was made for
	cols   int    // it was told of
	ends   int    // Ctrl-D typed in a row
	asking bool   // a prompt is shown and the editor has the line
	text   string // lines of a command that is not complete
	entry  string // the same as history will have it
	lost   bool   // the input ended inside a quote: lines are read and dropped
}

// interact is a shell in front of another: it reads commands from the terminal
// and runs them.
func (e *env) interact() int {
	k := e.k
	k.shells = append(k.shells, level{k.cur})
	depth := len(k.shells)
	defer func() { k.shells = k.shells[:depth-1] }()
	e.interactive = true
	defer e.abandonJobs()
	if e.dialect != bash {
		e.opts |= optMonitor
		e.jobControl = true
	}
	switch e.dialect {
	case dash:
		return e.interactDash()
	case ash:
		return e.interactAsh()
	}
	e.openDialog(true)
	if e.noEditing {
		return e.interactPlain()
	}
	var d dialog
	if e.flow != exiting {
		e.converse(&d, true)
	}
	e.goodbye()
	e.saveAtEnd()
	return e.status
}

// openDialog makes the shell an interactive one.
func (e *env) openDialog(jobControl bool) {
	e.opts |= optMonitor | optHistExpand | optHistory | optEmacs
	e.shopts |= shExpandAliases
	if e.login {
		e.shopts |= shLoginShell
	}
	e.startup()
	e.jobControl = jobControl
}

// converse goes on with the dialogue. It returns true when the shell is over and
// false, unless it is to block, when nothing has been typed.
func (e *env) converse(d *dialog, block bool) (over bool) {
	for {
		if !d.asking {
			e.ask(d)
		}
		line, r, ok := e.edit(d, block)
		if !ok {
			return false
		}
		d.asking = false
		if e.heard(d, line, r) {
			return true
		}
	}
}

// ask shows the prompt.
func (e *env) ask(d *dialog) {
	name := "PS2"
	if d.text == "" && !d.lost {
		name = "PS1"
		e.reportJobs()
		e.promptCommands()
	}
	term, _ := e.get("TERM")
	if d.ed == nil {
		d.ed = lineedit.New(lineedit.TerminalFor(term), e.k.sh.cols(), guide{e})
	} else if term != d.term {
		d.ed.SetTerminal(lineedit.TerminalFor(term))
	}
	d.term = term
	prompt := ""
	e.protected(func() int {
		p, _ := e.get(name)
		prompt = e.expandPrompt(p)
		return e.status
	})
	t := e.k.tty
	d.cols = e.k.sh.cols()
	e.k.sh.resized.Store(false)
	d.ed.Resize(d.cols)
	d.ed.Silence(!t.echo)
	d.ed.Configure(e.settings())
	d.ed.Start(prompt)
	t.startEditing()
	d.asking = true
}

// promptCommands runs PROMPT_COMMAND.
func (e *env) promptCommands() {
	v := e.vars["PROMPT_COMMAND"]
	if v == nil {
		return
	}
	status, pipes := e.status, e.pipes
	if v.arr != nil {
		for _, c := range v.arr.vals {
			e.promptCommand(c)
		}
	} else {
		e.promptCommand(v.val)
	}
	e.status, e.pipes = status, pipes
}

func (e *env) promptCommand(text string) {
	if text == "" {
		return
	}
	e.protected(func() int { return e.runText(&source{text: text + "\n", kind: fromTTY}, 0) })
	if e.flow != exiting {
		e.flow = goingOn
	}
}

// edit lets the attacker edit one line. It returns false when there is nothing
// to be done but to wait and it may not.
func (e *env) edit(d *dialog, block bool) (string, lineedit.Result, bool) {
	t := e.k.tty
	for {
		again := e.k.sh.resized.Swap(false)
		if cols := e.k.sh.cols(); cols != d.cols || again {
			d.cols = cols
			d.ed.Resized(cols)
		}
		t.send(d.ed.Take())
		var until time.Time
		if d.ed.Pending() {
			until = e.k.now().Add(keyTimeout)
		}
		r, replayed := d.ed.Replay()
		var c byte
		ok := true
		if !replayed {
			c, ok = t.key(block, until)
		}
		switch {
		case replayed:
		case !ok && !until.IsZero() && !e.k.now().Before(until):
			r = d.ed.Expire()
		case !ok && block || !ok && e.k.sh.resized.Load():
			continue
		case !ok:
			return "", lineedit.More, false
		default:
			r = d.ed.Key(c, t.next())
		}
		switch r {
		case lineedit.More, lineedit.Suspend:
			continue
		case lineedit.Execute:
			e.runBound(d.ed)
			continue
		}
		t.send(d.ed.Take())
		t.raw = false
		return d.ed.Line(), r, true
	}
}

// keyTimeout is how long a key that may begin a longer sequence waits for it:
// readline's keyseq-timeout.
const keyTimeout = 500 * time.Millisecond

// heard acts on a line; true ends the shell.
func (e *env) heard(d *dialog, line string, r lineedit.Result) (over bool) {
	text, entry := d.text, d.entry
	d.text, d.entry = "", ""
	switch r {
	case lineedit.Interrupt:
		if trap := e.traps["SIGINT"]; trap != "" {
			e.protected(func() int { e.runTrap(trap); return 0 })
		}
		e.warn("\n")
		e.status = 130
		return d.lost
	case lineedit.EndOfFile:
		if text == "" && e.ignoresEOF(d) {
			return false
		}
		if !d.lost && e.endsInQuote(text) {
			d.lost = true
			return false
		}
		if d.lost {
			e.status = 2
			text = ""
		} else if over, done := e.endsComplete(text, entry); done {
			return over
		}
		return !e.endOfInput(text)
	}
	d.ends = 0
	if d.lost {
		g := grammar.Next(text+line+"\n", 0, e.grammarOptions(1))
		if g.Err == nil || g.Err.Kind != grammar.Unclosed {
			return true // and nothing is run
		}
		d.text = text + line + "\n"
		return false
	}
	line, ok := e.recall(line)
	if !ok {
		return false
	}
	entry = joinHistory(entry, line, text)
	text += line + "\n"
	if e.wantsMore(text) {
		d.text, d.entry = text, entry
		return false
	}
	if n := len(text) - len(line) - 1; n > 0 && len(grammar.Next(text[:n], 0, e.grammarOptions(1)).Open) > 0 {
		entry += "\n" // the end of a here-document keeps its newline
	}
	e.addHistory(entry)
	e.runLine(text)
	if e.flow == exiting {
		return true
	}
	e.flow = goingOn
	return false
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

// ignoresEOF reports whether a Ctrl-D is not to end the shell: IGNOREEOF.
func (e *env) ignoresEOF(d *dialog) bool {
	v, ok := e.get("IGNOREEOF")
	if !ok && e.opts&optIgnoreEOF == 0 {
		return false
	}
	n, err := strconv.Atoi(v)
	if err != nil || n < 0 {
		n = 10
	}
	if d.ends++; d.ends > n {
		return false
	}
	word := "exit"
	if e.login {
		word = "logout"
	}
	e.warn("Use \"" + word + "\" to leave the shell.\n")
	return true
}

// recall expands a line's references to the history; false when one is missing.
func (e *env) recall(line string) (string, bool) {
	if e.opts&optHistExpand == 0 {
		return line, true
	}
	x := e.expandHistory(line)
	if x.err != "" {
		e.errorf("%s", x.err)
		e.status = 1
		return "", false
	}
	if x.changed {
		e.warn(x.text + "\n")
	}
	if x.print {
		e.addHistory(x.text)
		return "", false
	}
	return x.text, true
}

// wantsMore reports whether text is the beginning of a command.
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

// endsInQuote complains of a quote the end of input leaves open. Bash notes that
// its input is over, but its parser goes on until the end of a line: it asks for
// one more, drops it and ends without a word.
func (e *env) endsInQuote(text string) bool {
	if text == "" {
		return false
	}
	g := grammar.Next(text, 0, e.grammarOptions(1))
	if g.Err == nil || g.Err.Kind != grammar.Unclosed || g.Err.Inside {
		return false
	}
	status := e.status
	e.syntaxError(&source{text: text, kind: fromTTY}, 0, 0, g.Err)
	e.status = status
	return true
}

// endsComplete runs what is complete because the input ends: a here-document
// without its last line, a command behind whose last line is a backslash. done is
// false when text is nothing of the kind.
func (e *env) endsComplete(text, entry string) (over, done bool) {
	if text == "" {
		return false, false
	}
	g := grammar.Next(text, 0, e.grammarOptions(1))
	switch {
	case g.Err != nil:
		return false, false
	case len(g.Open) == 0: // the backslash joins nothing, and the shell ends without a word
		e.runLine(strings.TrimSuffix(strings.TrimSuffix(text, "\n"), `\`) + "\n")
		return true, true
	}
	e.addHistory(entry)
	e.runLine(text)
	if e.flow == exiting {
		return true, true
	}
	e.flow = goingOn
	return false, true
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

// runLine runs a complete command and sees to what interrupts it.
func (e *env) runLine(text string) {
	k := e.k
	k.steps, k.out = 0, 0
	e.commands++
	if p, ok := e.get("PS0"); ok && p != "" {
		e.protected(func() int {
			e.warn(strings.NewReplacer("\x01", "", "\x02", "").Replace(e.expandPrompt(p)))
			return e.status
		})
	}
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
	runs := k.runs
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		d, ok := r.(death)
		if !ok || d.scope != ofLine {
			panic(r)
		}
		k.depth, k.cur, k.out, k.runs = depth, cur, 0, runs
		k.intr = 0
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
		if (!t.job || front) && t != k.cur && !k.inFront(t) && !t.done && !(t.group != nil && t.group.job && !front) {
			d := killed(t.base, sig)
			t.doom, t.job = &d, false
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
	t := e.launch(c, e.stmtText(), func() int { return body(c) })
	t.group = nil // it leads a group of its own
	status := e.foreground(t, nil)
	if t.done {
		e.pipes = c.pipes
	}
	return status
}

// foreground waits for a job in front; j is set when it is one already.
func (e *env) foreground(t *task, j *job) int {
	k := e.k
	before := k.fg
	k.fg = t
	k.wait(func() bool { return t.done || t.paused }, time.Time{})
	k.fg = before
	if t.paused {
		if j == nil {
			e.addJob(t)
			j = e.jobs.list[len(e.jobs.list)-1]
		}
		e.jobs.tick++
		j.used = e.jobs.tick
		if e.dialect == bash {
			e.warn("\n")
		}
		e.warn(e.jobs.line(j, false))
		return 128 + sigTstp
	}
	if j != nil {
		e.jobs.forget(func(o *job) bool { return o == j })
	}
	if t.killed == sigInt && e.interactive {
		panic(death{128 + sigInt, ofLine, nil}) // the rest of the line is dropped
	}
	e.tellKilled(t.killed, t.pid)
	return t.status
}

// stmtText is the source of the statement being run.
func (e *env) stmtText() string {
	if e.at == nil || e.unit == nil {
		return ""
	}
	return trimCommand(e.unit.slice(e.at.Pos(), e.at.End()))
}

// wantsJob reports whether a command is to run as a job of its own.
func (e *env) wantsJob() bool {
	n := len(e.k.shells)
	return e.jobControl && e.level == 0 && n > 0 && e.k.cur == e.k.shells[n-1].task
}

// inFront reports a process that is an interactive shell.
func (k *kernel) inFront(t *task) bool {
	for _, l := range k.shells {
		if l.task == t {
			return true
		}
	}
	return false
}

// trimCommand takes off what ends a command in its source.
func trimCommand(s string) string { return strings.TrimRight(s, "; \n&") }
