package coreutils

import (
	"slices"
	"strconv"
	"strings"

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
	case "getent":
		return getent
	}
	return accountCommands(name)
}

// accountCommands are the programs that change who there is.
func accountCommands(name string) Command {
	switch name {
	case "useradd":
		return useradd
	case "userdel":
		return userdel
	case "usermod":
		return usermod
	case "groupadd":
		return groupadd
	case "groupdel":
		return groupdel
	case "groupmod":
		return groupmod
	case "gpasswd":
		return gpasswd
	case "adduser", "addgroup":
		return adduser
	case "deluser", "delgroup":
		return deluser
	case "chage":
		return chage
	case "chsh":
		return chsh
	case "chfn":
		return chfn
	case "newgrp", "sg":
		return newgrp
	case "mesg":
		return mesg
	case "runuser":
		return runuser
	case "login":
		return login
	case "lslogins":
		return lslogins
	case "faillog":
		return faillog
	case "visudo":
		return visudo
	case "pwck":
		return pwck
	case "vipw", "vigr":
		return vipw
	case "wall", "write":
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
	if flags["Z"] {
		p.errorf("--context (-Z) works only on an SELinux-enabled kernel")
		return 1
	}
	if flags["n"] && !flags["u"] && !flags["g"] && !flags["G"] {
		p.errorf("cannot print only names or real IDs in default format")
		return 1
	}
	if len(args) == 0 {
		args = []string{""}
	}
	for _, a := range args {
		if a != "" {
			if _, err := strconv.ParseUint(a, 10, 32); err == nil {
				if n, _ := strconv.ParseUint(a, 10, 32); p.userName(uint32(n)) != a {
					a = p.userName(uint32(n))
				}
			}
			u, g, _, _, ok := p.account(a)
			if !ok {
				p.errorf("%s: no such user", p.q(a))
				status = 1
				continue
			}
			uid, gid, all = u, g, p.groupsOf(a, g)
		}
		p.printID(flags, a != "", uid, gid, slices.Compact(all))
	}
	return status
}

func (p *Proc) printID(flags map[string]bool, named bool, uid, gid uint32, all []uint32) {
	show := func(n uint32, name string) string {
		if flags["n"] {
			return name
		}
		return strconv.Itoa(int(n))
	}
	end := "\n"
	if flags["z"] {
		end = "\x00"
	}
	switch {
	case flags["u"]:
		p.print(show(uid, p.userName(uid)) + end)
	case flags["g"]:
		p.print(show(gid, p.groupName(gid)) + end)
	case flags["G"]:
		var out []string
		for _, g := range all {
			out = append(out, show(g, p.groupName(g)))
		}
		p.print(strings.Join(out, " ") + "\n")
	default:
		if own := p.userName(uid); named {
			if _, g, _, _, ok := p.account(own); ok { // the first account of that number counts
				all = p.groupsOf(own, g)
			}
		}
		var out []string
		for _, g := range all {
			out = append(out, sprintf("%d(%s)", g, p.groupName(g)))
		}
		if p.applet && len(all) == 1 {
			p.printf("uid=%d(%s) gid=%d(%s)\n", uid, p.userName(uid), gid, p.groupName(gid))
			return
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
