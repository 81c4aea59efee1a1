package coreutils

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// chsh changes a login shell. Root's choice is believed; others give a password.
func chsh(p *Proc) int {
	opts, args, ok := p.getopt("hR:s:", "shell=,s", "root=,R")
	if !ok {
		return 2
	}
	if len(args) > 1 {
		return p.usage(2)
	}
	return p.changeSelf(args, func(row []string) int {
		shell, asked := "", true
		for _, o := range opts {
			if o.name == "s" {
				shell, asked = o.val, false
			}
		}
		if asked {
			p.printf("Changing the login shell for %s\nEnter the new value, or press ENTER for the default\n\tLogin Shell [%s]: ", row[0], row[6])
			p.flush()
			if shell, _ = readLine(p.Stdin); shell == "" {
				shell = row[6]
			}
		}
		listed := p.accounts("/etc/shells").by(0, shell, 1) != nil
		i, err := p.stat(shell)
		switch {
		case strings.ContainsAny(shell, ":,=\n"):
			p.errorf("Invalid entry: %s", shell)
			return 1
		case p.Cred.UID != 0 && !listed:
			p.errorf("%s is an invalid shell", shell)
			return 1
		case err != nil:
			p.errorf("Warning: %s does not exist", shell)
		case i.IsDir() || i.Mode&0o111 == 0:
			p.errorf("Warning: %s is not executable", shell)
		}
		row[6] = shell
		return 0
	})
}

// chfn changes what a person is called.
func chfn(p *Proc) int {
	opts, args, ok := p.getopt("f:h:o:r:R:uw:", "full-name=,f", "home-phone=,h", "other=,o", "room=,r", "root=,R", "work-phone=,w")
	if !ok {
		return 2
	}
	if len(args) > 1 {
		return p.usage(2)
	}
	names := []struct{ letter, asked, called string }{{"f", "Full Name", "name"}, {"r", "Room Number", "room number"}, {"w", "Work Phone", "work phone"}, {"h", "Home Phone", "home phone"}, {"o", "Other", "others"}}
	return p.changeSelf(args, func(row []string) int {
		cells := strings.SplitN(row[4], ",", 5)
		for len(cells) < 5 {
			cells = append(cells, "")
		}
		if len(opts) == 0 {
			p.printf("Changing the user information for %s\nEnter the new value, or press ENTER for the default\n", row[0])
		}
		for i, n := range names {
			if len(opts) == 0 {
				p.printf("\t%s [%s]: ", n.asked, cells[i])
				p.flush()
				if s, _ := readLine(p.Stdin); s != "" {
					cells[i] = s
				}
			}
			for _, o := range opts {
				if o.name == n.letter {
					cells[i] = o.val
				}
			}
			if strings.ContainsAny(cells[i], ":,=\n") && n.letter != "o" || strings.ContainsAny(cells[i], ":\n") {
				p.errorf("invalid %s: '%s'", n.called, cells[i])
				return 1
			}
		}
		row[4] = strings.TrimRight(strings.Join(cells, ","), ",")
		return 0
	})
}

// changeSelf lets someone change his own line of /etc/passwd, and root anyone's.
func (p *Proc) changeSelf(args []string, change func(row []string) int) int {
	user := p.userName(p.Cred.UID)
	if len(args) > 0 {
		user = args[0]
	}
	people := p.accounts(passwdFile)
	row := people.by(0, user, passwdFields)
	switch {
	case row == nil:
		p.errorf("user '%s' does not exist", user)
		return 1
	case p.Cred.UID == 0:
	case user != p.userName(p.Cred.UID):
		p.errorf("you may not change the shell for '%s'.", user)
		return 1
	default:
		pass, _ := p.prompt("Password: ")
		p.Watch.Auth(p.name, user, pass)
	}
	status := change(row)
	if status == 0 {
		people.save()
	}
	return status
}

// newgrp starts a shell in another group; sg runs a command there.
func newgrp(p *Proc) int {
	args := p.Args[1:]
	if p.name == "sg" && len(args) == 0 {
		p.complain("Usage: sg group [[-c] command]\n")
		return 1
	}
	login := len(args) > 0 && (args[0] == "-" || args[0] == "-l")
	if login {
		args = args[1:]
	}
	_, gid, _, shell, _ := p.account(p.userName(p.Cred.UID))
	if len(args) > 0 {
		g, ok := p.groupRow(args[0])
		if !ok {
			return 1
		}
		n, _ := p.groupID(g[0])
		if p.Cred.UID != 0 && !slices.Contains(p.Cred.Groups, n) && n != p.Cred.GID {
			pass, _ := p.prompt("Password: ")
			p.Watch.Auth(p.name, g[0], pass)
			p.complain("Invalid password.\n")
			return 1
		}
		gid, args = n, args[1:]
	}
	argv := []string{shell}
	if login {
		argv = append(argv, "-l")
	}
	if p.name == "sg" {
		if len(args) > 0 && args[0] == "-c" {
			args = args[1:]
		}
		if len(args) > 0 {
			argv = []string{"/bin/sh", "-c", args[0]}
		}
	}
	return p.spawn(argv, func(c *Proc) { c.Cred.GID = gid })
}

// mesg needs the terminal that it is about.
func mesg(p *Proc) int {
	_, args, ok := p.getopt("v", "verbose,v")
	switch {
	case !ok:
		return 1
	case !p.StdinTTY && !p.TTY:
		return 2
	case len(args) == 0:
		p.print("is y\n")
	case args[0] != "y" && args[0] != "n":
		p.errorf("invalid argument: %s", args[0])
		p.complain("Try 'mesg --help' for more information.\n")
		return 2
	case args[0] == "n":
		return 1
	}
	return 0
}

// runuser is su for root alone, who is not asked; with -u it runs a command
// without a shell.
func runuser(p *Proc) int {
	opts, args, ok := p.getopt("+c:fg:G:lmps:Pu:w:h", "command=,c", "session-command=,c", "fast,f", "login,l", "group=,g", "supp-group=,G", "preserve-environment,p", "shell=,s", "pty,P", "user=,u", "whitelist-environment=,w")
	if !ok {
		return 1
	}
	user := ""
	for _, o := range opts {
		if o.name == "u" {
			user = o.val
		}
	}
	if user == "" {
		return su(p)
	}
	uid, gid, _, _, known := p.account(user)
	switch {
	case !known:
		p.errorf("user %s does not exist or the user entry does not contain all the required fields", user)
		return 1
	case p.Cred.UID != 0:
		p.errorf("may not be used by non-root users")
		return 1
	case len(args) == 0:
		p.errorf("no command was specified")
		return 1
	}
	p.command(args[0], 127, "failed to execute %s: No such file or directory")
	return p.spawn(args, func(c *Proc) {
		c.Cred = vfs.Cred{UID: uid, GID: gid, Groups: p.groupsOf(user, gid)}
	})
}

// login is of use on a terminal only.
func login(p *Proc) int {
	_, args, ok := p.getopt("+f:h:pr:H")
	if !ok || !p.StdinTTY {
		return 1
	}
	if p.Cred.UID != 0 {
		p.errorf("Cannot possibly work without effective root")
		return 1
	}
	for range 5 {
		name := ""
		if len(args) > 0 {
			name, args = args[0], nil
		} else {
			p.printf("%s login: ", p.hostName())
			p.flush()
			var err error
			if name, err = readLine(p.Stdin); err != nil && name == "" {
				return 1
			}
		}
		pass, ok := p.prompt("Password: ")
		if !ok {
			return 1
		}
		p.Watch.Auth("login", name, pass)
		p.sleep(3e9)
		p.print("\nLogin incorrect\n")
	}
	return 1
}

// faillog finds no failures: nobody counts them on Debian 12.
func faillog(p *Proc) int {
	opts, args, ok := p.getopt("ahl:m:rR:t:u:", "all,a", "lock-secs=,l", "maximum=,m", "reset,r", "root=,R", "time=,t", "user=,u")
	if !ok {
		return 2
	}
	if len(args) > 0 {
		p.errorf("unexpected argument: %s", args[0])
		return p.usage(2)
	}
	set := letters(opts)
	if _, err := p.stat("/var/log/faillog"); err != nil {
		p.errorf("Cannot open /var/log/faillog: %s", why(err))
		return 1
	}
	people := p.accounts(passwdFile).rows
	for _, o := range opts {
		if o.name == "u" {
			if _, _, _, _, known := p.account(o.val); !known {
				p.errorf("Unknown user or range: %s", o.val)
				return 3
			}
			people = slices.DeleteFunc(people, func(r []string) bool { return r[0] != o.val })
		}
	}
	if !set["u"] && !set["a"] || set["r"] || set["m"] || set["l"] {
		return 0
	}
	p.print("Login       Failures Maximum Latest                   On\n\n")
	for _, r := range people {
		if len(r) == passwdFields {
			p.printf("%-10s    %5d    %5d   01/01/70 00:00:00 +0000  %s\n", r[0], 0, 0, "")
		}
	}
	return 0
}

// lslogins tells of one account; its list of all is the table's.
func lslogins(p *Proc) int {
	args := slices.DeleteFunc(slices.Clone(p.Args[1:]), func(a string) bool { return strings.HasPrefix(a, "-") })
	if len(args) != 1 {
		return plain(p)
	}
	row := p.accounts(passwdFile).by(0, args[0], passwdFields)
	if row == nil {
		p.errorf("cannot find user '%s'", args[0])
		return 1
	}
	yes := func(b bool) string {
		if b {
			return "yes"
		}
		return "no"
	}
	hash := ""
	if s := p.accounts(shadowFile).by(0, args[0], shadowFields); s != nil {
		hash = s[1]
	}
	gid, _ := p.groupID(row[3])
	barred := strings.HasSuffix(row[6], "/nologin") || strings.HasSuffix(row[6], "/false")
	for _, l := range [][2]string{
		{"Username", row[0]},
		{"UID", row[2]},
		{"Gecos field", row[4]},
		{"Home directory", row[5]},
		{"Shell", row[6]},
		{"No login", yes(barred)},
		{"Password is locked", yes(strings.HasPrefix(hash, "!"))},
		{"Password not required (empty)", yes(len(hash) < 2)},
		{"Login by password disabled", yes(strings.HasPrefix(hash, "!") && len(hash) > 1)},
		{"Primary group", p.groupName(gid)},
		{"GID", row[3]},
	} {
		if l[1] != "" {
			p.printf("%-36s%-32s\n", l[0]+":", l[1])
		}
	}
	return 0
}
