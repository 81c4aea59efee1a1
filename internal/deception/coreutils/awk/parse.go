package awk

import "strings"

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
