package coreutils

import (
	"slices"
	"strings"
)

// opt is one option found on a command line: its short letter, or its long name
// when it has no letter, and its argument.
type opt struct{ name, val string }

// getopt splits a command line as GNU getopt_long does: operands may stand
// between options (a spec that begins with + ends options at the first operand),
// long names may be cut short. spec is getopt's: "ab:c::". Each long option is
// "name,letter": the name may end in = (argument) or ? (optional argument), the
// letter may be missing. On a usage error it prints GNU's message and reports
// false. --help and --version end the command.
func (p *Proc) getopt(spec string, long ...string) ([]opt, []string, bool) {
	g := &getopt{p: p, spec: spec, long: long, args: p.Args[1:]}
	g.strict = strings.HasPrefix(spec, "+")
	g.spec = strings.TrimPrefix(spec, "+")
	ok := g.run()
	return g.opts, g.operands, ok
}

type getopt struct {
	p        *Proc
	spec     string
	long     []string
	strict   bool
	args     []string
	opts     []opt
	operands []string

	// only, when set, is told of what is wrong, and the rest is read all the same.
	only   func(msg string)
	failed bool
}

func (g *getopt) run() bool {
	for len(g.args) > 0 {
		a := g.args[0]
		g.args = g.args[1:]
		g.p.step(1)
		switch {
		case a == "--":
			g.operands = append(g.operands, g.args...)
			return true
		case strings.HasPrefix(a, "--"):
			if !g.longOption(a[2:]) && g.only == nil {
				return false
			}
		case len(a) > 1 && a[0] == '-':
			if !g.letters(a[1:]) && g.only == nil {
				return false
			}
		default:
			g.operands = append(g.operands, a)
			if g.strict {
				g.operands = append(g.operands, g.args...)
				return true
			}
		}
	}
	return true
}

func (g *getopt) letters(s string) bool {
	for s != "" {
		c := s[:1]
		s = s[1:]
		i := strings.Index(g.spec, c)
		if i < 0 || c == ":" {
			g.fail("invalid option -- '" + c + "'")
			return false
		}
		after := g.spec[i+1:]
		switch {
		case strings.HasPrefix(after, "::"):
			g.opts = append(g.opts, opt{c, s})
			return true
		case strings.HasPrefix(after, ":"):
			if s == "" {
				if len(g.args) == 0 {
					g.fail("option requires an argument -- '" + c + "'")
					return false
				}
				s, g.args = g.args[0], g.args[1:]
			}
			g.opts = append(g.opts, opt{c, s})
			return true
		}
		g.opts = append(g.opts, opt{name: c})
	}
	return true
}

func (g *getopt) longOption(s string) bool {
	name, val, hasVal := strings.Cut(s, "=")
	var found []string
	known := append(slices.Clone(g.long), "help", "version")
	if g.only != nil {
		known = g.long
	}
	for _, l := range known {
		full, _, _ := strings.Cut(l, ",")
		full = strings.TrimRight(full, "=?")
		if full == name {
			found = []string{l}
			break
		}
		if strings.HasPrefix(full, name) {
			found = append(found, l)
		}
	}
	if len(found) == 0 {
		g.fail("unrecognized option '--" + s + "'")
		return false
	}
	if len(found) > 1 {
		slices.Sort(found)
		msg := "option '--" + name + "' is ambiguous; possibilities:"
		for _, l := range found {
			full, _, _ := strings.Cut(l, ",")
			msg += " '--" + strings.TrimRight(full, "=?") + "'"
		}
		g.fail(msg)
		return false
	}
	return g.take(found[0], val, hasVal)
}

func (g *getopt) take(l, val string, hasVal bool) bool {
	full, short, _ := strings.Cut(l, ",")
	name := strings.TrimRight(full, "=?")
	switch {
	case name == "help" && short == "":
		g.p.help()
	case name == "version" && short == "":
		g.p.version()
	case strings.HasSuffix(full, "="):
		if !hasVal {
			if len(g.args) == 0 {
				g.fail("option '--" + name + "' requires an argument")
				return false
			}
			val, g.args = g.args[0], g.args[1:]
		}
	case strings.HasSuffix(full, "?"):
	case hasVal:
		g.fail("option '--" + name + "' doesn't allow an argument")
		return false
	}
	if short == "" {
		short = name
	}
	g.opts = append(g.opts, opt{short, val})
	return true
}

// fail prints a usage error the way the program's family does and tells the
// watcher, for the option may be one that the real program knows.
func (g *getopt) fail(msg string) {
	if g.only != nil {
		g.only(msg)
		g.failed = true
		return
	}
	p := g.p
	if strings.HasPrefix(msg, "invalid") || strings.HasPrefix(msg, "unrec") {
		p.Watch.Unsupported(p.name + ": " + msg)
	}
	switch p.name {
	case "zcat", "gunzip":
		p.name = "gzip"
	case "egrep", "fgrep":
		p.name = "grep"
	}
	if p.name != "pidof" {
		p.errorf("%s", msg)
	}
	if p.name == "rm" {
		p.rmHint()
	}
	m, ok := p.manner()
	if !ok {
		p.try(0)
		return
	}
	p.print(usages[p.name])
	p.complain(m.after)
	p.flush()
	panic(stop{m.status})
}

func (p *Proc) complain(s string) {
	if p.TTY && p.out != nil {
		p.flush()
	}
	_, _ = p.Stderr.Write([]byte(s))
}

// help answers --help with the usage line and ends the command.
func (p *Proc) help() {
	p.Watch.Unsupported(p.name + " --help")
	operands := map[string]string{
		"useradd": "[options] LOGIN", "mkdir": "[OPTION]... DIRECTORY...", "cp": "[OPTION]... [-T] SOURCE DEST", "mv": "[OPTION]... [-T] SOURCE DEST",
		"chmod": "[OPTION]... MODE[,MODE]... FILE...", "grep": "[OPTION]... PATTERNS [FILE]...", "uname": "[OPTION]...", "wget": "[OPTION]... [URL]...", "curl": "[options...] <url>",
	}[p.name]
	if operands == "" {
		operands = "[OPTION]... [FILE]..."
	}
	p.print("Usage: " + p.name + " " + operands + "\n")
	p.flush()
	panic(stop{0})
}

// families are who made a program and its version in Debian 12.
var families = map[string]string{
	"grep": "(GNU grep) 3.8", "egrep": "(GNU grep) 3.8", "fgrep": "(GNU grep) 3.8", "sed": "(GNU sed) 4.9", "tar": "(GNU tar) 1.34", "find": "(GNU findutils) 4.9.0",
	"xargs": "(GNU findutils) 4.9.0", "diff": "(GNU diffutils) 3.8", "cmp": "(GNU diffutils) 3.8", "gzip": "1.12", "which": "", "ps": "from procps-ng 4.0.2", "free": "from procps-ng 4.0.2",
	"top": "from procps-ng 4.0.2", "uptime": "from procps-ng 4.0.2", "w": "from procps-ng 4.0.2", "pkill": "from procps-ng 4.0.2", "lscpu": "from util-linux 2.38.1", "mount": "from util-linux 2.38.1",
	"dmesg": "from util-linux 2.38.1", "last": "from util-linux 2.38.1", "lsblk": "from util-linux 2.38.1", "findmnt": "from util-linux 2.38.1", "su": "from util-linux 2.38.1", "strings": "(GNU Binutils for Debian) 2.40",
}

// versions are whole answers to --version of programs of no family.
var versions = map[string]string{
	"wget":      "GNU Wget 1.21.3 built on linux-gnu.\n\n-cares +digest -gpgme +https +ipv6 +iri +large-file -metalink +nls \n+ntlm +opie +psl +ssl/openssl \n",
	"curl":      "curl 7.88.1 (x86_64-pc-linux-gnu) libcurl/7.88.1 OpenSSL/3.0.20 zlib/1.2.13 brotli/1.0.9 zstd/1.5.4 libidn2/2.3.3 libpsl/0.21.2 (+libidn2/2.3.3) libssh2/1.10.0 nghttp2/1.52.0 librtmp/2.3 OpenLDAP/2.5.13\nRelease-Date: 2023-02-20, security patched: 7.88.1-10+deb12u15\nProtocols: dict file ftp ftps gopher gophers http https imap imaps ldap ldaps mqtt pop3 pop3s rtmp rtmpe rtmps rtmpt rtmpte rtmpts rtsp scp sftp smb smbs smtp smtps telnet tftp\nFeatures: alt-svc AsynchDNS brotli GSS-API HSTS HTTP2 HTTPS-proxy IDN IPv6 Kerberos Largefile libz NTLM NTLM_WB PSL SPNEGO SSL threadsafe TLS-SRP UnixSockets zstd\n",
	"ldd":       "ldd (Debian GLIBC 2.36-9+deb12u14) 2.36\nCopyright (C) 2022 Free Software Foundation, Inc.\nThis is free software; see the source for copying conditions.  There is NO\nwarranty; not even for MERCHANTABILITY or FITNESS FOR A PARTICULAR PURPOSE.\nWritten by Roland McGrath and Ulrich Drepper.\n",
	"sudo":      "Sudo version 1.9.13p3\n",
	"dig":       "DiG 9.18.49-1~deb12u1-Debian\n",
	"file":      "file-5.44\nmagic file from /etc/magic:/usr/share/misc/magic\n",
	"ss":        "ss utility, iproute2-6.1.0\n",
	"hostname":  "hostname 3.23\n",
	"make":      "GNU Make 4.3\nBuilt for x86_64-pc-linux-gnu\nCopyright (C) 1988-2020 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <http://gnu.org/licenses/gpl.html>\nThis is free software: you are free to change and redistribute it.\nThere is NO WARRANTY, to the extent permitted by law.\n",
	"netstat":   "net-tools 2.10\n",
	"systemctl": "systemd 252 (252.39-1~deb12u2)\n+PAM +AUDIT +SELINUX +APPARMOR +IMA +SMACK +SECCOMP +GCRYPT -GNUTLS +OPENSSL +ACL +BLKID +CURL +ELFUTILS +FIDO2 +IDN2 -IDN +IPTC +KMOD +LIBCRYPTSETUP +LIBFDISK +PCRE2 -PWQUALITY +P11KIT +QRENCODE +TPM2 +BZIP2 +LZ4 +XZ +ZLIB +ZSTD -BPF_FRAMEWORK -XKBCOMMON +UTMP +SYSVINIT default-hierarchy=unified\n",
	"nano":      " GNU nano, version 7.2\n",
}

// version answers --version and ends the command.
func (p *Proc) version() {
	if text, ok := versions[p.name]; ok {
		p.print(text)
		p.flush()
		panic(stop{0})
	}
	family, ok := families[p.name]
	if !ok {
		family = "(GNU coreutils) 9.1"
	}
	p.print(p.name + " " + family + "\n")
	if strings.Contains(family, "GNU") {
		p.print("Copyright (C) 2022 Free Software Foundation, Inc.\nLicense GPLv3+: GNU GPL version 3 or later <https://gnu.org/licenses/gpl.html>.\nThis is free software: you are free to change and redistribute it.\nThere is NO WARRANTY, to the extent permitted by law.\n")
	}
	p.flush()
	panic(stop{0})
}

// letters is the set of options that were given.
func letters(opts []opt) map[string]bool {
	m := map[string]bool{}
	for _, o := range opts {
		m[o.name] = true
	}
	return m
}

// named is the names of the options that were given, in their order.
func named(opts []opt) string {
	s := ""
	for _, o := range opts {
		s += o.name
	}
	return s
}
