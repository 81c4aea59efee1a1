package lineedit

import (
	"cmp"
	"strings"
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
	Execute                 // a key with a command of the shell: see Execution
)

// A Guide answers what the editor cannot know.
type Guide interface {
	// History returns the lines remembered, oldest first.
	History() []string
	// Complete returns the candidates for the word that ends at point and where
	// it begins.
	Complete(line string, point int) Completion
	// CompleteAs is Complete for one kind of words: command, filename, username,
	// hostname or variable.
	CompleteAs(kind, line string, point int) Completion
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
	typing bool     // the last key was a character at the end, and is shown
	ring   [][]rune // what was killed, oldest first
	pick   int      // the one yank takes
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
	seek   int    // the next key is looked for: 1 forward, -1 backward
	yanked [2]int // what the last yank put in
	ahead  int    // the byte behind the key, -1 when none has arrived
	next   int    // line of history Ctrl-O wants after this one, 0 is none
	tabbed bool   // the last completion changed the line
	twice  bool   // an escape arrived together with the key being taken
	wanted int    // a numeric argument given to the running command, -1 is none
	nth    int    // the word Alt-. takes, -1 is the last
	silent bool   // echo is off: nothing is shown
	burst  bool   // more text follows at once

	keymaps  *Keymaps
	vi       vi
	macro    macro
	key      byte // the last one of the command under way
	before   int  // the byte before the one being taken, -1 at the start of a line
	explicit bool // the running command was given a number
	waiting  func(r rune) bool
	execute  string
	mark     int
	number   int  // of the running command
	length   int  // of the keys of the running command
	undoFrom int  // changes there were when the insertion began
	open     int  // the group of vi's insertion under way
	apart    bool // insertions do not join
	moving   bool // a motion for d, c or y
	killing  bool // the running command killed
	nsearch  *nonInc
	prefix   []rune // history-search looks for
	looked   int    // line of history it found
	sought   []rune // by the last Ctrl-R
	settings Settings
	overtype bool   // characters take the place of others
	banner   []cell // shown instead of the prompt
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
	e.wipeRows()
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
	if len(e.keys) == 0 || e.paste {
		return false
	}
	_, bound, longer := e.keymaps.lookup(e.keymap(), string(e.keys))
	return bound && longer
}

// Expire carries out the keys that are pending.
func (e *Editor) Expire() Result {
	b, _, _ := e.keymaps.lookup(e.keymap(), string(e.keys))
	e.keys = nil
	return e.perform(b)
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
	e.arg, e.seek, e.before = nil, 0, -1
	e.mark, e.overtype = 0, false
	e.startVi()
	e.setPrompt(prompt)
	e.d.forget()
	if e.bracketed() {
		e.d.puts("\x1b[?2004h")
	}
	e.printPrompt()
	if e.settings.Preset != "" {
		e.insertAll(decode(e.settings.Preset))
		e.refresh()
	}
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
		from, to := e.region[0], e.region[1]
		face = func(i int) bool { return i >= from && (i < to || from == to) }
	}
	front := e.prompt
	if e.banner != nil {
		front = e.banner
	}
	text, index := cells(e.buf, face, len(front))
	e.d.show(append(append([]cell(nil), front...), text...), len(front)+index[e.pos])
}

func (e *Editor) bell() {
	if !e.settings.Silent {
		e.d.puts("\a")
	}
}

func (e *Editor) comment() string { return cmp.Or(e.settings.Comment, "#") }

// bracketed reports whether the terminal is asked to bracket what is pasted.
func (e *Editor) bracketed() bool { return e.d.term.Bracketed && !e.settings.NoPaste }

// done remembers what the last command was.
func (e *Editor) done(name string) {
	if name == "insert" && e.killed && e.ahead >= 0 {
		// Text typed in one piece with the key behind it does not come between
		// two kills.
		e.last = name
		return
	}
	e.killed = e.killing || strings.HasPrefix(name, "kill") || strings.HasPrefix(name, "backward-kill") || name == "unix-line-discard" || name == "unix-word-rubout"
	e.last, e.killing = name, false
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
	if e.bracketed() {
		e.d.puts("\x1b[?2004l\r")
	}
}

// fini switches bracketed paste off before what follows.
func (e *Editor) fini(then string) {
	if e.bracketed() {
		e.d.puts("\x1b[?2004l\r")
	}
	e.d.puts(then)
	e.d.forget()
}

// interrupt is Ctrl-C: readline cleans up, is set up again by the signal's
// handler and cleaned up a second time. The new line comes from the shell, after
// its trap has run.
func (e *Editor) interrupt() Result {
	e.d.puts("^C")
	e.d.vertical(max(e.d.row, len(e.d.rows)-1)) // below a line that goes over several rows
	if e.bracketed() {
		e.d.puts("\x1b[?2004l\r\x1b[?2004h\x1b[?2004l\r")
	}
	e.search = nil
	e.d.forget()
	return Interrupt
}
