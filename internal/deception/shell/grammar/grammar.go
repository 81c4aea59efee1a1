// Package grammar finds out where a shell command ends and what is wrong with
// it, in the words of the real shells. It accepts the text of a script from an
// offset on, cuts off the next complete command (all that bash would read
// before it runs anything) and, when the text is no command, names the token
// bash would name. It builds no tree: that is the work of the real parser.
package grammar

import "strings"

// A Kind says in what way a text is no complete command.
type Kind int

// The kinds of errors.
const (
	Unexpected Kind = iota + 1 // a token stands where none may: Token
	EOF                        // the text ends inside a compound command
	Unclosed                   // the text ends inside quotes or brackets: Token is the missing delimiter
	Cond                       // something is wrong inside [[ ]]: Token is bash's message
)

// An Error describes the first fault of a command.
type Error struct {
	Kind   Kind
	Token  string
	Line   int    // of the fault, counted from 1 at the start of the source
	Status int    // the exit status bash gives: 2, but 1 for a compound assignment and 127 inside $( )
	Then   string // a second message, told of the line behind the text's end
	Inside bool   // the text ends inside a command substitution
	Expect string // the reserved word that would have closed the command, if one is known
}

// A Here is a here-document that ended with the text and not with its word.
type Here struct {
	Line, Last int // where it began and where the text ended
	Word       string
}

// A Unit is the next complete command.
type Unit struct {
	End     int    // offset behind its newline
	Blank   bool   // nothing to run: an empty line or a comment
	Err     *Error // nil when the command is complete
	Open    []Here
	ExtGlob bool // an extended pattern stands outside [[ ]]
}

// maxDepth bounds nesting: deeper texts are called exhausted, so that no
// recursive descent can run out of stack.
const maxDepth = 200

// Options say how to read.
type Options struct {
	ExtGlob bool // shopt extglob is on
	Posix   bool // dash: no [[, no functions by keyword, no process substitution
	Ash     bool // BusyBox: no compound assignments
	Line    int  // number of the first line of src; 0 means 1
}

// Next reads one complete command of src from off on.
func Next(src string, off int, o Options) Unit {
	p := &parser{src: src, pos: off, line: max(o.Line, 1), opt: o, status: 2}
	return p.unit()
}

type parser struct {
	src     string
	pos     int
	line    int
	opt     Options
	tok     token
	ahead   bool // tok has been read and not consumed
	err     *Error
	status  int
	depth   int
	heres   []here
	open    []Here
	extglob bool
	spans   *[]Span // where to note expansions, if wanted
	final   bool    // the newline a text lacks at its end has been given
}

type here struct {
	word string
	tabs bool
	line int
}

func (p *parser) unit() Unit {
	u := Unit{Blank: true}
	t := p.peek(command)
	if t.kind == tNewline || t.kind == tEOF {
		p.take()
		u.End, u.Err = p.pos, p.err
		return u
	}
	u.Blank = false
	p.toNewline()
	u.End, u.Err, u.Open, u.ExtGlob = p.pos, p.err, p.open, p.extglob
	return u
}

// toNewline reads the list up to the newline that makes it complete.
func (p *parser) toNewline() {
	for p.err == nil {
		p.andOr()
		t := p.peek(command)
		switch {
		case p.err != nil:
			return
		case t.kind == tNewline || t.kind == tEOF:
			p.take()
			return
		case t.is(";") || t.is("&"):
			p.take()
			if t := p.peek(command); t.kind == tNewline || t.kind == tEOF {
				p.take()
				return
			}
		default:
			p.unexpected(t)
		}
	}
}

// fail records the first error.
func (p *parser) fail(k Kind, tok string, line int) {
	if p.err == nil {
		p.err = &Error{Kind: k, Token: tok, Line: line, Status: p.status}
	}
}

func (p *parser) unexpected(t token) {
	switch t.kind {
	case tEOF:
		p.fail(EOF, "", p.line)
	case tNewline:
		p.fail(Unexpected, "newline", t.line)
	default:
		p.fail(Unexpected, t.text, t.line)
		if p.opt.Posix && t.kind == tWord && !t.reservedWord() {
			p.err.Token = "word"
		} else if p.opt.Posix && t.redirects() {
			p.err.Token = "redirection"
		}
	}
}

// enter counts a level of nesting and reports whether it is still allowed.
func (p *parser) enter() bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(Cond, "memory exhausted", p.line)
		return false
	}
	return p.err == nil
}

func (p *parser) leave() { p.depth-- }

// list reads commands until one of the closing words and consumes it.
func (p *parser) list(closers ...string) string {
	some := false
	for p.err == nil {
		t := p.peek(command)
		if t.kind == tNewline {
			p.take()
			continue
		}
		for _, c := range closers {
			if t.is(c) || t.reserved(c) {
				if !some && c != ";;" && c != ";&" && c != ";;&" && c != "esac" {
					p.unexpected(t)
					return ""
				}
				p.take()
				return c
			}
		}
		if t.kind == tEOF {
			p.unexpected(t)
			if p.err != nil && len(closers) > 0 {
				p.err.Expect = closers[len(closers)-1]
				if p.err.Expect == "esac" {
					p.err.Expect = ";;"
				}
			}
			return ""
		}
		p.andOr()
		some = true
		t = p.peek(command)
		switch {
		case t.kind == tNewline || t.is(";") || t.is("&"):
			p.take()
			if t = p.peek(command); p.closer(t) && !closing(t, closers) {
				p.mismatch(t, closers)
			}
		case t.kind == tEOF:
		default:
			if !closing(t, closers) {
				p.mismatch(t, closers)
			}
		}
	}
	return ""
}

// closer reports a reserved word that ends something, where dash says what it
// would rather have.
func (p *parser) closer(t token) bool {
	if !p.opt.Posix || t.kind != tWord || !t.plain {
		return false
	}
	switch t.text {
	case "then", "else", "elif", "fi", "do", "done", "esac", "}":
		return true
	}
	return false
}

// mismatch is a token in place of one of closers.
func (p *parser) mismatch(t token, closers []string) {
	fresh := p.err == nil
	p.unexpected(t)
	if fresh && p.err != nil && len(closers) > 0 {
		p.err.Expect = closers[len(closers)-1]
		if p.err.Expect == "esac" {
			p.err.Expect = ";;"
		}
	}
}

// expected is a token in place of one only.
func (p *parser) expected(t token, what string) {
	fresh := p.err == nil
	p.unexpected(t)
	if fresh && p.err != nil {
		p.err.Expect = what
	}
}

// closing reports whether t ends the list. A word can only stand here behind
// a compound command, where reserved words count.
func closing(t token, closers []string) bool {
	for _, c := range closers {
		if t.is(c) || t.reserved(c) {
			return true
		}
	}
	return false
}

func (p *parser) andOr() {
	for {
		p.pipeline()
		t := p.peek(command)
		if p.err != nil || !t.is("&&") && !t.is("||") {
			return
		}
		p.take()
		p.newlines()
	}
}

func (p *parser) newlines() {
	for p.err == nil && p.peek(command).kind == tNewline {
		p.take()
	}
}

func (p *parser) pipeline() {
	if !p.enter() {
		return
	}
	defer p.leave()
	bare := p.prefixes()
	if t := p.peek(command); bare && (t.kind == tNewline || t.kind == tEOF || t.is(";") || t.is("&")) {
		return
	}
	for p.err == nil {
		p.command()
		t := p.peek(command)
		if !t.is("|") && !t.is("|&") {
			return
		}
		p.take()
		p.newlines()
	}
}

// prefixes reads `!` and `time`, behind which a command may be missing.
func (p *parser) prefixes() (bare bool) {
	for p.err == nil {
		t := p.peek(command)
		switch {
		case t.reserved("!"):
			p.take()
		case t.reserved("time") && !p.opt.Posix:
			p.take()
			if n := p.peek(command); n.kind == tWord && n.text == "-p" {
				p.take()
			}
		default:
			return bare
		}
		bare = true
	}
	return bare
}

// isName reports whether s is a shell name.
func isName(s string) bool {
	for i := range len(s) {
		c := s[i]
		if c != '_' && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return s != ""
}

// assignment reports whether s begins with `name=`, `name+=` or `name[..]=`,
// and the offset behind the equals sign.
func assignment(s string) (int, bool) {
	eq := strings.IndexByte(s, '=')
	if eq <= 0 {
		return 0, false
	}
	name := strings.TrimSuffix(s[:eq], "+")
	if i := strings.IndexByte(name, '['); i > 0 && strings.HasSuffix(name, "]") {
		name = name[:i]
	}
	return eq + 1, isName(name)
}
