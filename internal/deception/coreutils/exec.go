package coreutils

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func execCommands(name string) Command {
	switch name {
	case "env", "printenv":
		return env
	case "nohup":
		return nohup
	case "timeout":
		return timeout
	case "nice", "ionice", "setsid", "chrt", "taskset", "stdbuf", "time", "unbuffer", "setarch", "linux64", "flock", "unshare", "nsenter":
		return wrapper
	case "chroot":
		return chroot
	case "which":
		return which
	case "whereis":
		return whereis
	case "busybox":
		return busybox
	case "watch":
		return watch
	case "script":
		return func(p *Proc) int { p.Watch.Unsupported("script"); return 0 }
	}
	return nil
}

func env(p *Proc) int {
	if p.name == "printenv" {
		status := 0
		if len(p.Args) == 1 {
			p.print(joinLines(p.Environ()))
		}
		for _, a := range p.Args[1:] {
			i := slices.IndexFunc(p.Environ(), func(s string) bool { return strings.HasPrefix(s, a+"=") })
			if i < 0 {
				status = 1
				continue
			}
			p.print(p.Environ()[i][len(a)+1:] + "\n")
		}
		return status
	}
	opts, args, ok := p.getopt("+0iu:vC:S:", "ignore-environment,i", "null,0", "unset=,u", "chdir=,C", "split-string=,S", "debug,v")
	if !ok {
		return 125
	}
	vars := p.Environ()
	end, cwd := "\n", p.Cwd
	for _, o := range opts {
		switch o.name {
		case "i":
			vars = nil
		case "0":
			end = "\x00"
		case "u":
			vars = slices.DeleteFunc(slices.Clone(vars), func(s string) bool { return strings.HasPrefix(s, o.val+"=") })
		case "C":
			cwd = vfs.Clean(p.Cwd, o.val)
		case "S":
			args = append(splitQuoted(o.val, true), args...)
		}
	}
	if len(args) > 0 && args[0] == "-" {
		vars, args = nil, args[1:]
	}
	for len(args) > 0 && strings.Contains(args[0], "=") {
		k, _, _ := strings.Cut(args[0], "=")
		vars = append(slices.DeleteFunc(slices.Clone(vars), func(s string) bool { return strings.HasPrefix(s, k+"=") }), args[0])
		args = args[1:]
	}
	if len(args) == 0 {
		for _, v := range vars {
			p.print(v + end)
		}
		return 0
	}
	if s, missing := p.notFound(args[0]); missing {
		return s
	}
	return p.spawn(args, func(c *Proc) {
		c.Cwd = cwd
		c.Environ = func() []string { return vars }
		c.Env = func(name string) string {
			for _, v := range vars {
				if val, ok := strings.CutPrefix(v, name+"="); ok {
					return val
				}
			}
			return ""
		}
	})
}

func joinLines(lines []string) string {
	if len(lines) == 0 {
		return ""
	}
	return strings.Join(lines, "\n") + "\n"
}

func nohup(p *Proc) int {
	_, args, ok := p.getopt("+")
	if !ok {
		return 125
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(125)
	}
	if s, missing := p.notFound(args[0]); missing {
		return s
	}
	if p.TTY {
		p.errorf("ignoring input and appending output to 'nohup.out'")
		f, err := p.FS.Open(p.Cred, p.path("nohup.out"), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_APPEND, 0o600)
		if err != nil {
			p.errorf("failed to open %s: %s", p.q("nohup.out"), why(err))
			return 125
		}
		defer f.Close()
		return p.spawn(args, func(c *Proc) { c.Stdout, c.TTY = f, false })
	}
	return p.spawn(args, nil)
}

// duration reads 5, 1.5m, 2h, infinity.
func duration(s string) (time.Duration, bool) {
	if s == "infinity" || s == "inf" {
		return 1 << 62, true
	}
	unit := time.Second
	if s != "" {
		if u, ok := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour}[s[len(s)-1]]; ok {
			unit, s = u, s[:len(s)-1]
		}
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f != f {
		return 0, false
	}
	if f*float64(unit) > 1<<61 {
		return 1 << 61, true
	}
	return time.Duration(f * float64(unit)), true
}

func sleepCmd(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok {
		return 1
	}
	if !p.operands(args, 1) {
		return 1
	}
	var total time.Duration
	bad := false
	for _, a := range args {
		d, good := duration(a)
		if !good {
			p.errorf("invalid time interval %s", p.q(a))
			bad = true
		}
		if total += d; total < 0 {
			total = 1 << 62
		}
	}
	if bad {
		return p.try(1)
	}
	p.sleep(total)
	return 0
}

// wrapper runs its command as it is: nice, setsid and the like.
func wrapper(p *Proc) int {
	spec := map[string]string{"nice": "+n:", "ionice": "+c:n:p:t", "setsid": "+cfw", "stdbuf": "+i:o:e:", "taskset": "+acp", "chrt": "+abdfimoprRv", "time": "+apvf:o:", "flock": "+sxonuw:E:Fc:", "unshare": "+fhVmuinpCTUrR:w:S:G:c", "nsenter": "+ahVt:m::u::i::n::p::C::U::T::S:G:r::w::W:FZe"}[p.name]
	opts, args, ok := p.getopt(cmp.Or(spec, "+"), "adjustment=,n", "fork,f", "wait,w", "ctty,c", "cpu-list,c", "pid,p")
	if !ok {
		return 1
	}
	if p.name == "unshare" || p.name == "nsenter" {
		p.Watch.Unsupported(strings.Join(p.Args, " "))
		if len(args) == 0 {
			args = []string{cmp.Or(p.Env("SHELL"), "/bin/sh")}
		}
	}
	if p.name == "stdbuf" && !p.buffering(opts, args) {
		return 125
	}
	if p.name == "flock" || p.name == "taskset" || p.name == "chrt" {
		if len(args) > 0 {
			args = args[1:]
		}
	}
	for _, o := range opts {
		if _, err := strconv.Atoi(o.val); p.name == "nice" && o.name == "n" && err != nil {
			p.errorf("invalid adjustment %s", p.q(o.val))
			return 125
		}
	}
	if len(args) == 0 {
		if p.name == "nice" && len(opts) == 0 {
			p.print("0\n")
			return 0
		}
		for _, o := range opts {
			if o.name == "p" {
				return 0
			}
		}
		p.errorf("no command specified")
		return p.try(1)
	}
	if s, missing := p.notFound(args[0]); missing {
		return s
	}
	start := p.Now()
	status := p.spawn(args, nil)
	if p.name == "time" {
		d := p.Now().Sub(start)
		p.complain(sprintf("%.2fuser %.2fsystem 0:%05.2felapsed 99%%CPU (0avgtext+0avgdata 1984maxresident)k\n0inputs+0outputs (0major+89minor)pagefaults 0swaps\n", d.Seconds(), 0.0, d.Seconds()))
	}
	return status
}

// buffering checks what stdbuf is told; the streams here have no buffers.
func (p *Proc) buffering(opts []opt, args []string) bool {
	for _, o := range opts {
		_, number := size(o.val)
		switch {
		case o.name == "i" && o.val == "L":
			p.errorf("line buffering stdin is meaningless")
			p.try(0)
			return false
		case o.val != "L" && !number:
			p.errorf("invalid mode %s", p.q(o.val))
			return false
		}
	}
	switch {
	case len(args) == 0:
		p.errorf("missing operand")
	case len(opts) == 0:
		p.errorf("you must specify a buffering mode option")
	default:
		return true
	}
	p.try(0)
	return false
}

func chroot(p *Proc) int {
	_, args, ok := p.getopt("+", "userspec=", "groups=", "skip-chdir")
	if !ok {
		return 125
	}
	if !p.operands(args, 1) {
		return 125
	}
	i, err := p.stat(args[0])
	if err == nil && !i.IsDir() {
		err = vfs.ENOTDIR
	}
	if err == nil && p.Cred.UID != 0 {
		err = vfs.EPERM
	}
	if err != nil {
		p.errorf("cannot change root directory to %s: %s", qa(args[0]), why(err))
		return 125
	}
	if i.Path != "/" {
		shell := "/bin/bash"
		if len(args) > 1 {
			shell = args[1]
		}
		p.errorf("failed to run command %s: No such file or directory", p.q(shell))
		return 127
	}
	argv := args[1:]
	if len(argv) == 0 {
		argv = []string{"/bin/bash", "-i"}
	}
	return p.spawn(argv, func(c *Proc) { c.Cwd = "/" })
}

func which(p *Proc) int {
	all, status := false, 0
	for _, a := range p.Args[1:] {
		switch {
		case a == "-a":
			all = true
			continue
		case strings.HasPrefix(a, "-") && len(a) > 1:
			p.complain("Illegal option " + a + "\n")
			p.print("Usage: /usr/bin/which [-a] args\n")
			return 2
		}
		found := false
		if strings.Contains(a, "/") {
			if _, err := p.lookPath(a); err == nil {
				p.print(a + "\n")
				found = true
			}
		} else {
			for dir := range strings.SplitSeq(cmp.Or(p.Env("PATH"), "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"), ":") {
				i, err := p.FS.Stat(p.Cred, dir+"/"+a)
				if err == nil && !i.IsDir() && p.FS.Access(p.Cred, dir+"/"+a, 1) == nil && (!found || all) {
					p.print(dir + "/" + a + "\n")
					found = true
				}
			}
		}
		if !found {
			status = 1
		}
	}
	if len(p.Args) == 1 {
		return 1
	}
	return status
}

func whereis(p *Proc) int {
	if len(p.Args) == 1 {
		p.errorf("not enough arguments")
		return p.try(1)
	}
	only := ""
	for _, a := range p.Args[1:] {
		if strings.HasPrefix(a, "-") {
			if strings.Trim(a[1:], "bmsulgBMSf") != "" {
				p.errorf("bad usage")
				return p.try(1)
			}
			only += a[1:]
		}
	}
	for _, a := range p.Args[1:] {
		if strings.HasPrefix(a, "-") {
			continue
		}
		line := a + ":"
		for _, dir := range []string{"/usr/bin", "/usr/sbin", "/usr/lib", "/etc", "/usr/local/bin", "/opt"} {
			if _, err := p.FS.Stat(p.Cred, dir+"/"+a); err == nil && !strings.Contains(a, "/") && a != "" {
				line += " " + dir + "/" + a
			}
		}
		if only == "" || strings.Contains(only, "m") {
			for _, page := range p.manualPages(a) {
				line += " " + page
			}
		}
		p.print(line + "\n")
	}
	return 0
}

func watch(p *Proc) int {
	opts, args, ok := p.getopt("+bcd::eghn:ptqx", "interval=,n", "no-title,t", "differences?,d")
	if !ok {
		return 1
	}
	if len(args) == 0 {
		p.complain(manners["watch"].after)
		return 1
	}
	every := 2 * time.Second
	for _, o := range opts {
		if o.name == "n" {
			n, err := strconv.ParseFloat(o.val, 64)
			if err != nil {
				p.errorf("failed to parse argument: %s", p.q(o.val))
				return 1
			}
			every = time.Duration(min(max(n, 0.1), 86400) * float64(time.Second))
		}
	}
	for {
		p.print("\x1b[H\x1b[2J")
		p.spawn([]string{"sh", "-c", strings.Join(args, " ")}, nil)
		if p.Sleep == nil {
			return 0
		}
		p.sleep(every)
	}
}
