package coreutils

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func listCommands(name string) Command {
	switch name {
	case "ls", "dir", "vdir":
		return ls
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
		"all,a", "almost-all,A", "author", "block-size=", "color?", "directory,d", "classify?,F", "file-type", "format=", "full-time", "group-directories-first",
		"no-group,G", "human-readable,h", "si", "inode,i", "ignore=,I", "dereference,L", "numeric-uid-gid,n", "literal,N", "reverse,r", "recursive,R", "size,s",
		"sort=", "time=", "time-style=", "width=,w", "zero", "quote-name,Q", "escape,b", "hide=", "indicator-style=", "kibibytes,k", "quoting-style=", "show-control-chars", "hide-control-chars,q", "ignore-backups,B")
	if !ok {
		return 2
	}
	for _, o := range opts {
		l.set(o)
	}
	if t := p.Env("TERM"); p.Env("LS_COLORS") == "" && (t == "" || t == "dumb") {
		l.color = false // without a terminal type there are no colours to know
	}
	return l.run(args)
}

func (l *lister) set(o opt) {
	switch o.name {
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
			if c := colorOf(l.p, e.Info); c != "" {
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
	if l.color && len(list) > 0 && strings.Contains(list[0].shown, "\x1b") && l.budget == 0 {
		l.budget = 1
		l.p.print("\x1b[0m")
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
		for _, e := range list {
			l.p.print(l.front(e, 0, 0) + e.shown + "\n")
		}
	}
}

// front is inode and size, as -i and -s ask.
func (l *lister) front(e entry, wi, ws int) string {
	s := ""
	if l.flags['i'] {
		s += sprintf("%*d ", wi, e.Ino)
	}
	if l.flags['s'] {
		b := sprintf("%d", e.Blocks()/2)
		if l.human {
			b = humanSize(e.Blocks()*512, l.si)
		}
		s += sprintf("%*s ", ws, b)
	}
	return s
}

func (l *lister) linkTarget(e entry) string {
	t := e.Target
	path := e.Path
	i, err := l.p.FS.Stat(l.p.Cred, path)
	if l.quote {
		t = lsQuote(t)
	}
	if l.color && err == nil {
		if c := colorOf(l.p, i); c != "" {
			t = "\x1b[" + c + "m" + t + "\x1b[0m"
		}
	}
	if (l.classify || l.slash) && err == nil {
		t += classOf(i, l.classify, false)
	}
	return t
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

// colorOf is dircolors' default table.
func colorOf(p *Proc, i vfs.Info) string {
	switch i.Type() {
	case vfs.Dir:
		switch {
		case i.Mode&vfs.Sticky != 0 && i.Mode&0o002 != 0:
			return "30;42"
		case i.Mode&0o002 != 0:
			return "34;42"
		case i.Mode&vfs.Sticky != 0:
			return "37;44"
		}
		return "01;34"
	case vfs.Symlink:
		if _, err := p.FS.Stat(p.Cred, i.Path); err != nil {
			return "40;31;01"
		}
		return "01;36"
	case vfs.Fifo:
		return "40;33"
	case vfs.Socket:
		return "01;35"
	case vfs.Block, vfs.Char:
		return "40;33;01"
	}
	switch {
	case i.Mode&vfs.Setuid != 0:
		return "37;41"
	case i.Mode&vfs.Setgid != 0:
		return "30;43"
	case i.Mode&0o111 != 0:
		return "01;32"
	}
	ext := i.Name[strings.LastIndexByte(i.Name, '.')+1:]
	switch {
	case strings.Contains(" tar tgz zip gz xz zst bz2 deb rpm jar war rar 7z cpio lz4 Z ", " "+ext+" "):
		return "01;31"
	case strings.Contains(" jpg jpeg gif bmp png svg mp4 avi mkv mov webm ", " "+ext+" "):
		return "01;35"
	case strings.Contains(" mp3 wav ogg flac ", " "+ext+" "):
		return "00;36"
	}
	return ""
}

// long prints the lines of -l.
func (l *lister) long(list []entry, inFolder bool) {
	p := l.p
	var total int64
	var cells [][]string
	var wides [6]int
	major, minor := 0, 0
	for _, e := range list {
		if e.Type() == vfs.Char || e.Type() == vfs.Block {
			major, minor = max(major, len(sprintf("%d", e.Rdev>>8))), max(minor, len(sprintf("%d", e.Rdev&255)))
		}
	}
	for _, e := range list {
		total += e.Blocks()
		size := sprintf("%d", e.Size)
		if l.human {
			size = humanSize(e.Size, l.si)
		}
		if e.Type() == vfs.Char || e.Type() == vfs.Block {
			size = sprintf("%*d, %*d", major, e.Rdev>>8, minor, e.Rdev&255)
		}
		row := []string{sprintf("%d", e.Nlink), l.user(e.UID), l.group(e.GID), size, sprintf("%d", e.Ino), sprintf("%d", e.Blocks()/2)}
		if l.human {
			row[5] = humanSize(e.Blocks()*512, l.si)
		}
		for k, c := range row {
			wides[k] = max(wides[k], len(c))
		}
		cells = append(cells, row)
	}
	if inFolder {
		sum := sprintf("%d", total/2)
		if l.human {
			sum = humanSize(total*512, l.si)
		}
		p.print("total " + sum + "\n")
	}
	for i, e := range list {
		p.step(1)
		c := cells[i]
		line := l.front(e, wides[4], wides[5]) + modeString(e.Mode) + sprintf(" %*s", wides[0], c[0])
		if !l.flags['g'] {
			line += sprintf(" %-*s", wides[1], c[1])
		}
		if !l.flags['o'] && !l.flags['G'] {
			line += sprintf(" %-*s", wides[2], c[2])
		}
		line += sprintf(" %*s ", wides[3], c[3]) + l.when(l.time(e.Info)) + " " + e.shown + e.link
		p.print(line + "\n")
	}
}

func (l *lister) user(uid uint32) string {
	if l.flags['n'] {
		return sprintf("%d", uid)
	}
	if _, ok := l.owners[uid]; !ok {
		l.owners[uid] = l.p.userName(uid)
	}
	return l.owners[uid]
}

func (l *lister) group(gid uint32) string {
	if l.flags['n'] {
		return sprintf("%d", gid)
	}
	if _, ok := l.groups[gid]; !ok {
		l.groups[gid] = l.p.groupName(gid)
	}
	return l.groups[gid]
}

// when writes a time: with the clock for the last six months, else the year.
func (l *lister) when(t time.Time) string {
	switch l.style {
	case "full-iso":
		return t.Format("2006-01-02 15:04:05.000000000 -0700")
	case "long-iso":
		return t.Format("2006-01-02 15:04")
	case "iso":
		return t.Format("01-02 15:04")
	}
	if strings.HasPrefix(l.style, "+") {
		return strftime(l.style[1:], t)
	}
	now := l.p.Now()
	if t.After(now) || now.Sub(t) > 31556952*time.Second/2 {
		return t.Format("Jan _2  2006")
	}
	return t.Format("Jan _2 15:04")
}

// modeString writes a mode as ls does.
func modeString(mode uint32) string {
	b := []byte("-rwxrwxrwx")
	b[0] = map[uint32]byte{vfs.Dir: 'd', vfs.Symlink: 'l', vfs.Char: 'c', vfs.Block: 'b', vfs.Fifo: 'p', vfs.Socket: 's', vfs.Regular: '-'}[mode&vfs.TypeMask]
	for i := range 9 {
		if mode&(1<<(8-i)) == 0 {
			b[1+i] = '-'
		}
	}
	special := func(bit uint32, at int, with, without byte) {
		if mode&bit != 0 {
			if b[at] == 'x' {
				b[at] = with
			} else {
				b[at] = without
			}
		}
	}
	special(vfs.Setuid, 3, 's', 'S')
	special(vfs.Setgid, 6, 's', 'S')
	special(vfs.Sticky, 9, 't', 'T')
	return string(b)
}

// humanSize writes a size as ls -h and df -h do: rounded up, one decimal below 10.
func humanSize(n int64, si bool) string {
	base, units := 1024.0, "KMGTPE"
	if si {
		base, units = 1000, "kMGTPE"
	}
	f := float64(n)
	if f < base {
		return sprintf("%d", n)
	}
	i := -1
	for f >= base && i < len(units)-1 {
		f /= base
		i++
	}
	ceil := func(x float64) float64 {
		t := float64(int64(x))
		if x > t {
			t++
		}
		return t
	}
	if t := ceil(f*10) / 10; t < 10 {
		return sprintf("%.1f%c", t, units[i])
	}
	t := ceil(f)
	if t >= base && i < len(units)-1 {
		return sprintf("1.0%c", units[i+1])
	}
	return sprintf("%.0f%c", t, units[i])
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
			p.print(indent(pos+list[k].wide, pos+widths[c]))
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

// glob matches a shell pattern of *, ? and [..] against a whole name.
func glob(pattern, name string) bool {
	for steps := 0; pattern != ""; steps++ {
		switch pattern[0] {
		case '*':
			for pattern != "" && pattern[0] == '*' {
				pattern = pattern[1:]
			}
			if pattern == "" {
				return true
			}
			// Only the last star may have to move: try each place in turn.
			for i := range len(name) + 1 {
				if steps < 64 && glob(pattern, name[i:]) {
					return true
				}
			}
			return false
		case '?':
			if name == "" {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		case '[':
			end := strings.IndexByte(pattern[min(2, len(pattern)):], ']')
			if end < 0 || name == "" {
				if name == "" || name[0] != '[' {
					return false
				}
				pattern, name = pattern[1:], name[1:]
				continue
			}
			set := pattern[1 : end+2]
			if !inSet(set, name[0]) {
				return false
			}
			pattern, name = pattern[end+3:], name[1:]
		default:
			if pattern[0] == '\\' && len(pattern) > 1 {
				pattern = pattern[1:]
			}
			if name == "" || pattern[0] != name[0] {
				return false
			}
			pattern, name = pattern[1:], name[1:]
		}
	}
	return name == ""
}

func inSet(set string, c byte) bool {
	not := set != "" && (set[0] == '!' || set[0] == '^')
	if not {
		set = set[1:]
	}
	in := false
	for i := 0; i < len(set); i++ {
		if i+2 < len(set) && set[i+1] == '-' {
			in = in || c >= set[i] && c <= set[i+2]
			i += 2
			continue
		}
		in = in || c == set[i]
	}
	return in != not
}
