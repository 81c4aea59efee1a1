package machine

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// inProcess is the entries of /proc/PID in directory order.
var inProcess = []string{
	"task", "fd", "fdinfo", "ns", "net", "environ", "auxv", "status", "personality", "limits", "sched", "comm", "cmdline", "stat",
	"statm", "maps", "mem", "cwd", "root", "exe", "mounts", "mountinfo", "wchan", "cgroup", "oom_score", "oom_score_adj", "loginuid", "sessionid", "io",
}

var inNet = []string{"arp", "dev", "if_inet6", "route", "snmp", "sockstat", "tcp", "tcp6", "udp", "udp6", "unix"}

// inNS is the namespaces of a process, and initialNS their numbers: those every
// process of a machine without containers shares. The kernel numbers the first
// of each kind downwards from 0xeffffffc (include/linux/proc_ns.h), but mnt, net
// and the rest it counts while it boots.
var (
	inNS      = []string{"net", "uts", "ipc", "pid", "pid_for_children", "user", "mnt", "cgroup", "time", "time_for_children"}
	initialNS = map[string]uint32{"ipc": 4026531839, "uts": 4026531838, "user": 4026531837, "pid": 4026531836, "cgroup": 4026531835, "time": 4026531834, "net": 4026531840, "mnt": 4026531841}
)

// process finds an entry of /proc/PID.
func (p Proc) process(env vfs.Env, t *Table, pid int, rel string) (vfs.Entry, bool) {
	if t == nil {
		return vfs.Entry{}, false
	}
	q, ok := t.Get(pid)
	if !ok {
		return vfs.Entry{}, false
	}
	e := vfs.Entry{
		Path: rel[strings.LastIndexByte(rel, '/')+1:], UID: q.UID, GID: q.GID, Mtime: env.Now, Mode: readOnly,
		Ino: uint64(pid)*1000 + number(rel)%1000,
	}
	if rel == "" {
		e.Path, e.Mode = strconv.Itoa(pid), folder
		return e, true
	}
	if task, rest, found := strings.Cut(rel, "/"); found && task == "task" {
		tid, below, _ := strings.Cut(rest, "/")
		if tid != strconv.Itoa(pid) {
			return vfs.Entry{}, false
		}
		return p.process(env, t, pid, below)
	}
	switch rel {
	case "task", "fdinfo", "net":
		e.Mode = folder
		return e, true
	case "fd", "ns":
		e.Mode = vfs.Dir | map[string]uint32{"fd": 0o500, "ns": 0o511}[rel]
		return e, true
	case "exe", "cwd", "root":
		e.Mode, e.Target = vfs.Symlink|0o777, map[string]string{"exe": q.Exe, "cwd": q.Cwd, "root": "/"}[rel]
		if e.Target == "" {
			e.Target = "/"
		}
		return e, rel != "exe" || q.Exe != ""
	}
	if n, ok := strings.CutPrefix(rel, "ns/"); ok {
		at := slices.Index(inNS, n)
		kind := strings.TrimSuffix(n, "_for_children")
		e.Mode, e.Target = vfs.Symlink|0o777, fmt.Sprintf("%s:[%d]", kind, initialNS[kind])
		return e, at >= 0
	}
	if n, ok := strings.CutPrefix(rel, "fd/"); ok {
		e.Mode, e.Target = vfs.Symlink|0o700, q.descriptor(n, env.Self == pid)
		return e, e.Target != ""
	}
	if n, ok := strings.CutPrefix(rel, "net/"); ok {
		f, ok := netFile(n)
		e.UID, e.GID = 0, 0
		e.Content = func(env vfs.Env) []byte { return []byte(f(p.M, t, env.Now)) }
		return e, ok
	}
	make := q.file(p.M, rel)
	if make == nil {
		return vfs.Entry{}, false
	}
	switch rel {
	case "environ", "auxv", "io", "personality":
		e.Mode = vfs.Regular | 0o400
	case "comm", "oom_score_adj", "loginuid":
		e.Mode = readWrite
	case "mem":
		e.Mode = vfs.Regular | 0o600
	}
	e.Content = func(env vfs.Env) []byte { return []byte(make(env.Now)) }
	return e, true
}

// listProcess names what a folder of /proc/PID holds.
func (p Proc) listProcess(env vfs.Env, pid int, rel string) []string {
	switch rel {
	case "":
		return inProcess
	case "net":
		return inNet
	case "task":
		return []string{strconv.Itoa(pid)}
	case "ns":
		return inNS
	case "fd":
		if pid == env.Self {
			return []string{"0", "1", "2", "3"}
		}
		return []string{"0", "1", "2"}
	}
	return nil
}

// descriptor says what an open file of a process is; the one that looks also
// holds the folder it reads.
func (q Process) descriptor(n string, self bool) string {
	switch {
	case q.KernelThread():
		return ""
	case n == "3" && self:
		return fmt.Sprintf("/proc/%d/fd", q.PID)
	case n != "0" && n != "1" && n != "2":
		return ""
	case q.PPID == 1:
		return map[string]string{"0": "/dev/null", "1": fmt.Sprintf("socket:[%d]", 13000+q.PID*3), "2": fmt.Sprintf("socket:[%d]", 13000+q.PID*3)}[n]
	case q.TTY != "":
		return "/dev/" + q.TTY
	}
	i, _ := strconv.Atoi(n)
	return fmt.Sprintf("pipe:[%d]", 30000+q.PID*3+i)
}

// file returns how a text file of /proc/PID is made, nil when there is none.
func (q Process) file(m *Machine, name string) func(now time.Time) string {
	fixed := func(s string) func(time.Time) string { return func(time.Time) string { return s } }
	switch name {
	case "cmdline":
		if len(q.Args) == 0 {
			return fixed("")
		}
		return fixed(strings.Join(q.Args, "\x00") + "\x00")
	case "comm":
		return fixed(q.Name + "\n")
	case "environ":
		if len(q.Env) == 0 {
			return fixed("")
		}
		return fixed(strings.Join(q.Env, "\x00") + "\x00")
	case "status":
		return func(now time.Time) string { return q.status(m) }
	case "stat":
		return func(now time.Time) string { return q.stat(m, now) }
	case "statm":
		return fixed(fmt.Sprintf("%d %d %d %d 0 %d 0\n", q.VSZ/4, q.RSS/4, q.RSS/6, 27, q.VSZ/16))
	case "mounts":
		return fixed(m.MountTable())
	case "mountinfo":
		return fixed(m.mountInfo())
	case "cgroup":
		return fixed("0::" + q.cgroup() + "\n")
	case "limits":
		return fixed(limits)
	case "oom_score":
		return fixed("666\n")
	case "oom_score_adj":
		return fixed("0\n")
	case "loginuid":
		if q.PPID <= 2 {
			return fixed("4294967295")
		}
		return fixed(strconv.Itoa(int(q.UID)))
	case "sessionid":
		return fixed("4294967295")
	case "wchan":
		return fixed("0")
	case "maps":
		return fixed(q.maps())
	case "io":
		return fixed(fmt.Sprintf("rchar: %d\nwchar: %d\nsyscr: %d\nsyscw: %d\nread_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n", q.RSS*31, q.RSS*3, q.RSS/9, q.RSS/50))
	case "auxv", "mem", "personality", "sched":
		return fixed("")
	}
	return nil
}

func (q Process) state() (string, string) {
	words := map[byte]string{'S': "sleeping", 'R': "running", 'I': "idle", 'T': "stopped", 'Z': "zombie", 'D': "disk sleep"}
	s := "S"
	if q.State != "" {
		s = q.State[:1]
	}
	return s, words[s[0]]
}

func (q Process) status(m *Machine) string {
	var b strings.Builder
	s, word := q.state()
	fmt.Fprintf(&b, "Name:\t%s\n", q.Name)
	if !q.KernelThread() {
		b.WriteString("Umask:\t0022\n")
	}
	fmt.Fprintf(&b, "State:\t%s (%s)\nTgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t0\n", s, word, q.PID, q.PID, q.PPID)
	fmt.Fprintf(&b, "Uid:\t%d\t%d\t%d\t%d\nGid:\t%d\t%d\t%d\t%d\nFDSize:\t64\nGroups:\t%d \n", q.UID, q.UID, q.UID, q.UID, q.GID, q.GID, q.GID, q.GID, q.GID)
	fmt.Fprintf(&b, "NStgid:\t%d\nNSpid:\t%d\nNSpgid:\t%d\nNSsid:\t%d\n", q.PID, q.PID, q.PID, q.PPID)
	if !q.KernelThread() {
		fmt.Fprintf(&b, "VmPeak:\t%8d kB\nVmSize:\t%8d kB\nVmLck:\t       0 kB\nVmPin:\t       0 kB\nVmHWM:\t%8d kB\nVmRSS:\t%8d kB\n", q.VSZ, q.VSZ, q.RSS, q.RSS)
		fmt.Fprintf(&b, "RssAnon:\t%8d kB\nRssFile:\t%8d kB\nRssShmem:\t       0 kB\nVmData:\t%8d kB\nVmStk:\t     132 kB\nVmExe:\t      20 kB\nVmLib:\t    1528 kB\nVmPTE:\t      44 kB\nVmSwap:\t       0 kB\n", q.RSS/10, q.RSS*9/10, q.VSZ/14)
		b.WriteString("HugetlbPages:\t       0 kB\nCoreDumping:\t0\nTHP_enabled:\t1\n")
	}
	caps := "0000000000000000"
	if q.UID == 0 {
		caps = "000001ffffffffff"
	}
	fmt.Fprintf(&b, "Threads:\t%d\nSigQ:\t0/%d\nSigPnd:\t0000000000000000\nShdPnd:\t0000000000000000\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\nSigCgt:\t0000000000000000\n", max(1, q.Threads), m.MemTotal/256)
	fmt.Fprintf(&b, "CapInh:\t0000000000000000\nCapPrm:\t%s\nCapEff:\t%s\nCapBnd:\t000001ffffffffff\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\nSeccomp:\t0\nSeccomp_filters:\t0\n", caps, caps)
	fmt.Fprintf(&b, "Cpus_allowed:\t%x\nCpus_allowed_list:\t0-%d\nMems_allowed:\t00000000,00000001\nMems_allowed_list:\t0\nvoluntary_ctxt_switches:\t%d\nnonvoluntary_ctxt_switches:\t%d\n", 1<<m.CPU.Count()-1, m.CPU.Count()-1, 1+q.PID%40, q.PID%7)
	return b.String()
}

func (q Process) stat(m *Machine, now time.Time) string {
	s, _ := q.state()
	ticks := int64(q.Used(now) / (10 * time.Millisecond))
	start := int64(q.Start.Sub(m.Boot) / (10 * time.Millisecond))
	tty := 0
	if n, ok := strings.CutPrefix(q.TTY, "pts/"); ok {
		i, _ := strconv.Atoi(n)
		tty = 34816 + i
	}
	return fmt.Sprintf("%d (%s) %s %d %d %d %d -1 4194304 %d 0 0 0 %d %d 0 0 %d %d %d 0 %d %d %d 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 %d 0 0 0 0 0 0 0 0 0 0 0 0 0\n",
		q.PID, q.Name, s, q.PPID, q.PID, q.PID, tty, q.RSS/12, ticks*2/3, ticks/3, 20+q.Nice, q.Nice, max(1, q.Threads), max(0, start), q.VSZ*1024, q.RSS/4, q.PID%m.CPU.Count())
}

func (q Process) cgroup() string {
	switch {
	case q.PID == 1:
		return "/init.scope"
	case q.KernelThread():
		return "/"
	case q.TTY == "tty1":
		return "/system.slice/system-getty.slice/getty@tty1.service"
	case q.PPID == 1:
		name := map[string]string{"systemd-journal": "systemd-journald", "systemd-timesyn": "systemd-timesyncd", "dbus-daemon": "dbus", "rsyslogd": "rsyslog", "sshd": "ssh", "mariadbd": "mariadb", "php-fpm8.2": "php8.2-fpm"}[q.Name]
		if name == "" {
			name = q.Name
		}
		return "/system.slice/" + name + ".service"
	}
	return fmt.Sprintf("/user.slice/user-%d.slice/session-%d.scope", q.UID, 1+q.PID/97)
}

func (q Process) maps() string {
	if q.KernelThread() {
		return ""
	}
	base := 0x55d000000000 + number(q.Exe)<<12&0xfffffff000 + uint64(q.PID)<<24&0xff000000
	lib := 0x7f3000000000 + uint64(q.PID)<<20&0xfffff00000
	return fmt.Sprintf("%012x-%012x r--p 00000000 fe:01 131%d                     %s\n%012x-%012x r-xp 00002000 fe:01 131%d                     %s\n%012x-%012x rw-p 00000000 00:00 0                          [heap]\n%012x-%012x r-xp 00026000 fe:01 132%d                     /usr/lib/x86_64-linux-gnu/libc.so.6\n%012x-%012x r-xp 00001000 fe:01 133%d                     /usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2\n7ffd4b5c1000-7ffd4b5e2000 rw-p 00000000 00:00 0                          [stack]\n7ffd4b5f0000-7ffd4b5f2000 r-xp 00000000 00:00 0                          [vdso]\n",
		base, base+0x2000, q.PID%997, q.Exe, base+0x2000, base+0x7000, q.PID%997, q.Exe, base+0x1c000, base+0x3d000, lib, lib+0x155000, 417, lib+0x1f3000, lib+0x218000, 231)
}

const limits = `Limit                     Soft Limit           Hard Limit           Units     
Max cpu time              unlimited            unlimited            seconds   
Max file size             unlimited            unlimited            bytes     
Max data size             unlimited            unlimited            bytes     
Max stack size            8388608              unlimited            bytes     
Max core file size        0                    unlimited            bytes     
Max resident set          unlimited            unlimited            bytes     
Max processes             31482                31482                processes 
Max open files            1024                 1048576              files     
Max locked memory         1018822656           1018822656           bytes     
Max address space         unlimited            unlimited            bytes     
Max file locks            unlimited            unlimited            locks     
Max pending signals       31482                31482                signals   
Max msgqueue size         819200               819200               bytes     
Max nice priority         0                    0                    
Max realtime priority     0                    0                    
Max realtime timeout      unlimited            unlimited            us        
`
