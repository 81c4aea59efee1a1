package coreutils

import (
	"strings"
	"unicode"
)

// diffKeys are the lines as they are compared: without case for -i, without
// blanks for -w, with one blank for many for -b.
func diffKeys(lines []string, flags map[string]bool) []string {
	if !flags["i"] && !flags["w"] && !flags["b"] {
		return lines
	}
	out := make([]string, len(lines))
	for i, l := range lines {
		if flags["i"] {
			l = strings.ToLower(l)
		}
		switch {
		case flags["w"]:
			l = strings.Map(func(r rune) rune {
				if unicode.IsSpace(r) {
					return -1
				}
				return r
			}, l)
		case flags["b"]:
			l = strings.Join(strings.Fields(" "+l), " ")
		}
		out[i] = l
	}
	return out
}

// ed prints the changes as a script, last change first.
func (p *Proc) ed(hs []hunk, y []string) {
	for i := len(hs) - 1; i >= 0; i-- {
		h := hs[i]
		switch {
		case h.c == h.d:
			p.print(ranged(h.a, h.b) + "d\n")
			continue
		case h.a == h.b:
			p.printf("%da\n", h.a)
		default:
			p.print(ranged(h.a, h.b) + "c\n")
		}
		for _, l := range y[h.c:h.d] {
			p.print(l + "\n")
		}
		p.print(".\n")
	}
}

// rcs prints the changes as RCS keeps them.
func (p *Proc) rcs(hs []hunk, y []string) {
	for _, h := range hs {
		if h.b > h.a {
			p.printf("d%d %d\n", h.a+1, h.b-h.a)
		}
		if h.d > h.c {
			p.printf("a%d %d\n", h.b, h.d-h.c)
			for _, l := range y[h.c:h.d] {
				p.print(l + "\n")
			}
		}
	}
}

// beside prints both files next to each other in wide columns.
func (d *differing) beside(hs []hunk, wide int, common bool) {
	p, x, y := d.p, d.x, d.y
	// The halves are as wide as they can be with the second one at a tab stop and
	// at least three columns between them.
	off := (wide + 8 + 3) / 16 * 8
	if wide <= 0 {
		off = 8
	}
	half := max(0, min(off-3, wide-off))
	column := wide
	if half > 0 {
		column = off
	}
	cut := func(s string) string {
		r := []rune(s)
		return string(r[:min(len(r), max(half, 0))])
	}
	row := func(left, mark, right string) {
		left, right = cut(left), cut(right)
		if mark == " " {
			mark = ""
		}
		line := left
		if at := width(left); mark != "" {
			line += tabTo(at, (half+column-1)/2) + mark
			if right != "" {
				line += "\t" + right
			}
		} else if right != "" {
			line += strings.Repeat("\t", max(1, (column-at+7)/8)) + right
		}
		p.print(line + "\n")
	}
	i, j := 0, 0
	same := func(to int) {
		for ; i < to; i, j = i+1, j+1 {
			if common {
				row(x[i], " ", y[j])
			}
		}
	}
	for _, h := range hs {
		same(h.a)
		for i < h.b || j < h.d {
			switch {
			case i >= h.b:
				row("", ">", y[j])
				j++
			case j >= h.d:
				row(x[i], "<", "")
				i++
			default:
				mark := "|"
				if x[i] == y[j] && d.openX != d.openY { // only the newline differs
					mark = map[bool]string{true: `\`, false: "/"}[d.openX]
				}
				row(x[i], mark, y[j])
				i, j = i+1, j+1
			}
		}
	}
	same(len(x))
}

// tabTo is the way from one column to another with tabs as far as they go.
func tabTo(from, to int) string {
	s := ""
	for from/8*8+8 <= to {
		s += "\t"
		from = from/8*8 + 8
	}
	return s + strings.Repeat(" ", max(0, to-from))
}

func (p *Proc) stamped(name string) string {
	t := p.Now()
	if i, err := p.stat(name); err == nil {
		t = i.Mtime
	}
	return name + "\t" + t.Format("2006-01-02 15:04:05.000000000 -0700")
}
