package awk

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
	} else if word == "printf" {
		q.l.fail("no arguments in call to printf")
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
