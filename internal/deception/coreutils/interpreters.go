package coreutils

import (
	"math"
	"strconv"
	"strings"
	"time"
)

func interpreterCommands(name string) Command {
	switch name {
	case "perl":
		return perl
	case "python3", "python3.11":
		return python
	case "php", "php8.2":
		return php
	case "gcc", "cc", "g++", "c89", "c99", "cpp":
		return gcc
	case "make":
		return makeCmd
	case "git":
		return git
	case "openssl":
		return openssl
	case "vi", "vim", "vim.tiny", "nano", "view", "editor", "ed":
		return editor
	case "mysql", "mariadb", "mysqldump", "mysqladmin":
		return mysql
	case "screen", "tmux":
		return screen
	case "nginx":
		return nginx
	}
	return nil
}

// arithmetic evaluates + - * / % ** and parentheses over numbers.
type arithmetic struct {
	s     string
	depth int
	bad   bool
}

func (a *arithmetic) skip() { a.s = strings.TrimLeft(a.s, " \t") }

func (a *arithmetic) eat(op string) bool {
	a.skip()
	if strings.HasPrefix(a.s, op) {
		a.s = a.s[len(op):]
		return true
	}
	return false
}

func (a *arithmetic) sum() float64 {
	v := a.product()
	for !a.bad {
		switch {
		case a.eat("+"):
			v += a.product()
		case a.eat("-"):
			v -= a.product()
		default:
			return v
		}
	}
	return v
}

func (a *arithmetic) product() float64 {
	v := a.power()
	for !a.bad {
		switch {
		case a.eat("//"):
			v = math.Floor(v / a.power())
		case strings.HasPrefix(strings.TrimLeft(a.s, " "), "**"):
			return v
		case a.eat("*"):
			v *= a.power()
		case a.eat("/"):
			v /= a.power()
		case a.eat("%"):
			v = math.Mod(v, a.power())
		default:
			return v
		}
	}
	return v
}

func (a *arithmetic) power() float64 {
	if a.depth++; a.depth > 100 {
		a.bad = true
		return 0
	}
	defer func() { a.depth-- }()
	v := 0.0
	switch {
	case a.eat("-"):
		return -a.power()
	case a.eat("("):
		v = a.sum()
		if !a.eat(")") {
			a.bad = true
		}
	default:
		a.skip()
		i := 0
		for i < len(a.s) && (a.s[i] >= '0' && a.s[i] <= '9' || a.s[i] == '.') {
			i++
		}
		n, err := strconv.ParseFloat(a.s[:i], 64)
		if err != nil {
			a.bad = true
			return 0
		}
		v, a.s = n, a.s[i:]
	}
	if a.eat("**") {
		v = math.Pow(v, a.power())
	}
	return v
}

// value evaluates a simple expression of a script: arithmetic or one string.
func value(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] && strings.IndexByte(s[1:n-1], s[0]) < 0 {
		t := s[1 : n-1]
		if s[0] == '"' || strings.Contains(t, `\`) {
			t, _ = unescape(t, false)
		}
		return t, true
	}
	a := &arithmetic{s: s}
	v := a.sum()
	a.skip()
	if a.bad || a.s != "" || s == "" || math.IsNaN(v) || math.IsInf(v, 0) {
		return "", false
	}
	return strconv.FormatFloat(v, 'g', 15, 64), true
}

func perl(p *Proc) int {
	code, given := "", false
	var files []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-v" || a == "--version":
			p.print("\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 60 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n\n")
			return 0
		case strings.HasPrefix(a, "-") && strings.HasSuffix(a, "e") && i+1 < len(p.Args), strings.HasPrefix(a, "-") && strings.HasSuffix(a, "E") && i+1 < len(p.Args):
			i++
			code, given = code+p.Args[i]+"\n", true
		case strings.HasPrefix(a, "-"):
		default:
			files = append(files, a)
		}
	}
	if !given && len(files) > 0 {
		if _, err := p.openFile(files[0]); err != nil {
			p.complain("Can't open perl script \"" + files[0] + "\": " + why(err) + "\n")
			return 2
		}
		p.Watch.Unsupported("perl " + files[0])
		return 0
	}
	if !given {
		b, _ := p.all(p.Stdin)
		code = string(b)
	}
	return p.statements(code, ";", func(s string) bool {
		for _, verb := range []string{"print", "say"} {
			rest, ok := strings.CutPrefix(s, verb)
			if !ok {
				continue
			}
			rest = strings.TrimSpace(rest)
			if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
				rest = rest[1 : len(rest)-1]
			}
			for part := range strings.SplitSeq(rest, ",") {
				v, ok := value(part)
				if !ok {
					return false
				}
				p.print(v)
			}
			if verb == "say" {
				p.print("\n")
			}
			return true
		}
		if rest, ok := strings.CutPrefix(s, "system"); ok {
			return p.system(rest)
		}
		return strings.HasPrefix(s, "use ") || strings.HasPrefix(s, "#")
	})
}

// system runs a string or list given to a script's system().
func (p *Proc) system(rest string) bool {
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
		rest = rest[1 : len(rest)-1]
	}
	cmd, ok := value(rest)
	if ok {
		p.spawn([]string{"sh", "-c", cmd}, nil)
	}
	return ok
}

// statements runs the simple statements of a script; the first that is beyond
// us is reported and ends it quietly.
func (p *Proc) statements(code, sep string, run func(string) bool) int {
	for line := range strings.SplitSeq(strings.ReplaceAll(code, sep, "\n"), "\n") {
		p.step(5)
		s := strings.TrimSpace(line)
		if s == "" {
			continue
		}
		if !run(s) {
			p.Watch.Unsupported(p.name + ": " + s[:min(len(s), 200)])
			return 0
		}
	}
	return 0
}

func python(p *Proc) int {
	code, given := "", false
	var files []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-V" || a == "--version":
			p.print("Python 3.11.2\n")
			return 0
		case a == "-c" && i+1 < len(p.Args):
			code, given = p.Args[i+1], true
			i = len(p.Args)
		case a == "-c":
			p.complain("Argument expected for the -c option\nusage: python3 [option] ... [-c cmd | -m mod | file | -] [arg] ...\nTry `python -h' for more information.\n")
			return 2
		case a == "-m" && i+1 < len(p.Args):
			p.Watch.Unsupported("python3 -m " + p.Args[i+1])
			if p.Args[i+1] == "http.server" {
				p.print("Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...\n")
				return p.forever()
			}
			p.complain("/usr/bin/python3: No module named " + p.Args[i+1] + "\n")
			return 1
		case strings.HasPrefix(a, "-") && a != "-":
		default:
			files = append(files, a)
		}
	}
	if !given && len(files) > 0 && files[0] != "-" {
		f, err := p.openFile(files[0])
		if err != nil {
			p.complain("python3: can't open file '" + p.path(files[0]) + "': [Errno 2] No such file or directory\n")
			return 2
		}
		_ = f.Close()
		p.Watch.Unsupported("python3 " + files[0])
		return 0
	}
	if !given {
		b, _ := p.all(p.Stdin)
		code = string(b)
	}
	status := 0
	p.statements(code, ";", func(s string) bool {
		if rest, ok := strings.CutPrefix(s, "print"); ok && strings.HasPrefix(strings.TrimSpace(rest), "(") && strings.HasSuffix(rest, ")") {
			rest = strings.TrimSpace(rest)
			rest = rest[1 : len(rest)-1]
			var out []string
			for part := range strings.SplitSeq(rest, ",") {
				if part == "" && rest == "" {
					break
				}
				v, ok := value(part)
				if !ok {
					return false
				}
				if strings.Contains(part, "/") && !strings.ContainsAny(v, ".\"'") {
					v += ".0"
				}
				out = append(out, v)
			}
			p.print(strings.Join(out, " ") + "\n")
			return true
		}
		if rest, ok := strings.CutPrefix(s, "os.system"); ok {
			return p.system(rest)
		}
		_, number := value(s)
		return number || strings.HasPrefix(s, "import ") || strings.HasPrefix(s, "from ") || strings.HasPrefix(s, "#")
	})
	return status
}

func php(p *Proc) int {
	for i, a := range p.Args {
		switch {
		case a == "-v":
			p.print("PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)\nCopyright (c) The PHP Group\nZend Engine v4.2.29, Copyright (c) Zend Technologies\n    with Zend OPcache v8.2.29, Copyright (c), by Zend Technologies\n")
			return 0
		case a == "-r" && i+1 < len(p.Args):
			return p.statements(p.Args[i+1], ";", func(s string) bool {
				rest, ok := strings.CutPrefix(s, "echo ")
				if !ok {
					return false
				}
				v, ok := value(rest)
				if ok {
					p.print(v)
				}
				return ok
			})
		}
	}
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") {
		if _, err := p.stat(p.Args[1]); err != nil {
			p.print("Could not open input file: " + p.Args[1] + "\n")
			return 1
		}
	}
	p.Watch.Unsupported("php")
	return 0
}

func gcc(p *Proc) int {
	var in []string
	for i := 1; i < len(p.Args); i++ {
		switch a := p.Args[i]; {
		case a == "--version":
			p.print(p.name + " (Debian 12.2.0-14+deb12u1) 12.2.0\nCopyright (C) 2022 Free Software Foundation, Inc.\nThis is free software; see the source for copying conditions.  There is NO\nwarranty; not even for MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.\n\n")
			return 0
		case a == "-o":
			i++
		case strings.HasPrefix(a, "-") && len(a) > 1:
		default:
			in = append(in, a)
		}
	}
	if len(in) == 0 {
		p.complain(p.name + ": fatal error: no input files\ncompilation terminated.\n")
		return 1
	}
	for _, a := range in {
		if _, err := p.stat(a); err != nil {
			p.complain(sprintf("cc1: fatal error: %s: No such file or directory\ncompilation terminated.\n", a))
			return 1
		}
	}
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	p.sleep(time.Second)
	p.complain(p.name + ": fatal error: Killed signal terminated program cc1\ncompilation terminated.\n")
	return 1
}

func makeCmd(p *Proc) int {
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			if _, err := p.stat("Makefile"); err != nil {
				p.complain("make: *** No rule to make target '" + a + "'.  Stop.\n")
				return 2
			}
		}
	}
	if _, err := p.stat("Makefile"); err != nil {
		p.complain("make: *** No targets specified and no makefile found.  Stop.\n")
		return 2
	}
	p.Watch.Unsupported("make")
	p.complain("make: *** [Makefile:1: all] Error 1\n")
	return 2
}

func git(p *Proc) int {
	args := p.Args[1:]
	switch {
	case len(args) == 0:
		p.print("usage: git [-v | --version] [-h | --help] [-C <path>] [-c <name>=<value>]\n           [--exec-path[=<path>]] [--html-path] [--man-path] [--info-path]\n           [-p | --paginate | -P | --no-pager] [--no-replace-objects] [--bare]\n           [--git-dir=<path>] [--work-tree=<path>] [--namespace=<name>]\n           [--super-prefix=<path>] [--config-env=<name>=<envvar>]\n           <command> [<args>]\n")
		return 1
	case args[0] == "--version" || args[0] == "-v":
		p.print("git version 2.39.5\n")
		return 0
	case args[0] == "clone" && len(args) > 1:
		u := args[len(args)-1]
		for _, a := range args[1:] {
			if strings.Contains(a, "://") || strings.Contains(a, "@") {
				u = a
			}
		}
		p.Watch.Download(u, "git", "")
		dir := strings.TrimSuffix(base(u), ".git")
		t := p.parseURL(u, "https")
		p.complain("Cloning into '" + dir + "'...\n")
		p.sleep(dnsWait)
		if t.known {
			p.sleep(connectWait)
			p.complain(sprintf("fatal: unable to access '%s': Failed to connect to %s port %d after 130412 ms: Couldn't connect to server\n", u, t.host, t.port))
		} else {
			p.complain("fatal: unable to access '" + u + "': Could not resolve host: " + t.host + "\n")
		}
		return 128
	}
	if !strings.HasPrefix(args[0], "-") && !strings.Contains(" status log pull fetch diff branch checkout add commit push remote show config init stash ", " "+args[0]+" ") {
		p.complain("git: '" + args[0] + "' is not a git command. See 'git --help'.\n")
		return 1
	}
	p.complain("fatal: not a git repository (or any of the parent directories): .git\n")
	return 128
}

func openssl(p *Proc) int {
	if len(p.Args) > 1 && p.Args[1] == "version" {
		p.print("OpenSSL 3.0.20 7 Apr 2026 (Library: OpenSSL 3.0.20 7 Apr 2026)\n")
		return 0
	}
	if len(p.Args) > 1 && p.Args[1] == "rand" {
		n := 16
		if v, err := strconv.Atoi(p.Args[len(p.Args)-1]); err == nil && v > 0 && v <= 4096 {
			n = v
		}
		switch {
		case contains(p.Args, "-hex"):
			p.printf("%x\n", p.random(n))
		default:
			p.print(p.random(n) + "\n")
		}
		return 0
	}
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	if len(p.Args) > 1 {
		p.complain("Invalid command '" + p.Args[1] + "'; type \"help\" for a list.\n")
		return 1
	}
	return 0
}

// editor refuses without a terminal, and with one says what a terminal it
// cannot drive would make it say.
func editor(p *Proc) int {
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	switch {
	case p.name == "nano" && (!p.TTY || !p.StdinTTY):
		p.complain("Too many errors from stdin\n")
		return 1
	case !p.TTY || !p.StdinTTY:
		p.complain("Vim: Warning: Output is not to a terminal\nVim: Warning: Input is not from a terminal\n")
		return 1
	case p.name == "nano":
		p.complain("Error opening terminal: " + cmpOr(p.Env("TERM"), "unknown") + ".\n")
		return 1
	}
	p.complain("E558: Terminal entry not found in terminfo\n")
	return 1
}

func mysql(p *Proc) int {
	user := cmpOr(p.userName(p.Cred.UID), "root")
	password := "NO"
	for i, a := range p.Args {
		switch {
		case a == "--version" || a == "-V":
			p.print(p.name + "  Ver 15.1 Distrib 10.11.18-MariaDB, for debian-linux-gnu (x86_64) using  EditLine wrapper\n")
			return 0
		case a == "-u" && i+1 < len(p.Args):
			user = p.Args[i+1]
		case strings.HasPrefix(a, "-u"):
			user = a[2:]
		case strings.HasPrefix(a, "--user="):
			user = a[7:]
		case strings.HasPrefix(a, "-p") && len(a) > 2:
			password = "YES"
			p.Watch.Auth("mysql", user, a[2:])
		case a == "-p":
			pass, _ := p.prompt("Enter password: ")
			p.Watch.Auth("mysql", user, pass)
			password = "YES"
		}
	}
	if _, ok := p.unit("mariadb"); !ok {
		p.complain("ERROR 2002 (HY000): Can't connect to local server through socket '/run/mysqld/mysqld.sock' (2)\n")
		return 1
	}
	p.complain(sprintf("ERROR 1045 (28000): Access denied for user '%s'@'localhost' (using password: %s)\n", user, password))
	return 1
}

func screen(p *Proc) int {
	switch {
	case contains(p.Args, "-ls") || contains(p.Args, "-list"):
		p.print("No Sockets found in /run/screen/S-" + p.userName(p.Cred.UID) + ".\n\n")
		return 1
	case contains(p.Args, "-v"):
		p.print("Screen version 4.09.00 (GNU) 30-Jan-22\n")
		return 1
	case !p.TTY && !contains(p.Args, "-dmS") && !contains(p.Args, "-dm"):
		p.complain("Must be connected to a terminal.\n")
		return 1
	}
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	return 0
}

func nginx(p *Proc) int {
	switch {
	case contains(p.Args, "-v"):
		p.complain("nginx version: nginx/1.22.1\n")
	case contains(p.Args, "-V"):
		p.complain("nginx version: nginx/1.22.1\nbuilt with OpenSSL 3.0.20 7 Apr 2026\nTLS SNI support enabled\n")
	case p.Cred.UID != 0:
		p.complain("nginx: [alert] could not open error log file: open() \"/var/log/nginx/error.log\" failed (13: Permission denied)\n")
		return 1
	case contains(p.Args, "-t"):
		p.complain("nginx: the configuration file /etc/nginx/nginx.conf syntax is ok\nnginx: configuration file /etc/nginx/nginx.conf test is successful\n")
	}
	return 0
}
