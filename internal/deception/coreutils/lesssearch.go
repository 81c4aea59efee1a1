package coreutils

import "strings"

// filler stands on the rows below the end of a file.
const filler = "\x1b[1m~\x1b[0m"

// row is a line of the file as it is shown, or what stands below its end.
func (g *window) row(i int) string {
	if i < len(g.lines) {
		return g.marked(g.lines[i])
	}
	return filler
}

// search reads a pattern at the bottom row and goes to it.
func (g *window) search(c byte) (string, bool) {
	g.s.show("\r\x1b[K" + string(c) + "\x1b[K")
	word := ""
	for {
		k, ok := g.s.key()
		switch {
		case !ok:
			return "", false
		case k == '\r' || k == '\n':
			old := g.find
			if word != "" {
				g.find = word
			}
			g.upward = c == '?'
			return g.firstMatch(old)
		case k == 0x7f || k == 8:
			if word == "" {
				return "\r\x1b[K", true
			}
			word = word[:len(word)-1]
			g.s.show("\b\x1b[K")
		case k >= ' ' && len(word) < 200:
			if word != "" {
				g.s.show("\x1b[K")
			}
			word += string(k)
			g.s.show(string(k) + "\b" + string(k))
		}
	}
}

// firstMatch goes to the first match of a new pattern: downwards from the top of
// the screen, upwards from its bottom. What is on the screen is painted twice,
// without the marks of the old pattern and with those of the new one.
func (g *window) firstMatch(old string) (string, bool) {
	out := "\r\x1b[K"
	size := g.s.rows - 1
	find := g.find
	g.find = ""
	if short := len(g.lines) < size && old == ""; short {
		var b strings.Builder
		for i := range size { // marked already
			g.find = find
			b.WriteString(g.row(i) + "\r\n")
		}
		out += "...skipping...\r\n" + b.String()
		g.find = ""
	}
	out += g.repaint()
	g.find = find
	out += g.repaint()
	from, step := g.top, 1
	if g.upward {
		from, step = min(g.top+size, len(g.lines))-1, -1
	}
	return g.goTo(out, from, step)
}

// repaint writes every row of the screen again.
func (g *window) repaint() string {
	var b strings.Builder
	for i := range g.s.rows - 1 {
		if g.top+i > len(g.lines) {
			break // nothing is known of the rows further below the end
		}
		b.WriteString("\x1b[" + decimal(i+1) + ";1H" + g.row(g.top+i) + "\r\n")
	}
	g.s.p.step(1 + b.Len()/64)
	return b.String() + "\x1b[" + decimal(g.s.rows) + ";1H"
}

// again is n, and N for the other way: from the row next to the top one.
func (g *window) again(reverse bool) (string, bool) {
	sign, step := "/", 1
	if g.upward != reverse {
		sign, step = "?", -1
	}
	if g.find == "" {
		return "\r\x1b[K\x1b[7mNo previous regular expression  (press RETURN)\x1b[27m\r\x1b[K", true
	}
	return g.goTo("\r\x1b[K"+sign+"\r\x1b[K", g.top+step, step)
}

// goTo shows the window that begins with the next match; ok is false when the
// terminal is gone.
func (g *window) goTo(out string, from, step int) (text string, ok bool) {
	for i := from; i >= 0 && i < len(g.lines) && g.find != ""; i += step {
		g.s.p.step(1)
		if strings.Contains(g.lines[i], g.find) {
			return out + g.moveTo(i), true
		}
	}
	g.s.show(out + "\r\x1b[K\x1b[7mPattern not found  (press RETURN)\x1b[27m")
	c, ok := g.s.key()
	if !ok {
		return "", false
	}
	g.s.show("\x1b[" + decimal(g.s.rows) + ";1H\x1b[K")
	if c != '\r' && c != '\n' && c != ' ' { // the key counts, and comes before a prompt
		g.s.buf = append([]byte{c}, g.s.buf...)
		g.hurry = true
		return "", true
	}
	return "\r\x1b[K", true
}

// moveTo brings a line to the top of the screen: by scrolling when it is near.
func (g *window) moveTo(line int) string {
	size := g.s.rows - 1
	switch {
	case line == g.top:
		return "\r\x1b[K"
	case line > g.top:
		from, skipped := g.top+size, ""
		if line >= from {
			from, skipped = line, "...skipping...\r\n"
		}
		var b strings.Builder
		for i := from; i < line+size; i++ {
			b.WriteString(g.row(i) + "\r\n")
		}
		g.top, g.next = line, min(line+size, len(g.lines))
		g.s.p.step(1 + b.Len()/64)
		return skipped + b.String()
	case g.top-line < size:
		return g.back(g.top - line)
	}
	g.top = min(line+size, len(g.lines))
	return "\x1b[H\x1b[2J" + g.back(size)
}

// numbered reads a number and the command behind it: G goes to that line.
func (g *window) numbered(c byte) (string, bool) {
	n := 0
	g.s.show("\r\x1b[K:")
	for {
		switch {
		case c >= '0' && c <= '9':
			n = min(n*10+int(c-'0'), 1<<24)
			g.s.show("\x1b[K" + string(c) + "\b" + string(c))
		case c == 'G' || c == 'g' || c == '<' || c == '>':
			return "\r\x1b[K" + g.moveTo(min(max(n, 1), max(len(g.lines), 1))-1), true
		case c == 'j' || c == '\r' || c == '\n' || c == 'e':
			return "\r\x1b[K" + g.forward(n), true
		case c == 'k' || c == 'y':
			return "\r\x1b[K" + g.back(n), true
		default:
			return "\r\x1b[K", true
		}
		var ok bool
		if c, ok = g.s.key(); !ok {
			return "", false
		}
	}
}
