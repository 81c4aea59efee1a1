package coreutils

import (
	"cmp"
	"errors"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func listCommands(name string) Command {
	switch name {
	case "ls", "dir", "vdir":
		return ls
	case "dircolors":
		return dircolors
	}
	return nil
}

// entry is one line of a listing.
type entry struct {
	vfs.Info
	shown string // the name as printed, quoted and coloured
	wide  int    // its columns
	link  string // " -> target"
}

type lister struct {
	p                                      *Proc
	flags                                  map[byte]bool
	sort                                   string // name, none, time, size, extension, version
	format                                 byte   // l, C, 1, x, m
	timeField                              byte   // m, c, u
	style                                  string // long-iso, full-iso, ""
	reverse, color, quote, classify, slash bool
	human, si                              bool
	ignore                                 []string
	owners, groups                         map[uint32]string
	status                                 int
	first                                  bool
	budget, cols                           int
	author, zero                           bool
	block                                  int64 // --block-size
	colours                                palette
}

func ls(p *Proc) int {
	l := &lister{p: p, flags: map[byte]bool{}, sort: "name", timeField: 'm', owners: map[uint32]string{}, groups: map[uint32]string{}, first: true}
	l.format, l.quote = '1', p.TTY
	if p.TTY || p.name == "dir" {
		l.format = 'C'
	}
	if p.name == "vdir" {
		l.format = 'l'
	}
	opts, args, ok := p.getopt("aAbBcCdDfFgGhHiI:klLmnNopqQrRsStT:uUvw:xXZ1",
		"all,a", "almost-all,A", "author", "block-size=", "color?", "context,Z", "directory,d", "classify?,F", "file-type", "format=", "full-time", "group-directories-first",
		"no-group,G", "human-readable,h", "si", "inode,i", "ignore=,I", "dereference,L", "numeric-uid-gid,n", "literal,N", "reverse,r", "recursive,R", "size,s",
		"sort=", "time=", "time-style=", "width=,w", "zero", "quote-name,Q", "escape,b", "hide=", "indicator-style=", "kibibytes,k", "quoting-style=", "show-control-chars", "hide-control-chars,q", "ignore-backups,B")
	if !ok {
		return 2
	}
	for _, o := range opts {
		if !l.valid(o) {
			return l.status
		}
		l.set(o)
	}
	if t := p.Env("TERM"); p.Env("LS_COLORS") == "" && (t == "" || t == "dumb") {
		l.color = false // without a terminal type there are no colours to know
	}
	if l.color {
		l.colours = p.palette()
	}
	return l.run(args)
}

// choices are the words an option of ls takes; words that mean the same stand
// on one line.
var choices = map[string][]string{
	"sort":            {"none", "time", "size", "extension", "version", "width"},
	"time":            {"atime access use", "ctime status", "birth creation"},
	"color":           {"always yes force", "never no none", "auto tty if-tty"},
	"indicator-style": {"none", "slash", "file-type", "classify"},
	"format":          {"verbose long", "commas", "horizontal across", "vertical", "single-column"},
	"quoting-style":   {"literal", "shell", "shell-always", "shell-escape", "shell-escape-always", "c", "c-maybe", "escape", "locale", "clocale"},
}

// valid refuses a word that an option does not take.
func (l *lister) valid(o opt) bool {
	p := l.p
	if o.name == "w" {
		if _, ok := size(o.val); !ok {
			p.errorf("invalid line width: %s", p.q(o.val))
			l.status = 2
			return false
		}
	}
	words, ok := choices[o.name]
	if !ok || o.val == "" && o.name == "color" {
		return true
	}
	for _, line := range words {
		if slices.Contains(strings.Fields(line), o.val) {
			return true
		}
	}
	p.errorf("invalid argument %s for %s", p.q(o.val), p.q("--"+o.name))
	p.complain("Valid arguments are:\n")
	for _, line := range words {
		same := strings.Fields(line)
		for i, w := range same {
			same[i] = p.q(w)
		}
		p.complain("  - " + strings.Join(same, ", ") + "\n")
	}
	l.status = p.try(1)
	return false
}

func (l *lister) set(o opt) {
	switch o.name {
	case "author":
		l.author = true
	case "zero":
		l.zero, l.quote, l.color = true, false, false
		if l.format != 'l' {
			l.format = '1'
		}
	case "block-size":
		if n, ok := size(o.val); ok {
			l.block = n
		} else if n, ok := size("1" + o.val); ok {
			l.block = n
		}
	case "quoting-style":
		switch o.val {
		case "c":
			l.flags['Q'] = true
		case "escape":
			l.flags['b'] = true
		case "literal":
			l.quote = false
		case "shell-escape", "shell":
			l.quote = true
		}
	case "indicator-style":
		l.slash, l.classify = o.val == "slash" || o.val == "file-type", o.val == "classify"
	case "l", "g", "o", "n", "full-time":
		l.format = 'l'
	case "1":
		if l.format != 'l' {
			l.format = '1'
		}
	case "C", "x", "m":
		l.format = o.name[0]
	case "r":
		l.reverse = true
	case "t":
		l.sort = "time"
	case "S":
		l.sort = "size"
	case "U":
		l.sort = "none"
	case "X":
		l.sort = "extension"
	case "v":
		l.sort = "version"
	case "f":
		l.sort, l.flags['a'], l.color = "none", true, false
	case "c", "u":
		l.timeField = o.name[0]
	case "h":
		l.human = true
	case "si":
		l.human, l.si = true, true
	case "F":
		l.classify = o.val == "" || o.val == "always" || o.val != "never" && l.p.TTY
	case "p", "file-type":
		l.slash = true
	case "color":
		l.color = o.val == "" || o.val == "always" || o.val == "yes" || o.val == "force" || (o.val == "auto" || o.val == "tty" || o.val == "if-tty") && l.p.TTY
	case "N", "literal":
		l.quote = false
	case "time-style":
		l.style = strings.TrimPrefix(o.val, "posix-")
	case "sort":
		l.sort = o.val
	case "time":
		l.timeField = map[string]byte{"atime": 'u', "access": 'u', "use": 'u', "ctime": 'c', "status": 'c'}[o.val]
	case "format":
		l.format = map[string]byte{"long": 'l', "verbose": 'l', "single-column": '1', "across": 'x', "commas": 'm', "vertical": 'C'}[o.val]
	case "w":
		if n, ok := size(o.val); ok {
			l.cols = int(min(n, 4096))
		}
	case "I", "hide":
		l.ignore = append(l.ignore, o.val)
	}
	if o.name == "full-time" {
		l.style = "full-iso"
	}
	l.flags[o.name[0]] = l.flags[o.name[0]] || len(o.name) == 1
	if o.name == "c" || o.name == "u" {
		if l.format != 'l' && l.sort == "name" {
			l.sort = "time"
		}
	}
}

func (l *lister) run(args []string) int {
	p := l.p
	if len(args) == 0 {
		args = []string{"."}
	}
	var files, dirs []entry
	for _, a := range args {
		get := p.stat
		if l.format == 'l' || l.flags['d'] || l.classify {
			get = p.lstat
		}
		if l.flags['L'] || l.flags['H'] {
			get = p.stat
		}
		i, err := get(a)
		if err != nil && a == "." && errors.Is(err, vfs.ENOENT) {
			continue // the folder one stands in has been removed: it is empty
		}
		if err != nil && !l.flags['L'] {
			i, err = p.lstat(a)
		}
		if err != nil {
			p.errorf("cannot access %s: %s", qa(a), why(err))
			l.status = 2
			continue
		}
		e := entry{Info: i}
		e.Name = a
		if i.IsDir() && !l.flags['d'] {
			dirs = append(dirs, e)
		} else {
			files = append(files, e)
		}
	}
	l.order(files)
	l.order(dirs)
	if len(files) > 0 {
		l.first = false
		l.show(files, false)
	}
	for _, d := range dirs {
		l.folder(d.Name, len(args) > 1 || l.flags['R'], 0)
	}
	return l.status
}

func (l *lister) folder(name string, title bool, depth int) {
	p := l.p
	list, err := p.FS.ReadDir(p.Cred, p.path(name))
	if err != nil {
		p.errorf("cannot open directory %s: %s", qa(name), why(err))
		l.status = max(l.status, 1)
		if depth == 0 {
			l.status = 2
		}
		return
	}
	p.step(5 + len(list)/4)
	if title {
		if !l.first {
			p.print("\n")
		}
		p.print(name + ":\n")
	}
	l.first = false
	var out []entry
	if l.flags['a'] {
		for _, dot := range []string{".", ".."} {
			if i, err := p.stat(strings.TrimSuffix(name, "/") + "/" + dot); err == nil {
				i.Name = dot
				out = append(out, entry{Info: i})
			}
		}
	}
	for _, i := range list {
		if strings.HasPrefix(i.Name, ".") && !l.flags['a'] && !l.flags['A'] || l.flags['B'] && strings.HasSuffix(i.Name, "~") {
			continue
		}
		if slices.ContainsFunc(l.ignore, func(pat string) bool { return glob(pat, i.Name) }) {
			continue
		}
		if l.flags['L'] && i.IsSymlink() {
			if t, err := p.stat(strings.TrimSuffix(name, "/") + "/" + i.Name); err == nil {
				t.Name = i.Name
				i = t
			}
		}
		out = append(out, entry{Info: i})
	}
	l.order(out)
	l.show(out, true)
	if l.flags['R'] && depth < maxTree {
		for _, e := range out {
			if e.IsDir() && e.Name != "." && e.Name != ".." {
				l.folder(strings.TrimSuffix(name, "/")+"/"+e.Name, true, depth+1)
			}
		}
	}
}

func (l *lister) time(i vfs.Info) time.Time {
	switch l.timeField {
	case 'c':
		return i.Ctime
	case 'u':
		return i.Atime
	}
	return i.Mtime
}

func (l *lister) order(list []entry) {
	if l.sort == "none" {
		return
	}
	key := func(a, b entry) int { return 0 }
	switch l.sort {
	case "time":
		key = func(a, b entry) int { return l.time(b.Info).Compare(l.time(a.Info)) }
	case "size":
		key = func(a, b entry) int { return cmp.Compare(b.Size, a.Size) }
	case "extension":
		key = func(a, b entry) int {
			return cmp.Compare(a.Name[strings.LastIndexByte(a.Name, '.')+1:], b.Name[strings.LastIndexByte(b.Name, '.')+1:])
		}
	}
	slices.SortStableFunc(list, func(a, b entry) int {
		c := cmp.Or(key(a, b), l.collate(a.Name, b.Name))
		if l.reverse {
			c = -c
		}
		return c
	})
}

// collate compares names: by bytes, or letters first in a language's locale.
func (l *lister) collate(a, b string) int {
	if !l.p.language() {
		return cmp.Compare(a, b)
	}
	fold := func(s string) string {
		return strings.ToLower(strings.Map(func(r rune) rune {
			if strings.ContainsRune("._-+", r) {
				return -1
			}
			return r
		}, s))
	}
	x, y := fold(a), fold(b)
	if x == "" || y == "" || x != y || strings.EqualFold(a, b) {
		if c := cmp.Compare(x, y); c != 0 || x == "" {
			return cmp.Or(c, cmp.Compare(a, b))
		}
		return -cmp.Compare(a, b) // small letters before capitals
	}
	return cmp.Compare(a, b)
}

// language reports whether the locale sorts by a language's rules.
func (p *Proc) language() bool {
	for _, v := range []string{"LC_ALL", "LC_COLLATE", "LANG"} {
		if s := p.Env(v); s != "" {
			return s != "C" && s != "POSIX" && !strings.HasPrefix(s, "C.")
		}
	}
	return false
}
