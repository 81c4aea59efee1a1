package coreutils

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func wc(p *Proc) int {
	opts, args, ok := p.getopt("cLlmw", "bytes,c", "chars,m", "lines,l", "words,w", "max-line-length,L", "files0-from=")
	if !ok {
		return 1
	}
	flags := named(opts)
	if flags == "" {
		flags = "lwc"
	}
	type counts struct{ l, w, m, c, L int64 }
	var all []counts
	var names []string
	var total counts
	stdin := len(args) == 0
	var sizes int64
	odd := false
	status := p.inputs(args, "%s", func(name string, r io.Reader) error {
		var n counts
		if f, ok := r.(*vfs.File); ok {
			i := f.Stat()
			sizes += i.Size
			odd = odd || !i.IsRegular()
			if i.IsDir() {
				p.errorf("%s: Is a directory", name)
				all, names = append(all, n), append(names, name)
				return errQuiet
			}
		}
		inWord, col := false, int64(0)
		err := p.each(r, func(b []byte) bool {
			n.c += int64(len(b))
			for _, c := range b {
				if c&0xc0 != 0x80 || !p.utf8() {
					n.m++
				}
				switch {
				case c == '\n':
					n.l++
					n.L, col = max(n.L, col), 0
				case c == '\t':
					col += 8 - col%8
				case c >= 0x20 && c&0xc0 != 0x80:
					col++
				}
				space := c == ' ' || c >= 9 && c <= 13
				if !space && !inWord {
					n.w++
				}
				inWord = !space
			}
			return true
		})
		n.L = max(n.L, col)
		all, names = append(all, n), append(names, name)
		total.l, total.w, total.m, total.c, total.L = total.l+n.l, total.w+n.w, total.m+n.m, total.c+n.c, max(total.L, n.L)
		return err
	})
	wide := 1
	if len(flags) > 1 || len(args) > 1 {
		wide = len(strconv.FormatInt(max(sizes, total.c), 10))
		if stdin || odd {
			wide = 7
		}
	}
	show := func(n counts, name string) {
		sep := ""
		for _, f := range []struct {
			flag string
			v    int64
		}{{"l", n.l}, {"w", n.w}, {"m", n.m}, {"c", n.c}, {"L", n.L}} {
			if strings.Contains(flags, f.flag) {
				p.printf("%s%*d", sep, wide, f.v)
				sep = " "
			}
		}
		if name != "" {
			p.print(" " + name)
		}
		p.print("\n")
	}
	for i, n := range all {
		if stdin {
			names[i] = ""
		}
		show(n, names[i])
	}
	if len(args) > 1 {
		show(total, "total")
	}
	return status
}

// errQuiet marks what a command has already complained about.
var errQuiet = errors.New("reported")
