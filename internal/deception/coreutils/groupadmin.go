package coreutils

import (
	"slices"
	"strconv"
	"strings"
)

func groupadd(p *Proc) int {
	opts, args, ok := p.getopt("fg:hK:op:P:rR:U:", "force,f", "gid=,g", "key=,K", "non-unique,o", "password=,p", "prefix=,P", "root=,R", "system,r", "users=,U")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	name, set, hash, users := args[0], letters(opts), "!", ""
	groups := p.accounts(groupFile)
	used, gid := groups.ids(), ""
	for _, o := range opts {
		switch o.name {
		case "g":
			if _, err := strconv.ParseUint(o.val, 10, 32); err != nil {
				p.errorf("invalid group ID '%s'", o.val)
				return 3
			}
			gid = o.val
		case "p":
			hash = o.val
		case "U":
			users = o.val
		}
	}
	if !goodName(name) {
		p.errorf("'%s' is not a valid group name", name)
		return 3
	}
	if groups.by(0, name, groupFields) != nil {
		if set["f"] {
			return 0
		}
		p.errorf("group '%s' already exists", name)
		return 9
	}
	if n, _ := strconv.ParseUint(gid, 10, 32); gid != "" && used[n] && !set["o"] {
		if !set["f"] {
			p.errorf("GID '%s' already exists", gid)
			return 4
		}
		gid = ""
	}
	if !p.mayLock(groupFile) {
		return 10
	}
	if gid == "" {
		gid = strconv.FormatUint(freeID(used, set["r"]), 10)
	}
	p.addGroup(groups, name, gid, hash, users)
	return 0
}

func (p *Proc) addGroup(groups *table, name, gid, hash, users string) {
	groups.add(name, "x", gid, users)
	groups.save()
	secrets := p.accounts(gshadowFile)
	secrets.add(name, hash, "", users)
	secrets.save()
}

func groupdel(p *Proc) int {
	opts, args, ok := p.getopt("fhP:R:", "force,f", "prefix=,P", "root=,R")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	g := p.accounts(groupFile).by(0, args[0], groupFields)
	if g == nil {
		p.errorf("group '%s' does not exist", args[0])
		return 6
	}
	if u := p.accounts(passwdFile).by(3, g[2], passwdFields); u != nil && !letters(opts)["f"] {
		p.errorf("cannot remove the primary group of user '%s'", u[0])
		return 8
	}
	if !p.mayLock(groupFile) {
		return 10
	}
	p.eraseGroup(args[0])
	return 0
}

func groupmod(p *Proc) int {
	opts, args, ok := p.getopt("ag:hn:op:P:R:U:", "append,a", "gid=,g", "new-name=,n", "non-unique,o", "password=,p", "prefix=,P", "root=,R", "users=,U")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	groups, secrets, set := p.accounts(groupFile), p.accounts(gshadowFile), letters(opts)
	g, secret := groups.by(0, args[0], groupFields), secrets.by(0, args[0], gshadowFields)
	if secret == nil {
		secret = make([]string, gshadowFields)
	}
	if g == nil {
		p.errorf("group '%s' does not exist", args[0])
		return 6
	}
	if !p.mayLock(groupFile) {
		return 10
	}
	was := g[2]
	for _, o := range opts {
		switch o.name {
		case "g":
			n, err := strconv.ParseUint(o.val, 10, 32)
			if err != nil {
				p.errorf("invalid group ID '%s'", o.val)
				return 3
			}
			if groups.ids()[n] && !set["o"] && o.val != was {
				p.errorf("GID '%d' already exists", n)
				return 4
			}
			g[2] = strconv.FormatUint(n, 10)
		case "n":
			if groups.by(0, o.val, groupFields) != nil {
				p.errorf("group '%s' already exists", o.val)
				return 9
			}
			if !goodName(o.val) {
				p.errorf("invalid group name '%s'", o.val)
				return 3
			}
			g[0], secret[0] = o.val, o.val
		case "p":
			secret[1] = o.val
		case "U":
			list := splitList(o.val)
			if set["a"] {
				list = append(splitList(g[3]), list...)
			}
			g[3] = strings.Join(list, ",")
			secret[3] = g[3]
		}
	}
	groups.save()
	secrets.save()
	p.moveGroup(was, g[2])
	return 0
}

// moveGroup gives the users of a group its new number.
func (p *Proc) moveGroup(was, now string) {
	if was == now {
		return
	}
	people := p.accounts(passwdFile)
	for _, r := range people.rows {
		if len(r) == passwdFields && r[3] == was {
			r[3] = now
		}
	}
	people.save()
}

func gpasswd(p *Proc) int {
	opts, args, ok := p.getopt("a:A:d:ghM:Q:rR", "add=,a", "administrators=,A", "delete=,d", "members=,M", "root=,Q", "remove-password,r", "restrict,R")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	for _, o := range opts {
		if _, _, _, _, known := p.account(o.val); o.name == "a" && !known {
			p.errorf("user '%s' does not exist", o.val)
			return 3
		}
	}
	groups, secrets := p.accounts(groupFile), p.accounts(gshadowFile)
	g, secret := groups.by(0, args[0], groupFields), secrets.by(0, args[0], gshadowFields)
	if g == nil {
		p.errorf("group '%s' does not exist in /etc/group", args[0])
		return 3
	}
	if secret == nil {
		secret = make([]string, gshadowFields)
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		return 1
	}
	if len(opts) == 0 {
		return p.groupPassword(args[0])
	}
	status := 0
	for _, o := range opts {
		status = max(status, p.gpasswdOption(o, g, secret))
	}
	if status == 0 {
		groups.save()
		secrets.save()
	}
	return status
}

func (p *Proc) gpasswdOption(o opt, g, secret []string) int {
	list := splitList(g[3])
	switch o.name {
	case "a":
		p.printf("Adding user %s to group %s\n", o.val, g[0])
		if !slices.Contains(list, o.val) {
			list = append(list, o.val)
		}
	case "d":
		p.printf("Removing user %s from group %s\n", o.val, g[0])
		i := slices.Index(list, o.val)
		if i < 0 {
			p.errorf("user '%s' is not a member of '%s'", o.val, g[0])
			return 3
		}
		list = slices.Delete(list, i, i+1)
	case "M":
		for _, u := range splitList(o.val) {
			if _, _, _, _, known := p.account(u); !known {
				p.errorf("user '%s' does not exist", u)
				return 3
			}
		}
		list = splitList(o.val)
	case "A":
		secret[2] = o.val
		return 0
	case "r":
		secret[1] = ""
		return 0
	case "R":
		secret[1] = "!"
		return 0
	}
	g[3] = strings.Join(list, ",")
	secret[3] = g[3]
	return 0
}

// groupPassword asks for a group's password; it is reported, not kept.
func (p *Proc) groupPassword(group string) int {
	if !p.StdinTTY {
		p.errorf("Not a tty")
		return 1
	}
	p.printf("Changing the password for group %s\n", group)
	one, _ := p.prompt("New Password: ")
	two, _ := p.prompt("Re-enter new password: ")
	if one != two {
		p.errorf("They don't match; try again")
		return 1
	}
	p.Watch.Auth("gpasswd", group, one)
	return 0
}
