// Package machine is the one model of the pretended computer: its name, kernel,
// processor, memory, disks, addresses, processes and logins. /proc, ps, free,
// uptime, lscpu, df, ip and w all derive from it, so they cannot contradict each
// other. What moves, moves with the clock handed in, by formula: the same
// machine asked twice for the same moment gives the same answer.
package machine

import (
	"net/netip"
	"time"
)

// A Machine is immutable once built and shared by all attackers. What one
// attacker's sessions add (processes, logins) is in a [Table].
type Machine struct {
	Hostname, Domain string
	Kernel           Kernel
	CPU              CPU
	MemTotal         int64 // KiB
	SwapTotal        int64 // KiB
	Boot             time.Time
	Installed        time.Time // when the system was set up
	Disks            []Disk
	Mounts           []Mount
	Interfaces       []Interface
	Gateway          netip.Addr
	GatewayMAC       string
	DNS              []netip.Addr
	Processes        []Process // the system's own, by PID
	Sockets          []Socket
	Logins           []Login // earlier ones, oldest first
	Product          Product
	MachineID        string
	NextPID          int // of the first process started at Installed's pace
	Busy             float64
	Seed             uint64
}

// A Kernel is what uname says.
type Kernel struct {
	Release string // 6.1.0-37-amd64
	Version string // #1 SMP PREEMPT_DYNAMIC Debian 6.1.140-1 (2025-05-22)
	Builder string // compiler line of /proc/version, without the version
}

// A CPU describes the processors; all are alike.
type CPU struct {
	Vendor, Model                 string
	Family, ModelNumber, Stepping int
	Microcode                     string
	MHz, BogoMIPS                 float64
	CacheKB                       int
	L1d, L1i, L2, L3              string // as lscpu writes them
	Sockets, Cores, Threads       int    // per machine, socket and core
	Flags, Bugs                   string
	Hypervisor                    string
	AddressSizes                  string
}

// Count returns the number of logical processors.
func (c CPU) Count() int { return max(1, c.Sockets*c.Cores*c.Threads) }

// A Disk is one block device and its partitions.
type Disk struct {
	Name, Model string
	Size        int64 // bytes
	Major       int
	Parts       []Part
}

// A Part is one partition.
type Part struct {
	Name, Type, UUID string
	Start, Size      int64 // bytes
	Mount            string
}

// A Mount is one line of /proc/mounts and, when Size is set, of df.
type Mount struct {
	Source, Target, Type, Options string
	Size, Used                    int64 // KiB; Used grows slowly with time
	Inodes, InodesUsed            int64
	Dev                           uint64
}

// An Interface is one network interface.
type Interface struct {
	Name, MAC string
	Addr      netip.Prefix
	Addr6     netip.Prefix
	MTU       int
	Loopback  bool
	RxRate    float64 // bytes per second
	TxRate    float64
}

// A Product is what DMI says.
type Product struct{ Vendor, Name, Version, BIOS string }

// A Socket is one open socket of the system's own.
type Socket struct {
	Proto       string // tcp, tcp6, udp, udp6
	Local, Peer netip.AddrPort
	State       string // LISTEN, ESTAB, UNCONN
	PID, FD     int
	Process     string
	Inode       uint64
	UID         uint32
	Backlog     int
}

// A Process is one process.
type Process struct {
	PID, PPID int
	UID, GID  uint32
	User      string
	Name      string   // comm, at most 15 bytes
	Exe       string   // "" for kernel threads
	Args      []string // command line; empty for kernel threads
	Env       []string
	Cwd       string
	TTY       string // "" or pts/0
	Start     time.Time
	State     string // as ps' STAT column; "" means S
	VSZ, RSS  int64  // KiB
	CPU       time.Duration
	Share     float64 // part of one processor used, adding to CPU
	Threads   int
	Nice      int
	// Signal is called when a process of a session is signalled; nil ends it.
	Signal func(sig int)
}

// KernelThread reports a kernel thread.
func (p Process) KernelThread() bool { return p.Exe == "" && len(p.Args) == 0 }

// A Login is one session of a user.
type Login struct {
	User, TTY, From string
	At, Until       time.Time // Until zero: still there
	PID             int
	Reboot          bool
	Crash           bool
	Kernel          string
	Local, Peer     netip.AddrPort // of a live connection
	Server          string         // program that carries it: sshd, telnetd
}

// Uptime returns how long the machine has been up.
func (m *Machine) Uptime(now time.Time) time.Duration { return max(time.Second, now.Sub(m.Boot)) }
