package coreutils

import (
	"cmp"
	"strings"
	"time"
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
