package coreutils

import (
	"strconv"
	"strings"
	"time"
)

// A newcomer is the account that useradd is asked to make.
type newcomer struct {
	name, home, shell, gecos, hash, skel string
	uid, gid                             uint64
	hasUID, hasGID                       bool
	groups                               []string
	makeHome, system, again, noGroup     bool
	base, expire, inactive               string
}

func useradd(p *Proc) int {
	opts, args, ok := p.getopt("b:c:d:De:f:Fg:G:k:K:lmMNop:rR:P:s:u:UZ:", "base-dir=,b", "comment=,c", "home-dir=,d", "defaults,D", "create-home,m", "no-create-home,M", "gid=,g", "groups=,G", "non-unique,o", "password=,p", "system,r", "shell=,s", "uid=,u", "user-group,U", "no-user-group,N", "expiredate=,e", "inactive=,f", "skel=,k", "key=,K", "no-log-init,l", "root=,R", "prefix=,P", "badname", "add-subids-for-system,F", "btrfs-subvolume-home", "selinux-user=,Z")
	if !ok {
		return 2
	}
	set := letters(opts)
	if set["D"] && len(args) == 0 {
		p.print("GROUP=100\nHOME=/home\nINACTIVE=-1\nEXPIRE=\nSHELL=/bin/sh\nSKEL=/etc/skel\nCREATE_MAIL_SPOOL=no\nLOG_INIT=yes\n")
		return 0
	}
	u := &newcomer{shell: "/bin/sh", hash: "!", skel: "/etc/skel", base: "/home"}
	for _, o := range opts {
		if status := u.option(p, o); status != 0 {
			return status
		}
	}
	if set["U"] && set["g"] {
		p.errorf("options -U and -g conflict")
		return p.usage(2)
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	u.name = args[0]
	if !goodName(u.name) && !set["badname"] || u.name == "" {
		p.errorf("invalid user name '%s': use --badname to ignore", u.name)
		return 3
	}
	if u.home == "" {
		u.home = u.base + "/" + u.name
	}
	return u.add(p)
}

// goodName tells whether the shadow tools take a name. Debian's are lenient:
// they refuse what would break a line or a path.
func goodName(name string) bool {
	return name != "" && len(name) <= 32 && !strings.HasPrefix(name, "-") && name != "." && name != ".." && !strings.ContainsAny(name, ":, \t\n\r/+~")
}

// option takes one option and returns a status other than 0 when it is wrong.
func (u *newcomer) option(p *Proc, o opt) int {
	bad := func(what string) int {
		p.errorf("invalid %s '%s'", what, o.val)
		return 3
	}
	switch o.name {
	case "b":
		if u.base = o.val; !strings.HasPrefix(o.val, "/") {
			return bad("base directory")
		}
	case "c":
		if u.gecos = o.val; strings.ContainsAny(o.val, ":\n") {
			return bad("comment")
		}
	case "d":
		if u.home = o.val; !strings.HasPrefix(o.val, "/") || strings.Contains(o.val, ":") {
			return bad("home directory")
		}
	case "e":
		if day, ok := shadowDay(o.val); ok {
			u.expire = day
		} else {
			return bad("date")
		}
	case "f":
		if n, err := strconv.Atoi(o.val); err != nil || n < -1 {
			return bad("numeric argument")
		}
		u.inactive = strings.TrimPrefix(o.val, "-1")
	case "g":
		g, ok := p.groupRow(o.val)
		if !ok {
			return 6
		}
		u.gid, _ = strconv.ParseUint(g[2], 10, 32)
		u.hasGID = true
	case "G":
		names, ok := p.groupNames(o.val)
		if !ok {
			return 6
		}
		u.groups = names
	case "k":
		u.skel = o.val
	case "K":
		if !strings.Contains(o.val, "=") {
			p.errorf("-K requires KEY=VALUE")
			return 3
		}
	case "m":
		u.makeHome = true
	case "M":
		u.makeHome = false
	case "N":
		u.noGroup = true
	case "o":
		u.again = true
	case "p":
		if u.hash = o.val; strings.ContainsAny(o.val, ":\n") {
			return bad("field")
		}
	case "r":
		u.system = true
	case "s":
		return u.setShell(p, o.val)
	case "u":
		n, err := strconv.ParseUint(o.val, 10, 32)
		if err != nil || n == 1<<32-1 {
			return bad("user ID")
		}
		u.uid, u.hasUID = n, true
	}
	return 0
}

func (u *newcomer) setShell(p *Proc, path string) int {
	u.shell = path
	switch {
	case path == "":
	case path[0] != '/' && path[0] != '*' || strings.ContainsAny(path, ":\n"):
		p.errorf("invalid shell '%s'", path)
		return 3
	case path[0] == '/' && path != "/sbin/nologin":
		if i, err := p.stat(path); err != nil || i.IsDir() || i.Mode&0o111 == 0 {
			p.errorf("Warning: missing or non-executable shell '%s'", path)
		}
	}
	return 0
}

// groupRow finds a group by name or number, or says that it is not there.
func (p *Proc) groupRow(name string) ([]string, bool) {
	t := p.accounts(groupFile)
	r := t.by(0, name, groupFields)
	if _, err := strconv.ParseUint(name, 10, 32); r == nil && err == nil {
		r = t.by(2, name, groupFields)
	}
	if r == nil {
		p.errorf("group '%s' does not exist", name)
	}
	return r, r != nil
}

// groupNames resolves a list of groups; it says which are not there.
func (p *Proc) groupNames(list string) (names []string, ok bool) {
	ok = true
	for _, g := range splitList(list) {
		if r, found := p.groupRow(g); found {
			names = append(names, r[0])
		} else {
			ok = false
		}
	}
	return names, ok
}

// shadowDay reads a date as the shadow tools take it; "" and -1 are never.
func shadowDay(s string) (string, bool) {
	if s == "" || s == "-1" {
		return "", true
	}
	if n, err := strconv.ParseUint(s, 10, 31); err == nil {
		return strconv.FormatUint(n, 10), true
	}
	for _, layout := range []string{"2006-01-02", "01/02/2006", "01/02/06", "2 Jan 2006", "Jan 2, 2006"} {
		if d, err := time.Parse(layout, s); err == nil {
			return strconv.FormatInt(d.Unix()/86400, 10), true
		}
	}
	return "", false
}

// add writes the account into the files.
func (u *newcomer) add(p *Proc) int {
	people, groups := p.accounts(passwdFile), p.accounts(groupFile)
	if people.by(0, u.name, passwdFields) != nil {
		p.errorf("user '%s' already exists", u.name)
		return 9
	}
	own := !u.hasGID && !u.noGroup
	if own && groups.by(0, u.name, groupFields) != nil {
		p.errorf("group %s exists - if you want to add this user to that group, use -g.", u.name)
		return 9
	}
	if !p.mayLock(passwdFile) {
		return 1
	}
	if status := u.number(p, people.ids()); status != 0 {
		return status
	}
	switch used := groups.ids(); {
	case own && used[u.uid]:
		u.gid = freeID(used, u.system)
	case own:
		u.gid = u.uid
	case !u.hasGID:
		u.gid = 100
	}
	u.write(p, people, groups, own)
	if u.hash != "!" {
		p.Watch.Auth(p.name, u.name, u.hash)
	}
	if u.makeHome {
		u.settle(p)
	}
	return 0
}

// number chooses or checks the user's number.
func (u *newcomer) number(p *Proc, used map[uint64]bool) int {
	switch {
	case !u.hasUID:
		u.uid = freeID(used, u.system)
	case used[u.uid] && !u.again:
		p.errorf("UID %d is not unique", u.uid)
		return 4
	case !u.system && (u.uid < 1000 || u.uid > 60000):
		p.complain(sprintf("%s warning: %s's uid %d outside of the UID_MIN 1000 and UID_MAX 60000 range.\n", p.name, u.name, u.uid))
	case u.system && (u.uid < 101 || u.uid > 999):
		p.complain(sprintf("%s warning: %s's uid %d outside of the SYS_UID_MIN 101 and SYS_UID_MAX 999 range.\n", p.name, u.name, u.uid))
	}
	return 0
}

func (u *newcomer) write(p *Proc, people, groups *table, own bool) {
	uid, gid := strconv.FormatUint(u.uid, 10), strconv.FormatUint(u.gid, 10)
	people.add(u.name, "x", uid, gid, u.gecos, u.home, u.shell)
	people.save()
	aging := []string{"0", "99999", "7"}
	if u.system {
		aging = []string{"", "", ""}
	}
	shadow := p.accounts(shadowFile)
	shadow.drop(u.name)
	shadow.add(u.name, u.hash, p.today(), aging[0], aging[1], aging[2], u.inactive, u.expire, "")
	shadow.save()
	if own {
		groups.add(u.name, "x", gid, "")
		groups.save()
		secrets := p.accounts(gshadowFile)
		secrets.add(u.name, "!", "", "")
		secrets.save()
	}
	if len(u.groups) > 0 {
		p.joinGroups(u.name, u.groups)
	}
	if !u.system {
		p.addSubIDs(u.name)
	}
}

// settle makes the home.
func (u *newcomer) settle(p *Proc) {
	if _, err := p.stat(u.home); err == nil {
		p.errorf("warning: the home directory %s already exists.", u.home)
		p.errorf("Not copying any file from skel directory into it.")
		return
	}
	p.makeHome(u.skel, u.home, uint32(u.uid), uint32(u.gid))
}

// joinGroups puts a user into groups.
func (p *Proc) joinGroups(user string, names []string) {
	want := map[string]bool{}
	for _, n := range names {
		want[n] = true
	}
	p.members(user, func(g string, in bool) bool { return in || want[g] })
}

func userdel(p *Proc) int {
	opts, args, ok := p.getopt("frR:P:Z", "force,f", "remove,r", "root=,R", "prefix=,P", "selinux-user,Z")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	name, set := args[0], letters(opts)
	uid, _, home, _, known := p.account(name)
	switch {
	case !known:
		p.errorf("user '%s' does not exist", name)
		return 6
	case !p.mayLock(passwdFile):
		return 1
	case uid == 0 && !set["f"]:
		p.errorf("user %s is currently used by process 1", name)
		return 8
	}
	p.eraseUser(name)
	if set["r"] {
		p.removeHome(name, home)
	}
	return 0
}

// eraseUser takes a user out of all files, and the group of the same name with
// it unless someone else is in there.
func (p *Proc) eraseUser(name string) {
	gid := ""
	for _, path := range []string{passwdFile, shadowFile, "/etc/subuid", "/etc/subgid"} {
		t := p.accounts(path)
		if r := t.by(0, name, passwdFields); path == passwdFile && r != nil {
			gid = r[3]
		}
		if t.drop(name) {
			t.save()
		}
	}
	p.members(name, func(string, bool) bool { return false })
	groups := p.accounts(groupFile)
	switch g := groups.by(0, name, groupFields); {
	case g == nil:
	case g[2] != gid:
		p.errorf("group %s not removed because it is not the primary group of user %s.", name, name)
	case g[3] != "":
		p.errorf("group %s not removed because it has other members.", name)
	default:
		p.eraseGroup(name)
	}
}

func (p *Proc) eraseGroup(name string) {
	for _, path := range []string{groupFile, gshadowFile} {
		t := p.accounts(path)
		t.drop(name)
		t.save()
	}
}

func (p *Proc) removeHome(name, home string) {
	mail := "/var/mail/" + name
	if _, err := p.stat(mail); err != nil {
		p.errorf("%s mail spool (%s) not found", name, mail)
	} else {
		_ = p.FS.Remove(p.Cred, mail)
	}
	if _, err := p.stat(home); err != nil {
		p.errorf("%s home directory (%s) not found", name, home)
		return
	}
	r := &remover{p: p, recursive: true, force: true}
	r.remove(home, 0)
}
