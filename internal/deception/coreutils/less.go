package coreutils

import (
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func pagerCommands(name string) Command {
	switch name {
	case "less", "pager", "zless":
		return less
	case "more":
		return more
	}
	return nil
}

// A window shows text a screenful at a time.
type window struct {
	s      *display
	name   string // shown in the first prompt
	lines  []string
	top    int // first line not above the screen
	next   int // first line below it
	first  bool
	find   string
	upward bool // the last search went backwards
	hurry  bool // the next key is there: no prompt
}

// pagerText reads the operands of a pager. Errors are told; ok is false when
// there is nothing to show.
func (p *Proc) pagerText(args []string) (name, text string, ok bool) {
	var b strings.Builder
	for _, a := range args {
		f, err := p.openFile(a)
		if err != nil {
			switch {
			case p.name == "more" && why(err) == vfs.EISDIR.Error():
				p.complain("\n*** " + a + ": directory ***\n\n")
			case p.name == "more":
				p.complain("more: cannot open " + a + ": " + why(err) + "\n")
			case why(err) == vfs.EISDIR.Error():
				p.complain(a + " is a directory\n")
			default:
				p.complain(a + ": " + why(err) + "\n")
			}
			continue
		}
		t, _ := p.all(f)
		_ = f.Close()
		b.Write(t)
		name, ok = a, true
	}
	return name, b.String(), ok
}

func less(p *Proc) int {
	if !p.TTY && len(p.Args) > 0 && (len(p.Args) == 1 || p.Args[1] != "--version" && p.Args[1] != "-V") {
		return pager(p)
	}
	if len(p.Args) > 1 && (p.Args[1] == "--version" || p.Args[1] == "-V") {
		p.print("less 590 (GNU regular expressions)\n")
		return 0
	}
	var files []string
	for _, a := range p.Args[1:] {
		if len(a) < 2 || a[0] != '-' && a[0] != '+' {
			files = append(files, a)
		}
	}
	var name, text string
	switch {
	case len(files) > 0:
		var ok bool
		if name, text, ok = p.pagerText(files); !ok {
			return 1
		}
	case p.StdinTTY:
		p.complain("Missing filename (\"less --help\" for help)\n")
		return 1
	default:
		b, _ := p.all(p.Stdin)
		text = string(b)
	}
	s, ok := p.terminal()
	if !ok { // less is cat when nobody watches
		p.print(text)
		return 0
	}
	defer s.close()
	g := &window{s: s, name: name, lines: splitLines(text), first: true}
	s.show("\x1b[?1049h\x1b[22;0;0t\x1b[?1h\x1b=\r" + g.forward(s.rows-1) + g.prompt())
	g.dialogue()
	s.show("\r\x1b[K\x1b[?1l\x1b>\x1b[?1049l\x1b[23;0;0t")
	return 0
}

// terminal is the screen even when standard input is a pipe: pagers read their
// keys from the terminal itself.
func (p *Proc) terminal() (*display, bool) {
	if p.TTY && !p.StdinTTY {
		if t, ok := p.Stdout.(io.Reader); ok { // the terminal's other direction
			c := *p
			c.Stdin = t
			return c.openScreen()
		}
	}
	return p.openScreen()
}

func splitLines(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(strings.TrimSuffix(strings.ReplaceAll(text, "\t", "        "), "\n"), "\n")
}

// forward shows up to n more lines.
func (g *window) forward(n int) string {
	var b strings.Builder
	end := min(g.next+n, len(g.lines))
	for _, l := range g.lines[g.next:end] {
		b.WriteString(g.marked(l) + "\r\n")
	}
	g.next = end
	g.top = max(0, g.next-(g.s.rows-1))
	g.s.p.step(1 + b.Len()/64)
	return b.String()
}

// marked shows what was searched for in reverse, and control characters as less does.
func (g *window) marked(l string) string {
	if strings.ContainsFunc(l, func(r rune) bool { return r < ' ' }) {
		l = strings.Map(func(r rune) rune {
			if r < ' ' {
				return '^'
			}
			return r
		}, l)
	}
	if r := []rune(l); len(r) > g.s.cols {
		l = string(r[:g.s.cols])
	}
	if g.find == "" {
		return l
	}
	return strings.ReplaceAll(l, g.find, "\x1b[7m"+g.find+"\x1b[27m")
}

func (g *window) prompt() string {
	name := g.name
	first := g.first
	g.first = false
	switch {
	case g.next >= len(g.lines) && first && name != "":
		return "\x1b[7m" + name + " (END)\x1b[27m\x1b[K"
	case g.next >= len(g.lines):
		return "\x1b[7m(END)\x1b[27m\x1b[K"
	case first && name != "":
		return "\x1b[7m" + name + "\x1b[27m\x1b[K"
	}
	return ":\x1b[K"
}

// back shows n lines above the window.
func (g *window) back(n int) string {
	if g.top == 0 {
		return "\x07\r\x1b[K"
	}
	var b strings.Builder
	for range min(n, g.top) {
		g.top--
		b.WriteString("\x1b[H\x1bM" + g.marked(g.lines[g.top]) + "\r\n")
	}
	g.next = min(g.top+g.s.rows-1, len(g.lines))
	b.WriteString("\x1b[" + decimal(g.s.rows) + ";1H\r\x1b[K")
	return b.String()
}

func decimal(n int) string { return sprintf("%d", n) }

// jump shows the window that begins at a line; less says that it skipped some.
func (g *window) jump(to int) string {
	g.next = max(0, min(to, len(g.lines)-(g.s.rows-1)))
	return "...skipping...\r\n" + g.forward(g.s.rows-1)
}

// dialogue obeys keys until q.
func (g *window) dialogue() {
	s := g.s
	size := s.rows - 1
	for {
		c, ok := s.key()
		if !ok {
			return
		}
		out := "\r\x1b[K"
		switch c {
		case 'q', 'Q':
			return
		case ' ', 'f', 6, 22:
			if g.next >= len(g.lines) {
				out += "\x07\r\x1b[K"
			}
			out += g.forward(size)
		case 'd', 4:
			out += g.forward(size / 2)
		case 'j', 'e', '\r', '\n', 14:
			if g.next >= len(g.lines) {
				out += "\x07\r\x1b[K"
			}
			out += g.forward(1)
		case 'k', 'y', 16, 25:
			out += g.back(1)
		case 'b', 2:
			out += g.back(size)
		case 'u', 21:
			out += g.back(size / 2)
		case 'G', '>':
			out += g.jump(len(g.lines))
		case 'g', '<':
			g.top = min(size, len(g.lines))
			out += "\x1b[H\x1b[2J" + g.back(size)
		case '/', '?':
			t, ok := g.search(c)
			if !ok {
				return
			}
			out = t
		case 'n', 'N':
			t, ok := g.again(c == 'N')
			if !ok {
				return
			}
			out = t
		case '1', '2', '3', '4', '5', '6', '7', '8', '9':
			t, ok := g.numbered(c)
			if !ok {
				return
			}
			out = t
		case 0x1b:
			out += g.arrow()
		default:
			out += "\x07\r\x1b[K"
		}
		if g.hurry {
			g.hurry = false
			continue
		}
		s.show(out + g.prompt())
	}
}

func (g *window) arrow() string {
	if len(g.s.buf) < 2 {
		return ""
	}
	c := g.s.buf[1]
	g.s.buf = g.s.buf[2:]
	switch c {
	case 'A':
		return g.back(1)
	case 'B':
		return g.forward(1)
	}
	return ""
}

// share is how much of a file more has shown.
func share(piped bool, percent int) string {
	if piped {
		return ""
	}
	return sprintf("(%d%%)", percent)
}

func more(p *Proc) int {
	if !p.TTY {
		return pager(p)
	}
	var files []string
	for _, a := range p.Args[1:] {
		if a == "-V" || a == "--version" {
			p.print("more from util-linux 2.38.1\n")
			return 0
		}
		if len(a) < 2 || a[0] != '-' && a[0] != '+' {
			files = append(files, a)
		}
	}
	var text string
	piped := len(files) == 0 // a pipe's size is not known
	switch {
	case len(files) > 0:
		_, t, ok := p.pagerText(files)
		if !ok {
			return 0
		}
		text = t
	case p.StdinTTY:
		p.complain("more: bad usage\nTry 'more --help' for more information.\n")
		return 1
	default:
		b, _ := p.all(p.Stdin)
		text = string(b)
	}
	s, ok := p.terminal()
	if !ok {
		p.print(text)
		return 0
	}
	defer s.close()
	lines := splitLines(text)
	total, done := max(1, len(text)), 0
	show := func(n int, at string) int {
		n = min(n, len(lines))
		for i, l := range lines[:n] {
			if done += len(l) + 1; i == 0 && at != "" {
				s.show(at + l + "\x1b[K\r\n")
				continue
			}
			s.show(l + "\r\n")
		}
		lines = lines[n:]
		return n
	}
	show(s.rows-1, "")
	for len(lines) > 0 {
		s.show("\x1b[7m--More--" + share(piped, 100*done/total) + "\x1b[27m")
		c, ok := s.key()
		switch {
		case !ok || c == 'q' || c == 'Q' || c == 3:
			s.show("\r\x1b[K")
			return 0
		case c == '\r' || c == '\n' || c == 'j':
			show(1, "\r")
		default:
			show(s.rows-1, "\r")
		}
	}
	return 0
}
