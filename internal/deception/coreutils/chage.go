package coreutils

import (
	"strconv"
	"strings"
	"time"
)

// chage shows and sets how long a password lives.
func chage(p *Proc) int {
	opts, args, ok := p.getopt("d:E:hiI:lm:M:R:W:", "lastday=,d", "expiredate=,E", "inactive=,I", "iso8601,i", "list,l", "mindays=,m", "maxdays=,M", "root=,R", "warndays=,W")
	if !ok {
		return 2
	}
	set := letters(opts)
	shadow := p.accounts(shadowFile)
	changes := map[int]string{}
	for _, o := range opts {
		column := map[string]int{"d": 2, "m": 3, "M": 4, "W": 5, "I": 6, "E": 7}[o.name]
		day, ok := shadowDay(o.val)
		switch n, err := strconv.Atoi(o.val); {
		case column == 0:
			continue
		case strings.Contains("dE", o.name) && !ok:
			p.errorf("invalid date '%s'", o.val)
			return p.usage(2)
		case strings.Contains("dE", o.name):
		case err != nil || n < -1:
			p.errorf("invalid numeric argument '%s'", o.val)
			return p.usage(2)
		default:
			day = o.val
		}
		changes[column] = day
	}
	if len(args) != 1 || set["l"] && len(changes) > 0 {
		return p.usage(2)
	}
	uid, _, _, _, known := p.account(args[0])
	switch {
	case p.Cred.UID != 0 && (!set["l"] || known && uid != p.Cred.UID):
		p.errorf("Permission denied.")
		return 1
	case !known:
		p.errorf("user '%s' does not exist in /etc/passwd", args[0])
		return 1
	}
	row := shadow.by(0, args[0], shadowFields)
	if row == nil {
		row = []string{args[0], "", "", "", "", "", "", "", ""}
	}
	if set["l"] {
		p.showAging(row, set["i"])
		return 0
	}
	if len(changes) == 0 {
		p.askAging(row)
	}
	for column, val := range changes {
		row[column] = val
	}
	shadow.save()
	return 0
}

func (p *Proc) showAging(row []string, iso bool) {
	n := func(column int) (int64, bool) {
		v, err := strconv.ParseInt(row[column], 10, 64)
		return v, err == nil && v >= 0
	}
	layout := "Jan 02, 2006"
	if iso {
		layout = "2006-01-02"
	}
	date := func(day int64) string { return time.Unix(day*86400, 0).UTC().Format(layout) }
	last, hasLast := n(2)
	most, hasMost := n(4)
	idle, hasIdle := n(6)
	must := "password must be changed"
	changed, expires, inactive, account := "never", "never", "never", "never"
	switch {
	case hasLast && last == 0:
		changed, expires, inactive = must, must, must
	case hasLast:
		changed = date(last)
		if hasMost && most < 10000 {
			expires = date(last + most)
			if hasIdle {
				inactive = date(last + most + idle)
			}
		}
	}
	if day, ok := n(7); ok {
		account = date(day)
	}
	number := func(column int) int64 {
		if v, ok := n(column); ok {
			return v
		}
		return -1
	}
	p.printf("Last password change\t\t\t\t\t: %s\nPassword expires\t\t\t\t\t: %s\nPassword inactive\t\t\t\t\t: %s\nAccount expires\t\t\t\t\t\t: %s\n", changed, expires, inactive, account)
	p.printf("Minimum number of days between password change\t\t: %d\nMaximum number of days between password change\t\t: %d\nNumber of days of warning before password expires\t: %d\n", number(3), number(4), number(5))
}

// askAging asks for every field; an empty answer keeps it.
func (p *Proc) askAging(row []string) {
	p.printf("Changing the aging information for %s\nEnter the new value, or press ENTER for the default\n\n", row[0])
	for _, f := range []struct {
		what   string
		column int
		date   bool
	}{{"Minimum Password Age", 3, false}, {"Maximum Password Age", 4, false}, {"Last Password Change (YYYY-MM-DD)", 2, true}, {"Password Expiration Warning", 5, false}, {"Password Inactive", 6, false}, {"Account Expiration Date (YYYY-MM-DD)", 7, true}} {
		now := row[f.column]
		if n, err := strconv.ParseInt(now, 10, 32); err == nil && f.date {
			now = time.Unix(n*86400, 0).UTC().Format("2006-01-02")
		} else if now == "" {
			now = "-1"
		}
		p.printf("\t%s [%s]: ", f.what, now)
		p.flush()
		line, _ := readLine(p.Stdin)
		if day, ok := shadowDay(line); ok && line != "" {
			row[f.column] = day
		}
	}
}

// passwordState is a line of passwd -S.
func (p *Proc) passwordState(row []string) {
	state := "P"
	switch {
	case row[1] == "":
		state = "NP"
	case row[1][0] == '!' || row[1][0] == '*':
		state = "L"
	}
	day, _ := strconv.ParseInt(row[2], 10, 64)
	n := func(s string) string {
		if s == "" {
			return "-1"
		}
		return s
	}
	p.printf("%s %s %s %s %s %s %s\n", row[0], state, time.Unix(day*86400, 0).UTC().Format("2006-01-02"), n(row[3]), n(row[4]), n(row[5]), n(row[6]))
}

// passwdOptions does what passwd does without asking for a password. It tells
// whether there was anything of the kind.
func (p *Proc) passwdOptions(opts []opt, user string) (status int, done bool) {
	shadow := p.accounts(shadowFile)
	set := letters(opts)
	if set["S"] && set["a"] {
		for _, r := range shadow.rows {
			if len(r) == shadowFields {
				p.passwordState(r)
			}
		}
		return 0, true
	}
	row := shadow.by(0, user, shadowFields)
	if row == nil {
		row = []string{user, "*", "", "", "", "", "", "", ""}
	}
	if set["S"] {
		p.passwordState(row)
		return 0, true
	}
	for _, o := range opts {
		switch o.name {
		case "l":
			row[1] = "!" + strings.TrimPrefix(row[1], "!")
		case "u":
			if row[1] == "!" {
				p.errorf("unlocking the password would result in a passwordless account.\nYou should set a password with usermod -p to unlock the password of this account.")
				return 3, true
			}
			row[1] = strings.TrimPrefix(row[1], "!")
		case "d":
			row[1] = ""
		case "e":
			row[2] = "0"
		case "n", "x", "w", "i":
			if n, err := strconv.Atoi(o.val); err != nil || n < -1 {
				p.errorf("invalid numeric argument '%s'", o.val)
				return p.usage(6), true
			}
			row[map[string]int{"n": 3, "x": 4, "w": 5, "i": 6}[o.name]] = o.val
		default:
			continue
		}
		done = true
	}
	if !done {
		return 0, false
	}
	if p.Cred.UID != 0 {
		p.errorf("Permission denied.")
		return 1, true
	}
	shadow.save()
	p.printf("%s: password changed.\n", p.name)
	return 0, true
}
