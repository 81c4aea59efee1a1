package shell

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/coreutils"
)

func testBuiltin(e *env, args []string) int {
	ops := args[1:]
	if args[0] == "[" {
		if len(ops) == 0 || ops[len(ops)-1] != "]" {
			if e.dialect == dash {
				e.errorf("[: missing ]")
				return 2
			}
			e.errorf("[: missing `]'")
			return 2
		}
		ops = ops[:len(ops)-1]
	}
	t := &tester{e: e, args: ops, who: args[0]}
	ok := t.run()
	if t.failed {
		return 2
	}
	return b2i(!ok)
}

// A tester evaluates test by the POSIX rules for up to four words and by
// precedence beyond.
type tester struct {
	e      *env
	args   []string
	pos    int
	who    string
	failed bool
}

func (t *tester) fail(format string, a ...any) bool {
	if !t.failed {
		t.e.errorf(t.who+": "+format, a...)
	}
	t.failed = true
	return false
}

func (t *tester) run() bool {
	a := t.args
	if t.e.dialect == dash && len(a) > 1 {
		return t.dash()
	}
	switch len(a) {
	case 0:
		return false
	case 1:
		return a[0] != ""
	case 2:
		return t.two(a)
	case 3:
		return t.three(a)
	case 4:
		if a[0] == "!" {
			return !t.three(a[1:])
		}
		if a[0] == "(" && a[3] == ")" {
			return t.two(a[1:3])
		}
	}
	ok := t.or()
	if !t.failed && t.pos < len(t.args) {
		return t.fail("too many arguments")
	}
	return ok
}

// dash goes by precedence for any number of words.
func (t *tester) dash() bool {
	a := t.args
	if len(a) == 2 && a[0] != "!" && !isUnary(a[0]) {
		if isComparison(a[1]) {
			return t.fail("%s: argument expected", a[1])
		}
		if a[0] == "(" {
			return t.fail("closing paren expected")
		}
		return t.fail("%s: unexpected operator", a[0])
	}
	if len(a) == 3 && isComparison(a[1]) && a[1] != "==" {
		return t.binary(a[0], a[1], a[2])
	}
	for _, w := range a {
		if w == "==" {
			return t.fail("%s: unexpected operator", a[0])
		}
	}
	ok := t.or()
	if !t.failed && t.pos < len(t.args) {
		return t.fail("%s: unexpected operator", a[max(0, t.pos-1)])
	}
	return ok
}

func (t *tester) two(a []string) bool {
	switch {
	case a[0] == "!":
		return a[1] == ""
	case isUnary(a[0]):
		return t.unary(a[0], a[1])
	}
	return t.fail("%s: unary operator expected", a[0])
}

func (t *tester) three(a []string) bool {
	switch {
	case isComparison(a[1]):
		return t.binary(a[0], a[1], a[2])
	case a[1] == "-a":
		return a[0] != "" && a[2] != ""
	case a[1] == "-o":
		return a[0] != "" || a[2] != ""
	case a[0] == "!":
		return !t.two(a[1:])
	case a[0] == "(" && a[2] == ")":
		return a[1] != ""
	}
	return t.fail("%s: binary operator expected", a[1])
}

func (t *tester) or() bool {
	ok := t.and()
	for t.pos < len(t.args) && t.args[t.pos] == "-o" && !t.failed {
		t.pos++
		r := t.and()
		ok = ok || r
	}
	return ok
}

func (t *tester) and() bool {
	ok := t.term()
	for t.pos < len(t.args) && t.args[t.pos] == "-a" && !t.failed {
		t.pos++
		r := t.term()
		ok = ok && r
	}
	return ok
}

func (t *tester) term() bool {
	if t.e.k.step(1); t.pos >= len(t.args) || t.failed {
		return t.fail("argument expected")
	}
	a := t.args[t.pos:]
	switch {
	case a[0] == "!":
		t.pos++
		return !t.term()
	case len(a) >= 3 && isComparison(a[1]):
		t.pos += 3
		return t.binary(a[0], a[1], a[2])
	case a[0] == "(":
		t.pos++
		ok := t.or()
		if t.pos >= len(t.args) || t.args[t.pos] != ")" {
			return t.fail("`)' expected")
		}
		t.pos++
		return ok
	case len(a) >= 2 && isUnary(a[0]):
		t.pos += 2
		return t.unary(a[0], a[1])
	}
	t.pos++
	return a[0] != ""
}

func isUnary(op string) bool {
	return len(op) == 2 && op[0] == '-' && strings.IndexByte("abcdefghknoprstuvwxzGLNORS", op[1]) >= 0
}

func isComparison(op string) bool {
	switch op {
	case "=", "==", "!=", "<", ">", "-eq", "-ne", "-lt", "-le", "-gt", "-ge", "-nt", "-ot", "-ef":
		return true
	}
	return false
}

func (t *tester) unary(op, arg string) bool { return t.e.unaryTest(op[1], arg) }

// unaryTest asks one question about a word or a file.
func (e *env) unaryTest(op byte, arg string) bool {
	e.k.step(1)
	switch op {
	case 'n':
		return arg != ""
	case 'z':
		return arg == ""
	case 't':
		n, err := strconv.Atoi(arg)
		return err == nil && e.onTerminal(n)
	case 'v':
		base, index, has := cutIndex(arg)
		if has {
			_, ok, err := e.element(base, index)
			return ok && err == nil
		}
		_, ok := e.get(arg)
		return ok
	case 'R':
		v := e.vars[arg]
		return v != nil && v.attr&nameref != 0
	case 'o':
		for _, o := range setOptions {
			if o.name == arg {
				return e.opts&o.bit != 0
			}
		}
		return false
	}
	return e.fileTest(op, arg)
}

func (e *env) fileTest(op byte, arg string) bool {
	if e.fs == nil || arg == "" {
		return false
	}
	if n, ok := strings.CutPrefix(arg, "/dev/fd/"); ok && (op == 'e' || op == 'a' || op == 'r') {
		fd, err := strconv.Atoi(n)
		return err == nil && e.fds.get(fd) != nil
	}
	path := e.abs(arg)
	if op == 'h' || op == 'L' {
		i, err := e.fs.Lstat(e.cred, path)
		return err == nil && i.IsSymlink()
	}
	i, err := e.fs.Stat(e.cred, path)
	if err != nil {
		return false
	}
	switch op {
	case 'r':
		return e.fs.Access(e.cred, path, 4) == nil
	case 'w':
		return e.fs.Access(e.cred, path, 2) == nil
	case 'x':
		return e.fs.Access(e.cred, path, 1) == nil && (i.IsDir() || i.Mode&0o111 != 0)
	}
	return coreutils.FileIs(i, e.cred, op)
}

func (t *tester) binary(l, op, r string) bool {
	switch op {
	case "=", "==":
		return l == r
	case "!=":
		return l != r
	case "<":
		return l < r
	case ">":
		return l > r
	case "-nt", "-ot", "-ef":
		return coreutils.CompareFiles(t.e.stat, l, op, r)
	}
	a, ok := t.integer(l)
	if !ok {
		return false
	}
	b, ok := t.integer(r)
	if !ok {
		return false
	}
	return coreutils.CompareNumbers(a, op, b)
}

func (t *tester) integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		if t.e.dialect == dash {
			return 0, t.fail("Illegal number: %s", s)
		} else if t.e.dialect == ash {
			t.e.errorf("%s: bad number", s)
			t.failed = true
			return 0, false
		}
		return 0, t.fail("%s: integer expression expected", s)
	}
	return n, true
}
