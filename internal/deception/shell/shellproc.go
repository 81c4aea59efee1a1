package shell

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/shell/grammar"
	"honeyguide/internal/deception/vfs"
)

// maxScript bounds a script file that is read into memory.
const maxScript = 1 << 20

// A startup is what a shell's own arguments say.
type startup struct {
	command     string
	hasCommand  bool
	interactive bool
	login       bool
	stdin       bool
	norc        bool
	noediting   bool
	posix       bool
	rcfile      string
	set         []string // options for set
	file        string
	args        []string
}

// runShell runs a shell as a program of its own: a child that knows only the
// exported variables.
func (e *env) runShell(d dialect, args []string) int {
	if !e.mayFork() {
		return 254
	}
	st, status, ok := e.parseStartup(d, args)
	if !ok {
		return status
	}
	c := e.fork()
	if e.inPlace { // the process that was started for it becomes the shell
		if c.k.table != nil {
			c.k.table.Exit(c.pid)
		}
		c.pid, c.parentPID = e.pid, max(e.parentPID, 1)
	}
	c.become(d, args[0])
	if c.k.table != nil {
		c.k.table.Exec(c.pid, "/usr/bin/"+map[dialect]string{bash: "bash", dash: "dash", ash: "busybox"}[d], args)
	}
	if st.login || strings.HasPrefix(args[0], "-") {
		c.login = true
	}
	e.k.lives(c)
	status = c.isolate(func() int { return c.start(st) })
	e.tellKilled(c.killed, c.pid)
	return status
}

// become turns a fork into a fresh shell.
func (c *env) become(d dialect, name string) {
	c.dialect, c.name, c.errName = d, name, ""
	c.flags, c.command, c.interactive, c.login = "hBs", false, false, false
	c.level, c.substLevel, c.frames, c.loops, c.quiet, c.sourced = 0, 0, nil, 0, 0, 0
	c.self, c.ppid = c.pid, c.parentPID
	c.oldTraps, c.at, c.script, c.oldJobs, c.specs = nil, nil, "", nil, nil
	c.funcs, c.fshare, c.alias, c.paths, c.off, c.dirs = nil, false, nil, nil, nil, nil
	c.opts, c.shopts = optBrace|optHash|optComments, defaultShopts
	c.norc, c.rcfile, c.noEditing, c.again, c.quietly, c.commands = false, "", false, false, false, 0
	c.params, c.pipes, c.status, c.lastPID = nil, nil, 0, 0
	c.began, c.secs = c.k.sh.opt.Now(), 0
	c.hist = nil
	old := c.vars
	c.vars, c.shared = make(map[string]*variable, len(old)), false
	for n, v := range old {
		if v.attr&exported != 0 && v.arr == nil {
			c.vars[n] = &variable{val: v.val, attr: exported}
		}
	}
	if _, ok := c.vars["PATH"]; !ok {
		c.vars["PATH"] = &variable{val: "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
		if d == bash { // as Debian's is built
			c.vars["PATH"].val = "/usr/local/bin:/usr/local/sbin:/usr/bin:/usr/sbin:/bin:/sbin:."
		}
	}
	if c.dialect == bash {
		c.vars["SHLVL"] = &variable{val: nextLevel(c.vars["SHLVL"]), attr: exported}
	}
	c.fixedVars()
	c.vars["PWD"] = &variable{val: c.cwd, attr: exported}
}

// previousLevel is SHLVL for what exec puts in a shell's place.
func previousLevel(s string) string {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return "0"
	}
	return strconv.Itoa(n - 1)
}

func nextLevel(v *variable) string {
	n := int64(0)
	if v != nil {
		for _, r := range v.val {
			if r < '0' || r > '9' || n > 900 {
				n = 0
				break
			}
			n = n*10 + int64(r-'0')
		}
	}
	return itoa(n + 1)
}

// parseStartup reads a shell's arguments.
func (e *env) parseStartup(d dialect, args []string) (st startup, status int, ok bool) {
	i, letters := 1, false
	for ; i < len(args); i++ {
		a := args[i]
		if a == "--" || a == "-" {
			i++
			break
		}
		if strings.HasPrefix(a, "--") && d == bash && !letters { // long options come first
			switch a {
			case "--version":
				e.out(bashVersion)
				return st, 0, false
			case "--help":
				e.out(bashHelp)
				return st, 0, false
			case "--login":
				st.login = true
			case "--rcfile", "--init-file":
				if i++; i < len(args) {
					st.rcfile = args[i]
				}
			case "--norc", "--noprofile":
				st.norc = true
			case "--noediting":
				st.noediting = true
			case "--posix":
				st.posix = true
			case "--restricted", "--verbose":
			default:
				e.warn(args[0] + ": " + a + ": invalid option\n" + bashUsage)
				return st, 2, false
			}
			continue
		}
		if len(a) < 2 || a[0] != '-' && a[0] != '+' {
			break
		}
		letters = true
		for _, f := range a[1:] {
			switch f {
			case 'c':
				st.hasCommand = a[0] == '-'
			case 'i':
				st.interactive = true
			case 'l':
				st.login = true
			case 's':
				st.stdin = true
			case 'o':
				if i+1 < len(args) {
					i++
					st.set = append(st.set, a[:1]+"o", args[i])
				}
			default:
				if !strings.ContainsRune("abefhkmnptuvxBCEHPTrD", f) {
					if d == dash {
						e.warn(args[0] + ": 0: Illegal option -" + string(f) + "\n")
					} else {
						e.warn(args[0] + ": -" + string(f) + ": invalid option\n" + bashUsage)
					}
					return st, 2, false
				}
				st.set = append(st.set, a[:1]+string(f))
			}
		}
	}
	rest := args[min(i, len(args)):]
	switch {
	case st.hasCommand && len(rest) == 0:
		if d == dash {
			e.warn(args[0] + ": 0: -c requires an argument\n")
		} else {
			e.warn(args[0] + ": -c: option requires an argument\n")
		}
		return st, 2, false
	case st.hasCommand:
		st.command, st.args = rest[0], rest[1:]
	case len(rest) > 0 && !st.stdin:
		st.file, st.args = rest[0], rest[1:]
	default:
		st.args = rest
	}
	return st, 0, true
}

// bashUsage is what bash writes behind an option it does not know.
const bashUsage = "Usage:\tbash [GNU long option] [option] ...\n\tbash [GNU long option] [option] script-file ...\nGNU long options:\n" +
	"\t--debug\n\t--debugger\n\t--dump-po-strings\n\t--dump-strings\n\t--help\n\t--init-file\n\t--login\n\t--noediting\n\t--noprofile\n\t--norc\n" +
	"\t--posix\n\t--pretty-print\n\t--rcfile\n\t--restricted\n\t--verbose\n\t--version\nShell options:\n\t-ilrsD or -c command or -O shopt_option\t\t(invocation only)\n" +
	"\t-abefhkmnptuvxBCEHPT or -o option\n"

const bashHelp = "GNU bash, version 5.2.15(1)-release-(x86_64-pc-linux-gnu)\n" + bashUsage

const bashVersion = "GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n" +
	"Copyright (C) 2022 Free Software Foundation, Inc.\n" +
	"License GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\n\n" +
	"This is free software; you are free to change and redistribute it.\n" +
	"There is NO WARRANTY, to the extent permitted by law.\n"

// start runs a fresh shell the way its arguments say.
func (c *env) start(st startup) int {
	for i := 0; i < len(st.set); i++ {
		if strings.HasSuffix(st.set[i], "o") {
			if !c.setOption(st.set[i+1], st.set[i][0] == '-') && c.dialect == bash {
				c.warn(c.name + ": line 0: " + c.name + ": " + st.set[i+1] + ": invalid option name\n")
				return 2
			}
			i++
			continue
		}
		c.setFlags(st.set[i])
	}
	if c.login {
		c.shopts |= shLoginShell
	}
	c.norc, c.rcfile, c.noEditing = st.norc, st.rcfile, st.noediting
	if _, set := c.vars["POSIXLY_CORRECT"]; (st.posix || set) && c.dialect == bash {
		c.opts |= optPosix
	}
	if c.dialect == bash && (st.hasCommand || st.file != "") {
		c.startPlain(false)
	}
	switch {
	case st.hasCommand:
		c.command, c.flags = true, "hBc"
		if len(st.args) > 0 {
			c.name, c.params = st.args[0], st.args[1:]
		}
		return c.runText(&source{text: st.command, kind: fromArg}, 0)
	case st.file != "":
		return c.runFile(st.file, st.args)
	}
	c.params = st.args
	if st.interactive || c.isTTY(0) && c.isTTY(2) {
		if c.isTTY(0) {
			return c.interact()
		}
		if st.interactive {
			return c.runStdin()
		}
	}
	return c.runStdin()
}

// runFile runs a script file.
func (c *env) runFile(path string, args []string) int {
	shown := c.name
	i, err := c.stat(path)
	full := path
	if err != nil && strings.IndexByte(path, '/') < 0 {
		if p, ok := c.find(path); ok {
			full = p
			i, err = c.stat(full)
		}
	}
	switch {
	case err != nil && c.dialect == dash:
		c.warn(shown + ": 0: cannot open " + path + ": No such file\n")
		return 2
	case err != nil && c.dialect == ash:
		c.warn(shown + ": can't open '" + path + "': No such file or directory\n")
		return 2
	case err != nil:
		c.warn(shown + ": " + path + ": " + errText(err) + "\n")
		return 127
	case i.IsDir() && c.dialect == dash:
		return 0
	case i.IsDir():
		c.warn(path + ": " + path + ": Is a directory\n")
		return 126
	}
	text, err := c.readScript(full)
	switch {
	case err != nil && c.dialect == dash:
		c.warn(shown + ": 0: cannot open " + path + ": " + errText(err) + "\n")
		return 2
	case err != nil && c.dialect == ash:
		c.warn(shown + ": can't open '" + path + "': " + errText(err) + "\n")
		return 2
	case err != nil:
		c.warn(shown + ": " + path + ": " + errText(err) + "\n")
		return 126
	}
	if strings.HasPrefix(text, "\x7fELF") || isBinary([]byte(text[:min(len(text), 256)])) {
		c.warn(path + ": " + path + ": cannot execute binary file\n")
		return 126
	}
	c.name, c.params, c.flags, c.script = path, args, "hB", path
	return c.runText(&source{name: path, text: text, kind: fromFile}, 0)
}

// readScript reads a script as the shell's user.
func (e *env) readScript(path string) (string, error) {
	o, err := e.openPath(e.abs(path), vfs.O_RDONLY)
	if err != nil {
		return "", err
	}
	defer o.drop()
	var buf []byte
	chunk := make([]byte, 4096)
	for len(buf) < maxScript {
		n, err := o.Read(chunk)
		if err := e.hold(n); err != nil {
			return "", err
		}
		buf = append(buf, chunk[:n]...)
		if err != nil {
			break
		}
	}
	return string(buf), nil
}

// runStdin runs the commands read from standard input, one complete command at
// a time and not a byte further, for what follows may be a command's input.
func (e *env) runStdin() int {
	src := &source{kind: fromStdin}
	in := e.fds.get(0)
	line, text := 1, ""
	status := 0
	for in != nil {
		next, more := e.readLine(in)
		text += next
		if next == "" && text == "" {
			break
		}
		g := grammar.Next(text, 0, e.grammarOptions(line))
		e.k.step(len(text) / 256)
		waiting := g.Err != nil && (g.Err.Kind == grammar.EOF || g.Err.Kind == grammar.Unclosed) || len(g.Open) > 0 || strings.HasSuffix(text, "\\\n")
		if waiting && more && len(text) < maxScript {
			continue
		}
		src.text = text
		if g.Err != nil {
			e.syntaxError(src, 0, line-1, g.Err)
			return e.status
		}
		e.openDocuments(g.Open)
		if !g.Blank {
			status = e.runUnit(src, closeDocuments(text, g.Open), line)
			e.k.sh.opt.Watch.Command(strings.TrimRight(text, "\n"), status)
		}
		line += strings.Count(text, "\n")
		text = ""
		if e.flow == discarding {
			e.flow = goingOn
		}
		if e.flow != goingOn || !more {
			break
		}
		in = e.fds.get(0)
	}
	return status
}

// readLine reads up to and with the next newline; more is false at the end.
func (e *env) readLine(in *ofile) (line string, more bool) {
	var b strings.Builder
	var c [1]byte
	for b.Len() < maxScript {
		n, err := in.Read(c[:])
		if n > 0 {
			b.WriteByte(c[0])
			if c[0] == '\n' {
				return b.String(), true
			}
		}
		if err != nil {
			return b.String(), false
		}
		if n == 0 {
			return b.String(), false
		}
	}
	return b.String(), true
}
