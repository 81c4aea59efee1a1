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
	case "pstree":
		return pstree
	case "nice", "renice", "ionice", "taskset", "setsid", "nohup", "chrt":
		return nil
	}
	return nil
}

// psJob is one ps request.
type psJob struct {
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
			p.help()
		case a == "--version" || a == "-V":
			p.print("ps from procps-ng 4.0.2\n")
			return 0
		case strings.HasPrefix(a, "--"):
			name, val, has := strings.Cut(a[2:], "=")
			if !has && strings.Contains(" sort pid ppid user format ", " "+name+" ") {
				val = value()
			}
			j.longOption(name, val)
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
	for f := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		if n, err := strconv.Atoi(f); err == nil {
			out = append(out, n)
		}
	}
	return out
}

func (j *psJob) longOption(name, val string) {
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
		j.p.Watch.Unsupported("ps --" + name)
	}
}

func (j *psJob) usage(msg string) bool {
	j.p.complain("error: " + msg + "\n\nUsage:\n ps [options]\n\n Try 'ps --help <simple|list|output|threads|misc|all>'\n  or 'ps --help <s|l|o|t|m|a>'\n for additional help text.\n\nFor more details see ps(1).\n")
	j.p.Watch.Unsupported("ps " + msg)
	return false
}

func (j *psJob) unixOptions(s string, value func() string) bool {
	for k := 0; k < len(s); k++ {
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
		case 'w', 'L', 'M', 'T', 'c', 'j', 'm', 'N':
			j.wide = true
		case 'o', 'O':
			j.columns = append(j.columns, strings.FieldsFunc(rest(), func(r rune) bool { return r == ',' || r == ' ' })...)
		case 'p', 'q':
			j.pids = append(j.pids, numbers(rest())...)
		case 'u', 'U':
			if v := rest(); v != "" {
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
		case 'e', 'c', 'j', 'm', 'n', 'r', 'S', 's', 'v', 'X', 'g', 'T':
		case 'o':
			v := s[k+1:]
			if v == "" {
				v = value()
			}
			j.columns = append(j.columns, strings.FieldsFunc(v, func(r rune) bool { return r == ',' || r == ' ' })...)
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
	"sz": {"sz", "SZ", 5, false}, "wchan": {"wchan", "WCHAN", 6, true}, "f": {"f", "F", 1, false}, "nlwp": {"nlwp", "NLWP", 4, false}, "pgid": {"pgid", "PGID", 7, false}, "sid": {"sid", "SID", 7, false},
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
			n = cmp.Or(map[string]string{"pcpu": "%cpu", "pmem": "%mem", "command": "args", "ucomm": "comm", "euser": "user", "ruser": "user", "vsize": "vsz", "tt": "tty", "state": "s", "start_time": "stime", "cputime": "time", "nice": "ni", "rssize": "rss", "tname": "tty", "fname": "comm", "cmd": "args"}[n], n)
			names = append(names, n)
			if has {
				rename[n] = title
			}
		}
	case j.user:
		names = []string{"user", "pid", "%cpu", "%mem", "vsz", "rss", "tty", "stat", "start", "bsdtime", "args"}
	case j.full:
		names = []string{"user", "pid", "ppid", "c", "stime", "tty", "time", "cmd"}
	case j.long:
		names = []string{"f", "s", "uid", "pid", "ppid", "c", "pri", "ni", "sz", "wchan", "tty", "time", "comm"}
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

func top(p *Proc) int {
	batch, n := false, 1
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case strings.HasPrefix(a, "-") && strings.Trim(a[1:], "bcHiSs") == "":
			batch = batch || strings.Contains(a, "b")
		case strings.HasPrefix(a, "-bn") || strings.HasPrefix(a, "-n"):
			batch = batch || strings.HasPrefix(a, "-bn")
			v := a[strings.IndexByte(a, 'n')+1:]
			if v == "" && i+1 < len(p.Args) {
				i++
				v = p.Args[i]
			}
			n, _ = strconv.Atoi(v)
		case strings.HasPrefix(a, "-d"), strings.HasPrefix(a, "-u"), strings.HasPrefix(a, "-p"), strings.HasPrefix(a, "-o"), strings.HasPrefix(a, "-w"):
			if len(a) == 2 {
				i++
			}
		case strings.HasPrefix(a, "-"):
			p.complain("top: unknown option '" + a[1:] + "'\nUsage:\n  top -hv | -bcEeHiOSs1 -d secs -n max -u|U user -p pid(s) -o field -w [cols]\n")
			p.Watch.Unsupported("top " + a)
			return 1
		}
	}
	if !batch && !p.TTY {
		p.complain("top: failed tty get\n")
		return 1
	}
	for i := range max(1, min(n, 100)) {
		if i > 0 {
			p.print("\n")
			p.sleep(3 * time.Second)
		}
		p.topOnce()
	}
	return 0
}

func (p *Proc) topOnce() {
	now, m := p.Now(), p.machine()
	list := p.table().List()
	mem := m.Memory(now)
	running := 1
	p.print("top -" + strings.TrimPrefix(p.upLine(), ""))
	p.printf("Tasks: %3d total, %3d running, %3d sleeping,   0 stopped,   0 zombie\n", len(list), running, len(list)-running)
	one, _, _ := m.Load(now)
	us := min(60, one/float64(m.CPU.Count())*70)
	p.printf("%%Cpu(s): %4.1f us, %4.1f sy,  0.0 ni, %4.1f id,  0.0 wa,  0.0 hi,  0.0 si,  0.0 st \n", us, us/2, 100-us*1.5)
	mib := func(k int64) float64 { return float64(k) / 1024 }
	p.printf("MiB Mem : %8.1f total, %8.1f free, %8.1f used, %8.1f buff/cache     \n", mib(mem.Total), mib(mem.Free), mib(mem.Used()), mib(mem.BuffCache()))
	p.printf("MiB Swap: %8.1f total, %8.1f free, %8.1f used. %8.1f avail Mem \n\n", mib(mem.SwapTotal), mib(mem.SwapFree), mib(mem.SwapTotal-mem.SwapFree), mib(mem.Available))
	p.print("    PID USER      PR  NI    VIRT    RES    SHR S  %CPU  %MEM     TIME+ COMMAND\n")
	share := func(q machine.Process) float64 {
		if q.PID == p.PID {
			return 1
		}
		return q.Share
	}
	slices.SortStableFunc(list, func(a, b machine.Process) int { return cmp.Compare(share(b), share(a)) })
	for i, q := range list {
		if p.TTY && i > 16 {
			break
		}
		used := q.Used(now)
		pr := strconv.Itoa(20 + q.Nice)
		if strings.HasPrefix(q.Name, "migration") {
			pr = "rt"
		}
		cpu := 0.0
		if i == 0 {
			cpu = 5.9
		}
		p.printf("%7d %-8.8s  %2s %3d %7d %6d %6d %s %5.1f %5.1f %3d:%02d.%02d %s\n", q.PID, psValue(p, "user", q, now), pr, q.Nice, q.VSZ, q.RSS, q.RSS*7/10, stateOf(p, q)[:1],
			cpu, 100*float64(q.RSS)/float64(m.MemTotal), int(used.Minutes()), int(used.Seconds())%60, used.Milliseconds()/10%100, q.Name)
	}
}

// signals by number; the names are without SIG.
var signals = []string{"EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"}

func signalNumber(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 0 && n <= 64
	}
	i := slices.Index(signals, strings.TrimPrefix(strings.ToUpper(s), "SIG"))
	return i, i >= 0
}

// kill is /usr/bin/kill; the shell has its own.
func kill(p *Proc) int {
	sig := 15
	var targets []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-l" || a == "-L":
			p.print(strings.Join(signals[1:], " ") + "\n")
			return 0
		case (a == "-s" || a == "-n") && i+1 < len(p.Args):
			i++
			n, ok := signalNumber(p.Args[i])
			if !ok {
				p.errorf("unknown signal %s", p.Args[i])
				return 1
			}
			sig = n
		case a == "--":
		case strings.HasPrefix(a, "-") && len(targets) == 0 && len(a) > 1:
			n, ok := signalNumber(a[1:])
			if !ok {
				p.errorf("unknown signal %s", a[1:])
				return 1
			}
			sig = n
		default:
			targets = append(targets, a)
		}
	}
	if len(targets) == 0 {
		p.errorf("not enough arguments")
		return 1
	}
	status := 0
	for _, t := range targets {
		pid, err := strconv.Atoi(t)
		if err != nil {
			p.errorf("cannot find process \"%s\"", t)
			status = 1
			continue
		}
		if err := p.table().Kill(p.Cred.UID, pid, sig); err != nil {
			p.errorf("sending signal to %d failed: %s", pid, why(err))
			status = 1
		}
	}
	return status
}

// pkill is pkill, pgrep, killall and pidof: processes found by name.
func pkill(p *Proc) int {
	sig, full, exact, invert, list, newest, quiet := 15, false, p.name == "killall" || p.name == "pidof", false, p.name == "pgrep" || p.name == "pidof", "", false
	showName, single := false, false
	var names []string
	user, delim := "", "\n"
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		if len(a) < 2 || a[0] != '-' {
			names = append(names, a)
			continue
		}
		if a == "--help" {
			p.help()
		}
		if n, ok := signalNumber(strings.TrimPrefix(a[1:], "signal=")); ok && p.name != "pidof" && p.name != "pgrep" && (len(a) > 2 || a[1] >= '0' && a[1] <= '9') {
			sig = n
			continue
		}
		next := func() string {
			if i+1 < len(p.Args) {
				i++
				return p.Args[i]
			}
			return ""
		}
		switch a {
		case "-f", "--full":
			full = true
		case "-x", "--exact", "-e", "--echo":
			exact = exact || a == "-x" || a == "--exact"
		case "-v", "--inverse":
			invert = p.name != "killall"
		case "-n", "-o", "--newest", "--oldest":
			newest = strings.TrimLeft(a, "-")[:1]
		case "-l", "--list-name", "-a", "--list-full":
			showName = true
		case "-s", "--single-shot":
			if p.name == "pidof" {
				single = true
			} else if n, ok := signalNumber(next()); ok {
				sig = n
			}
		case "-u", "-U", "--euid", "--user":
			user = next()
		case "-d":
			delim = next()
		case "-q", "--quiet", "-w", "--wait", "-I", "-i", "-r", "-c":
			quiet = quiet || a == "-q" || a == "--quiet"
		case "-t", "-P", "-g", "-G":
			next()
		default:
			p.getoptFail(a)
			return 2
		}
	}
	if len(names) == 0 && user == "" {
		switch p.name {
		case "killall":
			p.complain("Usage: killall [OPTION]... [--] NAME...\n       killall -l, --list\n       killall -V, --version\n\n")
			return 1
		case "pidof":
			return 1
		}
		p.complain(sprintf("%s: no matching criteria specified\nTry `%s --help' for more information.\n", p.name, p.name))
		return 2
	}
	var hits []machine.Process
	found := map[string]bool{}
	for _, q := range p.table().List() {
		if q.PID == p.PID {
			continue
		}
		ok := len(names) == 0
		for _, n := range names {
			text := q.Name
			if full && len(q.Args) > 0 {
				text = strings.Join(q.Args, " ")
			}
			m := text == n || exact && len(q.Args) > 0 && base(q.Args[0]) == base(n)
			if !exact {
				re, err := compile(p, n, reOptions{extended: true})
				m = err == nil && re.find(p, []byte(text)) != nil
			}
			if m {
				ok, found[n] = true, true
			}
		}
		if user != "" && q.User != user && strconv.Itoa(int(q.UID)) != user {
			ok = false
		}
		if ok != invert {
			hits = append(hits, q)
		}
	}
	if newest != "" && len(hits) > 0 {
		slices.SortFunc(hits, func(a, b machine.Process) int { return a.Start.Compare(b.Start) })
		if newest == "n" {
			hits = hits[len(hits)-1:]
		} else {
			hits = hits[:1]
		}
	}
	if list {
		var out []string
		for _, q := range hits {
			s := strconv.Itoa(q.PID)
			if showName {
				s += " " + q.Name
			}
			out = append(out, s)
		}
		if p.name == "pidof" {
			slices.Reverse(out)
			delim = " "
			if single && len(out) > 1 {
				out = out[:1]
			}
		}
		if len(out) > 0 {
			p.print(strings.Join(out, delim) + "\n")
			return 0
		}
		return 1
	}
	status := 1
	for _, q := range hits {
		if err := p.table().Kill(p.Cred.UID, q.PID, sig); err != nil {
			if p.name == "killall" {
				p.complain(sprintf("%s(%d): %s\n", q.Name, q.PID, why(err)))
			} else {
				p.errorf("killing pid %d failed: %s", q.PID, why(err))
			}
			continue
		}
		status = 0
	}
	if p.name == "killall" {
		for _, n := range names {
			if !found[n] && !quiet {
				p.complain(n + ": no process found\n")
				status = 1
			}
		}
	}
	return status
}

// getoptFail is getopt's complaint for commands that read options themselves.
func (p *Proc) getoptFail(a string) {
	g := &getopt{p: p}
	if strings.HasPrefix(a, "--") {
		g.fail("unrecognized option '" + a + "'")
	} else {
		g.fail("invalid option -- '" + a[1:2] + "'")
	}
}

func pstree(p *Proc) int {
	list := p.table().List()
	var show func(pid, depth int, prefix string)
	show = func(pid, depth int, prefix string) {
		if depth > 20 {
			return
		}
		var kids []machine.Process
		for _, q := range list {
			if q.PPID == pid && !q.KernelThread() {
				kids = append(kids, q)
			}
		}
		for i, q := range kids {
			branch, next := "|-", "| "
			if i == len(kids)-1 {
				branch, next = "`-", "  "
			}
			p.print(prefix + branch + q.Name + "\n")
			show(q.PID, depth+1, prefix+next)
		}
	}
	p.print("systemd\n")
	show(1, 0, "  ")
	return 0
}
