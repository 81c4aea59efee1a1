package coreutils

import (
	"errors"
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

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
	if p.name == "chsh" {
		for i, a := range args[:len(args)-1] {
			if a == "-s" || a == "--shell" {
				if _, err := p.stat(args[i+1]); err != nil {
					p.errorf("Warning: %s does not exist", args[i+1])
				}
			}
		}
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
