package coreutils

import (
	"errors"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func cmpCmd(p *Proc) int {
	opts, args, ok := p.getopt("bi:ln:s", "print-bytes,b", "verbose,l", "bytes=,n", "quiet,s", "silent,s", "ignore-initial=,i")
	if !ok {
		return 2
	}
	flags := letters(opts)
	silent := flags["s"]
	limit, skip := int64(math.MaxInt64), [2]int64{}
	for _, o := range opts {
		switch o.name {
		case "n":
			n, good := size(o.val)
			if !good {
				p.errorf("invalid --bytes value '%s'", o.val)
				return p.tryNamed(2)
			}
			limit = n
		case "i":
			one, two, both := strings.Cut(o.val, ":")
			if !both {
				two = one
			}
			for i, v := range []string{one, two} {
				n, good := size(v)
				if !good {
					p.errorf("invalid --ignore-initial value '%s'", o.val)
					return p.tryNamed(2)
				}
				skip[i] = n
			}
		}
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
		_, _ = io.CopyN(io.Discard, &metered{p: p, r: f}, skip[i])
		r[i] = f
	}
	var a, b [4096]byte
	differ := false
	pos, line := int64(0), 1
	for {
		p.step(1)
		n, err1 := io.ReadFull(r[0], a[:])
		m, err2 := io.ReadFull(r[1], b[:])
		for i := range min(n, m) {
			if pos+int64(i) >= limit {
				return status(differ)
			}
			if a[i] != b[i] && flags["l"] && !silent {
				p.printf("%d %3o %3o\n", pos+int64(i)+1, a[i], b[i])
				differ = true
				continue
			}
			if a[i] != b[i] {
				if !silent && flags["b"] {
					p.printf("%s %s differ: byte %d, line %d is %3o %s %3o %s\n", args[0], args[1], pos+int64(i)+1, line, a[i], caret(a[i]), b[i], caret(b[i]))
					return 1
				}
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
			if pos+int64(min(n, m)) >= limit {
				return status(differ)
			}
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
			return status(differ)
		}
	}
}

// status of a comparison.
func status(differ bool) int {
	if differ {
		return 1
	}
	return 0
}

// sdiff shows two files side by side; without -o it is diff -y.
func sdiff(p *Proc) int {
	opts, args, ok := p.getopt("abBEdHiI:lo:stvw:WZ", "width=,w", "suppress-common-lines,s", "ignore-case,i", "output=,o", "left-column,l", "ignore-all-space,W", "text,a")
	if !ok {
		return 2
	}
	argv := []string{"diff", "-y"}
	for _, o := range opts {
		switch o.name {
		case "w":
			argv = append(argv, "-W", o.val)
		case "s":
			argv = append(argv, "--suppress-common-lines")
		case "W":
			argv = append(argv, "-w")
		case "i", "b", "B", "a", "t", "E", "Z":
			argv = append(argv, "-"+o.name)
		}
	}
	p.Args = append(append(argv, "--"), args...)
	return diff(p)
}

// caret is a byte as cmp -b shows it.
func caret(c byte) string {
	s := ""
	if c >= 128 {
		s, c = "M-", c-128
	}
	switch {
	case c < 32:
		return s + "^" + string(rune(c+64))
	case c == 127:
		return s + "^?"
	}
	return s + string(rune(c))
}

// maxDiff bounds the lines compared in full; beyond that the middle counts as
// changed.
const maxDiff = 4000

func diff(p *Proc) int {
	opts, args, ok := p.getopt("0123456789abBcC:eEiNnpqrsStTuU:wW:yZ", "brief,q", "unified?,u", "context?,c", "recursive,r", "report-identical-files,s", "ignore-case,i", "ignore-all-space,w", "ignore-space-change,b", "ignore-blank-lines,B", "text,a", "new-file,N", "side-by-side,y", "color?", "normal", "ed,e", "rcs,n", "width=,W", "suppress-common-lines,suppress", "strip-trailing-cr", "show-c-function,p", "minimal", "speed-large-files", "ignore-trailing-space,Z", "ignore-tab-expansion,E", "expand-tabs,t", "exclude=", "label=")
	if !ok {
		return 2
	}
	flags := map[string]bool{}
	wide, context, digits, colour := 130, 3, "", false
	for _, o := range opts {
		flags[o.name] = true
		n, err := strconv.Atoi(o.val)
		switch o.name {
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9": // -u5, as it was once written
			digits += o.name
			context, _ = strconv.Atoi(digits)
		case "color":
			colour = o.val == "always"
		case "W":
			if wide = n; err != nil || n < 1 {
				p.errorf("invalid width '%s'", o.val)
				return p.tryNamed(2)
			}
		case "U", "C", "u", "c":
			if o.val == "" {
				break
			}
			if context = n; err != nil || n < 0 {
				p.errorf("invalid context length '%s'", o.val)
				return p.tryNamed(2)
			}
		}
	}
	flags["u"], flags["c"] = flags["u"] || flags["U"], flags["c"] || flags["C"] || flags["p"]
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
	x, open1, err1 := p.diffLines(a, flags["N"])
	y, open2, err2 := p.diffLines(b, flags["N"])
	for i, err := range []error{err1, err2} {
		if err != nil && !errors.Is(err, vfs.EISDIR) {
			p.errorf("%s: %s", []string{a, b}[i], why(err))
		}
	}
	if err1 != nil || err2 != nil {
		return 2
	}
	kx, ky := diffKeys(x, flags), diffKeys(y, flags)
	if !flags["w"] && !flags["b"] && !flags["Z"] && open1 != open2 { // the missing newline is a difference
		kx, ky = unended(kx, open1), unended(ky, open2)
	}
	d := &differing{p: p, x: x, y: y, openX: open1, openY: open2, colour: colour}
	if slices.Equal(kx, ky) {
		if flags["y"] && !flags["suppress"] {
			d.beside(nil, wide, true)
		}
		if flags["s"] {
			p.printf("Files %s and %s are identical\n", a, b)
		}
		return 0
	}
	switch {
	case flags["q"]:
		p.printf("Files %s and %s differ\n", a, b)
	case !flags["a"] && (isBinary(x) || isBinary(y)):
		p.printf("Binary files %s and %s differ\n", a, b)
	case flags["u"]:
		d.unified(a, b, p.hunks(kx, ky), context)
	case flags["c"]:
		d.copied(a, b, p.hunks(kx, ky), context)
	case flags["e"] && (open1 || open2): // a script cannot say so
		for i, open := range []bool{open1, open2} {
			if open {
				p.errorf("%s: No newline at end of file\n", []string{a, b}[i])
			}
		}
		return 2
	case flags["e"]:
		p.ed(p.hunks(kx, ky), y)
	case flags["n"]:
		p.rcs(p.hunks(kx, ky), y)
	case flags["y"]:
		d.beside(p.hunks(kx, ky), wide, !flags["suppress"])
	default:
		for _, h := range p.hunks(kx, ky) {
			d.normal(h)
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

// tryNamed is try as diffutils write it.
func (p *Proc) tryNamed(status int) int {
	p.errorf("Try '%s --help' for more information.", p.name)
	return status
}
