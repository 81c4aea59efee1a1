package python

import (
	"slices"
	"strings"
)

type parser struct {
	toks  []token
	i     int
	depth int
	step  func(int)
	funcs []*funcDef // being read
}

// maxNesting bounds how deep expressions and blocks go into each other.
const maxNesting = 150

func parse(src string, step func(int)) []stmt {
	p := &parser{toks: lex(src, step), step: step}
	var out []stmt
	for p.peek().kind != tEnd {
		if p.peek().kind == tNewline {
			p.i++
			continue
		}
		out = append(out, p.statement()...)
	}
	return out
}

func parseExpr(src string, step func(int)) expr {
	p := &parser{toks: lex(src, step), step: step}
	e := p.exprList()
	for p.peek().kind == tNewline {
		p.i++
	}
	if p.peek().kind != tEnd {
		p.invalid(p.peek())
	}
	return e
}

func (p *parser) peek() token { return p.toks[p.i] }

func (p *parser) take() token {
	t := p.toks[p.i]
	if p.i < len(p.toks)-1 {
		p.i++
	}
	p.step(1)
	return t
}

func (p *parser) is(text string) bool {
	t := p.peek()
	return (t.kind == tOp || t.kind == tName) && t.text == text
}

func (p *parser) accept(text string) bool {
	if p.is(text) {
		p.take()
		return true
	}
	return false
}

func (p *parser) expect(text string) token {
	if !p.is(text) {
		t := p.peek()
		if text == ":" && (t.kind == tNewline || t.kind == tName || t.kind == tOp && t.text == "=") {
			if t.kind == tNewline {
				p.fault(t.pos, "expected ':'")
			}
		}
		p.invalid(t)
	}
	return p.take()
}

func (p *parser) fault(at pos, msg string) {
	panic(&syntaxFault{kind: "SyntaxError", msg: msg, pos: at})
}

func (p *parser) invalid(t token) {
	switch {
	case t.kind == tIndent:
		panic(&syntaxFault{kind: "IndentationError", msg: "unexpected indent", pos: t.pos})
	case t.fault != nil:
		panic(t.fault)
	case p.unclosed() != nil && p.unclosed().pos.line < t.pos.line:
		panic(p.unclosed())
	case t.kind == tEnd:
		panic(&syntaxFault{kind: "SyntaxError", msg: "invalid syntax", pos: t.pos, incomplete: true})
	}
	p.fault(t.pos, "invalid syntax")
}

// unclosed is the complaint about a bracket that the text never closes.
func (p *parser) unclosed() *syntaxFault { return p.toks[len(p.toks)-1].fault }

func (p *parser) enter(t token) {
	if p.depth++; p.depth > maxNesting {
		p.fault(t.pos, "too many statically nested blocks")
	}
}

var keywords = []string{
	"False", "None", "True", "and", "as", "assert", "async", "await", "break", "class", "continue", "def", "del", "elif", "else", "except", "finally", "for",
	"from", "global", "if", "import", "in", "is", "lambda", "nonlocal", "not", "or", "pass", "raise", "return", "try", "while", "with", "yield",
}

func (p *parser) ident() token {
	t := p.peek()
	if t.kind != tName || slices.Contains(keywords, t.text) {
		p.invalid(t)
	}
	return p.take()
}

// statement reads one line, or a compound statement.
func (p *parser) statement() []stmt {
	t := p.peek()
	p.enter(t)
	defer func() { p.depth-- }()
	if t.kind == tName {
		if s := p.compound(t); s != nil {
			return []stmt{s}
		}
	}
	if t.kind == tOp && t.text == "@" {
		return []stmt{p.decorated()}
	}
	var out []stmt
	for {
		out = append(out, p.simple())
		if !p.accept(";") || p.peek().kind == tNewline {
			break
		}
	}
	if n := p.peek(); n.kind != tNewline {
		p.afterStatement(out[len(out)-1], n)
	}
	p.take()
	return out
}

// afterStatement words the error about what cannot follow a statement.
func (p *parser) afterStatement(s stmt, n token) {
	x, ok := s.(*exprS)
	if !ok {
		p.invalid(n)
	}
	if id, ok := x.x.(*nameE); ok && (n.kind == tString || n.kind == tNumber || n.kind == tName && !slices.Contains(keywords, n.text)) {
		if id.id == "print" || id.id == "exec" {
			last := p.toks[len(p.toks)-1]
			for _, t := range p.toks[p.i:] {
				if t.kind == tNewline || t.kind == tOp && t.text == ";" {
					break
				}
				last = t
			}
			p.fault(pos{x.line, x.col, last.pos.end}, "Missing parentheses in call to '"+id.id+"'. Did you mean "+id.id+"(...)?")
		}
	}
	p.invalid(n)
}

func (p *parser) compound(t token) stmt {
	switch t.text {
	case "if":
		p.take()
		return p.ifStatement(t.pos, "if")
	case "while":
		p.take()
		s := &whileS{pos: t.pos, cond: p.named()}
		s.body = p.block("'while' statement", t)
		s.alt = p.elseBlock()
		return s
	case "for":
		p.take()
		s := &forS{pos: t.pos, target: p.targetList()}
		p.expect("in")
		s.iter = p.exprList()
		s.body = p.block("'for' statement", t)
		s.alt = p.elseBlock()
		return s
	case "try":
		return p.tryStatement()
	case "with":
		return p.withStatement()
	case "def":
		return p.def(nil)
	case "class":
		return p.class(nil)
	}
	return nil
}

func (p *parser) elseBlock() []stmt {
	if t := p.peek(); p.accept("else") {
		return p.block("'else' statement", t)
	}
	return nil
}

func (p *parser) ifStatement(at pos, word string) stmt {
	head := p.toks[p.i-1]
	s := &ifS{pos: at, cond: p.named()}
	if p.is("=") {
		p.fault(pos{s.cond.at().line, s.cond.at().col, p.peek().pos.end + 2}, "invalid syntax. Maybe you meant '==' or ':=' instead of '='?")
	}
	s.then = p.block("'"+word+"' statement", head)
	if t := p.peek(); p.accept("elif") {
		s.alt = []stmt{p.ifStatement(t.pos, "elif")}
		return s
	}
	s.alt = p.elseBlock()
	return s
}

// block reads the suite of a compound statement whose first word is head.
func (p *parser) block(what string, head token) []stmt {
	p.expect(":")
	if p.peek().kind != tNewline {
		if t := p.peek(); t.kind == tName && slices.Contains([]string{"if", "while", "for", "try", "with", "def", "class"}, t.text) {
			p.invalid(t)
		}
		return p.statement()
	}
	p.take()
	for p.peek().kind == tNewline {
		p.take()
	}
	if t := p.peek(); t.kind != tIndent {
		panic(&syntaxFault{kind: "IndentationError", msg: "expected an indented block after " + what + " on line " + itoa(head.pos.line), pos: pos{t.pos.line, t.pos.col, t.pos.col + 1}, incomplete: t.kind == tEnd})
	}
	p.take()
	var out []stmt
	for p.peek().kind != tDedent && p.peek().kind != tEnd {
		if p.peek().kind == tNewline {
			p.take()
			continue
		}
		out = append(out, p.statement()...)
	}
	if p.peek().kind == tDedent {
		p.take()
	}
	return out
}

func (p *parser) tryStatement() stmt {
	t := p.take()
	s := &tryS{pos: t.pos, body: p.block("'try' statement", t)}
	for p.is("except") {
		h := handler{pos: p.peek().pos}
		head := p.take()
		if p.is("*") {
			p.take()
		}
		if !p.is(":") {
			h.kind = p.expr()
			if p.is(",") {
				p.fault(h.kind.at(), "multiple exception types must be parenthesized")
			}
			if p.accept("as") {
				h.name = p.ident().text
				p.local(h.name)
			}
		}
		h.body = p.block("'except' statement", head)
		s.handlers = append(s.handlers, h)
	}
	s.alt = p.elseBlock()
	if f := p.peek(); p.accept("finally") {
		s.final = p.block("'finally' statement", f)
	} else if len(s.handlers) == 0 {
		p.fault(p.peek().pos, "expected 'except' or 'finally' block")
	}
	return s
}

func (p *parser) withStatement() stmt {
	t := p.take()
	s := &withS{pos: t.pos}
	open := p.is("(")
	mark := p.i
	if open { // parenthesised items, unless it is a plain expression
		p.take()
	}
	for {
		item := withItem{x: p.expr()}
		if p.accept("as") {
			item.as = p.target(p.unary())
		}
		s.items = append(s.items, item)
		if !p.accept(",") {
			break
		}
	}
	if open && !(p.accept(")") && p.is(":")) {
		p.i, s.items = mark, nil
		item := withItem{x: p.expr()}
		if p.accept("as") {
			item.as = p.target(p.unary())
		}
		s.items = []withItem{item}
	}
	s.body = p.block("'with' statement", t)
	return s
}

func (p *parser) decorated() stmt {
	var list []expr
	for p.accept("@") {
		list = append(list, p.named())
		if p.peek().kind != tNewline {
			p.invalid(p.peek())
		}
		p.take()
	}
	switch {
	case p.is("def"):
		return p.def(list)
	case p.is("class"):
		return p.class(list)
	}
	p.invalid(p.peek())
	return nil
}

func (p *parser) local(name string) {
	if n := len(p.funcs); n > 0 {
		f := p.funcs[n-1]
		if f.outer[name] == "" {
			f.locals[name] = true
		}
	}
}

func (p *parser) def(decorators []expr) stmt {
	t := p.take()
	name := p.ident()
	p.local(name.text)
	fn := &funcDef{name: name.text, locals: map[string]bool{}, outer: map[string]string{}, line: t.pos.line}
	p.expect("(")
	fn.params = p.params(")", true)
	p.expect(")")
	if p.accept("->") {
		p.expr()
	}
	p.funcs = append(p.funcs, fn)
	for _, a := range fn.params {
		p.local(a.name)
	}
	fn.body = p.block("function definition", t)
	p.funcs = p.funcs[:len(p.funcs)-1]
	return &defS{pos: pos{t.pos.line, t.pos.col, name.pos.end}, fn: fn, decorators: decorators}
}

func (p *parser) params(end string, notes bool) []param {
	var out []param
	only := false
	for !p.is(end) {
		a := param{only: only}
		switch {
		case p.accept("/"):
			if !p.accept(",") {
				return out
			}
			continue
		case p.accept("**"):
			a.star = 2
		case p.accept("*"):
			only = true
			if p.accept(",") {
				continue
			}
			a.star = 1
		}
		a.name = p.ident().text
		if notes && p.accept(":") {
			p.expr()
		}
		if p.accept("=") {
			a.def = p.expr()
		}
		out = append(out, a)
		if !p.accept(",") {
			break
		}
	}
	return out
}

func (p *parser) class(decorators []expr) stmt {
	t := p.take()
	name := p.ident()
	p.local(name.text)
	s := &classS{pos: pos{t.pos.line, t.pos.col, name.pos.end}, name: name.text, decorators: decorators}
	if p.accept("(") {
		s.bases = p.args()
		p.expect(")")
	}
	// A class body is a scope of its own, but not one its functions see.
	p.funcs = append(p.funcs, &funcDef{locals: map[string]bool{}, outer: map[string]string{}})
	s.body = p.block("class definition", t)
	p.funcs = p.funcs[:len(p.funcs)-1]
	return s
}

// simple reads a statement that fits a line.
func (p *parser) simple() stmt {
	t := p.peek()
	if t.kind == tName {
		switch t.text {
		case "pass", "break", "continue":
			p.take()
			return &simpleS{t.pos, t.text}
		case "return":
			p.take()
			if len(p.funcs) == 0 {
				end := t.pos.end
				if !p.ends() {
					end = p.exprList().at().end
				}
				panic(&syntaxFault{kind: "SyntaxError", msg: "'return' outside function", pos: pos{t.pos.line, t.pos.col, end}, later: true})
			}
			s := &returnS{pos: t.pos}
			if !p.ends() {
				s.x = p.exprList()
			}
			return s
		case "raise":
			p.take()
			s := &raiseS{pos: t.pos}
			if !p.ends() {
				s.x = p.expr()
				if p.accept("from") {
					s.cause = p.expr()
				}
			}
			return s
		case "global", "nonlocal":
			return p.scope()
		case "import", "from":
			return p.imports()
		case "del":
			p.take()
			s := &delS{pos: t.pos}
			for {
				s.targets = append(s.targets, p.target(p.unary()))
				if !p.accept(",") {
					return s
				}
			}
		case "assert":
			p.take()
			s := &assertS{pos: t.pos, x: p.expr()}
			if p.accept(",") {
				s.msg = p.expr()
			}
			return s
		case "async", "await":
			p.fault(t.pos, "invalid syntax")
		case "else", "elif", "except", "finally":
			p.invalid(t)
		}
	}
	return p.assignment()
}

func (p *parser) ends() bool {
	t := p.peek()
	return t.kind == tNewline || t.kind == tEnd || t.kind == tOp && t.text == ";"
}

func (p *parser) scope() stmt {
	t := p.take()
	s := &scopeS{pos: t.pos, word: t.text}
	for {
		n := p.ident().text
		s.names = append(s.names, n)
		if k := len(p.funcs); k > 0 {
			p.funcs[k-1].outer[n] = t.text
			delete(p.funcs[k-1].locals, n)
		}
		if !p.accept(",") {
			return s
		}
	}
}

func (p *parser) imports() stmt {
	t := p.take()
	if t.text == "from" {
		return p.fromImport(t)
	}
	var all []stmt
	for {
		s := &importS{pos: t.pos, module: p.dotted()}
		if p.accept("as") {
			s.as = p.ident().text
			p.local(s.as)
		} else {
			first, _, _ := strings.Cut(s.module, ".")
			p.local(first)
		}
		all = append(all, s)
		if !p.accept(",") {
			break
		}
	}
	if len(all) == 1 {
		return all[0]
	}
	return &ifS{pos: t.pos, cond: &constE{t.pos, true}, then: all}
}

func (p *parser) fromImport(t token) stmt {
	s := &importS{pos: t.pos, from: true}
	for p.is(".") || p.is("...") {
		s.level += len(p.take().text)
	}
	if !p.is("import") {
		s.module = p.dotted()
	}
	p.expect("import")
	if p.accept("*") {
		s.names = [][2]string{{"*", ""}}
		return s
	}
	paren := p.accept("(")
	for {
		n := p.ident().text
		as := n
		if p.accept("as") {
			as = p.ident().text
		}
		p.local(as)
		s.names = append(s.names, [2]string{n, as})
		if !p.accept(",") || p.is(")") {
			break
		}
	}
	if paren {
		p.expect(")")
	}
	return s
}

func (p *parser) dotted() string {
	s := p.ident().text
	for p.accept(".") {
		s += "." + p.ident().text
	}
	return s
}

var augmented = []string{"+=", "-=", "*=", "/=", "//=", "%=", "**=", "&=", "|=", "^=", ">>=", "<<=", "@="}

func (p *parser) assignment() stmt {
	from := p.peek().pos
	x := p.exprList()
	if t := p.peek(); t.kind == tOp && slices.Contains(augmented, t.text) {
		p.take()
		return &augS{pos: from, op: strings.TrimSuffix(t.text, "="), target: p.target(x), x: p.exprList()}
	}
	if p.is(":") && p.annotated(x) {
		p.take()
		p.expr()
		if !p.accept("=") {
			return &simpleS{from, "pass"}
		}
		return &assignS{pos: from, targets: []expr{p.target(x)}, x: p.exprList()}
	}
	if !p.is("=") {
		return &exprS{x.at(), x}
	}
	s := &assignS{pos: from}
	for p.is("=") {
		s.targets = append(s.targets, p.target(x))
		p.take()
		x = p.exprList()
	}
	s.x = x
	return s
}

func (p *parser) annotated(x expr) bool {
	switch x.(type) {
	case *nameE, *attrE, *indexE:
		return true
	}
	return false
}

// target checks that x can be assigned to.
func (p *parser) target(x expr) expr {
	what := ""
	switch x := x.(type) {
	case *nameE:
		p.local(x.id)
		return x
	case *attrE, *indexE:
		return x
	case *starE:
		p.target(x.x)
		return x
	case *seqE:
		if x.kind != '{' {
			for _, i := range x.items {
				p.target(i)
			}
			return x
		}
		what = "set display"
	case *callE:
		what = "function call"
	case *constE:
		what = "literal"
		switch x.v.(type) {
		case nil:
			what = "None"
		case bool:
			what = map[bool]string{true: "True", false: "False"}[x.v.(bool)]
		}
	case *formatE:
		what = "f-string expression"
	case *dictE:
		what = "dict literal"
	case *compareE:
		what = "comparison"
	case *lambdaE:
		what = "lambda"
	case *condE:
		what = "conditional expression"
	default:
		what = "expression"
	}
	hint := ""
	if p.is("=") {
		hint = " here. Maybe you meant '==' instead of '='?"
		switch what {
		case "None", "True", "False", "comparison", "lambda", "conditional expression", "expression":
			hint = ""
		}
	}
	p.fault(x.at(), "cannot assign to "+what+hint)
	return nil
}

func (p *parser) targetList() expr {
	from := p.peek().pos
	x := p.target(p.starred(p.bitOr))
	if !p.is(",") {
		return x
	}
	s := &seqE{pos: from, kind: '(', items: []expr{x}}
	for p.accept(",") && !p.is("in") && !p.is("=") {
		s.items = append(s.items, p.target(p.starred(p.bitOr)))
	}
	return s
}

func (p *parser) starred(f func() expr) expr {
	if t := p.peek(); t.kind == tOp && t.text == "*" {
		p.take()
		return &starE{t.pos, f()}
	}
	return f()
}
