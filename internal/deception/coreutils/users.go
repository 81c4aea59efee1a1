package coreutils

import (
	"bufio"
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func userCommands(name string) Command {
	switch name {
	case "whoami":
		return whoami
	case "logname":
		return func(p *Proc) int { p.print(p.Session.User + "\n"); return 0 }
	case "id":
		return id
	case "groups":
		return groups
	case "passwd":
		return passwdCmd
	case "chpasswd":
		return chpasswd
	case "su":
		return su
	case "sudo":
		return sudo
	case "useradd", "adduser":
		return useradd
	case "userdel", "deluser":
		return userdel
	case "usermod", "groupadd", "groupdel", "gpasswd", "chage", "chsh", "addgroup":
		return usermod
	case "getent":
		return getent
	case "mesg", "wall", "write":
		return func(p *Proc) int { return 0 }
	}
	return nil
}

func whoami(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok {
		return 1
	}
	if len(args) > 0 {
		p.errorf("extra operand %s", p.q(args[0]))
		return p.try(1)
	}
	p.print(p.userName(p.Cred.UID) + "\n")
	return 0
}

func id(p *Proc) int {
	opts, args, ok := p.getopt("agGnruzZ", "group,g", "groups,G", "name,n", "real,r", "user,u", "zero,z", "context,Z")
	if !ok {
		return 1
	}
	flags := map[string]bool{}
	for _, o := range opts {
		flags[o.name] = true
	}
	uid, gid, all := p.Cred.UID, p.Cred.GID, append([]uint32{p.Cred.GID}, p.Cred.Groups...)
	status := 0
	if flags["n"] && !flags["u"] && !flags["g"] && !flags["G"] {
		p.errorf("cannot print only names or real IDs in default format")
		return 1
	}
	if len(args) == 0 {
		args = []string{""}
	}
	for _, a := range args {
		if a != "" {
			u, g, _, _, ok := p.account(a)
			if !ok {
				p.errorf("%s: no such user", p.q(a))
				status = 1
				continue
			}
			uid, gid, all = u, g, p.groupsOf(a, g)
		}
		p.printID(flags, uid, gid, slices.Compact(all))
	}
	return status
}

func (p *Proc) printID(flags map[string]bool, uid, gid uint32, all []uint32) {
	show := func(n uint32, name string) string {
		if flags["n"] {
			return name
		}
		return strconv.Itoa(int(n))
	}
	switch {
	case flags["u"]:
		p.print(show(uid, p.userName(uid)) + "\n")
	case flags["g"]:
		p.print(show(gid, p.groupName(gid)) + "\n")
	case flags["G"]:
		var out []string
		for _, g := range all {
			out = append(out, show(g, p.groupName(g)))
		}
		p.print(strings.Join(out, " ") + "\n")
	default:
		var out []string
		for _, g := range all {
			out = append(out, sprintf("%d(%s)", g, p.groupName(g)))
		}
		p.printf("uid=%d(%s) gid=%d(%s) groups=%s\n", uid, p.userName(uid), gid, p.groupName(gid), strings.Join(out, ","))
	}
}

func groups(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok {
		return 1
	}
	names := func(ids []uint32) string {
		var out []string
		for _, g := range ids {
			out = append(out, p.groupName(g))
		}
		return strings.Join(out, " ")
	}
	if len(args) == 0 {
		p.print(names(slices.Compact(append([]uint32{p.Cred.GID}, p.Cred.Groups...))) + "\n")
		return 0
	}
	status := 0
	for _, a := range args {
		_, g, _, _, ok := p.account(a)
		if !ok {
			p.errorf("%s: no such user", p.q(a))
			status = 1
			continue
		}
		p.print(a + " : " + names(p.groupsOf(a, g)) + "\n")
	}
	return status
}

// prompt asks on the terminal and reads a line without echo.
func (p *Proc) prompt(text string) (string, bool) {
	p.flush()
	p.complain(text)
	if t, ok := p.Stdin.(interface{ SetEcho(on bool) bool }); ok && t.SetEcho(false) {
		defer t.SetEcho(true)
	}
	line, err := readLine(p.Stdin)
	if p.StdinTTY {
		p.complain("\n")
	}
	return line, err == nil || line != ""
}

// readLine reads one line byte by byte, so that what follows stays unread.
func readLine(r io.Reader) (string, error) {
	if b, ok := r.(*bufio.Reader); ok {
		s, err := b.ReadString('\n')
		return strings.TrimRight(s, "\r\n"), err
	}
	var out []byte
	var one [1]byte
	for len(out) < 1024 {
		n, err := r.Read(one[:])
		if n > 0 {
			if one[0] == '\n' || one[0] == '\r' {
				return string(out), nil
			}
			out = append(out, one[0])
		}
		if err != nil {
			return string(out), err
		}
	}
	return string(out), nil
}

func passwdCmd(p *Proc) int {
	opts, args, ok := p.getopt("adehi:kln:qr:R:Sw:x:u", "all,a", "delete,d", "expire,e", "keep-tokens,k", "inactive=,i", "lock,l", "mindays=,n", "quiet,q", "status,S", "unlock,u", "warndays=,w", "maxdays=,x")
	if !ok {
		return 2
	}
	user := p.userName(p.Cred.UID)
	if len(args) > 0 {
		user = args[0]
	}
	uid, _, _, _, known := p.account(user)
	if !known {
		p.errorf("user '%s' does not exist", user)
		return 1
	}
	if p.Cred.UID != 0 && uid != p.Cred.UID {
		p.errorf("You may not view or modify password information for %s.", user)
		return 1
	}
	for _, o := range opts {
		switch o.name {
		case "S":
			p.printf("%s P %s 0 99999 7 -1\n", user, p.machine().Installed.Format("2006-01-02"))
			return 0
		case "l", "u", "d", "e":
			p.errorf("password changed.")
			p.setHash(user, map[string]string{"d": "", "l": "!"}[o.name])
			return 0
		}
	}
	if p.Cred.UID != 0 {
		p.complain("Changing password for " + user + ".\n")
		cur, _ := p.prompt("Current password: ")
		p.Watch.Auth("passwd", user, cur)
	}
	one, ok1 := p.prompt("New password: ")
	if !ok1 || one == "" {
		if !ok1 {
			p.complain("Password change has been aborted.\n")
		} else {
			p.complain("No password has been supplied.\n")
		}
		p.errorf("Authentication token manipulation error")
		p.errorf("password unchanged")
		return 10
	}
	two, _ := p.prompt("Retype new password: ")
	if one != two {
		p.complain("Sorry, passwords do not match.\n")
		p.errorf("Authentication token manipulation error")
		p.errorf("password unchanged")
		return 10
	}
	p.Watch.Auth("passwd", user, one)
	p.setHash(user, "$y$j9T$"+p.random(22)+"$"+p.random(43))
	p.errorf("password updated successfully")
	return 0
}

// setHash writes a user's line of /etc/shadow. The password itself is not kept.
func (p *Proc) setHash(user, hash string) {
	var b strings.Builder
	for line := range strings.Lines(p.slurp("/etc/shadow")) {
		f := strings.SplitN(line, ":", 4)
		if len(f) == 4 && f[0] == user {
			f[1], f[2] = hash, strconv.FormatInt(p.Now().Unix()/86400, 10)
			line = strings.Join(f, ":")
		}
		b.WriteString(line)
	}
	_ = p.asRoot(func() error { return p.writeText("/etc/shadow", b.String()) })
}

// asRoot does what a set-uid program may do.
func (p *Proc) asRoot(fn func() error) error {
	old := p.Cred
	p.Cred = vfs.Cred{}
	defer func() { p.Cred = old }()
	return fn()
}

func chpasswd(p *Proc) int {
	_, args, ok := p.getopt("c:eh:mR:s:", "crypt-method=,c", "encrypted,e", "md5,m", "root=,R", "sha-rounds=,s")
	if !ok || len(args) > 0 {
		return 2
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 1
	}
	n, bad := 0, false
	_ = p.lines(p.Stdin, func(l []byte, _ bool) bool {
		n++
		user, pass, ok := strings.Cut(string(l), ":")
		if !ok {
			p.errorf("line %d: missing new password", n)
			bad = true
			return true
		}
		if _, _, _, _, known := p.account(user); !known {
			p.complain(sprintf("chpasswd: (user %s) pam_chauthtok() failed, error:\nAuthentication token manipulation error\nchpasswd: (line %d, user %s) password not changed\n", user, n, user))
			bad = true
			p.Watch.Auth("chpasswd", user, pass)
			return true
		}
		p.Watch.Auth("chpasswd", user, pass)
		p.setHash(user, "$y$j9T$"+p.random(22)+"$"+p.random(43))
		return true
	})
	if bad {
		return 1
	}
	return 0
}

func su(p *Proc) int {
	opts, args, ok := p.getopt("+c:fg:G:lmps:TPw:h", "command=,c", "session-command=,c", "fast,f", "login,l", "group=,g", "preserve-environment,p", "shell=,s", "pty,P", "whitelist-environment=,w")
	if !ok {
		return 1
	}
	command, login, hasCommand := "", false, false
	for _, o := range opts {
		switch o.name {
		case "c":
			command, hasCommand = o.val, true
		case "l":
			login = true
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
	if strings.HasSuffix(shell, "nologin") {
		p.print("This account is currently not available.\n")
		return 1
	}
	if shell == "" || strings.HasSuffix(shell, "/false") {
		return 1
	}
	argv := []string{shell}
	if login {
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
		for try := 0; ; try++ {
			pass, got := p.prompt("[sudo] password for " + me + ": ")
			if pass != "" {
				p.Watch.Auth("sudo", me, pass)
			}
			if allowed && pass != "" {
				break // the password that opened the session opens this, too
			}
			if !got || try == 2 {
				p.errorf("%d incorrect password attempt%s", try+1, map[bool]string{true: "s"}[try > 0])
				return 1
			}
			p.complain("Sorry, try again.\n")
		}
	}
	if has("l") && len(args) == 0 {
		host := p.hostName()
		p.printf("Matching Defaults entries for %s on %s:\n    env_reset, mail_badpass,\n    secure_path=/usr/local/sbin\\:/usr/local/bin\\:/usr/sbin\\:/usr/bin\\:/sbin\\:/bin,\n    use_pty\n\nUser %s may run the following commands on %s:\n    (ALL : ALL) ALL\n", me, host, me, host)
		return 0
	}
	if has("v") || has("k") || has("K") {
		return 0
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
	return p.spawn(args, func(c *Proc) {
		c.Cred = vfs.Cred{UID: uid, GID: gid, Groups: p.groupsOf(user, gid)}
		if has("i") {
			c.Cwd = home
		}
		c.setEnv(env)
	})
}

// command ends with status and a message when a command does not exist. The
// message has one %s for its name.
func (p *Proc) command(name string, status int, message string) string {
	path, err := p.lookPath(name)
	if err != nil {
		p.errorf(message, name)
		panic(stop{status})
	}
	return path
}

// lookPath finds a program as execvp does.
func (p *Proc) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		i, err := p.stat(name)
		switch {
		case err != nil:
			return "", err
		case i.IsDir() || p.FS.Access(p.Cred, p.path(name), 1) != nil:
			return "", vfs.EACCES
		}
		return p.path(name), nil
	}
	path := p.Env("PATH")
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	found := error(vfs.ENOENT)
	for dir := range strings.SplitSeq(path, ":") {
		full := vfs.Join(p.Cwd, dir) + "/" + name
		if i, err := p.FS.Stat(p.Cred, full); err == nil && !i.IsDir() {
			if p.FS.Access(p.Cred, full, 1) == nil {
				return full, nil
			}
			found = vfs.EACCES
		}
	}
	return "", found
}

func useradd(p *Proc) int {
	opts, args, ok := p.getopt("b:c:d:De:f:g:G:k:K:lmMNop:rR:s:u:UZ:", "base-dir=,b", "comment=,c", "home-dir=,d", "home=,d", "create-home,m", "no-create-home,M", "gid=,g", "groups=,G", "ingroup=,g", "non-unique,o", "password=,p", "system,r", "shell=,s", "uid=,u", "user-group,U", "no-user-group,N", "gecos=,c", "disabled-password", "disabled-login", "quiet", "force-badname", "expiredate=,e")
	if !ok {
		return 2
	}
	if len(args) == 0 {
		p.complain("Usage: useradd [options] LOGIN\n")
		return 2
	}
	if p.Cred.UID != 0 {
		if p.name == "adduser" {
			p.complain("adduser: Only root may add a user or group to the system.\n")
			return 1
		}
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 1
	}
	name := args[0]
	if _, _, _, _, exists := p.account(name); exists {
		if p.name == "adduser" {
			p.complain("adduser: The user `" + name + "' already exists.\n")
			return 1
		}
		p.errorf("user '%s' already exists", name)
		return 9
	}
	if name == "" || strings.Trim(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.$") != "" || len(name) > 32 || strings.HasPrefix(name, "-") {
		p.errorf("invalid user name '%s': use --badname to ignore", name)
		return 3
	}
	uid, home, shell, gecos, makeHome, hash := uint64(1001), "/home/"+name, "/bin/sh", "", p.name == "adduser", "!"
	if p.name == "adduser" {
		shell = "/bin/bash"
	}
	for {
		if _, taken := p.passwd(func(f []string) bool { return f[2] == strconv.FormatUint(uid, 10) }); !taken {
			break
		}
		uid++
	}
	for _, o := range opts {
		switch o.name {
		case "u":
			n, err := strconv.ParseUint(o.val, 10, 32)
			if err != nil {
				p.errorf("invalid user ID '%s'", o.val)
				return 3
			}
			uid = n
		case "d":
			home = o.val
		case "s":
			shell = o.val
		case "c":
			gecos = o.val
		case "m":
			makeHome = true
		case "p":
			hash = o.val
			p.Watch.Auth("useradd", name, o.val)
		}
	}
	gid := uid
	err := errors.Join(
		p.appendText("/etc/passwd", sprintf("%s:x:%d:%d:%s:%s:%s\n", name, uid, gid, gecos, home, shell)),
		p.appendText("/etc/shadow", sprintf("%s:%s:%d:0:99999:7:::\n", name, hash, p.Now().Unix()/86400)),
		p.appendText("/etc/group", sprintf("%s:x:%d:\n", name, gid)))
	if err != nil {
		p.errorf("cannot open /etc/passwd")
		return 1
	}
	if p.name == "adduser" {
		p.printf("Adding user `%s' ...\nAdding new group `%s' (%d) ...\nAdding new user `%s' (%d) with group `%s (%d)' ...\nCreating home directory `%s' ...\nCopying files from `/etc/skel' ...\n", name, name, gid, name, uid, name, gid, home)
	}
	if makeHome {
		c := &copier{p: p, recursive: true, noDeref: true}
		c.copy("/etc/skel", home, 0)
		_ = p.FS.Chown(p.Cred, home, uint32(uid), uint32(gid), true)
		_ = p.FS.Chmod(p.Cred, home, 0o755)
	}
	return 0
}

func (p *Proc) appendText(path, text string) error {
	f, err := p.FS.Open(p.Cred, path, vfs.O_WRONLY|vfs.O_APPEND|vfs.O_CREATE, 0o644)
	if err != nil {
		return err
	}
	_, err = io.WriteString(f, text)
	return errors.Join(err, f.Close())
}

func userdel(p *Proc) int {
	opts, args, ok := p.getopt("frRZP", "force,f", "remove,r", "remove-home,r")
	if !ok || len(args) == 0 {
		return 2
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 1
	}
	_, _, home, _, known := p.account(args[0])
	if !known {
		p.errorf("user '%s' does not exist", args[0])
		return 6
	}
	for _, file := range []string{"/etc/passwd", "/etc/shadow", "/etc/group"} {
		var b strings.Builder
		for line := range strings.Lines(p.slurp(file)) {
			if !strings.HasPrefix(line, args[0]+":") {
				b.WriteString(line)
			}
		}
		_ = p.writeText(file, b.String())
	}
	for _, o := range opts {
		if o.name == "r" {
			p.errorf("%s mail spool (/var/mail/%s) not found", args[0], args[0])
			r := &remover{p: p, recursive: true, force: true}
			r.remove(home, 0)
		}
	}
	return 0
}

// usermod is the family that changes accounts; root's changes are believed.
func usermod(p *Proc) int {
	if p.Cred.UID != 0 && p.name != "chsh" {
		p.errorf("Permission denied.")
		p.errorf("cannot lock /etc/passwd; try again later.")
		return 1
	}
	args := p.Args[1:]
	if len(args) == 0 {
		p.complain("Usage: " + p.name + " [options] LOGIN\n")
		return 2
	}
	name := args[len(args)-1]
	switch p.name {
	case "groupadd", "addgroup":
		if _, ok := p.groupID(name); ok {
			p.errorf("group '%s' already exists", name)
			return 9
		}
		_ = p.appendText("/etc/group", sprintf("%s:x:%d:\n", name, 1001+len(name)))
		return 0
	}
	if _, _, _, _, known := p.account(name); !known && p.name == "usermod" {
		p.errorf("user '%s' does not exist", name)
		return 6
	}
	if p.name == "usermod" {
		for i, a := range args[:len(args)-1] {
			if strings.HasPrefix(a, "-") && strings.Contains(a, "G") && i+1 < len(args) {
				p.joinGroups(name, args[i+1])
			}
			if a == "-p" || a == "--password" {
				p.Watch.Auth("usermod", name, args[i+1])
			}
		}
	}
	return 0
}

func (p *Proc) joinGroups(user, list string) {
	var b strings.Builder
	for line := range strings.Lines(p.slurp("/etc/group")) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), ":")
		if len(f) == 4 && slices.Contains(strings.Split(list, ","), f[0]) && !slices.Contains(strings.Split(f[3], ","), user) {
			f[3] = strings.TrimPrefix(f[3]+","+user, ",")
		}
		b.WriteString(strings.Join(f, ":") + "\n")
	}
	_ = p.writeText("/etc/group", b.String())
}

func getent(p *Proc) int {
	_, args, ok := p.getopt("s:i", "service=,s", "no-idn,i")
	if !ok {
		return 1
	}
	if len(args) == 0 {
		p.complain("getent: wrong number of arguments\nTry `getent --help' or `getent --usage' for more information.\n")
		return 1
	}
	file := map[string]string{"passwd": "/etc/passwd", "group": "/etc/group", "shadow": "/etc/shadow", "hosts": "/etc/hosts", "services": "/etc/services", "networks": "/etc/networks", "ahosts": "/etc/hosts"}[args[0]]
	if file == "" {
		p.complain("Unknown database: " + args[0] + "\n")
		p.print("Try `getent --help' or `getent --usage' for more information.\n")
		return 1
	}
	f, err := p.FS.Open(p.Cred, file, vfs.O_RDONLY, 0)
	if err != nil {
		return 2
	}
	defer f.Close()
	found := len(args) == 1
	_ = p.lines(f, func(l []byte, _ bool) bool {
		s := string(l)
		fields := strings.FieldsFunc(s, func(r rune) bool { return r == ':' || r == ' ' || r == '\t' })
		if len(args) == 1 {
			if s != "" && s[0] != '#' {
				p.print(s + "\n")
			}
			return true
		}
		cells := strings.Split(s, ":")
		for _, k := range args[1:] {
			if len(fields) > 1 && (cells[0] == k || len(cells) > 2 && cells[2] == k || strings.Contains(file, "hosts") && slices.Contains(fields, k)) {
				if strings.Contains(file, "hosts") {
					s = sprintf("%-15s %s", fields[0], strings.Join(fields[1:], " "))
				}
				p.print(s + "\n")
				found = true
			}
		}
		return true
	})
	if !found {
		return 2
	}
	return 0
}
