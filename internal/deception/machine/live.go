package machine

import (
	"fmt"
	"net/netip"
	"time"
)

// Memory is the state of memory in KiB, as /proc/meminfo names it.
type Memory struct {
	Total, Free, Available, Buffers, Cached, SReclaimable, SUnreclaim          int64
	Shmem, Active, Inactive, AnonPages, Mapped, Dirty, KernelStack, PageTables int64
	SwapTotal, SwapFree, SwapCached, VmallocUsed, Percpu, Committed            int64
}

// Used returns what free calls used.
func (m Memory) Used() int64 { return m.Total - m.Available }

// BuffCache returns what free calls buff/cache.
func (m Memory) BuffCache() int64 { return m.Buffers + m.Cached + m.SReclaimable }

// Memory returns the state of memory at a moment: what the processes hold, and
// a page cache that fills after boot and breathes.
func (m *Machine) Memory(now time.Time) Memory {
	var rss int64
	for _, p := range m.Processes {
		rss += p.RSS
	}
	anon := rss*6/10 + int64(m.drift("anon", now, 7*time.Second)*18000)
	up := m.Uptime(now)
	warm := min(1, 0.25+float64(up)/float64(9*24*time.Hour))
	kernel := int64(210000)
	cache := int64(float64(m.MemTotal-anon-kernel) * 0.62 * warm)
	cache += int64(m.drift("cache", now, 11*time.Second) * 24000)
	buffers := cache/19 + int64(m.drift("buffers", now, 5*time.Second)*400)
	slab := cache / 12
	x := Memory{
		Total: m.MemTotal, Buffers: buffers &^ 3, Cached: (cache - buffers) &^ 3, SReclaimable: slab &^ 3,
		SUnreclaim: 48000 + int64(m.noise("slab", now.Unix()/60)*4000)&^3,
		Shmem:      980 + int64(m.Seed%600)&^3, SwapTotal: m.SwapTotal, SwapFree: m.SwapTotal,
		KernelStack: 3200 + int64(len(m.Processes))*16, PageTables: 4800 + anon/90&^3,
		Dirty: int64(m.noise("dirty", now.Unix()/3)*500) &^ 3, VmallocUsed: 22000 + int64(m.Seed%900)&^3, Percpu: int64(m.CPU.Count()) * 800,
	}
	x.Mapped, x.AnonPages = (rss/3)&^3, anon&^3
	x.Free = (m.MemTotal - anon - kernel - cache - slab) &^ 3
	x.Available = x.Free + (x.Cached+x.Buffers+x.SReclaimable)*93/100
	x.Active, x.Inactive = (anon/8+x.Cached*3/10)&^3, (anon*7/8+x.Cached*6/10)&^3
	x.Committed = (anon*5/2 + 310000) &^ 3
	return x
}

// Load returns the three load averages. They move, the shorter the faster, and
// never rest at zero.
func (m *Machine) Load(now time.Time) (one, five, fifteen float64) {
	at := now.Truncate(5 * time.Second)
	one = m.Busy*(0.1+2*m.drift("load1", at, 70*time.Second)) + 0.01
	five = m.Busy*(0.5+m.drift("load5", at, 5*time.Minute)) + 0.01
	fifteen = m.Busy*(0.7+0.5*m.drift("load15", at, 15*time.Minute)) + 0.01
	return one, five, fifteen
}

// CPUTime returns the processor time since boot, of all processors together.
type CPUTime struct{ User, Nice, System, Idle, IOWait, SoftIRQ, Steal time.Duration }

// CPUTime returns how the processors spent their time since boot.
func (m *Machine) CPUTime(now time.Time) CPUTime {
	up := float64(m.Uptime(now))
	all := up * float64(m.CPU.Count())
	share := func(f float64) time.Duration { return time.Duration(f * m.Busy * up) }
	t := CPUTime{User: share(.052), Nice: share(.0004), System: share(.021), IOWait: share(.0041), SoftIRQ: share(.0009), Steal: share(.0022)}
	t.Idle = time.Duration(all*0.993) - t.User - t.Nice - t.System - t.IOWait - t.SoftIRQ - t.Steal
	return t
}

// Used returns processor time a process has used by now.
func (p Process) Used(now time.Time) time.Duration {
	return p.CPU + time.Duration(float64(now.Sub(p.Start))*p.Share)
}

// UsedKiB returns how much of a mounted file system is used; on disk it grows a
// little every day.
func (m *Machine) UsedKiB(t Mount, now time.Time) int64 {
	if t.Type != "ext4" {
		return t.Used
	}
	days := now.Sub(m.Boot).Hours() / 24
	return min(t.Size*9/10, t.Used+int64(days*2900)+int64(m.drift("disk", now, time.Minute)*64)) &^ 3
}

// Traffic returns bytes and packets an interface has seen since boot.
func (m *Machine) Traffic(i Interface, now time.Time) (rx, rxPackets, tx, txPackets int64) {
	up := m.Uptime(now).Seconds()
	rx, tx = int64(up*i.RxRate), int64(up*i.TxRate)
	if i.Loopback {
		return rx, rx / 340, rx, rx / 340
	}
	return rx, rx / 171, tx, tx / 233
}

// FQDN returns the full host name.
func (m *Machine) FQDN() string {
	if m.Domain == "" {
		return m.Hostname
	}
	return m.Hostname + "." + m.Domain
}

// A Session is what a login leaves in the process table.
type Session struct {
	TTY    string // "pts/0", "" without a terminal
	SSHD   int    // of an SSH login: the process that carries it
	Parent int    // of the shell
	t      *Table
	pids   []int
}

// OpenSSH records an SSH login: sshd's processes, the entry of who and the
// connection. tty asks for a terminal. Close it when the connection ends.
func (t *Table) OpenSSH(user string, uid, gid uint32, tty bool, local, peer netip.AddrPort) *Session {
	s := &Session{t: t}
	name := "notty"
	if tty {
		s.TTY = t.FreeTTY()
		name = s.TTY
	}
	listener := 1
	for _, p := range t.M.Processes {
		if p.Name == "sshd" {
			listener = p.PID
		}
	}
	spawn := func(ppid int, uid, gid uint32, owner, title string) int {
		pid := t.Spawn(Process{
			PPID: ppid, UID: uid, GID: gid, User: owner, Name: "sshd", Exe: "/usr/sbin/sshd", Args: []string{title},
			Cwd: "/", State: "Ss", VSZ: 17744, RSS: 10980, CPU: 20 * time.Millisecond,
		})
		s.pids = append(s.pids, pid)
		return pid
	}
	if uid == 0 {
		s.SSHD = spawn(listener, 0, 0, "root", fmt.Sprintf("sshd: %s@%s", user, name))
	} else {
		priv := spawn(listener, 0, 0, "root", fmt.Sprintf("sshd: %s [priv]", user))
		s.SSHD = spawn(priv, uid, gid, user, fmt.Sprintf("sshd: %s@%s", user, name))
	}
	s.Parent = s.SSHD
	t.login(Login{User: user, TTY: s.TTY, From: peer.Addr().String(), At: t.now(), PID: s.SSHD, Local: local, Peer: peer, Server: "sshd"})
	return s
}

// Close ends the session.
func (s *Session) Close() {
	for _, pid := range s.pids {
		s.t.Exit(pid)
	}
	s.t.logout(s.Parent)
}

// Sockets returns the machine's sockets and the attacker's own connections.
func (t *Table) Sockets() []Socket {
	t.mu.Lock()
	defer t.mu.Unlock()
	out := append([]Socket(nil), t.M.Sockets...)
	for _, l := range t.logins {
		if l.Until.IsZero() && l.Peer.IsValid() {
			out = append(out, Socket{
				Proto: "tcp", Local: l.Local, Peer: l.Peer, State: "ESTAB", PID: l.PID, FD: 4, Process: l.Server,
				Inode: 30000 + uint64(l.PID)*3,
			})
		}
	}
	return out
}
