package shell

import (
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"
)

// An ashEditor edits one line the way BusyBox shows it: nothing is compared with
// what the screen has, the rest of the line is simply written again.
type ashEditor struct {
	e      *env
	t      *tty
	prompt string
	line   []byte
	pos    int
	hist   []string
	at     int
	tabbed bool // the last key was Tab
}

// ashLine reads a line; false is the end of input.
func (e *env) ashLine(prompt string, hist []string) (string, bool) {
	a := &ashEditor{e: e, t: e.k.tty, prompt: prompt, hist: hist, at: len(hist)}
	a.show(prompt + "\x1b[6n")
	defer func() { a.t.raw = false }()
	for {
		c := a.t.typed()
		tabbed := a.tabbed
		a.tabbed = false
		switch c {
		case '\r', '\n':
			a.end()
			a.show("\r\n")
			return string(a.line) + "\n", true
		case 3:
			a.show("^C")
			panic(death{128 + sigInt, ofLine, nil})
		case 4:
			if len(a.line) == 0 {
				a.show("\r\n")
				return "", false
			}
			a.remove()
		case '\t':
			a.complete(tabbed)
			a.tabbed = true
		case 0x1b:
			a.escape()
		default:
			a.key(c)
		}
	}
}

func (a *ashEditor) show(s string) { a.t.send([]byte(s)) }

// key is one of the keys that change or move and need nothing more.
func (a *ashEditor) key(c byte) {
	switch c {
	case 1:
		a.back(a.pos)
	case 2:
		a.back(min(a.pos, 1))
	case 5:
		a.end()
	case 6:
		a.forward()
	case 0x7f, '\b':
		a.rub()
	case 0x0b:
		if a.pos < len(a.line) {
			a.line = a.line[:a.pos]
			a.show("\x1b[J")
		}
	case 0x0c:
		a.show("\x1b[H\x1b[J")
		a.redraw()
	case 0x0e:
		a.travel(1)
	case 0x10:
		a.travel(-1)
	case 0x15:
		if a.pos > 0 {
			a.line, a.pos = a.line[a.pos:], 0
			a.redraw()
		}
	case 0x17:
		for a.pos > 0 && a.line[a.pos-1] == ' ' {
			a.rub()
		}
		for a.pos > 0 && a.line[a.pos-1] != ' ' {
			a.rub()
		}
	default:
		if c >= ' ' && len(a.line) < 4096 {
			a.insert(c)
		}
	}
}

// columns counts those that some text takes.
func columns(b []byte) int { return utf8.RuneCount(b) }

// back moves left over n bytes.
func (a *ashEditor) back(n int) {
	for n < a.pos && n > 0 && !utf8.RuneStart(a.line[a.pos-n]) {
		n++
	}
	a.left(columns(a.line[a.pos-n : a.pos]))
	a.pos -= n
}

// left moves the cursor: a few columns by backspaces, more by one sequence.
func (a *ashEditor) left(n int) {
	switch {
	case n > 4:
		a.show("\x1b[" + strconv.Itoa(n) + "D")
	case n > 0:
		a.show(strings.Repeat("\b", n))
	}
}

func (a *ashEditor) forward() {
	if a.pos == len(a.line) {
		return
	}
	_, n := utf8.DecodeRune(a.line[a.pos:])
	a.show(string(a.line[a.pos : a.pos+n]))
	a.pos += n
}

// end writes the rest of the line.
func (a *ashEditor) end() {
	a.show(string(a.line[a.pos:]))
	a.pos = len(a.line)
}

func (a *ashEditor) insert(c byte) {
	a.line = slices.Insert(a.line, a.pos, c)
	a.show(string(a.line[a.pos:]))
	a.pos++
	a.left(columns(a.line[a.pos:]))
}

// rub takes the character before the cursor away.
func (a *ashEditor) rub() {
	if a.pos > 0 {
		a.back(1)
		a.remove()
	}
}

// remove takes the character under the cursor away.
func (a *ashEditor) remove() {
	if a.pos == len(a.line) {
		return
	}
	_, n := utf8.DecodeRune(a.line[a.pos:])
	a.line = slices.Delete(a.line, a.pos, a.pos+n)
	a.show(string(a.line[a.pos:]) + "\x1b[J")
	a.left(columns(a.line[a.pos:]))
}

// redraw writes prompt and line again.
func (a *ashEditor) redraw() {
	a.show("\r" + a.prompt + string(a.line) + "\x1b[J")
	a.left(columns(a.line[a.pos:]))
}

// travel goes through what was typed before.
func (a *ashEditor) travel(step int) {
	to := a.at + step
	if to < 0 || to > len(a.hist) {
		a.show("\a")
		return
	}
	a.at, a.line = to, nil
	if to < len(a.hist) {
		a.line = []byte(a.hist[to])
	}
	a.pos = len(a.line)
	a.redraw()
}

// escape reads the rest of a key that begins with an escape.
func (a *ashEditor) escape() {
	switch c := a.t.typed(); c {
	case 'b', 'f':
		a.word(c == 'f')
		return
	case 0x7f, '\b':
		for a.pos > 0 && !wordByte(a.line[a.pos-1]) {
			a.rub()
		}
		for a.pos > 0 && wordByte(a.line[a.pos-1]) {
			a.rub()
		}
		return
	case '[', 'O':
	default:
		return
	}
	arg := ""
	d := a.t.typed()
	for d >= '0' && d <= '9' || d == ';' {
		if len(arg) < 16 {
			arg += string(d)
		}
		d = a.t.typed()
	}
	switch k := arg + string(d); {
	case d == 'C' && strings.HasSuffix(arg, ";5"), d == 'D' && strings.HasSuffix(arg, ";5"):
		a.word(d == 'C')
	case k == "A":
		a.travel(-1)
	case k == "B":
		a.travel(1)
	case k == "C":
		a.forward()
	case k == "D":
		a.back(min(a.pos, 1))
	case k == "H", k == "1~", k == "7~":
		a.back(a.pos)
	case k == "F", k == "4~", k == "8~":
		a.end()
	case k == "3~":
		a.remove()
	}
}

func wordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= 0x80 || c == '_'
}

// word moves over a word.
func (a *ashEditor) word(right bool) {
	to := a.pos
	if !right {
		for to > 0 && !wordByte(a.line[to-1]) {
			to--
		}
		for to > 0 && wordByte(a.line[to-1]) {
			to--
		}
		a.back(a.pos - to)
		return
	}
	for to < len(a.line) && !wordByte(a.line[to]) {
		to++
	}
	for to < len(a.line) && wordByte(a.line[to]) {
		to++
	}
	a.show(string(a.line[a.pos:to]))
	a.pos = to
}

// complete is Tab: the word grows as far as it can, a second Tab lists what it
// could become.
func (a *ashEditor) complete(again bool) {
	c := guide{a.e}.Complete(string(a.line), a.pos)
	switch len(c.Words) {
	case 0:
		a.show("\a")
		return
	case 1:
		a.replace(c.From, c.Words[0]+c.Suffix)
		return
	}
	if again {
		shown := c.Shown
		if shown == nil {
			shown = c.Words
		}
		a.list(shown, c.Marks)
		a.redraw()
		return
	}
	a.show("\a")
	common := c.Words[0]
	for _, w := range c.Words[1:] {
		for !strings.HasPrefix(w, common) {
			common = common[:len(common)-1]
		}
	}
	if len(common) >= a.pos-c.From {
		a.replace(c.From, common)
	}
}

func (a *ashEditor) replace(from int, with string) {
	a.line = slices.Replace(a.line, from, a.pos, []byte(with)...)
	a.pos = from + len(with)
	a.redraw()
}

// list writes candidates in columns, down first.
func (a *ashEditor) list(words []string, folders []bool) {
	all := make([]string, len(words))
	wide := 0
	for i, w := range words {
		all[i] = w
		if i < len(folders) && folders[i] {
			all[i] += "/"
		}
		wide = max(wide, columns([]byte(all[i])))
	}
	wide += 2
	cols := max(1, a.e.k.sh.cols()/wide)
	rows := (len(all) + cols - 1) / cols
	var b strings.Builder
	b.WriteString("\r\n")
	for r := range rows {
		i := r
		for n := 1; n < cols && i+rows < len(all); n++ {
			b.WriteString(padRight(all[i], wide))
			i += rows
		}
		b.WriteString(all[i] + "\r\n")
	}
	a.show(b.String())
}
