package playbook

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
)

// Bounds of an expression.
const (
	maxExpr  = 2000 // bytes
	maxDepth = 32
)

// A valueType is what an expression or field yields.
type valueType byte

const (
	tBool valueType = iota
	tNumber
	tText
	tSeverity
	tList // of texts
)

var typeNames = [...]string{"yes or no", "number", "text", "severity", "list"}

// A value is one of the types; lists hold texts only.
type value struct {
	b    bool
	n    float64
	s    string
	list []string
}

// A node is a compiled part of an expression.
type node struct {
	typ  valueType
	eval func(get func(string) value) value
}

// An Expr is a compiled condition. It has no loops, calls nothing and always
// ends.
type Expr struct {
	source string
	root   node
}

// String returns the text of the condition.
func (x *Expr) String() string { return x.source }

// True evaluates the condition on a field lookup.
func (x *Expr) True(get func(string) value) bool { return x.root.eval(get).b }

// Compile reads a condition: comparisons (== != < <= > >=) of fields with
// numbers, 'texts' or severities, `in [..]`, `contains`, not, and, or,
// parentheses.
func Compile(source string) (*Expr, error) {
	if len(source) > maxExpr {
		return nil, fmt.Errorf("condition is longer than %d characters", maxExpr)
	}
	toks, err := lex(source)
	if err != nil {
		return nil, err
	}
	p := &parser{toks: toks}
	root, err := p.or(0)
	if err != nil {
		return nil, err
	}
	if t := p.peek(); t.kind != 0 {
		return nil, fmt.Errorf("column %d: %q is not expected here", t.at+1, t.text)
	}
	if root.typ != tBool {
		return nil, fmt.Errorf("the condition is a %s, want yes or no", typeNames[root.typ])
	}
	return &Expr{source, root}, nil
}

type tok struct {
	kind byte // 0 end, 'w' word, 'n' number, 's' text, 'o' operator
	text string
	at   int
}

func lex(s string) ([]tok, error) {
	var out []tok
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case c == '\'' || c == '"':
			n := strings.IndexByte(s[i+1:], c)
			if n < 0 {
				return nil, fmt.Errorf("column %d: text without its closing quote", i+1)
			}
			out = append(out, tok{'s', s[i+1 : i+1+n], i})
			i += n + 2
		case c >= '0' && c <= '9':
			j := i
			for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '.') {
				j++
			}
			out = append(out, tok{'n', s[i:j], i})
			i = j
		case wordByte(c):
			j := i
			for j < len(s) && (wordByte(s[j]) || s[j] >= '0' && s[j] <= '9') {
				j++
			}
			out = append(out, tok{'w', s[i:j], i})
			i = j
		default:
			n := 1
			if i+1 < len(s) && slices.Contains([]string{"==", "!=", "<=", ">="}, s[i:i+2]) {
				n = 2
			}
			if n == 1 && strings.IndexByte("<>()[],", c) < 0 {
				return nil, fmt.Errorf("column %d: %q is no part of a condition", i+1, c)
			}
			out = append(out, tok{'o', s[i : i+n], i})
			i += n
		}
	}
	return out, nil
}

func wordByte(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_' || c == '.'
}

type parser struct {
	toks []tok
	i    int
}

func (p *parser) peek() tok {
	if p.i < len(p.toks) {
		return p.toks[p.i]
	}
	return tok{at: maxExpr}
}

// take consumes the next token when it is text.
func (p *parser) take(text string) bool {
	if t := p.peek(); (t.kind == 'w' || t.kind == 'o') && t.text == text {
		p.i++
		return true
	}
	return false
}

func (p *parser) or(depth int) (node, error) { return p.chain(depth, "or", p.and) }

func (p *parser) and(depth int) (node, error) { return p.chain(depth, "and", p.not) }

// chain reads operands joined by a word.
func (p *parser) chain(depth int, word string, operand func(int) (node, error)) (node, error) {
	left, err := operand(depth)
	if err != nil {
		return node{}, err
	}
	for p.take(word) {
		right, err := operand(depth)
		if err != nil {
			return node{}, err
		}
		if left.typ != tBool || right.typ != tBool {
			return node{}, fmt.Errorf("%q joins conditions; a %s and a %s are none", word, typeNames[left.typ], typeNames[right.typ])
		}
		l, r, all := left.eval, right.eval, word == "and"
		left = node{tBool, func(get func(string) value) value {
			if a := l(get).b; a != all {
				return value{b: a}
			}
			return r(get)
		}}
	}
	return left, nil
}

func (p *parser) not(depth int) (node, error) {
	if depth > maxDepth {
		return node{}, fmt.Errorf("condition is nested more than %d deep", maxDepth)
	}
	if !p.take("not") {
		return p.compare(depth)
	}
	x, err := p.not(depth + 1)
	if err != nil {
		return node{}, err
	}
	if x.typ != tBool {
		return node{}, fmt.Errorf("not: a %s is no condition", typeNames[x.typ])
	}
	return node{tBool, func(get func(string) value) value { return value{b: !x.eval(get).b} }}, nil
}

func (p *parser) compare(depth int) (node, error) {
	left, err := p.operand(depth)
	if err != nil {
		return node{}, err
	}
	t := p.peek()
	switch {
	case p.take("in"):
		return p.in(left)
	case p.take("contains"):
		right, err := p.operand(depth)
		if err != nil {
			return node{}, err
		}
		return containsNode(left, right)
	case t.kind == 'o' && slices.Contains([]string{"==", "!=", "<", "<=", ">", ">="}, t.text):
		p.i++
		right, err := p.operand(depth)
		if err != nil {
			return node{}, err
		}
		return compareNode(t.text, left, right)
	}
	return left, nil
}

// in reads [a, b, c] and asks whether left is one of them.
func (p *parser) in(left node) (node, error) {
	if !p.take("[") {
		return node{}, fmt.Errorf("in: want a list such as ['a', 'b']")
	}
	var any []node
	for !p.take("]") {
		if len(any) > 0 && !p.take(",") {
			return node{}, fmt.Errorf("column %d: want , or ] in the list", p.peek().at+1)
		}
		x, err := p.operand(0)
		if err != nil {
			return node{}, err
		}
		same, err := compareNode("==", left, x)
		if err != nil {
			return node{}, err
		}
		any = append(any, same)
	}
	return node{tBool, func(get func(string) value) value {
		return value{b: slices.ContainsFunc(any, func(n node) bool { return n.eval(get).b })}
	}}, nil
}

// operand reads a literal, a field or a parenthesis.
func (p *parser) operand(depth int) (node, error) {
	t := p.peek()
	p.i++
	switch t.kind {
	case 's':
		return constant(tText, value{s: t.text}), nil
	case 'n':
		n, err := strconv.ParseFloat(t.text, 64)
		if err != nil {
			return node{}, fmt.Errorf("column %d: %q is no number", t.at+1, t.text)
		}
		return constant(tNumber, value{n: n}), nil
	case 'w':
		return word(t)
	case 'o':
		if t.text == "(" && depth <= maxDepth {
			x, err := p.or(depth + 1)
			if err == nil && !p.take(")") {
				err = fmt.Errorf("column %d: parenthesis is not closed", t.at+1)
			}
			return x, err
		}
	case 0:
		return node{}, fmt.Errorf("the condition ends too early")
	}
	return node{}, fmt.Errorf("column %d: %q is not expected here", t.at+1, t.text)
}

func constant(t valueType, v value) node {
	return node{t, func(func(string) value) value { return v }}
}

// word is true, false, a severity or a field.
func word(t tok) (node, error) {
	switch t.text {
	case "true", "false":
		return constant(tBool, value{b: t.text == "true"}), nil
	}
	if typ, ok := fieldTypes[t.text]; ok {
		name := t.text
		return node{typ, func(get func(string) value) value { return get(name) }}, nil
	}
	if s, err := honeyguide.ParseSeverity(t.text); err == nil {
		return constant(tSeverity, value{n: float64(s)}), nil
	}
	return node{}, fmt.Errorf("column %d: no field %q; there are %s; texts stand in quotes", t.at+1, t.text, strings.Join(fieldNames(), ", "))
}

func containsNode(left, right node) (node, error) {
	if right.typ != tText || left.typ != tList && left.typ != tText {
		return node{}, fmt.Errorf("contains: a %s holds no %s", typeNames[left.typ], typeNames[right.typ])
	}
	list := left.typ == tList
	return node{tBool, func(get func(string) value) value {
		l, r := left.eval(get), right.eval(get)
		if list {
			return value{b: slices.Contains(l.list, r.s)}
		}
		return value{b: strings.Contains(l.s, r.s)}
	}}, nil
}

func compareNode(op string, left, right node) (node, error) {
	if left.typ != right.typ || left.typ == tList {
		return node{}, fmt.Errorf("%s: a %s cannot be compared with a %s", op, typeNames[left.typ], typeNames[right.typ])
	}
	ordered := left.typ == tNumber || left.typ == tSeverity
	if !ordered && op != "==" && op != "!=" {
		return node{}, fmt.Errorf("%s: only numbers and severities have an order", op)
	}
	return node{tBool, func(get func(string) value) value {
		l, r := left.eval(get), right.eval(get)
		if !ordered {
			return value{b: (l.s == r.s && l.b == r.b) == (op == "==")}
		}
		switch op {
		case "==":
			return value{b: l.n == r.n}
		case "!=":
			return value{b: l.n != r.n}
		case "<":
			return value{b: l.n < r.n}
		case "<=":
			return value{b: l.n <= r.n}
		case ">":
			return value{b: l.n > r.n}
		}
		return value{b: l.n >= r.n}
	}}, nil
}
