// Package awk is the AWK language as mawk 1.3.4 speaks it. Programs run over an
// [Host] that opens files, runs commands and charges every step and every byte,
// so that no program outgrows its session.
package awk

import (
	"fmt"
	"strconv"
	"strings"
)

type kind byte

// The tokens. Operators and punctuation carry their text.
const (
	tEOF kind = iota
	tNewline
	tNumber
	tString
	tRegex
	tName
	tFunc    // a name directly followed by (
	tBuiltin // a built-in function
	tKeyword
	tOp
)

type token struct {
	kind kind
	text string
	num  float64
	line int
}

const keywords = " BEGIN END function func if else while for do break continue next nextfile exit return delete in getline print printf "

const builtins = " length substr index split sub gsub match sprintf sin cos atan2 exp log sqrt int rand srand tolower toupper system close fflush systime strftime mktime "

type lexer struct {
	in   string
	i    int
	line int
	last token
}

// SyntaxError is a program that cannot be read, in mawk's words.
type SyntaxError struct {
	Line int
	Msg  string
}

// Error returns "line N: message".
func (e *SyntaxError) Error() string { return fmt.Sprintf("line %d: %s", e.Line, e.Msg) }

func (l *lexer) fail(format string, a ...any) {
	panic(&SyntaxError{l.line, fmt.Sprintf(format, a...)})
}

// next returns the next token. A slash is a pattern where no operand stands
// before it.
func (l *lexer) next() token {
	t := l.scan()
	l.last = t
	return t
}

func (l *lexer) operandBefore() bool {
	switch l.last.kind {
	case tNumber, tString, tRegex, tName, tBuiltin:
		return true
	case tOp:
		return l.last.text == ")" || l.last.text == "]" || l.last.text == "$" || l.last.text == "++" || l.last.text == "--"
	}
	return false
}

func (l *lexer) scan() token {
	for l.i < len(l.in) {
		switch c := l.in[l.i]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.i++
		case c == '\\' && strings.HasPrefix(l.in[l.i+1:], "\n"):
			l.i += 2
			l.line++
		case c == '#':
			for l.i < len(l.in) && l.in[l.i] != '\n' {
				l.i++
			}
		default:
			return l.token(c)
		}
	}
	return token{kind: tEOF, line: l.line}
}

func (l *lexer) token(c byte) token {
	at := token{line: l.line}
	switch {
	case c == '\n':
		l.i++
		l.line++
		at.kind = tNewline
	case c >= '0' && c <= '9' || c == '.' && l.i+1 < len(l.in) && l.in[l.i+1] >= '0' && l.in[l.i+1] <= '9':
		n := numberPrefix(l.in[l.i:])
		at.kind, at.text = tNumber, l.in[l.i:l.i+n]
		at.num, _ = strconv.ParseFloat(at.text, 64)
		l.i += n
	case letter(c):
		j := l.i
		for j < len(l.in) && (letter(l.in[j]) || l.in[j] >= '0' && l.in[j] <= '9') {
			j++
		}
		at.text = l.in[l.i:j]
		l.i = j
		switch {
		case strings.Contains(keywords, " "+at.text+" "):
			at.kind = tKeyword
		case strings.Contains(builtins, " "+at.text+" "):
			at.kind = tBuiltin
		case j < len(l.in) && l.in[j] == '(':
			at.kind = tFunc
		default:
			at.kind = tName
		}
	case c == '"':
		at.kind, at.text = tString, l.quoted()
	case c == '/' && !l.operandBefore():
		at.kind, at.text = tRegex, l.regex()
	default:
		at.kind, at.text = tOp, l.operator()
	}
	return at
}

func letter(c byte) bool { return c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' }

func (l *lexer) operator() string {
	for _, op := range []string{"**=", "&&", "||", "==", "<=", ">=", "!=", "++", "--", "+=", "-=", "*=", "/=", "%=", "^=", ">>", "!~", "**"} {
		if strings.HasPrefix(l.in[l.i:], op) {
			l.i += len(op)
			switch op {
			case "**":
				return "^"
			case "**=":
				return "^="
			}
			return op
		}
	}
	c := l.in[l.i]
	if strings.IndexByte("{}()[];,+-*/%^!<>|?:~$=", c) < 0 {
		l.fail("unexpected character '%c'", c)
	}
	l.i++
	return string(c)
}

func (l *lexer) quoted() string {
	var b strings.Builder
	for l.i++; l.i < len(l.in); l.i++ {
		switch c := l.in[l.i]; c {
		case '"':
			l.i++
			return b.String()
		case '\n':
			l.fail("runaway string constant \"%s ...", start(b.String()))
		case '\\':
			l.i++
			if l.i < len(l.in) {
				l.escape(&b)
			}
		default:
			b.WriteByte(c)
		}
	}
	l.fail("runaway string constant \"%s ...", start(b.String()))
	return ""
}

// start is as much of a string as messages show.
func start(s string) string { return s[:min(len(s), 10)] }

func (l *lexer) escape(b *strings.Builder) {
	c := l.in[l.i]
	if at := strings.IndexByte("abfnrtv\\\"", c); at >= 0 {
		b.WriteByte("\a\b\f\n\r\t\v\\\""[at])
		return
	}
	if c == '\n' {
		l.line++
		return
	}
	if c >= '0' && c <= '7' {
		n := 0
		for k := 0; k < 3 && l.i < len(l.in) && l.in[l.i] >= '0' && l.in[l.i] <= '7'; k++ {
			n = n*8 + int(l.in[l.i]-'0')
			l.i++
		}
		l.i--
		b.WriteByte(byte(n))
		return
	}
	b.WriteByte('\\')
	b.WriteByte(c)
}

func (l *lexer) regex() string {
	var b strings.Builder
	set := false
	for l.i++; l.i < len(l.in); l.i++ {
		c := l.in[l.i]
		switch {
		case c == '\n':
			l.fail("runaway regular expression /%s ...", b.String())
		case c == '\\' && l.i+1 < len(l.in):
			l.i++
			if l.in[l.i] != '/' {
				b.WriteByte('\\')
			}
			b.WriteByte(l.in[l.i])
			continue
		case c == '[':
			set = true
		case c == ']':
			set = false
		case c == '/' && !set:
			l.i++
			return b.String()
		}
		b.WriteByte(c)
	}
	l.fail("runaway regular expression /%s ...", b.String())
	return ""
}

// numberPrefix returns how many bytes of s are a decimal number.
func numberPrefix(s string) int {
	i := 0
	digits := func() int {
		j := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i - j
	}
	n := digits()
	if i < len(s) && s[i] == '.' {
		i++
		n += digits()
	}
	if n == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i
		i++
		if i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if digits() == 0 {
			i = j
		}
	}
	return i
}
