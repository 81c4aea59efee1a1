package awk

import "strings"

// expr is a node of an expression.
type expr struct {
	op   string // see eval
	text string
	num  float64
	args []*expr
	re   Matcher
	fn   *function
	slot int // of a local variable, from 1 on
}

// stmt is a node of a statement.
type stmt struct {
	op         string
	a, b       *expr
	list       []*expr
	init, step *stmt
	body, alt  []*stmt
	redirect   string // "", >, >>, |
	dest       *expr
}

type rule struct {
	begin, end bool
	from, to   *expr
	body       []*stmt
	bare       bool // no action: print
	active     bool
}

type function struct {
	name   string
	params []string
	body   []*stmt
	known  bool
	line   int
}

// Program is a parsed program.
type Program struct {
	rules []*rule
	funcs map[string]*function
}

type parser struct {
	l      *lexer
	t      token
	host   *Host
	prog   *Program
	locals map[string]int
	noIn   int
	noGt   int
	depth  int
}

// maxNest bounds the nesting of a program.
const maxNest = 250

// Parse reads a program. Patterns are compiled by the host.
func Parse(src string, h *Host) (p *Program, err error) {
	defer func() {
		switch r := recover().(type) {
		case nil:
		case *SyntaxError:
			p, err = nil, r
		default:
			panic(r)
		}
	}()
	q := &parser{l: &lexer{in: src, line: 1}, host: h, prog: &Program{funcs: map[string]*function{}}}
	q.advance()
	q.skipEnds()
	for q.t.kind != tEOF {
		q.item()
		q.skipEnds()
	}
	for _, f := range q.prog.funcs {
		if !f.known {
			q.l.line++
			q.l.fail("function %s never defined", f.name)
		}
	}
	return q.prog, nil
}

func (q *parser) advance() {
	q.t = q.l.next()
	q.host.step(1)
}

func (q *parser) is(op string) bool { return q.t.kind == tOp && q.t.text == op }
func (q *parser) word(w string) bool {
	return q.t.kind == tKeyword && q.t.text == w
}

func (q *parser) unexpected() {
	switch {
	case q.t.kind == tEOF:
		q.l.line++
		q.l.fail("missing } near end of file")
	case q.is(")"):
		q.l.fail("extra ')'")
	case q.is("}"):
		q.l.fail("extra '}'")
	case q.is("]"):
		q.l.fail("extra ']'")
	case q.t.kind == tNewline:
		q.l.line = q.t.line
		q.l.fail("syntax error at or near end of line")
	}
	q.l.fail("syntax error at or near %s", q.t.text)
}

func (q *parser) expect(op string) {
	if !q.is(op) {
		q.unexpected()
	}
	q.advance()
}

func (q *parser) skipNewlines() {
	for q.t.kind == tNewline {
		q.advance()
	}
}

func (q *parser) skipEnds() {
	for q.t.kind == tNewline || q.is(";") {
		q.advance()
	}
}

func (q *parser) item() {
	if q.word("function") || q.word("func") {
		q.function()
		return
	}
	r := &rule{}
	switch {
	case q.word("BEGIN"), q.word("END"):
		r.begin, r.end = q.t.text == "BEGIN", q.t.text == "END"
		q.advance()
		if !q.is("{") {
			q.unexpected()
		}
	case !q.is("{"):
		r.from = q.expression()
		if q.is(",") {
			q.advance()
			q.skipNewlines()
			r.to = q.expression()
		}
	}
	if q.is("{") {
		r.body = q.block()
	} else {
		r.bare = true
	}
	q.prog.rules = append(q.prog.rules, r)
}

func (q *parser) function() {
	q.advance()
	if q.t.kind != tName && q.t.kind != tFunc {
		q.unexpected()
	}
	f := q.fn(q.t.text)
	f.known = true
	q.advance()
	q.expect("(")
	q.locals = map[string]int{}
	for !q.is(")") {
		if q.t.kind != tName {
			q.unexpected()
		}
		f.params = append(f.params, q.t.text)
		q.locals[q.t.text] = len(f.params)
		q.advance()
		if q.is(",") {
			q.advance()
			q.skipNewlines()
		}
	}
	q.advance()
	q.skipNewlines()
	f.body = q.block()
	q.locals = nil
}

func (q *parser) fn(name string) *function {
	f, ok := q.prog.funcs[name]
	if !ok {
		f = &function{name: name, line: q.t.line}
		q.prog.funcs[name] = f
	}
	return f
}

func (q *parser) block() []*stmt {
	if q.depth++; q.depth > maxNest {
		q.l.fail("program is nested too deep")
	}
	defer func() { q.depth-- }()
	q.expect("{")
	var out []*stmt
	for {
		q.skipEnds()
		if q.is("}") {
			q.advance()
			return out
		}
		if q.t.kind == tEOF {
			q.unexpected()
		}
		out = append(out, q.statement())
	}
}

// body is a statement or a block after if, while, for.
func (q *parser) body() []*stmt {
	q.skipNewlines()
	if q.is("{") {
		return q.block()
	}
	if q.is(";") {
		q.advance()
		return nil
	}
	if q.depth++; q.depth > maxNest {
		q.l.fail("program is nested too deep")
	}
	defer func() { q.depth-- }()
	return []*stmt{q.statement()}
}

func (q *parser) terminator() {
	switch {
	case q.is(";"), q.t.kind == tNewline:
		q.advance()
	case q.is("}"), q.t.kind == tEOF:
	default:
		q.unexpected()
	}
}

func (q *parser) statement() *stmt {
	if q.is("{") {
		return &stmt{op: "block", body: q.block()}
	}
	if q.t.kind == tKeyword {
		switch q.t.text {
		case "if":
			return q.ifStatement()
		case "while":
			q.advance()
			q.expect("(")
			s := &stmt{op: "while", a: q.expression()}
			q.expect(")")
			s.body = q.body()
			return s
		case "do":
			q.advance()
			s := &stmt{op: "do", body: q.body()}
			q.skipEnds()
			if !q.word("while") {
				q.unexpected()
			}
			q.advance()
			q.expect("(")
			s.a = q.expression()
			q.expect(")")
			q.terminator()
			return s
		case "for":
			return q.forStatement()
		}
	}
	s := q.simple()
	q.terminator()
	return s
}

func (q *parser) ifStatement() *stmt {
	q.advance()
	q.expect("(")
	s := &stmt{op: "if", a: q.expression()}
	q.expect(")")
	s.body = q.body()
	mark, t := *q.l, q.t
	q.skipEnds()
	if q.word("else") {
		q.advance()
		s.alt = q.body()
		return s
	}
	*q.l, q.t = mark, t
	return s
}

func (q *parser) forStatement() *stmt {
	q.advance()
	q.expect("(")
	s := &stmt{op: "for"}
	if !q.is(";") {
		mark, t := *q.l, q.t
		if q.t.kind == tName {
			name := q.variable(q.t.text)
			q.advance()
			if q.word("in") {
				q.advance()
				if q.t.kind == tName {
					arr := q.variable(q.t.text)
					q.advance()
					if q.is(")") {
						q.advance()
						return &stmt{op: "forin", a: name, b: arr, body: q.body()}
					}
				}
			}
			*q.l, q.t = mark, t
		}
		s.init = q.simple()
	}
	q.expect(";")
	q.skipNewlines()
	if !q.is(";") {
		s.a = q.expression()
	}
	q.expect(";")
	q.skipNewlines()
	if !q.is(")") {
		s.step = q.simple()
	}
	q.expect(")")
	s.body = q.body()
	return s
}

// simple is a statement that fits between semicolons.
func (q *parser) simple() *stmt {
	if q.t.kind != tKeyword || q.word("getline") {
		return &stmt{op: "expr", a: q.expression()}
	}
	word := q.t.text
	switch word {
	case "print", "printf":
		return q.print(word)
	case "break", "continue", "next", "nextfile":
		q.advance()
		return &stmt{op: word}
	case "exit", "return":
		q.advance()
		s := &stmt{op: word}
		if !q.is(";") && !q.is("}") && q.t.kind != tNewline && q.t.kind != tEOF {
			s.a = q.expression()
		}
		return s
	case "delete":
		q.advance()
		if q.t.kind != tName {
			q.unexpected()
		}
		s := &stmt{op: "delete", a: q.variable(q.t.text)}
		q.advance()
		if q.is("[") {
			s.list = q.subscript()
		}
		return s
	}
	q.unexpected()
	return nil
}

func (q *parser) print(word string) *stmt {
	s := &stmt{op: word}
	q.advance()
	q.noGt++
	if q.is("(") {
		// Either the whole list in parentheses or the first operand's own.
		mark, t := *q.l, q.t
		q.advance()
		q.skipNewlines()
		gt := q.noGt
		q.noGt = 0
		list := q.list(")")
		q.noGt = gt
		if q.is(")") {
			q.advance()
			if q.is(";") || q.is("}") || q.is(">") || q.is(">>") || q.is("|") || q.t.kind == tNewline || q.t.kind == tEOF {
				s.list = list
				q.redirect(s)
				q.noGt--
				return s
			}
		}
		*q.l, q.t = mark, t
	}
	if !q.is(";") && !q.is("}") && !q.is(">") && !q.is(">>") && !q.is("|") && q.t.kind != tNewline && q.t.kind != tEOF {
		s.list = q.list("")
	}
	q.redirect(s)
	q.noGt--
	return s
}

func (q *parser) redirect(s *stmt) {
	if q.is(">") || q.is(">>") || q.is("|") {
		s.redirect = q.t.text
		q.advance()
		s.dest = q.ternary()
	}
}

func (q *parser) list(end string) []*expr {
	var out []*expr
	for {
		if end != "" && q.is(end) {
			return out
		}
		out = append(out, q.expression())
		q.skipInParen(end)
		if !q.is(",") {
			return out
		}
		q.advance()
		q.skipNewlines()
	}
}

func (q *parser) skipInParen(end string) {
	if end != "" {
		q.skipNewlines()
	}
}

func (q *parser) subscript() []*expr {
	q.expect("[")
	in, gt := q.noIn, q.noGt
	q.noIn, q.noGt = 0, 0
	list := q.list("]")
	q.noIn, q.noGt = in, gt
	q.expect("]")
	if len(list) == 0 {
		q.unexpected()
	}
	return list
}

func (q *parser) variable(name string) *expr {
	return &expr{op: "var", text: name, slot: q.locals[name]}
}

func (q *parser) expression() *expr {
	if q.depth++; q.depth > maxNest {
		q.l.fail("expression is nested too deep")
	}
	defer func() { q.depth-- }()
	e := q.ternary()
	if q.t.kind == tOp && strings.Contains(" = += -= *= /= %= ^= ", " "+q.t.text+" ") && lvalue(e) {
		op := q.t.text
		q.advance()
		q.skipNewlines()
		return &expr{op: "assign", text: strings.TrimSuffix(op, "="), args: []*expr{e, q.expression()}}
	}
	return e
}

func lvalue(e *expr) bool { return e.op == "var" || e.op == "field" || e.op == "index" }

func (q *parser) ternary() *expr {
	e := q.binary(0)
	if !q.is("?") {
		return e
	}
	q.advance()
	q.skipNewlines()
	a := q.expression()
	q.skipNewlines()
	q.expect(":")
	q.skipNewlines()
	return &expr{op: "?", args: []*expr{e, a, q.expression()}}
}

// binary parses || && in ~ and comparisons, loosest first.
func (q *parser) binary(level int) *expr {
	switch level {
	case 0, 1:
		op := []string{"||", "&&"}[level]
		e := q.binary(level + 1)
		for q.is(op) {
			q.advance()
			q.skipNewlines()
			e = &expr{op: op, args: []*expr{e, q.binary(level + 1)}}
		}
		return e
	case 2:
		e := q.binary(3)
		for q.word("in") {
			q.advance()
			if q.t.kind != tName {
				q.unexpected()
			}
			e = &expr{op: "in", args: []*expr{e, q.variable(q.t.text)}}
			q.advance()
		}
		return e
	case 3:
		e := q.binary(4)
		for q.is("~") || q.is("!~") {
			op := q.t.text
			q.advance()
			e = &expr{op: op, args: []*expr{e, q.binary(4)}}
		}
		return e
	}
	e := q.concatenation()
	for q.t.kind == tOp && strings.Contains(" < <= == != >= > ", " "+q.t.text+" ") && (q.t.text != ">" || q.noGt == 0) {
		op := q.t.text
		q.advance()
		e = &expr{op: op, args: []*expr{e, q.concatenation()}}
	}
	// "command" | getline binds here.
	for q.is("|") && q.pipeGetline() {
		q.advance()
		q.advance()
		e = &expr{op: "cmdgetline", args: []*expr{e, q.optionalLvalue()}}
	}
	return e
}

// pipeGetline looks past the | for getline.
func (q *parser) pipeGetline() bool {
	mark := *q.l
	t := q.l.next()
	*q.l = mark
	return t.kind == tKeyword && t.text == "getline"
}

func (q *parser) optionalLvalue() *expr {
	if q.is("$") || q.t.kind == tName {
		return q.primary()
	}
	return nil
}

func (q *parser) concatenation() *expr {
	e := q.additive()
	for q.startsOperand() {
		e = &expr{op: "cat", args: []*expr{e, q.additive()}}
	}
	return e
}

func (q *parser) startsOperand() bool {
	switch q.t.kind {
	case tNumber, tString, tRegex, tName, tFunc, tBuiltin:
		return true
	case tOp:
		return strings.Contains(" $ ! ( - + ++ -- ", " "+q.t.text+" ")
	}
	return false
}

func (q *parser) additive() *expr {
	e := q.multiplicative()
	for q.is("+") || q.is("-") {
		op := q.t.text
		q.advance()
		e = &expr{op: op, args: []*expr{e, q.multiplicative()}}
	}
	return e
}

func (q *parser) multiplicative() *expr {
	e := q.unary()
	for q.is("*") || q.is("/") || q.is("%") {
		op := q.t.text
		q.advance()
		e = &expr{op: op, args: []*expr{e, q.unary()}}
	}
	return e
}

func (q *parser) unary() *expr {
	if q.depth++; q.depth > maxNest {
		q.l.fail("expression is nested too deep")
	}
	defer func() { q.depth-- }()
	if q.is("!") || q.is("-") || q.is("+") {
		op := q.t.text
		q.advance()
		return &expr{op: "u" + op, args: []*expr{q.unary()}}
	}
	return q.power()
}

func (q *parser) power() *expr {
	e := q.postfix()
	if q.is("^") {
		q.advance()
		return &expr{op: "^", args: []*expr{e, q.powerRight()}}
	}
	return e
}

func (q *parser) powerRight() *expr {
	if q.is("-") || q.is("+") || q.is("!") {
		op := q.t.text
		q.advance()
		return &expr{op: "u" + op, args: []*expr{q.powerRight()}}
	}
	return q.power()
}

func (q *parser) postfix() *expr {
	if q.is("++") || q.is("--") {
		op := q.t.text
		q.advance()
		e := q.primary()
		if !lvalue(e) {
			q.unexpected()
		}
		return &expr{op: "pre" + op, args: []*expr{e}}
	}
	e := q.primary()
	if (q.is("++") || q.is("--")) && lvalue(e) {
		e = &expr{op: "post" + q.t.text, args: []*expr{e}}
		q.advance()
	}
	return e
}

func (q *parser) primary() *expr {
	t := q.t
	switch t.kind {
	case tNumber:
		q.advance()
		return &expr{op: "num", num: t.num}
	case tString:
		q.advance()
		return &expr{op: "str", text: t.text}
	case tRegex:
		e := &expr{op: "regex", text: t.text, re: q.compile(t.text)}
		q.advance()
		return e
	case tName:
		q.advance()
		e := q.variable(t.text)
		if q.is("[") {
			e = &expr{op: "index", args: append([]*expr{e}, q.subscript()...)}
		}
		return e
	case tFunc:
		f := q.fn(t.text)
		q.advance()
		return &expr{op: "call", fn: f, args: q.arguments()}
	case tBuiltin:
		q.advance()
		e := &expr{op: "builtin", text: t.text}
		if q.is("(") {
			e.args = q.arguments()
		} else if t.text != "length" {
			q.unexpected()
		}
		return e
	case tKeyword:
		if t.text == "getline" {
			q.advance()
			e := &expr{op: "getline", args: []*expr{q.optionalLvalue(), nil}}
			if q.is("<") {
				q.advance()
				e.args[1] = q.postfix()
			}
			return e
		}
	}
	switch {
	case q.is("$"):
		q.advance()
		if q.is("-") || q.is("+") {
			return &expr{op: "field", args: []*expr{q.unary()}}
		}
		return &expr{op: "field", args: []*expr{q.postfixField()}}
	case q.is("("):
		return q.grouping()
	case q.is("-"), q.is("+"), q.is("!"):
		return q.unary()
	}
	q.unexpected()
	return nil
}

// postfixField is the operand of $: it binds tighter than ++ after it.
func (q *parser) postfixField() *expr {
	if q.is("++") || q.is("--") {
		return q.postfix()
	}
	if q.depth++; q.depth > maxNest {
		q.l.fail("expression is nested too deep")
	}
	defer func() { q.depth-- }()
	return q.primary()
}

func (q *parser) compile(pattern string) Matcher {
	re, err := q.host.Regexp(pattern)
	if err != nil {
		q.l.fail("regular expression compile failed (%s)\n%s", complaint(err.Error()), pattern)
	}
	return re
}

// complaint gives a pattern's fault mawk's words.
func complaint(msg string) string {
	switch {
	case strings.Contains(msg, "Unmatched ("):
		return "missing ')'"
	case strings.Contains(msg, "Unmatched )"):
		return "missing '('"
	case strings.Contains(msg, "Unmatched ["):
		return "bad class -- [], [^] or ["
	}
	return "missing operand"
}

func (q *parser) arguments() []*expr {
	q.expect("(")
	in, gt := q.noIn, q.noGt
	q.noIn, q.noGt = 0, 0
	q.skipNewlines()
	list := q.list(")")
	q.noIn, q.noGt = in, gt
	q.skipNewlines()
	q.expect(")")
	return list
}

func (q *parser) grouping() *expr {
	list := q.arguments()
	if len(list) == 1 {
		return &expr{op: "group", args: list}
	}
	if len(list) > 1 && q.word("in") {
		q.advance()
		if q.t.kind != tName {
			q.unexpected()
		}
		e := &expr{op: "in", args: []*expr{{op: "multi", args: list}, q.variable(q.t.text)}}
		q.advance()
		return e
	}
	q.unexpected()
	return nil
}
