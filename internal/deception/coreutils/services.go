package coreutils

import (
	"cmp"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

func serviceCommands(name string) Command {
	switch name {
	case "systemctl":
		return systemctl
	case "service":
		return service
	case "crontab":
		return crontab
	case "journalctl":
		return journalctl
	case "hostnamectl":
		return hostnamectl
	case "timedatectl":
		return timedatectl
	case "update-rc.d", "chkconfig", "ldconfig", "update-grub", "modprobe", "insmod", "rmmod", "depmod":
		return quiet
	case "reboot", "shutdown", "halt", "poweroff", "init":
		return reboot
	}
	return nil
}

// unit is a service that runs.
type unit struct {
	name, text string
	p          machine.Process
}

var unitTexts = map[string]string{
	"systemd-journald": "Journal Service", "systemd-udevd": "Rule-based Manager for Device Events and Files", "systemd-timesyncd": "Network Time Synchronization",
	"cron": "Regular background program processing daemon", "dbus": "D-Bus System Message Bus", "rsyslog": "System Logging Service", "systemd-logind": "User Login Management",
	"ssh": "OpenBSD Secure Shell server", "nginx": "A high performance web server and a reverse proxy server", "mariadb": "MariaDB 10.11.18 database server", "php8.2-fpm": "The PHP 8.2 FastCGI Process Manager", "getty@tty1": "Getty on tty1",
}

func (p *Proc) units() []unit {
	names := map[string]string{"systemd-journal": "systemd-journald", "systemd-timesyn": "systemd-timesyncd", "dbus-daemon": "dbus", "rsyslogd": "rsyslog", "sshd": "ssh", "mariadbd": "mariadb", "php-fpm8.2": "php8.2-fpm", "agetty": "getty@tty1"}
	var out []unit
	for _, q := range p.table().List() {
		if q.PPID != 1 || q.KernelThread() {
			continue
		}
		n := cmp.Or(names[q.Name], q.Name)
		if unitTexts[n] != "" {
			out = append(out, unit{n, unitTexts[n], q})
		}
	}
	slices.SortFunc(out, func(a, b unit) int { return strings.Compare(a.name, b.name) })
	return out
}

func (p *Proc) unit(name string) (unit, bool) {
	name = strings.TrimSuffix(name, ".service")
	if name == "sshd" {
		name = "ssh"
	}
	for _, u := range p.units() {
		if u.name == name {
			return u, true
		}
	}
	return unit{}, false
}

func systemctl(p *Proc) int {
	var words []string
	for _, a := range p.Args[1:] {
		if a == "--version" {
			p.print("systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n")
			return 0
		}
		if !strings.HasPrefix(a, "-") {
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		words = []string{"list-units"}
	}
	verb, names := words[0], words[1:]
	switch verb {
	case "list-units", "list-unit-files":
		us := p.units()
		p.print("  UNIT                       LOAD   ACTIVE SUB     DESCRIPTION\n")
		for _, u := range us {
			p.printf("  %-26s loaded active running %s\n", u.name+".service", u.text)
		}
		p.printf("\nLOAD   = Reflects whether the unit definition was properly loaded.\nACTIVE = The high-level unit activation state, i.e. generalization of SUB.\nSUB    = The low-level unit activation state, values depend on unit type.\n%d loaded units listed. Pass --all to see loaded but inactive units, too.\nTo show all installed unit files use 'systemctl list-unit-files'.\n", len(us))
		return 0
	case "is-system-running":
		p.print("running\n")
		return 0
	case "get-default":
		p.print("graphical.target\n")
		return 0
	case "daemon-reload", "daemon-reexec", "reset-failed":
		return p.needRoot()
	case "status", "is-active", "is-enabled", "is-failed", "start", "stop", "restart", "reload", "enable", "disable", "mask", "unmask", "kill", "show", "cat", "try-restart":
	case "reboot", "poweroff", "halt":
		return reboot(p)
	default:
		p.complain("Unknown command verb " + verb + ".\n")
		p.Watch.Unsupported("systemctl " + verb)
		return 1
	}
	if len(names) == 0 {
		if verb == "status" {
			p.printf("● %s\n    State: running\n    Units: 231 loaded (incl. loaded aliases)\n     Jobs: 0 queued\n   Failed: 0 units\n    Since: %s\n", p.hostName(), p.machine().Boot.UTC().Format("Mon 2006-01-02 15:04:05 MST"))
			return 0
		}
		p.complain("Too few arguments.\n")
		return 1
	}
	status := 0
	for _, n := range names {
		status = max(status, p.unitVerb(verb, n))
	}
	return status
}

func (p *Proc) needRoot() int {
	if p.Cred.UID == 0 {
		return 0
	}
	p.complain("Failed to reload daemon: Interactive authentication required.\nSee system logs and 'systemctl status' for details.\n")
	return 1
}

func (p *Proc) unitVerb(verb, name string) int {
	u, ok := p.unit(name)
	full := strings.TrimSuffix(name, ".service") + ".service"
	if _, err := p.FS.Stat(vfs.Cred{}, "/usr/lib/systemd/system/"+full); err == nil && !ok {
		u, ok = unit{name: strings.TrimSuffix(name, ".service"), text: unitTexts[strings.TrimSuffix(name, ".service")]}, true
	}
	switch verb {
	case "is-active", "is-failed":
		state := "inactive"
		if ok && u.p.PID > 0 {
			state = "active"
		}
		p.print(state + "\n")
		if state == "active" {
			return 0
		}
		return 3
	case "is-enabled":
		if !ok {
			p.complain("Failed to get unit file state for " + full + ": No such file or directory\n")
			return 1
		}
		p.print("enabled\n")
		return 0
	case "status":
		if !ok {
			p.complain("Unit " + full + " could not be found.\n")
			return 4
		}
		p.unitStatus(u)
		if u.p.PID == 0 {
			return 3
		}
		return 0
	}
	if p.Cred.UID != 0 {
		p.complain("Failed to " + verb + " " + full + ": Interactive authentication required.\nSee system logs and 'systemctl status " + full + "' for details.\n")
		return 1
	}
	if !ok {
		switch verb {
		case "enable", "disable", "mask", "unmask":
			p.complain("Failed to " + verb + " unit: Unit file " + full + " does not exist.\n")
			return 1
		}
		p.complain("Failed to " + verb + " " + full + ": Unit " + full + " not found.\n")
		return 5
	}
	if verb == "stop" && u.p.PID > 0 && u.name != "ssh" {
		_ = p.table().Kill(0, u.p.PID, 15)
	}
	return 0
}

func (p *Proc) unitStatus(u unit) {
	dot, state := "●", "active (running)"
	if u.p.PID == 0 {
		dot, state = "○", "inactive (dead)"
	}
	if !p.utf8() {
		dot = "*"
	}
	p.printf("%s %s.service - %s\n     Loaded: loaded (/lib/systemd/system/%s.service; enabled; preset: enabled)\n", dot, u.name, u.text, u.name)
	if u.p.PID == 0 {
		p.printf("     Active: %s\n", state)
		return
	}
	now := p.Now()
	d := now.Sub(u.p.Start)
	ago := sprintf("%dh ago", int(d.Hours()))
	if d > 48*time.Hour {
		ago = sprintf("%d days ago", int(d.Hours())/24)
	}
	p.printf("     Active: %s since %s; %s\n   Main PID: %d (%s)\n      Tasks: %d (limit: %d)\n     Memory: %.1fM\n        CPU: %.3fs\n     CGroup: /system.slice/%s.service\n             `-%d %s\n", state, u.p.Start.UTC().Format("Mon 2006-01-02 15:04:05 MST"), ago,
		u.p.PID, u.p.Name, max(1, u.p.Threads), p.machine().MemTotal/860, float64(u.p.RSS)/1024, u.p.Used(now).Seconds(), u.name, u.p.PID, strings.Join(u.p.Args, " "))
}

func service(p *Proc) int {
	args := p.Args[1:]
	if len(args) == 0 {
		p.complain("Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]\n")
		return 1
	}
	if args[0] == "--status-all" {
		for _, n := range []string{"cron", "dbus", "hwclock.sh", "kmod", "mariadb", "networking", "nginx", "php8.2-fpm", "procps", "ssh", "sudo", "udev"} {
			_, up := p.unit(n)
			p.printf(" [ %s ]  %s\n", map[bool]string{true: "+", false: "-"}[up], n)
		}
		return 0
	}
	if len(args) == 1 {
		args = append(args, "status")
	}
	if _, ok := p.unit(args[0]); !ok && args[1] != "status" {
		if _, err := p.FS.Stat(vfs.Cred{}, "/etc/init.d/"+args[0]); err != nil {
			p.complain("Failed to " + args[1] + " " + args[0] + ".service: Unit " + args[0] + ".service not found.\n")
			return 5
		}
	}
	return p.unitVerb(args[1], args[0])
}

func crontab(p *Proc) int {
	user := p.userName(p.Cred.UID)
	action := ""
	var files []string
	for i := 1; i < len(p.Args); i++ {
		switch a := p.Args[i]; {
		case a == "-u" && i+1 < len(p.Args):
			i++
			user = p.Args[i]
			if p.Cred.UID != 0 && user != p.userName(p.Cred.UID) {
				p.complain("must be privileged to use -u\n")
				return 1
			}
		case a == "-l" || a == "-r" || a == "-e" || a == "-i":
			action = a
		case a != "-" && strings.HasPrefix(a, "-"):
			p.complain("crontab: invalid option -- '" + a[1:2] + "'\ncrontab: usage error: unrecognized option\nusage:\tcrontab [-u user] file\n\tcrontab [ -u user ] [ -i ] { -e | -l | -r }\n\t\t(default operation is replace, per 1003.2)\n\t-e\t(edit user's crontab)\n\t-l\t(list user's crontab)\n\t-r\t(delete user's crontab)\n\t-i\t(prompt before deleting user's crontab)\n")
			return 1
		default:
			files = append(files, a)
		}
	}
	if _, _, _, _, ok := p.account(user); !ok {
		p.complain("crontab:  user `" + user + "' unknown\n")
		return 1
	}
	path := "/var/spool/cron/crontabs/" + user
	switch action {
	case "-l":
		if _, err := p.FS.Stat(vfs.Cred{}, path); err != nil {
			p.complain("no crontab for " + user + "\n")
			return 1
		}
		p.print(p.slurp(path))
		return 0
	case "-r", "-i":
		if err := p.FS.Remove(vfs.Cred{}, path); err != nil {
			p.complain("no crontab for " + user + "\n")
			return 1
		}
		return 0
	case "-e":
		p.Watch.Unsupported("crontab -e")
		p.complain("no crontab for " + user + " - using an empty one\n")
		return 1
	}
	name := "-"
	if len(files) > 0 {
		name = files[0]
	}
	r, err := p.openFile(name)
	if err != nil {
		p.complain(name + ": " + why(err) + "\n")
		return 1
	}
	defer r.Close()
	text, err := p.all(r)
	if err != nil {
		return 1
	}
	defer p.alloc(-len(text))
	if n := badCron(string(text)); n > 0 {
		p.complain(sprintf("\"%s\":%d: bad minute\nerrors in crontab file, can't install.\n", name, n-1))
		return 1
	}
	_ = p.asRoot(func() error { return p.writeText(path, string(text)) })
	uid, _, _, _, _ := p.account(user)
	_ = p.FS.Chown(vfs.Cred{}, path, uid, 101, false)
	_ = p.FS.Chmod(vfs.Cred{}, path, 0o600)
	return 0
}

// badCron returns the number of the first line cron would refuse, 0 if none.
func badCron(text string) int {
	for i, l := range strings.Split(text, "\n") {
		l = strings.TrimSpace(l)
		if l == "" || l[0] == '#' || l[0] == '@' || strings.Contains(strings.SplitN(l, " ", 2)[0], "=") {
			continue
		}
		f := strings.Fields(l)
		if len(f) < 6 || strings.Trim(f[0], "0123456789*/,-~") != "" {
			return i + 1
		}
	}
	return 0
}

func journalctl(p *Proc) int {
	if p.Cred.UID != 0 && !slices.Contains(p.Cred.Groups, 4) {
		p.complain("Hint: You are currently not seeing messages from other users and the system.\n      Users in groups 'adm', 'systemd-journal' can see all messages.\n      Pass -q to turn off this notice.\n")
		p.print("-- No entries --\n")
		return 0
	}
	n := 1000
	for i, a := range p.Args {
		if (a == "-n" || a == "--lines") && i+1 < len(p.Args) {
			if v, ok := size(p.Args[i+1]); ok {
				n = int(min(v, 100000))
			}
		}
	}
	// The journal of a week; of a host just installed it is empty.
	var lines []string
	if now := p.Now(); p.Host.App.Name != "" {
		lines = strings.SplitAfter(string(p.Host.Journal(p.table(), now.Add(-7*24*time.Hour), now)), "\n")
	}
	for _, l := range lines[max(0, len(lines)-1-n):] {
		t, rest, ok := strings.Cut(l, " ")
		if at, err := time.Parse("2006-01-02T15:04:05.999999Z07:00", t); ok && err == nil {
			p.print(at.UTC().Format("Jan 02 15:04:05") + " " + rest)
		}
	}
	return 0
}

func hostnamectl(p *Proc) int {
	m := p.machine()
	if len(p.Args) > 2 && (p.Args[1] == "set-hostname" || p.Args[1] == "hostname") {
		if p.Cred.UID != 0 {
			p.complain("Could not set pretty hostname: Interactive authentication required.\n")
			return 1
		}
		_ = p.writeText("/proc/sys/kernel/hostname", p.Args[2])
		_ = p.writeText("/etc/hostname", p.Args[2]+"\n")
		return 0
	}
	p.printf(" Static hostname: %s\n       Icon name: computer-vm\n         Chassis: vm\n      Machine ID: %s\n         Boot ID: %s\n  Virtualization: kvm\nOperating System: Debian GNU/Linux 12 (bookworm)  \n          Kernel: Linux %s\n    Architecture: x86-64\n Hardware Vendor: %s\n  Hardware Model: %s\nFirmware Version: %s\n",
		p.hostName(), m.MachineID, strings.ReplaceAll(strings.TrimSpace(p.slurp("/proc/sys/kernel/random/boot_id")), "-", ""), m.Kernel.Release, m.Product.Vendor, m.Product.Name, m.Product.BIOS)
	return 0
}

func timedatectl(p *Proc) int {
	t := p.Now().UTC().Format("Mon 2006-01-02 15:04:05")
	p.printf("               Local time: %s UTC\n           Universal time: %s UTC\n                 RTC time: %s\n                Time zone: Etc/UTC (UTC, +0000)\nSystem clock synchronized: yes\n              NTP service: active\n          RTC in local TZ: no\n", t, t, t)
	return 0
}

// quiet is for commands that do their work without a word.
func quiet(p *Proc) int {
	if p.Cred.UID != 0 {
		p.errorf("%s", map[bool]string{true: "ERROR: could not insert module: Operation not permitted", false: "Permission denied"}[p.name == "modprobe" || p.name == "insmod"])
		return 1
	}
	return 0
}

func reboot(p *Proc) int {
	p.Watch.Unsupported(p.name)
	if p.Cred.UID != 0 {
		p.complain("Failed to set wall message, ignoring: Interactive authentication required.\nFailed to " + p.name + " system via logind: Interactive authentication required.\n")
		return 1
	}
	return 0
}
