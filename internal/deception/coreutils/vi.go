package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func editorCommands(name string) Command {
	switch name {
	case "vi", "vim", "vim.tiny", "view", "ex":
		return vi
	case "nano", "editor", "pico", "rnano":
		return nano
	case "ed":
		return editor
	}
	return nil
}

// maxEdited bounds a file an editor opens.
const maxEdited = 1 << 20

// A sheet is the text an editor holds.
type sheet struct {
	p       *Proc
	name    string
	lines   []string
	isNew   bool
	changed bool
	x, y    int // the cursor
	top     int // first line on the screen
}

func (p *Proc) openSheet(name string) (*sheet, error) {
	t := &sheet{p: p, name: name, lines: []string{""}}
	if name == "" {
		return t, nil
	}
	i, err := p.stat(name)
	switch {
	case err != nil:
		t.isNew = why(err) == vfs.ENOENT.Error()
		if !t.isNew {
			return t, err
		}
		return t, nil
	case i.IsDir():
		return t, vfs.EISDIR
	case i.Size > maxEdited:
		return t, vfs.ENOMEM
	}
	f, err := p.openFile(name)
	if err != nil {
		return t, err
	}
	b, _ := p.all(f)
	_ = f.Close()
	if len(b) > 0 {
		t.lines = strings.Split(strings.TrimSuffix(string(b), "\n"), "\n")
	}
	return t, nil
}

func (t *sheet) bytes() int {
	n := 0
	for _, l := range t.lines {
		n += len(l) + 1
	}
	return n
}

// save writes the text to name.
func (t *sheet) save(name string) error {
	f, err := t.p.FS.Open(t.p.Cred, t.p.path(name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o666&^t.p.Umask)
	if err != nil {
		return err
	}
	_, err = f.Write([]byte(strings.Join(t.lines, "\n") + "\n"))
	if e := f.Close(); err == nil {
		err = e
	}
	if err == nil {
		t.changed, t.isNew = false, false
	}
	return err
}

func (t *sheet) line() string { return t.lines[t.y] }

func (t *sheet) insert(s string) {
	t.p.alloc(len(s))
	t.changed = true
	l := t.line()
	t.x = min(t.x, len(l))
	t.lines[t.y] = l[:t.x] + s + l[t.x:]
	t.x += len(s)
}

// split breaks the line at the cursor.
func (t *sheet) split() {
	l := t.line()
	t.x = min(t.x, len(l))
	t.open(t.y+1, l[t.x:])
	t.lines[t.y] = l[:t.x]
	t.y, t.x = t.y+1, 0
}

// open puts a new line at index at.
func (t *sheet) open(at int, s string) {
	t.p.alloc(16 + len(s))
	t.changed = true
	t.lines = append(t.lines[:at:at], append([]string{s}, t.lines[at:]...)...)
}

// rub deletes the character before the cursor, joining lines at the start.
func (t *sheet) rub() bool {
	switch l := t.line(); {
	case t.x > 0:
		t.lines[t.y] = l[:t.x-1] + l[min(t.x, len(l)):]
		t.x--
	case t.y > 0:
		t.x = len(t.lines[t.y-1])
		t.lines[t.y-1] += l
		t.cut(t.y)
		t.y--
	default:
		return false
	}
	t.changed = true
	return true
}

// cut removes a line; the last one only becomes empty.
func (t *sheet) cut(at int) {
	t.changed = true
	if len(t.lines) == 1 {
		t.lines[0] = ""
		return
	}
	t.lines = append(t.lines[:at:at], t.lines[at+1:]...)
}

// vim is the editor vim.tiny.
type vim struct {
	*sheet
	s       *display
	shown   []string // rows as they are on the screen
	tinted  bool     // the colour of the tildes is on
	mode    byte     // n, i, or : / ? while a line is typed at the bottom
	typed   string   // at the bottom
	pending string   // of a command of several keys
	count   int
	yank    []string
	find    string
	undo    []string
	bottom  string // message to show
	done    bool
	status  int

	row, col int    // where the terminal's cursor is
	added    string // typed since the last showing, when that is all that changed
	adding   bool
	quiet    bool // the chunk has shown itself
}

func vi(p *Proc) int {
	var files []string
	at := ""
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "--version":
			p.print("VIM - Vi IMproved 9.0 (2022 Jun 28, compiled Oct 28 2025 21:31:11)\n")
			return 0
		case a == "-u" || a == "-c" || a == "-S" || a == "-T" || a == "-i":
			i++
		case strings.HasPrefix(a, "+"):
			at = a[1:]
		case strings.HasPrefix(a, "-") && len(a) > 1:
		default:
			files = append(files, a)
		}
	}
	s, ok := p.openScreen()
	if !ok {
		return editor(p)
	}
	defer s.close()
	v := &vim{s: s, mode: 'n'}
	name := ""
	if len(files) > 0 {
		name = files[0]
	}
	t, err := p.openSheet(name)
	v.sheet = t
	v.start(err)
	if n, e := strconv.Atoi(at); e == nil && n > 0 {
		v.y = min(n, len(v.lines)) - 1
	} else if at != "" || strings.Contains(strings.Join(p.Args, " "), "+ ") {
		v.y = len(v.lines) - 1
	}
	for !v.done {
		keys, ok := s.chunk()
		if !ok {
			break
		}
		v.chunk(keys)
	}
	return v.status
}

// What vim.tiny sends a terminal of the xterm family.
const (
	vimOpen   = "\x1b[?1049h\x1b[22;0;0t\x1b[>4;2m\x1b[?1h\x1b=\x1b[?2004h\x1b[1;24r\x1b[?12h\x1b[?12l\x1b[22;2t\x1b[22;1t\x1b[27m\x1b[23m\x1b[29m\x1b[m\x1b[H\x1b[2J\x1b[?25l"
	vimQuit   = "\x1b[?2004l\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t\x1b[?25h\x1b[>4;m"
	vimTitles = "\x1b[23;2t\x1b[23;1t"
	vimTyping = "\x1b[?2004l\x1b[>4;m"
	vimNormal = "\x1b[?2004h\x1b[>4;2m"
)

func (v *vim) last() string { return "\x1b[" + strconv.Itoa(v.s.rows) + ";1H" }

func (v *vim) start(err error) {
	msg := ""
	switch {
	case v.name == "":
	case err == vfs.EISDIR:
		msg = "\"" + v.name + "\" is a directory"
	case err != nil:
		msg = "\"" + v.name + "\" [Permission Denied]"
	case v.isNew:
		msg = "\"" + v.name + "\" [New File]"
	default:
		msg = "\"" + v.name + "\" " + strconv.Itoa(len(v.lines)) + " line" + pluralS(len(v.lines)) + ", " + strconv.Itoa(v.bytes()) + " bytes"
	}
	rows := v.s.rows - 1
	var b strings.Builder
	b.WriteString(strings.Replace(vimOpen, "\x1b[1;24r", "\x1b[1;"+strconv.Itoa(v.s.rows)+"r", 1) + v.last() + msg)
	n := min(len(v.lines), rows)
	if v.isNew || v.name == "" || len(v.lines) == 1 && v.lines[0] == "" {
		n = 1
		b.WriteString("\x1b[2;1H")
	} else {
		b.WriteString("\x1b[1;1H")
		for _, l := range v.lines[:n] {
			b.WriteString(v.fit(l) + "\r\n")
		}
	}
	v.shown = nil
	for i := range rows {
		if i < n {
			v.shown = append(v.shown, v.fit(v.lines[i]))
			continue
		}
		if i == n {
			b.WriteString("\x1b[94m")
			v.tinted = true
		} else {
			b.WriteString("\x1b[" + strconv.Itoa(i+1) + ";1H")
		}
		b.WriteString("~" + strings.Repeat(" ", v.s.cols-1))
		v.shown = append(v.shown, "~")
	}
	v.s.show(b.String() + "\x1b[1;1H\x1b[?25h\x1b[?4m")
}

func pluralS(n int) string {
	if n == 1 {
		return ""
	}
	return "s"
}

// fit is a line as a row shows it; what does not fit is not wrapped here.
func (v *vim) fit(l string) string {
	l = strings.ReplaceAll(l, "\t", "        ")
	if r := []rune(l); len(r) > v.s.cols {
		l = string(r[:v.s.cols])
	}
	return l
}

// plainInk ends the colour of the tildes.
func (v *vim) plainInk() string {
	if v.tinted {
		v.tinted = false
		return "\x1b[m"
	}
	return ""
}

// redraw brings the rows that changed, the message and the cursor to the screen.
func (v *vim) redraw() {
	rows := v.s.rows - 1
	switch {
	case v.y < v.top:
		v.top = v.y
	case v.y >= v.top+rows:
		v.top = v.y - rows + 1
	}
	var b strings.Builder
	for i := range rows {
		row := "~"
		if v.top+i < len(v.lines) {
			row = v.fit(v.lines[v.top+i])
		}
		if v.shown[i] == row {
			continue
		}
		at := "\x1b[" + strconv.Itoa(i+1) + ";1H"
		if row == "~" && v.top+i >= len(v.lines) {
			b.WriteString(at + "\x1b[94m~\x1b[K")
			v.tinted = true
		} else if v.shown[i] == "~" && i == v.row+1 { // a new line below the cursor
			end := "\x1b[" + strconv.Itoa(i+1) + ";" + strconv.Itoa(len(row)+1) + "H"
			b.WriteString(v.plainInk() + "\r\n" + row + end + "\x1b[K")
		} else {
			b.WriteString(v.plainInk() + at + row + "\x1b[K")
		}
		v.shown[i] = row
	}
	if v.bottom != "" {
		b.WriteString(v.plainInk() + v.last() + "\x1b[K" + v.bottom)
		v.bottom = ""
	}
	if b.Len() == 0 {
		v.s.show(v.cursor(false))
		return
	}
	v.s.show("\x1b[?25l" + b.String() + v.cursor(true) + "\x1b[?25h")
}

// cursor moves the terminal's cursor to the editor's in the cheapest way.
func (v *vim) cursor(fixed bool) string {
	row, col := v.y-v.top, min(v.x, v.s.cols-1)
	r0, c0 := v.row, v.col
	v.row, v.col = row, col
	switch {
	case fixed:
	case row == r0 && col == c0:
		return ""
	case row == r0+1 && col == 0:
		return "\r\n"
	case row == r0 && col < c0 && c0-col < 4:
		return strings.Repeat("\b", c0-col)
	}
	return "\x1b[" + strconv.Itoa(row+1) + ";" + strconv.Itoa(col+1) + "H"
}

// chunk obeys what was typed in one go and shows the outcome once.
func (v *vim) chunk(keys []byte) {
	before := *v.sheet
	v.undoPoint(keys)
	v.adding, v.added, v.quiet = v.mode == 'i', "", false
	for i := 0; i < len(keys) && !v.done; i++ {
		v.p.step(2)
		c := keys[i]
		if c == 0x1b && i+2 < len(keys) && keys[i+1] == '[' {
			v.arrow(keys[i+2])
			i += 2
			v.adding = false
			continue
		}
		if v.mode == 'i' && c >= ' ' && c < 0x7f {
			v.added += string(c)
		} else {
			v.adding = false
		}
		v.obey(c)
	}
	switch {
	case v.done:
	case v.quiet:
	case v.adding && v.added != "" && v.y == before.y && v.top == before.top: // typed text: itself and what stands behind it
		rest := v.fit(v.line())[min(v.x, len(v.fit(v.line()))):]
		v.shown[v.y-v.top] = v.fit(v.line())
		v.row, v.col = v.y-v.top, min(v.x, v.s.cols-1)
		v.s.show("\x1b[?25l" + v.plainInk() + v.added + rest + strings.Repeat("\b", len(rest)) + "\x1b[?25h")
	case v.mode == ':' || v.mode == '/' || v.mode == '?':
		v.s.show("\x1b[?25l" + v.plainInk() + v.last() + "\x1b[K" + v.last() + string(v.mode) + v.typed + "\x1b[?25h")
	default:
		v.redraw()
	}
}

func (v *vim) undoPoint(keys []byte) {
	if v.mode == 'n' && len(v.lines) < 2000 && !(len(keys) == 1 && keys[0] == 'u') {
		v.undo = append([]string(nil), v.lines...)
	}
}

func (v *vim) arrow(c byte) {
	if k := strings.IndexByte("ABCD", c); k >= 0 {
		v.move("jklh"[[]int{1, 0, 2, 3}[k]])
	}
}

func (v *vim) obey(c byte) {
	switch v.mode {
	case 'i':
		v.insertKey(c)
	case ':', '/', '?':
		v.bottomKey(c)
	default:
		v.normalKey(c)
	}
}

func (v *vim) insertKey(c byte) {
	switch {
	case c == 0x1b || c == 3:
		v.mode = 'n'
		v.redraw()
		out := vimNormal
		if v.x > 0 {
			v.x--
			v.col = v.x
			out += "\b"
		}
		v.s.show(out + "\x1b[?4m")
	case c == '\r' || c == '\n':
		v.split()
	case c == 0x7f || c == 8:
		v.rub()
	case c == '\t' || c >= ' ':
		v.insert(string(rune(c)))
		if c >= 0x80 { // bytes of a character arrive one by one
			v.lines[v.y] = v.line()[:v.x-2] + string([]byte{c}) + v.line()[v.x:]
			v.x--
		}
	}
}

func (v *vim) typing() {
	v.mode = 'i'
	v.s.show(vimTyping + v.cursor(false))
	v.adding, v.added = true, ""
}

// move is one of the movements of a single key.
func (v *vim) move(c byte) bool {
	n := max(v.count, 1)
	switch c {
	case 'h':
		v.x = max(0, v.x-n)
	case 'l', ' ':
		v.x += n
	case 'j', '\r', '\n':
		v.y = min(v.y+n, len(v.lines)-1)
	case 'k':
		v.y = max(0, v.y-n)
	case '0':
		v.x = 0
	case '^':
		v.x = len(v.line()) - len(strings.TrimLeft(v.line(), " \t"))
	case '$':
		v.x = len(v.line())
	case 'G':
		v.y = len(v.lines) - 1
		if v.count > 0 {
			v.y = min(v.count, len(v.lines)) - 1
		}
	case 'w':
		rest := v.line()[min(v.x, len(v.line())):]
		if i := strings.IndexByte(rest, ' '); i >= 0 {
			v.x += i + 1
		} else if v.y+1 < len(v.lines) {
			v.y, v.x = v.y+1, 0
		}
	case 'b':
		v.x = strings.LastIndexByte(strings.TrimRight(v.line()[:min(v.x, len(v.line()))], " "), ' ') + 1
	case 6, 4:
		v.y = min(v.y+v.s.rows-3, len(v.lines)-1)
	case 2, 21:
		v.y = max(0, v.y-v.s.rows+3)
	default:
		return false
	}
	v.clamp()
	return true
}

func (v *vim) clamp() {
	limit := len(v.line())
	if v.mode == 'n' {
		limit = max(0, limit-1)
	}
	v.x = min(v.x, limit)
}

func (v *vim) normalKey(c byte) {
	if c >= '1' && c <= '9' || c == '0' && v.count > 0 {
		v.count = min(v.count*10+int(c-'0'), 100_000)
		return
	}
	if v.pending != "" {
		v.twoKeys(v.pending + string(c))
		v.pending, v.count = "", 0
		return
	}
	if v.move(c) {
		v.count = 0
		return
	}
	n := max(v.count, 1)
	v.count = 0
	switch c {
	case 'i':
		v.typing()
	case 'a':
		v.x = min(v.x+1, len(v.line()))
		v.typing()
	case 'A':
		v.x = len(v.line())
		v.typing()
	case 'I':
		v.x = 0
		v.typing()
	case 'o', 'O':
		at := v.y
		if c == 'o' {
			at++
		}
		v.open(at, "")
		v.y, v.x = at, 0
		v.redraw()
		v.typing()
	case 'x':
		if l := v.line(); v.x < len(l) {
			v.lines[v.y] = l[:v.x] + l[min(len(l), v.x+n):]
			v.changed = true
			v.clamp()
		}
	case 'D':
		v.lines[v.y], v.changed = v.line()[:min(v.x, len(v.line()))], true
		v.clamp()
	case 'J':
		if v.y+1 < len(v.lines) {
			v.lines[v.y] += " " + strings.TrimLeft(v.lines[v.y+1], " \t")
			v.cut(v.y + 1)
		}
	case 'p', 'P':
		at := v.y
		if c == 'p' {
			at++
		}
		for i, l := range v.yank {
			v.open(at+i, l)
		}
		if len(v.yank) > 0 {
			v.y, v.x = at, 0
		}
	case 'u':
		if v.undo != nil {
			v.lines, v.undo = v.undo, v.lines
			v.y = min(v.y, len(v.lines)-1)
			v.clamp()
		}
	case 'n':
		v.search()
	case ':', '/', '?':
		v.mode, v.typed = c, ""
	case 'd', 'y', 'Z', 'g', 'r', 'c':
		v.pending, v.count = string(c), n
	case 0x1b:
	case 3:
		v.bottom = "Type  :qa  and press <Enter> to exit Vim"
	default:
		v.s.show("\x07")
	}
}

func (v *vim) twoKeys(k string) {
	n := max(v.count, 1)
	switch k {
	case "dd", "yy", "cc":
		v.yank = append([]string(nil), v.lines[v.y:min(v.y+n, len(v.lines))]...)
		if k == "yy" {
			return
		}
		if k == "cc" {
			v.lines[v.y], v.x, v.changed = "", 0, true
			v.typing()
			return
		}
		for range min(n, len(v.lines)-v.y) {
			v.cut(min(v.y, len(v.lines)-1))
		}
		v.y = min(v.y, len(v.lines)-1)
		v.x = 0
	case "dw", "cw":
		l := v.line()
		end := v.x + strings.IndexByte(l[min(v.x, len(l)):]+" ", ' ')
		if k == "dw" {
			end++
		}
		v.lines[v.y], v.changed = l[:min(v.x, len(l))]+l[min(end, len(l)):], true
		if k == "cw" {
			v.typing()
		}
	case "d$":
		v.lines[v.y], v.changed = v.line()[:min(v.x, len(v.line()))], true
	case "dG":
		v.lines, v.changed = v.lines[:v.y], true
		if len(v.lines) == 0 {
			v.lines = []string{""}
		}
		v.y = max(0, len(v.lines)-1)
	case "gg":
		v.y, v.x = 0, 0
	case "ZZ":
		v.write(v.name, true, "")
	case "ZQ":
		v.leave("")
	default:
		if k[0] == 'r' && v.x < len(v.line()) {
			l := v.line()
			v.lines[v.y], v.changed = l[:v.x]+k[1:]+l[v.x+1:], true
		}
	}
}
