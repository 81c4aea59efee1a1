package arith

import "strings"

type token int

const (
	tEnd token = iota
	tNumber
	tName
	tBinary
	tAssign
	tUnary // ! ~
	tInc   // ++ --
	tQuest
	tColon
	tComma
	tOpen
	tClose
)

// next reads the next token. At the end of the text the last token stays what
// messages quote.
func (p *parser) next() {
	if p.err != nil {
		return
	}
	if err := p.vars.Step(); err != nil {
		p.err, p.tok = err, tEnd
		return
	}
	for p.pos < len(p.s) && strings.IndexByte(" \t\n\r", p.s[p.pos]) >= 0 {
		p.pos++
	}
	p.start = p.pos
	if p.pos >= len(p.s) {
		p.tok = tEnd
		return
	}
	p.last = p.s[p.pos:]
	c := p.s[p.pos]
	switch {
	case c >= '0' && c <= '9':
		p.number()
	case c == '_' || c|0x20 >= 'a' && c|0x20 <= 'z':
		p.variable()
	default:
		p.operator()
	}
}

var symbols = []struct {
	text string
	tok  token
}{
	{"<<=", tAssign},
	{">>=", tAssign},
	{"**", tBinary},
	{"&&", tBinary},
	{"||", tBinary},
	{"==", tBinary},
	{"!=", tBinary},
	{"<=", tBinary},
	{">=", tBinary},
	{"<<", tBinary},
	{">>", tBinary},
	{"+=", tAssign},
	{"-=", tAssign},
	{"*=", tAssign},
	{"/=", tAssign},
	{"%=", tAssign},
	{"&=", tAssign},
	{"^=", tAssign},
	{"|=", tAssign},
	{"++", tInc},
	{"--", tInc},
	{"=", tAssign},
	{"+", tBinary},
	{"-", tBinary},
	{"*", tBinary},
	{"/", tBinary},
	{"%", tBinary},
	{"<", tBinary},
	{">", tBinary},
	{"&", tBinary},
	{"|", tBinary},
	{"^", tBinary},
	{"!", tUnary},
	{"~", tUnary},
	{"?", tQuest},
	{":", tColon},
	{",", tComma},
	{"(", tOpen},
	{")", tClose},
}

func (p *parser) operator() {
	rest := p.s[p.pos:]
	for _, s := range symbols {
		if strings.HasPrefix(rest, s.text) {
			p.pos += len(s.text)
			p.tok, p.op = s.tok, s.text
			return
		}
	}
	if p.tok == tNumber || p.tok == tName || p.tok == tClose {
		p.fail("syntax error: invalid arithmetic operator")
		return
	}
	p.fail("syntax error: operand expected")
}

// number reads decimal, octal, hexadecimal and base#digits.
func (p *parser) number() {
	i := p.pos
	for i < len(p.s) && (digit(p.s[i]) >= 0 || p.s[i] == '#') {
		i++
	}
	text := p.s[p.pos:i]
	p.pos = i
	base := int64(10)
	switch b, rest, ok := strings.Cut(text, "#"); {
	case ok:
		base = p.decimal(b)
		if base < 2 || base > 64 {
			p.fail("invalid arithmetic base")
			return
		}
		if rest == "" {
			p.fail("invalid integer constant")
			return
		}
		text = rest
	case strings.HasPrefix(text, "0x") || strings.HasPrefix(text, "0X"):
		base, text = 16, text[2:]
	case text[0] == '0' && len(text) > 1:
		base, text = 8, text[1:]
	}
	p.tok, p.num = tNumber, p.digits(text, base)
}

func (p *parser) decimal(s string) int64 {
	if s == "" || s[0] == '0' || len(s) > 3 {
		return -1
	}
	return p.digits(s, 10)
}

func (p *parser) digits(s string, base int64) int64 {
	var n int64
	for i := range len(s) {
		d := digit(s[i])
		if base <= 36 && d >= 36 && d < 62 {
			d -= 26
		}
		if s[i] == '#' {
			p.fail("invalid number")
			return 0
		}
		if d < 0 || d >= base {
			p.fail("value too great for base")
			return 0
		}
		n = n*base + d
	}
	return n
}

// digit gives the value of c in bases up to 64: 0-9 a-z A-Z @ _.
func digit(c byte) int64 {
	switch {
	case c >= '0' && c <= '9':
		return int64(c - '0')
	case c >= 'a' && c <= 'z':
		return int64(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int64(c-'A') + 36
	case c == '@':
		return 62
	case c == '_':
		return 63
	}
	return -1
}

// variable reads a name and its subscript.
func (p *parser) variable() {
	i := p.pos
	for i < len(p.s) && (p.s[i] == '_' || digit(p.s[i]) >= 0 && p.s[i] != '@') {
		i++
	}
	p.tok, p.name, p.index = tName, p.s[p.pos:i], nil
	p.pos = i
	if i >= len(p.s) || p.s[i] != '[' {
		return
	}
	depth := 0
	for j := i; j < len(p.s); j++ {
		switch p.s[j] {
		case '[':
			depth++
		case ']':
			depth--
		}
		if depth == 0 {
			index := p.s[i+1 : j]
			p.index, p.pos = &index, j+1
			return
		}
	}
	p.last = p.s[p.start:]
	p.fail("bad array subscript")
}

// unary reads signs, increments and an operand.
func (p *parser) unary() int64 {
	if p.depth++; p.depth > maxDepth {
		p.fail("expression recursion level exceeded")
		return 0
	}
	defer func() { p.depth-- }()
	if p.err != nil {
		return 0
	}
	switch {
	case p.tok == tUnary || p.tok == tBinary && (p.op == "-" || p.op == "+"):
		op := p.op
		p.next()
		n := p.unary()
		p.name = ""
		switch op {
		case "!":
			return truth(n == 0)
		case "~":
			return ^n
		case "-":
			return -n
		}
		return n
	case p.tok == tInc:
		return p.before()
	}
	return p.operand()
}

// before reads ++x and --x; in front of a number they are two signs.
func (p *parser) before() int64 {
	delta := int64(1)
	if p.op == "--" {
		delta = -1
	}
	p.next()
	if p.tok != tName {
		n := p.unary()
		return n
	}
	name, index := p.name, p.index
	n := p.value(name, index) + delta
	p.next()
	p.name = ""
	p.store(name, index, n)
	return n
}

func (p *parser) store(name string, index *string, n int64) {
	if p.err == nil && p.skip == 0 {
		if err := p.vars.Set(name, index, n); err != nil {
			p.err = err
		}
	}
}

func (p *parser) operand() int64 {
	switch p.tok {
	case tNumber:
		n := p.num
		p.name = ""
		p.next()
		return n
	case tName:
		name, index := p.name, p.index
		n := p.value(name, index)
		p.next()
		if p.tok == tInc {
			delta := int64(1)
			if p.op == "--" {
				delta = -1
			}
			p.store(name, index, n+delta)
			p.next()
			p.name = ""
			return n
		}
		if p.tok == tAssign {
			p.name, p.index = name, index
		}
		return n
	case tOpen:
		p.next()
		n := p.comma()
		if p.err == nil && p.tok != tClose {
			p.fail("missing `)'")
		}
		p.next()
		p.name = ""
		return n
	}
	p.fail("syntax error: operand expected")
	return 0
}

// value evaluates a variable's value as an expression.
func (p *parser) value(name string, index *string) int64 {
	if p.err != nil || p.skip > 0 {
		return 0
	}
	s, err := p.vars.Get(name, index)
	if err != nil {
		p.err, p.tok = err, tEnd
		return 0
	}
	n, err := eval(s, p.vars, p.depth+1)
	if err != nil {
		p.err = err
	}
	return n
}
