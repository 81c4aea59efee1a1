package coreutils

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

type psColumn struct {
	name, title string
	width       int
	left        bool
}

var psColumns = map[string]psColumn{
	"user": {"user", "USER", 8, true}, "uid": {"uid", "UID", 5, false}, "pid": {"pid", "PID", 7, false}, "ppid": {"ppid", "PPID", 7, false}, "c": {"c", "C", 2, false},
	"%cpu": {"%cpu", "%CPU", 4, false}, "%mem": {"%mem", "%MEM", 4, false}, "vsz": {"vsz", "VSZ", 6, false}, "rss": {"rss", "RSS", 5, false}, "tty": {"tty", "TTY", 8, true},
	"stat": {"stat", "STAT", 4, true}, "s": {"s", "S", 1, true}, "stime": {"stime", "STIME", 5, true}, "start": {"start", "START", 5, true}, "time": {"time", "TIME", 8, false},
	"bsdtime": {"bsdtime", "TIME", 6, false}, "cmd": {"cmd", "CMD", 27, true}, "args": {"args", "COMMAND", 27, true}, "comm": {"comm", "COMMAND", 15, true},
	"ni": {"ni", "NI", 3, false}, "pri": {"pri", "PRI", 3, false}, "etime": {"etime", "ELAPSED", 11, false}, "lstart": {"lstart", "STARTED", 24, false},
	"addr": {"addr", "ADDR", 1, true}, "tpgid": {"tpgid", "TPGID", 7, false}, "tt": {"tty", "TT", 8, true}, "sz": {"sz", "SZ", 2, false}, "wchan": {"wchan", "WCHAN", 6, true}, "f": {"f", "F", 1, false}, "nlwp": {"nlwp", "NLWP", 4, false}, "pgid": {"pgid", "PGID", 7, false}, "sid": {"sid", "SID", 7, false},
	"group": {"group", "GROUP", 8, true}, "psr": {"psr", "PSR", 3, false},
}

func (j *psJob) format() []psColumn {
	names := []string{"pid", "tty", "time", "comm"}
	rename := map[string]string{}
	switch {
	case len(j.columns) > 0:
		names = nil
		for _, c := range j.columns {
			n, title, has := strings.Cut(c, "=")
			n = cmp.Or(map[string]string{"pcpu": "%cpu", "pmem": "%mem", "command": "args", "ucomm": "comm", "euser": "user", "ruser": "user", "vsize": "vsz", "state": "s", "start_time": "stime", "cputime": "time", "nice": "ni", "rssize": "rss", "tname": "tty", "fname": "comm"}[n], n)
			names = append(names, n)
			if has {
				rename[n] = title
			}
		}
	case j.jobs && j.bsd:
		names = []string{"ppid", "pid", "pgid", "sid", "tty", "tpgid", "stat", "uid", "bsdtime", "args"}
	case j.jobs && !j.full:
		names = []string{"pid", "pgid", "sid", "tty", "time", "comm"}
	case j.user:
		names = []string{"user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "stat", "start", "bsdtime", "args"}
	case j.full:
		names = []string{"user", "pid", "ppid", "c", "stime", "tty", "time", "cmd"}
	case j.long:
		names = []string{"f", "s", "uid", "pid", "ppid", "c", "pri", "ni", "addr", "sz", "wchan", "tty", "time", "comm"}
	case j.bsd:
		names = []string{"pid", "tty", "stat", "bsdtime", "args"}
	}
	var out []psColumn
	for _, n := range names {
		c, ok := psColumns[n]
		if !ok {
			j.usage("unknown user-defined format specifier \"" + n + "\"")
			panic(stop{1})
		}
		if j.full && n == "user" {
			c.title = "UID"
		}
		if j.user && n == "pid" {
			c.width = 7
		}
		if n == "tty" && len(j.columns) > 0 {
			c.title = "TT"
		}
		if n == "comm" && len(j.columns) == 0 {
			c.title = "CMD"
		}
		if t, ok := rename[n]; ok {
			c.title = t
			if t == "" && allEmpty(rename, len(names)) {
				j.noHeader = true
			}
		}
		if len(c.title) > c.width {
			c.width = len(c.title)
		}
		out = append(out, c)
	}
	return out
}

func allEmpty(m map[string]string, n int) bool {
	for _, v := range m {
		if v != "" {
			return false
		}
	}
	return len(m) == n
}

func (j *psJob) header(cols []psColumn) {
	var b strings.Builder
	for i, c := range cols {
		if i > 0 {
			b.WriteByte(' ')
		}
		switch {
		case i == len(cols)-1 && c.left:
			b.WriteString(c.title)
		case c.left:
			b.WriteString(sprintf("%-*s", c.width, c.title))
		default:
			b.WriteString(sprintf("%*s", c.width, c.title))
		}
	}
	j.p.print(b.String() + "\n")
}

// psValue is one cell.
func psValue(p *Proc, name string, q machine.Process, now time.Time) string {
	used := q.Used(now)
	switch name {
	case "user":
		if len(q.User) > 8 {
			return q.User[:7] + "+"
		}
		return q.User
	case "group":
		return p.groupName(q.GID)
	case "uid":
		return strconv.Itoa(int(q.UID))
	case "addr":
		return "-"
	case "tpgid":
		return "-1"
	case "pid", "pgid", "sid":
		return strconv.Itoa(q.PID)
	case "ppid":
		return strconv.Itoa(q.PPID)
	case "c":
		return strconv.Itoa(int(100 * used.Seconds() / max(1, now.Sub(q.Start).Seconds())))
	case "%cpu":
		return sprintf("%.1f", 100*used.Seconds()/max(1, now.Sub(q.Start).Seconds()))
	case "%mem":
		return sprintf("%.1f", 100*float64(q.RSS)/float64(p.machine().MemTotal))
	case "vsz":
		return strconv.FormatInt(q.VSZ, 10)
	case "rss":
		return strconv.FormatInt(q.RSS, 10)
	case "sz":
		return strconv.FormatInt(q.VSZ/4, 10)
	case "tty":
		return cmp.Or(q.TTY, "?")
	case "stat":
		return stateOf(p, q)
	case "s":
		return stateOf(p, q)[:1]
	case "f":
		return map[bool]string{true: "1", false: "4"}[q.KernelThread()]
	case "stime", "start":
		switch {
		case now.Sub(q.Start) < 24*time.Hour && now.UTC().YearDay() == q.Start.UTC().YearDay():
			return q.Start.UTC().Format("15:04")
		case now.Year() == q.Start.Year():
			return q.Start.UTC().Format("Jan02")
		}
		return q.Start.UTC().Format("2006")
	case "lstart":
		return q.Start.UTC().Format("Mon Jan _2 15:04:05 2006")
	case "etime":
		d := now.Sub(q.Start)
		s := sprintf("%02d:%02d", int(d.Minutes())%60, int(d.Seconds())%60)
		if d >= time.Hour {
			s = sprintf("%02d:%s", int(d.Hours())%24, s)
		}
		if d >= 24*time.Hour {
			s = sprintf("%d-%s", int(d.Hours())/24, s)
		}
		return s
	case "time":
		return sprintf("%02d:%02d:%02d", int(used.Hours()), int(used.Minutes())%60, int(used.Seconds())%60)
	case "bsdtime":
		return sprintf("%d:%02d", int(used.Minutes()), int(used.Seconds())%60)
	case "ni":
		if q.State == "" || !strings.HasPrefix(q.State, "Z") {
			return strconv.Itoa(q.Nice)
		}
		return "-"
	case "pri":
		return strconv.Itoa(19 - q.Nice)
	case "nlwp":
		return strconv.Itoa(max(1, q.Threads))
	case "psr":
		return strconv.Itoa(q.PID % p.machine().CPU.Count())
	case "wchan":
		return "-"
	case "comm":
		return q.Name
	}
	if len(q.Args) == 0 {
		return "[" + q.Name + "]"
	}
	return strings.Join(q.Args, " ")
}

func stateOf(p *Proc, q machine.Process) string {
	s := cmp.Or(q.State, "S")
	if q.PID == p.PID {
		s = "R"
		if q.TTY != "" {
			s = "R+"
		}
	}
	return s
}
