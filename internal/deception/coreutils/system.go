package coreutils

import (
	"cmp"
	"fmt"
	"slices"
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
	case "getopt":
		return getoptCmd
	case "locale":
		return locale
	case "iconv":
		return iconv
	case "pathchk":
		return pathchk
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
	case "lastlog":
		return lastlogCommand
	case "last", "lastb":
		return last
	case "free":
		return free
	case "vmstat":
		return vmstat
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
		return 255
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
	if !slices.ContainsFunc(p.Args[1:], func(a string) bool { return a == "-s" || a == "--silent" || a == "--quiet" }) {
		p.print("not a tty\n")
	}
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
	opts, args, ok := p.getopt("aAbef::hNnop::qwr:XV", "all,a", "values,n", "names,N", "quiet,q", "write,w", "load?,p", "system", "ignore,e", "binary,b")
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
