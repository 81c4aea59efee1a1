package coreutils

import (
	"slices"
	"strconv"
)

// deluser is Debian's friendlier userdel; delgroup is the same program.
func deluser(p *Proc) int {
	a := &adder{p: p, group: p.name == "delgroup", name: p.name}
	opts, args, ok := a.options([]string{"backup", "backup-suffix=", "backup-to=", "conf=", "debug", "force", "group", "no-preserve-root", "only-if-empty", "quiet", "remove-all-files", "remove-home", "system", "user", "verbose"})
	if !ok {
		return 1
	}
	a.opts = opts
	a.group = a.group || a.has("group")
	kind := "user"
	if a.group {
		kind = "group"
	}
	switch {
	case p.Cred.UID != 0:
		return a.die(1, "Only root may remove a user or group from the system.")
	case len(args) == 0:
		p.printf("Enter a %s name to remove: ", kind)
		p.flush()
		name, err := readLine(p.Stdin)
		if err != nil && name == "" {
			p.complain("Use of uninitialized value $answer in chomp at /usr/sbin/" + a.name + " line 140.\nUse of uninitialized value $names[0] in numeric eq (==) at /usr/sbin/" + a.name + " line 144.\n")
			return a.die(1, "Only one or two names allowed.")
		}
		args = []string{name}
	case len(args) > 2:
		return a.die(1, "Only one or two names allowed.")
	}
	switch {
	case len(args) == 2:
		return a.leave(args[0], args[1])
	case a.group:
		return a.delGroup(args[0])
	}
	return a.delUser(args[0])
}

// leave takes a user out of a group.
func (a *adder) leave(user, group string) int {
	_, gid, _, _, known := a.p.account(user)
	g := a.p.accounts(groupFile).by(0, group, groupFields)
	switch {
	case !known:
		return a.die(2, "The user `%s' does not exist.", user)
	case g == nil:
		return a.die(3, "The group `%s' does not exist.", group)
	case g[2] == strconv.FormatUint(uint64(gid), 10):
		return a.die(7, "You may not remove the user from their primary group.")
	case !slices.Contains(splitList(g[3]), user):
		return a.die(6, "The user `%s' is not a member of group `%s'.", user, group)
	}
	a.say("Removing user `%s' from group `%s' ...", user, group)
	a.p.members(user, func(name string, in bool) bool { return in && name != group })
	a.say("Done.")
	return 0
}

func (a *adder) delGroup(name string) int {
	p := a.p
	g := p.accounts(groupFile).by(0, name, groupFields)
	if g == nil {
		return a.die(3, "The group `%s' does not exist.", name)
	}
	a.say("Removing group `%s' ...", name)
	if u := p.accounts(passwdFile).by(3, g[2], passwdFields); u != nil {
		p.flush()
		p.complain("groupdel: cannot remove the primary group of user '" + u[0] + "'\n")
		return a.die(1, "`/sbin/groupdel %s' returned error code 8. Exiting.", name)
	}
	p.eraseGroup(name)
	a.say("Done.")
	return 0
}

func (a *adder) delUser(name string) int {
	p := a.p
	uid, _, home, _, known := p.account(name)
	switch {
	case !known && a.has("system"):
		a.say("The user `%s' does not exist, but --system was given. Exiting.", name)
		return 0
	case !known:
		return a.die(2, "The user `%s' does not exist.", name)
	case uid == 0 && !a.has("no-preserve-root"):
		p.complain("WARNING: You are just about to delete the root account (uid 0)\nUsually this is never required as it may render the whole system unusable\nIf you really want this, call deluser with parameter --no-preserve-root\nStopping now without having performed any action\n")
		return 9
	}
	if a.has("remove-home") || a.has("remove-all-files") {
		a.say("Looking for files to backup/remove ...")
		a.say("Removing files ...")
		if home != "/" && home != "/nonexistent" {
			r := &remover{p: p, recursive: true, force: true}
			r.remove(home, 0)
		}
	}
	a.say("Removing crontab ...")
	_ = p.FS.Remove(p.Cred, "/var/spool/cron/crontabs/"+name)
	a.say("Removing user `%s' ...", name)
	p.eraseUser(name)
	a.say("Done.")
	return 0
}
