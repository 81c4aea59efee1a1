package coreutils

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

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
	opts, goals, ok := p.getopt("bBC:dE:ef:hiI:j::kl::mno:O::pqrRsStvwW:", "always-make,B", "directory=,C", "debug?", "eval=,E", "environment-overrides,e", "file=,f", "makefile=,f", "ignore-errors,i", "include-dir=,I", "jobs?,j", "keep-going,k", "load-average?,l", "max-load?,l", "check-symlink-times,L", "just-print,n", "dry-run,n", "recon,n", "assume-old=,o", "old-file=,o", "output-sync?,O", "print-data-base,p", "question,q", "no-builtin-rules,r", "no-builtin-variables,R", "silent,s", "quiet,s", "no-silent", "no-keep-going,S", "stop,S", "touch,t", "trace", "print-directory,w", "no-print-directory", "what-if=,W", "new-file=,W", "assume-new=,W", "warn-undefined-variables")
	if !ok {
		return 2
	}
	for _, o := range opts {
		switch o.name {
		case "v":
			p.version()
		case "f":
			if _, err := p.stat(o.val); err != nil && o.val != "-" {
				p.complain("make: " + o.val + ": " + why(err) + "\nmake: *** No rule to make target '" + o.val + "'.  Stop.\n")
				return 2
			}
		case "C":
			i, err := p.stat(o.val)
			if err != nil {
				p.complain("make: *** " + o.val + ": " + why(err) + ".  Stop.\n")
				return 2
			}
			p.Cwd = i.Path
		}
	}
	return p.make(goals)
}

// make has no rules: it looks for a makefile and gives up on it.
func (p *Proc) make(goals []string) int {
	for _, a := range goals {
		if !strings.Contains(a, "=") {
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
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && args[0] != "-v" && args[0] != "-h" && args[0] != "--version" && args[0] != "--help" {
		n, status := p.gitOption(args)
		if n == 0 {
			return status
		}
		args = args[n:]
	}
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

const gitUsage = "usage: git [-v | --version] [-h | --help] [-C <path>] [-c <name>=<value>]\n"

// gitOption takes one option that stands before git's command and says how many
// words it was, or 0 and the status git ends with.
func (p *Proc) gitOption(args []string) (n, status int) {
	a := args[0]
	word, _, inline := strings.Cut(a, "=")
	switch word {
	case "-p", "--paginate", "-P", "--no-pager", "--no-replace-objects", "--bare", "--literal-pathspecs", "--glob-pathspecs", "--noglob-pathspecs", "--icase-pathspecs", "--no-optional-locks":
		return 1, 0
	case "--exec-path", "--html-path", "--man-path", "--info-path", "--config-env", "--list-cmds":
		return 1, 0
	case "--git-dir", "--work-tree", "--namespace", "--super-prefix", "-c", "-C":
		if inline && word != "-c" && word != "-C" {
			return 1, 0
		}
		if len(args) == 1 {
			what := map[string]string{"-C": "no directory given for '-C' option", "-c": "-c expects a configuration string"}[word]
			p.complain(cmp.Or(what, "no directory given for '"+word+"' option") + "\n" + gitUsage)
			return 0, 129
		}
		if word == "-C" && args[1] != "" {
			i, err := p.stat(args[1])
			if err == nil && !i.IsDir() {
				err = vfs.ENOTDIR
			}
			if err != nil {
				p.complain("fatal: cannot change to '" + args[1] + "': " + why(err) + "\n")
				return 0, 128
			}
			p.Cwd = i.Path
		}
		return 2, 0
	}
	p.complain("unknown option: " + a + "\n" + gitUsage)
	return 0, 129
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
		p.complain("Error opening terminal: " + cmp.Or(p.Env("TERM"), "unknown") + ".\n")
		return 1
	}
	p.complain("E558: Terminal entry not found in terminfo\n")
	return 1
}

func mysql(p *Proc) int {
	user := cmp.Or(p.userName(p.Cred.UID), "root")
	password := "NO"
	if a := mysqlRefuses(p.Args[1:]); a != "" {
		p.errorf("unknown option '%s'", a)
		return 2
	}
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

// mysqlOptions are the long options of MariaDB 10.11's mysql, which may be cut
// short.
const mysqlOptions = " abort-source-on-error auto-rehash auto-vertical-output batch binary-as-hex binary-mode character-sets-dir column-names column-type-info comments compress connect-expired-password connect-timeout database debug debug-check debug-info default-auth default-character-set defaults-extra-file defaults-file defaults-group-suffix delimiter enable-cleartext-plugin execute force help host html i-am-a-dummy ignore-spaces init-command line-numbers local-infile max-allowed-packet max-join-size named-commands net-buffer-length no-auto-rehash no-beep no-defaults one-database pager password plugin-dir port print-defaults print-query-on-error progress-reports prompt protocol quick quick-max-column-width raw reconnect safe-updates sandbox secure-auth select-limit server-arg show-warnings sigint-ignore silent socket ssl ssl-ca ssl-capath ssl-cert ssl-cipher ssl-crl ssl-crlpath ssl-key ssl-verify-server-cert table tee tls-version unbuffered user verbose version vertical wait xml "

// mysqlRefuses is the first option that mysql does not know.
func mysqlRefuses(args []string) string {
	const flags, values = "?IABbfiHXGLNnCqrsTtUvVwWoEc", "DehPpRrSu"
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) < 2 || a[0] != '-' {
			continue
		}
		if a[1] == '-' {
			if a == "--" {
				return ""
			}
			word, _, _ := strings.Cut(strings.ReplaceAll(a[2:], "_", "-"), "=")
			for _, mode := range []string{"skip-", "disable-", "enable-", "loose-"} {
				word = strings.TrimPrefix(word, mode)
			}
			if !strings.Contains(mysqlOptions, " "+word) {
				return a
			}
			continue
		}
		for j := 1; j < len(a); j++ {
			c := a[j : j+1]
			if strings.Contains(values, c) {
				if j == len(a)-1 && c != "p" {
					i++
				}
				break
			}
			if !strings.Contains(flags, c) {
				return "-" + c
			}
		}
	}
	return ""
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
