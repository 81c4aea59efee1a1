package coreutils

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func su(p *Proc) int {
	opts, args, ok := p.getopt("c:fg:G:lmps:TPw:h", "command=,c", "session-command=,c", "fast,f", "login,l", "group=,g", "preserve-environment,p", "shell=,s", "pty,P", "whitelist-environment=,w")
	if !ok {
		return 1
	}
	command, login, hasCommand, other := "", false, false, ""
	for _, o := range opts {
		switch o.name {
		case "c":
			command, hasCommand = o.val, true
		case "l":
			login = true
		case "s":
			other = o.val
		}
	}
	user := "root"
	for len(args) > 0 && args[0] == "-" {
		login, args = true, args[1:]
	}
	if len(args) > 0 {
		user, args = args[0], args[1:]
	}
	for i := 0; i+1 < len(args); i++ {
		if args[i] == "-c" {
			command, hasCommand = args[i+1], true
		}
	}
	uid, gid, home, shell, known := p.account(user)
	if !known {
		p.errorf("user %s does not exist or the user entry does not contain all the required fields", user)
		return 1
	}
	if p.Cred.UID != 0 {
		pass, _ := p.prompt("Password: ")
		p.Watch.Auth("su", user, pass)
		p.sleep(2 * time.Second)
		p.errorf("Authentication failure")
		return 1
	}
	if other != "" {
		if _, err := p.lookPath(other); err != nil {
			p.errorf("failed to execute %s: %s", other, why(err))
			return 127
		}
		shell = other
	}
	if strings.HasSuffix(shell, "nologin") {
		p.print("This account is currently not available.\n")
		return 1
	}
	if shell == "" || strings.HasSuffix(shell, "/false") {
		return 1
	}
	homeless := ""
	argv := []string{shell}
	if path, err := p.lookPath(base(shell)); err == nil && base(path) == base(shell) {
		argv[0] = base(shell) // what the shell calls itself in its messages
	}
	if login {
		if i, err := p.stat(home); err != nil || !i.IsDir() {
			p.complain("su: warning: cannot change directory to " + home + ": No such file or directory\n")
			home, homeless = p.Cwd, home
		}
		argv = append(argv, "-l")
	}
	if hasCommand {
		argv = append(argv, "-c", command)
	}
	return p.spawn(argv, func(c *Proc) {
		c.Cred = vfs.Cred{UID: uid, GID: gid, Groups: p.groupsOf(user, gid)}
		if login {
			c.Cwd = home
		}
		if homeless != "" {
			home = homeless
		}
		c.setEnv(map[string]string{"HOME": home, "SHELL": shell, "USER": user, "LOGNAME": user})
	})
}

// setEnv changes variables of a command about to run.
func (p *Proc) setEnv(change map[string]string) {
	old, environ := p.Env, p.Environ
	p.Env = func(name string) string {
		if v, ok := change[name]; ok {
			return v
		}
		return old(name)
	}
	p.Environ = func() []string {
		var out []string
		for _, kv := range environ() {
			k, _, _ := strings.Cut(kv, "=")
			if _, ok := change[k]; !ok {
				out = append(out, kv)
			}
		}
		for k, v := range change {
			out = append(out, k+"="+v)
		}
		slices.Sort(out[max(0, len(out)-len(change)):])
		return out
	}
}

func sudo(p *Proc) int {
	opts, args, ok := p.getopt("+AbBC:D:eEg:hHiKklnPp:R:r:SsT:t:U:u:Vv", "askpass,A", "background,b", "preserve-env?,E", "edit,e", "group=,g", "set-home,H", "login,i", "remove-timestamp,K", "reset-timestamp,k", "list,l", "non-interactive,n", "prompt=,p", "stdin,S", "shell,s", "user=,u", "validate,v", "other-user=,U", "chdir=,D")
	if !ok {
		return 1
	}
	flags := map[string]string{}
	for _, o := range opts {
		flags[o.name] = o.val
	}
	has := func(n string) bool { _, ok := flags[n]; return ok }
	me := p.userName(p.Cred.UID)
	if has("V") {
		p.print("Sudo version 1.9.13p3\nSudoers policy plugin version 1.9.13p3\nSudoers file grammar version 50\nSudoers I/O plugin version 1.9.13p3\nSudoers audit plugin version 1.9.13p3\n")
		return 0
	}
	allowed := p.Cred.UID == 0 || slices.Contains(p.Cred.Groups, 27)
	if p.Cred.UID != 0 {
		if has("n") {
			p.errorf("a password is required")
			return 1
		}
		if !p.StdinTTY && !has("S") {
			p.errorf("a terminal is required to read the password; either use the -S option to read from standard input or configure an askpass helper")
			p.errorf("a password is required")
			return 1
		}
		release := p.hold(KeysEndRead)
		defer release()
		for try := 0; ; try++ {
			pass, got := p.prompt("[sudo] password for " + me + ": ")
			if pass != "" {
				p.Watch.Auth("sudo", me, pass)
			}
			if allowed && pass != "" {
				break // the password that opened the session opens this, too
			}
			if !got && try == 0 {
				p.errorf("a password is required")
				return 1
			}
			if !got || try == 2 {
				p.errorf("%d incorrect password attempt%s", try+1, map[bool]string{true: "s"}[try > 0])
				return 1
			}
			p.complain("Sorry, try again.\n")
		}
		release()
	}
	if has("l") && len(args) == 0 {
		host := p.hostName()
		p.printf("Matching Defaults entries for %s on %s:\n    env_reset, mail_badpass,\n    secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,\n    use_pty\n\nUser %s may run the following commands on %s:\n    (ALL : ALL) ALL\n", me, host, me, host)
		return 0
	}
	if has("v") || has("k") || has("K") {
		return 0
	}
	for _, f := range p.sudoersFiles() {
		_ = p.asRoot(func() error { p.sudoersErrors(f); return nil })
	}
	user := "root"
	if has("u") {
		user = flags["u"]
	}
	uid, gid, home, shell, known := p.account(user)
	if !known {
		p.errorf("unknown user %s", user)
		p.errorf("error initializing audit plugin sudoers_audit")
		return 1
	}
	env := map[string]string{
		"HOME": home, "USER": user, "LOGNAME": user, "SHELL": shell, "SUDO_USER": me, "SUDO_UID": strconv.Itoa(int(p.Cred.UID)), "SUDO_GID": strconv.Itoa(int(p.Cred.GID)),
		"PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "MAIL": "/var/mail/" + user,
	}
	for len(args) > 0 && strings.Contains(args[0], "=") && !strings.HasPrefix(args[0], "=") {
		k, v, _ := strings.Cut(args[0], "=")
		env[k], args = v, args[1:]
	}
	switch {
	case has("i") || has("s"):
		argv := []string{shell}
		if has("i") {
			argv = append(argv, "-l")
		}
		if len(args) > 0 {
			argv = append(argv, "-c", strings.Join(args, " "))
		}
		args = argv
	case len(args) == 0:
		p.complain("usage: sudo -h | -K | -k | -V\nusage: sudo -v [-ABkNnS] [-g group] [-h host] [-p prompt] [-u user]\nusage: sudo -l [-ABkNnS] [-g group] [-h host] [-p prompt] [-U user] [-u user] [command [arg ...]]\nusage: sudo [-ABbEHkNnPS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] [VAR=value] [-i | -s] [command [arg ...]]\nusage: sudo -e [-ABkNnS] [-r role] [-t type] [-C num] [-D directory] [-g group] [-h host] [-p prompt] [-R directory] [-T timeout] [-u user] file ...\n")
		return 1
	}
	p.command(args[0], 1, "%s: command not found")
	env["SUDO_COMMAND"] = strings.Join(args, " ")
	if path, err := p.lookPath(args[0]); err == nil {
		env["SUDO_COMMAND"] = strings.Join(append([]string{path}, args[1:]...), " ")
	}
	return p.spawn(args, func(c *Proc) {
		c.Cred = vfs.Cred{UID: uid, GID: gid, Groups: p.groupsOf(user, gid)}
		if has("i") {
			c.Cwd = home
		}
		c.setEnv(env)
	})
}
