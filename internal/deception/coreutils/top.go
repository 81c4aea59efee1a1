package coreutils

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

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
			v := a[2:]
			if v == "" && i+1 < len(p.Args) {
				i++
				v = p.Args[i]
			}
			if n, err := strconv.ParseFloat(v, 64); a[1] == 'd' && (err != nil || n < 0) {
				p.complain("top: bad delay interval '" + v + "'\n")
				return 1
			}
		case strings.HasPrefix(a, "-"):
			p.Watch.Unsupported("top " + a)
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
