package lineedit

// Settings are what the variables and bindings of a shell make of its editor.
type Settings struct {
	Keymaps    *Keymaps
	Vi         bool
	NoPaste    bool   // bracketed paste is not asked for
	NoRegion   bool   // what was pasted or marked is not shown in reverse video
	Silent     bool   // no bell
	ListAtOnce bool   // the first Tab lists what a word may become
	IgnoreCase bool   // Tab does not tell capitals from small letters
	AskAbove   int    // candidates that are shown without asking; 0 shows all
	Comment    string // what Alt-# puts in front of the line
	Version    string // what Ctrl-X Ctrl-V shows
	FirstLine  int    // the number of the oldest line of history
	Preset     string // the line begins with
	Limit      int    // characters after which the line is complete; 0 is none
}

// Configure sets what holds for the lines to come.
func (e *Editor) Configure(s Settings) {
	e.settings = s
	e.keymaps = s.Keymaps
	if e.vi.on != s.Vi {
		e.vi.on, e.vi.insert, e.vi.replacing = s.Vi, s.Vi, false
	}
}

// Execution is the line of the shell behind the key that was typed.
func (e *Editor) Execution() string { return e.execute }

// Begin makes room on the screen for what a bound line of the shell writes, and
// returns the line being edited and where its cursor is, in characters.
func (e *Editor) Begin() (line string, point int) {
	e.clearRows()
	return encode(e.buf), e.pos
}

// Resume goes on with a line behind what a bound line wrote.
func (e *Editor) Resume(line string, point int) {
	if line != encode(e.buf) {
		e.together(func() {
			e.remove(0, len(e.buf))
			e.pos = 0
			e.insertAll(decode(line))
		})
	}
	e.pos = max(0, min(point, len(e.buf)))
	e.viCheck()
	e.redraw()
}

// clearRows wipes what is shown; the cursor is where the prompt began.
func (e *Editor) clearRows() {
	if e.d.term.Erase == "" {
		e.d.puts("\r\n")
		e.d.forget()
		return
	}
	e.wipeRows()
	e.d.forget()
}

// wipeRows wipes the rows from the cursor's up to the first.
func (e *Editor) wipeRows() {
	e.d.puts("\r")
	for row := e.d.row; row > 0; row-- {
		e.d.puts(e.d.term.Erase + "\r\x1b[A")
	}
	e.d.puts(e.d.term.Erase + "\r")
}
