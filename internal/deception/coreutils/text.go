package coreutils

import (
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func textCommands(name string) Command {
	switch name {
	case "sort":
		return sortCmd
	case "uniq":
		return uniq
	case "cut":
		return cut
	case "tr":
		return tr
	case "paste":
		return paste
	case "comm":
		return comm
	case "cmp":
		return cmpCmd
	case "sdiff":
		return sdiff
	case "diff":
		return diff
	case "column":
		return column
	case "shuf":
		return shuf
	case "split":
		return split
	case "csplit":
		return csplit
	}
	return nil
}

func uniq(p *Proc) int {
	opts, args, ok := p.getopt("cdDf:is:uw:z", "count,c", "repeated,d", "all-repeated?,D", "skip-fields=,f", "ignore-case,i", "skip-chars=,s", "unique,u", "check-chars=,w", "zero-terminated,z", "group?")
	if !ok {
		return 1
	}
	flags, skipF, skipC, most := "", 0, 0, -1
	for _, o := range opts {
		into, what := (*int)(nil), ""
		switch o.name {
		case "f":
			into, what = &skipF, "fields to skip"
		case "s":
			into, what = &skipC, "bytes to skip"
		case "w":
			into, what = &most, "bytes to compare"
		default:
			flags += o.name
			continue
		}
		n, err := strconv.ParseUint(o.val, 10, 63)
		if err != nil && !errors.Is(err, strconv.ErrRange) { // too many are as many as there are
			p.errorf("%s: invalid number of %s", o.val, what)
			return 1
		}
		*into = int(n)
	}
	if len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	var w io.Writer = p.out
	if len(args) == 2 {
		f, err := p.create(args[1], vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
		if err != nil {
			p.errorf("%s: %s", args[1], why(err))
			return 1
		}
		defer f.Close()
		w, args = f, args[:1]
	}
	key := func(s string) string {
		for range skipF {
			s = strings.TrimLeft(s, " \t")
			s = s[max(0, strings.IndexAny(s+" ", " \t")):]
			if s == "" {
				break
			}
		}
		s = s[min(skipC, len(s)):]
		if most >= 0 {
			s = s[:min(most, len(s))]
		}
		if strings.Contains(flags, "i") {
			s = strings.ToLower(s)
		}
		return s
	}
	prev, prevKey, n, groups, grouped := "", "", 0, 0, letters(opts)["group"]
	emit := func() {
		if n == 0 || !grouped && (strings.Contains(flags, "d") && n == 1 || strings.Contains(flags, "u") && n > 1 || strings.Contains(flags, "D") && n == 1) {
			return
		}
		line := prev + "\n"
		if grouped {
			if line = strings.Repeat(line, min(n, 1000)); groups > 0 {
				line = "\n" + line
			}
			groups++
		}
		if strings.Contains(flags, "c") {
			line = sprintf("%7d %s\n", n, prev)
		}
		if strings.Contains(flags, "D") {
			line = strings.Repeat(line, min(n, 1000))
		}
		if _, err := io.WriteString(w, line); err != nil {
			panic(stop{p.writeFailed(err)})
		}
	}
	status := p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			k := key(string(l))
			if n > 0 && k == prevKey {
				n++
				return true
			}
			emit()
			prev, prevKey, n = string(l), k, 1
			return true
		})
	})
	emit()
	return status
}

// readLines reads whole inputs as lines, charged.
func (p *Proc) readLines(arg string) ([]string, error) {
	r, err := p.openFile(arg)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	err = p.lines(r, func(l []byte, _ bool) bool {
		p.alloc(len(l) + 16)
		out = append(out, string(l))
		return true
	})
	return out, err
}

func paste(p *Proc) int {
	opts, args, ok := p.getopt("d:sz", "delimiters=,d", "serial,s", "zero-terminated,z")
	if !ok {
		return 1
	}
	delim, serial := "\t", false
	for _, o := range opts {
		switch o.name {
		case "d":
			delim, _ = unescape(o.val, false)
		case "s":
			serial = true
		}
	}
	args = orStdin(args)
	var all [][]string
	rows := 0
	dashes := 0 // each "-" takes its turn at the lines of standard input
	for _, a := range args {
		if a == "-" {
			dashes++
		}
	}
	var stdin []string
	seen := 0
	for _, a := range args {
		var l []string
		var err error
		if a == "-" && seen > 0 {
			l = stdin
		} else if l, err = p.readLines(a); err != nil {
			p.errorf("%s: %s", a, why(err))
			return 1
		}
		if a == "-" && dashes > 1 && !serial {
			stdin = l
			var mine []string
			for i := seen; i < len(stdin); i += dashes {
				mine = append(mine, stdin[i])
			}
			l = mine
			seen++
		}
		all, rows = append(all, l), max(rows, len(l))
	}
	ds := []rune(delim)
	sep := func(i int) string {
		if len(ds) == 0 {
			return ""
		}
		return string(ds[i%len(ds)])
	}
	join := func(parts []string) {
		for i, s := range parts {
			if i > 0 {
				p.print(sep(i - 1))
			}
			p.print(s)
		}
		p.print("\n")
	}
	if serial {
		for _, l := range all {
			join(l)
		}
		return 0
	}
	for r := range rows {
		parts := make([]string, len(all))
		for i, l := range all {
			if r < len(l) {
				parts[i] = l[r]
			}
		}
		join(parts)
		p.step(1)
	}
	return 0
}

func comm(p *Proc) int {
	opts, args, ok := p.getopt("123z", "check-order", "nocheck-order", "output-delimiter=", "total", "zero-terminated,z")
	if !ok {
		return 1
	}
	if !p.operands(args, 2) {
		return 1
	}
	hide := map[string]bool{}
	for _, o := range opts {
		hide[o.name] = true
	}
	var f [2][]string
	for i := range f {
		l, err := p.readLines(args[i])
		if err != nil {
			p.errorf("%s: %s", args[i], why(err))
			return 1
		}
		f[i] = l
	}
	tabs := func(col string, before ...string) {
		_ = col
		for _, b := range before {
			if !hide[b] {
				p.print("\t")
			}
		}
	}
	a, b := f[0], f[1]
	for len(a)+len(b) > 0 {
		p.step(1)
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			if !hide["1"] {
				p.print(a[0] + "\n")
			}
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			if !hide["2"] {
				tabs("2", "1")
				p.print(b[0] + "\n")
			}
			b = b[1:]
		default:
			if !hide["3"] {
				tabs("3", "1", "2")
				p.print(a[0] + "\n")
			}
			a, b = a[1:], b[1:]
		}
	}
	return 0
}

func column(p *Proc) int {
	opts, args, ok := p.getopt("c:s:to:nexJ", "table,t", "separator=,s", "output-separator=,o", "output-width=,c", "fillrows,x")
	if !ok {
		return 1
	}
	table, sep, out, wide := false, "", "  ", 80
	for _, o := range opts {
		switch o.name {
		case "t":
			table = true
		case "s":
			sep = o.val
		case "o":
			out = o.val
		case "c":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 1 {
				p.errorf("invalid columns argument: %s", qa(o.val))
				return 1
			}
			wide = n
		}
	}
	var rows [][]string
	var wides []int
	status := p.inputs(args, "cannot open %s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			if len(bytes.TrimSpace(l)) == 0 {
				return true
			}
			p.alloc(len(l) + 32)
			f := strings.Fields(string(l))
			if sep != "" {
				f = strings.FieldsFunc(string(l), func(r rune) bool { return strings.ContainsRune(sep, r) })
			}
			if !table {
				f = []string{string(l)}
			}
			for i, s := range f {
				if i == len(wides) {
					wides = append(wides, 0)
				}
				wides[i] = max(wides[i], width(s))
			}
			rows = append(rows, f)
			return true
		})
	})
	if !table {
		p.columns(rows, wides, wide, letters(opts)["x"])
		return status
	}
	for _, r := range rows {
		for i, w := range wides {
			cell := ""
			if i < len(r) {
				cell = r[i]
			}
			if p.print(cell); i < len(wides)-1 {
				p.print(strings.Repeat(" ", w-width(cell)) + out)
			}
		}
		p.print("\n")
	}
	return status
}

// columns prints entries side by side with tabs, down first or across first.
func (p *Proc) columns(rows [][]string, wides []int, wide int, across bool) {
	if len(rows) == 0 {
		return
	}
	cell := wides[0]/8*8 + 8
	perLine := max(1, wide/cell)
	lines := (len(rows) + perLine - 1) / perLine
	for y := range lines {
		for x := range perLine {
			i, next := x*lines+y, (x+1)*lines+y
			if across {
				i, next = y*perLine+x, y*perLine+x+1
			}
			if i >= len(rows) {
				break
			}
			s := rows[i][0]
			if p.print(s); x < perLine-1 && next < len(rows) {
				p.print(strings.Repeat("\t", (cell-width(s)+7)/8))
			}
		}
		p.print("\n")
	}
}

func shuf(p *Proc) int {
	opts, args, ok := p.getopt("ei:n:o:rz", "echo,e", "input-range=,i", "head-count=,n", "repeat,r")
	if !ok {
		return 1
	}
	var lines []string
	most, echoed := math.MaxInt, false
	for _, o := range opts {
		switch o.name {
		case "e":
			lines, echoed = args, true
		case "i":
			a, b, _ := strings.Cut(o.val, "-")
			lo, err1 := strconv.Atoi(a)
			hi, err2 := strconv.Atoi(b)
			if err1 != nil || err2 != nil || hi < lo || hi-lo > 1<<20 {
				p.errorf("invalid input range: %s", p.q(o.val))
				return 1
			}
			p.alloc((hi - lo) * 24)
			for n := lo; n <= hi; n++ {
				lines = append(lines, strconv.Itoa(n))
			}
			echoed = true
		case "n":
			n, good := size(o.val)
			if !good || n < 0 {
				p.errorf("invalid line count: %s", p.q(o.val))
				return 1
			}
			most = int(min(n, math.MaxInt32))
		}
	}
	if !echoed {
		name := "-"
		if len(args) > 0 {
			name = args[0]
		}
		l, err := p.readLines(name)
		if err != nil {
			p.errorf("%s: %s", name, why(err))
			return 1
		}
		lines = l
	}
	lines = slices.Clone(lines)
	salt := p.random(8)
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(hashText(salt+a), hashText(salt+b)) })
	for _, l := range lines[:max(0, min(most, len(lines)))] {
		p.print(l + "\n")
	}
	return 0
}
