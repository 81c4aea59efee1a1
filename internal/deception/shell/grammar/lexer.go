package grammar

import "strings"

type tokenKind int

const (
	tEOF tokenKind = iota
	tNewline
	tWord
	tNumber // the descriptor in front of a redirection
	tOp
)

// A mode says how words are read.
type mode int

const (
	command  mode = iota // compound assignments are words
	argument             // a bracket ends a word
	cond                 // inside [[ ]]: extended patterns are words
)

type token struct {
	kind  tokenKind
	text  string
	pos   int
	line  int
	plain bool // a word without quotes or expansions
}

func (t token) is(op string) bool { return t.kind == tOp && t.text == op }
func (t token) reserved(word string) bool {
	return t.kind == tWord && t.plain && t.text == word && reserved[word]
}

// reservedWord reports a word of dash's grammar.
func (t token) reservedWord() bool {
	switch t.text {
	case "!", "case", "do", "done", "elif", "else", "esac", "fi", "for", "if", "in", "then", "until", "while", "{", "}":
		return t.plain
	}
	return false
}

// redirects reports whether a redirection begins here.
func (t token) redirects() bool {
	return t.kind == tNumber || t.kind == tOp && redirections[t.text]
}

var redirections = map[string]bool{
	"<": true, ">": true, ">>": true, "<<": true, "<<-": true, "<<<": true,
	"<&": true, ">&": true, "<>": true, ">|": true, "&>": true, "&>>": true,
}

// bashOnly are the operators dash does not know.
var bashOnly = map[string]bool{"<<<": true, ";;&": true, "&>>": true, ";&": true, "|&": true, "&>": true}

// operators, longest first.
var operators = []string{
	"<<<", "<<-", ";;&", "&>>", "&&", "||", ";;", ";&", "|&", "<<", ">>", "<&", ">&", "<>", ">|", "&>",
	"&", "|", ";", "(", ")", "<", ">",
}

func (p *parser) peek(m mode) token {
	if !p.ahead {
		p.tok = p.lex(m)
		p.ahead = true
	}
	return p.tok
}

func (p *parser) take() { p.ahead = false }

func (p *parser) pop(m mode) token {
	t := p.peek(m)
	p.take()
	return t
}

// skipBlanks returns the offset of the next character that is no blank.
func (p *parser) skipBlanks() int {
	i := p.pos
	for i < len(p.src) && (p.src[i] == ' ' || p.src[i] == '\t') {
		i++
	}
	return i
}

func (p *parser) lex(m mode) token {
	if p.err != nil {
		return token{kind: tEOF, line: p.line, pos: p.pos}
	}
	p.blanks()
	t := token{pos: p.pos, line: p.line}
	if p.pos >= len(p.src) {
		return p.atEnd(t)
	}
	c := p.src[p.pos]
	if c == '\n' {
		p.pos++
		p.line++
		p.bodies()
		t.kind, t.text = tNewline, "newline"
		return t
	}
	if c != '<' && c != '>' || p.opt.Posix || p.pos+1 >= len(p.src) || p.src[p.pos+1] != '(' {
		if op := operator(p.src[p.pos:], p.opt.Posix); op != "" {
			p.pos += len(op)
			t.kind, t.text = tOp, op
			return t
		}
	}
	t.kind, t.plain = tWord, true
	p.word(m, &t)
	t.text = p.src[t.pos:min(p.pos, len(p.src))]
	if p.pos < len(p.src) && (p.src[p.pos] == '<' || p.src[p.pos] == '>') && descriptor(t.text) {
		t.kind = tNumber
	}
	return t
}

// blanks skips blanks, continued lines and a comment.
func (p *parser) blanks() {
	for p.pos < len(p.src) {
		switch c := p.src[p.pos]; {
		case c == ' ' || c == '\t':
			p.pos++
		case c == '\\' && strings.HasPrefix(p.src[p.pos:], "\\\n"):
			p.pos += 2
			p.line++
		case c == '#':
			if i := strings.IndexByte(p.src[p.pos:], '\n'); i >= 0 {
				p.pos += i
			} else {
				p.pos = len(p.src)
			}
			return
		default:
			return
		}
	}
}

// atEnd gives the newline a text lacks, then the end.
func (p *parser) atEnd(t token) token {
	if !p.final {
		p.final = true
		if p.src != "" && p.src[len(p.src)-1] != '\n' {
			if !p.opt.Posix {
				p.line++
			}
			p.bodies()
			t.kind, t.text = tNewline, "newline"
			return t
		}
	}
	p.bodies()
	t.kind = tEOF
	return t
}

func operator(s string, posix bool) string {
	switch s[0] {
	case '<', '>', ';', '&', '|', '(', ')':
	default:
		return ""
	}
	for _, op := range operators {
		if posix && bashOnly[op] {
			continue
		}
		if strings.HasPrefix(s, op) {
			return op
		}
	}
	return ""
}

func descriptor(s string) bool {
	if len(s) > 2 && s[0] == '{' && s[len(s)-1] == '}' {
		return isName(s[1 : len(s)-1])
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// redirect reads a redirection that begins with t, if one does.
func (p *parser) redirect(t token) bool {
	if !t.redirects() {
		return false
	}
	p.take()
	if t.kind == tNumber {
		t = p.pop(argument)
	}
	w := p.pop(argument)
	if w.kind != tWord && w.kind != tNumber {
		p.unexpected(w)
		return true
	}
	if t.text == "<<" || t.text == "<<-" {
		p.heres = append(p.heres, here{word: unquote(w.text), tabs: t.text == "<<-", line: w.line})
		if w.line < 1 {
			p.heres[len(p.heres)-1].line = 1
		}
	}
	return true
}

// bodies skips the here-documents that follow the line just ended.
func (p *parser) bodies() {
	heres := p.heres
	p.heres = nil
	for _, h := range heres {
		p.bodyOf(h)
	}
}

func (p *parser) bodyOf(h here) {
	for p.pos < len(p.src) {
		line, _, more := strings.Cut(p.src[p.pos:], "\n")
		p.pos += len(line)
		if more {
			p.pos++
			p.line++
		}
		if h.tabs {
			line = strings.TrimLeft(line, "\t")
		}
		if line == h.word {
			return
		}
	}
	last := p.line
	if p.src != "" && p.src[len(p.src)-1] == '\n' || p.final {
		last--
	}
	p.open = append(p.open, Here{Line: h.line, Last: max(last, h.line), Word: h.word})
}

// unquote removes the quotes of a here-document's word.
func unquote(s string) string {
	if !strings.ContainsAny(s, `'"\$`) {
		return s
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case '\'', '"':
			j := strings.IndexByte(s[i+1:], c)
			if j < 0 {
				return b.String() + s[i+1:]
			}
			b.WriteString(s[i+1 : i+1+j])
			i += j + 1
		case '\\':
			if i+1 < len(s) {
				i++
				b.WriteByte(s[i])
			}
		case '$':
			if i+1 >= len(s) || s[i+1] != '\'' && s[i+1] != '"' {
				b.WriteByte(c)
			}
		default:
			b.WriteByte(c)
		}
	}
	return b.String()
}
