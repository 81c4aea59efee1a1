package coreutils

import (
	"cmp"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// show prints entries of one folder, or the operands that are no folders.
func (l *lister) show(list []entry, inFolder bool) {
	anyQuoted := false
	for i := range list {
		e := &list[i]
		name := e.Name
		if l.quote || l.flags['Q'] {
			if l.flags['Q'] {
				name = `"` + escaped(name, '"') + `"`
			} else if q := lsQuote(name); q != name {
				name, anyQuoted = q, true
			}
		}
		e.wide = width(name)
		suffix := ""
		if l.classify || l.slash {
			suffix = classOf(e.Info, l.classify, l.format == 'l')
		}
		e.shown = name
		if l.color {
			if c := l.colours.of(l.p, e.Info); c != "" {
				e.shown = "\x1b[" + c + "m" + name + "\x1b[0m"
			}
		}
		e.shown += suffix
		e.wide += len(suffix)
		if e.IsSymlink() && l.format == 'l' {
			e.link = " -> " + l.linkTarget(*e)
		}
	}
	if anyQuoted && l.format != '1' && l.format != 'm' && l.p.TTY {
		for i := range list {
			if c := list[i].Name; lsQuote(c) == c {
				list[i].shown = " " + list[i].shown
				list[i].wide++
			}
		}
	}
	if l.color && l.budget == 0 {
		for i := range list {
			if at := strings.IndexByte(list[i].shown, 0x1b); at >= 0 {
				l.budget = 1 // the first colour is led by the normal one
				list[i].shown = list[i].shown[:at] + "\x1b[0m" + list[i].shown[at:]
				break
			}
		}
	}
	switch l.format {
	case 'l':
		l.long(list, inFolder)
	case 'C', 'x':
		l.columns(list)
	case 'm':
		for i, e := range list {
			if i > 0 {
				l.p.print(", ")
			}
			l.p.print(e.shown)
		}
		if len(list) > 0 {
			l.p.print("\n")
		}
	default:
		end := "\n"
		if l.zero {
			end = "\x00"
		}
		wide, blocks := 0, int64(0)
		for _, e := range list {
			blocks += e.Blocks()
			wide = max(wide, len(sprintf("%d", e.Blocks()/2)))
		}
		if l.flags['s'] && inFolder {
			l.p.printf("total %d%s", blocks/2, end)
		}
		for _, e := range list {
			l.p.print(l.front(e, 0, wide) + e.shown + end)
		}
	}
}

// lsQuote quotes a name that the shell would not read back, for terminals.
func lsQuote(s string) string {
	if s != "" && !strings.ContainsAny(s, " \t\n\r'\"$`\\!*?[]{}()<>|&;^=") && !strings.HasPrefix(s, "~") && !strings.HasPrefix(s, "#") {
		plain := true
		for i := range len(s) {
			if s[i] < 0x20 || s[i] == 0x7f {
				plain = false
			}
		}
		if plain {
			return s
		}
	}
	if strings.Trim(s, "=") != s || strings.Contains(s, "=") && !strings.ContainsAny(s, " \t\n\r'\"$`\\!*?[]{}()<>|&;^") {
		return s
	}
	return qa(s)
}

func classOf(i vfs.Info, all, long bool) string {
	switch {
	case i.IsDir():
		return "/"
	case !all:
		return ""
	case i.IsSymlink() && !long:
		return "@"
	case i.Type() == vfs.Fifo:
		return "|"
	case i.Type() == vfs.Socket:
		return "="
	case i.IsRegular() && i.Mode&0o111 != 0:
		return "*"
	}
	return ""
}

// columns lays names out as ls does on a terminal: as few rows as fit, each
// column as wide as its longest name plus two, filled with tabs where they fit.
func (l *lister) columns(list []entry) {
	p := l.p
	if len(list) == 0 {
		return
	}
	wi, ws := 0, 0
	for _, e := range list {
		wi = max(wi, len(sprintf("%d", e.Ino)))
		ws = max(ws, len(sprintf("%d", e.Blocks()/2)))
	}
	for i := range list {
		f := l.front(list[i], wi, ws)
		list[i].shown = f + list[i].shown
		list[i].wide += len(f)
	}
	line := cmp.Or(l.cols, p.Cols, 80)
	most := max(1, min(len(list), line/3))
	cols := 1
	var widths []int
	for n := most; n >= 1; n-- {
		w := l.widths(list, n)
		sum := 0
		for _, c := range w {
			sum += c
		}
		if sum <= line || n == 1 {
			cols, widths = n, w
			break
		}
	}
	rows := (len(list) + cols - 1) / cols
	for r := range rows {
		pos := 0
		for c := 0; c < cols; c++ {
			k := c*rows + r
			if l.format == 'x' {
				k = r*cols + c
			}
			if k >= len(list) {
				break
			}
			p.print(list[k].shown)
			next := k + rows
			if l.format == 'x' {
				next = k + 1
			}
			if next >= len(list) || c == cols-1 {
				break
			}
			if l.color {
				p.print(strings.Repeat(" ", max(0, widths[c]-list[k].wide))) // some terminals colour tabs
			} else {
				p.print(indent(pos+list[k].wide, pos+widths[c]))
			}
			pos += widths[c]
		}
		p.print("\n")
	}
}

func (l *lister) widths(list []entry, n int) []int {
	rows := (len(list) + n - 1) / n
	w := make([]int, n)
	for i, e := range list {
		c := i / rows
		if l.format == 'x' {
			c = i % n
		}
		extra := 2
		if c == n-1 {
			extra = 0
		}
		w[c] = max(w[c], e.wide+extra, 3)
	}
	return w
}

// indent moves from one column to another, with tabs where they help.
func indent(from, to int) string {
	var b strings.Builder
	for from < to {
		if to/8 > (from+1)/8 {
			b.WriteByte('\t')
			from += 8 - from%8
		} else {
			b.WriteByte(' ')
			from++
		}
	}
	return b.String()
}
