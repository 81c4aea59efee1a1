package lineedit

import (
	"strings"
	"unicode/utf8"
)

// A Result is what a key brought about.
type Result int

// The results.
const (
	More      Result = iota // the line is still being edited
	Accept                  // Enter: Line returns it
	EndOfFile               // Ctrl-D on an empty line
	Interrupt               // Ctrl-C
	Suspend                 // Ctrl-Z
)

// A Guide answers what the editor cannot know.
type Guide interface {
	// History returns the lines remembered, oldest first.
	History() []string
	// Complete returns the candidates for the word that ends at point and where
	// it begins.
	Complete(line string, point int) Completion
}

// A Completion is what Tab can put in place of a word.
type Completion struct {
	From    int      // byte offset of the word
	Words   []string // candidates, sorted, each as the whole word would be
	Shown   []string // how a list shows them; nil is as Words
	Marks   []bool   // which of Shown are folders; nil is none
	Suffix  string   // behind the only candidate: " " or "/"
	Command bool     // the word is a command's name
}

// maxLine bounds the line being typed.
const maxLine = 64 << 10

// An Editor edits one line after another.
type Editor struct {
	d      display
	guide  Guide
	prompt []cell
	head   string // what the prompt prints before its last line, as it is
	shown  string // the prompt's last line with its invisible parts

	buf    []rune
	pos    int
	typing bool // the last key was a character at the end, and is shown
	kill   []rune
	undo   []change
	undos  [][]change // of the lines of history
	group  int        // of the change under way
	groups int
	keys   []byte // of an unfinished sequence
	utf    []byte // of an unfinished character
	quoted bool   // the next key is text
	last   string // the last command's name
	killed bool   // the last command killed

	hist   []string // lines of history with their edits
	at     int      // in hist; len(hist) is the new line
	stash  []rune   // the new line while history is shown
	dotted int      // how far Alt-. went back

	paste  bool // inside bracketed paste
	region [2]int
	active bool // region is shown in reverse video

	search *search
	ask    *listing
	arg    *argument
	seek   int // the next key is looked for: 1 forward, -1 backward
	kills  [][]rune
	yanked [2]int // what the last yank put in
	ahead  int    // the byte behind the key, -1 when none has arrived
	next   int    // line of history Ctrl-O wants after this one, 0 is none
	tabbed bool   // the last completion changed the line
	twice  bool   // an escape arrived together with the key being taken
	wanted int    // a numeric argument given to the running command, -1 is none
	nth    int    // the word Alt-. takes, -1 is the last
	silent bool   // echo is off: nothing is shown
	burst  bool   // more text follows at once
}

// New returns an editor for a terminal.
func New(term Terminal, cols int, g Guide) *Editor {
	return &Editor{d: display{term: term, cols: max(cols, 2)}, guide: g}
}

// Resize sets the number of columns.
func (e *Editor) Resize(cols int) { e.d.cols, e.typing = max(cols, 2), false }

// SetTerminal is for a TERM that has changed.
func (e *Editor) SetTerminal(term Terminal) { e.d.term = term }

// Resized redraws the line for a terminal that has cols columns now: what is
// shown is wiped row by row and written again.
func (e *Editor) Resized(cols int) {
	e.d.puts("\r")
	for row := e.d.row; row > 0; row-- {
		e.d.puts(e.d.term.Erase + "\r\x1b[A")
	}
	e.d.puts(e.d.term.Erase + "\r")
	e.d.cols = max(cols, 2)
	e.d.forget()
	e.d.puts(e.shown)
	rows, row, col := e.d.layout(e.prompt, len(e.prompt))
	e.d.rows, e.d.row, e.d.col = rows, row, col
	e.refresh()
}

// Pending reports keys that are the beginning of a longer sequence and mean
// something themselves: after a moment they count, see Expire.
func (e *Editor) Pending() bool {
	k := string(e.keys)
	return k == "\x1b\x1b" && !e.paste
}

// Expire carries out the keys that are pending.
func (e *Editor) Expire() Result {
	e.keys = nil
	return e.run("complete")
}

// Silence switches the echo of what is typed off and on: stty -echo.
func (e *Editor) Silence(on bool) { e.silent, e.typing = on, false }

// Line returns the accepted line.
func (e *Editor) Line() string { return encode(e.buf) }

// Take returns the bytes to be sent.
func (e *Editor) Take() []byte {
	if e.d.out.Len() == 0 {
		return nil
	}
	b := append([]byte(nil), e.d.out.Bytes()...)
	e.d.out.Reset()
	return b
}

// Start begins a line with a prompt. Parts of it between \x01 and \x02 take no
// room on the screen.
func (e *Editor) Start(prompt string) {
	e.buf, e.pos, e.undo, e.keys, e.utf, e.quoted, e.last = nil, 0, nil, nil, nil, false, ""
	e.typing = false
	e.hist = append([]string(nil), e.guide.History()...)
	e.undos = nil
	e.at, e.stash, e.search, e.ask, e.active, e.paste, e.dotted = len(e.hist), nil, nil, nil, false, false, 0
	e.arg, e.seek = nil, 0
	e.setPrompt(prompt)
	e.d.forget()
	if e.d.term.Bracketed {
		e.d.puts("\x1b[?2004h")
	}
	e.printPrompt()
	if n := e.next; n > 0 && n < len(e.hist) {
		e.at = n
		e.set(decode(e.hist[n]))
		e.refresh()
	}
	e.next = 0
}

func (e *Editor) setPrompt(prompt string) {
	e.head = ""
	if i := strings.LastIndexByte(prompt, '\n'); i >= 0 {
		e.head, prompt = strings.ReplaceAll(prompt[:i+1], "\n", "\r\r\n"), prompt[i+1:]
	}
	var visible []rune
	var all strings.Builder
	inside := false
	for _, r := range prompt {
		switch {
		case r == 1:
			inside = true
		case r == 2:
			inside = false
		default:
			all.WriteRune(r)
			if !inside {
				visible = append(visible, r)
			}
		}
	}
	e.shown = all.String()
	e.head = strings.NewReplacer("\x01", "", "\x02", "").Replace(e.head)
	e.prompt, _ = cells(visible, nil, 0)
}

// printPrompt writes the prompt with its invisible parts.
func (e *Editor) printPrompt() {
	e.d.puts(e.head + e.shown)
	rows, row, col := e.d.layout(e.prompt, len(e.prompt))
	e.d.rows, e.d.row, e.d.col = rows, row, col
}

// redraw shows the prompt and the line on a fresh row.
func (e *Editor) redraw() {
	e.d.forget()
	e.printPrompt()
	e.refresh()
}

// refresh brings the screen up to date.
func (e *Editor) refresh() {
	if e.silent || e.ask != nil {
		return
	}
	if e.search != nil {
		e.search.show(e)
		return
	}
	var face func(int) bool
	if e.active {
		face = func(i int) bool { return i >= e.region[0] && i < e.region[1] }
	}
	text, index := cells(e.buf, face, len(e.prompt))
	e.d.show(append(append([]cell(nil), e.prompt...), text...), len(e.prompt)+index[e.pos])
}

func (e *Editor) bell() { e.d.puts("\a") }

// Key takes one byte the attacker typed. next is the byte that has already
// arrived behind it, -1 when there is none: text that comes in one piece is
// shown in one piece.
func (e *Editor) Key(b byte, next int) Result {
	e.burst = next >= ' ' && next != 0x7f
	e.ahead = next
	typing := e.typing
	e.typing = false
	switch {
	case b == 3: // the driver makes a signal of it whatever is being read
		e.quoted, e.keys, e.utf, e.paste, e.ask = false, nil, nil, false, nil
		return e.run("interrupt")
	case e.ask != nil:
		return e.answer(b)
	case e.search != nil && b == 0x1b && next < 0:
		e.search.end(e, e.search.at)
		return More
	case e.seek != 0:
		e.charSearch(rune(b))
		return More
	case e.arg != nil && len(e.keys) == 0:
		if done, r := e.argument(b); done {
			return r
		}
	case e.paste:
		e.pasted(b)
		return More
	case e.quoted:
		e.quoted = false
		e.insert(rune(b))
		e.refresh()
		return More
	case len(e.utf) > 0 || b >= 0x80 && len(e.keys) == 0:
		e.multibyte(b, typing)
		return More
	}
	e.keys = append(e.keys, b)
	if len(e.keys) == 1 {
		e.twice = b == 0x1b && next == 0x1b
	} else if e.twice && string(e.keys) == "\x1b\x1b" && next < 0 {
		return e.Expire() // two escapes in one piece do not wait for more
	}
	if typing && len(e.keys) == 1 && b >= ' ' && b < 0x7f && e.typeBehind(rune(b)) {
		e.keys = nil
		return More
	}
	return e.sequence()
}

// typeBehind shows a character typed behind others at the end of the line. It
// does what a whole refresh does at a cost that does not grow with the line.
func (e *Editor) typeBehind(r rune) bool {
	if e.burst || e.silent || e.active || e.search != nil || len(e.buf) >= maxLine || !e.d.roomBehind() {
		return false
	}
	shown, _ := cells([]rune{r}, nil, 0)
	if len(shown) != 1 || shown[0].width() != 1 {
		return false
	}
	e.insert(r)
	e.done("insert")
	e.d.behind(shown[0])
	e.typing = true
	return true
}

// multibyte gathers the bytes of a character. typing says that the character
// before it was typed at the end of the line, and is shown.
func (e *Editor) multibyte(b byte, typing bool) {
	e.utf = append(e.utf, b)
	if !utf8.FullRune(e.utf) && len(e.utf) < utf8.UTFMax {
		e.typing = typing
		return
	}
	rs := decode(string(e.utf))
	e.utf = nil
	if e.search != nil {
		for _, r := range rs {
			e.search.key(e, r)
		}
		return
	}
	if typing && len(rs) == 1 && e.typeBehind(rs[0]) {
		return
	}
	e.deactivate()
	for _, r := range rs {
		e.insert(r)
	}
	e.done("insert")
	e.refreshInsert()
	e.typing = !e.burst && e.pos == len(e.buf)
}

// refreshInsert shows what was inserted unless more is about to come.
func (e *Editor) refreshInsert() {
	if !e.burst {
		e.refresh()
	}
}

// sequence looks the pending keys up.
func (e *Editor) sequence() Result {
	k := string(e.keys)
	if len(k) == 1 && k[0] >= ' ' && k[0] < 0x7f {
		e.keys = nil
		if e.search != nil {
			e.search.key(e, rune(k[0]))
			return More
		}
		e.deactivate()
		for range e.count() {
			e.insert(rune(k[0]))
		}
		e.done("insert")
		e.refreshInsert()
		e.typing = !e.burst && e.pos == len(e.buf)
		return More
	}
	if len(k) == 2 && k[0] == 0x1b && (k[1] >= '0' && k[1] <= '9' || k[1] == '-') {
		e.keys = nil
		e.beginArgument(k[1])
		return More
	}
	name, bound := bindings[k]
	if isPrefix(k) {
		return More
	}
	e.keys = nil
	if !bound {
		if k == "\x1b\x1b" || strings.HasPrefix(k, "\x1b\x1b") && len(k) == 3 {
			// Two escapes complete; the key behind them stands for itself.
			e.run("complete")
			return e.Key(k[2], -1)
		}
		e.bell()
		return More
	}
	return e.run(name)
}

// run carries out a command and shows its effect.
func (e *Editor) run(name string) Result {
	if e.search != nil {
		if r, done := e.search.command(e, name); done {
			return r
		}
	}
	if name != "yank-last-arg" {
		e.dotted = 0
	}
	if name != "paste" {
		e.deactivate()
	}
	switch name {
	case "comment":
		e.pos = 0
		e.insertAll([]rune{'#'})
		e.refresh()
		e.leave()
		return Accept
	case "operate":
		if e.at < len(e.hist) {
			e.next = e.at + 1
		}
		return e.run("accept")
	case "accept":
		if e.wasActive() {
			e.refreshAccept()
		}
		e.pos = len(e.buf)
		if e.d.row < len(e.d.rows)-1 || e.wasActive() {
			e.refreshAccept()
		}
		e.leave()
		return Accept
	case "interrupt":
		return e.interrupt()
	case "suspend":
		return Suspend
	case "eof":
		if len(e.buf) == 0 && e.last != "eof" {
			e.fini("\r\n")
			return EndOfFile
		}
		name = "delete-char"
	}
	ok := true
	n := e.count()
	if name == "yank-last-arg" {
		n = 1
	}
	for ; n > 0 && ok; n-- {
		ok = e.edit(name)
	}
	e.done(name)
	if !ok {
		e.bell()
	}
	if ok || name == "complete" {
		e.refresh()
	}
	return More
}

// done remembers what the last command was.
func (e *Editor) done(name string) {
	if name == "insert" && e.killed && e.ahead >= 0 {
		// Text typed in one piece with the key behind it does not come between
		// two kills.
		e.last = name
		return
	}
	e.killed = strings.HasPrefix(name, "kill") || strings.HasPrefix(name, "backward-kill") || name == "unix-line-discard" || name == "unix-word-rubout"
	e.last = name
}

// wasActive reports whether pasted text has to be shown plain again.
func (e *Editor) wasActive() bool {
	for _, r := range e.d.rows {
		for _, c := range r {
			if c.face {
				return true
			}
		}
	}
	return false
}

// refreshAccept shows the line as it is left: plain. The cursor stays where the
// update leaves it when only it would have to move.
func (e *Editor) refreshAccept() {
	if e.wasActive() {
		e.refresh()
	}
}

// leave ends the line on the screen.
func (e *Editor) leave() {
	if e.silent {
		e.fini("\r\n")
		return
	}
	e.d.finish()
	if e.d.term.Bracketed {
		e.d.puts("\x1b[?2004l\r")
	}
}

// fini switches bracketed paste off before what follows.
func (e *Editor) fini(then string) {
	if e.d.term.Bracketed {
		e.d.puts("\x1b[?2004l\r")
	}
	e.d.puts(then)
	e.d.forget()
}

// interrupt is Ctrl-C: readline cleans up, is set up again by the signal's
// handler and cleaned up a second time. The new line comes from the shell, after
// its trap has run.
func (e *Editor) interrupt() Result {
	if e.d.term.Bracketed {
		e.d.puts("^C\x1b[?2004l\r\x1b[?2004h\x1b[?2004l\r")
	} else {
		e.d.puts("^C")
	}
	e.search = nil
	e.d.forget()
	return Interrupt
}
