package coreutils

import (
	"strconv"
	"strings"
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
		return CompareFiles(t.p.stat, a, op, b)
	}
	n, err1 := strconv.ParseInt(strings.TrimSpace(a), 10, 64)
	m, err2 := strconv.ParseInt(strings.TrimSpace(b), 10, 64)
	if err1 != nil {
		return t.fail("invalid integer %s", t.p.q(a))
	}
	if err2 != nil {
		return t.fail("invalid integer %s", t.p.q(b))
	}
	return CompareNumbers(n, op, m)
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
	return err == nil && FileIs(i, p.Cred, op)
}
