package coreutils

import (
	"strconv"
	"strings"
	"time"
)

func nproc(p *Proc) int {
	opts, _, ok := p.getopt("", "all", "ignore=")
	if !ok {
		return 1
	}
	n := p.machine().CPU.Count()
	for _, o := range opts {
		v, err := strconv.Atoi(o.val)
		if o.name == "ignore" && (err != nil || v < 0) {
			p.errorf("invalid number: %s", p.q(o.val))
			return 1
		}
		if o.name == "ignore" {
			n = max(1, n-v)
		}
	}
	p.printf("%d\n", n)
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
	tree := p.TTY // the tree is drawn on a terminal alone
	online := "0"
	if n > 1 {
		online = sprintf("0-%d", n-1)
	}
	line := func(depth int, name, value string) {
		if !tree {
			p.printf("%-29s%s\n", flatName(name)+":", value)
			return
		}
		p.printf("%-33s%s\n", strings.Repeat("  ", depth)+name+":", value)
	}
	head := func(name string) {
		if tree {
			line(0, name, "")
		}
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
	head("Virtualization features")
	virt := "VT-x"
	if c.Vendor == "AuthenticAMD" {
		virt = "AMD-V"
	}
	line(1, "Virtualization", virt)
	line(1, "Hypervisor vendor", c.Hypervisor)
	line(1, "Virtualization type", "full")
	head("Caches (sum of all)")
	line(1, "L1d", c.L1d)
	line(1, "L1i", c.L1i)
	line(1, "L2", c.L2)
	line(1, "L3", c.L3)
	head("NUMA")
	line(1, "NUMA node(s)", "1")
	line(1, "NUMA node0 CPU(s)", online)
	head("Vulnerabilities")
	for _, v := range [][2]string{{"Itlb multihit", "Not affected"}, {"Meltdown", "Mitigation; PTI"}, {"Spectre v1", "Mitigation; usercopy/swapgs barriers and __user pointer sanitization"}, {"Spectre v2", "Mitigation; Retpolines; STIBP disabled; RSB filling; PBRSB-eIBRS Not affected; BHI Retpoline"}, {"Srbds", "Not affected"}} {
		if c.Vendor == "AuthenticAMD" && v[0] == "Meltdown" {
			v[1] = "Not affected"
		}
		line(1, v[0], v[1])
	}
	return 0
}

// flatName is what a line is called where no heading above it says what it is
// about.
func flatName(name string) string {
	switch name {
	case "L1d", "L1i", "L2", "L3":
		return name + " cache"
	case "Itlb multihit", "Meltdown", "Spectre v1", "Spectre v2", "Srbds":
		return "Vulnerability " + name
	}
	return name
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
