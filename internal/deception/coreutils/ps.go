package coreutils

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

func processCommands(name string) Command {
	switch name {
	case "ps":
		return ps
	case "top", "htop":
		return top
	case "kill":
		return kill
	case "killall", "pkill", "pgrep", "pidof":
		return pkill
	case "pwdx":
		return pwdx
	case "skill", "snice":
		return skill
	case "pstree":
		return pstree
	case "nice", "renice", "ionice", "taskset", "setsid", "nohup", "chrt":
		return nil
	}
	return nil
}

// psJob is one ps request.
type psJob struct {
	jobs                               bool // -j, j
	p                                  *Proc
	everyone, withTTY, full, long, bsd bool
	user, noHeader, forest             bool
	wide                               bool
	columns                            []string
	pids, ppids                        []int
	users, commands, ttys              []string
	sort                               string
}

func ps(p *Proc) int {
	j := &psJob{p: p, wide: !p.TTY}
	args := p.Args[1:]
	for i := 0; i < len(args); i++ {
		a := args[i]
		value := func() string {
			if i+1 < len(args) {
				i++
				return args[i]
			}
			return ""
		}
		switch {
		case a == "--help":
			p.print("\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n")
			return 0
		case a == "--version" || a == "-V":
			p.print("ps from procps-ng 4.0.2\n")
			return 0
		case strings.HasPrefix(a, "--"):
			name, val, has := strings.Cut(a[2:], "=")
			if !has && strings.Contains(" sort pid ppid user format ", " "+name+" ") {
				val = value()
			}
			if !j.longOption(name, val) {
				return 1
			}
		case strings.HasPrefix(a, "-"):
			if !j.unixOptions(a[1:], value) {
				return 1
			}
		case strings.Trim(a, "0123456789,") == "" && a != "":
			j.pids = append(j.pids, numbers(a)...)
		default:
			if !j.bsdOptions(a, value) {
				return 1
			}
		}
	}
	return j.run()
}

func numbers(s string) []int {
	var out []int
	for _, f := range listed(s) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func (j *psJob) longOption(name, val string) bool {
	switch name {
	case "sort":
		j.sort = val
	case "forest":
		j.forest = true
	case "no-headers", "no-heading":
		j.noHeader = true
	case "pid":
		j.pids = append(j.pids, numbers(val)...)
	case "ppid":
		j.ppids = append(j.ppids, numbers(val)...)
	case "user":
		j.users = append(j.users, strings.Split(val, ",")...)
	case "format":
		j.columns = append(j.columns, strings.Split(val, ",")...)
	case "cols", "columns", "width", "rows", "lines", "headers":
	default:
		return j.usage("unknown gnu long option")
	}
	return true
}

func (j *psJob) usage(msg string) bool {
	j.p.complain("error: " + msg + "\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n")
	j.p.Watch.Unsupported("ps " + msg)
	return false
}

func (j *psJob) unixOptions(s string, value func() string) bool {
	for k := 0; k < len(s); k++ {
		k0 := k
		rest := func() string {
			if k+1 < len(s) {
				v := s[k+1:]
				k = len(s)
				return v
			}
			return value()
		}
		switch s[k] {
		case 'e', 'A':
			j.everyone = true
		case 'a', 'd':
			j.everyone = true
			j.withTTY = s[k] == 'a'
		case 'f':
			j.full = true
		case 'F':
			j.full = true
		case 'l', 'y':
			j.long = true
		case 'H':
			j.forest = true
		case 'w', 'L', 'M', 'T', 'c', 'm', 'N':
			j.wide = true
		case 'o', 'O':
			j.columns = append(j.columns, listed(rest())...)
		case 'p', 'q':
			v := rest()
			if v == "" {
				return j.usage("list of process IDs must follow -" + string(s[k0]))
			}
			j.pids = append(j.pids, numbers(v)...)
		case 'j':
			j.jobs = true
		case 'u', 'U':
			if v := rest(); v != "" {
				for _, u := range strings.Split(v, ",") {
					if _, _, _, _, known := j.p.account(u); !known && len(numbers(u)) == 0 {
						return j.usage("user name does not exist")
					}
				}
				j.users = append(j.users, strings.Split(v, ",")...)
			}
		case 'x':
			j.everyone = true
		case 'C':
			j.commands = append(j.commands, strings.Split(rest(), ",")...)
		case 't':
			j.ttys = append(j.ttys, strings.Split(rest(), ",")...)
		case 'g', 'G', 's', 'n':
			rest()
		default:
			return j.usage("unsupported SysV option")
		}
	}
	return true
}

func (j *psJob) bsdOptions(s string, value func() string) bool {
	j.bsd = true
	for k := 0; k < len(s); k++ {
		switch s[k] {
		case 'a':
			j.withTTY = true
		case 'x':
			j.everyone = true
		case 'u':
			j.user = true
		case 'w':
			j.wide = true
		case 'f':
			j.forest = true
		case 'h':
			j.noHeader = true
		case 'l':
			j.long = true
		case 'j':
			j.jobs = true
		case 'e', 'c', 'm', 'n', 'r', 'S', 's', 'v', 'X', 'g', 'T':
		case 'o':
			v := s[k+1:]
			if v == "" {
				v = value()
			}
			j.columns = append(j.columns, listed(v)...)
			return true
		case 'k':
			value()
		case 'p':
			j.pids = append(j.pids, numbers(s[k+1:]+value())...)
			return true
		default:
			return j.usage("garbage option")
		}
	}
	return true
}

func (j *psJob) run() int {
	p := j.p
	now := p.Now()
	me, _ := p.table().Get(p.PID)
	var list []machine.Process
	for _, q := range p.table().List() {
		if j.selected(q, me) {
			list = append(list, q)
		}
	}
	j.order(list, now)
	cols := j.format()
	if !j.noHeader {
		j.header(cols)
	}
	limit := p.Cols
	if limit <= 0 {
		limit = 80
	}
	for _, q := range list {
		p.step(1)
		var b strings.Builder
		for i, c := range cols {
			v := psValue(p, c.name, q, now)
			if c.name == "cmd" && j.bsd || c.name == "args" {
				v = psValue(p, "args", q, now)
			}
			if i > 0 {
				b.WriteByte(' ')
			}
			if i == len(cols)-1 && c.left {
				b.WriteString(v)
			} else if c.left {
				b.WriteString(sprintf("%-*s", c.width, v))
			} else {
				b.WriteString(sprintf("%*s", c.width, v))
			}
		}
		line := b.String()
		if !j.wide && len(line) > limit {
			line = line[:limit]
		}
		p.print(strings.TrimRight(line, " ") + "\n")
	}
	if len(list) == 0 && (len(j.pids) > 0 || len(j.commands) > 0 || len(j.users) > 0) {
		return 1
	}
	return 0
}

func (j *psJob) selected(q, me machine.Process) bool {
	explicit := len(j.pids)+len(j.ppids)+len(j.users)+len(j.commands)+len(j.ttys) > 0
	if explicit {
		return slices.Contains(j.pids, q.PID) || slices.Contains(j.ppids, q.PPID) || slices.Contains(j.users, q.User) || slices.Contains(j.users, strconv.Itoa(int(q.UID))) ||
			slices.Contains(j.commands, q.Name) || q.TTY != "" && (slices.Contains(j.ttys, q.TTY) || slices.Contains(j.ttys, strings.TrimPrefix(q.TTY, "pts/")))
	}
	switch {
	case j.bsd && j.withTTY && j.everyone:
		return true
	case j.bsd && j.withTTY:
		return q.TTY != ""
	case j.bsd && j.everyone:
		return q.UID == j.p.Cred.UID
	case j.bsd:
		return q.UID == j.p.Cred.UID && q.TTY != "" && q.TTY == me.TTY || q.PID == j.p.PID
	case j.everyone && j.withTTY:
		return q.TTY != ""
	case j.everyone:
		return true
	}
	if me.TTY == "" { // without a terminal: the processes of this session
		return q.UID == j.p.Cred.UID && q.TTY == "" && (q.PID == j.p.PID || q.PID == j.p.PPID)
	}
	return q.UID == j.p.Cred.UID && q.TTY == me.TTY
}

func (j *psJob) order(list []machine.Process, now time.Time) {
	key := strings.TrimLeft(j.sort, "+-")
	value := func(q machine.Process) float64 {
		switch key {
		case "%cpu", "pcpu":
			return q.Used(now).Seconds() / max(1, now.Sub(q.Start).Seconds())
		case "%mem", "pmem", "rss", "rssize":
			return float64(q.RSS)
		case "vsz":
			return float64(q.VSZ)
		case "start", "start_time", "lstart":
			return float64(q.Start.Unix())
		case "time", "cputime":
			return q.Used(now).Seconds()
		}
		return float64(q.PID)
	}
	slices.SortStableFunc(list, func(a, b machine.Process) int {
		c := cmp.Compare(value(a), value(b))
		if strings.HasPrefix(j.sort, "-") {
			c = -c
		}
		return c
	})
}
