package coreutils

import "strings"

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
