package coreutils

import (
	"errors"
	"io"
	"slices"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func cmpCmd(p *Proc) int {
	opts, args, ok := p.getopt("bi:ln:s", "print-bytes,b", "verbose,l", "bytes=,n", "quiet,s", "silent,s", "ignore-initial=,i")
	if !ok {
		return 2
	}
	silent := false
	for _, o := range opts {
		silent = silent || o.name == "s"
	}
	if len(args) == 0 {
		p.errorf("missing operand after '%s'", p.Args[0])
		return p.tryNamed(2)
	}
	if len(args) == 1 {
		args = append(args, "-")
	}
	var r [2]io.ReadCloser
	for i := range r {
		f, err := p.openFile(args[i])
		if err != nil {
			p.errorf("%s: %s", args[i], why(err))
			return 2
		}
		defer f.Close()
		r[i] = f
	}
	var a, b [4096]byte
	pos, line := int64(0), 1
	for {
		p.step(1)
		n, err1 := io.ReadFull(r[0], a[:])
		m, err2 := io.ReadFull(r[1], b[:])
		for i := range min(n, m) {
			if a[i] != b[i] {
				if !silent {
					p.printf("%s %s differ: byte %d, line %d\n", args[0], args[1], pos+int64(i)+1, line)
				}
				return 1
			}
			if a[i] == '\n' {
				line++
			}
		}
		if n != m {
			if !silent {
				short := args[0]
				if m < n {
					short = args[1]
				}
				at := pos + int64(min(n, m))
				if at == 0 {
					p.errorf("EOF on %s which is empty", short)
				} else {
					p.errorf("EOF on %s after byte %d, line %d", short, at, line-1)
				}
			}
			return 1
		}
		pos += int64(n)
		if err1 != nil || err2 != nil {
			return 0
		}
	}
}

// maxDiff bounds the lines compared in full; beyond that the middle counts as
// changed.
const maxDiff = 4000

func diff(p *Proc) int {
	opts, args, ok := p.getopt("abBcC:eEiNnpqrsStTuU:wWy", "brief,q", "unified?,u", "context?,c", "recursive,r", "report-identical-files,s", "ignore-case,i", "ignore-all-space,w", "ignore-space-change,b", "ignore-blank-lines,B", "text,a", "new-file,N", "side-by-side,y", "color?", "normal")
	if !ok {
		return 2
	}
	flags := map[string]bool{}
	for _, o := range opts {
		flags[o.name] = true
	}
	flags["u"] = flags["u"] || flags["U"]
	switch {
	case len(args) == 0:
		p.errorf("missing operand after '%s'", p.Args[0])
		return p.tryNamed(2)
	case len(args) == 1:
		p.errorf("missing operand after '%s'", args[0])
		return p.tryNamed(2)
	case len(args) > 2:
		p.errorf("extra operand '%s'", args[2])
		return p.tryNamed(2)
	}
	a, b := args[0], args[1]
	if i, err := p.stat(a); err == nil && i.IsDir() {
		if j, err := p.stat(b); err == nil && !j.IsDir() {
			a = strings.TrimSuffix(a, "/") + "/" + base(b)
		}
	} else if j, err := p.stat(b); err == nil && j.IsDir() {
		b = strings.TrimSuffix(b, "/") + "/" + base(a)
	}
	x, err1 := p.readLines(a)
	y, err2 := p.readLines(b)
	for i, err := range []error{err1, err2} {
		if err != nil && !errors.Is(err, vfs.EISDIR) {
			p.errorf("%s: %s", []string{a, b}[i], why(err))
		}
	}
	if err1 != nil || err2 != nil {
		return 2
	}
	if slices.Equal(x, y) {
		if flags["s"] {
			p.printf("Files %s and %s are identical\n", a, b)
		}
		return 0
	}
	switch {
	case flags["q"]:
		p.printf("Files %s and %s differ\n", a, b)
	case isBinary(x) || isBinary(y):
		p.printf("Binary files %s and %s differ\n", a, b)
	case flags["u"]:
		p.unified(a, b, x, y)
	default:
		for _, h := range p.hunks(x, y) {
			h.normal(p, x, y)
		}
	}
	return 1
}

func isBinary(lines []string) bool {
	for _, l := range lines[:min(len(lines), 50)] {
		if strings.IndexByte(l, 0) >= 0 {
			return true
		}
	}
	return false
}

// hunk is one change: lines a..b of the first file became c..d of the second.
type hunk struct{ a, b, c, d int }

func ranged(from, to int) string {
	if to-from == 1 {
		return sprintf("%d", to)
	}
	if to == from {
		return sprintf("%d", from)
	}
	return sprintf("%d,%d", from+1, to)
}

func (h hunk) normal(p *Proc, x, y []string) {
	op := "c"
	switch {
	case h.a == h.b:
		op = "a"
	case h.c == h.d:
		op = "d"
	}
	p.print(ranged(h.a, h.b) + op + ranged(h.c, h.d) + "\n")
	for _, l := range x[h.a:h.b] {
		p.print("< " + l + "\n")
	}
	if op == "c" {
		p.print("---\n")
	}
	for _, l := range y[h.c:h.d] {
		p.print("> " + l + "\n")
	}
}

// hunks finds the changes by longest common subsequence.
func (p *Proc) hunks(x, y []string) []hunk {
	lo := 0
	for lo < len(x) && lo < len(y) && x[lo] == y[lo] {
		lo++
	}
	hi := 0
	for hi < len(x)-lo && hi < len(y)-lo && x[len(x)-1-hi] == y[len(y)-1-hi] {
		hi++
	}
	mx, my := x[lo:len(x)-hi], y[lo:len(y)-hi]
	if len(mx) == 0 || len(my) == 0 || len(mx) > maxDiff || len(my) > maxDiff {
		return []hunk{{lo, lo + len(mx), lo, lo + len(my)}}
	}
	cells := (len(mx) + 1) * (len(my) + 1)
	p.alloc(cells * 2)
	defer p.alloc(-cells * 2)
	table := make([]uint16, cells)
	w := len(my) + 1
	for i := len(mx) - 1; i >= 0; i-- {
		p.step(1 + len(my)/128)
		for j := len(my) - 1; j >= 0; j-- {
			if mx[i] == my[j] {
				table[i*w+j] = table[(i+1)*w+j+1] + 1
			} else {
				table[i*w+j] = max(table[(i+1)*w+j], table[i*w+j+1])
			}
		}
	}
	var out []hunk
	for i, j := 0, 0; i < len(mx) || j < len(my); {
		if i < len(mx) && j < len(my) && mx[i] == my[j] {
			i, j = i+1, j+1
			continue
		}
		h := hunk{lo + i, 0, lo + j, 0}
		for i < len(mx) || j < len(my) {
			if i < len(mx) && j < len(my) && mx[i] == my[j] {
				break
			}
			if j >= len(my) || i < len(mx) && table[(i+1)*w+j] >= table[i*w+j+1] {
				i++
			} else {
				j++
			}
		}
		h.b, h.d = lo+i, lo+j
		out = append(out, h)
	}
	return out
}

func (p *Proc) unified(a, b string, x, y []string) {
	stamp := func(name string) string {
		t := p.Now()
		if i, err := p.stat(name); err == nil {
			t = i.Mtime
		}
		return name + "\t" + t.Format("2006-01-02 15:04:05.000000000 -0700")
	}
	p.print("--- " + stamp(a) + "\n+++ " + stamp(b) + "\n")
	const context = 3
	hs := p.hunks(x, y)
	for i := 0; i < len(hs); {
		j := i
		for j+1 < len(hs) && hs[j+1].a-hs[j].b <= 2*context {
			j++
		}
		from, to := max(0, hs[i].a-context), min(len(x), hs[j].b+context)
		cfrom, cto := max(0, hs[i].c-context), min(len(y), hs[j].d+context)
		count := func(f, t int) string {
			switch t - f {
			case 1:
				return sprintf("%d", t)
			case 0:
				return sprintf("%d,0", f)
			}
			return sprintf("%d,%d", f+1, t-f)
		}
		p.printf("@@ -%s +%s @@\n", count(from, to), count(cfrom, cto))
		at := from
		for ; i <= j; i++ {
			for ; at < hs[i].a; at++ {
				p.print(" " + x[at] + "\n")
			}
			for ; at < hs[i].b; at++ {
				p.print("-" + x[at] + "\n")
			}
			for _, l := range y[hs[i].c:hs[i].d] {
				p.print("+" + l + "\n")
			}
		}
		for ; at < to; at++ {
			p.print(" " + x[at] + "\n")
		}
	}
}

// tryNamed is try as diffutils write it.
func (p *Proc) tryNamed(status int) int {
	p.errorf("Try '%s --help' for more information.", p.name)
	return status
}
