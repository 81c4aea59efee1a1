// Package lineedit is the line editor of a login shell, byte for byte as
// readline 8.2 drives a terminal: what is rewritten and what is not, when
// characters are inserted or deleted by the terminal, when the cursor goes back
// by a carriage return and when by backspaces. It reads nothing itself: it is
// fed with keys and leaves bytes to be sent.
package lineedit

import (
	"bytes"
	"strconv"
	"unicode"
	"unicode/utf8"
)

// A Terminal says what a terminal can do, from its TERM.
type Terminal struct {
	Bracketed bool   // bracketed paste is switched on
	Insert    bool   // can insert characters: ESC [ n @
	Delete    bool   // can delete characters: ESC [ n P
	Erase     string // clears to the end of the line, "" when it cannot
	Left      string // moves one column left
	Right     string // moves one column right, "" when it cannot
	Up        bool   // can move up
	Wraps     bool   // wraps at the last column only with the next character
	Clear     string // clears the screen
	Plain     bool   // has no reverse video
}

// TerminalFor returns what readline knows of a TERM.
func TerminalFor(term string) Terminal {
	t := Terminal{Bracketed: true, Insert: true, Delete: true, Erase: "\x1b[K", Left: "\b", Right: "\x1b[C", Up: true, Wraps: true, Clear: "\x1b[H\x1b[2J"}
	switch term {
	case "xterm", "xterm-256color", "rxvt", "xterm-color", "putty", "cygwin":
	case "linux", "screen", "screen-256color", "tmux", "tmux-256color":
		t.Clear = "\x1b[H\x1b[J"
	case "vt100", "vt102", "vt220":
		t.Insert, t.Delete = false, false
		t.Erase = "\x1b[K" + string(make([]byte, 12)) // 3 ms of padding
		t.Clear = "\x1b[H\x1b[J" + string(make([]byte, 213))
	case "ansi":
		t.Left, t.Wraps = "\x1b[D", false
		t.Clear = "\x1b[H\x1b[J"
	default:
		return Terminal{Left: "\b", Plain: true}
	}
	return t
}

// A cell is one character on the screen; what it shows may be two columns wide.
type cell struct {
	r    rune
	raw  string // shown instead of r: an invalid byte
	face bool   // in reverse video
	pad  bool   // stands where a wide character did not fit
	old  bool   // shown, but not to be relied on
}

func (c cell) width() int {
	switch {
	case c.raw != "":
		return 1
	case unicode.Is(unicode.Mn, c.r) || unicode.Is(unicode.Me, c.r) || c.r == 0x200b || c.r == 0x200d:
		return 0
	case wide(c.r):
		return 2
	}
	return 1
}

func wide(r rune) bool {
	return r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0x303e || r >= 0x3041 && r <= 0xa4cf && r != 0x303f ||
		r >= 0xac00 && r <= 0xd7a3 || r >= 0xf900 && r <= 0xfaff || r >= 0xfe30 && r <= 0xfe6f || r >= 0xff00 && r <= 0xff60 ||
		r >= 0xffe0 && r <= 0xffe6 || r >= 0x1f300 && r <= 0x1f64f || r >= 0x1f900 && r <= 0x1f9ff || r >= 0x20000 && r <= 0x3fffd)
}

func width(cs []cell) int {
	n := 0
	for _, c := range cs {
		n += c.width()
	}
	return n
}

// A display is what the terminal shows and where its cursor is.
type display struct {
	term     Terminal
	cols     int
	rows     [][]cell // shown
	next     [][]cell // being brought to the screen
	row, col int      // of the cursor
	out      bytes.Buffer
	face     bool
	atStart  bool // characters may be inserted in front of the prompt
}

func (d *display) puts(s string) { d.out.WriteString(s) }

// layout divides cells into screen rows. A newline in them begins a new one.
// at is the index of the cell under the cursor; its place is returned.
func (d *display) layout(cells []cell, at int) (rows [][]cell, row, col int) {
	from := 0 // rows are cut out of cells, not copied
	used := 0
	row = -1
	for i, c := range cells {
		if i == at {
			row, col = len(rows), used
		}
		if c.r == '\n' && c.raw == "" {
			rows = append(rows, cells[from:i:i])
			from, used = i+1, 0
			continue
		}
		w := c.width()
		if used+w > d.cols {
			full := cells[from:i:i]
			for ; used < d.cols; used++ { // a wide character does not fit
				full = append(full, cell{r: ' ', pad: true})
			}
			rows = append(rows, full)
			from, used = i, 0
			if i == at {
				row, col = len(rows), 0
			}
		}
		used += w
	}
	rows = append(rows, cells[from:len(cells):len(cells)])
	if at >= len(cells) {
		row, col = len(rows)-1, used
		if used == d.cols && d.term.Wraps { // the cursor needs a row of its own
			rows = append(rows, nil)
			row, col = row+1, 0
		}
	}
	return rows, row, col
}

// show brings the screen from what it shows to cells with the cursor at index at.
func (d *display) show(cells []cell, at int) {
	rows, row, col := d.layout(cells, at)
	d.next = rows
	last := len(rows) - 1
	for i := 0; i < max(len(rows), len(d.rows)); i++ {
		var old, fresh []cell
		if i < len(d.rows) {
			old = d.rows[i]
		}
		if i < len(rows) {
			fresh = rows[i]
		}
		if i >= len(rows) && len(old) == 0 { // wiped all the same
			d.vertical(i)
			d.horizontal(0)
			d.puts(d.term.Erase)
			continue
		}
		grows := i >= len(d.rows)-1 && last > len(d.rows)-1
		d.update(i, old, fresh, grows)
	}
	if len(rows) > len(d.rows) && len(rows[last]) == 0 && d.row < last {
		if d.col == d.cols && d.term.Wraps {
			d.puts(" ") // makes the terminal wrap
			d.row, d.col = last, 1
		} else {
			d.vertical(last) // a row the cursor needs although nothing is on it
		}
	}
	d.rows, d.next, d.atStart = rows, nil, false
	d.vertical(row)
	d.horizontal(col)
	d.setFace(false)
}

// update rewrites one row.
func (d *display) update(i int, old, fresh []cell, grows bool) {
	if d.col == d.cols && d.term.Wraps && d.row == i-1 && len(fresh) > 0 {
		// The first character makes the terminal wrap, wanted or not.
		if d.padded(i - 1) {
			d.puts(d.term.Erase)
		}
		d.row, d.col = i, 0
		d.print(fresh[:1])
		old = append(append([]cell(nil), fresh[0]), old[min(1, len(old)):]...)
	}
	from := 0
	for from < len(old) && from < len(fresh) && old[from] == fresh[from] {
		from++
	}
	if from == len(old) && from == len(fresh) {
		return
	}
	oe, ne := tails(old, fresh, from)
	d.vertical(i)
	d.horizontal(width(old[:from]))
	rest, insert := fresh[from:], fresh[from:ne]
	diff := width(fresh[from:ne]) - width(old[from:oe])
	switch {
	case diff > 0 && d.term.Insert && (!d.term.Wraps || !grows) && oe < len(old) && (i > 0 || from > 0 || d.atStart):
		d.puts("\x1b[" + strconv.Itoa(diff) + "@")
		d.print(insert)
	case diff > 0:
		d.print(rest)
	case d.term.Delete && !(from < len(old) && old[from].old) && 2*width(rest) >= -diff:
		if diff < 0 {
			d.puts("\x1b[" + strconv.Itoa(-diff) + "P")
		}
		d.print(insert)
	default:
		d.print(rest)
		if less := width(old) - width(fresh); less > 0 {
			d.erase(less)
		}
	}
}

// tails returns where the common ends of two rows begin, by readline's rule for
// locales with long characters: an end without a blank in it does not count.
func tails(old, fresh []cell, from int) (oe, ne int) {
	o, n := len(old)-1, len(fresh)-1
	whole := true
	for o > from && n > from && old[o] == fresh[n] {
		if old[o].r == ' ' {
			whole = false
		}
		o--
		n--
	}
	if whole || o < 0 || n < 0 {
		return len(old), len(fresh)
	}
	if old[o] != fresh[n] {
		o++
		n++
	}
	return max(o, from), max(n, from)
}

// erase clears n columns to the right.
func (d *display) erase(n int) {
	if d.term.Erase != "" {
		d.puts(d.term.Erase)
		return
	}
	d.puts(string(bytes.Repeat([]byte{' '}, n)))
	d.col += n
}

// print writes cells at the cursor.
func (d *display) print(cs []cell) {
	for _, c := range cs {
		d.setFace(c.face)
		if c.raw != "" {
			d.puts(c.raw)
		} else {
			d.out.WriteRune(c.r)
		}
		d.col += c.width()
	}
	d.setFace(false)
}

func (d *display) setFace(on bool) {
	switch {
	case d.term.Plain:
	case on && !d.face:
		d.puts("\x1b[7m")
	case !on && d.face:
		d.puts("\x1b[27m")
	}
	d.face = on
}

// vertical moves the cursor to a row: up by itself, down by newlines and a
// carriage return.
func (d *display) vertical(row int) {
	if row > d.row {
		for ; d.row < row; d.row++ {
			d.puts("\r\n")
		}
		d.puts("\r")
		d.col = 0
		return
	}
	for ; d.row > row; d.row-- {
		d.puts("\x1b[A")
	}
}

// horizontal moves the cursor within its row.
func (d *display) horizontal(col int) {
	if d.col == col {
		return
	}
	if d.col > col && (col == 0 || col+1 < d.col-col || d.col == d.cols && d.term.Wraps) {
		d.puts("\r")
		d.col = 0
	}
	if d.col < col && d.term.Right == "" { // what stands there is written again
		d.puts("\r")
		d.col = 0
		d.again(col)
	}
	for ; d.col < col; d.col++ {
		d.puts(d.term.Right)
	}
	for ; d.col > col; d.col-- {
		d.puts(d.term.Left)
	}
}

// padded reports a row of what is being shown that ends before the last column.
func (d *display) padded(i int) bool {
	n := 0
	if i < len(d.next) {
		n = len(d.next[i])
	}
	return n > 0 && d.next[i][n-1].pad
}

// again writes what the cursor's row shows up to a column.
func (d *display) again(col int) {
	if d.row >= len(d.rows) {
		return
	}
	n := 0
	for n < len(d.rows[d.row]) && width(d.rows[d.row][:n+1]) <= col {
		n++
	}
	d.print(d.rows[d.row][:n])
}

// roomBehind reports whether the cursor is behind all that is shown, with room
// for one more column before the terminal would wrap.
func (d *display) roomBehind() bool {
	last := len(d.rows) - 1
	return last >= 0 && d.row == last && d.col < d.cols-1 && d.col == width(d.rows[last])
}

// behind shows one more character there.
func (d *display) behind(c cell) {
	last := len(d.rows) - 1
	d.rows[last] = append(d.rows[last], c)
	d.print(d.rows[last][len(d.rows[last])-1:])
}

// finish leaves the line: the cursor goes below all that is shown.
func (d *display) finish() {
	bottom := len(d.rows) - 1
	if bottom > 0 && d.row == bottom && d.col == 0 && len(d.rows[bottom]) == 0 {
		bottom--
	}
	d.vertical(bottom)
	d.puts("\r\n")
	d.forget()
}

// forget is for a fresh line: nothing is shown.
func (d *display) forget() { d.rows, d.row, d.col = nil, 0, 0 }

// cells makes text visible: control characters are shown as ^X, tabs as blanks.
func cells(s []rune, face func(int) bool, base int) (out []cell, index []int) {
	col := base
	out, index = make([]cell, 0, len(s)), make([]int, 0, len(s)+1)
	for i, r := range s {
		index = append(index, len(out))
		f := face != nil && face(i)
		switch {
		case r == '\n':
			out = append(out, cell{r: r})
			col = 0
		case r == '\t':
			for n := 8 - col%8; n > 0; n-- {
				out = append(out, cell{r: ' ', face: f})
				col++
			}
		case r < ' ' || r == 0x7f:
			out = append(out, cell{r: '^', face: f}, cell{r: r ^ 0x40, face: f})
			col += 2
		case r == utf8.RuneError || r >= rawBase && r < rawBase+256:
			b := string([]byte{byte(r - rawBase)})
			if r == utf8.RuneError {
				b = "\xef\xbf\xbd"
			}
			out = append(out, cell{r: r, raw: b, face: f})
			col++
		default:
			c := cell{r: r, face: f}
			out = append(out, c)
			col += c.width()
		}
	}
	return out, append(index, len(out))
}

// rawBase lifts bytes that are no UTF-8 into a private plane of runes.
const rawBase = 0x10ff00

// distrust makes the next show draw everything: nothing on the screen counts as
// what it should be.
func (d *display) distrust() {
	for _, row := range d.rows {
		for i := range row {
			row[i].old = true
		}
	}
}
