package machine

import (
	"cmp"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"
)

// service is a daemon as it is started at boot.
type service struct {
	user     string
	uid, gid uint32
	name     string
	exe      string
	args     []string
	vsz, rss int64
	share    float64
	threads  int
	nice     int
	state    string
	tty      string
	after    int // PIDs since the one before
	delay    time.Duration
	parent   string
}

func daemons(lived bool) []service {
	list := []service{
		{name: "systemd-journal", exe: "/usr/lib/systemd/systemd-journald", args: []string{"/lib/systemd/systemd-journald"}, vsz: 50032, rss: 16420, share: .00005, state: "Ss", after: 30, delay: 3 * time.Second},
		{name: "systemd-udevd", exe: "/usr/bin/udevadm", args: []string{"/lib/systemd/systemd-udevd"}, vsz: 26988, rss: 6560, share: .00001, state: "Ss", after: 24, delay: 3 * time.Second},
		{user: "systemd-timesync", uid: 997, gid: 997, name: "systemd-timesyn", exe: "/usr/lib/systemd/systemd-timesyncd", args: []string{"/lib/systemd/systemd-timesyncd"}, vsz: 90068, rss: 6700, share: .00001, threads: 2, state: "Ssl", after: 90, delay: 4 * time.Second},
		{name: "cron", exe: "/usr/sbin/cron", args: []string{"/usr/sbin/cron", "-f"}, vsz: 6608, rss: 2700, share: .00001, state: "Ss", after: 14, delay: 5 * time.Second},
		{user: "messagebus", uid: 101, gid: 103, name: "dbus-daemon", exe: "/usr/bin/dbus-daemon", args: []string{"/usr/bin/dbus-daemon", "--system", "--address=systemd:", "--nofork", "--nopidfile", "--systemd-activation", "--syslog-only"}, vsz: 9128, rss: 4860, share: .00001, state: "Ss", after: 1, delay: 5 * time.Second},
		{name: "rsyslogd", exe: "/usr/sbin/rsyslogd", args: []string{"/usr/sbin/rsyslogd", "-n", "-iNONE"}, vsz: 222788, rss: 6020, share: .00002, threads: 4, state: "Ssl", after: 3, delay: 5 * time.Second},
		{name: "systemd-logind", exe: "/usr/lib/systemd/systemd-logind", args: []string{"/lib/systemd/systemd-logind"}, vsz: 50120, rss: 7580, share: .00001, state: "Ss", after: 1, delay: 5 * time.Second},
		{name: "agetty", exe: "/usr/sbin/agetty", args: []string{"/sbin/agetty", "-o", "-p -- \\u", "--noclear", "-", "linux"}, vsz: 5872, rss: 1020, state: "Ss+", tty: "tty1", after: 12, delay: 6 * time.Second},
		{name: "sshd", exe: "/usr/sbin/sshd", args: []string{"sshd: /usr/sbin/sshd -D [listener] 0 of 10-100 startups"}, vsz: 15432, rss: 9400, share: .00002, state: "Ss", after: 9, delay: 6 * time.Second},
	}
	if !lived {
		return list
	}
	return append(list,
		service{name: "nginx", exe: "/usr/sbin/nginx", args: []string{"nginx: master process /usr/sbin/nginx -g daemon on; master_process on;"}, vsz: 10348, rss: 1720, state: "Ss", after: 21, delay: 7 * time.Second},
		service{user: "www-data", uid: 33, gid: 33, name: "nginx", exe: "/usr/sbin/nginx", args: []string{"nginx: worker process"}, vsz: 11900, rss: 5488, share: .0002, state: "S", after: 1, delay: 7 * time.Second, parent: "nginx"},
		service{user: "www-data", uid: 33, gid: 33, name: "nginx", exe: "/usr/sbin/nginx", args: []string{"nginx: worker process"}, vsz: 11900, rss: 5520, share: .0002, state: "S", after: 1, delay: 7 * time.Second, parent: "nginx"},
		service{user: "mysql", uid: 102, gid: 104, name: "mariadbd", exe: "/usr/sbin/mariadbd", args: []string{"/usr/sbin/mariadbd"}, vsz: 1356780, rss: 231560, share: .003, threads: 9, state: "Ssl", after: 34, delay: 9 * time.Second},
		service{name: "php-fpm8.2", exe: "/usr/sbin/php-fpm8.2", args: []string{"php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)"}, vsz: 203784, rss: 21080, share: .0001, state: "Ss", after: 17, delay: 8 * time.Second},
		service{user: "www-data", uid: 33, gid: 33, name: "php-fpm8.2", exe: "/usr/sbin/php-fpm8.2", args: []string{"php-fpm: pool www"}, vsz: 204480, rss: 19860, share: .0004, state: "S", after: 5, delay: 8 * time.Second, parent: "php-fpm8.2"},
		service{user: "www-data", uid: 33, gid: 33, name: "php-fpm8.2", exe: "/usr/sbin/php-fpm8.2", args: []string{"php-fpm: pool www"}, vsz: 204480, rss: 19420, share: .0004, state: "S", after: 1, delay: 8 * time.Second, parent: "php-fpm8.2"},
	)
}

// processes lists what runs since boot: init, the kernel's threads, daemons.
func processes(r *rand.Rand, m *Machine, lived bool) []Process {
	out := []Process{{
		PID: 1, User: "root", Name: "systemd", Exe: "/usr/lib/systemd/systemd", Args: []string{"/sbin/init"},
		Cwd: "/", Start: m.Boot, State: "Ss", VSZ: 168604, RSS: 12940, Share: .00004, Threads: 1,
	}}
	pid := 2
	thread := func(name, state string, nice int, gap int) {
		ppid := 2
		if pid == 2 {
			ppid = 0
		}
		out = append(out, Process{
			PID: pid, PPID: ppid, User: "root", Name: name, Start: m.Boot, State: state, Nice: nice,
			Share: .00002 * r.Float64(), Threads: 1,
		})
		pid += gap
	}
	for _, n := range []string{"kthreadd"} {
		thread(n, "S", 0, 1)
	}
	for _, n := range []string{"rcu_gp", "rcu_par_gp", "slub_flushwq", "netns"} {
		thread(n, "I<", -20, 1)
	}
	pid++
	thread("kworker/0:0H-events_highpri", "I<", -20, 2)
	for _, n := range []string{"mm_percpu_wq"} {
		thread(n, "I<", -20, 1)
	}
	for _, n := range []string{"rcu_tasks_kthread", "rcu_tasks_rude_kthread", "rcu_tasks_trace_kthread"} {
		thread(n, "I", 0, 1)
	}
	for c := range m.CPU.Count() {
		if c == 0 {
			thread("ksoftirqd/0", "S", 0, 1)
			thread("rcu_preempt", "I", 0, 1)
			thread("migration/0", "S", 0, 2)
			thread("cpuhp/0", "S", 0, 1)
			continue
		}
		for _, n := range []string{"cpuhp/%d", "migration/%d", "ksoftirqd/%d"} {
			thread(fmt.Sprintf(n, c), "S", 0, 1)
		}
		pid++
		thread(fmt.Sprintf("kworker/%d:0H-events_highpri", c), "I<", -20, 1)
	}
	pid += 4
	for _, n := range []string{"kdevtmpfs", "kauditd", "khungtaskd", "oom_reaper"} {
		thread(n, "S", 0, 1)
	}
	thread("writeback", "I<", -20, 1)
	thread("kcompactd0", "S", 0, 1)
	thread("ksmd", "SN", 5, 1)
	thread("khugepaged", "SN", 19, 1)
	for _, n := range []string{"kintegrityd", "kblockd", "blkcg_punt_bio", "tpm_dev_wq", "edac-poller", "devfreq_wq"} {
		thread(n, "I<", -20, 1)
	}
	thread("kswapd0", "S", 0, 6)
	for _, n := range []string{"kthrotld", "acpi_thermal_pm", "mld", "ipv6_addrconf", "kstrp", "zswap-shrink"} {
		thread(n, "I<", -20, 1+r.IntN(2))
	}
	pid += 40 + r.IntN(20)
	for _, n := range []string{"ata_sff", "scsi_eh_0", "scsi_tmf_0", "scsi_eh_1", "scsi_tmf_1"} {
		thread(n, "S", 0, 1)
	}
	pid += 20 + r.IntN(10)
	thread("jbd2/vda1-8", "S", 0, 1)
	thread("ext4-rsv-conver", "I<", -20, 1)
	return append(out, boot(r, m, pid, lived)...)
}

// boot starts the daemons.
func boot(r *rand.Rand, m *Machine, pid int, lived bool) []Process {
	var out []Process
	for _, d := range daemons(lived) {
		pid += d.after
		if d.after > 5 {
			pid += r.IntN(6)
		}
		p := Process{
			PID: pid, PPID: 1, UID: d.uid, GID: d.gid, User: d.user, Name: d.name, Exe: d.exe, Args: d.args,
			Cwd: "/", TTY: d.tty, Start: m.Boot.Add(d.delay), State: d.state, VSZ: d.vsz, RSS: d.rss + int64(r.IntN(400)) - 200,
			Share: d.share * (0.6 + r.Float64()), Threads: max(1, d.threads), Nice: d.nice,
		}
		if p.User == "" {
			p.User = "root"
		}
		for _, q := range out {
			if q.Name == d.parent && q.PPID == 1 {
				p.PPID = q.PID
			}
		}
		out = append(out, p)
	}
	return out
}

// sockets lists what the daemons listen on.
func (m *Machine) sockets(r *rand.Rand, lived bool) {
	inode := uint64(14000 + r.IntN(3000))
	listen := func(proto, addr, name string, fd, backlog int, uid uint32) {
		inode += uint64(3 + r.IntN(900))
		for _, p := range m.Processes {
			if p.Name == name && p.PPID == 1 {
				a := netip.MustParseAddrPort(addr)
				any4, any6 := netip.AddrPortFrom(netip.IPv4Unspecified(), 0), netip.AddrPortFrom(netip.IPv6Unspecified(), 0)
				peer := any4
				if a.Addr().Is6() {
					peer = any6
				}
				m.Sockets = append(m.Sockets, Socket{Proto: proto, Local: a, Peer: peer, State: "LISTEN", PID: p.PID, FD: fd, Process: name, Inode: inode, UID: uid, Backlog: backlog})
				return
			}
		}
	}
	listen("tcp", "0.0.0.0:22", "sshd", 3, 128, 0)
	listen("tcp6", "[::]:22", "sshd", 4, 128, 0)
	if lived {
		listen("tcp", "0.0.0.0:80", "nginx", 5, 511, 0)
		listen("tcp6", "[::]:80", "nginx", 6, 511, 0)
		listen("tcp", "127.0.0.1:3306", "mariadbd", 23, 80, 102)
	}
}

// history is who logged in before, from one or two desks of the house.
func (m *Machine) history(r *rand.Rand, s Spec) {
	admin := cmp.Or(s.Admin, "root")
	base := m.Main().Addr.Addr().As4()
	desk := func() string {
		a := base
		a[2], a[3] = a[2]+1, byte(11+r.IntN(3)*7)
		return netip.AddrFrom4(a).String()
	}
	m.Logins = append(m.Logins, Login{User: "reboot", TTY: "system boot", Reboot: true, Kernel: m.Kernel.Release, At: m.Boot})
	for at := m.Boot.Add(11 * time.Minute); at.Before(s.Now.Add(-30 * time.Hour)); {
		// People log in at work: shift into the day.
		day := at.Truncate(24 * time.Hour).Add(time.Duration(7*3600+r.IntN(9*3600)) * time.Second)
		if day.After(m.Boot) {
			m.Logins = append(m.Logins, Login{User: admin, TTY: "pts/0", From: desk(), At: day, Until: day.Add(time.Duration(60+r.IntN(5400)) * time.Second)})
		}
		at = at.Add(time.Duration(2+r.IntN(9)) * 24 * time.Hour)
	}
}
