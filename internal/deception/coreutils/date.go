package coreutils

import (
	"strconv"
	"strings"
	"time"
)

func dateCommands(name string) Command {
	switch name {
	case "date":
		return date
	case "cal", "ncal":
		return nil
	}
	return nil
}

func date(p *Proc) int {
	opts, args, ok := p.getopt("d:f:I::Rr:s:u", "date=,d", "iso-8601?,I", "rfc-email,R", "rfc-3339=", "reference=,r", "set=,s", "utc,u", "universal,u", "debug", "file=,f")
	if !ok {
		return 1
	}
	now := p.Now().UTC()
	t, format := now, "%a %b %e %H:%M:%S %Z %Y"
	if p.language() {
		format = "%a %b %e %I:%M:%S %p %Z %Y"
	}
	var lists []string
	for _, o := range opts {
		switch o.name {
		case "d":
			d, good := parseDate(o.val, now)
			if !good {
				p.errorf("invalid date %s", p.q(o.val))
				return 1
			}
			t = d
		case "r":
			i, err := p.stat(o.val)
			if err != nil {
				p.errorf("%s: %s", o.val, why(err))
				return 1
			}
			t = i.Mtime
		case "s":
			if p.Cred.UID != 0 {
				p.errorf("cannot set date: Operation not permitted")
			}
			if d, good := parseDate(o.val, now); good {
				t = d
			}
		case "f":
			lists = append(lists, o.val)
		case "R":
			format = "%a, %d %b %Y %H:%M:%S %z"
		case "I":
			format = map[string]string{"": "%Y-%m-%d", "date": "%Y-%m-%d", "seconds": "%Y-%m-%dT%H:%M:%S+00:00", "s": "%Y-%m-%dT%H:%M:%S+00:00", "minutes": "%Y-%m-%dT%H:%M+00:00", "hours": "%Y-%m-%dT%H+00:00", "ns": "%Y-%m-%dT%H:%M:%S,%N+00:00"}[o.val]
		case "rfc-3339":
			format = map[string]string{"date": "%Y-%m-%d", "seconds": "%Y-%m-%d %H:%M:%S+00:00", "ns": "%Y-%m-%d %H:%M:%S.%N+00:00"}[o.val]
		}
	}
	if len(args) > 1 {
		p.errorf("extra operand %s", p.q(args[1]))
		return p.try(1)
	}
	if len(args) == 1 {
		if !strings.HasPrefix(args[0], "+") {
			if strings.Trim(args[0], "0123456789.") == "" && len(args[0]) >= 8 {
				if p.Cred.UID != 0 {
					p.errorf("cannot set date: Operation not permitted")
				}
				p.print(strftime(format, t) + "\n")
				return 0
			}
			p.errorf("invalid date %s", p.q(args[0]))
			return 1
		}
		format = args[0][1:]
	}
	if len(lists) > 0 {
		return p.datesOf(lists[len(lists)-1], format, now)
	}
	p.print(strftime(format, t) + "\n")
	return 0
}

// datesOf prints each line of a file as a date.
func (p *Proc) datesOf(name, format string, now time.Time) int {
	r, err := p.openFile(name)
	if err != nil {
		p.errorf("%s: %s", name, why(err))
		return 1
	}
	defer r.Close()
	status := 0
	_ = p.lines(r, func(l []byte, _ bool) bool {
		if d, good := parseDate(string(l), now); good {
			p.print(strftime(format, d) + "\n")
		} else {
			p.errorf("invalid date %s", p.q(string(l)))
			status = 1
		}
		return true
	})
	return status
}

// strftime formats a time as C does, with GNU's %-d and %N.
func strftime(format string, t time.Time) string {
	t = t.UTC()
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		flag := byte(0)
		if strings.IndexByte("-_0^#", format[i]) >= 0 && i+1 < len(format) {
			flag = format[i]
			i++
		}
		digitsFrom := i
		for i+1 < len(format) && format[i] >= '0' && format[i] <= '9' {
			i++
		}
		width := format[digitsFrom:i]
		if colons := len(format[i:]) - len(strings.TrimLeft(format[i:], ":")); colons > 0 && colons < 4 && i+colons < len(format) && format[i+colons] == 'z' {
			// %:z, %::z and %:::z are the offset with more and less of it.
			b.WriteString([]string{"+00:00", "+00:00:00", "+00"}[colons-1])
			i += colons
			continue
		}
		s, pad := one(format[i], t, width)
		if n, err := strconv.Atoi(width); err == nil && format[i] != 'N' && len(s) < min(n, 1000) {
			fill := " "
			if pad > 0 && flag != '_' || flag == '0' {
				fill = "0"
			}
			s = strings.Repeat(fill, min(n, 1000)-len(s)) + s
		}
		switch {
		case flag == '-' && pad > 0:
			s = strings.TrimLeft(s, "0 ")
			if s == "" {
				s = "0"
			}
		case flag == '_' && pad > 0:
			z := strings.TrimLeft(s, "0")
			if z == "" {
				z = "0"
			}
			s = strings.Repeat(" ", max(0, pad-len(z))) + z
		case flag == '^':
			s = strings.ToUpper(s)
		}
		b.WriteString(s)
	}
	return b.String()
}

// one formats one conversion; pad is its width when it is a number.
func one(c byte, t time.Time, width string) (string, int) {
	n2 := func(n int) (string, int) { return sprintf("%02d", n), 2 }
	switch c {
	case 'a':
		return t.Format("Mon"), 0
	case 'A':
		return t.Format("Monday"), 0
	case 'b', 'h':
		return t.Format("Jan"), 0
	case 'B':
		return t.Format("January"), 0
	case 'c':
		return t.Format("Mon Jan _2 15:04:05 2006"), 0
	case 'C':
		return n2(t.Year() / 100)
	case 'd':
		return n2(t.Day())
	case 'D', 'x':
		return t.Format("01/02/06"), 0
	case 'e':
		return sprintf("%2d", t.Day()), 2
	case 'F':
		return t.Format("2006-01-02"), 0
	case 'g', 'G':
		y, _ := t.ISOWeek()
		if c == 'g' {
			return n2(y % 100)
		}
		return strconv.Itoa(y), 4
	case 'H':
		return n2(t.Hour())
	case 'I':
		return n2((t.Hour()+11)%12 + 1)
	case 'j':
		return sprintf("%03d", t.YearDay()), 3
	case 'k':
		return sprintf("%2d", t.Hour()), 2
	case 'l':
		return sprintf("%2d", (t.Hour()+11)%12+1), 2
	case 'm':
		return n2(int(t.Month()))
	case 'M':
		return n2(t.Minute())
	case 'n':
		return "\n", 0
	case 'N':
		s := sprintf("%09d", t.Nanosecond())
		if w, err := strconv.Atoi(width); err == nil && w > 0 && w < 9 {
			s = s[:w]
		}
		return s, 0
	case 'p':
		return t.Format("PM"), 0
	case 'P':
		return t.Format("pm"), 0
	case 'r':
		return t.Format("03:04:05 PM"), 0
	case 'R':
		return t.Format("15:04"), 0
	case 's':
		return strconv.FormatInt(t.Unix(), 10), 0
	case 'S':
		return n2(t.Second())
	case 't':
		return "\t", 0
	case 'T', 'X':
		return t.Format("15:04:05"), 0
	case 'u':
		return strconv.Itoa((int(t.Weekday())+6)%7 + 1), 1
	case 'w':
		return strconv.Itoa(int(t.Weekday())), 1
	case 'U':
		return n2((t.YearDay() + 6 - int(t.Weekday())) / 7)
	case 'W':
		return n2((t.YearDay() + 6 - (int(t.Weekday())+6)%7) / 7)
	case 'V':
		_, w := t.ISOWeek()
		return n2(w)
	case 'y':
		return n2(t.Year() % 100)
	case 'Y':
		return strconv.Itoa(t.Year()), 4
	case 'z':
		return "+0000", 0
	case 'Z':
		return "UTC", 0
	case '%':
		return "%", 0
	case 'q':
		return strconv.Itoa((int(t.Month()) + 2) / 3), 1
	case ':':
		return "+00:00", 0
	}
	return "%" + string(c), 0
}

// parseDate reads the forms people use with date -d and touch -d.
func parseDate(s string, now time.Time) (time.Time, bool) {
	s = strings.TrimSpace(s)
	if strings.HasPrefix(s, "@") {
		f, err := strconv.ParseFloat(s[1:], 64)
		if err != nil || f > 1e15 || f < -1e15 {
			return time.Time{}, false
		}
		return time.Unix(int64(f), int64((f-float64(int64(f)))*1e9)).UTC(), true
	}
	for _, l := range []string{
		"2006-01-02 15:04:05", "2006-01-02T15:04:05", "2006-01-02 15:04", "2006-01-02", "2006/01/02", "01/02/2006", "20060102", time.RFC3339, time.RFC1123, time.RFC1123Z,
		"2 Jan 2006", "2 January 2006", "Jan 2 2006", "Jan 2 2006 15:04", "2 Jan 2006 15:04:05", "Jan 2, 2006", "Mon Jan _2 15:04:05 MST 2006", "Mon Jan _2 15:04:05 2006", "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700", "2006-01-02 15:04:05.999999999 -0700",
	} {
		if t, err := time.Parse(l, s); err == nil {
			return t.UTC(), true
		}
	}
	for _, l := range []string{"15:04:05", "15:04", "Jan 2", "2 Jan"} {
		if t, err := time.Parse(l, s); err == nil {
			if strings.Contains(l, ":") {
				return time.Date(now.Year(), now.Month(), now.Day(), t.Hour(), t.Minute(), t.Second(), 0, time.UTC), true
			}
			return time.Date(now.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC), true
		}
	}
	return relative(strings.ToLower(s), now)
}

// relative reads "2 days ago", "yesterday", "next week", "+3 hours".
func relative(s string, now time.Time) (time.Time, bool) {
	t := now
	words := strings.Fields(s)
	if len(words) == 0 {
		return time.Date(now.Year(), now.Month(), now.Day(), 0, 0, 0, 0, time.UTC), true
	}
	for i := 0; i < len(words); i++ {
		w := words[i]
		switch w {
		case "now", "today":
			continue
		case "yesterday":
			t = t.AddDate(0, 0, -1)
			continue
		case "tomorrow":
			t = t.AddDate(0, 0, 1)
			continue
		case "utc", "z", "gmt":
			continue
		case "midnight":
			t = time.Date(t.Year(), t.Month(), t.Day(), 0, 0, 0, 0, time.UTC)
			continue
		}
		if d, err := time.Parse("2006-01-02", w); err == nil {
			t = d
			continue
		}
		n := 1
		switch {
		case w == "next" || w == "last":
			if w == "last" {
				n = -1
			}
			i++
			if i < len(words) {
				if day, ok := weekday(words[i]); ok { // the day itself counts for neither
					ahead := (int(day-t.Weekday()) + 7) % 7
					if n < 0 {
						ahead -= 7
					} else if ahead == 0 {
						ahead = 7
					}
					t = time.Date(t.Year(), t.Month(), t.Day()+ahead, 0, 0, 0, 0, time.UTC)
					continue
				}
			}
		default:
			j := strings.IndexFunc(strings.TrimLeft(w, "+-"), func(r rune) bool { return r < '0' || r > '9' })
			lead := len(w) - len(strings.TrimLeft(w, "+-"))
			num, unit := w, ""
			if j >= 0 {
				num, unit = w[:lead+j], w[lead+j:]
			}
			if num != "" {
				v, err := strconv.Atoi(num)
				if err != nil {
					return time.Time{}, false
				}
				n = v
			}
			if unit == "" {
				i++
			} else {
				words[i] = unit
			}
		}
		if i >= len(words) {
			return time.Time{}, false
		}
		if i+1 < len(words) && words[i+1] == "ago" {
			n = -n
			words = append(words[:i+1:i+1], words[i+2:]...)
		}
		if n > 1e6 || n < -1e6 {
			return time.Time{}, false
		}
		switch strings.TrimSuffix(words[i], "s") {
		case "sec", "second":
			t = t.Add(time.Duration(n) * time.Second)
		case "min", "minute":
			t = t.Add(time.Duration(n) * time.Minute)
		case "hour":
			t = t.Add(time.Duration(n) * time.Hour)
		case "day":
			t = t.AddDate(0, 0, n)
		case "week":
			t = t.AddDate(0, 0, 7*n)
		case "fortnight":
			t = t.AddDate(0, 0, 14*n)
		case "month":
			t = t.AddDate(0, n, 0)
		case "year":
			t = t.AddDate(n, 0, 0)
		default:
			return time.Time{}, false
		}
	}
	return t, true
}

// parseStamp reads touch -t: [[CC]YY]MMDDhhmm[.ss].
func parseStamp(s string, now time.Time) (time.Time, bool) {
	layouts := map[int]string{8: "01021504", 10: "0601021504", 12: "200601021504"}
	body, sec, has := strings.Cut(s, ".")
	layout, ok := layouts[len(body)]
	if !ok {
		return time.Time{}, false
	}
	if has {
		layout, body = layout+"05", body+sec
	}
	t, err := time.Parse(layout, body)
	if err == nil && len(s) < 10 {
		t = t.AddDate(now.Year(), 0, 0)
	}
	return t, err == nil
}

// weekday reads the name of a day, whole or three letters of it.
func weekday(w string) (time.Weekday, bool) {
	for d := time.Sunday; d <= time.Saturday; d++ {
		if name := strings.ToLower(d.String()); w == name || w == name[:3] {
			return d, true
		}
	}
	return 0, false
}
