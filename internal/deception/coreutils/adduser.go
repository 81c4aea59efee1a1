package coreutils

import (
	"slices"
	"strconv"
	"strings"
)

// adduser is Debian's friendlier useradd; addgroup is the same program.
func adduser(p *Proc) int {
	a := &adder{p: p, group: p.name == "addgroup", name: p.name}
	opts, args, ok := a.options([]string{"add-extra-groups", "add_extra_groups", "allow-all-names", "allow-bad-names", "comment=", "conf=", "debug", "disabled-login", "disabled-password", "encrypt-home", "firstgid=", "firstuid=", "force-badname", "gecos=", "gid=", "group", "home=", "ingroup=", "lastgid=", "lastuid=", "no-create-home", "quiet", "shell=", "stderrmsglevel=", "stdoutmsglevel=", "system", "uid=", "verbose"})
	switch {
	case !ok:
		return 1
	case len(args) == 0 || len(args) > 2:
		return a.die(1, "Only one or two names allowed.")
	case p.Cred.UID != 0:
		return a.die(1, "Only root may add a user or group to the system.")
	}
	a.opts = opts
	if _, has := opts["group"]; has && !a.has("system") {
		a.group = true
	}
	switch {
	case len(args) == 2 && a.group:
		return a.die(1, "addgroup with two arguments is an unspecified operation.")
	case len(args) == 2:
		return a.join(args[0], args[1])
	case a.group:
		return a.addGroup(args[0])
	case a.has("system"):
		return a.addSystem(args[0])
	}
	return a.addUser(args[0])
}

// An adder is one run of adduser, addgroup, deluser or delgroup.
type adder struct {
	p     *Proc
	name  string
	group bool
	opts  map[string]string
}

func (a *adder) has(name string) bool { _, ok := a.opts[name]; return ok }

// say prints what --quiet would hide.
func (a *adder) say(format string, args ...any) {
	if !a.has("quiet") {
		a.p.printf(format+"\n", args...)
	}
}

func (a *adder) die(status int, format string, args ...any) int {
	a.p.flush()
	a.p.complain(a.name + ": " + sprintf(format, args...) + "\n")
	return status
}

// options reads a command line as Perl's Getopt::Long does: one or two dashes,
// cut names, operands anywhere. An unknown option of one letter is passed over
// here, for Debian's programs let their arguments through.
func (a *adder) options(known []string) (map[string]string, []string, bool) {
	opts, args, ok := map[string]string{}, []string{}, true
	for rest := a.p.Args[1:]; len(rest) > 0; {
		w := rest[0]
		rest = rest[1:]
		if !strings.HasPrefix(w, "-") || w == "-" || w == "--" {
			args = append(args, w)
			continue
		}
		name, val, has := strings.Cut(strings.TrimLeft(w, "-"), "=")
		i := slices.IndexFunc(known, func(k string) bool {
			return strings.TrimSuffix(k, "=") == name
		})
		if i < 0 {
			i = slices.IndexFunc(known, func(k string) bool { return strings.HasPrefix(k, name) })
		}
		switch {
		case i < 0 && !strings.HasPrefix(w, "--"):
		case i < 0:
			a.p.complain("Unknown option: " + name + "\n")
			ok = false
		case strings.HasSuffix(known[i], "=") && !has && len(rest) > 0:
			val, rest = rest[0], rest[1:]
			fallthrough
		default:
			opts[strings.TrimSuffix(known[i], "=")] = val
		}
	}
	if !ok {
		a.p.print(a.name + " [--uid id] [--firstuid id] [--lastuid id]\n")
	}
	return opts, args, ok
}

// join puts a user that exists into a group that exists.
func (a *adder) join(user, group string) int {
	_, _, _, _, known := a.p.account(user)
	g := a.p.accounts(groupFile).by(0, group, groupFields)
	switch {
	case !known:
		return a.die(1, "The user `%s' does not exist.", user)
	case g == nil:
		return a.die(1, "The group `%s' does not exist.", group)
	case slices.Contains(splitList(g[3]), user):
		return a.die(0, "The user `%s' is already a member of `%s'.", user, group)
	}
	a.say("Adding user `%s' to group `%s' ...", user, group)
	a.p.joinGroups(user, []string{group})
	a.say("Done.")
	return 0
}

// goodName checks the name as NAME_REGEX of /etc/adduser.conf does.
func (a *adder) goodName(name string) bool {
	if a.has("force-badname") || a.has("allow-bad-names") || a.has("allow-all-names") {
		return goodName(name)
	}
	return name != "" && len(name) <= 32 && strings.Trim(name, "abcdefghijklmnopqrstuvwxyz0123456789_-") == "" && (name[0] >= 'a' && name[0] <= 'z' || name[0] == '_' && a.has("system"))
}

func (a *adder) refuseName() int {
	return a.die(1, "Please enter a username matching the regular expression\n            configured via the NAME_REGEX configuration variable.  Use the\n            `--allow-bad-names' option to relax this check or reconfigure\n            NAME_REGEX in configuration.")
}

// free is the lowest number not taken in any of the tables.
func (a *adder) free(from uint64, tables ...*table) uint64 {
	for n := from; ; n++ {
		if !slices.ContainsFunc(tables, func(t *table) bool { return t.ids()[n] }) {
			return n
		}
	}
}

func (a *adder) addGroup(name string) int {
	groups := a.p.accounts(groupFile)
	if groups.by(0, name, groupFields) != nil {
		return a.die(1, "The group `%s' already exists.", name)
	}
	if !a.goodName(name) {
		return a.refuseName()
	}
	from := uint64(1000)
	if a.has("system") {
		from = 100
	}
	gid := a.free(from, groups)
	if n, err := strconv.ParseUint(a.opts["gid"], 10, 32); err == nil {
		if gid = n; groups.ids()[n] {
			return a.die(1, "The GID `%d' is already in use.", n)
		}
	}
	a.say("Adding group `%s' (GID %d) ...", name, gid)
	a.p.addGroup(groups, name, strconv.FormatUint(gid, 10), "!", "")
	a.say("Done.")
	return 0
}

// account begins a new one with what the options say.
func (a *adder) account(name, shell, home string) *newcomer {
	u := &newcomer{name: name, shell: shell, home: home, hash: "!", skel: "/etc/skel"}
	if s, ok := a.opts["shell"]; ok {
		u.shell = s
	}
	if s, ok := a.opts["home"]; ok {
		u.home = s
	}
	for _, o := range []string{"gecos", "comment"} {
		if s, ok := a.opts[o]; ok {
			u.gecos = s + ",,,"[:max(0, 3-strings.Count(s, ","))]
		}
	}
	if n, err := strconv.ParseUint(a.opts["uid"], 10, 32); err == nil {
		u.uid, u.hasUID = n, true
	}
	return u
}

func (a *adder) addSystem(name string) int {
	p := a.p
	people, groups := p.accounts(passwdFile), p.accounts(groupFile)
	if r := people.by(0, name, passwdFields); r != nil {
		if n, _ := strconv.Atoi(r[2]); n >= 1000 {
			return a.die(1, "The user `%s' already exists, but is not a system user. Exiting.", name)
		}
		a.say("The system user `%s' already exists. Exiting.", name)
		return 0
	}
	if !a.goodName(name) {
		return a.refuseName()
	}
	u := a.account(name, "/usr/sbin/nologin", "/nonexistent")
	u.system = true
	if !u.hasUID {
		u.uid = a.free(100, people)
	}
	a.say("Adding system user `%s' (UID %d) ...", name, u.uid)
	with := "nogroup"
	u.gid = 65534
	if g := groups.by(0, a.opts["ingroup"], groupFields); g != nil {
		with = g[0]
		u.gid, _ = strconv.ParseUint(g[2], 10, 32)
	} else if a.has("group") {
		with, u.gid = name, a.free(100, groups)
		a.say("Adding new group `%s' (GID %d) ...", name, u.gid)
	}
	a.say("Adding new user `%s' (UID %d) with group `%s' ...", name, u.uid, with)
	u.write(p, people, groups, with == name)
	a.home(u, false)
	return 0
}

// home makes the home, or says why not.
func (a *adder) home(u *newcomer, copies bool) {
	_, err := a.p.stat(u.home)
	switch {
	case u.home == "/nonexistent":
		a.say("Not creating `%s'.", u.home)
		return
	case a.has("no-create-home"):
		a.say("Not creating home directory `%s'.", u.home)
		return
	case err == nil:
		a.say("The home directory `%s' already exists.  Not copying from `/etc/skel'.", u.home)
		return
	}
	a.say("Creating home directory `%s' ...", u.home)
	if copies {
		a.say("Copying files from `/etc/skel' ...")
	} else {
		u.skel = ""
	}
	a.p.makeHome(u.skel, u.home, uint32(u.uid), uint32(u.gid))
	if copies {
		_ = a.p.FS.Chmod(a.p.Cred, u.home, 0o700)
	}
}

func (a *adder) addUser(name string) int {
	p := a.p
	people, groups := p.accounts(passwdFile), p.accounts(groupFile)
	if people.by(0, name, passwdFields) != nil {
		return a.die(1, "The user `%s' already exists.", name)
	}
	if !a.goodName(name) {
		return a.refuseName()
	}
	u := a.account(name, "/bin/bash", "/home/"+name)
	if u.hasUID && people.ids()[u.uid] {
		return a.die(1, "The UID %d is already in use.", u.uid)
	}
	into := groups.by(0, a.opts["ingroup"], groupFields)
	switch {
	case a.has("ingroup") && into == nil:
		return a.die(1, "The group `%s' does not exist.", a.opts["ingroup"])
	case into == nil && groups.by(0, name, groupFields) != nil:
		return a.die(1, "The group `%s' already exists.", name)
	case !u.hasUID:
		u.uid = a.free(1000, people, groups)
	}
	u.gid = u.uid
	a.say("Adding user `%s' ...", name)
	with := name
	if into != nil {
		with = into[0]
		u.gid, _ = strconv.ParseUint(into[2], 10, 32)
	} else {
		a.say("Adding new group `%s' (%d) ...", name, u.gid)
	}
	a.say("Adding new user `%s' (%d) with group `%s (%d)' ...", name, u.uid, with, u.gid)
	u.write(p, people, groups, into == nil)
	a.home(u, true)
	if !a.has("disabled-password") && !a.has("disabled-login") {
		a.password(name)
	}
	if !a.has("gecos") && !a.has("comment") {
		a.askDetails(name)
	}
	a.say("Adding new user `%s' to supplemental / extra groups `users' ...", name)
	a.say("Adding user `%s' to group `users' ...", name)
	p.joinGroups(name, []string{"users"})
	return 0
}

// password asks until one was given twice or the answer is no.
func (a *adder) password(name string) {
	p := a.p
	for range 5 {
		q := *p
		q.name, q.Args = "passwd", []string{"passwd", name}
		if passwdCmd(&q) == 0 {
			return
		}
		p.print("Try again? [y/N] ")
		p.flush()
		answer, err := readLine(p.Stdin)
		if err != nil && answer == "" {
			return
		}
		if !strings.HasPrefix(strings.ToLower(answer), "y") {
			return
		}
	}
}

// askDetails asks as chfn does and writes what was answered.
func (a *adder) askDetails(name string) {
	p := a.p
	ask := func(what string) string {
		p.print("\t" + what + " []: ")
		p.flush()
		s, _ := readLine(p.Stdin)
		return strings.NewReplacer(":", "", ",", "").Replace(s)
	}
	for range 5 {
		p.printf("Changing the user information for %s\nEnter the new value, or press ENTER for the default\n", name)
		gecos := ask("Full Name") + "," + ask("Room Number") + "," + ask("Work Phone") + "," + ask("Home Phone")
		if other := ask("Other"); other != "" {
			gecos += "," + other
		}
		people := p.accounts(passwdFile)
		if r := people.by(0, name, passwdFields); r != nil {
			r[4] = gecos
			people.save()
		}
		p.print("Is the information correct? [Y/n] ")
		p.flush()
		if s, err := readLine(p.Stdin); err != nil || !strings.HasPrefix(strings.ToLower(s), "n") {
			return
		}
	}
}
