package persona

import (
	"fmt"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

func debianServer(seed []byte, name string, o Options) (*Host, error) {
	return debian(seed, name, o, true)
}

func debianFresh(seed []byte, name string, o Options) (*Host, error) {
	return debian(seed, name, o, false)
}

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
		Packages: map[string]Package{},
		seed:     seed,
	}
	m := h.Machine
	h.people(seed, boss, lived)
	h.Image = vfs.NewImage(m.Seed, m.Installed)
	h.Image.OnNew(func(f *vfs.FS) { f.SetView(m.NewTable(f.Now)) })
	h.dpkg.img = h.Image
	b := &builder{h: h, at: m.Installed, newest: m.Boot}
	b.layers(o.Image, lived)
	if lived {
		h.App = application(seed, boss)
	}
	b.configuration(debianSettings)
	b.skeleton(lived)
	for name, p := range h.dpkg.packages {
		h.Packages[name] = p.facts()
	}
	b.devices()
	b.etc(lived)
	b.homes(boss, lived)
	b.state(lived)
	if lived {
		b.server(boss)
		b.application(boss)
	}
	b.dpkgFiles()
	b.mounts()
	if b.err != nil {
		return nil, fmt.Errorf("persona %s: %w", name, b.err)
	}
	return h, nil
}

// layers loads the shipped indexes, or the operator's own and the kernel it
// lacks.
func (b *builder) layers(own []byte, lived bool) {
	if own == nil {
		b.layer(debianIndex)
		b.layer(kernelIndex)
		if lived {
			b.layer(serverIndex)
		}
		return
	}
	b.layer(own)
	if _, ok := b.h.Image.Find("/usr/lib/modules/" + b.h.Machine.Kernel.Release); !ok {
		b.layer(kernelIndex)
	}
}

// A builder fills an image and keeps the first error.
type builder struct {
	h  *Host
	at time.Time // of change, for what is added next
	// newest is the youngest time a file of a package may have.
	newest time.Time
	err    error
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

// skeleton is what an installation makes that belongs to no package: mount
// points and links a booted machine has.
func (b *builder) skeleton(lived bool) {
	r := b.h.Machine.Kernel.Release
	for _, d := range strings.Fields("/media/cdrom0 /run/lock /run/systemd /run/user /run/sshd /run/network /run/udev /run/log") {
		b.dir(d, 0o755)
	}
	b.link("/media/cdrom", "cdrom0")
	b.dir("/run/lock", 0o1777)
	b.link("/etc/mtab", "../proc/self/mounts")
	if !lived {
		return
	}
	b.link("/vmlinuz", "boot/vmlinuz-"+r)
	b.link("/initrd.img", "boot/initrd.img-"+r)
	b.link("/vmlinuz.old", "boot/vmlinuz-"+r)
	b.link("/initrd.img.old", "boot/initrd.img-"+r)
	b.dir("/lost+found", 0o700)
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
	b.terminals(node)
	b.disks(node)
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

// terminals are the consoles, serial lines and their memory.
func (b *builder) terminals(node func(name string, mode, gid uint32, major, minor uint64)) {
	for n := range uint64(64) {
		if n > 2 {
			node(fmt.Sprintf("tty%d", n), vfs.Char|0o620, 5, 4, n)
		}
	}
	for n := range uint64(4) {
		if n > 0 {
			node(fmt.Sprintf("ttyS%d", n), vfs.Char|0o660, 20, 4, 64+n)
		}
	}
	for n := range uint64(7) {
		name := ""
		if n > 0 {
			name = fmt.Sprint(n)
		}
		if n > 1 {
			node("vcs"+name, vfs.Char|0o660, 5, 7, n)
		}
		node("vcsu"+name, vfs.Char|0o660, 5, 7, 64+n)
		node("vcsa"+name, vfs.Char|0o660, 5, 7, 128+n)
	}
	b.dir("/dev/input", 0o755)
	for n := range uint64(4) {
		node(fmt.Sprintf("input/event%d", n), vfs.Char|0o660, 104, 13, 64+n)
	}
	node("input/mice", vfs.Char|0o660, 104, 13, 63)
	node("input/mouse0", vfs.Char|0o660, 104, 13, 32)
	node("hwrng", vfs.Char|0o600, 0, 10, 183)
	node("ptp0", vfs.Char|0o600, 0, 248, 0)
	node("bsg/0:0:0:0", vfs.Char|0o600, 0, 250, 0)
	for n := range uint64(b.h.Machine.CPU.Count()) {
		node(fmt.Sprintf("cpu/%d/cpuid", n), vfs.Char|0o600, 0, 203, n)
		node(fmt.Sprintf("cpu/%d/msr", n), vfs.Char|0o600, 0, 202, n)
	}
	node("mapper/control", vfs.Char|0o600, 0, 10, 236)
}

// disks are the block devices, under all their names.
func (b *builder) disks(node func(name string, mode, gid uint32, major, minor uint64)) {
	for _, disk := range b.h.Machine.Disks {
		node(disk.Name, vfs.Block|0o660, 6, uint64(disk.Major), 0)
		b.link(fmt.Sprintf("/dev/block/%d:0", disk.Major), "../"+disk.Name)
		b.link("/dev/disk/by-path/pci-0000:00:05.0", "../../"+disk.Name)
		for _, p := range disk.Parts {
			minor := uint64(p.Name[len(p.Name)-1] - '0')
			node(p.Name, vfs.Block|0o660, 6, uint64(disk.Major), minor)
			b.link(fmt.Sprintf("/dev/block/%d:%d", disk.Major, minor), "../"+p.Name)
			b.link(fmt.Sprintf("/dev/disk/by-path/pci-0000:00:05.0-part%d", minor), "../../"+p.Name)
			if p.UUID != "" {
				b.link("/dev/disk/by-uuid/"+p.UUID, "../../"+p.Name)
			}
		}
	}
	node("sr0", vfs.Block|0o660, 24, 11, 0)
	b.link("/dev/cdrom", "sr0")
	for n := range uint64(8) {
		node(fmt.Sprintf("loop%d", n), vfs.Block|0o660, 6, 7, n)
	}
}

// mounts tells the image which folders are file systems of their own.
func (b *builder) mounts() {
	for _, m := range b.h.Machine.Mounts {
		if _, ok := b.h.Image.Find(m.Target); !ok && strings.Count(m.Target, "/") == 1 {
			b.dir(m.Target, 0o755)
		}
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

// kernelVersion is the package's version: 6.1.140-1.
func kernelVersion(m *machine.Machine) string {
	f := strings.Fields(m.Kernel.Version)
	return f[len(f)-2]
}
