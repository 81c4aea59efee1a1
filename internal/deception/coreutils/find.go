package coreutils

import (
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func findCommands(name string) Command {
	switch name {
	case "find":
		return find
	case "xargs":
		return xargs
	}
	return nil
}

// found is one file a walk came to.
type foundFile struct {
	path  string
	info  vfs.Info
	depth int
	start string
}

// pred is one test or action.
type pred func(f *finder, x *foundFile) bool

type finder struct {
	p                  *Proc
	args               []string
	min, max           int
	depthFirst, follow bool
	xdev               bool
	acted, prune, quit bool
	status             int
	batches            []*batch
	nest               int
}

// batch gathers the names of -exec ... +.
type batch struct {
	argv  []string
	names []string
}

func find(p *Proc) int {
	f := &finder{p: p, max: math.MaxInt}
	args := p.Args[1:]
	for len(args) > 0 && (args[0] == "-H" || args[0] == "-L" || args[0] == "-P" || strings.HasPrefix(args[0], "-O") || args[0] == "-D") {
		f.follow = args[0] == "-L"
		args = args[1:]
	}
	var starts []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "(" && args[0] != "!" && args[0] != ")" && args[0] != "," {
		starts, args = append(starts, args[0]), args[1:]
	}
	if len(starts) == 0 {
		starts = []string{"."}
	}
	f.args = args
	test := f.or()
	if len(f.args) > 0 {
		if f.args[0] == ")" {
			p.errorf("you have too many ')'")
		} else {
			f.bad("paths must precede expression: `%s'", f.args[0])
		}
		return 1
	}
	for _, s := range starts {
		i, err := p.lstat(s)
		if f.follow || err == nil && strings.HasSuffix(s, "/") {
			if j, e := p.stat(s); e == nil {
				i, err = j, nil
			}
		}
		if err != nil {
			p.errorf("%s: %s", p.q(s), why(err))
			f.status = 1
			continue
		}
		f.walk(&foundFile{path: s, info: i, start: s}, test, i.Dev)
		if f.quit {
			break
		}
	}
	for _, b := range f.batches {
		f.flush(b)
	}
	return f.status
}

func (f *finder) bad(format string, a ...any) {
	f.p.errorf(format, a...)
	panic(stop{1})
}

func (f *finder) walk(x *foundFile, test pred, dev uint64) {
	p := f.p
	p.step(3)
	if f.quit {
		return
	}
	f.prune = false
	visit := func() {
		if x.depth >= f.min && test(f, x) && !f.acted {
			p.print(x.path + "\n")
		}
	}
	if !f.depthFirst {
		visit()
	}
	if x.info.IsDir() && x.depth < f.max && !(f.prune && !f.depthFirst) && !f.quit && x.depth < maxTree && !(f.xdev && x.info.Dev != dev) {
		list, err := p.FS.ReadDir(p.Cred, p.path(x.path))
		if err != nil {
			p.errorf("%s: %s", p.q(x.path), why(err))
			f.status = 1
		}
		for _, i := range list {
			name := strings.TrimSuffix(x.path, "/") + "/" + i.Name
			if f.follow && i.IsSymlink() {
				if j, err := p.stat(name); err == nil {
					j.Name = i.Name
					i = j
				}
			}
			f.walk(&foundFile{path: name, info: i, depth: x.depth + 1, start: x.start}, test, dev)
		}
	}
	if f.depthFirst {
		visit()
	}
}

func (f *finder) peek() string {
	if len(f.args) > 0 {
		return f.args[0]
	}
	return ""
}

func (f *finder) or() pred {
	if f.nest++; f.nest > 200 {
		f.bad("expression too deep")
	}
	defer func() { f.nest-- }()
	a := f.and()
	for f.peek() == "-o" || f.peek() == "-or" || f.peek() == "," {
		comma := f.peek() == ","
		f.args = f.args[1:]
		x, y := a, f.and()
		a = func(f *finder, e *foundFile) bool {
			r := x(f, e)
			if comma {
				return y(f, e)
			}
			return r || y(f, e)
		}
	}
	return a
}

func (f *finder) and() pred {
	var list []pred
	for {
		switch f.peek() {
		case "":
			if len(f.args) == 0 {
				return all(list)
			}
		case ")", "-o", "-or", ",":
			return all(list)
		case "-a", "-and":
			f.args = f.args[1:]
			continue
		}
		list = append(list, f.term())
	}
}

func all(list []pred) pred {
	return func(f *finder, x *foundFile) bool {
		for _, t := range list {
			if !t(f, x) {
				return false
			}
		}
		return true
	}
}

func (f *finder) arg(name string) string {
	if len(f.args) == 0 {
		f.bad("missing argument to `%s'", name)
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a
}

// number reads [+-]N and returns a comparison.
func (f *finder) number(name, s string) func(n int64) bool {
	sign := byte(0)
	t := s
	if t != "" && (t[0] == '+' || t[0] == '-') {
		sign, t = t[0], t[1:]
	}
	want, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		f.bad("invalid argument `%s' to `%s'", s, name)
	}
	return func(n int64) bool {
		switch sign {
		case '+':
			return n > want
		case '-':
			return n < want
		}
		return n == want
	}
}

func (f *finder) term() pred {
	p := f.p
	name := f.args[0]
	f.args = f.args[1:]
	switch name {
	case "(":
		t := f.or()
		if f.peek() != ")" {
			f.bad("invalid expression; I was expecting to find a ')' somewhere but did not see one.")
		}
		f.args = f.args[1:]
		return t
	case "!", "-not":
		if len(f.args) == 0 {
			f.bad("expected an expression after '%s'", name)
		}
		t := f.term()
		return func(f *finder, x *foundFile) bool { return !t(f, x) }
	case "-name", "-iname", "-path", "-wholename", "-ipath", "-lname":
		return f.nameTest(name, f.arg(name))
	case "-type", "-xtype":
		return f.typeTest(f.arg(name))
	case "-maxdepth", "-mindepth":
		a := f.arg(name)
		n, err := strconv.Atoi(a)
		if err != nil || n < 0 {
			f.bad("Expected a positive decimal integer argument to %s, but got %s", name, p.q(a))
		}
		if name == "-maxdepth" {
			f.max = n
		} else {
			f.min = n
		}
	case "-perm":
		return f.permTest(f.arg(name))
	case "-user", "-uid", "-group", "-gid":
		return f.ownerTest(name, f.arg(name))
	case "-nouser", "-nogroup":
		return func(*finder, *foundFile) bool { return false }
	case "-size":
		return f.sizeTest(f.arg(name))
	case "-empty":
		return func(f *finder, x *foundFile) bool {
			if x.info.IsDir() {
				l, err := p.FS.ReadDir(p.Cred, p.path(x.path))
				return err == nil && len(l) == 0
			}
			return x.info.IsRegular() && x.info.Size == 0
		}
	case "-mtime", "-atime", "-ctime", "-mmin", "-amin", "-cmin":
		return f.timeTest(name, f.arg(name))
	case "-newer", "-newermt":
		return f.newer(name, f.arg(name))
	case "-links":
		cmp := f.number(name, f.arg(name))
		return func(_ *finder, x *foundFile) bool { return cmp(int64(x.info.Nlink)) }
	case "-inum":
		cmp := f.number(name, f.arg(name))
		return func(_ *finder, x *foundFile) bool { return cmp(int64(x.info.Ino)) }
	case "-readable", "-writable", "-executable":
		want := map[string]uint32{"-readable": 4, "-writable": 2, "-executable": 1}[name]
		return func(_ *finder, x *foundFile) bool { return p.FS.Access(p.Cred, p.path(x.path), want) == nil }
	case "-regex", "-iregex":
		re, err := compile(p, f.arg(name), reOptions{whole: true, fold: name == "-iregex"})
		if err != nil {
			f.bad("%s", err)
		}
		return func(_ *finder, x *foundFile) bool { return re.find(p, []byte(x.path)) != nil }
	case "-regextype", "-fstype", "-context":
		f.arg(name)
	case "-depth", "-d":
		f.depthFirst = true
	case "-follow":
		f.follow = true
	case "-xdev", "-mount":
		f.xdev = true
	case "-true", "-noleaf", "-warn", "-nowarn", "-ignore_readdir_race", "-daystart":
	case "-false":
		return func(*finder, *foundFile) bool { return false }
	case "--help", "-help":
		p.help()
	case "--version", "-version":
		p.version()
	default:
		return f.action(name)
	}
	return func(*finder, *foundFile) bool { return true }
}

func (f *finder) action(name string) pred {
	p := f.p
	switch name {
	case "-print":
		f.acted = true
		return func(_ *finder, x *foundFile) bool { p.print(x.path + "\n"); return true }
	case "-print0":
		f.acted = true
		return func(_ *finder, x *foundFile) bool { p.print(x.path + "\x00"); return true }
	case "-printf":
		f.acted = true
		format := f.arg(name)
		return func(_ *finder, x *foundFile) bool { p.print(findFormat(p, format, x)); return true }
	case "-ls":
		f.acted = true
		return func(_ *finder, x *foundFile) bool {
			l := &lister{p: p}
			line := sprintf("%9d %6d %s %3d %-8s %-8s %8d %s %s", x.info.Ino, x.info.Blocks()/2, modeString(x.info.Mode), x.info.Nlink, p.userName(x.info.UID), p.groupName(x.info.GID), x.info.Size, l.when(x.info.Mtime), x.path)
			if x.info.IsSymlink() {
				line += " -> " + x.info.Target
			}
			p.print(line + "\n")
			return true
		}
	case "-prune":
		return func(f *finder, _ *foundFile) bool { f.prune = true; return true }
	case "-quit":
		f.acted = true
		return func(f *finder, _ *foundFile) bool { f.quit = true; return true }
	case "-delete":
		f.acted, f.depthFirst = true, true
		return func(f *finder, x *foundFile) bool {
			if x.path == "." {
				return true
			}
			err := p.FS.Remove(p.Cred, p.path(x.path))
			if x.info.IsDir() {
				err = p.FS.Rmdir(p.Cred, p.path(x.path))
			}
			if err != nil {
				p.errorf("cannot delete %s: %s", p.q(x.path), why(err))
				f.status = 1
			}
			return err == nil
		}
	case "-exec", "-execdir", "-ok", "-okdir":
		f.acted = true
		return f.exec(name)
	}
	if strings.HasPrefix(name, "-") {
		p.Watch.Unsupported("find " + name)
		f.bad("unknown predicate `%s'", name)
	}
	f.bad("paths must precede expression: `%s'", name)
	return nil
}

func (f *finder) nameTest(name, pat string) pred {
	fold := strings.HasPrefix(name, "-i")
	if fold {
		pat = strings.ToLower(pat)
	}
	return func(_ *finder, x *foundFile) bool {
		s := base(x.path)
		if strings.Contains(name, "path") || strings.Contains(name, "whole") {
			s = x.path
		}
		if name == "-lname" {
			if !x.info.IsSymlink() {
				return false
			}
			s = x.info.Target
		}
		if fold {
			s = strings.ToLower(s)
		}
		return glob(pat, s)
	}
}

func (f *finder) typeTest(s string) pred {
	kinds := map[string]uint32{"f": vfs.Regular, "d": vfs.Dir, "l": vfs.Symlink, "p": vfs.Fifo, "s": vfs.Socket, "b": vfs.Block, "c": vfs.Char}
	var want []uint32
	for k := range strings.SplitSeq(s, ",") {
		t, ok := kinds[k]
		if !ok {
			f.bad("Unknown argument to -type: %s", s)
		}
		want = append(want, t)
	}
	return func(_ *finder, x *foundFile) bool {
		for _, t := range want {
			if x.info.Type() == t {
				return true
			}
		}
		return false
	}
}

func (f *finder) permTest(s string) pred {
	how, t := byte(0), s
	if t != "" && strings.IndexByte("-/+", t[0]) >= 0 {
		how, t = t[0], t[1:]
	}
	m, ok := parseMode(t, 0, false, 0)
	if !ok {
		f.bad("invalid mode %s", f.p.q(s))
	}
	return func(_ *finder, x *foundFile) bool {
		switch how {
		case '-':
			return x.info.Perm()&m == m
		case '/', '+':
			return m == 0 || x.info.Perm()&m != 0
		}
		return x.info.Perm() == m
	}
}

func (f *finder) ownerTest(name, s string) pred {
	if name == "-uid" || name == "-gid" {
		cmp := f.number(name, s)
		return func(_ *finder, x *foundFile) bool {
			if name == "-uid" {
				return cmp(int64(x.info.UID))
			}
			return cmp(int64(x.info.GID))
		}
	}
	if name == "-group" {
		g, ok := f.p.groupID(s)
		if !ok {
			f.bad("%s is not the name of an existing group", f.p.q(s))
		}
		return func(_ *finder, x *foundFile) bool { return x.info.GID == g }
	}
	u, _, _, _, ok := f.p.account(s)
	if n, err := strconv.ParseUint(s, 10, 32); !ok && err == nil {
		u, ok = uint32(n), true
	}
	if !ok {
		f.bad("%s is not the name of a known user", f.p.q(s))
	}
	return func(_ *finder, x *foundFile) bool { return x.info.UID == u }
}

func (f *finder) sizeTest(s string) pred {
	if s == "" {
		f.bad("invalid null argument to `-size'")
	}
	unit := int64(512)
	t := s
	if i := strings.IndexByte("cwbkMG", s[len(s)-1]); i >= 0 {
		unit = []int64{1, 2, 512, 1 << 10, 1 << 20, 1 << 30}[i]
		t = s[:len(s)-1]
	}
	cmp := f.number("-size", t)
	return func(_ *finder, x *foundFile) bool { return cmp((x.info.Size + unit - 1) / unit) }
}

func (f *finder) timeTest(name, s string) pred {
	cmp := f.number(name, s)
	unit := 24 * time.Hour
	if strings.HasSuffix(name, "min") {
		unit = time.Minute
	}
	return func(f *finder, x *foundFile) bool {
		t := x.info.Mtime
		switch name[1] {
		case 'a':
			t = x.info.Atime
		case 'c':
			t = x.info.Ctime
		}
		return cmp(int64(f.p.Now().Sub(t) / unit))
	}
}

func (f *finder) newer(name, s string) pred {
	var t time.Time
	if name == "-newermt" {
		d, ok := parseDate(s, f.p.Now())
		if !ok {
			f.bad("I cannot figure out how to interpret %s as a date or time", f.p.q(s))
		}
		t = d
	} else {
		i, err := f.p.stat(s)
		if err != nil {
			f.bad("%s: %s", f.p.q(s), why(err))
		}
		t = i.Mtime
	}
	return func(_ *finder, x *foundFile) bool { return x.info.Mtime.After(t) }
}

// exec is -exec COMMAND ; and -exec COMMAND {} +.
func (f *finder) exec(name string) pred {
	var argv []string
	for {
		if len(f.args) == 0 {
			f.bad("missing argument to `%s'", name)
		}
		a := f.args[0]
		f.args = f.args[1:]
		if a == ";" {
			break
		}
		if a == "+" && len(argv) > 0 && argv[len(argv)-1] == "{}" {
			b := &batch{argv: argv[:len(argv)-1]}
			f.batches = append(f.batches, b)
			return func(f *finder, x *foundFile) bool {
				f.p.alloc(len(x.path) + 16)
				if b.names = append(b.names, x.path); len(b.names) >= 4096 {
					f.flush(b)
				}
				return true
			}
		}
		argv = append(argv, a)
	}
	if len(argv) == 0 {
		f.bad("invalid argument `;' to `%s'", name)
	}
	return func(f *finder, x *foundFile) bool {
		path, cwd := x.path, f.p.Cwd
		if name == "-execdir" || name == "-okdir" {
			cwd = vfs.Clean(cwd, parent(x.path))
			path = "./" + base(x.path)
		}
		run := make([]string, len(argv))
		for i, a := range argv {
			run[i] = strings.ReplaceAll(a, "{}", path)
		}
		return f.p.spawn(run, func(c *Proc) { c.Cwd = cwd; c.Stdin = strings.NewReader("") }) == 0
	}
}

func (f *finder) flush(b *batch) {
	if len(b.names) == 0 {
		return
	}
	if f.p.spawn(append(append([]string(nil), b.argv...), b.names...), func(c *Proc) { c.Stdin = strings.NewReader("") }) != 0 {
		f.status = 1
	}
	b.names = nil
}

// spawn runs another command after writing out what is buffered. A command that
// does not exist is reported in the manner of the caller.
func (p *Proc) spawn(argv []string, change func(c *Proc)) int {
	p.flush()
	p.step(20)
	child := *p
	child.Args, child.PPID, child.PID = argv, p.PID, 0
	child.out = nil
	if change != nil {
		change(&child)
	}
	return p.Run(&child, argv)
}

// findFormat is -printf.
func findFormat(p *Proc, format string, x *foundFile) string {
	format, _ = unescape(format, false)
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'p':
			b.WriteString(x.path)
		case 'f':
			b.WriteString(base(x.path))
		case 'h':
			b.WriteString(parent(x.path))
		case 'P':
			b.WriteString(strings.TrimPrefix(strings.TrimPrefix(x.path, x.start), "/"))
		case 's':
			b.WriteString(strconv.FormatInt(x.info.Size, 10))
		case 'm':
			b.WriteString(strconv.FormatUint(uint64(x.info.Perm()), 8))
		case 'M':
			b.WriteString(modeString(x.info.Mode))
		case 'u':
			b.WriteString(p.userName(x.info.UID))
		case 'g':
			b.WriteString(p.groupName(x.info.GID))
		case 'U':
			b.WriteString(strconv.Itoa(int(x.info.UID)))
		case 'G':
			b.WriteString(strconv.Itoa(int(x.info.GID)))
		case 'i':
			b.WriteString(strconv.FormatUint(x.info.Ino, 10))
		case 'n':
			b.WriteString(strconv.Itoa(int(x.info.Nlink)))
		case 'd':
			b.WriteString(strconv.Itoa(x.depth))
		case 'l':
			b.WriteString(x.info.Target)
		case 'y':
			b.WriteString(map[uint32]string{vfs.Dir: "d", vfs.Symlink: "l", vfs.Regular: "f", vfs.Fifo: "p", vfs.Char: "c", vfs.Block: "b", vfs.Socket: "s"}[x.info.Type()])
		case 't':
			b.WriteString(x.info.Mtime.Format("Mon Jan _2 15:04:05.0000000000 2006"))
		case 'T', 'A', 'C':
			t := map[byte]time.Time{'T': x.info.Mtime, 'A': x.info.Atime, 'C': x.info.Ctime}[format[i]]
			if i+1 < len(format) {
				i++
				if format[i] == '@' {
					b.WriteString(sprintf("%d.%09d0", t.Unix(), t.Nanosecond()))
				} else if format[i] == '+' {
					b.WriteString(t.Format("2006-01-02+15:04:05.0000000000"))
				} else {
					b.WriteString(strftime("%"+format[i:i+1], t))
				}
			}
		default:
			b.WriteByte('%')
			b.WriteByte(format[i])
		}
	}
	return b.String()
}

func xargs(p *Proc) int {
	opts, args, ok := p.getopt("+0a:d:E:e::I:i::L:l::n:oP:prs:tx", "null,0", "arg-file=,a", "delimiter=,d", "eof?,e", "replace?,i", "max-lines?,l", "max-args=,n", "max-procs=,P", "interactive,p", "no-run-if-empty,r", "max-chars=,s", "verbose,t", "exit,x", "show-limits", "open-tty,o", "process-slot-var=")
	if !ok {
		return 1
	}
	x := &xargsJob{p: p, max: 4096}
	file := "-"
	for _, o := range opts {
		switch o.name {
		case "0":
			x.delim = "\x00"
		case "d":
			x.delim, _ = unescape(o.val, false)
		case "a":
			file = o.val
		case "I", "i":
			x.replace = o.val
			if x.replace == "" {
				x.replace = "{}"
			}
		case "n", "L", "l":
			n, err := strconv.Atoi(o.val)
			if o.val == "" {
				n, err = 1, nil
			}
			if err != nil || n < 1 {
				p.errorf("invalid number \"%s\" for -%s option", o.val, o.name)
				return p.try(1)
			}
			x.max = min(n, 4096)
			x.byLine = o.name != "n"
		case "r":
			x.skipEmpty = true
		case "t":
			x.verbose = true
		}
	}
	x.argv = args
	if len(args) == 0 {
		x.argv = []string{"echo"}
	}
	r, err := p.open(file)
	if err != nil {
		p.errorf("Cannot open input file %s: %s", p.q(file), why(err))
		return 1
	}
	defer r.Close()
	return x.run(r)
}

type xargsJob struct {
	p         *Proc
	argv      []string
	delim     string
	replace   string
	max       int
	byLine    bool
	skipEmpty bool
	verbose   bool
	items     []string
	ran       bool
	status    int
}

func (x *xargsJob) run(r io.Reader) int {
	p := x.p
	switch {
	case x.delim != "":
		_ = p.records(r, x.delim[0], func(l []byte, _ bool) bool { return x.add(string(l)) })
	case x.replace != "" || x.byLine:
		_ = p.lines(r, func(l []byte, _ bool) bool {
			s := strings.Trim(string(l), " \t")
			if s == "" {
				return true
			}
			if x.replace != "" {
				words := splitQuoted(s, false)
				return x.add(strings.Join(words, " "))
			}
			return x.add(strings.Join(splitQuoted(s, true), "\x01"))
		})
	default:
		_ = p.lines(r, func(l []byte, _ bool) bool {
			for _, w := range splitQuoted(string(l), true) {
				if !x.add(w) {
					return false
				}
			}
			return true
		})
	}
	if len(x.items) > 0 || !x.ran && !x.skipEmpty && x.replace == "" {
		x.flush()
	}
	return x.status
}

func (x *xargsJob) add(s string) bool {
	x.p.alloc(len(s) + 16)
	x.items = append(x.items, s)
	if x.replace != "" || len(x.items) >= x.max {
		return x.flush()
	}
	return true
}

func (x *xargsJob) flush() bool {
	p := x.p
	argv := append([]string(nil), x.argv...)
	if x.replace != "" {
		for i, a := range argv {
			argv[i] = strings.ReplaceAll(a, x.replace, x.items[0])
		}
	} else {
		for _, it := range x.items {
			argv = append(argv, strings.Split(it, "\x01")...)
		}
	}
	for _, it := range x.items {
		p.alloc(-len(it) - 16)
	}
	x.items, x.ran = nil, true
	if x.verbose {
		words := make([]string, len(argv))
		for i, a := range argv {
			words[i] = shellWord(a)
		}
		p.complain(strings.Join(words, " ") + "\n")
	}
	switch s := p.spawn(argv, func(c *Proc) { c.Stdin = strings.NewReader("") }); {
	case s == 127:
		x.status = 127
		return false
	case s == 126:
		x.status = 126
		return false
	case s == 255:
		p.errorf("%s: exited with status 255; aborting", argv[0])
		x.status = 124
		return false
	case s >= 128:
		x.status = 125
		return false
	case s != 0:
		x.status = 123
	}
	return true
}

// splitQuoted splits at blanks as xargs does, with quotes and backslashes.
func splitQuoted(s string, blanks bool) []string {
	var out []string
	var b strings.Builder
	word := false
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote, word = c, true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			word = true
		case (c == ' ' || c == '\t') && blanks:
			if word {
				out = append(out, b.String())
				b.Reset()
				word = false
			}
		default:
			b.WriteByte(c)
			word = true
		}
	}
	if word {
		out = append(out, b.String())
	}
	return out
}
