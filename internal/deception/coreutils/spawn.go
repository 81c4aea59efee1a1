package coreutils

import (
	"errors"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// spawn runs another command after writing out what is buffered. A command that
// does not exist is reported in the manner of the caller.
func (p *Proc) spawn(argv []string, change func(c *Proc)) int {
	p.flush()
	p.step(20)
	child := *p
	child.Args, child.PPID, child.PID = argv, p.PID, 0
	child.out = nil
	if change != nil {
		change(&child)
	}
	return p.Run(&child, argv)
}

// command ends with status and a message when a command does not exist. The
// message has one %s for its name.
func (p *Proc) command(name string, status int, message string) string {
	path, err := p.lookPath(name)
	if err != nil {
		p.errorf(message, name)
		panic(stop{status})
	}
	return path
}

// lookPath finds a program as execvp does.
func (p *Proc) lookPath(name string) (string, error) {
	if strings.Contains(name, "/") {
		i, err := p.stat(name)
		switch {
		case err != nil:
			return "", err
		case i.IsDir() || p.FS.Access(p.Cred, p.path(name), 1) != nil:
			return "", vfs.EACCES
		}
		return p.path(name), nil
	}
	path := p.Env("PATH")
	if path == "" {
		path = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	}
	found := error(vfs.ENOENT)
	for dir := range strings.SplitSeq(path, ":") {
		full := vfs.Join(p.Cwd, dir) + "/" + name
		if i, err := p.FS.Stat(p.Cred, full); err == nil && !i.IsDir() {
			if p.FS.Access(p.Cred, full, 1) == nil {
				return full, nil
			}
			found = vfs.EACCES
		}
	}
	return "", found
}

// notFound reports a command that cannot be run: 127, or 126 when it is there.
func (p *Proc) notFound(name string) (status int, missing bool) {
	_, err := p.lookPath(name)
	if err == nil {
		return 0, false
	}
	switch p.name {
	case "timeout", "chroot", "stdbuf":
		p.errorf("failed to run command %s: %s", p.q(name), why(err))
	case "nohup":
		p.errorf("failed to run command %s: %s", qa(name), why(err))
	case "env", "nice":
		p.errorf("%s: %s", p.q(name), why(err))
	default:
		p.errorf("failed to execute %s: %s", name, why(err))
	}
	if errors.Is(err, vfs.EACCES) {
		return 126, true
	}
	return 127, true
}
