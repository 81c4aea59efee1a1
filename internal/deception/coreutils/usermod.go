package coreutils

import (
	"slices"
	"strconv"
	"strings"
)

func usermod(p *Proc) int {
	opts, args, ok := p.getopt("abc:d:e:f:g:G:l:LmoP:p:rR:s:u:Uv:V:w:W:Z:", "append,a", "comment=,c", "home=,d", "expiredate=,e", "inactive=,f", "gid=,g", "groups=,G", "login=,l", "lock,L", "move-home,m", "non-unique,o", "password=,p", "prefix=,P", "remove,r", "root=,R", "shell=,s", "uid=,u", "unlock,U", "badname,b", "add-subuids=,v", "del-subuids=,V", "add-subgids=,w", "del-subgids=,W", "selinux-user=,Z")
	if !ok {
		return 2
	}
	if len(args) != 1 {
		return p.usage(2)
	}
	m := &moduser{p: p, set: letters(opts), people: p.accounts(passwdFile), shadow: p.accounts(shadowFile), name: args[0]}
	m.row = m.people.by(0, m.name, passwdFields)
	if m.row == nil {
		p.errorf("user '%s' does not exist", m.name)
		return 6
	}
	if m.secret = m.shadow.by(0, m.name, shadowFields); m.secret == nil {
		m.secret = []string{m.name, "x", "", "", "", "", "", "", ""}
		m.shadow.rows = append(m.shadow.rows, m.secret)
	}
	if status := m.check(opts); status != 0 {
		return status
	}
	if !p.mayLock(passwdFile) {
		return 1
	}
	was := strings.Join(m.row, ":") + strings.Join(m.secret, ":")
	for _, o := range opts {
		if status := m.option(o); status != 0 {
			return status
		}
	}
	if was == strings.Join(m.row, ":")+strings.Join(m.secret, ":") && !m.told && !m.set["G"] {
		p.printf("%s: no changes\n", p.name)
		return 0
	}
	m.people.save()
	m.shadow.save()
	m.follow()
	return 0
}

// A moduser is one account being changed.
type moduser struct {
	p              *Proc
	set            map[string]bool
	people, shadow *table
	name           string
	row, secret    []string
	groups         []string
	oldHome        string
	told           bool // the run had something to say: that counts as a change
}

// check refuses options that do not go together.
func (m *moduser) check(opts []opt) int {
	said := ""
	locks := 0
	for _, l := range []string{"L", "p", "U"} {
		if m.set[l] {
			locks++
		}
	}
	switch {
	case len(opts) == 0:
		said = "no options"
	case m.set["a"] && !m.set["G"]:
		said = "-a flag is only allowed with the -G flag"
	case m.set["r"] && !m.set["G"]:
		said = "-r flag is only allowed with the -G flag"
	case m.set["a"] && m.set["r"]:
		said = "-a and -r are mutually exclusive flags"
	case locks > 1:
		said = "the -L, -p, and -U flags are exclusive"
	case m.set["o"] && !m.set["u"]:
		said = "-o flag is only allowed with the -u flag"
	case m.set["m"] && !m.set["d"]:
		said = "-m flag is only allowed with the -d flag"
	default:
		return 0
	}
	m.p.errorf("%s", said)
	return m.p.usage(2)
}

func (m *moduser) option(o opt) int {
	p := m.p
	switch o.name {
	case "c":
		m.row[4] = o.val
	case "d":
		if !strings.HasPrefix(o.val, "/") {
			p.errorf("homedir must be an absolute path")
			return 3
		}
		m.oldHome, m.row[5] = m.row[5], o.val
	case "e", "f":
		day, ok := shadowDay(o.val)
		if !ok {
			p.errorf("invalid date '%s'", o.val)
			return 3
		}
		m.secret[map[string]int{"e": 7, "f": 6}[o.name]] = day
	case "g":
		g, ok := p.groupRow(o.val)
		if !ok {
			return 6
		}
		m.row[3] = g[2]
	case "G":
		names, ok := p.groupNames(o.val)
		if !ok {
			return 6
		}
		m.groups = names
	case "l":
		if m.people.by(0, o.val, passwdFields) != nil {
			p.errorf("user '%s' already exists", o.val)
			return 9
		}
		if !goodName(o.val) {
			p.errorf("invalid user name '%s': use --badname to ignore", o.val)
			return 3
		}
		m.row[0], m.secret[0] = o.val, o.val
	case "s":
		u := &newcomer{}
		if status := u.setShell(p, o.val); status != 0 {
			return status
		}
		m.row[6] = o.val
	case "u":
		return m.number(o.val)
	case "L", "U", "p":
		m.password(o)
	}
	return 0
}

func (m *moduser) number(val string) int {
	n, err := strconv.ParseUint(val, 10, 32)
	if err != nil {
		m.p.errorf("invalid user ID '%s'", val)
		return 3
	}
	if m.people.ids()[n] && !m.set["o"] && m.row[2] != val {
		m.p.errorf("UID '%d' already exists", n)
		return 4
	}
	m.row[2] = strconv.FormatUint(n, 10)
	return 0
}

func (m *moduser) password(o opt) {
	switch h := m.secret[1]; o.name {
	case "L":
		m.told = true
		if !strings.HasPrefix(h, "!") {
			m.secret[1] = "!" + h
		}
	case "U":
		m.told = true
		if h == "!" {
			m.p.errorf("unlocking the user's password would result in a passwordless account.\nYou should set a password with usermod -p to unlock this user's password.")
		} else {
			m.secret[1] = strings.TrimPrefix(h, "!")
		}
	case "p":
		m.p.Watch.Auth("usermod", m.name, o.val)
		m.secret[1], m.secret[2] = o.val, m.p.today()
	}
}

// follow carries a change into the other files and the home.
func (m *moduser) follow() {
	p, name := m.p, m.row[0]
	if name != m.name {
		p.renameMember(m.name, name)
	}
	if m.set["G"] {
		p.members(name, func(g string, in bool) bool {
			listed := slices.Contains(m.groups, g)
			switch {
			case m.set["a"]:
				return in || listed
			case m.set["r"]:
				return in && !listed
			}
			return listed
		})
	}
	if !m.set["m"] || m.oldHome == m.row[5] {
		return
	}
	if _, err := p.stat(m.oldHome); err != nil {
		p.errorf("The previous home directory (%s) does not exist or is inaccessible. Move cannot be completed.", m.oldHome)
		return
	}
	if _, err := p.stat(m.row[5]); err == nil {
		p.errorf("directory %s exists", m.row[5])
		return
	}
	_ = p.FS.Rename(p.Cred, m.oldHome, m.row[5])
}

// renameMember puts a user's new name where the old one stood.
func (p *Proc) renameMember(old, name string) {
	for _, path := range []string{groupFile, gshadowFile} {
		t := p.accounts(path)
		for _, r := range t.rows {
			if len(r) != groupFields {
				continue
			}
			list := splitList(r[3])
			if i := slices.Index(list, old); i >= 0 {
				list[i] = name
				r[3] = strings.Join(list, ",")
			}
		}
		t.save()
	}
	for _, path := range []string{"/etc/subuid", "/etc/subgid"} {
		t := p.accounts(path)
		if r := t.by(0, old, 3); r != nil {
			r[0] = name
			t.save()
		}
	}
}
