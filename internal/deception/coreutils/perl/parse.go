package perl

import (
	"strings"
)

// A node is a piece of the program: what it does, its parts and its text.
type node struct {
	op   string
	kids []*node
	s    string
	line int
}

// A fault is a syntax error.
type fault struct {
	msg string
}

type parser struct {
	src   string
	i     int
	line  int
	depth int
	step  func(int)
	docs  []*node // here-documents whose text comes with the next line
}

const maxNesting = 150

func parse(src string, step func(int)) (tree *node, err *fault) {
	p := &parser{src: src, line: 1, step: step}
	defer func() {
		if r := recover(); r != nil {
			f, ok := r.(*fault)
			if !ok {
				panic(r)
			}
			err = f
		}
	}()
	tree = p.statements("")
	return tree, nil
}

func (p *parser) fail(near string) {
	if near == "" {
		near = p.src[min(p.i, len(p.src)):]
	}
	near = strings.TrimRight(near, "\n")
	if near == "" {
		panic(&fault{"syntax error at %s line " + itoa(p.line) + ", at EOF\n"})
	}
	panic(&fault{"syntax error at %s line " + itoa(p.line) + ", near \"" + near[:min(len(near), 60)] + "\"\n"})
}

func (p *parser) enter() {
	if p.depth++; p.depth > maxNesting {
		panic(&fault{"Out of memory!\n"})
	}
}

// ws skips blanks and comments.
func (p *parser) ws() {
	for p.i < len(p.src) {
		switch c := p.src[p.i]; {
		case c == '\n':
			p.newline()
		case c == ' ' || c == '\t' || c == '\r':
			p.i++
		case c == '#':
			for p.i < len(p.src) && p.src[p.i] != '\n' {
				p.i++
			}
		default:
			return
		}
	}
}

// newline takes a line's end, and the here-documents that wait behind it.
func (p *parser) newline() {
	p.i++
	p.line++
	for _, d := range p.docs {
		word := d.s
		var b strings.Builder
		for p.i < len(p.src) {
			l, rest, _ := strings.Cut(p.src[p.i:], "\n")
			p.i = len(p.src) - len(rest)
			p.line++
			if l == word {
				break
			}
			b.WriteString(l + "\n")
		}
		d.s = b.String()
		if d.op == "heredoc" {
			*d = *p.interpolate(d.s)
		} else {
			d.op = "str"
		}
	}
	p.docs = nil
	if strings.HasPrefix(p.src[p.i:], "=pod") || strings.HasPrefix(p.src[p.i:], "=head") {
		if k := strings.Index(p.src[p.i:], "\n=cut"); k >= 0 {
			p.i += k + 5
		} else {
			p.i = len(p.src)
		}
	}
}

func (p *parser) at(s string) bool { return strings.HasPrefix(p.src[p.i:], s) }

// eat takes s when it comes next.
func (p *parser) eat(s string) bool {
	p.ws()
	if !p.at(s) {
		return false
	}
	if isWordByte(s[len(s)-1]) && p.i+len(s) < len(p.src) && isWordByte(p.src[p.i+len(s)]) {
		return false
	}
	p.i += len(s)
	p.step(1)
	return true
}

func isWordByte(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
}

func (p *parser) peekWord() string {
	p.ws()
	j := p.i
	for j < len(p.src) && (isWordByte(p.src[j]) || strings.HasPrefix(p.src[j:], "::") || j > p.i && p.src[j] == ':' && p.src[j-1] == ':') {
		j++
	}
	if j > p.i && p.src[p.i] >= '0' && p.src[p.i] <= '9' {
		return ""
	}
	return p.src[p.i:j]
}

func (p *parser) want(s string) {
	if !p.eat(s) {
		p.fail("")
	}
}

func (p *parser) statements(end string) *node {
	out := &node{op: "block", line: p.line}
	for {
		p.ws()
		switch {
		case p.i >= len(p.src) && end == "":
			return out
		case p.i >= len(p.src):
			panic(&fault{"Missing right curly or square bracket at %s line " + itoa(p.line) + ", at end of line\nsyntax error at %s line " + itoa(p.line) + ", at EOF\n"})
		case end != "" && p.eat(end):
			return out
		case p.eat(";"):
			continue
		case strings.HasPrefix(p.src[p.i:], "__END__") || strings.HasPrefix(p.src[p.i:], "__DATA__"):
			p.i = len(p.src)
			continue
		}
		out.kids = append(out.kids, p.statement())
	}
}

func (p *parser) block() *node {
	p.enter()
	defer func() { p.depth-- }()
	p.want("{")
	return p.statements("}")
}

func (p *parser) statement() *node {
	p.enter()
	defer func() { p.depth-- }()
	line := p.line
	if n := p.compound(); n != nil {
		n.line = line
		return n
	}
	n := p.expr()
	for {
		switch {
		case p.eat("if"):
			n = &node{op: "if", kids: []*node{p.expr(), n}, line: line}
			continue
		case p.eat("unless"):
			n = &node{op: "if", kids: []*node{{op: "!", kids: []*node{p.expr()}}, n}, line: line}
			continue
		case p.eat("while"):
			n = &node{op: "while", kids: []*node{p.expr(), n}, line: line}
			continue
		case p.eat("until"):
			n = &node{op: "while", kids: []*node{{op: "!", kids: []*node{p.expr()}}, n}, line: line}
			continue
		case p.eat("foreach"), p.eat("for"):
			n = &node{op: "foreach", kids: []*node{{op: "my$", s: "_"}, p.expr(), n}, line: line}
			continue
		}
		break
	}
	p.ws()
	if p.i < len(p.src) && !p.at("}") && !p.eat(";") {
		p.fail("")
	}
	return n
}

func (p *parser) compound() *node {
	p.ws()
	if p.at("{") {
		return &node{op: "bare", kids: []*node{p.block()}}
	}
	start := p.i
	word := p.peekWord()
	p.i += len(word)
	switch word {
	case "if", "unless":
		p.want("(")
		cond := p.expr()
		p.want(")")
		if word == "unless" {
			cond = &node{op: "!", kids: []*node{cond}}
		}
		n := &node{op: "if", kids: []*node{cond, p.block()}}
		at := n
		for p.eat("elsif") {
			p.want("(")
			c := p.expr()
			p.want(")")
			next := &node{op: "if", kids: []*node{c, p.block()}}
			at.kids = append(at.kids, next)
			at = next
		}
		if p.eat("else") {
			at.kids = append(at.kids, p.block())
		}
		return n
	case "while", "until":
		p.want("(")
		cond := &node{op: "num", s: "1"}
		if p.ws(); !p.at(")") {
			cond = p.expr()
		}
		p.want(")")
		if word == "until" {
			cond = &node{op: "!", kids: []*node{cond}}
		}
		return &node{op: "while", kids: []*node{cond, p.block()}}
	case "for", "foreach":
		return p.forLoop()
	case "sub":
		if name := p.peekWord(); name != "" {
			p.i += len(name)
			if p.eat("(") {
				for p.i < len(p.src) && !p.eat(")") {
					p.i++
				}
			}
			return &node{op: "def", s: name, kids: []*node{p.block()}}
		}
	case "use", "no", "package":
		n := &node{op: "use", s: p.peekWord()}
		for p.i < len(p.src) && p.src[p.i] != ';' && p.src[p.i] != '\n' {
			p.i++
		}
		p.eat(";")
		return n
	case "BEGIN", "END":
		if p.ws(); p.at("{") {
			return &node{op: word, kids: []*node{p.block()}}
		}
	}
	p.i = start
	return nil
}

func (p *parser) forLoop() *node {
	v := &node{op: "my$", s: "_"}
	if p.eat("my") || p.eat("our") {
		p.ws()
	}
	if p.ws(); p.at("$") {
		p.i++
		v = &node{op: "my$", s: p.peekWord()}
		p.i += len(v.s)
	}
	p.want("(")
	var init *node
	if p.ws(); !p.at(";") && !p.at(")") {
		init = p.expr()
	}
	if p.eat(")") {
		if init == nil {
			init = &node{op: "list"}
		}
		return &node{op: "foreach", kids: []*node{v, init, p.block()}}
	}
	p.want(";")
	parts := []*node{init, nil, nil}
	if p.ws(); !p.at(";") {
		parts[1] = p.expr()
	}
	p.want(";")
	if p.ws(); !p.at(")") {
		parts[2] = p.expr()
	}
	p.want(")")
	return &node{op: "for", kids: append(parts, p.block())}
}

// Binary operators by what binds weakest.
var levels = [][]string{
	{"or", "xor"},
	{"and"},
	{"||", "//"},
	{"&&"},
	{"|", "^"},
	{"&"},
	{"==", "!=", "<=>", "eq", "ne", "cmp"},
	{"<=", ">=", "<", ">", "lt", "gt", "le", "ge"},
	{"<<", ">>"},
	{"+", "-", "."},
	{"*", "/", "%", "x"},
	{"=~", "!~"},
}

var assignments = []string{"**=", "||=", "&&=", "//=", "+=", "-=", "*=", "/=", ".=", "%=", "x=", "|=", "&=", "^=", "<<=", ">>=", "="}

func (p *parser) expr() *node { return p.low(0) }

// low is or, and, not: weaker than the comma.
func (p *parser) low(level int) *node {
	p.enter()
	defer func() { p.depth-- }()
	if level == 2 {
		if p.eat("not") {
			return &node{op: "!", kids: []*node{p.low(2)}, line: p.line}
		}
		return p.comma()
	}
	x := p.low(level + 1)
	for {
		op := ""
		for _, o := range levels[level] {
			if p.eat(o) {
				op = o
				break
			}
		}
		if op == "" {
			return x
		}
		x = &node{op: map[string]string{"or": "||", "and": "&&", "xor": "xor"}[op], kids: []*node{x, p.low(level + 1)}, line: p.line}
	}
}

func (p *parser) comma() *node {
	x := p.assign()
	if p.ws(); !p.at(",") && !p.at("=>") {
		return x
	}
	n := &node{op: "list", kids: []*node{x}, line: p.line}
	for p.eat(",") || p.eat("=>") {
		p.ws()
		if p.i >= len(p.src) || strings.IndexByte(")];}", p.src[p.i]) >= 0 || p.ends() {
			break
		}
		n.kids = append(n.kids, p.assign())
	}
	return n
}

// ends reports a word that ends an expression.
func (p *parser) ends() bool {
	switch p.peekWord() {
	case "if", "unless", "while", "until", "foreach", "for", "or", "and", "xor":
		return true
	}
	return false
}

func (p *parser) assign() *node {
	p.enter()
	defer func() { p.depth-- }()
	x := p.ternary()
	p.ws()
	for _, a := range assignments {
		if !p.at(a) || a == "=" && (p.at("==") || p.at("=~") || p.at("=>")) {
			continue
		}
		if a == "x=" && p.at("x=>") {
			continue
		}
		p.i += len(a)
		return &node{op: "=", s: strings.TrimSuffix(a, "="), kids: []*node{x, p.assign()}, line: p.line}
	}
	return x
}

func (p *parser) ternary() *node {
	x := p.rangeOp()
	if p.ws(); p.at("?") {
		p.i++
		yes := p.assign()
		p.want(":")
		return &node{op: "?:", kids: []*node{x, yes, p.assign()}, line: p.line}
	}
	return x
}

func (p *parser) rangeOp() *node {
	x := p.binary(2)
	if p.ws(); p.at("..") && !p.at("...") {
		p.i += 2
		return &node{op: "..", kids: []*node{x, p.binary(2)}, line: p.line}
	}
	return x
}

func (p *parser) binary(level int) *node {
	if level == len(levels) {
		return p.unary()
	}
	x := p.binary(level + 1)
	for {
		p.ws()
		op := ""
		for _, o := range levels[level] {
			if !p.at(o) || isAssign(p.src[p.i:], o) {
				continue
			}
			if isWordByte(o[0]) && p.i+len(o) < len(p.src) && isWordByte(p.src[p.i+len(o)]) && !(o == "x" && p.src[p.i+1] >= '0' && p.src[p.i+1] <= '9') {
				continue
			}
			if (o == "|" && p.at("||")) || (o == "&" && p.at("&&")) || (o == "*" && p.at("**")) || ((o == "<=" || o == "<") && p.at("<=>")) || (o == "/" && p.at("//")) || (o == "<" && p.at("<<")) || (o == "." && p.at("..")) || (o == "x" && p.at("x=>")) {
				continue
			}
			op = o
			break
		}
		if op == "" {
			return x
		}
		p.i += len(op)
		if op == "%" { // the letter of hashes
			op = "mod"
		}
		line := p.line
		x = &node{op: op, kids: []*node{x, p.binary(level + 1)}, line: line}
	}
}

// isAssign reports that the operator is the first half of an assignment.
func isAssign(s, op string) bool {
	rest := s[len(op):]
	return strings.HasPrefix(rest, "=") && !strings.HasPrefix(rest, "==") && !strings.HasPrefix(rest, "=~") && !strings.Contains("== != <= >= <=> =~ eq ne lt gt le ge cmp < >", op)
}

func (p *parser) unary() *node {
	p.enter()
	defer func() { p.depth-- }()
	p.ws()
	line := p.line
	switch {
	case p.at("!") && !p.at("!~"):
		p.i++
		return &node{op: "!", kids: []*node{p.unary()}, line: line}
	case p.at("++"), p.at("--"):
		op := p.src[p.i : p.i+2]
		p.i += 2
		return &node{op: "pre" + op, kids: []*node{p.unary()}, line: line}
	case p.at("-") && p.i+2 < len(p.src) && strings.IndexByte("efdrwxsz", p.src[p.i+1]) >= 0 && !isWordByte(p.src[p.i+2]) && p.src[p.i+2] != '=':
		op := p.src[p.i+1 : p.i+2]
		p.i += 2
		return &node{op: "test", s: op, kids: []*node{p.unary()}, line: line}
	case p.at("-"):
		p.i++
		return &node{op: "neg", kids: []*node{p.unary()}, line: line}
	case p.at("+"):
		p.i++
		return p.unary()
	case p.at("~"):
		p.i++
		return &node{op: "~", kids: []*node{p.unary()}, line: line}
	case p.at("\\"):
		p.i++
		return &node{op: "ref", kids: []*node{p.unary()}, line: line}
	}
	x := p.postfix(p.primary())
	p.ws()
	switch {
	case p.at("**") && !p.at("**="):
		p.i += 2
		return &node{op: "**", kids: []*node{x, p.unary()}, line: line}
	case p.at("++"), p.at("--"):
		op := p.src[p.i : p.i+2]
		p.i += 2
		return &node{op: "post" + op, kids: []*node{x}, line: line}
	}
	return x
}

// postfix reads subscripts, arrows and calls.
func (p *parser) postfix(x *node) *node {
	for {
		arrow := false
		save := p.i
		if p.ws(); p.at("->") {
			p.i += 2
			arrow = true
			p.ws()
		} else {
			p.i = save
		}
		sub := arrow || x.op == "elem" || x.op == "helem"
		switch {
		case sub && p.at("["):
			p.i++
			i := p.expr()
			p.want("]")
			x = &node{op: "elem", kids: []*node{{op: "@deref", kids: []*node{x}}, i}, line: p.line}
		case sub && p.at("{"):
			x = &node{op: "helem", kids: []*node{{op: "%deref", kids: []*node{x}}, p.hashKey()}, line: p.line}
		case arrow && p.at("("):
			p.i++
			x = &node{op: "callref", kids: []*node{x, p.until(")")}, line: p.line}
		case arrow && p.at("@*"):
			p.i += 2
			x = &node{op: "@deref", kids: []*node{x}}
		case arrow:
			name := p.peekWord()
			p.i += len(name)
			args := &node{op: "list"}
			if p.at("(") {
				p.i++
				args = p.until(")")
			}
			x = &node{op: "method", s: name, kids: []*node{x, args}, line: p.line}
		default:
			return x
		}
	}
}

func (p *parser) until(end string) *node {
	if p.eat(end) {
		return &node{op: "list"}
	}
	x := p.expr()
	p.want(end)
	return x
}

// hashKey reads {word} or {expression}.
func (p *parser) hashKey() *node {
	p.want("{")
	p.ws()
	save := p.i
	minus := ""
	if p.at("-") {
		minus = "-"
		p.i++
	}
	if w := p.peekWord(); w != "" {
		p.i += len(w)
		if p.eat("}") {
			return &node{op: "str", s: minus + w}
		}
	}
	p.i = save
	x := p.expr()
	p.want("}")
	return x
}
