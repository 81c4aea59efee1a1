package coreutils

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func basename(p *Proc) int {
	opts, args, ok := p.getopt("+as:z", "multiple,a", "suffix=,s", "zero,z")
	if !ok {
		return 1
	}
	suffix, many, end := "", false, "\n"
	for _, o := range opts {
		switch o.name {
		case "a":
			many = true
		case "s":
			suffix, many = o.val, true
		case "z":
			end = "\x00"
		}
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	if !many && len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	if !many && len(args) == 2 {
		suffix, args = args[1], args[:1]
	}
	for _, a := range args {
		s := base(a)
		if s != suffix {
			s = strings.TrimSuffix(s, suffix)
		}
		p.print(s + end)
	}
	return 0
}

// base is the last part of a path, as basename(1) sees it.
func base(s string) string {
	t := strings.TrimRight(s, "/")
	if t == "" {
		if s == "" {
			return ""
		}
		return "/"
	}
	return t[strings.LastIndexByte(t, '/')+1:]
}

func dirname(p *Proc) int {
	_, args, ok := p.getopt("z", "zero,z")
	if !ok {
		return 1
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(1)
	}
	for _, a := range args {
		p.print(parent(a) + "\n")
	}
	return 0
}

func parent(s string) string {
	t := strings.TrimRight(s, "/")
	if t == "" && s != "" {
		return "/"
	}
	i := strings.LastIndexByte(t, '/')
	if i < 0 {
		return "."
	}
	t = strings.TrimRight(t[:i], "/")
	if t == "" {
		return "/"
	}
	return t
}

func pwd(p *Proc) int {
	if _, _, ok := p.getopt("LP", "logical,L", "physical,P"); !ok {
		return 1
	}
	if real, err := p.FS.Real(p.Cred, p.Cwd); err == nil {
		p.print(real + "\n")
		return 0
	}
	p.print(p.Cwd + "\n")
	return 0
}

func readlink(p *Proc) int {
	opts, args, ok := p.getopt("efmnqsvzLP", "canonicalize,f", "canonicalize-existing,e", "canonicalize-missing,m", "no-newline,n", "quiet,q", "silent,s", "verbose,v", "zero,z", "relative-to=", "relative-base=", "strip,s", "no-symlinks,s")
	if !ok {
		return 1
	}
	canon, newline, real := byte(0), "\n", p.name == "realpath"
	quiet, lexical, rel := !real, false, ""
	for _, o := range opts {
		switch o.name {
		case "e", "f", "m":
			canon = o.name[0]
		case "n":
			newline = ""
		case "v":
			quiet = false
		case "q":
			quiet = true
		case "z":
			newline = "\x00"
		case "s":
			lexical = real
		case "relative-to":
			rel = vfs.Clean(p.Cwd, o.val)
			if r, err := p.FS.Real(p.Cred, p.path(o.val)); err == nil {
				rel = r
			}
		}
	}
	if real && canon == 0 {
		canon = 'f'
	}
	if !p.operands(args, 1) {
		return 1
	}
	status := 0
	for _, a := range args {
		p.step(1)
		var s string
		var err error
		switch canon {
		case 0:
			s, err = p.FS.Readlink(p.Cred, p.path(a))
		case 'e':
			if _, err = p.stat(a); err == nil {
				s, err = p.FS.Real(p.Cred, p.path(a))
			}
		case 'm':
			if s, err = p.FS.Real(p.Cred, p.path(a)); err != nil {
				s, err = vfs.Clean(p.Cwd, a), nil
			}
		default:
			if lexical {
				s = vfs.Clean(p.Cwd, a)
				_, err = p.stat(parent(s))
				break
			}
			s, err = p.FS.Real(p.Cred, p.path(a))
		}
		if err != nil {
			if !quiet {
				p.errorf("%s: %s", a, why(err))
			}
			status = 1
			continue
		}
		if rel != "" {
			s = wayTo(rel, s)
		}
		p.print(s + newline)
	}
	return status
}

// wayTo is the way from folder from to path to; both are absolute.
func wayTo(from, to string) string {
	a, b := strings.Split(strings.Trim(from, "/"), "/"), strings.Split(strings.Trim(to, "/"), "/")
	if from == "/" {
		a = nil
	}
	if to == "/" {
		b = nil
	}
	for len(a) > 0 && len(b) > 0 && a[0] == b[0] {
		a, b = a[1:], b[1:]
	}
	way := append(slices.Repeat([]string{".."}, len(a)), b...)
	if len(way) == 0 {
		return "."
	}
	return strings.Join(way, "/")
}
