package coreutils

import (
	"errors"
	"slices"

	"honeyguide/internal/deception/vfs"
)

// A differing is two files to be shown with their differences.
type differing struct {
	p            *Proc
	x, y         []string
	openX, openY bool // the last line has no newline
	colour       bool
}

// diffLines reads a file's lines and whether its last one lacks its newline. With
// absent a file that is not there is empty.
func (p *Proc) diffLines(name string, absent bool) (lines []string, open bool, err error) {
	r, err := p.openFile(name)
	if absent && errors.Is(err, vfs.ENOENT) {
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	defer r.Close()
	err = p.lines(r, func(l []byte, full bool) bool {
		p.alloc(len(l) + 16)
		lines, open = append(lines, string(l)), !full
		return true
	})
	return lines, open, err
}

// unended marks the last key of a file whose last line has no newline, so that it
// equals no whole line.
func unended(keys []string, open bool) []string {
	if !open || len(keys) == 0 {
		return keys
	}
	keys = slices.Clone(keys)
	keys[len(keys)-1] += "\n"
	return keys
}

// The colours of diff --color.
const (
	diffBold  = "\x1b[1m"
	diffRed   = "\x1b[31m"
	diffGreen = "\x1b[32m"
	diffCyan  = "\x1b[36m"
)

// line prints one line in a colour; "" is none.
func (d *differing) line(colour, text string) {
	if d.colour && colour != "" {
		text = colour + text + "\x1b[0m"
	}
	d.p.print(text + "\n")
}

// old and fresh print a line of the first and of the second file.
func (d *differing) old(mark string, i int, colour string) {
	d.content(mark+d.x[i], colour, d.openX && i == len(d.x)-1)
}

func (d *differing) fresh(mark string, i int, colour string) {
	d.content(mark+d.y[i], colour, d.openY && i == len(d.y)-1)
}

func (d *differing) content(text, colour string, open bool) {
	d.line(colour, text)
	if open {
		d.p.print("\\ No newline at end of file\n")
	}
}

// normal prints a change as diff does without options.
func (d *differing) normal(h hunk) {
	op := "c"
	switch {
	case h.a == h.b:
		op = "a"
	case h.c == h.d:
		op = "d"
	}
	d.line(diffCyan, ranged(h.a, h.b)+op+ranged(h.c, h.d))
	for i := h.a; i < h.b; i++ {
		d.old("< ", i, diffRed)
	}
	if op == "c" {
		d.p.print("---\n")
	}
	for i := h.c; i < h.d; i++ {
		d.fresh("> ", i, diffGreen)
	}
}

// unified prints the changes with what stands around them.
func (d *differing) unified(a, b string, hs []hunk, context int) {
	p := d.p
	d.line(diffBold, "--- "+p.stamped(a))
	d.line(diffBold, "+++ "+p.stamped(b))
	count := func(f, t int) string {
		switch t - f {
		case 1:
			return sprintf("%d", t)
		case 0:
			return sprintf("%d,0", f)
		}
		return sprintf("%d,%d", f+1, t-f)
	}
	for i := 0; i < len(hs); {
		j := i
		for j+1 < len(hs) && hs[j+1].a-hs[j].b <= 2*context {
			j++
		}
		from, to := max(0, hs[i].a-context), min(len(d.x), hs[j].b+context)
		cfrom, cto := max(0, hs[i].c-context), min(len(d.y), hs[j].d+context)
		d.line(diffCyan, "@@ -"+count(from, to)+" +"+count(cfrom, cto)+" @@")
		at := from
		for ; i <= j; i++ {
			for ; at < hs[i].a; at++ {
				d.old(" ", at, "")
			}
			for ; at < hs[i].b; at++ {
				d.old("-", at, diffRed)
			}
			for k := hs[i].c; k < hs[i].d; k++ {
				d.fresh("+", k, diffGreen)
			}
		}
		for ; at < to; at++ {
			d.old(" ", at, "")
		}
	}
}

// copied prints the changes in the old context format.
func (d *differing) copied(a, b string, hs []hunk, context int) {
	p := d.p
	d.line(diffBold, "*** "+p.stamped(a))
	d.line(diffBold, "--- "+p.stamped(b))
	for i := 0; i < len(hs); {
		j := i
		for j+1 < len(hs) && hs[j+1].a-hs[j].b <= 2*context {
			j++
		}
		group := hs[i : j+1]
		i = j + 1
		first, last := group[0], group[len(group)-1]
		p.print("***************\n")
		d.side(diffCyan, "*** ", " ****", max(0, first.a-context), min(len(d.x), last.b+context), group,
			func(h hunk) (int, int, bool) { return h.a, h.b, h.d > h.c }, d.old, "- ", diffRed)
		d.side(diffCyan, "--- ", " ----", max(0, first.c-context), min(len(d.y), last.d+context), group,
			func(h hunk) (int, int, bool) { return h.c, h.d, h.b > h.a }, d.fresh, "+ ", diffGreen)
	}
}

// side prints the lines of one file for a group of changes. of gives a change's
// lines in this file and whether the other one has lines in it as well.
func (d *differing) side(head, open, end string, from, to int, group []hunk, of func(hunk) (int, int, bool), show func(string, int, string), alone, colour string) {
	d.line(head, open+ranged(from, to)+end)
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
		show(mark, at, colour)
	}
}
