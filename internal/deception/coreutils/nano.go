package coreutils

import (
	"strconv"
	"strings"
)

// nanoEditor is GNU nano 7.2.
type nanoEditor struct {
	*sheet
	s       *display
	marked  bool // the star of a changed text is shown
	message bool // a message stands above the help lines
	cut     []string
	done    bool
}

// What nano sends: reverse video on and off, and the help lines of its main menu.
const (
	nanoOn    = "\x1b(B\x1b[0;7m"
	nanoOff   = "\x1b(B\x1b[m"
	nanoHide  = "\x1b[?25l"
	nanoShow  = "\x1b[?12l\x1b[?25h"
	nanoOpen  = "\x1b[?2004h\x1b[?1049h\x1b[22;0;0t\x1b[1;24r\x1b(B\x1b[m\x1b[4l\x1b[?7h\x1b[39;49m\x1b[?1h\x1b=\x1b[?1h\x1b=\x1b[?25l\x1b[39;49m\x1b(B\x1b[m\x1b[H\x1b[2J"
	nanoHelp1 = "^G|Help\x1b[14G^O|Write Out ^W|Where Is  ^K|Cut\x1b[53G^T|Execute   ^C|Location"
	nanoHelp2 = "^X|Exit\x1b[14G^R|Read File ^\\|Replace   ^U|Paste     ^J|Justify   ^/|Go To Line"
)

func nano(p *Proc) int {
	var files []string
	for _, a := range p.Args[1:] {
		switch {
		case a == "--version" || a == "-V":
			p.print(" GNU nano, version 7.2\n")
			return 0
		case strings.HasPrefix(a, "-") || strings.HasPrefix(a, "+"):
		default:
			files = append(files, a)
		}
	}
	s, ok := p.openScreen()
	if !ok {
		p.complain("Standard input is not a terminal\n")
		return 1
	}
	defer s.close()
	name := ""
	if len(files) > 0 {
		name = files[0]
	}
	t, err := p.openSheet(name)
	n := &nanoEditor{sheet: t, s: s}
	n.start(err)
	for !n.done {
		keys, ok := s.chunk()
		if !ok {
			break
		}
		n.obey(keys)
	}
	return 0
}

// help is a row of the menu: keys in reverse before their words.
func (n *nanoEditor) help(row string) string {
	for _, k := range []string{"^G", "^O", "^W", "^K", "^T", "^C", "^X", "^R", "^\\", "^U", "^J", "^/", "^P", "^N", "M-D", "M-A", "M-B", "M-M", "M-P", "M-C", "M-R"} {
		row = strings.Replace(row, k+"|", nanoOn+k+nanoOff+" ", 1)
	}
	return row
}

func (n *nanoEditor) row(r int) string { return "\x1b[" + strconv.Itoa(r) + "d" }

// bar is the row of messages.
func (n *nanoEditor) bar() int { return n.s.rows - 2 }

// note centres a message in its row.
func (n *nanoEditor) note(text string) string {
	text = "[ " + text + " ]"
	return "\x1b[" + strconv.Itoa(n.bar()) + ";" + strconv.Itoa((n.s.cols-len(text))/2+1) + "H" + nanoOn + text + nanoOff
}

// noteOver is note where a question stood: what is before it is wiped.
func (n *nanoEditor) noteOver(text string) string {
	text = "[ " + text + " ]"
	return "\x1b[" + strconv.Itoa(n.bar()) + ";" + strconv.Itoa((n.s.cols-len(text))/2) + "H\x1b[1K " + nanoOn + text + nanoOff + "\x1b[K"
}

// title is where the name stands in the first row.
func (n *nanoEditor) title() (at int, name string) {
	name = n.name
	if name == "" {
		name = "New Buffer"
	}
	return (n.s.cols + 5 - len(name)) / 2, name
}

func (n *nanoEditor) start(err error) {
	out := strings.Replace(nanoOpen, "\x1b[1;24r", "\x1b[1;"+strconv.Itoa(n.s.rows)+"r", 1)
	switch {
	case err != nil:
		out += n.note("Error reading " + n.name + ": " + why(err))
	case n.name == "":
	case n.isNew:
		out += n.note("New File")
	default:
		k := len(n.lines)
		out += n.note("Reading...") + n.note("Read "+strconv.Itoa(k)+" line"+pluralS(k))
	}
	n.message = n.name != ""
	at, name := n.title()
	head := "  GNU nano 7.2"
	head += strings.Repeat(" ", max(1, at-len(head))) + name
	head += strings.Repeat(" ", max(0, n.s.cols-len(head)))
	out += "\x1b[H" + nanoOn + head + "\x1b[1;" + strconv.Itoa(n.s.cols-1) + "H" + nanoOff
	out += n.menu()
	if !n.isNew && err == nil && n.name != "" {
		for i := range min(len(n.lines), n.bar()-2) {
			if n.lines[i] != "" {
				out += "\r" + n.row(2+i) + n.fit(n.lines[i])
			}
		}
	}
	n.s.show(out + "\r" + n.row(2) + nanoShow)
}

func (n *nanoEditor) menu() string {
	return "\r" + n.row(n.s.rows-1) + n.help(nanoHelp1) + "\r" + n.row(n.s.rows) + n.help(nanoHelp2)
}

func (n *nanoEditor) fit(l string) string {
	l = strings.ReplaceAll(l, "\t", "        ")
	if r := []rune(l); len(r) >= n.s.cols {
		l = string(r[:n.s.cols-1]) + ">"
	}
	return l
}

// star marks or unmarks a changed text in the title.
func (n *nanoEditor) star() string {
	if n.changed == n.marked {
		return ""
	}
	n.marked = n.changed
	c := " "
	if n.changed {
		c = "*"
	}
	at, name := n.title()
	return "\x1b[1;" + strconv.Itoa(at+len(name)+2) + "H" + nanoOn + c + "\x1b[" + strconv.Itoa(n.s.cols-1) + "G" + nanoOff
}

func (n *nanoEditor) cursor() string {
	out := "\r" + n.row(2+n.y-n.top)
	if n.x > 0 {
		out += "\x1b[" + strconv.Itoa(min(n.x, n.s.cols-1)+1) + "G"
	}
	return out
}

// redraw shows all rows of text again.
func (n *nanoEditor) redraw() {
	rows := n.bar() - 2
	switch {
	case n.y < n.top:
		n.top = n.y
	case n.y >= n.top+rows:
		n.top = n.y - rows + 1
	}
	out := nanoHide + n.star()
	for i := range rows {
		out += "\r" + n.row(2+i)
		if n.top+i < len(n.lines) {
			out += n.fit(n.lines[n.top+i])
		}
		out += "\x1b[K"
	}
	n.s.show(out + nanoShow + n.cursor())
}

// obey takes what was typed in one go.
func (n *nanoEditor) obey(keys []byte) {
	plain := ""
	for _, c := range keys {
		if c < ' ' || c == 0x7f {
			plain = ""
			break
		}
		plain += string([]byte{c})
	}
	if plain != "" && n.x == len(n.line()) { // text at the end of a line shows itself
		n.insert(plain)
		if !n.marked {
			n.s.show(nanoHide + n.star() + nanoShow + "\r" + n.row(2+n.y-n.top) + n.fit(n.line()))
			return
		}
		n.s.show(nanoHide + nanoShow + plain)
		return
	}
	if len(keys) == 1 && keys[0] == '\r' && n.y == len(n.lines)-1 && n.x == len(n.line()) && n.y-n.top < n.bar()-4 {
		n.split()
		n.s.show(nanoHide + n.star() + "\r" + n.row(2+n.y-n.top) + nanoShow)
		return
	}
	for i := 0; i < len(keys) && !n.done; i++ {
		n.p.step(2)
		if keys[i] == 0x1b && i+2 < len(keys) && (keys[i+1] == '[' || keys[i+1] == 'O') {
			n.arrow(keys[i+2])
			i += 2
			continue
		}
		n.s.buf = append([]byte(nil), keys[i+1:]...)
		n.key(keys[i])
		rest := n.s.buf
		n.s.buf = nil
		keys, i = rest, -1
	}
	if !n.done {
		n.redraw()
	}
}

func (n *nanoEditor) arrow(c byte) {
	switch c {
	case 'A':
		n.y = max(0, n.y-1)
	case 'B':
		n.y = min(len(n.lines)-1, n.y+1)
	case 'C':
		if n.x++; n.x > len(n.line()) && n.y+1 < len(n.lines) {
			n.y, n.x = n.y+1, 0
		}
	case 'D':
		n.x--
	case 'H':
		n.x = 0
	case 'F':
		n.x = len(n.line())
	}
	n.x = max(0, min(n.x, len(n.line())))
}

func (n *nanoEditor) key(c byte) {
	switch {
	case c == 24: // ^X
		n.exit()
	case c == 15 || c == 19: // ^O, ^S
		n.writeOut(c == 15)
	case c == 23: // ^W
		n.whereIs()
	case c == 11: // ^K
		n.cut = append(n.cut, n.line())
		n.sheet.cut(n.y)
		n.y, n.x = min(n.y, len(n.lines)-1), 0
	case c == 21: // ^U
		for i, l := range n.cut {
			n.open(n.y+i, l)
		}
		n.y, n.x, n.cut = min(n.y+len(n.cut), len(n.lines)-1), 0, nil
	case c == 1:
		n.x = 0
	case c == 5:
		n.x = len(n.line())
	case c == 22:
		n.y = min(len(n.lines)-1, n.y+n.bar()-4)
		n.x = 0
	case c == 25:
		n.y, n.x = max(0, n.y-n.bar()+4), 0
	case c == 16 || c == 14 || c == 6 || c == 2:
		n.arrow(map[byte]byte{16: 'A', 14: 'B', 6: 'C', 2: 'D'}[c])
	case c == '\r' || c == '\n':
		n.split()
	case c == 0x7f || c == 8:
		n.rub()
	case c == 4:
		if n.x < len(n.line()) {
			n.x++
			n.rub()
		}
	case c == '\t' || c >= ' ':
		n.insert(string([]byte{c}))
	}
}

// ask puts a question into the bar and reads a line; ok is false when cancelled.
func (n *nanoEditor) ask(menu, question, text string) (string, bool) {
	rest := strings.Repeat(" ", max(0, n.s.cols-len(question)-len(text))) + "\x1b[" + strconv.Itoa(n.bar()) + ";" + strconv.Itoa(len(question)+len(text)+1) + "H"
	if strings.Contains(menu, ";21H") { // the row is filled already
		rest = ""
	}
	n.s.show(menu + "\r" + n.row(n.bar()) + nanoOn + question + text + rest + nanoOff + nanoShow)
	for {
		c, ok := n.s.key()
		switch {
		case !ok:
			n.done = true
			return "", false
		case c == 3:
			return "", false
		case c == '\r' || c == '\n':
			return text, true
		case c == 0x7f || c == 8:
			if text != "" {
				text = text[:len(text)-1]
				n.s.show("\b" + nanoOn + " " + nanoOff + "\b")
			}
		case c >= ' ' && len(text) < 500:
			text += string([]byte{c})
			n.s.show(nanoOn + string([]byte{c}) + nanoOff)
		}
	}
}

const (
	nanoBye = "\x1b[?1049l\x1b[23;0;0t\r\x1b[?1l\x1b>\x1b[?2004l"
)

func (n *nanoEditor) exit() {
	if n.changed {
		back := ""
		if n.x == 1 {
			back = "\b"
		} else if n.x > 1 {
			back = "\r"
		}
		n.s.show(nanoHide + n.row(n.bar()) + back + nanoOn + "Save modified buffer?" + strings.Repeat(" ", n.s.cols-21) + "\x1b[" + strconv.Itoa(n.s.rows-1) + ";1H Y" + nanoOff + " Yes\x1b[K\r" +
			n.row(n.s.rows) + nanoOn + " N" + nanoOff + " No  \x1b[14G   " + nanoOn + "^C" + nanoOff + " Cancel\x1b[K\x1b[" + strconv.Itoa(n.bar()) + ";23H" + nanoShow)
		for {
			c, ok := n.s.key()
			if !ok {
				n.done = true
				return
			}
			switch c {
			case 'n', 'N':
				n.leave(nanoHide + n.row(n.bar()) + back)
				return
			case 'y', 'Y':
				if n.saveAs(n.question(true)) {
					n.leave("\r")
				}
				return
			case 3:
				n.s.show(nanoHide + n.noteOver("Cancelled") + n.menu())
				return
			}
		}
	}
	n.leave(nanoHide + n.row(n.bar()))
}

func (n *nanoEditor) leave(first string) {
	n.done = true
	n.s.show(first + "\x1b[J" + n.row(n.s.rows) + nanoShow + "\x1b[" + strconv.Itoa(n.s.rows) + ";1H" + nanoBye)
}

// question is the menu and the question of saving, from the main menu or from
// the question before leaving.
func (n *nanoEditor) question(leaving bool) string {
	low, foot := strconv.Itoa(n.s.rows-1), strconv.Itoa(n.s.rows)
	if leaving {
		return nanoHide + "\r" + n.row(n.s.rows-1) + n.help("^G|Help\x1b["+low+";21HM-D|DOS Format\x1b[41GM-A|Append\x1b["+low+";61HM-B|Backup File") +
			"\r" + n.row(n.s.rows) + n.help("^C|Cancel\x1b[17G    M-M|Mac Format\x1b[41GM-P|Prepend\x1b["+foot+";61H^T|Browse")
	}
	return nanoHide + "\x1b[" + low + ";14H       " + n.help("M-D|DOS Format      M-A|Append          M-B|Backup File\x1b[K") +
		"\x1b[" + foot + ";2H" + nanoOn + "C" + nanoOff + n.help(" Cancel           M-M|Mac Format      M-P|Prepend         ^T|Browse\x1b[K")
}

// writeOut saves; it asks for the name first when ask is set.
func (n *nanoEditor) writeOut(ask bool) {
	if ask || n.name == "" {
		if !n.saveAs(n.question(false)) {
			return
		}
	} else if !n.write(n.name) {
		return
	}
	n.s.show(n.mainMenu())
}

// mainMenu puts the main menu back where another stood.
func (n *nanoEditor) mainMenu() string {
	return "\x1b[" + strconv.Itoa(n.s.rows-1) + ";14H" + n.help("^O|Write Out ^W|Where Is  ^K|Cut       ^T|Execute   ^C|Location") +
		"\x1b[" + strconv.Itoa(n.s.rows) + ";2H" + nanoOn + "X" + nanoOff + n.help(" Exit      ^R|Read File ^\\|Replace   ^U|Paste     ^J|Justify   ^/|Go To Line") + nanoShow
}

// saveAs asks for the name and saves.
func (n *nanoEditor) saveAs(menu string) bool {
	name, ok := n.ask(menu, "File Name to Write: ", n.name)
	if !ok || name == "" {
		if !n.done {
			n.s.show(nanoHide + n.noteOver("Cancelled") + n.menu())
		}
		return false
	}
	return n.write(name)
}

func (n *nanoEditor) write(name string) bool {
	if err := n.save(name); err != nil {
		n.s.show(nanoHide + n.note("Error writing "+name+": "+why(err)) + "\x1b[K" + n.menu())
		return false
	}
	if n.name == "" {
		n.name = name
	}
	k := len(n.lines)
	n.s.show(nanoHide + n.noteOver("Writing...") + n.star() + n.note("Wrote "+strconv.Itoa(k)+" line"+pluralS(k)))
	return true
}

func (n *nanoEditor) whereIs() {
	word, ok := n.ask(nanoHide, "Search: ", "")
	if !ok || word == "" {
		n.s.show(nanoHide + n.noteOver("Cancelled") + n.menu())
		return
	}
	for i := 1; i <= len(n.lines); i++ {
		n.p.step(1)
		at := (n.y + i) % len(n.lines)
		if x := strings.Index(n.lines[at], word); x >= 0 {
			n.y, n.x = at, x
			n.s.show(nanoHide + "\r" + n.row(n.bar()) + "\x1b[K" + n.menu())
			return
		}
	}
	n.s.show(nanoHide + n.note("\""+word+"\" not found") + "\x1b[K" + n.menu())
}
