package coreutils

import "strings"

func interpreterCommands(name string) Command {
	switch name {
	case "perl":
		return perl
	case "php", "php8.2":
		return php
	case "gcc", "cc", "g++", "c89", "c99", "cpp":
		return gcc
	case "make":
		return makeCmd
	case "git":
		return git
	case "openssl":
		return openssl
	case "mysql", "mariadb", "mysqldump", "mysqladmin":
		return mysql
	case "screen", "tmux":
		return screen
	case "nginx":
		return nginx
	}
	return nil
}

func perl(p *Proc) int {
	code, given := "", false
	var files []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-v" || a == "--version":
			p.print("\nThis is perl 5, version 36, subversion 0 (v5.36.0) built for x86_64-linux-gnu-thread-multi\n(with 60 registered patches, see perl -V for more detail)\n\nCopyright 1987-2022, Larry Wall\n\n")
			return 0
		case strings.HasPrefix(a, "-") && strings.HasSuffix(a, "e") && i+1 < len(p.Args), strings.HasPrefix(a, "-") && strings.HasSuffix(a, "E") && i+1 < len(p.Args):
			i++
			code, given = code+p.Args[i]+"\n", true
		case strings.HasPrefix(a, "-"):
		default:
			files = append(files, a)
		}
	}
	if !given && len(files) > 0 {
		if _, err := p.openFile(files[0]); err != nil {
			p.complain("Can't open perl script \"" + files[0] + "\": " + why(err) + "\n")
			return 2
		}
		p.Watch.Unsupported("perl " + files[0])
		return 0
	}
	if !given {
		b, _ := p.all(p.Stdin)
		code = string(b)
	}
	return p.statements(code, ";", func(s string) bool {
		for _, verb := range []string{"print", "say"} {
			rest, ok := strings.CutPrefix(s, verb)
			if !ok {
				continue
			}
			rest = strings.TrimSpace(rest)
			if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
				rest = rest[1 : len(rest)-1]
			}
			for part := range strings.SplitSeq(rest, ",") {
				v, ok := value(part)
				if !ok {
					return false
				}
				p.print(v)
			}
			if verb == "say" {
				p.print("\n")
			}
			return true
		}
		if rest, ok := strings.CutPrefix(s, "system"); ok {
			return p.system(rest)
		}
		return strings.HasPrefix(s, "use ") || strings.HasPrefix(s, "#")
	})
}

// system runs a string or list given to a script's system().
func (p *Proc) system(rest string) bool {
	rest = strings.TrimSpace(rest)
	if strings.HasPrefix(rest, "(") && strings.HasSuffix(rest, ")") {
		rest = rest[1 : len(rest)-1]
	}
	cmd, ok := value(rest)
	if ok {
		p.spawn([]string{"sh", "-c", cmd}, nil)
	}
	return ok
}

// statements runs the simple statements of a script; the first that is beyond
// us is reported and ends it quietly.
func (p *Proc) statements(code, sep string, run func(string) bool) int {
	for line := range strings.SplitSeq(strings.ReplaceAll(code, sep, "\n"), "\n") {
		p.step(5)
		s := strings.TrimSpace(line)
		if s == "" {
			continue
		}
		if !run(s) {
			p.Watch.Unsupported(p.name + ": " + s[:min(len(s), 200)])
			return 0
		}
	}
	return 0
}

func php(p *Proc) int {
	for i, a := range p.Args {
		switch {
		case a == "-v":
			p.print("PHP 8.2.29 (cli) (built: Jul  3 2025 16:16:05) (NTS)\nCopyright (c) The PHP Group\nZend Engine v4.2.29, Copyright (c) Zend Technologies\n    with Zend OPcache v8.2.29, Copyright (c), by Zend Technologies\n")
			return 0
		case a == "-r" && i+1 < len(p.Args):
			return p.statements(p.Args[i+1], ";", func(s string) bool {
				rest, ok := strings.CutPrefix(s, "echo ")
				if !ok {
					return false
				}
				v, ok := value(rest)
				if ok {
					p.print(v)
				}
				return ok
			})
		}
	}
	if len(p.Args) > 1 && !strings.HasPrefix(p.Args[1], "-") {
		if _, err := p.stat(p.Args[1]); err != nil {
			p.print("Could not open input file: " + p.Args[1] + "\n")
			return 1
		}
	}
	p.Watch.Unsupported("php")
	return 0
}
