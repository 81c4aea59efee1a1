package persona

import (
	"fmt"
	"strings"

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
	b.text("/etc/debian_version", "12.15\n")
	b.text("/etc/issue", "Debian GNU/Linux 12 \\n \\l\n\n")
	b.text("/etc/issue.net", "Debian GNU/Linux 12\n")
	b.text("/usr/lib/os-release", osRelease)
	b.text("/etc/motd", motd)
	b.text("/etc/update-motd.d/10-uname", "#!/bin/sh\nuname -snrvm\n", 0o755)
	b.text("/etc/machine-id", m.MachineID+"\n", 0o444)
	resolv := ""
	if m.Domain != "" {
		resolv = "domain " + m.Domain + "\nsearch " + m.Domain + "\n"
	}
	for _, d := range m.DNS {
		resolv += "nameserver " + d.String() + "\n"
	}
	b.text("/etc/resolv.conf", resolv)
	b.text("/etc/host.conf", "multi on\n")
	b.text("/etc/nsswitch.conf", nsswitch)
	b.text("/etc/timezone", "Etc/UTC\n")
	b.link("/etc/localtime", "/usr/share/zoneinfo/Etc/UTC")
	b.text("/etc/adjtime", "0.0 0 0.0\n0\nUTC\n")
	b.text("/etc/environment", "")
	b.text("/etc/default/locale", "")
	b.text("/etc/shells", "# /etc/shells: valid login shells\n/bin/sh\n/usr/bin/sh\n/bin/bash\n/usr/bin/bash\n/bin/rbash\n/usr/bin/rbash\n/bin/dash\n/usr/bin/dash\n")
	b.text("/etc/profile", profile)
	b.text("/etc/bash.bashrc", bashBashrc)
	b.text("/etc/skel/.bashrc", userBashrc)
	b.text("/etc/skel/.profile", userProfile)
	b.text("/etc/skel/.bash_logout", userLogout)
	b.text("/etc/crontab", crontab)
	b.text("/etc/services", services)
	b.text("/etc/networks", "default\t\t0.0.0.0\nloopback\t127.0.0.0\nlink-local\t169.254.0.0\n\n")
	b.text("/etc/sudoers", sudoers, 0o440)
	b.text("/etc/ssh/sshd_config", sshdConfig)
	b.text("/etc/apt/sources.list", aptSources)
	b.text("/etc/ld.so.conf", "include /etc/ld.so.conf.d/*.conf\n\n")
	b.text("/etc/ld.so.conf.d/libc.conf", "# libc default configuration\n/usr/local/lib\n")
	b.text("/etc/dpkg/origins/debian", "Vendor: Debian\nVendor-URL: https://www.debian.org/\nBugs: debbugs://bugs.debian.org\n")
	b.link("/etc/dpkg/origins/default", "debian")
	b.text("/etc/security/limits.conf", limitsConf)
	b.text("/etc/rsyslog.conf", rsyslogConf)
	root := m.Disks[0].Parts
	b.text("/etc/fstab", fmt.Sprintf(fstab, root[0].UUID, root[2].UUID))
	b.hostKeys()
	for _, link := range [][2]string{
		{"/etc/systemd/system/multi-user.target.wants/ssh.service", "/lib/systemd/system/ssh.service"},
		{"/etc/systemd/system/sshd.service", "/lib/systemd/system/ssh.service"},
		{"/etc/systemd/system/multi-user.target.wants/cron.service", "/lib/systemd/system/cron.service"},
		{"/etc/systemd/system/multi-user.target.wants/rsyslog.service", "/lib/systemd/system/rsyslog.service"},
	} {
		b.link(link[0], link[1])
	}
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
