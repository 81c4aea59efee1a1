package coreutils

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/persona"
)

func packageCommands(name string) Command {
	switch name {
	case "dpkg", "dpkg-query":
		return dpkg
	case "apt", "apt-get", "aptitude":
		return apt
	case "apt-cache":
		return aptCache
	case "apt-config":
		return aptConfig
	case "apt-key":
		return aptKey
	case "update-alternatives":
		return updateAlternatives
	case "dpkg-reconfigure":
		return dpkgReconfigure
	}
	return nil
}

func (p *Proc) packages(patterns []string) []persona.Package {
	var out []persona.Package
	for _, k := range p.Host.PackageList() {
		if len(patterns) == 0 || slices.ContainsFunc(patterns, func(s string) bool { return glob(s, k.Name) }) {
			out = append(out, k)
		}
	}
	return out
}

// field cuts or pads a cell of dpkg -l.
func field(s string, n int) string {
	if len(s) > n {
		return s[:n]
	}
	return s + strings.Repeat(" ", n-len(s))
}

func dpkg(p *Proc) int {
	args := p.Args[1:]
	if len(args) == 0 {
		return p.dpkgWrong("need an action option")
	}
	switch args[0] {
	case "-l", "--list":
		return p.dpkgList(args[1:])
	case "-s", "--status":
		return p.dpkgStatus(args[1:])
	case "--version":
		p.print("Debian 'dpkg' package management program version 1.21.23 (amd64).\nThis is free software; see the GNU General Public License version 2 or\nlater for copying conditions. There is NO warranty.\n")
		return 0
	case "--print-architecture":
		p.print("amd64\n")
		return 0
	case "--get-selections":
		for _, k := range p.packages(args[1:]) {
			name := shownName(k)
			p.print(name + strings.Repeat("\t", max(1, (55-len(name))/8)) + "install\n")
		}
		return 0
	case "-S", "--search":
		return p.dpkgSearch(args[1:])
	case "-V", "--verify":
		return p.dpkgVerify(args[1:])
	case "-W", "--show", "-f":
		return p.dpkgShow(args)
	case "-L", "--listfiles":
		return p.dpkgFiles(args[1:])
	case "-i", "--install", "--unpack", "--configure", "-r", "-P", "--remove", "--purge":
		return p.dpkgChange(args[0], args[1:])
	case "--compare-versions":
		return p.dpkgCompare(args[1:])
	case "--audit", "-C", "--print-foreign-architectures":
		return 0
	}
	p.Watch.Unsupported("dpkg " + args[0])
	if p.name == "dpkg-query" {
		p.complain("dpkg-query: error: unknown option " + args[0] + "\n\nUse --help for help about querying packages.\n")
		return 2
	}
	return p.dpkgWrong("unknown option " + args[0])
}

func (p *Proc) dpkgList(patterns []string) int {
	list := p.packages(patterns)
	if len(list) == 0 {
		for _, a := range patterns {
			p.complain("dpkg-query: no packages found matching " + a + "\n")
		}
		return 1
	}
	n, v, a, d := 14, 12, 12, 33
	for _, k := range list {
		n, v, a, d = max(n, len(shownName(k))), max(v, len(k.Version)), max(a, len(k.Arch)), max(d, len(k.Summary))
	}
	if p.TTY {
		cols := p.Cols
		if cols <= 0 {
			cols = 80
		}
		d = max(33, cols-n-v-a-7)
	}
	p.print("Desired=Unknown/Install/Remove/Purge/Hold\n| Status=Not/Inst/Conf-files/Unpacked/halF-conf/Half-inst/trig-aWait/Trig-pend\n|/ Err?=(none)/Reinst-required (Status,Err: uppercase=bad)\n")
	p.print("||/ " + field("Name", n) + " " + field("Version", v) + " " + field("Architecture", a) + " Description\n")
	p.print("+++-" + strings.Repeat("=", n) + "-" + strings.Repeat("=", v) + "-" + strings.Repeat("=", a) + "-" + strings.Repeat("=", d) + "\n")
	for _, k := range list {
		s := k.Summary
		if p.TTY && len(s) > d {
			s = s[:d]
		}
		p.print("ii  " + field(shownName(k), n) + " " + field(k.Version, v) + " " + field(k.Arch, a) + " " + s + "\n")
	}
	return 0
}

func (p *Proc) dpkgStatus(names []string) int {
	status := 0
	for i, a := range names {
		k, ok := p.installed(a)
		if !ok {
			p.complain("dpkg-query: package '" + a + "' is not installed and no information is available\nUse dpkg --info (= dpkg-deb --info) to examine archive files.\n")
			status = 1
			continue
		}
		if i > 0 {
			p.print("\n")
		}
		p.print(p.Host.Status(k.Name))
	}
	return status
}

// apt has no network: lists cannot be fetched, known packages are up to date.
func apt(p *Proc) int {
	words, ok := p.aptOptions()
	if !ok {
		return 100
	}
	if slices.Contains(p.Args, "--version") || slices.Contains(p.Args, "-v") {
		p.print("apt 2.6.2 (amd64)\n")
		return 0
	}
	if len(words) == 0 {
		p.print("apt 2.6.2 (amd64)\nUsage: " + p.name + " [options] command\n")
		return 0
	}
	if p.name == "apt" && !p.TTY && !slices.Contains([]string{"moo"}, words[0]) {
		p.complain("\nWARNING: apt does not have a stable CLI interface. Use with caution in scripts.\n\n")
	}
	switch words[0] {
	case "list":
		p.print("Listing...\n")
		for _, k := range p.packages(words[1:]) {
			p.printf("%s/stable,now %s %s [installed]\n", k.Name, k.Version, k.Arch)
		}
		return 0
	case "search", "show", "policy":
		return aptCache(p)
	case "check":
		p.print("Reading package lists...\nBuilding dependency tree...\nReading state information...\n")
		return 0
	case "update", "install", "upgrade", "dist-upgrade", "full-upgrade", "remove", "purge", "autoremove", "reinstall", "clean", "autoclean", "build-dep":
	default:
		p.complain("E: Invalid operation " + words[0] + "\n")
		return 100
	}
	if p.Cred.UID != 0 {
		lock := "/var/lib/dpkg/lock-frontend"
		if words[0] == "update" {
			p.print("Reading package lists...\n")
			p.complain("E: Could not open lock file /var/lib/apt/lists/lock - open (13: Permission denied)\nE: Unable to lock directory /var/lib/apt/lists/\n")
			return 100
		}
		p.complain("E: Could not open lock file " + lock + " - open (13: Permission denied)\nE: Unable to acquire the dpkg frontend lock (" + lock + "), are you root?\n")
		return 100
	}
	switch words[0] {
	case "clean", "autoclean":
		return 0
	case "update":
		return p.aptUpdate()
	}
	p.print("Reading package lists...\nBuilding dependency tree...\nReading state information...\n")
	switch words[0] {
	case "install", "reinstall", "build-dep":
		return p.aptInstall(words[1:])
	case "remove", "purge":
		return p.aptRemove(words[1:])
	case "upgrade", "dist-upgrade", "full-upgrade":
		p.print("Calculating upgrade...\n")
	}
	p.print("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
	return 0
}

func (p *Proc) aptUpdate() int {
	for i, s := range []string{"http://deb.debian.org/debian bookworm", "http://security.debian.org/debian-security bookworm-security", "http://deb.debian.org/debian bookworm-updates"} {
		p.sleep(2 * time.Second)
		host := strings.Split(strings.TrimPrefix(s, "http://"), "/")[0]
		p.printf("Ign:%d %s InRelease\n", i+1, s)
		p.printf("Err:%d %s InRelease\n  Temporary failure resolving '%s'\n", i+1, s, host)
	}
	p.print("Reading package lists...\n")
	for _, s := range []string{"http://deb.debian.org/debian/dists/bookworm", "http://security.debian.org/debian-security/dists/bookworm-security", "http://deb.debian.org/debian/dists/bookworm-updates"} {
		p.complain("W: Failed to fetch " + s + "/InRelease  Temporary failure resolving '" + strings.Split(strings.TrimPrefix(s, "http://"), "/")[0] + "'\n")
	}
	p.complain("W: Some index files failed to download. They have been ignored, or old ones used instead.\n")
	return 0
}

func (p *Proc) aptInstall(names []string) int {
	unknown := false
	for _, a := range names {
		p.Watch.Download("apt:"+a, p.name, "")
		if k, ok := p.installed(a); ok {
			p.printf("%s is already the newest version (%s).\n", a, k.Version)
			continue
		}
		p.complain("E: Unable to locate package " + a + "\n")
		unknown = true
	}
	if unknown {
		return 100
	}
	p.print("0 upgraded, 0 newly installed, 0 to remove and 0 not upgraded.\n")
	return 0
}

// aptRemove asks before it removes. The files go; that the package is installed
// is a fact of the host and stays one.
func (p *Proc) aptRemove(names []string) int {
	var gone []persona.Package
	unknown, vital, kilobytes := false, false, 0
	for _, a := range names {
		k, ok := p.installed(a)
		if !ok {
			p.complain("E: Unable to locate package " + a + "\n")
			unknown = true
			continue
		}
		n, _ := strconv.Atoi(k.Size)
		gone, vital, kilobytes = append(gone, k), vital || k.Essential, kilobytes+n
	}
	if unknown {
		return 100
	}
	if len(gone) > 0 {
		p.print("The following packages will be REMOVED:\n ")
		for _, k := range gone {
			p.print(" " + k.Name)
		}
		p.print("\n")
	}
	if vital {
		p.Watch.Unsupported(p.name + " remove essential")
		p.print("WARNING: The following essential packages will be removed.\nThis should NOT be done unless you know exactly what you are doing!\n")
		p.complain("E: Removing essential system-critical packages is not permitted. This might break the system.\n")
		return 100
	}
	p.printf("0 upgraded, 0 newly installed, %d to remove and 0 not upgraded.\n", len(gone))
	if len(gone) == 0 {
		return 0
	}
	p.printf("After this operation, %d kB disk space will be freed.\n", kilobytes*1024/1000)
	if !slices.ContainsFunc(p.Args, func(a string) bool {
		return a == "-y" || a == "--yes" || a == "--assume-yes" || a == "-qy" || a == "-yq"
	}) {
		p.print("Do you want to continue? [Y/n] ")
		p.flush()
		answer, err := readLine(p.Stdin)
		if err != nil && answer == "" || answer != "" && answer[0] != 'y' && answer[0] != 'Y' {
			p.print("Abort.\n")
			return 1
		}
	}
	p.removePackages(gone)
	return 0
}

func (p *Proc) removePackages(gone []persona.Package) {
	total := 0
	for _, k := range p.Host.PackageList() {
		files, _ := p.Host.Files(k.Name)
		total += len(files)
	}
	p.printf("(Reading database ... %d files and directories currently installed.)\n", total)
	for _, k := range gone {
		p.printf("Removing %s (%s) ...\n", shownName(k), k.Version)
		files, _ := p.Host.Files(k.Name)
		for _, f := range files {
			p.step(1)
			if i, err := p.FS.Lstat(p.Cred, f); err == nil && !i.IsDir() {
				_ = p.FS.Remove(p.Cred, f)
			}
		}
	}
}

// aptKey has no gpg to ask.
func aptKey(p *Proc) int {
	if len(p.Args) < 2 || strings.HasPrefix(p.Args[1], "-") {
		return plain(p)
	}
	if _, err := p.lookPath("gpg"); err != nil {
		p.complain("E: gnupg, gnupg2 and gnupg1 do not seem to be installed, but one of them is required for this operation\n")
		return 255
	}
	p.Watch.Unsupported("apt-key " + p.Args[1])
	return 0
}

// aptConfig shows the beginning of what is set; the rest is reported.
func aptConfig(p *Proc) int {
	if len(p.Args) < 2 || p.Args[1] != "dump" {
		return plain(p)
	}
	p.Watch.Unsupported("apt-config dump")
	p.print("APT \"\";\nAPT::Architecture \"amd64\";\nAPT::Build-Essential \"\";\nAPT::Build-Essential:: \"build-essential\";\nAPT::Install-Recommends \"1\";\nAPT::Install-Suggests \"0\";\nAPT::Sandbox \"\";\nAPT::Sandbox::User \"_apt\";\n")
	return 0
}

// aptLetters and aptWords are the options of apt's programs; values follow those
// of aptValues.
const (
	aptLetters = "hvqdfmsyubVtaocPjigDnOF"
	aptValues  = "toca"
	aptWords   = " help version verbose-versions quiet silent download-only fix-broken fix-missing ignore-missing ignore-hold no-download simulate just-print dry-run recon no-act yes assume-yes assume-no no-show-upgraded show-upgraded verbose-versions host-architecture build-profiles compile build with-new-pkgs no-upgrade only-upgrade allow-downgrades allow-remove-essential allow-change-held-packages force-yes print-uris purge reinstall list-cleanup no-list-cleanup default-release target-release trivial-only no-remove auto-remove autoremove only-source diff-only dsc-only tar-only arch-only indep-only allow-unauthenticated no-allow-insecure-repositories allow-insecure-repositories allow-releaseinfo-change show-progress with-source error-on config-file option no-install-recommends install-recommends install-suggests no-install-suggests installed upgradable upgradeable all-versions manual-installed verbose full names-only all-names recurse important pkg-cache src-cache generate no-depends no-recommends no-suggests no-conflicts no-breaks no-replaces no-enhances no-pre-depends depends recommends fix-policy snapshot update no-all-versions hash target arch verbose no-auto-remove no-autoremove "
)

// aptOptions are the words that are no options; one that apt does not know is
// refused.
func (p *Proc) aptOptions() (words []string, ok bool) {
	args := p.Args[1:]
	for i := 0; i < len(args); i++ {
		a := args[i]
		if len(a) < 2 || a[0] != '-' {
			words = append(words, a)
			continue
		}
		if a[1] == '-' {
			word, _, _ := strings.Cut(a[2:], "=")
			if word != "" && !strings.Contains(aptWords, " "+word+" ") {
				return nil, p.aptRefuse("Command line option " + a + " is not understood in combination with the other options")
			}
			continue
		}
		for j := 1; j < len(a); j++ {
			c := a[j : j+1]
			if !strings.Contains(aptLetters, c) {
				return nil, p.aptRefuse("Command line option '" + c + "' [from " + a + "] is not understood in combination with the other options.")
			}
			if strings.Contains(aptValues, c) && (c != "a" || p.name == "apt-get") {
				if j == len(a)-1 {
					i++
				}
				break
			}
			if strings.HasPrefix(a[j+1:], "=") {
				break
			}
		}
	}
	return words, true
}

// aptRefuse says what is wrong, in colour where it is apt that says it.
func (p *Proc) aptRefuse(what string) bool {
	if p.name == "apt" {
		p.complain("\x1b[1;31mE: \x1b[0m" + what + "\x1b[0m\n")
	} else {
		p.complain("E: " + what + "\n")
	}
	return false
}

func aptCache(p *Proc) int {
	words, ok := p.aptOptions()
	if !ok {
		return 100
	}
	if len(words) < 2 {
		return p.aptCacheBare(words)
	}
	if words[0] == "search" && p.name == "apt" {
		p.print("Sorting...\nFull Text Search...\n")
	}
	for _, a := range words[1:] {
		k, ok := p.Host.Packages[a]
		switch {
		case words[0] == "policy" && ok:
			p.printf("%s:\n  Installed: %s\n  Candidate: %s\n  Version table:\n *** %s 100\n        100 /var/lib/dpkg/status\n", a, k.Version, k.Version, k.Version)
		case words[0] == "policy":
		case words[0] == "search":
			for _, k := range p.Host.PackageList() {
				if strings.Contains(k.Name+" "+k.Summary, a) {
					p.printf("%s - %s\n", k.Name, k.Summary)
				}
			}
		case ok:
			p.printf("Package: %s\nVersion: %s\nPriority: %s\nSection: %s\nArchitecture: %s\nDescription: %s\n\n", k.Name, k.Version, k.Priority, k.Section, k.Arch, k.Summary)
		default:
			if p.TTY { // notices are for people
				p.complain("N: Unable to locate package " + a + "\n")
			}
			p.complain("E: No packages found\n")
			return 100
		}
	}
	return 0
}

// aptCacheBare answers when no package is named.
func (p *Proc) aptCacheBare(words []string) int {
	if len(words) == 0 {
		p.print("apt 2.6.2 (amd64)\nUsage: apt-cache [options] command\n")
		return 0
	}
	switch words[0] {
	case "show", "showpkg", "depends", "rdepends":
		p.complain("E: No packages found\n")
		return 100
	case "search":
		p.complain("E: You must give at least one search pattern\n")
		return 100
	case "pkgnames":
		for _, k := range p.Host.PackageList() {
			p.print(k.Name + "\n")
		}
		return 0
	case "policy", "stats", "dump", "gencaches", "madison":
		return 0
	}
	p.complain("E: Invalid operation " + words[0] + "\n")
	return 100
}
