package python

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A pos is where a piece of source stands: line from 1, columns in bytes.
type pos struct{ line, col, end int }

type tokKind int

const (
	tEnd tokKind = iota
	tNewline
	tIndent
	tDedent
	tName
	tNumber
	tString
	tOp
)

type token struct {
	kind tokKind
	text string // name, operator or number as written
	str  []strPart
	raw  bool // bytes literal
	fmt  bool // f-string
	pos  pos

	fault *syntaxFault // at the end of a text that closes too few brackets
}

// A strPart is a piece of a string literal: text, or an expression of an f-string.
type strPart struct {
	text string
	expr expr
	conv byte // r, s or a; 0 for none
	spec []strPart
}

// A syntaxFault is an error found before anything runs.
type syntaxFault struct {
	kind string // SyntaxError or IndentationError
	msg  string
	pos  pos
	// incomplete: more lines could mend it, which the prompt asks for
	incomplete bool
	later      bool // found after parsing: shown with its line only if there is a file
}

type lexer struct {
	src    string
	i      int
	line   int
	start  int // of the line
	depth  int // open brackets
	opened []token
	indent []int
	toks   []token
	bol    bool
	step   func(int)
}

// lex splits a program into tokens. It panics with a *syntaxFault.
func lex(src string, step func(int)) []token {
	l := &lexer{src: src, line: 1, indent: []int{0}, bol: true, step: step}
	for l.next() {
		l.step(1)
	}
	return l.toks
}

func (l *lexer) at(from int) pos { return pos{l.line, from - l.start, l.i - l.start} }

func (l *lexer) add(k tokKind, from int, text string) {
	l.toks = append(l.toks, token{kind: k, text: text, pos: l.at(from)})
}

func (l *lexer) fail(p pos, msg string) { panic(&syntaxFault{kind: "SyntaxError", msg: msg, pos: p}) }

// next reads one token and reports whether there may be another.
func (l *lexer) next() bool {
	if l.bol && l.depth == 0 {
		l.bol = false
		if !l.margin() {
			return true
		}
	}
	for l.i < len(l.src) && (l.src[l.i] == ' ' || l.src[l.i] == '\t' || l.src[l.i] == '\f' || l.src[l.i] == '\r') {
		l.i++
	}
	if l.i >= len(l.src) {
		l.finish()
		return false
	}
	from := l.i
	c := l.src[l.i]
	switch {
	case c == '#':
		for l.i < len(l.src) && l.src[l.i] != '\n' {
			l.i++
		}
	case c == '\n':
		if l.depth == 0 {
			l.add(tNewline, from, "\n")
			l.bol = true
		}
		l.i++
		l.line++
		l.start = l.i
	case c == '\\' && strings.HasPrefix(l.src[l.i+1:], "\n"):
		l.i += 2
		l.line++
		l.start = l.i
	case c >= '0' && c <= '9' || c == '.' && l.i+1 < len(l.src) && l.src[l.i+1] >= '0' && l.src[l.i+1] <= '9':
		l.number()
	case c == '_' || c >= 0x80 || c|0x20 >= 'a' && c|0x20 <= 'z':
		l.name()
	case c == '"' || c == '\'':
		l.str("")
	default:
		l.op()
	}
	return true
}

// margin deals with a line's indentation. It reports false for an empty line.
func (l *lexer) margin() bool {
	width, j := 0, l.i
	for ; j < len(l.src); j++ {
		switch l.src[j] {
		case ' ':
			width++
			continue
		case '\t':
			width = width/8*8 + 8
			continue
		}
		break
	}
	if j < len(l.src) && (l.src[j] == '\n' || l.src[j] == '#' || l.src[j] == '\r') {
		for j < len(l.src) && l.src[j] != '\n' {
			j++
		}
		l.i = min(j+1, len(l.src))
		l.line++
		l.start = l.i
		l.bol = true
		return false
	}
	if j >= len(l.src) {
		l.i = j
		return true
	}
	l.i = j
	top := l.indent[len(l.indent)-1]
	switch {
	case width > top:
		if len(l.indent) > 100 {
			panic(&syntaxFault{kind: "IndentationError", msg: "too many levels of indentation", pos: l.at(l.start)})
		}
		l.indent = append(l.indent, width)
		l.add(tIndent, l.i, "")
	case width < top:
		for len(l.indent) > 1 && l.indent[len(l.indent)-1] > width {
			l.indent = l.indent[:len(l.indent)-1]
			l.add(tDedent, l.i, "")
		}
		if l.indent[len(l.indent)-1] != width {
			panic(&syntaxFault{kind: "IndentationError", msg: "unindent does not match any outer indentation level", pos: pos{l.line, len(strings.TrimRight(l.lineText(), "\n")), len(l.lineText())}})
		}
	}
	return true
}

func (l *lexer) lineText() string {
	s, _, _ := strings.Cut(l.src[l.start:], "\n")
	return s
}

func (l *lexer) finish() {
	if l.depth > 0 {
		o := l.opened[len(l.opened)-1]
		l.add(tEnd, l.i, "")
		l.toks[len(l.toks)-1].fault = &syntaxFault{kind: "SyntaxError", msg: "'" + o.text + "' was never closed", pos: o.pos, incomplete: true}
		return
	}
	if n := len(l.toks); n > 0 && l.toks[n-1].kind != tNewline && l.toks[n-1].kind != tDedent {
		l.add(tNewline, l.i, "")
	}
	for range l.indent[1:] {
		l.add(tDedent, l.i, "")
	}
	l.add(tEnd, l.i, "")
}

func (l *lexer) name() {
	from := l.i
	for l.i < len(l.src) {
		r, n := utf8.DecodeRuneInString(l.src[l.i:])
		if r != '_' && !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			break
		}
		l.i += n
	}
	word := l.src[from:l.i]
	if word == "" {
		r, n := utf8.DecodeRuneInString(l.src[l.i:])
		l.i += n
		l.fail(l.at(from), "invalid character '"+string(r)+"' (U+"+strings.ToUpper(pad4(strconv.FormatInt(int64(r), 16)))+")")
	}
	if l.i < len(l.src) && (l.src[l.i] == '"' || l.src[l.i] == '\'') && isPrefix(word) {
		l.i = from
		l.str(word)
		return
	}
	l.add(tName, from, word)
}

func pad4(s string) string {
	for len(s) < 4 {
		s = "0" + s
	}
	return s
}

func isPrefix(w string) bool {
	switch strings.ToLower(w) {
	case "r", "b", "f", "u", "rb", "br", "fr", "rf":
		return true
	}
	return false
}

func (l *lexer) number() {
	from := l.i
	s := l.src
	if s[l.i] == '0' && l.i+1 < len(s) && strings.IndexByte("xXoObB", s[l.i+1]) >= 0 {
		l.i += 2
		for l.i < len(s) && (isHex(s[l.i]) || s[l.i] == '_') {
			l.i++
		}
	} else {
		digits := func() {
			for l.i < len(s) && (s[l.i] >= '0' && s[l.i] <= '9' || s[l.i] == '_') {
				l.i++
			}
		}
		digits()
		if l.i < len(s) && s[l.i] == '.' {
			l.i++
			digits()
		}
		if l.i+1 < len(s) && s[l.i]|0x20 == 'e' && (s[l.i+1] >= '0' && s[l.i+1] <= '9' || l.i+2 < len(s) && (s[l.i+1] == '-' || s[l.i+1] == '+')) {
			l.i += 2
			digits()
		}
	}
	text := s[from:l.i]
	if len(text) > 1 && text[0] == '0' && text[1] >= '1' && text[1] <= '9' && !strings.ContainsAny(text, ".eE") {
		l.fail(pos{l.line, from - l.start, from - l.start + 1}, "leading zeros in decimal integer literals are not permitted; use an 0o prefix for octal integers")
	}
	if l.i < len(s) && (s[l.i] == '_' || s[l.i]|0x20 >= 'a' && s[l.i]|0x20 <= 'z') {
		word := l.i
		for word < len(s) && s[word]|0x20 >= 'a' && s[word]|0x20 <= 'z' {
			word++
		}
		switch s[l.i:word] {
		case "and", "else", "for", "if", "in", "is", "not", "or", "j", "J":
		default:
			l.fail(pos{l.line, l.i - 1 - l.start, l.i - l.start}, "invalid decimal literal")
		}
	}
	l.add(tNumber, from, text)
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'f'
}

var operators = []string{
	"**=", "//=", ">>=", "<<=", "...", "!=", "==", "<=", ">=", "->", ":=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "^=", "@=", "**", "//", "<<", ">>",
}

func (l *lexer) op() {
	from := l.i
	text := ""
	for _, o := range operators {
		if strings.HasPrefix(l.src[l.i:], o) {
			text = o
			break
		}
	}
	if text == "" {
		text = l.src[l.i : l.i+1]
		if strings.IndexByte("+-*/%@&|^~<>()[]{},:;.=", text[0]) < 0 {
			l.i++
			if text == "\\" {
				l.fail(l.at(from), "unexpected character after line continuation character")
			}
			l.fail(l.at(from), "invalid syntax")
		}
	}
	l.i += len(text)
	l.add(tOp, from, text)
	t := l.toks[len(l.toks)-1]
	switch text {
	case "(", "[", "{":
		l.depth++
		l.opened = append(l.opened, t)
		if l.depth > 200 {
			l.fail(t.pos, "too many nested parentheses")
		}
	case ")", "]", "}":
		if l.depth == 0 {
			l.fail(t.pos, "unmatched '"+text+"'")
		}
		o := l.opened[len(l.opened)-1].text
		if o+text != "()" && o+text != "[]" && o+text != "{}" {
			l.fail(t.pos, "closing parenthesis '"+text+"' does not match opening parenthesis '"+o+"'")
		}
		l.depth--
		l.opened = l.opened[:l.depth]
	}
}

// str reads a string literal; prefix is its letters.
func (l *lexer) str(prefix string) {
	from, line, start := l.i, l.line, l.start
	l.i += len(prefix)
	low := strings.ToLower(prefix)
	raw, bin, format := strings.Contains(low, "r"), strings.Contains(low, "b"), strings.Contains(low, "f")
	quote := l.src[l.i : l.i+1]
	if strings.HasPrefix(l.src[l.i:], strings.Repeat(quote, 3)) {
		quote = strings.Repeat(quote, 3)
	}
	l.i += len(quote)
	body := l.i
	for {
		switch {
		case l.i >= len(l.src) && len(quote) == 3:
			panic(&syntaxFault{kind: "SyntaxError", msg: "unterminated triple-quoted string literal (detected at line " + strconv.Itoa(l.line) + ")", pos: pos{line, from - start, from - start + len(prefix) + 1}, incomplete: true})
		case l.i >= len(l.src) || l.src[l.i] == '\n' && len(quote) == 1:
			l.fail(pos{line, from - start, from - start + 1}, "unterminated string literal (detected at line "+strconv.Itoa(line)+")")
		case strings.HasPrefix(l.src[l.i:], quote):
			text := l.src[body:l.i]
			l.i += len(quote)
			t := token{kind: tString, raw: bin, fmt: format, pos: pos{line, from - start, from - start + (l.i - from)}}
			t.str = l.parts(text, raw, bin, format, t.pos)
			l.toks = append(l.toks, t)
			return
		case l.src[l.i] == '\\' && l.i+1 < len(l.src):
			if l.src[l.i+1] == '\n' {
				l.line++
				l.start = l.i + 2
			}
			l.i += 2
		case l.src[l.i] == '\n':
			l.line++
			l.i++
			l.start = l.i
		default:
			l.i++
		}
		if l.i > len(l.src) {
			l.i = len(l.src)
		}
	}
}

func (l *lexer) parts(text string, raw, bin, format bool, p pos) []strPart {
	l.step(len(text) / 8)
	if !format {
		if !raw {
			text = unescape(l, text, bin, p)
		}
		return []strPart{{text: text}}
	}
	return l.formatParts(text, raw, p, 0)
}

// formatParts splits an f-string's text into text and expressions.
func (l *lexer) formatParts(s string, raw bool, p pos, depth int) []strPart {
	var out []strPart
	var lit strings.Builder
	flush := func() {
		if lit.Len() > 0 {
			t := lit.String()
			if !raw {
				t = unescape(l, t, false, p)
			}
			out = append(out, strPart{text: t})
			lit.Reset()
		}
	}
	for i := 0; i < len(s); i++ {
		switch {
		case s[i] == '{' && i+1 < len(s) && s[i+1] == '{' && depth == 0, s[i] == '}' && i+1 < len(s) && s[i+1] == '}' && depth == 0:
			lit.WriteByte(s[i])
			i++
		case s[i] == '}':
			l.fail(p, "f-string: single '}' is not allowed")
		case s[i] == '{':
			flush()
			end := closing(s[i+1:])
			if end < 0 || depth > 2 {
				l.fail(p, "f-string: expecting '}'")
			}
			out = append(out, l.field(s[i+1:i+1+end], raw, p, depth))
			i += end + 1
		default:
			lit.WriteByte(s[i])
		}
	}
	flush()
	return out
}

// closing finds the brace that ends a field.
func closing(s string) int {
	depth, quote := 0, byte(0)
	for i := range len(s) {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == '{' || c == '(' || c == '[':
			depth++
		case c == '}' && depth == 0:
			return i
		case c == '}' || c == ')' || c == ']':
			depth--
		}
	}
	return -1
}

// field reads what stands between the braces of an f-string.
func (l *lexer) field(s string, raw bool, p pos, depth int) strPart {
	code, spec, conv, hasSpec := s, "", byte(0), false
	level, quote := 0, byte(0)
scan:
	for i := range len(s) {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case strings.IndexByte("([{", c) >= 0:
			level++
		case strings.IndexByte(")]}", c) >= 0:
			level--
		case c == '!' && level == 0 && i+1 < len(s) && s[i+1] != '=':
			code, conv = s[:i], s[i+1]
			if rest := s[i+2:]; strings.HasPrefix(rest, ":") {
				spec, hasSpec = rest[1:], true
			}
			break scan
		case c == ':' && level == 0:
			code, spec, hasSpec = s[:i], s[i+1:], true
			break scan
		}
	}
	label := ""
	if t := strings.TrimRight(code, " "); strings.HasSuffix(t, "=") && !strings.HasSuffix(t, "==") && !strings.HasSuffix(t, "!=") && !strings.HasSuffix(t, "<=") && !strings.HasSuffix(t, ">=") {
		label, code = code, strings.TrimSuffix(t, "=")
		if conv == 0 && !hasSpec {
			conv = 'r'
		}
	}
	if strings.TrimSpace(code) == "" {
		l.fail(p, "f-string: empty expression not allowed")
	}
	if strings.Contains(code, "\\") {
		l.fail(p, "f-string expression part cannot include a backslash")
	}
	part := strPart{text: label, expr: parseExpr("("+code+")", l.step), conv: conv}
	if hasSpec {
		part.spec = l.formatParts(spec, raw, p, depth+1)
	}
	return part
}

// unescape replaces backslash sequences. In bytes \x is one byte, in text a character.
func unescape(l *lexer, s string, bin bool, p pos) string {
	if strings.IndexByte(s, '\\') < 0 {
		return s
	}
	var b strings.Builder
	put := func(n int64) {
		if bin {
			b.WriteByte(byte(n))
		} else {
			b.WriteRune(rune(n))
		}
	}
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 >= len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		switch c := s[i]; c {
		case '\n':
		case '\\', '\'', '"':
			b.WriteByte(c)
		case 'n', 't', 'r', 'a', 'b', 'f', 'v':
			b.WriteByte(map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'f': 12, 'v': 11}[c])
		case '0', '1', '2', '3', '4', '5', '6', '7':
			j := i
			for j < len(s) && j < i+3 && s[j] >= '0' && s[j] <= '7' {
				j++
			}
			n, _ := strconv.ParseInt(s[i:j], 8, 32)
			put(n)
			i = j - 1
		case 'x', 'u', 'U':
			width := map[byte]int{'x': 2, 'u': 4, 'U': 8}[c]
			if bin && c != 'x' {
				b.WriteString("\\" + string(c))
				continue
			}
			n, err := strconv.ParseInt(s[i+1:min(len(s), i+1+width)], 16, 64)
			if err != nil || i+1+width > len(s) || n > 0x10ffff {
				what := map[byte]string{'x': "truncated \\xXX escape", 'u': "truncated \\uXXXX escape", 'U': "truncated \\UXXXXXXXX escape"}[c]
				if bin {
					l.fail(p, "(value error) invalid \\x escape at position "+strconv.Itoa(i-1))
				}
				l.fail(p, "(unicode error) 'unicodeescape' codec can't decode bytes in position "+strconv.Itoa(i-1)+"-"+strconv.Itoa(min(len(s)-1, i+width-1))+": "+what)
			}
			put(n)
			i += width
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String()
}
