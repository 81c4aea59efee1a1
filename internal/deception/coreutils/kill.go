package coreutils

import (
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/machine"
)

// signals by number; the names are without SIG.
var signals = []string{"EXIT", "HUP", "INT", "QUIT", "ILL", "TRAP", "ABRT", "BUS", "FPE", "KILL", "USR1", "SEGV", "USR2", "PIPE", "ALRM", "TERM", "STKFLT", "CHLD", "CONT", "STOP", "TSTP", "TTIN", "TTOU", "URG", "XCPU", "XFSZ", "VTALRM", "PROF", "WINCH", "IO", "PWR", "SYS"}

func signalNumber(s string) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		return n, n >= 0 && n <= 64
	}
	i := slices.Index(signals, strings.TrimPrefix(strings.ToUpper(s), "SIG"))
	return i, i >= 0
}

// kill is /usr/bin/kill; the shell has its own.
func kill(p *Proc) int {
	sig := 15
	var targets []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-l" || a == "-L":
			p.print(strings.Join(signals[1:], " ") + "\n")
			return 0
		case (a == "-s" || a == "-n") && i+1 < len(p.Args):
			i++
			n, ok := signalNumber(p.Args[i])
			if !ok {
				p.errorf("unknown signal %s", p.Args[i])
				return 1
			}
			sig = n
		case a == "--":
		case strings.HasPrefix(a, "-") && len(targets) == 0 && len(a) > 1:
			n, ok := signalNumber(a[1:])
			if !ok {
				p.errorf("unknown signal %s", a[1:])
				return 1
			}
			sig = n
		default:
			targets = append(targets, a)
		}
	}
	if len(targets) == 0 {
		p.errorf("not enough arguments")
		return 1
	}
	status := 0
	for _, t := range targets {
		pid, err := strconv.Atoi(t)
		if err != nil {
			p.errorf("cannot find process \"%s\"", t)
			status = 1
			continue
		}
		if err := p.table().Kill(p.Cred.UID, pid, sig); err != nil {
			p.errorf("sending signal to %d failed: %s", pid, why(err))
			status = 1
		}
	}
	return status
}

// pkillJob is one request to find processes by name.
type pkillJob struct {
	p                          *Proc
	sig                        int
	full, exact, invert, quiet bool
	list, showName, single     bool
	newest, user, delim        string
	count                      bool // the number alone
	names                      []string
	found                      map[string]bool // names that matched
}

// pkill is pkill, pgrep, killall and pidof: processes found by name.
func pkill(p *Proc) int {
	exact := p.name == "killall" || p.name == "pidof"
	j := &pkillJob{p: p, sig: 15, exact: exact, list: p.name == "pgrep" || p.name == "pidof", delim: "\n", found: map[string]bool{}}
	if !j.options() {
		return 2
	}
	if j.user != "" && p.name != "killall" {
		for u := range strings.SplitSeq(j.user, ",") {
			if _, err := strconv.ParseUint(u, 10, 32); err == nil {
				continue
			}
			if _, _, _, _, ok := p.account(u); !ok {
				p.errorf("invalid user name: %s", u)
				return 2
			}
		}
	}
	if len(j.names) == 0 && j.user == "" {
		switch p.name {
		case "killall":
			p.complain("Usage: killall [OPTION]... [--] NAME...\n       killall -l, --list\n       killall -V, --version\n\n")
			return 1
		case "pidof":
			return 1
		}
		p.complain(sprintf("%s: no matching criteria specified\nTry `%s --help' for more information.\n", p.name, p.name))
		return 2
	}
	hits := j.hits()
	if j.list {
		return j.show(hits)
	}
	return j.kill(hits)
}

// options reads the command line; false means it was refused.
func (j *pkillJob) options() bool {
	p := j.p
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		if len(a) < 2 || a[0] != '-' {
			j.names = append(j.names, a)
			continue
		}
		if a == "--help" {
			p.help()
		}
		if n, ok := signalNumber(strings.TrimPrefix(a[1:], "signal=")); ok && p.name != "pidof" && p.name != "pgrep" && (len(a) > 2 || a[1] >= '0' && a[1] <= '9') {
			j.sig = n
			continue
		}
		next := func() string {
			if i+1 < len(p.Args) {
				i++
				return p.Args[i]
			}
			return ""
		}
		switch a {
		case "-f", "--full":
			j.full = true
		case "-x", "--exact", "-e", "--echo":
			j.exact = j.exact || a == "-x" || a == "--exact"
		case "-v", "--inverse":
			j.invert = p.name != "killall"
		case "-n", "-o", "--newest", "--oldest":
			j.newest = strings.TrimLeft(a, "-")[:1]
		case "-l", "--list-name", "-a", "--list-full":
			j.showName = true
		case "-s", "--single-shot":
			if p.name == "pidof" {
				j.single = true
			} else if n, ok := signalNumber(next()); ok {
				j.sig = n
			}
		case "-u", "-U", "--euid", "--user":
			j.user = next()
		case "-d":
			j.delim = next()
		case "-c", "--count":
			j.count = true
		case "-q", "--quiet", "-w", "--wait", "-I", "-i", "-r":
			j.quiet = j.quiet || a == "-q" || a == "--quiet"
		case "-t", "-P", "-g", "-G":
			next()
		default:
			p.getoptFail(a)
			return false
		}
	}
	return true
}

// hits are the processes meant.
func (j *pkillJob) hits() []machine.Process {
	p := j.p
	var hits []machine.Process
	for _, q := range p.table().List() {
		if q.PID == p.PID {
			continue
		}
		ok := len(j.names) == 0
		for _, n := range j.names {
			text := q.Name
			if j.full && len(q.Args) > 0 {
				text = strings.Join(q.Args, " ")
			}
			m := text == n || j.exact && len(q.Args) > 0 && base(q.Args[0]) == base(n)
			if !j.exact {
				re, err := compile(p, n, reOptions{extended: true})
				m = err == nil && re.find(p, []byte(text)) != nil
			}
			if m {
				ok, j.found[n] = true, true
			}
		}
		if j.user != "" && q.User != j.user && strconv.Itoa(int(q.UID)) != j.user {
			ok = false
		}
		if ok != j.invert {
			hits = append(hits, q)
		}
	}
	if j.newest != "" && len(hits) > 0 {
		slices.SortFunc(hits, func(a, b machine.Process) int { return a.Start.Compare(b.Start) })
		if j.newest == "n" {
			hits = hits[len(hits)-1:]
		} else {
			hits = hits[:1]
		}
	}
	return hits
}

// show lists what pgrep and pidof found.
func (j *pkillJob) show(hits []machine.Process) int {
	p := j.p
	var out []string
	for _, q := range hits {
		s := strconv.Itoa(q.PID)
		if j.showName {
			s += " " + q.Name
		}
		out = append(out, s)
	}
	if j.count && p.name == "pgrep" {
		p.printf("%d\n", len(out))
		return map[bool]int{true: 1}[len(out) == 0]
	}
	if p.name == "pidof" {
		slices.Reverse(out)
		j.delim = " "
		if j.single && len(out) > 1 {
			out = out[:1]
		}
	}
	if len(out) > 0 {
		p.print(strings.Join(out, j.delim) + "\n")
		return 0
	}
	return 1
}

// kill sends the signal.
func (j *pkillJob) kill(hits []machine.Process) int {
	p := j.p
	status := 1
	for _, q := range hits {
		if err := p.table().Kill(p.Cred.UID, q.PID, j.sig); err != nil {
			if p.name == "killall" {
				p.complain(sprintf("%s(%d): %s\n", q.Name, q.PID, why(err)))
			} else {
				p.errorf("killing pid %d failed: %s", q.PID, why(err))
			}
			continue
		}
		status = 0
	}
	if p.name == "killall" {
		for _, n := range j.names {
			if !j.found[n] && !j.quiet {
				p.complain(n + ": no process found\n")
				status = 1
			}
		}
	}
	return status
}

// getoptFail is getopt's complaint for commands that read options themselves.
func (p *Proc) getoptFail(a string) {
	g := &getopt{p: p}
	if strings.HasPrefix(a, "--") {
		g.fail("unrecognized option '" + a + "'")
	} else {
		g.fail("invalid option -- '" + a[1:2] + "'")
	}
}
