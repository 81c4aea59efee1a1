package grammar

import "strings"

var binary = map[string]bool{
	"=": true, "==": true, "!=": true, "=~": true, "-eq": true, "-ne": true, "-lt": true,
	"-le": true, "-gt": true, "-ge": true, "-nt": true, "-ot": true, "-ef": true,
}

// condition reads the inside of [[ ]] and its end.
func (p *parser) condition() {
	p.condOr()
	if p.err != nil {
		return
	}
	t := p.pop(cond)
	for t.kind == tNewline {
		t = p.pop(cond)
	}
	if t.kind != tWord || t.text != "]]" {
		p.condFail("syntax error in conditional expression: unexpected token `"+t.text+"'", t)
	}
}

func (p *parser) condFail(msg string, t token) {
	p.fail(Cond, msg, t.line)
	if p.err != nil && p.err.Kind == Cond && t.kind != tEOF && t.kind != tNewline {
		p.err.Status = 0 // so bash 5.2 by -c
	}
}

func (p *parser) condOr() {
	if !p.enter() {
		return
	}
	defer p.leave()
	for {
		p.condTerm()
		if p.err != nil {
			return
		}
		t := p.peek(cond)
		for t.kind == tNewline {
			p.take()
			t = p.peek(cond)
		}
		if !t.is("&&") && !t.is("||") {
			return
		}
		p.take()
	}
}

func (p *parser) condTerm() {
	t := p.pop(cond)
	for t.kind == tNewline {
		t = p.pop(cond)
	}
	switch {
	case t.is("("):
		p.condOr()
		if n := p.pop(cond); !n.is(")") && p.err == nil {
			p.condFail("unexpected token `"+n.text+"', expected `)'", n)
		}
	case t.kind != tWord && t.kind != tNumber:
		p.unexpected(t)
	case t.text == "!" && t.plain:
		p.condTerm()
	case t.text == "]]":
		p.condFail("", t) // of this bash says nothing
	case len(t.text) == 2 && t.text[0] == '-' && strings.Contains("abcdefghknoprstuvwxzGLNORS", t.text[1:]):
		p.unary(t)
	default:
		p.operand()
	}
}

func (p *parser) unary(t token) {
	n := p.peek(cond)
	if n.kind == tWord && n.plain && binary[n.text] {
		save := *p
		p.take()
		if q := p.peek(cond); q.kind == tWord && q.text != "]]" {
			*p = save
			p.operand()
			return
		}
		*p = save
	}
	if n.kind != tWord && n.kind != tNumber || n.text == "]]" {
		p.condFail("unexpected argument `"+n.text+"' to conditional unary operator", n)
		return
	}
	p.take()
}

// operand reads what may follow a word.
func (p *parser) operand() {
	n := p.peek(cond)
	switch {
	case n.kind == tWord && n.text == "]]" || n.is("&&") || n.is("||") || n.is(")"):
		return
	case n.kind == tWord && binary[n.text] || n.is("<") || n.is(">"):
		p.take()
	case n.kind == tNewline || n.kind == tEOF:
		p.condFail("unexpected token `newline', conditional binary operator expected", n)
		return
	case n.kind != tWord && n.kind != tNumber:
		p.condFail("unexpected token `"+n.text+"', conditional binary operator expected", n)
		return
	default:
		p.condFail("conditional binary operator expected", n)
		return
	}
	if n.text == "=~" {
		p.regex()
		return
	}
	if r := p.pop(cond); r.kind != tWord && r.kind != tNumber || r.text == "]]" {
		p.condFail("unexpected argument `"+r.text+"' to conditional binary operator", r)
	}
}

// regex reads the right side of =~, in which brackets and bars are letters.
func (p *parser) regex() {
	p.blanks()
	start := p.line
	for p.err == nil && p.pos < len(p.src) {
		switch c := p.src[p.pos]; c {
		case ' ', '\t', '\n':
			return
		case '&', ';', ')':
			return
		case '\\':
			p.escape()
		case '\'', '"', '`', '$':
			p.quoted(c)
		case '(':
			p.pos++
			if !p.matched('(', ')', start) && p.err != nil && p.err.Kind == Unclosed {
				p.err.Then = "unexpected argument to conditional binary operator"
			}
		default:
			p.pos++
		}
	}
}
