package coreutils

import (
	"strconv"
	"strings"
)

// pwdx tells the working folders of processes.
func pwdx(p *Proc) int {
	if len(p.Args) == 1 {
		p.complain("\nUsage:\n pwdx [options] pid...\n")
		return 1
	}
	status := 0
	for _, a := range p.Args[1:] {
		pid, err := strconv.Atoi(strings.TrimPrefix(a, "/proc/"))
		if err != nil || pid < 1 {
			p.errorf("invalid process id: %s", a)
			return 1
		}
		q, ok := p.table().Get(pid)
		switch {
		case !ok:
			p.complain(a + ": No such process\n")
			status = 1
		case p.Cred.UID != 0 && q.UID != p.Cred.UID:
			p.complain(a + ": Permission denied\n")
			status = 1
		case q.Cwd == "":
			p.print(a + ": /\n")
		default:
			p.print(a + ": " + q.Cwd + "\n")
		}
	}
	return status
}

// skill signals by terminal, user, number or name; without an expression it
// only shows its usage.
func skill(p *Proc) int {
	var words []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") {
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		p.complain("\nUsage:\n " + p.name + map[bool]string{true: " [signal]", false: " [new priority]"}[p.name == "skill"] + " [options] <expression>\n")
		return 1
	}
	for _, w := range words {
		if pid, err := strconv.Atoi(w); err == nil && p.name == "skill" {
			_ = p.table().Kill(p.Cred.UID, pid, 15)
		}
	}
	return 0
}

// write sends a message to a terminal. Nobody but the session's own user is on.
func write(p *Proc) int {
	args := p.Args[1:]
	if len(args) == 0 || len(args) > 2 {
		return p.try(1)
	}
	if args[0] != p.Session.User || p.Session.TTYName == "" {
		p.errorf("%s is not logged in", args[0])
		return 1
	}
	return 0
}
