package grammar

import "strings"

// words that begin or divide compound commands.
var reserved = map[string]bool{
	"if": true, "then": true, "else": true, "elif": true, "fi": true, "do": true, "done": true,
	"case": true, "esac": true, "while": true, "until": true, "for": true, "select": true,
	"function": true, "coproc": true, "{": true, "}": true, "!": true, "[[": true, "time": true, "in": true,
}

// declarers are the builtins whose arguments may be compound assignments.
var declarers = map[string]bool{
	"declare": true, "typeset": true, "local": true, "export": true, "readonly": true, "alias": true, "eval": true, "let": true,
}

func (p *parser) command() {
	t := p.peek(command)
	if p.err != nil {
		return
	}
	switch {
	case t.kind == tWord && t.plain && p.compound(t):
		p.redirects()
	case t.is("("):
		p.paren()
		p.redirects()
	default:
		p.simple()
	}
}

// compound reads the compound command that the reserved word t begins.
func (p *parser) compound(t token) bool {
	if p.opt.Posix && (t.text == "[[" || t.text == "function" || t.text == "select" || t.text == "coproc" || t.text == "time") {
		return false
	}
	switch t.text {
	case "if":
		p.take()
		p.ifClause()
	case "while", "until":
		p.take()
		p.list("do")
		p.list("done")
	case "for", "select":
		p.take()
		p.forClause(t.text == "for")
	case "case":
		p.take()
		p.caseClause()
	case "{":
		p.take()
		p.list("}")
	case "[[":
		p.take()
		p.condition()
	case "function":
		p.take()
		p.function()
	case "coproc":
		p.take()
		p.coproc()
	case "then", "else", "elif", "fi", "do", "done", "esac", "}", "in":
		p.unexpected(t)
	default:
		return false
	}
	return true
}

func (p *parser) ifClause() {
	p.list("then")
	for p.err == nil {
		switch p.list("elif", "else", "fi") {
		case "elif":
			p.list("then")
		case "else":
			p.list("fi")
			return
		default:
			return
		}
	}
}

func (p *parser) forClause(arith bool) {
	if arith && !p.opt.Posix && strings.HasPrefix(p.src[p.skipBlanks():], "((") {
		p.pos = p.skipBlanks() + 2
		p.arithmetic(p.line)
		p.ahead = false
		if t := p.peek(command); t.is(";") {
			p.take()
		}
		p.body()
		return
	}
	t := p.pop(argument)
	if p.opt.Posix && (t.kind != tWord || !isName(t.text)) {
		p.fail(Cond, "Bad for loop variable", t.line)
		return
	}
	if t.kind != tWord {
		p.unexpected(t)
		return
	}
	n := p.peek(argument)
	for n.kind == tNewline {
		p.take()
		n = p.peek(argument)
	}
	if n.kind == tWord && n.text == "in" {
		p.take()
		for n = p.peek(argument); n.kind == tWord; n = p.peek(argument) {
			p.take()
		}
		if !n.is(";") && n.kind != tNewline {
			p.unexpected(n)
			return
		}
		p.take()
	} else if n.is(";") {
		p.take()
	}
	p.body()
}

// body reads `do list done` or `{ list }`.
func (p *parser) body() {
	p.newlines()
	t := p.peek(command)
	switch {
	case t.reserved("do"):
		p.take()
		p.list("done")
	case t.reserved("{"):
		p.take()
		p.list("}")
	default:
		p.expected(t, "do")
	}
}

func (p *parser) caseClause() {
	if t := p.pop(argument); t.kind != tWord {
		p.expected(t, "word")
		return
	}
	t := p.peek(argument)
	for t.kind == tNewline {
		p.take()
		t = p.peek(argument)
	}
	if t.kind != tWord || t.text != "in" {
		p.expected(t, "in")
		return
	}
	p.take()
	for p.err == nil {
		t = p.peek(argument)
		if t.kind == tNewline {
			p.take()
			continue
		}
		if t.kind == tWord && t.text == "esac" {
			p.take()
			return
		}
		if t.is("(") {
			p.take()
		}
		p.patterns()
		if p.err == nil && p.list(";;", ";&", ";;&", "esac") == "esac" {
			return
		}
	}
}

func (p *parser) patterns() {
	for p.err == nil {
		t := p.pop(argument)
		if t.kind != tWord {
			p.unexpected(t)
			return
		}
		n := p.pop(argument)
		if n.is(")") {
			return
		}
		if !n.is("|") {
			p.expected(n, ")")
		}
	}
}

func (p *parser) function() {
	if t := p.pop(argument); t.kind != tWord {
		p.unexpected(t)
		return
	}
	if t := p.peek(command); t.is("(") {
		p.take()
		if t = p.pop(command); !t.is(")") {
			p.unexpected(t)
			return
		}
	}
	p.functionBody()
}

func (p *parser) functionBody() {
	p.newlines()
	t := p.peek(command)
	if t.is("(") || t.kind == tWord && t.plain && reserved[t.text] && t.text != "!" && t.text != "time" && t.text != "coproc" && t.text != "function" {
		p.command()
		return
	}
	p.unexpected(t)
}

func (p *parser) coproc() {
	t := p.peek(command)
	if t.kind == tNewline || t.kind == tEOF || t.is(";") {
		p.unexpected(t)
		return
	}
	if t.kind == tWord && !reserved[t.text] {
		p.take()
		if n := p.peek(command); n.is("(") || n.kind == tWord && n.plain && reserved[n.text] {
			p.command()
			return
		}
		p.arguments()
		return
	}
	p.command()
}

// paren reads a subshell or an arithmetic command; the `(` is ahead.
func (p *parser) paren() {
	if !p.opt.Posix && strings.HasPrefix(p.src[p.tok.pos:], "((") {
		save := *p
		p.pos = p.tok.pos + 2
		p.ahead = false
		start := p.line
		if p.arithmetic(start) {
			p.span('c', save.tok.pos)
			return
		}
		err := p.err
		*p = save
		if err != nil { // the text ends inside
			p.err = err
			return
		}
	}
	p.take()
	p.list(")")
}

// arithmetic reads up to `))` and reports whether it found that; an error is
// recorded when the text ends first.
func (p *parser) arithmetic(start int) bool {
	if !p.matched('(', ')', start) {
		return false
	}
	if p.pos < len(p.src) && p.src[p.pos] == ')' {
		p.pos++
		return true
	}
	return false
}

// simple reads a simple command or a function definition.
func (p *parser) simple() {
	if t := p.peek(command); t.kind != tWord && !t.redirects() {
		p.unexpected(t)
		return
	}
	words, mode, assigned := 0, command, false
	for p.err == nil {
		t := p.peek(mode)
		if p.redirect(t) {
			continue
		}
		if t.kind != tWord {
			return
		}
		p.take()
		if _, ok := assignment(t.text); ok && words == 0 {
			assigned = true
			continue
		}
		words++
		if words == 1 && !declarers[t.text] {
			mode = argument
		}
		if words == 1 && p.peek(mode).is("(") {
			if assigned && !p.opt.Posix {
				p.unexpected(p.peek(mode))
				return
			}
			p.take()
			if n := p.pop(command); !n.is(")") {
				p.expected(n, ")")
				return
			}
			if p.opt.Posix && !isName(t.text) {
				p.fail(Cond, "Bad function name", t.line)
				return
			}
			p.functionBody()
			return
		}
	}
}

// arguments reads the words and redirections of a simple command to its end.
func (p *parser) arguments() {
	for p.err == nil {
		t := p.peek(argument)
		if p.redirect(t) {
			continue
		}
		if t.kind != tWord {
			return
		}
		p.take()
	}
}

func (p *parser) redirects() {
	for p.err == nil && p.redirect(p.peek(command)) {
	}
}
