package python

import (
	"math/big"
	"slices"
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

func span(a, b pos) pos {
	if a.line != b.line {
		return pos{a.line, a.col, 1 << 20}
	}
	return pos{a.line, a.col, b.end}
}

func (p *parser) last() pos { return p.toks[max(0, p.i-1)].pos }

// exprList reads expressions joined by commas: a tuple when there is a comma.
func (p *parser) exprList() expr {
	from := p.peek().pos
	if p.is("yield") {
		return p.yield()
	}
	x := p.starred(p.named)
	if !p.is(",") {
		return x
	}
	s := &seqE{kind: '(', items: []expr{x}}
	for p.accept(",") {
		if p.ends() || p.is("=") || p.is(")") || p.is("]") || p.is("}") || p.is(":") || slices.Contains(augmented, p.peek().text) && p.peek().kind == tOp {
			break
		}
		s.items = append(s.items, p.starred(p.named))
	}
	s.pos = span(from, p.last())
	return s
}

func (p *parser) yield() expr {
	t := p.take()
	if n := len(p.funcs); n > 0 {
		p.funcs[n-1].gen = true
	} else {
		p.fault(t.pos, "'yield' outside function")
	}
	y := &yieldE{pos: t.pos}
	if p.accept("from") {
		y.from = true
		y.x = p.expr()
	} else if !p.ends() && !p.is(")") && !p.is("=") {
		y.x = p.exprList()
	}
	return y
}

// named is an expression that may be an assignment expression.
func (p *parser) named() expr {
	x := p.expr()
	if id, ok := x.(*nameE); ok && p.accept(":=") {
		p.local(id.id)
		v := p.expr()
		return &walrusE{span(id.pos, v.at()), id.id, v}
	}
	return x
}

func (p *parser) expr() expr {
	p.enter(p.peek())
	defer func() { p.depth-- }()
	if p.is("lambda") {
		return p.lambda()
	}
	x := p.or()
	if !p.is("if") {
		return x
	}
	p.take()
	c := &condE{yes: x, cond: p.or()}
	if !p.is("else") {
		p.fault(span(x.at(), c.cond.at()), "expected 'else' after 'if' expression")
	}
	p.take()
	c.no = p.expr()
	c.pos = span(x.at(), c.no.at())
	return c
}

func (p *parser) lambda() expr {
	t := p.take()
	fn := &funcDef{name: "<lambda>", locals: map[string]bool{}, outer: map[string]string{}, line: t.pos.line}
	fn.params = p.params(":", false)
	p.expect(":")
	p.funcs = append(p.funcs, fn)
	for _, a := range fn.params {
		p.local(a.name)
	}
	fn.value = p.expr()
	p.funcs = p.funcs[:len(p.funcs)-1]
	return &lambdaE{span(t.pos, p.last()), fn}
}

func (p *parser) or() expr {
	x := p.and()
	for p.accept("or") {
		y := p.and()
		x = &boolE{span(x.at(), y.at()), "or", x, y}
	}
	return x
}

func (p *parser) and() expr {
	x := p.not()
	for p.accept("and") {
		y := p.not()
		x = &boolE{span(x.at(), y.at()), "and", x, y}
	}
	return x
}

func (p *parser) not() expr {
	if t := p.peek(); p.is("not") {
		p.enter(t)
		defer func() { p.depth-- }()
		p.take()
		x := p.not()
		return &unaryE{span(t.pos, x.at()), "not", x}
	}
	return p.comparison()
}

func (p *parser) comparison() expr {
	x := p.bitOr()
	c := &compareE{x: x}
	for {
		t := p.peek()
		op := ""
		switch {
		case t.kind == tOp && slices.Contains([]string{"<", ">", "==", ">=", "<=", "!="}, t.text):
			op = p.take().text
		case p.is("in"):
			op = p.take().text
		case p.is("is"):
			op = p.take().text
			if p.accept("not") {
				op = "is not"
			}
		case p.is("not") && p.i+1 < len(p.toks) && p.toks[p.i+1].text == "in":
			p.take()
			p.take()
			op = "not in"
		}
		if op == "" {
			break
		}
		c.ops = append(c.ops, op)
		c.ys = append(c.ys, p.bitOr())
	}
	if len(c.ops) == 0 {
		return x
	}
	c.pos = span(x.at(), p.last())
	return c
}

var precedence = [][]string{{"|"}, {"^"}, {"&"}, {"<<", ">>"}, {"+", "-"}, {"*", "/", "//", "%", "@"}}

func (p *parser) bitOr() expr { return p.binary(0) }

func (p *parser) binary(level int) expr {
	if level == len(precedence) {
		return p.unary()
	}
	x := p.binary(level + 1)
	for {
		t := p.peek()
		if t.kind != tOp || !slices.Contains(precedence[level], t.text) {
			return x
		}
		p.take()
		y := p.binary(level + 1)
		x = &binE{span(x.at(), y.at()), t.text, t.pos.col, x, y}
	}
}

func (p *parser) unary() expr {
	t := p.peek()
	if t.kind == tOp && (t.text == "-" || t.text == "+" || t.text == "~") {
		p.enter(t)
		defer func() { p.depth-- }()
		p.take()
		x := p.unary()
		return &unaryE{span(t.pos, x.at()), t.text, x}
	}
	x := p.primary()
	if t := p.peek(); t.kind == tOp && t.text == "**" {
		p.take()
		p.enter(t)
		defer func() { p.depth-- }()
		y := p.unary()
		return &binE{span(x.at(), y.at()), "**", t.pos.col, x, y}
	}
	return x
}

func (p *parser) primary() expr {
	if p.is("await") {
		p.invalid(p.peek())
	}
	x := p.atom()
	for {
		switch {
		case p.is("("):
			open := p.take()
			args := p.args()
			if !p.is(")") {
				p.inCall(open)
			}
			end := p.take()
			x = &callE{span(x.at(), end.pos), x, args}
		case p.is("["):
			open := p.take()
			i := p.subscript()
			end := p.expect("]")
			x = &indexE{span(x.at(), end.pos), x, i, open.pos.col}
		case p.is("."):
			p.take()
			n := p.peek()
			if n.kind != tName {
				p.invalid(n)
			}
			p.take()
			x = &attrE{span(x.at(), n.pos), x, n.text}
		default:
			return x
		}
	}
}

// inCall words the error about what stands between arguments.
func (p *parser) inCall(token) {
	t, before := p.peek(), p.toks[p.i-1]
	if u := p.unclosed(); u != nil && (t.kind == tEnd || u.pos.line < t.pos.line) {
		panic(u)
	}
	if before.kind != tOp && (t.kind == tName && !slices.Contains(keywords, t.text) || t.kind == tNumber || t.kind == tString) {
		p.fault(pos{before.pos.line, before.pos.col, t.pos.end}, "invalid syntax. Perhaps you forgot a comma?")
	}
	p.invalid(t)
}

func (p *parser) args() []argE {
	var out []argE
	for !p.is(")") {
		a := argE{}
		switch {
		case p.accept("**"):
			a.star = 2
		case p.accept("*"):
			a.star = 1
		}
		a.x = p.named()
		if id, ok := a.x.(*nameE); ok && a.star == 0 && p.accept("=") {
			a.name = id.id
			a.x = p.expr()
		}
		if p.is("for") && a.star == 0 {
			c := &compE{pos: a.x.at(), kind: '(', elt: a.x}
			c.clauses = p.clauses()
			a.x = c
		}
		out = append(out, a)
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) subscript() expr {
	from := p.peek().pos
	x := p.slice()
	if !p.is(",") {
		return x
	}
	s := &seqE{pos: from, kind: '(', items: []expr{x}}
	for p.accept(",") && !p.is("]") {
		s.items = append(s.items, p.slice())
	}
	return s
}

func (p *parser) slice() expr {
	from := p.peek().pos
	var lo expr
	if !p.is(":") {
		lo = p.named()
		if !p.is(":") {
			return lo
		}
	}
	p.take()
	s := &sliceE{pos: from, lo: lo}
	if !p.is("]") && !p.is(":") && !p.is(",") {
		s.hi = p.expr()
	}
	if p.accept(":") && !p.is("]") && !p.is(",") {
		s.step = p.expr()
	}
	return s
}

func (p *parser) clauses() []clause {
	var out []clause
	for p.accept("for") {
		c := clause{target: p.targetList()}
		p.expect("in")
		c.iter = p.or()
		for p.accept("if") {
			c.conds = append(c.conds, p.or())
		}
		out = append(out, c)
	}
	return out
}

func (p *parser) atom() expr {
	t := p.peek()
	p.enter(t)
	defer func() { p.depth-- }()
	switch t.kind {
	case tNumber:
		p.take()
		return &constE{t.pos, p.number(t)}
	case tString:
		return p.strings()
	case tName:
		switch t.text {
		case "None":
			p.take()
			return &constE{t.pos, nil}
		case "True", "False":
			p.take()
			return &constE{t.pos, t.text == "True"}
		case "lambda":
			return p.lambda()
		}
		if slices.Contains(keywords, t.text) {
			p.invalid(t)
		}
		p.take()
		return &nameE{t.pos, t.text}
	case tOp:
		switch t.text {
		case "(":
			return p.paren()
		case "[":
			p.take()
			return p.list(t, '[', "]")
		case "{":
			return p.brace()
		case "...":
			p.take()
			return &nameE{t.pos, "Ellipsis"}
		}
	}
	p.invalid(t)
	return nil
}

func (p *parser) paren() expr {
	t := p.take()
	if end := p.peek(); p.accept(")") {
		return &seqE{span(t.pos, end.pos), '(', nil}
	}
	x := p.exprListOr("for")
	if p.is("for") {
		c := &compE{kind: '(', elt: x, clauses: p.clauses()}
		c.pos = span(t.pos, p.expect(")").pos)
		return c
	}
	if !p.is(")") {
		p.inCall(t)
	}
	end := p.take()
	if s, ok := x.(*seqE); ok && s.kind == '(' {
		s.pos = span(t.pos, end.pos)
	}
	return x
}

func (p *parser) exprListOr(string) expr { return p.exprList() }

func (p *parser) list(t token, kind byte, end string) expr {
	s := &seqE{kind: kind}
	for !p.is(end) {
		x := p.starred(p.named)
		if p.is("for") && len(s.items) == 0 {
			c := &compE{kind: kind, elt: x, clauses: p.clauses()}
			c.pos = span(t.pos, p.expect(end).pos)
			return c
		}
		s.items = append(s.items, x)
		if !p.accept(",") {
			break
		}
	}
	if !p.is(end) {
		p.inCall(t)
	}
	s.pos = span(t.pos, p.take().pos)
	return s
}

func (p *parser) brace() expr {
	t := p.take()
	d := &dictE{pos: t.pos}
	for !p.is("}") {
		if p.accept("**") {
			d.keys, d.vals = append(d.keys, nil), append(d.vals, p.bitOr())
		} else {
			k := p.starred(p.named)
			if !p.is(":") && len(d.keys) == 0 {
				return p.set(t, k)
			}
			p.expect(":")
			v := p.expr()
			if p.is("for") && len(d.keys) == 0 {
				c := &compE{kind: ':', elt: k, val: v, clauses: p.clauses()}
				c.pos = span(t.pos, p.expect("}").pos)
				return c
			}
			d.keys, d.vals = append(d.keys, k), append(d.vals, v)
		}
		if !p.accept(",") {
			break
		}
	}
	d.pos = span(t.pos, p.expect("}").pos)
	return d
}

func (p *parser) set(t token, first expr) expr {
	if p.is("for") {
		c := &compE{kind: '{', elt: first, clauses: p.clauses()}
		c.pos = span(t.pos, p.expect("}").pos)
		return c
	}
	s := &seqE{kind: '{', items: []expr{first}}
	for p.accept(",") && !p.is("}") {
		s.items = append(s.items, p.starred(p.named))
	}
	s.pos = span(t.pos, p.expect("}").pos)
	return s
}

// strings joins literals that stand side by side.
func (p *parser) strings() expr {
	first := p.peek()
	var parts []strPart
	formatted := false
	for p.peek().kind == tString {
		t := p.take()
		if t.raw != first.raw {
			p.fault(span(first.pos, t.pos), "cannot mix bytes and nonbytes literals")
		}
		parts = append(parts, t.str...)
		formatted = formatted || t.fmt
	}
	at := span(first.pos, p.last())
	if formatted {
		return &formatE{at, parts}
	}
	var b strings.Builder
	for _, s := range parts {
		b.WriteString(s.text)
	}
	if first.raw {
		return &constE{at, bytesV(b.String())}
	}
	return &constE{at, b.String()}
}

func (p *parser) number(t token) any {
	s := strings.ReplaceAll(t.text, "_", "")
	if len(s) > 1 && s[0] == '0' && strings.IndexByte("xXoObB", s[1]) >= 0 {
		n, ok := new(big.Int).SetString(s, 0)
		if !ok {
			p.fault(t.pos, "invalid syntax")
		}
		return norm(n)
	}
	if strings.ContainsAny(s, ".eE") {
		f, _ := strconv.ParseFloat(s, 64)
		return f
	}
	if n, err := strconv.ParseInt(s, 10, 64); err == nil {
		return n
	}
	if len(s) > 4300 {
		p.fault(t.pos, "Exceeds the limit (4300 digits) for integer string conversion: value has "+itoa(len(s))+" digits; use sys.set_int_max_str_digits() to increase the limit - Consider hexadecimal for huge integer literals to avoid decimal conversion limits.")
	}
	n, ok := new(big.Int).SetString(s, 10)
	if !ok {
		p.fault(t.pos, "invalid syntax")
	}
	return norm(n)
}
