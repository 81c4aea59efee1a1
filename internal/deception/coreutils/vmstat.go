package coreutils

import (
	"cmp"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

// counters are what vmstat reads of the kernel: /proc/stat, /proc/diskstats and
// /proc/vmstat, as procps 4.0.2 does.
type counters struct {
	cpu           [10]int64 // user nice system idle iowait irq softirq steal guest guest_nice, in ticks
	intr, ctxt    int64
	boot, forks   int64
	running       int64
	blocked       int64
	read, written int64 // KiB
}

func (p *Proc) counters() (c counters) {
	number := func(s string) int64 { n, _ := strconv.ParseInt(s, 10, 64); return n }
	for line := range strings.Lines(p.slurp("/proc/stat")) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		switch f[0] {
		case "cpu":
			for i := range min(len(f)-1, len(c.cpu)) {
				c.cpu[i] = number(f[i+1])
			}
		case "intr":
			c.intr = number(f[1])
		case "ctxt":
			c.ctxt = number(f[1])
		case "btime":
			c.boot = number(f[1])
		case "processes":
			c.forks = number(f[1])
		case "procs_running":
			c.running = number(f[1])
		case "procs_blocked":
			c.blocked = number(f[1])
		}
	}
	for line := range strings.Lines(p.slurp("/proc/diskstats")) {
		f := strings.Fields(line)
		if len(f) > 9 && len(p.machine().Disks) > 0 && f[2] == p.machine().Disks[0].Name {
			c.read, c.written = number(f[5])/2, number(f[9])/2
		}
	}
	return c
}

const (
	vmstatHead     = "procs -----------memory---------- ---swap-- -----io---- -system-- ------cpu-----\n r  b   swpd   free   buff  cache   si   so    bi    bo   in   cs us sy id wa st\n"
	vmstatWideHead = "--procs-- -----------------------memory---------------------- ---swap-- -----io---- -system-- --------cpu--------\n   r    b         swpd         free         buff        cache   si   so    bi    bo   in   cs  us  sy  id  wa  st\n"
	vmstatHeadLine = 22 // reports before the head is repeated on a terminal of 24 lines
)

// vmstat reports once what is average since boot, then what a delay brought.
func vmstat(p *Proc) int {
	opts, args, ok := p.getopt("afmnsdDp:S:wtVyh", "active,a", "forks,f", "slabs,m", "one-header,n", "stats,s", "disk,d", "disk-sum,D", "partition=,p", "unit=,S", "wide,w", "timestamp,t", "no-first,y")
	if !ok {
		return 1
	}
	unit, wide, skip := int64(1024), false, false
	for _, o := range opts {
		switch o.name {
		case "s":
			return p.vmstatTable()
		case "f":
			p.printf("%13d forks\n", p.counters().forks)
			return 0
		case "S":
			unit = cmp.Or(map[string]int64{"k": 1000, "K": 1024, "m": 1000_000, "M": 1 << 20}[o.val], 1024)
		case "w":
			wide = true
		case "y":
			skip = true
		case "a", "d", "D", "m", "p", "t":
			p.Watch.Unsupported("vmstat -" + o.name)
		}
	}
	delay, count := time.Duration(0), 1
	for i, a := range args {
		n, err := strconv.Atoi(a)
		switch {
		case err != nil || i > 1:
			p.errorf("failed to parse argument: '%s'", a)
			return 1
		case n < 1:
			p.errorf("delay must be positive integer")
			return 1
		case i == 0:
			delay, count = time.Duration(n)*time.Second, 1<<30
		default:
			count = n
		}
	}
	var before counters
	before.boot = p.counters().boot
	for i := range count {
		if i > 0 || skip {
			before = p.counters()
			p.sleep(max(delay, time.Second))
		}
		if i%vmstatHeadLine == 0 {
			p.print(map[bool]string{false: vmstatHead, true: vmstatWideHead}[wide])
		}
		p.vmstatLine(before, unit, wide, i == 0 && !skip, max(delay, time.Second))
	}
	return 0
}

// vmstatLine is the difference between two looks, or the average since boot.
func (p *Proc) vmstatLine(before counters, unit int64, wide, first bool, delay time.Duration) {
	now, x := p.counters(), p.machine().Memory(p.Now())
	per := max(1, int64(delay/time.Second))
	if first {
		before = counters{}
		per = max(1, int64(p.machine().Uptime(p.Now())/time.Second))
	}
	var ticks [10]int64
	total := int64(0)
	for i := range ticks {
		ticks[i] = max(0, now.cpu[i]-before.cpu[i])
		if i < 8 {
			total += ticks[i]
		}
	}
	total = max(1, total)
	share := func(n int64) int64 { return min(100, (100*n+total/2)/total) }
	us, sy, wa, st := share(ticks[0]+ticks[1]), share(ticks[2]+ticks[5]+ticks[6]), share(ticks[4]), share(ticks[7])
	show := func(k int64) int64 { return k * 1024 / unit }
	format := "%2d %2d %6d %6d %6d %6d %4d %4d %5d %5d %4d %4d %2d %2d %2d %2d %2d\n"
	if wide {
		format = "%4d %4d %12d %12d %12d %12d %4d %4d %5d %5d %4d %4d %3d %3d %3d %3d %3d\n"
	}
	rate := func(a, b int64) int64 { return (max(0, a-b) + per/2) / per }
	p.printf(format, max(1, now.running)-1, now.blocked, show(x.SwapTotal-x.SwapFree), show(x.Free), show(x.Buffers), show(x.Cached+x.SReclaimable), 0, 0,
		rate(now.read, before.read), rate(now.written, before.written), rate(now.intr, before.intr), rate(now.ctxt, before.ctxt),
		us, sy, max(0, 100-us-sy-wa-st), wa, st)
}

// vmstatTable is vmstat -s.
func (p *Proc) vmstatTable() int {
	c, x := p.counters(), p.machine().Memory(p.Now())
	for _, l := range []struct {
		n    int64
		text string
	}{
		{x.Total, "K total memory"}, {x.Used(), "K used memory"}, {x.Active, "K active memory"}, {x.Inactive, "K inactive memory"}, {x.Free, "K free memory"},
		{x.Buffers, "K buffer memory"}, {x.Cached + x.SReclaimable, "K swap cache"}, {x.SwapTotal, "K total swap"}, {x.SwapTotal - x.SwapFree, "K used swap"}, {x.SwapFree, "K free swap"},
		{c.cpu[0], "non-nice user cpu ticks"}, {c.cpu[1], "nice user cpu ticks"}, {c.cpu[2], "system cpu ticks"}, {c.cpu[3], "idle cpu ticks"}, {c.cpu[4], "IO-wait cpu ticks"},
		{c.cpu[5], "IRQ cpu ticks"}, {c.cpu[6], "softirq cpu ticks"}, {c.cpu[7], "stolen cpu ticks"}, {c.cpu[8], "non-nice guest cpu ticks"}, {c.cpu[9], "nice guest cpu ticks"},
		{c.read, "K paged in"}, {c.written, "K paged out"}, {0, "pages swapped in"}, {0, "pages swapped out"},
		{c.intr, "interrupts"}, {c.ctxt, "CPU context switches"}, {c.boot, "boot time"}, {c.forks, "forks"},
	} {
		p.printf("%13d %s\n", l.n, l.text)
	}
	return 0
}

// swapon shows the swap areas; one that is named is in use already.
func swapon(p *Proc) int {
	opts, args, ok := p.getopt("ad::ef:hL:o:p:sU:vV", "all,a", "discard?,d", "ifexists,e", "fixpgsz,f", "options=,o", "priority=,p", "show?", "summary,s", "verbose,v", "noheadings", "raw", "bytes")
	if !ok {
		return 1
	}
	table, summary, head, bytes := len(opts)+len(args) == 0, false, true, false
	for _, o := range opts {
		switch o.name {
		case "s":
			summary = true
		case "show":
			table = true
		case "noheadings":
			head = false
		case "bytes":
			bytes = true
		}
	}
	switch {
	case summary:
		p.print(p.slurp("/proc/swaps"))
		return 0
	case table:
		return p.swapTable(head, bytes)
	case p.Cred.UID != 0:
		for _, a := range args {
			p.errorf("cannot open %s: Permission denied", a)
		}
		return min(255, len(args))
	}
	status := 0
	for _, a := range args {
		if _, err := p.stat(a); err != nil {
			p.errorf("cannot open %s: %s", a, why(err))
		} else if p.isSwap(a) {
			p.errorf("%s: swapon failed: Device or resource busy", a)
		} else {
			p.errorf("%s: read swap header failed", a)
		}
		status = 255
	}
	return status
}

func (p *Proc) isSwap(device string) bool {
	for _, d := range p.swaps() {
		if "/dev/"+d.Name == device {
			return true
		}
	}
	return false
}

func (p *Proc) swaps() (out []machine.Part) {
	for _, d := range p.machine().Disks {
		for _, part := range d.Parts {
			if part.Type == "swap" {
				out = append(out, part)
			}
		}
	}
	return out
}

// swapTable is swapon --show, which is silent without swap.
func (p *Proc) swapTable(head, bytes bool) int {
	x := p.machine().Memory(p.Now())
	size := func(k int64) string {
		if bytes {
			return strconv.FormatInt(k*1024, 10)
		}
		if k == 0 {
			return "0B"
		}
		s := humanSize(k*1024, false)
		return strings.Replace(s, ".0", "", 1)
	}
	rows := [][]string{}
	if head {
		rows = append(rows, []string{"NAME", "TYPE", "SIZE", "USED", "PRIO"})
	}
	for _, part := range p.swaps() {
		rows = append(rows, []string{"/dev/" + part.Name, "partition", size(x.SwapTotal), size(x.SwapTotal - x.SwapFree), "-2"})
	}
	if head && len(rows) < 2 {
		return 0
	}
	var w [5]int
	for _, r := range rows {
		for i, c := range r {
			w[i] = max(w[i], len(c))
		}
	}
	for _, r := range rows {
		p.printf("%-*s %-*s %*s %*s %*s\n", w[0], r[0], w[1], r[1], w[2], r[2], w[3], r[3], w[4], r[4])
	}
	return 0
}
