package coreutils

import (
	"slices"
	"strings"
)

// dpkgTrailer ends dpkg's messages about a wrong command line.
const dpkgTrailer = "\n\nType dpkg --help for help about installing and deinstalling packages [*];\nUse 'apt' or 'aptitude' for user-friendly package management;\nType dpkg -Dhelp for a list of dpkg debug flag values;\nType dpkg --force-help for a list of forcing options;\nType dpkg-deb --help for help about manipulating *.deb files;\n\nOptions marked [*] produce a lot of output - pipe it through 'less' or 'more' !\n"

// dpkgWrong refuses a command line.
func (p *Proc) dpkgWrong(what string) int {
	p.complain("dpkg: error: " + what + dpkgTrailer)
	return 2
}

// dpkgLong are the long names of dpkg's actions that have a letter.
var dpkgLong = map[string]string{"-i": "--install", "-r": "--remove", "-P": "--purge", "-C": "--audit"}

// dpkgChange is the family of actions that change what is installed. Nothing
// is unpacked here: archives are reported and refused.
func (p *Proc) dpkgChange(action string, args []string) int {
	if long, ok := dpkgLong[action]; ok {
		action = long
	}
	archives := action == "--install" || action == "--unpack"
	all := slices.ContainsFunc(args, func(a string) bool { return a == "-a" || a == "--pending" })
	args = slices.DeleteFunc(slices.Clone(args), func(a string) bool { return strings.HasPrefix(a, "-") })
	switch {
	case len(args) == 0 && archives:
		return p.dpkgWrong(action + " needs at least one package archive file argument")
	case len(args) == 0 && !all:
		return p.dpkgWrong(action + " needs at least one package name argument")
	case p.Cred.UID != 0:
		p.complain("dpkg: error: requested operation requires superuser privilege\n")
		return 2
	case archives:
		return p.dpkgInstall(args)
	}
	var failed []string
	for _, a := range args {
		k, known := p.installed(a)
		switch {
		case action == "--configure" && !known:
			p.complain("dpkg: error processing package " + a + " (--configure):\n no package named '" + a + "' is installed, cannot configure\n")
		case action == "--configure":
			p.complain("dpkg: error processing package " + a + " (--configure):\n package " + a + " is already installed and configured\n")
		case !known:
			p.complain("dpkg: warning: ignoring request to remove " + a + " which isn't installed\n")
			continue
		case k.Essential:
			p.complain("dpkg: error processing package " + a + " (" + action + "):\n this is an essential package; it should not be removed\n")
		default:
			p.Watch.Unsupported("dpkg " + action)
		}
		failed = append(failed, a)
	}
	if len(failed) == 0 {
		return 0
	}
	p.complain("Errors were encountered while processing:\n " + strings.Join(failed, "\n ") + "\n")
	return 1
}

func (p *Proc) dpkgInstall(archives []string) int {
	p.Watch.Unsupported("dpkg --install")
	for _, a := range archives {
		if _, err := p.stat(a); err != nil {
			p.complain("dpkg: error: cannot access archive '" + a + "': " + why(err) + "\n")
			return 2
		}
	}
	for _, a := range archives {
		p.complain("dpkg-deb: error: '" + a + "' is not a Debian format archive\ndpkg: error processing archive " + a + " (--install):\n dpkg-deb --control subprocess returned error exit status 2\n")
	}
	p.complain("Errors were encountered while processing:\n " + strings.Join(archives, "\n ") + "\n")
	return 1
}

// dpkgCompare is dpkg --compare-versions: the answer is the status.
func (p *Proc) dpkgCompare(args []string) int {
	if len(args) != 3 {
		return p.dpkgWrong("--compare-versions takes three arguments: <version> <relation> <version>")
	}
	c := versionOrder(args[0], args[2])
	empty := args[0] == "" || args[2] == ""
	var holds bool
	switch rel := args[1]; rel {
	case "lt", "<<":
		holds = c < 0
	case "le", "<=", "<":
		holds = c <= 0
	case "eq", "=":
		holds = c == 0
	case "ne":
		holds = c != 0
	case "ge", ">=", ">":
		holds = c >= 0
	case "gt", ">>":
		holds = c > 0
	case "lt-nl", "le-nl", "ge-nl", "gt-nl":
		if empty { // here no version is later than any
			c = -c
		}
		holds = strings.HasPrefix(rel, "l") && c < 0 || strings.HasPrefix(rel, "g") && c > 0 || rel[1] == 'e' && c == 0
	default:
		return p.dpkgWrong("--compare-versions bad relation")
	}
	if holds {
		return 0
	}
	return 1
}

// versionOrder compares two versions as Debian policy 5.6.12 says: epoch,
// upstream version, revision.
func versionOrder(a, b string) int {
	cut := func(s string) (epoch, upstream, revision string) {
		if e, rest, ok := strings.Cut(s, ":"); ok {
			epoch, s = e, rest
		}
		if i := strings.LastIndexByte(s, '-'); i >= 0 {
			s, revision = s[:i], s[i+1:]
		}
		return epoch, s, revision
	}
	e1, u1, r1 := cut(a)
	e2, u2, r2 := cut(b)
	for _, pair := range [][2]string{{e1, e2}, {u1, u2}, {r1, r2}} {
		if c := partOrder(pair[0], pair[1]); c != 0 {
			return c
		}
	}
	return 0
}

// partOrder compares runs of other characters and runs of digits in turn. A
// tilde is before the end, letters are before everything else.
func partOrder(a, b string) int {
	weight := func(s string) int {
		switch {
		case s == "" || s[0] >= '0' && s[0] <= '9':
			return 0
		case s[0] == '~':
			return -1
		case s[0] >= 'a' && s[0] <= 'z' || s[0] >= 'A' && s[0] <= 'Z':
			return int(s[0])
		}
		return int(s[0]) + 256
	}
	digits := func(s string) (run, rest string) {
		n := len(s) - len(strings.TrimLeft(s, "0123456789"))
		return strings.TrimLeft(s[:n], "0"), s[n:]
	}
	for a != "" || b != "" {
		for weight(a) != 0 || weight(b) != 0 {
			if d := weight(a) - weight(b); d != 0 {
				return d
			}
			a, b = a[1:], b[1:]
		}
		var x, y string
		x, a = digits(a)
		y, b = digits(b)
		if d := len(x) - len(y); d != 0 {
			return d
		}
		if d := strings.Compare(x, y); d != 0 {
			return d
		}
	}
	return 0
}

// dpkgReconfigure would ask a package's questions again.
func dpkgReconfigure(p *Proc) int {
	if p.Cred.UID != 0 {
		p.complain("/usr/sbin/dpkg-reconfigure must be run as root\n")
		return 1
	}
	if !p.StdinTTY {
		p.complain("debconf: unable to initialize frontend: Dialog\ndebconf: (No usable dialog-like program is installed, so the dialog based frontend cannot be used. at /usr/share/perl5/Debconf/FrontEnd/Dialog.pm line 78.)\ndebconf: falling back to frontend: Readline\ndebconf: unable to initialize frontend: Readline\ndebconf: (This frontend requires a controlling tty.)\ndebconf: falling back to frontend: Teletype\n")
	}
	names := slices.DeleteFunc(slices.Clone(p.Args[1:]), func(a string) bool { return strings.HasPrefix(a, "-") })
	if len(names) == 0 {
		p.complain("/usr/sbin/dpkg-reconfigure: please specify a package to reconfigure\n")
		return 1
	}
	for _, a := range names {
		if _, ok := p.installed(a); !ok {
			p.complain("dpkg-query: package '" + a + "' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n/usr/sbin/dpkg-reconfigure: " + a + " is not installed\n")
			return 1
		}
	}
	return 0
}
