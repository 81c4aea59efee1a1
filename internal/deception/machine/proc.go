package machine

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// Proc is the synthetic tree of /proc. It answers from the machine and from the
// [Table] of the file system it is asked through.
type Proc struct{ M *Machine }

// Create fails as the kernel does: nothing can be made in /proc.
func (Proc) Create(string, bool) vfs.Errno { return vfs.ENOENT }

// file is one generated file: its mode and how it is made.
type file struct {
	mode uint32
	make func(m *Machine, t *Table, now time.Time) string
}

const (
	readOnly  = vfs.Regular | 0o444
	readWrite = vfs.Regular | 0o644
	folder    = vfs.Dir | 0o555
)

// top is /proc's own entries in directory order; processes follow.
var top = []string{
	"fb", "fs", "bus", "dma", "irq", "net", "sys", "tty", "acpi", "keys", "kmsg", "misc", "mtrr", "stat", "iomem", "kcore", "locks", "swaps",
	"crypto", "driver", "mounts", "uptime", "vmstat", "cgroups", "cmdline", "cpuinfo", "devices", "ioports", "loadavg", "meminfo", "modules",
	"version", "consoles", "kallsyms", "pressure", "slabinfo", "softirqs", "zoneinfo", "buddyinfo", "diskstats", "key-users", "schedstat",
	"interrupts", "kpagecount", "kpageflags", "partitions", "timer_list", "execdomains", "filesystems", "kpagecgroup", "sched_debug",
	"vmallocinfo", "pagetypeinfo", "sysrq-trigger", "self", "thread-self",
}

// folders of /proc that hold something, and those that are empty here.
var procFolders = map[string][]string{
	"sys":               {"abi", "debug", "dev", "fs", "kernel", "net", "user", "vm"},
	"sys/abi":           {},
	"sys/debug":         {},
	"sys/dev":           {},
	"sys/user":          {},
	"sys/fs":            {"file-max", "file-nr", "inotify", "nr_open", "protected_hardlinks", "protected_symlinks", "suid_dumpable"},
	"sys/fs/inotify":    {"max_user_watches"},
	"sys/kernel":        {"core_pattern", "dmesg_restrict", "domainname", "hostname", "kptr_restrict", "modules_disabled", "nmi_watchdog", "osrelease", "ostype", "panic", "pid_max", "printk", "random", "randomize_va_space", "sysrq", "tainted", "threads-max", "unprivileged_userns_clone", "version", "yama"},
	"sys/kernel/random": {"boot_id", "entropy_avail", "poolsize", "uuid"},
	"sys/kernel/yama":   {"ptrace_scope"},
	"sys/vm":            {"dirty_background_ratio", "dirty_ratio", "drop_caches", "max_map_count", "min_free_kbytes", "mmap_min_addr", "nr_hugepages", "overcommit_memory", "overcommit_ratio", "panic_on_oom", "swappiness", "vfs_cache_pressure"},
	"sys/net":           {"core", "ipv4", "ipv6"},
	"sys/net/core":      {"netdev_max_backlog", "rmem_max", "somaxconn", "wmem_max"},
	"sys/net/ipv4":      {"icmp_echo_ignore_all", "ip_forward", "ip_local_port_range", "tcp_fin_timeout", "tcp_keepalive_time", "tcp_max_syn_backlog", "tcp_syncookies", "tcp_tw_reuse"},
	"sys/net/ipv6":      {},
	"fs":                {}, "bus": {}, "irq": {}, "tty": {}, "acpi": {}, "driver": {}, "pressure": {"cpu", "io", "memory"},
}

// values are the settings under /proc/sys with Debian's defaults.
var values = map[string]string{
	"sys/fs/file-max": "9223372036854775807", "sys/fs/nr_open": "1048576", "sys/fs/protected_hardlinks": "1", "sys/fs/protected_symlinks": "1",
	"sys/fs/suid_dumpable": "0", "sys/fs/inotify/max_user_watches": "29613",
	"sys/kernel/core_pattern": "core", "sys/kernel/dmesg_restrict": "1", "sys/kernel/domainname": "(none)", "sys/kernel/kptr_restrict": "0",
	"sys/kernel/modules_disabled": "0", "sys/kernel/nmi_watchdog": "0", "sys/kernel/ostype": "Linux", "sys/kernel/panic": "0",
	"sys/kernel/pid_max": "4194304", "sys/kernel/printk": "4\t4\t1\t7", "sys/kernel/randomize_va_space": "2", "sys/kernel/sysrq": "438",
	"sys/kernel/tainted": "0", "sys/kernel/threads-max": "31482", "sys/kernel/unprivileged_userns_clone": "1", "sys/kernel/yama/ptrace_scope": "0",
	"sys/kernel/random/entropy_avail": "256", "sys/kernel/random/poolsize": "256",
	"sys/vm/dirty_background_ratio": "10", "sys/vm/dirty_ratio": "20", "sys/vm/drop_caches": "0", "sys/vm/max_map_count": "65530",
	"sys/vm/min_free_kbytes": "67584", "sys/vm/mmap_min_addr": "65536", "sys/vm/nr_hugepages": "0", "sys/vm/overcommit_memory": "0",
	"sys/vm/overcommit_ratio": "50", "sys/vm/panic_on_oom": "0", "sys/vm/swappiness": "60", "sys/vm/vfs_cache_pressure": "100",
	"sys/net/core/netdev_max_backlog": "1000", "sys/net/core/rmem_max": "212992", "sys/net/core/somaxconn": "4096", "sys/net/core/wmem_max": "212992",
	"sys/net/ipv4/icmp_echo_ignore_all": "0", "sys/net/ipv4/ip_forward": "0", "sys/net/ipv4/ip_local_port_range": "32768\t60999",
	"sys/net/ipv4/tcp_fin_timeout": "60", "sys/net/ipv4/tcp_keepalive_time": "7200", "sys/net/ipv4/tcp_max_syn_backlog": "512",
	"sys/net/ipv4/tcp_syncookies": "1", "sys/net/ipv4/tcp_tw_reuse": "2",
}

// Lookup finds one entry.
func (p Proc) Lookup(env vfs.Env, rel string) (vfs.Entry, bool) {
	if rel == "" {
		return vfs.Entry{Mode: folder, Ino: 1, Mtime: p.M.Boot}, true
	}
	first, rest, _ := strings.Cut(rel, "/")
	t := TableOf(env.FS)
	if pid, err := strconv.Atoi(first); err == nil {
		return p.process(env, t, pid, rest)
	}
	e := vfs.Entry{Path: rel[strings.LastIndexByte(rel, '/')+1:], Ino: 4026531840 + number(rel)%400, Mtime: env.Now, Mode: readOnly}
	self := env.Self
	if self == 0 {
		self = 1
	}
	switch rel {
	case "self":
		e.Mode, e.Target = vfs.Symlink|0o777, strconv.Itoa(self)
		return e, true
	case "thread-self":
		e.Mode, e.Target = vfs.Symlink|0o777, fmt.Sprintf("%d/task/%d", self, self)
		return e, true
	case "mounts", "net":
		e.Mode, e.Target = vfs.Symlink|0o777, "self/"+rel
		return e, true
	}
	if _, ok := procFolders[rel]; ok {
		e.Mode = folder
		return e, true
	}
	if v, ok := values[rel]; ok {
		e.Mode, e.Text = readWrite, v+"\n"
		return e, true
	}
	if f, ok := dynamic(rel); ok {
		if f.mode != 0 {
			e.Mode = f.mode
		}
		e.Content = func(env vfs.Env) []byte { return []byte(f.make(p.M, t, env.Now)) }
		return e, true
	}
	if first == rel {
		for _, name := range top {
			if name == rel {
				e.Content = func(vfs.Env) []byte { return nil }
				return locked(e), true
			}
		}
	}
	return vfs.Entry{}, false
}

// locked gives the modes of those files root alone may read.
func locked(e vfs.Entry) vfs.Entry {
	switch e.Path {
	case "kcore", "kmsg", "kpagecount", "kpageflags", "kpagecgroup", "slabinfo", "vmallocinfo", "timer_list", "pagetypeinfo":
		e.Mode = vfs.Regular | 0o400
	case "sysrq-trigger":
		e.Mode = vfs.Regular | 0o200
	}
	return e
}

// number makes an inode number of a path.
func number(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h >> 20
}

// List lists one folder.
func (p Proc) List(env vfs.Env, rel string) []vfs.Entry {
	var names []string
	prefix := rel + "/"
	switch first, rest, _ := strings.Cut(rel, "/"); {
	case rel == "":
		prefix, names = "", append(names, top...)
		if t := TableOf(env.FS); t != nil {
			for _, q := range t.List() {
				names = append(names, strconv.Itoa(q.PID))
			}
		}
	case first != "" && first[0] >= '0' && first[0] <= '9':
		pid, _ := strconv.Atoi(first)
		names = p.listProcess(env, pid, rest)
	default:
		names = procFolders[rel]
	}
	out := make([]vfs.Entry, 0, len(names))
	for _, n := range names {
		if e, ok := p.Lookup(env, prefix+n); ok {
			e.Path = n
			out = append(out, e)
		}
	}
	return out
}
