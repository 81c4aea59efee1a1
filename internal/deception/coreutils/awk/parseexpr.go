package awk

import "strings"

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
