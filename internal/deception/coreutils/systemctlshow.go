package coreutils

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// showUnits is systemctl show: properties of units as NAME=VALUE. Of systemd's
// hundreds of properties it knows those that scripts ask for; as with systemd a
// unit that does not exist has them too, and a property that does not exist is
// passed over without a word.
func (p *Proc) showUnits(args []string) int {
	var want, names []string
	bare := false
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch {
		case a == "show", a == "--no-pager", a == "--no-legend", a == "-a", a == "--all":
		case a == "--value":
			bare = true
		case (a == "-p" || a == "-P" || a == "--property") && i+1 < len(args):
			i++
			bare = bare || a == "-P"
			want = append(want, strings.Split(args[i], ",")...)
		case strings.HasPrefix(a, "--property="):
			want = append(want, strings.Split(a[len("--property="):], ",")...)
		case len(a) > 2 && (strings.HasPrefix(a, "-p") || strings.HasPrefix(a, "-P")):
			bare = bare || a[1] == 'P'
			want = append(want, strings.Split(a[2:], ",")...)
		case strings.HasPrefix(a, "-"):
		default:
			names = append(names, a)
		}
	}
	if len(names) == 0 {
		names = []string{""}
	}
	for i, n := range names {
		if i > 0 {
			p.print("\n")
		}
		for _, kv := range p.unitProperties(n) {
			switch {
			case len(want) > 0 && !slices.Contains(want, kv[0]):
			case bare:
				p.print(kv[1] + "\n")
			default:
				p.print(kv[0] + "=" + kv[1] + "\n")
			}
		}
	}
	return 0
}

// unitProperties are what show prints, in systemd's order; "" is the manager.
func (p *Proc) unitProperties(name string) [][2]string {
	m := p.machine()
	if name == "" {
		return [][2]string{
			{"Version", "252.39-1~deb12u2"}, {"Features", "+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified"},
			{"Virtualization", "kvm"}, {"Architecture", "x86-64"}, {"Tainted", ""}, {"KernelTimestamp", stampOf(m.Boot)}, {"NFailedUnits", "0"}, {"NJobs", "0"}, {"SystemState", "running"},
		}
	}
	u, runs := p.unit(name)
	id := strings.TrimSuffix(name, ".service") + ".service"
	path := "/usr/lib/systemd/system/" + id
	if runs {
		id = u.name + ".service"
		path = "/usr/lib/systemd/system/" + id
	}
	there := runs
	if i, err := p.stat(path); err == nil && i.Path != "" {
		there = true
	} else if runs {
		path = "/lib/systemd/system/" + id
	}
	if !there {
		return [][2]string{{"Type", "simple"}, {"Restart", "no"}, {"MainPID", "0"}, {"ControlPID", "0"}, {"NRestarts", "0"}, {"ExecMainPID", "0"}, {"Id", id}, {"Names", id}, {"Description", id}, {"LoadState", "not-found"}, {"ActiveState", "inactive"}, {"FreezerState", "running"}, {"SubState", "dead"}, {"UnitFileState", ""}}
	}
	active, sub, pid, since := "inactive", "dead", "0", ""
	if runs && u.p.PID > 0 {
		active, sub, pid, since = "active", "running", strconv.Itoa(u.p.PID), stampOf(u.p.Start)
	}
	text := unitTexts[strings.TrimSuffix(id, ".service")]
	if text == "" {
		text = strings.TrimSuffix(id, ".service")
	}
	return [][2]string{
		{"Type", "simple"}, {"Restart", "no"}, {"MainPID", pid}, {"ControlPID", "0"}, {"NRestarts", "0"}, {"ExecMainStartTimestamp", since}, {"ExecMainPID", pid}, {"ExecMainCode", "0"}, {"ExecMainStatus", "0"},
		{"Id", id}, {"Names", id}, {"Description", text}, {"LoadState", "loaded"}, {"ActiveState", active}, {"FreezerState", "running"}, {"SubState", sub}, {"FragmentPath", strings.TrimPrefix(path, "/usr")},
		{"UnitFileState", "enabled"}, {"UnitFilePreset", "enabled"}, {"ActiveEnterTimestamp", since},
	}
}

// stampOf writes a time as systemd does; none is empty.
func stampOf(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format("Mon 2006-01-02 15:04:05 MST")
}
