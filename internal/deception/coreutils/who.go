package coreutils

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

// upLine is the first line of w and the line of uptime.
func (p *Proc) upLine() string {
	now, m := p.Now(), p.machine()
	up := m.Uptime(now)
	days, hours, mins := int(up.Hours())/24, int(up.Hours())%24, int(up.Minutes())%60
	s := " " + now.UTC().Format("15:04:05") + " up "
	if days > 0 {
		s += sprintf("%d day%s, ", days, map[bool]string{true: "s"}[days > 1])
	}
	if hours > 0 {
		s += sprintf("%2d:%02d, ", hours, mins)
	} else {
		s += sprintf("%d min, ", mins)
	}
	users := len(p.sessions())
	a, b, c := m.Load(now)
	return s + sprintf("%2d user%s,  load average: %.2f, %.2f, %.2f\n", users, map[bool]string{false: "s"}[users == 1], a, b, c)
}

// sessions are the logins with a terminal that are still there.
func (p *Proc) sessions() []machine.Login {
	var out []machine.Login
	for _, l := range p.table().Logins() {
		if !l.Reboot && l.Until.IsZero() && l.TTY != "" {
			out = append(out, l)
		}
	}
	return out
}

func uptime(p *Proc) int {
	opts, _, ok := p.getopt("phsV", "pretty,p", "since,s")
	if !ok {
		return 1
	}
	for _, o := range opts {
		switch o.name {
		case "s":
			p.print(p.machine().Boot.UTC().Format(time.DateTime) + "\n")
			return 0
		case "p":
			up := p.machine().Uptime(p.Now())
			var parts []string
			for _, u := range []struct {
				n    int
				name string
			}{{int(up.Hours()) / 168, "week"}, {int(up.Hours()) / 24 % 7, "day"}, {int(up.Hours()) % 24, "hour"}, {int(up.Minutes()) % 60, "minute"}} {
				if u.n == 1 {
					parts = append(parts, "1 "+u.name)
				} else if u.n > 1 {
					parts = append(parts, sprintf("%d %ss", u.n, u.name))
				}
			}
			p.print("up " + strings.Join(parts, ", ") + "\n")
			return 0
		case "V":
			p.version()
		}
	}
	p.print(p.upLine())
	return 0
}

func w(p *Proc) int {
	opts, _, ok := p.getopt("hsuipfoV", "no-header,h", "short,s", "ip-addr,i", "from,f")
	if !ok {
		return 1
	}
	header, short := true, false
	for _, o := range opts {
		header = header && o.name != "h"
		short = short || o.name == "s"
	}
	if header {
		p.print(p.upLine())
		if short {
			p.print("USER     TTY      FROM              IDLE WHAT\n")
		} else {
			p.print("USER     TTY      FROM             LOGIN@   IDLE   JCPU   PCPU WHAT\n")
		}
	}
	now := p.Now()
	for _, l := range p.sessions() {
		what, idle := "-bash", "0.00s"
		if l.TTY == p.Session.TTYName {
			what = strings.Join(p.Args, " ")
		} else {
			idle = sprintf("%d:%02d", int(now.Sub(l.At).Minutes())%60, 7)
		}
		at := l.At.UTC().Format("15:04")
		if now.Sub(l.At) > 24*time.Hour {
			at = l.At.UTC().Format("Mon15")
		}
		if short {
			p.printf("%-8.8s %-8s %-16s %6s %s\n", l.User, l.TTY, l.From, idle, what)
		} else {
			p.printf("%-8.8s %-8s %-16s %-7s %6s  0.03s  0.00s %s\n", l.User, l.TTY, l.From, at, idle, what)
		}
	}
	return 0
}

func who(p *Proc) int {
	opts, args, ok := p.getopt("abdHlmpqrstTuw", "all,a", "boot,b", "heading,H", "count,q", "short,s", "users,u")
	if !ok {
		return 1
	}
	list := p.sessions()
	if p.name == "users" {
		var names []string
		for _, l := range list {
			names = append(names, l.User)
		}
		slices.Sort(names)
		if len(names) > 0 {
			p.print(strings.Join(names, " ") + "\n")
		}
		return 0
	}
	for _, o := range opts {
		switch o.name {
		case "b":
			p.printf("         system boot  %s\n", p.machine().Boot.UTC().Format("2006-01-02 15:04"))
			return 0
		case "H":
			p.print("NAME     LINE         TIME             COMMENT\n")
		case "q":
			var names []string
			for _, l := range list {
				names = append(names, l.User)
			}
			p.printf("%s\n# users=%d\n", strings.Join(names, " "), len(names))
			return 0
		case "r":
			p.printf("         run-level 5  %s\n", p.machine().Boot.Add(9*time.Second).UTC().Format("2006-01-02 15:04"))
			return 0
		case "m":
			args = []string{"am", "i"}
		}
	}
	for _, l := range list {
		if len(args) >= 2 && l.TTY != p.Session.TTYName {
			continue
		}
		p.printf("%-8s %-12s %s (%s)\n", l.User, l.TTY, l.At.UTC().Format("2006-01-02 15:04"), l.From)
	}
	return 0
}

// utmpRecord is the size of a record of utmp(5).
const utmpRecord = 384

func last(p *Proc) int {
	p.Args = oldCount(p.Args, "")
	opts, args, ok := p.getopt("adf:Fin:pRs:t:wx", "limit=,n", "fullnames,w", "fulltimes,F", "hostlast,a", "ip,i", "nohostname,R", "system,x", "file=,f")
	if !ok {
		return 1
	}
	most := 1 << 30
	full := false
	for _, o := range opts {
		if n, err := strconv.Atoi(o.val); o.name == "n" && err == nil {
			most = n
		}
		full = full || o.name == "F"
	}
	if p.name == "lastb" {
		if p.Cred.UID != 0 {
			p.errorf("cannot open /var/log/btmp: Permission denied")
			return 1
		}
		return p.failedLogins(most, full, args)
	}
	wtmp, err := p.FS.Stat(p.Cred, "/var/log/wtmp")
	if err != nil {
		p.errorf("cannot open /var/log/wtmp: %s", why(err))
		return 1
	}
	list, begins := p.table().Logins(), p.machine().Boot
	if wtmp.Size < utmpRecord { // emptied: what was before is gone
		begins = wtmp.Mtime
		list = slices.DeleteFunc(list, func(l machine.Login) bool { return !l.At.After(begins) })
	}
	slices.SortStableFunc(list, func(a, b machine.Login) int { return b.At.Compare(a.At) })
	layout := "Mon Jan _2 15:04"
	if full {
		layout = "Mon Jan _2 15:04:05 2006"
	}
	shown := 0
	for _, l := range list {
		if shown >= most {
			break
		}
		if l.TTY == "" || len(args) > 0 && !slices.Contains(args, l.User) && !slices.Contains(args, l.TTY) {
			continue
		}
		shown++
		from := l.From
		end := "  still logged in"
		switch {
		case l.Reboot:
			from, end = l.Kernel, "  still running"
			if len(from) > 16 {
				from = from[:16]
			}
		case !l.Until.IsZero():
			d := l.Until.Sub(l.At)
			days := ""
			if d >= 24*time.Hour {
				days = sprintf("%d+", int(d.Hours())/24)
			}
			end = sprintf("- %s  (%s%02d:%02d)", l.Until.UTC().Format("15:04"), days, int(d.Hours())%24, int(d.Minutes())%60)
			if full {
				end = sprintf("- %s  (%s%02d:%02d)", l.Until.UTC().Format(layout), days, int(d.Hours())%24, int(d.Minutes())%60)
			}
		}
		p.printf("%-8.8s %-12.12s %-16s %s %s\n", l.User, l.TTY, from, l.At.UTC().Format(layout), end)
	}
	p.printf("\nwtmp begins %s\n", begins.UTC().Format("Mon Jan _2 15:04:05 2006"))
	return 0
}
