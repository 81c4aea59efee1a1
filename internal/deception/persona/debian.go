package persona

import (
	_ "embed"
	"fmt"
	"maps"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// What packages outside the index install, and what only the installed or only
// the used server has; same form as baseIndex.
var (
	//go:embed extra.tsv
	extraIndex string
	//go:embed fresh.tsv
	freshIndex string
	//go:embed lived.tsv
	livedIndex string
)

// debian builds Debian 12; lived says whether somebody has been using it.
func debian(seed []byte, name string, o Options, lived bool) (*Host, error) {
	if o.Now.IsZero() {
		return nil, fmt.Errorf("persona %s: the moment of deployment is missing", name)
	}
	boss := admin(seed)
	spec := machine.Spec{Now: o.Now, Hostname: o.Hostname, Domain: o.Domain, Lived: lived, Admin: boss.Name}
	h := &Host{
		Name:     name,
		Machine:  machine.New(seed, spec),
		SSH:      SSHFacts{Banner: "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10", Version: "OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20"},
		HTTP:     HTTPFacts{Server: "nginx/1.22.1"},
		Packages: packages(),
		seed:     seed,
	}
	m := h.Machine
	h.people(seed, boss, lived)
	h.Image = vfs.NewImage(m.Seed, m.Installed)
	h.Image.OnNew(func(f *vfs.FS) { f.SetView(m.NewTable(f.Now)) })
	b := &builder{h: h, at: m.Installed}
	b.skeleton()
	indexes := []string{baseIndex, extraIndex, freshIndex}
	if lived {
		indexes[2] = livedIndex
		h.App = application(seed, boss)
		maps.Copy(h.Packages, livedPackages(m))
	}
	for _, index := range indexes {
		b.check(loadIndex(h.Image, index, m.Installed))
	}
	b.kernel()
	b.devices()
	b.etc(lived)
	b.homes(boss, lived)
	b.state(lived)
	if lived {
		b.server(boss)
		b.application(boss)
	}
	b.mounts()
	if b.err != nil {
		return nil, fmt.Errorf("persona %s: %w", name, b.err)
	}
	return h, nil
}

// A builder fills an image and keeps the first error.
type builder struct {
	h   *Host
	at  time.Time // of change, for what is added next
	err error
}

func (b *builder) check(err error) {
	if b.err == nil {
		b.err = err
	}
}

func (b *builder) add(e vfs.Entry) {
	if e.Mtime.IsZero() {
		e.Mtime = b.at
	}
	b.check(b.h.Image.Add(e))
}

// text adds a file of root's, mode 0644 unless given.
func (b *builder) text(path, content string, mode ...uint32) {
	e := vfs.Entry{Path: path, Mode: 0o644, Text: content}
	if len(mode) > 0 {
		e.Mode = mode[0]
	}
	b.add(e)
}

// own adds a file of somebody's.
func (b *builder) own(path string, uid, gid, mode uint32, content string) {
	b.add(vfs.Entry{Path: path, Mode: mode, UID: uid, GID: gid, Text: content})
}

func (b *builder) dir(path string, mode uint32, owner ...uint32) {
	e := vfs.Entry{Path: path, Mode: vfs.Dir | mode}
	if len(owner) == 2 {
		e.UID, e.GID = owner[0], owner[1]
	}
	b.add(e)
}

func (b *builder) link(path, target string) {
	b.add(vfs.Entry{Path: path, Mode: vfs.Symlink | 0o777, Target: target})
}

// live adds a file made when it is read.
func (b *builder) live(path string, mode, uid, gid uint32, made func(vfs.Env) []byte) {
	b.add(vfs.Entry{Path: path, Mode: mode, UID: uid, GID: gid, Content: made})
}

// skeleton is the folders and links every Debian has at its root.
func (b *builder) skeleton() {
	for _, d := range strings.Fields("/boot /dev /etc /home /media /mnt /opt /run /srv /usr /var /usr/bin /usr/sbin /usr/lib /usr/lib64 /usr/games /usr/include " +
		"/usr/local /usr/local/bin /usr/local/etc /usr/local/games /usr/local/include /usr/local/lib /usr/local/sbin /usr/local/share /usr/local/src /usr/share /usr/src " +
		"/var/backups /var/cache /var/lib /var/log /var/opt /var/spool /var/spool/cron /etc/alternatives /etc/opt /media/cdrom0 /run/lock /run/systemd /run/user /run/sshd /lost+found /var/spool/mail") {
		b.dir(d, 0o755)
	}
	b.dir("/root", 0o700)
	b.dir("/lost+found", 0o700)
	b.dir("/tmp", 0o1777)
	b.dir("/var/tmp", 0o1777)
	b.dir("/run/lock", 0o1777)
	b.dir("/var/mail", 0o2775, 0, 8)
	b.dir("/var/local", 0o2775, 0, 50)
	b.dir("/proc", 0o555)
	b.dir("/sys", 0o555)
	for link, target := range map[string]string{
		"/bin": "usr/bin", "/sbin": "usr/sbin", "/lib": "usr/lib", "/lib64": "usr/lib64",
		"/etc/mtab": "../proc/self/mounts", "/usr/local/man": "share/man", "/media/cdrom": "cdrom0",
	} {
		b.link(link, target)
	}
	b.check(b.h.Image.Remove("/var/spool/mail"))
	b.link("/var/spool/mail", "../mail")
}

// kernel is what belongs to the running kernel.
func (b *builder) kernel() {
	r := b.h.Machine.Kernel.Release
	for _, v := range []vfs.Entry{
		{Path: "/boot/vmlinuz-" + r, Mode: 0o644, Size: 8181664, Source: bytesOf{hashOf(r)}},
		{Path: "/boot/initrd.img-" + r, Mode: 0o644, Size: 38761472 + int64(b.h.Machine.Seed%90000), Source: bytesOf{hashOf("i" + r)}},
		{Path: "/boot/System.map-" + r, Mode: 0o644, Size: 83, Text: "ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg package\n"},
		{Path: "/boot/config-" + r, Mode: 0o644, Size: 259572, Source: prose{key: hashOf("c" + r), size: 259572, head: "#\n# Automatically generated file; DO NOT EDIT.\n# Linux/x86 " + strings.TrimSuffix(r, "-amd64") + " Kernel Configuration\n#\n"}},
	} {
		v.Mtime = b.h.Machine.Boot.Add(-70 * time.Hour)
		b.add(v)
	}
	b.link("/vmlinuz", "boot/vmlinuz-"+r)
	b.link("/initrd.img", "boot/initrd.img-"+r)
	if b.h.Name == "debian-12-fresh" {
		b.check(b.h.Image.Remove("/vmlinuz"))
		b.check(b.h.Image.Remove("/initrd.img"))
		b.check(b.h.Image.Remove("/lost+found"))
	}
	for _, d := range []string{"kernel/drivers/net", "kernel/drivers/block", "kernel/fs/ext4", "kernel/net/ipv4", "kernel/crypto"} {
		b.dir("/usr/lib/modules/"+r+"/"+d, 0o755)
	}
	b.add(vfs.Entry{Path: "/usr/lib/modules/" + r + "/modules.dep", Mode: 0o644, Size: 586241, Source: bytesOf{1}})
}

// devices are the nodes of /dev.
func (b *builder) devices() {
	b.at = b.h.Machine.Boot.Add(2 * time.Second)
	node := func(name string, mode, gid uint32, major, minor uint64) {
		b.add(vfs.Entry{Path: "/dev/" + name, Mode: mode, GID: gid, Rdev: major<<8 | minor})
	}
	for _, d := range []struct {
		name         string
		mode, gid    uint32
		major, minor uint64
	}{
		{"null", 0o666, 0, 1, 3},
		{"zero", 0o666, 0, 1, 5},
		{"full", 0o666, 0, 1, 7},
		{"random", 0o666, 0, 1, 8},
		{"urandom", 0o666, 0, 1, 9},
		{"kmsg", 0o644, 0, 1, 11},
		{"mem", 0o640, 15, 1, 1},
		{"port", 0o640, 15, 1, 4},
		{"tty", 0o666, 5, 5, 0},
		{"console", 0o600, 0, 5, 1},
		{"ptmx", 0o666, 5, 5, 2},
		{"tty0", 0o620, 5, 4, 0},
		{"tty1", 0o620, 5, 4, 1},
		{"tty2", 0o620, 5, 4, 2},
		{"ttyS0", 0o660, 20, 4, 64},
		{"fuse", 0o666, 0, 10, 229},
		{"hpet", 0o600, 0, 10, 228},
		{"rtc0", 0o600, 0, 249, 0},
		{"vga_arbiter", 0o600, 0, 10, 63},
		{"uinput", 0o600, 0, 10, 223},
		{"vcs", 0o660, 5, 7, 0},
		{"vcs1", 0o660, 5, 7, 1},
		{"snapshot", 0o600, 0, 10, 231},
		{"loop-control", 0o660, 6, 10, 237},
		{"watchdog", 0o600, 0, 10, 130},
		{"cpu_dma_latency", 0o600, 0, 10, 124},
		{"userfaultfd", 0o600, 0, 10, 126},
	} {
		node(d.name, vfs.Char|d.mode, d.gid, d.major, d.minor)
	}
	for _, disk := range b.h.Machine.Disks {
		node(disk.Name, vfs.Block|0o660, 6, uint64(disk.Major), 0)
		for _, p := range disk.Parts {
			minor := uint64(p.Name[len(p.Name)-1] - '0')
			node(p.Name, vfs.Block|0o660, 6, uint64(disk.Major), minor)
			if p.UUID != "" {
				b.link("/dev/disk/by-uuid/"+p.UUID, "../../"+p.Name)
			}
		}
	}
	b.dir("/dev/pts", 0o755)
	node("pts/ptmx", vfs.Char, 0, 5, 2)
	b.dir("/dev/shm", 0o1777)
	for _, d := range []string{"mqueue", "hugepages", "input", "mapper", "net"} {
		b.dir("/dev/"+d, 0o755)
	}
	node("net/tun", vfs.Char|0o666, 0, 10, 200)
	for link, target := range map[string]string{
		"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
		"core": "/proc/kcore", "rtc": "rtc0", "log": "/run/systemd/journal/dev-log", "initctl": "/run/initctl",
	} {
		b.link("/dev/"+link, target)
	}
	b.at = b.h.Machine.Installed
}

// mounts tells the image which folders are file systems of their own.
func (b *builder) mounts() {
	for _, m := range b.h.Machine.Mounts {
		switch {
		case m.Target == "/":
			b.check(b.h.Image.Mount(vfs.Mount{Path: "/", Dev: m.Dev}))
		case m.Target == "/proc":
			b.check(b.h.Image.Mount(vfs.Mount{Path: "/proc", Dev: m.Dev, Tree: machine.Proc{M: b.h.Machine}}))
		case m.Target == "/sys":
			b.check(b.h.Image.Mount(vfs.Mount{Path: "/sys", Dev: m.Dev, Tree: machine.NewSys(b.h.Machine)}))
		case strings.HasPrefix(m.Target, "/sys/"), strings.HasPrefix(m.Target, "/proc/"), strings.HasPrefix(m.Target, "/run/credentials"):
		default:
			b.check(b.h.Image.Mount(vfs.Mount{Path: m.Target, Dev: m.Dev}))
		}
	}
}

// packages reads the package index.
func packages() map[string]Package {
	out := map[string]Package{}
	for line := range strings.Lines(packageIndex) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) == 8 {
			out[f[0]] = Package{Name: f[0], Version: f[1], Arch: f[2], Size: f[3], Section: f[4], Priority: f[5], Essential: f[6] == "yes", Summary: f[7]}
		}
	}
	return out
}

// livedPackages are those a used server has on top.
func livedPackages(m *machine.Machine) map[string]Package {
	out := map[string]Package{}
	for _, p := range [][3]string{
		{"nginx", "1.22.1-9+deb12u3", "small, powerful, scalable web/proxy server"},
		{"nginx-common", "1.22.1-9+deb12u3", "small, powerful, scalable web/proxy server - common files"},
		{"php8.2-fpm", "8.2.29-1~deb12u1", "server-side, HTML-embedded scripting language (FPM-CGI binary)"},
		{"php8.2-cli", "8.2.29-1~deb12u1", "command-line interpreter for the PHP scripting language"},
		{"php8.2-mysql", "8.2.29-1~deb12u1", "MySQL module for PHP"},
		{"mariadb-server", "1:10.11.18-0+deb12u1", "MariaDB database server binaries"},
		{"pciutils", "1:3.9.0-4", "PCI utilities"},
		{"lsb-release", "12.0-1", "Linux Standard Base version reporting utility (minimal implementation)"},
		{"iptables", "1.8.9-2", "administration tools for packet filtering and NAT"},
		{"unzip", "6.0-28", "De-archiver for .zip files"},
		{"zip", "3.0-13", "Archiver for .zip files"},
		{"htop", "3.2.2-2", "interactive processes viewer"},
		{"screen", "4.9.0-4", "terminal multiplexer with VT100/ANSI terminal emulation"},
		{"dbus", "1.14.10-1~deb12u1", "simple interprocess messaging system (system message bus)"},
		{"systemd-timesyncd", "252.39-1~deb12u2", "minimalistic service to synchronize local time with NTP servers"},
		{"udev", "252.39-1~deb12u2", "/dev/ and hotplug management daemon"},
		{"kmod", "30+20221128-1", "tools for managing Linux kernel modules"},
		{"xz-utils", "5.4.1-1+deb12u1", "XZ-format compression utilities"},
		{"bzip2", "1.0.8-5+b1", "high-quality block-sorting file compressor - utilities"},
		{"psmisc", "23.6-1", "utilities that use the proc file system"},
		{"xxd", "2:9.0.1378-2+deb12u2", "tool to make (or reverse) a hex dump"},
		{"cpio", "2.13+dfsg-7.1+deb12u1", "GNU cpio -- a program to manage archives of files"},
		{"ifupdown", "0.8.41", "high level tools to configure network interfaces"},
		{"isc-dhcp-client", "4.4.3-P1-2", "DHCP client for automatically obtaining an IP address"},
		{"grub-pc", "2.06-13+deb12u1", "GRand Unified Bootloader, version 2 (PC/BIOS version)"},
		{"linux-image-" + m.Kernel.Release, kernelVersion(m), "Linux 6.1 for 64-bit PCs (signed)"},
	} {
		out[p[0]] = Package{Name: p[0], Version: p[1], Arch: "amd64", Size: "1204", Section: "admin", Priority: "optional", Summary: p[2]}
	}
	return out
}

// kernelVersion is the package's version: 6.1.140-1.
func kernelVersion(m *machine.Machine) string {
	f := strings.Fields(m.Kernel.Version)
	return f[len(f)-2]
}
