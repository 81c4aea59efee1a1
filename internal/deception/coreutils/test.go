package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func exprCommands(name string) Command {
	switch name {
	case "test", "[":
		return test
	case "expr":
		return expr
	}
	return nil
}

// test is the program of that name; the shell has its own.
func test(p *Proc) int {
	args := p.Args[1:]
	if p.name == "[" {
		if len(args) == 0 || args[len(args)-1] != "]" {
			p.errorf("missing %s", p.q("]"))
			return 2
		}
		args = args[:len(args)-1]
	}
	t := &tester{p: p, args: args}
	if len(args) == 0 {
		return 1
	}
	v := t.or()
	if !t.bad && len(t.args) > 0 {
		p.errorf("extra argument %s", p.q(t.args[0]))
		return 2
	}
	switch {
	case t.bad:
		return 2
	case v:
		return 0
	}
	return 1
}

type tester struct {
	p     *Proc
	args  []string
	bad   bool
	depth int
}

func (t *tester) peek(i int) string {
	if i < len(t.args) {
		return t.args[i]
	}
	return ""
}

func (t *tester) fail(format string, a ...any) bool {
	if !t.bad {
		t.p.errorf(format, a...)
	}
	t.bad = true
	return false
}

func (t *tester) or() bool {
	v := t.and()
	for !t.bad && t.peek(0) == "-o" {
		t.args = t.args[1:]
		w := t.and()
		v = v || w
	}
	return v
}

func (t *tester) and() bool {
	v := t.term()
	for !t.bad && t.peek(0) == "-a" {
		t.args = t.args[1:]
		w := t.term()
		v = v && w
	}
	return v
}

func (t *tester) term() bool {
	if t.depth++; t.depth > 500 {
		return t.fail("too many arguments")
	}
	defer func() { t.depth-- }()
	a := t.args
	switch {
	case len(a) == 0:
		return t.fail("argument expected")
	case len(a) == 1:
		t.args = nil
		return a[0] != ""
	case a[0] == "!":
		t.args = a[1:]
		return !t.term()
	case len(a) >= 3 && binaryTest(a[1]):
		t.args = a[3:]
		return t.binary(a[0], a[1], a[2])
	case a[0] == "(":
		t.args = a[1:]
		v := t.or()
		if t.peek(0) != ")" {
			return t.fail("%s expected", t.p.q(")"))
		}
		t.args = t.args[1:]
		return v
	case len(a[0]) == 2 && a[0][0] == '-' && strings.Contains("bcdefghknprstuwxzGLNOSs", a[0][1:]):
		t.args = a[2:]
		return t.unary(a[0][1], a[1])
	}
	t.args = a[1:]
	if len(a) == 2 && binaryTest(a[1]) {
		return t.fail("missing argument after %s", t.p.q(a[1]))
	}
	if len(a) == 2 && a[1] != ")" {
		return t.fail("%s: unary operator expected", t.p.q(a[0]))
	}
	return a[0] != ""
}

func binaryTest(op string) bool {
	return strings.Contains(" = == != -eq -ne -lt -le -gt -ge -nt -ot -ef ", " "+op+" ")
}

func (t *tester) binary(a, op, b string) bool {
	switch op {
	case "=", "==":
		return a == b
	case "!=":
		return a != b
	case "-nt", "-ot", "-ef":
		x, err1 := t.p.stat(a)
		y, err2 := t.p.stat(b)
		if op == "-ef" {
			return err1 == nil && err2 == nil && x.Ino == y.Ino && x.Dev == y.Dev
		}
		if op == "-ot" {
			x, y, err1, err2 = y, x, err2, err1
		}
		return err1 == nil && (err2 != nil || x.Mtime.After(y.Mtime))
	}
	n, err1 := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	m, err2 := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
	if err1 != nil {
		return t.fail("invalid integer %s", t.p.q(a))
	}
	if err2 != nil {
		return t.fail("invalid integer %s", t.p.q(b))
	}
	switch op {
	case "-eq":
		return n == m
	case "-ne":
		return n != m
	case "-lt":
		return n < m
	case "-le":
		return n <= m
	case "-gt":
		return n > m
	}
	return n >= m
}

func (t *tester) unary(op byte, a string) bool {
	p := t.p
	switch op {
	case 'n':
		return a != ""
	case 'z':
		return a == ""
	case 't':
		return a == "0" && p.StdinTTY || a == "1" && p.TTY
	case 'h', 'L':
		i, err := p.lstat(a)
		return err == nil && i.IsSymlink()
	case 'r':
		return p.FS.Access(p.Cred, p.path(a), 4) == nil
	case 'w':
		return p.FS.Access(p.Cred, p.path(a), 2) == nil
	case 'x':
		return p.FS.Access(p.Cred, p.path(a), 1) == nil
	}
	i, err := p.stat(a)
	if err != nil {
		return false
	}
	kinds := map[byte]uint32{'b': vfs.Block, 'c': vfs.Char, 'd': vfs.Dir, 'f': vfs.Regular, 'p': vfs.Fifo, 'S': vfs.Socket}
	switch op {
	case 'e':
		return true
	case 's':
		return i.Size > 0
	case 'u':
		return i.Mode&vfs.Setuid != 0
	case 'g':
		return i.Mode&vfs.Setgid != 0
	case 'k':
		return i.Mode&vfs.Sticky != 0
	case 'O':
		return i.UID == p.Cred.UID
	case 'G':
		return i.GID == p.Cred.GID
	case 'N':
		return i.Mtime.After(i.Atime)
	}
	return i.Type() == kinds[op]
}
