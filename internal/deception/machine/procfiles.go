package machine

import (
	"encoding/hex"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// dynamic finds the generated files of /proc that belong to no process.
func dynamic(rel string) (file, bool) {
	m := func(f func(m *Machine) string) (file, bool) {
		return file{make: func(m *Machine, _ *Table, _ time.Time) string { return f(m) }}, true
	}
	at := func(f func(m *Machine, now time.Time) string) (file, bool) {
		return file{make: func(m *Machine, _ *Table, now time.Time) string { return f(m, now) }}, true
	}
	switch rel {
	case "cpuinfo":
		return m((*Machine).cpuinfo)
	case "meminfo":
		return at((*Machine).meminfo)
	case "version":
		return m(func(m *Machine) string {
			return fmt.Sprintf("Linux version %s %s %s\n", m.Kernel.Release, m.Kernel.Builder, m.Kernel.Version)
		})
	case "uptime":
		return at(func(m *Machine, now time.Time) string {
			return fmt.Sprintf("%.2f %.2f\n", m.Uptime(now).Seconds(), m.CPUTime(now).Idle.Seconds())
		})
	case "loadavg":
		return file{make: loadavg}, true
	case "stat":
		return file{make: stat}, true
	case "cmdline":
		return m(func(m *Machine) string {
			return fmt.Sprintf("BOOT_IMAGE=/boot/vmlinuz-%s root=UUID=%s ro quiet\n", m.Kernel.Release, m.Disks[0].Parts[0].UUID)
		})
	case "filesystems":
		return m(func(*Machine) string { return filesystems })
	case "devices":
		return m(func(*Machine) string { return devices })
	case "partitions":
		return m((*Machine).partitions)
	case "swaps":
		return m(func(m *Machine) string {
			return fmt.Sprintf("Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n/dev/vda5                               partition\t%d\t\t0\t\t-2\n", m.SwapTotal)
		})
	case "modules":
		return m(func(m *Machine) string { return modules })
	case "diskstats":
		return at((*Machine).diskstats)
	case "crypto", "execdomains":
		return m(func(*Machine) string { return "" })
	case "sys/kernel/hostname":
		return file{mode: readWrite, make: func(m *Machine, _ *Table, _ time.Time) string { return m.Hostname + "\n" }}, true
	case "sys/kernel/osrelease":
		return m(func(m *Machine) string { return m.Kernel.Release + "\n" })
	case "sys/kernel/version":
		return m(func(m *Machine) string { return m.Kernel.Version + "\n" })
	case "sys/kernel/random/uuid":
		return at(func(m *Machine, now time.Time) string { return m.id("uuid", now.UnixNano()) + "\n" })
	case "sys/kernel/random/boot_id":
		return m(func(m *Machine) string { return m.id("boot", m.Boot.Unix()) + "\n" })
	case "sys/fs/file-nr":
		return at(func(m *Machine, now time.Time) string {
			return fmt.Sprintf("%d\t0\t9223372036854775807\n", 1180+int(m.drift("files", now, time.Minute)*60))
		})
	case "pressure/cpu", "pressure/io", "pressure/memory":
		return m(func(*Machine) string {
			return "some avg10=0.00 avg60=0.00 avg300=0.00 total=18273645\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
		})
	}
	return file{}, false
}

// id makes a random-looking UUID.
func (m *Machine) id(channel string, n int64) string {
	a, b := uint64(m.noise(channel, n)*(1<<53))<<11, uint64(m.noise(channel+"b", n)*(1<<53))<<11
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62 | uint64(n)&0x7ff
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

func (m *Machine) cpuinfo() string {
	var b strings.Builder
	c := m.CPU
	for i := range c.Count() {
		fmt.Fprintf(&b, "processor\t: %d\nvendor_id\t: %s\ncpu family\t: %d\nmodel\t\t: %d\nmodel name\t: %s\nstepping\t: %d\nmicrocode\t: %s\ncpu MHz\t\t: %.3f\ncache size\t: %d KB\n",
			i, c.Vendor, c.Family, c.ModelNumber, c.Model, c.Stepping, c.Microcode, c.MHz, c.CacheKB)
		fmt.Fprintf(&b, "physical id\t: 0\nsiblings\t: %d\ncore id\t\t: %d\ncpu cores\t: %d\napicid\t\t: %d\ninitial apicid\t: %d\nfpu\t\t: yes\nfpu_exception\t: yes\ncpuid level\t: 13\nwp\t\t: yes\nflags\t\t: %s\n",
			c.Count(), i, c.Cores, i, i, c.Flags)
		if c.Vendor == "GenuineIntel" {
			b.WriteString("vmx flags\t: vnmi preemption_timer posted_intr invvpid ept_x_only ept_ad ept_1gb flexpriority apicv tsc_offset vtpr mtf vapic ept vpid unrestricted_guest vapic_reg vid shadow_vmcs pml\n")
		}
		fmt.Fprintf(&b, "bugs\t\t: %s\nbogomips\t: %.2f\n", c.Bugs, c.BogoMIPS)
		if c.Vendor == "AuthenticAMD" {
			b.WriteString("TLB size\t: 1024 4K pages\n")
		}
		fmt.Fprintf(&b, "clflush size\t: 64\ncache_alignment\t: 64\naddress sizes\t: %s\npower management:\n\n", strings.Replace(c.AddressSizes, ", ", ", ", 1))
	}
	return b.String()
}

func (m *Machine) meminfo(now time.Time) string {
	x := m.Memory(now)
	var b strings.Builder
	for _, l := range []struct {
		name string
		kib  int64
	}{
		{"MemTotal", x.Total},
		{"MemFree", x.Free},
		{"MemAvailable", x.Available},
		{"Buffers", x.Buffers},
		{"Cached", x.Cached},
		{"SwapCached", x.SwapCached},
		{"Active", x.Active},
		{"Inactive", x.Inactive},
		{"Active(anon)", x.AnonPages / 8 &^ 3},
		{"Inactive(anon)", x.AnonPages * 7 / 8 &^ 3},
		{"Active(file)", x.Cached * 3 / 10 &^ 3},
		{"Inactive(file)", x.Cached * 6 / 10 &^ 3},
		{"Unevictable", 0},
		{"Mlocked", 0},
		{"SwapTotal", x.SwapTotal},
		{"SwapFree", x.SwapFree},
		{"Zswap", 0},
		{"Zswapped", 0},
		{"Dirty", x.Dirty},
		{"Writeback", 0},
		{"AnonPages", x.AnonPages},
		{"Mapped", x.Mapped},
		{"Shmem", x.Shmem},
		{"KReclaimable", x.SReclaimable},
		{"Slab", x.SReclaimable + x.SUnreclaim},
		{"SReclaimable", x.SReclaimable},
		{"SUnreclaim", x.SUnreclaim},
		{"KernelStack", x.KernelStack},
		{"PageTables", x.PageTables},
		{"SecPageTables", 0},
		{"NFS_Unstable", 0},
		{"Bounce", 0},
		{"WritebackTmp", 0},
		{"CommitLimit", x.SwapTotal + x.Total/2},
		{"Committed_AS", x.Committed},
		{"VmallocTotal", 34359738367},
		{"VmallocUsed", x.VmallocUsed},
		{"VmallocChunk", 0},
		{"Percpu", x.Percpu},
		{"HardwareCorrupted", 0},
		{"AnonHugePages", x.AnonPages / 5 &^ 2047},
		{"ShmemHugePages", 0},
		{"ShmemPmdMapped", 0},
		{"FileHugePages", 0},
		{"FilePmdMapped", 0},
	} {
		fmt.Fprintf(&b, "%-16s%8d kB\n", l.name+":", l.kib)
	}
	b.WriteString("HugePages_Total:       0\nHugePages_Free:        0\nHugePages_Rsvd:        0\nHugePages_Surp:        0\nHugepagesize:       2048 kB\nHugetlb:               0 kB\n")
	fmt.Fprintf(&b, "DirectMap4k:%12d kB\nDirectMap2M:%12d kB\n", 141164, (m.MemTotal-141164)&^2047)
	return b.String()
}

func loadavg(m *Machine, t *Table, now time.Time) string {
	one, five, fifteen := m.Load(now)
	threads, last := 0, 1
	if t != nil {
		for _, p := range t.List() {
			threads += max(1, p.Threads)
			last = max(last, p.PID)
		}
	}
	return fmt.Sprintf("%.2f %.2f %.2f 1/%d %d\n", one, five, fifteen, threads, last)
}

func stat(m *Machine, t *Table, now time.Time) string {
	var b strings.Builder
	c := m.CPUTime(now)
	line := func(name string, div int64) {
		tick := int64(10*time.Millisecond) * div
		fmt.Fprintf(&b, "%s %d %d %d %d %d 0 %d %d 0 0\n", name, int64(c.User)/tick, int64(c.Nice)/tick, int64(c.System)/tick,
			int64(c.Idle)/tick, int64(c.IOWait)/tick, int64(c.SoftIRQ)/tick, int64(c.Steal)/tick)
	}
	line("cpu ", 1)
	for i := range m.CPU.Count() {
		line(fmt.Sprintf("cpu%d", i), int64(m.CPU.Count()))
	}
	up := m.Uptime(now).Seconds()
	fmt.Fprintf(&b, "intr %d 0 9 0 0 0 0 0 0 1 0 0 15 0 0 0\nctxt %d\nbtime %d\nprocesses %d\nprocs_running 1\nprocs_blocked 0\nsoftirq %d 0 0 0 0 0 0 0 0 0 0\n",
		int64(up*78), int64(up*131), m.Boot.Unix(), m.NextPID+int(up/40), int64(up*52))
	return b.String()
}

func (m *Machine) partitions() string {
	var b strings.Builder
	b.WriteString("major minor  #blocks  name\n\n")
	for _, d := range m.Disks {
		fmt.Fprintf(&b, "%4d %8d %10d %s\n", d.Major, 0, d.Size/1024, d.Name)
		for _, p := range d.Parts {
			fmt.Fprintf(&b, "%4d %8s %10d %s\n", d.Major, strings.TrimPrefix(p.Name, d.Name), p.Size/1024, p.Name)
		}
	}
	return b.String()
}

func (m *Machine) diskstats(now time.Time) string {
	up := int64(m.Uptime(now).Seconds())
	return fmt.Sprintf(" 254       0 vda %d %d %d %d %d %d %d %d 0 %d %d 0 0 0 0 0 0\n 254       1 vda1 %d %d %d %d %d %d %d %d 0 %d %d 0 0 0 0 0 0\n",
		21000+up/90, 6100+up/400, 1502000+up/2, 9800+up/180, up/3, up/4, up*6, up/2, up/3, up/2+9800,
		20800+up/90, 6100+up/400, 1498000+up/2, 9700+up/180, up/3, up/4, up*6, up/2, up/3, up/2+9700)
}

// MountTable returns /proc/mounts.
func (m *Machine) MountTable() string {
	var b strings.Builder
	for _, t := range m.Mounts {
		fmt.Fprintf(&b, "%s %s %s %s 0 0\n", t.Source, t.Target, t.Type, t.Options)
	}
	return b.String()
}

func (m *Machine) mountInfo() string {
	var b strings.Builder
	for i, t := range m.Mounts {
		parent := 25
		if t.Target == "/" {
			parent = 1
		}
		fmt.Fprintf(&b, "%d %d %d:%d / %s %s shared:%d - %s %s rw\n", 20+i, parent, t.Dev>>8, t.Dev&255, t.Target, t.Options, i+1, t.Type, t.Source)
	}
	return b.String()
}

// netFile finds a file of /proc/net.
func netFile(name string) (func(m *Machine, t *Table, now time.Time) string, bool) {
	switch name {
	case "arp":
		return func(m *Machine, _ *Table, _ time.Time) string {
			s := "IP address       HW type     Flags       HW address            Mask     Device\n"
			for _, n := range m.Neighbours() {
				s += fmt.Sprintf("%-17s0x1         0x2         %s     *        %s\n", n.Addr, n.MAC, m.Main().Name)
			}
			return s
		}, true
	case "dev":
		return netDev, true
	case "route":
		return func(m *Machine, _ *Table, _ time.Time) string {
			i := m.Main()
			return "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT                                                       \n" +
				fmt.Sprintf("%-127s\n", fmt.Sprintf("%s\t00000000\t%s\t0003\t0\t0\t0\t00000000\t0\t0\t0", i.Name, hexLE(m.Gateway))) +
				fmt.Sprintf("%-127s\n", fmt.Sprintf("%s\t%s\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0", i.Name, hexLE(i.Addr.Masked().Addr())))
		}, true
	case "tcp", "tcp6", "udp", "udp6":
		return func(_ *Machine, t *Table, _ time.Time) string { return socketTable(t, name) }, true
	case "if_inet6":
		return func(m *Machine, _ *Table, _ time.Time) string {
			s := ""
			for i, n := range m.Interfaces {
				scope, a := "20", n.Addr6.Addr().As16()
				if n.Loopback {
					scope = "10"
				}
				s += fmt.Sprintf("%s %02x %02x %s 80 %8s\n", hex.EncodeToString(a[:]), i+1, n.Addr6.Bits(), scope, n.Name)
			}
			return s
		}, true
	case "unix":
		return func(*Machine, *Table, time.Time) string {
			return "Num       RefCount Protocol Flags    Type St Inode Path\n0000000000000000: 00000002 00000000 00010000 0001 01 12871 /run/systemd/private\n0000000000000000: 00000002 00000000 00010000 0001 01 14120 /run/dbus/system_bus_socket\n"
		}, true
	case "snmp", "sockstat":
		return func(_ *Machine, t *Table, _ time.Time) string {
			return fmt.Sprintf("sockets: used %d\nTCP: inuse %d orphan 0 tw 0 alloc %d mem 1\nUDP: inuse 1 mem 0\nUDPLITE: inuse 0\nRAW: inuse 0\nFRAG: inuse 0 memory 0\n", 131, len(t.Sockets()), len(t.Sockets())+1)
		}, true
	}
	return nil, false
}

// A Neighbour is an entry of the ARP table.
type Neighbour struct {
	Addr netip.Addr
	MAC  string
}

// Neighbours returns whom the machine has talked to lately on its network.
func (m *Machine) Neighbours() []Neighbour {
	out := []Neighbour{{m.Gateway, m.GatewayMAC}}
	for _, d := range m.DNS {
		if d != m.Gateway && m.Main().Addr.Contains(d) {
			out = append(out, Neighbour{d, "52:54:00" + m.GatewayMAC[8:]})
		}
	}
	return out
}

func netDev(m *Machine, _ *Table, now time.Time) string {
	s := "Inter-|   Receive                                                |  Transmit\n face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n"
	for _, i := range m.Interfaces {
		rx, rxp, tx, txp := m.Traffic(i, now)
		s += fmt.Sprintf("%6s: %7d %7d    0    0    0     0          0         0 %8d %7d    0    0    0     0       0          0\n", i.Name, rx, rxp, tx, txp)
	}
	return s
}

// hexLE writes an IPv4 address as /proc/net does, in the processor's byte order.
func hexLE(a netip.Addr) string {
	if a.Is4() || a.Is4In6() {
		b := a.Unmap().As4()
		return fmt.Sprintf("%02X%02X%02X%02X", b[3], b[2], b[1], b[0])
	}
	b := a.As16()
	s := ""
	for i := 0; i < 16; i += 4 {
		s += fmt.Sprintf("%02X%02X%02X%02X", b[i+3], b[i+2], b[i+1], b[i])
	}
	return s
}

func socketTable(t *Table, proto string) string {
	s := "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode                                                     \n"
	if strings.HasSuffix(proto, "6") {
		s = "  sl  local_address                         remote_address                        st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
	}
	state := map[string]string{"LISTEN": "0A", "ESTAB": "01", "UNCONN": "07"}
	n := 0
	for _, k := range slices.Concat(t.Sockets()) {
		if k.Proto != proto {
			continue
		}
		line := fmt.Sprintf("%4d: %s:%04X %s:%04X %s 00000000:00000000 00:00000000 00000000 %5d        0 %d 1 0000000000000000 100 0 0 10 0",
			n, hexLE(k.Local.Addr()), k.Local.Port(), hexLE(k.Peer.Addr()), k.Peer.Port(), state[k.State], k.UID, k.Inode)
		s += fmt.Sprintf("%-149s\n", line)
		n++
	}
	return s
}

const filesystems = "nodev\tsysfs\nnodev\ttmpfs\nnodev\tbdev\nnodev\tproc\nnodev\tcgroup\nnodev\tcgroup2\nnodev\tcpuset\nnodev\tdevtmpfs\nnodev\tbinfmt_misc\nnodev\tconfigfs\nnodev\tdebugfs\nnodev\ttracefs\nnodev\tsecurityfs\nnodev\tsockfs\nnodev\tbpf\nnodev\tpipefs\nnodev\tramfs\nnodev\thugetlbfs\nnodev\tdevpts\nnodev\tmqueue\nnodev\tpstore\n\text3\n\text2\n\text4\nnodev\tautofs\n\tfuseblk\nnodev\tfuse\nnodev\tfusectl\nnodev\tefivarfs\n"

const devices = "Character devices:\n  1 mem\n  4 /dev/vc/0\n  4 tty\n  4 ttyS\n  5 /dev/tty\n  5 /dev/console\n  5 /dev/ptmx\n  7 vcs\n 10 misc\n 13 input\n 29 fb\n128 ptm\n136 pts\n180 usb\n189 usb_device\n226 drm\n249 hidraw\n250 bsg\n251 watchdog\n252 ptp\n253 pps\n254 rtc\n\nBlock devices:\n  8 sd\n 11 sr\n 65 sd\n 66 sd\n254 virtblk\n259 blkext\n"

const modules = "tls 135168 0 - Live 0x0000000000000000\nbinfmt_misc 28672 1 - Live 0x0000000000000000\nintel_rapl_msr 20480 0 - Live 0x0000000000000000\nintel_rapl_common 32768 1 intel_rapl_msr, Live 0x0000000000000000\nghash_clmulni_intel 16384 0 - Live 0x0000000000000000\naesni_intel 393216 0 - Live 0x0000000000000000\ncrypto_simd 16384 1 aesni_intel, Live 0x0000000000000000\ncryptd 28672 2 ghash_clmulni_intel,crypto_simd, Live 0x0000000000000000\nvirtio_balloon 28672 0 - Live 0x0000000000000000\nvirtio_rng 16384 0 - Live 0x0000000000000000\nrng_core 24576 1 virtio_rng, Live 0x0000000000000000\nbutton 24576 0 - Live 0x0000000000000000\nserio_raw 20480 0 - Live 0x0000000000000000\nevdev 28672 2 - Live 0x0000000000000000\nfuse 176128 1 - Live 0x0000000000000000\nconfigfs 57344 1 - Live 0x0000000000000000\nip_tables 36864 0 - Live 0x0000000000000000\nx_tables 61440 1 ip_tables, Live 0x0000000000000000\nautofs4 53248 2 - Live 0x0000000000000000\next4 983040 1 - Live 0x0000000000000000\ncrc16 16384 1 ext4, Live 0x0000000000000000\nmbcache 16384 1 ext4, Live 0x0000000000000000\njbd2 167936 1 ext4, Live 0x0000000000000000\ncrc32c_generic 16384 0 - Live 0x0000000000000000\nvirtio_net 73728 0 - Live 0x0000000000000000\nnet_failover 24576 1 virtio_net, Live 0x0000000000000000\nfailover 16384 1 net_failover, Live 0x0000000000000000\nvirtio_blk 28672 2 - Live 0x0000000000000000\nvirtio_pci 28672 0 - Live 0x0000000000000000\nvirtio_ring 45056 5 virtio_balloon,virtio_rng,virtio_net,virtio_blk,virtio_pci, Live 0x0000000000000000\nvirtio 16384 5 virtio_balloon,virtio_rng,virtio_net,virtio_blk,virtio_pci, Live 0x0000000000000000\n"
