package coreutils

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

func systemCommands(name string) Command {
	switch name {
	case "uname":
		return uname
	case "arch":
		return func(p *Proc) int { p.print("x86_64\n"); return 0 }
	case "hostname":
		return hostname
	case "nproc":
		return nproc
	case "uptime":
		return uptime
	case "w":
		return w
	case "who", "users":
		return who
	case "last", "lastb":
		return last
	case "free":
		return free
	case "lscpu":
		return lscpu
	case "dmesg":
		return dmesg
	case "tty":
		return tty
	case "stty":
		return stty
	case "lsmod":
		return lsmod
	case "lspci":
		return lspci
	case "lsb_release":
		return lsbRelease
	case "hostid":
		return func(p *Proc) int { p.printf("%08x\n", uint32(p.machine().Seed)); return 0 }
	case "sysctl":
		return sysctl
	}
	return nil
}

func (p *Proc) machine() *machine.Machine { return p.Host.Machine }

func (p *Proc) table() *machine.Table {
	if t := machine.TableOf(p.FS); t != nil {
		return t
	}
	return p.machine().NewTable(p.Now)
}

// hostName is what the kernel calls the machine: hostname may have changed it.
func (p *Proc) hostName() string {
	return strings.TrimSpace(p.slurp("/proc/sys/kernel/hostname"))
}

func uname(p *Proc) int {
	opts, args, ok := p.getopt("asnrvmpio", "all,a", "kernel-name,s", "sysname,s", "nodename,n", "kernel-release,r", "release,r", "kernel-version,v", "machine,m", "processor,p", "hardware-platform,i", "operating-system,o")
	if !ok {
		return 1
	}
	if len(args) > 0 {
		p.errorf("extra operand %s", p.q(args[0]))
		return p.try(1)
	}
	k := p.machine().Kernel
	all := false
	want := map[string]bool{}
	for _, o := range opts {
		want[o.name] = true
		all = all || o.name == "a"
	}
	if len(want) == 0 {
		want["s"] = true
	}
	var out []string
	for _, f := range []struct{ name, value string }{{"s", "Linux"}, {"n", p.hostName()}, {"r", k.Release}, {"v", k.Version}, {"m", "x86_64"}, {"p", "unknown"}, {"i", "unknown"}, {"o", "GNU/Linux"}} {
		if want[f.name] || all && f.value != "unknown" {
			out = append(out, f.value)
		}
	}
	p.print(strings.Join(out, " ") + "\n")
	return 0
}

func hostname(p *Proc) int {
	opts, args, ok := p.getopt("abdfF:iIsyA", "alias,a", "all-fqdns,A", "all-ip-addresses,I", "boot,b", "domain,d", "fqdn,f", "long,f", "file=,F", "ip-address,i", "short,s", "yp,y", "nis,y")
	if !ok {
		return 255 & 4
	}
	m := p.machine()
	name := p.hostName()
	for _, o := range opts {
		switch o.name {
		case "f", "A":
			if name == m.Hostname {
				name = m.FQDN()
			}
		case "d":
			name = m.Domain
		case "i":
			name = "127.0.1.1"
		case "I":
			name = m.Main().Addr.Addr().String() + " "
		case "s":
			name, _, _ = strings.Cut(name, ".")
		case "F":
			name = strings.TrimSpace(p.slurp(p.path(o.val)))
			args = []string{name}
		}
	}
	if len(args) > 0 {
		if p.Cred.UID != 0 {
			p.errorf("you must be root to change the host name")
			return 1
		}
		_ = p.writeText("/proc/sys/kernel/hostname", args[0])
		return 0
	}
	p.print(name + "\n")
	return 0
}

func nproc(p *Proc) int {
	opts, _, ok := p.getopt("", "all", "ignore=")
	if !ok {
		return 1
	}
	n := p.machine().CPU.Count()
	for _, o := range opts {
		if v, err := strconv.Atoi(o.val); o.name == "ignore" && err == nil {
			n = max(1, n-v)
		}
	}
	p.printf("%d\n", n)
	return 0
}

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
		p.printf("\nbtmp begins %s\n", p.machine().Boot.UTC().Format("Mon Jan _2 15:04:05 2006"))
		return 0
	}
	list := p.table().Logins()
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
	p.printf("\nwtmp begins %s\n", p.machine().Boot.UTC().Format("Mon Jan _2 15:04:05 2006"))
	return 0
}

func free(p *Proc) int {
	opts, _, ok := p.getopt("bkmghltwvs:c:V", "bytes,b", "kibi,k", "mebi,m", "gibi,g", "kilo", "mega", "giga", "human,h", "si", "total,t", "wide,w", "seconds=,s", "count=,c", "lohi,l", "committed,v")
	if !ok {
		return 1
	}
	unit, human, total, wide, count := int64(1024), false, false, false, 1
	for _, o := range opts {
		switch o.name {
		case "b":
			unit = 1
		case "m":
			unit = 1 << 20
		case "g":
			unit = 1 << 30
		case "kilo":
			unit = 1000
		case "mega":
			unit = 1e6
		case "giga":
			unit = 1e9
		case "h":
			human = true
		case "t":
			total = true
		case "w":
			wide = true
		case "c":
			count, _ = strconv.Atoi(o.val)
		case "s":
			count = 1 << 20
		}
	}
	show := func(kib int64) string {
		if human {
			return freeHuman(kib * 1024)
		}
		return strconv.FormatInt(kib*1024/unit, 10)
	}
	for i := range max(1, count) {
		if i > 0 {
			p.print("\n")
			if p.Sleep == nil {
				return 0
			}
			p.sleep(time.Second)
		}
		m := p.machine().Memory(p.Now())
		if wide {
			p.print("               total        used        free      shared     buffers       cache   available\n")
			p.printf("%-9s%11s %11s %11s %11s %11s %11s %11s\n", "Mem:", show(m.Total), show(m.Used()), show(m.Free), show(m.Shmem), show(m.Buffers), show(m.Cached+m.SReclaimable), show(m.Available))
		} else {
			p.print("               total        used        free      shared  buff/cache   available\n")
			p.printf("%-9s%11s %11s %11s %11s %11s %11s\n", "Mem:", show(m.Total), show(m.Used()), show(m.Free), show(m.Shmem), show(m.BuffCache()), show(m.Available))
		}
		p.printf("%-9s%11s %11s %11s\n", "Swap:", show(m.SwapTotal), show(m.SwapTotal-m.SwapFree), show(m.SwapFree))
		if total {
			p.printf("%-9s%11s %11s %11s\n", "Total:", show(m.Total+m.SwapTotal), show(m.Used()+m.SwapTotal-m.SwapFree), show(m.Free+m.SwapFree))
		}
	}
	return 0
}

// freeHuman writes sizes as free -h does.
func freeHuman(n int64) string {
	if n == 0 {
		return "0B"
	}
	f, i := float64(n), 0
	units := []string{"B", "Ki", "Mi", "Gi", "Ti"}
	for f >= 1024 && i < len(units)-1 {
		f /= 1024
		i++
	}
	if f < 10 && i > 0 {
		return sprintf("%.1f%s", f, units[i])
	}
	return sprintf("%.0f%s", f, units[i])
}

func lscpu(p *Proc) int {
	if _, _, ok := p.getopt("abceJpxysV", "all,a", "online,b", "offline,c", "extended?,e", "json,J", "parse?,p", "hex,x", "physical,y", "sysroot=,s", "bytes,B"); !ok {
		return 1
	}
	c := p.machine().CPU
	n := c.Count()
	online := "0"
	if n > 1 {
		online = sprintf("0-%d", n-1)
	}
	line := func(depth int, name, value string) {
		p.printf("%-33s%s\n", strings.Repeat("  ", depth)+name+":", value)
	}
	line(0, "Architecture", "x86_64")
	line(1, "CPU op-mode(s)", "32-bit, 64-bit")
	line(1, "Address sizes", c.AddressSizes)
	line(1, "Byte Order", "Little Endian")
	line(0, "CPU(s)", strconv.Itoa(n))
	line(1, "On-line CPU(s) list", online)
	line(0, "Vendor ID", c.Vendor)
	bios := p.machine().Product.Vendor
	line(1, "BIOS Vendor ID", bios)
	line(1, "Model name", c.Model)
	line(2, "BIOS Model name", p.machine().Product.Version+"  CPU @ 2.0GHz")
	line(2, "BIOS CPU family", "1")
	line(2, "CPU family", strconv.Itoa(c.Family))
	line(2, "Model", strconv.Itoa(c.ModelNumber))
	line(2, "Thread(s) per core", strconv.Itoa(c.Threads))
	line(2, "Core(s) per socket", strconv.Itoa(c.Cores))
	line(2, "Socket(s)", strconv.Itoa(c.Sockets))
	line(2, "Stepping", strconv.Itoa(c.Stepping))
	line(2, "BogoMIPS", sprintf("%.2f", c.BogoMIPS))
	line(2, "Flags", c.Flags)
	p.print("Virtualization features:         \n")
	virt := "VT-x"
	if c.Vendor == "AuthenticAMD" {
		virt = "AMD-V"
	}
	line(1, "Virtualization", virt)
	line(1, "Hypervisor vendor", c.Hypervisor)
	line(1, "Virtualization type", "full")
	p.print("Caches (sum of all):             \n")
	line(1, "L1d", c.L1d)
	line(1, "L1i", c.L1i)
	line(1, "L2", c.L2)
	line(1, "L3", c.L3)
	p.print("NUMA:                            \n")
	line(1, "NUMA node(s)", "1")
	line(1, "NUMA node0 CPU(s)", online)
	p.print("Vulnerabilities:                 \n")
	for _, v := range [][2]string{{"Itlb multihit", "Not affected"}, {"Meltdown", "Mitigation; PTI"}, {"Spectre v1", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization"}, {"Spectre v2", "Mitigation; Retpolines; STIBP disabled; RSB filling; PBRSB-eIBRS Not affected; BHI Retpoline"}, {"Srbds", "Not affected"}} {
		if c.Vendor == "AuthenticAMD" && v[0] == "Meltdown" {
			v[1] = "Not affected"
		}
		line(1, v[0], v[1])
	}
	return 0
}

func dmesg(p *Proc) int {
	opts, _, ok := p.getopt("cCDdEeF:f:HhJkl:Ln:PprSs:TtuWwxV", "clear,C", "read-clear,c", "ctime,T", "notime,t", "human,H", "level=,l", "facility=,f", "follow,w", "kernel,k", "userspace,u", "reltime,e", "nopager,P", "raw,r", "color?,L")
	if !ok {
		return 1
	}
	if p.Cred.UID != 0 {
		p.errorf("read kernel buffer failed: Operation not permitted")
		return 1
	}
	m := p.machine()
	ctime, notime := false, false
	for _, o := range opts {
		switch o.name {
		case "T":
			ctime = true
		case "t":
			notime = true
		case "C":
			return 0
		}
	}
	i := m.Main()
	for _, l := range []struct {
		at   float64
		text string
	}{
		{0, fmt.Sprintf("Linux version %s %s %s", m.Kernel.Release, m.Kernel.Builder, m.Kernel.Version)},
		{0, fmt.Sprintf("Command line: BOOT_IMAGE=/boot/vmlinuz-%s root=UUID=%s ro quiet", m.Kernel.Release, m.Disks[0].Parts[0].UUID)},
		{0, "BIOS-provided physical RAM map:"},
		{0, "BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable"},
		{0, "BIOS-e820: [mem 0x000000000009fc00-0x000000000009ffff] reserved"},
		{0, "NX (Execute Disable) protection: active"},
		{0, "SMBIOS 2.8 present."},
		{0, fmt.Sprintf("DMI: %s %s, BIOS %s 04/01/2014", m.Product.Vendor, m.Product.Name, m.Product.BIOS)},
		{0, "Hypervisor detected: KVM"},
		{0.000001, "kvm-clock: using sched offset of 6423845721 cycles"},
		{0.004211, fmt.Sprintf("tsc: Detected %.3f MHz processor", m.CPU.MHz)},
		{0.018221, fmt.Sprintf("Memory: %dK/%dK available (14342K kernel code, 2334K rwdata, 9068K rodata, 2796K init, 17404K bss)", m.MemTotal-90000, m.MemTotal+130000)},
		{0.021922, fmt.Sprintf("SLUB: HWalign=64, Order=0-3, MinObjects=0, CPUs=%d, Nodes=1", m.CPU.Count())},
		{0.112032, fmt.Sprintf("smpboot: CPU0: %s (family: 0x%x, model: 0x%x, stepping: 0x%x)", m.CPU.Model, m.CPU.Family, m.CPU.ModelNumber, m.CPU.Stepping)},
		{0.193211, fmt.Sprintf("smp: Brought up 1 node, %d CPUs", m.CPU.Count())},
		{0.412093, "PCI: Using configuration type 1 for base access"},
		{1.021923, fmt.Sprintf("virtio_blk virtio2: [vda] %d 512-byte logical blocks (%.1f GB/%.1f GiB)", m.Disks[0].Size/512, float64(m.Disks[0].Size)/1e9, float64(m.Disks[0].Size)/(1<<30))},
		{1.029321, " vda: vda1 vda2 < vda5 >"},
		{1.201923, fmt.Sprintf("virtio_net virtio3 %s: renamed from eth0", i.Name)},
		{1.802133, "EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none."},
		{2.312201, "systemd[1]: Inserted module 'autofs4'"},
		{2.398122, "systemd[1]: systemd 252.39-1~deb12u2 running in system mode (+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified)"},
		{2.398201, "systemd[1]: Detected virtualization kvm."},
		{2.398223, "systemd[1]: Detected architecture x86-64."},
		{2.403211, fmt.Sprintf("systemd[1]: Hostname set to <%s>.", m.Hostname)},
		{3.120931, fmt.Sprintf("Adding %dk swap on /dev/vda5.  Priority:-2 extents:1 across:%dk FS", m.SwapTotal, m.SwapTotal)},
		{4.912223, fmt.Sprintf("IPv6: ADDRCONF(NETDEV_CHANGE): %s: link becomes ready", i.Name)},
	} {
		switch {
		case notime:
			p.print(l.text + "\n")
		case ctime:
			p.printf("[%s] %s\n", m.Boot.Add(time.Duration(l.at*1e9)).UTC().Format("Mon Jan _2 15:04:05 2006"), l.text)
		default:
			p.printf("[%12.6f] %s\n", l.at, l.text)
		}
	}
	return 0
}

func tty(p *Proc) int {
	if p.StdinTTY && p.Session.TTYName != "" {
		p.print("/dev/" + p.Session.TTYName + "\n")
		return 0
	}
	p.print("not a tty\n")
	return 1
}

// stty answers questions; settings are the terminal's business.
func stty(p *Proc) int {
	if !p.StdinTTY {
		p.errorf("'standard input': Inappropriate ioctl for device")
		return 1
	}
	cols := cmp.Or(p.Cols, 80)
	switch {
	case len(p.Args) == 1:
		p.print("speed 38400 baud; line = 0;\n-brkint -imaxbel iutf8\n")
	case p.Args[1] == "size":
		p.printf("24 %d\n", cols)
	case p.Args[1] == "-a" || p.Args[1] == "--all":
		p.printf("speed 38400 baud; rows 24; columns %d; line = 0;\nintr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>; eol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R; werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;\n-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts\n-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff -iuclc -ixany -imaxbel iutf8\nopost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0\nisig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt echoctl echoke -flusho -extproc\n", cols)
	}
	return 0
}

func lsmod(p *Proc) int {
	p.print("Module                  Size  Used by\n")
	for line := range strings.Lines(p.slurp("/proc/modules")) {
		f := strings.Fields(line)
		if len(f) < 4 {
			continue
		}
		by := strings.Trim(f[3], "-,")
		p.print(strings.TrimRight(sprintf("%-19s %8s  %s %s", f[0], f[1], f[2], by), " ") + "\n")
	}
	return 0
}

func lspci(p *Proc) int {
	p.print("00:00.0 Host bridge: Intel Corporation 440FX - 82441FX PMC [Natoma] (rev 02)\n00:01.0 ISA bridge: Intel Corporation 82371SB PIIX3 ISA [Natoma/Triton II]\n00:01.1 IDE interface: Intel Corporation 82371SB PIIX3 IDE [Natoma/Triton II]\n00:01.2 USB controller: Intel Corporation 82371SB PIIX3 USB [Natoma/Triton II] (rev 01)\n00:01.3 Bridge: Intel Corporation 82371AB/EB/MB PIIX4 ACPI (rev 03)\n00:02.0 VGA compatible controller: Device 1234:1111 (rev 02)\n00:05.0 Unclassified device [00ff]: Red Hat, Inc. Virtio memory balloon\n00:0a.0 SCSI storage controller: Red Hat, Inc. Virtio block device\n00:12.0 Ethernet controller: Red Hat, Inc. Virtio network device\n")
	return 0
}

func lsbRelease(p *Proc) int {
	opts, _, ok := p.getopt("vidrcash", "id,i", "description,d", "release,r", "codename,c", "all,a", "short,s")
	if !ok {
		return 2
	}
	want, short := "", false
	for _, o := range opts {
		if o.name == "s" {
			short = true
		} else {
			want += o.name
		}
	}
	p.complain("No LSB modules are available.\n")
	for _, f := range [][3]string{{"i", "Distributor ID", "Debian"}, {"d", "Description", "Debian GNU/Linux 12 (bookworm)"}, {"r", "Release", "12"}, {"c", "Codename", "bookworm"}} {
		if strings.Contains(want, f[0]) || strings.Contains(want, "a") {
			if short {
				p.print(f[2] + "\n")
			} else {
				p.print(f[1] + ":\t" + f[2] + "\n")
			}
		}
	}
	return 0
}

func sysctl(p *Proc) int {
	opts, args, ok := p.getopt("aAbeNnpqwrX", "all,a", "values,n", "names,N", "quiet,q", "write,w", "load?,p", "system", "ignore,e", "binary,b")
	if !ok {
		return 1
	}
	values, quiet, load := false, false, false
	for _, o := range opts {
		switch o.name {
		case "n":
			values = true
		case "q":
			quiet = true
		case "a":
			args = []string{"kernel.hostname", "kernel.osrelease", "kernel.ostype", "kernel.pid_max", "kernel.randomize_va_space", "net.ipv4.ip_forward", "net.ipv4.tcp_syncookies", "vm.nr_hugepages", "vm.overcommit_memory", "vm.swappiness"}
		case "p", "system":
			load = true
		}
	}
	if load {
		return 0
	}
	if len(args) == 0 {
		p.complain("\nUsage:\n sysctl [options] [variable[=value] ...]\n")
		return 1
	}
	status := 0
	for _, a := range args {
		k, v, set := strings.Cut(a, "=")
		k = strings.TrimSpace(k)
		path := "/proc/sys/" + strings.ReplaceAll(k, ".", "/")
		if _, err := p.FS.Stat(p.Cred, path); err != nil {
			p.errorf("cannot stat %s: %s", path, why(err))
			status = 1
			continue
		}
		if set {
			f, err := p.FS.Open(p.Cred, path, vfs.O_WRONLY, 0)
			if err != nil {
				p.errorf("%s \"%s\"", map[bool]string{true: "permission denied on key", false: "setting key"}[p.Cred.UID != 0], k)
				status = 1
				continue
			}
			_, _ = f.Write([]byte(strings.TrimSpace(v)))
			_ = f.Close()
			if quiet {
				continue
			}
		}
		text := strings.TrimSpace(p.slurp(path))
		if values {
			p.print(text + "\n")
		} else {
			p.print(k + " = " + text + "\n")
		}
	}
	return status
}
