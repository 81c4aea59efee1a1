package shell

import (
	"regexp"
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/pattern"
	"honeyguide/internal/deception/vfs"
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
	case isBinary2(a[1]):
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
	case len(a) >= 3 && isBinary2(a[1]):
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

func isBinary2(op string) bool {
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
		return err == nil && e.isTTY(n)
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
	case 'e', 'a':
		return true
	case 'f':
		return i.IsRegular()
	case 'd':
		return i.IsDir()
	case 'b':
		return i.Type() == vfs.Block
	case 'c':
		return i.Type() == vfs.Char
	case 'p':
		return i.Type() == vfs.Fifo
	case 'S':
		return i.Type() == vfs.Socket
	case 's':
		return i.Size > 0
	case 'g':
		return i.Mode&vfs.Setgid != 0
	case 'u':
		return i.Mode&vfs.Setuid != 0
	case 'k':
		return i.Mode&vfs.Sticky != 0
	case 'O':
		return i.UID == e.cred.UID
	case 'G':
		return i.GID == e.cred.GID
	case 'N':
		return i.Mtime.After(i.Atime)
	case 'r':
		return e.fs.Access(e.cred, path, 4) == nil
	case 'w':
		return e.fs.Access(e.cred, path, 2) == nil
	case 'x':
		return e.fs.Access(e.cred, path, 1) == nil && (i.IsDir() || i.Mode&0o111 != 0)
	}
	return false
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
		return t.e.compareFiles(l, op, r)
	}
	a, ok := t.integer(l)
	if !ok {
		return false
	}
	b, ok := t.integer(r)
	if !ok {
		return false
	}
	return compare(a, op, b)
}

func (t *tester) integer(s string) (int64, bool) {
	n, err := strconv.ParseInt(strings.TrimSpace(s), 10, 64)
	if err != nil {
		if t.e.dialect == dash {
			return 0, t.fail("Illegal number: %s", s)
		}
		return 0, t.fail("%s: integer expression expected", s)
	}
	return n, true
}

func compare(a int64, op string, b int64) bool {
	switch op {
	case "-eq":
		return a == b
	case "-ne":
		return a != b
	case "-lt":
		return a < b
	case "-le":
		return a <= b
	case "-gt":
		return a > b
	}
	return a >= b
}

func (e *env) compareFiles(l, op, r string) bool {
	a, err1 := e.stat(l)
	b, err2 := e.stat(r)
	switch op {
	case "-nt":
		return err1 == nil && (err2 != nil || a.Mtime.After(b.Mtime))
	case "-ot":
		return err2 == nil && (err1 != nil || a.Mtime.Before(b.Mtime))
	}
	return err1 == nil && err2 == nil && a.Ino == b.Ino && a.Dev == b.Dev
}

// testClause is [[ ]].
func (e *env) testClause(c *syntax.TestClause) int {
	if e.opts&optXTrace != 0 {
		e.traceLine("[[ " + strings.TrimSpace(e.unit.slice(c.X.Pos(), c.X.End())) + " ]]")
	}
	ok, err := e.cond2(c.X)
	if err != nil {
		if a, is := err.(*abort); is && !a.exit {
			e.errorf("[[: %s", a.msg)
			return 1
		}
		return e.fail(err)
	}
	return b2i(!ok)
}

func (e *env) cond2(x syntax.TestExpr) (bool, error) {
	e.k.step(1)
	switch x := x.(type) {
	case *syntax.ParenTest:
		return e.cond2(x.X)
	case *syntax.Word:
		s, err := e.str(x)
		return s != "", err
	case *syntax.UnaryTest:
		if x.Op == syntax.TsNot {
			ok, err := e.cond2(x.X)
			return !ok, err
		}
		w, ok := x.X.(*syntax.Word)
		if !ok {
			return false, nil
		}
		s, err := e.str(w)
		if err != nil {
			return false, err
		}
		return e.unaryTest(x.Op.String()[1], s), nil
	case *syntax.BinaryTest:
		return e.condBinary(x)
	}
	return false, nil
}

func (e *env) condBinary(x *syntax.BinaryTest) (bool, error) {
	if x.Op == syntax.AndTest || x.Op == syntax.OrTest {
		ok, err := e.cond2(x.X)
		if err != nil || ok == (x.Op == syntax.OrTest) {
			return ok, err
		}
		return e.cond2(x.Y)
	}
	lw, ok1 := x.X.(*syntax.Word)
	rw, ok2 := x.Y.(*syntax.Word)
	if !ok1 || !ok2 {
		return false, nil
	}
	l, err := e.str(lw)
	if err != nil {
		return false, err
	}
	switch x.Op {
	case syntax.TsMatchShort, syntax.TsMatch, syntax.TsNoMatch:
		pat, err := e.pattern(rw)
		if err != nil {
			return false, err
		}
		e.k.step(1 + len(l)/64)
		return pattern.Match(pat, l, e.matchFlags()|pattern.Ext) == (x.Op != syntax.TsNoMatch), nil
	case syntax.TsReMatch:
		return e.regexMatch(l, rw)
	}
	r, err := e.str(rw)
	if err != nil {
		return false, err
	}
	switch op := x.Op.String(); op {
	case "<":
		return l < r, nil
	case ">":
		return l > r, nil
	case "-nt", "-ot", "-ef":
		return e.compareFiles(l, op, r), nil
	default:
		a, err := e.arith(l)
		if err != nil {
			return false, err
		}
		b, err := e.arith(r)
		return compare(a, op, b), err
	}
}

// maxRegex bounds the text and the pattern of =~.
const maxRegex = 1 << 16

// regexMatch is =~; the groups go to BASH_REMATCH.
func (e *env) regexMatch(s string, w *syntax.Word) (bool, error) {
	pat, err := e.expandTo(w, forRegex, false)
	if err != nil {
		return false, err
	}
	e.k.step(10 + (len(pat)+len(s))/16)
	if len(pat) > 4096 || len(s) > maxRegex {
		return false, nil
	}
	if e.shopts&shNoCaseMatch != 0 {
		pat = "(?i)" + pat
	}
	re, err := regexp.Compile(posixRegex(pat))
	if err != nil {
		e.status = 2
		return false, &abort{status: 2, said: true}
	}
	re.Longest()
	m := re.FindStringSubmatchIndex(s)
	v := &variable{arr: newArray(e.mine, false)}
	for i := 0; m != nil && i+1 < len(m); i += 2 {
		g := ""
		if m[i] >= 0 {
			g = s[m[i]:m[i+1]]
		}
		v.arr.set(int64(i/2), g)
	}
	if err := e.store("BASH_REMATCH", v); err != nil {
		return false, err
	}
	return m != nil, nil
}

// posixRegex rewrites what differs between POSIX and Go: in brackets a
// backslash is a letter, and \< \> are word ends.
func posixRegex(p string) string {
	var b strings.Builder
	for i := 0; i < len(p); i++ {
		switch {
		case p[i] == '\\' && i+1 < len(p):
			i++
			if p[i] == '<' || p[i] == '>' {
				b.WriteString(`\b`)
			} else if isLetter(p[i]) && !strings.ContainsRune("wWsSbB", rune(p[i])) || p[i] >= 0x80 {
				b.WriteByte(p[i])
			} else {
				b.WriteString(p[i-1 : i+1])
			}
		case p[i] == '[':
			end := bracketEnd(p, i)
			b.WriteString(strings.ReplaceAll(strings.ReplaceAll(p[i:end], `\`, `\\`), "[^]", `[^\]`))
			i = end - 1
		default:
			b.WriteByte(p[i])
		}
	}
	return b.String()
}

func bracketEnd(p string, i int) int {
	j := i + 1
	if j < len(p) && p[j] == '^' {
		j++
	}
	if j < len(p) && p[j] == ']' {
		j++
	}
	for j < len(p) && p[j] != ']' {
		if strings.HasPrefix(p[j:], "[:") {
			if k := strings.Index(p[j:], ":]"); k > 0 {
				j += k + 1
			}
		}
		j++
	}
	return min(j+1, len(p))
}
