package coreutils

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func grepCommands(name string) Command {
	switch name {
	case "grep", "egrep", "fgrep", "rgrep":
		return grep
	case "zgrep":
		return grep
	}
	return nil
}

type grepper struct {
	p                *Proc
	flags            map[string]bool
	res              []*regex
	max              int
	before, after    int
	names            bool
	color            bool
	found, trouble   bool
	include, exclude []string
	label            string
}

func grep(p *Proc) int {
	g := &grepper{p: p, flags: map[string]bool{}, max: -1}
	o := reOptions{extended: p.name == "egrep", fixed: p.name == "fgrep"}
	name := p.name
	if name == "egrep" || name == "fgrep" {
		p.name = "grep"
	}
	p.Args = oldContext(p.Args)
	opts, args, ok := p.getopt("A:abB:C:cD:d:Ee:Ff:GHhIiLlm:noPqRrsTUuvVwxyZz", "after-context=,A", "before-context=,B", "context?,C", "text,a", "byte-offset,b", "count,c", "color?", "colour?,color", "extended-regexp,E", "regexp=,e", "fixed-strings,F", "file=,f", "basic-regexp,G", "with-filename,H", "no-filename,h", "ignore-case,i", "files-without-match,L", "files-with-matches,l", "max-count=,m", "line-number,n", "only-matching,o", "perl-regexp,P", "quiet,q", "silent,q", "recursive,r", "dereference-recursive,R", "no-messages,s", "invert-match,v", "word-regexp,w", "line-regexp,x", "null,Z", "null-data,z", "include=", "exclude=", "exclude-dir=", "binary-files=", "line-buffered", "no-ignore-case", "label=", "initial-tab,T", "directories=,d")
	if !ok {
		return 2
	}
	var patterns []string
	given := false
	for _, x := range opts {
		n, err := strconv.Atoi(x.val)
		switch x.name {
		case "e":
			patterns, given = append(patterns, strings.Split(x.val, "\n")...), true
		case "f":
			l, err := p.readLines(x.val)
			if err != nil {
				p.errorf("%s: %s", x.val, why(err))
				return 2
			}
			patterns, given = append(patterns, l...), true
		case "E":
			o.extended = true
		case "F":
			o.fixed = true
		case "P":
			o.perl = true
		case "i", "y":
			o.fold = true
		case "w":
			o.word = true
		case "x":
			o.whole = true
		case "m":
			if err != nil {
				p.errorf("invalid max count")
				return 2
			}
			g.max = n
		case "A", "B", "C":
			if err != nil || n < 0 {
				p.errorf("%s: invalid context length argument", x.val)
				return 2
			}
			if x.name != "A" {
				g.before = min(n, 10000)
			}
			if x.name != "B" {
				g.after = n
			}
		case "include":
			g.include = append(g.include, x.val)
		case "exclude", "exclude-dir":
			g.exclude = append(g.exclude, x.val)
		case "color":
			g.color = x.val == "always" || (x.val == "auto" || x.val == "") && p.TTY
		case "label":
			g.label = x.val
		case "d":
			g.flags["skip"] = x.val == "skip"
			g.flags["r"] = g.flags["r"] || x.val == "recurse"
		}
		g.flags[x.name] = true
	}
	if !given {
		if len(args) == 0 {
			p.complain("Usage: grep [OPTION]... PATTERNS [FILE]...\nTry 'grep --help' for more information.\n")
			return 2
		}
		patterns, args = strings.Split(args[0], "\n"), args[1:]
	}
	for _, pat := range patterns {
		if o.extended && !o.perl && pat != "" && strings.IndexByte("*+?", pat[0]) >= 0 {
			p.errorf("warning: %c at start of expression", pat[0])
		}
		re, err := compile(p, pat, o)
		if err != nil {
			msg := err.Error()
			if pat == "[" {
				msg = "Invalid regular expression"
			}
			if o.perl && strings.HasPrefix(msg, "Unmatched (") {
				msg = "missing closing parenthesis"
			}
			p.errorf("%s", msg)
			return 2
		}
		g.res = append(g.res, re)
	}
	return g.run(args)
}

// oldContext turns -3 into -C 3.
func oldContext(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if i > 0 && a == "--" {
			break
		}
		if i > 0 && len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "0123456789") == "" {
			out[i] = "-C" + a[1:]
		}
	}
	return out
}

func (g *grepper) run(args []string) int {
	p := g.p
	recursive := g.flags["r"] || g.flags["R"] || p.name == "rgrep"
	g.names = (len(args) > 1 || recursive && len(args) > 0 || recursive) && !g.flags["h"] || g.flags["H"]
	if len(args) == 0 {
		args = []string{"-"}
		if recursive {
			args = []string{"."}
		}
	}
	for _, a := range args {
		if recursive && a == "." && len(p.Args) > 0 && !slices.Contains(p.Args[1:], ".") {
			g.tree("", 0)
		} else {
			g.operand(a, recursive, 0)
		}
		if g.flags["q"] && g.found {
			return 0
		}
	}
	switch {
	case g.trouble && !(g.flags["q"] && g.found):
		return 2
	case g.found:
		return 0
	}
	return 1
}

func (g *grepper) fail(name string, err error) {
	if !g.flags["s"] {
		g.p.errorf("%s: %s", name, why(err))
	}
	g.trouble = true
}

func (g *grepper) operand(a string, recursive bool, depth int) {
	p := g.p
	if a != "-" {
		i, err := p.stat(a)
		if err != nil {
			g.fail(a, err)
			return
		}
		if i.IsDir() {
			if !recursive {
				if g.flags["skip"] {
					return
				}
				if !g.flags["s"] {
					p.errorf("%s: Is a directory", a)
				}
				g.trouble = true
				return
			}
			g.tree(a, depth)
			return
		}
	}
	r, err := p.open(a)
	if err != nil {
		g.fail(a, err)
		return
	}
	defer r.Close()
	if p.name == "zgrep" {
		if r, err = p.unzipped(r); err != nil {
			return
		}
	}
	name := a
	if a == "-" {
		name = "(standard input)"
		if g.label != "" {
			name = g.label
		}
	}
	if err := g.search(name, r); err != nil && !errors.Is(err, vfs.EISDIR) {
		g.fail(a, err)
	}
}

func (g *grepper) tree(dir string, depth int) {
	p := g.p
	at := dir
	if at == "" {
		at = "."
	}
	list, err := p.FS.ReadDir(p.Cred, p.path(at))
	if err != nil {
		g.fail(at, err)
		return
	}
	for _, e := range list {
		p.step(1)
		name := strings.TrimSuffix(dir, "/") + "/" + e.Name
		if dir == "" {
			name = e.Name
		}
		match := func(pats []string) bool {
			return slices.ContainsFunc(pats, func(s string) bool { return glob(s, e.Name) })
		}
		switch {
		case match(g.exclude), e.IsSymlink() && !g.flags["R"]:
		case e.IsDir() && depth < maxTree:
			g.tree(name, depth+1)
		case len(g.include) > 0 && !match(g.include):
		case e.IsRegular() || e.IsSymlink():
			g.operand(name, true, depth+1)
		}
		if g.flags["q"] && g.found {
			return
		}
	}
}

// line is one line kept for context.
type grepLine struct {
	n   int
	off int64
	b   []byte
}

func (g *grepper) search(name string, r io.Reader) error {
	p := g.p
	n, hits, off := 0, 0, int64(0)
	binaryFile, stopped := false, false
	var kept []grepLine
	pending, lastShown := 0, 0
	context := g.flags["A"] || g.flags["B"] || g.flags["C"]
	list := g.flags["l"] || g.flags["L"] || g.flags["c"] || g.flags["q"]
	end := byte('\n')
	if g.flags["z"] {
		end = 0
	}
	err := p.records(r, end, func(l []byte, _ bool) bool {
		n++
		at := off
		off += int64(len(l)) + 1
		if end == '\n' && bytes.IndexByte(l, 0) >= 0 && !g.flags["a"] {
			binaryFile = true
		}
		hit := g.matches(l) != g.flags["v"]
		switch {
		case hit && g.max == 0:
			stopped = true
			return false
		case hit:
			hits++
			g.found = true
			if list {
				return !(g.flags["q"] || g.flags["l"] || g.flags["L"])
			}
			if binaryFile {
				stopped = true
				return false
			}
			if context && lastShown > 0 && n-len(kept) > lastShown+1 {
				p.print("--\n")
			}
			for _, k := range kept {
				g.show(name, k, '-')
			}
			kept = nil
			g.show(name, grepLine{n, at, l}, ':')
			lastShown, pending = n, g.after
			if g.max > 0 && hits >= g.max {
				stopped = true
				return false
			}
		case pending > 0:
			g.show(name, grepLine{n, at, l}, '-')
			lastShown = n
			pending--
		case g.before > 0:
			kept = append(kept, grepLine{n, at, slices.Clone(l)})
			if len(kept) > g.before {
				kept = kept[1:]
			}
		}
		return true
	})
	_ = stopped
	prefix := ""
	if g.names {
		prefix = name + ":"
	}
	switch {
	case g.flags["q"]:
	case g.flags["l"]:
		if hits > 0 {
			p.print(name + g.nameEnd())
		}
	case g.flags["L"]:
		if hits == 0 {
			p.print(name + g.nameEnd())
		}
	case g.flags["c"]:
		p.printf("%s%d\n", prefix, hits)
	case binaryFile && hits > 0:
		p.errorf("%s: binary file matches", name)
	}
	return err
}

// nameEnd stands after a listed name.
func (g *grepper) nameEnd() string {
	if g.flags["Z"] {
		return "\x00"
	}
	return "\n"
}

func (g *grepper) matches(l []byte) bool {
	for _, re := range g.res {
		if re.find(g.p, l) != nil {
			return true
		}
	}
	return false
}

func (g *grepper) show(name string, k grepLine, sep byte) {
	p := g.p
	lead := ""
	tint := func(code, s string) string {
		if g.color {
			return "\x1b[" + code + "m\x1b[K" + s + "\x1b[m\x1b[K"
		}
		return s
	}
	mark := tint("36", string(sep))
	if g.names {
		lead += tint("35", name) + mark
	}
	if g.flags["n"] {
		lead += tint("32", strconv.Itoa(k.n)) + mark
	}
	if g.flags["o"] {
		if sep == '-' || g.flags["v"] {
			return
		}
		for _, re := range g.res {
			for _, m := range re.all(p, k.b, -1) {
				if m[1] > m[0] {
					if g.flags["b"] {
						p.printf("%s%d%s", lead, k.off+int64(m[0]), mark)
						p.print(tint("01;31", string(k.b[m[0]:m[1]])) + "\n")
						continue
					}
					p.print(lead + tint("01;31", string(k.b[m[0]:m[1]])) + "\n")
				}
			}
		}
		return
	}
	if g.flags["b"] {
		lead += strconv.FormatInt(k.off, 10) + mark
	}
	p.print(lead)
	if g.color && sep == ':' && !g.flags["v"] && len(g.res) == 1 {
		at := 0
		for _, m := range g.res[0].all(p, k.b, -1) {
			if m[1] > m[0] {
				p.write(k.b[at:m[0]])
				p.print(tint("01;31", string(k.b[m[0]:m[1]])))
				at = m[1]
			}
		}
		p.write(k.b[at:])
	} else {
		p.write(k.b)
	}
	p.print("\n")
}
