package machine

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"strings"
	"time"
)

// A Spec says what New may not choose itself.
type Spec struct {
	Now              time.Time
	Hostname, Domain string // "" lets the seed choose
	Lived            bool   // in use: services, logins, history
	Admin            string // who logged in before; "" is root
}

// kernels are releases Debian 12 has shipped, oldest first.
var kernels = []Kernel{
	{Release: "6.1.0-37-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)"},
	{Release: "6.1.0-38-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.147-1 (2025-08-02)"},
	{Release: "6.1.0-39-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.148-1 (2025-08-26)"},
	{Release: "6.1.0-40-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.153-1 (2025-09-20)"},
	{Release: "6.1.0-41-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.158-1 (2025-11-09)"},
	{Release: "6.1.0-47-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.170-3 (2026-05-08)"},
	{Release: "6.1.0-50-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.176-1 (2026-07-02)"},
	{Release: "6.1.0-53-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.187-1 (2026-09-07)"},
	{Release: "6.1.0-56-amd64", Version: "#1 SMP PREEMPT_DYNAMIC Debian 6.1.192-2 (2026-11-16)"},
}

const builder = "(debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0, GNU ld (GNU Binutils for Debian) 2.40)"

const intelFlags = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ss ht syscall nx pdpe1gb rdtscp lm constant_tsc arch_perfmon rep_good nopl xtopology cpuid tsc_known_freq pni pclmulqdq vmx ssse3 fma cx16 pcid sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm abm 3dnowprefetch cpuid_fault invpcid_single pti ssbd ibrs ibpb stibp tpr_shadow vnmi flexpriority ept vpid ept_ad fsgsbase tsc_adjust bmi1 avx2 smep bmi2 erms invpcid rdseed adx smap xsaveopt arat umip md_clear"

const amdFlags = "fpu vme de pse tsc msr pae mce cx8 apic sep mtrr pge mca cmov pat pse36 clflush mmx fxsr sse sse2 ht syscall nx mmxext fxsr_opt pdpe1gb rdtscp lm rep_good nopl cpuid extd_apicid tsc_known_freq pni pclmulqdq ssse3 fma cx16 sse4_1 sse4_2 x2apic movbe popcnt tsc_deadline_timer aes xsave avx f16c rdrand hypervisor lahf_lm cmp_legacy svm cr8_legacy abm sse4a misalignsse 3dnowprefetch osvw perfctr_core ssbd ibrs ibpb stibp vmmcall fsgsbase tsc_adjust bmi1 avx2 smep bmi2 rdseed adx smap clflushopt clwb sha_ni xsaveopt xsavec xgetbv1 clzero xsaveerptr wbnoinvd arat npt nrip_save umip rdpid"

const (
	intelBugs = "cpu_meltdown spectre_v1 spectre_v2 spec_store_bypass l1tf mds swapgs taa itlb_multihit mmio_stale_data bhi"
	amdBugs   = "sysret_ss_attrs spectre_v1 spectre_v2 spec_store_bypass retbleed smt_rsb srso"
)

// processors are models common in rented and own servers.
var processors = []CPU{
	{Vendor: "GenuineIntel", Model: "Intel(R) Xeon(R) CPU E5-2680 v4 @ 2.40GHz", Family: 6, ModelNumber: 79, Stepping: 1, Microcode: "0xb000040", MHz: 2399.996, CacheKB: 35840},
	{Vendor: "GenuineIntel", Model: "Intel(R) Xeon(R) CPU E5-2640 v4 @ 2.40GHz", Family: 6, ModelNumber: 79, Stepping: 1, Microcode: "0xb000040", MHz: 2399.998, CacheKB: 25600},
	{Vendor: "GenuineIntel", Model: "Intel(R) Xeon(R) Gold 6140 CPU @ 2.30GHz", Family: 6, ModelNumber: 85, Stepping: 4, Microcode: "0x2007006", MHz: 2294.608, CacheKB: 25344},
	{Vendor: "GenuineIntel", Model: "Intel(R) Xeon(R) Silver 4214 CPU @ 2.20GHz", Family: 6, ModelNumber: 85, Stepping: 7, Microcode: "0x5003605", MHz: 2194.842, CacheKB: 16896},
	{Vendor: "GenuineIntel", Model: "Intel(R) Xeon(R) Gold 6230 CPU @ 2.10GHz", Family: 6, ModelNumber: 85, Stepping: 7, Microcode: "0x5003605", MHz: 2095.076, CacheKB: 28160},
	{Vendor: "AuthenticAMD", Model: "AMD EPYC 7282 16-Core Processor", Family: 23, ModelNumber: 49, Stepping: 0, Microcode: "0x830107c", MHz: 2794.748, CacheKB: 512},
	{Vendor: "AuthenticAMD", Model: "AMD EPYC 7402P 24-Core Processor", Family: 23, ModelNumber: 49, Stepping: 0, Microcode: "0x830107c", MHz: 2794.750, CacheKB: 512},
}

// New makes a machine. Equal seeds and specs give equal machines.
func New(seed []byte, s Spec) *Machine {
	r := Rand(seed, "machine")
	m := &Machine{Hostname: s.Hostname, Domain: s.Domain, Seed: r.Uint64()}
	if m.Hostname == "" {
		m.Hostname = hostname(Rand(seed, "hostname"))
	}
	if m.Domain == "" {
		m.Domain = Pick(Rand(seed, "domain"), "lan", "internal", "intra", "corp", "hq.local", "prod.internal")
	}
	day := 24 * time.Hour
	cycle := time.Duration(60+r.IntN(80))*day + time.Duration(r.IntN(86400))*time.Second
	m.Boot = lastTurn(s.Now, cycle, time.Duration(r.IntN(86400*40))*time.Second, 2*day)
	m.Installed = lastTurn(m.Boot, 700*day, time.Duration(r.IntN(86400*300))*time.Second, 150*day)
	m.Kernel = kernelAt(m.Boot, r.IntN(3))
	m.Kernel.Builder = builder
	m.processor(r)
	gib := int64(Pick(r, 4, 8, 8, 16))
	m.MemTotal = (gib<<20 - 135000 - gib<<20/80 - int64(r.IntN(1500))) &^ 3
	m.SwapTotal = 999420
	m.disks(r, s)
	m.network(r)
	m.Product = Pick(r,
		Product{"QEMU", "Standard PC (Q35 + ICH9, 2009)", "pc-q35-7.2", "1.16.2-debian-1.16.2-1"},
		Product{"QEMU", "Standard PC (i440FX + PIIX, 1996)", "pc-i440fx-7.2", "rel-1.16.2-0-gea1b7a073390-prebuilt.qemu.org"},
		Product{"Red Hat", "KVM", "RHEL 7.6.0 PC (i440FX + PIIX, 1996)", "1.11.0-2.el7"})
	var id [16]byte
	for i := range id {
		id[i] = byte(r.Uint32())
	}
	m.MachineID = hex.EncodeToString(id[:])
	m.Busy = 0.04 + 0.2*r.Float64()
	m.NextPID = 1100 + r.IntN(400)
	m.Processes = processes(r, m, s.Lived)
	m.sockets(r, s.Lived)
	if s.Lived {
		m.history(Rand(seed, "logins"), s)
	}
	return m
}

// Built returns the day a kernel was built, from its version.
func (k Kernel) Built() time.Time {
	day := strings.TrimSuffix(k.Version[strings.LastIndexByte(k.Version, '(')+1:], ")")
	t, err := time.Parse(time.DateOnly, day)
	if err != nil {
		return time.Time{}
	}
	return t
}

// kernelAt chooses what a machine that started then runs: nothing built later,
// and seldom the newest but two.
func kernelAt(boot time.Time, behind int) Kernel {
	last := 0
	for i, k := range kernels {
		if k.Built().Add(36 * time.Hour).Before(boot) {
			last = i
		}
	}
	return kernels[max(0, last-behind/2)]
}

func hostname(r *rand.Rand) string {
	role := Pick(r, "billing", "crm", "intranet", "shop", "portal", "booking", "invoice", "tickets", "payroll",
		"fleet", "orders", "catalog", "claims", "dispatch", "partner", "reports", "survey", "archive", "press", "members")
	switch r.IntN(5) {
	case 0:
		return fmt.Sprintf("%s%02d", role, 1+r.IntN(4))
	case 1:
		return role + "-prod"
	case 2:
		return fmt.Sprintf("%s-app%d", role, 1+r.IntN(3))
	case 3:
		return fmt.Sprintf("vm-%s-%02d", role, 1+r.IntN(12))
	default:
		return fmt.Sprintf("%s-web%02d", role, 1+r.IntN(3))
	}
}

func (m *Machine) processor(r *rand.Rand) {
	c := Pick(r, processors...)
	c.Sockets, c.Cores, c.Threads = 1, Pick(r, 2, 2, 4, 4, 8), 1
	c.BogoMIPS = float64(int(c.MHz*200)) / 100
	c.Hypervisor = "KVM"
	c.AddressSizes = "40 bits physical, 48 bits virtual"
	n := c.Cores
	plural := func(size, each int, unit string) string {
		if n == 1 {
			return fmt.Sprintf("%d %s (1 instance)", size*each, unit)
		}
		return fmt.Sprintf("%d %s (%d instances)", size*each, unit, n)
	}
	c.L1d, c.L1i = plural(32, n, "KiB"), plural(32, n, "KiB")
	if c.Vendor == "AuthenticAMD" {
		c.Flags, c.Bugs, c.L2, c.L3 = amdFlags, amdBugs, plural(n, 512, "KiB"), "16 MiB (1 instance)"
		if n > 1 {
			c.L2 = fmt.Sprintf("%d MiB (%d instances)", max(1, n/2), n)
		}
	} else {
		c.Flags, c.Bugs, c.L2, c.L3 = intelFlags, intelBugs, fmt.Sprintf("%d MiB (%d instances)", 4*n, n), "16 MiB (1 instance)"
	}
	m.CPU = c
}

// disks lays out one virtio disk as Debian's installer does: a root partition
// and a swap partition inside an extended one.
func (m *Machine) disks(r *rand.Rand, s Spec) {
	const mib = 1 << 20
	size := int64(Pick(r, 32, 40, 50, 64, 80, 100)) << 30
	swap := int64(976) * mib
	root := size - swap - 2*mib
	m.Disks = []Disk{{Name: "vda", Major: 254, Size: size, Parts: []Part{
		{Name: "vda1", Type: "ext4", UUID: uuid(r), Start: mib, Size: root - 1*mib, Mount: "/"},
		{Name: "vda2", Type: "", Start: root + mib - 1024, Size: 1024},
		{Name: "vda5", Type: "swap", UUID: uuid(r), Start: root + mib, Size: swap, Mount: "[SWAP]"},
	}}}
	kib := (root - mib) / 1024
	used := int64(1_900_000 + r.IntN(600_000))
	if s.Lived {
		used += int64(2_000_000 + r.IntN(9_000_000))
	}
	fs := kib - kib*7/400
	tmp := m.MemTotal / 10 &^ 3
	half := m.MemTotal / 2 &^ 3
	m.Mounts = []Mount{
		{Source: "sysfs", Target: "/sys", Type: "sysfs", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 21},
		{Source: "proc", Target: "/proc", Type: "proc", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 22},
		{Source: "udev", Target: "/dev", Type: "devtmpfs", Options: fmt.Sprintf("rw,nosuid,relatime,size=%dk,nr_inodes=%d,mode=755,inode64", half-12*1024, half/4-3072), Size: half - 12*1024, Dev: 5},
		{Source: "devpts", Target: "/dev/pts", Type: "devpts", Options: "rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000", Dev: 23},
		{Source: "tmpfs", Target: "/run", Type: "tmpfs", Options: fmt.Sprintf("rw,nosuid,nodev,noexec,relatime,size=%dk,mode=755,inode64", tmp), Size: tmp, Used: 620 + int64(r.IntN(400)), Dev: 24},
		{Source: "/dev/vda1", Target: "/", Type: "ext4", Options: "rw,relatime,errors=remount-ro", Size: fs, Used: used, Inodes: kib / 16, InodesUsed: 61000 + int64(r.IntN(30000)), Dev: 254<<8 | 1},
		{Source: "securityfs", Target: "/sys/kernel/security", Type: "securityfs", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 7},
		{Source: "tmpfs", Target: "/dev/shm", Type: "tmpfs", Options: "rw,nosuid,nodev,inode64", Size: half, Dev: 25},
		{Source: "tmpfs", Target: "/run/lock", Type: "tmpfs", Options: "rw,nosuid,nodev,noexec,relatime,size=5120k,inode64", Size: 5120, Dev: 26},
		{Source: "cgroup2", Target: "/sys/fs/cgroup", Type: "cgroup2", Options: "rw,nosuid,nodev,noexec,relatime,nsdelegate,memory_recursiveprot", Dev: 27},
		{Source: "pstore", Target: "/sys/fs/pstore", Type: "pstore", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 28},
		{Source: "bpf", Target: "/sys/fs/bpf", Type: "bpf", Options: "rw,nosuid,nodev,noexec,relatime,mode=700", Dev: 29},
		{Source: "systemd-1", Target: "/proc/sys/fs/binfmt_misc", Type: "autofs", Options: "rw,relatime,fd=30,pgrp=1,timeout=0,minproto=5,maxproto=5,direct,pipe_ino=" + fmt.Sprint(11000+r.IntN(4000)), Dev: 30},
		{Source: "hugetlbfs", Target: "/dev/hugepages", Type: "hugetlbfs", Options: "rw,relatime,pagesize=2M", Dev: 31},
		{Source: "mqueue", Target: "/dev/mqueue", Type: "mqueue", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 20},
		{Source: "debugfs", Target: "/sys/kernel/debug", Type: "debugfs", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 8},
		{Source: "tracefs", Target: "/sys/kernel/tracing", Type: "tracefs", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 13},
		{Source: "fusectl", Target: "/sys/fs/fuse/connections", Type: "fusectl", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 32},
		{Source: "configfs", Target: "/sys/kernel/config", Type: "configfs", Options: "rw,nosuid,nodev,noexec,relatime", Dev: 33},
		{Source: "ramfs", Target: "/run/credentials/systemd-sysctl.service", Type: "ramfs", Options: "ro,nosuid,nodev,noexec,relatime,mode=700", Dev: 34},
		{Source: "ramfs", Target: "/run/credentials/systemd-tmpfiles-setup-dev.service", Type: "ramfs", Options: "ro,nosuid,nodev,noexec,relatime,mode=700", Dev: 35},
	}
}

func uuid(r *rand.Rand) string {
	a, b := r.Uint64(), r.Uint64()
	a = a&^0xf000 | 0x4000
	b = b&^(3<<62) | 2<<62
	return fmt.Sprintf("%08x-%04x-%04x-%04x-%012x", a>>32, a>>16&0xffff, a&0xffff, b>>48, b&0xffffffffffff)
}

func (m *Machine) network(r *rand.Rand) {
	net := [4]byte{10, byte(10 + r.IntN(200)), byte(r.IntN(250)), byte(20 + r.IntN(200))}
	if r.IntN(3) == 0 {
		net[0], net[1] = 192, 168
	}
	gw := net
	gw[3] = Pick[byte](r, 1, 1, 254)
	mac := fmt.Sprintf("52:54:00:%02x:%02x:%02x", r.IntN(256), r.IntN(256), r.IntN(256))
	var ll [16]byte
	var b [6]byte
	fmt.Sscanf(mac, "%x:%x:%x:%x:%x:%x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5])
	copy(ll[:], []byte{0xfe, 0x80, 0, 0, 0, 0, 0, 0, b[0] ^ 2, b[1], b[2], 0xff, 0xfe, b[3], b[4], b[5]})
	m.Interfaces = []Interface{
		{Name: "lo", MAC: "00:00:00:00:00:00", Addr: netip.MustParsePrefix("127.0.0.1/8"), Addr6: netip.MustParsePrefix("::1/128"), MTU: 65536, Loopback: true, RxRate: 40, TxRate: 40},
		{
			Name: Pick(r, "ens18", "ens3", "eth0", "enp1s0"), MAC: mac, Addr: netip.PrefixFrom(netip.AddrFrom4(net), 24), Addr6: netip.PrefixFrom(netip.AddrFrom16(ll), 64), MTU: 1500,
			RxRate: 900 + 4000*r.Float64(), TxRate: 700 + 3000*r.Float64(),
		},
	}
	m.Gateway = netip.AddrFrom4(gw)
	m.GatewayMAC = fmt.Sprintf("%s:%02x:%02x:%02x", Pick(r, "00:1c:73", "b8:27:eb", "00:50:56", "f4:1e:57", "2c:c8:1b"), r.IntN(256), r.IntN(256), r.IntN(256))
	m.DNS = []netip.Addr{m.Gateway}
	if r.IntN(2) == 0 {
		m.DNS = []netip.Addr{netip.AddrFrom4([4]byte{gw[0], gw[1], gw[2], byte(2 + r.IntN(8))}), netip.AddrFrom4([4]byte{9, 9, 9, 9})}
	}
}

// Main returns the interface that carries the machine's address.
func (m *Machine) Main() Interface {
	for _, i := range m.Interfaces {
		if !i.Loopback {
			return i
		}
	}
	return Interface{}
}
