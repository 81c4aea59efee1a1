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

// copied prints the changes in the old context format.
func (p *Proc) copied(a, b string, x, y []string, hs []hunk, context int) {
	p.print("*** " + p.stamped(a) + "\n--- " + p.stamped(b) + "\n")
	for i := 0; i < len(hs); {
		j := i
		for j+1 < len(hs) && hs[j+1].a-hs[j].b <= 2*context {
			j++
		}
		group := hs[i : j+1]
		i = j + 1
		first, last := group[0], group[len(group)-1]
		p.print("***************\n")
		p.side("*** ", " ****", x, max(0, first.a-context), min(len(x), last.b+context), group, func(h hunk) (int, int, bool) { return h.a, h.b, h.d > h.c }, "- ")
		p.side("--- ", " ----", y, max(0, first.c-context), min(len(y), last.d+context), group, func(h hunk) (int, int, bool) { return h.c, h.d, h.b > h.a }, "+ ")
	}
}

func (p *Proc) side(open, end string, lines []string, from, to int, group []hunk, of func(hunk) (int, int, bool), alone string) {
	p.print(open + ranged(from, to) + end + "\n")
	changed := false
	for _, h := range group {
		a, b, _ := of(h)
		changed = changed || b > a
	}
	if !changed {
		return
	}
	for at := from; at < to; at++ {
		mark := "  "
		for _, h := range group {
			if a, b, both := of(h); at >= a && at < b {
				if mark = alone; both {
					mark = "! "
				}
			}
		}
		p.print(mark + lines[at] + "\n")
	}
}

// beside prints both files next to each other in wide columns.
func (p *Proc) beside(x, y []string, hs []hunk, wide int, common bool) {
	half := (wide - 3) / 2
	column := half // where the second file begins: the next tab stop that leaves room for it
	if stop := (half + 3 + 7) / 8 * 8; stop <= wide-half+7 {
		column = stop
	}
	half = min(half, column-3)
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
			line += strings.Repeat(" ", max(0, column-2-at)) + mark
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
				row(x[i], "|", y[j])
				i, j = i+1, j+1
			}
		}
	}
	same(len(x))
}

func (p *Proc) stamped(name string) string {
	t := p.Now()
	if i, err := p.stat(name); err == nil {
		t = i.Mtime
	}
	return name + "\t" + t.Format("2006-01-02 15:04:05.000000000 -0700")
}
