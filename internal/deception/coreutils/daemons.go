package coreutils

import "strings"

// quiet is for commands that do their work without a word.
func quiet(p *Proc) int {
	if p.Cred.UID != 0 {
		p.errorf("Permission denied")
		return 1
	}
	return 0
}

// modprobe, insmod and rmmod find no module but those of the kernel that runs;
// one that is there is said to be loaded.
func modprobe(p *Proc) int {
	var names []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			names = append(names, a)
		}
	}
	release := p.machine().Kernel.Release
	switch {
	case len(names) == 0 && p.name == "insmod":
		p.complain("insmod: ERROR: missing filename.\n")
		return 1
	case len(names) == 0:
		p.complain(p.name + ": ERROR: missing parameters. See -h.\n")
		return 1
	case p.name == "insmod":
		if i, err := p.stat(names[0]); err != nil || i.IsDir() {
			p.complain("insmod: ERROR: could not load module " + names[0] + ": No such file or directory\n")
			return 1
		}
		p.complain("insmod: ERROR: could not insert module " + names[0] + ": " + map[bool]string{true: "Invalid module format", false: "Operation not permitted"}[p.Cred.UID == 0] + "\n")
		return 1
	}
	wanted := strings.ReplaceAll(names[0], "-", "_")
	loaded := false
	for line := range strings.Lines(p.slurp("/proc/modules")) {
		name, _, _ := strings.Cut(line, " ")
		loaded = loaded || name == wanted
	}
	switch {
	case p.name == "rmmod" && !loaded:
		p.complain("rmmod: ERROR: Module " + wanted + " is not currently loaded\n")
		return 1
	case p.name == "rmmod" && p.Cred.UID != 0:
		p.complain("rmmod: ERROR: ../libkmod/libkmod-module.c:799 kmod_module_remove_module() could not remove '" + wanted + "': Operation not permitted\nrmmod: ERROR: could not remove module " + names[0] + ": Operation not permitted\n")
		return 1
	case p.name == "rmmod":
		p.complain("rmmod: ERROR: Module " + wanted + " is in use\n")
		return 1
	case loaded:
		return 0
	}
	if strings.Contains(p.slurp("/lib/modules/"+release+"/modules.dep"), "/"+names[0]+".ko") {
		if p.Cred.UID != 0 {
			p.complain("modprobe: ERROR: could not insert '" + wanted + "': Operation not permitted\n")
			return 1
		}
		return 0
	}
	p.complain("modprobe: FATAL: Module " + names[0] + " not found in directory /lib/modules/" + release + "\n")
	return 1
}

// daemon is for servers started by hand: what they are is said, a wrong option
// refused; one that runs already stays as it is.
func daemon(p *Proc) int {
	if p.name == "cron" {
		if _, _, ok := p.getopt("flL:nx:NP"); !ok {
			return 1
		}
		p.complain("cron: can't lock /var/run/crond.pid, otherpid may be " + p.pidOf("cron") + ": Resource temporarily unavailable\n")
		return 1
	}
	p.Watch.Unsupported(strings.Join(p.Args, " "))
	return 0
}

// pidOf is the number of the first process of a name.
func (p *Proc) pidOf(name string) string {
	for _, q := range p.table().List() {
		if q.Name == name {
			return sprintf("%d", q.PID)
		}
	}
	return "0"
}

// said are answers to one option that asks a program what it is, where it is
// not --version or has letters of its own.
var said = map[string]string{
	"nano --version":      " GNU nano, version 7.2\n",
	"systemctl --version": "systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n",
	"ss -V":               "ss utility, iproute2-6.1.0\n",
	"ping -V":             "ping from iputils 20221126\nlibcap: yes, IDN: yes, NLS: no, error.h: yes, getrandom(): yes, __fpending(): yes\n",
	"su --version":        "su from util-linux 2.38.1\n",
	"su -V":               "su from util-linux 2.38.1\n",
	"apache2 -v":          "Server version: Apache/2.4.71 (Debian)\nServer built:   2026-11-12T08:58:41\n",
	"rsyslogd -v":         "rsyslogd  8.2302.0 (aka 2023.02) compiled with:\n\tPLATFORM:\t\t\t\tx86_64-pc-linux-gnu\n\tPLATFORM (lsb_release -d):\t\t\n\tFEATURE_REGEXP:\t\t\t\tYes\n\tGSSAPI Kerberos 5 support:\t\tYes\n\tFEATURE_DEBUG (debug build, slow code):\tNo\n\t32bit Atomic operations supported:\tYes\n\t64bit Atomic operations supported:\tYes\n\tmemory allocator:\t\t\tsystem default\n\tRuntime Instrumentation (slow code):\tNo\n\tuuid support:\t\t\t\tYes\n\tsystemd support:\t\t\tYes\n\tConfig file:\t\t\t\t/etc/rsyslog.conf\n\tPID file:\t\t\t\t/run/rsyslogd.pid\n\tNumber of Bits in RainerScript integers: 64\n\nSee https://www.rsyslog.com for more information.\n",
}

// saysWhatItIs answers a lone option that asks for the program's version.
func (p *Proc) saysWhatItIs() bool {
	if len(p.Args) != 2 {
		return false
	}
	text, ok := said[p.name+" "+p.Args[1]]
	if ok {
		p.print(text)
		p.flush()
	}
	return ok
}
