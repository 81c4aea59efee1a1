package coreutils

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

// attributes are chattr's letters in the order of lsattr's columns.
const attributes = "suSDiadAcEjItTeCxFNPVm"

var attributeBits = map[byte]uint16{'i': vfs.FlagImmutable, 'a': vfs.FlagAppendOnly, 's': 1, 'u': 2, 'c': 4, 'S': 8, 'd': 0x40, 'A': 0x80}

func chattr(p *Proc) int {
	var add, del, set uint16
	hasSet, recursive := false, false
	var args []string
	for _, a := range p.Args[1:] {
		if a == "" {
			continue
		}
		switch {
		case strings.Trim(a, "-RVfvp0123456789") == "" && len(a) > 1 && a[0] == '-':
			recursive = recursive || strings.Contains(a, "R")
		case strings.IndexByte("+-=", a[0]) >= 0 && len(a) > 1 && len(args) == 0:
			bits := uint16(0)
			for _, c := range []byte(a[1:]) {
				if strings.IndexByte(attributes, c) < 0 {
					p.complain("Usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] files...\n")
					return 1
				}
				bits |= attributeBits[c]
			}
			switch a[0] {
			case '+':
				add |= bits
			case '-':
				del |= bits
			default:
				set, hasSet = bits, true
			}
		default:
			args = append(args, a)
		}
	}
	if add == 0 && del == 0 && !hasSet && len(args) > 0 && len(p.Args) == len(args)+1 {
		p.errorf("Must use '-v', =, - or +")
		return 1
	}
	if len(args) == 0 {
		p.complain("Usage: chattr [-RVf] [-+=aAcCdDeijPsStTuFx] [-p project] [-v version] files...\n")
		return 1
	}
	status := 0
	var one func(a string, depth int)
	one = func(a string, depth int) {
		p.step(2)
		i, err := p.stat(a)
		if err == nil {
			flags := i.Flags
			if hasSet {
				flags = set
			}
			if err = p.FS.SetFlags(p.Cred, p.path(a), flags&^del|add); err != nil {
				p.errorf("%s while setting flags on %s", why(err), a)
				status = 1
				return
			}
		} else {
			p.errorf("%s while trying to stat %s", why(err), a)
			status = 1
			return
		}
		if recursive && i.IsDir() && depth < maxTree {
			list, _ := p.FS.ReadDir(p.Cred, p.path(a))
			for _, e := range list {
				one(strings.TrimSuffix(a, "/")+"/"+e.Name, depth+1)
			}
		}
	}
	for _, a := range args {
		one(a, 0)
	}
	return status
}

func lsattr(p *Proc) int {
	opts, args, ok := p.getopt("RVadlpv")
	if !ok {
		return 1
	}
	all, self := false, false
	for _, o := range opts {
		all, self = all || o.name == "a", self || o.name == "d"
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	status := 0
	show := func(a string) {
		p.step(1)
		i, err := p.lstat(a)
		if err != nil {
			p.errorf("%s while trying to stat %s", why(err), a)
			status = 1
			return
		}
		b := []byte(strings.Repeat("-", len(attributes)))
		for k, c := range []byte(attributes) {
			if bit := attributeBits[c]; bit != 0 && i.Flags&bit != 0 || c == 'e' && i.Dev > 255 {
				b[k] = c
			}
		}
		p.printf("%s %s\n", b, a)
	}
	for _, a := range args {
		i, err := p.stat(a)
		if err != nil || !i.IsDir() || self {
			show(a)
			continue
		}
		list, _ := p.FS.ReadDir(p.Cred, p.path(a))
		for _, e := range list {
			if all || !strings.HasPrefix(e.Name, ".") {
				show(strings.TrimSuffix(a, "/") + "/" + e.Name)
			}
		}
	}
	return status
}
