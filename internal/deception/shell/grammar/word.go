package grammar

import "strings"

// word reads a word up to the first character that cannot be part of it.
func (p *parser) word(m mode, t *token) {
	for p.err == nil && p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case ' ', '\t', '\n', ';', '&', '|', ')':
			return
		case '(':
			if !p.bracket(m, t) {
				return
			}
		case '<', '>':
			if p.opt.Posix || p.pos+1 >= len(p.src) || p.src[p.pos+1] != '(' {
				return
			}
			t.plain = false
			p.pos += 2
			p.substitution()
		case '\\':
			t.plain = false
			p.escape()
		case '\'', '"', '`', '$':
			t.plain = false
			p.quoted(c)
		default:
			p.pos++
		}
	}
}

// bracket reads an opening bracket inside a word, where one may stand.
func (p *parser) bracket(m mode, t *token) bool {
	sofar := p.src[t.pos:p.pos]
	if n, ok := assignment(sofar); ok && n == len(sofar) && m == command && !p.opt.Posix && !p.opt.Ash {
		t.plain = false
		p.pos++
		p.array()
		return true
	}
	if sofar == "" || !strings.ContainsRune("?*+@!", rune(sofar[len(sofar)-1])) || m != cond && !p.opt.ExtGlob {
		return false
	}
	if m != cond {
		p.extglob = true
	}
	t.plain = false
	p.pos++
	p.matched('(', ')', p.line)
	return true
}

// array reads the words of a compound assignment up to its bracket.
func (p *parser) array() {
	if !p.enter() {
		return
	}
	defer p.leave()
	status, tok, ahead := p.status, p.tok, p.ahead
	p.status, p.ahead = 1, false
	start := p.line
	for p.err == nil {
		t := p.pop(command)
		switch {
		case t.is(")"):
			p.status, p.tok, p.ahead = status, tok, ahead
			return
		case t.kind == tEOF:
			p.fail(Unclosed, ")", start)
		case t.kind != tWord && t.kind != tNewline && t.kind != tNumber:
			p.unexpected(t)
		}
	}
}

func (p *parser) escape() {
	if p.pos+1 < len(p.src) && p.src[p.pos+1] == '\n' {
		p.line++
	}
	p.pos = min(p.pos+2, len(p.src))
}

// quoted reads what the character c at the current offset begins.
func (p *parser) quoted(c byte) {
	start := p.line
	switch c {
	case '\'':
		p.pos++
		p.until('\'', false, start)
	case '"':
		p.pos++
		p.double(start)
	case '`':
		from := p.pos
		p.pos++
		p.until('`', true, start)
		p.span('`', from)
	case '$':
		p.pos++
		p.dollar(start, false)
	}
}

// until skips to the closing delimiter.
func (p *parser) until(close byte, escapes bool, start int) {
	for p.pos < len(p.src) {
		c := p.src[p.pos]
		p.pos++
		switch {
		case c == close:
			return
		case c == '\n':
			p.line++
		case c == '\\' && escapes && p.pos < len(p.src):
			if p.src[p.pos] == '\n' {
				p.line++
			}
			p.pos++
		}
	}
	p.fail(Unclosed, string(close), start)
}

func (p *parser) double(start int) {
	for p.err == nil && p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case '"':
			p.pos++
			return
		case '\\':
			p.escape()
		case '`':
			p.quoted(c)
		case '$':
			p.pos++
			p.dollar(p.line, true)
		case '\n':
			p.line++
			p.pos++
		default:
			p.pos++
		}
	}
	p.fail(Unclosed, `"`, start)
}

// dollar reads an expansion behind its dollar sign.
func (p *parser) dollar(start int, inDouble bool) {
	if p.pos >= len(p.src) || !p.enter() {
		return
	}
	defer p.leave()
	switch rest := p.src[p.pos:]; {
	case rest[0] == '\'' && !inDouble && !p.opt.Posix:
		p.pos++
		p.until('\'', true, start)
	case rest[0] == '{':
		from := p.pos - 1
		p.pos++
		p.brace(start, inDouble)
		p.span('{', from)
	case rest[0] == '[' && !p.opt.Posix:
		p.pos++
		p.matched('[', ']', start)
	case strings.HasPrefix(rest, "(("):
		save := *p
		p.pos += 2
		if p.arithmetic(start) || p.err != nil {
			if p.err != nil && p.err.Kind == Unclosed && p.opt.Posix {
				p.err.Token = "))"
			}
			p.span('(', save.pos-1)
			return
		}
		ends := strings.TrimSpace(p.src[min(p.pos, len(p.src)):]) == ""
		*p = save
		if ends { // one bracket is missing at the end of the text
			p.fail(Unclosed, ")", start)
			if p.opt.Posix {
				p.err.Token = "))"
			}
			p.span('(', save.pos-1)
			return
		}
		p.pos++
		p.substitution()
	case rest[0] == '(':
		p.pos++
		p.substitution()
	}
}

// substitution reads commands up to the closing bracket.
func (p *parser) substitution() {
	if !p.enter() {
		return
	}
	defer p.leave()
	tok, ahead, status, heres := p.tok, p.ahead, p.status, p.heres
	p.ahead, p.heres = false, nil
	p.status = 127
	p.newlines()
	if p.peek(command).is(")") {
		p.take()
	} else {
		p.list(")")
	}
	if p.err != nil && p.err.Kind == EOF && p.opt.Posix {
		p.err.Expect = ")"
	} else if p.err != nil && p.err.Kind == EOF {
		p.err.Kind, p.err.Token, p.err.Status, p.err.Inside = Unclosed, ")", 2, true
	}
	p.tok, p.ahead, p.status, p.heres = tok, ahead, status, append(heres, p.heres...)
}

// brace reads a parameter expansion up to its bracket.
func (p *parser) brace(start int, inDouble bool) {
	for p.err == nil && p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case '}':
			p.pos++
			return
		case '\\':
			p.escape()
		case '\'':
			if inDouble {
				p.pos++
				continue
			}
			p.quoted(c)
		case '"', '`', '$':
			p.quoted(c)
		case '\n':
			p.line++
			p.pos++
		default:
			p.pos++
		}
	}
	p.fail(Unclosed, "}", start)
}

// matched skips to the bracket that matches one already read.
func (p *parser) matched(open, close byte, start int) bool {
	depth := 1
	for p.err == nil && p.pos < len(p.src) {
		c := p.src[p.pos]
		switch c {
		case '\\':
			p.escape()
			continue
		case '\'', '"', '`', '$':
			p.quoted(c)
			continue
		case '\n':
			p.line++
		case open:
			depth++
		case close:
			depth--
		}
		p.pos++
		if depth == 0 {
			return true
		}
	}
	p.fail(Unclosed, string(close), start)
	return false
}
