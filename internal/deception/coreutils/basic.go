package coreutils

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

func basicCommands(name string) Command {
	switch name {
	case "true", ":":
		return func(*Proc) int { return 0 }
	case "false":
		return func(*Proc) int { return 1 }
	case "pwd":
		return pwd
	case "cat":
		return catCmd
	case "echo":
		return echo
	}
	return nil
}

func echo(p *Proc) int {
	p.print(strings.Join(p.Args[1:], " ") + "\n")
	return 0
}

func pwd(p *Proc) int {
	p.print(p.Cwd + "\n")
	return 0
}

func catCmd(p *Proc) int {
	for _, arg := range p.Args[1:] {
		f, err := p.FS.Open(p.Cred, p.path(arg), vfs.O_RDONLY, 0)
		if err != nil {
			p.errorf("%s: %s", arg, why(err))
			return 1
		}
		var buf [4096]byte
		for {
			n, err := f.Read(buf[:])
			p.step(1)
			p.write(buf[:n])
			if err != nil {
				break
			}
		}
	}
	return 0
}

func (p *Proc) userName(uid uint32) string {
	if p.Host != nil {
		for _, u := range p.Host.Users {
			if u.UID == uid {
				return u.Name
			}
		}
	}
	return "root"
}
