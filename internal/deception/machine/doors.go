package machine

import (
	"cmp"
	"net/netip"
	"slices"
	"strings"
	"time"
)

// A Door is a port of the machine that an outsider can reach.
type Door struct {
	Service string // kind of the service: ssh, telnet, http, ...
	Network string // tcp or udp
	Port    uint16 // as the outsider sees it
}

// daemonOf says which program of a Debian serves a kind of door.
var daemonOf = map[string]service{
	"ssh":    {name: "sshd"},
	"http":   {name: "nginx", exe: "/usr/sbin/nginx", args: []string{"nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"}, vsz: 10348, rss: 1720, state: "Ss"},
	"https":  {name: "nginx", exe: "/usr/sbin/nginx", args: []string{"nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"}, vsz: 10348, rss: 1720, state: "Ss"},
	"telnet": {name: "inetutils-inetd", exe: "/usr/sbin/inetutils-inetd", args: []string{"/usr/sbin/inetutils-inetd"}, vsz: 2636, rss: 1124, state: "Ss"},
	"ftp":    {name: "vsftpd", exe: "/usr/sbin/vsftpd", args: []string{"/usr/sbin/vsftpd", "/etc/vsftpd.conf"}, vsz: 9180, rss: 3420, state: "Ss"},
	"mysql":  {name: "mariadbd", exe: "/usr/sbin/mariadbd", args: []string{"/usr/sbin/mariadbd"}, user: "mysql", uid: 102, gid: 104, vsz: 1356780, rss: 231560, share: .003, threads: 9, state: "Ssl"},
	"redis":  {name: "redis-server", exe: "/usr/bin/redis-server", args: []string{"/usr/bin/redis-server 0.0.0.0:6379"}, vsz: 65108, rss: 13120, share: .0012, threads: 5, state: "Ssl"},
	"mqtt":   {name: "mosquitto", exe: "/usr/sbin/mosquitto", args: []string{"/usr/sbin/mosquitto", "-c", "/etc/mosquitto/mosquitto.conf"}, vsz: 15528, rss: 8040, share: .0002, state: "Ss"},
	"ntp":    {name: "ntpd", exe: "/usr/sbin/ntpd", args: []string{"/usr/sbin/ntpd", "-p", "/run/ntpd.pid", "-c", "/etc/ntpsec/ntp.conf", "-g", "-N", "-u", "ntpsec:ntpsec"}, vsz: 85072, rss: 19480, threads: 1, state: "Ss"},
}

// backlogs are what programs ask listen(2) for.
var backlogs = map[string]int{"sshd": 128, "nginx": 511, "inetutils-inetd": 10, "vsftpd": 32, "mariadbd": 80, "redis-server": 511, "mosquitto": 100}

// Serve makes the machine's programs listen on what an outsider can reach and on
// nothing else: a shell that claims more or less than a scan of the ports finds
// is a decoy's. A program that is not reached from outside listens on the
// loopback address. It returns the names of the programs that were added; it is
// called before the machine is shared.
func (m *Machine) Serve(doors []Door) (added []string) {
	wanted := map[string][]Door{}
	for _, d := range doors {
		s, ok := daemonOf[d.Service]
		if !ok {
			s = service{name: d.Service}
		}
		wanted[s.name] = append(wanted[s.name], d)
		if !slices.ContainsFunc(m.Processes, func(p Process) bool { return p.Name == cut15(s.name) }) && s.exe != "" {
			m.start(s)
			added = append(added, s.name)
		}
	}
	m.rebind(wanted)
	return added
}

// start adds a daemon after the last one the machine started at boot.
func (m *Machine) start(s service) {
	pid, delay := 0, time.Duration(0)
	for _, p := range m.Processes {
		if p.PPID == 1 && p.PID > pid {
			pid, delay = p.PID, p.Start.Sub(m.Boot)
		}
	}
	for slices.ContainsFunc(m.Processes, func(p Process) bool { return p.PID >= pid && p.PID <= pid+1 }) {
		pid++
	}
	m.Processes = append(m.Processes, Process{
		PID: pid + 1, PPID: 1, UID: s.uid, GID: s.gid, User: cmp.Or(s.user, "root"), Name: cut15(s.name), Exe: s.exe, Args: s.args, Cwd: "/",
		Start: m.Boot.Add(delay + time.Second), State: s.state, VSZ: s.vsz, RSS: s.rss, Share: s.share, Threads: max(1, s.threads),
	})
	slices.SortFunc(m.Processes, func(a, b Process) int { return cmp.Compare(a.PID, b.PID) })
	m.NextPID = max(m.NextPID, pid+40)
}

func cut15(s string) string { return s[:min(len(s), 15)] }

// rebind makes the list of sockets anew from what is wanted and from what the
// machine listened on before.
func (m *Machine) rebind(wanted map[string][]Door) {
	var out []Socket
	inode, fds := uint64(14000+m.Seed%3000), map[string]int{}
	add := func(p Process, proto string, addr netip.Addr, port uint16) {
		inode += 3 + (m.Seed>>7+inode)%400
		if fds[p.Name] == 0 {
			fds[p.Name] = map[string]int{"sshd": 3, "nginx": 5, "mariadbd": 23}[p.Name]
		}
		fds[p.Name]++
		peer, state := netip.AddrPortFrom(netip.IPv4Unspecified(), 0), "LISTEN"
		if addr.Is6() {
			peer = netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
		}
		if strings.HasPrefix(proto, "udp") {
			state = "UNCONN"
		}
		out = append(out, Socket{
			Proto: proto, Local: netip.AddrPortFrom(addr, port), Peer: peer, State: state, PID: p.PID, FD: fds[p.Name] - 1,
			Process: p.Name, Inode: inode, UID: p.UID, Backlog: backlogs[p.Name],
		})
	}
	for _, p := range m.Processes {
		if p.PPID != 1 {
			continue
		}
		doors := wanted[p.Name]
		for _, d := range doors {
			add(p, d.Network, netip.IPv4Unspecified(), d.Port)
			if p.Name != "mariadbd" && p.Name != "redis-server" {
				add(p, d.Network+"6", netip.IPv6Unspecified(), d.Port)
			}
		}
		for _, s := range m.Sockets {
			if len(doors) == 0 && s.PID == p.PID && !strings.HasSuffix(s.Proto, "6") {
				add(p, s.Proto, netip.AddrFrom4([4]byte{127, 0, 0, 1}), s.Local.Port())
			}
		}
	}
	m.Sockets = out
}

// OpenTelnet records a Telnet login: inetd's child, login(1), the entry of who
// and the connection. Close it when the connection ends.
func (t *Table) OpenTelnet(user string, local, peer netip.AddrPort) *Session {
	s := &Session{t: t, TTY: t.FreeTTY()}
	from := peer.Addr().String()
	spawn := func(ppid int, name, exe, tty, state string, args ...string) int {
		pid := t.Spawn(Process{
			PPID: ppid, User: "root", Name: name, Exe: exe, Args: args, Cwd: "/", TTY: tty, State: state, VSZ: 4680, RSS: 3380, CPU: 10 * time.Millisecond,
		})
		s.pids = append(s.pids, pid)
		return pid
	}
	parent := 1
	for _, p := range t.M.Processes {
		if p.Name == "inetutils-inetd" {
			parent = p.PID
		}
	}
	telnetd := spawn(parent, "telnetd", "/usr/sbin/telnetd", "", "Ss", "telnetd: "+from)
	s.Parent = spawn(telnetd, "login", "/usr/bin/login", s.TTY, "Ss", "login", "-p", "-h", from, "--", user)
	t.login(Login{User: user, TTY: s.TTY, From: from, At: t.now(), PID: s.Parent, Local: local, Peer: peer, Server: "telnetd"})
	return s
}
