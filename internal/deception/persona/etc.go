package persona

import (
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// etc writes the configuration files people read.
func (b *builder) etc(lived bool) {
	h, m := b.h, b.h.Machine
	b.text("/etc/passwd", h.passwd())
	b.text("/etc/passwd-", h.passwd())
	b.text("/etc/group", h.group())
	b.text("/etc/group-", h.group())
	b.own("/etc/shadow", 0, 42, 0o640, h.shadow())
	b.own("/etc/shadow-", 0, 42, 0o640, h.shadow())
	b.own("/etc/gshadow", 0, 42, 0o640, h.gshadow())
	b.own("/etc/gshadow-", 0, 42, 0o640, h.gshadow())
	b.text("/etc/hostname", m.Hostname+"\n")
	names := m.Hostname
	if lived {
		names = m.FQDN() + "\t" + m.Hostname
	}
	hosts := "127.0.0.1\tlocalhost\n127.0.1.1\t" + names + "\n"
	if lived {
		hosts += "\n# The following lines are desirable for IPv6 capable hosts\n::1     localhost ip6-localhost ip6-loopback\nff02::1 ip6-allnodes\nff02::2 ip6-allrouters\n"
	}
	b.text("/etc/hosts", hosts)
	b.fit("/etc/debian_version", "12.15\n")
	b.fit("/etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n")
	b.fit("/etc/issue.net", "Debian GNU/Linux 12\n")
	b.fit("/usr/lib/os-release", osRelease)
	b.fit("/etc/motd", motd)
	b.fit("/etc/update-motd.d/10-uname", "#!/bin/sh\nuname -snrvm\n")
	b.text("/etc/machine-id", m.MachineID+"\n", 0o444)
	resolv := ""
	if m.Domain != "" {
		resolv = "domain " + m.Domain + "\nsearch " + m.Domain + "\n"
	}
	for _, d := range m.DNS {
		resolv += "nameserver " + d.String() + "\n"
	}
	b.text("/etc/resolv.conf", resolv)
	b.text("/etc/adjtime", "0.0 0 0.0\n0\nUTC\n")
	b.text("/etc/environment", "")
	b.fit("/etc/profile", profile)
	b.fit("/etc/bash.bashrc", bashBashrc)
	b.fit("/etc/skel/.bashrc", userBashrc)
	b.fit("/etc/skel/.profile", userProfile)
	b.fit("/etc/skel/.bash_logout", userLogout)
	b.text("/etc/apt/sources.list", aptSources)
	root := m.Disks[0].Parts
	b.text("/etc/fstab", fmt.Sprintf(fstab, root[0].UUID, root[2].UUID))
	b.hostKeys()
	if lived {
		i := m.Main()
		b.text("/etc/network/interfaces", fmt.Sprintf(interfaces, i.Name, i.Name, i.Addr, m.Gateway, strings.Trim(fmt.Sprint(m.DNS), "[]")))
	}
}

// hostKeys puts SSH host keys in place. They look right and open nothing; the
// wiring may plant the real public ones over them.
func (b *builder) hostKeys() {
	r := machine.Rand(b.h.seed, "hostkeys")
	for _, k := range []struct {
		kind, name, head string
		private, public  int
	}{{"rsa", "ssh-rsa", "AAAAB3NzaC1yc2EAAAADAQABAAABgQ", 2510, 542}, {"ecdsa", "ecdsa-sha2-nistp256", "AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBB", 436, 88}, {"ed25519", "ssh-ed25519", "AAAAC3NzaC1lZDI1NTE5AAAAI", 332, 43}} {
		path := "/etc/ssh/ssh_host_" + k.kind + "_key"
		b.text(path, privateKey(r, k.private), 0o600)
		b.text(path+".pub", k.name+" "+k.head+base64ish(r, k.public)+" root@"+b.h.Machine.Hostname+"\n")
	}
}

// state writes what programs keep under /var and /run.
func (b *builder) state(lived bool) {
	h, m := b.h, b.h.Machine
	b.text("/var/lib/dpkg/arch", "amd64\n")
	b.text("/var/lib/dbus/machine-id", m.MachineID+"\n")
	b.link("/var/run", "/run")
	b.link("/var/lock", "/run/lock")
	b.packageCaches()
	b.at = m.Boot
	b.text("/run/sshd.pid", fmt.Sprintf("%d\n", h.pid("sshd")))
	b.text("/run/crond.pid", fmt.Sprintf("%d\n", h.pid("cron")))
	b.text("/run/motd.dynamic", fmt.Sprintf("Linux %s %s %s x86_64\n", m.Hostname, m.Kernel.Release, m.Kernel.Version))
	b.add(vfs.Entry{Path: "/run/utmp", Mode: 0o664, GID: 43, Size: 1536, Source: zeros{}})
	b.dir("/run/systemd/journal", 0o755)
	b.dir("/run/user/0", 0o700)
	b.add(vfs.Entry{Path: "/run/systemd/journal/dev-log", Mode: vfs.Socket | 0o666})
	for _, s := range []string{"systemd-logind", "systemd-timesyncd"} {
		if lived {
			b.dir("/tmp/systemd-private-"+m.MachineID+"-"+s+".service-"+crypt64x(b.h.seed, s), 0o700)
		}
	}
	b.at = m.Installed
	b.logs(lived)
}

// packageCaches are what apt keeps: the archives' lists and what it made of them.
func (b *builder) packageCaches() {
	b.at = b.h.Machine.Boot.Add(26 * time.Hour)
	binary := func(path string, size int64) {
		b.add(vfs.Entry{Path: path, Mode: 0o644, Size: size, Source: bytesOf{hashOf(path)}})
	}
	const lists = "/var/lib/apt/lists/"
	for _, l := range []struct {
		name          string
		release, main int64
	}{
		{"deb.debian.org_debian_dists_bookworm", 151082, 46639218},
		{"deb.debian.org_debian_dists_bookworm-updates", 55409, 72416},
		{"security.debian.org_debian-security_dists_bookworm-security", 47999, 1714236},
	} {
		release := &file{form: plainForm, key: hashOf(l.name), size: l.release}
		b.add(vfs.Entry{Path: lists + l.name + "_InRelease", Mode: 0o644, Size: l.release, Source: release})
		b.add(vfs.Entry{Path: lists + l.name + "_main_binary-amd64_Packages", Mode: 0o644, Size: l.main, Source: &file{form: plainForm, key: hashOf(l.name + "m"), size: l.main}})
	}
	b.add(vfs.Entry{Path: lists + "lock", Mode: 0o640})
	b.dir(lists+"partial", 0o700, 42, 0)
	binary("/var/cache/apt/pkgcache.bin", 42131912)
	binary("/var/cache/apt/srcpkgcache.bin", 42083440)
	b.text("/var/lib/apt/extended_states", "")
	b.add(vfs.Entry{Path: "/var/lib/dpkg/lock", Mode: 0o640})
	b.add(vfs.Entry{Path: "/var/lib/dpkg/lock-frontend", Mode: 0o640})
	b.add(vfs.Entry{Path: "/var/lib/systemd/random-seed", Mode: 0o600, Size: 32, Source: bytesOf{b.h.Machine.Seed}})
	b.at = b.h.Machine.Installed
}

func crypt64x(seed []byte, label string) string {
	return strings.NewReplacer(".", "x", "/", "y").Replace(crypt64(machine.Rand(seed, label), 6))
}

// pid returns the process id of a daemon, 1 when there is none.
func (h *Host) pid(name string) int {
	for _, p := range h.Machine.Processes {
		if p.Name == name {
			return p.PID
		}
	}
	return 1
}
