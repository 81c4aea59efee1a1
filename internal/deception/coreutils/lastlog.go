package coreutils

import (
	"encoding/binary"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

// failedLogins is lastb: the records of /var/log/btmp, latest first.
func (p *Proc) failedLogins(most int, full bool, only []string) int {
	raw := p.slurp("/var/log/btmp")
	layout := "Mon Jan _2 15:04"
	if full {
		layout = "Mon Jan _2 15:04:05 2006"
	}
	text := func(b string) string {
		s, _, _ := strings.Cut(b, "\x00")
		return s
	}
	var begins time.Time
	if i, err := p.FS.Stat(p.Cred, "/var/log/btmp"); err == nil {
		begins = i.Mtime
	}
	for at := len(raw) - len(raw)%utmpRecord - utmpRecord; at >= 0; at -= utmpRecord {
		r := raw[at : at+utmpRecord]
		when := time.Unix(int64(binary.LittleEndian.Uint32([]byte(r[340:344]))), 0).UTC()
		begins = when
		line, user, host := text(r[8:40]), text(r[44:76]), text(r[76:332])
		if most <= 0 || len(only) > 0 && !slices.Contains(only, user) && !slices.Contains(only, line) {
			continue
		}
		most--
		end := when.Format("15:04")
		if full {
			end = when.Format(layout)
		}
		p.printf("%-8.8s %-12.12s %-16.16s %s - %s  (00:00)\n", user, line, host, when.Format(layout), end)
	}
	p.printf("\nbtmp begins %s\n", begins.UTC().Format("Mon Jan _2 15:04:05 2006"))
	return 0
}

// lastlogCommand shows when each user was last there.
func lastlogCommand(p *Proc) int {
	opts, _, ok := p.getopt("b:Cht:Ru:S", "before=,b", "clear,C", "help,h", "root=,R", "set,S", "time=,t", "user=,u")
	if !ok {
		return 1
	}
	user, within, before := "", -1, -1
	for _, o := range opts {
		switch o.name {
		case "u":
			user = o.val
		case "t":
			within, _ = strconv.Atoi(o.val)
		case "b":
			before, _ = strconv.Atoi(o.val)
		}
	}
	if user != "" {
		if _, known := p.passwd(func(f []string) bool { return f[0] == user || f[2] == user }); !known {
			p.complain("lastlog: Unknown user or range: " + user + "\n")
			return 1
		}
	}
	last := map[string]machine.Login{}
	if i, err := p.FS.Stat(p.Cred, "/var/log/lastlog"); err == nil && i.Size > 0 { // one that was emptied knows nobody
		for _, l := range p.table().Logins() {
			if !l.Reboot && l.TTY != "" && l.At.After(last[l.User].At) {
				last[l.User] = l
			}
		}
	}
	p.print("Username         Port     From                                       Latest\n")
	p.passwd(func(f []string) bool {
		l, ever := last[f[0]]
		days := int(p.Now().Sub(l.At).Hours() / 24)
		switch {
		case user != "" && f[0] != user && f[2] != user,
			within >= 0 && (!ever || days >= within), before >= 0 && ever && days < before:
		case ever:
			p.printf("%-16s %-8.8s %-42s%s\n", f[0], l.TTY, l.From, l.At.UTC().Format("Mon Jan _2 15:04:05 -0700 2006"))
		default:
			p.printf("%-16s %-8s %-42s**Never logged in**\n", f[0], "", "")
		}
		return false
	})
	return 0
}
