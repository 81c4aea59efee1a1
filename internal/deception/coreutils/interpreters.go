package coreutils

import "strings"

func interpreterCommands(name string) Command {
	switch name {
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
