package coreutils

import (
	"math/big"
	"strconv"
	"strings"
)

// expr evaluates its arguments as GNU expr does.
func expr(p *Proc) int {
	args := p.Args[1:]
	if len(args) > 0 && args[0] == "--" {
		args = args[1:]
	}
	if len(args) == 0 {
		p.errorf("missing operand")
		return p.try(2)
	}
	if len(args) == 1 && args[0] == "--help" {
		p.help()
	}
	if len(args) == 1 && args[0] == "--version" {
		p.version()
	}
	e := &evaluator{p: p, args: args}
	v := e.or()
	if len(e.args) > 0 {
		e.fail("syntax error: unexpected argument %s", p.q(e.args[0]))
	}
	p.print(v + "\n")
	if v == "" || strings.Trim(v, "0") == "" || v == "-0" {
		return 1
	}
	return 0
}

type evaluator struct {
	p     *Proc
	args  []string
	depth int
}

func (e *evaluator) fail(format string, a ...any) {
	e.p.errorf(format, a...)
	panic(stop{2})
}

func (e *evaluator) take(ops string) (string, bool) {
	if len(e.args) > 0 && e.args[0] != "" && strings.Contains(" "+ops+" ", " "+e.args[0]+" ") {
		op := e.args[0]
		e.args = e.args[1:]
		return op, true
	}
	return "", false
}

func null(s string) bool { return s == "" || s == "0" || strings.Trim(s, "0") == "" }

func (e *evaluator) or() string {
	v := e.and()
	for {
		if _, ok := e.take("|"); !ok {
			return v
		}
		w := e.and()
		if null(v) {
			v = w
		}
		if null(v) && v == "" {
			v = "0"
		}
	}
}

func (e *evaluator) and() string {
	v := e.compare()
	for {
		if _, ok := e.take("&"); !ok {
			return v
		}
		if w := e.compare(); null(v) || null(w) {
			v = "0"
		}
	}
}

func truth(b bool) string {
	if b {
		return "1"
	}
	return "0"
}

func (e *evaluator) compare() string {
	v := e.sum()
	for {
		op, ok := e.take("< <= = == != >= >")
		if !ok {
			return v
		}
		w := e.sum()
		c := strings.Compare(v, w)
		n, err1 := strconv.ParseInt(v, 10, 64)
		m, err2 := strconv.ParseInt(w, 10, 64)
		if err1 == nil && err2 == nil {
			c = 0
			if n < m {
				c = -1
			} else if n > m {
				c = 1
			}
		}
		switch op {
		case "<":
			v = truth(c < 0)
		case "<=":
			v = truth(c <= 0)
		case "=", "==":
			v = truth(c == 0)
		case "!=":
			v = truth(c != 0)
		case ">=":
			v = truth(c >= 0)
		default:
			v = truth(c > 0)
		}
	}
}

// integer reads a number of any size; the work of long ones is charged.
func (e *evaluator) integer(s string) *big.Int {
	n, ok := new(big.Int), len(s) <= maxDigits && strings.TrimLeft(s, "0123456789") == "" && s != ""
	if !ok && strings.HasPrefix(s, "-") {
		ok = len(s) <= maxDigits && len(s) > 1 && strings.TrimLeft(s[1:], "0123456789") == ""
	}
	if ok {
		e.p.step(1 + len(s)*len(s)/4096)
		_, ok = n.SetString(s, 10)
	}
	if !ok {
		e.fail("non-integer argument")
	}
	return n
}

// maxDigits bounds the numbers of expr.
const maxDigits = 20_000

func (e *evaluator) sum() string {
	v := e.product()
	for {
		op, ok := e.take("+ -")
		if !ok {
			return v
		}
		n, m := e.integer(v), e.integer(e.product())
		if op == "-" {
			n.Sub(n, m)
		} else {
			n.Add(n, m)
		}
		v = n.String()
	}
}

func (e *evaluator) product() string {
	v := e.match()
	for {
		op, ok := e.take("* / %")
		if !ok {
			return v
		}
		n, m := e.integer(v), e.integer(e.match())
		switch {
		case op == "*":
			n.Mul(n, m)
		case m.Sign() == 0:
			e.fail("division by zero")
		case op == "/":
			n.Quo(n, m)
		default:
			n.Rem(n, m)
		}
		v = n.String()
	}
}

func (e *evaluator) match() string {
	v := e.word()
	for {
		if _, ok := e.take(":"); !ok {
			return v
		}
		v = e.colon(v, e.word())
	}
}

func (e *evaluator) colon(s, pattern string) string {
	re, err := compile(e.p, pattern, reOptions{anchor: true})
	if err != nil {
		e.fail("%s", err)
	}
	m := re.find(e.p, []byte(s))
	group := strings.Contains(pattern, `\(`)
	switch {
	case m == nil && group:
		return ""
	case m == nil:
		return "0"
	case group && len(m) > 3 && m[2] >= 0:
		return s[m[2]:m[3]]
	case group:
		return ""
	}
	return strconv.Itoa(len([]rune(s[:m[1]])))
}

func (e *evaluator) word() string {
	if e.depth++; e.depth > 500 {
		e.fail("syntax error")
	}
	defer func() { e.depth-- }()
	if len(e.args) == 0 {
		e.fail("syntax error: missing argument after %s", e.p.q(e.p.Args[len(e.p.Args)-1]))
	}
	a := e.args[0]
	e.args = e.args[1:]
	switch {
	case a == "(":
		v := e.or()
		if _, ok := e.take(")"); !ok {
			e.fail("syntax error: expecting ')' after %s", e.p.q(e.p.Args[len(e.p.Args)-1]))
		}
		return v
	case a == "length" && len(e.args) > 0:
		return strconv.Itoa(len([]rune(e.word())))
	case a == "index" && len(e.args) > 1:
		s, set := e.word(), e.word()
		return strconv.Itoa(strings.IndexAny(s, set) + 1)
	case a == "substr" && len(e.args) > 2:
		s := []rune(e.word())
		from, err1 := strconv.Atoi(e.word())
		n, err2 := strconv.Atoi(e.word())
		if err1 != nil || err2 != nil || from < 1 || n < 1 || from > len(s) {
			return ""
		}
		return string(s[from-1 : min(len(s), from-1+n)])
	case a == "match" && len(e.args) > 1:
		s := e.word()
		return e.colon(s, e.word())
	case a == "+" && len(e.args) > 0:
		return e.word()
	}
	return a
}
