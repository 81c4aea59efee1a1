// Package arith evaluates the shell's arithmetic: the operators of C on 64-bit
// integers, with variables whose values are expressions again. It works on the
// text, as bash does, because bash's error messages quote the text from the
// token at fault on.
package arith

import (
	"fmt"
	"strings"
)

// Vars are the variables an expression sees.
type Vars interface {
	// Get returns the value of name, or of an array's element when index is
	// set. The index is text: an expression or the key of a map.
	Get(name string, index *string) (string, error)
	// Set assigns an element or a variable.
	Set(name string, index *string, v int64) error
	// Step charges the budget.
	Step() error
}

// maxDepth bounds the nesting of brackets and of variables that hold expressions.
const maxDepth = 256

// An Error is what bash writes about an expression.
type Error struct {
	Expr, Msg, Token string
}

// Error returns bash's words without the shell's prefix.
func (e *Error) Error() string {
	return fmt.Sprintf("%s: %s (error token is %q)", e.Expr, e.Msg, raw(e.Token))
}

// raw keeps %q from escaping: bash prints the token as it is.
type raw string

// Format writes the string between quotes and nothing else.
func (r raw) Format(f fmt.State, _ rune) { fmt.Fprintf(f, "\"%s\"", string(r)) }

// Eval returns the value of expr; an empty one is 0.
func Eval(expr string, v Vars) (int64, error) { return eval(expr, v, 0) }

func eval(expr string, v Vars, depth int) (n int64, err error) {
	if n, ok := small(expr); ok {
		return n, nil
	}
	p := &parser{s: expr, vars: v, depth: depth}
	if depth > maxDepth {
		p.last = expr
		return 0, p.fail("expression recursion level exceeded")
	}
	if strings.TrimLeft(expr, " \t\n\r") == "" {
		return 0, nil
	}
	p.next()
	n = p.comma()
	if p.err == nil && p.tok != tEnd {
		p.fail("syntax error in expression")
	}
	return n, p.err
}

// small recognises the most common expression, a short decimal number.
func small(s string) (int64, bool) {
	if len(s) == 0 || len(s) > 9 || s[0] == '0' && len(s) > 1 {
		return 0, false
	}
	var n int64
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int64(s[i]-'0')
	}
	return n, true
}

type parser struct {
	s     string
	pos   int    // behind the current token
	start int    // of the current token
	last  string // the text from the last token on, for messages
	tok   token
	op    string // of an assignment
	num   int64
	name  string
	index *string
	skip  int // inside a branch that is not taken
	depth int
	vars  Vars
	err   error
}

func (p *parser) fail(msg string) error {
	if p.err == nil {
		p.err = &Error{Expr: strings.TrimLeft(p.s, " \t\n"), Msg: msg, Token: p.last}
		p.tok = tEnd
	}
	return p.err
}

func (p *parser) comma() int64 {
	n := p.assign()
	for p.err == nil && p.tok == tComma {
		p.next()
		n = p.assign()
	}
	return n
}

func (p *parser) assign() int64 {
	if p.depth++; p.depth > maxDepth {
		p.fail("expression recursion level exceeded")
		return 0
	}
	defer func() { p.depth-- }()
	name, index, isVar := p.name, p.index, p.tok == tName
	n := p.cond()
	if p.err != nil || p.tok != tAssign {
		return n
	}
	op := p.op
	if !isVar || p.name != name {
		p.fail("attempted assignment to non-variable")
		return 0
	}
	p.next()
	at := p.start
	r := p.assign()
	if op != "=" && p.err == nil {
		r = p.binary(op[:len(op)-1], n, r, at)
	}
	if p.err == nil && p.skip == 0 {
		if err := p.vars.Set(name, index, r); err != nil {
			p.err = err
		}
	}
	return r
}

func (p *parser) cond() int64 {
	c := p.level(0)
	if p.err != nil || p.tok != tQuest {
		return c
	}
	p.name = ""
	p.next()
	if p.tok == tEnd || p.tok == tColon {
		p.fail("expression expected")
		return 0
	}
	a := p.branch(c == 0, p.comma)
	if p.err == nil && p.tok != tColon {
		p.fail("`:' expected for conditional expression")
	}
	if p.err != nil {
		return 0
	}
	p.next()
	if p.tok == tEnd {
		p.fail("expression expected")
		return 0
	}
	b := p.branch(c != 0, p.cond)
	p.name = ""
	if c != 0 {
		return a
	}
	return b
}

func (p *parser) branch(skip bool, f func() int64) int64 {
	if skip {
		p.skip++
		defer func() { p.skip-- }()
	}
	return f()
}

// levels of the binary operators, the weakest first.
var levels = [...][]string{
	{"||"}, {"&&"}, {"|"}, {"^"}, {"&"}, {"==", "!="}, {"<=", ">=", "<", ">"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "%"},
}

func (p *parser) level(l int) int64 {
	if l == len(levels) {
		return p.power()
	}
	n := p.level(l + 1)
	for p.err == nil && p.tok == tBinary && member(levels[l], p.op) {
		op := p.op
		p.name = ""
		p.next()
		at := p.start
		var r int64
		switch op {
		case "||":
			r = p.branch(n != 0, func() int64 { return p.level(l + 1) })
			n = truth(n != 0 || r != 0)
		case "&&":
			r = p.branch(n == 0, func() int64 { return p.level(l + 1) })
			n = truth(n != 0 && r != 0)
		default:
			r = p.level(l + 1)
			n = p.binary(op, n, r, at)
		}
		p.name = ""
	}
	return n
}

func member(ops []string, op string) bool {
	for _, o := range ops {
		if o == op {
			return true
		}
	}
	return false
}

func truth(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

// power is right-associative and binds less than the signs.
func (p *parser) power() int64 {
	n := p.unary()
	if p.err != nil || p.tok != tBinary || p.op != "**" {
		return n
	}
	p.name = ""
	p.next()
	e := p.power()
	p.name = ""
	if e < 0 {
		p.fail("exponent less than 0")
		return 0
	}
	r := int64(1)
	for ; e > 0; e >>= 1 {
		if e&1 == 1 {
			r *= n
		}
		n *= n
	}
	return r
}

// binary applies op; at is where the right operand began.
func (p *parser) binary(op string, a, b int64, at int) int64 {
	switch op {
	case "/", "%":
		return p.divide(op, a, b, at)
	case "+":
		return a + b
	case "-":
		return a - b
	case "*":
		return a * b
	case "<<":
		return a << (uint64(b) & 63)
	case ">>":
		return a >> (uint64(b) & 63)
	case "&":
		return a & b
	case "|":
		return a | b
	case "^":
		return a ^ b
	case "==":
		return truth(a == b)
	case "!=":
		return truth(a != b)
	case "<":
		return truth(a < b)
	case ">":
		return truth(a > b)
	case "<=":
		return truth(a <= b)
	case ">=":
		return truth(a >= b)
	}
	return 0
}

func (p *parser) divide(op string, a, b int64, at int) int64 {
	if b == 0 {
		if p.skip == 0 {
			p.last = p.s[at:]
			p.fail("division by 0")
		}
		return 0
	}
	switch {
	case b == -1 && op == "/":
		return -a
	case b == -1:
		return 0
	case op == "/":
		return a / b
	}
	return a % b
}
